//! Reading the entries between two ids.

use value::stream::Stream;

use super::{end_bound, look, start_bound, write_entry};
use crate::{Args, Ctx, Error};

/// XLEN key - O(1).
pub(super) fn xlen(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    look(&mut ctx.db, args[1], |stream| ctx.out.int(stream.map_or(0, Stream::len) as i64))
}

/// XRANGE key start end [COUNT count] - O(N) of the entries.
pub(super) fn xrange(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    range(ctx, args, false)
}

/// XREVRANGE key end start [COUNT count] - O(N) of the entries.
pub(super) fn xrevrange(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    range(ctx, args, true)
}

fn range(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, back: bool) -> Result<(), Error> {
    let (low, high) = if back { (args[3], args[2]) } else { (args[2], args[3]) };
    let (start, end) = (start_bound(low)?, end_bound(high)?);
    let mut count = None;
    let mut options = args.cursor(4);
    while options.left() > 0 {
        if options.left() < 2 || !options.accept("COUNT") {
            return Err(Error::Syntax);
        }
        count = Some(options.int()?.max(0) as usize);
    }
    let out = &mut *ctx.out;
    look(&mut ctx.db, args[1], |stream| match stream {
        None => out.array(0),
        Some(_) if count == Some(0) => out.null_array(),
        Some(stream) => {
            let (later, count) = (out.array_later(), count.unwrap_or(usize::MAX));
            let mut written = 0;
            let write = |entry| {
                write_entry(out, &entry);
                written += 1;
            };
            if back {
                stream.range_back(start, end).take(count).for_each(write);
            } else {
                stream.range(start, end).take(count).for_each(write);
            }
            out.finish(later, written);
        }
    })
}
