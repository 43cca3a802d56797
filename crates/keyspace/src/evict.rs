//! Which key goes when memory is short.
//!
//! As in Redis, some keys are drawn at random and the best of them are kept in a small pool across
//! calls, so that the pool holds better candidates than any one draw. Unlike there, what is known
//! of a candidate is looked at again before it goes: one that was used meanwhile stays.
//!
//! It knows shards and entries, never how much memory there is: whoever calls does. One shard is
//! held at a time.

use smallvec::SmallVec;

use crate::change::{Change, Wants};
use crate::entry::Entry;
use crate::keyspace::Keyspace;
use crate::shard::{Shard, ShardDb};
use crate::usage::{self, Stamp};

/// Candidates that are kept.
const POOL: usize = 16;
/// Shards that are asked for too many young keys before an old one goes.
const SHARDS_ASKED: u32 = 4;
/// Draws that may bring nothing before it is given up.
const TRIES: usize = 64;

/// Which keys may go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Scope {
    /// All.
    All,
    /// Those that expire.
    Volatile,
}

/// Which of them goes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Order {
    /// The one whose last use or change, as its word tells, is longest ago.
    Idle,
    /// The one that is used least often.
    Frequency,
    /// The one that expires next.
    Deadline,
    /// Any.
    Random,
    /// The one that was not used while it was young, or since it was looked at last (see `young`).
    Recurrence,
}

/// How the next key that goes is chosen.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Plan {
    /// Which keys may go.
    pub scope: Scope,
    /// Which of them goes first.
    pub order: Order,
    /// How many are drawn each time.
    pub samples: usize,
    /// The present time, and the meaning of words.
    pub stamp: Stamp,
    /// Whether heavy values are freed in the background.
    pub lazily: bool,
}

/// A key that may go next; a higher score is a better reason.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    score: u64,
    hash: u64,
    shard: u32,
    db: u32,
}

type Pool = SmallVec<[Candidate; POOL]>;

/// What a worker keeps between two keys that it evicts.
#[derive(Default)]
pub struct Evictor {
    /// In ascending order of their scores.
    pool: Pool,
    rng: fastrand::Rng,
    order: Option<(Scope, Order)>,
}

impl Evictor {
    /// One whose draws follow from a number.
    pub fn with_seed(seed: u64) -> Self {
        Self { rng: fastrand::Rng::with_seed(seed), ..Self::default() }
    }
}

impl ShardDb {
    /// Keys that may go.
    fn eligible(&self, scope: Scope) -> usize {
        if scope == Scope::All { self.table().len() } else { self.expires() }
    }
}

/// Why an entry is to go, as a number.
pub(crate) fn score(entry: &Entry, plan: &Plan) -> u64 {
    let (stamp, word) = (&plan.stamp, entry.access());
    match plan.order {
        Order::Idle => stamp.idle_s(word).into(),
        Order::Frequency => u64::from(u8::MAX - stamp.counter(word)),
        Order::Deadline => u64::MAX - entry.deadline_ms().unwrap_or(i64::MAX).max(0) as u64,
        Order::Random => 0,
        Order::Recurrence => u64::from(usage::uses(word) == 0),
    }
}

impl Keyspace {
    /// Removes the key that is to go next, and records that in `change`; false when no key may go.
    /// The caller passes the gate, and holds no shard.
    ///
    /// `wants` and `propagate` are those of [`Self::expire`].
    pub fn evict(
        &self,
        evictor: &mut Evictor,
        plan: &Plan,
        change: &mut Change,
        (wants, mut propagate): (impl Fn() -> Wants, impl FnMut(&mut Change)),
    ) -> bool {
        if evictor.order != Some((plan.scope, plan.order)) {
            evictor.pool.clear();
            evictor.order = Some((plan.scope, plan.order));
        }
        for _ in 0..TRIES {
            let Some(chosen) = self.choose(evictor, plan) else { return false };
            let mut held = self.shards().hold_one(chosen.shard);
            change.set_wants(wants());
            let Some(part) = held.shard(chosen.shard).made(chosen.db) else { continue };
            let Some(entry) = part.evict(chosen.hash, plan, chosen.score) else { continue };
            self.watches().touch(chosen.shard, chosen.db, entry.key_bytes());
            change.note_evicted(chosen.db, entry, plan.lazily);
            if !change.records().is_empty() {
                propagate(change);
                change.forget_records();
            }
            return true;
        }
        false
    }

    /// The key that is to go next, as far as it is known; `None` when no key may go.
    fn choose(&self, evictor: &mut Evictor, plan: &Plan) -> Option<Candidate> {
        let count = self.shards().len() as u32;
        let first = evictor.rng.u32(0..count);
        let mut met = 0;
        let wanted = if plan.order == Order::Random { 1 } else { plan.samples };
        let steps = if plan.order == Order::Recurrence { 2 * count + SHARDS_ASKED } else { count };
        for step in 0..steps {
            let shard = (first + step) & (count - 1);
            let mut held = self.shards().hold_one(shard);
            let Some(db) = pick(held.shard(shard), plan.scope, &mut evictor.rng) else { continue };
            let part = held.shard(shard).db(db);
            if plan.order == Order::Recurrence {
                let hasher = self.key_hash();
                // Others may have too many young ones: a few are asked before an old one goes.
                let goes_round = step >= SHARDS_ASKED;
                let mut found = part.take_young(hasher);
                if goes_round {
                    found = found.or_else(|| part.go_round(hasher));
                }
                match found {
                    Some(hash) => return Some(Candidate { score: 1, hash, shard, db }),
                    None => continue,
                }
            }
            let Evictor { rng, pool, .. } = evictor;
            met += part.draw(plan, wanted - met, rng, |entry, score| {
                let is_better = pool.len() < POOL || pool[0].score < score;
                if is_better {
                    let hash = self.hash(entry.key_bytes());
                    offer(pool, Candidate { score, hash, shard, db });
                }
            });
            if met >= wanted {
                break;
            }
        }
        evictor.pool.pop()
    }
}

/// A database of a shard that has keys that may go, the likelier the more it has.
fn pick(shard: &Shard, scope: Scope, rng: &mut fastrand::Rng) -> Option<u32> {
    let total: usize = shard.dbs().map(|(_, part)| part.eligible(scope)).sum();
    if total == 0 {
        return None;
    }
    let mut at = rng.usize(0..total);
    for (db, part) in shard.dbs() {
        match at.checked_sub(part.eligible(scope)) {
            Some(beyond) => at = beyond,
            None => return Some(db),
        }
    }
    None
}

/// Takes up a candidate if it is better than the worst one.
fn offer(pool: &mut Pool, new: Candidate) {
    if let Some(same) = pool.iter().position(|old| old.hash == new.hash) {
        pool.remove(same);
    }
    let at = pool.partition_point(|old| old.score < new.score);
    if pool.len() < POOL {
        pool.insert(at, new);
    } else if at > 0 {
        pool.remove(0);
        pool.insert(at - 1, new);
    }
}

#[cfg(test)]
mod tests;
