//! A writer for the system's log: one datagram a line to its socket, as RFC 3164 has it.

use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use log::Level;
use parking_lot::Mutex;

use crate::clock;
use crate::sys::{LocalTime, local_time};

/// Where the system's log listens.
pub(super) const SOCKET: &str = "/dev/log";

/// See the module's text.
pub(super) struct Syslog {
    path: PathBuf,
    ident: String,
    facility: u32,
    /// Opened when first needed, and again after a failure: the system's log may be restarted.
    socket: Mutex<Option<Arc<UnixDatagram>>>,
}

impl Syslog {
    /// For lines that carry `ident` under a facility's number, to the socket at `path`.
    pub(super) fn new(path: impl Into<PathBuf>, ident: String, facility: u32) -> Self {
        Self { path: path.into(), ident, facility, socket: Mutex::new(None) }
    }

    pub(super) fn write(&self, level: Level, text: &str) {
        let datagram = self.datagram(level, &local_time(clock::unix_us() / 1_000_000), text);
        let known = self.socket.lock().clone();
        let is_sent = |socket: &UnixDatagram| socket.send(datagram.as_bytes()).is_ok();
        if known.is_some_and(|socket| is_sent(&socket)) {
            return;
        }
        let fresh = connect(&self.path).filter(is_sent).map(Arc::new);
        *self.socket.lock() = fresh;
    }

    pub(super) fn datagram(&self, level: Level, time: &LocalTime, text: &str) -> String {
        let severity = match level {
            Level::Trace => 7,
            Level::Debug => 6,
            Level::Info => 5,
            Level::Warn | Level::Error => 4,
        };
        let priority = self.facility * 8 + severity;
        let month = time.month_name();
        let LocalTime { day, hour, minute, second, .. } = *time;
        let (ident, pid) = (&self.ident, std::process::id());
        format!(
            "<{priority}>{month} {day:2} {hour:02}:{minute:02}:{second:02} {ident}[{pid}]: {text}"
        )
    }
}

fn connect(path: &Path) -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect(path).ok()?;
    // A log that does not keep up must not hold the server up.
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}
