//! The files that the rules read, with Rust files cut into tokens and comments.
//!
//! Comments are what stands between two tokens, so that no text inside a string is taken for one.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::OnceLock;

use proc_macro2::{Delimiter, Span, TokenStream, TokenTree};

use super::Report;

/// Directories that hold nothing of ours, wherever they stand; in a second worktree `.git` is a
/// file.
const SKIPPED: &[&str] =
    &[".git", "target", "node_modules", ".venv", "__pycache__", "corpus", "artifacts"];

pub(crate) struct Tree {
    pub(crate) files: Vec<File>,
}

pub(crate) struct File {
    /// From the root of the repository, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    rust: OnceLock<Result<Rust, String>>,
}

/// A parsed Rust file.
pub(crate) struct Rust {
    pub(crate) ast: syn::File,
    /// All tokens in order, groups opened up; doc comments are left out.
    pub(crate) tokens: Vec<Token>,
    /// Plain comments; doc comments are not among them.
    pub(crate) comments: Vec<Comment>,
}

pub(crate) struct Token {
    pub(crate) text: String,
    pub(crate) line: usize,
}

pub(crate) struct Comment {
    pub(crate) line: usize,
    /// Without the slashes and the space behind them.
    pub(crate) text: String,
}

impl Tree {
    /// Reads every text file below `root`; other files count as absent.
    pub(crate) fn read(root: &Path) -> io::Result<Tree> {
        let mut files = Vec::new();
        walk(root, "", &mut files)?;
        files.sort_by(|left, right| left.path.cmp(&right.path));
        Ok(Tree { files })
    }

    pub(crate) fn get(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Every Rust file that parses.
    pub(crate) fn rust(&self) -> impl Iterator<Item = (&File, &Rust)> {
        self.files.iter().filter_map(|file| Some((file, file.rust()?.as_ref().ok()?)))
    }

    /// The folders below `crates/`, each once.
    pub(crate) fn crates(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self.files.iter().filter_map(File::crate_name).collect();
        names.sort_unstable();
        names.dedup();
        names
    }
}

impl File {
    pub(crate) fn new(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned(), rust: OnceLock::new() }
    }

    pub(crate) fn is_rust(&self) -> bool {
        self.path.ends_with(".rs")
    }

    /// Tests, benches, examples and fuzz targets, where a panic is how a failure is told.
    pub(crate) fn is_test(&self) -> bool {
        let folders = ["/tests/", "/benches/", "/examples/", "/fuzz/"];
        folders.iter().any(|folder| self.path.contains(folder))
            || self.path.starts_with("fuzz/")
            || self.path.ends_with("tests.rs")
    }

    /// `x` for a file below `crates/x/`.
    pub(crate) fn crate_name(&self) -> Option<&str> {
        self.path.strip_prefix("crates/")?.split_once('/').map(|(name, _)| name)
    }

    /// None for a file that is not Rust; the error is where the parser stopped.
    fn rust(&self) -> Option<&Result<Rust, String>> {
        self.is_rust().then(|| self.rust.get_or_init(|| parse_text(&self.text)))
    }
}

/// Rule: every Rust file parses, since no other rule sees one that does not.
pub(crate) fn parse(tree: &Tree, report: &mut Report) {
    for file in &tree.files {
        if let Some(Err(error)) = file.rust() {
            report.add(&file.path, 0, error.clone());
        }
    }
}

fn walk(folder: &Path, prefix: &str, files: &mut Vec<File>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type()?;
        if SKIPPED.contains(&name.as_str()) {
            continue;
        }
        if kind.is_dir() {
            walk(&entry.path(), &path, files)?;
        } else if kind.is_file()
            && let Ok(text) = String::from_utf8(fs::read(entry.path())?)
        {
            files.push(File::new(&path, &text));
        }
    }
    Ok(())
}

fn parse_text(text: &str) -> Result<Rust, String> {
    let stream: TokenStream = text.parse().map_err(|error| format!("no tokens: {error}"))?;
    let ast = syn::parse2(stream.clone())
        .map_err(|error| format!("line {}: {error}", error.span().start().line))?;
    let mut cutter = Cutter { text, end: 0, tokens: Vec::new(), comments: Vec::new() };
    cutter.stream(stream);
    cutter.gap(text.len());
    Ok(Rust { ast, tokens: cutter.tokens, comments: cutter.comments })
}

/// Walks the tokens in order and gathers the comments between them.
struct Cutter<'a> {
    text: &'a str,
    /// Byte behind the last token seen.
    end: usize,
    tokens: Vec<Token>,
    comments: Vec<Comment>,
}

impl Cutter<'_> {
    fn stream(&mut self, stream: TokenStream) {
        for tree in stream {
            match tree {
                TokenTree::Group(group) => {
                    let (open, close) = match group.delimiter() {
                        Delimiter::Parenthesis => ("(", ")"),
                        Delimiter::Brace => ("{", "}"),
                        Delimiter::Bracket => ("[", "]"),
                        Delimiter::None => ("", ""),
                    };
                    self.token(open.to_owned(), group.span_open());
                    self.stream(group.stream());
                    self.token(close.to_owned(), group.span_close());
                }
                other => self.token(other.to_string(), other.span()),
            }
        }
    }

    fn token(&mut self, text: String, span: Span) {
        let range = span.byte_range();
        // The parts of a doc comment all carry the span of the whole comment.
        let doc = self.text.get(range.clone()).is_some_and(|text| text.starts_with("//"));
        self.gap(range.start);
        self.end = self.end.max(range.end);
        if !doc {
            self.tokens.push(Token { text, line: span.start().line });
        }
    }

    fn gap(&mut self, start: usize) {
        if start <= self.end {
            return;
        }
        let first = self.text[..self.end].matches('\n').count() + 1;
        for (index, line) in self.text[self.end..start].split('\n').enumerate() {
            let line = line.trim();
            let body = ["//", "/*", "*"].iter().find_map(|mark| line.strip_prefix(mark));
            if let Some(body) = body {
                self.comments.push(Comment { line: first + index, text: body.trim().to_owned() });
            }
        }
    }
}
