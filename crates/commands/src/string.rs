//! Strings: what each command of the group does, the common ones here and the rest by family.
//!
//! A string is kept as an integer when its text is the canonical form of one, inside its entry
//! when it is short, and apart when it is long; replies share the bytes of what is really long.
//! Nothing here knows how an entry is laid out.

use keyspace::{Class, Entry, INLINE_MAX, Kind, NewValue, Ttl, ValueRef, Wants};
use resp::Writer;

use crate::{Args, Ctx, Error, Handler};

mod compare;
mod counter;
mod edit;
mod expiry;
mod increx;
mod lcs;
mod many;
mod range;
mod set;

pub(crate) use edit::{change_bytes, change_text, store};

#[cfg(test)]
mod tests;

pub(crate) const HANDLERS: &[(&str, Handler)] = &[
    ("append", range::append),
    ("decr", counter::decr),
    ("decrby", counter::decrby),
    ("delex", compare::delex),
    ("delifeq", compare::delifeq),
    ("digest", compare::digest),
    ("get", get),
    ("getdel", getdel),
    ("getex", set::getex),
    ("getrange", range::getrange),
    ("getset", getset),
    ("incr", counter::incr),
    ("incrby", counter::incrby),
    ("incrbyfloat", counter::incrbyfloat),
    ("increx", increx::increx),
    ("lcs", lcs::lcs),
    ("mget", many::mget),
    ("mset", many::mset),
    ("msetex", many::msetex),
    ("msetnx", many::msetnx),
    ("psetex", set::psetex),
    ("set", set::set),
    ("setex", set::setex),
    ("setnx", set::setnx),
    ("setrange", range::setrange),
    ("strlen", strlen),
    ("substr", range::getrange),
];

/// From this length on a reply shares the string's bytes: below, copying costs less than the
/// bookkeeping, and than the copy that a change would need while the reply is on its way.
const SHARED_REPLY_MIN: usize = 16 << 10;

/// The longest text of a 64-bit integer.
const INT_TEXT_MAX: usize = 20;

/// GET key - O(1).
fn get(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    match ctx.db.read(args[1]) {
        Some(entry) => reply(ctx.out, &entry),
        None => {
            ctx.out.null();
            Ok(())
        }
    }
}

/// STRLEN key - O(1).
fn strlen(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let len = match ctx.db.read(args[1]) {
        Some(entry) => with_text(&entry, <[u8]>::len)?,
        None => 0,
    };
    ctx.out.int(len as i64);
    Ok(())
}

/// GETDEL key - O(1).
fn getdel(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let key = args[1];
    let Some(entry) = ctx.db.read(key) else {
        ctx.out.null();
        return Ok(());
    };
    reply(ctx.out, &entry)?;
    delete(ctx, key);
    Ok(())
}

/// GETSET key value - O(1).
fn getset(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let key = args[1];
    get(ctx, args)?;
    ctx.db.set(key, value_of(args, 2), Ttl::Never);
    ctx.db.change.add_dirty(1);
    ctx.db.note(Class::STRING, "set", key);
    if ctx.db.change.wants(Wants::LOG) {
        ctx.db.propagate(&[b"SET", key, args[2]]);
    }
    Ok(())
}

/// Deletes a key that exists, as DEL does.
fn delete(ctx: &mut Ctx<'_, '_>, key: &[u8]) {
    drop(ctx.db.take(key));
    ctx.db.change.add_dirty(1);
    ctx.db.note(Class::GENERIC, "del", key);
    ctx.db.propagate(&[b"DEL", key]);
}

/// Refuses every type but strings.
fn check(entry: &Entry) -> Result<(), Error> {
    if entry.kind() == Kind::String { Ok(()) } else { Err(Error::WrongType) }
}

/// Replies with a string.
#[inline]
fn reply(out: &mut Writer, entry: &Entry) -> Result<(), Error> {
    match entry.value() {
        ValueRef::Object(_) => return Err(Error::WrongType),
        ValueRef::Inline(bytes) => out.bulk(bytes),
        ValueRef::Int(number) => out.bulk_int(number),
        ValueRef::Shared(bytes) => match entry.shared() {
            Some(shared) if bytes.len() >= SHARED_REPLY_MIN => out.bulk_shared(&shared),
            _ => out.bulk(bytes),
        },
    }
    Ok(())
}

/// Hands a string's bytes to `work`.
pub(crate) fn with_text<R>(entry: &Entry, work: impl FnOnce(&[u8]) -> R) -> Result<R, Error> {
    Ok(match entry.value() {
        ValueRef::Object(_) => return Err(Error::WrongType),
        ValueRef::Inline(bytes) | ValueRef::Shared(bytes) => work(bytes),
        ValueRef::Int(number) => work(itoa::Buffer::new().format(number).as_bytes()),
    })
}

/// An argument as a value: an integer when it is the text of one, and a big one as it is, without
/// copying it.
#[inline]
fn value_of<'a>(args: &Args<'a>, index: usize) -> NewValue<'a> {
    let bytes = args[index];
    if bytes.len() <= INT_TEXT_MAX {
        return match resp::number::parse_i64(bytes) {
            Some(number) => NewValue::Int(number),
            None => NewValue::Bytes(bytes),
        };
    }
    if bytes.len() > INLINE_MAX
        && let Some(shared) = args.shared(index)
    {
        return NewValue::Shared(shared);
    }
    NewValue::Bytes(bytes)
}
