//! Which clients may have cached which keys, by shard.
//!
//! Keys of the same name in several databases are one key here, as in Redis: what clients are told
//! names no database. Invariant: `index` has the place of every entry, under the entry's hash.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;
use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use parking_lot::Mutex;
use smallvec::SmallVec;

use super::tracker::Tracker;

/// The clients that may have a key cached, in the order of their addresses in memory.
pub type Trackers = SmallVec<[Arc<Tracker>; 1]>;

struct Tracked {
    hash: u64,
    key: Box<[u8]>,
    by: Trackers,
}

/// The keys of one shard. Entries lie in one row, so that one of them can be drawn.
#[derive(Default)]
struct Part {
    index: HashTable<u32>,
    entries: Vec<Tracked>,
}

/// See the module's text.
pub struct Table {
    parts: Box<[Mutex<Part>]>,
    len: CachePadded<AtomicUsize>,
}

impl Table {
    /// An empty one for so many shards.
    pub fn new(shards: usize) -> Self {
        Self {
            parts: (0..shards).map(|_| Mutex::default()).collect(),
            len: CachePadded::new(AtomicUsize::new(0)),
        }
    }

    /// How many keys there are.
    pub fn len(&self) -> usize {
        self.len.load(Ordering::Relaxed)
    }

    /// How many keys there are, each counted once for each client.
    pub fn items(&self) -> u64 {
        let of_part = |part: &Mutex<Part>| {
            part.lock().entries.iter().map(|entry| entry.by.len() as u64).sum::<u64>()
        };
        self.parts.iter().map(of_part).sum()
    }

    /// Notes that a client has read a key.
    pub fn add(&self, shard: u32, hash: u64, key: &[u8], tracker: &Arc<Tracker>) {
        if self.parts[shard as usize].lock().add(hash, key, tracker) {
            self.len.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Takes a key out.
    pub fn take(&self, shard: u32, hash: u64, key: &[u8]) -> Option<Trackers> {
        if self.len() == 0 {
            return None;
        }
        let taken = self.parts[shard as usize].lock().take(hash, key)?;
        self.len.fetch_sub(1, Ordering::Relaxed);
        Some(taken.by)
    }

    /// Takes a key out by chance; `None` when there is none.
    pub fn take_random(&self) -> Option<(Box<[u8]>, Trackers)> {
        let count = self.parts.len();
        let first = fastrand::usize(..count);
        for step in 0..count {
            let mut part = self.parts[(first + step) % count].lock();
            if part.entries.is_empty() {
                continue;
            }
            let at = fastrand::usize(..part.entries.len());
            let taken = part.take_at(at);
            self.len.fetch_sub(1, Ordering::Relaxed);
            return Some((taken.key, taken.by));
        }
        None
    }

    /// Takes all keys out.
    pub fn clear(&self) {
        (0..self.parts.len()).for_each(|part| self.clear_part(part));
    }

    /// Takes all keys out of one part; a number beyond the last one begins from the first again.
    pub fn clear_part(&self, part: usize) {
        let taken = std::mem::take(&mut *self.parts[part % self.parts.len()].lock());
        self.len.fetch_sub(taken.entries.len(), Ordering::Relaxed);
    }
}

impl Part {
    /// Whether the key is a new one.
    fn add(&mut self, hash: u64, key: &[u8], tracker: &Arc<Tracker>) -> bool {
        let Self { index, entries } = self;
        let is_it = |at: &u32| {
            let entry = &entries[*at as usize];
            entry.hash == hash && *entry.key == *key
        };
        match index.entry(spread(hash), is_it, |at| spread(entries[*at as usize].hash)) {
            Entry::Occupied(found) => {
                let by = &mut entries[*found.get() as usize].by;
                if let Err(at) = by.binary_search_by_key(&Arc::as_ptr(tracker), Arc::as_ptr) {
                    by.insert(at, Arc::clone(tracker));
                }
                false
            }
            Entry::Vacant(free) => {
                free.insert(entries.len() as u32);
                let by = SmallVec::from_buf([Arc::clone(tracker)]);
                entries.push(Tracked { hash, key: key.into(), by });
                true
            }
        }
    }

    fn take(&mut self, hash: u64, key: &[u8]) -> Option<Tracked> {
        let entries = &self.entries;
        let is_it = |at: &u32| *entries[*at as usize].key == *key;
        let at = *self.index.find(spread(hash), is_it)?;
        Some(self.take_at(at as usize))
    }

    fn take_at(&mut self, at: usize) -> Tracked {
        let last = self.entries.len() - 1;
        for (place, to) in [(at, None), (last, Some(at))] {
            let hash = self.entries[place].hash;
            let is_it = |other: &u32| *other as usize == place;
            let Ok(found) = self.index.find_entry(spread(hash), is_it) else { continue };
            match to {
                None => drop(found.remove()),
                Some(to) => *found.into_mut() = to as u32,
            }
        }
        let taken = self.entries.swap_remove(at);
        if self.entries.capacity() > 64 && self.entries.len() < self.entries.capacity() / 4 {
            self.entries.shrink_to(self.entries.len() * 2);
            let entries = &self.entries;
            self.index.shrink_to(entries.len() * 2, |at| spread(entries[*at as usize].hash));
        }
        taken
    }
}

/// A key's hash for the index: the low bits, which are those that choose the shard, are the same
/// for all keys here, and the index looks at both ends.
fn spread(hash: u64) -> u64 {
    hash.rotate_left(32)
}

#[cfg(test)]
mod tests;
