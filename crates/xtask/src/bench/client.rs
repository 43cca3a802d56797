//! A blocking client for what surrounds a measurement: readiness, DBSIZE, settings, loading keys
//! that each need their own expiry. Not fit to generate load.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A reply, as far as the bench looks at one.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Reply {
    Text(String),
    Number(i64),
    Nothing,
    List(Vec<Reply>),
    Error(String),
}

pub(super) struct Client {
    stream: BufReader<TcpStream>,
}

impl Client {
    /// # Errors
    /// What connecting reports.
    pub(super) fn connect(address: SocketAddr) -> Result<Client, String> {
        let stream = TcpStream::connect(address).map_err(|error| format!("connect: {error}"))?;
        stream.set_nodelay(true).map_err(|error| format!("nodelay: {error}"))?;
        Ok(Client { stream: BufReader::new(stream) })
    }

    /// Makes [`Client::receive`] give up after `limit`.
    pub(super) fn set_timeout(&self, limit: Duration) -> Result<(), String> {
        self.stream.get_ref().set_read_timeout(Some(limit)).map_err(|error| error.to_string())
    }

    /// Sends one command and returns its reply; an error reply is an `Err` with its text.
    pub(super) fn call(&mut self, words: &[&str]) -> Result<Reply, String> {
        let mut bytes = Vec::new();
        resp::encode_command(&mut bytes, words);
        self.send(&bytes)?;
        match self.receive()? {
            Reply::Error(text) => Err(format!("{}: {text}", words[0])),
            reply => Ok(reply),
        }
    }

    /// Keys in database 0.
    pub(super) fn dbsize(&mut self) -> Result<u64, String> {
        match self.call(&["DBSIZE"])? {
            Reply::Number(count) => Ok(count.unsigned_abs()),
            other => Err(format!("DBSIZE answered {other:?}")),
        }
    }

    /// What INFO says is used.
    pub(super) fn used_memory(&mut self) -> Result<u64, String> {
        match self.call(&["INFO", "memory"])? {
            Reply::Text(text) => text
                .lines()
                .find_map(|line| line.strip_prefix("used_memory:"))
                .and_then(|number| number.trim().parse().ok())
                .ok_or_else(|| "INFO has no used_memory".to_owned()),
            other => Err(format!("INFO answered {other:?}")),
        }
    }

    /// Sends commands in the protocol's form and reads `count` replies.
    ///
    /// # Errors
    /// The first error reply, or a broken connection.
    pub(super) fn pipeline(&mut self, bytes: &[u8], count: usize) -> Result<(), String> {
        self.send(bytes)?;
        for _ in 0..count {
            if let Reply::Error(text) = self.receive()? {
                return Err(text);
            }
        }
        Ok(())
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), String> {
        self.stream.get_mut().write_all(bytes).map_err(|error| format!("send: {error}"))
    }

    /// Waits for one reply.
    pub(super) fn receive(&mut self) -> Result<Reply, String> {
        let mut line = String::new();
        let read = self.stream.read_line(&mut line).map_err(|error| format!("receive: {error}"))?;
        if read == 0 {
            return Err("the server closed the connection".to_owned());
        }
        let line = line.trim_end();
        let (kind, rest) = line.split_at_checked(1).ok_or("an empty line as a reply")?;
        match kind {
            "+" => Ok(Reply::Text(rest.to_owned())),
            "-" => Ok(Reply::Error(rest.to_owned())),
            ":" => Ok(Reply::Number(length(rest)?)),
            "$" => self.bulk(length(rest)?),
            "*" => (0..length(rest)?.max(0))
                .map(|_| self.receive())
                .collect::<Result<_, _>>()
                .map(Reply::List),
            _ => Err(format!("unexpected reply '{line}'")),
        }
    }

    fn bulk(&mut self, size: i64) -> Result<Reply, String> {
        let Ok(size) = usize::try_from(size) else { return Ok(Reply::Nothing) };
        let mut bytes = vec![0; size + 2];
        self.stream.read_exact(&mut bytes).map_err(|error| format!("receive: {error}"))?;
        bytes.truncate(size);
        Ok(Reply::Text(String::from_utf8_lossy(&bytes).into_owned()))
    }
}

fn length(text: &str) -> Result<i64, String> {
    text.parse().map_err(|_| format!("bad number '{text}' in a reply"))
}
