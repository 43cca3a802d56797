//! Payloads of RESTORE. The first byte chooses the dialect; the checksum is not compared. A value
//! that was taken must come back the same from its own payload.
#![no_main]

use keyspace::Entry;
use libfuzzer_sys::fuzz_target;
use persist::rdb::{Restored, Rules, Settings, Style, dump, restore};
use value::{KeyHash, Limits};

fuzz_target!(|data: &[u8]| {
    let Some((choice, body)) = data.split_first() else { return };
    let version: u16 = if choice % 2 == 0 { 12 } else { 80 };
    let mut payload = body.to_vec();
    payload.extend_from_slice(&version.to_le_bytes());
    payload.extend_from_slice(&[0; 8]);
    let limits = Limits::default();
    let rules = Rules { limits: &limits, hasher: KeyHash::new([7; 16]), since_ms: 0 };
    let settings = Settings { relaxed: true, checksum: false };
    let taken = restore(&payload, settings, rules, |restored| match restored {
        Restored::Value(value) => Some(Entry::new(b"key", value, None, 0)),
        _ => None,
    });
    let Some(entry) = taken else { return };
    let style = Style { version: 80, compress: choice & 2 == 0 };
    let again = dump(&entry.value(), style);
    restore(&again, Settings::default(), rules, |restored| {
        assert!(matches!(restored, Restored::Value(_)), "what was taken can be taken again");
    });
});
