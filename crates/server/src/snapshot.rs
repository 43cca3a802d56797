//! Snapshots under way: the data set of one moment, written while clients go on.
//!
//! It moves entries from the shards into a [`Sink`], whatever the bytes mean and wherever they go;
//! when to begin one, and what its end means, is decided by who gives the order. Workers walk
//! over their lanes of the shards and spell what they meet; a thread of the snapshot's own takes
//! the pieces and writes them. Invariants: one snapshot at a time; what `at_epoch` does and the
//! beginning of the epoch happen at one moment, with every shard held.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crossbeam_utils::CachePadded;
use keyspace::{Entry, Held, Origin, Recorder, Totals};
use parking_lot::Mutex;
use persist::snapshot::{HandOver, Place, Sink, Spell, claim_id, is_large};
use rustix::time::{ClockId, clock_gettime};
use spec::config::Id;

use crate::local::Local;
use crate::mailbox::Message;
use crate::server::Server;
use crate::standby;

mod queue;

use queue::Queue;

/// How long a worker walks in one turn at least and at most.
const SLICE_MIN: Duration = Duration::from_micros(15);
const SLICE_MAX: Duration = Duration::from_micros(100);
/// What part of the time that clients have taken of a turn the walk takes.
const SLICE_SHARE: u32 = 5;

/// Bytes that the writing thread sums up, and maybe writes, before it lets others have the core.
const WRITE: usize = 64 << 10;
/// How long it pauses behind them at least while clients are served.
const PAUSE: Duration = Duration::from_micros(40);
/// How long while no piece waits: so many times what the bit took, so that there is time for a turn
/// of a worker between two bits. The more pieces wait, the shorter it is.
const PAUSE_SHARE: f32 = 6.0;
const PAUSE_MAX: Duration = Duration::from_micros(600);
/// So long a worker counts as serving clients behind a turn in which it did. Whoever keeps the core
/// from it would otherwise not learn that it has to do again.
const SERVES: Duration = Duration::from_millis(5);

/// What a snapshot is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// The data set's file.
    Save,
    /// The base of a log.
    Rewrite,
}

/// What form a snapshot gets, and where it goes.
pub trait Form: Send {
    /// Opens the output and writes what stands before the keys. `totals` says by database how
    /// much there is.
    fn open(&mut self, server: &Server, totals: &[Totals]) -> io::Result<Box<dyn Sink>>;
    /// What spells keys in this form; it is asked for once a lane, after [`Self::open`].
    fn spell(&self, hand_over: HandOver) -> Box<dyn Spell>;
}

/// Why a snapshot did not come to its end.
#[derive(Debug)]
pub enum Failure {
    /// It was given up.
    Cancelled,
    /// Writing it went wrong.
    Io(io::Error),
}

/// Called once, on worker 0 with no shard held, when a snapshot has ended.
pub type OnEnd = Box<dyn FnOnce(&Server, Result<(), Failure>) + Send>;

/// A snapshot that is to be taken.
pub struct Order {
    /// What for.
    pub purpose: Purpose,
    /// In what form.
    pub form: Box<dyn Form>,
    /// What its end means.
    pub on_end: OnEnd,
}

/// The snapshot under way, if there is one.
#[derive(Default)]
pub struct Snapshots {
    current: Mutex<Option<Current>>,
    /// Whether `current` is there.
    is_active: AtomicBool,
    /// A bit for each lane that is not at its end.
    lanes: AtomicU64,
    /// Bytes of pieces that wait to be written.
    waiting: Arc<AtomicU64>,
}

struct Current {
    run: Arc<Run>,
    purpose: Purpose,
    on_end: OnEnd,
    writer: JoinHandle<io::Result<()>>,
}

/// How far the snapshot under way is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Progress {
    /// What it is for.
    pub purpose: Purpose,
    /// Keys it has at all.
    pub total: u64,
    /// Keys that were spelled.
    pub done: u64,
    /// Since when it goes on.
    pub began: Instant,
}

/// What a worker's walk came to in one turn.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pace {
    /// There is nothing to do.
    Idle,
    /// The disk, or a delay that is asked for, is to be waited for.
    Waits,
    /// There is more to do.
    Goes,
}

/// What workers and the writing thread share.
struct Run {
    lanes: Box<[CachePadded<Lane>]>,
    queue: Arc<Queue>,
    is_over: AtomicBool,
    total: u64,
    began: Instant,
    /// Microseconds that each key is to take, for tests; negative: keys a microsecond.
    delay_us: i64,
}

struct Lane {
    pen: Mutex<Pen>,
    done: AtomicU64,
    /// Microseconds of the last slice.
    slice_us: AtomicU32,
    /// Until when the worker counts as serving clients, in microseconds of the run.
    serves_until_us: AtomicU64,
}

/// What spells the keys of a lane.
struct Pen {
    spell: Box<dyn Spell>,
    /// What spells its large values, bit by bit, on pieces of their own: between the bits others
    /// are spelled that are about to change.
    large: Box<dyn Spell>,
    /// The entry of which a bit was spelled, and not all yet.
    begun: Option<Half>,
    /// How far entries are that were claimed before a bit of them was spelled, by their claims.
    claimed: HashMap<usize, Place>,
}

/// An entry of which a bit was spelled. It stays where it is until it is claimed.
struct Half {
    identity: usize,
    place: Place,
}

impl Snapshots {
    /// Whether one is under way.
    pub fn is_active(&self) -> bool {
        self.is_active.load(Ordering::SeqCst)
    }

    /// What the one under way is for.
    pub fn purpose(&self) -> Option<Purpose> {
        self.current.lock().as_ref().map(|current| current.purpose)
    }

    /// How far it is.
    pub fn progress(&self) -> Option<Progress> {
        let current = self.current.lock();
        let Current { run, purpose, .. } = current.as_ref()?;
        let (purpose, total, began) = (*purpose, run.total, run.began);
        Some(Progress { purpose, total, done: run.done(), began })
    }

    /// Bytes in memory that wait to be written.
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// Gives the one under way up, if it is for this; whether it was. Its end comes soon.
    pub fn cancel(&self, purpose: Purpose) -> bool {
        let current = self.current.lock();
        let run = current.as_ref().filter(|current| current.purpose == purpose);
        run.inspect(|current| current.run.give_up()).is_some()
    }

    /// Gives whatever is under way up, and waits until nothing of it is left.
    pub fn end_all(&self, server: &Server) {
        if let Some(current) = self.current.lock().as_ref() {
            current.run.give_up();
        }
        self.settle(server, true);
    }

    /// Looks whether the one under way has ended; frequent work of one worker.
    pub fn tick(&self, server: &Server) {
        if self.is_active() {
            self.settle(server, false);
        }
    }

    fn settle(&self, server: &Server, waits: bool) {
        // A rewrite has come to its end when the log goes on in its increment.
        let is_at_end = |current: &mut Current| {
            waits || current.writer.is_finished() && !server.aof.is_switching()
        };
        let Some(ended) = self.current.lock().take_if(is_at_end) else { return };
        let written = ended.writer.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()));
        // When writing has failed, the walk is still to learn that nobody wants the rest.
        ended.run.is_over.store(true, Ordering::SeqCst);
        let result = match written {
            // A log that is not wanted any more is not, even if it is whole by now.
            Ok(()) if ended.purpose == Purpose::Rewrite && ended.run.queue.is_given_up() => {
                Err(Failure::Cancelled)
            }
            Ok(()) => Ok(()),
            Err(_) if ended.run.queue.is_given_up() => Err(Failure::Cancelled),
            Err(error) => Err(Failure::Io(error)),
        };
        self.is_active.store(false, Ordering::SeqCst);
        (ended.on_end)(server, result);
    }
}

/// Begins a snapshot of this moment. `at_epoch` is called at this very moment, unless the output
/// cannot be opened; when it fails there is no snapshot.
///
/// # Panics
/// When not every shard is held, or a snapshot is under way.
pub fn begin(
    server: &Server,
    held: &mut Held<'_>,
    order: Order,
    at_epoch: impl FnOnce() -> io::Result<()>,
) -> io::Result<()> {
    let Order { purpose, mut form, on_end } = order;
    let snapshots = &server.persistence.snapshots;
    assert!(!snapshots.is_active(), "there is one snapshot at a time");
    let began = Instant::now();
    let lanes = server.workers.len();
    let (run, writer) = Run::start(server, held, &mut *form, lanes)?;
    if let Err(error) = at_epoch() {
        run.give_up();
        // The draft is gone when the thread is; that it was given up is known.
        writer.join().ok();
        return Err(error);
    }
    let recorder: Arc<dyn Recorder> = Arc::<Run>::clone(&run);
    for left in server.keyspace.begin_epoch(held, &recorder) {
        server.background.free(left);
    }
    snapshots.lanes.store(u64::MAX >> (64 - lanes), Ordering::SeqCst);
    *snapshots.current.lock() = Some(Current { run, purpose, on_end, writer });
    snapshots.is_active.store(true, Ordering::SeqCst);
    server.tell_all(|| Message::Look);
    server.latency.note("snapshot", began.elapsed());
    Ok(())
}

/// Writes the data set while the caller holds every shard; a snapshot under way goes on.
pub fn write_all(server: &Server, held: &mut Held<'_>, form: &mut dyn Form) -> io::Result<()> {
    let (run, writer) = Run::start(server, held, form, 1)?;
    let delay = Duration::from_micros(run.delay_us.max(0) as u64);
    'all: for db in 0..server.keyspace.databases() {
        let origin = Origin { shard: 0, db };
        for shard in 0..held.count() {
            let Some(part) = held.shard(shard).look(db) else { continue };
            for entry in part.table().iter() {
                run.spell(origin, &entry, false);
                if !delay.is_zero() {
                    thread::sleep(delay);
                }
                if run.is_over() {
                    break 'all;
                }
            }
        }
    }
    run.lanes[0].pen.lock().spell.flush();
    run.queue.close();
    writer.join().unwrap_or_else(|_| Err(io::ErrorKind::Other.into()))
}

/// Walks on over a worker's lane for a slice of time. `served` is what clients have taken of this
/// turn, nothing when none was there.
pub fn walk(server: &Server, local: &mut Local, served: Option<Duration>) -> Pace {
    let worker = local.id;
    let snapshots = &server.persistence.snapshots;
    let bit = 1 << worker;
    if snapshots.lanes.load(Ordering::Relaxed) & bit == 0 {
        return Pace::Idle;
    }
    // Who begins a snapshot is alone: what is seen behind the gate is this lane's.
    let gate = standby::enter(server, local);
    let run = snapshots.current.lock().as_ref().map(|current| Arc::clone(&current.run));
    if let Some(run) = run.as_deref().filter(|_| served.is_some()) {
        let until = run.began.elapsed() + SERVES;
        run.lanes[worker].serves_until_us.store(until.as_micros() as u64, Ordering::Relaxed);
    }
    let may_go = |run: &Run| run.is_over() || run.queue.has_room(worker) && run.is_in_time();
    if run.as_deref().is_some_and(|run| !may_go(run)) {
        return Pace::Waits;
    }
    let slice = run.as_deref().map_or(SLICE_MAX, |run| run.slice(worker, served));
    let began = Instant::now();
    let is_done = server.keyspace.walk(worker as u32, &mut |_| {
        let is_wanted = gate.is_some() && server.keyspace.gate().is_wanted();
        !is_wanted && began.elapsed() < slice && run.as_deref().is_none_or(may_go)
    });
    if !is_done {
        return Pace::Goes;
    }
    let Some(run) = run else {
        snapshots.lanes.fetch_and(!bit, Ordering::SeqCst);
        return Pace::Idle;
    };
    if !run.is_over() {
        let mut pen = run.lanes[worker].pen.lock();
        pen.spell.flush();
        // All was met: nothing is left half spelled, or another value came in its place unseen.
        if pen.begun.is_some() || !pen.claimed.is_empty() {
            run.queue.fail();
        }
    }
    if run.is_serving(worker) {
        // Nobody asks any more, and what is left to write is not much.
        run.lanes[worker].serves_until_us.store(u64::MAX, Ordering::Relaxed);
    }
    if snapshots.lanes.fetch_and(!bit, Ordering::SeqCst) == bit {
        run.queue.close();
    }
    Pace::Idle
}

impl Run {
    /// Opens the output and starts the thread that writes to it.
    fn start(
        server: &Server,
        held: &mut Held<'_>,
        form: &mut dyn Form,
        lanes: usize,
    ) -> io::Result<(Arc<Self>, JoinHandle<io::Result<()>>)> {
        let totals = totals(held, server.keyspace.databases());
        let sink = form.open(server, &totals)?;
        let queue = Arc::new(Queue::new(lanes, Arc::clone(&server.persistence.snapshots.waiting)));
        let lane = |number: usize| {
            let spell = |large| {
                let to = Arc::clone(&queue);
                let hand_over = move |piece, is_whole| to.put(number, large, piece, is_whole);
                form.spell(Box::new(hand_over))
            };
            let pen = Pen {
                spell: spell(false),
                large: spell(true),
                begun: None,
                claimed: HashMap::new(),
            };
            CachePadded::new(Lane {
                pen: Mutex::new(pen),
                done: AtomicU64::new(0),
                slice_us: AtomicU32::new(0),
                serves_until_us: AtomicU64::new(0),
            })
        };
        let lanes = (0..lanes).map(lane).collect();
        let run = Arc::new(Self {
            lanes,
            queue,
            is_over: AtomicBool::new(false),
            total: totals.iter().map(|totals| totals.keys).sum(),
            began: Instant::now(),
            delay_us: server.config.lock().int(Id::RdbKeySaveDelay),
        });
        let (name, of) = ("snapshot".to_owned(), Arc::clone(&run));
        let writer = thread::Builder::new().name(name).spawn(move || of.write(sink))?;
        Ok((run, writer))
    }

    /// The writing thread. It works in small bits, and pauses behind each while clients are served:
    /// a thread that always has something to do keeps a core from a worker for milliseconds.
    fn write(&self, mut sink: Box<dyn Sink>) -> io::Result<()> {
        while let Some(piece) = self.queue.take() {
            for bit in piece.chunks(WRITE) {
                let mut began = core_time();
                sink.put(bit);
                self.rest(began);
                began = core_time();
                while sink.forward() {
                    self.rest(began);
                    began = core_time();
                }
            }
            self.queue.give_back(piece);
            if sink.has_failed() {
                self.queue.fail();
                break;
            }
        }
        if self.queue.is_given_up() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        if self.queue.has_failed() && !sink.has_failed() {
            return Err(io::Error::other("a value was not spelled as it was"));
        }
        sink.finish()
    }

    /// Pauses behind a bit of work while clients are served.
    fn rest(&self, began: Duration) {
        let took = core_time().saturating_sub(began);
        let is_serving = (0..self.lanes.len()).all(|worker| self.is_serving(worker));
        if !is_serving || self.queue.is_pressed() {
            return;
        }
        let wanted = took.mul_f32(PAUSE_SHARE * self.queue.calm());
        thread::sleep(wanted.clamp(PAUSE, PAUSE_MAX));
    }

    fn lane(&self, origin: Origin) -> (usize, &Lane) {
        let number = origin.shard as usize % self.lanes.len();
        (number, &self.lanes[number])
    }

    /// Spells an entry, or what is left of it; in haste when a client waits for that.
    fn spell(&self, origin: Origin, entry: &Entry, in_haste: bool) {
        if self.is_over() {
            return;
        }
        let (number, lane) = self.lane(origin);
        let mut pen = lane.pen.lock();
        let Pen { spell, large, begun, claimed } = &mut *pen;
        if let Some(half) = begun.as_mut().filter(|half| half.is_of(entry)) {
            large.hurry(in_haste);
            while !large.bit(origin.db, entry, &mut half.place) {}
            large.hurry(false);
            self.end_value(number, &mut pen);
        } else {
            let mut place = place_of(claimed, entry);
            spell.hurry(in_haste);
            spell.rest(origin.db, entry, &mut place);
            spell.hurry(false);
            self.check(&place);
        }
        lane.count();
    }

    /// A value that was spelled bit by bit is whole.
    fn end_value(&self, lane: usize, pen: &mut Pen) {
        pen.large.flush();
        if let Some(half) = pen.begun.take() {
            self.check(&half.place);
        }
        self.queue.set_begun(lane, false);
    }

    /// Fails when a value was not spelled as it was, rather than write a file that cannot be read.
    fn check(&self, place: &Place) {
        if !place.is_sound() {
            self.queue.fail();
        }
    }

    /// How long a worker's walk may go on in a turn of which clients have taken so much. Without
    /// clients slices grow: one that comes in the middle of the first ones waits less. When pieces
    /// wait for the end of a value that is begun, that comes first.
    fn slice(&self, worker: usize, served: Option<Duration>) -> Duration {
        let lane = &self.lanes[worker];
        let last = Duration::from_micros(lane.slice_us.load(Ordering::Relaxed).into());
        let wanted = match served {
            Some(_) if !self.queue.is_far_from_full() => SLICE_MAX,
            Some(served) => served / SLICE_SHARE,
            None => 2 * last,
        };
        let slice = wanted.clamp(SLICE_MIN, SLICE_MAX);
        lane.slice_us.store(slice.as_micros() as u32, Ordering::Relaxed);
        slice
    }

    /// Whether a worker serves clients, or did a moment ago.
    fn is_serving(&self, worker: usize) -> bool {
        let until_us = self.lanes[worker].serves_until_us.load(Ordering::Relaxed);
        self.began.elapsed().as_micros() < until_us.into()
    }

    fn give_up(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        self.queue.give_up();
    }

    fn done(&self) -> u64 {
        self.lanes.iter().map(|lane| lane.done.load(Ordering::Relaxed)).sum()
    }

    /// Whether the delay that is asked for lets it go on.
    fn is_in_time(&self) -> bool {
        if self.delay_us == 0 {
            return true;
        }
        let elapsed_us = self.began.elapsed().as_micros() as u64;
        let due = match u64::try_from(self.delay_us) {
            Ok(delay_us) => elapsed_us / delay_us,
            Err(_) => elapsed_us.saturating_mul(self.delay_us.unsigned_abs()),
        };
        self.done() < due
    }
}

impl Half {
    fn is_of(&self, entry: &Entry) -> bool {
        match self.place.claim_id() {
            Some(id) => claim_id(entry) == Some(id),
            None => self.identity == entry.identity(),
        }
    }
}

/// Which of some claims an entry's is.
fn claim_of(claimed: &HashMap<usize, Place>, entry: &Entry) -> Option<usize> {
    claim_id(entry).filter(|id| claimed.contains_key(id))
}

/// Where an entry is spelled from of which nothing is there yet.
fn place_of(claimed: &mut HashMap<usize, Place>, entry: &Entry) -> Place {
    let place = claim_id(entry).and_then(|id| claimed.remove(&id));
    place.unwrap_or_else(|| Place::of(entry))
}

impl Lane {
    /// Counts a key; the caller has the pen's lock, so nobody else writes it.
    fn count(&self) {
        self.done.store(self.done.load(Ordering::Relaxed) + 1, Ordering::Relaxed);
    }
}

impl Recorder for Run {
    fn record(&self, origin: Origin, entry: &Entry) {
        self.spell(origin, entry, true);
    }

    fn record_bit(&self, origin: Origin, entry: &mut Entry) -> bool {
        if self.is_over() {
            return true;
        }
        let (number, lane) = self.lane(origin);
        let mut pen = lane.pen.lock();
        let Pen { spell, large, begun, claimed } = &mut *pen;
        let is_begun = begun.as_ref().is_some_and(|half| half.is_of(entry));
        let is_large = || claim_of(claimed, entry).is_some() || is_large(entry);
        // After SWAPDB the walk may meet another large one while one is begun.
        if !is_begun && (begun.is_some() || !is_large()) {
            let mut place = place_of(claimed, entry);
            spell.rest(origin.db, entry, &mut place);
            self.check(&place);
        } else {
            let half = begun.get_or_insert_with(|| {
                self.queue.set_begun(number, true);
                Half { identity: entry.identity(), place: place_of(claimed, entry) }
            });
            if !large.bit(origin.db, entry, &mut half.place) {
                half.place.tell(entry);
                return false;
            }
            self.end_value(number, &mut pen);
        }
        lane.count();
        true
    }

    fn keep(&self, origin: Origin, entry: &mut Entry) -> bool {
        // What is begun is large, or was when it was claimed.
        if self.is_over() || claim_id(entry).is_none() && !is_large(entry) {
            return false;
        }
        let mut pen = self.lane(origin).1.pen.lock();
        let Pen { begun, claimed, .. } = &mut *pen;
        if let Some(half) = begun.as_mut().filter(|half| half.is_of(entry)) {
            return half.place.claim_id().is_some() || half.place.claim(entry);
        }
        if claim_of(claimed, entry).is_some() {
            return true;
        }
        let mut place = Place::of(entry);
        let is_kept = is_large(entry) && place.claim(entry);
        if let Some(id) = place.claim_id() {
            claimed.insert(id, place);
        }
        is_kept
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed) || self.queue.has_failed()
    }
}

/// What this thread has had of a core.
fn core_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec as u64, time.tv_nsec as u32)
}

/// What each database holds; every shard is held.
fn totals(held: &mut Held<'_>, databases: u32) -> Vec<Totals> {
    let mut all = vec![Totals::default(); databases as usize];
    for shard in 0..held.count() {
        for (db, part) in held.shard(shard).dbs() {
            let totals = &mut all[db as usize];
            totals.keys += part.table().len() as u64;
            totals.expires += part.expires() as u64;
            totals.volatile += part.volatile() as u64;
        }
    }
    all
}
