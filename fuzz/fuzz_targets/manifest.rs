//! Manifests: they are refused, or written and read again as they are.
#![no_main]

use libfuzzer_sys::fuzz_target;
use persist::aof::{Manifest, Names};

fuzz_target!(|input: &[u8]| {
    let Ok(mut manifest) = Manifest::parse(input) else { return };
    let text = manifest.to_bytes();
    // Quoting makes a name up to four times as long, so that its line can be too long to read.
    if text.split(|byte| *byte == b'\n').any(|line| line.len() > 1023) {
        return;
    }
    if !text.is_empty() {
        assert_eq!(Manifest::parse(&text).as_ref().map(Manifest::to_bytes), Ok(text));
    }
    if manifest.increments.last().is_none_or(|last| last.seq < i64::MAX) {
        manifest.next_increment(&Names::new("log"));
    }
    manifest.retire_increments(1);
    assert!(manifest.parts().count() <= 2);
});
