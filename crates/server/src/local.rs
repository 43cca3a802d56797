//! What a worker has for itself while it runs commands.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use keyspace::{Change, KeyStats, Stamp, Wants};

use crate::aof::Outlet;
use crate::blocked::Ready;
use crate::clock;
use crate::dispatch::Batch;
use crate::evict::Room;
use crate::mailbox::{Answer, Message};
use crate::multi::Transaction;
use crate::pubsub::{KeptBack, Readers};
use crate::registry::Client;
use crate::server::Server;
use crate::session::State;
use crate::tracking;
use crate::tunables::Tunables;
use crate::worker::Desk;

/// See the module's text.
pub struct Local {
    /// The worker's number; also its number at the gate and its lane of shards.
    pub id: usize,
    /// The worker's connections.
    pub desk: Lent,
    /// Whether this stands in for a worker that is in the middle of something: it must not pass
    /// the gate, which that one may hold.
    pub stands_in: bool,
    /// `State::BUSY` while the running commands have not passed the gate.
    pub busy: State,
    /// What the running command changes.
    pub change: Change,
    /// What a running script has published, while it may still be undone.
    pub kept_back: Option<Vec<KeptBack>>,
    /// What the running command or transaction says to the log.
    pub outlet: Outlet,
    /// Whether the running command leaves keys alone whose time is over.
    pub leaves_overdue: bool,
    /// Lookups since they were last added to the worker's counters.
    pub key_stats: KeyStats,
    /// The storage of batches of requests, used again.
    pub batches: Vec<Batch>,
    /// Random numbers.
    pub rng: fastrand::Rng,
    /// The configuration as of the last look.
    pub tunables: Arc<Tunables>,
    /// Which change of the configuration that was.
    generation: u64,
    /// Commands run in this turn of the event loop.
    pub turn_commands: u64,
    /// Nanoseconds they took.
    pub turn_nanoseconds: u64,
    /// Connections whose input waits for `Message::Resume`, by token.
    pub held: Vec<usize>,
    /// Commands until one is looked at for its keys (see `hotkeys`).
    pub hot_left: u32,
    /// Reads since one was followed (see `felt`).
    pub reads_unfollowed: u32,
    /// When this turn of the event loop began, Unix microseconds.
    pub woke_us: i64,
    /// The time of the present batch in Unix microseconds.
    pub now_us: i64,
    /// This worker's subscribers.
    pub readers: Readers,
    /// What the command that ran last waits for.
    pub wait: Option<commands::Wait>,
    /// Keys whose waiters have an attempt due.
    pub ready: VecDeque<Ready>,
    /// Those of them whose waiters could not be reached with the shards that were held.
    pub late: Vec<Ready>,
    /// Keys that have changed and are still to be broadcast, with the numbers of the clients that
    /// changed them.
    pub broadcast: Vec<(Box<[u8]>, u64)>,
    /// A bit for each worker that has messages it does not know of yet.
    pub told: u64,
    /// The storage of transactions, used again.
    #[expect(clippy::vec_box, reason = "the boxes move to sessions and back")]
    pub transactions: Vec<Box<Transaction>>,
    /// Requests of the present batch that were not run but kept for EXEC or refused.
    pub unrun_commands: u64,
    /// Whether what runs is a command of a script.
    pub in_script: bool,
    /// The error on its way to the client was counted with the command that a script called.
    pub error_is_counted: bool,
    /// Commands that transactions and scripts of the present batch ran.
    pub nested_commands: u64,
    /// What it knows of the limit on memory.
    pub room: Room,
}

/// A worker's connections, which somebody else looks after at times.
#[derive(Default)]
pub struct Lent(Option<Box<Desk>>);

impl Lent {
    /// Takes them, if nobody else has.
    pub fn take(&mut self) -> Option<Box<Desk>> {
        self.0.take()
    }

    /// Gives them back.
    pub fn put(&mut self, desk: Box<Desk>) {
        self.0 = Some(desk);
    }
}

impl Deref for Lent {
    type Target = Desk;

    #[inline]
    fn deref(&self) -> &Desk {
        self.0.as_deref().expect("who has taken the connections gives them back")
    }
}

impl DerefMut for Lent {
    #[inline]
    fn deref_mut(&mut self) -> &mut Desk {
        self.0.as_deref_mut().expect("who has taken the connections gives them back")
    }
}

impl Local {
    /// What stands in for this one while it is in the middle of something, with its connections;
    /// nothing if somebody does already.
    pub fn stand_in(&mut self) -> Option<Self> {
        let desk = self.desk.take()?;
        let mut other = Self::new(self.id, Arc::clone(&self.tunables));
        other.generation = self.generation;
        other.stands_in = true;
        other.desk.put(desk);
        std::mem::swap(&mut self.readers, &mut other.readers);
        std::mem::swap(&mut self.held, &mut other.held);
        Some(other)
    }

    /// Ends [`Self::stand_in`].
    pub fn take_over(&mut self, mut other: Self) {
        std::mem::swap(&mut self.desk, &mut other.desk);
        std::mem::swap(&mut self.readers, &mut other.readers);
        std::mem::swap(&mut self.held, &mut other.held);
        self.told |= other.told;
        self.turn_commands += other.turn_commands;
        self.transactions.append(&mut other.transactions);
    }

    /// For a worker of that number.
    pub fn new(id: usize, tunables: Arc<Tunables>) -> Self {
        let mut change = Change::default();
        change.set_lazy(tunables.lazy);
        Self {
            id,
            desk: Lent::default(),
            stands_in: false,
            busy: State::default(),
            change,
            kept_back: None,
            outlet: Outlet::default(),
            leaves_overdue: false,
            key_stats: KeyStats::default(),
            batches: Vec::new(),
            rng: fastrand::Rng::new(),
            tunables,
            generation: 0,
            turn_commands: 0,
            turn_nanoseconds: 0,
            held: Vec::new(),
            hot_left: 1,
            reads_unfollowed: 0,
            woke_us: clock::unix_us(),
            now_us: clock::unix_us(),
            readers: Readers::default(),
            wait: None,
            ready: VecDeque::new(),
            late: Vec::new(),
            broadcast: Vec::new(),
            told: 0,
            transactions: Vec::new(),
            in_script: false,
            error_is_counted: false,
            unrun_commands: 0,
            nested_commands: 0,
            room: Room::default(),
        }
    }

    /// Takes over the configuration if it has changed, and what writes are recorded for. Once a
    /// thread has passed the gate, both stay as they are until it leaves, but for whether somebody
    /// waits for keys.
    #[inline]
    pub fn follow_config(&mut self, server: &Server) {
        self.change.set_wants(Wants(server.wants.load(Ordering::Relaxed)));
        let generation = server.generation.load(Ordering::Acquire);
        if generation != self.generation {
            self.generation = generation;
            self.tunables = server.tunables.load_full();
            self.change.set_lazy(self.tunables.lazy);
            self.room.follow(self.tunables.maxmemory);
            // The distance to the next command that is looked at may have been another one.
            self.hot_left = 1;
        }
    }

    /// Wakes the workers that were sent messages. This one looks before it sleeps.
    pub fn wake_workers(&mut self, server: &Server) {
        if !self.broadcast.is_empty() {
            tracking::broadcast(server, self);
        }
        let mut told = std::mem::take(&mut self.told) & !(1 << self.id);
        while told != 0 {
            server.workers[told.trailing_zeros() as usize].mailbox.wake();
            told &= told - 1;
        }
    }

    /// The time of the present batch in Unix milliseconds.
    #[inline]
    pub fn now_ms(&self) -> i64 {
        self.now_us / 1000
    }

    /// Sends a message without waking its receiver, as a system call takes its time:
    /// [`Self::wake_workers`] does that when no shard is held.
    pub fn put(&mut self, server: &Server, worker: usize, message: Message) {
        server.workers[worker].mailbox.put(message);
        self.told |= 1 << worker;
    }

    /// Sends a client the answer that it waits for, as [`Self::put`].
    pub fn tell(&mut self, server: &Server, client: &Arc<Client>, answer: Answer) {
        let message = Message::Answer { client: Arc::clone(client), answer };
        self.put(server, client.worker, message);
    }

    /// The time of the present batch, and what uses leave in keys.
    #[inline]
    pub fn stamp(&mut self) -> Stamp {
        let Self { rng, tunables, now_us, .. } = self;
        Stamp::new(*now_us / 1000, &tunables.usage, || rng.f64())
    }

    /// Looks at the clock again.
    #[inline]
    pub fn look_at_clock(&mut self) {
        self.now_us = clock::unix_us();
    }
}
