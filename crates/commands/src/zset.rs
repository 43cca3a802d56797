//! Sorted sets.
//!
//! This file has the commands on single members; `range` those on runs of members, `combine` the
//! ones on several keys, `pop` those that take members out, `random` and `scan` the rest. What
//! `geo` shares with them is here.

use keyspace::{Class, Kind, NewValue, Ttl, Value};
use resp::Writer;
use resp::number::parse_f64;
use smallvec::SmallVec;
use value::Zset;
use value::compact::Element;
use value::zset::Form;

use crate::args::is;
use crate::{Args, Ctx, Error, Handler, reply, typed};

mod combine;
mod pop;
mod random;
mod range;
mod scan;
#[cfg(test)]
mod tests;

pub(crate) const HANDLERS: &[(&str, Handler)] = &[
    ("bzmpop", pop::bzmpop),
    ("bzpopmax", pop::bzpopmax),
    ("bzpopmin", pop::bzpopmin),
    ("zadd", zadd),
    ("zcard", zcard),
    ("zcount", range::zcount),
    ("zdiff", combine::zdiff),
    ("zdiffstore", combine::zdiffstore),
    ("zincrby", zincrby),
    ("zinter", combine::zinter),
    ("zintercard", combine::zintercard),
    ("zinterstore", combine::zinterstore),
    ("zlexcount", range::zlexcount),
    ("zmpop", pop::zmpop),
    ("zmscore", zmscore),
    ("zpopmax", pop::zpopmax),
    ("zpopmin", pop::zpopmin),
    ("zrandmember", random::zrandmember),
    ("zrange", range::zrange),
    ("zrangebylex", range::zrangebylex),
    ("zrangebyscore", range::zrangebyscore),
    ("zrangestore", range::zrangestore),
    ("zrank", zrank),
    ("zrem", zrem),
    ("zremrangebylex", range::zremrangebylex),
    ("zremrangebyrank", range::zremrangebyrank),
    ("zremrangebyscore", range::zremrangebyscore),
    ("zrevrange", range::zrevrange),
    ("zrevrangebylex", range::zrevrangebylex),
    ("zrevrangebyscore", range::zrevrangebyscore),
    ("zrevrank", zrevrank),
    ("zscan", scan::zscan),
    ("zscore", zscore),
    ("zunion", combine::zunion),
    ("zunionstore", combine::zunionstore),
];

/// Which members ZADD touches, and how.
#[derive(Clone, Copy, Default)]
pub(crate) struct Rules {
    pub(crate) nx: bool,
    pub(crate) xx: bool,
    pub(crate) gt: bool,
    pub(crate) lt: bool,
    pub(crate) incr: bool,
    pub(crate) ch: bool,
}

/// What ZADD has done.
#[derive(Default)]
struct Outcome {
    added: u64,
    updated: u64,
    /// The score of the last member that was not passed over.
    score: Option<f64>,
    is_nan: bool,
}

/// ZADD key [NX|XX] [GT|LT] [CH] [INCR] score member [score member ...] - O(log N) a member.
fn zadd(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    add_pairs(ctx, args, Rules::default())
}

/// ZINCRBY key increment member - O(log N).
fn zincrby(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    add_pairs(ctx, args, Rules { incr: true, ..Rules::default() })
}

/// ZREM key member [member ...] - O(log N) a member.
fn zrem(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let key = args[1];
    let removed = ctx.db.change_object(key, Kind::Zset, None, |value| {
        let zset = typed::zset_mut(value);
        args.from(2).iter().filter(|name| zset.remove(name).is_some()).count()
    })?;
    let removed = removed.unwrap_or(0);
    finish_removal(ctx, key, removed, "zrem");
    ctx.out.int(removed as i64);
    Ok(())
}

/// ZCARD key - O(1).
fn zcard(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let len = match ctx.db.read(args[1]) {
        Some(entry) => typed::zset(&entry)?.len(),
        None => 0,
    };
    ctx.out.int(len as i64);
    Ok(())
}

/// ZSCORE key member - O(1).
fn zscore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let score = match ctx.db.read(args[1]) {
        Some(entry) => typed::zset(&entry)?.score(args[2]),
        None => None,
    };
    write_score(ctx.out, score);
    Ok(())
}

/// ZMSCORE key member [member ...] - O(1) a member.
fn zmscore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let names = args.from(2);
    let entry = ctx.db.read(args[1]);
    let zset = entry.as_deref().map(typed::zset).transpose()?;
    ctx.out.array(names.len());
    for name in names {
        write_score(ctx.out, zset.and_then(|zset| zset.score(name)));
    }
    Ok(())
}

/// ZRANK key member [WITHSCORE] - O(log N).
fn zrank(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    rank(ctx, args, false)
}

/// ZREVRANK key member [WITHSCORE] - O(log N).
fn zrevrank(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    rank(ctx, args, true)
}

fn rank(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, reverse: bool) -> Result<(), Error> {
    let with_score = match args.from(3) {
        [] => false,
        [word] if is(word, "WITHSCORE") => true,
        [_] => return Err(Error::Syntax),
        _ => return Err(Error::Arity),
    };
    let found = match ctx.db.read(args[1]) {
        Some(entry) => {
            let zset = typed::zset(&entry)?;
            let place = |rank| if reverse { zset.len() - 1 - rank } else { rank };
            zset.rank(args[2]).map(|(rank, score)| (place(rank), score))
        }
        None => None,
    };
    match found {
        Some((rank, score)) if with_score => {
            ctx.out.array(2);
            ctx.out.int(rank as i64);
            ctx.out.double(score);
        }
        Some((rank, _)) => ctx.out.int(rank as i64),
        None if with_score => ctx.out.null_array(),
        None => ctx.out.null(),
    }
    Ok(())
}

/// What ZADD and ZINCRBY do with the words behind the key.
fn add_pairs(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, mut rules: Rules) -> Result<(), Error> {
    let mut words = args.cursor(2);
    loop {
        match () {
            () if words.accept("NX") => rules.nx = true,
            () if words.accept("XX") => rules.xx = true,
            () if words.accept("GT") => rules.gt = true,
            () if words.accept("LT") => rules.lt = true,
            () if words.accept("CH") => rules.ch = true,
            () if words.accept("INCR") => rules.incr = true,
            () => break,
        }
    }
    let words = words.rest();
    if words.is_empty() || !words.len().is_multiple_of(2) {
        return Err(Error::Syntax);
    }
    rules.check(words.len() / 2)?;
    let mut pairs: SmallVec<[(f64, &[u8]); 8]> = SmallVec::new();
    for pair in words.chunks_exact(2) {
        pairs.push((parse_f64(pair[0]).ok_or(Error::NotFloat)?, pair[1]));
    }
    add(ctx, args[1], &pairs, rules)
}

/// Adds members or changes their scores, and replies as ZADD does.
pub(crate) fn add(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    pairs: &[(f64, &[u8])],
    rules: Rules,
) -> Result<(), Error> {
    let longest = pairs.iter().map(|(_, name)| name.len()).max().unwrap_or(0);
    let (limits, hash) = (&ctx.settings.limits, ctx.db.keyspace().key_hash());
    let form = Form { limits, hash: &hash };
    let make: Option<fn() -> Value> = if rules.xx { None } else { Some(empty) };
    let outcome = ctx.db.change_object(key, Kind::Zset, make, |value| {
        let zset = typed::zset_mut(value);
        zset.expect(pairs.len(), longest, form);
        let mut outcome = Outcome::default();
        for (score, name) in pairs {
            zset.update(name, form, |old| rules.decide(old, *score, &mut outcome));
        }
        outcome
    })?;
    let outcome = outcome.unwrap_or_default();
    let changed = outcome.added + outcome.updated;
    if changed > 0 {
        ctx.db.change.add_dirty(changed);
        ctx.db.note(Class::ZSET, if rules.incr { "zincr" } else { "zadd" }, key);
    }
    if outcome.is_nan {
        return Err(Error::Text("ERR resulting score is not a number (NaN)"));
    }
    match rules {
        Rules { incr: true, .. } => write_score(ctx.out, outcome.score),
        Rules { ch: true, .. } => ctx.out.int(changed as i64),
        _ => ctx.out.int(outcome.added as i64),
    }
    Ok(())
}

impl Rules {
    fn check(self, pairs: usize) -> Result<(), Error> {
        if self.nx && self.xx {
            return Err(Error::Text("ERR XX and NX options at the same time are not compatible"));
        }
        if (self.nx && (self.gt || self.lt)) || (self.gt && self.lt) {
            return Err(Error::Text(
                "ERR GT, LT, and/or NX options at the same time are not compatible",
            ));
        }
        if self.incr && pairs > 1 {
            return Err(Error::Text("ERR INCR option supports a single increment-element pair"));
        }
        Ok(())
    }

    /// The new score of a member, if it gets one.
    fn decide(self, old: Option<f64>, score: f64, outcome: &mut Outcome) -> Option<f64> {
        let Some(old) = old else {
            if self.xx {
                return None;
            }
            outcome.added += 1;
            outcome.score = Some(score);
            return Some(score);
        };
        if self.nx {
            return None;
        }
        let score = if self.incr { old + score } else { score };
        if score.is_nan() {
            outcome.is_nan = true;
            return None;
        }
        if (self.lt && score >= old) || (self.gt && score <= old) {
            return None;
        }
        outcome.score = Some(score);
        outcome.updated += u64::from(score != old);
        Some(score)
    }
}

/// A value to fill.
fn empty() -> Value {
    Value::Zset(Zset::new())
}

/// Records that members were removed, and removes the key when none is left.
fn finish_removal(ctx: &mut Ctx<'_, '_>, key: &[u8], removed: usize, event: &'static str) {
    if removed > 0 {
        ctx.db.change.add_dirty(removed as u64);
        ctx.db.note(Class::ZSET, event, key);
        ctx.db.drop_vacant(key);
    }
}

/// A result on its way to a key.
pub(crate) type Scored = (f64, Box<[u8]>);

/// Puts members, sorted here, under a key in place of whatever is there; when there are
/// none, the key goes. The count of members is the caller's to reply.
pub(crate) fn store(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    mut members: Vec<Scored>,
    event: &'static str,
    dirty: u64,
) {
    if members.is_empty() {
        return ctx.vacate(key);
    }
    sort(&mut members);
    let (limits, hash) = (&ctx.settings.limits, ctx.db.keyspace().key_hash());
    let longest = members.iter().map(|(_, name)| name.len()).max().unwrap_or(0);
    let pairs = members.iter().map(|(score, name)| (&**name, *score));
    let zset = Zset::of_ascending(pairs, members.len(), longest, Form { limits, hash: &hash });
    put(ctx, key, zset, event, dirty);
}

/// Puts a sorted set under a key in place of whatever is there.
fn put(ctx: &mut Ctx<'_, '_>, key: &[u8], zset: Zset, event: &'static str, dirty: u64) {
    ctx.db.set(key, NewValue::Object(Value::Zset(zset)), Ttl::Never);
    ctx.db.note(Class::ZSET, event, key);
    ctx.db.change.add_dirty(dirty);
}

/// Puts members in the order of a sorted set. Scores are numbers.
pub(crate) fn sort(members: &mut [Scored]) {
    members.sort_unstable_by(|(a, name), (b, other)| {
        a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal).then_with(|| name.cmp(other))
    });
}

/// Writes members, with their scores in pairs if these are wanted.
fn write_members<'a>(
    out: &mut Writer,
    members: impl ExactSizeIterator<Item = (Element<'a>, f64)>,
    with_scores: bool,
) {
    begin_members(out, members.len(), with_scores);
    members.for_each(|member| write_member(out, member, with_scores));
}

/// Begins an array of so many members.
fn begin_members(out: &mut Writer, count: usize, with_scores: bool) {
    if with_scores { out.pairs(count) } else { out.array(count) }
}

/// Writes one of the members of such an array.
fn write_member(out: &mut Writer, (name, score): (Element<'_>, f64), with_scores: bool) {
    if with_scores {
        out.pair();
    }
    reply::element(out, name);
    if with_scores {
        out.double(score);
    }
}

fn write_score(out: &mut Writer, score: Option<f64>) {
    match score {
        Some(score) => out.double(score),
        None => out.null(),
    }
}
