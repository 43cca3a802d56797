//! The notation in which the tables of commands are written.
//!
//! | notation | generates |
//! |---|---|
//! | `WORD` | the word, now and then in lower case |
//! | `<kind>` | an argument of that kind, see [`super::words`] |
//! | `(a|b)` | one of the alternatives |
//! | `[a|b]` | nothing, or one of the alternatives; options in a row may change places |
//! | `{a}` | one to four times |
//! | `#{a}` | a number, and as many times |
//! | `={a}` | as many times as the last `#` said |
//! | `@` | any other command with its arguments |
//!
//! Knows nothing of random numbers. A mistake in a table is a panic at the start, and a test.

use super::words::{self, Kind};

/// One after the other.
pub(super) type Sequence = Vec<Node>;

/// See the module's text.
#[derive(Debug)]
pub(super) enum Node {
    Word(&'static str),
    Kind(Kind),
    Choice(Vec<Sequence>),
    Optional(Vec<Sequence>),
    Repeat(Sequence),
    Counted(Sequence),
    Same(Sequence),
    Command,
}

/// Reads a form.
///
/// # Panics
/// When it is not in the notation.
pub(super) fn parse(form: &'static str) -> Sequence {
    let mut parser = Parser { form, rest: form };
    let sequence = parser.sequence();
    assert!(parser.rest.is_empty(), "{form}: nothing opens what closes at '{}'", parser.rest);
    sequence
}

struct Parser {
    form: &'static str,
    rest: &'static str,
}

impl Parser {
    fn sequence(&mut self) -> Sequence {
        let mut nodes = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            let Some(first) = self.rest.chars().next() else { return nodes };
            match first {
                '|' | ')' | ']' | '}' => return nodes,
                '<' => nodes.push(self.kind()),
                '@' => {
                    self.rest = &self.rest[1..];
                    nodes.push(Node::Command);
                }
                '(' => nodes.push(Node::Choice(self.alternatives("(", ')'))),
                '[' => nodes.push(Node::Optional(self.alternatives("[", ']'))),
                '{' => nodes.push(Node::Repeat(self.block("{"))),
                '#' if self.rest.starts_with("#{") => nodes.push(Node::Counted(self.block("#{"))),
                '=' if self.rest.starts_with("={") => nodes.push(Node::Same(self.block("={"))),
                _ => nodes.push(self.word()),
            }
        }
    }

    fn word(&mut self) -> Node {
        let end = self.rest.find(|c: char| " ()[]{}|".contains(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        Node::Word(word)
    }

    fn kind(&mut self) -> Node {
        let Some(end) = self.rest.find('>') else { panic!("{}: < without >", self.form) };
        let name = &self.rest[1..end];
        self.rest = &self.rest[end + 1..];
        let Some(kind) = words::kind(name) else { panic!("{}: no kind {name}", self.form) };
        Node::Kind(kind)
    }

    fn alternatives(&mut self, open: &str, close: char) -> Vec<Sequence> {
        self.expect(open);
        let mut alternatives = vec![self.sequence()];
        while self.rest.starts_with('|') {
            self.expect("|");
            alternatives.push(self.sequence());
        }
        self.expect(close.encode_utf8(&mut [0; 4]));
        alternatives
    }

    fn block(&mut self, open: &str) -> Sequence {
        self.expect(open);
        let sequence = self.sequence();
        self.expect("}");
        sequence
    }

    fn expect(&mut self, text: &str) {
        let Some(rest) = self.rest.strip_prefix(text) else {
            panic!("{}: expected '{text}' at '{}'", self.form, self.rest)
        };
        self.rest = rest;
    }
}

#[cfg(test)]
mod tests;
