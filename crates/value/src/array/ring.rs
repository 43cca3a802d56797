//! Arrays as rings: so many places, written one after the other and then from the first one again.

use crate::compact::Element;
use crate::number::Text;

use super::Array;

impl Array {
    /// Where the next insert takes place, not looking at the size of a ring; `None` when the last
    /// one took the largest index.
    pub fn next_insert(&self) -> Option<u64> {
        match self.last_insert {
            None => Some(0),
            Some(index) if index >= super::INDEX_MAX => None,
            Some(index) => Some(index + 1),
        }
    }

    /// Inserts as the next one of a ring of so many places; gives the index.
    ///
    /// # Panics
    /// If there are no places.
    pub fn insert_in_ring(&mut self, places: u64, text: &[u8]) -> u64 {
        let index = self.last_insert.map_or(0, |index| index.wrapping_add(1)) % places;
        self.set(index, text);
        self.last_insert = Some(index);
        index
    }

    /// Prepares for a ring of so many places. What is kept when that is another number than before
    /// are the elements that were inserted last, up to the first gap, now from index 0 on:
    /// - when the ring becomes smaller;
    /// - when it becomes larger after it went round, for the next insert has to take a new place
    ///   and not that of the oldest element. It does not when the next insert was said to be at 0.
    pub fn resize_ring(&mut self, places: u64) {
        let span = self.len();
        let keeps = match self.last_insert {
            _ if span == 0 || places == span => return,
            _ if places < span => places,
            Some(index) if index.wrapping_add(1) < span => span,
            _ => return,
        };
        let newest = self.last_insert.map_or(span - 1, |index| index % span);
        let mut kept = 0;
        while kept < keeps && self.get(back(newest, kept, span)).is_some() {
            kept += 1;
        }
        let mut ring = Array::new();
        for index in 0..kept {
            let from = back(newest, kept - 1 - index, span);
            let text =
                self.get(from).map(|element| ring.set(index, element.text(&mut Text::new())));
            debug_assert!(text.is_some(), "it was there when it was counted");
        }
        ring.last_insert = kept.checked_sub(1);
        *self = ring;
    }

    /// What stands at the `count` places that were inserted into last, newest first; a place of
    /// them may hold nothing. Not more places than the array is long, and from its end on when the
    /// last insert is not within it.
    pub fn newest(&self, count: u64) -> impl Iterator<Item = Option<Element<'_>>> {
        let len = self.len();
        let count = count.min(len);
        let end = len.saturating_sub(1);
        let first = self.last_insert.map_or(end, |index| index.min(end));
        let mut next = first;
        (0..count).map(move |_| {
            let index = next;
            next = if index == 0 { len - 1 } else { index - 1 };
            self.get(index)
        })
    }
}

/// The index `steps` in front of another one on a ring of `span` places.
fn back(index: u64, steps: u64, span: u64) -> u64 {
    if steps <= index { index - steps } else { span - (steps - index) }
}
