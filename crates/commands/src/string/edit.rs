//! Changing a string's bytes where they are, and setting one that was computed.
//!
//! OBJECT ENCODING calls such strings raw. Long ones live apart and grow with room to spare, so
//! that appending costs amortized constant time.

use std::sync::Arc;

use keyspace::{Entry, INLINE_MAX, NewValue, Ttl, ValueRef};
use smallvec::SmallVec;

use super::with_text;
use crate::{Ctx, Error};

/// Up to this length the room to spare is as large as the string; above, an eighth of it.
const DOUBLED_MAX: usize = 1 << 20;

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
        entry.set_value(as_value(&mut bytes));
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
        entry.set_value(as_value(&mut bytes));
    }
    entry.set_raw(true);
    Ok(result)
}

/// Sets a key to a string that was computed, which OBJECT ENCODING calls raw.
pub(crate) fn store(ctx: &mut Ctx<'_, '_>, key: &[u8], bytes: Vec<u8>) {
    ctx.db.set(key, as_value(&mut { bytes }), Ttl::Never);
    ctx.db.edit(key, |entry| entry.set_raw(true));
}

/// Bytes as a value: apart when they are long.
fn as_value(bytes: &mut Vec<u8>) -> NewValue<'_> {
    if bytes.len() > INLINE_MAX {
        NewValue::Shared(Arc::new(std::mem::take(bytes)))
    } else {
        NewValue::Bytes(bytes)
    }
}

/// Makes a string at least `len` bytes long.
pub(super) fn grow(bytes: &mut Vec<u8>, len: usize) {
    if len > bytes.capacity() {
        bytes.reserve_exact(len + spare(len) - bytes.len());
    }
    if len > bytes.len() {
        bytes.resize(len, 0);
    }
}

/// The room to spare for a string that grows to `len` bytes.
pub(super) fn spare(len: usize) -> usize {
    if len < DOUBLED_MAX { len } else { (len / 8).max(DOUBLED_MAX) }
}
