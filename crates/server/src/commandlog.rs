//! The logs of commands that took long, came large or were answered at length: the newest of each,
//! for SLOWLOG and COMMANDLOG.
//!
//! Whether a command is out of the ordinary is one comparison each for time, request and reply, in
//! dispatch; only then it comes here, and the latency monitor is told as well.

use std::collections::VecDeque;
use std::time::Duration;

use commands::Args;
use parking_lot::Mutex;
use spec::command::Flags;

use crate::clock;
use crate::local::Local;
use crate::registry::Client;
use crate::rows::Row;
use crate::secrets;
use crate::server::Server;

/// Arguments of a command that are kept, and bytes of each.
const ARGS_MAX: usize = 32;
const ARG_MAX: usize = 128;

/// What a log is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Commands that took long, in microseconds.
    Slow,
    /// Large requests, in bytes.
    LargeRequest,
    /// Large replies, in bytes.
    LargeReply,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Slow, Self::LargeRequest, Self::LargeReply];
}

/// From which figure on a command is logged, and how many are kept; by kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Threshold {
    /// Microseconds or bytes; as large as can be when nothing is logged.
    pub from: u64,
    /// Entries kept.
    pub len: usize,
}

impl Threshold {
    /// From the configuration: a negative number logs nothing.
    pub fn new(from: i64, len: i64) -> Self {
        let len = usize::try_from(len).unwrap_or(0);
        let from = u64::try_from(from).ok().filter(|_| len > 0);
        Self { from: from.unwrap_or(u64::MAX), len }
    }
}

/// What a command took: microseconds, bytes of the request, bytes of the reply.
pub type Cost = [u64; 3];

/// One logged command.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its number, from 0.
    pub id: u64,
    /// When it was run, Unix seconds.
    pub seconds: i64,
    /// Microseconds or bytes.
    pub figure: u64,
    /// The command, shortened.
    pub argv: Vec<Vec<u8>>,
    /// The client's address.
    pub addr: String,
    /// The client's name.
    pub name: Vec<u8>,
}

/// One log.
#[derive(Default, Debug)]
struct Log {
    next_id: u64,
    entries: VecDeque<Entry>,
    /// Sum and maximum of the figures of all that were ever logged.
    sum: u64,
    max: u64,
}

/// See the module's text.
#[derive(Default, Debug)]
pub struct CommandLog([Mutex<Log>; 3]);

/// How much was logged since the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Totals {
    /// Commands.
    pub count: u64,
    /// The sum of their figures.
    pub sum: u64,
    /// The largest figure.
    pub max: u64,
}

impl CommandLog {
    /// The newest entries, at most so many.
    pub fn newest(&self, kind: Kind, count: usize) -> Vec<Entry> {
        self.0[kind as usize].lock().entries.iter().take(count).cloned().collect()
    }

    /// How many entries there are.
    pub fn len(&self, kind: Kind) -> usize {
        self.0[kind as usize].lock().entries.len()
    }

    /// Forgets the entries; numbers go on.
    pub fn reset(&self, kind: Kind) {
        self.0[kind as usize].lock().entries.clear();
    }

    /// How much was logged since the start.
    pub fn totals(&self, kind: Kind) -> Totals {
        let log = self.0[kind as usize].lock();
        Totals { count: log.next_id, sum: log.sum, max: log.max }
    }

    fn push(&self, kind: Kind, mut entry: Entry, len: usize) {
        let mut log = self.0[kind as usize].lock();
        entry.id = log.next_id;
        log.next_id += 1;
        log.sum += entry.figure;
        log.max = log.max.max(entry.figure);
        log.entries.push_front(entry);
        log.entries.truncate(len);
    }
}

/// Logs a command if it is out of the ordinary.
#[inline]
pub fn judge(
    server: &Server,
    local: &Local,
    client: &Client,
    row: &Row,
    args: &Args<'_>,
    cost: Cost,
) {
    let [_, request, reply] = &local.tunables.commandlog;
    if cost[0] >= local.tunables.slow_from_us || cost[1] >= request.from || cost[2] >= reply.from {
        record(server, local, client, row, args, cost);
    }
}

#[cold]
fn record(server: &Server, local: &Local, client: &Client, row: &Row, args: &Args<'_>, cost: Cost) {
    let event = if row.has(Flags::FAST) { "fast-command" } else { "command" };
    server.latency.note(event, Duration::from_micros(cost[0]));
    if row.has(Flags::SKIP_COMMANDLOG) {
        return;
    }
    let argv = shortened(row, args);
    for kind in Kind::ALL {
        let (threshold, figure) = (local.tunables.commandlog[kind as usize], cost[kind as usize]);
        if figure < threshold.from {
            continue;
        }
        let entry = Entry {
            id: 0,
            seconds: clock::unix_ms() / 1000,
            figure,
            argv: argv.clone(),
            addr: client.addr.clone(),
            name: client.profile.lock().name.clone(),
        };
        server.commandlog.push(kind, entry, threshold.len);
    }
}

/// A command's arguments, with what must not be kept left out, long ones cut, and what is beyond so
/// many only counted.
fn shortened(row: &Row, args: &Args<'_>) -> Vec<Vec<u8>> {
    let shown = secrets::hidden(row, args);
    let kept = if shown.len() > ARGS_MAX { ARGS_MAX - 1 } else { shown.len() };
    let mut argv: Vec<Vec<u8>> = shown[..kept].iter().map(|arg| cut(arg)).collect();
    if kept < shown.len() {
        argv.push(format!("... ({} more arguments)", shown.len() - kept).into_bytes());
    }
    argv
}

fn cut(arg: &[u8]) -> Vec<u8> {
    if arg.len() <= ARG_MAX {
        return arg.to_vec();
    }
    let rest = format!("... ({} more bytes)", arg.len() - ARG_MAX);
    [&arg[..ARG_MAX], rest.as_bytes()].concat()
}

#[cfg(test)]
mod tests;
