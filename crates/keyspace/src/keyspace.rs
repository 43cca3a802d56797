//! The engine's data: gate, shards, and when each shard has something to expire.

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::CachePadded;

use crate::change::Change;
use crate::gate::{Gate, ReadGuard};
use crate::hash::KeyHash;
use crate::shard::Shard;
use crate::shards::{Alone, Shards};

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

/// See the module's text.
pub struct Keyspace {
    gate: Gate,
    shards: Shards,
    hash: KeyHash,
    databases: u32,
    lanes: Box<[CachePadded<AtomicU64>]>,
    /// The next expiry of each shard; written under the shard's lock, read without.
    due: Box<[AtomicU64]>,
}

impl Keyspace {
    /// An empty keyspace.
    ///
    /// # Panics
    /// When the number of shards is no power of two, or there are more than 64 lanes.
    pub fn new(layout: Layout) -> Self {
        assert!(layout.shards.is_power_of_two() && layout.shards <= 1 << 14);
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

    /// A key's hash.
    #[inline]
    pub fn hash(&self, key: &[u8]) -> u64 {
        self.hash.of(key)
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

    /// Takes the gate's write side: the caller is alone then.
    pub fn alone(&self) -> Alone<'_> {
        Alone::new((!self.shards.is_single()).then(|| self.gate.write()))
    }

    /// The lane of a shard.
    #[inline]
    pub fn lane_of(&self, shard: u32) -> u32 {
        shard % self.lanes.len() as u32
    }

    /// When the next key of a lane may expire, in Unix milliseconds; `u64::MAX` for never.
    pub fn lane_due_ms(&self, lane: u32) -> u64 {
        self.lanes[lane as usize].load(Ordering::Relaxed)
    }

    /// Notes a deadline; a bit for the lane when its next expiry became earlier.
    pub(crate) fn lower_due(&self, shard: u32, deadline_ms: i64) -> u64 {
        let deadline = deadline_ms.max(0) as u64;
        let due = &self.due[shard as usize];
        if due.load(Ordering::Relaxed) <= deadline {
            return 0;
        }
        due.store(deadline, Ordering::Relaxed);
        let lane = self.lane_of(shard);
        let earlier = self.lanes[lane as usize].fetch_min(deadline, Ordering::SeqCst) > deadline;
        u64::from(earlier) << lane
    }

    /// Removes keys of a lane whose time has come, at most `budget` of them (moving one inside a
    /// wheel counts too), and records them in `change`. The caller passes the gate. Afterwards
    /// [`Self::lane_due_ms`] tells when to come again.
    pub fn expire(&self, lane: u32, now_ms: i64, budget: &mut u32, change: &mut Change) {
        let now = now_ms.max(0) as u64;
        self.lanes[lane as usize].swap(u64::MAX, Ordering::SeqCst);
        let mut next = u64::MAX;
        for shard in (lane..self.shards.len() as u32).step_by(self.lanes.len()) {
            let due = &self.due[shard as usize];
            if due.load(Ordering::SeqCst) <= now && *budget > 0 {
                self.expire_shard(shard, now_ms, budget, change);
            }
            next = next.min(due.load(Ordering::SeqCst));
        }
        self.lanes[lane as usize].fetch_min(next, Ordering::SeqCst);
    }

    fn expire_shard(&self, shard: u32, now_ms: i64, budget: &mut u32, change: &mut Change) {
        let mut held = self.shards.hold_one(shard);
        let content = held.shard(shard);
        for db in 0..self.databases {
            while let Some(entry) = content.db(db).pop_expired(now_ms, self.hash, budget) {
                change.note_expired(db, entry.key_bytes());
            }
        }
        self.due[shard as usize].store(content.next_due_ms(), Ordering::SeqCst);
    }
}
