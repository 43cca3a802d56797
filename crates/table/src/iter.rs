//! Walking over all items: borrowed ([`Iter`]) and taken out a segment at a time ([`Batch`]).

use std::marker::PhantomData;

use crate::bucket::{Bucket, SLOTS};
use crate::directory::{Directory, item_at};
use crate::{Item, Ref};

/// All items of a table.
pub struct Iter<'a, T: Item> {
    directory: &'a Directory,
    cell: usize,
    buckets: &'a [Bucket],
    slot: usize,
    items: PhantomData<&'a T>,
}

impl<'a, T: Item> Iter<'a, T> {
    pub(crate) fn new(directory: &'a Directory) -> Self {
        Iter { directory, cell: 0, buckets: &[], slot: 0, items: PhantomData }
    }
}

impl<'a, T: Item> Iterator for Iter<'a, T> {
    type Item = Ref<'a, T>;

    fn next(&mut self) -> Option<Ref<'a, T>> {
        loop {
            while let Some(bucket) = self.buckets.get(self.slot / SLOTS) {
                let word = bucket.0[self.slot % SLOTS];
                self.slot += 1;
                if let Some(item) = item_at(word) {
                    return Some(Ref::new(item));
                }
            }
            (self.buckets, self.cell) = self.directory.next_array(self.cell)?;
            self.slot = 0;
        }
    }
}

/// The items of one segment, taken out of their table; those not yet asked for are freed with it.
pub struct Batch<T: Item> {
    buckets: Box<[Bucket]>,
    slot: usize,
    items: PhantomData<T>,
}

impl<T: Item> Batch<T> {
    /// Owns all items of an array that was detached from its directory.
    pub(crate) fn new(buckets: Box<[Bucket]>) -> Self {
        Batch { buckets, slot: 0, items: PhantomData }
    }

    /// The items that are left, for looking at them.
    pub fn look(&self) -> impl Iterator<Item = Ref<'_, T>> {
        let words = self.buckets.iter().flat_map(|bucket| bucket.0).skip(self.slot);
        words.filter_map(item_at).map(Ref::new)
    }
}

impl<T: Item> Iterator for Batch<T> {
    type Item = T;

    fn next(&mut self) -> Option<T> {
        while let Some(bucket) = self.buckets.get(self.slot / SLOTS) {
            let word = bucket.0[self.slot % SLOTS];
            self.slot += 1;
            if let Some(item) = item_at(word) {
                // SAFETY: the slot owned the item, the array is ours alone, and `slot` passes
                // each place once.
                return Some(unsafe { T::from_raw(item) });
            }
        }
        None
    }
}

impl<T: Item> Drop for Batch<T> {
    fn drop(&mut self) {
        self.for_each(drop);
    }
}
