//! Streams: entries under ascending ids, and groups of consumers that share reading them.

use keyspace::{Db, Kind, Value};
use resp::Writer;
use value::stream::{Entry, Group, Id, IdText, Stream};

use crate::args::c_text;
use crate::{Args, Ctx, Error, Handler, reply, typed};

mod add;
mod claim;
mod delete;
mod group;
mod info;
mod journal;
mod pending;
mod range;
mod read;
mod release;
mod request;
mod trim;

pub(crate) const HANDLERS: &[(&str, Handler)] = &[
    ("xack", release::xack),
    ("xackdel", delete::xackdel),
    ("xadd", add::xadd),
    ("xautoclaim", claim::xautoclaim),
    ("xcfgset", request::xcfgset),
    ("xclaim", claim::xclaim),
    ("xdel", delete::xdel),
    ("xdelex", delete::xdelex),
    ("xgroup|create", group::create),
    ("xgroup|createconsumer", group::create_consumer),
    ("xgroup|delconsumer", group::delete_consumer),
    ("xgroup|destroy", group::destroy),
    ("xgroup|help", group::help),
    ("xgroup|setid", group::set_id),
    ("xidmprecord", request::xidmprecord),
    ("xinfo|consumers", info::consumers),
    ("xinfo|groups", info::groups),
    ("xinfo|help", info::help),
    ("xinfo|stream", info::stream),
    ("xlen", range::xlen),
    ("xnack", release::xnack),
    ("xpending", pending::xpending),
    ("xrange", range::xrange),
    ("xread", read::xread),
    ("xreadgroup", read::xreadgroup),
    ("xrevrange", range::xrevrange),
    ("xsetid", add::xsetid),
    ("xtrim", trim::xtrim),
];

const INVALID_ID: Error = Error::Text("ERR Invalid stream ID specified as stream command argument");

/// An id, with zero for a missing number.
fn id(text: &[u8]) -> Result<Id, Error> {
    Id::parse(text, 0).ok_or(INVALID_ID)
}

/// Several ids.
fn ids(texts: &[&[u8]]) -> Result<Vec<Id>, Error> {
    texts.iter().map(|text| id(text)).collect()
}

/// The lower bound of a range: an id, `-`, `+`, or what is above `(id`.
fn start_bound(text: &[u8]) -> Result<Id, Error> {
    match text {
        [b'(', rest @ ..] if !rest.is_empty() => Id::parse(rest, 0)
            .ok_or(INVALID_ID)?
            .next()
            .ok_or(Error::Text("ERR invalid start ID for the interval")),
        text => Id::parse_bound(text, 0).ok_or(INVALID_ID),
    }
}

/// The upper bound of a range: an id, `-`, `+`, or what is below `(id`.
fn end_bound(text: &[u8]) -> Result<Id, Error> {
    match text {
        [b'(', rest @ ..] if !rest.is_empty() => Id::parse(rest, u64::MAX)
            .ok_or(INVALID_ID)?
            .prev()
            .ok_or(Error::Text("ERR invalid end ID for the interval")),
        text => Id::parse_bound(text, u64::MAX).ok_or(INVALID_ID),
    }
}

/// Calls `work` with the stream under a key, if there is one: a read.
fn look<R>(
    db: &mut Db<'_, '_>,
    key: &[u8],
    work: impl FnOnce(Option<&Stream>) -> R,
) -> Result<R, Error> {
    let Some(entry) = db.read(key) else { return Ok(work(None)) };
    Ok(work(Some(typed::stream(&entry)?)))
}

/// Changes the stream under a key, if there is one; the work may write the reply meanwhile. The
/// caller records what it did.
fn update<R>(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    work: impl FnOnce(&mut Writer, &mut Stream) -> R,
) -> Result<Option<R>, Error> {
    let out = &mut *ctx.out;
    let done = ctx
        .db
        .change_object(key, Kind::Stream, None, |value| work(out, typed::stream_mut(value)))?;
    Ok(done)
}

/// A stream where there is none.
fn make() -> Value {
    Value::Stream(Box::default())
}

/// Refuses a command on a group that does not exist, or whose key does not.
fn need_group(ctx: &mut Ctx<'_, '_>, key: &[u8], group: &[u8]) -> Result<(), Error> {
    let found = look(&mut ctx.db, key, |stream| stream.is_some_and(|s| s.group(group).is_some()))?;
    if found { Ok(()) } else { Err(no_group(ctx.out, key, group, b"")) }
}

/// The group of a stream that was checked to have it.
fn group_of<'a>(stream: &'a mut Stream, name: &[u8]) -> &'a mut Group {
    stream.group_mut(name).expect("the group was looked for before")
}

/// Writes that a key or its group is missing; `more` ends the sentence.
fn no_group(out: &mut Writer, key: &[u8], group: &[u8], more: &[u8]) -> Error {
    let line: [&[u8]; 6] = [
        b"NOGROUP No such key '",
        c_text(key),
        b"' or consumer group '",
        c_text(group),
        b"'",
        more,
    ];
    out.error_bytes(&line.concat());
    Error::Written
}

/// Writes that a group is missing from a key that is there.
fn no_such_group(out: &mut Writer, key: &[u8], group: &[u8]) -> Error {
    let line: [&[u8]; 5] = [
        b"NOGROUP No such consumer group '",
        c_text(group),
        b"' for key name '",
        c_text(key),
        b"'",
    ];
    out.error_bytes(&line.concat());
    Error::Written
}

/// Writes that a subcommand does not take these arguments.
fn wrong_subcommand(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Error {
    let container = c_text(args[0]).to_ascii_uppercase();
    let named = c_text(args[1]);
    let line: [&[u8]; 5] = [
        spec::error::WRONG_SUBCOMMAND.as_bytes(),
        &named[..named.len().min(128)],
        b"'. Try ",
        &container,
        b" HELP.",
    ];
    ctx.out.error_bytes(&line.concat());
    Error::Written
}

/// Writes an id.
#[inline]
fn write_id(out: &mut Writer, id: Id) {
    out.bulk(IdText::new().of(id));
}

/// Writes an entry's id and its fields: an array of two.
fn write_entry(out: &mut Writer, entry: &Entry<'_>) {
    out.array(2);
    write_id(out, entry.id());
    write_fields(out, entry);
}

/// Writes an entry's fields and values.
fn write_fields(out: &mut Writer, entry: &Entry<'_>) {
    out.array(entry.len() * 2);
    for (name, value) in entry.pairs() {
        reply::element(out, name);
        reply::element(out, value);
    }
}

/// Writes a number, or null where it is not known.
fn write_known(out: &mut Writer, value: Option<i64>) {
    match value {
        Some(value) => out.int(value),
        None => out.null(),
    }
}
