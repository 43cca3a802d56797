//! Looking for elements by what they are: LPOS, LREM, LINSERT.

use keyspace::{Class, Kind};
use value::list::End;

use crate::args::{at_least, is, signed};
use crate::{Args, Ctx, Error, typed};

/// LINSERT key BEFORE|AFTER pivot element - O(N) of the elements in front of the pivot.
pub(super) fn linsert(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, pivot, element, limits) = (args[1], args[3], args[4], &ctx.settings.limits);
    let side = if is(args[2], "AFTER") {
        End::Right
    } else if is(args[2], "BEFORE") {
        End::Left
    } else {
        return Err(Error::Syntax);
    };
    let len = ctx.db.change_object(key, Kind::List, None, |value| {
        let list = typed::list_mut(value);
        list.make_room(element.len(), 1, limits);
        list.insert(side, pivot, element).then(|| list.len())
    })?;
    match len {
        None => ctx.out.int(0),
        Some(None) => ctx.out.int(-1),
        Some(Some(len)) => {
            ctx.db.note(Class::LIST, "linsert", key);
            ctx.db.change.add_dirty(1);
            ctx.out.int(len as i64);
        }
    }
    Ok(())
}

/// LREM key count element - O(N).
pub(super) fn lrem(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, element, limits) = (args[1], args[3], &ctx.settings.limits);
    let count = signed(args[2])?;
    let end = if count < 0 { End::Right } else { End::Left };
    let most = if count == 0 { usize::MAX } else { count.unsigned_abs() as usize };
    let removed = ctx.db.change_object(key, Kind::List, None, |value| {
        let list = typed::list_mut(value);
        let removed = list.remove_equal(end, element, most);
        if removed > 0 {
            list.shrink(limits);
        }
        removed
    })?;
    let removed = removed.unwrap_or(0);
    if removed > 0 {
        ctx.db.note(Class::LIST, "lrem", key);
        ctx.db.drop_vacant(key);
        ctx.db.change.add_dirty(removed as u64);
    }
    ctx.out.int(removed as i64);
    Ok(())
}

/// LPOS key element [RANK rank] [COUNT num-matches] [MAXLEN len] - O(N).
pub(super) fn lpos(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let options = Options::read(args)?;
    let Some(entry) = ctx.db.read(args[1]) else {
        match options.count {
            Some(_) => ctx.out.array(0),
            None => ctx.out.null(),
        }
        return Ok(());
    };
    let list = typed::list(&entry)?;
    let index = |distance: usize| match options.from {
        End::Left => distance as i64,
        End::Right => (list.len() - 1 - distance) as i64,
    };
    let later = options.count.map(|_| ctx.out.array_later());
    let most = options.count.unwrap_or(1);
    let (mut to_skip, mut found) = (options.skip, 0);
    list.search(options.from, args[2], options.maxlen, |distance| {
        if to_skip > 0 {
            to_skip -= 1;
            return true;
        }
        ctx.out.int(index(distance));
        found += 1;
        found != most
    });
    match later {
        Some(later) => ctx.out.finish(later, found),
        None if found == 0 => ctx.out.null(),
        None => {}
    }
    Ok(())
}

/// The options of LPOS.
struct Options {
    from: End,
    /// Matches that are not wanted yet.
    skip: u64,
    /// How many matches are wanted as an array, 0 for all; `None` for one, not as an array.
    count: Option<usize>,
    maxlen: usize,
}

impl Options {
    fn read(args: &Args<'_>) -> Result<Self, Error> {
        let mut options = Self { from: End::Left, skip: 0, count: None, maxlen: usize::MAX };
        let mut words = args.cursor(3);
        while words.left() > 0 {
            if words.left() == 1 {
                return Err(Error::Syntax);
            }
            if words.accept("RANK") {
                let rank = signed(words.value()?)?;
                if rank == 0 {
                    return Err(Error::Text(RANK_ZERO));
                }
                options.from = if rank < 0 { End::Right } else { End::Left };
                options.skip = rank.unsigned_abs() - 1;
            } else if words.accept("COUNT") {
                let text = "ERR COUNT can't be negative";
                options.count = Some(at_least(words.value()?, 0, text)?);
            } else if words.accept("MAXLEN") {
                let text = "ERR MAXLEN can't be negative";
                let maxlen = at_least(words.value()?, 0, text)?;
                options.maxlen = if maxlen == 0 { usize::MAX } else { maxlen };
            } else {
                return Err(Error::Syntax);
            }
        }
        Ok(options)
    }
}

const RANK_ZERO: &str = "ERR RANK can't be zero: use 1 to start from the first match, 2 from the \
                         second ... or use negative to start from the end of the list";
