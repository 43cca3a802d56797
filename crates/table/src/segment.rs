//! A segment: the bucket array of one hash prefix, packed into one word of the directory.
//!
//! The word holds the array's address, its bucket count and the length of the prefix (the depth),
//! so that a home bucket's address is computed without reading the segment itself.
//! This module knows neither items nor the directory.
//!
//! Word, from the top: 12 bits mantissa and 4 bits exponent of the bucket count, 42 bits address
//! (64-aligned, below 2^48), 6 bits depth.

use std::ptr;

use crate::bucket::{self, Bucket, SLOTS};

/// Buckets of a regular segment when it splits. Only a weak hash makes larger ones. Miri is slow,
/// so it gets small segments, for its few items to split them.
pub(crate) const BUCKETS_MAX: usize = if cfg!(miri) { 8 } else { 128 };

/// A longer prefix would leave less than a fragment of the 48 bits that a scan cursor has.
pub(crate) const DEPTH_MAX: u32 = 32;

const ALIGNMENT_MASK: u64 = 63;
const ADDRESS: u64 = ((1 << 48) - 1) & !ALIGNMENT_MASK;
const EXPONENT_SHIFT: u32 = 48;
const MANTISSA_SHIFT: u32 = 52;
const MANTISSA_MAX: u64 = (1 << 12) - 1;
const EXPONENT_MAX: u64 = (1 << 4) - 1;

/// Bucket counts that fill a size class of jemalloc exactly.
const COUNTS: [usize; 12] = [0, 1, 2, 4, 8, 16, 32, 64, 80, 96, 112, 128];

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Segment(u64);

impl Segment {
    pub(crate) const fn empty(depth: u32) -> Segment {
        Segment((align_of::<Bucket>() as u64) | depth as u64)
    }

    /// Gives the array's ownership to the word; [`Segment::into_box`] takes it back.
    pub(crate) fn from_box(buckets: Box<[Bucket]>, depth: u32) -> Segment {
        let count = count_code(buckets.len());
        let address = Box::into_raw(buckets).cast::<Bucket>().expose_provenance() as u64;
        assert!(address & !ADDRESS == 0, "a bucket array is 64-aligned and below 2^48");
        assert!(depth <= DEPTH_MAX, "the prefix is at most 32 bits");
        Segment(count << EXPONENT_SHIFT | address | u64::from(depth))
    }

    /// # Safety
    /// The word came from [`Segment::from_box`] or [`Segment::empty`], owns its array, and
    /// nothing uses the word or a reference into the array afterwards.
    pub(crate) unsafe fn into_box(self) -> Box<[Bucket]> {
        let array = ptr::slice_from_raw_parts_mut(self.as_ptr(), self.bucket_count());
        // SAFETY: address and length are those of the box that `from_box` took (a box of length
        // zero for `empty`), and the caller hands the ownership over.
        unsafe { Box::from_raw(array) }
    }

    /// # Safety
    /// The array is alive and not changed during `'a`.
    #[inline]
    pub(crate) unsafe fn buckets<'a>(self) -> &'a [Bucket] {
        // SAFETY: `from_box` recorded the array's true address and length; the caller answers
        // for its life.
        unsafe { std::slice::from_raw_parts(self.as_ptr(), self.bucket_count()) }
    }

    /// # Safety
    /// The array is alive and used through this reference alone during `'a`.
    #[inline]
    pub(crate) unsafe fn buckets_mut<'a>(self) -> &'a mut [Bucket] {
        // SAFETY: as for `buckets`, and the caller answers for exclusiveness.
        unsafe { std::slice::from_raw_parts_mut(self.as_ptr(), self.bucket_count()) }
    }

    #[inline]
    pub(crate) fn as_ptr(self) -> *mut Bucket {
        ptr::with_exposed_provenance_mut((self.0 & ADDRESS) as usize)
    }

    #[inline]
    pub(crate) fn depth(self) -> u32 {
        (self.0 & ALIGNMENT_MASK) as u32
    }

    #[inline]
    pub(crate) fn bucket_count(self) -> usize {
        ((self.0 >> MANTISSA_SHIFT) << ((self.0 >> EXPONENT_SHIFT) & EXPONENT_MAX)) as usize
    }

    /// The 16 hash bits behind this segment's prefix.
    #[inline]
    pub(crate) fn fragment(self, hash: u64) -> u16 {
        (hash.wrapping_shl(self.depth()) >> 48) as u16
    }

    /// The home bucket of a hash; meaningless in an empty segment.
    #[inline]
    pub(crate) fn home(self, hash: u64) -> usize {
        bucket::home(self.fragment(hash), self.bucket_count())
    }
}

/// The largest number of items in so many buckets: a load of 0.9, or eight in a single bucket.
#[inline]
pub(crate) fn limit(bucket_count: usize) -> u32 {
    let slots = bucket_count * SLOTS;
    (slots - slots / 10) as u32
}

/// The next larger bucket count.
pub(crate) fn grown(bucket_count: usize) -> usize {
    COUNTS.into_iter().find(|&count| count > bucket_count).unwrap_or(bucket_count * 2)
}

/// The bucket count for a new array of so many items: a load of at most 0.8, so that it neither
/// grows nor shrinks soon.
pub(crate) fn fitting(items: u32) -> usize {
    let mut count = 0;
    while items as usize > count * SLOTS * 4 / 5 {
        count = grown(count);
    }
    count
}

fn count_code(count: usize) -> u64 {
    let (mut mantissa, mut exponent) = (count as u64, 0);
    while mantissa > MANTISSA_MAX {
        assert!(mantissa.is_multiple_of(2), "large bucket counts are rounded");
        mantissa /= 2;
        exponent += 1;
    }
    assert!(exponent <= EXPONENT_MAX, "a segment has fewer than 2^27 buckets");
    mantissa << (MANTISSA_SHIFT - EXPONENT_SHIFT) | exponent
}

#[cfg(test)]
mod tests;
