//! One shard: the part of every database whose keys hash to it.
//!
//! It knows entries, the table and the timing wheel, and nothing of locks or commands. Invariants:
//! exactly the entries with a deadline are in the wheel of their database, and exactly the hashes
//! with fields that expire are among its `fields`, by the earliest deadline of a field. What has
//! been detached is in no wheel's care any more.

use std::collections::BTreeSet;
use std::ptr::NonNull;
use std::sync::Arc;

use smallvec::SmallVec;
use table::Table;

use crate::door::{Door, Extent, Origin, Place, Recorder, Slot};
use crate::entry::wheel::Wheel;
use crate::entry::{Entry, NewValue};
use crate::evict::{self, Order, Plan, Scope};
use crate::usage::{self, Stamp, Usage};
use crate::young::Young;
use value::{KeyHash, Kind, Pays, ValueMut, ValueView};

pub mod biggest;

#[cfg(test)]
mod tests;

use biggest::{Biggest, Class, class_of};

/// Steps, of some tens of entries each, that [`ShardDb::go_round`] makes before it gives up.
const ROUND_STEPS: usize = 16;

/// Allocations of a collection that [`ShardDb::relocate`] looks at in one go.
const AT_ONCE: usize = 32;

/// Entries that [`ShardDb::expire`] has under way at once.
const EXPIRE_BATCH: usize = 16;

/// One database's part of a shard. What a lookup reads comes first, and fits the cache line that
/// begins with the shard's lock.
#[repr(C)]
pub struct ShardDb {
    fields: Fields,
    wheel: Option<Box<Wheel>>,
    door: Door,
    biggest: Biggest,
    /// Which keys are young, under the policy that asks for it.
    young: Option<Box<Young>>,
}

/// What is known of an entry beside the table: when the first of its fields expires, and how big
/// it is.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
struct Marks {
    fields_due: Option<i64>,
    class: Class,
}

/// The hashes with fields that expire: the earliest deadline of a field and the key's hash.
/// Nothing is allocated while there are none.
#[derive(Default)]
#[expect(clippy::box_collection, reason = "one word in the line that every lookup reads")]
struct Fields(Option<Box<BTreeSet<(i64, u64)>>>);

/// What expiry has taken out of a hash.
pub struct Faded {
    /// The names of the fields.
    pub names: Vec<Box<[u8]>>,
    /// The whole entry when no field was left.
    pub gone: Option<Entry>,
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

/// What looking for a key found.
pub enum Lookup<'a> {
    /// Nothing.
    Missing,
    /// A key whose time had come; it is out of the table now.
    Expired(Entry),
    /// A key.
    Live(Slot<'a>),
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

/// See the module's text. The first database lies in the shard itself: nearly all keys of the
/// world are there. Each of the others is made when it is asked for.
#[repr(C)]
pub struct Shard {
    first: ShardDb,
    others: Box<[Option<Box<ShardDb>>]>,
    databases: u32,
    /// What was taken out while a snapshot needed it: freed when that has seen it.
    detached: Vec<ShardDb>,
}

impl Shard {
    pub(crate) fn new(databases: u32, hash: KeyHash) -> Self {
        let others = Box::default();
        Self { first: ShardDb::new(hash), others, databases, detached: Vec::new() }
    }

    /// One database's part.
    #[inline]
    pub fn db(&mut self, db: u32) -> &mut ShardDb {
        if db == 0 { &mut self.first } else { self.other(db) }
    }

    fn other(&mut self, db: u32) -> &mut ShardDb {
        if self.others.is_empty() {
            self.others = (1..self.databases).map(|_| None).collect();
        }
        let hash = *self.first.table().hasher();
        self.others[db as usize - 1].get_or_insert_with(|| Box::new(ShardDb::new(hash)))
    }

    /// One database's part, unless it was never asked for: then nothing is in it.
    pub fn made(&mut self, db: u32) -> Option<&mut ShardDb> {
        if db == 0 {
            return Some(&mut self.first);
        }
        self.others.get_mut(db as usize - 1)?.as_deref_mut()
    }

    /// As [`Self::made`], for reading.
    pub fn look(&self, db: u32) -> Option<&ShardDb> {
        if db == 0 { Some(&self.first) } else { self.others.get(db as usize - 1)?.as_deref() }
    }

    /// The databases' parts that were made with their numbers, in the order of these, for reading.
    pub fn dbs(&self) -> impl Iterator<Item = (u32, &ShardDb)> {
        let others = (1..).zip(&self.others);
        let others = others.filter_map(|(db, part)| Some((db, part.as_deref()?)));
        std::iter::once((0, &self.first)).chain(others)
    }

    fn dbs_mut(&mut self) -> impl Iterator<Item = (u32, &mut ShardDb)> {
        let others = (1..).zip(&mut self.others);
        let others = others.filter_map(|(db, part)| Some((db, part.as_deref_mut()?)));
        std::iter::once((0, &mut self.first)).chain(others)
    }

    /// Exchanges two databases.
    pub fn swap(&mut self, one: u32, other: u32) {
        let (low, high) = (one.min(other) as usize, one.max(other) as usize);
        let hash = *self.first.table().hasher();
        match (low, high) {
            (same, other) if same == other => {}
            (0, _) if self.others.is_empty() && self.first.table().is_empty() => {}
            (0, _) => {
                let mut first = std::mem::replace(&mut self.first, ShardDb::new(hash));
                std::mem::swap(&mut first, self.other(high as u32));
                self.first = first;
            }
            _ if self.others.is_empty() => {}
            _ => self.others.swap(low - 1, high - 1),
        }
    }

    /// Takes all keys of a database out: how many there were, and what the caller frees where that
    /// hurts nobody. While a snapshot needs them, they are freed once it has seen them.
    pub fn take(&mut self, db: u32) -> (usize, Option<ShardDb>) {
        let Some(part) = self.made(db) else { return (0, None) };
        let taken = part.take();
        let count = taken.table().len();
        if taken.door.has_past() {
            self.detached.push(taken);
            return (count, None);
        }
        (count, Some(taken))
    }

    /// Begins an epoch in all databases; what only an older one still needed is given back.
    pub(crate) fn begin(&mut self, recorder: &Arc<dyn Recorder>, shard: u32) -> Vec<ShardDb> {
        for (db, part) in self.dbs_mut() {
            part.door.begin(recorder, Origin { shard, db });
        }
        std::mem::take(&mut self.detached)
    }

    /// Shows a snapshot some more of what it has not seen, while there is `more` time; that is told
    /// how many entries it was since it was last asked. Returns whether it has seen all.
    pub(crate) fn walk(&mut self, more: &mut dyn FnMut(u64) -> bool) -> bool {
        while let Some(part) = self.detached.last_mut() {
            let shown = part.free_some();
            if shown == 0 {
                self.detached.pop();
            }
            if !more(shown as u64) {
                return false;
            }
        }
        self.dbs_mut().all(|(_, part)| part.door.walk(more))
    }

    /// When the time of the next key of this shard is over, in Unix milliseconds; perhaps earlier.
    pub fn next_due_ms(&self) -> u64 {
        let next = self.dbs().filter_map(|(_, part)| part.next_due_ms()).min();
        next.map_or(u64::MAX, |deadline| deadline + 1)
    }
}

/// What a key held before it was set.
pub enum Former {
    /// The key is new.
    Nothing,
    /// A value that is dropped.
    Dropped,
    /// A value that takes long to free, in an entry that no key leads to.
    Heavy(Entry),
}

impl ShardDb {
    fn new(hash: KeyHash) -> Self {
        let (fields, biggest) = (Fields::default(), Biggest::default());
        Self { fields, wheel: None, door: Door::new(hash), biggest, young: None }
    }

    /// The keys.
    pub fn table(&self) -> &Table<Entry, KeyHash> {
        self.door.table()
    }

    /// Keys that have an expiry.
    pub fn expires(&self) -> usize {
        self.wheel.as_ref().map_or(0, |wheel| wheel.len())
    }

    /// Hashes with fields that expire.
    pub fn volatile(&self) -> usize {
        self.fields.len()
    }

    /// The sum of the deadlines of the keys that have one, in Unix milliseconds.
    pub fn deadline_sum(&self) -> i128 {
        self.wheel.as_ref().map_or(0, |wheel| wheel.deadline_sum())
    }

    /// Bytes held for finding keys and their deadlines, beside the entries.
    pub fn overhead(&self) -> usize {
        let wheel = self.wheel.as_ref().map_or(0, |wheel| wheel.memory());
        let young = self.young.as_ref().map_or(0, |young| young.memory());
        self.table().memory() + wheel + self.fields.memory() + self.biggest.memory() + young
    }

    /// About how many bytes all of it takes, by so many of its keys.
    pub(crate) fn footprint(&self, looked: usize) -> usize {
        let some = self.table().iter().take(looked);
        let (count, bytes) =
            some.fold((0, 0), |(count, bytes), entry| (count + 1, bytes + entry.memory(looked)));
        self.overhead() + (bytes * self.table().len()).checked_div(count).unwrap_or(0)
    }

    fn next_due_ms(&self) -> Option<u64> {
        let keys = self.wheel.as_ref().and_then(|wheel| wheel.next_due_ms());
        let fields = self.fields.first_ms().map(|deadline_ms| deadline_ms.max(0) as u64);
        keys.into_iter().chain(fields).min()
    }

    /// The earliest deadline of a field, in Unix milliseconds.
    #[inline]
    pub fn fields_due_ms(&self) -> Option<i64> {
        self.fields.first_ms()
    }

    /// The entry of a key, whether expired or not.
    #[inline]
    pub fn get(&self, hash: u64, key: &[u8]) -> Option<table::Ref<'_, Entry>> {
        self.table().get(hash, key)
    }

    /// Looks for a key and takes it out when its time has come.
    #[inline]
    pub fn lookup(&mut self, hash: u64, key: &[u8], now_ms: i64) -> Lookup<'_> {
        match self.door.slot(hash, key) {
            None => Lookup::Missing,
            Some(entry) if entry.is_over(now_ms) => {
                wheel_of(&mut self.wheel).remove(&entry);
                mark(
                    (&mut self.fields, &mut self.biggest),
                    hash,
                    marks_of(&entry),
                    Marks::default(),
                );
                Lookup::Expired(entry.remove())
            }
            Some(entry) => Lookup::Live(entry),
        }
    }

    /// Looks for a key and finds nothing when its time has come; then it stays where it is.
    pub fn find(&mut self, hash: u64, key: &[u8], now_ms: i64) -> Lookup<'_> {
        match self.door.slot(hash, key) {
            Some(entry) if !is_gone(&entry, now_ms) => Lookup::Live(entry),
            _ => Lookup::Missing,
        }
    }

    /// Changes so much of a key's value in place. Through `change` the entry may move, but it keeps
    /// its expiry.
    pub fn edit<R>(
        &mut self,
        hash: u64,
        key: &[u8],
        now_ms: i64,
        extent: Extent,
        change: impl FnOnce(&mut Entry) -> R,
    ) -> Edit<R> {
        let Some(mut entry) = self.door.slot(hash, key) else { return Edit::Missing };
        let (old, deadline) = (entry.address(), entry.deadline_ms());
        let marks = (!entry.is_inline()).then(|| marks_of(&entry));
        if deadline.is_some_and(|deadline| deadline < now_ms) {
            wheel_of(&mut self.wheel).remove(&entry);
            let beside = (&mut self.fields, &mut self.biggest);
            mark(beside, hash, marks.unwrap_or_default(), Marks::default());
            return Edit::Expired(entry.remove());
        }
        let result = entry.change_by(extent, change);
        debug_assert_eq!(deadline, entry.deadline_ms(), "an expiry is changed by its own function");
        if deadline.is_some() && entry.address() != old {
            wheel_of(&mut self.wheel).moved(old, &entry);
        }
        // A short string that stays one leaves no marks.
        if marks.is_some() || !entry.is_inline() {
            let beside = (&mut self.fields, &mut self.biggest);
            mark(beside, hash, marks.unwrap_or_default(), marks_of(&entry));
        }
        Edit::Done(result)
    }

    /// Sets a key to a string; says what was there.
    pub fn set(
        &mut self,
        hash: u64,
        key: &[u8],
        value: NewValue<'_>,
        ttl: Ttl,
        stamp: Stamp,
    ) -> Former {
        let (wheel, beside) = (&mut self.wheel, (&mut self.fields, &mut self.biggest));
        let address = match self.door.place(hash, key) {
            Place::Vacant(vacant) => {
                let deadline = if let Ttl::At(at) = ttl { Some(at) } else { None };
                let mut entry = vacant.insert(Entry::new(key, value, deadline, stamp.access));
                if deadline.is_some() {
                    entry.change(|entry| wheel_of(wheel).insert(entry, stamp.now_ms));
                }
                mark(beside, hash, Marks::default(), marks_of(&entry));
                entry.address()
            }
            Place::Occupied(mut entry) => {
                let keep = ttl == Ttl::Keep || ttl == Ttl::Never && entry.deadline_ms().is_none();
                let old = entry.address();
                let marks = (!entry.is_inline()).then(|| marks_of(&entry));
                let shifted = match (entry.deadline_ms(), ttl) {
                    (Some(former_ms), Ttl::At(deadline_ms)) => {
                        wheel_of(wheel).shift(former_ms, deadline_ms, stamp.now_ms)
                    }
                    _ => false,
                };
                if !keep && !shifted && entry.deadline_ms().is_some() {
                    wheel_of(wheel).remove(&entry);
                }
                let deadline = if let Ttl::At(at) = ttl { Some(at) } else { None };
                let former = entry.change(|entry| {
                    let former = put_value(entry, value);
                    entry.set_access(stamp.changed(entry.access()));
                    if shifted {
                        entry.set_deadline(deadline);
                    }
                    former
                });
                // Short strings in the place of short strings leave no marks.
                if marks.is_some() || !entry.is_inline() {
                    mark(beside, hash, marks.unwrap_or_default(), marks_of(&entry));
                }
                if !keep && !shifted {
                    schedule(wheel, &mut entry, deadline, stamp);
                    return former;
                }
                if entry.deadline_ms().is_some() && entry.address() != old {
                    wheel_of(wheel).moved(old, &entry);
                }
                return former;
            }
        };
        if stamp.usage() == Usage::Recurrence {
            self.welcome(hash, address);
        }
        Former::Nothing
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
        let Some(mut entry) = self.door.slot(hash, key) else { return Edit::Missing };
        if let Some(former_ms) = entry.deadline_ms() {
            let wheel = wheel_of(&mut self.wheel);
            if entry.is_over(since_ms) {
                wheel.remove(&entry);
                mark(
                    (&mut self.fields, &mut self.biggest),
                    hash,
                    marks_of(&entry),
                    Marks::default(),
                );
                return Edit::Expired(entry.remove());
            }
            if let Some(deadline_ms) = deadline_ms
                && wheel.shift(former_ms, deadline_ms, stamp.now_ms)
            {
                entry.change_by(Extent::Parts, |entry| entry.set_deadline(Some(deadline_ms)));
                return Edit::Done(());
            }
            wheel.remove(&entry);
        }
        schedule(&mut self.wheel, &mut entry, deadline_ms, stamp);
        Edit::Done(())
    }

    /// Takes a key out.
    pub fn remove(&mut self, hash: u64, key: &[u8]) -> Option<Entry> {
        let entry = self.door.slot(hash, key)?.remove();
        if entry.deadline_ms().is_some() {
            wheel_of(&mut self.wheel).remove(&entry);
        }
        mark((&mut self.fields, &mut self.biggest), hash, marks_of(&entry), Marks::default());
        Some(entry)
    }

    /// Puts an entry in whose key is not there.
    pub fn insert(&mut self, hash: u64, entry: Entry, stamp: Stamp) {
        let mut entry = self.door.insert(hash, entry);
        if entry.deadline_ms().is_some() {
            entry.change(|entry| wheel_of(&mut self.wheel).insert(entry, stamp.now_ms));
        }
        mark((&mut self.fields, &mut self.biggest), hash, Marks::default(), marks_of(&entry));
        if stamp.usage() == Usage::Recurrence {
            let address = entry.address();
            drop(entry);
            self.welcome(hash, address);
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
                table::prefetch_two(self.door.table().bucket_line(key_hash));
                batch.push((key_hash, address));
            }
            if batch.is_empty() {
                return;
            }
            for (key_hash, address) in batch {
                let entry = self.door.slot_at(key_hash, address);
                let entry = entry.expect("what the wheel held is in the table").remove();
                mark(
                    (&mut self.fields, &mut self.biggest),
                    key_hash,
                    marks_of(&entry),
                    Marks::default(),
                );
                each(entry);
            }
        }
    }

    /// Removes fields whose time is over, at the cost of one of `budget` each, and the keys that
    /// have no field left.
    pub fn expire_fields(
        &mut self,
        now_ms: i64,
        budget: &mut u32,
        mut each: impl FnMut(&[u8], Faded),
    ) {
        while *budget > 0
            && let Some((deadline_ms, hash)) = self.fields.first()
            && deadline_ms < now_ms
        {
            let is_due = |entry: &Entry| fields_due_of(entry) == Some(deadline_ms);
            let key = self.door.slot_where(hash, is_due).map(|entry| entry.key_bytes().into());
            let key: Box<[u8]> = key.expect("every hash with fields that expire is in the table");
            // It may be another key with a like hash; then the sought one's turn is next.
            let hash = self.table().hasher().of(&key);
            let Some(faded) = self.fade(hash, &key, now_ms, *budget as usize) else { return };
            *budget = budget.saturating_sub(faded.names.len() as u32);
            each(&key, faded);
        }
    }

    /// Takes up a key that has just come in among the young ones, or among the others when it was
    /// here not long ago.
    #[cold]
    fn welcome(&mut self, hash: u64, address: NonNull<u8>) {
        let len = self.table().len();
        let young = self.young.get_or_insert_default();
        if young.enter(hash, len)
            && let Some(mut slot) = self.door.slot_at(hash, address)
        {
            slot.touch(usage::KNOWN);
        }
    }

    /// The hash of the young key that has to go: the oldest one of too many, unless it was used.
    pub(crate) fn take_young(&mut self, hash: KeyHash) -> Option<u64> {
        let len = self.door.table().len();
        let young = self.young.as_mut()?;
        while let Some(half) = young.oldest(len) {
            let is_it = |entry: &Entry| (hash.of(entry.key_bytes()) >> 32) as u32 == half;
            let found = self.door.slot_where(u64::from(half) << 32, is_it);
            let Some(mut slot) = found else { continue };
            let word = slot.access();
            slot.touch(usage::grown(word));
            if usage::uses(word) == 0 {
                return Some(hash.of(slot.key_bytes()));
            }
        }
        None
    }

    /// The hash of the next key that the hand meets and that was not used since it came by; `None`
    /// when there was none in a good many places.
    pub(crate) fn go_round(&mut self, hash: KeyHash) -> Option<u64> {
        let young = self.young.get_or_insert_default();
        for _ in 0..ROUND_STEPS {
            if let Some(doomed) = young.doomed.pop() {
                return Some(doomed);
            }
            let doomed = &mut young.doomed;
            young.hand = self.door.go_round(young.hand, &mut |entry| {
                let spared = usage::spared(entry.access());
                if spared.is_none() {
                    doomed.push(hash.of(entry.key_bytes()));
                }
                spared
            });
        }
        None
    }

    /// Moves the allocations of some keys from a cursor on, where that pays; the next cursor.
    /// `each` is told of every key and whether something of it was moved. What is in a long
    /// collection is left to [`Self::relocate_more`]. Nothing is moved while a snapshot is under
    /// way.
    pub(crate) fn relocate(
        &mut self,
        cursor: u64,
        pays: Pays<'_>,
        each: &mut dyn FnMut(&Entry, bool),
    ) -> u64 {
        if self.door.has_past() {
            return 0;
        }
        let (wheel, door) = (&mut self.wheel, &mut self.door);
        door.relocate(cursor, &mut |entry| {
            let mut is_moved = false;
            let mut noted = |address: *const u8| {
                let is_hit = pays(address);
                is_moved |= is_hit;
                is_hit
            };
            let old = entry.address();
            entry.relocate(&mut noted);
            if entry.address() != old && entry.deadline_ms().is_some() {
                wheel_of(wheel).moved(old, entry);
            }
            let mut cursor = 0;
            while !is_long(entry)
                && let Some(value) = entry.object_mut()
            {
                cursor = value.relocate(cursor, AT_ONCE, &mut noted);
                if cursor == 0 {
                    break;
                }
            }
            each(entry, is_moved);
        })
    }

    /// Moves some of what is in a large collection from a cursor on, where that pays; the next
    /// cursor, 0 at the end or when there is no such key any more.
    pub(crate) fn relocate_more(
        &mut self,
        (hash, key, kind): (u64, &[u8], Kind),
        cursor: u64,
        pays: Pays<'_>,
    ) -> u64 {
        if self.door.has_past() {
            return 0;
        }
        let Some(mut slot) = self.door.slot(hash, key) else { return 0 };
        // Cursors of different types mean different things.
        if slot.kind() != kind {
            return 0;
        }
        slot.change(|entry| {
            entry.object_mut().map_or(0, |value| value.relocate(cursor, AT_ONCE, pays))
        })
    }

    /// Draws keys that expire and shows them with their scores; how many.
    pub(crate) fn draw_volatile(
        &self,
        plan: &Plan,
        count: usize,
        rng: &mut fastrand::Rng,
        mut show: impl FnMut(&Entry, u64),
    ) -> usize {
        let Some(wheel) = &self.wheel else { return 0 };
        let mut show = |entry: &Entry| show(entry, evict::score(entry, plan));
        match plan.order {
            Order::Deadline => wheel.soonest(count, &mut show),
            _ => wheel.sample(count, rng, &mut show),
        }
    }

    /// Takes out the key with this hash, when it may go and nothing has made it less of a reason to
    /// let it go than the score says. Where its address is known, that is where it has to be, and
    /// the upper bits of the hash are enough.
    pub(crate) fn evict(
        &mut self,
        (hash, address): (u64, Option<NonNull<u8>>),
        plan: &Plan,
        score: u64,
    ) -> Option<Entry> {
        let hasher = *self.table().hasher();
        let slot = match address {
            Some(address) => self.door.slot_at(hash, address)?,
            None => {
                let is_it = |entry: &Entry| hasher.of(entry.key_bytes()) == hash;
                self.door.slot_where(hash, is_it)?
            }
        };
        let may_go = plan.scope == Scope::All || slot.deadline_ms().is_some();
        if !may_go || evict::score(&slot, plan) < score {
            return None;
        }
        let entry = slot.remove();
        if entry.deadline_ms().is_some() {
            let wheel = wheel_of(&mut self.wheel);
            wheel.remove(&entry);
            // Memory is short, and where keys are few their wheels take more than they do.
            if wheel.is_empty() {
                self.wheel = None;
            }
        }
        let marks = marks_of(&entry);
        if marks != Marks::default() {
            let hash = hasher.of(entry.key_bytes());
            mark((&mut self.fields, &mut self.biggest), hash, marks, Marks::default());
        }
        if plan.order == Order::Recurrence
            && let Some(young) = &mut self.young
        {
            young.leave(hash);
        }
        Some(entry)
    }

    /// Removes up to `max` fields of the hash under a key whose time is over, and the key itself
    /// when no field is left. `None` when there is no such field.
    pub fn fade(&mut self, hash: u64, key: &[u8], now_ms: i64, max: usize) -> Option<Faded> {
        let mut entry = self.door.slot(hash, key)?;
        let marks = marks_of(&entry);
        marks.fields_due.filter(|deadline_ms| *deadline_ms < now_ms)?;
        let (names, is_vacant) = entry.change_by(Extent::Parts, |entry| {
            let Some(ValueMut::Hash(content)) = entry.object_mut() else { return None };
            let names = content.remove_due(now_ms, max);
            Some((names, content.is_vacant()))
        })?;
        mark((&mut self.fields, &mut self.biggest), hash, marks, marks_of(&entry));
        if is_vacant && entry.deadline_ms().is_some() {
            wheel_of(&mut self.wheel).remove(&entry);
        }
        let gone = is_vacant.then(|| entry.remove());
        Some(Faded { names, gone })
    }

    /// Shows keys of a type among which are the `count` biggest ones that have at least the size
    /// `min`, each with its size: bytes of a string, elements of a collection. Those smaller than
    /// `biggest::STRING_MIN` and `ELEMENTS_MIN` are not among them.
    pub fn biggest(&mut self, kind: Kind, count: usize, min: u64, each: impl FnMut(&Entry, u64)) {
        let hasher = *self.table().hasher();
        self.biggest.show((&mut self.door, hasher), kind, (count, min), each);
    }

    /// Takes everything out.
    fn take(&mut self) -> Self {
        let fresh = Self::new(*self.table().hasher());
        std::mem::replace(self, fresh)
    }

    /// Frees a bounded part of what was taken out; how many keys. The wheel is not kept in line:
    /// nobody looks at it any more.
    pub(crate) fn free_some(&mut self) -> usize {
        self.door.take_segment().map_or(0, |batch| batch.map(drop).count())
    }
}

/// Puts a string in the place of an entry's value. Dropping a collection may take long and is left
/// to the caller.
#[inline]
fn put_value(entry: &mut Entry, value: NewValue<'_>) -> Former {
    if !entry.is_inline() && entry.kind() != Kind::String && entry.is_heavy() {
        return Former::Heavy(entry.replace_value(value));
    }
    entry.set_value(value);
    Former::Dropped
}

/// Gives an entry that is in no wheel its deadline and its place.
fn schedule(
    wheel: &mut Option<Box<Wheel>>,
    entry: &mut Slot<'_>,
    deadline_ms: Option<i64>,
    stamp: Stamp,
) {
    entry.change_by(Extent::Parts, |entry| {
        entry.set_deadline(deadline_ms);
        if deadline_ms.is_some() {
            wheel_of(wheel).insert(entry, stamp.now_ms);
        }
    });
}

/// Whether an entry holds a collection of so many allocations that they are walked over in bits.
pub(crate) fn is_long(entry: &Entry) -> bool {
    entry.object().is_some_and(|value| value.effort() > AT_ONCE)
}

/// The earliest deadline of a field, when the entry is a hash with fields that expire.
#[inline]
fn fields_due_of(entry: &Entry) -> Option<i64> {
    match entry.object() {
        Some(ValueView::Hash(hash)) => hash.next_due_ms(),
        _ => None,
    }
}

#[inline]
fn marks_of(entry: &Entry) -> Marks {
    if entry.is_inline() {
        return Marks::default();
    }
    Marks { fields_due: fields_due_of(entry), class: class_of(entry) }
}

/// Notes what is known of an entry now beside the table, and was before.
#[inline]
fn mark((fields, biggest): (&mut Fields, &mut Biggest), hash: u64, old: Marks, new: Marks) {
    if old != new {
        fields.change(hash, old.fields_due, new.fields_due);
        biggest.change(hash, old.class, new.class);
    }
}

/// Whether the time of a key is over, or that of all its fields.
pub(crate) fn is_gone(entry: &Entry, now_ms: i64) -> bool {
    let is_faded = || matches!(entry.object(), Some(ValueView::Hash(hash)) if hash.is_over(now_ms));
    entry.is_over(now_ms) || is_faded()
}

impl Fields {
    fn len(&self) -> usize {
        self.0.as_ref().map_or(0, |all| all.len())
    }

    #[inline]
    fn first(&self) -> Option<(i64, u64)> {
        self.0.as_ref().and_then(|all| all.first().copied())
    }

    #[inline]
    fn first_ms(&self) -> Option<i64> {
        self.first().map(|(deadline_ms, _)| deadline_ms)
    }

    /// Notes that the earliest deadline of a field of a key was `old` and is `new`.
    #[inline]
    fn change(&mut self, hash: u64, old: Option<i64>, new: Option<i64>) {
        if old != new {
            self.exchange(hash, old, new);
        }
    }

    #[cold]
    fn exchange(&mut self, hash: u64, old: Option<i64>, new: Option<i64>) {
        let all = self.0.get_or_insert_default();
        if let Some(old) = old {
            all.remove(&(old, hash));
        }
        if let Some(new) = new {
            all.insert((new, hash));
        }
        if all.is_empty() {
            self.0 = None;
        }
    }

    fn memory(&self) -> usize {
        self.len() * size_of::<(i64, u64)>() * 3 / 2
    }
}

/// The wheel, made when the first key expires.
fn wheel_of(wheel: &mut Option<Box<Wheel>>) -> &mut Wheel {
    wheel.get_or_insert_with(|| Box::new(Wheel::new(0)))
}
