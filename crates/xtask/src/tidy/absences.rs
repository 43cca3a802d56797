//! Rules about what a crate must not know.

use proc_macro2::{Ident, TokenStream};
use quote::ToTokens;
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::Report;
use super::shape::texts;
use super::source::{File, Rust, Tree};

/// One absence: the files (beginnings of a path), those among them that are let off, and the
/// paths or words that must not appear.
struct Absence {
    files: &'static [&'static str],
    but: &'static [&'static str],
    words: &'static [&'static str],
    reason: &'static str,
}

const SYSTEM: &[&str] = &[
    "std::net",
    "std::fs",
    "std::thread",
    "std::time",
    "std::process",
    "std::os",
    "std::env",
    "Instant",
    "SystemTime",
    "Mutex",
    "RwLock",
    "Condvar",
    "mio",
    "libc",
    "rustix",
    "parking_lot",
];

const ABSENCES: &[Absence] = &[
    Absence {
        files: &["crates/commands/src/", "crates/value/src/"],
        but: &[],
        words: SYSTEM,
        reason: "no socket, file, thread, clock or lock here",
    },
    Absence {
        files: &["crates/commands/src/", "crates/persist/src/rdb"],
        but: &[],
        words: &["persist::disk", "crate::disk"],
        reason: "values as bytes, and no file",
    },
    Absence {
        files: &["crates/commands/src/"],
        but: &[],
        words: &["Proto", "Resp2", "Resp3", "RESP3", "is_resp3"],
        reason: "no handler branches on the protocol version",
    },
    Absence {
        files: &["crates/value/src/"],
        but: &[],
        words: &["resp", "keyspace"],
        reason: "a value knows no key, expiry or reply",
    },
    Absence {
        files: &["crates/keyspace/src/"],
        but: &[],
        words: &["std::fs", "std::net", "std::process", "mio", "resp"],
        reason: "the keyspace opens no file and formats no reply",
    },
    Absence {
        files: &["crates/resp/src/parse"],
        but: &[],
        words: &[
            "Vec::new",
            "vec!",
            "to_vec",
            "to_owned",
            "to_string",
            "String",
            "Box",
            "format!",
            "with_capacity",
            "collect",
            "clone",
        ],
        reason: "parsing allocates nothing",
    },
    Absence {
        files: &["crates/repl/src/", "crates/cluster/src/"],
        but: &[],
        words: SYSTEM,
        reason: "no clock and no socket: bytes and ticks go in, actions come out",
    },
    Absence {
        files: &["crates/persist/src/"],
        but: &["crates/persist/src/disk"],
        words: &["std::fs", "rustix", "libc"],
        reason: "the disk is reached through disk alone",
    },
];

/// Files that may hold global state: what the process has once, set at its start. The development
/// crates are programs and tests of their own, and a list's nodes are compressed in scratch room
/// that each thread makes once and that outlives no call.
const GLOBAL_STATE: &[&str] = &[
    "crates/server/src/clock",
    "crates/server/src/log",
    "crates/server/src/start",
    "crates/server/src/sys",
    "crates/testkit/",
    "crates/value/src/list/node.rs",
    "crates/xtask/",
];

const SHARED_CELLS: &[&str] = &[
    "Mutex",
    "RwLock",
    "OnceLock",
    "LazyLock",
    "OnceCell",
    "LazyCell",
    "UnsafeCell",
    "RefCell",
    "Cell",
    "ArcSwap",
];

/// Rule: each crate's absences hold.
pub(crate) fn absence(tree: &Tree, report: &mut Report) {
    for absence in ABSENCES {
        for (file, rust) in tree.rust().filter(|(file, _)| absence.covers(file)) {
            let paths = imports(rust);
            for word in absence.words {
                for line in places(word, rust, &paths) {
                    report.add(&file.path, line, format!("{word}: {}", absence.reason));
                }
            }
        }
    }
}

impl Absence {
    fn covers(&self, file: &File) -> bool {
        let starts = |list: &[&str]| list.iter().any(|start| file.path.starts_with(start));
        starts(self.files) && !starts(self.but) && !file.is_test()
    }
}

/// Rule: `spec` is data: what is decided there is decided while compiling.
pub(crate) fn spec_logic(tree: &Tree, report: &mut Report) {
    for (file, rust) in tree.rust() {
        if !file.path.starts_with("crates/spec/src/") || file.is_test() {
            continue;
        }
        let mut functions = Functions(Vec::new());
        functions.visit_file(&rust.ast);
        for name in functions.0 {
            let text = format!("fn {name} decides something and is not const");
            report.add(&file.path, name.span().start().line, text);
        }
    }
}

/// Rule: no mutable global state.
pub(crate) fn global_state(tree: &Tree, report: &mut Report) {
    for (file, rust) in tree.rust() {
        let allowed = GLOBAL_STATE.iter().any(|start| file.path.starts_with(start));
        if allowed || file.is_test() {
            continue;
        }
        let mut statics = Statics(Vec::new());
        statics.visit_file(&rust.ast);
        for (line, text) in statics.0 {
            report.add(&file.path, line, text);
        }
    }
}

/// The lines where a word (`Instant`), a macro (`vec!`) or a path (`std::fs`) appears.
fn places(word: &str, rust: &Rust, imports: &[(String, usize)]) -> Vec<usize> {
    let tokens: Vec<String> = word
        .parse::<TokenStream>()
        .map(|stream| stream.into_iter().map(|token| token.to_string()).collect())
        .unwrap_or_default();
    let mut lines: Vec<usize> = rust
        .tokens
        .windows(tokens.len())
        .filter(|window| texts(window) == tokens)
        .map(|window| window[0].line)
        .collect();
    if word.contains("::") {
        let below = format!("{word}::");
        let named = |path: &str| path == word || path.starts_with(&below);
        lines.extend(imports.iter().filter(|(path, _)| named(path)).map(|(_, line)| *line));
    }
    lines.sort_unstable();
    lines.dedup();
    lines
}

/// Every imported path in full, so that `use std::{fs, net}` hides nothing.
fn imports(rust: &Rust) -> Vec<(String, usize)> {
    let mut imports = Imports(Vec::new());
    imports.visit_file(&rust.ast);
    imports.0
}

struct Imports(Vec<(String, usize)>);

impl Imports {
    fn flatten(&mut self, tree: &syn::UseTree, prefix: &str) {
        let line = tree.span().start().line;
        match tree {
            syn::UseTree::Path(path) => {
                self.flatten(&path.tree, &format!("{prefix}{}::", path.ident));
            }
            syn::UseTree::Group(group) => {
                group.items.iter().for_each(|item| self.flatten(item, prefix));
            }
            syn::UseTree::Name(name) => self.0.push((format!("{prefix}{}", name.ident), line)),
            syn::UseTree::Rename(name) => self.0.push((format!("{prefix}{}", name.ident), line)),
            syn::UseTree::Glob(_) => self.0.push((format!("{prefix}*"), line)),
        }
    }
}

impl<'ast> Visit<'ast> for Imports {
    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.flatten(&item.tree, "");
    }
}

/// The functions that hold control flow and are not `const`.
struct Functions(Vec<Ident>);

impl Functions {
    fn look(&mut self, signature: &syn::Signature, body: &syn::Block) {
        let mut branches = Branches(false);
        branches.visit_block(body);
        if signature.constness.is_none() && branches.0 {
            self.0.push(signature.ident.clone());
        }
    }
}

impl<'ast> Visit<'ast> for Functions {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        self.look(&item.sig, &item.block);
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        self.look(&item.sig, &item.block);
        visit::visit_impl_item_fn(self, item);
    }
}

struct Branches(bool);

impl<'ast> Visit<'ast> for Branches {
    fn visit_expr(&mut self, expr: &'ast syn::Expr) {
        use syn::Expr::{ForLoop, If, Loop, Match, While};
        self.0 |= matches!(expr, ForLoop(_) | If(_) | Loop(_) | Match(_) | While(_));
        visit::visit_expr(self, expr);
    }
}

struct Statics(Vec<(usize, String)>);

impl<'ast> Visit<'ast> for Statics {
    fn visit_item_static(&mut self, item: &'ast syn::ItemStatic) {
        let line = item.ident.span().start().line;
        let kind = item.ty.to_token_stream().to_string();
        let shared = |word: &str| word.starts_with("Atomic") || SHARED_CELLS.contains(&word);
        if matches!(item.mutability, syn::StaticMutability::Mut(_)) {
            self.0.push((line, format!("static mut {}", item.ident)));
        } else if kind.split(|c: char| !c.is_ascii_alphanumeric()).any(shared) {
            self.0.push((line, format!("static {} can change", item.ident)));
        }
    }

    fn visit_macro(&mut self, call: &'ast syn::Macro) {
        if call.path.segments.last().is_some_and(|last| last.ident == "thread_local") {
            self.0.push((call.span().start().line, "thread_local".to_owned()));
        }
        visit::visit_macro(self, call);
    }
}
