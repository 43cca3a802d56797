//! Unions, intersections and differences of sorted sets, and of sets, whose members count as 1.

use std::collections::HashMap;
use std::collections::hash_map::Entry as Place;

use keyspace::{Entry, ValueView};
use resp::number::parse_f64;
use value::compact::Element;
use value::number::Text;
use value::{Set, Zset};

use super::{Scored, sort, store, write_members};
use crate::args::at_least;
use crate::{Args, Ctx, Cursor, Error};

/// How a result comes of its sources.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Operation {
    Union,
    Inter,
    Diff,
}

/// How scores of one member are put together.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aggregate {
    Sum,
    Min,
    Max,
    /// The sum of the weights alone.
    Count,
}

/// ZUNION numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM|MIN|MAX|COUNT] [WITHSCORES]
/// - O(N + M log M).
pub(super) fn zunion(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    show(ctx, args, Operation::Union)
}

/// ZINTER numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE SUM|MIN|MAX|COUNT] [WITHSCORES]
/// - O(N K + M log M).
pub(super) fn zinter(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    show(ctx, args, Operation::Inter)
}

/// ZDIFF numkeys key [key ...] [WITHSCORES] - O(N K + M log M).
pub(super) fn zdiff(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    show(ctx, args, Operation::Diff)
}

/// ZUNIONSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE ...]
pub(super) fn zunionstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    keep(ctx, args, Operation::Union, "zunionstore")
}

/// ZINTERSTORE destination numkeys key [key ...] [WEIGHTS weight ...] [AGGREGATE ...]
pub(super) fn zinterstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    keep(ctx, args, Operation::Inter, "zinterstore")
}

/// ZDIFFSTORE destination numkeys key [key ...]
pub(super) fn zdiffstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    keep(ctx, args, Operation::Diff, "zdiffstore")
}

/// ZINTERCARD numkeys key [key ...] [LIMIT limit] - O(N K).
pub(super) fn zintercard(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (keys, rest) = split(ctx, args, 1)?;
    let limit = read_limit(args.cursor(rest));
    let entries = ctx.db.read_many(keys);
    let mut sources = sources(entries.iter().map(Option::as_deref), keys.len())?;
    let limit = limit?;
    sources.sort_by_key(|source| source.of.len());
    let mut count = 0;
    let (first, others) = sources.split_first().expect("there is one key at least");
    first.of.each(&mut |name, _| {
        count += usize::from(others.iter().all(|other| other.of.score(name).is_some()));
        limit == 0 || count < limit
    });
    ctx.out.int(count as i64);
    Ok(())
}

fn show(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, operation: Operation) -> Result<(), Error> {
    let (members, with_scores) = combined(ctx, args, operation, 1)?;
    let members = members.iter().map(|(score, name)| (Element::Str(name), *score));
    write_members(ctx.out, members, with_scores);
    Ok(())
}

fn keep(
    ctx: &mut Ctx<'_, '_>,
    args: &Args<'_>,
    operation: Operation,
    event: &'static str,
) -> Result<(), Error> {
    let (members, _) = combined(ctx, args, operation, 2)?;
    ctx.out.int(members.len() as i64);
    store(ctx, args[1], members, event, 1);
    Ok(())
}

/// The result in order, and whether its scores are wanted. The number of keys stands at `index`.
fn combined(
    ctx: &mut Ctx<'_, '_>,
    args: &Args<'_>,
    operation: Operation,
    index: usize,
) -> Result<(Vec<Scored>, bool), Error> {
    let (keys, rest) = split(ctx, args, index)?;
    let options = Options::read(args.cursor(rest), keys.len(), operation, index == 2);
    let entries = ctx.db.read_many(keys);
    let mut sources = sources(entries.iter().map(Option::as_deref), keys.len())?;
    let Options { weights, aggregate, with_scores } = options?;
    for (source, weight) in sources.iter_mut().zip(weights) {
        source.weight = weight;
    }
    if operation != Operation::Diff {
        sources.sort_by_key(|source| source.of.len());
    }
    let mut members = match operation {
        Operation::Union => union(&sources, aggregate),
        Operation::Inter => inter(&sources, aggregate),
        Operation::Diff => diff(&sources),
    };
    sort(&mut members);
    Ok((members, with_scores))
}

fn union(sources: &[Source<'_>], aggregate: Aggregate) -> Vec<Scored> {
    let largest = sources.last().map_or(0, |source| source.of.len());
    let mut members: HashMap<Box<[u8]>, f64> = HashMap::with_capacity(largest);
    for source in sources {
        source.of.each(&mut |name, score| {
            let score = aggregate.first(source.weight, score);
            match members.entry(name.into()) {
                Place::Occupied(mut place) => {
                    *place.get_mut() = aggregate.next(*place.get(), score);
                }
                Place::Vacant(place) => {
                    place.insert(score);
                }
            }
            true
        });
    }
    members.into_iter().map(|(name, score)| (score, name)).collect()
}

fn inter(sources: &[Source<'_>], aggregate: Aggregate) -> Vec<Scored> {
    let (first, others) = sources.split_first().expect("there is one key at least");
    let mut members = Vec::new();
    first.of.each(&mut |name, score| {
        let mut total = aggregate.first(first.weight, score);
        for other in others {
            let Some(score) = other.of.score(name) else { return true };
            total = aggregate.next(total, aggregate.value(other.weight, score));
        }
        members.push((total, name.into()));
        true
    });
    members
}

fn diff(sources: &[Source<'_>]) -> Vec<Scored> {
    let (first, others) = sources.split_first().expect("there is one key at least");
    let mut members = Vec::new();
    first.of.each(&mut |name, score| {
        if others.iter().all(|other| other.of.score(name).is_none()) {
            members.push((score, name.into()));
        }
        true
    });
    members
}

/// The keys behind their number at `index`, and the place of what follows them.
fn split<'a>(
    ctx: &mut Ctx<'_, '_>,
    args: &Args<'a>,
    index: usize,
) -> Result<(&'a [&'a [u8]], usize), Error> {
    let count = args.int(index)?;
    if count < 1 {
        let command = ctx.command;
        ctx.out.error(&format!("ERR at least 1 input key is needed for '{command}' command"));
        return Err(Error::Written);
    }
    let words = args.from(index + 1);
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let keys = words.get(..count).ok_or(Error::Syntax)?;
    Ok((keys, index + 1 + count))
}

fn read_limit(mut words: Cursor<'_>) -> Result<usize, Error> {
    let mut limit = 0;
    while words.left() > 0 {
        if words.left() < 2 || !words.accept("LIMIT") {
            return Err(Error::Syntax);
        }
        limit = at_least(words.value()?, 0, spec::error::LIMIT_NEGATIVE)?;
    }
    Ok(limit)
}

struct Options {
    weights: Vec<f64>,
    aggregate: Aggregate,
    with_scores: bool,
}

impl Options {
    fn read(
        mut words: Cursor<'_>,
        keys: usize,
        operation: Operation,
        is_store: bool,
    ) -> Result<Self, Error> {
        let mut options =
            Self { weights: vec![1.0; keys], aggregate: Aggregate::Sum, with_scores: false };
        let is_weighed = operation != Operation::Diff;
        while words.left() > 0 {
            if is_weighed && words.left() > keys && words.accept("WEIGHTS") {
                for weight in &mut options.weights {
                    *weight = parse_f64(words.value()?)
                        .ok_or(Error::Text("ERR weight value is not a float"))?;
                }
            } else if is_weighed && words.left() > 1 && words.accept("AGGREGATE") {
                options.aggregate = Aggregate::read(&mut words)?;
            } else if !is_store && words.accept("WITHSCORES") {
                options.with_scores = true;
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }
}

impl Aggregate {
    fn read(words: &mut Cursor<'_>) -> Result<Self, Error> {
        match () {
            () if words.accept("SUM") => Ok(Self::Sum),
            () if words.accept("MIN") => Ok(Self::Min),
            () if words.accept("MAX") => Ok(Self::Max),
            () if words.accept("COUNT") => Ok(Self::Count),
            () => Err(Error::Syntax),
        }
    }

    /// What a score in a source counts for.
    fn value(self, weight: f64, score: f64) -> f64 {
        if self == Self::Count { weight } else { weight * score }
    }

    /// What a member's first score counts for; infinity times zero is zero.
    fn first(self, weight: f64, score: f64) -> f64 {
        let value = self.value(weight, score);
        if value.is_nan() { 0.0 } else { value }
    }

    /// The result so far with one more value; the sum of opposite infinities is zero.
    fn next(self, total: f64, value: f64) -> f64 {
        match self {
            Self::Sum | Self::Count => {
                let sum = total + value;
                if sum.is_nan() { 0.0 } else { sum }
            }
            Self::Min => {
                if value < total {
                    value
                } else {
                    total
                }
            }
            Self::Max => {
                if value > total {
                    value
                } else {
                    total
                }
            }
        }
    }
}

/// A key's value as a source, and what its scores are multiplied by.
struct Source<'e> {
    of: Members<'e>,
    weight: f64,
}

/// What a source can be.
enum Members<'e> {
    Missing,
    Zset(&'e Zset),
    Set(&'e Set),
}

impl Members<'_> {
    fn len(&self) -> usize {
        match self {
            Self::Missing => 0,
            Self::Zset(zset) => zset.len(),
            Self::Set(set) => set.len(),
        }
    }

    fn score(&self, name: &[u8]) -> Option<f64> {
        match self {
            Self::Missing => None,
            Self::Zset(zset) => zset.score(name),
            Self::Set(set) => set.contains(name).then_some(1.0),
        }
    }

    /// Calls `f` with the members, in order, until it says false.
    fn each(&self, f: &mut dyn FnMut(&[u8], f64) -> bool) {
        match self {
            Self::Missing => {}
            Self::Set(set) => {
                let mut room = Text::new();
                set.all(|name| f(name.text(&mut room), 1.0));
            }
            Self::Zset(zset) => {
                let mut room = Text::new();
                for (name, score) in zset.all() {
                    if !f(name.text(&mut room), score) {
                        return;
                    }
                }
            }
        }
    }
}

fn sources<'e>(
    entries: impl Iterator<Item = Option<&'e Entry>>,
    count: usize,
) -> Result<Vec<Source<'e>>, Error> {
    let mut sources = Vec::with_capacity(count);
    for entry in entries {
        let of = match entry {
            None => Members::Missing,
            Some(entry) => match entry.object() {
                Some(ValueView::Zset(zset)) => Members::Zset(zset),
                Some(ValueView::Set(set)) => Members::Set(set),
                _ => return Err(Error::WrongType),
            },
        };
        sources.push(Source { of, weight: 1.0 });
    }
    Ok(sources)
}
