//! One shard: the part of every database whose keys hash to it.
//!
//! It knows entries, the table and the timing wheel, and nothing of locks or commands. Invariant:
//! exactly the entries with a deadline are in the wheel of their database.

use smallvec::SmallVec;
use table::Table;

use crate::entry::wheel::Wheel;
use crate::entry::{Entry, NewValue};
use value::KeyHash;

/// Entries that [`ShardDb::expire`] has under way at once.
const EXPIRE_BATCH: usize = 16;

/// One database's part of a shard.
pub struct ShardDb {
    table: Table<Entry, KeyHash>,
    wheel: Option<Box<Wheel>>,
}

/// What becomes of a key's expiry when its value is set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ttl {
    /// It stays as it is.
    Keep,
    /// The key does not expire.
    Never,
    /// At this time, in Unix milliseconds.
    At(i64),
}

/// The time of a command.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stamp {
    /// Unix milliseconds.
    pub now_ms: i64,
    /// What an access writes into an entry: the clock in seconds, 24 bits.
    pub access: u32,
}

impl Stamp {
    /// The stamp of a moment in Unix milliseconds.
    pub const fn at(now_ms: i64) -> Self {
        Self { now_ms, access: (now_ms / 1000) as u32 & 0x00ff_ffff }
    }
}

/// What looking for a key found.
pub enum Lookup<'a> {
    /// Nothing.
    Missing,
    /// A key whose time had come; it is out of the table now.
    Expired(Entry),
    /// A key.
    Live(table::RefMut<'a, Entry>),
}

/// What changing a key in place came to.
pub enum Edit<R> {
    /// There is no such key.
    Missing,
    /// The key's time had come; it is out of the table now.
    Expired(Entry),
    /// The key was changed.
    Done(R),
}

/// See the module's text.
pub struct Shard {
    dbs: Vec<ShardDb>,
}

impl Shard {
    pub(crate) fn new(databases: u32, hash: KeyHash) -> Self {
        Self { dbs: (0..databases).map(|_| ShardDb::new(hash)).collect() }
    }

    /// One database's part.
    #[inline]
    pub fn db(&mut self, db: u32) -> &mut ShardDb {
        &mut self.dbs[db as usize]
    }

    /// All databases' parts, for reading.
    pub fn dbs(&self) -> &[ShardDb] {
        &self.dbs
    }

    /// Exchanges two databases.
    pub fn swap(&mut self, one: u32, other: u32) {
        self.dbs.swap(one as usize, other as usize);
    }

    /// When the time of the next key of this shard is over, in Unix milliseconds; perhaps earlier.
    pub fn next_due_ms(&self) -> u64 {
        let next = self.dbs.iter().filter_map(ShardDb::next_due_ms).min();
        next.map_or(u64::MAX, |deadline| deadline + 1)
    }
}

impl ShardDb {
    fn new(hash: KeyHash) -> Self {
        Self { table: Table::new(hash), wheel: None }
    }

    /// The keys.
    pub fn table(&self) -> &Table<Entry, KeyHash> {
        &self.table
    }

    /// Keys that have an expiry.
    pub fn expires(&self) -> usize {
        self.wheel.as_ref().map_or(0, |wheel| wheel.len())
    }

    /// The sum of the deadlines of the keys that have one, in Unix milliseconds.
    pub fn deadline_sum(&self) -> i128 {
        self.wheel.as_ref().map_or(0, |wheel| wheel.deadline_sum())
    }

    /// Bytes held for finding keys and their deadlines, beside the entries.
    pub fn overhead(&self) -> usize {
        self.table.memory() + self.wheel.as_ref().map_or(0, |wheel| wheel.memory())
    }

    fn next_due_ms(&self) -> Option<u64> {
        self.wheel.as_ref().and_then(|wheel| wheel.next_due_ms())
    }

    /// The entry of a key, whether expired or not.
    #[inline]
    pub fn get(&self, hash: u64, key: &[u8]) -> Option<table::Ref<'_, Entry>> {
        self.table.get(hash, key)
    }

    /// The entry of a key for touching its access word.
    #[inline]
    pub fn get_mut(&mut self, hash: u64, key: &[u8]) -> Option<table::RefMut<'_, Entry>> {
        self.table.get_mut(hash, key)
    }

    /// Looks for a key and takes it out when its time has come.
    #[inline]
    pub fn lookup(&mut self, hash: u64, key: &[u8], now_ms: i64) -> Lookup<'_> {
        match self.table.get_mut(hash, key) {
            None => Lookup::Missing,
            Some(entry) if entry.is_over(now_ms) => {
                wheel_of(&mut self.wheel).remove(&entry);
                Lookup::Expired(entry.remove())
            }
            Some(entry) => Lookup::Live(entry),
        }
    }

    /// Looks for a key and finds nothing when its time has come; then it stays where it is.
    pub fn find(&mut self, hash: u64, key: &[u8], now_ms: i64) -> Lookup<'_> {
        match self.table.get_mut(hash, key) {
            Some(entry) if !entry.is_over(now_ms) => Lookup::Live(entry),
            _ => Lookup::Missing,
        }
    }

    /// Changes a key's value in place. Through `change` the entry may move, but it keeps its
    /// expiry.
    pub fn edit<R>(
        &mut self,
        hash: u64,
        key: &[u8],
        now_ms: i64,
        change: impl FnOnce(&mut Entry) -> R,
    ) -> Edit<R> {
        let Some(mut entry) = self.table.get_mut(hash, key) else { return Edit::Missing };
        let (old, deadline) = (entry.address(), entry.deadline_ms());
        if entry.is_over(now_ms) {
            wheel_of(&mut self.wheel).remove(&entry);
            return Edit::Expired(entry.remove());
        }
        let result = change(&mut entry);
        debug_assert_eq!(deadline, entry.deadline_ms(), "an expiry is changed by its own function");
        if deadline.is_some() && entry.address() != old {
            wheel_of(&mut self.wheel).moved(old, &entry);
        }
        Edit::Done(result)
    }

    /// Sets a key to a string; says whether the key is new.
    pub fn set(
        &mut self,
        hash: u64,
        key: &[u8],
        value: NewValue<'_>,
        ttl: Ttl,
        stamp: Stamp,
    ) -> bool {
        let wheel = &mut self.wheel;
        match self.table.entry(hash, key) {
            table::Entry::Vacant(vacant) => {
                let deadline = if let Ttl::At(at) = ttl { Some(at) } else { None };
                let mut entry = vacant.insert(Entry::new(key, value, deadline, stamp.access));
                if deadline.is_some() {
                    wheel_of(wheel).insert(&mut entry, stamp.now_ms);
                }
                true
            }
            table::Entry::Occupied(mut entry) => {
                let keep = ttl == Ttl::Keep || ttl == Ttl::Never && entry.deadline_ms().is_none();
                let old = entry.address();
                if !keep && entry.deadline_ms().is_some() {
                    wheel_of(wheel).remove(&entry);
                }
                entry.set_value(value);
                entry.set_access(stamp.access);
                if !keep {
                    let deadline = if let Ttl::At(at) = ttl { Some(at) } else { None };
                    schedule(wheel, &mut entry, deadline, stamp);
                } else if entry.deadline_ms().is_some() && entry.address() != old {
                    wheel_of(wheel).moved(old, &entry);
                }
                false
            }
        }
    }

    /// Sets or removes a key's expiry, unless its time was over before `since_ms`.
    pub fn set_deadline(
        &mut self,
        hash: u64,
        key: &[u8],
        deadline_ms: Option<i64>,
        stamp: Stamp,
        since_ms: i64,
    ) -> Edit<()> {
        let Some(mut entry) = self.table.get_mut(hash, key) else { return Edit::Missing };
        if entry.deadline_ms().is_some() {
            wheel_of(&mut self.wheel).remove(&entry);
            if entry.is_over(since_ms) {
                return Edit::Expired(entry.remove());
            }
        }
        schedule(&mut self.wheel, &mut entry, deadline_ms, stamp);
        Edit::Done(())
    }

    /// Takes a key out.
    pub fn remove(&mut self, hash: u64, key: &[u8]) -> Option<Entry> {
        let entry = self.table.remove(hash, key)?;
        if entry.deadline_ms().is_some() {
            wheel_of(&mut self.wheel).remove(&entry);
        }
        Some(entry)
    }

    /// Puts an entry in whose key is not there.
    pub fn insert(&mut self, hash: u64, entry: Entry, stamp: Stamp) {
        let mut entry = self.table.insert_new(hash, entry);
        if entry.deadline_ms().is_some() {
            wheel_of(&mut self.wheel).insert(&mut entry, stamp.now_ms);
        }
    }

    /// Takes out the entries whose time is over, at the cost of `budget` (see [`Wheel::pop_due`]).
    /// Several at a time leave the wheel before they leave the table, so that the table's lines for
    /// all of them are on their way together.
    pub fn expire(
        &mut self,
        now_ms: i64,
        hash: KeyHash,
        budget: &mut u32,
        mut each: impl FnMut(Entry),
    ) {
        let Some(wheel) = &mut self.wheel else { return };
        loop {
            let mut batch: SmallVec<[_; EXPIRE_BATCH]> = SmallVec::new();
            while batch.len() < EXPIRE_BATCH
                && let Some(address) = wheel.pop_due(now_ms - 1, budget)
            {
                let key_hash = hash.of(crate::entry::key_at(address));
                self.table.prefetch_bucket(key_hash);
                batch.push((key_hash, address));
            }
            if batch.is_empty() {
                return;
            }
            for (key_hash, address) in batch {
                let entry = self.table.find_by_pointer(key_hash, address);
                each(entry.expect("what the wheel held is in the table").remove());
            }
        }
    }

    /// Takes everything out; the caller frees it where that hurts nobody.
    pub fn take(&mut self) -> Self {
        let fresh = Self::new(*self.table.hasher());
        std::mem::replace(self, fresh)
    }

    /// Frees a bounded part of what was taken out; how many keys. The wheel is not kept in line:
    /// nobody looks at it any more.
    pub(crate) fn free_some(&mut self) -> usize {
        self.table.take_segment().map_or(0, |batch| batch.map(drop).count())
    }
}

/// Gives an entry that is in no wheel its deadline and its place.
fn schedule(
    wheel: &mut Option<Box<Wheel>>,
    entry: &mut table::RefMut<'_, Entry>,
    deadline_ms: Option<i64>,
    stamp: Stamp,
) {
    entry.set_deadline(deadline_ms);
    if deadline_ms.is_some() {
        wheel_of(wheel).insert(entry, stamp.now_ms);
    }
}

/// The wheel, made when the first key expires.
fn wheel_of(wheel: &mut Option<Box<Wheel>>) -> &mut Wheel {
    wheel.get_or_insert_with(|| Box::new(Wheel::new(0)))
}
