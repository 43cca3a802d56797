//! Lists. What takes elements from the ends stands in `list/ends.rs`, what moves them to another
//! list in `list/moving.rs`, what looks for elements in `list/search.rs`, what waits for them in
//! `list/waiting.rs`.

use keyspace::{Class, Kind, Value};
use value::List;
use value::list::End;

use crate::args::is;
use crate::{Args, Ctx, Error, Handler, reply, typed};

mod ends;
mod moving;
mod search;
mod waiting;

pub(crate) const HANDLERS: &[(&str, Handler)] = &[
    ("blmove", waiting::blmove),
    ("blmovem", waiting::blmovem),
    ("blmpop", waiting::blmpop),
    ("blpop", waiting::blpop),
    ("brpop", waiting::brpop),
    ("brpoplpush", waiting::brpoplpush),
    ("lindex", lindex),
    ("linsert", search::linsert),
    ("llen", llen),
    ("lmove", moving::lmove),
    ("lmovem", moving::lmovem),
    ("lmpop", ends::lmpop),
    ("lpop", ends::lpop),
    ("lpos", search::lpos),
    ("lpush", ends::lpush),
    ("lpushx", ends::lpushx),
    ("lrange", lrange),
    ("lrem", search::lrem),
    ("lset", lset),
    ("ltrim", ltrim),
    ("rpop", ends::rpop),
    ("rpoplpush", moving::rpoplpush),
    ("rpush", ends::rpush),
    ("rpushx", ends::rpushx),
];

/// LLEN key - O(1).
fn llen(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let len = match ctx.db.read(args[1]) {
        Some(entry) => typed::list(&entry)?.len(),
        None => 0,
    };
    ctx.out.int(len as i64);
    Ok(())
}

/// LINDEX key index - O(N) of the nodes in front of the element.
fn lindex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let Some(entry) = ctx.db.read(args[1]) else {
        ctx.out.null();
        return Ok(());
    };
    let list = typed::list(&entry)?;
    let index = index_of(args.int(2)?, list.len());
    if index.and_then(|index| list.get(index, |element| reply::element(ctx.out, element))).is_none()
    {
        ctx.out.null();
    }
    Ok(())
}

/// LRANGE key start stop - O(S+N) of the nodes in front and the elements in the range.
fn lrange(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (start, stop) = (args.int(2)?, args.int(3)?);
    let Some(entry) = ctx.db.read(args[1]) else {
        ctx.out.array(0);
        return Ok(());
    };
    let list = typed::list(&entry)?;
    let (start, count) = span(start, stop, list.len());
    ctx.out.array(count);
    list.range(start, count, |element| reply::element(ctx.out, element));
    Ok(())
}

/// LSET key index element - O(N) of the nodes in front of the element.
fn lset(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, element, limits) = (args[1], args[3], ctx.settings.limits);
    let done = ctx.db.change_object(key, Kind::List, None, |value| {
        let list = typed::list_mut(value);
        let index = args.int(2)?;
        list.make_room(element.len(), 1, &limits);
        let index = index_of(index, list.len()).ok_or(Error::OutOfRange)?;
        if !list.set(index, element) {
            return Err(Error::OutOfRange);
        }
        list.shrink(&limits);
        Ok(())
    })?;
    done.ok_or(Error::NoSuchKey)??;
    ctx.db.note(Class::LIST, "lset", key);
    ctx.db.change.add_dirty(1);
    ctx.out.ok();
    Ok(())
}

/// LTRIM key start stop - O(N) of the nodes that go.
fn ltrim(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, limits) = (args[1], ctx.settings.limits);
    let (start, stop) = (args.int(2)?, args.int(3)?);
    let removed = ctx.db.change_object(key, Kind::List, None, |value| {
        let list = typed::list_mut(value);
        let len = list.len();
        let (start, count) = span(start, stop, len);
        if count == 0 {
            list.remove_range(0, len);
        } else {
            list.remove_range(start + count, len - start - count);
            list.remove_range(0, start);
            list.shrink(&limits);
        }
        len - count
    })?;
    if let Some(removed) = removed {
        if removed > 0 {
            ctx.db.touched(key);
        }
        ctx.db.note_beside(Class::LIST, "ltrim", key);
        ctx.db.drop_vacant(key);
        ctx.db.change.add_dirty(removed as u64);
    }
    ctx.out.ok();
    Ok(())
}

/// A list that is made because there is none.
fn new_list() -> Value {
    Value::List(List::new())
}

/// LEFT or RIGHT.
fn end(arg: &[u8]) -> Result<End, Error> {
    if is(arg, "LEFT") {
        Ok(End::Left)
    } else if is(arg, "RIGHT") {
        Ok(End::Right)
    } else {
        Err(Error::Syntax)
    }
}

/// An index from the left of one that counts from the right when it is negative.
fn index_of(index: i64, len: usize) -> Option<usize> {
    let index = if index < 0 { index.checked_add(len as i64)? } else { index };
    usize::try_from(index).ok().filter(|index| *index < len)
}

/// Where a range of both indexes included begins, and how many elements it has.
fn span(start: i64, stop: i64, len: usize) -> (usize, usize) {
    let from_left = |index: i64| if index < 0 { index.saturating_add(len as i64) } else { index };
    let (start, stop) = (from_left(start).max(0), from_left(stop).min(len as i64 - 1));
    if start > stop {
        return (0, 0);
    }
    (start as usize, (stop - start) as usize + 1)
}
