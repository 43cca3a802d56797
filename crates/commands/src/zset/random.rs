//! Members by chance.

use std::collections::HashSet;

use value::Zset;

use super::{begin_members, write_member, write_members};
use crate::args::{is, signed};
use crate::bound::Bound;
use crate::{Args, Ctx, Error, reply, typed};

/// ZRANDMEMBER key [count [WITHSCORES]] - O(M log N).
pub(super) fn zrandmember(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let Some(count) = args.get(2) else { return one(ctx, args[1]) };
    let count = signed(count)?;
    let with_scores = match args.from(3) {
        [] => false,
        [word] if is(word, "WITHSCORES") => true,
        _ => return Err(Error::Syntax),
    };
    if with_scores && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(Error::Text(spec::error::OUT_OF_RANGE));
    }
    let bound = Bound::new(ctx);
    let Some(entry) = ctx.db.read(args[1]) else {
        ctx.out.array(0);
        return Ok(());
    };
    let zset = typed::zset(&entry)?;
    let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
    if count >= 0 && wanted >= zset.len() {
        write_members(ctx.out, zset.all(), with_scores);
        return Ok(());
    }
    if count >= 0 {
        let ranks = distinct(zset.len(), wanted, ctx.rng);
        let members = ranks.into_iter().map(|rank| zset.at(rank));
        write_members(ctx.out, members, with_scores);
        return Ok(());
    }
    begin_members(ctx.out, wanted, with_scores);
    for _ in 0..wanted {
        write_member(ctx.out, any(zset, ctx.rng), with_scores);
        if !bound.allows_more(ctx.out) {
            break;
        }
    }
    bound.end(ctx.out)
}

fn one(ctx: &mut Ctx<'_, '_>, key: &[u8]) -> Result<(), Error> {
    match ctx.db.read(key) {
        Some(entry) => {
            let zset = typed::zset(&entry)?;
            reply::element(ctx.out, any(zset, ctx.rng).0);
        }
        None => ctx.out.null(),
    }
    Ok(())
}

fn any<'a>(zset: &'a Zset, rng: &mut fastrand::Rng) -> (value::compact::Element<'a>, f64) {
    zset.at(rng.usize(..zset.len()))
}

/// `count` different ranks below `len`, each such set as likely as another (Floyd's algorithm).
pub(super) fn distinct(len: usize, count: usize, rng: &mut fastrand::Rng) -> Vec<usize> {
    let mut taken = HashSet::with_capacity(count);
    let mut ranks = Vec::with_capacity(count);
    for last in len - count..len {
        let rank = rng.usize(..=last);
        let rank = if taken.insert(rank) { rank } else { last };
        taken.insert(rank);
        ranks.push(rank);
    }
    ranks
}
