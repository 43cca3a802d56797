//! The grammar at its edges, and numbers that survive printing.

use proptest::prelude::*;

use super::{TEXT_MAX, Text, parse_i64};

#[test]
fn edges() {
    for value in [0, 1, -1, 9, 10, -10, i64::MAX, i64::MIN, i64::MAX - 1, i64::MIN + 1] {
        assert_eq!(parse_i64(value.to_string().as_bytes()), Some(value));
    }
    for text in [
        "",
        "-",
        "+1",
        "-0",
        "00",
        "01",
        "-01",
        " 1",
        "1 ",
        "1.0",
        "1e3",
        "0x1",
        "a",
        "1a",
        "--1",
        "9223372036854775808",
        "-9223372036854775809",
        "18446744073709551616",
        "99999999999999999999",
        "100000000000000000000",
        "-10000000000000000000",
    ] {
        assert_eq!(parse_i64(text.as_bytes()), None, "{text}");
    }
}

proptest! {
    #[test]
    fn printing_and_reading(value: i64) {
        let mut text = Text::new();
        prop_assert!(text.of(value).len() <= TEXT_MAX);
        prop_assert!(text.of(value) == value.to_string().as_bytes());
        prop_assert_eq!(parse_i64(text.of(value)), Some(value));
    }

    #[test]
    fn what_is_read_is_printed_again(bytes in "[-+ 0-9a]{0,22}") {
        if let Some(value) = parse_i64(bytes.as_bytes()) {
            prop_assert_eq!(value.to_string(), bytes);
        }
    }
}
