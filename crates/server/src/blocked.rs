//! Clients whose commands wait for keys: who waits for what, in what order, and who has been
//! answered (`docs/design/blocking.md`).
//!
//! Each shard has a cell with the queues of its keys. A client enters the queues of all its keys
//! while their shards are held, right after an attempt that found nothing, and a write looks at the
//! queues of the keys it changed while it holds theirs: so neither misses the other. Invariants: a
//! waiter is answered once, by whoever finds it waiting under the lock of its `stage`; whoever does
//! takes it out of the queues. Both locks are taken last; that of a stage before that of a cell,
//! while the waiter's command runs, and never the other way round.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::ops::Bound;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use keyspace::{Kind, Wants};
use parking_lot::Mutex;
use resp::Proto;
use smallvec::SmallVec;
use spec::command::Id;

use crate::registry::Client;
use crate::server::Server;
use crate::session::State;

mod serve;
#[cfg(test)]
mod tests;

pub use serve::{
    Ready, collect, count, park, park_until, retry, serve, serve_late, take, wait, with_shards,
};

/// Most shards that are taken beside a command's own for those who wait for its keys.
const COVER_MAX: usize = 32;

/// A set of shards.
pub type ShardSet = SmallVec<[u32; 8]>;

/// A client that waits, with the command that it waits with.
#[derive(Debug)]
pub struct Waiter {
    /// Its place in every queue: lower ones came first.
    ticket: u64,
    /// The client.
    pub client: Arc<Client>,
    /// The number of its command.
    pub row: Id,
    db: u32,
    state: State,
    proto: Proto,
    argv: Vec<Box<[u8]>>,
    keys: Vec<Box<[u8]>>,
    kind: Kind,
    on_loss: bool,
    /// Whether the passing of time may be what it waits for.
    is_timed: bool,
    /// All shards that its command reaches into.
    shards: ShardSet,
    /// When its time is up.
    pub until: Option<Instant>,
    /// What it is told then.
    pub lapse: Lapse,
    /// When to try again by the clock, Unix milliseconds; `i64::MAX` for never.
    pub again_ms: AtomicI64,
    /// Nanoseconds that its command took before it waited.
    pub spent_ns: AtomicU64,
    stage: Mutex<Stage>,
}

/// What a client is told whose time is up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Lapse {
    /// That there is nothing.
    Nothing,
    /// How many copies have what it wrote.
    Copies,
    /// Whether the log is on the disk up to a position, and then the same.
    Log(u64),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stage {
    Waiting,
    Over,
}

impl Waiter {
    /// The number of this wait, never used twice.
    pub fn ticket(&self) -> u64 {
        self.ticket
    }

    /// Decides that the caller answers it; false when somebody else does.
    fn claim(&self) -> bool {
        std::mem::replace(&mut *self.stage.lock(), Stage::Over) == Stage::Waiting
    }

    /// Whether somebody has decided what its answer is.
    pub fn is_over(&self) -> bool {
        *self.stage.lock() == Stage::Over
    }

    /// The protocol that its client speaks.
    pub fn proto(&self) -> Proto {
        self.proto
    }

    /// Whether it waits for keys.
    pub fn waits_for_keys(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Whether it may be told to stop waiting.
    pub fn may_stop(&self) -> bool {
        self.waits_for_keys() || self.lapse != Lapse::Nothing
    }

    /// Whether the client wants no reply to this command.
    pub fn is_mute(&self) -> bool {
        self.state.any(State::REPLY_OFF.with(State::REPLY_SKIP))
    }
}

/// Those who wait for one key, by their tickets.
#[derive(Default)]
struct Queue {
    waiters: BTreeMap<u64, Arc<Waiter>>,
    /// How many of them want to know when the key is gone.
    on_loss: usize,
}

/// The queues of the keys of one name, with the numbers of their databases.
type KeyQueues = SmallVec<[(u32, Queue); 1]>;

/// What a shard's keys are waited for.
#[derive(Default)]
struct Cell {
    queues: BTreeMap<Box<[u8]>, KeyQueues>,
    /// Other shards that the waiters' commands reach into, and how many of them do.
    reach: BTreeMap<u32, usize>,
}

/// See the module's text.
pub struct Blocked {
    cells: Box<[CachePadded<Mutex<Cell>>]>,
    clients: Mutex<ClientCounts>,
    next_ticket: AtomicU64,
}

/// How many clients wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct ClientCounts {
    /// All of them.
    pub waiting: u64,
    /// Those that do not wait for ever.
    pub with_timeout: u64,
}

/// How many keys are waited for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeyCounts {
    /// All of them.
    pub keys: u64,
    /// Those of which somebody wants to know when they are gone.
    pub on_loss: u64,
}

/// Whom a queue is asked for.
struct Sought<'a> {
    db: u32,
    key: &'a [u8],
    /// What the key holds, if it is there.
    kind: Option<Kind>,
    /// Only those who may wait for time to pass.
    timed: bool,
}

impl Blocked {
    /// Nobody waits, for the keys of so many shards.
    pub fn new(shards: usize) -> Self {
        Self {
            cells: (0..shards).map(|_| CachePadded::default()).collect(),
            clients: Mutex::new(ClientCounts::default()),
            next_ticket: AtomicU64::new(1),
        }
    }

    /// How many clients wait.
    pub fn clients(&self) -> ClientCounts {
        *self.clients.lock()
    }

    /// How many keys are waited for.
    pub fn keys(&self) -> KeyCounts {
        let mut counts = KeyCounts::default();
        for cell in &self.cells {
            for (_, queue) in cell.lock().queues.values().flatten() {
                counts.keys += 1;
                counts.on_loss += u64::from(queue.on_loss > 0);
            }
        }
        counts
    }

    /// Enters the queues. The caller holds the shards of the waiter.
    fn enter(&self, waiter: &Arc<Waiter>, wants: &AtomicU8, shard_of: impl Fn(&[u8]) -> u32) {
        let mut clients = self.clients.lock();
        clients.waiting += 1;
        clients.with_timeout += u64::from(waiter.until.is_some());
        if waiter.waits_for_keys() {
            wants.fetch_or(Wants::WAITERS.0, Ordering::SeqCst);
        }
        drop(clients);
        for key in &waiter.keys {
            let mut cell = self.cells[shard_of(key) as usize].lock();
            let queues = cell.queues.entry(key.clone()).or_default();
            let at = queues.iter().position(|(db, _)| *db == waiter.db).unwrap_or_else(|| {
                queues.push((waiter.db, Queue::default()));
                queues.len() - 1
            });
            let queue = &mut queues[at].1;
            let is_new = queue.waiters.insert(waiter.ticket, Arc::clone(waiter)).is_none();
            queue.on_loss += usize::from(is_new && waiter.on_loss);
        }
        self.each_reach(waiter, |reach, shard| *reach.entry(shard).or_default() += 1);
    }

    /// Leaves the queues. The caller has made the waiter's stage `Over`.
    fn leave(&self, waiter: &Waiter, wants: &AtomicU8, shard_of: impl Fn(&[u8]) -> u32) {
        for key in &waiter.keys {
            let mut cell = self.cells[shard_of(key) as usize].lock();
            let Some(queues) = cell.queues.get_mut(key) else { continue };
            queues.retain_mut(|(db, queue)| {
                if *db == waiter.db && queue.waiters.remove(&waiter.ticket).is_some() {
                    queue.on_loss -= usize::from(waiter.on_loss);
                }
                !queue.waiters.is_empty()
            });
            if queues.is_empty() {
                cell.queues.remove(key);
            }
        }
        self.each_reach(waiter, |reach, shard| {
            if let Entry::Occupied(mut count) = reach.entry(shard) {
                *count.get_mut() -= 1;
                if *count.get() == 0 {
                    count.remove();
                }
            }
        });
        let mut clients = self.clients.lock();
        clients.waiting -= 1;
        clients.with_timeout -= u64::from(waiter.until.is_some());
        if clients.waiting == 0 {
            wants.fetch_and(!Wants::WAITERS.0, Ordering::SeqCst);
        }
    }

    /// Visits what each shard of a waiter knows of its other shards.
    fn each_reach(&self, waiter: &Waiter, change: impl Fn(&mut BTreeMap<u32, usize>, u32)) {
        for from in &waiter.shards {
            for to in waiter.shards.iter().filter(|to| *to != from) {
                change(&mut self.cells[*from as usize].lock().reach, *to);
            }
        }
    }

    /// Whether anybody waits for a key.
    fn is_awaited(&self, shard: u32, db: u32, key: &[u8]) -> bool {
        let cell = self.cells[shard as usize].lock();
        cell.queues.get(key).is_some_and(|queues| queues.iter().any(|queue| queue.0 == db))
    }

    /// All keys of a database that are waited for.
    fn awaited_keys(&self, db: u32) -> Vec<Box<[u8]>> {
        let mut keys = Vec::new();
        for cell in &self.cells {
            let cell = cell.lock();
            let wanted = cell.queues.iter().filter(|(_, queues)| queues.iter().any(|q| q.0 == db));
            keys.extend(wanted.map(|(key, _)| key.clone()));
        }
        keys
    }

    /// The first one behind a ticket that has an attempt due.
    fn next(&self, shard: u32, behind: u64, sought: &Sought<'_>) -> Option<Arc<Waiter>> {
        let cell = self.cells[shard as usize].lock();
        let (_, queue) = cell.queues.get(sought.key)?.iter().find(|queue| queue.0 == sought.db)?;
        if sought.kind.is_none() && queue.on_loss == 0 {
            return None;
        }
        let is_due = |waiter: &&Arc<Waiter>| {
            (waiter.on_loss || sought.kind == Some(waiter.kind))
                && (waiter.is_timed || !sought.timed)
        };
        let range = (Bound::Excluded(behind), Bound::Unbounded);
        queue.waiters.range(range).map(|(_, waiter)| waiter).find(is_due).cloned()
    }

    /// Adds the shards that serving takes to those of a command's keys: the shards that the waiters
    /// for keys in these reach into, and so on. Conservative: waiters for other keys of the same
    /// shards count as well. False when there are too many.
    pub fn cover(&self, shards: &mut ShardSet) -> bool {
        let mut at = 0;
        while at < shards.len() {
            let cell = self.cells[shards[at] as usize].lock();
            for shard in cell.reach.keys() {
                if !shards.contains(shard) {
                    shards.push(*shard);
                }
            }
            drop(cell);
            if shards.len() > COVER_MAX {
                return false;
            }
            at += 1;
        }
        true
    }
}

impl Server {
    /// Ends a wait, and takes the client out of the queues; false when it has its answer already.
    /// The caller gives the answer.
    pub fn end_wait(&self, waiter: &Waiter) -> bool {
        let first = waiter.claim();
        if first {
            self.leave_queues(waiter);
        }
        first
    }

    fn leave_queues(&self, waiter: &Waiter) {
        let shard_of = |key: &[u8]| self.keyspace.shard_of(self.keyspace.hash(key));
        self.blocked.leave(waiter, &self.wants, shard_of);
    }
}

/// The moment of a Unix time in milliseconds.
pub fn moment(unix_ms: i64) -> Instant {
    let left_ms = unix_ms.saturating_sub(crate::clock::unix_ms()).max(0);
    let now = Instant::now();
    // What no clock can show is as good as never: ten years.
    let far = now + Duration::from_secs(10 * 365 * 86_400);
    now.checked_add(Duration::from_millis(left_ms as u64)).unwrap_or(far)
}
