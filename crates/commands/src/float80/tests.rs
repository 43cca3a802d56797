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
