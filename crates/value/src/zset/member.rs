//! One member of a large sorted set: an allocation of its score, its length and its bytes.
//!
//! `Member` owns the allocation and stands in the table; `Handle` is the same pointer without the
//! ownership and stands in the tree. Layout: the score (8 bytes), the length (one byte, or 255 and
//! then 8 bytes), the bytes.
//!
//! Invariants, on which every unsafe block here rests:
//! - a `Member`'s pointer is an allocation of `layout(len)` bytes, filled as said above, that only
//!   it frees; score and bytes are reached through the pointer, and no reference to the score is
//!   ever made;
//! - a `Handle` is read only while its `Member` lives. `large` keeps this: it takes a handle out of
//!   its tree before it drops the member, and shows handles to nobody but its own iterators, which
//!   borrow it.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::{self, NonNull};
use std::slice;

use super::tree::Named;
use crate::compact::bytes::size_class;

/// The length that says that the real one stands in the eight bytes behind.
const LONG: u8 = u8::MAX;
/// Bytes of the score.
const SCORE: usize = 8;
/// Bytes in front of a short member.
const SHORT_HEAD: usize = SCORE + 1;
/// Bytes in front of a long one.
const LONG_HEAD: usize = SHORT_HEAD + 8;

/// A member, owned.
pub(super) struct Member(Handle);

/// A member, seen from the tree.
#[derive(Clone, Copy)]
pub(super) struct Handle(NonNull<u8>);

// SAFETY: the allocation holds plain bytes, and changing it takes `&mut` of the owning set.
unsafe impl Send for Handle {}
// SAFETY: shared references only read.
unsafe impl Sync for Handle {}

impl Member {
    pub(super) fn new(name: &[u8], score: f64) -> Member {
        let layout = layout(name.len());
        // SAFETY: a layout is never empty.
        let raw = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(raw) else { handle_alloc_error(layout) };
        let head = head(name.len());
        // SAFETY: the allocation has `head + name.len()` bytes, is aligned for the score, and
        // nobody else knows it; lengths behind the odd ninth byte are written unaligned.
        unsafe {
            start.cast::<f64>().write(score);
            match u8::try_from(name.len()) {
                Ok(len) if len != LONG => start.add(SCORE).write(len),
                _ => {
                    start.add(SCORE).write(LONG);
                    start.add(SHORT_HEAD).cast::<u64>().write_unaligned(name.len() as u64);
                }
            }
            ptr::copy_nonoverlapping(name.as_ptr(), raw.add(head), name.len());
        }
        Member(Handle(start))
    }

    /// The same member for the tree.
    pub(super) fn handle(&self) -> Handle {
        self.0
    }

    /// Gives it another score; in a tree it must keep its place.
    pub(super) fn set_score(&mut self, score: f64) {
        // SAFETY: the allocation begins with the score, and no reference to it exists.
        unsafe { self.0.0.cast::<f64>().write(score) }
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        let layout = layout(self.0.name_len());
        // SAFETY: the allocation was made with this layout and belongs to `self` alone.
        unsafe { dealloc(self.0.0.as_ptr(), layout) }
    }
}

// SAFETY: the pointer is 8-aligned and unique to its allocation, `Member` wraps nothing else, and
// `key` cannot panic.
unsafe impl table::Item for Member {
    fn into_raw(self) -> NonNull<u8> {
        std::mem::ManuallyDrop::new(self).0.0
    }

    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        Member(Handle(raw))
    }

    fn key(&self) -> &[u8] {
        self.0.name()
    }
}

impl Handle {
    pub(super) fn score(&self) -> f64 {
        // SAFETY: the member lives, and its allocation begins with the score.
        unsafe { self.0.cast::<f64>().read() }
    }

    pub(super) fn name(&self) -> &[u8] {
        let len = self.name_len();
        // SAFETY: the member lives, and so many bytes stand behind its head.
        unsafe { slice::from_raw_parts(self.0.as_ptr().add(head(len)), len) }
    }

    /// What identifies the member in the table.
    pub(super) fn pointer(self) -> NonNull<u8> {
        self.0
    }

    /// Bytes of the allocation.
    pub(super) fn allocated(&self) -> usize {
        size_class(layout(self.name_len()).size())
    }

    fn name_len(&self) -> usize {
        // SAFETY: the member lives; the length stands behind the score, in eight more bytes when
        // the first says so.
        unsafe {
            match self.0.add(SCORE).read() {
                LONG => self.0.add(SHORT_HEAD).cast::<u64>().read_unaligned() as usize,
                len => usize::from(len),
            }
        }
    }
}

impl Named for Handle {
    fn name(&self) -> &[u8] {
        Handle::name(self)
    }

    fn is(&self, other: &Handle) -> bool {
        self.0 == other.0
    }

    fn prefetch(&self) {
        table::prefetch(self.0.as_ptr());
    }
}

fn head(len: usize) -> usize {
    if len < usize::from(LONG) { SHORT_HEAD } else { LONG_HEAD }
}

fn layout(len: usize) -> Layout {
    Layout::from_size_align(head(len) + len, SCORE).expect("a member is shorter than memory")
}
