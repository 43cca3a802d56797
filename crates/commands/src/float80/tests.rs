//! What the C library reads, adds and prints, on numbers chosen for their corners.

use std::cmp::Ordering;

use super::Float80;

fn read(text: &str) -> Option<Float80> {
    Float80::parse(text.as_bytes())
}

fn show(value: Option<Float80>) -> String {
    let mut out = Vec::new();
    match value {
        Some(value) => value.write(&mut out),
        None => out.extend_from_slice(b"none"),
    }
    String::from_utf8(out).expect("digits are ASCII")
}

#[test]
fn reads_and_prints_as_the_c_library_does() {
    let cases = [
        ("0", "0"),
        ("-0", "0"),
        ("0.1", "0.1"),
        ("3.0e3", "3000"),
        ("1e-17", "0.00000000000000001"),
        ("1e-18", "0"),
        ("-1e-18", "0"),
        ("5e-18", "0"),
        ("5.0001e-18", "0.00000000000000001"),
        ("0.99999999999999999999", "1"),
        ("17179869184.000005", "17179869184.00000499933958054"),
        ("1.23456789012345678901234567890", "1.23456789012345679"),
        ("18446744073709551615", "18446744073709551615"),
        ("18446744073709551617", "18446744073709551616"),
        ("36893488147419103235", "36893488147419103236"),
        ("1e27", "1000000000000000000000000000"),
        ("1e28", "9999999999999999999731564544"),
        ("0x1p-3", "0.125"),
        ("0X1.8p1", "3"),
        ("0xffffffffffffffff8", "295147905179352825856"),
        ("+.5", "0.5"),
        ("5.", "5"),
        ("inf", "inf"),
        ("-InFiNiTy", "-inf"),
        ("0e99999999999999999999", "0"),
    ];
    for (text, printed) in cases {
        assert_eq!(show(read(text)), printed, "{text}");
    }
}

#[test]
fn refuses_what_is_no_number_or_does_not_fit() {
    let cases = [
        "",
        " 1",
        "1 ",
        "+",
        "-",
        ".",
        "e5",
        "1e",
        "1e+",
        "0x",
        "0x.",
        "0x1p",
        "0xg",
        "--1",
        "1.2.3",
        "nan",
        "-nan",
        "nan(1)",
        "infinit",
        "1e4933",
        "-1e4933",
        "1e-4960",
        "0x1p99999",
        "1\0",
        "1,5",
    ];
    for text in cases {
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(read(&"1".repeat(5120)), None);
    assert!(read(&format!("0.{}1", "0".repeat(4000))).is_some());
    assert!(read(&format!("{}e-200", "1".repeat(5100))).is_some());
}

#[test]
fn the_largest_and_the_smallest_number() {
    assert_eq!(read("1.18973149535723176502e4932"), Some(Float80::MAX));
    assert_eq!(read("-1.18973149535723176502e4932"), Some(Float80::MIN));
    let smallest = read("3.64519953188247460253e-4951").expect("it is above zero");
    assert_eq!((smallest.exponent, smallest.mantissa), (super::EXPONENT_MIN, 1));
    assert_eq!(smallest.sub(smallest), Some(Float80::ZERO));
    assert!(Float80::MAX.add(Float80::MAX).is_some_and(Float80::is_infinite));
}

#[test]
fn adds_with_one_rounding() {
    let cases = [
        ("10.50", "0.1", "10.6"),
        ("5.0e3", "2.0e2", "5200"),
        ("1", "-0.9", "0.1"),
        ("18446744073709551615", "0.5", "18446744073709551616"),
        ("18446744073709551615", "0.25", "18446744073709551615"),
        ("1e19", "-1e-19", "10000000000000000000"),
        ("9223372036854775808", "-0.25", "9223372036854775808"),
        ("9223372036854775808", "-0.75", "9223372036854775807"),
        ("9223372036854775808", "-0.5", "9223372036854775807.5"),
        ("1e30", "-1e30", "0"),
        ("inf", "1", "inf"),
        ("1", "-inf", "-inf"),
        ("inf", "-inf", "none"),
    ];
    for (one, other, sum) in cases {
        let (one, other) = (read(one).expect("a number"), read(other).expect("a number"));
        assert_eq!(show(one.add(other)), sum);
        assert_eq!(show(other.add(one)), sum);
    }
}

#[test]
fn numbers_are_ordered() {
    let ordered = ["-inf", "-1e30", "-2", "-1.5", "-1e-4000", "0", "1e-4000", "1", "1e30", "inf"];
    for (at, one) in ordered.iter().enumerate() {
        for (other_at, other) in ordered.iter().enumerate() {
            let (one, other) = (read(one).expect("a number"), read(other).expect("a number"));
            assert_eq!(one.compare(other), at.cmp(&other_at));
        }
    }
    let (zero, minus_zero) = (read("0").expect("a number"), read("-0").expect("a number"));
    assert_eq!(zero.compare(minus_zero), Ordering::Equal);
}

#[test]
fn integers_are_exact() {
    for number in [0, 1, -1, i64::MAX, i64::MIN, 1 << 53] {
        assert_eq!(show(Some(Float80::from_i64(number))), number.to_string());
    }
}

#[test]
fn the_general_layout_is_that_of_c() {
    // What a C library prints for `%.17Lg`.
    let cases = [
        ("0", "0"),
        ("1", "1"),
        ("-1.5", "-1.5"),
        ("0.1", "0.1"),
        ("0.30000000000000001665", "0.30000000000000002"),
        ("123456789012345678", "1.2345678901234568e+17"),
        ("99999999999999999", "99999999999999999"),
        ("100000000000000000", "1e+17"),
        ("99999999999999999.5", "1e+17"),
        ("12345678901234567.5", "12345678901234568"),
        ("0.0001", "0.0001"),
        ("0.00001", "1e-05"),
        ("0.000099999999999999999999", "0.0001"),
        ("1e4000", "1e+4000"),
        ("3.3e-4000", "3.3e-4000"),
        ("1e16", "10000000000000000"),
        ("123456.7890625", "123456.7890625"),
        ("9007199254740993", "9007199254740993"),
        ("-0.5", "-0.5"),
        ("1234567890123456.75", "1234567890123456.8"),
        ("-inf", "-inf"),
    ];
    for (text, expected) in cases {
        let mut shown = Vec::new();
        read(text).expect("a number").write_general(&mut shown);
        assert_eq!(String::from_utf8_lossy(&shown), expected);
    }
}

#[test]
fn doubles_are_exact() {
    for number in [0.0, 1.0, -2.5, 0.1, 1e300, 5e-324, f64::MAX, f64::MIN_POSITIVE] {
        let mut shown = Vec::new();
        Float80::from_f64(number).write_general(&mut shown);
        let back: f64 = String::from_utf8_lossy(&shown).parse().expect("a number");
        assert_eq!(back, number);
    }
}

#[test]
fn truncation_goes_toward_zero_and_knows_its_limits() {
    for (text, expected) in [
        ("2.9", Some(2)),
        ("-2.9", Some(-2)),
        ("0.5", Some(0)),
        ("9223372036854775807", Some(i64::MAX)),
        ("9223372036854775807.5", None),
        ("9223372036854775808", None),
        ("-9223372036854775808", Some(i64::MIN)),
        ("-9223372036854775809", None),
        ("1e30", None),
        ("inf", None),
    ] {
        assert_eq!(read(text).expect("a number").truncated(), expected, "{text}");
    }
}
