//! Several strings at once. The shards of all keys are held, so each command is atomic.

use keyspace::{Class, Ttl, Wants};
use smallvec::SmallVec;

use super::compare::Condition;
use super::expiry::{Expiry, Extra};
use super::{reply, value_of};
use crate::args::is;
use crate::expire::Unit;
use crate::{Args, Ctx, Error};

/// MGET key [key ...] - O(N) of the number of keys.
pub(super) fn mget(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    ctx.out.array(args.len() - 1);
    for &key in args.from(1) {
        let replied = ctx.db.read(key).is_some_and(|entry| reply(ctx.out, &entry).is_ok());
        if !replied {
            ctx.out.null();
        }
    }
    Ok(())
}

/// MSET key value [key value ...] - O(N) of the number of keys.
pub(super) fn mset(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if args.len().is_multiple_of(2) {
        return Err(Error::Arity);
    }
    set_pairs(ctx, args, 1..args.len(), Ttl::Never);
    ctx.out.ok();
    Ok(())
}

/// MSETNX key value [key value ...] - O(N) of the number of keys.
pub(super) fn msetnx(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if args.len().is_multiple_of(2) {
        return Err(Error::Arity);
    }
    let free = all_hold(ctx, args, 1..args.len(), Condition::Missing)?;
    if free {
        set_pairs(ctx, args, 1..args.len(), Ttl::Never);
    }
    ctx.out.int(i64::from(free));
    Ok(())
}

/// MSETEX numkeys key value [key value ...] [NX | XX] [EX seconds | PX milliseconds | EXAT time |
/// PXAT time | KEEPTTL] - O(N) of the number of keys.
pub(super) fn msetex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    /// The number of keys is no number, or none that can be.
    const BAD_COUNT: Error = Error::Text("ERR invalid numkeys value or out of range");
    let count = args.int(1).map_err(|_| BAD_COUNT)?;
    let count = i32::try_from(count).ok().filter(|count| *count > 0).ok_or(BAD_COUNT)?;
    let end = 2 + 2 * count as usize;
    if end > args.len() {
        return Err(Error::Syntax);
    }
    let (mut condition, mut expiry) = (Condition::Always, Expiry::Unset);
    let mut cursor = args.cursor(end);
    while let Some(word) = cursor.next_word() {
        if Condition::has_operand(word) {
            return Err(Error::Syntax);
        }
        if !condition.accept(word, &mut cursor)? {
            expiry.accept(word, &mut cursor, Extra::Keep)?;
        }
    }
    let deadline = expiry.deadline_ms(ctx)?;
    let holds = all_hold(ctx, args, 2..end, condition)?;
    ctx.out.int(i64::from(holds));
    if !holds {
        return Ok(());
    }
    let ttl = match (deadline, expiry) {
        (Some(deadline), _) => Ttl::At(deadline),
        (None, Expiry::Keep) => Ttl::Keep,
        _ => Ttl::Never,
    };
    set_pairs(ctx, args, 2..end, ttl);
    let relative = !matches!(expiry, Expiry::Time(Unit::UnixMilliseconds, _));
    if let (Some(deadline), true) = (deadline, relative && ctx.db.change.wants(Wants::LOG)) {
        propagate_msetex(ctx, args, end, deadline);
    }
    Ok(())
}

/// Sets the pairs that stand at these places.
fn set_pairs(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, places: std::ops::Range<usize>, ttl: Ttl) {
    ctx.db.change.add_dirty(places.len() as u64 / 2);
    for at in places.step_by(2) {
        let key = args[at];
        ctx.db.set(key, value_of(args, at + 1), ttl);
        ctx.db.note(Class::STRING, "set", key);
        if let Ttl::At(_) = ttl {
            ctx.db.note(Class::GENERIC, "expire", key);
        }
    }
}

/// Whether the condition holds for the key of every pair at these places.
fn all_hold(
    ctx: &mut Ctx<'_, '_>,
    args: &Args<'_>,
    places: std::ops::Range<usize>,
    condition: Condition<'_>,
) -> Result<bool, Error> {
    if condition == Condition::Always {
        return Ok(true);
    }
    for at in places.step_by(2) {
        if !condition.holds(ctx.db.peek(args[at]).as_deref())? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Propagates with an absolute time.
fn propagate_msetex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, end: usize, deadline: i64) {
    let text = itoa::Buffer::new().format(deadline).to_owned();
    let mut argv = SmallVec::<[&[u8]; 16]>::from_slice(&args.all()[..end]);
    argv.extend(args.from(end).iter().copied().filter(|word| is(word, "NX") || is(word, "XX")));
    argv.extend([b"PXAT".as_slice(), text.as_bytes()]);
    ctx.db.propagate(&argv);
}
