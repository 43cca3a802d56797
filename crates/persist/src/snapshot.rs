//! What a snapshot is made of: keys spelled by several threads at once, and one output that takes
//! what they have spelled, piece by piece.
//!
//! It knows no format, no thread and no queue. Invariant: the pieces that one [`Sheet`] hands over
//! from one that is not whole up to the next that is belong together; nothing comes between.

use std::io;

use keyspace::Entry;

use crate::rdb::Out;

pub(crate) mod portion;
#[cfg(test)]
pub(crate) mod tests;

pub use portion::{Place, claim_id, is_large};

/// Bytes of a piece at most.
const PIECE: usize = 256 << 10;
/// From so many bytes on a piece is handed over when a key ends.
const PIECE_ENOUGH: usize = 64 << 10;

/// Takes a piece, and whether it is whole: what follows need not come from the same sheet. Gives
/// back what the next one is written to: empty, with or without room.
pub type HandOver = Box<dyn FnMut(Vec<u8>, bool) -> Vec<u8> + Send>;

/// From so many bytes on a bit of a large value ends.
const BIT: u64 = 8 << 10;

/// Spells keys. Each worker has one, and another one for large values.
pub trait Spell: Send {
    /// Adds a key with its value.
    fn key(&mut self, db: u32, entry: &Entry) {
        self.rest(db, entry, &mut Place::of(entry));
    }
    /// Adds all of a key with its value of which nothing is there yet: what the place says of it.
    fn rest(&mut self, db: u32, entry: &Entry, place: &mut Place);
    /// Adds a bit of a key with its value from a place on, which is some ten microseconds' work;
    /// whether that was the last of it. Until then every call is for the same place. The key must
    /// not change, unless it is claimed for the place.
    fn bit(&mut self, db: u32, entry: &Entry, place: &mut Place) -> bool;
    /// Says whether somebody waits for what is added next: nothing is done then to make it small.
    fn hurry(&mut self, _in_haste: bool) {}
    /// Hands over what there is.
    fn flush(&mut self);
}

/// Where the pieces go, in one thread.
pub trait Sink: Send {
    /// Takes a piece.
    fn put(&mut self, piece: &[u8]);
    /// Lets the disk get on with what was put, by a bit of work; whether there was any to do.
    fn forward(&mut self) -> bool;
    /// Whether something went wrong already, so that more pieces would be in vain.
    fn has_failed(&self) -> bool;
    /// Completes what was written. Without this call, nothing of it stays.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// What a [`Spell`] writes on: large values leave it in several pieces.
pub struct Sheet {
    bytes: Vec<u8>,
    /// Bytes that were ever put.
    total: u64,
    /// Whether the last piece was not whole.
    is_open: bool,
    hand_over: HandOver,
}

impl Sheet {
    /// An empty sheet.
    pub fn new(hand_over: HandOver) -> Self {
        Self { bytes: Vec::new(), total: 0, is_open: false, hand_over }
    }

    /// Notes that whatever was put belongs together and has ended. Whether it was handed over.
    pub fn end_part(&mut self) -> bool {
        let enough = self.is_open || self.bytes.len() >= PIECE_ENOUGH;
        if enough {
            self.hand_over_all();
        }
        enough
    }

    /// Puts portions until one of them is the last, or they are enough for a bit; whether the last
    /// one was put. `sheet` finds the sheet of who puts them.
    pub(crate) fn bit<S>(
        spell: &mut S,
        sheet: impl Fn(&S) -> &Self,
        mut portion: impl FnMut(&mut S) -> bool,
    ) -> bool {
        let mut total = sheet(spell).total;
        let end = total + BIT;
        loop {
            let is_last = portion(spell);
            let before = std::mem::replace(&mut total, sheet(spell).total);
            // One that puts nothing was work of another kind.
            if is_last || total >= end || total == before {
                return is_last;
            }
        }
    }

    /// Hands everything over; parts have ended.
    pub fn hand_over_all(&mut self) {
        if self.is_open || !self.bytes.is_empty() {
            self.hand(true);
        }
    }

    fn hand(&mut self, is_whole: bool) {
        self.is_open = !is_whole;
        self.bytes = (self.hand_over)(std::mem::take(&mut self.bytes), is_whole);
    }
}

impl Out for Sheet {
    fn put(&mut self, bytes: &[u8]) {
        self.total += bytes.len() as u64;
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
