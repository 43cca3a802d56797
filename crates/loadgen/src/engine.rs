//! One thread that makes load over many connections.
//!
//! In a closed loop a connection sends its next batch when the last one is answered in full; by a
//! schedule, batches that are due go to the connections that are free. A read that did not fill the
//! buffer is not repeated: the poller tells when there is more.

use std::io::{ErrorKind, Read, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::{Events, Interest, Poll, Token};

use crate::address::{Address, Stream, receiving, sending};
use crate::affinity;
use crate::draw::Keys;
use crate::error::Error;
use crate::replies::Replies;
use crate::request::Request;
use crate::schedule::Schedule;
use crate::timer::Timer;
use crate::usage::{Usage, of_thread};

const READ_SIZE: usize = 256 * 1024;
/// A server that is silent for so long is taken for hung.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);
/// How often a thread that waits looks whether another one has failed.
const HALT_INTERVAL: Duration = Duration::from_millis(250);
const LATENCY_MAX_NS: u64 = 120_000_000_000;
const TIMER: Token = Token(usize::MAX);

/// Connections that all do the same.
#[derive(Clone)]
pub struct Group {
    /// How many.
    pub connections: usize,
    /// What they send.
    pub request: Request,
    /// Where the numbers in it come from.
    pub keys: Keys,
}

/// When measuring ends.
#[derive(Clone, Copy)]
pub enum End<'a> {
    /// At the instant.
    At(Instant),
    /// So long after the warm-up.
    After(Duration),
    /// When the flag is set, and at the instant at the latest.
    Flag(&'a AtomicBool, Instant),
    /// When so many units, over all threads that share the number, were sent and answered. Those
    /// of the warm-up are not taken from it.
    Count(&'a AtomicU64),
    /// When the sequence of a group's keys is used up.
    Exhausted,
}

/// What others may look at while load is made.
#[derive(Default, Debug)]
pub struct Progress {
    /// Replies so far, the warm-up's included.
    pub replies: AtomicU64,
    /// The sum of their latencies, in nanoseconds.
    pub latency_ns: AtomicU64,
}

/// Everything one generator thread is told.
#[derive(Clone)]
pub struct Plan<'a> {
    /// Where the server is.
    pub address: Address,
    /// What is sent to it.
    pub groups: Vec<Group>,
    /// Before this instant load is made but not counted.
    pub start: Instant,
    /// When it is over.
    pub end: End<'a>,
    /// The rate at which batches are sent; without one, as fast as they are answered.
    pub schedule: Option<Schedule>,
    /// Every batch on a new connection.
    pub reconnect: bool,
    /// Seed of what is drawn.
    pub seed: u64,
    /// The process whose usage is read at both ends of the window.
    pub watch: Option<u32>,
    /// Cores for the generating thread; none leaves it as it is.
    pub cpus: &'a [usize],
    /// Where progress is told.
    pub progress: Option<&'a Progress>,
    /// Set when another thread of the same run has failed.
    pub halt: Option<&'a AtomicBool>,
}

impl<'a> Plan<'a> {
    /// A closed loop from `start` to `end`.
    pub fn new(
        address: impl Into<Address>,
        groups: Vec<Group>,
        start: Instant,
        end: End<'a>,
    ) -> Plan<'a> {
        Plan {
            address: address.into(),
            groups,
            start,
            end,
            schedule: None,
            reconnect: false,
            seed: 0x5eed,
            watch: None,
            cpus: &[],
            progress: None,
            halt: None,
        }
    }
}

/// What was seen inside the window.
#[derive(Clone, Debug)]
pub struct Seen {
    /// Replies.
    pub operations: u64,
    /// Nanoseconds from sending a batch to its last reply, once for each of its replies.
    pub latency: Histogram<u64>,
}

impl Default for Seen {
    fn default() -> Seen {
        Seen { operations: 0, latency: histogram() }
    }
}

impl Seen {
    /// Adds what another thread or round saw.
    pub fn add(&mut self, other: &Seen) {
        self.operations += other.operations;
        self.latency.add(&other.latency).expect("all histograms have the same bounds");
    }

    fn record(&mut self, latency_ns: u64, replies: u64) {
        self.operations += replies;
        self.latency.saturating_record_n(latency_ns, replies);
    }
}

/// What one thread saw.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// Each group.
    pub seen: Vec<Seen>,
    /// The units of the first group one by one, if it has several.
    pub each: Vec<Seen>,
    /// From the beginning of the window to its end.
    pub elapsed: Duration,
    /// The watched process between the ends of the window; zeros if none was watched.
    pub usage: Usage,
    /// What the generating thread itself used inside the window, in nanoseconds.
    pub own_ns: u64,
}

/// An empty histogram of nanoseconds with three digits.
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(LATENCY_MAX_NS, 3).expect("the bounds are valid")
}

/// Generates load until the plan's end, on a thread of its own, so that pinning it leaves the
/// caller where it is.
///
/// # Errors
/// The first error reply, a closed connection, or a server that has stopped answering.
pub fn run(plan: Plan<'_>) -> Result<Outcome, Error> {
    std::thread::scope(|scope| {
        let generator = scope.spawn(|| {
            affinity::pin(plan.cpus);
            Generator::new(plan)?.run()
        });
        generator.join().map_err(|_| Error::Halted)?
    })
}

/// Stores `count` keys once each, as fast as the server takes them.
///
/// # Errors
/// As [`run`].
pub fn fill(
    address: impl Into<Address>,
    pattern: &str,
    count: u64,
    cpus: &[usize],
) -> Result<(), Error> {
    let request = Request::of_pattern(pattern, 64);
    let groups = vec![Group { connections: 4, request, keys: Keys::Sequence(0, count) }];
    let plan = Plan::new(address, groups, Instant::now(), End::Exhausted);
    run(Plan { cpus, ..plan }).map(drop)
}

/// Opens connections that send nothing after their opening, and waits for as long as the server
/// keeps them.
///
/// # Errors
/// What ended the first of them.
pub fn idle(address: &Address, request: &Request, connections: usize) -> Result<(), Error> {
    let mut poll = Poll::new().map_err(waiting)?;
    let mut streams = Vec::new();
    for at in 0..connections {
        streams.push((open(address, request, &poll, Token(at))?, Replies::default()));
    }
    let (mut events, mut input) = (Events::with_capacity(1024), [0; 4096]);
    loop {
        match poll.poll(&mut events, None) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            other => other.map_err(waiting)?,
        }
        for event in &events {
            let (stream, replies) = &mut streams[event.token().0];
            match stream.read(&mut input) {
                Ok(0) => return Err(Error::Closed),
                Ok(size) => _ = replies.count(&input[..size])?,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                Err(error) => return Err(receiving(error)),
            }
        }
    }
}

struct Connection {
    stream: Stream,
    group: usize,
    replies: Replies,
    /// Replies that the batch in flight still lacks; 0 when none is.
    awaited: usize,
    /// Replies that it brings altogether.
    batch: usize,
    /// Whether the batch belongs to what is measured.
    counts: bool,
    /// From when its latency counts, in nanoseconds since the generator began.
    begun: u64,
    unsent: Vec<u8>,
    picks: Vec<u32>,
}

struct Generator<'a> {
    plan: Plan<'a>,
    poll: Poll,
    connections: Vec<Connection>,
    /// Connections without a batch, if there is a schedule.
    free: Vec<usize>,
    timer: Option<Timer>,
    seen: Vec<Seen>,
    each: Vec<Seen>,
    random: fastrand::Rng,
    input: Vec<u8>,
    began: Instant,
    /// When counting began, or when it is to begin.
    started: Instant,
    /// Batches in flight over all connections.
    in_flight: usize,
    /// Replies that were not told yet, and the sum of their latencies.
    untold: (u64, u64),
    counting: bool,
    stopping: bool,
}

impl<'a> Generator<'a> {
    fn new(plan: Plan<'a>) -> Result<Generator<'a>, Error> {
        let poll = Poll::new().map_err(waiting)?;
        let mut connections = Vec::new();
        for (group, settings) in plan.groups.iter().enumerate() {
            for _ in 0..settings.connections {
                let token = Token(connections.len());
                let stream = open(&plan.address, &settings.request, &poll, token)?;
                connections.push(Connection::new(stream, group));
            }
        }
        let timer = match plan.schedule {
            Some(_) => Some(Timer::new(poll.registry(), TIMER).map_err(waiting)?),
            None => None,
        };
        let kinds = plan.groups.first().map_or(0, |group| group.request.kinds());
        Ok(Generator {
            seen: plan.groups.iter().map(|_| Seen::default()).collect(),
            each: if kinds > 1 { vec![Seen::default(); kinds] } else { Vec::new() },
            free: Vec::new(),
            timer,
            poll,
            connections,
            random: fastrand::Rng::with_seed(plan.seed),
            input: vec![0; READ_SIZE],
            began: Instant::now(),
            started: plan.start,
            in_flight: 0,
            untold: (0, 0),
            counting: false,
            stopping: false,
            plan,
        })
    }

    fn run(&mut self) -> Result<Outcome, Error> {
        let mut events = Events::with_capacity(1024);
        let (mut before, mut own) = (Usage::default(), 0);
        self.began = Instant::now();
        if self.plan.start <= self.began {
            (before, own) = (self.usage()?, of_thread());
            (self.started, self.counting) = (self.began, true);
        }
        if self.plan.schedule.is_some() {
            self.free = (0..self.connections.len()).rev().collect();
        } else {
            for at in 0..self.connections.len() {
                self.next(at, None)?;
            }
        }
        let mut heard = self.began;
        loop {
            let now = Instant::now();
            if !self.counting && now >= self.plan.start {
                (before, own) = (self.usage()?, of_thread());
                (self.started, self.counting) = (now, true);
            }
            let wait = self.pump(now)?;
            if self.is_over(now)? {
                break;
            }
            match self.poll.poll(&mut events, Some(wait)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other.map_err(waiting)?,
            }
            if !events.is_empty() || self.in_flight == 0 {
                heard = now;
            } else if now - heard > SILENCE_LIMIT {
                return Err(Error::Silent);
            }
            for event in events.iter().filter(|event| event.token() != TIMER) {
                self.advance(event.token().0)?;
            }
            self.tell();
        }
        let (elapsed, own_ns) = (self.started.elapsed(), of_thread().saturating_sub(own));
        let usage = self.usage()?.since(before);
        let (seen, each) = (std::mem::take(&mut self.seen), std::mem::take(&mut self.each));
        Ok(Outcome { seen, each, elapsed, usage, own_ns })
    }

    fn is_over(&self, now: Instant) -> Result<bool, Error> {
        if self.plan.halt.is_some_and(|halt| halt.load(Ordering::Relaxed)) {
            return Err(Error::Halted);
        }
        Ok(match &self.plan.end {
            End::At(end) => now >= *end,
            End::After(time) => self.counting && now - self.started >= *time,
            End::Flag(flag, limit) => flag.load(Ordering::Relaxed) || now >= *limit,
            End::Count(_) | End::Exhausted => self.stopping && self.in_flight == 0,
        })
    }

    fn usage(&self) -> Result<Usage, Error> {
        self.plan.watch.map_or(Ok(Usage::default()), Usage::of)
    }

    /// Sends what is due on connections that are free; returns how long there is nothing to do.
    fn pump(&mut self, now: Instant) -> Result<Duration, Error> {
        let limit = match self.plan.end {
            End::At(end) => end.saturating_duration_since(now),
            End::After(time) => (self.started + time).saturating_duration_since(now),
            _ => HALT_INTERVAL,
        };
        let limit = limit.min(HALT_INTERVAL);
        let since = (now - self.began).as_nanos() as u64;
        while !self.stopping
            && let Some(schedule) = &mut self.plan.schedule
            && let Some(at) = self.free.last().copied()
        {
            let Some(begun) = schedule.take(since) else {
                let due = schedule.due();
                let wait = Duration::from_nanos(due - since);
                return match &mut self.timer {
                    Some(timer) if wait < limit => timer.set(due, wait, limit).map_err(waiting),
                    _ => Ok(limit),
                };
            };
            self.free.pop();
            self.next(at, Some(begun))?;
        }
        Ok(limit)
    }

    /// Sends what is left of a batch, reads what has come, and goes on if that ends the batch.
    fn advance(&mut self, at: usize) -> Result<(), Error> {
        let connection = &mut self.connections[at];
        if !connection.unsent.is_empty() {
            let taken = write(&mut connection.stream, &connection.unsent)?;
            connection.unsent.drain(..taken);
        }
        connection.stream.flush().map_err(sending)?;
        loop {
            match connection.stream.read(&mut self.input) {
                Ok(0) => return Err(Error::Closed),
                Ok(size) => {
                    let count = connection.replies.count(&self.input[..size])?;
                    connection.awaited = connection
                        .awaited
                        .checked_sub(count)
                        .ok_or(Error::Garbage("more replies than requests"))?;
                    if connection.awaited == 0 && count > 0 {
                        return self.complete(at);
                    }
                    if size < self.input.len() && connection.stream.reads_all() {
                        return Ok(());
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(receiving(error)),
            }
        }
    }

    fn complete(&mut self, at: usize) -> Result<(), Error> {
        self.in_flight -= 1;
        let now = self.began.elapsed().as_nanos() as u64;
        let connection = &mut self.connections[at];
        let latency = now.saturating_sub(connection.begun).min(LATENCY_MAX_NS);
        let replies = connection.batch as u64;
        if self.counting && connection.counts {
            self.seen[connection.group].record(latency, replies);
            for pick in connection.picks.iter().filter(|_| connection.group == 0) {
                let each = replies / connection.picks.len() as u64;
                self.each[*pick as usize].record(latency, each);
            }
        }
        self.untold.0 += replies;
        self.untold.1 += latency * replies;
        if self.plan.reconnect && !self.stopping {
            self.reconnect(at)?;
        }
        if self.plan.schedule.is_some() {
            self.free.push(at);
            return Ok(());
        }
        // The clock is read once for the end of a batch and the beginning of the next.
        let begun = (!self.plan.reconnect).then_some(now);
        self.next(at, begun)
    }

    /// Adds what was answered since the last time to what others may look at.
    fn tell(&mut self) {
        let (replies, latency_ns) = std::mem::take(&mut self.untold);
        if let Some(progress) = self.plan.progress {
            progress.replies.fetch_add(replies, Ordering::Relaxed);
            progress.latency_ns.fetch_add(latency_ns, Ordering::Relaxed);
        }
    }

    fn reconnect(&mut self, at: usize) -> Result<(), Error> {
        let connection = &mut self.connections[at];
        let request = &self.plan.groups[connection.group].request;
        connection.stream = open(&self.plan.address, request, &self.poll, Token(at))?;
        Ok(())
    }

    /// How many units the next batch may have; 0 when all were sent.
    fn granted(&self, depth: usize) -> usize {
        let End::Count(left) = self.plan.end else { return depth };
        if !self.counting {
            return depth;
        }
        let mut granted = 0;
        // Nothing else is ordered by the number.
        let _ = left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| {
            granted = left.min(depth as u64);
            (granted > 0).then(|| left - granted)
        });
        granted as usize
    }

    /// Sends the next batch; its latency counts from `begun`, or from now.
    fn next(&mut self, at: usize, begun: Option<u64>) -> Result<(), Error> {
        if self.stopping {
            return Ok(());
        }
        let group = self.connections[at].group;
        let units = self.granted(self.plan.groups[group].request.depth());
        let counts = self.counting || !matches!(self.plan.end, End::Count(_));
        let connection = &mut self.connections[at];
        let group = &mut self.plan.groups[group];
        connection.batch = group.request.replies() * units;
        let Some(bytes) = group.request.fill(units, &mut group.keys, &mut self.random) else {
            self.stopping = true;
            return Ok(());
        };
        if units == 0 {
            self.stopping = true;
            return Ok(());
        }
        connection.begun = begun.unwrap_or_else(|| self.began.elapsed().as_nanos() as u64);
        connection.awaited = connection.batch;
        connection.counts = counts;
        self.in_flight += 1;
        let taken = write(&mut connection.stream, bytes)?;
        if taken < bytes.len() {
            connection.unsent.extend_from_slice(&bytes[taken..]);
        }
        connection.picks.clear();
        connection.picks.extend_from_slice(group.request.picks());
        Ok(())
    }
}

impl Connection {
    fn new(stream: Stream, group: usize) -> Connection {
        Connection {
            stream,
            group,
            replies: Replies::default(),
            awaited: 0,
            batch: 0,
            counts: false,
            begun: 0,
            unsent: Vec::new(),
            picks: Vec::new(),
        }
    }
}

/// A connection that has sent what it sends first, and is watched under the token.
fn open(address: &Address, request: &Request, poll: &Poll, token: Token) -> Result<Stream, Error> {
    let mut stream = address.connect()?;
    let (bytes, awaited) = request.opening();
    stream.converse(bytes, awaited)?;
    let mut stream = stream.into_ready().map_err(waiting)?;
    let interest = Interest::READABLE | Interest::WRITABLE;
    poll.registry().register(&mut stream, token, interest).map_err(waiting)?;
    Ok(stream)
}

/// How many bytes the kernel took before it would have blocked.
fn write(stream: &mut Stream, bytes: &[u8]) -> Result<usize, Error> {
    let mut taken = 0;
    while taken < bytes.len() {
        match stream.write(&bytes[taken..]) {
            Ok(size) => taken += size,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(sending(error)),
        }
    }
    Ok(taken)
}

fn waiting(error: std::io::Error) -> Error {
    Error::Io("Waiting for the server", error)
}

#[cfg(test)]
mod tests;
