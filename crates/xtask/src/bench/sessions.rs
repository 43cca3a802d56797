//! What sessions cost beyond single commands: transactions, and messages to many subscribers.
//!
//! The publisher sends its next batch when every message of the last one has arrived, so that no
//! server is ahead of its subscribers and none of them is closed for what it has not read.

use std::io::{ErrorKind, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

use loadgen::affinity::pin;
use loadgen::usage::Usage;
use resp::encode_command;

use super::cells::{Cell, Task, disturbance, errors, rounds, start};
use super::idle::raise_file_limit;
use super::options::Options;
use super::process::{Cpus, Kind, Server};
use super::report::{Section, Table, median, micros, ratio};

const VALUE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const SETS: usize = 10;
const SILENCE_LIMIT: Duration = Duration::from_secs(20);

/// Who listens to what.
struct Scene {
    name: &'static str,
    subscribers: usize,
    /// Subscribers are spread over so many channels.
    channels: usize,
    /// Messages that are sent together.
    batch: usize,
}

const SCENES: &[Scene] = &[
    Scene { name: "1 channel, 1 000 subscribers", subscribers: 1_000, channels: 1, batch: 1 },
    Scene { name: "the same, 16 at once", subscribers: 1_000, channels: 1, batch: 16 },
    Scene {
        name: "10 000 channels, 1 subscriber each, 100 at once",
        subscribers: 10_000,
        channels: 10_000,
        batch: 100,
    },
];

/// CPU of one delivered message.
struct Delivery {
    per_second: f64,
    user_us: f64,
    total_us: f64,
}

/// # Errors
/// A server that does not start or closes a connection.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let intro = format!(
        "Transactions of {SETS} SETs with values of {} bytes and {} keys, {} connections; messages \
         of {} bytes, from one publisher that waits until all subscribers have them; their floor \
         does nothing but send them. Server on \
         one core, generator on another; medians of {} rounds of {} ms.",
        VALUE.len(),
        options.keys,
        super::cells::CONNECTIONS,
        VALUE.len(),
        options.rounds,
        options.window.as_millis()
    );
    let mut section = Section::new("sessions", "Sessions", intro);
    if options.wants("MULTI") {
        transactions(options, &cpus, &mut section)?;
    }
    if options.wants("PUBLISH") {
        section.tables.push(messages(options, &cpus)?);
    }
    if options.wants("HOTKEYS") {
        section.tables.push(watching(options, &cpus)?);
    }
    Ok(section)
}

/// What it costs to know which keys are used most and what clients wait for: three servers with
/// different settings take turns.
fn watching(options: &Options, cpus: &Cpus) -> Result<Table, String> {
    const SETTINGS: [(&str, [&str; 4]); 3] = [
        ("nothing is watched", ["--hotkey-top-k", "0", "--latency-tracking", "no"]),
        ("hot keys", ["--hotkey-top-k", "16", "--latency-tracking", "no"]),
        ("latencies", ["--hotkey-top-k", "0", "--latency-tracking", "yes"]),
    ];
    let mut table = Table::new(&["watched", "pipeline", "user µs a SET", "user / nothing"]);
    let start = |(_, more): &(&str, [&str; 4])| {
        let server = Server::start(options, Kind::Ours, &cpus.server, more)?;
        server.pause();
        Ok(server)
    };
    let servers = SETTINGS.iter().map(start).collect::<Result<Vec<_>, String>>()?;
    let pattern = format!("SET {{k}} {VALUE}");
    for &depth in options.pipelines.iter().filter(|depth| **depth > 1) {
        let task = Task { name: "HOTKEYS", pattern: &pattern, depth, prepare: Vec::new() };
        let cells = rounds(options, &task, &servers, cpus);
        let user: Vec<Option<f64>> =
            cells.iter().map(|cell| cell.figures().map(|got| got.user_us)).collect();
        for ((name, _), got) in SETTINGS.iter().zip(&user) {
            let mut row = vec![(*name).to_owned(), depth.to_string()];
            if let (Some(got), Some(nothing)) = (got, user[0]) {
                row.extend([micros(*got), ratio(*got, nothing)]);
            }
            table.push(row);
        }
    }
    Ok(table)
}

fn transactions(options: &Options, cpus: &Cpus, section: &mut Section) -> Result<(), String> {
    let mut table = Table::new(&[
        "transactions at once",
        "server",
        "transactions/s",
        "user µs",
        "total µs",
        "user / peer",
        "total / peer",
    ]);
    let fillings = [(format!("SET {{k}} {VALUE}"), options.keys)];
    let servers = start(options, false, "strings", &fillings, cpus)?;
    let pattern = format!("MULTI{};EXEC", format!(";SET {{k}} {VALUE}").repeat(SETS));
    let commands = (SETS + 2) as f64;
    let mut waits = Vec::new();
    for &depth in options.pipelines.iter().filter(|depth| **depth <= 16) {
        let task = Task { name: "MULTI", pattern: &pattern, depth, prepare: Vec::new() };
        let cells = rounds(options, &task, &servers, cpus);
        waits.extend(cells.iter().flat_map(Cell::waits));
        section.notes.extend(errors("MULTI", depth, &cells));
        let peer = cells.iter().find(|cell| cell.kind == Kind::Peer).and_then(Cell::figures);
        for cell in &cells {
            let mut row = vec![depth.to_string(), cell.kind.name().to_owned()];
            if let Some(got) = cell.figures() {
                row.push(format!("{:.0}", got.per_second / commands));
                row.extend([got.user_us, got.total_us()].map(|each| micros(each * commands)));
                if let (Kind::Ours, Some(peer)) = (cell.kind, &peer) {
                    row.push(ratio(got.user_us, peer.user_us));
                    row.push(ratio(got.total_us(), peer.total_us()));
                }
            }
            table.push(row);
        }
    }
    section.tables.push(table);
    section.notes.push(disturbance(&waits));
    Ok(())
}

fn messages(options: &Options, cpus: &Cpus) -> Result<Table, String> {
    let mut table = Table::new(&[
        "subscribers",
        "server",
        "messages/s",
        "user µs a message",
        "total µs a message",
        "user / peer",
        "total / peer",
    ]);
    let most = raise_file_limit();
    for scene in SCENES {
        let scene = Scene { subscribers: scene.subscribers.min(most), ..*scene };
        let mut results = Vec::new();
        for kind in Kind::all(options, true) {
            eprintln!("sessions: {} with {}", kind.name(), scene.name);
            let more = ["--maxclients", "20000"];
            let server = Server::start(options, kind, &cpus.server, &more)?;
            results.push((kind, deliver(options, &scene, &server, cpus)?));
        }
        let peer = results.iter().find(|result| result.0 == Kind::Peer).map(|result| &result.1);
        for (kind, got) in &results {
            let mut row = vec![scene.name.to_owned(), kind.name().to_owned()];
            row.push(format!("{:.0}", got.per_second));
            row.extend([got.user_us, got.total_us].map(micros));
            if let (Kind::Ours | Kind::Floor, Some(peer)) = (kind, peer) {
                row.push(ratio(got.user_us, peer.user_us));
                row.push(ratio(got.total_us, peer.total_us));
            }
            table.push(row);
        }
    }
    Ok(table)
}

/// Medians over the rounds; the split into user and system over all of them together, because it
/// rests on counted ticks.
fn deliver(
    options: &Options,
    scene: &Scene,
    server: &Server,
    cpus: &Cpus,
) -> Result<Delivery, String> {
    let (address, pid) = (server.address, server.pid());
    let load = cpus.load.clone();
    std::thread::scope(|scope| {
        let generator = scope.spawn(move || {
            pin(&load);
            let mut fan = Fan::new(scene, address)?;
            let (mut rates, mut totals, mut user, mut all) = (Vec::new(), Vec::new(), 0.0, 0.0);
            for _ in 0..options.rounds {
                fan.run(Instant::now() + options.warmup)?;
                let (before, began) = (Usage::of(pid)?, Instant::now());
                let delivered = fan.run(began + options.window)? as f64;
                let used = Usage::of(pid)?.since(before);
                rates.push(delivered / began.elapsed().as_secs_f64());
                totals.push(used.busy_ns as f64 / 1e3 / delivered);
                user += used.user_ticks as f64;
                all += (used.user_ticks + used.system_ticks) as f64;
            }
            let total_us = median(totals);
            let share = if all > 0.0 { user / all } else { 0.0 };
            let per_second = median(rates);
            Ok(Delivery { per_second, user_us: total_us * share, total_us })
        });
        generator.join().map_err(|_| "the generator panicked".to_owned())?
    })
}

/// A publisher and its subscribers.
struct Fan {
    poll: Poll,
    publisher: std::net::TcpStream,
    subscribers: Vec<TcpStream>,
    requests: Vec<Vec<u8>>,
    batch: usize,
    /// Bytes of one message as a subscriber gets it.
    size: usize,
    /// Subscribers of each channel.
    audience: usize,
    random: fastrand::Rng,
    input: Vec<u8>,
}

impl Fan {
    fn new(scene: &Scene, address: SocketAddr) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("generator: {error}");
        let poll = Poll::new().map_err(failed)?;
        let channels = scene.channels.min(scene.subscribers);
        let name = |channel: usize| format!("channel:{channel:08}");
        let mut subscribers = Vec::with_capacity(scene.subscribers);
        for number in 0..scene.subscribers {
            let mut stream = std::net::TcpStream::connect(address).map_err(failed)?;
            let mut request = Vec::new();
            encode_command(&mut request, &["SUBSCRIBE", &name(number % channels)]);
            stream.write_all(&request).map_err(failed)?;
            let mut answer = [0; 256];
            stream.read(&mut answer).map_err(failed)?;
            stream.set_nonblocking(true).map_err(failed)?;
            let mut stream = TcpStream::from_std(stream);
            let token = Token(number);
            poll.registry().register(&mut stream, token, Interest::READABLE).map_err(failed)?;
            subscribers.push(stream);
        }
        let publisher = std::net::TcpStream::connect(address).map_err(failed)?;
        publisher.set_nodelay(true).map_err(failed)?;
        let request = |channel| {
            let mut request = Vec::new();
            encode_command(&mut request, &["PUBLISH", &name(channel), VALUE]);
            request
        };
        let mut message = Vec::new();
        encode_command(&mut message, &["message", &name(0), VALUE]);
        Ok(Self {
            poll,
            publisher,
            audience: subscribers.len() / channels,
            subscribers,
            requests: (0..channels).map(request).collect(),
            batch: scene.batch,
            size: message.len(),
            random: fastrand::Rng::with_seed(0x5eed),
            input: vec![0; 64 << 10],
        })
    }

    /// Publishes until the end; how many messages subscribers got.
    fn run(&mut self, end: Instant) -> Result<u64, String> {
        let mut events = Events::with_capacity(1024);
        let mut delivered = 0;
        while Instant::now() < end {
            let mut bytes = Vec::new();
            for _ in 0..self.batch {
                bytes.extend_from_slice(&self.requests[self.random.usize(..self.requests.len())]);
            }
            self.publisher.write_all(&bytes).map_err(|error| format!("publish: {error}"))?;
            let mut awaited = self.batch * self.audience * self.size;
            while awaited > 0 {
                self.poll.poll(&mut events, Some(SILENCE_LIMIT)).or_else(|error| {
                    match error.kind() {
                        ErrorKind::Interrupted => Ok(()),
                        _ => Err(format!("generator: {error}")),
                    }
                })?;
                if events.is_empty() {
                    return Err("messages are missing".to_owned());
                }
                for event in &events {
                    let got = self.read(event.token().0)?;
                    awaited = awaited.checked_sub(got).ok_or("more messages than were sent")?;
                }
            }
            self.answers()?;
            delivered += (self.batch * self.audience) as u64;
        }
        Ok(delivered)
    }

    /// Bytes that a subscriber got.
    fn read(&mut self, number: usize) -> Result<usize, String> {
        let mut got = 0;
        loop {
            match self.subscribers[number].read(&mut self.input) {
                Ok(0) => return Err("the server closed a subscriber".to_owned()),
                Ok(size) => got += size,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(got),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(format!("receive: {error}")),
            }
        }
    }

    /// Waits for the publisher's replies, which tell how many got each message.
    fn answers(&mut self) -> Result<(), String> {
        let line = format!(":{}\r\n", self.audience);
        let expected = line.repeat(self.batch);
        let mut answer = vec![0; expected.len()];
        self.publisher.read_exact(&mut answer).map_err(|error| format!("publish: {error}"))?;
        if answer == expected.as_bytes() { Ok(()) } else { Err("a message got lost".to_owned()) }
    }
}
