//! The blocking client: a session, a connection for it, and the waiting in between.

use std::collections::{HashMap, VecDeque};
use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use resp::Value;

use crate::backoff::Backoff;
use crate::command::Command;
use crate::config::Config;
use crate::error::{Error, Fate, Result};
use crate::push::{Message, Push};
use crate::request::{Request, Transaction, refusal};
use crate::session::{Event, Session, Ticket};
pub use crate::stream::Link;

/// Bytes asked of the system at once.
const READ_SIZE: usize = 64 * 1024;

/// A connection that was not used for so long is looked at before something is sent on it, so
/// that a server that went away in the meantime costs nothing but a new connection.
const IDLE_MIN: Duration = Duration::from_millis(5);

/// A blocking client. It has one connection, which it makes when it is needed, and anew when it
/// breaks.
///
/// ```no_run
/// # use client::{Client, cmd};
/// # fn main() -> client::Result<()> {
/// let mut client = Client::open("redis://127.0.0.1")?;
/// client.run(cmd::subscribe(["news"]))?;
/// while let Some(message) = client.next_message(None)? {
///     println!("{}", String::from_utf8_lossy(&message.payload));
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Client {
    config: Config,
    session: Session,
    link: Option<Link>,
    backoff: Backoff,
    pushes: VecDeque<Push>,
    used: Instant,
    buffer: Vec<u8>,
    /// Why the last connection broke.
    reason: String,
}

impl Client {
    /// A client of the server at this address; connects, so that a wrong address shows here.
    ///
    /// # Errors
    /// [`Error::Address`], [`Error::Connect`], or the server's refusal.
    pub fn open(address: &str) -> Result<Client> {
        Client::with(Config::parse(address)?)
    }

    /// As [`Client::open`], with every option.
    ///
    /// # Errors
    /// As [`Client::open`].
    pub fn with(config: Config) -> Result<Client> {
        let mut session = Session::new(config.setup());
        if config.cache_entries_max > 0 {
            session.set_cache(config.cache_entries_max);
        }
        let backoff = Backoff::new(config.backoff_first, config.backoff_max);
        let mut client = Client {
            config,
            session,
            link: None,
            backoff,
            pushes: VecDeque::new(),
            used: Instant::now(),
            buffer: vec![0; READ_SIZE],
            reason: String::new(),
        };
        client.connect(client.deadline())?;
        Ok(client)
    }

    /// Runs a command, a pipeline, a transaction or a script call.
    ///
    /// Errors are in the output: one result for each part.
    pub fn run<R: Request>(&mut self, request: R) -> R::Output {
        let mut units = Vec::new();
        request.units(&mut units);
        self.look_at_idle();
        let tickets: Vec<Ticket> =
            units.into_iter().map(|unit| self.session.submit(unit)).collect();
        request.output(&mut self.answers(&tickets).into_iter())
    }

    /// Runs `prepare` until the transaction that it makes was done without a change of the keys
    /// in between: reads first, and then writes that depend on what was read.
    ///
    /// ```no_run
    /// # use client::{Client, cmd};
    /// # fn main() -> client::Result<()> {
    /// # let mut client = Client::open("redis://")?;
    /// let (doubled,) = client.transaction(&["n"], |client| {
    ///     let n: i64 = client.run(cmd::get("n").reading())?;
    ///     Ok((cmd::set("n", n * 2),))
    /// })?;
    /// doubled?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of `prepare` and of the connection. An error whose [`Error::fate`] is
    /// [`Fate::MayHaveRun`] leaves open whether the transaction was done.
    pub fn transaction<R: Request>(
        &mut self,
        keys: &[&str],
        prepare: impl Fn(&mut Client) -> Result<R>,
    ) -> Result<R::Output> {
        let end = Instant::now() + self.config.response_timeout.unwrap_or(Duration::MAX / 4);
        loop {
            let () = self.run(crate::Typed::new(Command::new("WATCH").args(keys).may_repeat()))?;
            let watched = self.session.connection();
            let transaction = match prepare(self) {
                Ok(request) => Transaction(request),
                Err(error) => {
                    // Where this fails the connection is gone, and its watched keys with it.
                    let _ = self.run(Command::new("UNWATCH").may_repeat());
                    return Err(error);
                }
            };
            let ticket = self.session.submit(transaction.unit().on_connection(watched));
            let answer = self.answers(&[ticket]).pop();
            let answer = answer.unwrap_or(Err(Error::Unsupported("no answer")));
            match transaction.read(answer) {
                Ok(Some(output)) => return Ok(output),
                // The keys changed, or the connection on which they were watched is gone.
                Ok(None) | Err(Error::Lost { fate: Fate::DidNotRun, .. })
                    if Instant::now() < end => {}
                Ok(None) => return Err(Error::Timeout { fate: Fate::DidNotRun }),
                Err(error) => return Err(error),
            }
        }
    }

    /// The next push; `None` if none came within `limit`, which is for ever if it is `None`.
    ///
    /// # Errors
    /// When the connection broke and none could be made.
    pub fn next_push(&mut self, limit: Option<Duration>) -> Result<Option<Push>> {
        let end = limit.map(|limit| Instant::now() + limit);
        loop {
            if let Some(push) = self.pushes.pop_front() {
                return Ok(Some(push));
            }
            if end.is_some_and(|end| Instant::now() >= end) && self.link.is_some() {
                return Ok(None);
            }
            let deadline = if self.link.is_some() { end } else { self.deadline() };
            match self.turn(deadline) {
                Ok(()) => self.take_events(&mut HashMap::new()),
                Err(Error::Timeout { .. }) if self.link.is_some() => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// The next published message; other pushes are dropped.
    ///
    /// # Errors
    /// As [`Client::next_push`].
    pub fn next_message(&mut self, limit: Option<Duration>) -> Result<Option<Message>> {
        let end = limit.map(|limit| Instant::now() + limit);
        loop {
            let left = end.map(|end| end.saturating_duration_since(Instant::now()));
            match self.next_push(left)? {
                None => return Ok(None),
                Some(Push::Message(message)) => return Ok(Some(message)),
                Some(_) => {}
            }
        }
    }

    /// How often the client-side cache had a reply, and how often not.
    #[must_use]
    pub fn cache_hits_misses(&self) -> (u64, u64) {
        self.session.cache_hits_misses()
    }

    fn deadline(&self) -> Option<Instant> {
        self.config.response_timeout.map(|limit| Instant::now() + limit)
    }

    /// Waits for the answers of these units.
    fn answers(&mut self, tickets: &[Ticket]) -> Vec<Result<Value>> {
        let deadline = self.deadline();
        let mut found: HashMap<Ticket, Result<Value>> = HashMap::new();
        self.take_events(&mut found);
        while tickets.iter().any(|ticket| !found.contains_key(ticket)) {
            if let Err(error) = self.turn(deadline) {
                self.take_events(&mut found);
                self.fail_rest(tickets, &error, &mut found);
                break;
            }
            self.take_events(&mut found);
        }
        self.used = Instant::now();
        let missing = || Err(Error::Unsupported("no answer"));
        tickets.iter().map(|ticket| found.remove(ticket).unwrap_or_else(missing)).collect()
    }

    /// Nothing more will come for these.
    fn fail_rest(
        &mut self,
        tickets: &[Ticket],
        error: &Error,
        found: &mut HashMap<Ticket, Result<Value>>,
    ) {
        for ticket in tickets {
            let session = &mut self.session;
            let failed = || Err(with_fate(error, session.cancel(*ticket)));
            found.entry(*ticket).or_insert_with(failed);
        }
        if matches!(error, Error::Timeout { .. }) {
            // A reply that comes later must not be taken for that of another command, and a
            // command that waits on the server must not take anything for nobody.
            self.break_off("no answer in time");
            let mut nobody = HashMap::new();
            self.take_events(&mut nobody);
        }
    }

    fn take_events(&mut self, found: &mut HashMap<Ticket, Result<Value>>) {
        while let Some(event) = self.session.event() {
            match event {
                Event::Reply(ticket, value) => {
                    found.insert(ticket, Ok(value));
                }
                Event::Failed(ticket, fate) => {
                    let error = Error::Lost { fate, reason: self.reason.clone() };
                    found.insert(ticket, Err(error));
                }
                Event::Push(push) => self.pushes.push_back(push),
                Event::Ready => {}
            }
        }
    }

    /// Writes what is to be written and reads once; makes the connection if there is none.
    fn turn(&mut self, deadline: Option<Instant>) -> Result<()> {
        if self.link.is_none() {
            return self.connect(deadline);
        }
        let limit = deadline.map(|end| end.saturating_duration_since(Instant::now()));
        if limit.is_some_and(|limit| limit.is_zero()) {
            return Err(Error::Timeout { fate: Fate::MayHaveRun });
        }
        match self.exchange(limit) {
            Ok(()) => Ok(()),
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                Err(Error::Timeout { fate: Fate::MayHaveRun })
            }
            Err(error) => {
                self.break_off(&error.to_string());
                Ok(())
            }
        }
    }

    fn exchange(&mut self, limit: Option<Duration>) -> io::Result<()> {
        let Some(link) = &mut self.link else { return Err(ErrorKind::NotConnected.into()) };
        if !self.session.outgoing().is_empty() {
            link.set_write_timeout(limit)?;
        }
        while !self.session.outgoing().is_empty() {
            match link.write(self.session.outgoing()) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.session.handed(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        link.flush()?;
        link.set_read_timeout(limit)?;
        let count = match link.read(&mut self.buffer) {
            Ok(0) => return Err(closed()),
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::Interrupted => return Ok(()),
            Err(error) => return Err(error),
        };
        self.session.received(&self.buffer[..count]).map_err(io::Error::other)
    }

    /// Takes what arrived meanwhile, and finds out whether the server still is there.
    fn look_at_idle(&mut self) {
        if self.used.elapsed() < IDLE_MIN && self.config.cache_entries_max == 0 {
            return;
        }
        loop {
            let Some(link) = &mut self.link else { return };
            let outcome = match link.read_now(&mut self.buffer) {
                Ok(0) => Err(closed()),
                Ok(count) => self.session.received(&self.buffer[..count]).map_err(io::Error::other),
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => Err(error),
            };
            if let Err(error) = outcome {
                self.break_off(&error.to_string());
            }
        }
        self.take_events(&mut HashMap::new());
    }

    fn break_off(&mut self, reason: &str) {
        self.link = None;
        reason.clone_into(&mut self.reason);
        self.session.lost();
    }

    /// Connects and greets, again and again until the limits.
    fn connect(&mut self, deadline: Option<Instant>) -> Result<()> {
        let patience = Instant::now() + self.config.reconnect_for;
        loop {
            let error = match self.connect_once() {
                Ok(()) => {
                    self.backoff.reset();
                    return Ok(());
                }
                Err(error @ (Error::Server(_) | Error::Unsupported(_))) => {
                    self.break_off(&error.to_string());
                    return Err(error);
                }
                Err(error) => error,
            };
            self.break_off(&error.to_string());
            let wait = self.backoff.wait();
            let then = Instant::now() + wait;
            if then >= patience || deadline.is_some_and(|deadline| then >= deadline) {
                return Err(error);
            }
            std::thread::sleep(wait);
        }
    }

    fn connect_once(&mut self) -> Result<()> {
        let limit = self.config.connect_timeout;
        let end = Instant::now() + limit;
        let link = Link::connect(&self.config.address, &self.config.tls, limit);
        self.link = Some(link.map_err(Error::Connect)?);
        self.session.connected();
        while !self.session.is_ready() {
            let left = end.saturating_duration_since(Instant::now());
            self.exchange(Some(left)).map_err(Error::Connect)?;
            if let Some(reply) = self.session.refusal() {
                return Err(refusal(reply));
            }
        }
        self.used = Instant::now();
        Ok(())
    }
}

/// The error for one of several commands, whose fates differ.
fn with_fate(error: &Error, fate: Fate) -> Error {
    match error {
        Error::Server(error) => Error::Server(error.clone()),
        Error::Timeout { .. } => Error::Timeout { fate },
        Error::Connect(error) if fate == Fate::DidNotRun => {
            Error::Connect(io::Error::new(error.kind(), error.to_string()))
        }
        other => Error::Lost { fate, reason: other.to_string() },
    }
}

fn closed() -> io::Error {
    io::Error::new(ErrorKind::UnexpectedEof, "the server closed the connection")
}
