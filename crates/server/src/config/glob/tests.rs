//! Cases of the patterns, and of listing files.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::config::tests::Scratch;

#[test]
fn patterns_match_names() {
    let cases: &[(&str, &str, bool)] = &[
        ("*", "", true),
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
        ("[h", "h", true),
        ("[", "h", false),
        ("a**b*", "ab", true),
        ("", "", true),
        ("", "a", false),
    ];
    for (pattern, text, want) in cases {
        assert_eq!(matches(pattern.as_bytes(), text.as_bytes(), true), *want, "{pattern} {text}");
    }
    assert!(!matches(b"HZ", b"hz", false));
}

#[test]
fn files_are_found_sorted_and_hidden_ones_are_not() {
    let scratch = Scratch::new("glob");
    for name in ["b.conf", "a.conf", ".c.conf", "d.txt", "sub1/e.conf", "sub2/e.conf"] {
        scratch.write(name, "");
    }
    let found = |pattern: &str| {
        let paths = paths(&scratch.path().join(pattern));
        let tail = |path: &PathBuf| {
            path.strip_prefix(scratch.path()).map(Path::to_path_buf).unwrap_or_default()
        };
        paths.iter().map(tail).collect::<Vec<_>>()
    };
    assert_eq!(found("*.conf"), [Path::new("a.conf"), Path::new("b.conf")]);
    assert_eq!(found("sub*/e.conf"), [Path::new("sub1/e.conf"), Path::new("sub2/e.conf")]);
    assert_eq!(found(".*.conf"), [Path::new(".c.conf")]);
    assert!(found("*.none").is_empty());
    assert!(found("none*/e.conf").is_empty());
}

proptest! {
    #[test]
    fn any_pattern_comes_to_an_end(pattern in "[*?\\[\\]^ab\\\\-]{0,40}", text in "[ab]{0,40}") {
        matches(pattern.as_bytes(), text.as_bytes(), true);
    }

    #[test]
    fn a_text_matches_itself_between_stars(text in "[a-z-]{0,20}") {
        let pattern = format!("*{text}*");
        prop_assert!(matches(pattern.as_bytes(), text.as_bytes(), false));
    }
}
