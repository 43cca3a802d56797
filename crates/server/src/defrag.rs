//! Defragmentation (`activedefrag`): who decides that it is needed, and when workers do some of it.
//!
//! The allocator cuts pages into places of one size, and a page is given back when all of its
//! places are free. After many deletions most pages have some free places and none is empty. What
//! helps is to move what is in the emptiest of them: the allocator puts it into free places of
//! others.
//!
//! The first worker looks ten times a second at how much is lost in this way and decides how much
//! time is worth it. Each worker walks over the keys of its lane, for a slice of
//! `active-defrag-cycle-us` at a time, and rests between two slices for as long as that share asks.
//! The first worker walks over the scripts, too. This does not know how keys are moved
//! (`keyspace::relocate`), nor how the allocator tells of its pages (`sys::slabs`).

use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use keyspace::Walk;

use crate::local::Local;
use crate::scripting::{Digest, FIRST_DIGEST};
use crate::server::Server;
use crate::session::State;
use crate::{standby, sys};

/// After a walk that moved next to nothing the next one begins so much later.
const REST: Duration = Duration::from_secs(1);

/// Fewer than one in so many that are moved is next to nothing: there are always some slabs that
/// are not full, and what lies in them takes turns.
const WORTH: u64 = 50;

/// What the configuration says of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Terms {
    /// `activedefrag`.
    pub is_on: bool,
    /// Bytes lost below which nothing is done.
    pub ignored_bytes: u64,
    /// Bytes lost as a percentage of those in use: from where on something is done, and from where
    /// on the most.
    pub lower: u32,
    /// See `lower`.
    pub upper: u32,
    /// Percentages of a worker's time.
    pub least: u32,
    /// See `least`.
    pub most: u32,
    /// How long a slice is.
    pub slice_us: u64,
}

/// What all workers know of it, and what came of it.
#[derive(Default, Debug)]
pub struct Defrag {
    /// The share of a worker's time that it gets, in percent; 0 while it rests.
    effort: AtomicU32,
    /// Since when it runs, Unix microseconds; 0 while it does not.
    since_us: AtomicI64,
    total_us: AtomicU64,
    hits: AtomicU64,
    misses: AtomicU64,
    key_hits: AtomicU64,
    key_misses: AtomicU64,
}

/// What came of it since the start, or since it was reset.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// The share of a worker's time that it gets, in percent.
    pub effort: u32,
    /// Allocations that were moved, and those that were looked at and stayed.
    pub hits: u64,
    /// See `hits`.
    pub misses: u64,
    /// Keys of which something was moved, and those of which nothing was.
    pub key_hits: u64,
    /// See `key_hits`.
    pub key_misses: u64,
    /// Milliseconds for which it ran, in all and now.
    pub total_ms: u64,
    /// See `total_ms`.
    pub current_ms: u64,
}

/// Where a worker is.
#[derive(Default)]
pub struct Course {
    walk: Walk,
    /// The next script, once all keys have been passed.
    script: Option<Digest>,
    /// When its next slice begins.
    next: Option<Instant>,
    /// Allocations that were moved since the walk began, and that were looked at.
    moved: u64,
    looked: u64,
}

impl Defrag {
    /// What came of it, by a time in Unix microseconds.
    pub fn figures(&self, now_us: i64) -> Figures {
        let get = |count: &AtomicU64| count.load(Ordering::Relaxed);
        let since = self.since_us.load(Ordering::Relaxed);
        let current_us = if since == 0 { 0 } else { (now_us - since).max(0) as u64 };
        Figures {
            effort: self.effort.load(Ordering::Relaxed),
            hits: get(&self.hits),
            misses: get(&self.misses),
            key_hits: get(&self.key_hits),
            key_misses: get(&self.key_misses),
            total_ms: (get(&self.total_us) + current_us) / 1000,
            current_ms: current_us / 1000,
        }
    }

    /// Begins to count anew.
    pub fn reset(&self) {
        for count in [&self.hits, &self.misses, &self.key_hits, &self.key_misses, &self.total_us] {
            count.store(0, Ordering::Relaxed);
        }
    }

    /// Decides whether it runs, and with which effort; by the first worker, ten times a second.
    pub fn decide(&self, terms: &Terms, now_us: i64) {
        let effort = if terms.is_on { effort(terms, sys::slabs::loss()) } else { 0 };
        let before = self.effort.swap(effort, Ordering::Relaxed);
        if before == 0 && effort > 0 {
            self.since_us.store(now_us, Ordering::Relaxed);
        } else if before > 0 && effort == 0 {
            let since = self.since_us.swap(0, Ordering::Relaxed);
            self.total_us.fetch_add((now_us - since).max(0) as u64, Ordering::Relaxed);
        }
    }
}

/// The share of a worker's time that is worth it, in percent, when so many bytes are lost beside so
/// many in use.
fn effort(terms: &Terms, (lost, used): (u64, u64)) -> u32 {
    let percent = (u128::from(lost) * 100).checked_div(u128::from(used)).unwrap_or(0);
    let percent = u32::try_from(percent).unwrap_or(u32::MAX);
    if lost < terms.ignored_bytes || percent < terms.lower {
        return 0;
    }
    let (least, most) = (terms.least.min(terms.most), terms.most);
    let (above, span) = (percent - terms.lower, terms.upper.saturating_sub(terms.lower));
    if above >= span {
        return most;
    }
    least + (u64::from(most - least) * u64::from(above) / u64::from(span)) as u32
}

/// How long a worker may sleep before its next slice; nothing while there is none.
pub fn patience(server: &Server, local: &Local) -> Option<Duration> {
    if server.defrag.effort.load(Ordering::Relaxed) == 0 {
        return None;
    }
    let now = Instant::now();
    Some(local.desk.defrag.next.map_or(Duration::ZERO, |next| next.saturating_duration_since(now)))
}

/// One slice, when its time has come.
pub fn run(server: &Server, local: &mut Local) {
    let effort = server.defrag.effort.load(Ordering::Relaxed);
    if effort == 0 || patience(server, local) != Some(Duration::ZERO) {
        return;
    }
    if server.persistence.snapshots.is_active() || server.state().any(State::LOADING) {
        local.desk.defrag.next = Some(Instant::now() + REST / 10);
        return;
    }
    let began = Instant::now();
    let slice = Duration::from_micros(local.tunables.defrag.slice_us.max(1));
    let mut course = std::mem::take(&mut local.desk.defrag);
    let is_vain = walk(server, local, &mut course, began + slice);
    let took = began.elapsed();
    let rest = if is_vain { REST } else { took * (100 - effort) / effort };
    course.next = Some(Instant::now() + rest);
    local.desk.defrag = course;
    server.latency.note("active-defrag-cycle", took);
}

/// Walks until a moment; whether a walk has come to its end that moved next to
/// nothing.
fn walk(server: &Server, local: &mut Local, course: &mut Course, end: Instant) -> bool {
    let gate = standby::enter(server, local);
    let (mut hits, mut misses) = (0, 0);
    let mut is_through = false;
    let query = sys::slabs::Query::new();
    let mut pays = |address: *const u8| {
        let is_hit = query.is_sparse(address);
        *(if is_hit { &mut hits } else { &mut misses }) += 1;
        is_hit
    };
    sys::slabs::without_cache(|| {
        loop {
            is_through = go_on(server, local.id, course, &mut pays);
            if is_through || Instant::now() >= end {
                break;
            }
        }
    });
    drop(gate);
    let counts = &server.defrag;
    counts.hits.fetch_add(hits, Ordering::Relaxed);
    counts.misses.fetch_add(misses, Ordering::Relaxed);
    course.moved += hits;
    course.looked += hits + misses;
    if !is_through {
        return false;
    }
    let (moved, looked) = (std::mem::take(&mut course.moved), std::mem::take(&mut course.looked));
    moved * WORTH <= looked
}

/// Goes on by some keys, or behind the last of them by some scripts; whether that was the end.
fn go_on(server: &Server, worker: usize, course: &mut Course, pays: value::Pays<'_>) -> bool {
    if let Some(script) = course.script {
        course.script = server.scripting.scripts.lock().relocate(script, pays);
        return course.script.is_none();
    }
    let step = server.keyspace.relocate(worker as u32, &mut course.walk, pays);
    server.defrag.key_hits.fetch_add(step.moved, Ordering::Relaxed);
    server.defrag.key_misses.fetch_add(step.left, Ordering::Relaxed);
    course.script = (step.is_through && worker == 0).then_some(FIRST_DIGEST);
    step.is_through && worker != 0
}

#[cfg(test)]
mod tests;
