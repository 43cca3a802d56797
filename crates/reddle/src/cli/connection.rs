//! A connection to one server: words out, replies in the order in which they come.
//!
//! Waits can be ended by Ctrl-C, so every read looks for it. Must not know what is printed.

use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use client::{Address, Command, DecodeError, Decoder, Link, Value};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::options::Options;

/// How long a wait may go on before Ctrl-C is looked for again.
const LOOK: Duration = Duration::from_millis(100);

/// Why there is no reply.
#[derive(Debug)]
pub(super) enum Broken {
    /// The server closed the connection.
    Closed,
    /// Ctrl-C.
    Interrupted,
    /// Nothing came in time.
    TimedOut,
    Io(io::Error),
    Protocol(DecodeError),
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Broken::Closed => f.write_str("Server closed the connection"),
            Broken::Interrupted => f.write_str("Interrupted"),
            Broken::TimedOut => f.write_str("No reply in time"),
            Broken::Io(error) => write!(f, "{error}"),
            Broken::Protocol(error) => write!(f, "Protocol error: {error}"),
        }
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Broken {
        match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Broken::Closed,
            _ => Broken::Io(error),
        }
    }
}

/// One connection.
#[derive(Debug)]
pub(super) struct Connection {
    link: Link,
    decoder: Decoder,
    buffer: Vec<u8>,
    interrupted: Arc<AtomicBool>,
}

impl Connection {
    pub(super) fn open(options: &Options, interrupted: &Arc<AtomicBool>) -> io::Result<Connection> {
        let mut address = Address::tcp("", 0);
        address.endpoint = options.endpoint.clone();
        address.tls = options.tls;
        let limit = options.connect_timeout.unwrap_or(Duration::from_secs(60));
        let link = Link::connect(&address, &options.tls_files, limit)?;
        Ok(Connection {
            link,
            decoder: Decoder::keeping_spelling(),
            buffer: vec![0; 64 * 1024],
            interrupted: Arc::clone(interrupted),
        })
    }

    /// Sends a command.
    pub(super) fn send<A: AsRef<[u8]>>(&mut self, words: &[A]) -> Result<(), Broken> {
        let mut bytes = Vec::new();
        if let Some(command) = Command::from_words(words.iter().map(AsRef::as_ref)) {
            command.encode(&mut bytes);
        }
        self.send_bytes(&bytes)
    }

    /// Sends bytes as they are.
    pub(super) fn send_bytes(&mut self, bytes: &[u8]) -> Result<(), Broken> {
        self.link.write_all(bytes)?;
        Ok(self.link.flush()?)
    }

    /// Another handle, to write while this one reads.
    pub(super) fn second_handle(&self) -> io::Result<Link> {
        self.link.try_clone()
    }

    /// The next reply or push.
    pub(super) fn receive(&mut self) -> Result<Value, Broken> {
        self.receive_within(None)
    }

    /// As [`Connection::receive`], for so long.
    pub(super) fn receive_within(&mut self, limit: Option<Duration>) -> Result<Value, Broken> {
        let end = limit.map(|limit| Instant::now() + limit);
        loop {
            if let Some(value) = self.received()? {
                return Ok(value);
            }
            let count = self.read_some(end)?;
            self.decoder.feed(&self.buffer[..count]);
        }
    }

    /// A reply or push that is here already.
    pub(super) fn received(&mut self) -> Result<Option<Value>, Broken> {
        self.decoder.next().map_err(Broken::Protocol)
    }

    /// Sends a command and returns its reply.
    pub(super) fn call<A: AsRef<[u8]>>(&mut self, words: &[A]) -> Result<Value, Broken> {
        self.send(words)?;
        loop {
            match self.receive()? {
                Value::Push(_) => {}
                value => return Ok(value),
            }
        }
    }

    /// Bytes of a stream that is no longer one of replies; none when it ends.
    pub(super) fn read_bytes(&mut self, limit: Option<Duration>) -> Result<Vec<u8>, Broken> {
        let rest = self.decoder.take_rest();
        if !rest.is_empty() {
            return Ok(rest);
        }
        let end = limit.map(|limit| Instant::now() + limit);
        match self.read_some(end) {
            Ok(count) => Ok(self.buffer[..count].to_vec()),
            Err(Broken::Closed) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// Gives bytes back that are replies after all.
    pub(super) fn unread(&mut self, bytes: &[u8]) {
        self.decoder.feed(bytes);
    }

    /// Waits until the server or the standard input has something; whether it is the server.
    pub(super) fn wait_for_either(&self, limit: Duration) -> Result<Option<bool>, Broken> {
        let stdin = io::stdin();
        let server = self.link.as_fd();
        let mut polled = [PollFd::new(&server, PollFlags::IN), PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut polled, Some(&timespec(limit))) {
            Err(rustix::io::Errno::INTR) | Ok(0) => {}
            Err(error) => return Err(Broken::Io(error.into())),
            Ok(_) => return Ok(Some(!polled[0].revents().is_empty())),
        }
        if self.interrupted.swap(false, Ordering::Relaxed) {
            return Err(Broken::Interrupted);
        }
        Ok(None)
    }

    fn read_some(&mut self, end: Option<Instant>) -> Result<usize, Broken> {
        loop {
            if self.interrupted.swap(false, Ordering::Relaxed) {
                return Err(Broken::Interrupted);
            }
            let left = end.map_or(LOOK, |end| end.saturating_duration_since(Instant::now()));
            self.link.set_read_timeout(Some(left.min(LOOK)))?;
            match self.link.read(&mut self.buffer) {
                Ok(0) => return Err(Broken::Closed),
                Ok(count) => return Ok(count),
                Err(error) => match error.kind() {
                    ErrorKind::WouldBlock | ErrorKind::TimedOut if left.is_zero() => {
                        return Err(Broken::TimedOut);
                    }
                    ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::Interrupted => {}
                    _ => return Err(error.into()),
                },
            }
        }
    }
}

fn timespec(limit: Duration) -> Timespec {
    Timespec {
        tv_sec: i64::try_from(limit.as_secs()).unwrap_or(i64::MAX),
        tv_nsec: i64::from(limit.subsec_nanos()),
    }
}
