//! A blocking connection for tests: commands, pipelines, and bytes that no client would send.
//!
//! Every read has a deadline, so that a reply that never comes is a failure and not a test that
//! hangs.

#[cfg(test)]
mod tests;

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::str::FromStr;
use std::time::{Duration, Instant};

use resp::inline;
use resp::value::{Value, decode, encode_command};

/// How long a reply may take before it counts as missing.
pub const REPLY_LIMIT: Duration = Duration::from_secs(30);

/// Bytes asked of the system at once; a reply is decoded anew after each read.
const READ_SIZE: usize = 256 * 1024;

#[derive(Debug)]
pub struct Client {
    stream: TcpStream,
    /// What was received and not yet decoded.
    received: Vec<u8>,
    reply_limit: Duration,
}

impl Client {
    /// Connects to a server on this machine.
    ///
    /// # Errors
    /// Those of the system.
    pub fn connect(port: u16) -> io::Result<Client> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        Ok(Client { stream, received: Vec::new(), reply_limit: REPLY_LIMIT })
    }

    /// Connects once the server answers PING; none when it does not within `limit`.
    pub fn when_ready(port: u16, limit: Duration) -> Option<Client> {
        let until = Instant::now() + limit;
        while Instant::now() < until {
            if let Ok(mut client) = Client::connect(port)
                && client
                    .try_call(&["PING"])
                    .is_ok_and(|pong| pong == Value::Simple(b"PONG".into()))
            {
                return Some(client);
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }

    /// Sends one command and returns its reply.
    ///
    /// # Panics
    /// When no reply comes in time, or what comes is not the protocol.
    pub fn call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> Value {
        self.try_call(args).unwrap_or_else(|error| {
            let words: Vec<String> = args.iter().map(|arg| inline::quoted(arg.as_ref())).collect();
            panic!("{}: {error}", words.join(" "))
        })
    }

    /// As [`Client::call`], with the words of a line: `client.run("SET key value")`.
    ///
    /// # Panics
    /// As [`Client::call`].
    pub fn run(&mut self, line: &str) -> Value {
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        self.call(&words)
    }

    /// As [`Client::run`], for a reply that is one text or number; null is `(nil)`.
    ///
    /// # Panics
    /// As [`Client::call`], and when the reply is of another kind.
    pub fn text(&mut self, line: &str) -> String {
        match self.run(line) {
            Value::Bulk(bytes)
            | Value::Simple(bytes)
            | Value::Error(bytes)
            | Value::Verbatim { data: bytes, .. } => String::from_utf8(bytes).expect("a text"),
            Value::Int(number) => number.to_string(),
            Value::Null => "(nil)".to_owned(),
            other => panic!("{line}: {other:?}"),
        }
    }

    /// A number out of INFO.
    ///
    /// # Panics
    /// As [`Client::call`], and when INFO has no such field.
    pub fn info<T: FromStr>(&mut self, field: &str) -> T {
        let text = self.text("INFO all");
        let head = format!("{field}:");
        let value = text.lines().find_map(|line| line.strip_prefix(&head));
        let number = value.and_then(|value| value.parse().ok());
        number.unwrap_or_else(|| panic!("no {field} in {text}"))
    }

    /// Sends commands in pipelines.
    ///
    /// # Panics
    /// As [`Client::call`], and when a reply is an error.
    pub fn send_all(&mut self, commands: &[Vec<String>]) {
        for some in commands.chunks(500) {
            let words: Vec<Vec<&str>> =
                some.iter().map(|words| words.iter().map(String::as_str).collect()).collect();
            let lines: Vec<&[&str]> = words.iter().map(Vec::as_slice).collect();
            for reply in self.pipeline(&lines) {
                assert!(!matches!(reply, Value::Error(_)), "{reply:?}");
            }
        }
    }

    /// As [`Client::call`], for a test that expects the connection to fail.
    ///
    /// # Errors
    /// As [`Client::send`] and [`Client::receive`].
    pub fn try_call<A: AsRef<[u8]>>(&mut self, args: &[A]) -> io::Result<Value> {
        let mut bytes = Vec::new();
        encode_command(&mut bytes, args);
        self.send(&bytes)?;
        self.receive()
    }

    /// Sends all commands in one write and returns their replies.
    ///
    /// # Panics
    /// As [`Client::call`].
    pub fn pipeline(&mut self, commands: &[&[&str]]) -> Vec<Value> {
        let mut bytes = Vec::new();
        for command in commands {
            encode_command(&mut bytes, command);
        }
        let replies = self.send(&bytes).and_then(|()| {
            commands.iter().map(|_| self.receive()).collect::<io::Result<Vec<Value>>>()
        });
        replies.unwrap_or_else(|error| panic!("pipeline of {}: {error}", commands.len()))
    }

    /// Sends bytes as they are.
    ///
    /// # Errors
    /// Those of the system.
    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.stream.write_all(bytes)
    }

    /// The next reply or push.
    ///
    /// # Errors
    /// `TimedOut` when none comes in time, `UnexpectedEof` when the server closes,
    /// `InvalidData` for bytes that are not the protocol.
    pub fn receive(&mut self) -> io::Result<Value> {
        let end = Instant::now() + self.reply_limit;
        loop {
            match decode(&self.received) {
                Ok(Some((value, length))) => {
                    self.received.drain(..length);
                    return Ok(value);
                }
                Ok(None) => self.read_some(end)?,
                Err(error) => {
                    let text = format!("{error}: {}", self.received.escape_ascii());
                    return Err(io::Error::new(io::ErrorKind::InvalidData, text));
                }
            }
        }
    }

    /// The next `count` bytes as they are.
    ///
    /// # Errors
    /// As [`Client::receive`], but for `InvalidData`.
    pub fn receive_bytes(&mut self, count: usize) -> io::Result<Vec<u8>> {
        let end = Instant::now() + self.reply_limit;
        while self.received.len() < count {
            self.read_some(end)?;
        }
        Ok(self.received.drain(..count).collect())
    }

    /// Waits until the server closes the connection, and returns what it sent before that.
    ///
    /// # Errors
    /// `TimedOut` when it stays open.
    pub fn receive_to_end(&mut self) -> io::Result<Vec<u8>> {
        let end = Instant::now() + self.reply_limit;
        loop {
            match self.read_some(end) {
                Ok(()) => {}
                Err(error) if is_closed(&error) => return Ok(std::mem::take(&mut self.received)),
                Err(error) => return Err(error),
            }
        }
    }

    /// Whether bytes were received that nobody has read.
    #[must_use]
    pub fn has_unread(&self) -> bool {
        !self.received.is_empty()
    }

    /// How long the following reads may take.
    pub fn set_reply_limit(&mut self, limit: Duration) {
        self.reply_limit = limit;
    }

    fn read_some(&mut self, end: Instant) -> io::Result<()> {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(timed_out());
        }
        self.stream.set_read_timeout(Some(left))?;
        let mut buffer = vec![0; READ_SIZE];
        match self.stream.read(&mut buffer) {
            Ok(0) => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed")),
            Ok(count) => {
                self.received.extend_from_slice(&buffer[..count]);
                Ok(())
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(timed_out()),
            Err(error) => Err(error),
        }
    }
}

/// Whether the error means that the other side closed the connection.
#[must_use]
pub fn is_closed(error: &io::Error) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(error.kind(), BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}

fn timed_out() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "no reply in time")
}
