//! Pieces on their way from the workers to the thread that writes them: a queue a lane, bounded in
//! bytes.
//!
//! Each lane has two tracks, one of them for values that are spelled bit by bit. Pieces of one
//! track stay in order, and after one that is not whole only that track's pieces are taken until
//! one is. Since every track has a bound of its own, one that the writer waits for can always go
//! on, as long as nobody who is to go on with it waits for another: so while a value is begun, only
//! the walk heeds the bounds.

use std::collections::VecDeque;
use std::mem;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;
use parking_lot::{Condvar, Mutex};

#[cfg(test)]
mod tests;

/// Bytes that wait in all lanes at most.
const BYTES_MAX: usize = 32 << 20;
/// Bytes of a lane that are always allowed.
const LANE_BYTES_MIN: usize = 4 << 20;

/// Written pieces that are kept for new ones: memory that is given back and taken again all the
/// time costs the workers page faults, and whoever gives it back to the system milliseconds.
const SPARES: usize = 16;

/// What part of its bound a lane may reach while it can wait: the rest is for those who cannot.
const ROOM_SHARE: usize = 4;
/// What part of its bound a track may reach before pieces are taken without a pause.
const PRESSED_SHARE: usize = 2;

const GIVEN_UP: u8 = 1;
const FAILED: u8 = 2;

/// See the module's text.
pub struct Queue {
    waiting: Mutex<Waiting>,
    /// Something was put, or the end has come.
    put: Condvar,
    /// Something was taken, or the end has come.
    taken: Condvar,
    /// Bytes that wait, by track.
    bytes: Box<[CachePadded<AtomicUsize>]>,
    /// Whether a value of a lane is begun and not whole, and how many such lanes there are.
    is_begun: Box<[AtomicBool]>,
    begun: AtomicUsize,
    lane_max: usize,
    fate: AtomicU8,
    held: Arc<AtomicU64>,
}

/// Bytes, and whether what follows need not come from the same lane.
type Piece = (Vec<u8>, bool);

struct Waiting {
    /// Those of a lane follow each other.
    tracks: Box<[VecDeque<Piece>]>,
    /// The track whose last piece was not whole.
    open: Option<usize>,
    next: usize,
    is_closed: bool,
    /// Empty, with room.
    spares: Vec<Vec<u8>>,
}

impl Queue {
    /// An empty queue. The bytes that pieces take are added to `held` while they are here.
    pub fn new(lanes: usize, held: Arc<AtomicU64>) -> Self {
        let waiting = Waiting {
            tracks: (0..2 * lanes).map(|_| VecDeque::new()).collect(),
            open: None,
            next: 0,
            is_closed: false,
            spares: Vec::new(),
        };
        Self {
            waiting: Mutex::new(waiting),
            put: Condvar::new(),
            taken: Condvar::new(),
            bytes: (0..2 * lanes).map(|_| CachePadded::new(AtomicUsize::new(0))).collect(),
            is_begun: (0..lanes).map(|_| AtomicBool::new(false)).collect(),
            begun: AtomicUsize::new(0),
            lane_max: (BYTES_MAX / lanes).max(LANE_BYTES_MIN),
            fate: AtomicU8::new(0),
            held,
        }
    }

    /// Whether a lane is far from its bounds: who can wait does so before they are reached. Who
    /// goes on with a value that is begun heeds that track alone, because the writer may wait for
    /// what comes on it.
    pub fn has_room(&self, lane: usize) -> bool {
        let [others, bits] = self.are_far(lane);
        bits && (others || self.is_begun[lane].load(Ordering::Relaxed))
    }

    /// Whether every lane is so far from its bounds that the walk may go slowly.
    pub fn is_far_from_full(&self) -> bool {
        (0..self.is_begun.len()).all(|lane| self.are_far(lane) == [true; 2])
    }

    /// How far the fullest track is from where the walk waits: one when nothing waits, and zero
    /// there.
    pub fn calm(&self) -> f32 {
        let fullest = self.bytes.iter().map(|bytes| bytes.load(Ordering::Relaxed)).max();
        let far = (self.lane_max / ROOM_SHARE) as f32;
        (1.0 - fullest.unwrap_or(0) as f32 / far).max(0.0)
    }

    /// Whether some track is so near its bound that pieces have to be taken as fast as can be: more
    /// comes of those who cannot wait than is taken.
    pub fn is_pressed(&self) -> bool {
        self.bytes.iter().any(|bytes| bytes.load(Ordering::Relaxed) > self.lane_max / PRESSED_SHARE)
    }

    fn are_far(&self, lane: usize) -> [bool; 2] {
        let far = self.lane_max / ROOM_SHARE;
        [0, 1].map(|track| self.bytes[2 * lane + track].load(Ordering::Relaxed) < far)
    }

    /// Says that a value of a lane is begun, or whole. While one is begun nobody waits in
    /// [`Self::put`]: whoever is to go on with it may wait for him.
    pub fn set_begun(&self, lane: usize, is_begun: bool) {
        let _waiting = self.waiting.lock();
        self.is_begun[lane].store(is_begun, Ordering::Relaxed);
        if is_begun {
            self.begun.fetch_add(1, Ordering::Relaxed);
            self.taken.notify_all();
        } else {
            self.begun.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Adds a piece of a value that is spelled bit by bit, or of others. Waits while its track is
    /// at its bound. Gives back an empty one for the next.
    pub fn put(&self, lane: usize, is_bit: bool, piece: Vec<u8>, is_whole: bool) -> Vec<u8> {
        let track = 2 * lane + usize::from(is_bit);
        let is_full = || {
            self.bytes[track].load(Ordering::Relaxed) >= self.lane_max
                && self.begun.load(Ordering::Relaxed) == 0
        };
        let mut waiting = self.waiting.lock();
        while is_full() && self.is_on() {
            self.taken.wait(&mut waiting);
        }
        if self.is_on() {
            self.bytes[track].fetch_add(piece.len(), Ordering::Relaxed);
            self.held.fetch_add(piece.capacity() as u64, Ordering::Relaxed);
            waiting.tracks[track].push_back((piece, is_whole));
            self.put.notify_one();
        }
        let spare = waiting.spares.pop().unwrap_or_default();
        self.held.fetch_sub(spare.capacity() as u64, Ordering::Relaxed);
        spare
    }

    /// Takes a piece back that was written.
    pub fn give_back(&self, mut piece: Vec<u8>) {
        let mut waiting = self.waiting.lock();
        if waiting.spares.len() < SPARES && !waiting.is_closed && self.is_on() {
            piece.clear();
            self.held.fetch_add(piece.capacity() as u64, Ordering::Relaxed);
            waiting.spares.push(piece);
        }
    }

    /// The next piece, once there is one; `None` at the end.
    pub fn take(&self) -> Option<Vec<u8>> {
        let mut waiting = self.waiting.lock();
        loop {
            if !self.is_on() {
                return None;
            }
            if let Some((track, piece)) = waiting.take() {
                self.bytes[track].fetch_sub(piece.len(), Ordering::Relaxed);
                self.held.fetch_sub(piece.capacity() as u64, Ordering::Relaxed);
                self.taken.notify_all();
                return Some(piece);
            }
            if waiting.is_closed {
                return None;
            }
            self.put.wait(&mut waiting);
        }
    }

    /// Says that nothing more comes.
    pub fn close(&self) {
        let mut waiting = self.waiting.lock();
        waiting.is_closed = true;
        self.drop_all(mem::take(&mut waiting.spares));
        self.put.notify_all();
    }

    /// Says that nobody wants the pieces any more.
    pub fn give_up(&self) {
        self.end(GIVEN_UP);
    }

    /// Says that they cannot be written.
    pub fn fail(&self) {
        self.end(FAILED);
    }

    /// Whether it was given up.
    pub fn is_given_up(&self) -> bool {
        self.fate.load(Ordering::SeqCst) & GIVEN_UP != 0
    }

    /// Whether they cannot be written.
    pub fn has_failed(&self) -> bool {
        self.fate.load(Ordering::Relaxed) & FAILED != 0
    }

    fn is_on(&self) -> bool {
        self.fate.load(Ordering::SeqCst) == 0
    }

    fn end(&self, fate: u8) {
        let mut waiting = self.waiting.lock();
        self.fate.fetch_or(fate, Ordering::SeqCst);
        let tracks: Vec<_> = waiting.tracks.iter_mut().map(mem::take).collect();
        self.drop_all(tracks.into_iter().flatten().map(|(piece, _)| piece));
        self.drop_all(mem::take(&mut waiting.spares));
        self.put.notify_all();
        self.taken.notify_all();
    }
}

impl Queue {
    fn drop_all(&self, pieces: impl IntoIterator<Item = Vec<u8>>) {
        let bytes: usize = pieces.into_iter().map(|piece| piece.capacity()).sum();
        self.held.fetch_sub(bytes as u64, Ordering::Relaxed);
    }
}

impl Waiting {
    fn take(&mut self) -> Option<(usize, Vec<u8>)> {
        let count = self.tracks.len();
        let in_turn = (0..count).map(|step| (self.next + step) % count);
        let track = match self.open {
            Some(track) => Some(track),
            None => in_turn.into_iter().find(|track| !self.tracks[*track].is_empty()),
        }?;
        let (piece, is_whole) = self.tracks[track].pop_front()?;
        self.open = (!is_whole).then_some(track);
        self.next = (track + 1) % count;
        Some((track, piece))
    }
}
