//! Data sets as JSON: reading ends with items or a refusal, and what was read comes back the same
//! when it is written and read again.
#![no_main]

use keyspace::Entry;
use libfuzzer_sys::fuzz_target;
use persist::json::{Reader, key};
use persist::rdb::{Item, Key, Rules};
use value::{KeyHash, Limits};

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    let rules = Rules { limits: &limits, hasher: KeyHash::new([7; 16]), since_ms: 0 };
    let Ok(mut reader) = Reader::new(data, rules) else { return };
    let mut db = 0;
    while let Ok(Some(item)) = reader.next_item() {
        match item {
            Item::Select(number) => db = u32::try_from(number).unwrap_or(0),
            Item::Key(Key::Live(entry)) => {
                let written = record(db, &entry);
                let again = read(&written, rules);
                // Only the order within sets and hashes may have changed.
                assert_eq!(record(db, &again).len(), written.len());
            }
            _ => {}
        }
    }
});

fn record(db: u32, entry: &Entry) -> Vec<u8> {
    let mut record = Vec::new();
    key(&mut record, db, entry, None);
    record
}

fn read(record: &[u8], rules: Rules<'_>) -> Entry {
    let head = b"[{\"format\":\"reddle\",\"version\":1},";
    let file = [head, record, b"{\"end\":true,\"keys\":1}]"].concat();
    let mut reader = Reader::new(&file[..], rules).expect("the head is in order");
    loop {
        match reader.next_item().expect("what was written can be read") {
            Some(Item::Key(Key::Live(entry))) => return entry,
            Some(_) => {}
            None => panic!("there is a key"),
        }
    }
}
