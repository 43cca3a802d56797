//! The writer: a thread that, while there is a log, once a second puts on the disk what was
//! written, and writes what workers left to it: because it was busy with that, because the disk had
//! failed, or because the log goes on in another increment.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use super::{Phase, Policy, sink};
use crate::server::Server;

/// How often what was written is put on the disk.
const SYNC_EVERY: Duration = Duration::from_secs(1);
/// How long the writer waits after a failure.
const RETRY: Duration = Duration::from_millis(100);
/// A sync that takes this long is one too many.
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
        let is_failing = aof.trouble.lock().is_some();
        match aof.phase() {
            // Whoever turns the log on rings.
            Phase::Off if aof.waiting() == 0 => wait(server, None),
            _ if is_failing => wait(server, Some(RETRY)),
            _ => wait(server, Some(SYNC_EVERY.saturating_sub(synced.elapsed()))),
        }
        let is_due = synced.elapsed() >= SYNC_EVERY;
        let syncs = is_due && aof.policy() == Policy::EverySecond && !aof.rests();
        let began = Instant::now();
        let has_work = aof.waiting() > 0 || aof.is_switching.load(Ordering::SeqCst);
        if has_work || syncs && aof.durable() < aof.end() {
            sink::flush(server, syncs || aof.policy() == Policy::Always);
        }
        if is_due {
            synced = Instant::now();
            aof.figures.delayed.fetch_add(u64::from(began.elapsed() >= SLOW), Ordering::Relaxed);
        }
    }
}

/// Waits until somebody rings, for some time at most if that is given.
fn wait(server: &Server, time: Option<Duration>) {
    let aof = &server.aof;
    let mut bell = aof.bell.lock();
    match time {
        _ if *bell => {}
        Some(time) => drop(aof.rung.wait_for(&mut bell, time)),
        None => aof.rung.wait(&mut bell),
    }
    *bell = false;
}
