//! A field of a large hash with its value, in one allocation.
//!
//! Knows nothing of the table that it lies in. Layout behind the length that every run of bytes
//! begins with: flags, the length of the field's name (one byte, or four), the deadline in eight
//! bytes if there is one, the name, the value up to the end.

#![allow(unsafe_code)]

use std::fmt;
use std::ptr::NonNull;

use crate::compact::bytes::{Bytes, LEN_MAX, PREFIX};

/// The field has a deadline.
const EXPIRES: u8 = 1;
/// The name's length takes four bytes.
const LONG: u8 = 2;

/// A name, its value and perhaps its deadline. Its handle is one word.
#[derive(Clone)]
pub struct Field {
    bytes: Bytes,
}

impl Field {
    /// The most bytes that a name and its value may have together.
    pub const LEN_MAX: usize = LEN_MAX - 32;

    /// A field.
    ///
    /// # Panics
    /// When name and value are longer than [`Field::LEN_MAX`].
    pub fn new(name: &[u8], value: &[u8], deadline_ms: Option<i64>) -> Self {
        let long = u32::try_from(name.len()).expect("the caller refuses longer names");
        let expires = if deadline_ms.is_some() { EXPIRES } else { 0 };
        let (short_head, long_head);
        let head: &[u8] = if let Ok(short) = u8::try_from(long) {
            short_head = [expires, short];
            &short_head
        } else {
            let [a, b, c, d] = long.to_le_bytes();
            long_head = [expires | LONG, a, b, c, d];
            &long_head
        };
        let time = deadline_ms.map(i64::to_le_bytes);
        let time = time.as_ref().map_or(&[][..], |time| time);
        Self { bytes: Bytes::of([head, time, name, value]) }
    }

    /// The name.
    #[inline]
    pub fn name(&self) -> &[u8] {
        let content = self.bytes.content();
        let (at, len) = name_at(content);
        &content[at..at + len]
    }

    /// The value.
    #[inline]
    pub fn value(&self) -> &[u8] {
        let content = self.bytes.content();
        let (at, len) = name_at(content);
        &content[at + len..]
    }

    /// When the field expires, in Unix milliseconds.
    #[inline]
    pub fn deadline_ms(&self) -> Option<i64> {
        let content = self.bytes.content();
        if content[0] & EXPIRES == 0 {
            return None;
        }
        content[time_at(content)..].first_chunk().map(|time| i64::from_le_bytes(*time))
    }

    /// Puts another value in the place of this one, in the same allocation when it fits.
    pub fn set_value(&mut self, value: &[u8]) {
        let content = self.bytes.content();
        let (at, len) = name_at(content);
        let removed = content.len() - at - len;
        self.bytes.splice(PREFIX + at + len, removed, [value, &[], &[]]);
    }

    /// Sets or removes the deadline.
    pub fn set_deadline(&mut self, deadline_ms: Option<i64>) {
        let content = self.bytes.content();
        let (flags, at) = (content[0], PREFIX + time_at(content));
        let old = if flags & EXPIRES == 0 { 0 } else { 8 };
        match deadline_ms.map(i64::to_le_bytes) {
            Some(time) => self.bytes.splice(at, old, [&time, &[], &[]]),
            None => self.bytes.splice(at, old, [&[], &[], &[]]),
        }
        let expires = if deadline_ms.is_some() { EXPIRES } else { 0 };
        self.bytes.content_mut()[0] = flags & LONG | expires;
    }

    /// What the allocation takes, in bytes.
    #[inline]
    pub fn allocated(&self) -> usize {
        self.bytes.allocated()
    }
}

/// Where a deadline stands, or would.
#[inline]
fn time_at(content: &[u8]) -> usize {
    if content[0] & LONG == 0 { 2 } else { 5 }
}

/// Where the name begins, and its length.
#[inline]
fn name_at(content: &[u8]) -> (usize, usize) {
    let time = if content[0] & EXPIRES == 0 { 0 } else { 8 };
    if content[0] & LONG == 0 {
        return (2 + time, usize::from(content[1]));
    }
    let len = u32::from_le_bytes([content[1], content[2], content[3], content[4]]);
    (5 + time, len as usize)
}

impl fmt::Debug for Field {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value) = (self.name().escape_ascii(), self.value().escape_ascii());
        write!(out, "{name}={value}@{:?}", self.deadline_ms())
    }
}

// SAFETY: an address of `Bytes` is that of an allocation of its own, 8-aligned and, as every
// address in user space on the supported systems, below 2^48. A second `Field` of the same address
// reads through a `NonNull` and so is sound while the first is not changed, as the table promises.
// `key` does not change the field.
unsafe impl table::Item for Field {
    fn into_raw(self) -> NonNull<u8> {
        self.bytes.into_raw()
    }

    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        // SAFETY: the table gives addresses that `into_raw` gave, and uses what it gets as the
        // trait says.
        Self { bytes: unsafe { Bytes::from_raw(raw) } }
    }

    #[inline]
    fn key(&self) -> &[u8] {
        self.name()
    }
}
