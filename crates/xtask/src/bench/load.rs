//! The load generator: one thread, many connections, a closed loop on each of them.
//!
//! It must cost less than any server, so requests are bytes with only digits to fill in, replies
//! are counted and not read, and the clock is read twice a batch. A connection sends its next batch
//! when the last one is answered in full.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use super::process::{Usage, pin};
use super::request::{Keys, Replies, Request};

const READ_SIZE: usize = 256 * 1024;
/// A server that is silent for so long is taken for hung.
const SILENCE_LIMIT: Duration = Duration::from_secs(60);
const LATENCY_MAX_NS: u64 = 120_000_000_000;

/// Connections that all do the same.
pub(super) struct Group {
    pub(super) connections: usize,
    pub(super) request: Request,
    pub(super) keys: Keys,
}

/// When measuring ends.
pub(super) enum End<'a> {
    At(Instant),
    /// When the flag is set, and at the instant at the latest.
    Flag(&'a AtomicBool, Instant),
    /// When the sequence of a group's keys is used up.
    Exhausted,
}

/// Everything one generator thread is told.
pub(super) struct Plan<'a> {
    pub(super) address: SocketAddr,
    pub(super) groups: Vec<Group>,
    /// Before this instant load is made but not counted.
    pub(super) start: Instant,
    pub(super) end: End<'a>,
    /// The process whose usage is read at both ends of the window.
    pub(super) watch: Option<u32>,
    /// Cores for the generating thread.
    pub(super) cpus: &'a [usize],
}

/// What one group saw inside the window.
pub(super) struct Seen {
    pub(super) operations: u64,
    /// Nanoseconds from sending a batch to its last reply.
    pub(super) latency: Histogram<u64>,
}

pub(super) struct Outcome {
    pub(super) seen: Vec<Seen>,
    pub(super) elapsed: Duration,
    /// The watched process between the ends of the window; zeros if none was watched.
    pub(super) usage: Usage,
}

/// An empty histogram of nanoseconds with three digits.
pub(super) fn histogram() -> Histogram<u64> {
    Histogram::new_with_max(LATENCY_MAX_NS, 3).expect("the bounds are valid")
}

/// Generates load until the plan's end, on a thread of its own, so that pinning it leaves the
/// caller where it is.
///
/// # Errors
/// The first error reply, a closed connection, or a server that has stopped answering.
pub(super) fn run(plan: Plan<'_>) -> Result<Outcome, String> {
    std::thread::scope(|scope| {
        let generator = scope.spawn(|| {
            pin(plan.cpus);
            Generator::new(plan)?.run()
        });
        generator.join().map_err(|_| "the generator panicked".to_owned())?
    })
}

/// Stores `count` keys once each, as fast as the server takes them.
pub(super) fn fill(
    address: SocketAddr,
    pattern: &str,
    count: u64,
    cpus: &[usize],
) -> Result<(), String> {
    let group = Group {
        connections: 4,
        request: Request::new(pattern, 64),
        keys: Keys::Sequence(0, count),
    };
    let groups = vec![group];
    let start = Instant::now();
    run(Plan { address, groups, start, end: End::Exhausted, watch: None, cpus }).map(drop)
}

struct Connection {
    stream: TcpStream,
    group: usize,
    replies: Replies,
    /// Replies that the batch in flight still lacks; 0 when none is.
    awaited: usize,
    sent: Instant,
    unsent: Vec<u8>,
}

struct Generator<'a> {
    plan: Plan<'a>,
    poll: Poll,
    connections: Vec<Connection>,
    seen: Vec<Seen>,
    random: fastrand::Rng,
    input: Vec<u8>,
    /// Batches in flight over all connections.
    in_flight: usize,
    counting: bool,
    stopping: bool,
}

impl<'a> Generator<'a> {
    fn new(plan: Plan<'a>) -> Result<Generator<'a>, String> {
        let failed = |error: std::io::Error| format!("generator: {error}");
        let poll = Poll::new().map_err(failed)?;
        let mut connections = Vec::new();
        for (group, settings) in plan.groups.iter().enumerate() {
            for _ in 0..settings.connections {
                let mut stream = std::net::TcpStream::connect(plan.address).map_err(failed)?;
                stream.set_nodelay(true).map_err(failed)?;
                open(&mut stream, &settings.request)?;
                stream.set_nonblocking(true).map_err(failed)?;
                let mut stream = TcpStream::from_std(stream);
                let interest = Interest::READABLE | Interest::WRITABLE;
                let token = Token(connections.len());
                poll.registry().register(&mut stream, token, interest).map_err(failed)?;
                let replies = Replies::new();
                let sent = Instant::now();
                let unsent = Vec::new();
                connections.push(Connection { stream, group, replies, awaited: 0, sent, unsent });
            }
        }
        let seen = plan.groups.iter().map(|_| Seen { operations: 0, latency: histogram() });
        Ok(Generator {
            seen: seen.collect(),
            poll,
            connections,
            random: fastrand::Rng::with_seed(0x5eed),
            input: vec![0; READ_SIZE],
            in_flight: 0,
            counting: false,
            stopping: false,
            plan,
        })
    }

    fn run(&mut self) -> Result<Outcome, String> {
        let mut events = Events::with_capacity(256);
        let mut before = Usage::default();
        let mut started = Instant::now();
        for at in 0..self.connections.len() {
            self.next(at)?;
        }
        loop {
            let now = Instant::now();
            if !self.counting && now >= self.plan.start {
                before = self.usage()?;
                started = Instant::now();
                self.counting = true;
            }
            if self.is_over(now) {
                break;
            }
            match self.poll.poll(&mut events, Some(SILENCE_LIMIT)) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                other => other.map_err(|error| format!("generator: {error}"))?,
            }
            if events.is_empty() {
                return Err("the server has stopped answering".to_owned());
            }
            for event in &events {
                self.advance(event.token().0)?;
            }
        }
        let usage = self.usage()?.since(before);
        let elapsed = started.elapsed();
        Ok(Outcome { seen: std::mem::take(&mut self.seen), elapsed, usage })
    }

    fn is_over(&self, now: Instant) -> bool {
        match &self.plan.end {
            End::At(end) => now >= *end,
            End::Flag(flag, limit) => flag.load(Ordering::Relaxed) || now >= *limit,
            End::Exhausted => self.stopping && self.in_flight == 0,
        }
    }

    fn usage(&self) -> Result<Usage, String> {
        self.plan.watch.map_or(Ok(Usage::default()), Usage::of)
    }

    /// Sends what is left of a batch, reads what has come, and goes on if that ends the batch.
    fn advance(&mut self, at: usize) -> Result<(), String> {
        if !self.connections[at].unsent.is_empty() {
            flush(&mut self.connections[at])?;
        }
        let connection = &mut self.connections[at];
        if connection.awaited == 0 {
            return Ok(());
        }
        loop {
            match connection.stream.read(&mut self.input) {
                Ok(0) => return Err("the server closed the connection".to_owned()),
                Ok(size) => {
                    let count = connection.replies.count(&self.input[..size])?;
                    connection.awaited = connection
                        .awaited
                        .checked_sub(count)
                        .ok_or("the server sent more replies than requests")?;
                    if connection.awaited == 0 {
                        return self.complete(at);
                    }
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("receive: {error}")),
            }
        }
    }

    fn complete(&mut self, at: usize) -> Result<(), String> {
        self.in_flight -= 1;
        if self.counting {
            let connection = &self.connections[at];
            let group = &self.plan.groups[connection.group];
            let seen = &mut self.seen[connection.group];
            seen.operations += group.request.replies() as u64;
            let took = connection.sent.elapsed().as_nanos().min(u128::from(LATENCY_MAX_NS)) as u64;
            seen.latency.saturating_record(took);
        }
        self.next(at)
    }

    fn next(&mut self, at: usize) -> Result<(), String> {
        if self.stopping {
            return Ok(());
        }
        let connection = &mut self.connections[at];
        let group = &mut self.plan.groups[connection.group];
        let replies = group.request.replies();
        let Some(bytes) = group.request.fill(&mut group.keys, &mut self.random) else {
            self.stopping = true;
            return Ok(());
        };
        connection.sent = Instant::now();
        connection.awaited = replies;
        self.in_flight += 1;
        let taken = write(&mut connection.stream, bytes)?;
        if taken < bytes.len() {
            connection.unsent.extend_from_slice(&bytes[taken..]);
        }
        Ok(())
    }
}

/// Sends what a connection sends first, and waits for the replies.
fn open(stream: &mut std::net::TcpStream, request: &Request) -> Result<(), String> {
    let (bytes, mut awaited) = request.opening();
    stream.write_all(bytes).map_err(|error| format!("send: {error}"))?;
    let (mut replies, mut input) = (Replies::new(), [0; 4096]);
    while awaited > 0 {
        let size = stream.read(&mut input).map_err(|error| format!("receive: {error}"))?;
        if size == 0 {
            return Err("the server closed the connection".to_owned());
        }
        awaited = awaited.saturating_sub(replies.count(&input[..size])?);
    }
    Ok(())
}

fn flush(connection: &mut Connection) -> Result<(), String> {
    let taken = write(&mut connection.stream, &connection.unsent)?;
    connection.unsent.drain(..taken);
    Ok(())
}

/// How many bytes the kernel took before it would have blocked.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> Result<usize, String> {
    let mut taken = 0;
    while taken < bytes.len() {
        match stream.write(&bytes[taken..]) {
            Ok(size) => taken += size,
            Err(error) if error.kind() == ErrorKind::WouldBlock => break,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(format!("send: {error}")),
        }
    }
    Ok(taken)
}
