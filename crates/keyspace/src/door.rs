//! The write door: the table of one database's part of a shard, whose entries are changed and
//! removed only in ways that a snapshot under way learns of first.
//!
//! A snapshot is an epoch. When one begins, every table gets the next epoch's number; an entry
//! with that number is no longer needed: it was written already, or came to be later. All others
//! are written once, by the walk or just before the first change, and get the number with it. The
//! door knows nothing of files: it shows entries to a [`Recorder`].
//!
//! Invariants: [`Slot`] alone leads to `&mut Entry`; while a snapshot needs something of this
//! table, `past` is there; a number is used again only when no entry has it from before.

use std::ops::Deref;
use std::sync::Arc;

use table::{Batch, Ref, RefMut, Table};
use value::KeyHash;

use crate::entry::{Entry, ValueRef};

/// Entries whose lines the walk asks for together.
const STEP: usize = 32;
/// How much work a step is at most, by the number of short strings: far more than it has of those,
/// but four longer values, or a bit of a large one, end it.
const STEP_WORK: usize = 128;
const LONG_WORK: usize = 32;
/// Epochs that may pass a table by before its entries are all given the present number: theirs
/// must not come round while some still have it.
const BEHIND_MAX: u8 = 250;

/// Where a table was when an epoch began.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Origin {
    /// The shard.
    pub shard: u32,
    /// The database's number.
    pub db: u32,
}

/// Takes entries down as they were when an epoch began.
pub trait Recorder: Send + Sync {
    /// Takes an entry down. Each one of the epoch's beginning is shown once, its shard held.
    fn record(&self, origin: Origin, entry: &Entry);

    /// Takes a bit of an entry down, which comes again until it is whole; whether it is. Before
    /// it changes, it is shown to [`Self::keep`], or to [`Self::record`] for the rest.
    fn record_bit(&self, origin: Origin, entry: &mut Entry) -> bool {
        self.record(origin, entry);
        true
    }

    /// Lets the collection of an entry remember what is still to be taken down of it, for it is
    /// going to change. False when the rest is to be taken down before.
    fn keep(&self, _origin: Origin, _entry: &mut Entry) -> bool {
        false
    }

    /// Whether nobody wants what is left.
    fn is_over(&self) -> bool;
}

/// See the module's text.
#[repr(C)]
pub(crate) struct Door {
    past: Option<Box<Past>>,
    table: Table<Entry, KeyHash>,
    epoch: u8,
    /// Epochs since every entry last had the present number.
    behind: u8,
}

/// What the snapshot under way still needs of a table.
struct Past {
    recorder: Arc<dyn Recorder>,
    origin: Origin,
    cursor: u64,
    epoch: u8,
}

/// An entry in its place. It is looked at freely, and changed or removed through the door.
pub struct Slot<'a> {
    entry: RefMut<'a, Entry>,
    past: Option<&'a Past>,
}

/// How much of an entry is changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Extent {
    /// Elements of a collection, and the header. No other value comes in the place of this one, so
    /// a large one need not be shown to a snapshot before.
    Parts,
    /// Anything.
    Whole,
}

/// The place of a key.
pub(crate) enum Place<'a> {
    Occupied(Slot<'a>),
    Vacant(Vacancy<'a>),
}

/// The place of a key that is not there.
pub(crate) struct Vacancy<'a> {
    vacant: table::VacantEntry<'a, Entry, KeyHash>,
    past: Option<&'a Past>,
    epoch: u8,
}

impl Door {
    pub(crate) fn new(hash: KeyHash) -> Self {
        Self { past: None, table: Table::new(hash), epoch: 0, behind: 0 }
    }

    /// The entries, for looking at them.
    pub(crate) fn table(&self) -> &Table<Entry, KeyHash> {
        &self.table
    }

    #[inline]
    pub(crate) fn slot(&mut self, hash: u64, key: &[u8]) -> Option<Slot<'_>> {
        let past = self.past.as_deref();
        self.table.get_mut(hash, key).map(|entry| Slot { entry, past })
    }

    /// As [`Table::find_by_pointer`].
    pub(crate) fn slot_at(&mut self, hash: u64, raw: std::ptr::NonNull<u8>) -> Option<Slot<'_>> {
        let past = self.past.as_deref();
        self.table.find_by_pointer(hash, raw).map(|entry| Slot { entry, past })
    }

    /// As [`Table::find_where`].
    pub(crate) fn slot_where(
        &mut self,
        hash: u64,
        wanted: impl FnMut(&Entry) -> bool,
    ) -> Option<Slot<'_>> {
        let past = self.past.as_deref();
        self.table.find_where(hash, wanted).map(|entry| Slot { entry, past })
    }

    #[inline]
    pub(crate) fn place(&mut self, hash: u64, key: &[u8]) -> Place<'_> {
        let (past, epoch) = (self.past.as_deref(), self.epoch);
        match self.table.entry(hash, key) {
            table::Entry::Occupied(entry) => Place::Occupied(Slot { entry, past }),
            table::Entry::Vacant(vacant) => Place::Vacant(Vacancy { vacant, past, epoch }),
        }
    }

    /// Puts an entry in whose key is not there.
    pub(crate) fn insert(&mut self, hash: u64, mut entry: Entry) -> Slot<'_> {
        entry.set_epoch(self.epoch);
        let past = self.past.as_deref();
        Slot { entry: self.table.insert_new(hash, entry), past }
    }

    /// Shows the entries of some places from a cursor on and gives each the access word that `look`
    /// finds for it, if any; returns the next cursor.
    pub(crate) fn go_round(
        &mut self,
        cursor: u64,
        look: &mut dyn FnMut(&Entry) -> Option<u32>,
    ) -> u64 {
        self.table.scan_mut(cursor, STEP, &mut |entry| {
            if let Some(word) = look(entry) {
                entry.set_access(word);
            }
        })
    }

    /// Shows the entries of some places from a cursor on to who moves their allocations; returns
    /// the next cursor. No snapshot needs anything of this: it knows entries by where they are.
    pub(crate) fn relocate(&mut self, cursor: u64, work: &mut dyn FnMut(&mut Entry)) -> u64 {
        debug_assert!(!self.has_past(), "a snapshot knows entries by where they are");
        self.table.scan_mut(cursor, STEP, work)
    }

    /// Takes one segment's entries out, for freeing them: whoever needs them has seen them.
    pub(crate) fn take_segment(&mut self) -> Option<Batch<Entry>> {
        let batch = self.table.take_segment()?;
        if let Some(past) = &self.past {
            let needed = batch.look().filter(|entry| past.needs(entry));
            needed.for_each(|entry| past.recorder.record(past.origin, &entry));
        }
        Some(batch)
    }

    /// Begins an epoch: what is here now is shown to `recorder` before it changes. What an older
    /// recorder has not seen, it does not see any more.
    pub(crate) fn begin(&mut self, recorder: &Arc<dyn Recorder>, origin: Origin) {
        if self.behind >= BEHIND_MAX {
            self.settle();
        }
        self.epoch = self.epoch.wrapping_add(1);
        self.behind += 1;
        self.past = None;
        if self.table.is_empty() {
            self.behind = 0;
        } else {
            let recorder = Arc::clone(recorder);
            self.past = Some(Box::new(Past { recorder, origin, cursor: 0, epoch: self.epoch }));
        }
    }

    /// Gives every entry the present number.
    fn settle(&mut self) {
        let (mut cursor, epoch) = (0, self.epoch);
        loop {
            cursor = self.table.scan_mut(cursor, STEP, &mut |entry| entry.set_epoch(epoch));
            if cursor == 0 {
                break;
            }
        }
        self.behind = 0;
    }

    /// Whether a snapshot still needs something of this.
    pub(crate) fn has_past(&self) -> bool {
        self.past.is_some()
    }

    /// Shows the recorder some more of what it has not seen, while there is `more` time. Returns
    /// whether it has seen all.
    pub(crate) fn walk(&mut self, more: &mut dyn FnMut(u64) -> bool) -> bool {
        let Some(past) = &mut self.past else { return true };
        loop {
            if past.recorder.is_over() {
                self.past = None;
                return true;
            }
            let (mut shown, mut work) = (0, 0);
            let mut visit = |entry: &mut Entry| {
                if work < STEP_WORK && past.needs(entry) {
                    let (is_whole, took) = past.show_bit(entry);
                    shown += u64::from(is_whole);
                    work += took;
                }
            };
            let cursor = self.table.scan_mut(past.cursor, STEP, &mut visit);
            // What was left of these entries is met again, and what was shown is known by its
            // number.
            let is_through = work < STEP_WORK;
            if is_through {
                past.cursor = cursor;
            }
            let goes_on = more(shown);
            if is_through && cursor == 0 {
                self.past = None;
                self.behind = 0;
                return true;
            }
            if !goes_on {
                return false;
            }
        }
    }
}

impl Past {
    /// Whether an entry was here when the epoch began, and was not shown yet.
    fn needs(&self, entry: &Entry) -> bool {
        entry.epoch() != self.epoch
    }

    /// Shows an entry if it is needed.
    fn show(&self, entry: &mut Entry) {
        if self.needs(entry) {
            self.recorder.record(self.origin, entry);
            self.seen(entry);
        }
    }

    /// Notes that an entry is needed no more.
    fn seen(&self, entry: &mut Entry) {
        entry.set_epoch(self.epoch);
        let is_claimed = entry.object().is_some_and(|value| value.claim_id().is_some());
        if let Some(value) = entry.object_mut().filter(|_| is_claimed) {
            value.release();
        }
    }

    /// Whether the collection of an entry that is needed remembers what it was from now on.
    fn keeps(&self, entry: &mut Entry) -> bool {
        self.needs(entry) && self.recorder.keep(self.origin, entry)
    }

    /// Shows a bit of an entry that is needed: whether that was all of it, and how much work that
    /// was, a whole step's if there is more.
    fn show_bit(&self, entry: &mut Entry) -> (bool, usize) {
        let is_short = matches!(entry.value(), ValueRef::Int(_) | ValueRef::Inline(_));
        if is_short {
            self.recorder.record(self.origin, entry);
        } else if !self.recorder.record_bit(self.origin, entry) {
            return (false, STEP_WORK);
        }
        self.seen(entry);
        (true, if is_short { 1 } else { LONG_WORK })
    }
}

impl<'a> Slot<'a> {
    /// Changes the entry, which may also be replaced by another one with its key.
    #[inline]
    pub(crate) fn change<R>(&mut self, work: impl FnOnce(&mut Entry) -> R) -> R {
        self.change_by(Extent::Whole, work)
    }

    /// Changes so much of the entry.
    #[inline]
    pub(crate) fn change_by<R>(&mut self, extent: Extent, work: impl FnOnce(&mut Entry) -> R) -> R {
        let Some(past) = self.past else { return work(&mut self.entry) };
        if extent == Extent::Parts && past.keeps(&mut self.entry) {
            return work(&mut self.entry);
        }
        past.show(&mut self.entry);
        let result = work(&mut self.entry);
        self.entry.set_epoch(past.epoch);
        result
    }

    /// Takes the entry out.
    #[inline]
    pub(crate) fn remove(mut self) -> Entry {
        if let Some(past) = self.past {
            past.show(&mut self.entry);
        }
        self.entry.remove()
    }

    /// Sets the access word, which is no change of what the key holds.
    #[inline]
    pub(crate) fn touch(&mut self, access: u32) {
        if self.entry.access() != access {
            self.entry.set_access(access);
        }
    }

    /// The entry for looking at it.
    #[inline]
    pub(crate) fn into_ref(self) -> Ref<'a, Entry> {
        self.entry.into_ref()
    }
}

impl Deref for Slot<'_> {
    type Target = Entry;

    #[inline]
    fn deref(&self) -> &Entry {
        &self.entry
    }
}

impl<'a> Vacancy<'a> {
    /// Puts in an entry with the key that the place was asked for.
    #[inline]
    pub(crate) fn insert(self, mut entry: Entry) -> Slot<'a> {
        entry.set_epoch(self.epoch);
        Slot { entry: self.vacant.insert(entry), past: self.past }
    }
}

#[cfg(test)]
mod tests;
