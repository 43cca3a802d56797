//! Descriptions of commands: what the server says with COMMAND DOCS, and for a server that says
//! nothing, or is not there, those of Reddle.

use client::Value;
use spec::command::{Arg, ArgKind, COMMANDS};

use crate::cli::operator::Operator;

/// Everything known about commands, by name.
#[derive(Debug, Default)]
pub(in crate::cli) struct Docs {
    pub(in crate::cli) commands: Vec<Doc>,
}

/// One command, or one subcommand.
#[derive(Clone, Debug)]
pub(in crate::cli) struct Doc {
    /// In capitals; of a subcommand both words.
    pub(in crate::cli) name: String,
    pub(in crate::cli) summary: String,
    pub(in crate::cli) since: String,
    pub(in crate::cli) group: String,
    pub(in crate::cli) arguments: Vec<Argument>,
}

/// One argument, or several together.
#[derive(Clone, Debug, Default)]
pub(in crate::cli) struct Argument {
    pub(in crate::cli) name: String,
    pub(in crate::cli) kind: Kind,
    pub(in crate::cli) token: Option<String>,
    pub(in crate::cli) optional: bool,
    pub(in crate::cli) multiple: bool,
    pub(in crate::cli) multiple_token: bool,
    pub(in crate::cli) arguments: Vec<Argument>,
}

/// What an argument is, as far as it can be checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(in crate::cli) enum Kind {
    #[default]
    Text,
    Integer,
    Double,
    Token,
    OneOf,
    Block,
}

impl Argument {
    /// Whether it can be told by its first word.
    pub(in crate::cli) fn is_fixed(&self) -> bool {
        self.token.is_some()
            || matches!(self.kind, Kind::OneOf | Kind::Block)
                && self.arguments.iter().all(Argument::is_fixed)
    }

    /// The fixed words in it.
    pub(in crate::cli) fn tokens(&self, found: &mut Vec<String>) {
        found.extend(self.token.clone().filter(|token| !token.is_empty()));
        self.arguments.iter().for_each(|part| part.tokens(found));
    }
}

impl Docs {
    /// Asks the server; takes our own where it has no answer.
    pub(in crate::cli) fn load(operator: &mut Operator) -> Docs {
        let asked = (operator.connection.is_some() || operator.connect().is_ok())
            .then(|| operator.quiet_call(&["COMMAND", "DOCS"]));
        let mut docs = Docs::default();
        if let Some(Ok(reply)) = asked {
            for (name, entry) in pairs(&reply) {
                docs.add(&name, entry);
            }
        }
        if docs.commands.is_empty() {
            docs = Docs::own();
        }
        docs.commands.sort_by(|one, other| one.name.cmp(&other.name));
        docs
    }

    /// The descriptions that are built in.
    pub(in crate::cli) fn own() -> Docs {
        let mut docs = Docs::default();
        for row in COMMANDS.iter().copied().flatten() {
            for row in std::iter::once(row).chain(row.subcommands) {
                let parent = row.parent.map(|parent| format!("{parent} ")).unwrap_or_default();
                docs.commands.push(Doc {
                    name: format!("{parent}{}", row.name).to_uppercase(),
                    summary: row.summary.to_owned(),
                    since: row.since.to_owned(),
                    group: row.group.name().to_owned(),
                    arguments: row.args.iter().map(own).collect(),
                });
            }
        }
        docs
    }

    /// The command that words begin with, and how many words its name has.
    pub(in crate::cli) fn find(&self, words: &[Vec<u8>]) -> Option<(&Doc, usize)> {
        let name = |count: usize| {
            let words = words.get(..count).filter(|words| !words.is_empty())?;
            let text = words.iter().map(|word| String::from_utf8_lossy(word).to_uppercase());
            Some(text.collect::<Vec<String>>().join(" "))
        };
        [2, 1].into_iter().find_map(|count| {
            let name = name(count)?;
            self.commands.iter().find(|doc| doc.name == name).map(|doc| (doc, count))
        })
    }

    fn add(&mut self, name: &str, entry: &Value) {
        let mut doc = Doc {
            name: name.to_uppercase().replace('|', " "),
            summary: String::new(),
            since: String::new(),
            group: String::new(),
            arguments: Vec::new(),
        };
        for (field, value) in pairs(entry) {
            match field.as_str() {
                "summary" => doc.summary = text(value),
                "since" => doc.since = text(value),
                "group" => doc.group = text(value),
                "arguments" => doc.arguments = items(value).iter().map(theirs).collect(),
                "subcommands" => {
                    for (name, entry) in pairs(value) {
                        self.add(&name, entry);
                    }
                }
                _ => {}
            }
        }
        self.commands.push(doc);
    }
}

fn own(arg: &Arg) -> Argument {
    Argument {
        name: arg.display_text().unwrap_or(arg.name).to_owned(),
        kind: match arg.kind {
            ArgKind::Integer | ArgKind::UnixTime => Kind::Integer,
            ArgKind::Double => Kind::Double,
            ArgKind::PureToken => Kind::Token,
            ArgKind::OneOf => Kind::OneOf,
            ArgKind::Block => Kind::Block,
            ArgKind::String | ArgKind::Key | ArgKind::Pattern => Kind::Text,
        },
        token: arg.token.map(str::to_owned),
        optional: arg.optional,
        multiple: arg.multiple,
        multiple_token: arg.multiple_token,
        arguments: arg.args.iter().map(own).collect(),
    }
}

fn theirs(value: &Value) -> Argument {
    let mut argument = Argument::default();
    for (field, value) in pairs(value) {
        match field.as_str() {
            "name" if argument.name.is_empty() => argument.name = text(value),
            "display_text" => argument.name = text(value),
            "token" => argument.token = Some(text(value)),
            "arguments" => argument.arguments = items(value).iter().map(theirs).collect(),
            "type" => {
                argument.kind = match text(value).as_str() {
                    "integer" | "unix-time" => Kind::Integer,
                    "double" => Kind::Double,
                    "pure-token" => Kind::Token,
                    "oneof" => Kind::OneOf,
                    "block" => Kind::Block,
                    _ => Kind::Text,
                }
            }
            "flags" => {
                for flag in items(value) {
                    match text(flag).as_str() {
                        "optional" => argument.optional = true,
                        "multiple" => argument.multiple = true,
                        "multiple_token" => argument.multiple_token = true,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    argument
}

fn text(value: &Value) -> String {
    match value {
        Value::Bulk(bytes) | Value::Simple(bytes) => String::from_utf8_lossy(bytes).into_owned(),
        _ => String::new(),
    }
}

fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(items) | Value::Set(items) => items,
        _ => &[],
    }
}

/// A map of either protocol.
fn pairs(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Map(pairs) => pairs.iter().map(|(key, value)| (text(key), value)).collect(),
        value => {
            let (both, _) = items(value).as_chunks::<2>();
            both.iter().map(|[key, value]| (text(key), value)).collect()
        }
    }
}
