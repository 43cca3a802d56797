//! When keys expire.

use keyspace::{Class, Wants};

use crate::args::is;
use crate::{Args, Ctx, Error, Handler};

pub(crate) const HANDLERS: &[(&str, Handler)] = &[
    ("expire", expire),
    ("expireat", expireat),
    ("expiretime", expiretime),
    ("persist", persist),
    ("pexpire", pexpire),
    ("pexpireat", pexpireat),
    ("pexpiretime", pexpiretime),
    ("pttl", pttl),
    ("ttl", ttl),
];

/// Milliseconds in a second.
const SECOND: i64 = 1000;

/// EXPIRE key seconds [NX | XX | GT | LT] - O(1).
fn expire(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let now_ms = ctx.now_ms();
    expire_from(ctx, args, now_ms, SECOND)
}

/// PEXPIRE key milliseconds [NX | XX | GT | LT] - O(1).
fn pexpire(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let now_ms = ctx.now_ms();
    expire_from(ctx, args, now_ms, 1)
}

/// EXPIREAT key unix-time-seconds [NX | XX | GT | LT] - O(1).
fn expireat(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    expire_from(ctx, args, 0, SECOND)
}

/// PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] - O(1).
fn pexpireat(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    expire_from(ctx, args, 0, 1)
}

/// Gives a key a deadline: argument 2 in units of `unit_ms` after `base_ms`.
fn expire_from(
    ctx: &mut Ctx<'_, '_>,
    args: &Args<'_>,
    base_ms: i64,
    unit_ms: i64,
) -> Result<(), Error> {
    let condition = Condition::read(ctx, args.from(3))?;
    let deadline_ms = args.int(2)?.checked_mul(unit_ms).and_then(|time| time.checked_add(base_ms));
    let deadline_ms = deadline_ms.ok_or(Error::InvalidExpire)?.max(0);
    let key = args[1];
    let present = ctx.db.reach(key).map(|entry| entry.deadline_ms());
    if !present.is_some_and(|present| condition.allows(present, deadline_ms)) {
        ctx.out.int(0);
        return Ok(());
    }
    if ctx.is_past(deadline_ms) {
        ctx.db.expire_now(key);
    } else {
        ctx.db.set_deadline(key, Some(deadline_ms));
        ctx.db.note(Class::GENERIC, "expire", key);
        ctx.db.change.add_dirty(1);
        if (base_ms != 0 || unit_ms != 1) && ctx.db.change.wants(Wants::LOG) {
            let mut argv: Vec<&[u8]> = args.all().to_vec();
            let deadline = deadline_ms.to_string();
            (argv[0], argv[2]) = (b"PEXPIREAT", deadline.as_bytes());
            ctx.db.propagate(&argv);
        }
    }
    ctx.out.int(1);
    Ok(())
}

/// When a new deadline is taken over. XX goes together with GT or LT.
#[derive(Clone, Copy, Default)]
pub(crate) struct Condition {
    nx: bool,
    xx: bool,
    gt: bool,
    lt: bool,
}

impl Condition {
    pub(crate) fn read(ctx: &mut Ctx<'_, '_>, options: &[&[u8]]) -> Result<Self, Error> {
        let mut condition = Self::default();
        for option in options {
            let flag = match option {
                option if is(option, "NX") => &mut condition.nx,
                option if is(option, "XX") => &mut condition.xx,
                option if is(option, "GT") => &mut condition.gt,
                option if is(option, "LT") => &mut condition.lt,
                option => {
                    return Err(ctx.error_around(b"ERR Unsupported option ", option, b""));
                }
            };
            *flag = true;
        }
        let Self { nx, xx, gt, lt } = condition;
        if nx && (xx || gt || lt) {
            return Err(Error::Text(spec::error::EXPIRE_NX_CONFLICT));
        }
        if gt && lt {
            return Err(Error::Text(spec::error::EXPIRE_GT_LT_CONFLICT));
        }
        Ok(condition)
    }

    /// Whether a deadline may change from `present`, where none is later than any.
    pub(crate) fn allows(self, present: Option<i64>, new: i64) -> bool {
        match present {
            None => !self.xx && !self.gt,
            Some(present) => !(self.nx || self.gt && new <= present || self.lt && new >= present),
        }
    }
}

/// TTL key - O(1).
fn ttl(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let now_ms = ctx.now_ms();
    tell_time(ctx, args, now_ms, SECOND)
}

/// PTTL key - O(1).
fn pttl(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let now_ms = ctx.now_ms();
    tell_time(ctx, args, now_ms, 1)
}

/// EXPIRETIME key - O(1).
fn expiretime(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    tell_time(ctx, args, 0, SECOND)
}

/// PEXPIRETIME key - O(1).
fn pexpiretime(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    tell_time(ctx, args, 0, 1)
}

/// Replies a deadline in units of `unit_ms` after `base_ms`, rounded to the nearest; -1 when the
/// key does not expire, -2 when there is none.
fn tell_time(
    ctx: &mut Ctx<'_, '_>,
    args: &Args<'_>,
    base_ms: i64,
    unit_ms: i64,
) -> Result<(), Error> {
    let reply = match ctx.db.inspect(args[1]).map(|entry| entry.deadline_ms()) {
        None => -2,
        Some(None) => -1,
        Some(Some(deadline)) => (deadline - base_ms).max(0).saturating_add(unit_ms / 2) / unit_ms,
    };
    ctx.out.int(reply);
    Ok(())
}

/// PERSIST key - O(1).
fn persist(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let key = args[1];
    let expires = ctx.db.reach(key).is_some_and(|entry| entry.deadline_ms().is_some());
    if expires {
        ctx.db.set_deadline(key, None);
        ctx.db.note(Class::GENERIC, "persist", key);
        ctx.db.change.add_dirty(1);
    }
    ctx.out.int(expires.into());
    Ok(())
}
