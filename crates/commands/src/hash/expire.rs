//! When fields expire.

use keyspace::Wants;
use value::hash::Hash;
use value::number::Text;

use super::{WRONG_NUMFIELDS, fields_at_two, find_fields, look, update};
use crate::expire::{Condition, Unit};
use crate::{Args, Ctx, Error};

/// The reply for a field that is not there.
const MISSING: i64 = -2;
/// The reply for a field that does not expire.
const LASTING: i64 = -1;

/// HEXPIRE key seconds [NX | XX | GT | LT] FIELDS numfields field [field ...] - O(N).
pub(super) fn hexpire(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    expire_by(ctx, args, Unit::Seconds)
}

/// HPEXPIRE key milliseconds [NX | XX | GT | LT] FIELDS numfields field [field ...] - O(N).
pub(super) fn hpexpire(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    expire_by(ctx, args, Unit::Milliseconds)
}

/// HEXPIREAT key unix-time [NX | XX | GT | LT] FIELDS numfields field [field ...] - O(N).
pub(super) fn hexpireat(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    expire_by(ctx, args, Unit::UnixSeconds)
}

/// HPEXPIREAT key unix-time-ms [NX | XX | GT | LT] FIELDS numfields field [field ...] - O(N).
pub(super) fn hpexpireat(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    expire_by(ctx, args, Unit::UnixMilliseconds)
}

/// Gives fields the deadline of argument 2.
fn expire_by(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, unit: Unit) -> Result<(), Error> {
    let key = args[1];
    let at = find_fields(args, 3).ok_or(WRONG_NUMFIELDS)?;
    let condition = Condition::read(ctx, &args.from(3)[..at - 3])?;
    let names = args.from(at + 2);
    if args.int(at + 1)? != names.len() as i64 || names.is_empty() {
        return Err(WRONG_NUMFIELDS);
    }
    let deadline_ms = deadline_of(unit, args.int(2)?, ctx.now_ms())?;
    let is_past = ctx.is_past(deadline_ms);
    let done = update(ctx, key, |out, hash, rules| {
        out.array(names.len());
        let mut done = Done::default();
        for &name in names {
            let present = hash.get(name).map(|pair| pair.deadline_ms());
            let reply = match present {
                None => MISSING,
                Some(present) if !condition.allows(present, deadline_ms) => 0,
                Some(_) if is_past => {
                    hash.remove(name);
                    done.removed.push(name);
                    2
                }
                Some(_) => {
                    hash.set_deadline(name, Some(deadline_ms), rules);
                    done.expiring.push(name);
                    1
                }
            };
            out.int(reply);
        }
        done
    })?;
    match done {
        Some(done) => record(ctx, key, &done, names, deadline_ms),
        None => {
            ctx.out.array(names.len());
            names.iter().for_each(|_| ctx.out.int(MISSING));
        }
    }
    Ok(())
}

/// The deadline that so many units mean, in Unix milliseconds; none of them may be negative.
pub(super) fn deadline_of(unit: Unit, count: i64, now_ms: i64) -> Result<i64, Error> {
    if count < 0 { Err(Error::InvalidExpire) } else { unit.deadline_ms(count, now_ms) }
}

/// What HEXPIRE has done to which fields.
#[derive(Default)]
struct Done<'n> {
    expiring: Vec<&'n [u8]>,
    removed: Vec<&'n [u8]>,
}

/// What follows HEXPIRE. A deadline has passed for all fields or for none.
fn record(ctx: &mut Ctx<'_, '_>, key: &[u8], done: &Done<'_>, names: &[&[u8]], deadline_ms: i64) {
    ctx.db.change.add_dirty((done.expiring.len() + done.removed.len()) as u64);
    let log = ctx.db.change.wants(Wants::LOG);
    if !done.removed.is_empty() {
        expired(ctx, key, &done.removed);
    } else if !done.expiring.is_empty() {
        ctx.db.note_fields("hexpire", key, done.expiring.iter().copied());
        if log {
            propagate_deadline(ctx, key, deadline_ms, names);
        }
    }
}

/// What follows when fields were removed because their new deadline has passed already.
pub(super) fn expired(ctx: &mut Ctx<'_, '_>, key: &[u8], names: &[&[u8]]) {
    ctx.db.note_fields("hexpired", key, names.iter().copied());
    ctx.db.change.add_expired_fields(names.len() as u64);
    ctx.db.drop_vacant(key);
    propagate_removal(ctx, key, names);
}

/// Propagates that fields are gone.
pub(super) fn propagate_removal(ctx: &mut Ctx<'_, '_>, key: &[u8], names: &[&[u8]]) {
    if ctx.db.change.wants(Wants::LOG) {
        let argv: Vec<&[u8]> = [&[b"HDEL", key], names].concat();
        ctx.db.propagate(&argv);
    }
}

/// Propagates a deadline in the only form that means the same at any time.
pub(super) fn propagate_deadline(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    deadline_ms: i64,
    names: &[&[u8]],
) {
    let (mut time, mut count) = (Text::new(), Text::new());
    let (time, count) = (time.of(deadline_ms), count.of(names.len() as i64));
    let argv: Vec<&[u8]> = [&[b"HPEXPIREAT", key, time, b"FIELDS", count], names].concat();
    ctx.db.propagate(&argv);
}

/// HTTL key FIELDS numfields field [field ...] - O(N).
pub(super) fn httl(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    tell_times(ctx, args, Unit::Seconds)
}

/// HPTTL key FIELDS numfields field [field ...] - O(N).
pub(super) fn hpttl(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    tell_times(ctx, args, Unit::Milliseconds)
}

/// HEXPIRETIME key FIELDS numfields field [field ...] - O(N).
pub(super) fn hexpiretime(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    tell_times(ctx, args, Unit::UnixSeconds)
}

/// HPEXPIRETIME key FIELDS numfields field [field ...] - O(N).
pub(super) fn hpexpiretime(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    tell_times(ctx, args, Unit::UnixMilliseconds)
}

/// Replies the fields' deadlines.
fn tell_times(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, unit: Unit) -> Result<(), Error> {
    let names = fields_at_two(args, Error::Syntax)?;
    let now_ms = ctx.now_ms();
    let time_of = |hash: Option<&Hash>, name: &[u8]| {
        let Some(pair) = hash.and_then(|hash| hash.get(name)) else { return MISSING };
        pair.deadline_ms().map_or(LASTING, |deadline_ms| unit.count_to(deadline_ms, now_ms))
    };
    look(&mut ctx.db, args[1], |hash| {
        ctx.out.array(names.len());
        names.iter().for_each(|name| ctx.out.int(time_of(hash, name)));
    })
}

/// HPERSIST key FIELDS numfields field [field ...] - O(N).
pub(super) fn hpersist(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let names = fields_at_two(args, WRONG_NUMFIELDS)?;
    let key = args[1];
    let done = update(ctx, key, |out, hash, rules| {
        out.array(names.len());
        let mut persisted = Vec::new();
        for &name in names {
            let reply = match hash.get(name).map(|pair| pair.deadline_ms()) {
                None => MISSING,
                Some(None) => LASTING,
                Some(Some(_)) => {
                    hash.set_deadline(name, None, rules);
                    persisted.push(name);
                    1
                }
            };
            out.int(reply);
        }
        persisted
    })?;
    let Some(persisted) = done else {
        ctx.out.array(names.len());
        names.iter().for_each(|_| ctx.out.int(MISSING));
        return Ok(());
    };
    if !persisted.is_empty() {
        ctx.db.note_fields("hpersist", key, persisted.iter().copied());
        ctx.db.change.add_dirty(persisted.len() as u64);
    }
    Ok(())
}
