//! Rules about functions, names and tests.

use proc_macro2::{Ident, Span};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use super::Report;
use super::source::{File, Rust, Token, Tree};

const FUNCTION_LINES_MAX: usize = 70;

/// Words that say nothing about what a thing is.
const EMPTY_WORDS: &[&str] = &["manager", "helper", "helpers", "util", "utils"];

/// Rule: a function fits a screen.
pub(crate) fn function_length(tree: &Tree, report: &mut Report) {
    each_item(tree, |file, item| {
        if let Item::Function(name, span) = item {
            let lines = span.end().line - name.span().start().line + 1;
            if lines > FUNCTION_LINES_MAX {
                let text = format!("fn {name} has {lines} lines");
                report.add(&file.path, name.span().start().line, text);
            }
        }
    });
}

/// Rule: a name says what the thing is.
pub(crate) fn name(tree: &Tree, report: &mut Report) {
    for file in tree.files.iter().filter(|file| file.is_rust()) {
        let stem = file.path.rsplit('/').next().unwrap_or_default().trim_end_matches(".rs");
        if is_empty_name(stem) {
            report.add(&file.path, 0, format!("file {stem}"));
        }
    }
    each_item(tree, |file, item| {
        let (Item::Function(name, _) | Item::Other(name)) = item;
        if is_empty_name(&name.to_string()) {
            report.add(&file.path, name.span().start().line, format!("{name} says nothing"));
        }
    });
}

/// Rule: outside the tests nothing panics by `unwrap`; `expect` says why it cannot.
pub(crate) fn unwrap(tree: &Tree, report: &mut Report) {
    for (file, rust) in tree.rust().filter(|(file, _)| !file.is_test()) {
        for window in rust.tokens.windows(4) {
            if texts(window) == [".", "unwrap", "(", ")"] {
                report.add(&file.path, window[1].line, "unwrap outside the tests");
            }
        }
    }
}

/// Rule: the tests of a module stand in a file beside it.
pub(crate) fn inline_tests(tree: &Tree, report: &mut Report) {
    for (file, rust) in tree.rust() {
        each_inline_test(&rust.ast.items, &mut |span| {
            report.add(&file.path, span.start().line, "tests belong in a sibling tests.rs");
        });
    }
}

pub(crate) fn texts(tokens: &[Token]) -> Vec<&str> {
    tokens.iter().map(|token| token.text.as_str()).collect()
}

fn each_inline_test(items: &[syn::Item], found: &mut impl FnMut(Span)) {
    for item in items {
        let syn::Item::Mod(module) = item else {
            continue;
        };
        let Some((_, content)) = &module.content else {
            continue;
        };
        if module.attrs.iter().any(is_cfg_test) {
            found(module.ident.span());
        } else {
            each_inline_test(content, found);
        }
    }
}

fn is_cfg_test(attribute: &syn::Attribute) -> bool {
    attribute.path().is_ident("cfg")
        && matches!(&attribute.meta, syn::Meta::List(list) if list.tokens.to_string() == "test")
}

/// `ShardManager` and `shard_manager` hold an empty word; `Utilization` does not.
fn is_empty_name(name: &str) -> bool {
    let mut snake = String::new();
    for c in name.chars() {
        if c.is_ascii_uppercase() {
            snake.push('_');
        }
        snake.push(c.to_ascii_lowercase());
    }
    snake.split('_').any(|word| EMPTY_WORDS.contains(&word))
}

/// What [`each_item`] hands out.
enum Item<'a> {
    /// Name, and the span of the body.
    Function(&'a Ident, Span),
    /// A type, trait or module.
    Other(&'a Ident),
}

fn each_item(tree: &Tree, visit: impl FnMut(&File, Item<'_>)) {
    let mut visit = visit;
    for (file, Rust { ast, .. }) in tree.rust() {
        let mut items = Items { visit: &mut |item: Item<'_>| visit(file, item) };
        items.visit_file(ast);
    }
}

struct Items<'a> {
    visit: &'a mut dyn FnMut(Item<'_>),
}

impl<'ast> Visit<'ast> for Items<'_> {
    fn visit_item_fn(&mut self, item: &'ast syn::ItemFn) {
        (self.visit)(Item::Function(&item.sig.ident, item.block.span()));
        visit::visit_item_fn(self, item);
    }

    fn visit_impl_item_fn(&mut self, item: &'ast syn::ImplItemFn) {
        (self.visit)(Item::Function(&item.sig.ident, item.block.span()));
        visit::visit_impl_item_fn(self, item);
    }

    fn visit_trait_item_fn(&mut self, item: &'ast syn::TraitItemFn) {
        let body = item.default.as_ref().map_or(item.sig.ident.span(), Spanned::span);
        (self.visit)(Item::Function(&item.sig.ident, body));
        visit::visit_trait_item_fn(self, item);
    }

    fn visit_item_struct(&mut self, item: &'ast syn::ItemStruct) {
        (self.visit)(Item::Other(&item.ident));
    }

    fn visit_item_enum(&mut self, item: &'ast syn::ItemEnum) {
        (self.visit)(Item::Other(&item.ident));
    }

    fn visit_item_trait(&mut self, item: &'ast syn::ItemTrait) {
        (self.visit)(Item::Other(&item.ident));
        visit::visit_item_trait(self, item);
    }

    fn visit_item_mod(&mut self, item: &'ast syn::ItemMod) {
        (self.visit)(Item::Other(&item.ident));
        visit::visit_item_mod(self, item);
    }
}
