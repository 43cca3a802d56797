//! Cases of the patterns.

use proptest::prelude::*;

use super::*;

#[test]
fn patterns_match_texts() {
    let cases: &[(&str, &str, bool)] = &[
        ("*", "anything", true),
        ("max*", "maxmemory", true),
        ("MAX*", "maxmemory", true),
        ("max*y", "maxmemory-policy", true),
        ("max*x", "maxmemory-policy", false),
        ("*of", "replicaof", true),
        ("h?z", "hz", false),
        ("?z", "hz", true),
        ("[a-h]z", "hz", true),
        ("[h-a]z", "hz", true),
        ("[^a-g]z", "hz", true),
        ("[^h]z", "hz", false),
        ("\\*", "*", true),
        ("\\*", "a", false),
        ("\\", "\\", true),
        ("[h", "h", true),
        ("[", "h", false),
        ("[^", "h", true),
        ("[]", "h", false),
        ("[\\]]", "]", true),
        ("[\\", "\\", true),
        ("a**b*", "ab", true),
        ("a*b*c", "abbcbc", true),
        ("", "", true),
        ("", "a", false),
        // Oddities: a star alone does not match an empty text, and an escaped byte in a class
        // has its case.
        ("*", "", false),
        ("[\\H]", "h", false),
    ];
    for (pattern, text, want) in cases {
        assert_eq!(matches(pattern.as_bytes(), text.as_bytes(), true), *want, "{pattern} {text}");
    }
    assert!(!matches(b"HZ", b"hz", false));
}

#[test]
fn bytes_of_a_range_are_signed() {
    assert!(matches(b"[\x80-\x01]", b"\xff", false));
    assert!(!matches(b"[\x80-\x01]", b"\x02", false));
}

#[test]
fn too_many_stars_match_nothing() {
    let pattern = |stars: usize| "*a".repeat(stars).into_bytes();
    assert!(matches(&pattern(1000), "a".repeat(1000).as_bytes(), false));
    assert!(!matches(&pattern(1001), "a".repeat(1001).as_bytes(), false));
}

#[test]
fn abusive_patterns_end_soon() {
    let pattern = "*?".repeat(50_000) + "b";
    let text = "a".repeat(10_000);
    assert!(!matches(pattern.as_bytes(), text.as_bytes(), false));
    assert!(!matches("a*".repeat(900).as_bytes(), "b".repeat(100_000).as_bytes(), false));
}

/// The definition, without any shortcut: every star tries every length.
fn naive(pattern: &[u8], text: &[u8]) -> bool {
    match pattern {
        [] => text.is_empty(),
        [b'*', rest @ ..] => (0..=text.len()).any(|skip| naive(rest, &text[skip..])),
        _ => match text {
            [] => false,
            [byte, tail @ ..] => match_one(pattern, *byte, false)
                .is_some_and(|length| naive(&pattern[length..], tail)),
        },
    }
}

proptest! {
    #[test]
    fn shortcuts_change_nothing(pattern in "[*?\\[\\]^ab\\\\-]{0,8}", text in "[ab]{1,8}") {
        let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
        prop_assert_eq!(matches(pattern, text, false), naive(pattern, text));
    }

    #[test]
    fn a_text_matches_itself_between_stars(text in "[a-z-]{0,20}") {
        let pattern = format!("*{text}*");
        prop_assert!(text.is_empty() || matches(pattern.as_bytes(), text.as_bytes(), false));
    }
}
