//! Glob patterns: for the names of CONFIG GET, and for the file names of `include`.

use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// Whether `text` matches `pattern`: `*`, `?`, `[a-z]`, `[^a-z]` and `\` before a literal.
/// A backtrack goes to the last `*` only, so the cost is at most the product of the lengths.
pub(super) fn matches(pattern: &[u8], text: &[u8], ignore_case: bool) -> bool {
    let (mut at, mut from) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        if at < pattern.len() && pattern[at] == b'*' {
            star = Some((at + 1, from));
            at += 1;
        } else if at < pattern.len()
            && from < text.len()
            && let Some(next) = match_one(&pattern[at..], text[from], ignore_case)
        {
            at += next;
            from += 1;
        } else if at == pattern.len() && from == text.len() {
            return true;
        } else {
            let Some((after_star, start)) = star else { return false };
            if start == text.len() {
                return false;
            }
            star = Some((after_star, start + 1));
            (at, from) = (after_star, start + 1);
        }
    }
}

/// Whether `text` has a byte that makes it a pattern.
pub(super) fn is_pattern(text: &[u8]) -> bool {
    text.iter().any(|byte| b"*?[".contains(byte))
}

/// The existing paths that match `pattern`, sorted. A name that starts with a dot needs a pattern
/// that does too.
pub(super) fn paths(pattern: &Path) -> Vec<PathBuf> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let part = part.as_os_str();
        if !is_pattern(part.as_bytes()) {
            found.iter_mut().for_each(|path| path.push(part));
            continue;
        }
        found = found.iter().flat_map(|dir| entries(dir, part.as_bytes())).collect();
    }
    found.retain(|path| path.exists());
    found.sort();
    found
}

fn entries(dir: &Path, pattern: &[u8]) -> Vec<PathBuf> {
    let listed = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
    let Ok(entries) = fs::read_dir(listed) else { return Vec::new() };
    let names = entries.flatten().map(|entry| entry.file_name().into_vec());
    names
        .filter(|name| name.first() != Some(&b'.') || pattern.first() == Some(&b'.'))
        .filter(|name| matches(pattern, name, false))
        .map(|name| dir.join(std::ffi::OsString::from_vec(name)))
        .collect()
}

/// Matches one byte against the first element of `pattern`; gives the element's length.
fn match_one(pattern: &[u8], byte: u8, ignore_case: bool) -> Option<usize> {
    let fold = |b: u8| if ignore_case { b.to_ascii_lowercase() } else { b };
    match pattern {
        [b'?', ..] => Some(1),
        [b'[', ..] => match_class(pattern, byte, fold),
        [b'\\', literal, ..] => (fold(*literal) == fold(byte)).then_some(2),
        [literal, ..] => (fold(*literal) == fold(byte)).then_some(1),
        [] => None,
    }
}

fn match_class(pattern: &[u8], byte: u8, fold: impl Fn(u8) -> u8) -> Option<usize> {
    let negated = pattern.get(1) == Some(&b'^');
    let mut at = if negated { 2 } else { 1 };
    let mut hit = false;
    loop {
        match &pattern[at..] {
            // A class that is never closed reaches to the pattern's end.
            [] => break,
            [b']', ..] => {
                at += 1;
                break;
            }
            [b'\\', literal, ..] => {
                hit |= *literal == byte;
                at += 2;
            }
            [first, b'-', last, ..] => {
                let (low, high) = (fold(*first.min(last)), fold(*first.max(last)));
                hit |= (low..=high).contains(&fold(byte));
                at += 3;
            }
            [literal, ..] => {
                hit |= fold(*literal) == fold(byte);
                at += 1;
            }
        }
    }
    (hit != negated).then_some(at)
}

#[cfg(test)]
mod tests;
