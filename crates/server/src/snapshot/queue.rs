//! Pieces on their way from the workers to the thread that writes them: a queue a lane, bounded in
//! bytes.
//!
//! Pieces of one lane stay in order, and after one that is not whole only that lane's pieces are
//! taken until one is. Since every lane has a bound of its own, a lane that the writer waits for
//! can always go on.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;
use parking_lot::{Condvar, Mutex};

#[cfg(test)]
mod tests;

/// Bytes that wait in all lanes at most.
const BYTES_MAX: usize = 32 << 20;
/// Bytes of a lane that are always allowed.
const LANE_BYTES_MIN: usize = 4 << 20;

/// What part of its bound a lane may reach while it can wait: the rest is for those who cannot.
const ROOM_SHARE: usize = 4;

const GIVEN_UP: u8 = 1;
const FAILED: u8 = 2;

/// See the module's text.
pub struct Queue {
    waiting: Mutex<Waiting>,
    /// Something was put, or the end has come.
    put: Condvar,
    /// Something was taken, or the end has come.
    taken: Condvar,
    /// Bytes that wait, by lane.
    bytes: Box<[CachePadded<AtomicUsize>]>,
    lane_max: usize,
    fate: AtomicU8,
}

/// Bytes, and whether what follows need not come from the same lane.
type Piece = (Vec<u8>, bool);

struct Waiting {
    lanes: Box<[VecDeque<Piece>]>,
    /// The lane whose last piece was not whole.
    open: Option<usize>,
    next: usize,
    is_closed: bool,
}

impl Queue {
    /// An empty queue.
    pub fn new(lanes: usize) -> Self {
        let waiting = Waiting {
            lanes: (0..lanes).map(|_| VecDeque::new()).collect(),
            open: None,
            next: 0,
            is_closed: false,
        };
        Self {
            waiting: Mutex::new(waiting),
            put: Condvar::new(),
            taken: Condvar::new(),
            bytes: (0..lanes).map(|_| CachePadded::new(AtomicUsize::new(0))).collect(),
            lane_max: (BYTES_MAX / lanes).max(LANE_BYTES_MIN),
            fate: AtomicU8::new(0),
        }
    }

    /// Whether a lane is far from its bound: who can wait does so before it is reached.
    pub fn has_room(&self, lane: usize) -> bool {
        self.bytes[lane].load(Ordering::Relaxed) < self.lane_max / ROOM_SHARE
    }

    /// Whether every lane is so far from its bound that pieces may be taken slowly.
    pub fn is_far_from_full(&self) -> bool {
        (0..self.bytes.len()).all(|lane| self.has_room(lane))
    }

    /// Adds a piece; waits while its lane is at its bound.
    pub fn put(&self, lane: usize, piece: Vec<u8>, is_whole: bool) {
        let mut waiting = self.waiting.lock();
        while self.bytes[lane].load(Ordering::Relaxed) >= self.lane_max && self.is_on() {
            self.taken.wait(&mut waiting);
        }
        if self.is_on() {
            self.bytes[lane].fetch_add(piece.len(), Ordering::Relaxed);
            waiting.lanes[lane].push_back((piece, is_whole));
            self.put.notify_one();
        }
    }

    /// The next piece, once there is one; `None` at the end.
    pub fn take(&self) -> Option<Vec<u8>> {
        let mut waiting = self.waiting.lock();
        loop {
            if !self.is_on() {
                return None;
            }
            if let Some((lane, piece)) = waiting.take() {
                self.bytes[lane].fetch_sub(piece.len(), Ordering::Relaxed);
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
        self.waiting.lock().is_closed = true;
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
        waiting.lanes.iter_mut().for_each(VecDeque::clear);
        self.put.notify_all();
        self.taken.notify_all();
    }
}

impl Waiting {
    fn take(&mut self) -> Option<(usize, Vec<u8>)> {
        let count = self.lanes.len();
        let in_turn = (0..count).map(|step| (self.next + step) % count);
        let lane = match self.open {
            Some(lane) => Some(lane),
            None => in_turn.into_iter().find(|lane| !self.lanes[*lane].is_empty()),
        }?;
        let (piece, is_whole) = self.lanes[lane].pop_front()?;
        self.open = (!is_whole).then_some(lane);
        self.next = (lane + 1) % count;
        Some((lane, piece))
    }
}
