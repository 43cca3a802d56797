//! A session of the script debugger: EVAL of a connection that has said SCRIPT DEBUG SYNC.
//!
//! The script runs as every other one, alone and with the gate closed, and stops at its lines. What
//! its user says there is read from the connection's own socket, because its worker is in the
//! middle of EVAL; others are told that a script takes long. The connection ends with the session.

use std::io;
use std::time::Duration;

use resp::value::{Value, decode};
use script::Next;

use crate::dispatch::Turn;
use crate::session::State;
use crate::sys::wire;

/// How long the user is waited for before others are looked after.
const LOOK: Duration = Duration::from_millis(10);
/// How long the socket may take nothing.
const PATIENCE: Duration = Duration::from_secs(5);
/// Bytes of a command.
const INPUT_MAX: usize = 1 << 20;

/// Where the user is.
pub(super) struct Wire {
    fd: i32,
    input: Vec<u8>,
}

/// Begins a session; replies of earlier commands are sent.
pub(super) fn begin(turn: &mut Turn<'_, '_>) -> Wire {
    log::info!("Synchronous debugging eval session started");
    let wire = Wire { fd: turn.session.client.fd as i32, input: Vec::new() };
    turn.out.chunks(0).for_each(|chunk| wire.send(chunk));
    turn.out.clear();
    wire
}

/// Ends a session, with what the user has not been shown.
pub(super) fn end(turn: &mut Turn<'_, '_>, wire: &Wire, mut lines: Vec<Vec<u8>>) {
    lines.push(b"<endsession>".to_vec());
    wire.show(&lines);
    turn.session.put(State::DEBUGS, false);
    turn.session.put(State::CLOSING, true);
    log::info!("Synchronous debugging eval session ended");
}

impl Wire {
    /// A user who does not listen shows when he is to say something.
    fn send(&self, bytes: &[u8]) {
        if let Err(error) = wire::send(self.fd, bytes, PATIENCE) {
            log::debug!("Writing to whoever debugs a script: {error}");
        }
    }

    /// Shows lines.
    pub(super) fn show(&self, lines: &[Vec<u8>]) {
        let mut text = format!("*{}\r\n", lines.len()).into_bytes();
        for line in lines {
            text.extend_from_slice(&[b"+", line.as_slice(), b"\r\n"].concat());
        }
        self.send(&text);
    }

    /// What the user says, or nothing yet.
    pub(super) fn hear(&mut self) -> Option<Next> {
        if let Some(next) = self.next() {
            return Some(next);
        }
        let mut buf = [0; 4096];
        match wire::receive(self.fd, &mut buf, LOOK) {
            Ok(0) => return Some(Next::Gone),
            Ok(got) => self.input.extend_from_slice(&buf[..got]),
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => return None,
                _ => return Some(Next::Gone),
            },
        }
        self.next()
    }

    /// The first command of what has come.
    fn next(&mut self) -> Option<Next> {
        let (value, len) = match decode(&self.input) {
            Ok(Some(found)) => found,
            Ok(None) if self.input.len() > INPUT_MAX => {
                return Some(Next::Refused("max client buffer reached"));
            }
            Ok(None) => return None,
            Err(_) => return Some(Next::Refused("protocol error")),
        };
        self.input.drain(..len);
        let Value::Array(items) = value else { return Some(Next::Refused("protocol error")) };
        let words = items.into_iter().map(|item| match item {
            Value::Bulk(word) => Some(word),
            _ => None,
        });
        let words: Option<Vec<_>> = words.collect();
        Some(match words.filter(|words| !words.is_empty()) {
            Some(words) => Next::Command(words),
            None => Next::Refused("protocol error"),
        })
    }
}
