//! Finding a command's number by its name, in any case of letters.
//!
//! Nearly all names fit two words, their first and their last bytes, so that a comparison is that
//! of two words and a length, and no text is read. It knows numbers and nothing of rows.

use spec::command::Id;

/// Places of the index, several times as many as there are names.
const SIZE: usize = 2048;
/// The longest name that two words hold.
const SHORT_MAX: usize = 16;

/// Names and their numbers.
pub struct Names {
    /// Open addressing by [`Key::slot`]; a place without a name ends a probe.
    index: Box<[Place]>,
    all: Vec<(Box<[u8]>, Id)>,
}

#[derive(Clone, Copy)]
struct Place {
    key: Key,
    number: u16,
}

/// A name's ends in lower case, and its length: 0 for none.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Key {
    head: u64,
    tail: u64,
    len: u32,
}

impl Names {
    /// An index of names in lower case, none of them empty.
    pub fn new(all: Vec<(Box<[u8]>, Id)>) -> Self {
        assert!(all.len() < SIZE / 2, "a probe must come to an end");
        let empty = Place { key: Key { head: 0, tail: 0, len: 0 }, number: 0 };
        let mut index = vec![empty; SIZE].into_boxed_slice();
        for (number, (name, _)) in all.iter().enumerate() {
            let key = Key::of(name);
            let mut at = key.slot();
            while index[at].key.len != 0 {
                at = (at + 1) % SIZE;
            }
            index[at] = Place { key, number: number as u16 };
        }
        Self { index, all }
    }

    /// The number of the command of that name.
    #[inline]
    pub fn find(&self, name: &[u8]) -> Option<Id> {
        let key = Key::of(name);
        let mut at = key.slot();
        loop {
            let place = &self.index[at];
            if place.key.len == 0 {
                return None;
            }
            if place.key == key {
                let (known, id) = &self.all[usize::from(place.number)];
                if name.len() <= SHORT_MAX || known.eq_ignore_ascii_case(name) {
                    return Some(*id);
                }
            }
            at = (at + 1) % SIZE;
        }
    }

    /// All names with their numbers, in no particular order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&[u8], Id)> {
        self.all.iter().map(|(name, id)| (&**name, *id))
    }
}

impl Key {
    #[inline]
    fn of(name: &[u8]) -> Self {
        let (head, tail) = if let (Some(head), Some(tail)) =
            (name.first_chunk::<8>(), name.last_chunk::<8>())
        {
            (u64::from_le_bytes(*head), u64::from_le_bytes(*tail))
        } else if let (Some(head), Some(tail)) = (name.first_chunk::<4>(), name.last_chunk::<4>()) {
            (u64::from(u32::from_le_bytes(*head)), u64::from(u32::from_le_bytes(*tail)))
        } else {
            let at = |at: usize| name.get(at).map_or(0, |byte| u64::from(*byte));
            (at(0) | at(1) << 8 | at(2) << 16, 0)
        };
        Self { head: lowercase(head), tail: lowercase(tail), len: name.len() as u32 }
    }

    #[inline]
    fn slot(&self) -> usize {
        let mixed = self.head.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ self.tail.rotate_left(29).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
            ^ u64::from(self.len);
        (mixed.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40) as usize % SIZE
    }
}

/// Eight bytes with their ASCII letters in lower case. A byte's highest bit of each sum says
/// whether its lower seven bits reach a bound; no sum carries into the next byte.
#[inline]
fn lowercase(bytes: u64) -> u64 {
    const EACH: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x80 * EACH;
    let low = bytes & !HIGH;
    let from_a = low + (0x80 - u64::from(b'A')) * EACH;
    let above_z = low + (0x7f - u64::from(b'Z')) * EACH;
    let letters = from_a & !above_z & !bytes & HIGH;
    bytes | letters >> 2
}

#[cfg(test)]
mod tests;
