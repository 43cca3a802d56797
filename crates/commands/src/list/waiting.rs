//! The commands that wait for elements when there are none.

use keyspace::Kind;
use value::list::End;

use super::end;
use super::ends::pop_first;
use super::moving::{Amount, Ends, move_many, move_one};
use crate::args::PopFirst;
use crate::wait::deadline;
use crate::{Args, Ctx, Error, Wait};

/// BLPOP key [key ...] timeout - O(N) of the keys.
pub(super) fn blpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    pop(ctx, args, End::Left)
}

/// BRPOP key [key ...] timeout - O(N) of the keys.
pub(super) fn brpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    pop(ctx, args, End::Right)
}

fn pop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, end: End) -> Result<(), Error> {
    let last = args.len() - 1;
    let until_ms = deadline(ctx, args[last])?;
    if !pop_first(ctx, &args.all()[1..last], end, None)? {
        ctx.wait_or_null_array(Wait::new(1..last, Kind::List, until_ms));
    }
    Ok(())
}

/// BLMPOP timeout numkeys key [key ...] LEFT|RIGHT [COUNT count] - O(N+M) of keys and elements.
pub(super) fn blmpop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let PopFirst { keys, end, count } = PopFirst::read(args, 2, end)?;
    let until_ms = deadline(ctx, args[1])?;
    if !pop_first(ctx, keys, end, Some(count))? {
        ctx.wait_or_null_array(Wait::new(3..3 + keys.len(), Kind::List, until_ms));
    }
    Ok(())
}

/// BLMOVE source destination LEFT|RIGHT LEFT|RIGHT timeout - O(1).
pub(super) fn blmove(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let ends = Ends::read(args)?;
    let until_ms = deadline(ctx, args[5])?;
    if move_one(ctx, args[1], args[2], ends)? {
        ctx.db.propagate(&[b"LMOVE", args[1], args[2], args[3], args[4]]);
    } else if !ctx.waits(Wait::new(1..2, Kind::List, until_ms)) {
        ctx.out.null();
    }
    Ok(())
}

/// BRPOPLPUSH source destination timeout - O(1).
pub(super) fn brpoplpush(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let until_ms = deadline(ctx, args[3])?;
    if move_one(ctx, args[1], args[2], Ends::RIGHT_TO_LEFT)? {
        ctx.db.propagate(&[b"RPOPLPUSH", args[1], args[2]]);
    } else if !ctx.waits(Wait::new(1..2, Kind::List, until_ms)) {
        ctx.out.null();
    }
    Ok(())
}

/// BLMOVEM source destination LEFT|RIGHT LEFT|RIGHT timeout [COUNT|EXACTLY count OBO|BULK] - O(N)
/// of the elements moved.
pub(super) fn blmovem(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let ends = Ends::read(args)?;
    let amount = Amount::read(args.from(6))?;
    let until_ms = deadline(ctx, args[5])?;
    if move_many(ctx, args[1], args[2], ends, amount)? {
        let mut argv: Vec<&[u8]> = vec![b"LMOVEM", args[1], args[2], args[3], args[4]];
        argv.extend(args.from(6));
        ctx.db.propagate(&argv);
    } else if !ctx.waits(Wait::new(1..2, Kind::List, until_ms)) {
        ctx.out.null_array();
    }
    Ok(())
}
