//! Loading at the start: one thread reads the file, and the workers take in what it has read while
//! they answer their clients that they are loading.
//!
//! Keys enter the shards on workers only, because with one worker nobody takes a lock.

use std::io;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use keyspace::{Entry, Held, Stamp};
use persist::rdb::Run;

use spec::config::Id;

use super::{File, Part, Terms};
use crate::aof;
use crate::local::Local;
use crate::mailbox::Message;
use crate::server::Server;
use crate::session::State;
use crate::standby;

/// Keys that are handed over together.
const BATCH: usize = 512;
/// Keys that enter together.
const TOGETHER: usize = 64;
/// Loads that may wait.
const QUEUE: usize = 64;
/// How long a worker takes keys in before it looks after its clients.
const TURN_MAX: Duration = Duration::from_millis(5);
/// How long the reader waits for workers that are behind.
const PAUSE: Duration = Duration::from_micros(200);

/// Keys, each with its database.
pub type Batch = Vec<(u32, Entry)>;

/// What is handed over.
enum Load {
    Keys(Batch),
    /// Keys of a database that the worker decodes.
    Run(u32, Run, Terms),
}

/// What was read and waits.
pub struct Feed {
    queue: ArrayQueue<Load>,
    /// Loads that are not taken in yet, waiting or being taken.
    under_way: AtomicUsize,
    /// Some key came twice.
    doubled: AtomicBool,
    /// Why a run was refused.
    refused: OnceLock<String>,
}

impl Default for Feed {
    fn default() -> Self {
        Self {
            queue: ArrayQueue::new(QUEUE),
            under_way: AtomicUsize::new(0),
            doubled: AtomicBool::new(false),
            refused: OnceLock::new(),
        }
    }
}

impl Feed {
    /// Whether something waits.
    pub fn is_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Takes in for a short time what waits; a worker's periodic work while the server loads.
    pub fn take_in(&self, server: &Server, local: &mut Local) {
        let began = Instant::now();
        while began.elapsed() < TURN_MAX
            && let Some(load) = self.queue.pop()
        {
            let gate = standby::enter(server, local);
            let mut held = server.keyspace.shards().hold_walk();
            let stamp = Stamp::new(local.now_ms(), &local.tunables.usage, || 1.0);
            match load {
                Load::Keys(batch) => {
                    let (mut entries, mut at) = (Vec::with_capacity(TOGETHER), 0);
                    for (db, entry) in batch {
                        if db != at || entries.len() == TOGETHER {
                            self.enter(server, &mut held, at, &mut entries, stamp);
                        }
                        at = db;
                        entries.push(entry);
                    }
                    self.enter(server, &mut held, at, &mut entries, stamp);
                }
                Load::Run(db, run, terms) => {
                    let mut entries = Vec::with_capacity(TOGETHER);
                    let result = terms.decode(server, &run, |entry| {
                        entries.push(entry);
                        if entries.len() == TOGETHER {
                            self.enter(server, &mut held, db, &mut entries, stamp);
                        }
                    });
                    self.enter(server, &mut held, db, &mut entries, stamp);
                    if let Err(error) = result {
                        // The first reason is as good as another.
                        self.refused.set(error.to_string()).ok();
                    }
                }
            }
            drop(held);
            drop(gate);
            self.under_way.fetch_sub(1, Ordering::SeqCst);
        }
    }

    fn enter(
        &self,
        server: &Server,
        held: &mut Held<'_>,
        db: u32,
        entries: &mut Vec<Entry>,
        stamp: Stamp,
    ) {
        server.keyspace.enter_entries(held, db, entries, stamp, |entry| {
            let key = entry.key_bytes().escape_ascii();
            log::warn!("RDB has duplicated key '{key}' in DB {db}");
            self.doubled.store(true, Ordering::Relaxed);
        });
    }

    /// Why loading cannot go on, if something is wrong.
    fn fault(&self) -> Option<String> {
        let doubled = self.doubled.load(Ordering::Relaxed);
        let doubled = doubled.then(|| "a key stands in the file twice".to_owned());
        self.refused.get().cloned().or(doubled)
    }

    /// Hands keys over; false when the server stops meanwhile, or something is wrong.
    fn hand_over(&self, server: &Server, mut load: Load) -> bool {
        self.under_way.fetch_add(1, Ordering::SeqCst);
        while let Err(back) = self.queue.push(load) {
            load = back;
            thread::sleep(PAUSE);
            if server.shutdown.is_complete() {
                return false;
            }
        }
        let next = self.under_way.load(Ordering::Relaxed) % server.workers.len();
        server.workers[next].mailbox.send(Message::Look);
        let is_wrong = self.doubled.load(Ordering::Relaxed) || self.refused.get().is_some();
        !server.shutdown.is_complete() && !is_wrong
    }

    /// Hands a part over, single keys once there are some of them in `keys`; false when the server
    /// stops meanwhile, or something is wrong.
    pub fn take(&self, server: &Server, part: Part, keys: &mut Batch) -> bool {
        match part {
            Part::Run(db, run, terms) => self.hand_over(server, Load::Run(db, run, terms)),
            Part::Key(db, entry) => {
                keys.push((db, entry));
                keys.len() < BATCH || self.hand_over(server, Load::Keys(std::mem::take(keys)))
            }
        }
    }

    /// Hands over what is left in `keys` and waits until all is taken in; the error is why it
    /// cannot be.
    pub fn finish(&self, server: &Server, keys: &mut Batch) -> Result<(), String> {
        if !keys.is_empty() {
            self.hand_over(server, Load::Keys(std::mem::take(keys)));
        }
        self.settle(server);
        self.fault().map_or(Ok(()), Err)
    }

    /// Waits until all is taken in, or the server stops.
    fn settle(&self, server: &Server) {
        while self.under_way.load(Ordering::SeqCst) > 0 {
            server.tell_all(|| Message::Look);
            thread::sleep(PAUSE);
            if server.shutdown.is_complete() {
                return;
            }
        }
    }
}

/// Begins to load the data set's file, if there is one; the error is the reason why the server must
/// not start. The thread ends when all keys are in.
pub fn begin(server: &Arc<Server>) -> io::Result<Option<JoinHandle<Result<(), String>>>> {
    // The log may be turned on at any time.
    aof::start_writer(server)?;
    if server.config.lock().bool(Id::Appendonly) {
        return aof::begin(server).map_err(io::Error::other);
    }
    let Some(file) = File::open(server)? else { return Ok(None) };
    server.put_state(State::LOADING, true);
    let server = Arc::clone(server);
    let run = move || {
        let began = Instant::now();
        let result = load(&server, file);
        // Nobody is to see the half of a file that was refused.
        server.put_state(State::LOADING, result.is_err());
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
    let (form, mut keys) = (file.form(), Batch::new());
    let result = file.load_runs(server, |part| feed.take(server, part, &mut keys));
    // A fault within a run says more than a checksum that does not fit because of it.
    feed.finish(server, &mut keys)?;
    result.map_err(|error| error.to_string())?;
    if !server.shutdown.is_complete() {
        super::tell_loaded(&server.persistence, form);
    }
    Ok(())
}
