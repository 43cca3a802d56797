//! Walking over entries from both ends.

use super::entry::{before, decode};
use super::{Element, HEADER, Position};

/// Entries with their positions.
#[derive(Clone)]
pub struct Iter<'a> {
    bytes: &'a [u8],
    front: usize,
    back: usize,
}

impl<'a> Iter<'a> {
    #[inline]
    pub(super) fn new(bytes: &'a [u8]) -> Iter<'a> {
        Iter { bytes, front: HEADER, back: bytes.len() - 1 }
    }

    #[inline]
    pub(super) fn between(bytes: &'a [u8], front: usize, back: usize) -> Iter<'a> {
        Iter { bytes, front, back }
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (Position, Element<'a>);

    #[inline]
    fn next(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        let at = self.front;
        let (element, size) = decode(self.bytes, at);
        self.front += size;
        Some((Position::new(at), element))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<Self::Item> {
        if self.front >= self.back {
            return None;
        }
        self.back = before(self.bytes, self.back);
        let (element, _) = decode(self.bytes, self.back);
        Some((Position::new(self.back), element))
    }
}

impl std::iter::FusedIterator for Iter<'_> {}
