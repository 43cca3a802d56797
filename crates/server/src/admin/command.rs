//! COMMAND: what this server's commands are, from their rows. A command is named when it works.

mod docs;
mod info;

use commands::{Args, Error, glob};
use spec::acl::Acl;
use spec::command::{Flags, KeyFlags};
use spec::error;

use super::help::help as help_of;
use crate::call::Call;
use crate::keys;
use crate::rows::{Row, Rows, SessionHandler};

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[
    ("command", command),
    ("command|count", count),
    ("command|docs", docs::docs),
    ("command|getkeys", getkeys),
    ("command|getkeysandflags", getkeysandflags),
    ("command|help", help),
    ("command|info", command_info),
    ("command|list", list),
];

/// The row that a name means: of a command, or `container|subcommand`.
fn find<'r>(rows: &'r Rows, name: &[u8]) -> Option<&'r Row> {
    let mut parts = name.split(|byte| *byte == b'|');
    let row = rows.find(parts.next().unwrap_or_default())?;
    match (parts.next(), parts.next()) {
        (None, _) => Some(row),
        (Some(sub), None) => rows.subcommand(row, sub),
        (Some(_), Some(_)) => None,
    }
}

/// The working commands that have a name, in the order of the table and without subcommands.
fn top_level(rows: &Rows) -> Vec<&Row> {
    let mut all: Vec<_> = rows.top_level().map(|(_, row)| row).collect();
    all.sort_unstable_by_key(|row| row.id);
    all
}

/// COMMAND - O(N) where N is the number of commands.
fn command(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let rows = &call.server.rows;
    let all = top_level(rows);
    call.out.array(all.len());
    for row in all {
        info::write(rows, row, call.out);
    }
    Ok(())
}

/// COMMAND COUNT - O(1).
fn count(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.out.int(call.server.rows.top_level().len() as i64);
    Ok(())
}

/// COMMAND INFO \[name ...\] - O(N) where N is the number of names.
fn command_info(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if args.len() == 2 {
        return command(call, args);
    }
    let rows = &call.server.rows;
    call.out.array(args.len() - 2);
    for name in args.from(2) {
        match find(rows, name) {
            Some(row) => info::write(rows, row, call.out),
            None => call.out.null(),
        }
    }
    Ok(())
}

/// What COMMAND LIST leaves out.
enum Filter<'a> {
    Nothing,
    Everything,
    Category(Acl),
    Pattern(&'a [u8]),
}

impl<'a> Filter<'a> {
    fn read(args: &Args<'a>) -> Result<Self, Error> {
        let mut cursor = args.cursor(2);
        if cursor.left() == 0 {
            return Ok(Self::Nothing);
        }
        if !cursor.accept("filterby") {
            return Err(Error::Syntax);
        }
        let filter = if cursor.accept("module") {
            cursor.value()?;
            Self::Everything
        } else if cursor.accept("aclcat") {
            let name = cursor.value()?;
            let is_it = |known: &&(Acl, &str)| name.eq_ignore_ascii_case(known.1.as_bytes());
            match Acl::NAMES.iter().find(is_it) {
                Some((category, _)) => Self::Category(*category),
                None => Self::Everything,
            }
        } else if cursor.accept("pattern") {
            Self::Pattern(cursor.value()?)
        } else {
            return Err(Error::Syntax);
        };
        cursor.end().map(|()| filter)
    }

    fn lets_pass(&self, row: &Row) -> bool {
        match self {
            Self::Nothing => true,
            Self::Everything => false,
            Self::Category(category) => row.spec.acl.contains(*category),
            Self::Pattern(pattern) => glob::matches(pattern, row.name.as_bytes(), true),
        }
    }
}

/// COMMAND LIST \[FILTERBY MODULE name | ACLCAT category | PATTERN pattern\] - O(N) where N is the
/// number of commands.
fn list(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let filter = Filter::read(args)?;
    let rows = &call.server.rows;
    let with_subcommands = top_level(rows)
        .into_iter()
        .flat_map(|row| std::iter::once(row).chain(rows.subcommands(row)))
        .filter(|row| filter.lets_pass(row));
    let mut count = 0;
    let array = call.out.array_later();
    for row in with_subcommands {
        call.out.bulk(row.name.as_bytes());
        count += 1;
    }
    call.out.finish(array, count);
    Ok(())
}

/// The keys of a complete command, with what happens to each.
fn keys_of<'a>(
    call: &Call<'_, '_>,
    args: &Args<'a>,
) -> Result<Vec<(&'a [u8], KeyFlags)>, &'static str> {
    let rows = &call.server.rows;
    let argv = args.from(2);
    let mut row = rows.find(argv[0]).ok_or(error::GETKEYS_COMMAND)?;
    if let Some(sub) = argv.get(1)
        && !row.spec.subcommands.is_empty()
    {
        row = rows.subcommand(row, sub).ok_or(error::GETKEYS_COMMAND)?;
    }
    if row.spec.keys.iter().all(|spec| spec.flags.contains(KeyFlags::NOT_KEY)) {
        return Err(error::GETKEYS_WITHOUT_KEYS);
    }
    if !row.takes(argv.len()) {
        return Err(error::GETKEYS_ARITY);
    }
    let mut found = Vec::new();
    let told = keys::positions(row.spec, argv, |at, flags| {
        found.push((argv[at], keys::actual_flags(row.spec.group, flags, argv)));
    });
    // What only the command's own parser can find is missing then: the rows say `incomplete`.
    let known = told.is_ok() || told == Err(keys::KeysError::Unknown);
    if known && !found.is_empty() {
        return Ok(found);
    }
    if row.has(Flags::NO_MANDATORY_KEYS) { Ok(Vec::new()) } else { Err(error::GETKEYS_ARGUMENTS) }
}

/// COMMAND GETKEYS command \[arg ...\] - O(N) where N is the number of arguments.
fn getkeys(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let keys = keys_of(call, args).map_err(Error::Text)?;
    call.out.array(keys.len());
    for (key, _) in keys {
        call.out.bulk(key);
    }
    Ok(())
}

/// COMMAND GETKEYSANDFLAGS command \[arg ...\] - O(N) where N is the number of arguments.
fn getkeysandflags(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let keys = keys_of(call, args).map_err(Error::Text)?;
    call.out.array(keys.len());
    for (key, flags) in keys {
        call.out.array(2);
        call.out.bulk(key);
        info::write_key_flags(flags, call.out);
    }
    Ok(())
}

/// COMMAND HELP - O(1).
fn help(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let lines = [
        "(no subcommand)",
        "    Describe all commands.",
        "COUNT",
        "    Count the commands.",
        "DOCS [<command-name> ...]",
        "    Explain the named commands and their arguments, or all of them.",
        "GETKEYS <full-command>",
        "    Find the keys in a complete command.",
        "GETKEYSANDFLAGS <full-command>",
        "    Find the keys in a complete command, and tell what happens to each.",
        "INFO [<command-name> ...]",
        "    Describe the named commands, or all of them.",
        "LIST [FILTERBY (MODULE <name> | ACLCAT <category> | PATTERN <pattern>)]",
        "    Name the commands, all or those of a module, a category or a pattern.",
    ];
    help_of(call, &lines)
}
