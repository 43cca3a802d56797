//! Each rule on a few lines of bad text, on the good twin, and all rules on the repository.

use super::source::{File, Tree};
use super::{RULES, check, exceptions, run};

/// Rule, path, text, and the line where the rule must object.
const BAD: &[(&str, &str, &str, usize)] = &[
    ("parse", "crates/resp/src/a.rs", "//! A.\nfn (", 0),
    ("crate-direction", "crates/resp/Cargo.toml", "[dependencies]\nvalue.workspace = true", 2),
    ("crate-direction", "crates/other/Cargo.toml", "[package]", 0),
    ("manifest", "crates/resp/Cargo.toml", "[dependencies]\nlog = \"0.4\"", 2),
    ("manifest", "crates/resp/Cargo.toml", "name = \"resp\"\n", 0),
    ("dependency", "Cargo.toml", "[workspace.dependencies]\nlog = \"0.4\"", 2),
    ("dependency", "docs/design/dependencies.md", "# Libraries\n| `log` | `a` | b |", 2),
    ("file-head", "crates/resp/src/a.rs", "fn a() {}", 1),
    ("line-length", "Makefile", LONG, 1),
    ("banner", "crates/resp/src/a.rs", "//! A.\n// ---- parsing ----\nfn a() {}", 2),
    ("dead-code", "crates/resp/src/a.rs", "//! A.\nfn a() {\n    // let b = a();\n}", 3),
    ("dead-code", "crates/resp/src/a.rs", "//! A.\nfn a() {\n    // if a > b {\n    // }\n}", 3),
    ("todo", "crates/resp/src/a.rs", "//! A.\nfn a() {} // TODO: finish", 2),
    ("machine-path", "README.md", "Look into `/root/x`.", 1),
    ("registry-host", "Makefile", "curl https://pypi.org/simple", 1),
    ("name", "crates/resp/src/a.rs", "//! A.\nstruct ShardManager;", 2),
    ("name", "crates/resp/src/utils.rs", "//! A.\n", 0),
    ("unwrap", "crates/resp/src/a.rs", "//! A.\nfn a() {\n    b!(c().unwrap());\n}", 3),
    ("inline-tests", "crates/resp/src/a.rs", "//! A.\n#[cfg(test)]\nmod tests {\n}", 3),
    ("unsafe-island", "crates/resp/src/a.rs", "//! A.\nunsafe fn a() {}", 2),
    ("unsafe-attribute", "crates/resp/src/lib.rs", "//! A.\n", 1),
    ("unsafe-attribute", "crates/resp/src/lib.rs", "//! A.\n#![deny(unsafe_code)]", 1),
    ("safety-comment", "crates/table/src/a.rs", "//! A.\nfn a() {\n    unsafe { b() }\n}", 3),
    ("safety-comment", "crates/table/src/a.rs", "//! A.\nunsafe impl Send for A {}", 2),
    ("absence", "crates/commands/src/a.rs", "//! A.\nuse std::{fmt, fs};", 2),
    ("absence", "crates/commands/src/a.rs", "//! A.\nfn a(at: Instant) {}", 2),
    ("absence", "crates/commands/src/a.rs", "//! A.\nfn a() {\n    if p == Resp3 {}\n}", 3),
    ("absence", "crates/keyspace/src/a.rs", "//! A.\nfn a() {\n    std::fs::read(b);\n}", 3),
    ("absence", "crates/resp/src/parse.rs", "//! A.\nfn a() {\n    let b = vec![1];\n}", 3),
    ("absence", "crates/persist/src/rdb.rs", "//! A.\nuse std::fs::File;", 2),
    ("spec-logic", "crates/spec/src/a.rs", "//! A.\nfn a() { if b() {} }", 2),
    ("global-state", "crates/commands/src/a.rs", "//! A.\nstatic A: AtomicU64 = x;", 2),
    ("global-state", "crates/commands/src/a.rs", "//! A.\nstatic mut A: u64 = 1;", 2),
    ("global-state", "crates/commands/src/a.rs", "//! A.\nthread_local! {}", 2),
    (
        "error-text",
        "crates/server/src/a.rs",
        "//! A.\nconst A: &str = \"ERR not a key\";\nconst B: &[u8] = b\"ERR not a \\\n  key\";",
        3,
    ),
    ("error-text", "crates/spec/src/error.rs", "//! A.\npub const A: &str = \"ERR no\";", 2),
    (
        "unused-dependency",
        "crates/resp/Cargo.toml",
        "[dependencies]\nitoa.workspace = true\n[dev-dependencies]\nproptest.workspace = true",
        4,
    ),
    ("architecture", "CHANGELOG.md", "", 0),
    ("design-pages", "docs/design/table.md", "# Table", 0),
    ("links", "README.md", "Read [this](docs/none.md).", 1),
    ("references", "README.md", "It is in `crates/value/src/none.rs`.", 1),
    ("references", "README.md", "It is in `a` or\n`crates/none`.", 2),
    ("references", "README.md", "Run `make none`.", 1),
    ("references", "README.md", "Run `cargo xtask none --all`.", 1),
    ("changelog", "CHANGELOG.md", "## [0.0.1] - 2026-01-31", 0),
    ("changelog", "CHANGELOG.md", "## [Unreleased]\n## [0.0.9] - 2026-01-31", 0),
    ("changelog", "CHANGELOG.md", "## [Unreleased]\n## [0.0.1] - soon", 0),
];

/// Rule, path, and text that it must let pass.
const GOOD: &[(&str, &str, &str)] = &[
    ("crate-direction", "crates/resp/Cargo.toml", "[dev-dependencies]\nvalue.workspace = true"),
    ("unused-dependency", "crates/value/Cargo.toml", "[dependencies]\nitoa.workspace = true"),
    ("banner", "crates/resp/src/a.rs", "//! A.\n/// | a |\n/// |-----|\nfn a() {}"),
    ("dead-code", "crates/resp/src/a.rs", "//! A.\n// Reads come first; writes after;\n"),
    ("dead-code", "crates/resp/src/a.rs", "//! A.\nconst B: &str = \"\n// let a = b;\n\";"),
    ("todo", "crates/resp/src/a.rs", "//! A.\nconst B: &str = \"// TODO\";"),
    ("machine-path", "README.md", "See https://example.org/work/x and target/home/x."),
    ("name", "crates/resp/src/a.rs", "//! A.\nstruct Utilization;"),
    ("unwrap", "crates/resp/src/tests.rs", "//! A.\nfn a() { b().unwrap() }"),
    ("unwrap", "crates/resp/src/a.rs", "//! A.\nfn a() { b().unwrap_or(1) }"),
    ("inline-tests", "crates/resp/src/a.rs", "//! A.\n#[cfg(test)]\nmod tests;"),
    ("unsafe-attribute", "crates/keyspace/src/lib.rs", "//! A.\n#![deny(unsafe_code)]"),
    ("unsafe-island", "crates/table/src/a.rs", "//! A.\nunsafe fn a() {}"),
    (
        "safety-comment",
        "crates/table/src/a.rs",
        "//! A.\nfn a() {\n    // SAFETY: b is.\n    let c =\n        unsafe { b() };\n}",
    ),
    ("absence", "crates/commands/src/a.rs", "//! A. Instant\n// std::fs\nuse std::fmt;"),
    ("spec-logic", "crates/spec/src/a.rs", "//! A.\nfn a() -> &Row { &ROWS[1] }"),
    ("spec-logic", "crates/spec/src/a.rs", "//! A.\nconst fn a() { if b {} }"),
    ("global-state", "crates/commands/src/a.rs", "//! A.\nstatic A: &[u32] = &[1];"),
    (
        "error-text",
        "crates/server/src/a.rs",
        "//! A.\nconst A: &str = \"ERR no such key\";\nconst B: &str = \"ERR no such user\";",
    ),
    (
        "references",
        "docs/a.md",
        "Of `crates/value`, `value/Cargo.toml`; `a/b`, `/x/y.md`, `make ready`.",
    ),
    ("references", "docs/a.md", "```\n`crates/none`\n```\n`a` crates/none `b`"),
    ("changelog", "CHANGELOG.md", "## [Unreleased]\n\n## [0.0.1] - 2026-01-31"),
];

const LONG: &str = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\
                    aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";

/// A tree around one file; the others are what the rules compare it with.
fn tree(path: &str, text: &str) -> Tree {
    let around = [
        ("Cargo.toml", "version = \"0.0.1\""),
        ("crates/value/Cargo.toml", "name = \"value\"\n[lints]\nworkspace = true\n"),
        ("crates/value/src/text.rs", "//! A.\nuse itoa::Buffer;"),
        ("Makefile", "all:\n\nready:\n"),
    ];
    let mut files: Vec<File> = vec![File::new(path, text)];
    files.extend(around.iter().map(|(path, text)| File::new(path, text)));
    if path == "docs/design/table.md" {
        files.push(File::new("ARCHITECTURE.md", "`value`"));
    }
    Tree { files }
}

fn lines(rule: &str, path: &str, text: &str) -> Vec<usize> {
    let found = check(&tree(path, text));
    found.iter().filter(|found| found.rule == rule).map(|found| found.line).collect()
}

#[test]
fn bad_text_is_found() {
    for (rule, path, text, line) in BAD {
        assert!(lines(rule, path, text).contains(line), "{rule} is silent about {path}: {text}");
    }
}

#[test]
fn good_text_passes() {
    for (rule, path, text) in GOOD {
        let found = lines(rule, path, text);
        assert!(found.is_empty(), "{rule} objects in {found:?} to {path}: {text}");
    }
}

#[test]
fn a_function_may_have_seventy_lines() {
    let function =
        |lines: usize| format!("//! A.\nfn a() {{\n{}}}", "    b();\n".repeat(lines - 2));
    let path = "crates/resp/src/a.rs";
    assert!(lines("function-length", path, &function(70)).is_empty());
    assert_eq!(lines("function-length", path, &function(71)), [2]);
}

#[test]
fn every_rule_has_an_example() {
    for (rule, _) in RULES.iter().filter(|row| row.0 != "function-length") {
        assert!(BAD.iter().any(|row| row.0 == *rule), "{rule} has no bad example");
    }
}

#[test]
fn an_exception_must_be_exact() {
    let found =
        || check(&tree("crates/spec/src/a.rs", "//! A.\nfn a() { loop {} }\nfn b() { loop {} }"));
    let rest = |list: &str| {
        let left = exceptions::apply(found(), list)?;
        Ok::<_, String>(left.iter().filter(|found| found.rule == "spec-logic").count())
    };
    assert_eq!(rest(""), Ok(2));
    assert_eq!(rest("spec-logic crates/spec/src/a.rs 2 why"), Ok(0));
    assert_eq!(rest("spec-logic crates/spec/src/a.rs 1 why"), Ok(2), "one too many: show all");
    assert!(rest("spec-logic crates/spec/src/a.rs 3 why").is_err(), "larger than needed");
    assert!(rest("spec-logic crates/spec/src/a.rs 2").is_err(), "no reason given");
}

#[test]
fn the_repository_is_tidy() {
    if let Err(findings) = run(&[]) {
        panic!("{findings}");
    }
}
