//! Cases of the number grammars.

use super::*;

#[test]
fn integers_are_strict() {
    let good: &[(&str, i64)] = &[
        ("0", 0),
        ("-1", -1),
        ("10", 10),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
    ];
    for (text, want) in good {
        assert_eq!(integer(text.as_bytes()), Some(*want), "{text}");
    }
    for text in ["", "-", "-0", "+1", "01", "1 ", " 1", "1k", "9223372036854775808", "--1", "0x1"] {
        assert_eq!(integer(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn lenient_numbers_are_read_as_by_strtoll() {
    let cases: &[(&str, u32, Option<i64>)] = &[
        ("", 10, Some(0)),
        (" 12", 10, Some(12)),
        ("+5", 10, Some(5)),
        ("-05", 10, Some(-5)),
        ("0700", 8, Some(0o700)),
        ("8", 8, None),
        ("12 ", 10, None),
        (" ", 10, None),
        ("-", 10, None),
        ("1x", 10, None),
        ("99999999999999999999", 10, Some(i64::MAX)),
        ("-99999999999999999999", 10, Some(i64::MIN)),
    ];
    for (text, radix, want) in cases {
        assert_eq!(lenient(text.as_bytes(), *radix), *want, "{text:?}");
    }
}

#[test]
fn memory_has_units() {
    let good: &[(&str, u64)] = &[
        ("", 0),
        ("kb", 0),
        ("10", 10),
        ("10b", 10),
        ("1k", 1_000),
        ("1KB", 1 << 10),
        ("2m", 2_000_000),
        ("2Mb", 2 << 20),
        ("3g", 3_000_000_000),
        ("3gB", 3 << 30),
        ("18446744073709551615", u64::MAX),
    ];
    for (text, want) in good {
        assert_eq!(memory(text.as_bytes()), Some(*want), "{text}");
    }
    for text in ["-1", "1 k", "1tb", "1.5g", "x", "18446744073709551616", "99999999999999gb"] {
        assert_eq!(memory(text.as_bytes()), None, "{text}");
    }
}

#[test]
fn memory_is_written_in_the_largest_unit_that_divides_it() {
    let cases =
        [(0, "0"), (1, "1"), (1000, "1000"), (2 << 10, "2kb"), (5 << 20, "5mb"), (1 << 30, "1gb")];
    for (bytes, want) in cases {
        assert_eq!(format_memory(bytes), want);
        assert_eq!(memory(want.as_bytes()), Some(bytes));
    }
    assert_eq!(format_memory(1 << 63), "8589934592gb");
}

#[test]
fn floats_drop_their_trailing_zeros() {
    for (value, want) in [(50.0, "50"), (99.9, "99.9"), (0.0, "0"), (33.333_333_3, "33.333333")] {
        assert_eq!(format_float(value), want);
    }
    assert_eq!(float(b"nan"), None);
    assert_eq!(float(b" 1"), None);
    assert_eq!(float(b"1e2"), Some(100.0));
}
