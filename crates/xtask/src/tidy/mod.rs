//! `cargo xtask tidy`: the rules of the house that a program can check.
//!
//! A rule reads a [`Tree`] (the files of the repository, in memory) and reports [`Finding`]s; it
//! never touches the disk, so that each rule is tested on a few lines of bad text. What a rule may
//! overlook stands in `exceptions.txt`, a list that only shrinks.

mod absences;
mod documents;
mod errors;
mod exceptions;
mod manifests;
mod shape;
mod source;
mod text;
mod unsafety;

#[cfg(test)]
mod tests;

use std::path::Path;

use self::source::Tree;

/// One breach of one rule.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Name of the rule, as `exceptions.txt` spells it.
    pub(crate) rule: &'static str,
    /// Path from the root of the repository, with `/`.
    pub(crate) path: String,
    /// First line is 1; 0 when the finding is about the whole file.
    pub(crate) line: usize,
    pub(crate) text: String,
}

type Rule = fn(&Tree, &mut Report);

/// Every rule: its name and the function that checks it.
const RULES: &[(&str, Rule)] = &[
    ("parse", source::parse),
    ("crate-direction", manifests::crate_direction),
    ("manifest", manifests::manifest),
    ("dependency", manifests::dependency),
    ("unused-dependency", manifests::unused_dependency),
    ("file-head", text::file_head),
    ("line-length", text::line_length),
    ("banner", text::banner),
    ("dead-code", text::dead_code),
    ("todo", text::todo),
    ("machine-path", text::machine_path),
    ("registry-host", text::registry_host),
    ("function-length", shape::function_length),
    ("name", shape::name),
    ("unwrap", shape::unwrap),
    ("inline-tests", shape::inline_tests),
    ("unsafe-island", unsafety::island),
    ("unsafe-attribute", unsafety::attribute),
    ("safety-comment", unsafety::safety_comment),
    ("absence", absences::absence),
    ("spec-logic", absences::spec_logic),
    ("global-state", absences::global_state),
    ("error-text", errors::error_text),
    ("architecture", documents::architecture),
    ("design-pages", documents::design_pages),
    ("links", documents::links),
    ("references", documents::references),
    ("changelog", documents::changelog),
];

/// The findings so far, and the rule that is being run.
pub(crate) struct Report {
    rule: &'static str,
    findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn add(&mut self, path: &str, line: usize, text: impl Into<String>) {
        self.findings.push(Finding {
            rule: self.rule,
            path: path.to_owned(),
            line,
            text: text.into(),
        });
    }
}

/// Checks the repository that this program was built from.
///
/// # Errors
/// Every finding, one a line, as `path:line: rule: text`.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    if let Some(unknown) = args.first() {
        return Err(format!("unknown argument {unknown}"));
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let tree = Tree::read(&root).map_err(|error| format!("cannot read the tree: {error}"))?;
    let findings = exceptions::apply(check(&tree), include_str!("exceptions.txt"))?;
    if findings.is_empty() {
        println!("tidy: {} rules over {} files", RULES.len(), tree.files.len());
        return Ok(());
    }
    let lines: Vec<String> = findings
        .iter()
        .map(|found| format!("{}:{}: {}: {}", found.path, found.line, found.rule, found.text))
        .collect();
    Err(format!("{} findings\n{}", lines.len(), lines.join("\n")))
}

/// Runs every rule; the findings come sorted by rule and path.
fn check(tree: &Tree) -> Vec<Finding> {
    let mut report = Report { rule: "", findings: Vec::new() };
    for (name, rule) in RULES {
        report.rule = name;
        rule(tree, &mut report);
    }
    report.findings.sort();
    report.findings
}
