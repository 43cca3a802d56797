//! Setting and removing fields.

use keyspace::Wants;
use smallvec::SmallVec;
use value::hash::Time;

use super::{
    WRONG_NUMFIELDS, check_pairs, fields_at_two, update, upsert, write_nulls, write_value,
};
use crate::{Args, Ctx, Error};

/// The names of fields that were removed.
type Deleted<'n> = SmallVec<[&'n [u8]; 4]>;

/// HSET key field value [field value ...] - O(N).
pub(super) fn hset(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let created = set_pairs(ctx, args)?;
    ctx.out.int(created);
    Ok(())
}

/// HMSET key field value [field value ...] - O(N).
pub(super) fn hmset(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    set_pairs(ctx, args)?;
    ctx.out.ok();
    Ok(())
}

/// Sets the fields from argument 2 on; how many of them are new.
fn set_pairs(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<i64, Error> {
    let (key, pairs) = (args[1], args.from(2));
    if pairs.len() % 2 != 0 {
        return Err(Error::Arity);
    }
    check_pairs(pairs)?;
    let created = upsert(ctx, key, |hash, rules| {
        hash.make_room(pairs, rules);
        let is_new = |pair: &&[&[u8]]| hash.set(pair[0], pair[1], Time::Never, rules);
        pairs.chunks_exact(2).filter(is_new).count()
    })?;
    ctx.db.note_fields("hset", key, pairs.iter().copied().step_by(2));
    ctx.db.change.add_dirty(pairs.len() as u64 / 2);
    Ok(created as i64)
}

/// HSETNX key field value - O(1).
pub(super) fn hsetnx(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, name, value) = (args[1], args[2], args[3]);
    check_pairs(args.from(2))?;
    let (set, volatile) = upsert(ctx, key, |hash, rules| {
        if hash.get(name).is_some() {
            return (false, false);
        }
        let volatile = hash.next_due_ms().is_some();
        hash.make_room(args.from(2), rules);
        hash.set(name, value, Time::Never, rules);
        (true, volatile)
    })?;
    if set {
        ctx.db.note_fields("hset", key, [name]);
        ctx.db.change.add_dirty(1);
        if volatile && ctx.db.change.wants(Wants::LOG) {
            // Where it is replayed the field may still be there, its time not yet over.
            ctx.db.propagate(&[b"HSET", key, name, value]);
        }
    }
    ctx.out.int(set.into());
    Ok(())
}

/// HDEL key field [field ...] - O(N).
pub(super) fn hdel(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let names = args.from(2);
    let deleted = update(ctx, args[1], |_, hash, _| {
        names.iter().copied().filter(|name| hash.remove(name)).collect::<Deleted<'_>>()
    })?;
    let deleted = deleted.unwrap_or_default();
    record_removal(ctx, args[1], &deleted);
    ctx.out.int(deleted.len() as i64);
    Ok(())
}

/// HGETDEL key FIELDS numfields field [field ...] - O(N).
pub(super) fn hgetdel(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let names = fields_at_two(args, WRONG_NUMFIELDS)?;
    let key = args[1];
    let deleted = update(ctx, key, |out, hash, _| {
        out.array(names.len());
        let deleted = names.iter().copied().filter(|name| {
            write_value(out, hash.get(name));
            hash.remove(name)
        });
        deleted.collect::<Deleted<'_>>()
    })?;
    match deleted {
        Some(deleted) => record_removal(ctx, key, &deleted),
        None => write_nulls(ctx.out, names.len()),
    }
    Ok(())
}

/// What follows when fields were removed.
pub(super) fn record_removal(ctx: &mut Ctx<'_, '_>, key: &[u8], deleted: &[&[u8]]) {
    if !deleted.is_empty() {
        ctx.db.note_fields("hdel", key, deleted.iter().copied());
        ctx.db.drop_vacant(key);
        ctx.db.change.add_dirty(deleted.len() as u64);
    }
}
