//! What a snapshot is made of: keys spelled by several threads at once, and one output that takes
//! what they have spelled, piece by piece.
//!
//! It knows no format, no thread and no queue. Invariant: the pieces that one [`Sheet`] hands over
//! from one that is not whole up to the next that is belong together; nothing comes between.

use std::io;

use keyspace::Entry;

use crate::rdb::Out;

#[cfg(test)]
mod tests;

/// Bytes of a piece at most.
const PIECE: usize = 256 << 10;
/// From so many bytes on a piece is handed over when a key ends.
const PIECE_ENOUGH: usize = 64 << 10;

/// Takes a piece, and whether it is whole: what follows need not come from the same sheet.
pub type HandOver = Box<dyn FnMut(Vec<u8>, bool) + Send>;

/// Spells keys. Each worker has one.
pub trait Spell: Send {
    /// Adds a key with its value.
    fn key(&mut self, db: u32, entry: &Entry);
    /// Hands over what there is.
    fn flush(&mut self);
}

/// Where the pieces go, in one thread.
pub trait Sink: Send {
    /// Takes a piece.
    fn put(&mut self, piece: &[u8]);
    /// Whether something went wrong already, so that more pieces would be in vain.
    fn has_failed(&self) -> bool;
    /// Completes what was written. Without this call, nothing of it stays.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// What a [`Spell`] writes on: large values leave it in several pieces.
pub struct Sheet {
    bytes: Vec<u8>,
    /// Whether the last piece was not whole.
    is_open: bool,
    hand_over: HandOver,
}

impl Sheet {
    /// An empty sheet.
    pub fn new(hand_over: HandOver) -> Self {
        Self { bytes: Vec::new(), is_open: false, hand_over }
    }

    /// Notes that whatever was put belongs together and has ended. Whether it was handed over.
    pub fn end_part(&mut self) -> bool {
        let enough = self.is_open || self.bytes.len() >= PIECE_ENOUGH;
        if enough {
            self.hand_over_all();
        }
        enough
    }

    /// Hands everything over; parts have ended.
    pub fn hand_over_all(&mut self) {
        if self.is_open || !self.bytes.is_empty() {
            self.hand(true);
        }
    }

    fn hand(&mut self, is_whole: bool) {
        self.is_open = !is_whole;
        (self.hand_over)(std::mem::take(&mut self.bytes), is_whole);
    }
}

impl Out for Sheet {
    fn put(&mut self, bytes: &[u8]) {
        if self.bytes.len() + bytes.len() <= self.bytes.capacity() {
            return self.bytes.extend_from_slice(bytes);
        }
        for part in bytes.chunks(PIECE) {
            if self.bytes.len() + part.len() > PIECE {
                self.hand(false);
            }
            if self.bytes.capacity() == 0 {
                self.bytes.reserve_exact(PIECE);
            }
            self.bytes.extend_from_slice(part);
        }
    }
}
