//! Moving elements from one list to another, or within one.
//!
//! [`move_one`] and [`move_many`] are one attempt of the commands that may wait, too.

use keyspace::{Class, Kind};
use smallvec::SmallVec;
use value::list::End;
use value::number::Text;

use super::ends::{note_popped, push_event};
use super::{end, new_list};
use crate::args::{COUNT_NOT_POSITIVE, at_least, is};
use crate::{Args, Ctx, Error, typed};

/// LMOVE source destination LEFT|RIGHT LEFT|RIGHT - O(1).
pub(super) fn lmove(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let ends = Ends::read(args)?;
    if !move_one(ctx, args[1], args[2], ends)? {
        ctx.out.null();
    }
    Ok(())
}

/// RPOPLPUSH source destination - O(1).
pub(super) fn rpoplpush(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if !move_one(ctx, args[1], args[2], Ends::RIGHT_TO_LEFT)? {
        ctx.out.null();
    }
    Ok(())
}

/// LMOVEM source destination LEFT|RIGHT LEFT|RIGHT [COUNT|EXACTLY count OBO|BULK] - O(N) of the
/// elements moved.
pub(super) fn lmovem(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let ends = Ends::read(args)?;
    let amount = Amount::read(args.from(5))?;
    if !move_many(ctx, args[1], args[2], ends, amount)? {
        ctx.out.null_array();
    }
    Ok(())
}

/// Which end elements leave, and which one they come to.
#[derive(Clone, Copy)]
pub(super) struct Ends {
    from: End,
    to: End,
}

impl Ends {
    /// Those of RPOPLPUSH.
    pub(super) const RIGHT_TO_LEFT: Self = Self { from: End::Right, to: End::Left };

    /// Reads them from behind the two keys.
    pub(super) fn read(args: &Args<'_>) -> Result<Self, Error> {
        Ok(Self { from: end(args[3])?, to: end(args[4])? })
    }
}

/// How many elements LMOVEM moves, and in what order they arrive.
#[derive(Clone, Copy)]
pub(super) struct Amount {
    count: usize,
    /// Nothing is moved when there are fewer.
    exactly: bool,
    /// They keep their order; otherwise they arrive one by one.
    bulk: bool,
}

impl Amount {
    pub(super) fn read(options: &[&[u8]]) -> Result<Self, Error> {
        let (selector, count, order) = match options {
            [] => return Ok(Self { count: 1, exactly: false, bulk: false }),
            [selector, count, order] => (selector, count, order),
            _ => return Err(Error::Syntax),
        };
        let exactly = is(selector, "EXACTLY");
        if !exactly && !is(selector, "COUNT") {
            return Err(Error::Syntax);
        }
        let count = at_least(count, 1, COUNT_NOT_POSITIVE)?;
        let bulk = is(order, "BULK");
        if !bulk && !is(order, "OBO") {
            return Err(Error::Syntax);
        }
        Ok(Self { count, exactly, bulk })
    }
}

type Element = SmallVec<[u8; 64]>;

/// Moves an element and writes it; `false`, with nothing written, when there is none.
pub(super) fn move_one(
    ctx: &mut Ctx<'_, '_>,
    from: &[u8],
    to: &[u8],
    ends: Ends,
) -> Result<bool, Error> {
    if len(ctx, from)?.is_none() {
        return Ok(false);
    }
    len(ctx, to)?;
    let moved = transfer(ctx, from, to, ends, Amount { count: 1, exactly: false, bulk: false })?;
    moved.iter().for_each(|element| ctx.out.bulk(element));
    Ok(true)
}

/// Moves several elements and writes an array of them as they stand in the destination; `false`,
/// with nothing written, when there are none or not enough.
pub(super) fn move_many(
    ctx: &mut Ctx<'_, '_>,
    from: &[u8],
    to: &[u8],
    ends: Ends,
    amount: Amount,
) -> Result<bool, Error> {
    let Some(available) = len(ctx, from)? else { return Ok(false) };
    len(ctx, to)?;
    if amount.exactly && available < amount.count {
        return Ok(false);
    }
    let moved = transfer(ctx, from, to, ends, amount)?;
    ctx.out.array(moved.len());
    moved.iter().for_each(|element| ctx.out.bulk(element));
    Ok(true)
}

/// The length of the list under a key, if there is one.
fn len(ctx: &mut Ctx<'_, '_>, key: &[u8]) -> Result<Option<usize>, Error> {
    match ctx.db.reach(key) {
        Some(entry) => Ok(Some(typed::list(&entry)?.len())),
        None => Ok(None),
    }
}

/// Moves elements; gives them as they stand in the destination, from the left.
fn transfer(
    ctx: &mut Ctx<'_, '_>,
    from: &[u8],
    to: &[u8],
    ends: Ends,
    amount: Amount,
) -> Result<SmallVec<[Element; 1]>, Error> {
    let limits = &ctx.settings.limits;
    let mut block: SmallVec<[Element; 1]> = SmallVec::new();
    ctx.db.change_object(from, Kind::List, None, |value| {
        let list = typed::list_mut(value);
        let count = amount.count.min(list.len());
        block.extend((0..count).filter_map(|_| {
            list.pop(ends.from, |element| Element::from_slice(element.text(&mut Text::new())))
        }));
    })?;
    let is_reversed = match amount.bulk {
        true => ends.from == End::Right,
        false => ends.to == End::Left,
    };
    if is_reversed {
        block.reverse();
    }
    ctx.db.change_object(to, Kind::List, Some(new_list), |value| {
        let list = typed::list_mut(value);
        list.make_room(block.iter().map(|element| element.len()).sum(), block.len(), limits);
        match ends.to {
            End::Left => block.iter().rev().for_each(|element| list.push(End::Left, element)),
            End::Right => block.iter().for_each(|element| list.push(End::Right, element)),
        }
    })?;
    ctx.db.change_object(from, Kind::List, None, |value| typed::list_mut(value).shrink(limits))?;
    ctx.db.note(Class::LIST, push_event(ends.to), to);
    note_popped(ctx, from, ends.from, block.len());
    Ok(block)
}
