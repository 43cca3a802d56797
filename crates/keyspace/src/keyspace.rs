//! The engine's data: gate, shards, and when each shard has something to expire.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use crossbeam_utils::CachePadded;

use crate::change::{Change, Wants};
use crate::discarded::Discarded;
use crate::door::Recorder;
use crate::gate::{Gate, ReadGuard};
use crate::shard::{Shard, ShardDb, is_gone};
use crate::shards::{Alone, Held, Shards};
use crate::watch::{Outcome, Watches};
use value::{KeyHash, Kind};

/// How an engine is laid out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Layout {
    /// Shards, a power of two.
    pub shards: u32,
    /// Databases.
    pub databases: u32,
    /// Threads that pass the gate, each with a number of its own. With one, no lock is taken.
    pub readers: usize,
    /// Groups of shards whose expiry one worker looks after.
    pub lanes: u32,
    /// The secret seed of the key hash.
    pub seed: [u8; 16],
}

/// How much one database holds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Totals {
    /// Keys.
    pub keys: u64,
    /// Keys that expire.
    pub expires: u64,
    /// Hashes with fields that expire.
    pub volatile: u64,
    /// The sum of the deadlines of the keys that expire, in Unix milliseconds.
    pub deadline_sum: i128,
}

/// Bytes that one database takes beside its entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Overhead {
    /// For finding the keys.
    pub table: u64,
    /// For finding the keys whose time comes next.
    pub wheel: u64,
}

/// See the module's text.
pub struct Keyspace {
    gate: Gate,
    shards: Shards,
    hash: KeyHash,
    databases: u32,
    lanes: Box<[CachePadded<AtomicU64>]>,
    /// The next expiry of each shard; written under the shard's lock, read without.
    due: Box<[AtomicU64]>,
    watches: Watches,
    /// Which shard of each lane comes next in the walk of a snapshot; behind the last one nothing
    /// is left.
    walks: Box<[CachePadded<AtomicU32>]>,
}

/// A key that is big for its type.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Big {
    /// Its database.
    pub db: u32,
    /// The key.
    pub key: Box<[u8]>,
    /// Bytes of a string, elements of a collection.
    pub size: u64,
}

impl Keyspace {
    /// An empty keyspace.
    ///
    /// # Panics
    /// When the number of shards is no power of two, or there are more than 64 lanes.
    pub fn new(layout: Layout) -> Self {
        assert!(layout.shards.is_power_of_two() && layout.shards <= 1 << 13);
        assert!(layout.lanes >= 1 && layout.lanes <= 64);
        let hash = KeyHash::new(layout.seed);
        let shards = (0..layout.shards).map(|_| Shard::new(layout.databases, hash)).collect();
        let never = || AtomicU64::new(u64::MAX);
        Self {
            gate: Gate::new(layout.readers),
            shards: Shards::new(shards, layout.readers == 1),
            hash,
            databases: layout.databases,
            lanes: (0..layout.lanes).map(|_| CachePadded::new(never())).collect(),
            due: (0..layout.shards).map(|_| never()).collect(),
            watches: Watches::new(layout.shards),
            walks: (0..layout.lanes).map(|_| CachePadded::new(AtomicU32::new(u32::MAX))).collect(),
        }
    }

    /// How many databases there are.
    pub fn databases(&self) -> u32 {
        self.databases
    }

    /// The shards.
    pub fn shards(&self) -> &Shards {
        &self.shards
    }

    /// The gate.
    pub fn gate(&self) -> &Gate {
        &self.gate
    }

    /// Who watches which keys.
    pub fn watches(&self) -> &Watches {
        &self.watches
    }

    /// Tells who watches keys of a database, in one shard that is held, that its keys give way to
    /// those of another one or to none. A key that is there before or after has changed; one whose
    /// time was over before `since_ms` counts as absent.
    pub fn judge_watches(
        &self,
        held: &mut Held<'_>,
        shard: u32,
        (db, by): (u32, Option<u32>),
        since_ms: i64,
    ) {
        if self.watches.is_empty() {
            return;
        }
        let content = &*held.shard(shard);
        let look = |db: u32, key: &[u8]| {
            let entry = content.look(db)?.get(self.hash(key), key);
            entry.map(|entry| is_gone(&entry, since_ms))
        };
        self.watches.judge(shard, db, |key, stale| {
            let after = by.and_then(|by| look(by, key));
            match (look(db, key), after) {
                (None, None) => Outcome::Same,
                (before, None | Some(true)) if stale || before.is_none() => {
                    Outcome::Stale(after.is_some())
                }
                _ => Outcome::Touched,
            }
        });
    }

    /// A key's hash.
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        self.hash.of(key)
    }

    /// The hash function, for the tables of large collections.
    pub fn key_hash(&self) -> KeyHash {
        self.hash
    }

    /// The shard of a hash.
    #[inline]
    pub fn shard_of(&self, hash: u64) -> u32 {
        (hash as u32) & (self.shards.len() as u32 - 1)
    }

    /// Passes the gate's read side; nothing to do when there is one thread only.
    #[inline]
    pub fn enter(&self, reader: usize) -> Option<ReadGuard<'_>> {
        (!self.shards.is_single()).then(|| self.gate.read(reader))
    }

    /// The same, unless `gives_up` says so while somebody has been alone for some milliseconds.
    /// Nothing within `Some` when there is one thread only.
    #[inline]
    pub fn enter_unless(
        &self,
        reader: usize,
        gives_up: impl FnMut() -> bool,
    ) -> Option<Option<ReadGuard<'_>>> {
        if self.shards.is_single() {
            return Some(None);
        }
        self.gate.read_unless(reader, gives_up).map(Some)
    }

    /// Takes the gate's write side, unless `gives_up` says so while somebody else has been alone
    /// for some milliseconds.
    pub fn alone_unless(&self, gives_up: impl FnMut() -> bool) -> Option<Alone<'_>> {
        if self.shards.is_single() {
            return Some(Alone::new(None));
        }
        self.gate.write_unless(gives_up).map(|guard| Alone::new(Some(guard)))
    }

    /// Takes the gate's write side: the caller is alone then.
    pub fn alone(&self) -> Alone<'_> {
        Alone::new((!self.shards.is_single()).then(|| self.gate.write()))
    }

    /// What each database holds, by its number. Shards that are not held are taken in turn, so
    /// under load the parts of the sums are of slightly different moments.
    ///
    /// # Panics
    /// When some shards are held and others not: waiting for more could then last for ever.
    pub fn totals<'k>(&'k self, held: &mut Held<'k>) -> Vec<Totals> {
        let mut all = vec![Totals::default(); self.databases as usize];
        self.visit(held, |db, part| {
            let totals = &mut all[db];
            totals.keys += part.table().len() as u64;
            totals.expires += part.expires() as u64;
            totals.volatile += part.volatile() as u64;
            totals.deadline_sum += part.deadline_sum();
        });
        all
    }

    /// What each database takes beside its entries, by its number; as [`Self::totals`].
    ///
    /// # Panics
    /// As [`Self::totals`].
    pub fn overheads<'k>(&'k self, held: &mut Held<'k>) -> Vec<Overhead> {
        let mut all = vec![Overhead::default(); self.databases as usize];
        self.visit(held, |db, part| {
            let table = part.table().memory();
            all[db].table += table as u64;
            all[db].wheel += (part.overhead() - table) as u64;
        });
        all
    }

    /// The biggest keys of a type in all databases, the biggest first, as far as they are big
    /// enough to be noted (see `shard::biggest`); as [`Self::totals`].
    ///
    /// # Panics
    /// As [`Self::totals`].
    pub fn biggest<'k>(&'k self, held: &mut Held<'k>, kind: Kind, count: usize) -> Vec<Big> {
        let mut walk = held.is_none().then(|| self.shards.hold_walk());
        let held = walk.as_mut().unwrap_or(held);
        let mut all: Vec<Big> = Vec::new();
        for index in 0..self.shards.len() as u32 {
            for db in 0..self.databases {
                let Some(part) = held.shard(index).made(db) else { continue };
                let min = if all.len() < count { 0 } else { all[count - 1].size };
                part.biggest(kind, count, min, |entry, size| {
                    all.push(Big { db, key: entry.key_bytes().into(), size });
                });
                all.sort_by(|one, other| {
                    other.size.cmp(&one.size).then_with(|| one.key.cmp(&other.key))
                });
                all.truncate(count);
            }
        }
        all
    }

    fn visit<'k>(&'k self, held: &mut Held<'k>, mut each: impl FnMut(usize, &ShardDb)) {
        let mut walk = held.is_none().then(|| self.shards.hold_walk());
        let held = walk.as_mut().unwrap_or(held);
        for index in 0..self.shards.len() as u32 {
            for (db, part) in held.shard(index).dbs() {
                each(db as usize, part);
            }
        }
    }

    /// Begins the epoch of a snapshot: every entry that is here now will be shown to `recorder`
    /// once, as it is now. What an older one has not seen by now it does not see any more; what
    /// was kept for it alone is returned.
    ///
    /// # Panics
    /// When some shard is not held.
    pub fn begin_epoch(&self, held: &mut Held<'_>, recorder: &Arc<dyn Recorder>) -> Vec<Discarded> {
        let mut left = Vec::new();
        for shard in 0..held.count() {
            let detached = held.shard(shard).begin(recorder, shard);
            left.extend(detached.into_iter().map(Discarded::keys));
        }
        self.walks.iter().for_each(|next| next.store(0, Ordering::Relaxed));
        left
    }

    /// Shows the recorder of the epoch more of what it has not seen in a lane, while there is
    /// `more` time; that is told how many entries it was since it was last asked. Returns whether
    /// it has seen all. The caller passes the gate, holds no shard, and no other thread does this
    /// for the lane.
    pub fn walk(&self, lane: u32, more: &mut dyn FnMut(u64) -> bool) -> bool {
        let (next, count) = (&self.walks[lane as usize], self.shards_of(lane));
        let mut number = next.load(Ordering::Relaxed);
        let mut goes_on = true;
        while goes_on && number < count {
            let shard = lane + number * self.lanes.len() as u32;
            let mut held = self.shards.hold_one(shard);
            // Others that want the shard have their turn after every step.
            let is_done = held.shard(shard).walk(&mut |shown| {
                goes_on = more(shown);
                false
            });
            number += u32::from(is_done);
            next.store(number, Ordering::Relaxed);
        }
        number >= count
    }

    /// How many shards there are in a lane.
    pub(crate) fn shards_of(&self, lane: u32) -> u32 {
        (self.shards.len() as u32).saturating_sub(lane).div_ceil(self.lanes.len() as u32)
    }

    /// The shard with a number among those of a lane.
    pub(crate) fn shard_in(&self, lane: u32, number: u32) -> u32 {
        lane + number * self.lanes.len() as u32
    }

    /// The lane of a shard.
    #[inline]
    pub fn lane_of(&self, shard: u32) -> u32 {
        shard % self.lanes.len() as u32
    }

    /// When the next key of a lane may expire, in Unix milliseconds; `u64::MAX` for never.
    pub fn lane_due_ms(&self, lane: u32) -> u64 {
        self.lanes[lane as usize].load(Ordering::SeqCst)
    }

    /// Notes a deadline; a bit for the lane when its next expiry became earlier.
    pub(crate) fn lower_due(&self, shard: u32, deadline_ms: i64) -> u64 {
        let over = deadline_ms.max(0) as u64 + 1;
        let due = &self.due[shard as usize];
        if due.load(Ordering::Relaxed) <= over {
            return 0;
        }
        due.store(over, Ordering::Relaxed);
        let lane = self.lane_of(shard);
        let earlier = self.lanes[lane as usize].fetch_min(over, Ordering::SeqCst) > over;
        u64::from(earlier) << lane
    }

    /// Removes keys of a lane whose time has come, at most `budget` of them (moving one inside a
    /// wheel counts too), and records them in `change`. The caller passes the gate, and holds no
    /// shard. `turn` is kept by the caller for the next call: it makes each shard of the lane the
    /// first one in turn. Afterwards [`Self::lane_due_ms`] tells when to come again.
    ///
    /// `wants` tells what to record; it is asked once a shard is held, because who registers does
    /// so under the shard's lock.
    ///
    /// `propagate` is called with what is to be propagated while the shard is still held.
    ///
    /// Only one thread calls this for a lane. A deadline noted meanwhile is not lost: its shard's
    /// time is stored before the lane's, and here the lane's is forgotten before the shards' are
    /// read.
    pub fn expire(
        &self,
        lane: u32,
        now_ms: i64,
        turn: &mut u32,
        budget: &mut u32,
        change: &mut Change,
        (wants, mut propagate): (impl Fn() -> Wants, impl FnMut(&mut Change)),
    ) {
        let now = now_ms.max(0) as u64;
        let lanes = self.lanes.len() as u32;
        let count = self.shards_of(lane);
        let first = *turn;
        let mut next = u64::MAX;
        self.lanes[lane as usize].swap(u64::MAX, Ordering::SeqCst);
        for step in 0..count {
            let number = (first + step) % count;
            let shard = lane + number * lanes;
            let due = &self.due[shard as usize];
            if due.load(Ordering::SeqCst) <= now && *budget > 0 {
                self.expire_shard(shard, now_ms, budget, change, (&wants, &mut propagate));
                *turn = (number + 1) % count;
            }
            next = next.min(due.load(Ordering::SeqCst));
        }
        self.lanes[lane as usize].fetch_min(next, Ordering::SeqCst);
    }

    fn expire_shard(
        &self,
        shard: u32,
        now_ms: i64,
        budget: &mut u32,
        change: &mut Change,
        (wants, propagate): (&impl Fn() -> Wants, &mut impl FnMut(&mut Change)),
    ) {
        let mut held = self.shards.hold_one(shard);
        change.set_wants(wants());
        let content = held.shard(shard);
        for db in 0..self.databases {
            let Some(part) = content.made(db) else { continue };
            part.expire(now_ms, self.hash, budget, |entry| {
                self.watches.lapse(shard, db, entry.key_bytes());
                change.note_expired(db, entry);
            });
            part.expire_fields(now_ms, budget, |key, faded| {
                self.watches.touch(shard, db, key);
                change.note_faded(db, key, faded);
            });
        }
        self.due[shard as usize].store(content.next_due_ms(), Ordering::SeqCst);
        if !change.records().is_empty() {
            propagate(change);
            change.forget_records();
        }
    }
}
