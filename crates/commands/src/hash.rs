//! Hashes: fields with values under one key, some of which may expire.
//!
//! Fields whose time is over are gone before a handler sees their hash; [`look`] answers for the
//! one exception.

use keyspace::{Db, Kind, Value};
use resp::Writer;
use value::compact::Element;
use value::hash::{Field, Hash, Rules};

pub use import::import_hash;

use crate::args::is;
use crate::{Args, Ctx, Error, Handler, typed};

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
    look(&mut ctx.db, args[1], |hash| write_value(ctx.out, hash, args[2]))
}

/// HMGET key field [field ...] - O(N).
fn hmget(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let names = args.from(2);
    look(&mut ctx.db, args[1], |hash| {
        ctx.out.array(names.len());
        names.iter().for_each(|name| write_value(ctx.out, hash, name));
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

/// HLEN key - O(1).
fn hlen(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |hash| ctx.out.int(hash.map_or(0, Hash::len) as i64))
}

/// HGETALL key - O(N).
fn hgetall(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |hash| {
        ctx.out.map(hash.map_or(0, Hash::len));
        for pair in hash.iter().flat_map(|hash| hash.iter()) {
            write(ctx.out, pair.name());
            write(ctx.out, pair.value());
        }
    })
}

/// HKEYS key - O(N).
fn hkeys(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |hash| {
        ctx.out.array(hash.map_or(0, Hash::len));
        hash.iter().flat_map(|hash| hash.iter()).for_each(|pair| write(ctx.out, pair.name()));
    })
}

/// HVALS key - O(N).
fn hvals(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |hash| {
        ctx.out.array(hash.map_or(0, Hash::len));
        hash.iter().flat_map(|hash| hash.iter()).for_each(|pair| write(ctx.out, pair.value()));
    })
}

/// Calls `work` with the hash under a key, if there is one: a read. While writes are paused, fields
/// whose time is over stay where they are, and the work gets a copy without them.
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
    work: impl FnOnce(&mut Hash, Rules<'_>) -> R,
) -> Result<R, Error> {
    let rules = rules(ctx);
    let make: fn() -> Value = || Value::Hash(Hash::new());
    let done = ctx
        .db
        .change_object(key, Kind::Hash, Some(make), |value| work(typed::hash_mut(value), rules))?;
    Ok(done.expect("a missing hash is made"))
}

/// Changes the hash under a key, if there is one; the work may write the reply meanwhile. The
/// caller records what it did.
fn update<R>(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    work: impl FnOnce(&mut Writer, &mut Hash, Rules<'_>) -> R,
) -> Result<Option<R>, Error> {
    let (rules, out) = (rules(ctx), &mut *ctx.out);
    let done = ctx
        .db
        .change_object(key, Kind::Hash, None, |value| work(out, typed::hash_mut(value), rules))?;
    Ok(done)
}

fn rules<'a>(ctx: &Ctx<'a, '_>) -> Rules<'a> {
    let settings = ctx.settings;
    Rules { limits: &settings.limits, hasher: ctx.db.keyspace().key_hash() }
}

/// Refuses a pair that no allocation of a field could hold.
fn check_pairs(pairs: &[&[u8]]) -> Result<(), Error> {
    let too_long = |pair: &[&[u8]]| pair.iter().map(|part| part.len()).sum::<usize>();
    match pairs.chunks(2).any(|pair| too_long(pair) > Field::LEN_MAX) {
        true => Err(Error::TooLong),
        false => Ok(()),
    }
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
fn write_value(out: &mut Writer, hash: Option<&Hash>, name: &[u8]) {
    match hash.and_then(|hash| hash.get(name)) {
        Some(pair) => write(out, pair.value()),
        None => out.null(),
    }
}

/// The values of fields of a hash that does not exist.
fn write_nulls(out: &mut Writer, count: usize) {
    out.array(count);
    (0..count).for_each(|_| out.null());
}

/// Writes a name or a value.
#[inline]
fn write(out: &mut Writer, element: Element<'_>) {
    match element {
        Element::Int(value) => out.bulk_int(value),
        Element::Str(text) => out.bulk(text),
    }
}
