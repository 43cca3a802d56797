//! A worker: one thread, one poller, its connections and its lane of the shards' expiry.
//!
//! It moves bytes and looks after time; what requests mean is `dispatch`'s. Invariant: a connection
//! is in its slot except while it is being served.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use keyspace::Change;
use mio::{Events, Interest, Poll, Token};
use resp::{Proto, ProtocolError, Writer};
use smallvec::SmallVec;

use crate::admin::describe;
use crate::call::Flow;
use crate::clock;
use crate::conn::{Arrived, Conn, Got, REPLY_MAX, Stream};
use crate::listen::{self, Accepted, Listener};
use crate::local::Local;
use crate::mailbox::Message;
use crate::registry::Client;
use crate::server::Server;
use crate::session::{Session, State};
use crate::snapshot::{self, Pace};
use crate::{
    aof, blocked, commit, cron, defrag, dispatch, evict, felt, footprint, multi, pubsub, refuse,
    standby, sys, tracking,
};

mod delivery;
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
/// Room that is made behind an incomplete request.
const INPUT_ROOM: usize = 16 << 10;
/// Reads for one connection before the others have their turn.
const READS_MAX: usize = 4;
/// Connections that are accepted before those that are served have their turn.
const ACCEPTS_MAX: usize = 256;
/// Connections that may linger at a time, and how long each.
const LINGERING_MAX: usize = 64;
const LINGER_TIME: Duration = Duration::from_secs(1);
/// Query buffers stay below what an argument's place can say.
const INPUT_MAX: u64 = u32::MAX as u64 - (64 << 20);
/// Output that is sent before more requests of the same connection run.
const OUTPUT_AT_ONCE: usize = 1 << 20;
/// Keys that are expired before other threads have their turn at a shard and at the gate.
const EXPIRE_BUDGET: u32 = 200;
/// How long a worker sleeps that waits for what it cannot see: the disk, the end of a snapshot.
const NAP: Duration = Duration::from_millis(1);
/// How long expiring goes on, in steps of that many keys, while clients wait.
const EXPIRE_TIME_MAX: Duration = Duration::from_micros(500);

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
    /// Connections whose replies wait until the log is on the disk.
    unsent: Vec<usize>,
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
            self.serve_readable();
            self.serve_again();
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

    /// Writes what this turn has appended to the log, then sends the replies that wait for that.
    fn settle(&mut self) {
        let has_appended = std::mem::take(&mut self.local.outlet.has_appended);
        if self.local.desk.unsent.is_empty() && !has_appended {
            return;
        }
        aof::settle(&self.server);
        for token in std::mem::take(&mut self.local.desk.unsent) {
            self.write(token);
        }
    }

    fn count_turn(&self, began: Instant) {
        let stats = self.server.stats(self.local.id);
        let took = began.elapsed().as_nanos() as u64;
        stats.cycles.add(1);
        stats.cycles_with_commands.add(u64::from(self.local.turn_commands > 0));
        stats.cycles_ns.add(took);
        stats.cycle_ns_max.raise(took);
        stats.commands_ns.add(self.local.turn_nanoseconds);
        stats.cycle_commands_max.raise(self.local.turn_commands);
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
                let left = self.server.paused_until_ms.load(Ordering::SeqCst) - clock::unix_ms();
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

    /// Serves the connections that have something to read, some at a time: first all of a group
    /// are read and parsed, then the lines of all their keys are asked for, then they run. Those
    /// of later groups stay where who stands in meanwhile finds them.
    fn serve_readable(&mut self) {
        loop {
            let readable = &mut self.local.desk.readable;
            let count = readable.len().min(GROUP);
            let group: SmallVec<[usize; GROUP]> = readable.drain(..count).collect();
            match group.as_slice() {
                [] => break,
                [one] => self.serve(*one),
                group => self.serve_group(group),
            }
        }
    }

    /// Serves the connections that had more to read than their share.
    fn serve_again(&mut self) {
        for _ in 0..self.local.desk.again.len() {
            let Some(token) = self.local.desk.again.pop_front() else { break };
            self.serve(token);
        }
    }

    fn serve_group(&mut self, group: &[usize]) {
        let server = Arc::clone(&self.server);
        let mut slots = std::mem::take(&mut self.local.desk.slots);
        let mut reads = Vec::with_capacity(GROUP);
        let mut aheads = Vec::with_capacity(GROUP);
        for (&token, slot) in group.iter().zip(slots.chunks_mut(SLOT_STRIDE)) {
            let slot = &mut slot[..SLOT];
            if !self
                .local
                .desk
                .conns
                .get(token)
                .and_then(Option::as_ref)
                .is_some_and(|conn| conn.is_fresh())
            {
                self.serve(token);
                continue;
            }
            let Some(mut conn) = self.local.desk.conns[token].take() else { continue };
            match felt::read(&mut self.local, &mut conn, slot) {
                Got::Nothing => self.local.desk.conns[token] = Some(conn),
                Got::End => {
                    let fate = self.finish(&mut conn, Fate::Keep);
                    self.put_back(token, conn, fate);
                }
                Got::Bytes(count) => {
                    let buf = &slot[..count];
                    let ahead = dispatch::look_ahead(&server, &mut self.local, &mut conn, buf);
                    aheads.push((conn.session.db, ahead));
                    reads.push((token, conn, buf));
                }
            }
        }
        dispatch::prefetch_all(&server, &self.local, &mut aheads, &reads);
        // Scripts come last: while a long one runs, the others of the group are in their places.
        let (mut at, mut end) = (0, reads.len());
        while at < end {
            if aheads[at].1.may_last(&server) {
                end -= 1;
                reads.swap(at, end);
                aheads.swap(at, end);
            } else {
                at += 1;
            }
        }
        for ((token, mut conn, buf), (_, ahead)) in reads.into_iter().zip(aheads) {
            self.lend(&mut conn);
            felt::begin(&mut conn);
            let fed = dispatch::run_all(&server, &mut self.local, &mut conn, buf, ahead);
            felt::end(&mut conn, fed.flow);
            conn.input.extend_from_slice(&buf[fed.keep]);
            let fate = self.after_read(&mut conn, token, buf.len(), fed.flow);
            let fate = self.finish(&mut conn, fate);
            if fate == Fate::Keep && (buf.len() == SLOT || conn.read_closed) {
                self.local.desk.again.push_back(token);
            }
            self.put_back(token, conn, fate);
        }
        self.local.desk.slots = slots;
    }

    /// Settles what a read brought.
    fn after_read(&mut self, conn: &mut Conn, token: usize, count: usize, flow: Flow) -> Fate {
        let stats = self.server.stats(self.local.id);
        stats.reads.add(1);
        stats.bytes_in.add(count as u64);
        conn.client().active_ms.store(self.local.now_ms(), Ordering::Relaxed);
        self.follow(conn, token, flow);
        if self.is_over_query_limit(conn) { Fate::Close } else { Fate::Keep }
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

    /// Lets paused clients go on when their time is over. One worker looks after that.
    fn end_pause(&mut self) {
        if self.local.id == 0
            && self.server.state().any(State::PAUSED)
            && self.server.paused_until_ms.load(Ordering::SeqCst) <= self.local.now_ms()
        {
            self.server.end_pause();
        }
    }

    /// Accepts from other addresses from now on. The unix socket, which comes first, stays.
    fn listen(&mut self, listeners: Vec<Listener>) {
        self.local.desk.listeners.retain(|listener| matches!(listener, Listener::Unix(..)));
        for mut listener in listeners {
            let token = Token(1 + self.local.desk.listeners.len());
            if let Err(error) = listener.register(self.local.desk.poll.registry(), token) {
                log::warn!("Accepting connections: {error}");
            }
            self.local.desk.listeners.push(listener);
        }
    }

    fn accept(&mut self, at: usize) {
        let server = Arc::clone(&self.server);
        self.local.follow_config(&server);
        if server.shutdown.is_complete() {
            return;
        }
        for _ in 0..ACCEPTS_MAX {
            let Some(listener) = self.local.desk.listeners.get(at) else { return };
            let stream = match listen::accept(&server, &self.local, listener) {
                Accepted::Stream(stream) => {
                    self.local.desk.lacks_files = false;
                    stream
                }
                Accepted::Refused => continue,
                Accepted::Nothing => return,
                Accepted::Later(error) => return self.accept_later(at, &error),
            };
            let load = |worker: &usize| server.workers[*worker].connections.load(Ordering::Relaxed);
            let least = (0..server.workers.len()).min_by_key(load).unwrap_or(0);
            server.workers[least].connections.fetch_add(1, Ordering::Relaxed);
            if least == self.local.id {
                self.adopt(stream);
            } else {
                server.workers[least].mailbox.send(Message::Adopt(stream));
            }
        }
        self.local.desk.accept_again.push(at);
    }

    /// Accepts again when files may have been closed. The log tells it once.
    fn accept_later(&mut self, at: usize, error: &io::Error) {
        if !std::mem::replace(&mut self.local.desk.lacks_files, true) {
            log::warn!("Accepting client connection: {}", listen::system_text(error));
        }
        if !self.local.desk.accept_later.contains(&at) {
            self.local.desk.accept_later.push(at);
        }
    }

    /// Takes up an accepted connection, which has been counted already.
    fn adopt(&mut self, mut stream: Stream) {
        let token = self.local.desk.free.pop().unwrap_or(self.local.desk.conns.len());
        if token == self.local.desk.conns.len() {
            self.local.desk.conns.push(None);
        }
        let poll_token = Token(FIRST_CONN + token);
        let registry = self.local.desk.poll.registry();
        if let Err(error) = registry.register(stream.source(), poll_token, Interest::READABLE) {
            log::warn!("Error registering fd event for the new client: {error}");
            self.local.desk.free.push(token);
            self.server.workers[self.local.id].connections.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        let client = Arc::new(listen::describe(&self.server, &stream, self.local.id, token));
        self.server.clients.add(Arc::clone(&client));
        self.local.follow_config(&self.server);
        if self.local.tunables.follows_one_of != 0 && !client.unix {
            sys::arrival::remember(stream.as_raw_fd());
        }
        let needs_auth = !self.local.tunables.password.is_empty();
        let session = Session::new(client, needs_auth);
        self.local.desk.conns[token] = Some(Box::new(Conn::new(stream, poll_token.0, session)));
        // It may have sent something already.
        self.local.desk.readable.push_back(token);
    }

    /// Reads and runs what a connection sent.
    fn serve(&mut self, token: usize) {
        let Some(mut conn) = self.local.desk.conns.get_mut(token).and_then(Option::take) else {
            return;
        };
        let fate = if conn.session.state.any(State::HELD.with(State::BLOCKED)) {
            self.finish(&mut conn, Fate::Keep)
        } else {
            self.lend(&mut conn);
            let fate = self.read_and_run(&mut conn, token);
            self.finish(&mut conn, fate)
        };
        self.put_back(token, conn, fate);
    }

    /// Writes what a connection still has to be sent.
    fn write(&mut self, token: usize) {
        let Some(mut conn) = self.local.desk.conns.get_mut(token).and_then(Option::take) else {
            return;
        };
        let fate = self.finish(&mut conn, Fate::Keep);
        self.put_back(token, conn, fate);
    }

    fn put_back(&mut self, token: usize, conn: Box<Conn>, fate: Fate) {
        if fate == Fate::Keep {
            self.local.desk.conns[token] = Some(conn);
        } else {
            self.close(token, conn);
        }
    }

    /// Gives an idle connection the worker's reply buffer.
    fn lend(&mut self, conn: &mut Conn) {
        if conn.out.is_empty() {
            self.local.desk.spare.set_proto(conn.out.proto());
            std::mem::swap(&mut conn.out, &mut self.local.desk.spare);
        }
    }

    fn read_and_run(&mut self, conn: &mut Conn, token: usize) -> Fate {
        let server = Arc::clone(&self.server);
        for _ in 0..READS_MAX {
            if conn.ended {
                return Fate::Keep;
            }
            if conn.session.state.any(State::CLOSING) {
                return self.discard(conn, token);
            }
            let (got, room, flow) = self.read_once(&server, conn);
            match got {
                Got::End | Got::Nothing => return Fate::Keep,
                Got::Bytes(count) => {
                    if self.after_read(conn, token, count, flow) == Fate::Close {
                        return Fate::Close;
                    }
                    if flow == Flow::Hold || flow == Flow::Block {
                        return Fate::Keep;
                    }
                    if count < room && !conn.read_closed {
                        return Fate::Keep;
                    }
                }
            }
            if conn.out.len() > OUTPUT_AT_ONCE
                && (!self.flush(conn) || cron::is_over_output_limit(&server, &self.local, conn))
            {
                return Fate::Close;
            }
        }
        self.local.desk.again.push_back(token);
        Fate::Keep
    }

    /// Reads once and runs what is whole then; tells also how much could have been read.
    fn read_once(&mut self, server: &Server, conn: &mut Conn) -> (Got, usize, Flow) {
        if conn.big.is_some() {
            let head = conn.input.len();
            let (got, arrived) = conn.read_big();
            let flow = match arrived {
                Arrived::Part => Flow::Continue,
                Arrived::Whole => self.run_big(server, conn, head),
                Arrived::Broken => {
                    refuse::protocol_error(server, conn, &ProtocolError::Crlf, &[]);
                    Flow::Close
                }
            };
            return (got, 0, flow);
        }
        if conn.input.is_empty() {
            let mut buffer = std::mem::take(&mut self.local.desk.buffer);
            if buffer.is_empty() {
                buffer = vec![0; BUFFER].into_boxed_slice();
            }
            let got = felt::read(&mut self.local, conn, &mut buffer);
            let Got::Bytes(count) = got else {
                self.local.desk.buffer = buffer;
                return (got, BUFFER, Flow::Continue);
            };
            felt::begin(conn);
            let fed = dispatch::feed(server, &mut self.local, conn, &buffer[..count]);
            felt::end(conn, fed.flow);
            conn.input.extend_from_slice(&buffer[fed.keep]);
            self.local.desk.buffer = buffer;
            return (got, BUFFER, fed.flow);
        }
        let got = conn.read_input(INPUT_ROOM.max(conn.input.len().min(1 << 20)));
        let flow = match got {
            Got::Bytes(_) if self.has_sent_too_much(conn) => Flow::Close,
            Got::Bytes(_) => self.run_input(server, conn),
            _ => Flow::Continue,
        };
        (got, 0, flow)
    }

    /// Whether all clients take too much memory, and this one has to go for it, before what it has
    /// sent is run: that frees it.
    fn has_sent_too_much(&self, conn: &Conn) -> bool {
        if self.local.tunables.client_memory_max == 0 {
            return false;
        }
        conn.publish();
        self.takes_too_much(conn)
    }

    /// Runs what is whole in the connection's own buffer.
    fn run_input(&mut self, server: &Server, conn: &mut Conn) -> Flow {
        let mut input = std::mem::take(&mut conn.input);
        let fed = dispatch::feed(server, &mut self.local, conn, &input);
        input.truncate(fed.keep.end);
        input.drain(..fed.keep.start);
        conn.input = input;
        fed.flow
    }

    /// Goes on behind a big argument, in front of which there are `head` bytes of input.
    fn run_big(&mut self, server: &Server, conn: &mut Conn, head: usize) -> Flow {
        if conn.parser.big_done() {
            if self.has_sent_too_much(conn) {
                return Flow::Close;
            }
            let flow = dispatch::feed_whole(server, &mut self.local, conn, head);
            if flow != Flow::Continue || conn.input.is_empty() {
                return flow;
            }
        }
        self.run_input(server, conn)
    }

    /// Remembers what a command made of its connection.
    fn follow(&mut self, conn: &mut Conn, token: usize, flow: Flow) {
        match flow {
            Flow::Continue => {}
            Flow::Close => {
                conn.session.put(State::CLOSING, true);
                tracking::forget(&self.server, &mut conn.session);
            }
            Flow::Block => self.begin_wait(conn),
            Flow::Hold => {
                conn.session.put(State::HELD, true);
                self.local.held.push(token);
            }
        }
    }

    /// Reads and drops what a connection that ends still sends, so that the kernel does not throw
    /// its last reply away.
    fn discard(&mut self, conn: &mut Conn, token: usize) -> Fate {
        for _ in 0..READS_MAX {
            if !matches!(conn.read(&mut self.local.desk.buffer), Got::Bytes(_)) {
                return Fate::Keep;
            }
        }
        self.local.desk.again.push_back(token);
        Fate::Keep
    }

    fn is_over_query_limit(&self, conn: &Conn) -> bool {
        let queued = conn.session.multi.as_ref().map_or(0, |queued| queued.bytes());
        let over = (conn.pending_input() + queued) as u64 > self.local.tunables.query_buffer_limit
            || conn.input.len() as u64 > INPUT_MAX;
        if over {
            self.server.stats(self.local.id).query_buffer_limit.add(1);
            conn.publish();
            log::warn!(
                "Closing client that reached max query buffer length: {}",
                describe(&self.server, conn.client(), self.local.now_ms()),
            );
        }
        over
    }

    fn flush(&mut self, conn: &mut Conn) -> bool {
        if !conn.out.is_empty() && self.server.aof.holds_replies(&self.local.outlet) {
            self.local.outlet.has_appended = false;
            aof::settle(&self.server);
        }
        let (mut writes, mut sent) = (0, 0);
        let alive = conn.flush(&mut writes, &mut sent);
        let stats = self.server.stats(self.local.id);
        stats.writes.add(writes);
        stats.bytes_out.add(sent);
        alive
    }

    /// Whether the replies of one turn are over the hard limit. Only what a reply buffer cannot
    /// hold counts, but it counts before it is sent: the client may not take what the limit keeps
    /// the server from holding.
    fn is_too_much(&self, conn: &mut Conn) -> bool {
        let (pending, hard) = (conn.out.len() as u64, cron::output_limit(&self.local, conn).hard);
        if self.server.knobs.reply_list_only.load(Ordering::Relaxed) {
            return cron::is_over_output_limit(&self.server, &self.local, conn);
        }
        hard > 0
            && pending > REPLY_MAX as u64
            && pending >= hard
            && cron::is_over_output_limit(&self.server, &self.local, conn)
    }

    /// Sends replies, and settles what the connection keeps until it is served again.
    fn finish(&mut self, conn: &mut Conn, fate: Fate) -> Fate {
        let holds = self.server.aof.holds_replies(&self.local.outlet);
        if holds && fate == Fate::Keep && !conn.out.is_empty() {
            // The other connections of this turn share the write.
            self.local.desk.unsent.push(conn.client().slot);
            return Fate::Keep;
        }
        if self.is_too_much(conn) || !self.flush(conn) {
            return Fate::Close;
        }
        conn.client().replying.store(false, Ordering::Release);
        // Who waits for something is gone when the peer is: nobody would see the reply.
        let waits = conn.session.state.any(State::HELD.with(State::BLOCKED));
        if fate == Fate::Close || waits && conn.read_closed {
            return Fate::Close;
        }
        if conn.out.is_empty() {
            felt::sent(&self.server, &self.local, conn);
            if conn.ended {
                return Fate::Close;
            }
            if conn.session.state.any(State::CLOSING) && self.linger(conn) == Fate::Close {
                return Fate::Close;
            }
            self.take_back(conn);
        }
        if let Err(error) = conn.watch_write(self.local.desk.poll.registry(), !conn.out.is_empty())
        {
            log::warn!("Error changing the fd events of a client: {error}");
            return Fate::Close;
        }
        conn.publish();
        if cron::is_over_output_limit(&self.server, &self.local, conn) {
            return Fate::Close;
        }
        if self.takes_too_much(conn) { Fate::Close } else { Fate::Keep }
    }

    /// Whether all clients take too much memory, and this one has to go for it.
    fn takes_too_much(&self, conn: &Conn) -> bool {
        self.local.tunables.client_memory_max > 0
            && !conn.lingers
            && footprint::settle(&self.server, &self.local, conn.client())
    }

    /// Takes the reply buffer back from a connection that has no replies left. A second one, which
    /// came to be while the first was away with a slow reader, is not kept.
    fn take_back(&mut self, conn: &mut Conn) {
        let proto = conn.out.proto();
        if self.local.desk.spare.capacity() == 0 {
            std::mem::swap(&mut conn.out, &mut self.local.desk.spare);
            conn.out.set_proto(proto);
        } else if conn.out.capacity() > 0 {
            conn.out = Writer::new(proto);
        }
    }

    /// Ends a connection whose last reply is sent without losing that reply: a socket that is
    /// closed while the peer still sends throws away what the peer has not read. So it is closed
    /// for writing only, until the peer closes as well, or for some time. Nobody sees it any more.
    fn linger(&mut self, conn: &mut Conn) -> Fate {
        if conn.lingers {
            return Fate::Keep;
        }
        let slot = conn.client().slot;
        self.discard(conn, slot);
        if conn.ended || self.local.desk.lingering.len() >= LINGERING_MAX {
            return Fate::Close;
        }
        conn.shut_down();
        conn.lingers = true;
        self.strike_off(conn);
        pubsub::forget(&self.server, &mut self.local, &mut conn.session);
        self.local.desk.lingering.push_back((
            Instant::now() + LINGER_TIME,
            slot,
            conn.session.id(),
        ));
        Fate::Keep
    }

    /// Closes connections that have lingered long enough.
    fn end_lingering(&mut self, now: Instant) {
        while let Some((until, slot, id)) = self.local.desk.lingering.front().copied()
            && until <= now
        {
            self.local.desk.lingering.pop_front();
            let still = |conn: &mut Box<Conn>| conn.session.id() == id;
            if let Some(conn) =
                self.local.desk.conns.get_mut(slot).and_then(|conn| conn.take_if(still))
            {
                self.close(slot, conn);
            }
        }
    }

    fn close(&mut self, token: usize, mut conn: Box<Conn>) {
        self.forget_wait(&conn);
        if let Err(error) = self.local.desk.poll.registry().deregister(conn.stream.source()) {
            log::debug!("Removing a client from the poller: {error}");
        }
        if !conn.lingers {
            self.strike_off(&conn);
        }
        multi::forget(&self.server, &mut conn.session);
        tracking::forget(&self.server, &mut conn.session);
        pubsub::forget(&self.server, &mut self.local, &mut conn.session);
        self.local.desk.free.push(token);
    }

    /// Nobody sees the client any more.
    fn strike_off(&self, conn: &Conn) {
        self.server.clients.remove(conn.session.id());
        footprint::strike_off(&self.server, conn.client());
        self.server.workers[self.local.id].connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// The place of a client, while its connection is open.
    fn token_of(&self, client: &Client) -> Option<usize> {
        let conn = self.local.desk.conns.get(client.slot)?.as_ref()?;
        (conn.session.id() == client.id).then_some(client.slot)
    }

    fn kill(&mut self, client: &Client) {
        let Some(token) = self.token_of(client) else { return };
        if let Some(conn) = self.local.desk.conns[token].take() {
            self.close(token, conn);
        }
    }

    /// Goes on with connections whose commands were held back.
    fn resume(&mut self) {
        for token in std::mem::take(&mut self.local.held) {
            if let Some(conn) = self.local.desk.conns[token].as_mut() {
                conn.session.put(State::HELD, false);
                self.go_on(token);
            }
        }
    }

    /// Runs what a connection has already sent, then reads more.
    fn go_on(&mut self, token: usize) {
        let Some(mut conn) = self.local.desk.conns.get_mut(token).and_then(Option::take) else {
            return;
        };
        let server = Arc::clone(&self.server);
        self.lend(&mut conn);
        let mut flow = Flow::Continue;
        if let Some(len) = conn.waits.take() {
            flow = dispatch::feed_whole(&server, &mut self.local, &mut conn, len);
        }
        if flow == Flow::Continue && !conn.input.is_empty() {
            flow = self.run_input(&server, &mut conn);
        }
        self.follow(&mut conn, token, flow);
        let fate = self.finish(&mut conn, Fate::Keep);
        self.put_back(token, conn, fate);
        if flow == Flow::Continue && fate == Fate::Keep {
            self.serve(token);
        }
    }

    /// Takes in what was read of the file that is being loaded.
    fn load(&mut self) {
        if self.server.state().any(State::LOADING) {
            let server = Arc::clone(&self.server);
            server.persistence.feed.take_in(&server, &mut self.local);
            if self.local.id == 0 {
                self.server.aof.replay.take_in(&self.server, &mut self.local);
            }
        }
    }

    /// Whether keys are removed that nobody asks for.
    fn expires_keys(&self) -> bool {
        let is_active = self.server.active_expire.load(Ordering::Relaxed);
        let is_loading = self.server.state().any(State::LOADING);
        is_active && !is_loading && !self.local.tunables.import_mode
    }

    /// Removes keys of this worker's lane whose time has come.
    fn expire(&mut self) {
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
    fn expire_some(&mut self, server: &Server, budget: &mut u32) {
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
    fn evict(&mut self) {
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
    fn snapshot(&mut self, began: Instant) {
        let served = (self.local.turn_commands > 0).then(|| began.elapsed());
        let server = Arc::clone(&self.server);
        self.local.desk.pace = snapshot::walk(&server, &mut self.local, served);
        if self.local.id == 0 {
            self.server.persistence.snapshots.tick(&self.server);
        }
    }

    /// Periodic work, when its time has come.
    fn cron(&mut self, now: Instant) {
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
}
