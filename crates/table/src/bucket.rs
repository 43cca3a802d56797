//! One bucket: a cache line of eight slots, and the operations on an array of buckets.
//!
//! A slot is one word: a 16-bit fragment of the hash above a 48-bit item address; zero is free.
//! This module knows words, not items, and holds no unsafe code but the vector compare.
//!
//! Invariants of an array (asserted by [`check`] in tests):
//! - the slots of a bucket are filled from the front, so the last slot tells whether it is full;
//! - an item sits in its home bucket or behind it (the end wraps to the start), and every bucket
//!   from its home up to its place is full, so that a search stops at the first bucket with room.

pub(crate) const SLOTS: usize = 8;

/// The part of a word that holds the item's address.
pub(crate) const ADDRESS: u64 = (1 << 48) - 1;

/// The address left in a slot while its item is out on loan (see `RefMut`). It is odd, and items
/// are 2-aligned, so no item has it.
pub(crate) const LOANED: u64 = 1;

const FRAGMENT_SHIFT: u32 = 48;

#[derive(Clone, Copy)]
#[repr(C, align(64))]
pub(crate) struct Bucket(pub(crate) [u64; SLOTS]);

impl Bucket {
    pub(crate) const EMPTY: Bucket = Bucket([0; SLOTS]);

    #[inline]
    pub(crate) fn is_full(&self) -> bool {
        self.0[SLOTS - 1] != 0
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.0.iter().map(|&word| usize::from(word != 0)).sum()
    }

    /// Bit `i` is set where slot `i` has this fragment. A free slot looks like fragment 0, so the
    /// caller must still look at the address.
    #[inline]
    #[cfg(all(target_arch = "x86_64", target_feature = "sse2"))]
    pub(crate) fn matches(&self, fragment: u16) -> u32 {
        use core::arch::x86_64::{
            __m128i, _mm_castps_si128, _mm_castsi128_ps, _mm_cmpeq_epi16, _mm_load_si128,
            _mm_movemask_epi8, _mm_packs_epi16, _mm_packs_epi32, _mm_set1_epi16, _mm_setzero_si128,
            _mm_shuffle_ps, _mm_srai_epi32,
        };
        let lines: *const __m128i = self.0.as_ptr().cast();
        // SAFETY: the target has SSE2, and the four loads stay inside this 64-byte, 64-aligned
        // bucket (asserted by its `repr`).
        unsafe {
            let pair = |at: usize| {
                let low = _mm_castsi128_ps(_mm_load_si128(lines.add(at)));
                let high = _mm_castsi128_ps(_mm_load_si128(lines.add(at + 1)));
                _mm_srai_epi32::<16>(_mm_castps_si128(_mm_shuffle_ps::<0b11_01_11_01>(low, high)))
            };
            let fragments = _mm_packs_epi32(pair(0), pair(2));
            let equal = _mm_cmpeq_epi16(fragments, _mm_set1_epi16(fragment.cast_signed()));
            _mm_movemask_epi8(_mm_packs_epi16(equal, _mm_setzero_si128())).cast_unsigned()
        }
    }

    /// See the vector version; the compiler vectorises this one where it can.
    #[inline]
    #[cfg(not(all(target_arch = "x86_64", target_feature = "sse2")))]
    pub(crate) fn matches(&self, fragment: u16) -> u32 {
        let bits = self.0.iter().enumerate();
        bits.fold(0, |mask, (i, &word)| mask | (u32::from(fragment_of(word) == fragment) << i))
    }
}

#[inline]
pub(crate) fn word(fragment: u16, address: u64) -> u64 {
    (u64::from(fragment) << FRAGMENT_SHIFT) | address
}

#[inline]
pub(crate) fn fragment_of(word: u64) -> u16 {
    (word >> FRAGMENT_SHIFT) as u16
}

/// Whether the word holds an item: neither free nor on loan.
#[inline]
pub(crate) fn is_item(word: u64) -> bool {
    word & ADDRESS > LOANED
}

/// The home bucket among `count`: monotonic in the fragment, so buckets are in hash order.
#[inline]
pub(crate) fn home(fragment: u16, count: usize) -> usize {
    (usize::from(fragment) * count) >> 16
}

#[inline]
pub(crate) fn following(bucket: usize, count: usize) -> usize {
    if bucket + 1 == count { 0 } else { bucket + 1 }
}

/// How many buckets behind its home `bucket` lies.
#[inline]
pub(crate) fn distance(home: usize, bucket: usize, count: usize) -> usize {
    if bucket >= home { bucket - home } else { bucket + count - home }
}

/// A new array that is filled with many words at once. It counts the used slots beside the
/// buckets, because reading back a line just written stalls the processor.
pub(crate) struct Filling {
    buckets: Box<[Bucket]>,
    used: Vec<u8>,
    placed: usize,
}

impl Filling {
    pub(crate) fn new(count: usize) -> Filling {
        let buckets = vec![Bucket::EMPTY; count].into_boxed_slice();
        Filling { buckets, used: vec![0; count], placed: 0 }
    }

    /// As [`place`].
    #[inline]
    pub(crate) fn place(&mut self, word: u64) {
        let count = self.buckets.len();
        let mut at = home(fragment_of(word), count);
        for _ in 0..count {
            let used = usize::from(self.used[at]);
            if used < SLOTS {
                self.buckets[at].0[used] = word;
                self.used[at] += 1;
                self.placed += 1;
                return;
            }
            at = following(at, count);
        }
        unreachable!("a new array is larger than what goes into it");
    }

    /// The array and the number of its words.
    pub(crate) fn finish(self) -> (Box<[Bucket]>, usize) {
        (self.buckets, self.placed)
    }
}

/// All words that hold items.
pub(crate) fn words(buckets: &[Bucket]) -> impl Iterator<Item = u64> {
    buckets.iter().flat_map(|bucket| bucket.0).filter(|&word| is_item(word))
}

/// Puts a word into the first bucket with room from its home on; returns bucket and slot.
/// The caller leaves room: a full array is a bug.
#[inline]
pub(crate) fn place(buckets: &mut [Bucket], word: u64) -> (usize, usize) {
    let count = buckets.len();
    let mut at = home(fragment_of(word), count);
    for _ in 0..count {
        let bucket = &mut buckets[at];
        if !bucket.is_full() {
            let slot = bucket.len();
            bucket.0[slot] = word;
            return (at, slot);
        }
        at = following(at, count);
    }
    unreachable!("a segment has a free slot before an insertion")
}

/// Takes a word out and pulls displaced words back, so that the invariants hold.
pub(crate) fn remove(buckets: &mut [Bucket], at: usize, slot: usize) -> u64 {
    let count = buckets.len();
    let removed = buckets[at].0[slot];
    let (mut hole, mut was_full) = (at, take(&mut buckets[at], slot));
    let mut next = at;
    for _ in 1..count {
        if !was_full {
            break;
        }
        next = following(next, count);
        let gap = distance(hole, next, count);
        let full = buckets[next].is_full();
        let displaced = buckets[next].0.iter().position(|&word| {
            word != 0 && distance(home(fragment_of(word), count), next, count) >= gap
        });
        if let Some(slot) = displaced {
            let word = buckets[next].0[slot];
            take(&mut buckets[next], slot);
            buckets[hole].0[SLOTS - 1] = word;
            hole = next;
        }
        was_full = full;
    }
    removed
}

/// Removes a slot and closes the gap with the last used one; tells whether the bucket was full.
fn take(bucket: &mut Bucket, slot: usize) -> bool {
    let last = bucket.len() - 1;
    bucket.0[slot] = bucket.0[last];
    bucket.0[last] = 0;
    last + 1 == SLOTS
}

/// Panics where an array breaks an invariant of this module.
#[cfg(test)]
pub(crate) fn check(buckets: &[Bucket]) {
    let count = buckets.len();
    for (at, bucket) in buckets.iter().enumerate() {
        let len = bucket.len();
        assert!(bucket.0[len..].iter().all(|&word| word == 0), "slots are filled from the front");
        for &word in &bucket.0[..len] {
            let mut passed = home(fragment_of(word), count);
            while passed != at {
                assert!(buckets[passed].is_full(), "a search would stop before its item");
                passed = following(passed, count);
            }
        }
    }
}
