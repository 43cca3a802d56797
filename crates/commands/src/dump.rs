//! DUMP and RESTORE: values as bytes that every server of the family reads.

use keyspace::usage::{self, Usage};
use keyspace::{Class, Db, Entry, Wants};
use persist::rdb::{self, Restored, Rules};

use crate::{Args, Ctx, Error, Handler};

pub(crate) const HANDLERS: &[(&str, Handler)] =
    &[("dump", dump), ("restore", restore), ("restore-asking", restore)];

const INVALID_TTL: &str = "ERR Invalid TTL value, must be >= 0";
const INVALID_IDLE: &str = "ERR Invalid IDLETIME value, must be >= 0";
const INVALID_FREQUENCY: &str = "ERR Invalid FREQ value, must be >= 0 and <= 255";
const WRONG_CHECKSUM: &str = "ERR DUMP payload version or checksum are wrong";
const BAD_FORMAT: &str = "ERR Bad data format";

/// The access word has so many bits.
const ACCESS_MASK: u32 = 0x00ff_ffff;

/// DUMP key - O(N), N the size of the value.
fn dump(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    match ctx.db.read(args[1]) {
        Some(entry) => ctx.out.bulk(&rdb::dump(&entry.value(), ctx.settings.dump)),
        None => ctx.out.null(),
    }
    Ok(())
}

/// What RESTORE is asked for beside the key and the value.
#[derive(Default)]
struct Options {
    replace: bool,
    absolute: bool,
    idle_s: Option<i64>,
    frequency: Option<u8>,
}

impl Options {
    fn read(args: &Args<'_>) -> Result<Self, Error> {
        let mut options = Self::default();
        let mut cursor = args.cursor(4);
        while cursor.left() > 0 {
            if cursor.accept("REPLACE") {
                options.replace = true;
            } else if cursor.accept("ABSTTL") {
                options.absolute = true;
            } else if cursor.left() > 1 && options.frequency.is_none() && cursor.accept("IDLETIME")
            {
                let idle_s = Some(cursor.int()?).filter(|seconds| *seconds >= 0);
                options.idle_s = Some(idle_s.ok_or(Error::Text(INVALID_IDLE))?);
            } else if cursor.left() > 1 && options.idle_s.is_none() && cursor.accept("FREQ") {
                let counter = u8::try_from(cursor.int()?);
                options.frequency = Some(counter.map_err(|_| Error::Text(INVALID_FREQUENCY))?);
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }

    /// The access word that the key gets: the present one, unless an option that suits the policy
    /// says otherwise.
    fn access(&self, ctx: &Ctx<'_, '_>) -> u32 {
        let now = ctx.db.stamp().access;
        match (ctx.settings.usage, self.frequency, self.idle_s) {
            (Usage::Frequency, Some(counter), _) => usage::counter_word(ctx.now_ms(), counter),
            (Usage::Clock | Usage::Modified, _, Some(idle_s)) => {
                now.wrapping_sub(idle_s.min(ACCESS_MASK.into()) as u32) & ACCESS_MASK
            }
            _ => now,
        }
    }
}

/// RESTORE key ttl serialized-value [REPLACE] [ABSTTL] [IDLETIME seconds] [FREQ frequency] - O(N),
/// N the size of the value. RESTORE-ASKING is the same.
fn restore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let options = Options::read(args)?;
    let key = args[1];
    if !options.replace && ctx.db.reach(key).is_some() {
        return Err(Error::Text(spec::error::BUSY_KEY));
    }
    let ttl_ms = Some(args.int(2)?).filter(|ttl_ms| *ttl_ms >= 0);
    let ttl_ms = ttl_ms.ok_or(Error::Text(INVALID_TTL))?;
    let base_ms = if options.absolute { 0 } else { ctx.now_ms() };
    let deadline_ms = (ttl_ms > 0).then(|| ttl_ms.saturating_add(base_ms));
    let access = options.access(ctx);
    let rules =
        Rules { limits: &ctx.settings.limits, hasher: ctx.db.keyspace().key_hash(), since_ms: 0 };
    let entry = rdb::restore(args[3], ctx.settings.restore, rules, |restored| match restored {
        Restored::Value(value) => Ok(Entry::new(key, value, deadline_ms, access)),
        Restored::Unchecked => Err(Error::Text(WRONG_CHECKSUM)),
        Restored::Bad(error) => {
            log::warn!("RESTORE got a payload that makes no sense: {error}");
            Err(Error::Text(BAD_FORMAT))
        }
        Restored::Foreign(kind) => {
            ctx.out.error(&format!("ERR Unsupported foreign data type: {kind}"));
            Err(Error::Written)
        }
    })?;
    if deadline_ms.is_some_and(|deadline_ms| ctx.is_past(deadline_ms)) {
        delete_replaced(&mut ctx.db, key);
    } else {
        if let Some(replaced) = ctx.db.put(entry) {
            ctx.db.change.discard_replaced(replaced);
        }
        ctx.db.note(Class::GENERIC, "restore", key);
        ctx.db.change.add_dirty(1);
        if let Some(deadline_ms) = deadline_ms.filter(|_| !options.absolute) {
            propagate(ctx, args, deadline_ms);
        }
    }
    ctx.out.ok();
    Ok(())
}

/// The value's time is over: what it was to replace goes all the same.
fn delete_replaced(db: &mut Db<'_, '_>, key: &[u8]) {
    let Some(entry) = db.take(key) else { return };
    db.change.discard_replaced(entry);
    db.note(Class::GENERIC, "del", key);
    db.propagate(&[b"DEL", key]);
    db.change.add_dirty(1);
}

/// Propagates with an absolute time.
fn propagate(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, deadline_ms: i64) {
    if !ctx.db.change.wants(Wants::LOG) {
        return;
    }
    let deadline = deadline_ms.to_string();
    let mut argv = args.all().to_vec();
    argv[2] = deadline.as_bytes();
    argv.push(b"ABSTTL");
    ctx.db.propagate(&argv);
}
