//! What all workers share.

use std::sync::Arc;
use std::sync::atomic::{
    AtomicBool, AtomicI32, AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering,
};

use arc_swap::ArcSwap;
use crossbeam_utils::CachePadded;
use keyspace::{Keyspace, Wants};
use mio::Waker;
use parking_lot::Mutex;

use crate::allocator::Gauge;
use crate::aof::Aof;
use crate::background::Background;
use crate::blocked::Blocked;
use crate::clock::Ticks;
use crate::commandlog::CommandLog;
use crate::config::Config;
use crate::config::cli::Program;
use crate::defrag::Defrag;
use crate::errors::ErrorCounts;
use crate::evict::Excess;
use crate::footprint::Footprint;
use crate::hotkeys::{Heat, Hotkeys};
use crate::knobs::Knobs;
use crate::latency::Monitor;
use crate::listen::Handles;
use crate::mailbox::{Mailbox, Message};
use crate::process::Process;
use crate::pubsub::Exchange;
use crate::registry::Registry;
use crate::rows::Rows;
use crate::session::State;
use crate::stats::Stats;
use crate::sys::running::Running;
use crate::tracking::Tracking;
use crate::tunables::Tunables;

/// A worker as the others know it.
pub struct Worker {
    /// Its messages.
    pub mailbox: Mailbox,
    /// Its counters.
    pub stats: CachePadded<Stats>,
    /// Until when it sleeps at most, Unix milliseconds; 0 while it is awake.
    pub sleeps_until_ms: AtomicU64,
    /// How many connections it serves.
    pub connections: AtomicU64,
    /// The keys that its commands use most.
    pub heat: Mutex<Heat>,
    /// The command that it is running.
    pub running: CachePadded<Running>,
    /// When it last came back from its poller, Unix microseconds; 0 while it is there.
    pub awake_since_us: AtomicI64,
    /// Its thread's number in the system.
    pub thread: AtomicI32,
}

impl Worker {
    /// One that has not begun, woken through `waker`.
    pub fn new(waker: Waker) -> Self {
        Self {
            mailbox: Mailbox::new(waker),
            stats: Stats::new(spec::command::COUNT),
            sleeps_until_ms: AtomicU64::new(0),
            connections: AtomicU64::new(0),
            heat: Mutex::default(),
            running: CachePadded::default(),
            awake_since_us: AtomicI64::new(0),
            thread: AtomicI32::new(0),
        }
    }

    /// How many connections it serves.
    pub fn load(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }
}

/// See the module's text.
pub struct Server {
    /// The data.
    pub keyspace: Keyspace,
    /// Frees what takes long.
    pub background: Background,
    /// Clients whose commands wait.
    pub blocked: Blocked,
    /// The commands.
    pub rows: Rows,
    /// The name it was started under.
    pub program: Program,
    /// The process that it runs in.
    pub process: Process,
    /// The TCP sockets that it listens on.
    pub listening: Handles,
    /// The configuration.
    pub config: Mutex<Config>,
    /// What workers copy of it.
    pub tunables: ArcSwap<Tunables>,
    /// Goes up with every change of `tunables`.
    pub generation: AtomicU64,
    /// All workers, by number.
    pub workers: Vec<Worker>,
    /// All clients.
    pub clients: Registry,
    /// What all clients take.
    pub footprint: Footprint,
    /// Commands that were out of the ordinary.
    pub commandlog: CommandLog,
    /// The session that measures keys.
    pub hotkeys: Hotkeys,
    /// Moments in which the server was slow.
    pub latency: Monitor,
    /// Subscriptions and messages.
    pub exchange: Exchange,
    /// Who has cached which keys.
    pub tracking: Tracking,
    /// The processor's counter.
    pub ticks: Ticks,
    /// What writes are recorded for (see [`keyspace::Wants`]).
    pub wants: AtomicU8,
    /// Rates a second.
    pub rates: crate::rates::Rates,
    /// Errors by their code word.
    pub errors: ErrorCounts,
    /// Memory in use at the start and at most.
    pub memory: Gauge,
    /// For how long it was more than is allowed.
    pub excess: Excess,
    /// Moves what lies scattered.
    pub defrag: Defrag,
    /// Scripts and functions.
    pub scripting: crate::scripting::Scripting,
    /// The log of what changed the data.
    pub aof: Aof,
    /// Saves and loads.
    pub persistence: crate::persistence::Persistence,
    /// Connections to servers that MIGRATE moves keys to.
    pub sockets: crate::migrate::Sockets,
    /// Changes that the last save had seen.
    pub saved_dirty: AtomicU64,
    /// When the server started, Unix microseconds.
    pub started_us: i64,
    /// Forty hexadecimal digits that name this run.
    pub run_id: String,
    /// Until when clients are paused, Unix milliseconds. The states of a pause change with it.
    paused_until_ms: Mutex<i64>,
    /// When it was last warned of HTTP requests, Unix milliseconds.
    pub forgery_warned_ms: AtomicI64,
    /// Whether keys are removed when their time comes, and not only when they are asked for.
    pub active_expire: AtomicBool,
    /// Looks whether workers are stuck.
    pub watchdog: crate::crash::watchdog::Watchdog,
    /// What DEBUG turns.
    pub knobs: Knobs,
    /// The shutdown under way.
    pub shutdown: crate::shutdown::Shutdown,
    state: AtomicU32,
}

/// What a server is made of.
pub struct Parts {
    /// The data.
    pub keyspace: Keyspace,
    /// Frees what takes long.
    pub background: Background,
    /// How much memory is in use.
    pub memory: Gauge,
    /// The commands.
    pub rows: Rows,
    /// The name it was started under.
    pub program: Program,
    /// The process that it runs in.
    pub process: Process,
    /// The TCP sockets that it listens on.
    pub listening: Handles,
    /// The configuration.
    pub config: Config,
    /// All workers.
    pub workers: Vec<Worker>,
    /// Forty hexadecimal digits.
    pub run_id: String,
}

impl Server {
    /// Puts the parts together.
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts {
            keyspace,
            background,
            memory,
            rows,
            program,
            process,
            listening,
            config,
            workers,
            run_id,
        } = parts;
        let tunables = Arc::new(Tunables::new(&config));
        let wants = tunables.wanted_events();
        let latency = Monitor::default();
        latency.set_threshold(tunables.latency_threshold_ms);
        Arc::new(Self {
            blocked: Blocked::new(keyspace.shards().len()),
            tracking: Tracking::new(keyspace.shards().len(), workers.len()),
            keyspace,
            background,
            rows,
            program,
            process,
            listening,
            aof: Aof::new(&config),
            config: Mutex::new(config),
            generation: AtomicU64::new(0),
            commandlog: CommandLog::default(),
            hotkeys: Hotkeys::default(),
            latency,
            exchange: Exchange::new(workers.len()),
            scripting: crate::scripting::Scripting::new(workers.len(), tunables.busy_threshold_ms),
            tunables: ArcSwap::new(tunables),
            workers,
            clients: Registry::default(),
            footprint: Footprint::default(),
            ticks: Ticks::calibrated(),
            wants: AtomicU8::new(wants.0),
            rates: crate::rates::Rates::default(),
            errors: ErrorCounts::default(),
            memory,
            excess: Excess::default(),
            defrag: Defrag::default(),
            persistence: crate::persistence::Persistence::new(),
            sockets: crate::migrate::Sockets::default(),
            saved_dirty: AtomicU64::new(0),
            started_us: crate::clock::unix_us(),
            run_id,
            paused_until_ms: Mutex::new(0),
            forgery_warned_ms: AtomicI64::new(0),
            active_expire: AtomicBool::new(true),
            watchdog: crate::crash::watchdog::Watchdog::default(),
            knobs: Knobs::default(),
            shutdown: crate::shutdown::Shutdown::default(),
            state: AtomicU32::new(0),
        })
    }

    /// The counters of a worker.
    #[inline]
    pub fn stats(&self, worker: usize) -> &Stats {
        &self.workers[worker].stats
    }

    /// The sum of a counter over all workers.
    pub fn sum(&self, counter: impl Fn(&Stats) -> u64) -> u64 {
        self.workers.iter().map(|worker| counter(&worker.stats)).sum()
    }

    /// Changes to the data since the last save.
    pub fn dirty(&self) -> u64 {
        let seen = self.saved_dirty.load(Ordering::Relaxed);
        self.sum(|stats| stats.dirty.get()).saturating_sub(seen)
    }

    /// Whether a script takes so long that clients are told of it.
    #[inline]
    pub fn is_busy(&self) -> bool {
        self.scripting.running.is_overdue(self.ticks)
    }

    /// What clients are told then.
    pub fn busy_text(&self) -> &'static str {
        match self.scripting.running.is_function() {
            true => spec::error::BUSY_FUNCTION,
            false => spec::error::BUSY_SCRIPT,
        }
    }

    /// The server-wide states.
    #[inline]
    pub fn state(&self) -> State {
        State(self.state.load(Ordering::Acquire))
    }

    /// Sets or clears server-wide states.
    pub fn put_state(&self, state: State, on: bool) {
        if on {
            self.state.fetch_or(state.0, Ordering::SeqCst);
        } else {
            self.state.fetch_and(!state.0, Ordering::SeqCst);
        }
    }

    /// Holds back clients until a time; a pause under way stays as strict and as long as it is.
    /// `mode` is one of the paused states.
    pub fn pause(&self, mode: State, until_ms: i64) {
        let mut end_ms = self.paused_until_ms.lock();
        *end_ms = until_ms.max(*end_ms);
        self.put_state(mode, true);
        drop(end_ms);
        self.workers[0].mailbox.send(Message::Look);
    }

    /// Lets clients go on that were held back, if the pause is over by a time in Unix milliseconds.
    pub fn end_pause(&self, now_ms: i64) {
        let mut end_ms = self.paused_until_ms.lock();
        if *end_ms > now_ms {
            return;
        }
        *end_ms = 0;
        self.put_state(State::PAUSED, false);
        drop(end_ms);
        self.tell_all(|| Message::Resume);
    }

    /// How many milliseconds a pause still lasts, or is over.
    pub fn pause_left_ms(&self, now_ms: i64) -> i64 {
        *self.paused_until_ms.lock() - now_ms
    }

    /// Publishes what workers copy of the configuration.
    pub fn publish_tunables(&self, config: &Config) {
        let mut tunables = Tunables::new(config);
        tunables.settings.limits.list_packed = self.knobs.list_packed.load(Ordering::SeqCst);
        let skips_checksums = self.knobs.skips_checksums.load(Ordering::SeqCst);
        tunables.settings.restore.checksum = !skips_checksums;
        let wanted = tunables.wanted_events();
        let unwanted = Wants::EVENTS.with(Wants::FIELDS).0 & !wanted.0;
        self.wants.fetch_or(wanted.0, Ordering::SeqCst);
        self.wants.fetch_and(!unwanted, Ordering::SeqCst);
        self.aof.follow(config);
        self.latency.set_threshold(tunables.latency_threshold_ms);
        self.scripting.running.set_threshold(tunables.busy_threshold_ms);
        if tunables.lua_insecure != self.tunables.load().lua_insecure {
            self.scripting.flush();
        }
        self.tunables.store(Arc::new(tunables));
        self.generation.fetch_add(1, Ordering::SeqCst);
        crate::persistence::judge_by(self, config);
    }

    /// Wakes the workers of lanes whose next expiry became earlier than they sleep.
    #[cold]
    pub fn wake_lanes(&self, but: usize, mut lanes: u64) {
        while lanes != 0 {
            let lane = lanes.trailing_zeros();
            lanes &= lanes - 1;
            let Some(worker) = self.workers.get(lane as usize) else { continue };
            let sleeps_until = worker.sleeps_until_ms.load(Ordering::SeqCst);
            if lane as usize != but && self.keyspace.lane_due_ms(lane) < sleeps_until {
                worker.mailbox.send(Message::Look);
            }
        }
    }

    /// Sends every worker a message.
    pub fn tell_all(&self, message: impl Fn() -> Message) {
        for worker in &self.workers {
            worker.mailbox.send(message());
        }
    }
}
