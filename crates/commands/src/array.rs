//! Arrays: strings under numbers, with gaps.
//!
//! What changes them stands in `array/change.rs`, sums and the like in `array/aggregate.rs`, the
//! search for texts in `array/grep.rs`.

use keyspace::Db;
use resp::Writer;
use value::Array;
use value::compact::Element;

use crate::args::is;
use crate::scan::unsigned;
use crate::{Args, Ctx, Error, Handler, reply, typed};

mod aggregate;
mod change;
mod grep;

pub(crate) const HANDLERS: &[(&str, Handler)] = &[
    ("arcount", arcount),
    ("ardel", change::ardel),
    ("ardelrange", change::ardelrange),
    ("arget", arget),
    ("argetrange", argetrange),
    ("argrep", grep::argrep),
    ("arinfo", arinfo),
    ("arinsert", change::arinsert),
    ("arlastitems", arlastitems),
    ("arlen", arlen),
    ("armget", armget),
    ("armset", change::armset),
    ("arnext", arnext),
    ("arop", aggregate::arop),
    ("arring", change::arring),
    ("arscan", arscan),
    ("arseek", change::arseek),
    ("arset", change::arset),
];

/// Places that one ARGETRANGE or ARLASTITEMS gives, for they give the empty ones too.
const RANGE_MAX: u64 = 1_000_000;

const BAD_INDEX: Error = Error::Text("ERR invalid array index");

/// ARGET key index - O(1).
fn arget(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |array| {
        let index = index(args[2])?;
        reply::element_or_null(ctx.out, array.and_then(|array| array.get(index)));
        Ok(())
    })?
}

/// ARMGET key index [index ...] - O(N).
fn armget(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |array| {
        let indexes: Vec<u64> =
            args.from(2).iter().map(|arg| index(arg)).collect::<Result<_, _>>()?;
        ctx.out.array(indexes.len());
        for index in indexes {
            reply::element_or_null(ctx.out, array.and_then(|array| array.get(index)));
        }
        Ok(())
    })?
}

/// ARGETRANGE key start end - O(N) of the places between them, backwards when start is larger.
fn argetrange(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (start, end) = (index(args[2])?, index(args[3])?);
    look(&mut ctx.db, args[1], |array| {
        let places = start.abs_diff(end) + 1;
        if places > RANGE_MAX {
            return Err(Error::Text("ERR range exceeds maximum of 1000000 items"));
        }
        let out = &mut *ctx.out;
        out.array(places as usize);
        let mut written = 0;
        if let Some(array) = array {
            array.walk(start, end, |index, element| {
                let place = start.abs_diff(index);
                (written..place).for_each(|_| out.null());
                reply::element(out, element);
                written = place + 1;
                true
            });
        }
        (written..places).for_each(|_| out.null());
        Ok(())
    })?
}

/// ARSCAN key start end [LIMIT limit] - O(N) of the elements between start and end.
fn arscan(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (start, end) = (index(args[2])?, index(args[3])?);
    let limit = match args.from(4) {
        [] => u64::MAX,
        [word, limit] if is(word, "LIMIT") => limit_of(limit)?,
        [_, _] => return Err(Error::Syntax),
        _ => return Err(Error::Arity),
    };
    look(&mut ctx.db, args[1], |array| {
        let later = ctx.out.array_later();
        let mut count = 0;
        if let Some(array) = array {
            array.walk(start, end, |index, element| {
                ctx.out.array(2);
                ctx.out.uint(index);
                reply::element(ctx.out, element);
                count += 1;
                count < limit
            });
        }
        ctx.out.finish(later, count as usize);
    })
}

/// ARLEN key - O(1).
fn arlen(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |array| ctx.out.uint(array.map_or(0, Array::len)))
}

/// ARCOUNT key - O(1).
fn arcount(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |array| ctx.out.uint(array.map_or(0, Array::count)))
}

/// ARNEXT key - O(1). Null when the last insert took the largest index.
fn arnext(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |array| match array.map_or(Some(0), Array::next_insert) {
        Some(index) => ctx.out.uint(index),
        None => ctx.out.null(),
    })
}

/// ARLASTITEMS key count [REV] - O(N).
fn arlastitems(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let count = resp::number::parse_i64(args[2]).ok_or(Error::Text("ERR invalid COUNT"))?;
    if count <= 0 {
        ctx.out.array(0);
        return Ok(());
    }
    let newest_first = match args.from(3) {
        [] => false,
        [word] if is(word, "REV") => true,
        [_] => return Err(Error::Syntax),
        _ => return Err(Error::Arity),
    };
    look(&mut ctx.db, args[1], |array| {
        if array.map_or(0, Array::len).min(count as u64) > RANGE_MAX {
            return Err(Error::Text("ERR count exceeds maximum of 1000000 items"));
        }
        let mut found: Vec<Option<Element<'_>>> =
            array.map_or_else(Vec::new, |array| array.newest(count as u64).collect());
        if !newest_first {
            found.reverse();
        }
        ctx.out.array(found.len());
        found.into_iter().for_each(|element| reply::element_or_null(ctx.out, element));
        Ok(())
    })?
}

/// ARINFO key [FULL] - O(1), with FULL O(N) of the slices.
fn arinfo(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let full = match args.from(2) {
        [] => false,
        [word] if is(word, "FULL") => true,
        _ => return Err(Error::Syntax),
    };
    look(&mut ctx.db, args[1], |array| {
        let array = array.ok_or(Error::NoSuchKey)?;
        let out = &mut *ctx.out;
        out.map(if full { 12 } else { 7 });
        let figures = [
            ("count", array.count()),
            ("len", array.len()),
            ("next-insert-index", array.next_insert().unwrap_or(0)),
            ("slices", array.slices()),
            ("directory-size", array.slices()),
            ("super-dir-entries", 0),
            ("slice-size", Array::SLICE),
        ];
        for (name, figure) in figures {
            out.bulk(name.as_bytes());
            out.uint(figure);
        }
        if full {
            write_fill(out, array);
        }
        Ok(())
    })?
}

fn write_fill(out: &mut Writer, array: &Array) {
    let fill = array.fill();
    let ratio = |part: u64, of: u64| if of == 0 { 0.0 } else { part as f64 / of as f64 };
    let places = fill.dense * Array::SLICE;
    for (name, figure) in [("dense-slices", fill.dense), ("sparse-slices", fill.sparse)] {
        out.bulk(name.as_bytes());
        out.uint(figure);
    }
    for (name, figure) in [
        ("avg-dense-size", ratio(places, fill.dense)),
        ("avg-dense-fill", ratio(fill.dense_elements, places)),
        ("avg-sparse-size", ratio(fill.sparse_elements, fill.sparse)),
    ] {
        out.bulk(name.as_bytes());
        out.double(figure);
    }
}

/// Calls `work` with the array under a key, if there is one: a read.
fn look<R>(
    db: &mut Db<'_, '_>,
    key: &[u8],
    work: impl FnOnce(Option<&Array>) -> R,
) -> Result<R, Error> {
    match db.read(key) {
        Some(entry) => Ok(work(Some(typed::array(&entry)?))),
        None => Ok(work(None)),
    }
}

/// An index: a number of 64 bits without a sign, but not the largest.
fn index(arg: &[u8]) -> Result<u64, Error> {
    unsigned(arg).filter(|index| *index <= value::array::INDEX_MAX).ok_or(BAD_INDEX)
}

/// What follows LIMIT.
fn limit_of(arg: &[u8]) -> Result<u64, Error> {
    match resp::number::parse_i64(arg).ok_or(Error::NotInteger)? {
        limit @ 1.. => Ok(limit as u64),
        _ => Err(Error::Text("ERR LIMIT must be positive")),
    }
}

#[cfg(test)]
mod tests;
