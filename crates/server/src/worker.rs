//! A worker: one thread, one poller, its connections and its lane of the shards' expiry.
//!
//! It moves bytes and looks after time; what requests mean is `dispatch`'s. Invariant: a connection
//! is in its slot except while it is being served.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use mio::{Events, Poll, Token};
use resp::{Proto, Writer};

use crate::clock;
use crate::conn::Conn;
use crate::listen::Listener;
use crate::local::Local;
use crate::mailbox::Message;
use crate::server::Server;
use crate::session::State;
use crate::snapshot::Pace;
use crate::{cron, defrag, sys};

mod accept;
mod delivery;
mod read;
mod send;
mod upkeep;
mod waits;

use delivery::Parcel;
use waits::Timers;

/// The token of the mailbox.
pub const WAKE: Token = Token(0);
/// The token of the first connection; listeners have those between.
const FIRST_CONN: usize = 64;
/// Events that who stands in takes at a time.
const EVENTS_STANDING_IN: usize = 256;
/// Bytes of the buffer that connections read into.
const BUFFER: usize = 64 << 10;
/// Connections that are read, parsed and prefetched together.
const GROUP: usize = 16;
/// Bytes that each of a group reads at once.
const SLOT: usize = 16 << 10;
/// Distance of their buffers, odd in cache lines so that they do not fall into the same sets.
const SLOT_STRIDE: usize = SLOT + 192;
/// How long a worker sleeps that waits for what it cannot see: the disk, the end of a snapshot.
const NAP: Duration = Duration::from_millis(1);

/// See the module's text.
pub struct Thread {
    server: Arc<Server>,
    local: Local,
}

/// A worker's connections and what it keeps in mind of them. It is in the worker's [`Local`], so
/// that who is deep in a long command can look after it (see `standby`).
pub struct Desk {
    pub(crate) server: Arc<Server>,
    poll: Poll,
    conns: Vec<Option<Box<Conn>>>,
    free: Vec<usize>,
    listeners: Vec<Listener>,
    /// Connections that the poller says have something to read.
    readable: VecDeque<usize>,
    /// Connections that may have more to read.
    again: VecDeque<usize>,
    /// Connections that were being served when somebody stood in and something arrived, and whether
    /// it is the last.
    missed: Vec<(usize, bool)>,
    /// Messages that wait until nobody stands in any more.
    put_off: VecDeque<Message>,
    /// Listeners that may have more to accept, at once or when files are closed again.
    accept_again: Vec<usize>,
    accept_later: Vec<usize>,
    /// Whether the last attempt to accept found no room for another file.
    lacks_files: bool,
    /// When commands that wait are due, by the number of the wait.
    timers: Timers,
    /// Connections that wait for the peer to close as well, and how long.
    lingering: VecDeque<(Instant, usize, u64)>,
    /// What the connections of a group read into.
    slots: Box<[u8]>,
    buffer: Box<[u8]>,
    /// The reply buffer that connections write into while they are served.
    spare: Writer,
    /// Connections that were given messages and are still to be sent them.
    written: Vec<Parcel>,
    /// Connections whose replies wait until the log is on the disk, or for news to go with them.
    unsent: Vec<usize>,
    /// Whether replies wait until the turn's news of keys are there, so that one write takes both.
    awaits_news: bool,
    next_cron: Instant,
    /// Which of its lane's shards comes first when it expires keys the next time.
    expire_turn: u32,
    /// What the snapshot under way has to do in this worker's lane.
    pace: Pace,
    cron: cron::Cron,
    /// Where it is with moving what lies scattered.
    pub(crate) defrag: defrag::Course,
}

/// Looks after the connections of a worker that is in the middle of something, waiting for events
/// for so long at most.
pub fn look_after(local: &mut Local, patience: Duration) {
    let Some(other) = local.stand_in() else {
        return std::thread::sleep(patience);
    };
    let mut thread = Thread { server: Arc::clone(&other.desk.server), local: other };
    thread.stand_in(patience);
    thread.local.wake_workers(&thread.server);
    local.take_over(thread.local);
}

impl Desk {
    /// The connections that are not being served, by their slots.
    pub fn conns(&mut self) -> &mut [Option<Box<Conn>>] {
        &mut self.conns
    }
}

/// What becomes of a connection after it was served.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Keep,
    Close,
}

impl Thread {
    /// A worker over its poller, with the listeners it accepts from.
    pub fn new(server: Arc<Server>, id: usize, poll: Poll, listeners: Vec<Listener>) -> Self {
        let mut local = Local::new(id, server.tunables.load_full());
        local.desk.put(Box::new(Desk {
            server: Arc::clone(&server),
            poll,
            conns: Vec::new(),
            free: Vec::new(),
            listeners,
            readable: VecDeque::new(),
            again: VecDeque::new(),
            missed: Vec::new(),
            put_off: VecDeque::new(),
            accept_again: Vec::new(),
            accept_later: Vec::new(),
            lacks_files: false,
            timers: Timers::default(),
            lingering: VecDeque::new(),
            slots: vec![0; GROUP * SLOT_STRIDE].into_boxed_slice(),
            buffer: vec![0; BUFFER].into_boxed_slice(),
            spare: Writer::new(Proto::Resp2),
            written: Vec::new(),
            unsent: Vec::new(),
            awaits_news: false,
            next_cron: Instant::now(),
            expire_turn: 0,
            pace: Pace::Idle,
            cron: cron::Cron::default(),
            defrag: defrag::Course::default(),
        }));
        Self { server, local }
    }

    /// Serves until the server stops.
    pub fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        self.local.room.follow(self.local.tunables.maxmemory);
        let balances = self.server.memory.balances();
        let _seat = balances.sit();
        sys::fault::begin_worker(self.local.id);
        let me = &self.server.workers[self.local.id];
        me.thread.store(sys::fault::thread_number(), Ordering::Relaxed);
        let Desk { listeners, poll, .. } = &mut *self.local.desk;
        for (at, listener) in listeners.iter_mut().enumerate() {
            listener.register(poll.registry(), Token(1 + at))?;
        }
        while !self.server.shutdown.is_complete() {
            self.sleep(&mut events)?;
            let began = Instant::now();
            self.local.turn_commands = 0;
            self.local.turn_nanoseconds = 0;
            self.local.look_at_clock();
            self.local.woke_us = self.local.now_us;
            let awake = &self.server.workers[self.local.id].awake_since_us;
            awake.store(self.local.woke_us, Ordering::Relaxed);
            // First, so that who stands in during one of the commands knows of them.
            for event in &events {
                self.event(event);
            }
            self.messages();
            self.deliver();
            self.end_pause();
            for listener in std::mem::take(&mut self.local.desk.accept_again) {
                self.accept(listener);
            }
            self.local.desk.awaits_news = self.server.tracking.broadcasts();
            self.serve_readable();
            self.serve_again();
            self.local.desk.awaits_news = false;
            self.load();
            self.expire();
            self.end_waits();
            self.cron(began);
            self.evict();
            defrag::run(&Arc::clone(&self.server), &mut self.local);
            self.deliver();
            self.settle();
            self.snapshot(began);
            self.count_turn(began);
        }
        Ok(())
    }

    /// Waits for events until something is due by the clock.
    fn sleep(&mut self, events: &mut Events) -> io::Result<()> {
        let mut timeout = self.local.desk.next_cron.saturating_duration_since(Instant::now());
        let me = &self.server.workers[self.local.id];
        if let Some(due) = self.local.desk.timers.next() {
            timeout = timeout.min(due.saturating_duration_since(Instant::now()));
        }
        if let Some(rest) = defrag::patience(&self.server, &self.local) {
            timeout = timeout.min(rest);
        }
        let loads = || {
            self.server.state().any(State::LOADING)
                && (self.server.persistence.feed.is_waiting()
                    || self.local.id == 0 && self.server.aof.replay.is_waiting())
        };
        let goes_on = self.local.room.goes_on()
            || self.local.desk.pace == Pace::Goes
            || !self.server.tracking.is_quiet(self.local.id);
        let waits = !self.local.desk.again.is_empty()
            || !self.local.desk.missed.is_empty()
            || !self.local.desk.put_off.is_empty()
            || !self.local.desk.accept_again.is_empty();
        if self.local.desk.pace == Pace::Waits
            || self.local.id == 0 && self.server.persistence.snapshots.is_active()
        {
            timeout = timeout.min(NAP);
        }
        if goes_on || waits || !me.mailbox.is_empty() || loads() {
            timeout = Duration::ZERO;
        } else if self.server.state().any(State::PAUSED) {
            if self.local.id == 0 {
                let left = self.server.pause_left_ms(clock::unix_ms());
                timeout = timeout.min(Duration::from_millis(left.max(0) as u64));
            }
        } else if self.expires_keys() {
            let now_ms = clock::unix_ms().max(0) as u64;
            me.sleeps_until_ms.store(now_ms + timeout.as_millis() as u64, Ordering::SeqCst);
            let due = self.server.keyspace.lane_due_ms(self.local.id as u32);
            timeout = timeout.min(Duration::from_millis(due.saturating_sub(now_ms)));
        }
        me.awake_since_us.store(0, Ordering::Relaxed);
        let polled = self.local.desk.poll.poll(events, Some(timeout));
        me.sleeps_until_ms.store(0, Ordering::SeqCst);
        match polled {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {
                events.clear();
                Ok(())
            }
            other => other,
        }
    }

    fn event(&mut self, event: &mio::event::Event) {
        let Token(token) = event.token();
        if token == WAKE.0 {
            return;
        }
        if token < FIRST_CONN {
            self.accept(token - 1);
            return;
        }
        let token = token - FIRST_CONN;
        if event.is_writable() {
            self.write(token);
        }
        let is_last = event.is_read_closed() || event.is_error();
        if event.is_readable() || is_last {
            if is_last && let Some(Some(conn)) = self.local.desk.conns.get_mut(token) {
                conn.read_closed = true;
            }
            if self.local.stands_in && self.local.desk.conns.get(token).is_some_and(Option::is_none)
            {
                self.local.desk.missed.push((token, is_last));
            }
            self.local.desk.readable.push_back(token);
        }
    }

    /// One turn in the place of a worker that is in the middle of something: clients are heard, and
    /// nothing passes the gate.
    fn stand_in(&mut self, patience: Duration) {
        let mut events = Events::with_capacity(EVENTS_STANDING_IN);
        if let Err(error) = self.local.desk.poll.poll(&mut events, Some(patience)) {
            if error.kind() != io::ErrorKind::Interrupted {
                log::warn!("Waiting for events: {error}");
            }
            return;
        }
        self.local.look_at_clock();
        self.local.desk.awaits_news = false;
        self.messages_standing_in();
        self.deliver();
        for listener in std::mem::take(&mut self.local.desk.accept_again) {
            self.accept(listener);
        }
        for event in &events {
            self.event(event);
        }
        while let Some(token) = self.local.desk.readable.pop_front() {
            self.serve(token);
        }
        self.serve_again();
        self.deliver();
        self.settle();
    }

    /// Does what of its messages can be done without passing the gate.
    fn messages_standing_in(&mut self) {
        let server = Arc::clone(&self.server);
        let mailbox = &server.workers[self.local.id].mailbox;
        mailbox.look();
        while let Some(message) = mailbox.take() {
            match message {
                Message::Adopt(stream) => self.adopt(stream),
                Message::Kill(client) => self.kill(&client),
                Message::Listen(listeners) => self.listen(listeners),
                Message::Look => {}
                other => self.local.desk.put_off.push_back(other),
            }
        }
    }

    fn messages(&mut self) {
        let server = Arc::clone(&self.server);
        self.local.follow_config(&server);
        server.workers[self.local.id].mailbox.look();
        for (token, is_last) in std::mem::take(&mut self.local.desk.missed) {
            if let Some(Some(conn)) = self.local.desk.conns.get_mut(token) {
                conn.read_closed |= is_last;
                self.local.desk.again.push_back(token);
            }
        }
        loop {
            let mailbox = &server.workers[self.local.id].mailbox;
            let put_off = self.local.desk.put_off.pop_front();
            let Some(message) = put_off.or_else(|| mailbox.take()) else { break };
            match message {
                Message::Adopt(stream) => self.adopt(stream),
                Message::Kill(client) => self.kill(&client),
                Message::Resume => self.resume(),
                Message::Answer { client, answer } => self.answer(&client, answer),
                Message::Again(client) => self.set_again(&client),
                Message::Migrate(job) => self.migrate(job),
                Message::Look => {}
                Message::Listen(listeners) => self.listen(listeners),
            }
        }
    }
}
