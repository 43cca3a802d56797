//! A member of a large set, in one allocation of its bytes behind their length.
//!
//! Knows nothing of the table that it lies in. The length takes one byte below 128 (most members
//! are short, and allocators round up to multiples of 16), two below 2^14, nine otherwise.
//!
//! Invariant, on which every unsafe block here rests: `start` is an allocation of [`layout`] for
//! the length that stands at its beginning, owned alone, filled by [`Member::new`] and never
//! changed until it is freed.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::fmt;
use std::ptr::NonNull;
use std::slice;

use crate::compact::bytes::size_class;

/// What a table asks of an item's address.
const ALIGN: usize = 2;
/// Lengths from here on take two bytes.
const SHORT: usize = 1 << 7;
/// Lengths from here on take nine bytes.
const MIDDLE: usize = 1 << 14;
/// In the first byte: the length takes two bytes.
const TWO: u8 = 0x80;
/// In the first byte: the length stands in the eight bytes behind it.
const NINE: u8 = 0xC0;

/// A string. Its handle is one word.
pub(super) struct Member {
    start: NonNull<u8>,
}

// SAFETY: the allocation is owned alone, and bytes may be read from and moved to any thread.
unsafe impl Send for Member {}
// SAFETY: nothing changes a member.
unsafe impl Sync for Member {}

impl Member {
    /// A member with these bytes.
    #[inline]
    pub(super) fn new(bytes: &[u8]) -> Self {
        let (head, head_len) = head(bytes.len());
        let layout = layout(head_len, bytes.len());
        // SAFETY: a layout is never empty: it has a byte of the length at least.
        let raw = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(raw) else { handle_alloc_error(layout) };
        // SAFETY: the allocation has room for both, and nobody else knows it.
        unsafe {
            raw.copy_from_nonoverlapping(head.as_ptr(), head_len);
            raw.add(head_len).copy_from_nonoverlapping(bytes.as_ptr(), bytes.len());
        }
        Self { start }
    }

    /// The bytes.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        let (head_len, len) = self.lengths();
        // SAFETY: so many bytes stand behind the length, and they stay until `self` is dropped.
        unsafe { slice::from_raw_parts(self.start.as_ptr().add(head_len), len) }
    }

    /// What a table knows the member by.
    #[inline]
    pub(super) fn address(&self) -> NonNull<u8> {
        self.start
    }

    /// Bytes asked of the allocator.
    pub(super) fn allocated(&self) -> usize {
        let (head_len, len) = self.lengths();
        size_class(head_len + len)
    }

    /// Bytes of the length, and what it says.
    #[inline]
    fn lengths(&self) -> (usize, usize) {
        let start = self.start.as_ptr();
        // SAFETY: the first byte is there always, and it says how many more belong to the length.
        unsafe {
            match *start {
                first @ 0..TWO => (1, usize::from(first)),
                first @ TWO..NINE => {
                    (2, usize::from(first & !NINE) << 8 | usize::from(*start.add(1)))
                }
                _ => {
                    let len = start.add(1).cast::<[u8; 8]>().read_unaligned();
                    (9, usize::from_le_bytes(len))
                }
            }
        }
    }
}

impl Drop for Member {
    #[inline]
    fn drop(&mut self) {
        let (head_len, len) = self.lengths();
        // SAFETY: it was allocated with this layout, and `self` is the owner.
        unsafe { dealloc(self.start.as_ptr(), layout(head_len, len)) };
    }
}

impl Clone for Member {
    fn clone(&self) -> Self {
        Self::new(self.bytes())
    }
}

impl fmt::Debug for Member {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "\"{}\"", self.bytes().escape_ascii())
    }
}

// SAFETY: an address of the allocator is below 2^48 on the systems that the table supports, and
// aligned as asked; a look through a second handle only reads.
unsafe impl table::Item for Member {
    #[inline]
    fn into_raw(self) -> NonNull<u8> {
        std::mem::ManuallyDrop::new(self).start
    }

    #[inline]
    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        Self { start: raw }
    }

    #[inline]
    fn key(&self) -> &[u8] {
        self.bytes()
    }
}

/// The bytes of a length, and how many they are.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "each length fits the bytes chosen for it")]
fn head(len: usize) -> ([u8; 9], usize) {
    let mut head = [0; 9];
    match len {
        0..SHORT => head[0] = len as u8,
        SHORT..MIDDLE => [head[0], head[1]] = [TWO | (len >> 8) as u8, len as u8],
        _ => {
            head[0] = NINE;
            head[1..].copy_from_slice(&len.to_le_bytes());
        }
    }
    let head_len = match len {
        0..SHORT => 1,
        SHORT..MIDDLE => 2,
        _ => 9,
    };
    (head, head_len)
}

#[inline]
fn layout(head_len: usize, len: usize) -> Layout {
    Layout::from_size_align(head_len + len, ALIGN).expect("no slice has so many bytes")
}
