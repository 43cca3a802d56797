//! OBJECT: the inside of a value.

use keyspace::usage::Usage;
use keyspace::{Entry, ValueRef};

use crate::{Args, Ctx, Error};

/// The longest string whose bytes stand beside its header in Redis and Valkey.
const EMBSTR_MAX: usize = 44;

/// OBJECT ENCODING key - O(1).
pub(super) fn encoding(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    match ctx.db.examine(args[2]) {
        Some(entry) => ctx.out.bulk(encoding_of(&entry).as_bytes()),
        None => ctx.out.null(),
    }
    Ok(())
}

/// OBJECT FREQ key - O(1).
pub(super) fn freq(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let stamp = ctx.db.stamp();
    match ctx.db.examine(args[2]) {
        Some(entry) if ctx.settings.usage == Usage::Frequency => {
            ctx.out.int(stamp.counter(entry.access()).into());
        }
        Some(_) => return Err(Error::Text(spec::error::NOT_LFU)),
        None => ctx.out.null(),
    }
    Ok(())
}

/// OBJECT IDLETIME key - O(1).
pub(super) fn idletime(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let stamp = ctx.db.stamp();
    let counts = matches!(ctx.settings.usage, Usage::Frequency | Usage::Recurrence);
    match ctx.db.examine(args[2]) {
        Some(_) if counts => return Err(Error::Text(spec::error::NOT_LRU)),
        Some(entry) => ctx.out.int(stamp.idle_s(entry.access()).into()),
        None => ctx.out.null(),
    }
    Ok(())
}

/// OBJECT REFCOUNT key - O(1). Values are not shared between keys.
pub(super) fn refcount(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    match ctx.db.examine(args[2]) {
        Some(_) => ctx.out.int(1),
        None => ctx.out.null(),
    }
    Ok(())
}

/// OBJECT HELP - O(1).
pub(super) fn help(ctx: &mut Ctx<'_, '_>, _args: &Args<'_>) -> Result<(), Error> {
    const LINES: &[&str] = &[
        "ENCODING <key>",
        "    Name the way in which the value is kept in memory.",
        "FREQ <key>",
        "    Tell how often the key is used, as a number that grows with the logarithm of the",
        "    recent accesses. Needs an LFU eviction policy.",
        "IDLETIME <key>",
        "    Tell for about how many seconds the key has not been used.",
        "REFCOUNT <key>",
        "    Tell how many references there are to the value.",
    ];
    crate::help(ctx.out, "object", LINES);
    Ok(())
}

/// What OBJECT ENCODING calls the way an entry's value is kept.
pub fn encoding_of(entry: &Entry) -> &'static str {
    match entry.value() {
        ValueRef::Int(_) => "int",
        ValueRef::Inline(bytes) if bytes.len() <= EMBSTR_MAX && !entry.is_raw() => "embstr",
        ValueRef::Inline(_) | ValueRef::Shared(_) => "raw",
        ValueRef::Object(value) => value.encoding(),
    }
}
