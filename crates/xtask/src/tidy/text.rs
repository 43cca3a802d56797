//! Rules about lines and comments.

use super::Report;
use super::source::Tree;

const LINE_LENGTH_MAX: usize = 100;

/// Where a machine's own folders would show; each counts only at the start of a path.
const MACHINE_PATHS: &[&str] = &["/root/", "/work/", "/home/"];

const REGISTRY_HOSTS: &[&str] = &[
    "index.crates.io",
    "static.crates.io",
    "registry.npmjs.org",
    "pypi.org",
    "pythonhosted.org",
    "proxy.golang.org",
    "deb.debian.org",
];

/// The rules' own examples and lists hold what the rules look for.
const OWN_FOLDER: &str = "crates/xtask/src/tidy/";

/// Rule: a Rust file starts with `//!`, its purpose.
pub(crate) fn file_head(tree: &Tree, report: &mut Report) {
    for file in tree.files.iter().filter(|file| file.is_rust()) {
        if !file.text.starts_with("//!") {
            report.add(&file.path, 1, "does not start with //! and its purpose");
        }
    }
}

/// Rule: at most 100 columns; a line that is one long address is left alone.
pub(crate) fn line_length(tree: &Tree, report: &mut Report) {
    for file in &tree.files {
        let watched = [".rs", ".sh", ".toml", "Makefile"];
        if !watched.iter().any(|end| file.path.ends_with(end)) {
            continue;
        }
        for (index, line) in file.text.lines().enumerate() {
            let columns = line.chars().count();
            if columns > LINE_LENGTH_MAX && !line.contains("https://") {
                report.add(&file.path, index + 1, format!("{columns} columns"));
            }
        }
    }
}

/// Rule: no lines of dashes that cut a file into parts; a part is a module.
pub(crate) fn banner(tree: &Tree, report: &mut Report) {
    for (file, rust) in tree.rust() {
        for comment in &rust.comments {
            if longest_rule(&comment.text) >= 4 {
                report.add(&file.path, comment.line, "banner");
            }
        }
    }
}

/// Rule: no code in comments.
pub(crate) fn dead_code(tree: &Tree, report: &mut Report) {
    for (file, rust) in tree.rust() {
        for comment in &rust.comments {
            if is_code(&comment.text) {
                report.add(&file.path, comment.line, "commented-out code");
            }
        }
    }
}

/// Rule: what is to be done stands in the issues, not in the source.
pub(crate) fn todo(tree: &Tree, report: &mut Report) {
    for (file, rust) in tree.rust() {
        for comment in &rust.comments {
            let mut words = comment.text.split(|c: char| !c.is_ascii_alphanumeric());
            if words.any(|word| ["TODO", "FIXME", "XXX", "HACK"].contains(&word)) {
                report.add(&file.path, comment.line, "a reminder to oneself");
            }
        }
    }
}

/// Rule: nothing names a folder of one machine.
pub(crate) fn machine_path(tree: &Tree, report: &mut Report) {
    each_line(tree, |path, number, line| {
        for needle in MACHINE_PATHS {
            let at_start = |at: usize| {
                let before = line[..at].chars().next_back();
                before.is_none_or(|c| !c.is_ascii_alphanumeric() && !"._-/}*~$".contains(c))
            };
            if line.match_indices(needle).any(|(at, _)| at_start(at)) {
                report.add(path, number, format!("names {needle}"));
            }
        }
    });
}

/// Rule: registries are reached through their clients' configuration, never by address.
pub(crate) fn registry_host(tree: &Tree, report: &mut Report) {
    each_line(tree, |path, number, line| {
        for host in REGISTRY_HOSTS {
            if line.contains(host) {
                report.add(path, number, format!("names {host}"));
            }
        }
    });
}

fn each_line(tree: &Tree, mut visit: impl FnMut(&str, usize, &str)) {
    for file in tree.files.iter().filter(|file| !file.path.starts_with(OWN_FOLDER)) {
        for (index, line) in file.text.lines().enumerate() {
            visit(&file.path, index + 1, line);
        }
    }
}

/// Length of the longest run of one drawing character.
fn longest_rule(text: &str) -> usize {
    let (mut longest, mut run, mut last) = (0, 0, ' ');
    for c in text.chars() {
        run = if c == last { run + 1 } else { 1 };
        last = c;
        if "-=*#/~_+─═".contains(c) {
            longest = longest.max(run);
        }
    }
    longest
}

/// Prose never parses as a statement: two words in a row are no expression.
fn is_code(text: &str) -> bool {
    let closed = if text.ends_with('{') { format!("{text} }}") } else { text.to_owned() };
    let ends_like_code = text.ends_with([';', '{']);
    let looks_like_code = text.contains(['(', '=', ' ', ':']);
    if text == "}" || text == "};" {
        return true;
    }
    ends_like_code
        && looks_like_code
        && syn::parse_str::<proc_macro2::TokenStream>(&closed).is_ok()
        && (syn::parse_str::<syn::File>(&closed).is_ok() || is_statement(&closed))
}

fn is_statement(text: &str) -> bool {
    syn::parse_str::<syn::Block>(&format!("{{ {text} }}")).is_ok()
}
