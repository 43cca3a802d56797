//! An array: strings under indexes from 0 to 2^64-2, most of which may be missing.
//!
//! The index space is cut into slices of 64 places (`slice`), and only slices that hold something
//! exist, in the order of their numbers. So an array costs what its elements cost, wherever they
//! are, and walking over a range costs what stands in it.
//!
//! An array also remembers where something was inserted last ([`Array::last_insert`]): what
//! appends to it goes on from there. Setting an element by its index does not move that place.
//!
//! Knows no key and no command. Invariants: no slice is empty; `count` is the number of elements.

use std::collections::BTreeMap;

use crate::compact::Element;
use crate::{Pays, relocate};

mod ring;
mod slice;
#[cfg(test)]
mod tests;

use slice::{PLACES, Slice};

/// The largest index of an element: the length, one more, still has to fit.
pub const INDEX_MAX: u64 = u64::MAX - 1;

/// What an inner node and the unused room of leaves cost a slice in the directory, about.
const DIRECTORY_SHARE: usize = 24;

/// An array. See the module's text.
#[derive(Clone, Debug, Default)]
pub struct Array {
    slices: BTreeMap<u64, Slice>,
    count: u64,
    last_insert: Option<u64>,
}

/// How the slices of an array are filled.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Fill {
    /// Slices with something in at least half of their places.
    pub dense: u64,
    /// The elements in these.
    pub dense_elements: u64,
    /// All other slices.
    pub sparse: u64,
    /// The elements in these.
    pub sparse_elements: u64,
}

impl Array {
    /// The number of places in a slice.
    pub const SLICE: u64 = PLACES;

    /// An empty array.
    pub fn new() -> Self {
        Self::default()
    }

    /// What OBJECT ENCODING replies.
    pub fn encoding(&self) -> &'static str {
        "sliced-array"
    }

    /// See [`crate::ValueMut::relocate`]: a cursor is the number of a slice.
    pub(crate) fn relocate(&mut self, cursor: u64, count: usize, pays: Pays<'_>) -> u64 {
        if cursor == 0 {
            relocate::map(&mut self.slices, pays);
        }
        let mut seen = 0;
        for (number, slice) in self.slices.range_mut(cursor..) {
            if seen >= count && *number > cursor {
                return *number;
            }
            seen += slice.relocate(pays);
        }
        0
    }

    /// Whether a key that holds it ceases to exist.
    #[inline]
    pub fn is_vacant(&self) -> bool {
        self.count == 0
    }

    /// Bytes asked of the allocator; from the first `samples` slices (0: all).
    pub fn memory(&self, samples: usize) -> usize {
        let slices = self.slices.len();
        let samples = if samples == 0 { slices } else { samples.min(slices) };
        let sampled: usize = self.slices.values().take(samples).map(Slice::memory).sum();
        let apart = sampled as u128 * slices as u128 / samples.max(1) as u128;
        size_of::<Self>() + slices * (size_of::<(u64, Slice)>() + DIRECTORY_SHARE) + apart as usize
    }

    /// How many allocations freeing it takes, roughly.
    pub fn effort(&self) -> usize {
        self.slices.len()
    }

    /// The number of elements.
    #[inline]
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The highest index of an element plus one.
    #[inline]
    pub fn len(&self) -> u64 {
        match self.slices.last_key_value() {
            Some((number, slice)) => number * PLACES + u64::from(slice.last()) + 1,
            None => 0,
        }
    }

    /// Whether there is no element.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.is_vacant()
    }

    /// The number of slices.
    pub fn slices(&self) -> u64 {
        self.slices.len() as u64
    }

    /// How the slices are filled - O(N) of the slices.
    pub fn fill(&self) -> Fill {
        let mut fill = Fill::default();
        for count in self.slices.values().map(Slice::len) {
            if count * 2 >= PLACES {
                fill.dense += 1;
                fill.dense_elements += count;
            } else {
                fill.sparse += 1;
                fill.sparse_elements += count;
            }
        }
        fill
    }

    /// Where something was inserted last, or is said to have been.
    pub fn last_insert(&self) -> Option<u64> {
        self.last_insert
    }

    /// Says where something was inserted last.
    pub fn set_last_insert(&mut self, index: Option<u64>) {
        self.last_insert = index;
    }

    /// The element at an index.
    #[inline]
    pub fn get(&self, index: u64) -> Option<Element<'_>> {
        let (number, place) = split(index);
        self.slices.get(&number)?.get(place)
    }

    /// Sets the element at an index; whether there was none before.
    ///
    /// # Panics
    /// If the index is above [`INDEX_MAX`].
    #[inline]
    pub fn set(&mut self, index: u64, text: &[u8]) -> bool {
        assert!(index <= INDEX_MAX, "the caller knows the index to be one");
        let (number, place) = split(index);
        let is_new = self.slices.entry(number).or_default().set(place, text);
        self.count += u64::from(is_new);
        is_new
    }

    /// Removes the element at an index; `false` if there was none.
    pub fn remove(&mut self, index: u64) -> bool {
        let (number, place) = split(index);
        self.remove_places(number, place, place) > 0
    }

    /// Removes the elements from `first` to `last`; how many there were. Costs what is removed,
    /// however far the two are apart.
    pub fn remove_range(&mut self, first: u64, last: u64) -> u64 {
        let ((from, from_place), (to, to_place)) = (split(first), split(last));
        if first > last {
            return 0;
        }
        if from == to {
            return self.remove_places(from, from_place, to_place);
        }
        let mut removed = self.remove_places(from, from_place, PLACES as u8 - 1);
        removed += self.remove_places(to, 0, to_place);
        while let Some((&number, slice)) = self.slices.range(from + 1..to).next() {
            let count = slice.len();
            self.slices.remove(&number);
            self.count -= count;
            removed += count;
        }
        removed
    }

    /// Calls `visit` with the elements between two indexes, both included, from the first one to
    /// the second one (downwards when that is the smaller) until it answers `false`. Costs what it
    /// visits, however far the two are apart.
    pub fn walk<'a>(&'a self, from: u64, to: u64, mut visit: impl FnMut(u64, Element<'a>) -> bool) {
        let (low, high) = (split(from.min(to)), split(from.max(to)));
        let mut one = |(&number, slice): (&u64, &'a Slice)| {
            let first = if number == low.0 { low.1 } else { 0 };
            let last = if number == high.0 { high.1 } else { PLACES as u8 - 1 };
            slice.walk(first, last, from > to, |place, element| {
                visit(number * PLACES + u64::from(place), element)
            })
        };
        let mut slices = self.slices.range(low.0..=high.0);
        if from <= to {
            slices.all(&mut one);
        } else {
            slices.rev().all(&mut one);
        }
    }

    /// Removes what stands in some places of one slice.
    fn remove_places(&mut self, number: u64, first: u8, last: u8) -> u64 {
        let Some(slice) = self.slices.get_mut(&number) else { return 0 };
        let removed = slice.remove(first, last);
        if slice.len() == 0 {
            self.slices.remove(&number);
        }
        self.count -= removed;
        removed
    }
}

/// The number of an index's slice, and its place there.
#[inline]
fn split(index: u64) -> (u64, u8) {
    (index / PLACES, (index % PLACES) as u8)
}
