//! Counters. Each worker moves its own, nobody else writes them, and INFO adds them up.
//!
//! Only the owner stores into a counter, and without a locked instruction. So CONFIG RESETSTAT does
//! not store zeros behind the owner's back: what moves under the gate is zeroed while the gate's
//! write side is held, and everything else remembers from which value on it counts.

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::CachePadded;
use spec::command::Id;

use crate::felt::Parts;
use crate::histogram::{Histogram, Totals};
use crate::server::Server;

/// A counter that its owner moves only while it holds the gate's read side.
#[derive(Default, Debug)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it; only from the thread that owns it.
    #[inline]
    pub fn add(&self, count: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    }

    /// Its value.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// A counter that its owner moves at any time.
#[derive(Default, Debug)]
pub struct Tally {
    counter: Counter,
    /// The counter's value at the last reset.
    since: AtomicU64,
}

impl Tally {
    /// Adds to it; only from the thread that owns it.
    #[inline]
    pub fn add(&self, count: u64) {
        self.counter.add(count);
    }

    /// Takes back what was added; only from the thread that owns it.
    pub fn take_back(&self, count: u64) {
        self.counter.add(count.wrapping_neg());
    }

    /// How much was added since the last reset.
    #[inline]
    pub fn get(&self) -> u64 {
        self.counter.get().wrapping_sub(self.since.load(Ordering::Relaxed))
    }

    fn reset(&self) {
        self.since.store(self.counter.get(), Ordering::Relaxed);
    }
}

/// The highest of many values.
#[derive(Default, Debug)]
pub struct Peak(AtomicU64);

impl Peak {
    /// Raises it to at least `value`; only from the thread that owns it.
    pub fn raise(&self, value: u64) {
        if value > self.get() {
            self.0.store(value, Ordering::Relaxed);
        }
    }

    /// The highest value since the last reset.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    fn reset(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

/// What happened to one command on one worker.
#[derive(Default, Debug)]
pub struct CommandStats {
    /// Times it ran.
    pub calls: Counter,
    /// Nanoseconds it took in all.
    pub nanoseconds: Counter,
    /// Times it was refused before it ran.
    pub rejected: Counter,
    /// Times it answered with an error.
    pub failed: Counter,
    /// How long it took each time.
    pub latency: Histogram,
}

/// The counters of one worker.
#[derive(Default, Debug)]
pub struct Stats {
    /// By command number.
    pub commands: Vec<CommandStats>,
    /// Commands run.
    pub processed: Tally,
    /// Batches of commands that were parsed together.
    pub batches: Tally,
    /// Connections accepted.
    pub connections: Tally,
    /// Connections refused for `maxclients` or protected mode.
    pub rejected_connections: Tally,
    /// Bytes read from clients.
    pub bytes_in: Tally,
    /// Bytes written to clients.
    pub bytes_out: Tally,
    /// Reads on sockets.
    pub reads: Tally,
    /// Writes on sockets.
    pub writes: Tally,
    /// Lookups that found their key.
    pub hits: Tally,
    /// Lookups that did not.
    pub misses: Tally,
    /// Keys removed because their time had come.
    pub expired: Tally,
    /// Keys removed because memory was short.
    pub evicted: Tally,
    /// Fields of hashes removed because their time had come.
    pub expired_fields: Tally,
    /// Nanoseconds spent on removing keys that nobody asked for.
    pub expire_ns: Tally,
    /// Times that work had to stop so that clients had their turn.
    pub expire_capped: Tally,
    /// Changes to the data. Never set back: a save remembers how far it came.
    pub dirty: Tally,
    /// Turns of the event loop.
    pub cycles: Tally,
    /// Turns in which commands ran.
    pub cycles_with_commands: Tally,
    /// Nanoseconds that turns of the event loop took.
    pub cycles_ns: Tally,
    /// Nanoseconds of these that commands took.
    pub commands_ns: Tally,
    /// Nanoseconds of these that periodic work took.
    pub cron_ns: Tally,
    /// The longest turn in nanoseconds.
    pub cycle_ns_max: Peak,
    /// Most commands in one turn.
    pub cycle_commands_max: Peak,
    /// Connections closed for a query buffer over its limit.
    pub query_buffer_limit: Tally,
    /// Connections closed for an output buffer over its limit.
    pub output_buffer_limit: Tally,
    /// Errors replied.
    pub errors: Tally,
    /// How long clients waited, and for what.
    pub felt: Parts,
}

impl Stats {
    /// Zeroes for a number of commands.
    pub fn new(commands: usize) -> CachePadded<Self> {
        let rows = (0..commands).map(|_| CommandStats::default()).collect();
        CachePadded::new(Self { commands: rows, ..Self::default() })
    }

    fn reset(&self) {
        for command in &self.commands {
            command.calls.reset();
            command.nanoseconds.reset();
            command.rejected.reset();
            command.failed.reset();
            command.latency.reset();
        }
        for tally in [
            &self.processed,
            &self.batches,
            &self.connections,
            &self.rejected_connections,
            &self.bytes_in,
            &self.bytes_out,
            &self.reads,
            &self.writes,
            &self.hits,
            &self.misses,
            &self.expired,
            &self.expired_fields,
            &self.evicted,
            &self.expire_ns,
            &self.expire_capped,
            &self.cycles,
            &self.cycles_with_commands,
            &self.cycles_ns,
            &self.commands_ns,
            &self.cron_ns,
            &self.query_buffer_limit,
            &self.output_buffer_limit,
            &self.errors,
        ] {
            tally.reset();
        }
        self.felt.reset();
        self.cycle_ns_max.reset();
        self.cycle_commands_max.reset();
    }
}

/// How long a command took each time, on all workers together; `None` when it never ran.
pub fn latency_of(server: &Server, id: Id) -> Option<Totals> {
    let commands = server.workers.iter().map(|worker| &worker.stats.commands);
    Totals::of(commands.map(|commands| &commands[usize::from(id)].latency))
}

/// What CONFIG RESETSTAT does: every statistic begins anew. The caller is alone (see
/// [`keyspace::Keyspace::alone`]): no worker runs a command meanwhile.
pub fn reset(server: &Server) {
    for worker in &server.workers {
        worker.stats.reset();
    }
    server.errors.reset();
    server.defrag.reset();
    server.rates.reset();
    server.background.reset();
    server.footprint.reset();
    server.excess.reset();
    server.scripting.scripts.lock().evicted = 0;
}

#[cfg(test)]
mod tests;
