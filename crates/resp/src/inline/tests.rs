//! Quoting rules as tables, and the round trip.

use proptest::prelude::*;

use super::*;

#[test]
fn lines() {
    let cases: &[(&[u8], &[&[u8]])] = &[
        (b"", &[]),
        (b" \t\x0b\x0c\r\n", &[]),
        (b"get key", &[b"get", b"key"]),
        (b"  get\t\tkey  ", &[b"get", b"key"]),
        (b"a\x0bb", &[b"a\x0bb"]),
        (b"a \x0cb", &[b"a", b"b"]),
        (b"\"a b\" 'c d'", &[b"a b", b"c d"]),
        (b"\"\" ''", &[b"", b""]),
        (b"a\"b c\"", &[b"ab c"]),
        (b"a'b c' d", &[b"ab c", b"d"]),
        (b"\"\\n\\r\\t\\b\\a\\\\\\\"\\q\"", &[b"\n\r\t\x08\x07\\\"q"]),
        (b"\"\\x41\\xfF\\x0a\"", &[b"A\xff\n"]),
        (b"\"\\x4\\x4g\\x\"", &[b"x4x4gx"]),
        (b"'a\\'b\\n'", &[b"a'b\\n"]),
        (b"a\\n\\x41", &[b"a\\n\\x41"]),
        (b"\"it's\" 'say \"hi\"'", &[b"it's", b"say \"hi\""]),
        (b"\"a\"\tb", &[b"a", b"b"]),
        (b"a\0b", &[b"a"]),
        (b"\"a\"\0x", &[b"a"]),
        (b"\xff\xfe", &[b"\xff\xfe"]),
    ];
    for (line, args) in cases {
        assert_eq!(split(line).unwrap(), *args, "{}", line.escape_ascii());
    }
}

#[test]
fn quoted_parts_may_touch_where_that_is_asked_for() {
    let cases: &[(&[u8], &[&[u8]])] = &[
        (b"\"por\"\"t\" 1", &[b"port", b"1"]),
        (b"maxmemory \"10\"mb", &[b"maxmemory", b"10mb"]),
        (b"a'b c'\"\\x41\" d", &[b"ab cA", b"d"]),
        (b"save \"\"", &[b"save", b""]),
        (b"a \"b c\" 'd'", &[b"a", b"b c", b"d"]),
    ];
    for (line, args) in cases {
        assert_eq!(split_touching(line).unwrap(), *args, "{}", line.escape_ascii());
    }
    for line in [&b"a \"b"[..], b"a\"b\"'c", b"a \"\\"] {
        assert_eq!(split_touching(line), Err(ProtocolError::UnbalancedQuotes));
    }
}

#[test]
fn unbalanced() {
    let cases = [
        &b"\""[..],
        b"'",
        b"\"a",
        b"'a",
        b"a \"b",
        b"\"a\"b",
        b"'a'b",
        b"\"a\"\"b\"",
        b"\"a\"'b'",
        b"\"a\\\"",
        b"'a\\'",
        b"\"a\\",
        b"\"\\x4",
        b"\"a\0b\"",
    ];
    for line in cases {
        let error = split(line).unwrap_err();
        assert_eq!(error, ProtocolError::UnbalancedQuotes, "{}", line.escape_ascii());
    }
}

#[test]
fn quoting() {
    let cases: &[(&[u8], &str)] = &[
        (b"", r#""""#),
        (b"plain text", r#""plain text""#),
        (b"a\"b\\c'd", r#""a\"b\\c'd""#),
        (b"\n\r\t\x07\x08", r#""\n\r\t\a\b""#),
        (b"\0\x1b\x7f\x80\xff", r#""\x00\x1b\x7f\x80\xff""#),
        ("é".as_bytes(), r#""\xc3\xa9""#),
    ];
    for (bytes, text) in cases {
        assert_eq!(quoted(bytes), *text);
    }
}

proptest! {
    #[test]
    fn quoted_words_survive(words in proptest::collection::vec(any::<Vec<u8>>(), 0..5)) {
        let mut line = Vec::new();
        for word in &words {
            quote(word, &mut line);
            line.push(b' ');
        }
        prop_assert!(line.is_ascii());
        prop_assert_eq!(split(&line).unwrap(), words);
    }

    #[test]
    fn any_line_is_judged(line in any::<Vec<u8>>()) {
        if let Ok(args) = split(&line) {
            prop_assert!(args.iter().map(Vec::len).sum::<usize>() <= line.len());
        }
    }
}
