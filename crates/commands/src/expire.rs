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

/// EXPIRE key seconds [NX | XX | GT | LT] - O(1).
fn expire(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    expire_by(ctx, args, Unit::Seconds)
}

/// PEXPIRE key milliseconds [NX | XX | GT | LT] - O(1).
fn pexpire(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    expire_by(ctx, args, Unit::Milliseconds)
}

/// EXPIREAT key unix-time-seconds [NX | XX | GT | LT] - O(1).
fn expireat(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    expire_by(ctx, args, Unit::UnixSeconds)
}

/// PEXPIREAT key unix-time-milliseconds [NX | XX | GT | LT] - O(1).
fn pexpireat(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    expire_by(ctx, args, Unit::UnixMilliseconds)
}

/// Gives a key the deadline of argument 2.
fn expire_by(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, unit: Unit) -> Result<(), Error> {
    let condition = Condition::read(ctx, args.from(3))?;
    let deadline_ms = unit.deadline_ms(args.int(2)?, ctx.now_ms())?.max(0);
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
        if unit != Unit::UnixMilliseconds && ctx.db.change.wants(Wants::LOG) {
            let mut argv: Vec<&[u8]> = args.all().to_vec();
            let deadline = deadline_ms.to_string();
            (argv[0], argv[2]) = (b"PEXPIREAT", deadline.as_bytes());
            ctx.db.propagate(&argv);
        }
    }
    ctx.out.int(1);
    Ok(())
}

/// How a time in a command is meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Unit {
    /// EX: seconds from now.
    Seconds,
    /// PX: milliseconds from now.
    Milliseconds,
    /// EXAT: Unix time in seconds.
    UnixSeconds,
    /// PXAT: Unix time in milliseconds.
    UnixMilliseconds,
}

impl Unit {
    /// The unit that an option names.
    pub(crate) fn of(word: &[u8]) -> Option<Self> {
        let units = [
            ("EX", Self::Seconds),
            ("PX", Self::Milliseconds),
            ("EXAT", Self::UnixSeconds),
            ("PXAT", Self::UnixMilliseconds),
        ];
        units.into_iter().find(|(name, _)| is(word, name)).map(|(_, unit)| unit)
    }

    /// The moment that so many of them mean, in Unix milliseconds, if it can be told.
    pub(crate) fn deadline_ms(self, count: i64, now_ms: i64) -> Result<i64, Error> {
        let time = count.checked_mul(self.ms());
        time.and_then(|time| time.checked_add(self.base_ms(now_ms))).ok_or(Error::InvalidExpire)
    }

    /// A moment as a number of them, rounded to the nearest; 0 when it has passed.
    pub(crate) fn count_to(self, deadline_ms: i64, now_ms: i64) -> i64 {
        let time = (deadline_ms - self.base_ms(now_ms)).max(0);
        time.saturating_add(self.ms() / 2) / self.ms()
    }

    fn ms(self) -> i64 {
        match self {
            Self::Seconds | Self::UnixSeconds => 1000,
            Self::Milliseconds | Self::UnixMilliseconds => 1,
        }
    }

    fn base_ms(self, now_ms: i64) -> i64 {
        match self {
            Self::Seconds | Self::Milliseconds => now_ms,
            Self::UnixSeconds | Self::UnixMilliseconds => 0,
        }
    }
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
    tell_time(ctx, args, Unit::Seconds)
}

/// PTTL key - O(1).
fn pttl(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    tell_time(ctx, args, Unit::Milliseconds)
}

/// EXPIRETIME key - O(1).
fn expiretime(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    tell_time(ctx, args, Unit::UnixSeconds)
}

/// PEXPIRETIME key - O(1).
fn pexpiretime(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    tell_time(ctx, args, Unit::UnixMilliseconds)
}

/// Replies a key's deadline; -1 when it does not expire, -2 when there is no such key.
fn tell_time(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, unit: Unit) -> Result<(), Error> {
    let now_ms = ctx.now_ms();
    let reply = match ctx.db.inspect(args[1]).map(|entry| entry.deadline_ms()) {
        None => -2,
        Some(None) => -1,
        Some(Some(deadline_ms)) => unit.count_to(deadline_ms, now_ms),
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
