//! Deleting entries by their ids, alone or with the acknowledgement.

use keyspace::Class;
use value::stream::{Deletion, Id, Refs};

use super::trim::refs;
use super::{id, ids, update};
use crate::args::is;
use crate::{Args, Ctx, Error};

/// No such entry.
const MISSING: i64 = -1;
/// It is gone.
const DONE: i64 = 1;
/// A group still needs it.
const NEEDED: i64 = 2;

/// XDEL key id [id ...] - O(N) of the ids.
pub(super) fn xdel(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let outcome = update(ctx, args[1], |_, stream| {
        let ids = ids(args.from(2))?;
        let gone = |&&id: &&Id| stream.delete(id, Refs::Keep) == Deletion::Done;
        Ok::<usize, Error>(ids.iter().filter(gone).count())
    })?;
    let deleted = outcome.unwrap_or(Ok(0))?;
    record(ctx, args[1], deleted);
    ctx.out.int(deleted as i64);
    Ok(())
}

/// XDELEX key [KEEPREF | DELREF | ACKED] IDS numids id [id ...] - O(N) of the ids.
pub(super) fn xdelex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (refs, ids) = policy_and_ids(args, 2)?;
    let delete = |stream: &mut value::Stream, id: Id| match stream.delete(id, refs) {
        Deletion::Missing => MISSING,
        Deletion::Done => DONE,
        Deletion::Needed => NEEDED,
    };
    let codes = update(ctx, args[1], |_, stream| {
        ids.iter().map(|&id| delete(stream, id)).collect::<Vec<i64>>()
    })?;
    let codes = codes.unwrap_or_else(|| vec![MISSING; ids.len()]);
    record(ctx, args[1], codes.iter().filter(|&&code| code == DONE).count());
    ctx.out.array(codes.len());
    codes.iter().for_each(|&code| ctx.out.int(code));
    Ok(())
}

/// XACKDEL key group [KEEPREF | DELREF | ACKED] IDS numids id [id ...] - O(N) of the ids.
pub(super) fn xackdel(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (refs, ids) = policy_and_ids(args, 3)?;
    let (mut acked, mut deleted) = (0, 0);
    let codes = update(ctx, args[1], |_, stream| {
        let mut code = |id: Id| {
            if !stream.group_mut(args[2]).is_some_and(|group| group.ack(id)) {
                return MISSING;
            }
            acked += 1;
            match stream.delete(id, refs) {
                Deletion::Needed => return NEEDED,
                Deletion::Done => deleted += 1,
                Deletion::Missing => {}
            }
            DONE
        };
        ids.iter().map(|&id| code(id)).collect::<Vec<i64>>()
    })?;
    let codes = codes.unwrap_or_else(|| vec![MISSING; ids.len()]);
    ctx.db.change.add_dirty(acked);
    record(ctx, args[1], deleted);
    ctx.out.array(codes.len());
    codes.iter().for_each(|&code| ctx.out.int(code));
    Ok(())
}

fn record(ctx: &mut Ctx<'_, '_>, key: &[u8], deleted: usize) {
    if deleted > 0 {
        ctx.db.note(Class::STREAM, "xdel", key);
        ctx.db.change.add_dirty(deleted as u64);
    }
}

/// `[KEEPREF | DELREF | ACKED] IDS numids id [id ...]`, in either order.
fn policy_and_ids(args: &Args<'_>, from: usize) -> Result<(Refs, Vec<Id>), Error> {
    let (mut policy, mut texts) = (None, None);
    let mut at = from;
    while let Some(word) = args.get(at) {
        if let Some(refs) = refs(word).filter(|_| policy.is_none()) {
            policy = Some(refs);
            at += 1;
        } else if is(word, "IDS") && at + 1 < args.len() {
            let count = args.int(at + 1).ok().and_then(|count| usize::try_from(count).ok());
            let count = count
                .filter(|&count| count > 0)
                .ok_or(Error::Text("ERR Number of IDs must be a positive integer"))?;
            let rest = args.from(at + 2);
            texts = Some(rest.get(..count).ok_or(Error::Text(
                "ERR The `numids` parameter must match the number of arguments",
            ))?);
            at += 2 + count;
        } else {
            return Err(Error::Syntax);
        }
    }
    let texts = texts.ok_or(Error::Text("ERR IDS option is required"))?;
    let ids = texts.iter().map(|text| id(text)).collect::<Result<Vec<Id>, Error>>()?;
    Ok((policy.unwrap_or_default(), ids))
}
