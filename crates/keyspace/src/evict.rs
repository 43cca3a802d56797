//! Which key goes when memory is short.
//!
//! As in Redis, some keys are drawn at random and the best of them are kept in a small pool across
//! calls, so that the pool holds better candidates than any one draw. Unlike there, what is known
//! of a candidate is looked at again before it goes: one that was used meanwhile stays. And where
//! many have to go, they are drawn, and go, together: a key that nobody asked for is in no cache of
//! the processor, and waiting for one after another is most of what they cost.
//!
//! It knows shards and entries, never how much memory there is: whoever calls does. No more than
//! [`BATCH`] shards are held at a time, the drawing and the going apart.

use std::ptr::{NonNull, without_provenance_mut};

use smallvec::SmallVec;
use table::{Spot, prefetch, prefetch_two};

use crate::change::{Change, Wants};
use crate::entry::Entry;
use crate::keyspace::Keyspace;
use crate::shard::{Shard, ShardDb};
use crate::usage::{self, Stamp};

/// Candidates that are kept.
const POOL: usize = 16;
/// Keys that go together, at most.
pub const BATCH: usize = 16;
/// Keys in a bucket, about: so many are drawn with it.
const BUCKET_KEYS: usize = 5;
/// The size of keys that went is remembered by so many of them.
const MEAN_OF: u64 = 16;
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
    /// The upper bits of its hash that lead to it; all of them where there is no address.
    hash: u64,
    /// Where its entry was, to be compared and not read; 0 when that is not known.
    address: usize,
    shard: u32,
    db: u32,
}

type Victims = SmallVec<[Candidate; BATCH]>;

/// What a worker keeps between two rounds of eviction.
#[derive(Default)]
pub struct Evictor {
    /// Those that were no victims when others were chosen; in no order.
    pool: Vec<Candidate>,
    rng: fastrand::Rng,
    order: Option<(Scope, Order)>,
    /// About the bytes of a key that went lately.
    mean: u64,
}

/// A bucket that is drawn, step by step, so that the lines it takes are waited for together with
/// those of others.
struct Draw {
    shard: u32,
    db: u32,
    random: u64,
    spot: Option<Spot>,
}

impl Evictor {
    /// One whose draws follow from a number.
    pub fn with_seed(seed: u64) -> Self {
        Self { rng: fastrand::Rng::with_seed(seed), ..Self::default() }
    }

    /// How many keys take so many bytes, about.
    fn keys_of(&self, bytes: u64) -> usize {
        let keys = bytes.checked_div(self.mean).unwrap_or(1);
        keys.clamp(1, BATCH as u64) as usize
    }

    /// Takes the best out of all candidates; of equal ones, any, but see [`turn`].
    fn best(&mut self, keys: usize) -> Victims {
        let counts = matches!(self.order, Some((_, Order::Frequency)));
        let salt = self.rng.u64(..) | 1;
        let rank = |one: &Candidate| (one.score, turn(one, salt, counts), one.shard);
        let pool = &mut self.pool;
        let kept = POOL + keys;
        if pool.len() > kept {
            let worse = pool.len() - kept;
            pool.select_nth_unstable_by_key(worse, rank);
            pool.drain(..worse);
        }
        pool.sort_unstable_by_key(rank);
        // The same key may have been drawn twice.
        pool.dedup_by_key(|one| (one.address, one.hash));
        pool.drain(pool.len().saturating_sub(keys)..).rev().collect()
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

/// Which of two candidates with one score goes first: the one with the higher number, a random one.
/// Where uses are counted, most of them have a number that stays the same. So some of the keys that
/// were used as seldom as others stay longer than these, long enough to be met again in a loop over
/// more keys than there is room for, in which otherwise none would be.
fn turn(one: &Candidate, salt: u64, counts: bool) -> u32 {
    let random = (one.address as u64).wrapping_mul(salt);
    if !counts || random >> 30 & 3 == 0 {
        return (random >> 32) as u32;
    }
    let lasting = one.hash >> 48 | u64::from(one.shard) << 16;
    (lasting.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32) as u32
}

impl Keyspace {
    /// Removes keys that are to go next until they take so many bytes, at least one and at most
    /// [`BATCH`], and records that in `change`; false when no key may go. The caller passes the
    /// gate, and holds no shard.
    ///
    /// `wants` and `propagate` are those of [`Self::expire`].
    pub fn evict(
        &self,
        evictor: &mut Evictor,
        (plan, bytes): (&Plan, u64),
        change: &mut Change,
        (wants, mut propagate): (impl Fn() -> Wants, impl FnMut(&mut Change)),
    ) -> bool {
        if evictor.order != Some((plan.scope, plan.order)) {
            evictor.pool.clear();
            evictor.order = Some((plan.scope, plan.order));
        }
        let before = (change.evicted(), change.evicted_bytes());
        for _ in 0..TRIES {
            let victims = self.choose(evictor, plan, evictor.keys_of(bytes));
            if victims.is_empty() {
                return false;
            }
            let enough = before.1 + bytes;
            self.let_go(evictor, &victims, (plan, enough), change, (&wants, &mut propagate));
            let count = change.evicted() - before.0;
            if let Some(mean) = (change.evicted_bytes() - before.1).checked_div(count) {
                evictor.mean = if evictor.mean == 0 { mean } else { evictor.mean };
                evictor.mean += mean / MEAN_OF;
                evictor.mean -= evictor.mean / MEAN_OF;
                return true;
            }
        }
        false
    }

    /// Removes those of the victims that are still as good a reason, until enough is free. The
    /// others stay candidates.
    fn let_go(
        &self,
        evictor: &mut Evictor,
        victims: &Victims,
        (plan, enough): (&Plan, u64),
        change: &mut Change,
        (wants, propagate): (impl Fn() -> Wants, &mut impl FnMut(&mut Change)),
    ) {
        let mut held = self.shards().hold_many(victims.iter().map(|victim| victim.shard));
        change.set_wants(wants());
        for victim in victims {
            if let Some(part) = held.shard(victim.shard).made(victim.db) {
                prefetch_two(part.table().bucket_line(victim.hash));
                prefetch(without_provenance_mut::<u8>(victim.address));
            }
        }
        let before = change.evicted();
        for victim in victims {
            if change.evicted() > before && change.evicted_bytes() >= enough {
                evictor.pool.push(*victim);
                continue;
            }
            let Some(part) = held.shard(victim.shard).made(victim.db) else { continue };
            let place = (victim.hash, NonNull::new(without_provenance_mut(victim.address)));
            let Some(entry) = part.evict(place, plan, victim.score) else { continue };
            self.watches().touch(victim.shard, victim.db, entry.key_bytes());
            change.note_evicted(victim.db, entry, plan.lazily);
            if !change.records().is_empty() {
                propagate(change);
                change.forget_records();
            }
        }
    }

    /// The keys that are to go next, as far as they are known: at most so many, none when no key
    /// may go.
    fn choose(&self, evictor: &mut Evictor, plan: &Plan, keys: usize) -> Victims {
        if plan.order == Order::Recurrence {
            return self.recurring(evictor, plan).into_iter().collect();
        }
        let count = self.shards().len();
        let first = evictor.rng.usize(0..count);
        let wanted = if plan.order == Order::Random { keys } else { plan.samples * keys };
        let (mut met, mut step) = (0, 0);
        // A shard shows one bucket at a time: where shards are few, each has several turns.
        while met < wanted && step < count + wanted {
            let most = (wanted - met).div_ceil(BUCKET_KEYS).min(BATCH);
            let group = most.min(count).min(count + wanted - step);
            let shards = (step..step + group).map(|at| ((first + at) & (count - 1)) as u32);
            met += match plan.scope {
                Scope::All => self.draw(evictor, plan, shards),
                Scope::Volatile => self.draw_volatile(evictor, plan, shards, wanted - met),
            };
            step += group;
        }
        evictor.best(keys)
    }

    /// Makes candidates of the keys of a bucket of each of some shards; how many. In each step all
    /// lines are asked for that the next one reads.
    fn draw(
        &self,
        evictor: &mut Evictor,
        plan: &Plan,
        shards: impl Iterator<Item = u32> + Clone,
    ) -> usize {
        let Evictor { pool, rng, .. } = evictor;
        let held = self.shards().hold_many(shards.clone());
        let mut draws: SmallVec<[Draw; BATCH]> = SmallVec::new();
        for shard in shards {
            let Some(db) = pick(held.look(shard), plan.scope, rng) else { continue };
            draws.push(Draw { shard, db, random: rng.u64(..), spot: None });
        }
        let table = |draw: &Draw| held.look(draw.shard).look(draw.db).map(|part| part.table());
        for draw in &draws {
            table(draw).into_iter().for_each(|table| prefetch(table.spot_line(draw.random)));
        }
        for draw in &mut draws {
            let Some(table) = table(draw) else { continue };
            // Many numbers mean no bucket where the table has just grown.
            let more = (0..TRIES).map(|_| rng.u64(..));
            let found = std::iter::once(draw.random).chain(more).find_map(|at| table.spot(at));
            draw.spot = found.map(|(spot, line)| {
                prefetch(line);
                spot
            });
        }
        for draw in &draws {
            let Some(table) = table(draw) else { continue };
            draw.spot.into_iter().for_each(|spot| table.prefetch_at(spot));
        }
        let before = pool.len();
        for draw in &draws {
            let (shard, db, drawn) = (draw.shard, draw.db, pool.len());
            let Some(table) = table(draw) else { continue };
            for (hash, entry) in draw.spot.into_iter().flat_map(|spot| table.items_at(spot)) {
                let (score, address) = (score(&entry, plan), entry.address().addr().get());
                pool.push(Candidate { score, hash, address, shard, db });
            }
            // There was no such bucket, or it is empty.
            if pool.len() == drawn
                && let Some(entry) = table.random(&mut || rng.u64(..))
            {
                let (score, address) = (score(&entry, plan), entry.address().addr().get());
                let hash = self.hash(entry.key_bytes());
                pool.push(Candidate { score, hash, address, shard, db });
            }
        }
        pool.len() - before
    }

    /// Makes candidates of up to so many keys of some shards that expire; how many.
    fn draw_volatile(
        &self,
        evictor: &mut Evictor,
        plan: &Plan,
        shards: impl Iterator<Item = u32>,
        wanted: usize,
    ) -> usize {
        let Evictor { pool, rng, .. } = evictor;
        let mut met = 0;
        for shard in shards {
            let mut held = self.shards().hold_one(shard);
            let Some(db) = pick(held.shard(shard), plan.scope, rng) else { continue };
            let Some(part) = held.shard(shard).made(db) else { continue };
            met += part.draw_volatile(plan, wanted - met, rng, |entry, score| {
                let address = entry.address().addr().get();
                let hash = self.hash(entry.key_bytes());
                pool.push(Candidate { score, hash, address, shard, db });
            });
            if met >= wanted {
                break;
            }
        }
        met
    }

    /// The key that is to go next where uses are counted.
    fn recurring(&self, evictor: &mut Evictor, plan: &Plan) -> Option<Candidate> {
        let (count, hasher) = (self.shards().len() as u32, self.key_hash());
        let first = evictor.rng.u32(0..count);
        for step in 0..2 * count + SHARDS_ASKED {
            let shard = (first + step) & (count - 1);
            let mut held = self.shards().hold_one(shard);
            let Some(db) = pick(held.shard(shard), plan.scope, &mut evictor.rng) else { continue };
            let part = held.shard(shard).db(db);
            // Others may have too many young ones: a few are asked before an old one goes.
            let goes_round = step >= SHARDS_ASKED;
            let mut found = part.take_young(hasher);
            if goes_round {
                found = found.or_else(|| part.go_round(hasher));
            }
            if let Some(hash) = found {
                return Some(Candidate { score: 1, hash, address: 0, shard, db });
            }
        }
        None
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

#[cfg(test)]
mod tests;
