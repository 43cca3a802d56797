//! The biggest keys of a table, by type: always known, whatever happened to them.
//!
//! Sizes are lengths, of strings in bytes and of collections in elements. A key is noted by the
//! power of two that its size reaches, so it is noted anew only when its size has doubled or
//! halved, and what is asked for the biggest looks up those of the highest powers alone. Small
//! keys are not noted at all. Invariant: exactly the keys that are big enough are noted, each
//! under its present class.

use std::collections::BTreeSet;

use value::{KeyHash, Kind};

use crate::door::Door;
use crate::entry::{Entry, ValueRef};

/// The smallest sizes that are noted.
pub const STRING_MIN: u64 = 4096;
/// See `STRING_MIN`.
pub const ELEMENTS_MIN: u64 = 128;

/// Type and power of two of a key that is big, or nothing.
pub(super) type Class = Option<(u8, u8)>;

/// See the module's text. Nothing is allocated while no key is big.
#[derive(Default)]
#[expect(clippy::box_collection, reason = "one word beside what every lookup reads")]
pub(super) struct Biggest(Option<Box<BTreeSet<(u8, u8, u64)>>>);

/// A key's size: bytes of a string, elements of a collection.
pub(crate) fn size_of_value(entry: &Entry) -> u64 {
    match entry.value() {
        ValueRef::Inline(bytes) => bytes.len() as u64,
        ValueRef::Int(number) => number.checked_ilog10().map_or(1, |digits| u64::from(digits) + 1),
        ValueRef::Shared(bytes) => bytes.len() as u64,
        ValueRef::Object(value) => value.elements(),
    }
}

/// The class of a key.
#[inline]
pub(super) fn class_of(entry: &Entry) -> Class {
    if entry.is_inline() {
        return None;
    }
    let (size, min) = match entry.value() {
        ValueRef::Object(value) => (value.elements(), ELEMENTS_MIN),
        ValueRef::Shared(bytes) => (bytes.len() as u64, STRING_MIN),
        ValueRef::Inline(_) | ValueRef::Int(_) => return None,
    };
    (size >= min).then(|| (entry.kind() as u8, size.ilog2() as u8))
}

impl Biggest {
    /// Notes that a key of class `old` is of class `new` now.
    #[inline]
    pub(super) fn change(&mut self, hash: u64, old: Class, new: Class) {
        if old != new {
            self.exchange(hash, old, new);
        }
    }

    #[cold]
    fn exchange(&mut self, hash: u64, old: Class, new: Class) {
        let all = self.0.get_or_insert_default();
        if let Some((kind, class)) = old {
            all.remove(&(kind, class, hash));
        }
        if let Some((kind, class)) = new {
            all.insert((kind, class, hash));
        }
        if all.is_empty() {
            self.0 = None;
        }
    }

    /// Shows keys of a type among which are the `count` biggest ones of at least `min`, with their
    /// sizes.
    pub(super) fn show(
        &self,
        (door, hasher): (&mut Door, KeyHash),
        kind: Kind,
        (count, min): (usize, u64),
        mut each: impl FnMut(&Entry, u64),
    ) {
        let Some(all) = &self.0 else { return };
        let (kind, lowest) = (kind as u8, min.checked_ilog2().unwrap_or(0) as u8);
        let of_kind = all.range((kind, lowest, 0)..=(kind, u8::MAX, u64::MAX)).rev();
        let (mut shown, mut last) = (0, u8::MAX);
        for &(_, class, hash) in of_kind {
            // Within a class the order is not known, so a class is shown whole.
            if shown >= count && class != last {
                return;
            }
            let is_it = |entry: &Entry| hasher.of(entry.key_bytes()) == hash;
            if let Some(slot) = door.slot_where(hash, is_it) {
                each(&slot, size_of_value(&slot));
            }
            (shown, last) = (shown + 1, class);
        }
    }

    pub(super) fn memory(&self) -> usize {
        self.0.as_ref().map_or(0, |all| all.len()) * size_of::<(u8, u8, u64)>() * 3 / 2
    }
}

#[cfg(test)]
mod tests;
