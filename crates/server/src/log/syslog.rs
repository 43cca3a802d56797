//! A writer for the system's log: one datagram a line to its socket, as RFC 3164 has it.

use std::os::unix::net::UnixDatagram;

use log::Level;

use crate::clock;
use crate::sys::{LocalTime, local_time};

const SOCKET: &str = "/dev/log";

/// See the module's text.
pub(super) struct Syslog {
    ident: String,
    facility: u32,
    /// Opened when first needed, and again after a failure: the system's log may be restarted.
    socket: Option<UnixDatagram>,
}

impl Syslog {
    /// For lines that carry `ident` under a facility's number.
    pub(super) fn new(ident: String, facility: u32) -> Self {
        Self { ident, facility, socket: None }
    }

    pub(super) fn write(&mut self, level: Level, text: &str) {
        let datagram = self.datagram(level, &local_time(clock::unix_us() / 1_000_000), text);
        for _ in 0..2 {
            if self.socket.is_none() {
                self.socket = connect(SOCKET);
            }
            let Some(socket) = &self.socket else { return };
            if socket.send(datagram.as_bytes()).is_ok() {
                return;
            }
            self.socket = None;
        }
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

fn connect(path: &str) -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect(path).ok()?;
    // A log that does not keep up must not hold the server up.
    socket.set_nonblocking(true).ok()?;
    Some(socket)
}
