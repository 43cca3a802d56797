//! Cursors as clients may write them.

use super::*;

#[test]
fn cursors_are_read_as_c_reads_them() {
    let cases: &[(&str, Option<u64>)] = &[
        ("0", Some(0)),
        ("12345", Some(12345)),
        ("9007199254740991", Some(9_007_199_254_740_991)),
        ("18446744073709551615", Some(u64::MAX)),
        ("18446744073709551616", None),
        ("007", Some(7)),
        (" 7", Some(7)),
        ("+7", Some(7)),
        ("7 ", None),
        ("-1", None),
        ("-01", Some(u64::MAX)),
        ("0x1", None),
        ("", None),
        ("-", None),
        ("abc", None),
    ];
    for (text, want) in cases {
        assert_eq!(unsigned(text.as_bytes()), *want, "{text}");
    }
}
