//! Rules about `Cargo.toml`: which crate may use which, and that all are made alike.

use super::Report;
use super::shape::texts;
use super::source::{Rust, Token, Tree};

/// The directions: a crate, and the only workspace crates that it may use.
const DIRECTIONS: &[(&str, &[&str])] = &[
    ("resp", &[]),
    ("spec", &[]),
    ("table", &[]),
    ("value", &["table"]),
    ("keyspace", &["table", "value"]),
    ("commands", &["spec", "resp", "value", "keyspace", "persist"]),
    ("persist", &["resp", "value", "keyspace"]),
    ("repl", &["resp"]),
    ("cluster", &["spec"]),
    ("script", &["resp"]),
    ("client", &["resp"]),
    ("console", &["spec"]),
    (
        "server",
        &[
            "spec", "resp", "table", "value", "keyspace", "commands", "persist", "repl", "cluster",
            "script", "console",
        ],
    ),
    ("loadgen", &["resp", "client"]),
    ("reddle", &["server", "client", "loadgen", "persist", "spec"]),
    ("testkit", &["resp"]),
    ("xtask", &["server", "spec", "resp", "keyspace", "testkit", "loadgen"]),
];

/// The page that gives a reason for each library.
const REASONS: &str = "docs/design/dependencies.md";

/// Rule: dependencies between our crates follow [`DIRECTIONS`]; tests may use what they like.
pub(crate) fn crate_direction(tree: &Tree, report: &mut Report) {
    let ours = tree.crates();
    for name in &ours {
        let path = format!("crates/{name}/Cargo.toml");
        let Some(row) = DIRECTIONS.iter().find(|row| row.0 == *name) else {
            report.add(&path, 0, "a crate that the table of directions does not know");
            continue;
        };
        let Some(file) = tree.get(&path) else {
            continue;
        };
        for used in dependencies(&file.text).iter().filter(|used| !used.for_tests) {
            let other = used.name.as_str();
            if ours.contains(&other) && !row.1.contains(&other) {
                report.add(&path, used.line, format!("{name} may not use {other}"));
            }
        }
    }
}

/// Rule: a member is named as its folder, takes the workspace's lints, and takes the versions of
/// its dependencies from the workspace, where each stands once.
pub(crate) fn manifest(tree: &Tree, report: &mut Report) {
    for name in tree.crates() {
        let path = format!("crates/{name}/Cargo.toml");
        let Some(file) = tree.get(&path) else {
            report.add(&path, 0, "a folder in crates/ without a manifest");
            continue;
        };
        if !file.text.contains(&format!("name = \"{name}\"\n")) {
            report.add(&path, 0, "the crate is not named as its folder");
        }
        if !file.text.contains("[lints]\nworkspace = true\n") {
            report.add(&path, 0, "does not take the workspace's lints");
        }
        for Dependency { line, name, from_workspace, .. } in dependencies(&file.text) {
            if !from_workspace {
                report.add(&path, line, format!("{name} is not taken from the workspace"));
            }
        }
    }
}

/// Rule: every library that the workspace names has its reason on [`REASONS`], and is used by a
/// crate.
pub(crate) fn dependency(tree: &Tree, report: &mut Report) {
    let Some(manifest) = tree.get("Cargo.toml") else { return };
    let page = tree.get(REASONS).map_or("", |page| page.text.as_str());
    let used: Vec<&str> = tree
        .files
        .iter()
        .filter(|file| file.path.ends_with("/Cargo.toml"))
        .flat_map(|file| file.text.lines())
        .filter_map(|line| line.split_once(".workspace").or(line.split_once(" = { workspace")))
        .map(|(name, _)| name)
        .collect();
    let (ours, mut libraries) = (tree.crates(), Vec::new());
    for Dependency { line, name, .. } in dependencies(&manifest.text) {
        let is_ours = ours.contains(&name.as_str());
        if is_ours {
            continue;
        }
        if !page.contains(&format!("\n| `{name}` |")) {
            report.add("Cargo.toml", line, format!("{name} has no reason in {REASONS}"));
        }
        if !used.contains(&name.as_str()) {
            report.add("Cargo.toml", line, format!("no crate uses {name}"));
        }
        libraries.push(name);
    }
    for (index, line) in page.lines().enumerate() {
        let name = line.strip_prefix("| `").and_then(|rest| rest.split('`').next());
        if let Some(name) = name.filter(|name| !libraries.iter().any(|it| it == name)) {
            report.add(REASONS, index + 1, format!("{name} is no dependency"));
        }
    }
}

/// Rule: every dependency of a crate, those of its tests included, is used by one of its files.
pub(crate) fn unused_dependency(tree: &Tree, report: &mut Report) {
    for manifest in tree.files.iter().filter(|file| file.path.ends_with("/Cargo.toml")) {
        let folder = manifest.path.trim_end_matches("Cargo.toml");
        for Dependency { line, name, .. } in dependencies(&manifest.text) {
            let mut files = tree.rust().filter(|(file, _)| file.path.starts_with(folder));
            if !files.any(|(_, rust)| uses(rust, &name.replace('-', "_"))) {
                report.add(&manifest.path, line, format!("nothing here uses {name}"));
            }
        }
    }
}

/// Whether a file has `name::` or `use name`.
fn uses(rust: &Rust, name: &str) -> bool {
    let leads = |tokens: &[Token]| texts(tokens) == [name, ":", ":"];
    let is_taken = |tokens: &[Token]| texts(tokens) == ["use", name];
    rust.tokens.windows(3).any(leads) || rust.tokens.windows(2).any(is_taken)
}

/// One line of a manifest's dependencies.
struct Dependency {
    line: usize,
    name: String,
    /// The workspace gives the version.
    from_workspace: bool,
    /// For tests, benchmarks and examples alone.
    for_tests: bool,
}

fn dependencies(manifest: &str) -> Vec<Dependency> {
    let mut found = Vec::new();
    let (mut inside, mut for_tests) = (false, false);
    for (index, line) in manifest.lines().enumerate() {
        let line = line.trim();
        let mut add = |name: &str, from_workspace, for_tests| {
            let name = name.to_owned();
            found.push(Dependency { line: index + 1, name, from_workspace, for_tests });
        };
        if let Some(section) = line.strip_prefix('[') {
            let section = section.trim_end_matches(']');
            inside = section.ends_with("dependencies");
            for_tests = section.contains("dev-dependencies");
            if let Some((_, name)) = section.rsplit_once("dependencies.") {
                add(name, false, for_tests);
            }
        } else if inside && let Some((key, _)) = line.split_once('=') {
            let name = key.trim().trim_end_matches(".workspace");
            add(name, line.contains("workspace = true"), for_tests);
        }
    }
    found
}
