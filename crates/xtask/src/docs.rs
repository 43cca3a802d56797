//! `cargo xtask docs [--check]`: writes `docs/commands.md` from the command table.
//!
//! The page says only what the rows say; a sentence that should change is changed in `spec`. With
//! `--check` nothing is written, and a page that differs from the rows is an error.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use spec::command::{Arg, ArgKind, COMMANDS, Command, Dialect, Group};

const PAGE: &str = "docs/commands.md";

/// Writes the page, or with `--check` compares it.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let check = match args {
        [] => false,
        [flag] if flag == "--check" => true,
        _ => return Err("usage: cargo xtask docs [--check]".to_owned()),
    };
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(PAGE);
    let page = page(&implemented());
    if !check {
        return std::fs::write(&path, page).map_err(|error| format!("{PAGE}: {error}"));
    }
    let found = std::fs::read_to_string(&path).map_err(|error| format!("{PAGE}: {error}"))?;
    if found == page {
        Ok(())
    } else {
        Err(format!("{PAGE} differs from the command table; run `cargo xtask docs`"))
    }
}

/// The full names of the commands that work.
fn implemented() -> BTreeSet<String> {
    server::implemented_commands().into_iter().map(String::from).collect()
}

/// The whole page.
fn page(implemented: &BTreeSet<String>) -> String {
    let works = |row: &Command| implemented.contains(&full_name(row));
    let total = COMMANDS.iter().flat_map(|rows| with_subcommands(rows)).count();
    let working = COMMANDS.iter().flat_map(|rows| with_subcommands(rows)).filter(|r| works(r));
    let mut page = format!(
        "# Commands\n\n\
         Generated from the command table in `crates/spec` by `cargo xtask docs`. {} of {total} \
         commands and subcommands work.\n\n\
         In the syntax, `[x]` may be left out, `<x | y>` is one of several, and what stands before \
         `...` may be repeated. A negative arity is the least number of words, the command's name \
         included. *Redis* or *Valkey* behind a release means that only that server has the \
         command.\n",
        working.count()
    );
    for rows in COMMANDS {
        let rows: Vec<_> = with_subcommands(rows).filter(|row| works(row)).collect();
        if let Some(first) = rows.first() {
            let _ = write!(page, "\n## {}\n\n{}{TABLE_HEAD}", title(first), note(first.group));
            rows.iter().for_each(|row| page.push_str(&table_line(row)));
        }
    }
    let missing: Vec<_> = COMMANDS.iter().filter_map(|rows| missing_line(rows, &works)).collect();
    if !missing.is_empty() {
        page.push_str("\n## Still missing\n\n");
        missing.iter().for_each(|line| page.push_str(line));
    }
    page
}

/// What a reader has to know about all commands of a group that work.
fn note(group: Group) -> &'static str {
    match group {
        Group::Cluster => {
            "There is no cluster yet. These commands say so, as a Redis without one does.\n\n"
        }
        _ => "",
    }
}

const TABLE_HEAD: &str = "| Command | Arity | Syntax | Since | Cost | What it does |\n\
                          |---|---|---|---|---|---|\n";

fn with_subcommands(rows: &'static [Command]) -> impl Iterator<Item = &'static Command> {
    rows.iter().flat_map(|row| std::iter::once(row).chain(row.subcommands))
}

/// As the table of handlers spells it: `client|kill`.
fn full_name(row: &Command) -> String {
    match row.parent {
        Some(parent) => format!("{parent}|{}", row.name),
        None => row.name.to_owned(),
    }
}

/// As people type it: `CLIENT KILL`.
fn typed_name(row: &Command) -> String {
    full_name(row).replace('|', " ").to_uppercase()
}

fn title(row: &Command) -> String {
    let name = row.group.name().replace('-', " ");
    let rest = name.get(1..).unwrap_or_default();
    format!("{}{rest}", name[..1].to_uppercase())
}

fn table_line(row: &Command) -> String {
    let since = match row.dialect {
        Dialect::Both => row.since.to_owned(),
        only => format!("{} *{only:?}*", row.since),
    };
    format!(
        "| {} | {} | {} | {since} | {} | {} |\n",
        typed_name(row),
        row.arity,
        code(&syntax(row)),
        cell(row.complexity),
        cell(row.summary),
    )
}

/// Text in a cell: a bar would end it, an asterisk could begin emphasis.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('*', "\\*")
}

/// Code in a cell: a bar would end it even there.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

fn missing_line(rows: &'static [Command], works: &impl Fn(&Command) -> bool) -> Option<String> {
    let names: Vec<_> = with_subcommands(rows).filter(|row| !works(row)).map(typed_name).collect();
    let first = rows.first()?;
    (!names.is_empty()).then(|| format!("- {}: {}\n", title(first), names.join(", ")))
}

/// The command with its arguments.
fn syntax(row: &Command) -> String {
    let mut words = vec![typed_name(row)];
    match (row.subcommands, row.arity) {
        ([], _) => {}
        (_, -1) => words.push("[subcommand ...]".to_owned()),
        _ => words.push("subcommand ...".to_owned()),
    }
    words.extend(row.args.iter().map(argument));
    words.join(" ")
}

fn argument(arg: &Arg) -> String {
    let value = match arg.kind {
        ArgKind::PureToken => quoted(arg.token.unwrap_or_default()),
        ArgKind::OneOf => choice(arg),
        ArgKind::Block => sequence(arg.args),
        _ => arg.display.unwrap_or(arg.name).to_owned(),
    };
    let prefix = arg.token.filter(|_| arg.kind != ArgKind::PureToken).map(quoted);
    let with_token = |value: &str| match &prefix {
        Some(token) => format!("{token} {value}"),
        None => value.to_owned(),
    };
    let once = with_token(&value);
    let whole = match (arg.multiple, arg.multiple_token, arg.kind) {
        (false, ..) => once,
        (true, true, _) => format!("{once} [{once} ...]"),
        (true, false, ArgKind::OneOf) => format!("{once} ..."),
        (true, false, _) => format!("{once} [{value} ...]"),
    };
    match (arg.optional, arg.kind, &prefix, arg.multiple) {
        (true, ArgKind::OneOf, None, false) => format!("[{}]", alternatives(arg)),
        (true, ..) => format!("[{whole}]"),
        (false, ..) => whole,
    }
}

fn choice(arg: &Arg) -> String {
    format!("<{}>", alternatives(arg))
}

/// Alternatives that may each be left out are optional as a whole, not one by one.
fn alternatives(arg: &Arg) -> String {
    let required = |arg: &Arg| argument(&Arg { optional: false, ..*arg });
    arg.args.iter().map(required).collect::<Vec<_>>().join(" | ")
}

fn sequence(args: &[Arg]) -> String {
    args.iter().map(argument).collect::<Vec<_>>().join(" ")
}

/// A token as typed; the empty one has to be visible.
fn quoted(token: &str) -> String {
    if token.is_empty() { "\"\"".to_owned() } else { token.to_owned() }
}
