//! What is left of a collection for a reader that comes back to it while others change it.
//!
//! A reader claims the collection ([`Claim`]) before the first change. From then on the collection
//! notes of whatever is about to change, and was not read yet, how it was, and of what is new that
//! it is. So what is left are the elements that stand in the collection ahead of the reader and of
//! which nothing is noted, and those that are noted with what they were. It costs what is changed,
//! and ends when the claim is dropped.
//!
//! Knows no format and no snapshot. Invariant: an element ahead of the reader of which nothing is
//! noted is as it was when the collection was claimed.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Weak};

use table::{Item, Table};

use crate::{KeyHash, ValueMut, ValueView};

/// Held by a reader for as long as it wants the rest of a collection.
#[derive(Debug, Default)]
pub struct Claim(Arc<()>);

impl Claim {
    /// What tells it from others, as long as some collection knows of it.
    pub fn id(&self) -> usize {
        Arc::as_ptr(&self.0).addr()
    }
}

/// How far a table is read: everything with a hash whose upper 48 bits are below it.
pub(crate) type Cursor = u64;

/// The end of every table.
const END: Cursor = u64::MAX;

/// Places of a table that are looked at for each element that is asked for.
const STEPS_PER_ELEMENT: u64 = 10;

/// See the module's text: `P` is how far the reader is, `T` what is noted of an element.
pub(crate) struct Rest<P, T> {
    claim: Weak<()>,
    pub(crate) read: P,
    /// By name; nothing where the element was not there.
    noted: BTreeMap<Box<[u8]>, Option<T>>,
}

impl<P, T> Rest<P, T> {
    pub(crate) fn new(claim: &Claim, read: P) -> Self {
        Self { claim: Arc::downgrade(&claim.0), read, noted: BTreeMap::new() }
    }

    /// See [`Claim::id`].
    pub(crate) fn claim_id(&self) -> usize {
        self.claim.as_ptr().addr()
    }

    /// Whether the reader still wants it.
    pub(crate) fn is_wanted(&self) -> bool {
        self.claim.strong_count() > 0
    }

    pub(crate) fn has_noted(&self, name: &[u8]) -> bool {
        self.noted.contains_key(name)
    }

    /// Notes what an element was of which nothing is noted.
    pub(crate) fn note(&mut self, name: &[u8], was: Option<T>) {
        self.noted.insert(name.into(), was);
    }

    /// Lets go what is noted up to a name, which was shown.
    pub(crate) fn forget(&mut self, upto: &[u8]) {
        while let Some(first) = self.noted.first_entry()
            && first.key().as_ref() <= upto
        {
            first.remove();
        }
    }

    /// Shows up to so many of the elements that are noted behind a name. Returns the last name that
    /// was looked at, or nothing when none is left.
    pub(crate) fn show_noted(
        &self,
        behind: Option<&[u8]>,
        count: usize,
        mut each: impl FnMut(&[u8], &T),
    ) -> Option<Box<[u8]>> {
        let from = behind.map_or(Bound::Unbounded, Bound::Excluded);
        let mut noted = self.noted.range::<[u8], _>((from, Bound::Unbounded));
        let mut last = None;
        for (name, was) in noted.by_ref().take(count) {
            if let Some(was) = was {
                each(name, was);
            }
            last = Some(name);
        }
        noted.next()?;
        last.cloned()
    }
}

impl<T> Rest<Cursor, T> {
    /// Notes what an element was, unless that was read, or is noted.
    pub(crate) fn keep(&mut self, hash: u64, name: &[u8], was: impl FnOnce() -> Option<T>) {
        if position(hash) >= self.read && !self.has_noted(name) {
            self.note(name, was());
        }
    }

    /// Says that the table is read up to a cursor, and to its end when that is zero.
    pub(crate) fn set_read(&mut self, cursor: u64) {
        self.read = if cursor == 0 { END } else { cursor };
    }

    /// Shows about so many items of a table that are left, from a cursor on, and gives the next
    /// one; zero at the end.
    pub(crate) fn scan<I: Item>(
        &self,
        table: &Table<I, KeyHash>,
        mut cursor: u64,
        count: u64,
        each: &mut dyn FnMut(&I),
    ) -> u64 {
        let mut met = 0;
        for _ in 0..count.saturating_mul(STEPS_PER_ELEMENT) {
            let from = cursor;
            cursor = table.scan(from, &mut |item: &I| {
                met += 1;
                // After buckets were joined the scan may begin with some that were read.
                let is_ahead = position(table.hasher().of(item.key())) >= from;
                if is_ahead && !self.has_noted(item.key()) {
                    each(item);
                }
            });
            if cursor == 0 || met >= count {
                break;
            }
        }
        cursor
    }
}

/// Where a table's scan meets a hash.
fn position(hash: u64) -> u64 {
    hash >> 16
}

impl ValueView<'_> {
    /// Whose claim on it it was that was made last (see [`Claim::id`]).
    pub fn claim_id(self) -> Option<usize> {
        match self {
            Self::Hash(hash) => hash.claim_id(),
            Self::Set(set) => set.claim_id(),
            Self::Zset(zset) => zset.claim_id(),
            Self::List(_) | Self::Stream(_) | Self::Array(_) => None,
        }
    }
}

impl ValueMut<'_> {
    /// Keeps nothing for a reader any more.
    pub fn release(self) {
        match self {
            Self::Hash(hash) => hash.release(),
            Self::Set(set) => set.release(),
            Self::Zset(zset) => zset.release(),
            Self::List(_) | Self::Stream(_) | Self::Array(_) => {}
        }
    }
}
