//! Numbers kept in strings: INCR and its relatives.

use keyspace::{Class, Entry, NewValue, Ttl, ValueRef, Wants};

use super::{check, with_text};
use crate::float80::Float80;
use crate::{Args, Ctx, Error};

/// INCR key - O(1).
pub(super) fn incr(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    add(ctx, args[1], 1)
}

/// DECR key - O(1).
pub(super) fn decr(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    add(ctx, args[1], -1)
}

/// INCRBY key increment - O(1).
pub(super) fn incrby(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    add(ctx, args[1], args.int(2)?)
}

/// DECRBY key decrement - O(1).
pub(super) fn decrby(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let Some(increment) = args.int(2)?.checked_neg() else {
        return Err(Error::Text("ERR decrement would overflow"));
    };
    add(ctx, args[1], increment)
}

/// INCRBYFLOAT key increment - O(1).
pub(super) fn incrbyfloat(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let key = args[1];
    let former = match ctx.db.peek(key) {
        Some(entry) => float_of(&entry)?,
        None => Float80::ZERO,
    };
    let increment = Float80::parse(args[2]).ok_or(Error::NotFloat)?;
    let sum = match former.add(increment) {
        Some(sum) if !sum.is_infinite() => sum,
        _ => return Err(Error::Text(spec::error::NAN_OR_INFINITY)),
    };
    let mut text = Vec::with_capacity(32);
    sum.write(&mut text);
    ctx.db.rewrite(key, NewValue::Bytes(&text), Ttl::Keep);
    ctx.db.change.add_dirty(1);
    ctx.db.note(Class::STRING, "incrbyfloat", key);
    ctx.out.bulk(&text);
    if ctx.db.change.wants(Wants::LOG) {
        ctx.db.propagate(&[b"SET", key, &text, b"KEEPTTL"]);
    }
    Ok(())
}

/// The integer that a string is the text of.
pub(super) fn int_of(entry: &Entry) -> Result<i64, Error> {
    check(entry)?;
    if let ValueRef::Int(number) = entry.value() {
        return Ok(number);
    }
    with_text(entry, resp::number::parse_i64)?.ok_or(Error::NotInteger)
}

/// The number that a string is the text of.
pub(super) fn float_of(entry: &Entry) -> Result<Float80, Error> {
    match entry.value() {
        ValueRef::Object(_) => Err(Error::WrongType),
        ValueRef::Int(number) => Ok(Float80::from_i64(number)),
        ValueRef::Inline(text) | ValueRef::Shared(text) => {
            Float80::parse(text).ok_or(Error::NotFloat)
        }
    }
}

/// Makes an entry's value an integer, in place when it is one already.
pub(super) fn put_int(entry: &mut Entry, number: i64) {
    if !entry.set_int_in_place(number) {
        entry.set_value(NewValue::Int(number));
    }
}

fn add(ctx: &mut Ctx<'_, '_>, key: &[u8], increment: i64) -> Result<(), Error> {
    let changed: Option<Result<i64, Error>> = ctx.db.edit(key, |entry| {
        let sum = int_of(entry)?.checked_add(increment).ok_or(Error::Overflow)?;
        put_int(entry, sum);
        Ok(sum)
    });
    let sum = match changed {
        Some(sum) => sum?,
        None => {
            ctx.db.set(key, NewValue::Int(increment), Ttl::Never);
            increment
        }
    };
    ctx.db.change.add_dirty(1);
    ctx.db.note(Class::STRING, "incrby", key);
    ctx.out.int(sum);
    Ok(())
}
