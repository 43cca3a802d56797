//! The append-only file: one stream of what changed the data, in the order in which it happened.
//!
//! Whoever changes data leaves its [`Unit`] here while the shards of the change are held, so that
//! the stream's order agrees with the order of every key. The bytes wait in the tail until a worker
//! writes them, at the end of its turn and before its replies leave (`sink`); with `appendfsync
//! always` it also puts them on the disk, otherwise a thread does so once a second (`writer`). A
//! position is the number of bytes that were appended since the server started.
//!
//! Lock order: the sink, then the tail; both come after the shards. Nothing is asked of the system
//! while the tail is locked.

mod base;
mod files;
mod load;
mod replay;
mod rewrite;
mod sink;
mod unit;
mod wait;
mod writer;

use std::collections::VecDeque;
use std::ffi::OsString;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_utils::CachePadded;
use parking_lot::{Condvar, Mutex};
use persist::disk::Append;
use spec::config::Id;

use crate::config::Config;
use crate::server::Server;
use crate::session::State;

pub use files::Files;
pub use load::{begin, reload};
use replay::Replay;
pub use rewrite::{Rewrites, begin as rewrite, is_under_way, tick, turn_off, turn_on};
use sink::Sink;
pub use sink::{flush, settle};
pub use unit::{Mark, Unit};
use wait::Waiting;
pub use wait::{NO_LOG, wait};
pub use writer::start as start_writer;

/// Bytes that may wait to be written before workers wait for the disk.
const WAITING_MAX: u64 = 256 << 20;
/// How long a worker waits for the disk at a time.
const WAIT: Duration = Duration::from_millis(10);

/// When what was written is also to be on the disk.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Policy {
    /// When the system finds the time.
    No,
    /// Once a second.
    EverySecond,
    /// Before any reply that tells of it.
    Always,
}

impl Policy {
    fn of(word: &str) -> Self {
        match word {
            "always" => Self::Always,
            "no" => Self::No,
            _ => Self::EverySecond,
        }
    }
}

/// Whether there is a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Phase {
    /// There is none.
    Off,
    /// It was turned on, and the rewrite that it begins with has not come to its end.
    Waits,
    /// There is one.
    On,
}

/// See the module's text.
pub struct Aof {
    tail: CachePadded<Mutex<Tail>>,
    /// The position up to which the stream was appended, written, and put on the disk.
    appended: CachePadded<AtomicU64>,
    written: CachePadded<AtomicU64>,
    durable: AtomicU64,
    sink: Mutex<Sink>,
    /// Tells the writer that something waits, and others that something was written.
    bell: Mutex<bool>,
    rung: Condvar,
    drained: Condvar,
    rules: Rules,
    phase: AtomicU8,
    /// Whether a rewrite is under way.
    pub is_rewriting: AtomicBool,
    /// The rewrites so far.
    pub rewrites: Rewrites,
    /// How long each write is held up, in microseconds, for tests.
    pub flush_sleep_us: AtomicU64,
    /// Commands that are being loaded.
    pub replay: Replay,
    /// The log's files.
    pub files: Arc<Mutex<Files>>,
    /// Whether the stream goes on in another increment once what stands before is on the disk.
    is_switching: AtomicBool,
    /// What INFO tells.
    pub figures: Figures,
    /// Why the log takes nothing at present.
    trouble: Mutex<Option<Trouble>>,
    /// Clients that wait for the disk.
    waiting: Waiting,
}

/// A worker's way to the log.
#[derive(Default)]
pub struct Outlet {
    /// What the running command or transaction says.
    pub unit: Unit,
    /// Whether this worker has appended something that is not written yet.
    pub has_appended: bool,
    /// The position behind what it has appended, now and when the present batch of commands began.
    end: u64,
    batch_began: u64,
}

impl Outlet {
    /// Hands what the unit says to the log, as one transaction if it belongs `together`. The shards
    /// of the changes are held.
    #[inline]
    pub fn append(&mut self, aof: &Aof, together: bool, now_us: i64) {
        if !self.unit.is_empty() {
            self.end = aof.append(&mut self.unit, together, now_us / 1_000_000);
            self.has_appended = true;
        }
    }

    /// A batch of one client's commands begins.
    #[inline]
    pub fn begin_batch(&mut self) {
        self.batch_began = self.end;
    }

    /// The position behind what the client of the batch has written, who had reached another one
    /// when the batch began.
    #[inline]
    pub fn reached(&self, before: u64) -> u64 {
        if self.end == self.batch_began { before } else { self.end }
    }
}

/// What was appended and is not taken for writing yet.
#[derive(Default)]
struct Tail {
    is_on: bool,
    bytes: Vec<u8>,
    /// The database that is selected behind `bytes`; none at the beginning of a file.
    db: Option<u32>,
    /// The last annotation, Unix seconds.
    noted_s: i64,
    /// Files that the stream goes on in, each with its place in `bytes`.
    switches: VecDeque<(usize, Next)>,
}

/// What the stream goes on in.
enum Next {
    /// No file.
    Nothing,
    /// A file that is named already, or will be later.
    File(Append),
    /// An increment of this name, once the manifest has it.
    Increment(OsString, Append),
}

/// What the configuration says of the log.
struct Rules {
    policy: AtomicU8,
    annotates: AtomicBool,
    rests_on_rewrite: AtomicBool,
}

/// What is known of the log's files.
#[derive(Default)]
pub struct Figures {
    /// Bytes of all files that are read at a start.
    pub size: AtomicU64,
    /// The same when the log was begun or rewritten the last time.
    pub base_size: AtomicU64,
    /// Times the disk took so long that writing had to wait.
    pub delayed: AtomicU64,
    /// Whether a sync is under way in the background.
    pub syncing: AtomicBool,
    /// When the log was put on the disk the last time, Unix milliseconds.
    pub synced_ms: AtomicI64,
}

/// Why the log takes nothing.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Trouble {
    /// What the system said.
    text: String,
    /// Whether what was written before may be lost: then only a new log helps.
    is_final: bool,
}

impl Aof {
    /// No log, with the rules of a configuration.
    pub fn new(config: &Config) -> Self {
        let aof = Self {
            tail: CachePadded::default(),
            appended: CachePadded::default(),
            written: CachePadded::default(),
            durable: AtomicU64::default(),
            sink: Mutex::default(),
            bell: Mutex::new(false),
            rung: Condvar::new(),
            drained: Condvar::new(),
            rules: Rules {
                policy: AtomicU8::new(0),
                annotates: AtomicBool::new(false),
                rests_on_rewrite: AtomicBool::new(false),
            },
            phase: AtomicU8::new(Phase::Off as u8),
            is_rewriting: AtomicBool::new(false),
            rewrites: Rewrites::default(),
            flush_sleep_us: AtomicU64::new(0),
            replay: Replay::default(),
            files: Arc::new(Mutex::new(Files::new(config))),
            is_switching: AtomicBool::new(false),
            figures: Figures::default(),
            trouble: Mutex::new(None),
            waiting: Waiting::default(),
        };
        aof.follow(config);
        aof
    }

    /// Takes over what the configuration says.
    pub fn follow(&self, config: &Config) {
        let rules = &self.rules;
        let policy = Policy::of(config.choice(Id::Appendfsync));
        rules.policy.store(policy as u8, Ordering::SeqCst);
        rules.annotates.store(config.bool(Id::AofTimestampEnabled), Ordering::SeqCst);
        rules.rests_on_rewrite.store(config.bool(Id::NoAppendfsyncOnRewrite), Ordering::SeqCst);
    }

    /// When the log is put on the disk.
    pub fn policy(&self) -> Policy {
        match self.rules.policy.load(Ordering::Relaxed) {
            0 => Policy::No,
            1 => Policy::EverySecond,
            _ => Policy::Always,
        }
    }

    /// Adds what a unit says, together if its commands belong together; the shards of its changes
    /// are held. Nothing is left in the unit. The position behind it.
    pub fn append(&self, unit: &mut Unit, together: bool, now_s: i64) -> u64 {
        let mut tail = self.tail.lock();
        if !tail.is_on {
            unit.forget();
            return self.end();
        }
        let Tail { bytes, db, noted_s, .. } = &mut *tail;
        let before = bytes.len();
        if self.rules.annotates.load(Ordering::Relaxed) && now_s > *noted_s {
            *noted_s = now_s;
            bytes.extend_from_slice(format!("#TS:{now_s}\r\n").as_bytes());
        }
        *db = Some(unit.move_to(bytes, *db, together));
        let added = (bytes.len() - before) as u64;
        self.appended.fetch_add(added, Ordering::SeqCst) + added
    }

    /// Goes on in another file, or with none, from the present position on. The caller is alone.
    fn go_on_in(&self, next: Next) {
        let mut tail = self.tail.lock();
        tail.is_on = !matches!(next, Next::Nothing);
        (tail.db, tail.noted_s) = (None, 0);
        let place = tail.bytes.len();
        if matches!(next, Next::Increment(..)) {
            self.is_switching.store(true, Ordering::SeqCst);
        }
        tail.switches.push_back((place, next));
    }

    /// Whether there is a log.
    pub fn phase(&self) -> Phase {
        match self.phase.load(Ordering::SeqCst) {
            0 => Phase::Off,
            1 => Phase::Waits,
            _ => Phase::On,
        }
    }

    fn put_phase(&self, phase: Phase) {
        self.phase.store(phase as u8, Ordering::SeqCst);
    }

    /// The position behind everything.
    #[inline]
    pub fn end(&self) -> u64 {
        self.appended.load(Ordering::SeqCst)
    }

    /// Bytes that are not written yet.
    pub fn waiting(&self) -> u64 {
        self.end().saturating_sub(self.written.load(Ordering::SeqCst))
    }

    /// The position up to which everything is on the disk.
    pub fn durable(&self) -> u64 {
        self.durable.load(Ordering::SeqCst)
    }

    /// Whether a worker's replies have to wait: until what it appended is written, or with
    /// `always` until everything that anybody appended is on the disk, because a reply may tell of
    /// it.
    #[inline]
    pub fn holds_replies(&self, outlet: &Outlet) -> bool {
        outlet.has_appended
            || self.rules.policy.load(Ordering::Relaxed) == Policy::Always as u8
                && self.durable() < self.end()
    }

    /// Whether nothing is put on the disk for the time of a rewrite.
    fn rests(&self) -> bool {
        self.rules.rests_on_rewrite.load(Ordering::Relaxed)
            && self.is_rewriting.load(Ordering::Relaxed)
    }

    /// Tells the writer that something waits; takes no longer than a lock that nobody keeps.
    pub fn ring(&self) {
        *self.bell.lock() = true;
        self.rung.notify_one();
    }

    /// Waits a little when the disk is far behind. No shard is held.
    pub fn hold_back(&self) {
        while self.waiting() > WAITING_MAX && self.trouble.lock().is_none() {
            self.ring();
            let mut bell = self.bell.lock();
            self.drained.wait_for(&mut bell, WAIT);
        }
    }

    /// Whether the stream is still to reach the increment that a rewrite has begun, and will.
    pub fn is_switching(&self) -> bool {
        self.is_switching.load(Ordering::SeqCst) && self.trouble.lock().is_none()
    }

    /// Why the log takes nothing at present, as the system says it.
    pub fn trouble(&self) -> Option<String> {
        self.trouble.lock().as_ref().map(|trouble| trouble.text.clone())
    }
}

/// Notes that the log takes nothing, or that it does again; false when it cannot be that it does.
fn put_trouble(server: &Server, trouble: Option<Trouble>) -> bool {
    let mut present = server.aof.trouble.lock();
    if present.as_ref().is_some_and(|present| present.is_final) && trouble.is_none() {
        return false;
    }
    server.put_state(State::LOG_FAILS, trouble.is_some());
    *present = trouble;
    true
}

/// The log is whole again: other files have taken the place of those that failed.
fn heal(server: &Server) {
    *server.aof.trouble.lock() = None;
    server.put_state(State::LOG_FAILS, false);
}
