//! Whole RDB files: reading ends with items or a refusal, and what was read can be written.
#![no_main]

use libfuzzer_sys::fuzz_target;
use persist::rdb::{Item, Key, Reader, Rules, Settings, Slice, Style, dump};
use value::{KeyHash, Limits};

fuzz_target!(|data: &[u8]| {
    let limits = Limits::default();
    let rules = Rules { limits: &limits, hasher: KeyHash::new([7; 16]), since_ms: 0 };
    let settings = Settings { relaxed: true, checksum: false };
    let Ok(mut reader) = Reader::new(Slice::new(data), settings, rules) else { return };
    while let Ok(Some(item)) = reader.next_item() {
        if let Item::Key(Key::Live(entry)) = item {
            dump(&entry.value(), Style::default());
        }
    }
});
