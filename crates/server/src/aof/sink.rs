//! Where the stream goes: what is appended is taken, written and put on the disk.
//!
//! Invariant: `pending` from `done` on is what was taken and is not in a file yet; its switches are
//! places in it. Whoever holds the sink takes everything that was appended by then, so workers that
//! wait for the same sync share it.

use std::collections::VecDeque;
use std::io;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use parking_lot::MutexGuard;
use persist::disk::Append;

use super::{Next, Policy, Trouble, heal, put_trouble, rewrite, wait};
use crate::clock;
use crate::server::Server;
use crate::sys::system_text;

/// Room that is kept for what is appended next.
const KEPT: usize = 4 << 20;

/// See the module's text.
#[derive(Default)]
pub(super) struct Sink {
    file: Option<Append>,
    pending: Vec<u8>,
    done: usize,
    switches: VecDeque<(usize, Next)>,
}

/// Why the sink does not go on.
enum Failure {
    Write(io::Error),
    Sync(io::Error),
}

/// Writes everything that was appended so far, and puts it on the disk if `sync` says so. With
/// `appendfsync always` a failure ends the process: what the data have and the log has not must not
/// be seen by anybody.
pub fn flush(server: &Server, sync: bool) -> bool {
    flush_in(server, server.aof.sink.lock(), sync)
}

fn flush_in(server: &Server, mut sink: MutexGuard<'_, Sink>, sync: bool) -> bool {
    let aof = &server.aof;
    let began = server.latency.is_on().then(Instant::now);
    let sleep_us = aof.flush_sleep_us.load(Ordering::Relaxed);
    if sleep_us > 0 {
        thread::sleep(Duration::from_micros(sleep_us));
    }
    let taken = sink.take(server);
    let drained = sink.drain(server);
    if let Some(began) = began {
        note_write(server, began.elapsed());
    }
    let result = drained.and_then(|()| match &sink.file {
        Some(file) if sync && aof.durable() < taken => sync_file(server, file),
        _ => Ok(()),
    });
    match result {
        Ok(()) => {
            if sync {
                aof.durable.fetch_max(taken, Ordering::SeqCst);
                aof.figures.synced_ms.store(clock::unix_ms(), Ordering::Relaxed);
            }
            if aof.trouble().is_some() && put_trouble(server, None) {
                log::warn!("AOF write error looks solved. The server can write again.");
            }
            drop(sink);
            if sync {
                wait::look(server);
            }
            true
        }
        Err(failure) => {
            drop(sink);
            fail(server, failure);
            false
        }
    }
}

/// What a worker does before its replies leave: it writes what was appended so far, and puts it on
/// the disk if that is the policy. While the writer is busy with the disk it is left to it, unless
/// that is far behind; and so is the way into another increment, which takes several syncs.
pub fn settle(server: &Server) {
    let aof = &server.aof;
    if aof.policy() == Policy::Always {
        let end = aof.end();
        let sink = aof.sink.lock();
        if aof.durable() < end {
            flush_in(server, sink, true);
        }
        return;
    }
    let is_left = aof.is_switching.load(Ordering::SeqCst);
    match aof.sink.try_lock().filter(|_| !is_left) {
        Some(sink) => {
            flush_in(server, sink, false);
        }
        None => {
            aof.ring();
            aof.hold_back();
        }
    }
}

/// Goes on in the last file that the stream was given: what was to go to those before it stands in
/// a base by now. Whatever was wrong with them does not matter any more.
pub(super) fn skip(server: &Server) {
    {
        let mut sink = server.aof.sink.lock();
        sink.take(server);
        server.aof.is_switching.store(false, Ordering::SeqCst);
        while let Some((place, next)) = sink.switches.pop_front() {
            let skipped = (place - sink.done) as u64;
            server.aof.written.fetch_add(skipped, Ordering::SeqCst);
            sink.done = place;
            sink.file = match next {
                Next::Nothing => None,
                Next::File(file) | Next::Increment(_, file) => Some(file),
            };
        }
    }
    heal(server);
    flush(server, false);
}

/// Keeps how long a write took under the names of Redis: in general, and by what went on beside it.
fn note_write(server: &Server, took: Duration) {
    let is_copying =
        server.aof.is_rewriting.load(Ordering::Relaxed) || server.persistence.snapshots.is_active();
    let beside = if is_copying { "aof-write-active-child" } else { "aof-write-alone" };
    server.latency.note("aof-write", took);
    server.latency.note(beside, took);
}

fn sync_file(server: &Server, file: &Append) -> Result<(), Failure> {
    let began = Instant::now();
    server.aof.figures.syncing.store(true, Ordering::Relaxed);
    let result = file.sync().map_err(Failure::Sync);
    server.aof.figures.syncing.store(false, Ordering::Relaxed);
    if server.aof.policy() == Policy::Always {
        server.latency.note("aof-fsync-always", began.elapsed());
    }
    result
}

fn fail(server: &Server, failure: Failure) {
    let (verb, error, is_final) = match &failure {
        Failure::Write(error) => ("writing to", error, false),
        Failure::Sync(error) => ("syncing", error, true),
    };
    let text = system_text(error);
    let is_known = server.aof.trouble().is_some_and(|known| known == text);
    if !is_known {
        log::warn!("Error {verb} the AOF file: {text}");
    }
    if server.aof.policy() == Policy::Always {
        log::error!(
            "Can't recover from AOF write error when the AOF fsync policy is 'always'. Exiting..."
        );
        std::process::exit(1);
    }
    put_trouble(server, Some(Trouble { text, is_final }));
}

impl Sink {
    /// Takes what was appended; returns the position behind it.
    fn take(&mut self, server: &Server) -> u64 {
        let mut tail = server.aof.tail.lock();
        if self.pending.is_empty() {
            std::mem::swap(&mut self.pending, &mut tail.bytes);
            self.switches.append(&mut tail.switches);
        } else {
            let before = self.pending.len();
            self.pending.append(&mut tail.bytes);
            let moved = tail.switches.drain(..).map(|(place, file)| (place + before, file));
            self.switches.extend(moved);
        }
        server.aof.end()
    }

    /// Writes what was taken.
    fn drain(&mut self, server: &Server) -> Result<(), Failure> {
        loop {
            let until = self.switches.front().map_or(self.pending.len(), |(place, _)| *place);
            self.write_until(server, until)?;
            let Some((_, next)) = self.switches.pop_front() else { break };
            self.switch(server, next)?;
        }
        self.pending.clear();
        self.pending.shrink_to(KEPT);
        self.done = 0;
        server.aof.drained.notify_all();
        Ok(())
    }

    fn write_until(&mut self, server: &Server, until: usize) -> Result<(), Failure> {
        let bytes = &self.pending[self.done..until];
        let (count, result) = match &mut self.file {
            None => (bytes.len(), Ok(())),
            Some(file) => match file.write(bytes) {
                Ok(()) => (bytes.len(), Ok(())),
                Err(unwritten) => (unwritten.kept, Err(Failure::Write(unwritten.error))),
            },
        };
        self.done += count;
        if self.file.is_some() {
            server.aof.figures.size.fetch_add(count as u64, Ordering::Relaxed);
        }
        server.aof.written.fetch_add(count as u64, Ordering::SeqCst);
        result
    }

    /// Goes on in another file once the present one is on the disk. If it does not get there, it
    /// is not used any more all the same. An increment that cannot be named is not used; then the
    /// stream stays where it is.
    fn switch(&mut self, server: &Server, next: Next) -> Result<(), Failure> {
        let synced = self.file.as_ref().map_or(Ok(()), |file| sync_file(server, file));
        match next {
            Next::Nothing => {
                self.file = None;
                heal(server);
            }
            Next::File(file) => self.file = Some(file),
            Next::Increment(name, file) => {
                if rewrite::name_increment(server, &name) {
                    self.file = Some(file);
                }
                server.aof.is_switching.store(false, Ordering::SeqCst);
            }
        }
        synced
    }
}
