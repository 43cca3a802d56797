//! Number formats: tables of what Redis and Valkey print and accept, and round trips.

use proptest::prelude::*;

use super::*;

fn printed(value: f64) -> String {
    let mut out = Vec::new();
    write_double(&mut out, value);
    String::from_utf8(out).unwrap()
}

#[test]
fn integers() {
    let accepted: &[(&str, i64)] = &[
        ("0", 0),
        ("7", 7),
        ("-1", -1),
        ("10", 10),
        ("9223372036854775807", i64::MAX),
        ("-9223372036854775808", i64::MIN),
    ];
    for (text, value) in accepted {
        assert_eq!(parse_i64(text.as_bytes()), Some(*value), "{text}");
        let mut out = Vec::new();
        write_i64(&mut out, *value);
        assert_eq!(out, text.as_bytes());
    }
    let refused = [
        "",
        "-",
        "-0",
        "+1",
        "00",
        "01",
        "-01",
        " 1",
        "1 ",
        "1.0",
        "1e3",
        "0x10",
        "1a",
        "--1",
        "9223372036854775808",
        "-9223372036854775809",
        "9999999999999999999",
        "18446744073709551616",
        "123456789012345678901",
        "1\0",
    ];
    for text in refused {
        assert_eq!(parse_i64(text.as_bytes()), None, "{text:?}");
    }
}

#[test]
fn doubles_as_valkey_prints_them() {
    let cases: &[(f64, &str)] = &[
        (0.0, "0"),
        (-0.0, "-0"),
        (3.0, "3"),
        (-3.0, "-3"),
        (0.1, "0.1"),
        (-0.1, "-0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (3.15, "3.15"),
        (1.5e-5, "0.000015"),
        (1e-6, "0.000001"),
        (1e-7, "1e-7"),
        (1.25e-7, "1.25e-7"),
        (1e17, "100000000000000000"),
        (4e18, "4000000000000000000"),
        (4.611686018427388e18, "4611686018427387904"),
        (-4.611686018427388e18, "-4611686018427387904"),
        (4.7e18, "4.7e+18"),
        (1e19, "1e+19"),
        (1e20, "1e+20"),
        (1e21, "1e+21"),
        (12_345_678_901_234_567_000.0, "12345678901234567000"),
        (1.7976931348623157e308, "1.7976931348623157e+308"),
        (2.2250738585072014e-308, "2.2250738585072014e-308"),
        (5e-324, "5e-324"),
        (123_456.789, "123456.789"),
        (f64::INFINITY, "inf"),
        (f64::NEG_INFINITY, "-inf"),
        (f64::NAN, "nan"),
        (-f64::NAN, "nan"),
    ];
    for (value, text) in cases {
        assert_eq!(printed(*value), *text);
    }
}

/// Numbers for which Grisu2 gives more digits than needed; the texts are what Valkey prints.
#[test]
fn doubles_that_are_not_shortest() {
    let cases: &[(u64, &str)] = &[
        (0x42E5_3700_4A40_95FC, "186607778006191.87"),
        (0xC30D_8B76_28DB_D25E, "-1039514241563211.7"),
        (0xC023_BC6D_F243_3780, "-9.868026323990989"),
        (0xC0E0_EB46_058B_C59C, "-3.4650188177000004e+4"),
        (0xC0D4_BE78_05E5_F30E, "-2.1241875359999998e+4"),
        (0x3DA0_22DF_3428_F0FC, "7.337902533861264e-12"),
        (0x0938_3B3A_4823_4D12, "3.0059487429765738e-264"),
    ];
    for (bits, text) in cases {
        assert_eq!(printed(f64::from_bits(*bits)), *text);
        assert_eq!(parse_f64(text.as_bytes()).map(f64::to_bits), Some(*bits));
    }
}

#[test]
fn doubles_that_are_accepted() {
    let cases: &[(&str, f64)] = &[
        ("0", 0.0),
        ("-0", -0.0),
        ("1", 1.0),
        ("+1.5", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("007", 7.0),
        ("1e3", 1000.0),
        ("1E+3", 1000.0),
        ("-1.25e-2", -0.0125),
        ("inf", f64::INFINITY),
        ("-INF", f64::NEG_INFINITY),
        ("+Infinity", f64::INFINITY),
        ("0e999999", 0.0),
        ("5e-324", 5e-324),
        ("3e-324", 5e-324),
        ("0x10", 16.0),
        ("-0X.8", -0.5),
        ("0x1.8p3", 12.0),
        ("0x1p-1074", 5e-324),
        ("0x1p1023", 8.98846567431158e307),
        ("0x1.fffffffffffff8p0", 2.0),
        ("0x1.00000000000008p0", 1.0),
        ("0x1.000000000000080000000000000001p0", 1.000_000_000_000_000_2),
        ("0x1.fffffffffffffp1023", f64::MAX),
        ("0xffffffffffffffffffff", 1.2089258196146292e24),
        ("0x0p99999999999999999999", 0.0),
    ];
    for (text, value) in cases {
        let parsed = parse_f64(text.as_bytes());
        assert_eq!(parsed.map(f64::to_bits), Some(value.to_bits()), "{text}");
    }
}

#[test]
fn doubles_that_are_refused() {
    let cases = [
        "",
        " 1",
        "1 ",
        "1\n",
        "nan",
        "NaN",
        "-nan",
        "nan(1)",
        "infi",
        "+-1",
        "--1",
        ".",
        "+",
        "-",
        "e5",
        ".e5",
        "1e",
        "1e+",
        "1_0",
        "1,5",
        "abc",
        "1e400",
        "-1e400",
        "1e-400",
        "2e-324",
        "0x",
        "0x.",
        "0x1p",
        "0x1p+",
        "0xg",
        "0x1.2.3",
        "0x1p1024",
        "0x1.fffffffffffff8p1023",
        "0x1p-1076",
        "0x0.8p-1074",
        "1\0",
        "١",
    ];
    for text in cases {
        assert_eq!(parse_f64(text.as_bytes()), None, "{text:?}");
    }
    assert_eq!(parse_f64(b"\xff1"), None);
}

proptest! {
    #[test]
    fn doubles_survive(bits in any::<u64>()) {
        let value = f64::from_bits(bits);
        prop_assume!(!value.is_nan());
        let text = printed(value);
        prop_assert!(text.len() <= 25);
        prop_assert_eq!(parse_f64(text.as_bytes()).map(f64::to_bits), Some(bits), "{}", text);
    }

    #[test]
    fn everyday_doubles_survive(units in -1_000_000_000i64..1_000_000_000, places in 0i32..7) {
        let value = units as f64 / 10f64.powi(places);
        prop_assert_eq!(parse_f64(printed(value).as_bytes()), Some(value));
    }

    #[test]
    fn hexadecimal_is_exact(value in proptest::num::f64::POSITIVE) {
        let (bits, exponent) = (value.to_bits() & ((1 << 52) - 1), value.to_bits() >> 52);
        let lead = u32::from(exponent != 0);
        let text = format!("0x{lead}.{bits:013x}p{}", exponent.max(1).cast_signed() - 1023);
        prop_assert_eq!(parse_f64(text.as_bytes()), Some(value), "{}", text);
    }

    #[test]
    fn integers_survive(value in any::<i64>()) {
        let mut out = Vec::new();
        write_i64(&mut out, value);
        prop_assert_eq!(parse_i64(&out), Some(value));
    }

    #[test]
    fn integers_as_the_standard_library_reads_them(text in "-?[0-9]{1,21}") {
        let plain = text == "0" || !text.trim_start_matches('-').starts_with('0');
        let expected = text.parse::<i64>().ok().filter(|_| plain);
        prop_assert_eq!(parse_i64(text.as_bytes()), expected);
    }
}
