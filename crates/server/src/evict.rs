//! The limit on memory (`maxmemory`): who looks at it and when, which keys go when too much is in
//! use, and when commands that need memory are refused.
//!
//! What is in use is the sum of the balances of all workers and of what was in use beside them when
//! the allocator was asked last (see `allocator`). A worker looks at that sum after a write when it
//! has taken a good part of what was left, and at the end of a turn. So a write costs the
//! comparison of two numbers, and all workers together are never far above the limit. A worker
//! evicts at least as much as it has taken itself; beyond that it stops after some time, and goes
//! on in its next turn.
//!
//! Keys are evicted while no shard is held, before the next command, as Redis does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use keyspace::evict::{Evictor, Order, Plan, Scope};
use keyspace::{Change, ReadGuard, Stamp, Wants};

use crate::local::Local;
use crate::server::Server;
use crate::session::State;
use crate::tunables::Tunables;
use crate::{allocator, blocked, commit};

/// After so many keys that went, the clock is looked at.
const STEP: u64 = 16;
/// A worker looks at the limit each time it has taken this share of it, or this many bytes: few
/// enough for the allocator to hand the places of small keys that went to those that come, without
/// a look at its slabs.
const LOOKS: i64 = 2000;
const LOOK_MIN: i64 = 1 << 10;
const LOOK_MAX: i64 = 16 << 10;
/// More than this share of the limit above it is not believed before the allocator is asked:
/// threads without a place among the balances may have given memory back.
const DOUBTFUL_SHARE: i64 = 200;
/// What may wait in the background to be freed, as a share of the limit.
const PENDING_SHARE: u64 = 256;

/// What a worker knows of memory.
#[derive(Default)]
pub struct Room {
    /// The balance of its thread from which on it looks at the limit.
    alarm: i64,
    /// What that was when it looked last.
    seen: i64,
    /// It is to look before the next command.
    is_due: bool,
    /// There was more to evict than time.
    goes_on: bool,
    /// When it last asked the allocator, Unix milliseconds.
    asked_ms: i64,
    /// When it last looked before a command that needs no memory, Unix milliseconds.
    looked_ms: i64,
    evictor: Evictor,
}

/// Since when, and for how long in all, more was in use than is allowed.
#[derive(Default, Debug)]
pub struct Excess {
    /// Unix microseconds; 0 while it is not.
    since_us: AtomicU64,
    total_us: AtomicU64,
}

impl Excess {
    /// For how long it has been, and was in all, in milliseconds.
    pub fn figures(&self, now_us: i64) -> (u64, u64) {
        let since = self.since_us.load(Ordering::Relaxed);
        let current = if since == 0 { 0 } else { (now_us as u64).saturating_sub(since) };
        (current / 1000, (self.total_us.load(Ordering::Relaxed) + current) / 1000)
    }

    /// Begins to count anew.
    pub fn reset(&self) {
        self.total_us.store(0, Ordering::Relaxed);
    }

    fn note(&self, is_over: bool, now_us: i64) {
        let since = self.since_us.load(Ordering::Relaxed);
        if is_over == (since != 0) {
            return;
        }
        self.since_us.store(if is_over { now_us as u64 } else { 0 }, Ordering::Relaxed);
        if !is_over {
            let took = (now_us as u64).saturating_sub(since);
            self.total_us.fetch_add(took, Ordering::Relaxed);
        }
    }
}

impl Room {
    /// After a write: whether the next command has to wait for a look at the limit.
    #[inline]
    pub fn note(&mut self) {
        self.is_due |= allocator::balance() >= self.alarm;
    }

    /// Whether to look before the next command.
    #[inline]
    pub fn is_due(&self) -> bool {
        self.is_due
    }

    /// Whether there is more to evict than there was time.
    pub fn goes_on(&self) -> bool {
        self.goes_on
    }

    /// Looks at the limit at the end of this turn.
    pub fn look_soon(&mut self) {
        self.is_due = true;
    }

    /// Follows a change of the limit, or begins.
    pub fn follow(&mut self, limit: u64) {
        self.seen = allocator::balance();
        self.alarm = if limit == 0 { i64::MAX } else { self.seen };
        self.is_due = true;
    }

    /// What this thread took since it looked last.
    fn taken(&mut self) -> i64 {
        let balance = allocator::balance();
        balance - std::mem::replace(&mut self.seen, balance)
    }
}

/// Whether to look at the limit at the end of a turn.
#[inline]
pub fn is_due(local: &Local) -> bool {
    let Room { is_due, goes_on, alarm, .. } = local.room;
    is_due || goes_on || allocator::balance() >= alarm
}

/// Whether to look at the limit before a command while more is in use than is allowed and nothing
/// could go: those that need no memory are not kept waiting for more than one look a millisecond.
pub fn is_wanted(local: &mut Local, needs_memory: bool) -> bool {
    let now_ms = local.now_ms();
    needs_memory || std::mem::replace(&mut local.room.looked_ms, now_ms) != now_ms
}

/// Looks at the limit: evicts, refuses from now on, or refuses no longer. The caller passes the
/// gate and holds no shard.
#[cold]
pub fn settle<'k>(server: &'k Server, local: &mut Local, gate: &mut Option<ReadGuard<'k>>) {
    look(server, local);
    if !local.late.is_empty() {
        blocked::serve_late(server, local, gate);
    }
}

/// As [`settle`]; whom evictions have woken is left to it.
#[cold]
pub fn look(server: &Server, local: &mut Local) {
    let taken = local.room.taken();
    let limit = local.tunables.maxmemory;
    (local.room.is_due, local.room.goes_on) = (false, false);
    if limit == 0 {
        local.room.alarm = i64::MAX;
        return judge(server, local, false);
    }
    let mut is_refused = false;
    // Asked before the allocator is: loading gives back all it took beside the data, then ends.
    let rests = server.state().any(State::PAUSED.with(State::LOADING));
    // Where nothing can go every command comes by here, and asking takes longer than most of them.
    let is_doubtful = excess(server, limit) > limit as i64 / DOUBTFUL_SHARE;
    let is_stuck = server.state().any(State::OVER_MEMORY);
    if is_doubtful && !(is_stuck && local.room.asked_ms == local.now_ms()) {
        local.room.asked_ms = local.now_ms();
        server.memory.look(local.now_ms());
    }
    if excess(server, limit) > 0 {
        let may_evict = local.tunables.eviction.is_some() && !local.tunables.import_mode;
        if may_evict && !rests {
            is_refused = !evict(server, local, limit, taken);
        } else {
            is_refused = !rests;
        }
        local.room.taken();
    }
    let left = -excess(server, limit);
    let workers = server.workers.len() as i64;
    let least = (limit as i64 / LOOKS / workers).clamp(LOOK_MIN, LOOK_MAX);
    local.room.alarm = local.room.seen.saturating_add((left / (4 * workers)).max(least));
    judge(server, local, is_refused && left < 0);
    server.excess.note(left < 0, local.now_us);
}

/// Refuses commands that need memory from now on, or no longer.
fn judge(server: &Server, local: &Local, is_refused: bool) {
    if is_refused != server.state().any(State::OVER_MEMORY) {
        server.put_state(State::OVER_MEMORY, is_refused);
    }
    if local.tunables.maxmemory == 0 {
        server.excess.note(false, local.now_us);
    }
}

/// Bytes in use beyond the limit: what waits to be written, or to be freed, is left out, because
/// evicting keys makes the one longer and the other needless.
fn excess(server: &Server, limit: u64) -> i64 {
    let left_out = not_counted(server) + server.background.pending_bytes();
    server.memory.used() as i64 - left_out as i64 - limit.min(i64::MAX as u64) as i64
}

/// Bytes in use that the limit does not count: they wait to be written to the log or to a snapshot,
/// which is shown every key that is evicted before it has met it.
pub fn not_counted(server: &Server) -> u64 {
    server.aof.waiting() + server.persistence.snapshots.waiting()
}

/// Evicts keys until enough is free; false when no key may go.
fn evict(server: &Server, local: &mut Local, limit: u64, debt: i64) -> bool {
    let began = Instant::now();
    let time = time_limit(local.tunables.eviction_tenacity);
    // What is told of evicted keys takes memory, too. It is not made room for here, or a few keys
    // of which many are told could cost all of them.
    let (mut freed, mut needed) = (0, excess(server, limit));
    // Nor is it as long as not all of that is sent, which may take the other workers a while.
    let is_awaited = !server.tracking.is_all_quiet();
    if is_awaited {
        needed = needed.min(debt);
        local.room.goes_on = true;
        if needed <= 0 {
            return true;
        }
    }
    let result = loop {
        let found = evict_some(server, local, limit, needed - freed);
        freed += local.change.evicted_bytes() as i64;
        commit::evicted(server, local);
        local.late.extend(local.ready.drain(..));
        // Other workers evict for the same excess at the same time.
        if freed >= needed || excess(server, limit) <= 0 {
            break true;
        }
        if !found {
            break false;
        }
        if freed >= debt && began.elapsed() >= time {
            local.room.goes_on = true;
            break true;
        }
    };
    server.latency.note("eviction-cycle", began.elapsed());
    result
}

/// Evicts some keys, if so many bytes take as many; false when no key may go.
fn evict_some(server: &Server, local: &mut Local, limit: u64, needed: i64) -> bool {
    let Some(plan) = plan(server, local, limit) else { return false };
    let wants = || Wants(server.wants.load(Ordering::Relaxed));
    let Local { change, outlet, now_us, room, .. } = local;
    let mut propagate = |change: &mut Change| {
        outlet.unit.push_records(change.records());
        outlet.append(&server.aof, false, *now_us);
    };
    while change.evicted() < STEP {
        let began = server.latency.is_on().then(Instant::now);
        let bytes = (needed - change.evicted_bytes() as i64).max(0) as u64;
        let (evictor, doors) = (&mut room.evictor, (wants, &mut propagate));
        if !server.keyspace.evict(evictor, (&plan, bytes), change, doors) {
            return false;
        }
        if let Some(began) = began {
            server.latency.note("eviction-del", began.elapsed());
        }
        if change.evicted_bytes() as i64 >= needed {
            break;
        }
    }
    true
}

/// How keys are chosen now.
fn plan(server: &Server, local: &Local, limit: u64) -> Option<Plan> {
    let Tunables { eviction, eviction_samples, usage, evicts_lazily, .. } = &*local.tunables;
    let (scope, order) = (*eviction)?;
    let is_behind = server.background.pending_bytes() > limit / PENDING_SHARE;
    Some(Plan {
        scope,
        order,
        samples: *eviction_samples,
        stamp: Stamp::new(local.now_ms(), usage, || 1.0),
        lazily: *evicts_lazily && !is_behind,
    })
}

/// For how long keys are evicted before clients have their turn, as `maxmemory-eviction-tenacity`
/// says: a line up to 10, from there 15 % more for each step, and no end at 100.
fn time_limit(tenacity: u32) -> Duration {
    match tenacity {
        0..=10 => Duration::from_micros(u64::from(tenacity) * 50),
        11..=99 => {
            let steps = f64::from(tenacity) - 10.0;
            Duration::from_micros((500.0 * 1.15_f64.powf(steps)) as u64)
        }
        _ => Duration::MAX,
    }
}

/// What a policy's name asks for; `None` for no eviction.
pub fn policy(name: &str) -> Option<(Scope, Order)> {
    let (scope, order) = name.split_once('-')?;
    let scope = if scope == "volatile" { Scope::Volatile } else { Scope::All };
    let order = match order {
        "lru" | "lrm" => Order::Idle,
        "lfu" => Order::Frequency,
        "ttl" => Order::Deadline,
        "s3fifo" => Order::Recurrence,
        _ => Order::Random,
    };
    Some((scope, order))
}

#[cfg(test)]
mod tests;
