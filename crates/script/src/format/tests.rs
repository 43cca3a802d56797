//! Numbers as text: the short way against the long one, and against what C's library prints.

use proptest::prelude::*;

use super::*;

fn text(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    write(&mut out);
    String::from_utf8(out).expect("numbers are ASCII")
}

fn shown_text(number: f64) -> Option<String> {
    let mut out = [b'#'; 32];
    shown(number, &mut out).then(|| {
        let end = out.iter().position(|byte| *byte == 0).expect("a zero byte ends it");
        String::from_utf8(out[..end].to_vec()).expect("numbers are ASCII")
    })
}

#[test]
fn c_prints_the_same() {
    for (number, expected) in [
        (0.0, "0"),
        (-0.0, "-0"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (1.0 / 3.0, "0.33333333333333"),
        (2.0 / 3.0, "0.66666666666667"),
        (9.999_999_999_999_6, "9.9999999999996"),
        (9.999_999_999_999_96, "10"),
        (99_999_999_999_999.0, "99999999999999"),
        (99_999_999_999_998.5, "99999999999998"),
        (1e-4, "0.0001"),
        (0.000_123_456_789_012_345, "0.00012345678901234"),
        // Exact halves, to even.
        (1_234_567_890_123.25, "1234567890123.2"),
        (1_234_567_890_123.75, "1234567890123.8"),
        (0.000_099_999_999_999_999_99, "0.0001"),
    ] {
        assert_eq!(text(|out| general(out, number, 14)), expected);
        assert!(shown_text(number).is_none_or(|shown| shown == expected), "{expected}");
    }
    for number in [1e14, 1e15, 1e300, 1e-5, f64::NAN, f64::INFINITY, 99_999_999_999_999.9] {
        assert_eq!(shown_text(number), None, "{number} needs an exponent or is not finite");
    }
}

#[test]
fn only_plain_decimals_are_read() {
    for (text, expected) in [
        ("0", Some(0.0)),
        ("12", Some(12.0)),
        ("-1.5", Some(-1.5)),
        (".5", Some(0.5)),
        ("5.", Some(5.0)),
        ("000000000000001", Some(1.0)),
        ("123456789012345", Some(123_456_789_012_345.0)),
    ] {
        assert_eq!(plain(text.as_bytes()), expected, "{text}");
    }
    assert!(plain(b"-0").is_some_and(f64::is_sign_negative), "the sign of zero stays");
    for text in ["", "-", ".", "1.2.3", "1e5", "0x10", " 1", "1 ", "+1", "1234567890123456", "inf"]
    {
        assert_eq!(plain(text.as_bytes()), None, "{text}");
    }
}

proptest! {
    #[test]
    fn short_and_long_agree(bits in any::<u64>(), exponent in -16..50_i32, digits in 1..=17_usize) {
        let fraction = f64::from_bits(bits >> 12 | 1023 << 52);
        let sign = if bits & 1 == 0 { 1.0 } else { -1.0 };
        let number = sign * fraction * 2_f64.powi(exponent);
        let long = text(|out| long(out, number, digits));
        prop_assert_eq!(text(|out| general(out, number, digits)), long);
    }

    #[test]
    fn halves_agree(whole in 0..1_u64 << 40, eighths in 0..64_u64, digits in 1..=17_usize) {
        let number = whole as f64 + eighths as f64 / 64.0;
        let long = text(|out| long(out, number, digits));
        prop_assert_eq!(text(|out| general(out, number, digits)), long);
    }

    #[test]
    fn what_is_read_is_the_nearest(whole in 0..1_000_000_000_000_000_u64, decimals in 0..15_usize) {
        let mut text = format!("{whole:015}");
        text.insert(text.len() - decimals, '.');
        prop_assert_eq!(plain(text.as_bytes()), text.parse().ok());
    }
}
