//! Hashes: fields with values under one key, some of which may expire.
//!
//! Fields whose time is over are gone before a handler sees their hash. Where they have to stay in
//! place, [`look`] and [`Fields`] hide them.

use keyspace::{Db, Kind, Value};
use resp::Writer;
use value::hash::{Field, Hash, Pair, Rules, Time};

pub use import::import_hash;

use crate::args::is;
use crate::{Args, Ctx, Error, Handler, reply, typed};

mod change;
mod expire;
mod import;
mod number;
mod random;
mod scan;
mod timed;

pub(crate) const HANDLERS: &[(&str, Handler)] = &[
    ("hdel", change::hdel),
    ("hexists", hexists),
    ("hexpire", expire::hexpire),
    ("hexpireat", expire::hexpireat),
    ("hexpiretime", expire::hexpiretime),
    ("hget", hget),
    ("hgetall", hgetall),
    ("hgetdel", change::hgetdel),
    ("hgetex", timed::hgetex),
    ("hincrby", number::hincrby),
    ("hincrbyfloat", number::hincrbyfloat),
    ("hkeys", hkeys),
    ("hlen", hlen),
    ("hmget", hmget),
    ("hmset", change::hmset),
    ("hpersist", expire::hpersist),
    ("hpexpire", expire::hpexpire),
    ("hpexpireat", expire::hpexpireat),
    ("hpexpiretime", expire::hpexpiretime),
    ("hpttl", expire::hpttl),
    ("hrandfield", random::hrandfield),
    ("hscan", scan::hscan),
    ("hset", change::hset),
    ("hsetex", timed::hsetex),
    ("hsetnx", change::hsetnx),
    ("hstrlen", hstrlen),
    ("httl", expire::httl),
    ("hvals", hvals),
];

/// The number of fields is zero, or there are more or fewer of them.
const WRONG_NUMFIELDS: Error =
    Error::Text("ERR numfields should be greater than 0 and match the provided number of fields");

/// HGET key field - O(1).
fn hget(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |hash| {
        write_value(ctx.out, hash.and_then(|hash| hash.get(args[2])));
    })
}

/// HMGET key field [field ...] - O(N).
fn hmget(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let names = args.from(2);
    look(&mut ctx.db, args[1], |hash| {
        ctx.out.array(names.len());
        let pair = |name: &&[u8]| hash.and_then(|hash| hash.get(name));
        names.iter().for_each(|name| write_value(ctx.out, pair(name)));
    })
}

/// HEXISTS key field - O(1).
fn hexists(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |hash| {
        ctx.out.int(hash.is_some_and(|hash| hash.get(args[2]).is_some()).into());
    })
}

/// HSTRLEN key field - O(1).
fn hstrlen(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |hash| {
        let pair = hash.and_then(|hash| hash.get(args[2]));
        let len = pair.map_or(0, |pair| pair.value().text(&mut value::number::Text::new()).len());
        ctx.out.int(len as i64);
    })
}

/// HLEN key - O(1). Fields that stay although their time is over are counted.
fn hlen(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let len = match ctx.db.read(args[1]) {
        Some(entry) => typed::hash(&entry)?.len(),
        None => 0,
    };
    ctx.out.int(len as i64);
    Ok(())
}

/// HGETALL key - O(N).
fn hgetall(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |hash| {
        ctx.out.map(hash.map_or(0, Hash::len));
        for pair in hash.iter().flat_map(|hash| hash.iter()) {
            reply::element(ctx.out, pair.name());
            reply::element(ctx.out, pair.value());
        }
    })
}

/// HKEYS key - O(N).
fn hkeys(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |hash| {
        ctx.out.array(hash.map_or(0, Hash::len));
        hash.iter()
            .flat_map(|hash| hash.iter())
            .for_each(|pair| reply::element(ctx.out, pair.name()));
    })
}

/// HVALS key - O(N).
fn hvals(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |hash| {
        ctx.out.array(hash.map_or(0, Hash::len));
        hash.iter()
            .flat_map(|hash| hash.iter())
            .for_each(|pair| reply::element(ctx.out, pair.value()));
    })
}

/// Calls `work` with the hash under a key, if there is one: a read. Where fields whose time is over
/// stay in place, the work gets a copy without them.
fn look<R>(
    db: &mut Db<'_, '_>,
    key: &[u8],
    work: impl FnOnce(Option<&Hash>) -> R,
) -> Result<R, Error> {
    let since_ms = db.over_since();
    let Some(entry) = db.read(key) else { return Ok(work(None)) };
    let hash = typed::hash(&entry)?;
    if !hash.is_due(since_ms) {
        return Ok(work(Some(hash)));
    }
    let mut rest = hash.clone();
    rest.remove_due(since_ms, usize::MAX);
    Ok(work(Some(&rest)))
}

/// Changes the hash under a key, made when it is missing. The caller records what it did.
fn upsert<R>(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    work: impl FnOnce(&mut Fields<'_>, Rules<'_>) -> R,
) -> Result<R, Error> {
    let (rules, since_ms) = (rules(ctx), ctx.db.over_since());
    let make: fn() -> Value = || Value::Hash(Hash::new());
    let done = ctx.db.change_object(key, Kind::Hash, Some(make), |value| {
        work(&mut Fields::of(typed::hash_mut(value), since_ms), rules)
    })?;
    Ok(done.expect("a missing hash is made"))
}

/// Changes the hash under a key, if there is one; the work may write the reply meanwhile. The
/// caller records what it did.
fn update<R>(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    work: impl FnOnce(&mut Writer, &mut Fields<'_>, Rules<'_>) -> R,
) -> Result<Option<R>, Error> {
    let (rules, since_ms, out) = (rules(ctx), ctx.db.over_since(), &mut *ctx.out);
    let done = ctx.db.change_object(key, Kind::Hash, None, |value| {
        work(out, &mut Fields::of(typed::hash_mut(value), since_ms), rules)
    })?;
    Ok(done)
}

/// A hash that is being changed. Fields whose time is over do not exist in it, also where they stay
/// in place; they only give way to new ones.
struct Fields<'h> {
    hash: &'h mut Hash,
    since_ms: i64,
    /// Some field's time was over at the start.
    any_over: bool,
}

impl<'h> Fields<'h> {
    fn of(hash: &'h mut Hash, since_ms: i64) -> Self {
        let any_over = hash.is_due(since_ms);
        Self { hash, since_ms, any_over }
    }

    fn get(&self, name: &[u8]) -> Option<Pair<'_>> {
        self.hash.get(name).filter(|pair| !is_over(pair, self.since_ms))
    }

    fn is_over(&self, name: &[u8]) -> bool {
        self.any_over && self.hash.get(name).is_some_and(|pair| is_over(&pair, self.since_ms))
    }

    fn make_room(&mut self, pairs: &[&[u8]], rules: Rules<'_>) {
        self.hash.make_room(pairs, rules);
    }

    fn set(&mut self, name: &[u8], value: &[u8], time: Time, rules: Rules<'_>) -> bool {
        if self.is_over(name) {
            let time = if time == Time::Keep { Time::Never } else { time };
            self.hash.set(name, value, time, rules);
            return true;
        }
        self.hash.set(name, value, time, rules)
    }

    fn remove(&mut self, name: &[u8]) -> bool {
        !self.is_over(name) && self.hash.remove(name)
    }

    fn set_deadline(&mut self, name: &[u8], deadline_ms: Option<i64>, rules: Rules<'_>) -> bool {
        !self.is_over(name) && self.hash.set_deadline(name, deadline_ms, rules.hasher)
    }

    fn next_due_ms(&self) -> Option<i64> {
        self.hash.next_due_ms()
    }
}

fn is_over(pair: &Pair<'_>, since_ms: i64) -> bool {
    pair.deadline_ms().is_some_and(|deadline_ms| deadline_ms < since_ms)
}

fn rules<'a>(ctx: &Ctx<'a, '_>) -> Rules<'a> {
    let settings = ctx.settings;
    Rules { limits: &settings.limits, hasher: ctx.db.keyspace().key_hash() }
}

/// Refuses a pair that no allocation of a field could hold.
fn check_pairs(pairs: &[&[u8]]) -> Result<(), Error> {
    let len = |pair: &[&[u8]]| pair.iter().map(|part| part.len()).sum::<usize>();
    let is_too_long = pairs.chunks(2).any(|pair| len(pair) > Field::LEN_MAX);
    if is_too_long { Err(Error::TooLong) } else { Ok(()) }
}

/// The fields behind `FIELDS numfields` at argument 2; `mismatch` when there are more or fewer.
fn fields_at_two<'a>(args: &Args<'a>, mismatch: Error) -> Result<&'a [&'a [u8]], Error> {
    if !is(args[2], "FIELDS") {
        return Err(Error::Syntax);
    }
    let count = args.int(3)?;
    let names = args.from(4);
    if count <= 0 || count != names.len() as i64 { Err(mismatch) } else { Ok(names) }
}

/// Where the word FIELDS stands, which is not the last argument.
fn find_fields(args: &Args<'_>, from: usize) -> Option<usize> {
    (from..args.len() - 1).find(|&at| is(args[at], "FIELDS"))
}

/// Writes the value of a field, or null.
fn write_value(out: &mut Writer, pair: Option<Pair<'_>>) {
    reply::element_or_null(out, pair.as_ref().map(Pair::value));
}

/// The values of fields of a hash that does not exist.
fn write_nulls(out: &mut Writer, count: usize) {
    out.array(count);
    (0..count).for_each(|_| out.null());
}
