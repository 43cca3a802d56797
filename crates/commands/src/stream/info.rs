//! XINFO: what there is to know of streams, groups and consumers.

use resp::Writer;
use value::stream::{Consumer, Group, Id, Stream};

use super::{look, no_such_group, write_entry, write_id, write_known, wrong_subcommand};
use crate::args::is;
use crate::{Args, Ctx, Error};

/// How many entries FULL shows unless told otherwise.
const SHOWN: usize = 10;

/// XINFO STREAM key [FULL [COUNT count]] - O(1), with FULL O(N) of the entries shown.
pub(super) fn stream(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[2], |stream| stream.map(|_| ()).ok_or(Error::NoSuchKey))??;
    let full = match args.from(3) {
        [] => None,
        [full] if is(full, "FULL") => Some(SHOWN),
        [full, count, _] if is(full, "FULL") && is(count, "COUNT") => match args.int(5)? {
            0 => Some(usize::MAX),
            count => Some(usize::try_from(count).unwrap_or(SHOWN)),
        },
        _ => return Err(wrong_subcommand(ctx, args)),
    };
    let out = &mut *ctx.out;
    let Some(entry) = ctx.db.peek(args[2]) else { return Err(Error::NoSuchKey) };
    let stream = crate::typed::stream(&entry)?;
    let requests = if stream.requests().is_some() { 6 } else { 0 };
    out.map(requests + if full.is_some() { 9 } else { 10 });
    marks(out, stream);
    match full {
        None => outline(out, stream),
        Some(shown) => details(out, stream, shown),
    }
    Ok(())
}

/// XINFO GROUPS key - O(N) of the groups.
pub(super) fn groups(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let out = &mut *ctx.out;
    look(&mut ctx.db, args[2], |stream| {
        let stream = stream.ok_or(Error::NoSuchKey)?;
        out.array(stream.groups().len());
        for (name, group) in stream.groups() {
            out.map(6);
            out.bulk(b"name");
            out.bulk(name);
            field(out, "consumers", group.consumers().len() as i64);
            field(out, "pending", group.pending() as i64);
            progress(out, stream, group);
        }
        Ok(())
    })?
}

/// XINFO CONSUMERS key group - O(N) of the consumers.
pub(super) fn consumers(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (now_ms, out) = (ctx.now_ms(), &mut *ctx.out);
    look(&mut ctx.db, args[2], |stream| {
        let group = stream.ok_or(Error::NoSuchKey)?.group(args[3]);
        let Some(group) = group else { return Err(no_such_group(out, args[2], args[3])) };
        out.array(group.consumers().len());
        for consumer in group.consumers() {
            out.map(4);
            out.bulk(b"name");
            out.bulk(consumer.name());
            field(out, "pending", consumer.pending() as i64);
            field(out, "idle", (now_ms - consumer.seen_ms).max(0));
            let inactive = match consumer.active_ms {
                -1 => -1,
                active_ms => now_ms - active_ms,
            };
            field(out, "inactive", inactive);
        }
        Ok(())
    })?
}

/// XINFO HELP - O(1).
pub(super) fn help(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let container = String::from_utf8_lossy(args[0]);
    crate::help(
        ctx.out,
        &container,
        &[
            "CONSUMERS <key> <group>",
            "    Describe the consumers of a group.",
            "GROUPS <key>",
            "    Describe the groups of a stream.",
            "STREAM <key> [FULL [COUNT <count>]]",
            "    Describe a stream; FULL shows entries, groups and what is pending.",
        ],
    );
    Ok(())
}

fn marks(out: &mut Writer, stream: &Stream) {
    field(out, "length", stream.len() as i64);
    field(out, "radix-tree-keys", stream.nodes() as i64);
    field(out, "radix-tree-nodes", stream.nodes() as i64 + 1);
    id_field(out, "last-generated-id", stream.last_id());
    id_field(out, "max-deleted-entry-id", stream.max_deleted_id());
    field(out, "entries-added", stream.entries_added().cast_signed());
    id_field(out, "recorded-first-entry-id", stream.first_id());
    if let Some(requests) = stream.requests() {
        field(out, "idmp-duration", requests.duration_s());
        field(out, "idmp-maxsize", requests.size_max() as i64);
        field(out, "pids-tracked", requests.producers() as i64);
        field(out, "iids-tracked", requests.len() as i64);
        field(out, "iids-added", requests.added().cast_signed());
        field(out, "iids-duplicates", requests.duplicates().cast_signed());
    }
}

fn outline(out: &mut Writer, stream: &Stream) {
    field(out, "groups", stream.groups().len() as i64);
    let first = stream.range(Id::MIN, Id::MAX).next();
    let last = stream.range_back(Id::MIN, Id::MAX).next();
    for (name, entry) in [("first-entry", first), ("last-entry", last)] {
        out.bulk(name.as_bytes());
        match entry {
            Some(entry) => write_entry(out, &entry),
            None => out.null(),
        }
    }
}

fn details(out: &mut Writer, stream: &Stream, shown: usize) {
    out.bulk(b"entries");
    let later = out.array_later();
    let mut entries = 0;
    for entry in stream.range(Id::MIN, Id::MAX).take(shown) {
        write_entry(out, &entry);
        entries += 1;
    }
    out.finish(later, entries);
    out.bulk(b"groups");
    out.array(stream.groups().len());
    for (name, group) in stream.groups() {
        group_details(out, stream, name, group, shown);
    }
}

fn group_details(out: &mut Writer, stream: &Stream, name: &[u8], group: &Group, shown: usize) {
    out.map(8);
    out.bulk(b"name");
    out.bulk(name);
    progress(out, stream, group);
    field(out, "pel-count", group.pending() as i64);
    field(out, "nacked-count", group.released() as i64);
    out.bulk(b"pending");
    out.array(group.pending().min(shown));
    for (&id, nack) in group.nacks(..).take(shown) {
        out.array(4);
        write_id(out, id);
        out.bulk(group.owner_name(nack));
        out.int(nack.time_ms);
        out.int(nack.count.cast_signed());
    }
    out.bulk(b"consumers");
    out.array(group.consumers().len());
    for consumer in group.consumers() {
        consumer_details(out, group, consumer, shown);
    }
}

fn consumer_details(out: &mut Writer, group: &Group, consumer: &Consumer, shown: usize) {
    out.map(5);
    out.bulk(b"name");
    out.bulk(consumer.name());
    field(out, "seen-time", consumer.seen_ms);
    field(out, "active-time", consumer.active_ms);
    field(out, "pel-count", consumer.pending() as i64);
    out.bulk(b"pending");
    out.array(consumer.pending().min(shown));
    let nacks = consumer.ids(..).filter_map(|&id| Some((id, group.nack(id)?)));
    for (id, nack) in nacks.take(shown) {
        out.array(3);
        write_id(out, id);
        out.int(nack.time_ms);
        out.int(nack.count.cast_signed());
    }
}

/// How far a group has read.
fn progress(out: &mut Writer, stream: &Stream, group: &Group) {
    id_field(out, "last-delivered-id", group.last_id);
    out.bulk(b"entries-read");
    write_known(out, group.entries_read);
    out.bulk(b"lag");
    write_known(out, stream.lag(group));
}

fn field(out: &mut Writer, name: &str, value: i64) {
    out.bulk(name.as_bytes());
    out.int(value);
}

fn id_field(out: &mut Writer, name: &str, id: Id) {
    out.bulk(name.as_bytes());
    write_id(out, id);
}
