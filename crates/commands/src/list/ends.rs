//! Adding elements at an end and taking them from there.
//!
//! [`pop_first`] is one attempt of the commands that may wait, too.

use keyspace::{Class, Kind, Value};
use value::list::End;

use super::{end, new_list};
use crate::args::{PopFirst, at_least};
use crate::{Args, Ctx, Error, reply, typed};

/// LPUSH key element [element ...] - O(1) an element.
pub(super) fn lpush(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    push(ctx, args, End::Left, Some(new_list))
}

/// RPUSH key element [element ...] - O(1) an element.
pub(super) fn rpush(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    push(ctx, args, End::Right, Some(new_list))
}

/// LPUSHX key element [element ...] - O(1) an element.
pub(super) fn lpushx(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    push(ctx, args, End::Left, None)
}

/// RPUSHX key element [element ...] - O(1) an element.
pub(super) fn rpushx(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    push(ctx, args, End::Right, None)
}

fn push(
    ctx: &mut Ctx<'_, '_>,
    args: &Args<'_>,
    end: End,
    make: Option<fn() -> Value>,
) -> Result<(), Error> {
    let (key, elements, limits) = (args[1], args.from(2), &ctx.settings.limits);
    let len = ctx.db.change_object(key, Kind::List, make, |value| {
        let list = typed::list_mut(value);
        let bytes = elements.iter().map(|element| element.len()).sum();
        list.make_room(bytes, elements.len(), limits);
        elements.iter().for_each(|element| list.push(end, element));
        list.len()
    })?;
    if len.is_some() {
        ctx.db.note(Class::LIST, push_event(end), key);
        ctx.db.change.add_dirty(elements.len() as u64);
    }
    ctx.out.int(len.unwrap_or(0) as i64);
    Ok(())
}

/// LPOP key [count] - O(1) an element.
pub(super) fn lpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    pop(ctx, args, End::Left)
}

/// RPOP key [count] - O(1) an element.
pub(super) fn rpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    pop(ctx, args, End::Right)
}

fn pop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, end: End) -> Result<(), Error> {
    if args.len() > 3 {
        return Err(Error::Arity);
    }
    let Some(count) = args.get(2) else {
        if !pop_one(ctx, args[1], end)? {
            ctx.out.null();
        }
        return Ok(());
    };
    let count = at_least(count, 0, spec::error::NOT_POSITIVE)?;
    if pop_many(ctx, args[1], end, count)?.is_none() {
        ctx.out.null_array();
    }
    Ok(())
}

/// Pops an element and writes it; whether there was one.
fn pop_one(ctx: &mut Ctx<'_, '_>, key: &[u8], end: End) -> Result<bool, Error> {
    let (limits, out) = (&ctx.settings.limits, &mut *ctx.out);
    let popped = ctx.db.change_object(key, Kind::List, None, |value| {
        let list = typed::list_mut(value);
        let popped = list.pop(end, |element| reply::element(out, element));
        list.shrink(limits);
        popped.is_some()
    })?;
    if popped != Some(true) {
        return Ok(false);
    }
    note_popped(ctx, key, end, 1);
    Ok(true)
}

/// Pops up to `count` elements and writes an array of them; how many, or `None` without the key.
fn pop_many(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    end: End,
    count: usize,
) -> Result<Option<usize>, Error> {
    let (limits, out) = (&ctx.settings.limits, &mut *ctx.out);
    let popped = ctx.db.change_object(key, Kind::List, None, |value| {
        let list = typed::list_mut(value);
        let len = list.len();
        let count = count.min(len);
        out.array(count);
        if count == 0 {
            return 0;
        }
        match end {
            End::Left => {
                list.range(0, count, |element| reply::element(out, element));
                list.remove_range(0, count);
            }
            End::Right => {
                list.range_back(len - 1, count, |element| reply::element(out, element));
                list.remove_range(len - count, count);
            }
        }
        list.shrink(limits);
        count
    })?;
    if let Some(count) = popped.filter(|count| *count > 0) {
        note_popped(ctx, key, end, count);
    }
    Ok(popped)
}

/// LMPOP numkeys key [key ...] LEFT|RIGHT [COUNT count] - O(N+M) of keys and elements.
pub(super) fn lmpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let PopFirst { keys, end, count } = PopFirst::read(args, 1, end)?;
    if !pop_first(ctx, keys, end, Some(count))? {
        ctx.out.null_array();
    }
    Ok(())
}

/// Pops from the first key that has elements: with a count an array of them behind the key, else
/// one element behind the key. `false`, with nothing written, when no key has any.
pub(super) fn pop_first(
    ctx: &mut Ctx<'_, '_>,
    keys: &[&[u8]],
    end: End,
    count: Option<usize>,
) -> Result<bool, Error> {
    let name: &[u8] = if end == End::Left { b"LPOP" } else { b"RPOP" };
    for key in keys {
        match ctx.db.reach(key) {
            Some(entry) => typed::list(&entry)?,
            None => continue,
        };
        ctx.out.array(2);
        ctx.out.bulk(key);
        match count {
            Some(count) => {
                let popped = pop_many(ctx, key, end, count)?.unwrap_or(0);
                let mut text = value::number::Text::new();
                ctx.db.propagate(&[name, key, text.of(popped as i64)]);
            }
            None => {
                pop_one(ctx, key, end)?;
                ctx.db.propagate(&[name, key]);
            }
        }
        return Ok(true);
    }
    Ok(false)
}

/// What follows when elements were taken from an end.
pub(super) fn note_popped(ctx: &mut Ctx<'_, '_>, key: &[u8], end: End, count: usize) {
    let event = if end == End::Left { "lpop" } else { "rpop" };
    ctx.db.note(Class::LIST, event, key);
    ctx.db.drop_vacant(key);
    ctx.db.change.add_dirty(count as u64);
}

pub(super) fn push_event(end: End) -> &'static str {
    if end == End::Left { "lpush" } else { "rpush" }
}
