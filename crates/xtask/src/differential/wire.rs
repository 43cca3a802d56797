//! A connection that returns replies as the bytes they came in.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use memchr::memchr;
use resp::number::parse_i64;
use resp::value::encode_command;

use super::generate::Argv;

/// A server that says nothing for so long has failed.
const REPLY_LIMIT: Duration = Duration::from_secs(20);

const READ_SIZE: usize = 64 * 1024;

/// See the module's text.
pub(super) struct Wire {
    stream: TcpStream,
    received: Vec<u8>,
    /// Where in `received` the next reply begins.
    at: usize,
}

impl Wire {
    /// # Errors
    /// Those of the system.
    pub(super) fn connect(port: u16) -> io::Result<Wire> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_LIMIT))?;
        stream.set_write_timeout(Some(REPLY_LIMIT))?;
        Ok(Wire { stream, received: Vec::new(), at: 0 })
    }

    /// # Errors
    /// Those of the system.
    pub(super) fn send<'a>(
        &mut self,
        commands: impl IntoIterator<Item = &'a Argv>,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        commands.into_iter().for_each(|argv| encode_command(&mut bytes, argv));
        self.stream.write_all(&bytes)
    }

    /// The next reply.
    ///
    /// # Errors
    /// `InvalidData` for what is not the protocol, and those of the system: a server that closed
    /// the connection or said nothing for long.
    pub(super) fn receive(&mut self) -> io::Result<Vec<u8>> {
        loop {
            match length(&self.received[self.at..]) {
                Ok(Some(length)) => {
                    let reply = self.received[self.at..self.at + length].to_vec();
                    self.at += length;
                    return Ok(reply);
                }
                Ok(None) => self.read_some()?,
                Err(Malformed) => {
                    let rest = &self.received[self.at..];
                    let text = rest[..rest.len().min(200)].escape_ascii().to_string();
                    return Err(io::Error::new(io::ErrorKind::InvalidData, text));
                }
            }
        }
    }

    fn read_some(&mut self) -> io::Result<()> {
        self.received.drain(..self.at);
        self.at = 0;
        let end = self.received.len();
        self.received.resize(end + READ_SIZE, 0);
        let read = self.stream.read(&mut self.received[end..]);
        self.received.truncate(end + *read.as_ref().unwrap_or(&0));
        match read {
            Ok(0) => Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Ok(()),
            Err(error) => Err(error),
        }
    }
}

/// Bytes that are not the protocol.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// The length of the reply at the beginning, or nothing when more bytes are needed.
///
/// # Errors
/// When the bytes begin no reply.
pub(super) fn length(bytes: &[u8]) -> Result<Option<usize>, Malformed> {
    let mut at = 0;
    let mut pending: u64 = 1;
    while pending > 0 {
        let Some(end) = bytes.get(at..).and_then(|rest| memchr(b'\n', rest)) else {
            return Ok(None);
        };
        let line = &bytes[at..at + end];
        let Some((&lead, text)) = line.strip_suffix(b"\r").unwrap_or(line).split_first() else {
            return Err(Malformed);
        };
        at += end + 1;
        let count = || parse_i64(text).ok_or(Malformed);
        pending -= 1;
        match lead {
            b'+' | b'-' | b':' | b'#' | b',' | b'(' | b'_' => {}
            b'$' | b'!' | b'=' => at += usize::try_from(count()?).map_or(0, |size| size + 2),
            b'*' | b'~' | b'>' => pending += u64::try_from(count()?).unwrap_or(0),
            b'%' => pending += 2 * u64::try_from(count()?).unwrap_or(0),
            b'|' => pending += 1 + 2 * u64::try_from(count()?).unwrap_or(0),
            _ => return Err(Malformed),
        }
        if at > bytes.len() {
            return Ok(None);
        }
    }
    Ok(Some(at))
}

#[cfg(test)]
mod tests;
