//! SPOP and SRANDMEMBER.
//!
//! What SPOP takes is propagated as SREM, so that every copy of the data loses the same members.

use keyspace::{Class, Kind, Wants};
use smallvec::SmallVec;
use value::number::Text;

use super::rules;
use crate::args::{at_least, signed};
use crate::bound::Bound;
use crate::{Args, Ctx, Error, reply, typed};

/// Members that one SREM names when SPOP is propagated.
const BATCH: usize = 1024;

/// SPOP key [count] - O(N) of the members taken.
pub(super) fn spop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    match args.len() {
        2 => spop_one(ctx, args[1]),
        3 => {
            let count = at_least(args[2], 0, spec::error::NOT_POSITIVE)?;
            spop_many(ctx, args[1], count)
        }
        _ => Err(Error::Syntax),
    }
}

fn spop_one(ctx: &mut Ctx<'_, '_>, key: &[u8]) -> Result<(), Error> {
    let (rng, out) = (&mut *ctx.rng, &mut *ctx.out);
    let popped = ctx.db.change_object(key, Kind::Set, None, |value| {
        typed::set_mut(value).pop(&mut || rng.u64(..), |element| {
            reply::element(out, element);
            SmallVec::<[u8; 64]>::from_slice(element.text(&mut Text::new()))
        })
    })?;
    let Some(member) = popped.flatten() else {
        ctx.out.null();
        return Ok(());
    };
    ctx.db.note(Class::SET, "spop", key);
    ctx.db.propagate(&[b"SREM", key, &member]);
    ctx.db.drop_vacant(key);
    ctx.db.change.add_dirty(1);
    Ok(())
}

fn spop_many(ctx: &mut Ctx<'_, '_>, key: &[u8], count: usize) -> Result<(), Error> {
    let len = match ctx.db.reach(key) {
        Some(entry) => typed::set(&entry)?.len(),
        None => 0,
    };
    if count == 0 || len == 0 {
        ctx.out.set(0);
        return Ok(());
    }
    ctx.db.note(Class::SET, "spop", key);
    ctx.db.change.add_dirty(count.min(len) as u64);
    if count >= len {
        return spop_all(ctx, key);
    }
    let (rules, is_logged) = (rules(ctx), ctx.db.change.wants(Wants::LOG));
    let (rng, out) = (&mut *ctx.rng, &mut *ctx.out);
    let mut popped: Vec<Vec<u8>> = Vec::new();
    out.set(count);
    ctx.db.change_object(key, Kind::Set, None, |value| {
        typed::set_mut(value).pop_many(count, &rules, &mut || rng.u64(..), |element| {
            reply::element(out, element);
            if is_logged {
                popped.push(element.text(&mut Text::new()).to_vec());
            }
        });
    })?;
    ctx.db.change.propagate_nothing();
    for batch in popped.chunks(BATCH) {
        let mut argv: Vec<&[u8]> = vec![b"SREM", key];
        argv.extend(batch.iter().map(|member| &**member));
        ctx.db.propagate(&argv);
    }
    Ok(())
}

/// Takes all members: the key goes as a whole.
fn spop_all(ctx: &mut Ctx<'_, '_>, key: &[u8]) -> Result<(), Error> {
    let Some(entry) = ctx.db.take(key) else { return Ok(()) };
    let set = typed::set(&entry)?;
    ctx.out.set(set.len());
    set.each(|element| reply::element(ctx.out, element));
    ctx.db.change.discard_replaced(entry);
    ctx.db.note(Class::GENERIC, "del", key);
    let deletion: &[u8] = if ctx.db.change.lazy().replace { b"UNLINK" } else { b"DEL" };
    ctx.db.propagate(&[deletion, key]);
    Ok(())
}

/// SRANDMEMBER key [count] - O(N) of the members given.
pub(super) fn srandmember(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if args.len() > 3 {
        return Err(Error::Syntax);
    }
    let count = args.get(2).map(signed).transpose()?;
    let bound = Bound::new(ctx);
    let Some(entry) = ctx.db.read(args[1]) else {
        match count {
            Some(_) => ctx.out.array(0),
            None => ctx.out.null(),
        }
        return Ok(());
    };
    let set = typed::set(&entry)?;
    let random = &mut || ctx.rng.u64(..);
    match count {
        None => {
            set.pick(random, |element| reply::element(ctx.out, element));
        }
        Some(count @ ..0) => {
            let count = count.unsigned_abs() as usize;
            ctx.out.array(count);
            set.pick_many(count, random, |element| {
                reply::element(ctx.out, element);
                bound.allows_more(ctx.out)
            });
            return bound.end(ctx.out);
        }
        Some(count) => {
            let count = (count as usize).min(set.len());
            ctx.out.array(count);
            set.sample(count, random, |element| reply::element(ctx.out, element));
        }
    }
    Ok(())
}
