//! Which commands hold a password, and so never enter the history.

#[cfg(test)]
mod tests;

use crate::cli::operator::is;

/// Directives whose values are secrets.
const SECRETS: &[&str] = &[
    "masterauth",
    "masteruser",
    "primaryauth",
    "primaryuser",
    "requirepass",
    "tls-key-file-pass",
    "tls-client-key-file-pass",
    "sentinel-pass",
    "sentinel-user",
    "auth-pass",
    "auth-user",
];

/// Whether any word may be a password.
pub(super) fn is_sensitive(words: &[Vec<u8>]) -> bool {
    let any = |from: usize, names: &[&str]| {
        (from..words.len()).any(|index| names.iter().any(|name| is(words, index, name)))
    };
    let first = |name| is(words, 0, name);
    first("auth")
        || first("acl") && ["setuser", "deluser", "getuser"].iter().any(|word| is(words, 1, word))
        || (first("config") && is(words, 1, "set") || first("sentinel")) && any(2, SECRETS)
        || first("hello") && any(2, &["auth"])
        || first("migrate") && any(5, &["auth", "auth2"])
}
