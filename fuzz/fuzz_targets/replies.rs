//! Decoding replies, and the number formats, which replies and arguments share.

#![no_main]

use libfuzzer_sys::fuzz_target;
use resp::decode;
use resp::number::{parse_f64, parse_i64, write_double, write_i64};

fuzz_target!(|input: &[u8]| {
    replies(input);
    numbers(input);
});

fn replies(input: &[u8]) {
    let Ok(Some((_, len))) = decode(input) else { return };
    assert!(len > 0 && len <= input.len());
    let (_, same) = decode(&input[..len]).expect("judged before").expect("whole");
    assert_eq!(same, len);
    for cut in 0..len.min(600) {
        assert_eq!(decode(&input[..cut]), Ok(None), "cut at {cut}");
    }
}

fn numbers(input: &[u8]) {
    let mut printed = Vec::new();
    if let Some(value) = parse_f64(input) {
        write_double(&mut printed, value);
        assert_eq!(parse_f64(&printed).map(f64::to_bits), Some(value.to_bits()));
    }
    printed.clear();
    if let Some(value) = parse_i64(input) {
        write_i64(&mut printed, value);
        assert_eq!(printed, input);
    }
}
