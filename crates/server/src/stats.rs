//! Counters. Each worker moves its own, nobody else writes them, and INFO adds them up.

use std::sync::atomic::{AtomicU64, Ordering};

use crossbeam_utils::CachePadded;

use crate::histogram::Histogram;

/// A counter that one thread moves and all may read: no locked instruction.
#[derive(Default, Debug)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds to it; only from the thread that owns it.
    #[inline]
    pub fn add(&self, count: u64) {
        self.0.store(self.0.load(Ordering::Relaxed).wrapping_add(count), Ordering::Relaxed);
    }

    /// Raises it to at least `value`; only from the thread that owns it.
    pub fn raise(&self, value: u64) {
        if value > self.get() {
            self.set(value);
        }
    }

    /// Its value.
    #[inline]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Sets it.
    pub fn set(&self, value: u64) {
        self.0.store(value, Ordering::Relaxed);
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
    pub processed: Counter,
    /// Connections accepted.
    pub connections: Counter,
    /// Connections refused for `maxclients` or protected mode.
    pub rejected_connections: Counter,
    /// Bytes read from clients.
    pub bytes_in: Counter,
    /// Bytes written to clients.
    pub bytes_out: Counter,
    /// Reads and writes on sockets.
    pub reads: Counter,
    /// See `reads`.
    pub writes: Counter,
    /// Lookups that found their key.
    pub hits: Counter,
    /// Lookups that did not.
    pub misses: Counter,
    /// Keys removed because their time had come.
    pub expired: Counter,
    /// Changes to the data. Never set back: a save remembers how far it came.
    pub dirty: Counter,
    /// Turns of the event loop.
    pub cycles: Counter,
    /// Microseconds that turns of the event loop took.
    pub cycles_us: Counter,
    /// Microseconds of these that commands took.
    pub commands_us: Counter,
    /// Microseconds of these that periodic work took.
    pub cron_us: Counter,
    /// The longest turn in microseconds.
    pub cycle_us_max: Counter,
    /// Most commands in one turn.
    pub cycle_commands_max: Counter,
    /// Connections closed for a query buffer over its limit.
    pub query_buffer_limit: Counter,
    /// Connections closed for an output buffer over its limit.
    pub output_buffer_limit: Counter,
    /// Errors replied.
    pub errors: Counter,
}

impl Stats {
    /// Zeroes for a number of commands.
    pub fn new(commands: usize) -> CachePadded<Self> {
        let rows = (0..commands).map(|_| CommandStats::default()).collect();
        CachePadded::new(Self { commands: rows, ..Self::default() })
    }

    /// What CONFIG RESETSTAT zeroes; under the gate's write side, when no worker runs a command.
    pub fn reset(&self) {
        for command in &self.commands {
            command.calls.set(0);
            command.nanoseconds.set(0);
            command.rejected.set(0);
            command.failed.set(0);
            command.latency.reset();
        }
        for counter in [
            &self.processed,
            &self.connections,
            &self.rejected_connections,
            &self.bytes_in,
            &self.bytes_out,
            &self.reads,
            &self.writes,
            &self.hits,
            &self.misses,
            &self.expired,
            &self.cycles,
            &self.cycles_us,
            &self.commands_us,
            &self.cron_us,
            &self.cycle_us_max,
            &self.cycle_commands_max,
            &self.query_buffer_limit,
            &self.output_buffer_limit,
            &self.errors,
        ] {
            counter.set(0);
        }
    }
}
