//! Regular expressions: what POSIX and TRE say against what is searched for.

use super::expression::{Refused, compile};

fn fits(expression: &str, text: &[u8]) -> bool {
    compile(expression.as_bytes(), false).expect(expression).is_match(text)
}

#[test]
fn bracket_expressions_are_those_of_posix() {
    for (expression, text, expected) in [
        ("[]a]", "]", true),
        ("[^]a]", "]", false),
        ("[a-c]", "b", true),
        ("[a-]", "-", true),
        ("[-a]", "-", true),
        (r"[\d]", r"\", true),
        (r"[\d]", "5", false),
        ("[[:digit:]x]+y", "1x2y", true),
        ("[^[:space:]]", " ", false),
        ("[a&&b]", "&", true),
        ("[a[b]", "[", true),
    ] {
        assert_eq!(fits(expression, text.as_bytes()), expected, "{expression}");
    }
}

#[test]
fn escapes_anchors_and_bounds() {
    for (expression, text, expected) in [
        (r"^a\.b$", "a.b", true),
        (r"^a\.b$", "axb", false),
        (r"\x41\x{42}", "AB", true),
        (r"\Qa.b\E+", "a.bb", true),
        (r"\Qa.b\E", "axb", false),
        (r"\<word\>", "a word!", true),
        (r"\<word\>", "swords", false),
        (r"\w\W\d\D\s\S", "a-1x z", true),
        ("^a{2}$", "aaa", false),
        ("^a{2,}$", "aaa", true),
        ("^a{,2}$", "aa", true),
        ("^a{,2}$", "aaa", false),
        ("^(?:ab|c)*$", "abcab", true),
        ("(?i)HELLO", "say hello", true),
        ("a)", "a)", true),
        ("}]", "}]", true),
        ("a|", "", true),
        ("^()$", "", true),
        ("a.b", "a\nb", true),
    ] {
        assert_eq!(fits(expression, text.as_bytes()), expected, "{expression}");
    }
    assert!(fits("^.$", b"\xff"), "a byte, not a character");
    assert!(!fits("^.$", "\u{e9}".as_bytes()), "two bytes");
}

#[test]
fn what_is_no_expression_is_refused() {
    let refused = |text: &str| compile(text.as_bytes(), false).map(|_| ()).expect_err(text);
    for (expression, why) in [
        ("(", "Missing ')'"),
        ("[a", "Missing ']'"),
        ("a{1", "Missing '}'"),
        (r"\x{1", "Missing '}'"),
        ("a{}", "Invalid contents of {}"),
        ("a{x}", "Invalid contents of {}"),
        ("a{3,2}", "Invalid contents of {}"),
        ("a{256}", "Invalid contents of {}"),
        ("*a", "Invalid use of repetition operators"),
        ("a|*", "Invalid use of repetition operators"),
        ("a**", "Invalid use of repetition operators"),
        ("[z-a]", "Invalid character range"),
        ("[[:nothing:]]", "Unknown character class name"),
        (r"a\", "Trailing backslash"),
        (r"a\2(b)", "Invalid back reference"),
        ("(?<name>a)", "Invalid regexp"),
        ("((((a{255}){255}){255}){255})", "Out of memory"),
    ] {
        assert_eq!(refused(expression), Refused::Invalid(why), "{expression}");
    }
    assert_eq!(refused(r"(a)\1"), Refused::RefersBack);
}
