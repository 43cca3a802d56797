//! Changing a string's bytes where they are.

use keyspace::{Entry, INLINE_MAX, NewValue, ValueRef};
use smallvec::SmallVec;

use super::{in_place, store};
use crate::string::{grow, with_text};
use crate::{Ctx, Error};

/// Changes the bytes of a string, which is made when it is missing and grows with zeros to
/// `len_min` bytes; `work` is told whether it did. OBJECT ENCODING calls it raw from then on.
pub(crate) fn change_bytes<R>(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    len_min: usize,
    work: impl FnOnce(&mut [u8], bool) -> R,
) -> Result<R, Error> {
    let mut work = Some(work);
    let found = ctx.db.edit(key, |entry| {
        let work = work.take().expect("an entry is edited once");
        change_entry(entry, len_min, work)
    });
    if let Some(result) = found {
        return result;
    }
    let mut bytes = vec![0; len_min];
    let work = work.take().expect("without an entry nothing has run");
    let result = work(&mut bytes, true);
    store(ctx, key, bytes);
    Ok(result)
}

fn change_entry<R>(
    entry: &mut Entry,
    len_min: usize,
    work: impl FnOnce(&mut [u8], bool) -> R,
) -> Result<R, Error> {
    let len = with_text(entry, <[u8]>::len)?;
    let grown = len < len_min;
    entry.set_raw(true);
    if let ValueRef::Shared(_) = entry.value() {
        let changed = entry.edit_shared(|bytes| {
            grow(bytes, len_min);
            work(bytes, grown)
        });
        return changed.ok_or(Error::WrongType);
    }
    if !grown && let Some(bytes) = entry.inline_mut() {
        return Ok(work(bytes, grown));
    }
    let result = if len_min > INLINE_MAX {
        let mut bytes = with_text(entry, <[u8]>::to_vec)?;
        grow(&mut bytes, len_min);
        let result = work(&mut bytes, grown);
        entry.set_value(in_place(&mut bytes));
        result
    } else {
        let mut bytes = with_text(entry, SmallVec::<[u8; 256]>::from_slice)?;
        bytes.resize(len_min.max(len), 0);
        let result = work(&mut bytes, grown);
        entry.set_value(NewValue::Bytes(&bytes));
        result
    };
    entry.set_raw(true);
    Ok(result)
}

/// Changes a string as a whole, in place when it lives apart; raw from then on.
pub(crate) fn change_text<R>(
    entry: &mut Entry,
    work: impl FnOnce(&mut Vec<u8>) -> R,
) -> Result<R, Error> {
    if let ValueRef::Shared(_) = entry.value() {
        let changed = entry.edit_shared(work);
        entry.set_raw(true);
        return changed.ok_or(Error::WrongType);
    }
    let mut bytes = with_text(entry, <[u8]>::to_vec)?;
    let result = work(&mut bytes);
    if with_text(entry, |text| text != bytes.as_slice())? {
        entry.set_value(in_place(&mut bytes));
    }
    entry.set_raw(true);
    Ok(result)
}
