//! Rules about the documents: they are complete, and what they point to is there.

use super::Report;
use super::source::{File, Tree};

const ARCHITECTURE: &str = "ARCHITECTURE.md";
const ARCHITECTURE_LINES_MAX: usize = 300;

/// Rule: ARCHITECTURE.md is short enough to be read at once and names every crate.
pub(crate) fn architecture(tree: &Tree, report: &mut Report) {
    let Some(file) = tree.get(ARCHITECTURE) else {
        report.add(ARCHITECTURE, 0, "missing");
        return;
    };
    let lines = file.text.lines().count();
    if lines > ARCHITECTURE_LINES_MAX {
        report.add(ARCHITECTURE, 0, format!("{lines} lines"));
    }
    for name in tree.crates() {
        if !file.text.contains(&format!("`{name}`")) {
            report.add(ARCHITECTURE, 0, format!("does not name the crate `{name}`"));
        }
    }
}

/// Rule: every page of docs/design is linked from ARCHITECTURE.md; [`links`] checks the way back.
pub(crate) fn design_pages(tree: &Tree, report: &mut Report) {
    let Some(architecture) = tree.get(ARCHITECTURE) else {
        return;
    };
    let pages = tree.files.iter().filter(|file| file.path.starts_with("docs/design/"));
    for page in pages.filter(|file| file.path.ends_with(".md")) {
        if !architecture.text.contains(&format!("({})", page.path)) {
            report.add(ARCHITECTURE, 0, format!("has no link to {}", page.path));
        }
    }
}

/// Rule: a link to a file of the repository leads somewhere.
pub(crate) fn links(tree: &Tree, report: &mut Report) {
    for file in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        for (index, line) in file.text.lines().enumerate() {
            for target in targets(line) {
                if !exists(tree, file, target) {
                    report.add(&file.path, index + 1, format!("no such file: {target}"));
                }
            }
        }
    }
}

/// Rule: what stands as code in a text and is the name of a file, a target of `make` or a task of
/// `cargo xtask` is there. A file may be named by the end of its path.
pub(crate) fn references(tree: &Tree, report: &mut Report) {
    let makefile = tree.get("Makefile").map_or("", |file| &file.text);
    let tasks = tree.get("crates/xtask/src/main.rs").map_or("", |file| &file.text);
    for file in tree.files.iter().filter(|file| file.path.ends_with(".md")) {
        for (line, code) in code(&file.text) {
            if is_path(tree, code) && !exists(tree, file, code) && !is_end(tree, code) {
                report.add(&file.path, line, format!("no such file: {code}"));
            }
            let mut words = code.split_whitespace();
            let missing = match (words.next(), words.next(), words.next()) {
                (Some("make"), Some(target), _) => !makefile.contains(&format!("\n{target}:")),
                (Some("cargo"), Some("xtask"), Some(task)) => {
                    !tasks.contains(&format!("(\"{task}\","))
                }
                _ => false,
            };
            if missing {
                report.add(&file.path, line, format!("no such target or task: {code}"));
            }
        }
    }
}

/// Rule: CHANGELOG.md begins with what is not released, and dates the version in Cargo.toml.
pub(crate) fn changelog(tree: &Tree, report: &mut Report) {
    let version = tree.get("Cargo.toml").and_then(|file| {
        let line = file.text.lines().find(|line| line.starts_with("version = "))?;
        line.split('"').nth(1)
    });
    let (Some(version), Some(log)) = (version, tree.get("CHANGELOG.md")) else {
        report.add("CHANGELOG.md", 0, "missing, or no version in Cargo.toml");
        return;
    };
    let mut heads = log.text.lines().filter(|line| line.starts_with("## "));
    if heads.next() != Some("## [Unreleased]") {
        report.add("CHANGELOG.md", 0, "does not begin with [Unreleased]");
    }
    let dated = |head: &str| head.strip_prefix(&format!("## [{version}] - ")).is_some_and(is_date);
    if !heads.next().is_some_and(dated) {
        report.add("CHANGELOG.md", 0, format!("has no entry with a date for {version}"));
    }
}

/// Whether this is `2026-01-31` by its form.
fn is_date(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let digits = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit());
    parts.iter().map(|part| part.len()).eq([4, 2, 2]) && parts.iter().all(digits)
}

/// What stands between backticks, with the number of its line; fenced blocks are left out.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    let lines = text.lines().enumerate().filter(move |(_, line)| {
        let fence = line.starts_with("```");
        fenced ^= fence;
        !fenced && !fence
    });
    lines.flat_map(|(index, line)| {
        line.split('`').skip(1).step_by(2).map(move |code| (index + 1, code))
    })
}

/// Whether a word in a text means a file of the repository: it starts with a folder of the root,
/// or it has folders and the ending of a text that is kept here.
fn is_path(tree: &Tree, word: &str) -> bool {
    const ENDINGS: &[&str] = &[".rs", ".md", ".toml", ".txt", ".tsv", ".conf"];
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/._-".contains(&byte);
    let Some((first, _)) = word.split_once('/') else {
        return false;
    };
    let below = format!("{first}/");
    word.bytes().all(plain)
        && !word.starts_with(['/', '.'])
        && (ENDINGS.iter().any(|ending| word.ends_with(ending))
            || tree.files.iter().any(|file| file.path.starts_with(&below)))
}

/// Whether a path of the repository ends with these folders and this name.
fn is_end(tree: &Tree, word: &str) -> bool {
    let end = format!("/{}", word.trim_end_matches('/'));
    let below = format!("{end}/");
    let mut paths = tree.files.iter().map(|file| format!("/{}", file.path));
    paths.any(|path| path.ends_with(&end) || path.contains(&below))
}

/// The targets of `[text](target)` that are files.
fn targets(line: &str) -> impl Iterator<Item = &str> {
    line.split("](").skip(1).filter_map(|rest| {
        let target = rest.split(')').next()?.split('#').next()?;
        let elsewhere = target.contains("://") || target.starts_with("mailto:");
        (!target.is_empty() && !elsewhere).then_some(target)
    })
}

fn exists(tree: &Tree, from: &File, target: &str) -> bool {
    let mut parts: Vec<&str> = from.path.split('/').collect();
    parts.pop();
    for part in target.trim_end_matches('/').split('/') {
        match part {
            "." | "" => {}
            ".." => drop(parts.pop()),
            name => parts.push(name),
        }
    }
    let path = parts.join("/");
    let below = format!("{path}/");
    tree.files.iter().any(|file| file.path == path || file.path.starts_with(&below))
}
