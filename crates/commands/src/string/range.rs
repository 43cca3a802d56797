//! Parts of strings: APPEND, SETRANGE, GETRANGE.

use std::sync::Arc;

use keyspace::{Class, Entry, INLINE_MAX, NewValue, Ttl};
use smallvec::SmallVec;

use super::edit::{grow, spare, store};
use super::{check, reply, value_of, with_text};
use crate::{Args, Ctx, Error};

/// APPEND key value - O(M) of the length of what is added.
pub(super) fn append(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, value) = (args[1], args[2]);
    let len_max = ctx.settings.proto_max_bulk_len;
    let changed = ctx.db.edit(key, |entry| {
        let offset = with_text(entry, <[u8]>::len)?;
        overwrite(entry, offset, value, len_max)
    });
    let len = match changed {
        Some(len) => len?,
        None => {
            ctx.db.set(key, value_of(args, 2), Ttl::Never);
            value.len()
        }
    };
    ctx.db.change.add_dirty(1);
    ctx.db.note(Class::STRING, "append", key);
    ctx.out.int(len as i64);
    Ok(())
}

/// SETRANGE key offset value - O(M) of the value's length.
pub(super) fn setrange(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, value) = (args[1], args[3]);
    let Ok(offset) = u64::try_from(args.int(2)?) else {
        return Err(Error::Text("ERR offset is out of range"));
    };
    if value.is_empty() {
        let len = match ctx.db.peek(key) {
            Some(entry) => with_text(&entry, <[u8]>::len)?,
            None => 0,
        };
        ctx.out.int(len as i64);
        return Ok(());
    }
    let len_max = ctx.settings.proto_max_bulk_len;
    let fits = ctx.check_length(offset + value.len() as u64);
    let changed = ctx.db.edit(key, |entry| {
        check(entry)?;
        fits?;
        overwrite(entry, offset as usize, value, len_max)
    });
    let len = match changed {
        Some(len) => len?,
        None => {
            fits?;
            create(ctx, key, offset as usize, value)
        }
    };
    ctx.db.change.add_dirty(1);
    ctx.db.note(Class::STRING, "setrange", key);
    ctx.out.int(len as i64);
    Ok(())
}

/// GETRANGE key start end, SUBSTR key start end - O(N) of the reply's length.
pub(super) fn getrange(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (start, end) = (args.int(2)?, args.int(3)?);
    let Some(entry) = ctx.db.read(args[1]) else {
        ctx.out.bulk(b"");
        return Ok(());
    };
    let len = with_text(&entry, <[u8]>::len)?;
    let (start, end) = bounds(start, end, len);
    if (start, end) == (0, len) {
        return reply(ctx.out, &entry);
    }
    with_text(&entry, |text| ctx.out.bulk(text.get(start..end).unwrap_or_default()))
}

/// The half-open range of bytes that an inclusive range means, whose ends count from the string's
/// end when they are negative.
fn bounds(start: i64, end: i64, len: usize) -> (usize, usize) {
    if start < 0 && end < 0 && start > end {
        return (0, 0);
    }
    let len = len as i64;
    let from = |at: i64| if at < 0 { (at + len).max(0) } else { at };
    let (start, end) = (from(start), from(end).min(len - 1));
    if start > end { (0, 0) } else { (start as usize, end as usize + 1) }
}

/// Writes `value` at `offset`, growing the string with zeros as needed; returns its length.
fn overwrite(entry: &mut Entry, offset: usize, value: &[u8], len_max: u64) -> Result<usize, Error> {
    let end = offset + value.len();
    if end as u64 > len_max {
        return Err(Error::TooLong);
    }
    let apart = entry.edit_shared(|bytes| {
        grow(bytes, end);
        bytes[offset..end].copy_from_slice(value);
        bytes.len()
    });
    let len = match apart {
        Some(len) => len,
        None => overwrite_short(entry, offset, value)?,
    };
    entry.set_raw(true);
    Ok(len)
}

/// [`overwrite`] for a string inside its entry, which may leave it.
fn overwrite_short(entry: &mut Entry, offset: usize, value: &[u8]) -> Result<usize, Error> {
    let end = offset + value.len();
    if end > INLINE_MAX {
        let mut bytes = Vec::with_capacity(end + spare(end));
        with_text(entry, |text| bytes.extend_from_slice(text))?;
        bytes.resize(end.max(bytes.len()), 0);
        bytes[offset..end].copy_from_slice(value);
        let len = bytes.len();
        entry.set_value(NewValue::Shared(Arc::new(bytes)));
        return Ok(len);
    }
    let mut bytes = with_text(entry, SmallVec::<[u8; 256]>::from_slice)?;
    bytes.resize(end.max(bytes.len()), 0);
    bytes[offset..end].copy_from_slice(value);
    entry.set_value(NewValue::Bytes(&bytes));
    Ok(bytes.len())
}

/// Sets a key that does not exist to zeros with `value` at their end; returns the length.
fn create(ctx: &mut Ctx<'_, '_>, key: &[u8], offset: usize, value: &[u8]) -> usize {
    let len = offset + value.len();
    let mut bytes = vec![0; len];
    bytes[offset..].copy_from_slice(value);
    store(ctx, key, bytes);
    len
}
