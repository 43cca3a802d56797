//! What a worker does in each turn beside its connections: loading, expiry, the limit on memory,
//! the snapshot under way, periodic work.
//!
//! Invariant: each of them does a bounded piece of its work.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use keyspace::Change;

use super::Thread;
use crate::local::Local;
use crate::server::Server;
use crate::session::State;
use crate::{blocked, commit, evict, snapshot, standby};

/// Keys that are expired before other threads have their turn at a shard and at the gate.
const EXPIRE_BUDGET: u32 = 200;
/// How long expiring goes on, in steps of that many keys, while clients wait.
const EXPIRE_TIME_MAX: Duration = Duration::from_micros(500);

impl Thread {
    /// Takes in what was read of the file that is being loaded.
    pub(super) fn load(&mut self) {
        if self.server.state().any(State::LOADING) {
            let server = Arc::clone(&self.server);
            server.persistence.feed.take_in(&server, &mut self.local);
            if self.local.id == 0 {
                self.server.aof.replay.take_in(&self.server, &mut self.local);
            }
        }
    }

    /// Whether keys are removed that nobody asks for.
    pub(super) fn expires_keys(&self) -> bool {
        let is_active = self.server.active_expire.load(Ordering::Relaxed);
        let is_loading = self.server.state().any(State::LOADING);
        is_active && !is_loading && !self.local.tunables.import_mode
    }

    /// Removes keys of this worker's lane whose time has come.
    pub(super) fn expire(&mut self) {
        if self.server.state().any(State::PAUSED) || !self.expires_keys() {
            return;
        }
        let lane = self.local.id as u32;
        let due = self.server.keyspace.lane_due_ms(lane);
        if due == u64::MAX {
            return;
        }
        self.local.look_at_clock();
        if due > self.local.now_ms().max(0) as u64 {
            return;
        }
        let began = Instant::now();
        let server = Arc::clone(&self.server);
        let capped = loop {
            let mut budget = EXPIRE_BUDGET;
            let mut gate = standby::enter(&server, &mut self.local);
            self.local.follow_config(&server);
            self.expire_some(&server, &mut budget);
            if !self.local.change.is_empty() {
                commit::expired(&server, &mut self.local);
            }
            self.local.late.extend(self.local.ready.drain(..));
            if !self.local.late.is_empty() {
                blocked::serve_late(&server, &mut self.local, &mut gate);
            }
            drop(gate);
            if budget > 0 || began.elapsed() >= EXPIRE_TIME_MAX {
                break budget == 0;
            }
        };
        let stats = server.stats(self.local.id);
        let took = began.elapsed();
        stats.expire_capped.add(u64::from(capped));
        stats.expire_ns.add(took.as_nanos() as u64);
        server.latency.note("expire-cycle", took);
    }

    /// Removes at most so many keys of this worker's lane, and tells the log.
    pub(super) fn expire_some(&mut self, server: &Server, budget: &mut u32) {
        let (lane, now_ms) = (self.local.id as u32, self.local.now_ms());
        let wants = || keyspace::Wants(server.wants.load(Ordering::Relaxed));
        let mut turn = self.local.desk.expire_turn;
        let Local { change, outlet, now_us, .. } = &mut self.local;
        let propagate = |change: &mut Change| {
            outlet.unit.push_records(change.records());
            outlet.append(&server.aof, false, *now_us);
        };
        server.keyspace.expire(lane, now_ms, &mut turn, budget, change, (wants, propagate));
        self.local.desk.expire_turn = turn;
    }

    /// Looks at the limit on memory, when it is time.
    pub(super) fn evict(&mut self) {
        if !evict::is_due(&self.local) {
            return;
        }
        let server = Arc::clone(&self.server);
        let mut gate = standby::enter(&server, &mut self.local);
        self.local.follow_config(&server);
        evict::settle(&server, &mut self.local, &mut gate);
        drop(gate);
        self.local.wake_workers(&server);
    }

    /// Walks on with the snapshot under way; one worker sees to its end.
    pub(super) fn snapshot(&mut self, began: Instant) {
        let served = (self.local.turn_commands > 0).then(|| began.elapsed());
        let server = Arc::clone(&self.server);
        self.local.desk.pace = snapshot::walk(&server, &mut self.local, served);
        if self.local.id == 0 {
            self.server.persistence.snapshots.tick(&self.server);
        }
    }

    /// Periodic work, when its time has come.
    pub(super) fn cron(&mut self, now: Instant) {
        if now < self.local.desk.next_cron {
            return;
        }
        for listener in std::mem::take(&mut self.local.desk.accept_later) {
            self.accept(listener);
        }
        self.end_lingering(now);
        let began = Instant::now();
        self.local.desk.next_cron =
            began + Duration::from_millis(1000 / self.local.tunables.hz.clamp(1, 500));
        let server = Arc::clone(&self.server);
        if server.knobs.cron_paused.load(Ordering::Relaxed) {
            return;
        }
        self.local.look_at_clock();
        let mut cron = std::mem::take(&mut self.local.desk.cron);
        let doomed = cron.run(&server, &mut self.local);
        self.local.desk.cron = cron;
        for token in doomed {
            if let Some(conn) = self.local.desk.conns[token].take() {
                self.close(token, conn);
            }
        }
        server.stats(self.local.id).cron_ns.add(began.elapsed().as_nanos() as u64);
    }

    /// Lets paused clients go on when their time is over. One worker looks after that.
    pub(super) fn end_pause(&mut self) {
        if self.local.id == 0 && self.server.state().any(State::PAUSED) {
            self.server.end_pause(self.local.now_ms());
        }
    }

    pub(super) fn count_turn(&self, began: Instant) {
        let stats = self.server.stats(self.local.id);
        let took = began.elapsed().as_nanos() as u64;
        stats.cycles.add(1);
        stats.cycles_with_commands.add(u64::from(self.local.turn_commands > 0));
        stats.cycles_ns.add(took);
        stats.cycle_ns_max.raise(took);
        stats.commands_ns.add(self.local.turn_nanoseconds);
        stats.cycle_commands_max.raise(self.local.turn_commands);
    }
}
