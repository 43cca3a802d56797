//! Intersection, union and difference: as a reply, as a count, stored under a key.

use keyspace::{Class, Entries, NewValue, Ttl, Value};
use smallvec::SmallVec;
use value::Set;
use value::compact::Element;
use value::set::{self, Rules};

use super::rules;
use crate::args::at_least;
use crate::{Args, Ctx, Error, reply, typed};

/// How a result comes of the sets.
#[derive(Clone, Copy)]
enum Operation {
    Union,
    Inter,
    Diff,
}

/// SINTER key [key ...] - O(N*M) of the smallest set's members and the number of sets.
pub(super) fn sinter(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    show(ctx, args, Operation::Inter)
}

/// SUNION key [key ...] - O(N) of all members.
pub(super) fn sunion(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    show(ctx, args, Operation::Union)
}

/// SDIFF key [key ...] - O(N*M) of the first set's members and the number of sets.
pub(super) fn sdiff(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    show(ctx, args, Operation::Diff)
}

/// SINTERCARD numkeys key [key ...] [LIMIT limit] - O(N*M), less with a limit.
pub(super) fn sintercard(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    count(ctx, args, Operation::Inter)
}

/// SUNIONCARD numkeys key [key ...] [APPROX] [LIMIT limit] - O(N) of all members, less with a
/// limit. APPROX allows a count that is not exact; this one is.
pub(super) fn sunioncard(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    count(ctx, args, Operation::Union)
}

/// SDIFFCARD numkeys key [key ...] [LIMIT limit] - O(N*M), less with a limit.
pub(super) fn sdiffcard(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    count(ctx, args, Operation::Diff)
}

/// SINTERSTORE destination key [key ...] - as SINTER.
pub(super) fn sinterstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    keep(ctx, args, Operation::Inter, "sinterstore")
}

/// SUNIONSTORE destination key [key ...] - as SUNION.
pub(super) fn sunionstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    keep(ctx, args, Operation::Union, "sunionstore")
}

/// SDIFFSTORE destination key [key ...] - as SDIFF.
pub(super) fn sdiffstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    keep(ctx, args, Operation::Diff, "sdiffstore")
}

/// Replies the members of the result.
fn show(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, operation: Operation) -> Result<(), Error> {
    let rules = rules(ctx);
    let found = ctx.db.read_many(args.from(1));
    let sets = sets(&found)?;
    let later = ctx.out.set_later();
    let mut count = 0;
    operation.each(&sets, &rules, |element| {
        reply::element(ctx.out, element);
        count += 1;
        true
    });
    ctx.out.finish(later, count);
    Ok(())
}

/// Replies how many members the result has, up to a limit.
fn count(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, operation: Operation) -> Result<(), Error> {
    let request = Request::read(args, matches!(operation, Operation::Union))?;
    let rules = rules(ctx);
    let found = ctx.db.read_many(request.keys);
    let mut count = 0;
    operation.each(&sets(&found)?, &rules, |_| {
        count += 1;
        request.limit != Some(count)
    });
    ctx.out.int(count as i64);
    Ok(())
}

/// Puts the result in the place of whatever is under a key; an empty one removes it.
fn keep(
    ctx: &mut Ctx<'_, '_>,
    args: &Args<'_>,
    operation: Operation,
    event: &'static str,
) -> Result<(), Error> {
    let (rules, key) = (rules(ctx), args[1]);
    let found = ctx.db.read_many(args.from(2));
    let result = operation.result(&sets(&found)?, &rules);
    drop(found);
    let len = result.len();
    if len > 0 {
        ctx.db.set(key, NewValue::Object(Value::Set(result)), Ttl::Never);
        ctx.db.note(Class::SET, event, key);
        ctx.db.change.add_dirty(1);
    } else {
        ctx.vacate(key);
    }
    ctx.out.int(len as i64);
    Ok(())
}

impl Operation {
    /// Calls `work` with the members of the result until it says false.
    fn each(self, sets: &Sets<'_>, rules: &Rules<'_>, work: impl FnMut(Element<'_>) -> bool) {
        match self {
            Self::Union => set::unite(&present(sets), rules, work),
            Self::Inter => set::intersect(&all(sets), work),
            Self::Diff => set::diff(sets, work),
        }
    }

    fn result(self, sets: &Sets<'_>, rules: &Rules<'_>) -> Set {
        match self {
            Self::Union => set::store_union(&present(sets), rules),
            Self::Inter => set::store_intersection(&all(sets), rules),
            Self::Diff => set::store_diff(sets, rules),
        }
    }
}

type Sets<'a> = SmallVec<[Option<&'a Set>; 8]>;

/// The sets of several keys, `None` where there is no key.
fn sets<'a>(found: &'a Entries<'_>) -> Result<Sets<'a>, Error> {
    found.iter().map(|entry| entry.as_ref().map(|entry| typed::set(entry)).transpose()).collect()
}

/// Those that are there.
fn present<'a>(sets: &Sets<'a>) -> SmallVec<[&'a Set; 8]> {
    sets.iter().copied().flatten().collect()
}

/// All sets; none of them when one is missing, as the intersection is empty then.
fn all<'a>(sets: &Sets<'a>) -> SmallVec<[&'a Set; 8]> {
    let present = present(sets);
    if present.len() == sets.len() { present } else { SmallVec::new() }
}

/// What the commands that count are to do.
struct Request<'a> {
    keys: &'a [&'a [u8]],
    /// `None` for no limit.
    limit: Option<usize>,
}

impl<'a> Request<'a> {
    fn read(args: &Args<'a>, takes_approx: bool) -> Result<Self, Error> {
        let numkeys = at_least(args[1], 1, spec::error::NUMKEYS_NOT_POSITIVE)?;
        let keys = args.from(2).get(..numkeys);
        let keys = keys.ok_or(Error::Text(spec::error::NUMKEYS_TOO_LARGE))?;
        let mut limit = 0;
        let mut words = args.cursor(2 + numkeys);
        while words.left() > 0 {
            if words.left() > 1 && words.accept("LIMIT") {
                limit = at_least(words.value()?, 0, spec::error::LIMIT_NEGATIVE)?;
            } else if !takes_approx || !words.accept("APPROX") {
                return Err(Error::Syntax);
            }
        }
        Ok(Self { keys, limit: (limit > 0).then_some(limit) })
    }
}
