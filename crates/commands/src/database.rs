//! Whole databases.

use std::ops::Range;

use crate::args::is;
use crate::{Args, Ctx, Error, Handler};

/// Elements that MEMORY USAGE looks at when it is not told how many.
const SAMPLES: usize = 5;

pub(crate) const HANDLERS: &[(&str, Handler)] = &[
    ("dbsize", dbsize),
    ("flushall", flushall),
    ("flushdb", flushdb),
    ("memory|usage", memory_usage),
    ("swapdb", swapdb),
];

/// DBSIZE - O(1).
fn dbsize(ctx: &mut Ctx<'_, '_>, _args: &Args<'_>) -> Result<(), Error> {
    let len = ctx.db.len();
    ctx.out.int(len as i64);
    Ok(())
}

/// FLUSHALL [ASYNC | SYNC] - O(N); with ASYNC memory is freed in the background.
fn flushall(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let all = 0..ctx.db.databases();
    flush(ctx, args, all)?;
    ctx.db.change.note_emptied();
    Ok(())
}

/// FLUSHDB [ASYNC | SYNC] - O(N); with ASYNC memory is freed in the background.
fn flushdb(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let one = ctx.db.index();
    flush(ctx, args, one..one + 1)
}

fn flush(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, databases: Range<u32>) -> Result<(), Error> {
    let lazily = match args.from(1) {
        [] => ctx.settings.lazyfree_user_flush,
        [word] if is(word, "ASYNC") => true,
        [word] if is(word, "SYNC") => false,
        _ => return Err(Error::Syntax),
    };
    let removed = ctx.db.flush(databases, lazily);
    ctx.db.change.add_dirty(removed);
    // Databases that are empty here may not be so where the command goes.
    ctx.db.change.force();
    ctx.out.ok();
    Ok(())
}

/// SWAPDB index1 index2 - O(1).
fn swapdb(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let number = |at: usize, refused| {
        let number = resp::number::parse_i64(args[at]);
        let number = number.and_then(|number| i32::try_from(number).ok());
        number.ok_or(Error::Text(refused))
    };
    let one = number(1, spec::error::INVALID_FIRST_DB)?;
    let other = number(2, spec::error::INVALID_SECOND_DB)?;
    let (one, other) = (existing(ctx, one.into())?, existing(ctx, other.into())?);
    ctx.db.swap(one, other);
    ctx.db.change.add_dirty(1);
    ctx.out.ok();
    Ok(())
}

/// MEMORY USAGE key [SAMPLES count] - O(1) for strings, O(N) in the samples for collections.
fn memory_usage(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let mut options = args.cursor(3);
    let mut samples = SAMPLES;
    while options.left() > 0 {
        if options.left() < 2 || !options.accept("SAMPLES") {
            return Err(Error::Syntax);
        }
        samples = usize::try_from(options.int()?).map_err(|_| Error::Syntax)?;
    }
    match ctx.db.footprint(args[2], samples) {
        Some(bytes) => ctx.out.int(bytes as i64),
        None => ctx.out.null(),
    }
    Ok(())
}

/// Reads the number of a database.
pub(crate) fn db_number(ctx: &mut Ctx<'_, '_>, arg: &[u8]) -> Result<u32, Error> {
    let number = resp::number::parse_i64(arg).ok_or(Error::NotInteger)?;
    if i32::try_from(number).is_err() {
        return Err(Error::Text(spec::error::BEYOND_32_BITS));
    }
    existing(ctx, number)
}

/// The database of a number, if there is one.
fn existing(ctx: &Ctx<'_, '_>, number: i64) -> Result<u32, Error> {
    let found = u32::try_from(number).ok().filter(|number| *number < ctx.db.databases());
    found.ok_or(Error::Text(spec::error::DB_OUT_OF_RANGE))
}
