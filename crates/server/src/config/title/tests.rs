//! Cases of process titles.

use super::*;

#[test]
fn templates_are_filled_in() {
    let value = |name: &str| match name {
        "title" => b"reddle".to_vec(),
        "listen-addr" => b"*:6379".to_vec(),
        _ => Vec::new(),
    };
    let cases: &[(&str, Option<&str>)] = &[
        ("{title} {listen-addr} {server-mode}", Some("reddle *:6379")),
        ("a {{title} b", Some("a {title} b")),
        ("plain", Some("plain")),
        ("{nothing}", None),
        ("{title", None),
        ("{", None),
    ];
    for (template, want) in cases {
        let got = expand_title(template.as_bytes(), value);
        assert_eq!(got.as_deref(), want.map(str::as_bytes), "{template}");
    }
}

#[test]
fn a_title_must_never_come_out_empty() {
    for (template, valid) in [("{title}", false), (" ", false), ("x", true), ("{port}", true)] {
        assert_eq!(is_valid(template.as_bytes()), valid, "{template}");
    }
}
