//! Taking out the members with the lowest or the highest scores.
//!
//! [`try_pop`] is one attempt, for the commands that wait as well as for those that do not.

use keyspace::Kind;

use super::finish_removal;
use crate::args::{PopFirst, at_least, is};
use crate::wait::deadline;
use crate::{Args, Ctx, Error, Wait, reply, typed};

/// From which end.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The lowest scores.
    Min,
    /// The highest scores.
    Max,
}

/// How what was popped is written.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Member, score, ... in one array.
    Flat,
    /// Pairs, which RESP2 has flat.
    Pairs,
    /// The key, and an array of arrays of two.
    Nested,
    /// The key, the one member and its score.
    Keyed,
}

/// ZPOPMIN key [count] - O(M log N).
pub(super) fn zpopmin(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    pop_one_key(ctx, args, End::Min)
}

/// ZPOPMAX key [count] - O(M log N).
pub(super) fn zpopmax(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    pop_one_key(ctx, args, End::Max)
}

/// ZMPOP numkeys key [key ...] MIN|MAX [COUNT count] - O(K + M log N).
pub(super) fn zmpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let PopFirst { keys, end, count } = PopFirst::read(args, 1, end)?;
    match try_pop(ctx, keys, end, count, Layout::Nested)? {
        Some((key, popped)) => {
            let count = popped.to_string();
            ctx.db.propagate(&[end.command(), key, count.as_bytes()]);
        }
        None => ctx.out.null_array(),
    }
    Ok(())
}

/// BZPOPMIN key [key ...] timeout - O(log N).
pub(super) fn bzpopmin(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    pop_or_wait(ctx, args, End::Min)
}

/// BZPOPMAX key [key ...] timeout - O(log N).
pub(super) fn bzpopmax(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    pop_or_wait(ctx, args, End::Max)
}

fn pop_or_wait(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, end: End) -> Result<(), Error> {
    let last = args.len() - 1;
    let until_ms = deadline(ctx, args[last])?;
    match try_pop(ctx, &args.all()[1..last], end, 1, Layout::Keyed)? {
        Some((key, _)) => ctx.db.propagate(&[end.command(), key]),
        None => ctx.wait_or_null_array(Wait::new(1..last, Kind::Zset, until_ms)),
    }
    Ok(())
}

/// BZMPOP timeout numkeys key [key ...] MIN|MAX [COUNT count] - O(K + M log N).
pub(super) fn bzmpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let PopFirst { keys, end, count } = PopFirst::read(args, 2, end)?;
    let until_ms = deadline(ctx, args[1])?;
    match try_pop(ctx, keys, end, count, Layout::Nested)? {
        Some((key, popped)) => {
            let count = popped.to_string();
            ctx.db.propagate(&[end.command(), key, count.as_bytes()]);
        }
        None => ctx.wait_or_null_array(Wait::new(3..3 + keys.len(), Kind::Zset, until_ms)),
    }
    Ok(())
}

/// MIN or MAX.
fn end(word: &[u8]) -> Result<End, Error> {
    if is(word, "MIN") {
        Ok(End::Min)
    } else if is(word, "MAX") {
        Ok(End::Max)
    } else {
        Err(Error::Syntax)
    }
}

impl End {
    /// The command that pops from this end.
    pub(crate) fn command(self) -> &'static [u8] {
        match self {
            Self::Min => b"ZPOPMIN",
            Self::Max => b"ZPOPMAX",
        }
    }
}

fn pop_one_key(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, end: End) -> Result<(), Error> {
    let (count, layout) = match args.from(2) {
        [] => (1, Layout::Flat),
        [count] => (at_least(count, 0, spec::error::NOT_POSITIVE)?, Layout::Pairs),
        _ => return Err(Error::Syntax),
    };
    if try_pop(ctx, &[args[1]], end, count, layout)?.is_none() {
        ctx.out.array(0);
    }
    Ok(())
}

/// Pops up to `count` members of the first of these keys that exists, writes them, and gives the
/// key and how many there were. `None` without such a key: then nothing is written.
pub(crate) fn try_pop<'k>(
    ctx: &mut Ctx<'_, '_>,
    keys: &[&'k [u8]],
    end: End,
    count: usize,
    layout: Layout,
) -> Result<Option<(&'k [u8], usize)>, Error> {
    for key in keys {
        let Some(entry) = ctx.db.reach(key) else { continue };
        let popped = count.min(typed::zset(&entry)?.len());
        if popped == 0 {
            ctx.out.array(0);
            return Ok(Some((key, 0)));
        }
        let out = &mut *ctx.out;
        match layout {
            Layout::Flat => out.array(popped * 2),
            Layout::Pairs => out.pairs(popped),
            Layout::Nested => {
                out.array(2);
                out.bulk(key);
                out.array(popped);
            }
            Layout::Keyed => {
                out.array(3);
                out.bulk(key);
            }
        }
        ctx.db.change_object(key, Kind::Zset, None, |value| {
            let zset = typed::zset_mut(value);
            let ranks = match end {
                End::Min => 0..popped,
                End::Max => zset.len() - popped..zset.len(),
            };
            for (name, score) in zset.iter(ranks.clone(), end == End::Max) {
                match layout {
                    Layout::Flat | Layout::Keyed => {}
                    Layout::Pairs => out.pair(),
                    Layout::Nested => out.array(2),
                }
                reply::element(out, name);
                out.double(score);
            }
            zset.remove_ranks(ranks);
        })?;
        let event = if end == End::Min { "zpopmin" } else { "zpopmax" };
        finish_removal(ctx, key, popped, event);
        return Ok(Some((key, popped)));
    }
    Ok(None)
}
