//! XGROUP: making and removing groups and their consumers, and moving groups.

use keyspace::{Class, Kind};
use value::stream::{Group, Id, Stream};

use super::{group_of, id, look, make, no_such_group, update, wrong_subcommand};
use crate::args::is;
use crate::{Args, Ctx, Error, typed};

const NO_KEY: Error = Error::Text(
    "ERR The XGROUP subcommand requires the key to exist. Note that for CREATE you may want to \
     use the MKSTREAM option to create an empty stream automatically.",
);
const BUSY: Error = Error::Text("BUSYGROUP Consumer Group name already exists");

/// XGROUP CREATE key group <id | $> [MKSTREAM] [ENTRIESREAD entries-read] - O(1).
pub(super) fn create(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (make_stream, read) = options(ctx, args, true)?;
    let (key, name) = (args[2], args[3]);
    let exists = look_at(ctx, key)?;
    if !exists && !make_stream {
        return Err(NO_KEY);
    }
    if args.len() > 8 {
        return Err(wrong_subcommand(ctx, args));
    }
    let start = if args[4] == b"$" { None } else { Some(id(args[4])?) };
    let made = ctx.db.change_object(key, Kind::Stream, Some(make), |value| {
        let stream = typed::stream_mut(value);
        let last_id = start.unwrap_or(stream.last_id());
        stream.add_group(name, Group::new(last_id, capped(stream, read)))
    })?;
    if made != Some(true) {
        return Err(BUSY);
    }
    ctx.db.change.add_dirty(1);
    ctx.db.note_beside(Class::STREAM, "xgroup-create", key);
    ctx.out.ok();
    Ok(())
}

/// XGROUP SETID key group <id | $> [ENTRIESREAD entries-read] - O(1).
pub(super) fn set_id(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (_, read) = options(ctx, args, false)?;
    check_group(ctx, args)?;
    if args.len() > 7 {
        return Err(wrong_subcommand(ctx, args));
    }
    let start = match args[4] {
        b"$" => None,
        text => Some(Id::parse_bound(text, 0).ok_or(super::INVALID_ID)?),
    };
    update(ctx, args[2], |_, stream| {
        let (last_id, read) = (start.unwrap_or(stream.last_id()), capped(stream, read));
        let group = group_of(stream, args[3]);
        (group.last_id, group.entries_read) = (last_id, read);
    })?;
    ctx.db.change.add_dirty(1);
    ctx.db.note_beside(Class::STREAM, "xgroup-setid", args[2]);
    ctx.out.ok();
    Ok(())
}

/// XGROUP DESTROY key group - O(N) of its pending entries.
pub(super) fn destroy(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if !look_at(ctx, args[2])? {
        return Err(NO_KEY);
    }
    let removed = update(ctx, args[2], |_, stream| stream.remove_group(args[3]))? == Some(true);
    if removed {
        ctx.db.change.add_dirty(1);
        ctx.db.note_beside(Class::STREAM, "xgroup-destroy", args[2]);
    }
    ctx.out.int(removed.into());
    Ok(())
}

/// XGROUP CREATECONSUMER key group consumer - O(1).
pub(super) fn create_consumer(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    check_group(ctx, args)?;
    let now_ms = ctx.now_ms();
    let made = update(ctx, args[2], |_, stream| {
        let (_, made) = group_of(stream, args[3]).ensure(args[4], now_ms);
        made
    })?;
    let made = made == Some(true);
    if made {
        ctx.db.change.add_dirty(1);
        ctx.db.note_beside(Class::STREAM, "xgroup-createconsumer", args[2]);
    }
    ctx.out.int(made.into());
    Ok(())
}

/// XGROUP DELCONSUMER key group consumer - O(N) of its pending entries.
pub(super) fn delete_consumer(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    check_group(ctx, args)?;
    let removed = update(ctx, args[2], |_, stream| group_of(stream, args[3]).remove(args[4]))?;
    let removed = removed.flatten();
    if removed.is_some() {
        ctx.db.change.add_dirty(1);
        ctx.db.note_beside(Class::STREAM, "xgroup-delconsumer", args[2]);
    }
    ctx.out.int(removed.unwrap_or(0) as i64);
    Ok(())
}

/// XGROUP HELP - O(1).
pub(super) fn help(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let container = String::from_utf8_lossy(args[0]);
    crate::help(
        ctx.out,
        &container,
        &[
            "CREATE <key> <group> <id|$> [MKSTREAM] [ENTRIESREAD <count>]",
            "    Make a group that reads from behind the id on; MKSTREAM makes the stream too.",
            "CREATECONSUMER <key> <group> <consumer>",
            "    Make a consumer of the group.",
            "DELCONSUMER <key> <group> <consumer>",
            "    Remove a consumer with its pending entries.",
            "DESTROY <key> <group>",
            "    Remove a group.",
            "SETID <key> <group> <id|$> [ENTRIESREAD <count>]",
            "    Have a group read from behind the id on.",
        ],
    );
    Ok(())
}

/// `[MKSTREAM] [ENTRIESREAD entries-read]` from argument 5 on.
fn options(
    ctx: &mut Ctx<'_, '_>,
    args: &Args<'_>,
    creates: bool,
) -> Result<(bool, Option<i64>), Error> {
    let (mut make_stream, mut read) = (false, None);
    let mut at = 5;
    while at < args.len() {
        if creates && is(args[at], "MKSTREAM") {
            make_stream = true;
            at += 1;
        } else if is(args[at], "ENTRIESREAD") && at + 1 < args.len() {
            read = match args.int(at + 1)? {
                -1 => None,
                count @ 0.. => Some(count),
                _ => {
                    return Err(Error::Text("ERR value for ENTRIESREAD must be positive or -1"));
                }
            };
            at += 2;
        } else {
            return Err(wrong_subcommand(ctx, args));
        }
    }
    Ok((make_stream, read))
}

/// No group has read more entries than were ever added.
fn capped(stream: &Stream, read: Option<i64>) -> Option<i64> {
    read.map(|read| read.min(stream.entries_added() as i64))
}

/// Whether there is a stream, counted neither as hit nor as miss.
fn look_at(ctx: &mut Ctx<'_, '_>, key: &[u8]) -> Result<bool, Error> {
    let Some(entry) = ctx.db.reach(key) else { return Ok(false) };
    typed::stream(&entry)?;
    Ok(true)
}

fn check_group(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if !look_at(ctx, args[2])? {
        return Err(NO_KEY);
    }
    let found = look(&mut ctx.db, args[2], |stream| {
        stream.is_some_and(|stream| stream.group(args[3]).is_some())
    })?;
    if found { Ok(()) } else { Err(no_such_group(ctx.out, args[2], args[3])) }
}
