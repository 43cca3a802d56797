//! Glob patterns: for the names of CONFIG GET, and for the file names of `include`.

use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

pub(super) use commands::glob::{is_pattern, matches};

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

#[cfg(test)]
mod tests;
