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

/// Rule: CHANGELOG.md has an entry for the version in Cargo.toml.
pub(crate) fn changelog(tree: &Tree, report: &mut Report) {
    let version = tree.get("Cargo.toml").and_then(|file| {
        let line = file.text.lines().find(|line| line.starts_with("version = "))?;
        line.split('"').nth(1)
    });
    let (Some(version), Some(log)) = (version, tree.get("CHANGELOG.md")) else {
        report.add("CHANGELOG.md", 0, "missing, or no version in Cargo.toml");
        return;
    };
    if !log.text.contains(&format!("## [{version}]")) {
        report.add("CHANGELOG.md", 0, format!("has no entry for {version}"));
    }
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
