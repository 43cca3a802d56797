//! What concerns all keys of a database at once, for commands that hold every shard or walk over
//! them one by one.

use std::ops::Range;

use super::{Db, Overdue};
use crate::discarded::Discarded;
use crate::entry::Entry;
use crate::shard::is_gone;

/// Bits of a cursor that hold a position within one shard's table; the shard's number is above.
/// With 2^13 shards at most a cursor stays below 2^53, which clients that keep it as a double need.
const POSITION_BITS: u32 = 40;
/// Bits that a position in a cursor lacks. Rounding down means seeing some keys twice.
const GRAIN_BITS: u32 = 8;
/// Places looked at for each key that was asked for, before a call of [`Db::scan`] ends.
const STEPS_PER_KEY: u64 = 10;
/// Expired keys that [`Db::random_key`] draws before it gives up.
const DRAWS_MAX: u32 = 1000;

impl Db<'_, '_> {
    /// The keys of the database, those included whose time has come and that nobody met yet.
    pub fn len(&mut self) -> u64 {
        (0..self.held.count()).map(|shard| self.len_of(shard)).sum()
    }

    /// Whether there are none.
    pub fn is_empty(&mut self) -> bool {
        self.len() == 0
    }

    fn len_of(&mut self, shard: u32) -> u64 {
        self.held.shard(shard).made(self.index).map_or(0, |db| db.table().len() as u64)
    }

    /// Takes all keys out of some databases and frees them, here or in the background; how many.
    pub fn flush(&mut self, databases: Range<u32>, lazily: bool) -> u64 {
        let mut removed = 0;
        self.lose_undo();
        databases.clone().for_each(|index| self.change.stir_all(index));
        for shard in 0..self.held.count() {
            for index in databases.clone() {
                let since_ms = self.over_since();
                self.keyspace.judge_watches(self.held, shard, (index, None), since_ms);
                let content = self.held.shard(shard);
                if content.look(index).is_none_or(|db| db.table().is_empty()) {
                    continue;
                }
                let (count, taken) = content.take(index);
                removed += count as u64;
                if let Some(taken) = taken.filter(|_| lazily) {
                    self.change.hand_over(Discarded::keys(taken));
                }
            }
        }
        removed
    }

    /// Exchanges the keys of two databases.
    pub fn swap(&mut self, one: u32, other: u32) {
        self.lose_undo();
        [one, other].into_iter().for_each(|index| self.change.stir_all(index));
        let since_ms = self.over_since();
        for shard in 0..self.held.count() {
            for change in [(one, Some(other)), (other, Some(one))] {
                self.keyspace.judge_watches(self.held, shard, change, since_ms);
            }
            self.held.shard(shard).swap(one, other);
        }
    }

    /// Calls `visit` with every key that is not expired.
    pub fn each(&mut self, visit: &mut dyn FnMut(&Entry)) {
        for shard in 0..self.held.count() {
            let since_ms = self.over_since();
            let Some(db) = self.held.shard(shard).made(self.index) else { continue };
            let table = db.table();
            table.iter().filter(|entry| !is_gone(entry, since_ms)).for_each(|entry| visit(&entry));
        }
    }

    /// A random key, every one as likely as another. Expired ones that are drawn are removed;
    /// where hardly anything else is left, a bounded number of draws may find none. Where expired
    /// keys stay, one of them is better than that.
    pub fn random_key(&mut self, rng: &mut fastrand::Rng) -> Option<Box<[u8]>> {
        let since_ms = self.over_since();
        let mut expired_one = None;
        for _ in 0..DRAWS_MAX {
            let lens: Vec<u64> = (0..self.held.count()).map(|shard| self.len_of(shard)).collect();
            let total = lens.iter().sum();
            if total == 0 {
                return None;
            }
            let mut at = rng.u64(0..total);
            let mut shard = 0;
            while at >= lens[shard] {
                at -= lens[shard];
                shard += 1;
            }
            let db = self.held.shard(shard as u32).db(self.index);
            // The shard may have been emptied by another thread since it was counted.
            let Some(entry) = db.table().random(&mut || rng.u64(..)) else { continue };
            let expired = is_gone(&entry, since_ms);
            let key: Box<[u8]> = entry.key_bytes().into();
            if !expired {
                return Some(key);
            }
            self.expire_met(&key);
            expired_one = Some(key);
        }
        expired_one.filter(|_| self.overdue == Overdue::Hide)
    }

    /// Walks on from a cursor until about `count` keys were met, or ten times as many places, and
    /// returns the next cursor. Calls `emit` with those that are `wanted`, and removes those of
    /// them that are expired. A cursor is below 2^53; 0 starts, and 0 is returned at the end.
    /// Every key that is there from the first to the last call of a full walk is met at least once.
    pub fn scan(
        &mut self,
        cursor: u64,
        count: u64,
        wanted: &mut dyn FnMut(&Entry) -> bool,
        emit: &mut dyn FnMut(&Entry),
    ) -> u64 {
        let (index, since_ms) = (self.index, self.over_since());
        let (mut met, mut steps, mut advanced) = (0, 0, false);
        let mut shard = cursor >> POSITION_BITS;
        let mut position = (cursor & ((1 << POSITION_BITS) - 1)) << GRAIN_BITS;
        let mut expired: Vec<Box<[u8]>> = Vec::new();
        while shard < u64::from(self.held.count()) {
            let table = self.held.shard(shard as u32).made(index).map(|db| db.table());
            let from = position;
            position = 0;
            if let Some(table) = table.filter(|table| !table.is_empty()) {
                position = table.scan(from, &mut |entry| {
                    met += 1;
                    match (wanted(entry), is_gone(entry, since_ms)) {
                        (true, false) => emit(entry),
                        (true, true) => expired.push(entry.key_bytes().into()),
                        (false, _) => {}
                    }
                });
                steps += 1;
            }
            expired.drain(..).for_each(|key| self.expire_met(&key));
            shard += u64::from(position == 0);
            advanced |= position == 0 || position >> GRAIN_BITS != from >> GRAIN_BITS;
            let enough = met >= count || steps >= count.saturating_mul(STEPS_PER_KEY);
            if enough && advanced {
                break;
            }
        }
        if shard >= u64::from(self.held.count()) {
            return 0;
        }
        shard << POSITION_BITS | position >> GRAIN_BITS
    }

    /// Bytes that a key takes with its value, of a large collection an estimate from so many
    /// elements (0: all of them); `None` without it. What finds the key is not counted, as
    /// elsewhere.
    pub fn footprint(&mut self, key: &[u8], samples: usize) -> Option<usize> {
        self.peek(key).map(|entry| entry.memory(samples))
    }

    /// Notes that more changes at once than is kept of single keys.
    fn lose_undo(&mut self) {
        if let Some(undo) = self.change.undo() {
            undo.lose();
        }
    }

    /// Removes an expired key that was met without being asked for, unless such keys stay.
    fn expire_met(&mut self, key: &[u8]) {
        let met = self.peek(key);
        debug_assert!(met.is_none(), "the key was seen to be expired");
    }
}
