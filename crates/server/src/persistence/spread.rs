//! Runs of keys that several threads decode for one that reads the file and puts the keys in: for
//! loads during which every shard is held by that one.
//!
//! Invariant: what was handed out and has not come back is bounded, and so is the memory it takes.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread;

use keyspace::Entry;
use parking_lot::Mutex;
use persist::disk::Input;
use persist::form::Error;
use persist::rdb::{self, Run};

use super::{File, Part, Terms};
use crate::server::Server;

/// Runs that may be under way for each thread.
const RUNS: usize = 4;

type Decoded = (u32, Result<Vec<Entry>, rdb::Error>);

/// The one that puts keys in.
struct Taker<E> {
    enter: E,
    decoded: Receiver<Decoded>,
    under_way: usize,
    fault: Option<rdb::Error>,
    /// Whether keys are wanted.
    goes_on: bool,
}

impl<E: FnMut(u32, Entry) -> bool> Taker<E> {
    fn enter(&mut self, db: u32, entry: Entry) {
        self.goes_on = self.goes_on && (self.enter)(db, entry);
    }

    fn take(&mut self, (db, result): Decoded) {
        self.under_way -= 1;
        match result {
            Ok(entries) => entries.into_iter().for_each(|entry| self.enter(db, entry)),
            Err(error) => {
                self.goes_on = false;
                self.fault.get_or_insert(error);
            }
        }
    }

    /// Takes what has come back, and waits for some of it while more than `rest` is under way.
    fn take_up_to(&mut self, rest: usize) {
        while let Ok(decoded) = self.decoded.try_recv() {
            self.take(decoded);
        }
        while self.under_way > rest
            && let Ok(decoded) = self.decoded.recv()
        {
            self.take(decoded);
        }
    }
}

/// Reads a file as [`File::load`] does, with so many threads that decode.
pub(super) fn load(
    (file, helpers): (File, usize),
    server: &Server,
    begin: impl FnOnce(),
    enter: impl FnMut(u32, Entry) -> bool,
) -> Result<Option<Input>, Error> {
    let (runs, waiting): (SyncSender<(u32, Run, Terms)>, _) = mpsc::sync_channel(RUNS * helpers);
    let (done, decoded) = mpsc::channel();
    let waiting = Mutex::new(waiting);
    let mut taker = Taker { enter, decoded, under_way: 0, fault: None, goes_on: true };
    let result = thread::scope(|scope| {
        for _ in 0..helpers {
            let (waiting, done) = (&waiting, done.clone());
            scope.spawn(move || {
                while let Ok((db, run, terms)) = next(waiting) {
                    let mut entries = Vec::new();
                    let result = terms.decode(server, &run, |entry| entries.push(entry));
                    if done.send((db, result.map(|()| entries))).is_err() {
                        return;
                    }
                }
            });
        }
        let take = |part| {
            match part {
                Part::Key(db, entry) => taker.enter(db, entry),
                Part::Run(db, run, terms) => {
                    taker.take_up_to(RUNS * helpers - 1);
                    taker.under_way += 1;
                    // The threads are there as long as runs come.
                    runs.send((db, run, terms)).expect("somebody waits for runs");
                }
            }
            taker.goes_on
        };
        let result = file.read(server, begin, take, true);
        drop(runs);
        result
    });
    drop(done);
    taker.take_up_to(0);
    // A fault within a run says more than a checksum that does not fit because of it.
    taker.fault.map_or(result, |fault| Err(fault.into()))
}

fn next<T>(waiting: &Mutex<Receiver<T>>) -> Result<T, mpsc::RecvError> {
    waiting.lock().recv()
}
