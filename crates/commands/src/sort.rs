//! SORT and SORT_RO: the elements of a list, set or sorted set in another order, or what other keys
//! hold under names made of them.
//!
//! Both run alone, for their patterns reach keys that nobody knows before. Keys are read through
//! [`crate::Ctx::db`] as by any other command.

use std::cmp::Ordering;

use keyspace::{Class, NewValue, Ttl, Value};
use value::List;
use value::list::End;

use crate::args::c_text;
use crate::{Args, Ctx, Error, Handler};

mod elements;
mod options;
mod pattern;

use elements::elements;
use options::{Options, Window};
use pattern::Pattern;

pub(crate) const HANDLERS: &[(&str, Handler)] = &[("sort", sort), ("sort_ro", sort_ro)];

/// SORT key \[BY pattern\] \[LIMIT offset count\] \[GET pattern ...\] \[ASC|DESC\] \[ALPHA\]
/// \[STORE destination\] - O(N+M*log(M)) of the elements and those returned.
fn sort(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    run(ctx, args, true)
}

/// SORT_RO, the same without STORE.
fn sort_ro(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    run(ctx, args, false)
}

fn run(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, may_store: bool) -> Result<(), Error> {
    let options = Options::parse(args, may_store)?;
    let (mut found, is_set) = elements(ctx, args[1])?;
    let order = options.order(is_set, ctx.in_script);
    let window = Window::new(options.limit, found.len());
    match order {
        Order::None if options.descending && !is_set => found.reverse(),
        Order::None => {}
        Order::Of { by, alpha } => {
            found = sorted(ctx, found, by, alpha, options.descending)?;
        }
    }
    let chosen = found.get(window.range()).unwrap_or_default();
    let results = if options.get.is_empty() { None } else { Some(fetch(ctx, chosen, &options)) };
    match (options.store, results) {
        (None, None) => {
            ctx.out.array(chosen.len());
            chosen.iter().for_each(|element| ctx.out.bulk(element));
        }
        (None, Some(results)) => {
            ctx.out.array(results.len());
            for result in results {
                match result {
                    Some(result) => ctx.out.bulk(&result),
                    None => ctx.out.null(),
                }
            }
        }
        (Some(key), None) => store(ctx, key, chosen),
        (Some(key), Some(results)) => {
            let results: Vec<_> = results.into_iter().map(Option::unwrap_or_default).collect();
            store(ctx, key, &results);
        }
    }
    Ok(())
}

/// What decides on the order.
#[derive(Clone, Copy)]
enum Order<'a> {
    /// Nothing: elements stay as they are.
    None,
    /// The elements, or what a pattern finds for each; as texts or as numbers.
    Of { by: Option<Pattern<'a>>, alpha: bool },
}

/// What an element is compared by; a text that is missing comes first.
enum Weight {
    Own,
    Text(Option<Vec<u8>>),
    Number(f64),
}

fn sorted(
    ctx: &mut Ctx<'_, '_>,
    elements: Vec<Vec<u8>>,
    by: Option<Pattern<'_>>,
    alpha: bool,
    descending: bool,
) -> Result<Vec<Vec<u8>>, Error> {
    let mut weighed = Vec::with_capacity(elements.len());
    for element in elements {
        let weight = match (by, alpha) {
            (None, true) => Weight::Own,
            (None, false) => Weight::Number(number(&element)?),
            (Some(by), true) => Weight::Text(by.fetch(ctx, &element)),
            (Some(by), false) => match by.fetch(ctx, &element) {
                Some(text) => Weight::Number(number(&text)?),
                None => Weight::Number(0.0),
            },
        };
        weighed.push((weight, element));
    }
    weighed.sort_by(|one, other| {
        let order = compare(one, other);
        if descending { order.reverse() } else { order }
    });
    Ok(weighed.into_iter().map(|(_, element)| element).collect())
}

fn compare(one: &(Weight, Vec<u8>), other: &(Weight, Vec<u8>)) -> Ordering {
    match (&one.0, &other.0) {
        (Weight::Text(text), Weight::Text(other)) => text.cmp(other),
        (Weight::Number(number), Weight::Number(than)) => {
            number.partial_cmp(than).unwrap_or(Ordering::Equal).then_with(|| one.1.cmp(&other.1))
        }
        _ => one.1.cmp(&other.1),
    }
}

/// A weight's number as C's `strtod` reads it: nothing is 0, leading blanks do not count, and the
/// text ends at its first zero byte. What is no number makes the command fail.
fn number(text: &[u8]) -> Result<f64, Error> {
    let text = c_text(text).trim_ascii_start();
    if text.is_empty() {
        return Ok(0.0);
    }
    resp::number::parse_f64(text)
        .ok_or(Error::Text("ERR One or more scores can't be converted into double"))
}

/// What the patterns of GET find, element by element.
fn fetch(
    ctx: &mut Ctx<'_, '_>,
    elements: &[Vec<u8>],
    options: &Options<'_>,
) -> Vec<Option<Vec<u8>>> {
    let mut results = Vec::with_capacity(elements.len() * options.get.len());
    for element in elements {
        for pattern in &options.get {
            results.push(pattern.fetch(ctx, element));
        }
    }
    results
}

/// Sets a key to a list of the results, or removes it when there are none.
fn store(ctx: &mut Ctx<'_, '_>, key: &[u8], results: &[Vec<u8>]) {
    if results.is_empty() {
        ctx.vacate(key);
    } else {
        let mut list = List::new();
        list.make_room(results.iter().map(Vec::len).sum(), results.len(), &ctx.settings.limits);
        results.iter().for_each(|result| list.push(End::Right, result));
        ctx.db.set(key, NewValue::Object(Value::List(list)), Ttl::Never);
        ctx.db.note(Class::LIST, "sortstore", key);
        ctx.db.change.add_dirty(results.len() as u64);
    }
    ctx.out.int(results.len() as i64);
}
