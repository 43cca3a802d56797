//! Intersection, union and difference: as a reply, as a count, stored under a key.

use keyspace::{Class, Entries, NewValue, Ttl, Value};
use smallvec::SmallVec;
use value::Set;
use value::set;

use super::{rules, write};
use crate::list::at_least;
use crate::{Args, Ctx, Error, typed};

/// SINTER key [key ...] - O(N*M) of the smallest set's members and the number of sets.
pub(super) fn sinter(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let found = ctx.db.read_many(args.from(1));
    let sets = sets(&found)?;
    let later = ctx.out.set_later();
    let mut count = 0;
    set::intersect(&all(&sets), |element| {
        write(ctx.out, element);
        count += 1;
        true
    });
    ctx.out.finish(later, count);
    Ok(())
}

/// SUNION key [key ...] - O(N) of all members.
pub(super) fn sunion(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let rules = rules(ctx);
    let found = ctx.db.read_many(args.from(1));
    let sets = sets(&found)?;
    let later = ctx.out.set_later();
    let mut count = 0;
    set::unite(&present(&sets), &rules, |element| {
        write(ctx.out, element);
        count += 1;
        true
    });
    ctx.out.finish(later, count);
    Ok(())
}

/// SDIFF key [key ...] - O(N*M) of the first set's members and the number of sets.
pub(super) fn sdiff(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let found = ctx.db.read_many(args.from(1));
    let sets = sets(&found)?;
    let later = ctx.out.set_later();
    let mut count = 0;
    set::diff(&sets, |element| {
        write(ctx.out, element);
        count += 1;
        true
    });
    ctx.out.finish(later, count);
    Ok(())
}

/// SINTERCARD numkeys key [key ...] [LIMIT limit] - O(N*M), less with a limit.
pub(super) fn sintercard(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let request = Request::read(args, false)?;
    let found = ctx.db.read_many(request.keys);
    let sets = sets(&found)?;
    let mut counter = Counter::new(&request);
    set::intersect(&all(&sets), |_| counter.goes_on());
    ctx.out.int(counter.count as i64);
    Ok(())
}

/// SUNIONCARD numkeys key [key ...] [APPROX] [LIMIT limit] - O(N) of all members, less with a
/// limit. APPROX allows a count that is not exact; this one is.
pub(super) fn sunioncard(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let request = Request::read(args, true)?;
    let rules = rules(ctx);
    let found = ctx.db.read_many(request.keys);
    let sets = sets(&found)?;
    let mut counter = Counter::new(&request);
    set::unite(&present(&sets), &rules, |_| counter.goes_on());
    ctx.out.int(counter.count as i64);
    Ok(())
}

/// SDIFFCARD numkeys key [key ...] [LIMIT limit] - O(N*M), less with a limit.
pub(super) fn sdiffcard(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let request = Request::read(args, false)?;
    let found = ctx.db.read_many(request.keys);
    let sets = sets(&found)?;
    let mut counter = Counter::new(&request);
    set::diff(&sets, |_| counter.goes_on());
    ctx.out.int(counter.count as i64);
    Ok(())
}

/// SINTERSTORE destination key [key ...] - as SINTER.
pub(super) fn sinterstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let rules = rules(ctx);
    let found = ctx.db.read_many(args.from(2));
    let result = set::store_intersection(&all(&sets(&found)?), &rules);
    drop(found);
    store(ctx, args[1], result, "sinterstore");
    Ok(())
}

/// SUNIONSTORE destination key [key ...] - as SUNION.
pub(super) fn sunionstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let rules = rules(ctx);
    let found = ctx.db.read_many(args.from(2));
    let result = set::store_union(&present(&sets(&found)?), &rules);
    drop(found);
    store(ctx, args[1], result, "sunionstore");
    Ok(())
}

/// SDIFFSTORE destination key [key ...] - as SDIFF.
pub(super) fn sdiffstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let rules = rules(ctx);
    let found = ctx.db.read_many(args.from(2));
    let result = set::store_diff(&sets(&found)?, &rules);
    drop(found);
    store(ctx, args[1], result, "sdiffstore");
    Ok(())
}

/// Puts a result in the place of whatever is under a key; an empty one removes it.
fn store(ctx: &mut Ctx<'_, '_>, key: &[u8], result: Set, event: &'static str) {
    let len = result.len();
    if len > 0 {
        ctx.db.set(key, NewValue::Object(Value::Set(result)), Ttl::Never);
        ctx.db.note(Class::SET, event, key);
        ctx.db.change.add_dirty(1);
    } else if let Some(entry) = ctx.db.take(key) {
        ctx.db.change.discard_replaced(entry);
        ctx.db.note(Class::GENERIC, "del", key);
        ctx.db.change.add_dirty(1);
    }
    ctx.out.int(len as i64);
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
                limit = at_least(words.value()?, 0, "ERR LIMIT can't be negative")?;
            } else if !takes_approx || !words.accept("APPROX") {
                return Err(Error::Syntax);
            }
        }
        Ok(Self { keys, limit: (limit > 0).then_some(limit) })
    }
}

/// Counts up to a limit.
struct Counter {
    count: usize,
    limit: Option<usize>,
}

impl Counter {
    fn new(request: &Request<'_>) -> Self {
        Self { count: 0, limit: request.limit }
    }

    fn goes_on(&mut self) -> bool {
        self.count += 1;
        self.limit != Some(self.count)
    }
}
