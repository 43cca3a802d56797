//! Cases and properties of splitting and quoting.

use proptest::prelude::*;

use super::*;

/// A line, and its words or `None` where a quote stays open.
type Case = (&'static [u8], Option<&'static [&'static [u8]]>);

#[test]
fn lines_split_as_the_servers_split_them() {
    let cases: &[Case] = &[
        (b"", Some(&[])),
        (b" \t ", Some(&[])),
        (b"port 6379", Some(&[b"port", b"6379"])),
        (b"  save  900\t1 ", Some(&[b"save", b"900", b"1"])),
        (b"save \"\"", Some(&[b"save", b""])),
        (b"requirepass ''", Some(&[b"requirepass", b""])),
        (br#"a "b c" 'd e'"#, Some(&[b"a", b"b c", b"d e"])),
        (br#"a "\x41\n\t\r\a\b\q\"\\""#, Some(&[b"a", b"A\n\t\r\x07\x08q\"\\"])),
        (br#"a '\x41\n\''"#, Some(&[b"a", b"\\x41\\n'"])),
        (br#"a "\xZZ""#, Some(&[b"a", b"xZZ"])),
        (br#""por""t" 1"#, Some(&[b"port", b"1"])),
        (b"bind a#b # c", Some(&[b"bind", b"a#b", b"#", b"c"])),
        (b"a b\0c", Some(&[b"a", b"b"])),
        (b"a \"b", None),
        (b"a 'b", None),
        (b"a \"b\\\"", None),
        (b"a \"\\", None),
    ];
    for (line, want) in cases {
        let got = split(line);
        let got: Option<Vec<&[u8]>> = got.as_ref().map(|g| g.iter().map(Vec::as_slice).collect());
        assert_eq!(got.as_deref(), *want, "{}", String::from_utf8_lossy(line));
    }
}

#[test]
fn quoting_is_the_form_that_rewritten_files_have() {
    let mut out = Vec::new();
    quote(&mut out, b"a \"b\\\n\x07\x08\t\r\xff");
    assert_eq!(out, br#""a \"b\\\n\a\b\t\r\xff""#);
}

proptest! {
    #[test]
    fn what_is_quoted_splits_into_itself(words: Vec<Vec<u8>>) {
        let mut line = Vec::new();
        for word in &words {
            quote(&mut line, word);
            line.push(b' ');
        }
        prop_assert_eq!(split(&line), Some(words));
    }

    #[test]
    fn any_line_splits_or_is_refused(line: Vec<u8>) {
        if let Some(words) = split(&line) {
            prop_assert!(words.iter().map(Vec::len).sum::<usize>() <= line.len());
        }
    }
}
