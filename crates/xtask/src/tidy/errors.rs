//! The rule about the texts of errors, which clients know word by word.

use std::collections::BTreeMap;

use super::Report;
use super::source::{Rust, Tree};

/// Where errors are sent, and where those stand that several parts send.
const SENDERS: &[&str] = &["crates/commands/src/", "crates/server/src/", "crates/script/src/"];
const HOME: &str = "crates/spec/src/error.rs";

/// Rule: the text of an error stands in one place; one that several parts send stands in `spec`,
/// where none is that nobody sends.
pub(crate) fn error_text(tree: &Tree, report: &mut Report) {
    let senders = || {
        let sends = |path: &str| SENDERS.iter().any(|start| path.starts_with(start));
        tree.rust().filter(move |(file, _)| sends(&file.path) && !file.is_test())
    };
    let home = tree.rust().filter(|(file, _)| file.path == HOME);
    let mut seen: BTreeMap<String, String> = BTreeMap::new();
    for (file, rust) in home.chain(senders()) {
        for (line, text) in literals(rust) {
            let place = format!("{}:{line}", file.path);
            if let Some(first) = seen.get(&text) {
                report.add(&file.path, line, format!("{text} stands in {first} already"));
            } else {
                seen.insert(text, place);
            }
        }
    }
    for (file, rust) in tree.rust().filter(|(file, _)| file.path == HOME) {
        for pair in rust.tokens.windows(2).filter(|pair| pair[0].text == "const") {
            let is_sent =
                |(_, rust): (_, &Rust)| rust.tokens.iter().any(|it| it.text == pair[1].text);
            if !senders().any(is_sent) {
                report.add(&file.path, pair[1].line, format!("nobody sends {}", pair[1].text));
            }
        }
    }
}

/// The texts that begin with a code word as errors do and say something behind it, as they come
/// out of the compiler, each with its line.
fn literals(rust: &Rust) -> Vec<(usize, String)> {
    let texts = rust.tokens.iter().filter_map(|token| {
        let text = token.text.trim_start_matches('b').strip_prefix('"')?.strip_suffix('"')?;
        let (code, rest) = text.split_once(' ')?;
        let is_code = code.len() > 2 && code.bytes().all(|byte| byte.is_ascii_uppercase());
        // Two words are shared by sentences of many kinds.
        let says_something = rest.split_whitespace().count() > 2;
        (is_code && says_something).then(|| (token.line, joined(text)))
    });
    texts.collect()
}

/// A literal without its line ends, each of which is a backslash and the blanks of the next line.
fn joined(text: &str) -> String {
    let mut parts = text.split("\\\n");
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |all, part| all + part.trim_start())
}
