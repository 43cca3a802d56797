//! Runs of members: by rank, by score, by bytes.
//!
//! Each command becomes a [`Query`], and a query on a sorted set becomes a range of ranks.

use std::ops::Range;

use keyspace::Kind;
use resp::number::parse_f64;
use value::Zset;
use value::compact::Element;
use value::number::Text;
use value::zset::{Form, LexBound, LexRange, ScoreRange};

use super::{Scored, finish_removal, put, write_members};
use crate::args::c_text;
use crate::{Args, Ctx, Error, typed};

/// What a run is bounded by.
#[derive(Clone, Copy)]
enum By<'a> {
    Rank(i64, i64),
    Score(ScoreRange),
    Lex(LexRange<'a>),
}

/// Which of the three it is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kinds {
    Rank,
    Score,
    Lex,
}

/// Which run of members, from which end.
struct Query<'a> {
    by: By<'a>,
    reverse: bool,
    offset: i64,
    /// Negative: all.
    limit: i64,
    with_scores: bool,
}

/// What a command's name says already; the rest are options.
#[derive(Clone, Copy)]
struct Fixed {
    /// The place of the source key.
    key: usize,
    by: Option<Kinds>,
    reverse: Option<bool>,
    is_store: bool,
}

/// ZRANGE key start stop [BYSCORE|BYLEX] [REV] [LIMIT offset count] [WITHSCORES] - O(log N + M).
pub(super) fn zrange(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    show(ctx, args, Fixed { key: 1, by: None, reverse: None, is_store: false })
}

/// ZREVRANGE key start stop [WITHSCORES] - O(log N + M).
pub(super) fn zrevrange(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    older(ctx, args, Kinds::Rank, true)
}

/// ZRANGEBYSCORE key min max [WITHSCORES] [LIMIT offset count] - O(log N + M).
pub(super) fn zrangebyscore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    older(ctx, args, Kinds::Score, false)
}

/// ZREVRANGEBYSCORE key max min [WITHSCORES] [LIMIT offset count] - O(log N + M).
pub(super) fn zrevrangebyscore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    older(ctx, args, Kinds::Score, true)
}

/// ZRANGEBYLEX key min max [LIMIT offset count] - O(log N + M).
pub(super) fn zrangebylex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    older(ctx, args, Kinds::Lex, false)
}

/// ZREVRANGEBYLEX key max min [LIMIT offset count] - O(log N + M).
pub(super) fn zrevrangebylex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    older(ctx, args, Kinds::Lex, true)
}

/// ZRANGESTORE dst src min max [BYSCORE|BYLEX] [REV] [LIMIT offset count] - O(log N + M).
pub(super) fn zrangestore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let query = Query::read(args, Fixed { key: 2, by: None, reverse: None, is_store: true })?;
    let (limits, hash) = (&ctx.settings.limits, ctx.db.keyspace().key_hash());
    let form = Form { limits, hash: &hash };
    let stored = match ctx.db.read(args[2]) {
        Some(entry) => {
            let zset = typed::zset(&entry)?;
            copy(zset, &query, form)
        }
        None => Zset::new(),
    };
    let count = stored.len();
    match count {
        0 => ctx.vacate(args[1]),
        _ => put(ctx, args[1], stored, "zrangestore", 1),
    }
    ctx.out.int(count as i64);
    Ok(())
}

/// ZCOUNT key min max - O(log N).
pub(super) fn zcount(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    count(ctx, args, Kinds::Score)
}

/// ZLEXCOUNT key min max - O(log N).
pub(super) fn zlexcount(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    count(ctx, args, Kinds::Lex)
}

/// ZREMRANGEBYRANK key start stop - O(M log N).
pub(super) fn zremrangebyrank(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    remove_range(ctx, args, Kinds::Rank, "zremrangebyrank")
}

/// ZREMRANGEBYSCORE key min max - O(M log N).
pub(super) fn zremrangebyscore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    remove_range(ctx, args, Kinds::Score, "zremrangebyscore")
}

/// ZREMRANGEBYLEX key min max - O(M log N).
pub(super) fn zremrangebylex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    remove_range(ctx, args, Kinds::Lex, "zremrangebylex")
}

fn older(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, by: Kinds, reverse: bool) -> Result<(), Error> {
    show(ctx, args, Fixed { key: 1, by: Some(by), reverse: Some(reverse), is_store: false })
}

fn show(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, fixed: Fixed) -> Result<(), Error> {
    let query = Query::read(args, fixed)?;
    let Some(entry) = ctx.db.read(args[fixed.key]) else {
        ctx.out.array(0);
        return Ok(());
    };
    let zset = typed::zset(&entry)?;
    let members = zset.iter(query.ranks(zset), query.reverse);
    write_members(ctx.out, members, query.with_scores);
    Ok(())
}

fn count(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, kind: Kinds) -> Result<(), Error> {
    let query = Query::whole(By::read(kind, args[2], args[3])?);
    let count = match ctx.db.read(args[1]) {
        Some(entry) => query.ranks(typed::zset(&entry)?).len(),
        None => 0,
    };
    ctx.out.int(count as i64);
    Ok(())
}

fn remove_range(
    ctx: &mut Ctx<'_, '_>,
    args: &Args<'_>,
    kind: Kinds,
    event: &'static str,
) -> Result<(), Error> {
    let query = Query::whole(By::read(kind, args[2], args[3])?);
    let removed = ctx.db.change_object(args[1], Kind::Zset, None, |value| {
        let zset = typed::zset_mut(value);
        let ranks = query.ranks(zset);
        zset.remove_ranks(ranks.clone());
        ranks.len()
    })?;
    let removed = removed.unwrap_or(0);
    finish_removal(ctx, args[1], removed, event);
    ctx.out.int(removed as i64);
    Ok(())
}

/// The members of a query as a sorted set of their own.
fn copy(zset: &Zset, query: &Query<'_>, form: Form<'_>) -> Zset {
    let owned = |(name, score): (Element<'_>, f64)| -> Scored {
        (score, name.text(&mut Text::new()).into())
    };
    let members: Vec<Scored> = zset.iter(query.ranks(zset), false).map(owned).collect();
    let longest = members.iter().map(|(_, name)| name.len()).max().unwrap_or(0);
    let pairs = members.iter().map(|(score, name)| (&**name, *score));
    Zset::of_ascending(pairs, members.len(), longest, form)
}

impl<'a> Query<'a> {
    fn whole(by: By<'a>) -> Self {
        Self { by, reverse: false, offset: 0, limit: -1, with_scores: false }
    }

    fn read(args: &Args<'a>, fixed: Fixed) -> Result<Self, Error> {
        let (mut by, mut reverse) = (fixed.by, fixed.reverse);
        let (mut offset, mut limit, mut with_scores) = (0, -1, false);
        let mut words = args.cursor(fixed.key + 3);
        while words.left() > 0 {
            if !fixed.is_store && words.accept("WITHSCORES") {
                with_scores = true;
            } else if words.left() > 2 && words.accept("LIMIT") {
                (offset, limit) = (words.int()?, words.int()?);
            } else if fixed.reverse.is_none() && reverse.is_none() && words.accept("REV") {
                reverse = Some(true);
            } else if by.is_none() && words.accept("BYLEX") {
                by = Some(Kinds::Lex);
            } else if by.is_none() && words.accept("BYSCORE") {
                by = Some(Kinds::Score);
            } else {
                return Err(Error::Syntax);
            }
        }
        let (kind, reverse) = (by.unwrap_or(Kinds::Rank), reverse.unwrap_or(false));
        if limit != -1 && kind == Kinds::Rank {
            return Err(Error::Text(
                "ERR syntax error, LIMIT is only supported in combination with either BYSCORE or \
                 BYLEX",
            ));
        }
        if with_scores && kind == Kinds::Lex {
            return Err(Error::Text(
                "ERR syntax error, WITHSCORES not supported in combination with BYLEX",
            ));
        }
        let (mut min, mut max) = (args[fixed.key + 1], args[fixed.key + 2]);
        if reverse && kind != Kinds::Rank {
            (min, max) = (max, min);
        }
        Ok(Self { by: By::read(kind, min, max)?, reverse, offset, limit, with_scores })
    }

    fn ranks(&self, zset: &Zset) -> Range<usize> {
        let ranks = match &self.by {
            By::Rank(start, stop) => {
                let ranks = ranks_between(*start, *stop, zset.len());
                return match self.reverse {
                    true => zset.len() - ranks.end..zset.len() - ranks.start,
                    false => ranks,
                };
            }
            By::Score(range) => zset.ranks_of_scores(range),
            By::Lex(range) => zset.ranks_of_names(range, self.reverse),
        };
        let skipped = usize::try_from(self.offset).unwrap_or(usize::MAX).min(ranks.len());
        let count = usize::try_from(self.limit).unwrap_or(usize::MAX).min(ranks.len() - skipped);
        if self.reverse {
            let end = ranks.end - skipped;
            end - count..end
        } else {
            let start = ranks.start + skipped;
            start..start + count
        }
    }
}

impl<'a> By<'a> {
    fn read(kind: Kinds, min: &'a [u8], max: &'a [u8]) -> Result<Self, Error> {
        match kind {
            Kinds::Rank => {
                let int = |arg| resp::number::parse_i64(arg).ok_or(Error::NotInteger);
                Ok(Self::Rank(int(min)?, int(max)?))
            }
            Kinds::Score => {
                let (Some((min, min_open)), Some((max, max_open))) =
                    (score_bound(min), score_bound(max))
                else {
                    return Err(Error::Text("ERR min or max is not a float"));
                };
                Ok(Self::Score(ScoreRange { min, max, min_open, max_open }))
            }
            Kinds::Lex => {
                let (Some(min), Some(max)) = (lex_bound(min), lex_bound(max)) else {
                    return Err(Error::Text("ERR min or max not valid string range item"));
                };
                Ok(Self::Lex(LexRange { min, max }))
            }
        }
    }
}

/// The ranks from `start` to `stop`, which count from the end when they are negative.
fn ranks_between(start: i64, stop: i64, len: usize) -> Range<usize> {
    let place = |index: i64| match usize::try_from(index) {
        Ok(index) => Some(index),
        Err(_) => len.checked_sub(usize::try_from(index.unsigned_abs()).unwrap_or(usize::MAX)),
    };
    let start = place(start).unwrap_or(0);
    let Some(stop) = place(stop) else { return 0..0 };
    if start > stop || start >= len {
        return 0..0;
    }
    start..stop.saturating_add(1).min(len)
}

/// One end of a range of scores, and whether the score itself is outside. Redis reads it by C's
/// `strtod`: nothing at all is 0, and what is too large is infinite.
fn score_bound(text: &[u8]) -> Option<(f64, bool)> {
    let (text, open) = match text {
        [b'(', text @ ..] => (text, true),
        text => (text, false),
    };
    let text = c_text(text);
    if text.is_empty() {
        return Some((0.0, open));
    }
    let score = parse_f64(text).or_else(|| std::str::from_utf8(text).ok()?.parse().ok())?;
    (!score.is_nan()).then_some((score, open))
}

fn lex_bound(text: &[u8]) -> Option<LexBound<'_>> {
    match text {
        b"-" => Some(LexBound::Lowest),
        b"+" => Some(LexBound::Highest),
        [b'(', bytes @ ..] => Some(LexBound::Open(bytes)),
        [b'[', bytes @ ..] => Some(LexBound::Closed(bytes)),
        _ => None,
    }
}
