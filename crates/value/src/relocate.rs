//! Moving what collections have allocated, without changing what is in them.
//!
//! An allocator cannot move what it has given; who holds it can, by asking for as much again. Where
//! that pays is for the caller to say: it knows addresses, and this knows which address is whose.
//! Collections with many allocations are walked over in bits, from a cursor on.

use std::collections::{BTreeMap, BTreeSet};
use std::ptr;

use crate::ValueMut;

/// Whether it pays to move the allocation at an address.
pub type Pays<'a> = &'a mut dyn FnMut(*const u8) -> bool;

/// Items of a table that are looked at together.
pub(crate) const TOGETHER: usize = 32;

/// A tree of the standard library with more items than this stays where it is: its nodes can be
/// moved only all together.
pub(crate) const TREE_MAX: usize = 2048;

impl ValueMut<'_> {
    /// Moves the allocations for which that pays, from a cursor on: 0 starts, and 0 is returned at
    /// the end. About `count` of them are looked at, or all of a small collection. What it leaves
    /// where it is: tables, long trees of the standard library, and the requests that a stream
    /// remembers.
    pub fn relocate(self, cursor: u64, count: usize, pays: Pays<'_>) -> u64 {
        match self {
            Self::List(list) => list.relocate(cursor, count, pays),
            Self::Set(set) => set.relocate(cursor, count, pays),
            Self::Zset(zset) => zset.relocate(cursor, count, pays),
            Self::Hash(hash) => hash.relocate(cursor, count, pays),
            Self::Stream(stream) => {
                head(stream, cursor, pays);
                stream.relocate(cursor, count, pays)
            }
            Self::Array(array) => {
                head(array, cursor, pays);
                array.relocate(cursor, count, pays)
            }
        }
    }
}

/// Moves what the word of a collection points to, at the start of its walk, if that pays.
fn head<T: Default>(value: &mut Box<T>, cursor: u64, pays: Pays<'_>) {
    if cursor == 0 && pays(ptr::from_ref(&**value).cast()) {
        let moved = Box::new(std::mem::take(&mut **value));
        *value = moved;
    }
}

/// Moves what a vector holds to another allocation of the same size if that pays.
pub(crate) fn run<T>(items: &mut Vec<T>, pays: Pays<'_>) {
    if items.capacity() > 0 && pays(items.as_ptr().cast()) {
        let mut moved = Vec::with_capacity(items.capacity());
        moved.append(items);
        *items = moved;
    }
}

/// Moves bytes if that pays.
pub(crate) fn text(text: &mut Box<[u8]>, pays: Pays<'_>) {
    if !text.is_empty() && pays(text.as_ptr()) {
        *text = text.clone();
    }
}

/// Builds a map anew if moving one of its nodes pays.
pub(crate) fn map<K: Ord, V>(map: &mut BTreeMap<K, V>, pays: Pays<'_>) {
    if map.len() <= TREE_MAX && is_scattered(map.keys(), pays) {
        *map = std::mem::take(map).into_iter().collect();
    }
}

/// Builds a set anew if moving one of its nodes pays.
pub(crate) fn set<K: Ord>(set: &mut BTreeSet<K>, pays: Pays<'_>) {
    if set.len() <= TREE_MAX && is_scattered(set.iter(), pays) {
        *set = std::mem::take(set).into_iter().collect();
    }
}

/// Whether moving a node of a tree with these keys pays. The keys of a leaf stand side by side, and
/// each leaf is asked about once; an inner node more often.
fn is_scattered<'k, K: 'k>(keys: impl Iterator<Item = &'k K>, pays: Pays<'_>) -> bool {
    let mut last: *const K = ptr::null();
    let mut is_scattered = false;
    for key in keys {
        if !ptr::eq(key, last.wrapping_add(1)) {
            is_scattered |= pays(ptr::from_ref(key).cast());
        }
        last = key;
    }
    is_scattered
}

#[cfg(test)]
mod tests;
