//! SET with its options, its older forms, and GETEX.

use keyspace::{Class, NewValue, Ttl, Wants};
use smallvec::SmallVec;

use super::compare::Condition;
use super::expiry::{Expiry, Extra};
use super::{reply, value_of};
use crate::args::is;
use crate::expire::Unit;
use crate::{Args, Ctx, Error};

/// What SET is to do.
struct Setting<'a> {
    key: &'a [u8],
    /// Where the value stands among the arguments.
    value_at: usize,
    condition: Condition<'a>,
    get: bool,
    expiry: Expiry<'a>,
}

/// SET key value [NX | XX | IFEQ value | IFNE value | IFDEQ digest | IFDNE digest] [GET]
/// [EX seconds | PX milliseconds | EXAT time | PXAT time | KEEPTTL] - O(1).
pub(super) fn set(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if args.len() == 3 {
        ctx.db.set(args[1], value_of(args, 2), Ttl::Never);
        ctx.db.change.add_dirty(1);
        ctx.db.note(Class::STRING, "set", args[1]);
        ctx.out.ok();
        return Ok(());
    }
    let setting = parse(args)?;
    let done = set_with(ctx, args, &setting)?;
    match (setting.get, done) {
        (true, _) => {}
        (false, true) => ctx.out.ok(),
        (false, false) => ctx.out.null(),
    }
    Ok(())
}

/// SETNX key value - O(1).
pub(super) fn setnx(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let setting = Setting { condition: Condition::Missing, ..plain(args, 2) };
    let done = set_with(ctx, args, &setting)?;
    ctx.out.int(i64::from(done));
    Ok(())
}

/// SETEX key seconds value - O(1).
pub(super) fn setex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    set_for(ctx, args, Unit::Seconds)
}

/// PSETEX key milliseconds value - O(1).
pub(super) fn psetex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    set_for(ctx, args, Unit::Milliseconds)
}

/// GETEX key [EX seconds | PX milliseconds | EXAT time | PXAT time | PERSIST] - O(1).
pub(super) fn getex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let key = args[1];
    let mut expiry = Expiry::Unset;
    let mut cursor = args.cursor(2);
    while let Some(word) = cursor.next_word() {
        expiry.accept(word, &mut cursor, Extra::Persist)?;
    }
    let deadline = expiry.deadline_ms(ctx)?;
    let Some(entry) = ctx.db.read(key) else {
        ctx.out.null();
        return Ok(());
    };
    reply(ctx.out, &entry)?;
    let expires = entry.deadline_ms().is_some();
    match (expiry, deadline) {
        (_, Some(deadline)) if ctx.is_past(deadline) => {
            ctx.db.expire_now(key);
        }
        (_, Some(deadline)) => {
            ctx.db.set_deadline(key, Some(deadline));
            ctx.db.change.add_dirty(1);
            ctx.db.note(Class::GENERIC, "expire", key);
            let text = itoa::Buffer::new().format(deadline).to_owned();
            ctx.db.propagate(&[b"PEXPIREAT", key, text.as_bytes()]);
        }
        (Expiry::Persist, None) if expires => {
            ctx.db.set_deadline(key, None);
            ctx.db.change.add_dirty(1);
            ctx.db.note(Class::GENERIC, "persist", key);
            ctx.db.propagate(&[b"PERSIST", key]);
        }
        _ => {}
    }
    Ok(())
}

/// SETEX and PSETEX.
fn set_for(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, unit: Unit) -> Result<(), Error> {
    let setting = Setting { expiry: Expiry::Time(unit, args[2]), ..plain(args, 3) };
    set_with(ctx, args, &setting)?;
    ctx.out.ok();
    Ok(())
}

fn plain<'a>(args: &Args<'a>, value_at: usize) -> Setting<'a> {
    Setting {
        key: args[1],
        value_at,
        condition: Condition::Always,
        get: false,
        expiry: Expiry::Unset,
    }
}

fn parse<'a>(args: &Args<'a>) -> Result<Setting<'a>, Error> {
    let mut setting = plain(args, 2);
    let mut cursor = args.cursor(3);
    while let Some(word) = cursor.next_word() {
        if is(word, "GET") {
            setting.get = true;
        } else if !setting.condition.accept(word, &mut cursor)? {
            setting.expiry.accept(word, &mut cursor, Extra::Keep)?;
        }
    }
    Ok(setting)
}

/// Sets the key unless the condition fails; with `get` the former value is replied. Says whether
/// the condition held.
fn set_with(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, setting: &Setting<'_>) -> Result<bool, Error> {
    let Setting { key, value_at, condition, get, expiry } = *setting;
    let deadline = expiry.deadline_ms(ctx)?;
    let passed = deadline.is_some_and(|deadline| ctx.is_past(deadline));
    if get {
        let entry = ctx.db.read(key);
        let holds = condition.holds(entry.as_deref());
        match entry.as_deref() {
            Some(entry) if holds.is_ok() => reply(ctx.out, entry)?,
            None if holds.is_ok() => ctx.out.null(),
            _ => {}
        }
        if !holds? {
            return Ok(false);
        }
    } else if condition != Condition::Always && !condition.holds(ctx.db.peek(key).as_deref())? {
        return Ok(false);
    }
    if passed {
        ctx.db.expire_now(key);
        return Ok(true);
    }
    let ttl = match (expiry, deadline) {
        (_, Some(deadline)) => Ttl::At(deadline),
        (Expiry::Keep, _) => Ttl::Keep,
        _ => Ttl::Never,
    };
    let value: NewValue<'_> = value_of(args, value_at);
    ctx.db.set(key, value, ttl);
    ctx.db.change.add_dirty(1);
    ctx.db.note(Class::STRING, "set", key);
    if deadline.is_some() {
        ctx.db.note(Class::GENERIC, "expire", key);
    }
    if ctx.db.change.wants(Wants::LOG) {
        propagate(ctx, args, setting, deadline);
    }
    Ok(true)
}

/// Propagates with an absolute time, without GET, and without a condition on the former value,
/// which held and which not every server knows.
fn propagate(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, setting: &Setting<'_>, deadline: Option<i64>) {
    let value = args[setting.value_at];
    let absolute = matches!(setting.expiry, Expiry::Time(Unit::UnixMilliseconds, _));
    if let (Some(deadline), false) = (deadline, absolute) {
        let text = itoa::Buffer::new().format(deadline).to_owned();
        return ctx.db.propagate(&[b"SET", setting.key, value, b"PXAT", text.as_bytes()]);
    }
    if !setting.get && !setting.condition.compares() {
        return;
    }
    let mut argv = SmallVec::<[&[u8]; 8]>::from_slice(&[b"SET", setting.key, value]);
    let mut cursor = args.cursor(3);
    while let Some(word) = cursor.next_word() {
        if Condition::has_operand(word) {
            cursor.next_word();
        } else if !is(word, "GET") {
            argv.push(word);
        }
    }
    ctx.db.propagate(&argv);
}
