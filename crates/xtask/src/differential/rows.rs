//! The tables: which commands are generated, in which forms, and what their replies leave open.
//!
//! Data alone. A file a group; the notation is that of [`super::grammar`].

use super::compare::Rule;

mod bitmap;
mod connection;
mod generic;
mod geo;
mod hash;
mod hyperloglog;
mod list;
mod script;
mod set;
mod sort;
mod stream;
mod string;
mod transactions;
mod zset;

/// One form of one command.
#[derive(Debug, Clone, Copy)]
pub(super) struct Row {
    /// In the notation of [`super::grammar`].
    pub(super) form: &'static str,
    pub(super) rule: Rule,
    /// How often it is taken, against the other forms of its group.
    pub(super) weight: u32,
    /// A command that a server must know for the form to mean anything to it, besides its own.
    pub(super) needs: Option<&'static str>,
}

impl Row {
    const fn rule(mut self, rule: Rule) -> Row {
        self.rule = rule;
        self
    }

    const fn weight(mut self, weight: u32) -> Row {
        self.weight = weight;
        self
    }

    const fn needs(mut self, command: &'static str) -> Row {
        self.needs = Some(command);
        self
    }
}

/// A family of commands under the name that `--group` knows.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) name: &'static str,
    pub(super) rows: &'static [Row],
}

/// The group whose commands come in epochs of their own.
pub(super) const TRANSACTIONS: &str = "transactions";

/// Every group, in the order of the summary.
pub(super) const GROUPS: &[Group] = &[
    Group { name: "string", rows: string::ROWS },
    Group { name: "generic", rows: generic::ROWS },
    Group { name: "bitmap", rows: bitmap::ROWS },
    Group { name: "hyperloglog", rows: hyperloglog::ROWS },
    Group { name: "list", rows: list::ROWS },
    Group { name: "hash", rows: hash::ROWS },
    Group { name: "set", rows: set::ROWS },
    Group { name: "zset", rows: zset::ROWS },
    Group { name: "geo", rows: geo::ROWS },
    Group { name: "stream", rows: stream::ROWS },
    Group { name: "sort", rows: sort::ROWS },
    Group { name: "script", rows: script::ROWS },
    Group { name: "connection", rows: connection::ROWS },
    Group { name: TRANSACTIONS, rows: transactions::ROWS },
];

/// Seconds that pass between two servers' answers.
const SECONDS: Rule = Rule::Near(20);

/// The same in milliseconds.
const MILLISECONDS: Rule = Rule::Near(20_000);

const fn row(form: &'static str) -> Row {
    Row { form, rule: Rule::Exact, weight: 10, needs: None }
}
