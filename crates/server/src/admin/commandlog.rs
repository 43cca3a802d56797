//! SLOWLOG and COMMANDLOG: what the logs of commands hold.

use commands::{Args, Error};

use crate::admin::help::help;
use crate::call::Call;
use crate::commandlog::Kind;
use crate::rows::SessionHandler;

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[
    ("commandlog|get", commandlog_get),
    ("commandlog|help", commandlog_help),
    ("commandlog|len", commandlog_len),
    ("commandlog|reset", commandlog_reset),
    ("slowlog|get", slowlog_get),
    ("slowlog|help", slowlog_help),
    ("slowlog|len", slowlog_len),
    ("slowlog|reset", slowlog_reset),
];

/// Entries that SLOWLOG GET shows when it is not told how many.
const COUNT: usize = 10;

/// SLOWLOG GET \[count\] - O(N) with N entries.
fn slowlog_get(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let count = match args.from(2) {
        [] => COUNT,
        [_] => count(args, 2)?,
        _ => {
            return call.fail(
                "ERR unknown subcommand or wrong number of arguments for 'GET'. \
                 Try SLOWLOG HELP.",
            );
        }
    };
    show(call, Kind::Slow, count);
    Ok(())
}

/// SLOWLOG LEN - O(1).
fn slowlog_len(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.out.int(call.server.commandlog.len(Kind::Slow) as i64);
    Ok(())
}

/// SLOWLOG RESET - O(N) with N entries.
fn slowlog_reset(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.server.commandlog.reset(Kind::Slow);
    call.out.ok();
    Ok(())
}

/// SLOWLOG HELP - O(1).
fn slowlog_help(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    help(call, SLOWLOG_HELP)
}

/// COMMANDLOG GET count type - O(N) with N entries.
fn commandlog_get(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let kind = kind(args[3])?;
    let count = count(args, 2)?;
    show(call, kind, count);
    Ok(())
}

/// COMMANDLOG LEN type - O(1).
fn commandlog_len(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    call.out.int(call.server.commandlog.len(kind(args[2])?) as i64);
    Ok(())
}

/// COMMANDLOG RESET type - O(N) with N entries.
fn commandlog_reset(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    call.server.commandlog.reset(kind(args[2])?);
    call.out.ok();
    Ok(())
}

/// COMMANDLOG HELP - O(1).
fn commandlog_help(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    help(call, COMMANDLOG_HELP)
}

fn kind(word: &[u8]) -> Result<Kind, Error> {
    match word.to_ascii_lowercase().as_slice() {
        b"slow" => Ok(Kind::Slow),
        b"large-request" => Ok(Kind::LargeRequest),
        b"large-reply" => Ok(Kind::LargeReply),
        _ => Err(Error::Text(
            "ERR type should be one of the following: slow, large-request, large-reply",
        )),
    }
}

/// How many entries are asked for; -1 is all.
fn count(args: &Args<'_>, at: usize) -> Result<usize, Error> {
    match args.int(at) {
        Ok(-1) => Ok(usize::MAX),
        Ok(count) if count >= 0 => Ok(count as usize),
        _ => Err(Error::Text("ERR count should be greater than or equal to -1")),
    }
}

fn show(call: &mut Call<'_, '_>, kind: Kind, count: usize) {
    let entries = call.server.commandlog.newest(kind, count);
    call.out.array(entries.len());
    for entry in entries {
        call.out.array(6);
        call.out.int(entry.id as i64);
        call.out.int(entry.seconds);
        call.out.int(entry.figure as i64);
        call.out.array(entry.argv.len());
        entry.argv.iter().for_each(|arg| call.out.bulk(arg));
        call.out.bulk(entry.addr.as_bytes());
        call.out.bulk(&entry.name);
    }
}

const SLOWLOG_HELP: &[&str] = &[
    "GET [<count>]",
    "    The newest entries (10 when no count is given, -1 for all), each with its",
    "    id, Unix time, microseconds, arguments, client address and client name.",
    "LEN",
    "    How many entries there are.",
    "RESET",
    "    Forget all entries.",
];

const COMMANDLOG_HELP: &[&str] = &[
    "GET <count> <type>",
    "    The newest entries of a log (-1 for all), each with its id, Unix time,",
    "    figure, arguments, client address and client name. The figure is in",
    "    microseconds for the type slow, in bytes for large-request and large-reply.",
    "LEN <type>",
    "    How many entries a log has.",
    "RESET <type>",
    "    Forget the entries of a log.",
];
