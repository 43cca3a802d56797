//! Rules about `unsafe`: where it may stand, and that it says what it rests on.

use proc_macro2::Span;
use syn::visit::{self, Visit};

use super::Report;
use super::source::Tree;

/// The only places for `unsafe`, as beginnings of a path.
const ISLANDS: &[&str] = &[
    "crates/table/",
    "crates/keyspace/src/entry",
    "crates/keyspace/src/shards",
    "crates/value/src/compact/",
    "crates/value/src/hash/field.rs",
    "crates/value/src/set/member.rs",
    "crates/value/src/zset/member.rs",
    "crates/reddle/src/main.rs",
    "crates/script/src/interp.rs",
    "crates/script/src/stack.rs",
    "crates/script/src/state.rs",
    "crates/server/src/sys",
];

/// A crate whose every file may be unsafe; its root carries no attribute.
const WHOLE_ISLAND: &str = "table";

/// Rule: `unsafe` stands on its islands only.
pub(crate) fn island(tree: &Tree, report: &mut Report) {
    for (file, rust) in tree.rust() {
        if ISLANDS.iter().any(|island| file.path.starts_with(island)) {
            continue;
        }
        for token in rust.tokens.iter().filter(|token| token.text == "unsafe") {
            report.add(&file.path, token.line, "unsafe outside the islands");
        }
    }
}

/// Rule: a crate without an island forbids unsafe code at its root, one with an island denies it
/// there and allows it for the island alone.
pub(crate) fn attribute(tree: &Tree, report: &mut Report) {
    for (file, rust) in tree.rust() {
        let root = file.path.ends_with("/src/lib.rs") || file.path.ends_with("/src/main.rs");
        let Some(name) = file.crate_name().filter(|name| root && *name != WHOLE_ISLAND) else {
            continue;
        };
        let has = |word: &str| {
            rust.ast.attrs.iter().any(|attribute| {
                let unsafe_code = matches!(&attribute.meta, syn::Meta::List(list)
                    if list.tokens.to_string() == "unsafe_code");
                attribute.path().is_ident(word) && unsafe_code
            })
        };
        let island = ISLANDS.iter().any(|island| island.starts_with(&format!("crates/{name}/")));
        let guarded = has("forbid") || (island && has("deny"));
        if !guarded {
            report.add(&file.path, 1, "lacks #![forbid(unsafe_code)]");
        }
    }
}

/// Rule: every unsafe block and impl has a `SAFETY:` comment right above.
pub(crate) fn safety_comment(tree: &Tree, report: &mut Report) {
    for (file, rust) in tree.rust() {
        let mut places = Places(Vec::new());
        places.visit_file(&rust.ast);
        let lines: Vec<&str> = file.text.lines().collect();
        for span in places.0 {
            let line = span.start().line;
            if !is_explained(&lines, line - 1) {
                report.add(&file.path, line, "unsafe without a SAFETY: comment");
            }
        }
    }
}

/// Walks up from the line to the start of its statement and through the comment above it.
fn is_explained(lines: &[&str], at: usize) -> bool {
    if lines[at].contains("SAFETY:") {
        return true;
    }
    for line in lines[..at].iter().rev().map(|line| line.trim()) {
        if line.contains("SAFETY:") {
            return true;
        }
        let comment = line.starts_with("//") || line.starts_with("#[");
        if !comment && (line.is_empty() || line.ends_with([';', '{', '}', ','])) {
            return false;
        }
    }
    false
}

struct Places(Vec<Span>);

impl<'ast> Visit<'ast> for Places {
    fn visit_expr_unsafe(&mut self, block: &'ast syn::ExprUnsafe) {
        self.0.push(block.unsafe_token.span);
        visit::visit_expr_unsafe(self, block);
    }

    fn visit_item_impl(&mut self, item: &'ast syn::ItemImpl) {
        self.0.extend(item.unsafety.map(|token| token.span));
        visit::visit_item_impl(self, item);
    }
}
