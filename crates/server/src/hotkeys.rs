//! The keys that are used most, for HOTKEYS in both of its dialects.
//!
//! Each worker has sketches of its own behind a lock that only a reader ever contends: one of a
//! share of all commands by time windows (Valkey's form), always, and two of a session's (Redis's
//! form), by the time and by the bytes that commands of a key took. A sketch is Space-Saving
//! (Metwally, Agrawal, El Abbadi 2005): a fixed number of keys, of which the least used makes room
//! for a new one and leaves it its count. So a count is never too small for a key that is there.

use std::sync::atomic::{AtomicU64, Ordering};

use commands::Args;
use parking_lot::Mutex;

use crate::keys;
use crate::local::Local;
use crate::rows::{KeyPlan, Row};
use crate::server::Server;
use crate::session::State;
use crate::sys::{self, CpuTimes, Whose};
use crate::tunables::Tunables;

/// Keys of a sketch for each key that is shown, so that those shown are counted well.
const KEPT_OF_ONE: usize = 4;
/// Keys that a sketch has at least.
const KEPT_MIN: usize = 64;
/// Longer keys are left out: a sketch is to stay small.
const KEY_MAX: usize = 4096;

/// One key as it is shown.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its database.
    pub db: u32,
    /// The key.
    pub key: Box<[u8]>,
    /// How much it was used, as far as known.
    pub count: u64,
}

/// See the module's text. What is looked through for each key lies together: a key that is not
/// there, as most are not, costs a look at two small arrays and no allocation.
#[derive(Clone, Default, Debug)]
pub struct Sketch {
    hashes: Vec<u64>,
    counts: Vec<u64>,
    keys: Vec<(u32, Vec<u8>)>,
}

impl Sketch {
    /// Adds to a key's count; the sketch has so many keys at most.
    fn add(&mut self, room: usize, (db, hash, key): (u32, u64, &[u8]), count: u64) {
        if let Some(at) = self.place_of(db, hash, key) {
            self.counts[at] += count;
        } else if self.hashes.len() < room {
            self.hashes.push(hash);
            self.counts.push(count);
            self.keys.push((db, key.to_vec()));
        } else if let Some(at) = self.least() {
            self.hashes[at] = hash;
            self.counts[at] += count;
            let (its_db, its_key) = &mut self.keys[at];
            *its_db = db;
            its_key.clear();
            its_key.extend_from_slice(key);
        }
    }

    fn place_of(&self, db: u32, hash: u64, key: &[u8]) -> Option<usize> {
        let is = |at: &usize| self.keys[*at].0 == db && self.keys[*at].1 == key;
        let same = self.hashes.iter().enumerate().filter(|(_, other)| **other == hash);
        same.map(|(at, _)| at).find(is)
    }

    fn least(&self) -> Option<usize> {
        // Two plain passes are what compilers make the best of.
        let least = self.counts.iter().copied().min()?;
        self.counts.iter().position(|count| *count == least)
    }

    /// The sum of several sketches: the keys that are used most, first the most used.
    pub fn top(sketches: impl IntoIterator<Item = Self>, count: usize) -> Vec<Entry> {
        let mut sum = Self::default();
        for sketch in sketches {
            let counted = sketch.hashes.iter().zip(&sketch.counts);
            for ((hash, count), (db, key)) in counted.zip(&sketch.keys) {
                sum.add(usize::MAX, (*db, *hash, key), *count);
            }
        }
        let counted = sum.counts.into_iter().zip(sum.keys).filter(|(count, _)| *count > 0);
        let entry =
            |(count, (db, key)): (u64, (u32, Vec<u8>))| Entry { db, key: key.into(), count };
        let mut all: Vec<Entry> = counted.map(entry).collect();
        all.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.key.cmp(&other.key)));
        all.truncate(count);
        all
    }
}

/// What one worker has seen.
#[derive(Default, Debug)]
pub struct Heat {
    /// Of the present window.
    live: Sketch,
    /// Its number.
    window: i64,
    /// Of the window before.
    frozen: Sketch,
    /// By nanoseconds, of the session.
    pub cpu: Sketch,
    /// By bytes, of the session.
    pub net: Sketch,
}

impl Heat {
    /// Goes on to a window.
    fn turn_to(&mut self, window: i64) {
        if self.window == window {
            return;
        }
        let live = std::mem::take(&mut self.live);
        self.frozen = if self.window + 1 == window { live } else { Sketch::default() };
        self.window = window;
    }
}

/// A session as HOTKEYS START asks for it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plan {
    /// Whether time is measured.
    pub cpu: bool,
    /// Whether bytes are.
    pub net: bool,
    /// Keys that are shown.
    pub count: usize,
    /// How long it lasts, milliseconds; 0 is until it is stopped.
    pub duration_ms: i64,
    /// One of so many keys is looked at.
    pub ratio: u64,
}

/// What all commands together took.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub struct Sums {
    /// Nanoseconds.
    pub commands_ns: u64,
    /// Bytes read and written.
    pub bytes: u64,
    /// The process's time on the processor.
    pub cpu: CpuTimes,
}

impl Sums {
    fn now(server: &Server) -> Self {
        Self {
            commands_ns: server.sum(|stats| stats.commands_ns.get()),
            bytes: server.sum(|stats| stats.bytes_in.get() + stats.bytes_out.get()),
            cpu: sys::cpu_times(Whose::Process),
        }
    }

    /// What was added since.
    pub fn since(self, before: Self) -> Self {
        Self {
            commands_ns: self.commands_ns.saturating_sub(before.commands_ns),
            bytes: self.bytes.saturating_sub(before.bytes),
            cpu: CpuTimes {
                user: self.cpu.user.saturating_sub(before.cpu.user),
                system: self.cpu.system.saturating_sub(before.cpu.system),
            },
        }
    }
}

/// A session that was started and not forgotten.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Session {
    /// What was asked for.
    pub plan: Plan,
    /// When it began, Unix milliseconds.
    pub began_ms: i64,
    /// What all commands had taken then.
    pub before: Sums,
    /// When it ended, and what all commands had taken then.
    pub end: Option<(i64, Sums)>,
}

impl Session {
    /// Its end, or now, and what all commands took from its beginning to then.
    pub fn sums(&self, server: &Server, now_ms: i64) -> (i64, Sums) {
        let (until_ms, sums) = self.end.unwrap_or_else(|| (now_ms, Sums::now(server)));
        (until_ms, sums.since(self.before))
    }
}

/// See the module's text.
#[derive(Default, Debug)]
pub struct Hotkeys {
    session: Mutex<Option<Session>>,
    /// Keys that a session's sketches have, and of how many keys one is looked at.
    room: AtomicU64,
    ratio: AtomicU64,
}

impl Hotkeys {
    /// The session, if there is one.
    pub fn session(&self) -> Option<Session> {
        *self.session.lock()
    }
}

fn is_running(session: &Option<Session>) -> bool {
    session.is_some_and(|session| session.end.is_none())
}

/// Begins a session; false when there is one under way.
pub fn start(server: &Server, plan: Plan, now_ms: i64) -> bool {
    let mut session = server.hotkeys.session.lock();
    if is_running(&session) {
        return false;
    }
    forget_session(server);
    server.hotkeys.room.store(room(plan.count) as u64, Ordering::Relaxed);
    server.hotkeys.ratio.store(plan.ratio.max(1), Ordering::Relaxed);
    *session = Some(Session { plan, began_ms: now_ms, before: Sums::now(server), end: None });
    server.put_state(State::PROFILED, true);
    true
}

/// Ends the session and keeps what it found; false when none is under way.
pub fn stop(server: &Server, now_ms: i64) -> bool {
    let mut session = server.hotkeys.session.lock();
    let Some(session) = session.as_mut().filter(|session| session.end.is_none()) else {
        return false;
    };
    server.put_state(State::PROFILED, false);
    session.end = Some((now_ms, Sums::now(server)));
    true
}

/// Ends the session when its time is over.
pub fn tick(server: &Server, now_ms: i64) {
    if !server.state().any(State::PROFILED) {
        return;
    }
    let is_over = server.hotkeys.session().is_some_and(|session| {
        let duration_ms = session.plan.duration_ms;
        duration_ms > 0 && now_ms >= session.began_ms + duration_ms
    });
    if is_over {
        stop(server, now_ms);
    }
}

/// Forgets the session and the windows; false when a session is under way.
pub fn reset(server: &Server) -> bool {
    let mut session = server.hotkeys.session.lock();
    if is_running(&session) {
        return false;
    }
    *session = None;
    for worker in &server.workers {
        *worker.heat.lock() = Heat::default();
    }
    true
}

fn forget_session(server: &Server) {
    for worker in &server.workers {
        let mut heat = worker.heat.lock();
        (heat.cpu, heat.net) = (Sketch::default(), Sketch::default());
    }
}

/// The most used keys of a session by one of its measures.
pub fn measured(server: &Server, count: usize, of: impl Fn(&Heat) -> &Sketch) -> Vec<Entry> {
    Sketch::top(server.workers.iter().map(|worker| of(&worker.heat.lock()).clone()), count)
}

/// The most used keys of the last window, by sampled commands.
pub fn last_window(server: &Server, count: usize, window: i64) -> Vec<Entry> {
    let frozen = server.workers.iter().map(|worker| {
        let mut heat = worker.heat.lock();
        heat.turn_to(window);
        heat.frozen.clone()
    });
    Sketch::top(frozen.collect::<Vec<_>>(), count)
}

/// Commands a second that came to a key in a whole window, by those of them that were sampled.
pub fn per_second(count: u64, tunables: &Tunables) -> u64 {
    count * u64::from(tunables.hotkeys_one_of) / tunables.hotkeys_window_s.max(1)
}

/// The number of the window that a time falls into.
pub fn window_at(now_ms: i64, seconds: u64) -> i64 {
    now_ms / 1000 / seconds.max(1) as i64
}

fn room(shown: usize) -> usize {
    (shown * KEPT_OF_ONE).max(KEPT_MIN)
}

/// Looks at a command that was picked: its nanoseconds, and its bytes in both directions.
#[cold]
pub fn look(
    server: &Server,
    local: &mut Local,
    row: &Row,
    args: &Args<'_>,
    db: u32,
    cost: [u64; 2],
) {
    let is_picked = local.hot_left == 0;
    if is_picked {
        // A distance that varies, so that a pattern of commands is not met at the same place.
        let every = local.tunables.hotkeys_one_of;
        local.hot_left = if every == 0 { u32::MAX } else { local.rng.u32(1..=every * 2 - 1) };
    }
    if matches!(row.keys, KeyPlan::None | KeyPlan::Walk) {
        return;
    }
    let argv = args.from(0);
    let mut positions: smallvec::SmallVec<[usize; 8]> = smallvec::SmallVec::new();
    if keys::positions(row.spec, argv, |at, _| positions.push(at)).is_err() {
        return;
    }
    let count = positions.len().max(1) as u64;
    let tunables = &local.tunables;
    let is_profiled = server.state().any(State::PROFILED);
    let ratio = server.hotkeys.ratio.load(Ordering::Relaxed).max(1);
    let session_room = server.hotkeys.room.load(Ordering::Relaxed) as usize;
    let heat = &mut *server.workers[local.id].heat.lock();
    let is_kept = is_picked && tunables.hotkeys_shown > 0 && tunables.hotkeys_one_of > 0;
    if is_kept {
        heat.turn_to(window_at(local.now_us / 1000, tunables.hotkeys_window_s));
    }
    for at in positions {
        let key = argv[at];
        if key.len() > KEY_MAX {
            continue;
        }
        let place = (db, server.keyspace.hash(key), key);
        if is_kept {
            heat.live.add(room(tunables.hotkeys_shown), place, 1);
        }
        if is_profiled && place.1.is_multiple_of(ratio) {
            heat.cpu.add(session_room, place, cost[0] / count);
            heat.net.add(session_room, place, cost[1] / count);
        }
    }
}

#[cfg(test)]
mod tests;
