//! An owned, growable run of bytes whose handle is one word and which stores no capacity.
//!
//! Knows nothing of what the bytes mean. The first four bytes are the length of the whole run,
//! little endian, themselves included: a listpack begins with exactly this number, so that its
//! bytes cost nothing beside themselves. The capacity is not stored because it follows from the
//! length: it is always the allocator's size class above it.
//!
//! Invariants, on which every unsafe block here rests:
//! - `marked` is `MARK` bytes into an allocation of `size_class(len)` bytes, aligned to [`ALIGN`],
//!   owned alone; by its mark an owner tells one kind of run from another (`super::word`);
//! - its first `len` bytes are initialised, `PREFIX <= len <= LEN_MAX`, and the first four of
//!   them say `len`. Only [`Bytes::set_len`] writes them; no other reference reaches them.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error, realloc};
use std::fmt;
use std::ptr::{self, NonNull};
use std::slice;

use crate::Pays;

#[cfg(test)]
mod tests;

/// Bytes that the length at the start takes.
pub const PREFIX: usize = 4;

/// The most bytes that a run can have, what the length at its start can say.
pub const LEN_MAX: usize = u32::MAX as usize;

/// Leaves the low three bits of the address to the mark.
const ALIGN: usize = 8;

/// A run of bytes that begins with its own length. The handle's lowest three bits are `MARK`.
#[repr(transparent)]
pub struct Bytes<const MARK: usize = 0> {
    marked: NonNull<u8>,
}

// SAFETY: the allocation is owned alone, and bytes may be read from and moved to any thread.
unsafe impl<const MARK: usize> Send for Bytes<MARK> {}
// SAFETY: a shared reference only reads.
unsafe impl<const MARK: usize> Sync for Bytes<MARK> {}

impl<const MARK: usize> Bytes<MARK> {
    /// A run of the length and then `content`.
    ///
    /// # Panics
    /// If that is more than [`LEN_MAX`].
    pub fn new(content: &[u8]) -> Self {
        let len = PREFIX + content.len();
        let layout = layout(len);
        // SAFETY: a layout is never empty.
        let raw = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(raw) else { handle_alloc_error(layout) };
        // SAFETY: the allocation has `len` bytes, and nobody else knows it.
        unsafe { ptr::copy_nonoverlapping(content.as_ptr(), raw.add(PREFIX), content.len()) };
        let mut bytes = Self { marked: Self::marked(start) };
        bytes.set_len(len);
        bytes
    }

    /// The bytes of the whole run, the length at its start included.
    #[inline]
    #[expect(clippy::len_without_is_empty, reason = "a run holds at least its length")]
    pub fn len(&self) -> usize {
        // SAFETY: the first four bytes are initialised, and ALIGN is enough for a u32.
        u32::from_le(unsafe { self.start().cast::<u32>().read() }) as usize
    }

    /// Where the run begins, without reading it.
    #[inline]
    pub fn line(&self) -> *const u8 {
        self.start().as_ptr()
    }

    /// Moves it if that pays.
    pub(crate) fn relocate(&mut self, pays: Pays<'_>) {
        if pays(self.line()) {
            *self = self.clone();
        }
    }

    /// The whole run.
    #[inline]
    pub fn as_slice(&self) -> &[u8] {
        // SAFETY: `len` bytes are initialised; they change through `&mut self` only.
        unsafe { slice::from_raw_parts(self.start().as_ptr(), self.len()) }
    }

    /// What stands behind the length.
    #[inline]
    pub fn content(&self) -> &[u8] {
        &self.as_slice()[PREFIX..]
    }

    /// What stands behind the length.
    #[inline]
    pub fn content_mut(&mut self) -> &mut [u8] {
        let len = self.len() - PREFIX;
        // SAFETY: `len` bytes are initialised, and `&mut self` is the only way to them.
        unsafe { slice::from_raw_parts_mut(self.start().as_ptr().add(PREFIX), len) }
    }

    /// Puts `parts`, one after the other, in the place of `removed` bytes at `at`, both counted
    /// over the whole run. Costs a move of what stands behind.
    ///
    /// # Panics
    /// If the place is not within the content, or the run would exceed [`LEN_MAX`].
    #[inline]
    pub fn splice(&mut self, at: usize, removed: usize, parts: [&[u8]; 3]) {
        let old = self.len();
        assert!(PREFIX <= at && at <= old && removed <= old - at, "outside the content");
        let added = parts[0].len() + parts[1].len() + parts[2].len();
        let new = old - removed + added;
        assert!(new <= LEN_MAX, "a run of bytes above 4 GiB");
        if new > size_class(old) {
            self.reallocate(old, new);
        }
        // SAFETY: the allocation has room for the longer of `old` and `new` bytes. `at + removed`
        // to `old` is initialised and goes to what ends at `new`; then `parts`, which cannot lie
        // in a run borrowed mutably, fill the gap from `at` on, so that all up to `new` is
        // initialised.
        unsafe {
            let mut gap = self.start().as_ptr().add(at);
            match old - at - removed {
                // Behind an addition at the end of a listpack stands one byte.
                1 => *gap.add(added) = *gap.add(removed),
                _ if added == removed => {}
                behind => ptr::copy(gap.add(removed), gap.add(added), behind),
            }
            for part in parts {
                copy_part(part, gap);
                gap = gap.add(part.len());
            }
        }
        self.set_len(new);
        if new < old {
            self.shrink(old, new);
        }
    }

    /// Keeps the first `len` bytes of the run.
    ///
    /// # Panics
    /// If the run is shorter, or `len` is less than [`PREFIX`].
    pub fn truncate(&mut self, len: usize) {
        let old = self.len();
        assert!((PREFIX..=old).contains(&len), "outside the content");
        self.set_len(len);
        self.shrink(old, len);
    }

    /// What the allocation takes, in bytes.
    #[inline]
    pub fn allocated(&self) -> usize {
        size_class(self.len())
    }

    /// The address of the run, for telling the processor to fetch it: finding it reads nothing.
    #[inline]
    pub fn address(&self) -> *const u8 {
        self.start().as_ptr()
    }

    #[inline]
    fn marked(start: NonNull<u8>) -> NonNull<u8> {
        const { assert!(MARK < ALIGN, "a mark has three bits") };
        // SAFETY: an allocation has at least `ALIGN` bytes.
        unsafe { start.add(MARK) }
    }

    #[inline]
    fn start(&self) -> NonNull<u8> {
        // SAFETY: `marked` added as much.
        unsafe { self.marked.sub(MARK) }
    }

    /// Gives back what an allocation for `old` bytes has too much for `new` bytes.
    #[inline]
    fn shrink(&mut self, old: usize, new: usize) {
        let size = size_class(new);
        if size != size_class(old) {
            self.reallocate(old, new);
        }
    }

    /// Makes an allocation for `old` bytes one for `new` bytes.
    #[cold]
    #[inline(never)]
    fn reallocate(&mut self, old: usize, new: usize) {
        let (from, to) = (layout(old), layout(new));
        // SAFETY: the allocation has the layout of `old` bytes; the new size is not zero and,
        // as `layout` has checked, does not overflow.
        let raw = unsafe { realloc(self.start().as_ptr(), from, to.size()) };
        let Some(start) = NonNull::new(raw) else { handle_alloc_error(to) };
        self.marked = Self::marked(start);
    }

    /// The caller answers for the bytes being there.
    #[inline]
    fn set_len(&mut self, len: usize) {
        let len = u32::try_from(len).expect("the layout of longer runs is refused");
        // SAFETY: an allocation has at least four bytes, and ALIGN is enough for a u32.
        unsafe { self.start().cast::<u32>().write(len.to_le()) };
    }
}

impl<const MARK: usize> Drop for Bytes<MARK> {
    fn drop(&mut self) {
        // SAFETY: the allocation has this layout, and this is the last use of it.
        unsafe { dealloc(self.start().as_ptr(), layout(self.len())) };
    }
}

impl<const MARK: usize> Clone for Bytes<MARK> {
    fn clone(&self) -> Self {
        Self::new(self.content())
    }
}

impl<const MARK: usize> PartialEq for Bytes<MARK> {
    fn eq(&self, other: &Self) -> bool {
        self.as_slice() == other.as_slice()
    }
}

impl<const MARK: usize> Eq for Bytes<MARK> {}

impl<const MARK: usize> fmt::Debug for Bytes<MARK> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Bytes({})", self.content().escape_ascii())
    }
}

/// What jemalloc gives for `len` bytes: multiples of 16 up to 128, then four classes for each
/// doubling. Another allocator may give more; then the difference is not used.
#[inline]
pub const fn size_class(len: usize) -> usize {
    match len {
        0..=8 => 8,
        9..=128 => len.next_multiple_of(16),
        _ => len.next_multiple_of(1 << ((len - 1).ilog2() - 2)),
    }
}

fn layout(len: usize) -> Layout {
    assert!(len <= LEN_MAX, "a run of bytes above 4 GiB");
    Layout::from_size_align(size_class(len), ALIGN).expect("far below the largest size")
}

/// Copies a part that mostly has a few bytes, for which a call would cost more than the copy.
///
/// # Safety
/// `to` has room for the part and does not overlap it.
#[inline]
unsafe fn copy_part(part: &[u8], to: *mut u8) {
    let (from, len) = (part.as_ptr(), part.len());
    // SAFETY: as the caller promises; each pair of copies covers the part from both its ends.
    unsafe {
        match len {
            0 => {}
            1..=3 => {
                *to = *from;
                *to.add(len / 2) = *from.add(len / 2);
                *to.add(len - 1) = *from.add(len - 1);
            }
            4..=7 => {
                ptr::copy_nonoverlapping(from, to, 4);
                ptr::copy_nonoverlapping(from.add(len - 4), to.add(len - 4), 4);
            }
            8..=16 => {
                ptr::copy_nonoverlapping(from, to, 8);
                ptr::copy_nonoverlapping(from.add(len - 8), to.add(len - 8), 8);
            }
            _ => ptr::copy_nonoverlapping(from, to, len),
        }
    }
}
