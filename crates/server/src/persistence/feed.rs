//! Loading at the start: one thread reads the file, and the workers take in what it has read while
//! they answer their clients that they are loading.
//!
//! Keys enter the shards on workers only, because with one worker nobody takes a lock.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use keyspace::{Entered, Entry, Stamp};

use spec::config::Id;

use super::File;
use crate::aof;
use crate::local::Local;
use crate::mailbox::Message;
use crate::server::Server;
use crate::session::State;

/// Keys that are handed over together.
pub const BATCH: usize = 512;
/// Batches that may wait.
const QUEUE: usize = 64;
/// How long a worker takes keys in before it looks after its clients.
const TURN_MAX: Duration = Duration::from_millis(5);
/// How long the reader waits for workers that are behind.
const PAUSE: Duration = Duration::from_micros(200);

/// Keys, each with its database.
pub type Batch = Vec<(u32, Entry)>;

/// What was read and waits.
pub struct Feed {
    queue: ArrayQueue<Batch>,
    /// Batches that are not taken in yet, waiting or being taken.
    under_way: AtomicUsize,
    /// Some key came twice.
    doubled: AtomicBool,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            queue: ArrayQueue::new(QUEUE),
            under_way: AtomicUsize::new(0),
            doubled: AtomicBool::new(false),
        }
    }
}

impl Feed {
    /// Whether something waits.
    pub fn is_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Takes in for a short time what waits; a worker's periodic work while the server loads.
    pub fn take_in(&self, server: &Server, local: &Local) {
        let began = Instant::now();
        while began.elapsed() < TURN_MAX
            && let Some(batch) = self.queue.pop()
        {
            let gate = server.keyspace.enter(local.id);
            let mut held = server.keyspace.shards().hold_walk();
            let stamp = Stamp::at(local.now_ms());
            for (db, entry) in batch {
                let entered = server.keyspace.enter_entry(&mut held, db, entry, false, stamp);
                if let Entered::Taken(entry) = entered {
                    let key = entry.key_bytes().escape_ascii();
                    log::warn!("RDB has duplicated key '{key}' in DB {db}");
                    self.doubled.store(true, Ordering::Relaxed);
                }
            }
            drop(held);
            drop(gate);
            self.under_way.fetch_sub(1, Ordering::SeqCst);
        }
    }

    /// Hands a batch over; false when the server stops meanwhile.
    pub fn hand_over(&self, server: &Server, mut batch: Batch) -> bool {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        while let Err(back) = self.queue.push(batch) {
            batch = back;
            thread::sleep(PAUSE);
            if server.shutdown.is_complete() {
                return false;
            }
        }
        let next = self.under_way.load(Ordering::Relaxed) % server.workers.len();
        server.workers[next].mailbox.send(Message::Look);
        !server.shutdown.is_complete() && !self.doubled.load(Ordering::Relaxed)
    }

    /// Whether a key came twice.
    pub fn has_doubled(&self) -> bool {
        self.doubled.load(Ordering::Relaxed)
    }

    /// Waits until all is taken in; false when the server stops meanwhile.
    pub fn settle(&self, server: &Server) -> bool {
        while self.under_way.load(Ordering::SeqCst) > 0 {
            server.tell_all(|| Message::Look);
            thread::sleep(PAUSE);
            if server.shutdown.is_complete() {
                return false;
            }
        }
        true
    }
}

/// Begins to load the data set's file, if there is one; the error is the reason why the server must
/// not start. The thread ends when all keys are in.
pub fn begin(server: &Arc<Server>) -> io::Result<Option<JoinHandle<Result<(), String>>>> {
    if server.config.lock().bool(Id::Appendonly) {
        return aof::begin(server).map_err(io::Error::other);
    }
    let Some(file) = File::open(server)? else { return Ok(None) };
    server.put_state(State::LOADING, true);
    let server = Arc::clone(server);
    let run = move || {
        let began = Instant::now();
        let result = load(&server, file);
        server.put_state(State::LOADING, false);
        server.tell_all(|| Message::Look);
        if result.is_ok() && !server.shutdown.is_complete() {
            log::info!("DB loaded from disk: {:.3} seconds", began.elapsed().as_secs_f64());
        }
        result
    };
    thread::Builder::new().name("loader".to_owned()).spawn(run).map(Some)
}

fn load(server: &Server, file: File) -> Result<(), String> {
    let feed = &server.persistence.feed;
    let mut batch = Vec::with_capacity(BATCH);
    let result = file.load(
        server,
        || (),
        |db, entry| {
            batch.push((db, entry));
            batch.len() < BATCH || feed.hand_over(server, std::mem::take(&mut batch))
        },
    );
    result.map_err(|error| error.to_string())?;
    if !batch.is_empty() {
        feed.hand_over(server, batch);
    }
    feed.settle(server);
    if feed.has_doubled() {
        return Err("a key stands in the file twice".to_owned());
    }
    Ok(())
}
