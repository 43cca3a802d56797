//! The other side of MIGRATE: connections to servers that take keys, and what is said on them.
//!
//! Everything here waits for the network; nobody calls it with a shard held, but where MIGRATE has
//! to be done at once. It knows no shard and no value.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use resp::encode_command;

use super::{Item, Request, Step};
use crate::clock;

/// Connections that are kept for the next MIGRATE.
const KEPT: usize = 64;
/// How long one is kept.
const KEPT_FOR: Duration = Duration::from_secs(10);
/// The longest line that is read.
const LINE_MAX: usize = 64 << 10;

/// Connections that are kept for the next keys.
#[derive(Default)]
pub struct Sockets(Mutex<Vec<Socket>>);

struct Socket {
    host: String,
    port: u16,
    stream: TcpStream,
    /// The database that is selected there.
    db: Option<i64>,
    used: Instant,
}

impl Sockets {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.lock().len()
    }

    /// Closes those that were not used for long.
    pub fn close_old(&self) {
        self.0.lock().retain(|socket| socket.used.elapsed() < KEPT_FOR);
    }

    fn take(&self, host: &str, port: u16) -> Option<Socket> {
        let mut kept = self.0.lock();
        let at = kept.iter().position(|socket| socket.port == port && socket.host == host)?;
        Some(kept.swap_remove(at))
    }

    fn put(&self, mut socket: Socket) {
        socket.used = Instant::now();
        let mut kept = self.0.lock();
        if kept.len() == KEPT {
            kept.remove(0);
        }
        kept.push(socket);
    }
}

/// What failed.
enum Failure {
    Connecting,
    Writing(io::Error),
    /// With whether the target had answered anything.
    Reading(io::Error, bool),
}

impl Failure {
    /// Whether a connection that had gone stale may be the reason: nothing was done then.
    fn may_pass(&self) -> bool {
        let is_late = |error: &io::Error| {
            matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
        };
        match self {
            Self::Connecting | Self::Reading(_, true) => false,
            Self::Writing(error) | Self::Reading(error, false) => !is_late(error),
        }
    }

    fn text(&self) -> &'static str {
        match self {
            Self::Connecting => "IOERR error or timeout connecting to the client",
            Self::Writing(_) => "IOERR error or timeout writing to target instance",
            Self::Reading(..) => "IOERR error or timeout reading to target instance",
        }
    }
}

/// Sends what is to be sent and notes what the target said to each key; the error that the client
/// is told, if there is one.
pub fn exchange(sockets: &Sockets, request: &Request, items: &mut [Item]) -> Option<String> {
    let result = match once(sockets, request, items) {
        Err(failure) if failure.may_pass() => once(sockets, request, items),
        result => result,
    };
    match result {
        Ok(error) => error.map(|line| format!("ERR Target instance replied with error: {line}")),
        Err(failure) => Some(failure.text().to_owned()),
    }
}

/// One attempt; the first error that the target replied with.
fn once(
    sockets: &Sockets,
    request: &Request,
    items: &mut [Item],
) -> Result<Option<String>, Failure> {
    let mut socket = match sockets.take(&request.host, request.port) {
        Some(socket) => socket,
        None => connect(request).map_err(|_| Failure::Connecting)?,
    };
    let timeout = Some(request.timeout);
    let set = socket.stream.set_read_timeout(timeout);
    set.and_then(|()| socket.stream.set_write_timeout(timeout)).map_err(Failure::Writing)?;
    let selects = socket.db != Some(request.db);
    let mut out = Vec::new();
    if let Some((user, password)) = &request.secret {
        let words = [Some(&b"AUTH"[..]), user.as_deref(), Some(password)];
        encode_command(&mut out, &words.into_iter().flatten().collect::<Vec<_>>());
    }
    if selects {
        encode_command(&mut out, &["SELECT", &request.db.to_string()]);
    }
    for item in items.iter().filter(|item| item.step == Step::Send) {
        encode_item(request, item, &mut out);
    }
    socket.stream.write_all(&out).map_err(Failure::Writing)?;
    drop(out);
    let mut lines = Lines { stream: &socket.stream, buffer: Vec::new(), at: 0 };
    let silent = |error| Failure::Reading(error, false);
    let mut refused = None;
    if request.secret.is_some() {
        refused = lines.error().map_err(silent)?;
    }
    if selects {
        let error = lines.error().map_err(silent)?;
        refused = refused.or(error);
    }
    let (mut first, mut is_answered) = (refused.clone(), false);
    for item in items.iter_mut().filter(|item| item.step == Step::Send) {
        let error = lines.error().map_err(|error| Failure::Reading(error, is_answered));
        is_answered = true;
        let error = match error {
            // What the target said before counts more than that it fell silent.
            Err(_) if first.is_some() => break,
            Err(failure) => return Err(failure),
            Ok(error) => error,
        };
        if refused.is_none() && error.is_none() {
            item.step = Step::Taken;
        }
        first = first.or(error);
    }
    socket.db = first.is_none().then_some(request.db);
    if items.iter().all(|item| item.step != Step::Send) || first.is_some() {
        sockets.put(socket);
    }
    Ok(first)
}

fn connect(request: &Request) -> io::Result<Socket> {
    let (host, port) = (request.host.clone(), request.port);
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for addr in (&*host, port).to_socket_addrs()? {
        match TcpStream::connect_timeout(&addr, request.timeout) {
            Ok(stream) => {
                stream.set_nodelay(true)?;
                return Ok(Socket { host, port, stream, db: None, used: Instant::now() });
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn encode_item(request: &Request, item: &Item, out: &mut Vec<u8>) {
    let Some(payload) = &item.payload else {
        return encode_command(out, &[&b"DEL"[..], &item.key]);
    };
    let left_ms = item.deadline_ms.map_or(0, |then_ms| (then_ms - clock::unix_ms()).max(1));
    let left = left_ms.to_string();
    let mut words: Vec<&[u8]> = vec![b"RESTORE", &item.key, left.as_bytes(), payload];
    if request.replace || item.is_there {
        words.push(b"REPLACE");
    }
    encode_command(out, &words);
}

/// The lines that the target replies with.
struct Lines<'a> {
    stream: &'a TcpStream,
    buffer: Vec<u8>,
    at: usize,
}

impl Lines<'_> {
    /// Reads a reply of one line; its text when it is an error.
    fn error(&mut self) -> io::Result<Option<String>> {
        loop {
            let rest = &self.buffer[self.at..];
            if let Some(len) = rest.iter().position(|byte| *byte == b'\n') {
                let line = rest[..len].trim_ascii_end();
                let error = line.strip_prefix(b"-");
                let error = error.map(|text| String::from_utf8_lossy(text).into_owned());
                self.at += len + 1;
                return Ok(error);
            }
            if rest.len() > LINE_MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.buffer.drain(..self.at);
            self.at = 0;
            let mut room = [0; 4096];
            match self.stream.read(&mut room) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(len) => self.buffer.extend_from_slice(&room[..len]),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}
