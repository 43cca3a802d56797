//! Setting, inserting and removing elements.
//!
//! Indexes are looked at before anything is changed, so a command changes all or nothing.

use keyspace::{Class, Kind, Value};
use value::Array;
use value::array::INDEX_MAX;

use super::{BAD_INDEX, index};
use crate::scan::unsigned;
use crate::{Args, Ctx, Error, typed};

const INSERT_OVERFLOW: Error = Error::Text("ERR insert index overflow");

/// ARSET key index value [value ...] - O(N).
pub(super) fn arset(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (first, values) = (index(args[2])?, args.from(3));
    last_of(first, values).ok_or(Error::Text("ERR array index overflow"))?;
    let added = upsert(ctx, args[1], |array| {
        let is_new = |(index, value): &(u64, &&[u8])| array.set(*index, value);
        (first..).zip(values).filter(is_new).count()
    })?;
    record(ctx, "arset", args[1], values.len() as u64);
    ctx.out.int(added as i64);
    Ok(())
}

/// ARMSET key index value [index value ...] - O(N).
pub(super) fn armset(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let words = args.from(2);
    if !words.len().is_multiple_of(2) {
        return Err(Error::Arity);
    }
    let pairs: Vec<(u64, &[u8])> = words
        .chunks_exact(2)
        .map(|pair| Ok((index(pair[0])?, pair[1])))
        .collect::<Result<_, Error>>()?;
    let added = upsert(ctx, args[1], |array| {
        pairs.iter().filter(|(index, value)| array.set(*index, value)).count()
    })?;
    record(ctx, "armset", args[1], pairs.len() as u64);
    ctx.out.int(added as i64);
    Ok(())
}

/// ARINSERT key value [value ...] - O(N). The array's own insert position moves along.
pub(super) fn arinsert(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, values) = (args[1], args.from(2));
    let last = upsert(ctx, key, |array| {
        let first = array.next_insert().ok_or(INSERT_OVERFLOW)?;
        let last = last_of(first, values).ok_or(INSERT_OVERFLOW)?;
        (first..).zip(values).for_each(|(index, value)| {
            array.set(index, value);
        });
        array.set_last_insert(Some(last));
        Ok::<_, Error>(last)
    })??;
    record(ctx, "arinsert", key, values.len() as u64);
    ctx.out.uint(last);
    Ok(())
}

/// ARRING key size value [value ...] - O(M) of the values, O(N+M) when the size N changes.
pub(super) fn arring(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, values) = (args[1], args.from(3));
    let places = match resp::number::parse_i64(args[2]).ok_or(Error::Text("ERR invalid size"))? {
        places @ 1.. => places as u64,
        _ => return Err(Error::Text("ERR size must be positive")),
    };
    let last = upsert(ctx, key, |array| {
        array.resize_ring(places);
        values.iter().fold(0, |_, value| array.insert_in_ring(places, value))
    })?;
    record(ctx, "arring", key, values.len() as u64);
    ctx.out.uint(last);
    Ok(())
}

/// ARSEEK key index - O(1). Here the largest number counts: nothing can be inserted behind it.
pub(super) fn arseek(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let next = unsigned(args[2]).ok_or(BAD_INDEX)?;
    let found = update(ctx, args[1], |array| array.set_last_insert(next.checked_sub(1)))?;
    if found.is_some() {
        record(ctx, "arseek", args[1], 1);
    }
    ctx.out.int(found.is_some().into());
    Ok(())
}

/// ARDEL key index [index ...] - O(N).
pub(super) fn ardel(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let indexes: Vec<u64> = args.from(2).iter().map(|arg| index(arg)).collect::<Result<_, _>>()?;
    let removed = update(ctx, args[1], |array| {
        indexes.iter().filter(|index| array.remove(**index)).count() as u64
    })?;
    record_removal(ctx, "ardel", args[1], removed.unwrap_or(0));
    Ok(())
}

/// ARDELRANGE key start end [start end ...] - O(N) of the elements removed.
pub(super) fn ardelrange(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let words = args.from(2);
    if !words.len().is_multiple_of(2) {
        return Err(Error::Arity);
    }
    let ends: Vec<u64> = words.iter().map(|arg| index(arg)).collect::<Result<_, _>>()?;
    let removed = update(ctx, args[1], |array| {
        let range = |ends: &[u64]| array.remove_range(ends[0].min(ends[1]), ends[0].max(ends[1]));
        ends.chunks_exact(2).map(range).sum()
    })?;
    record_removal(ctx, "ardelrange", args[1], removed.unwrap_or(0));
    Ok(())
}

/// The last index that so many values from `first` on take, if there are so many.
fn last_of(first: u64, values: &[&[u8]]) -> Option<u64> {
    let last = first.checked_add(values.len() as u64 - 1)?;
    (last <= INDEX_MAX).then_some(last)
}

/// Changes the array under a key, made when it is missing. The caller records what it did.
fn upsert<R>(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    work: impl FnOnce(&mut Array) -> R,
) -> Result<R, Error> {
    let make: fn() -> Value = || Value::Array(Box::default());
    let done = ctx
        .db
        .change_object(key, Kind::Array, Some(make), |value| work(typed::array_mut(value)))?;
    Ok(done.expect("a missing array is made"))
}

/// Changes the array under a key, if there is one. The caller records what it did.
fn update<R>(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    work: impl FnOnce(&mut Array) -> R,
) -> Result<Option<R>, Error> {
    Ok(ctx.db.change_object(key, Kind::Array, None, |value| work(typed::array_mut(value)))?)
}

fn record(ctx: &mut Ctx<'_, '_>, event: &'static str, key: &[u8], changes: u64) {
    ctx.db.note(Class::ARRAY, event, key);
    ctx.db.change.add_dirty(changes);
}

/// Records what was removed, and answers with it.
fn record_removal(ctx: &mut Ctx<'_, '_>, event: &'static str, key: &[u8], removed: u64) {
    if removed > 0 {
        record(ctx, event, key, removed);
        ctx.db.drop_vacant(key);
    }
    ctx.out.uint(removed);
}
