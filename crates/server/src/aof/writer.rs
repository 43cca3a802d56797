//! The writer: a thread that writes what was appended, and once a second puts it on the disk.
//!
//! It waits for the bell, then a little more, so that what comes together is written together.
//! With `appendfsync always` the workers write, and it only looks after what nobody replies to.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::{Policy, sink};
use crate::server::Server;

/// How long what was appended waits for more.
const GATHERING: Duration = Duration::from_millis(3);
/// How often what was written is put on the disk.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// How long the writer waits after a failure.
const RETRY: Duration = Duration::from_millis(100);
/// A sync that takes this long holds the writer up.
const SLOW: Duration = Duration::from_secs(2);

/// Starts the thread; it ends with the process.
pub fn start(server: &Arc<Server>) -> io::Result<()> {
    let server = Arc::clone(server);
    let run = move || run(&server);
    thread::Builder::new().name("aof-writer".to_owned()).spawn(run).map(drop)
}

fn run(server: &Server) {
    let aof = &server.aof;
    let mut synced = Instant::now();
    while !server.shutdown.is_complete() {
        wait(server, synced);
        if aof.policy() == Policy::Always {
            // Whoever appended syncs before it replies; this is for keys that expired.
            thread::sleep(GATHERING);
            sink::settle(server);
            continue;
        }
        let is_due = aof.policy() == Policy::EverySecond
            && synced.elapsed() >= SYNC_EVERY
            && !aof.rests();
        let began = Instant::now();
        let well = sink::flush(server, is_due);
        if is_due {
            synced = Instant::now();
            aof.figures.delayed.fetch_add(u64::from(began.elapsed() >= SLOW), Ordering::Relaxed);
        }
        if !well {
            thread::sleep(RETRY);
        }
    }
}

/// Waits until there is something to write or to put on the disk.
fn wait(server: &Server, synced: Instant) {
    let aof = &server.aof;
    {
        let mut bell = aof.bell.lock();
        while !*bell && !server.shutdown.is_complete() {
            let is_dirty = aof.durable() < aof.end() && aof.policy() != Policy::No;
            let is_stuck = aof.waiting() > 0;
            let timeout = match (is_stuck, is_dirty) {
                (true, _) => RETRY,
                (_, true) => SYNC_EVERY.saturating_sub(synced.elapsed()),
                _ => Duration::from_secs(1),
            };
            if aof.rung.wait_for(&mut bell, timeout).timed_out() && (is_stuck || is_dirty) {
                break;
            }
        }
        *bell = false;
    }
    thread::sleep(GATHERING);
}
