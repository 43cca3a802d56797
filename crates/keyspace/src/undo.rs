//! What it takes to undo the changes of a script: each key as it was before the script changed it
//! for the first time.
//!
//! Small values are copied. To copy a large one could take longer than the script, so the server
//! says how large a value may be; one that is larger and changes all the same makes the whole
//! worthless, and nothing is kept any more. It performs nothing itself (see `Db::roll_back`).

use std::collections::HashMap;

use smallvec::SmallVec;

use crate::entry::Entry;

/// Keys that are looked for one after the other.
const FEW: usize = 16;
/// Bytes that all copies may take.
const BYTES_MAX: usize = 256 << 20;
/// Elements of a collection by which its size is estimated.
const SAMPLES: usize = 5;

/// What was under a key.
pub(crate) enum Was {
    /// This.
    Entry(Entry),
    /// Nothing.
    Absent(Box<[u8]>),
}

/// A key as it was.
pub(crate) struct Kept {
    pub(crate) db: u32,
    pub(crate) hash: u64,
    pub(crate) was: Was,
}

impl Kept {
    /// The key.
    pub(crate) fn key(&self) -> &[u8] {
        match &self.was {
            Was::Entry(entry) => entry.key_bytes(),
            Was::Absent(key) => key,
        }
    }
}

/// See the module's text.
#[derive(Default)]
pub struct Undo {
    kept: Vec<Kept>,
    /// The places of the keys of a database and a hash, once there are many.
    places: HashMap<(u32, u64), SmallVec<[u32; 1]>, foldhash::fast::FixedState>,
    bytes: usize,
    value_max: usize,
    is_lost: bool,
}

impl Undo {
    /// Says how many bytes a value may have that is copied from now on.
    #[inline]
    pub fn set_value_max(&mut self, bytes: usize) {
        self.value_max = bytes;
    }

    /// Whether the changes cannot be undone.
    #[inline]
    pub fn is_lost(&self) -> bool {
        self.is_lost
    }

    /// Notes that something was changed that is not kept.
    pub(crate) fn lose(&mut self) {
        *self = Self { is_lost: true, ..Self::default() };
    }

    /// Whether a key is to be kept before it changes.
    pub(crate) fn lacks(&self, db: u32, hash: u64, key: &[u8]) -> bool {
        if self.is_lost {
            return false;
        }
        let is_it = |kept: &Kept| kept.hash == hash && kept.db == db && kept.key() == key;
        if self.kept.len() <= FEW {
            return !self.kept.iter().any(is_it);
        }
        let places = self.places.get(&(db, hash));
        !places.is_some_and(|places| places.iter().any(|at| is_it(&self.kept[*at as usize])))
    }

    /// Keeps a key that is lacking, with what is under it.
    pub(crate) fn keep(&mut self, db: u32, hash: u64, key: &[u8], entry: Option<&Entry>) {
        let bytes = entry.map_or(key.len(), |entry| entry.memory(SAMPLES));
        if bytes > self.value_max.max(key.len()) || self.bytes + bytes > BYTES_MAX {
            return self.lose();
        }
        self.bytes += bytes;
        let copy = |entry: &Entry| entry.copy_as(key, entry.deadline_ms(), entry.access());
        let was = entry.map_or_else(|| Was::Absent(key.into()), |entry| Was::Entry(copy(entry)));
        self.kept.push(Kept { db, hash, was });
        if self.kept.len() > FEW {
            let first = if self.places.is_empty() { 0 } else { self.kept.len() - 1 };
            for (at, kept) in self.kept.iter().enumerate().skip(first) {
                self.places.entry((kept.db, kept.hash)).or_default().push(at as u32);
            }
        }
    }

    /// What was kept.
    pub(crate) fn into_kept(self) -> Vec<Kept> {
        self.kept
    }

    /// Begins anew, with the room that it has.
    pub(crate) fn clear(&mut self) {
        self.kept.clear();
        if !self.places.is_empty() {
            self.places = HashMap::default();
        }
        (self.bytes, self.is_lost) = (0, false);
    }
}
