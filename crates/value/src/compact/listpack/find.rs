//! Looking for an element. Knows nothing of the header.
//!
//! Equal elements have equal bytes, so that an entry is compared as bytes and never decoded.

use super::entry::{Encoded, entry_size};

/// What is looked for. Most entries differ from it in its last eight bytes, or in all if it has
/// no more: these are compared first, as one number. They are the last because names that share
/// a beginning are more common than names that share an end.
pub(super) struct Needle<'a> {
    encoded: &'a Encoded<'a>,
    /// Where in an entry the eight bytes begin.
    offset: usize,
    mask: u64,
    word: u64,
}

impl<'a> Needle<'a> {
    #[inline]
    pub(super) fn new(encoded: &'a Encoded<'a>) -> Needle<'a> {
        let [head, body, _] = encoded.parts();
        let len = head.len() + body.len();
        let mut word = [0; 8];
        if let Some(last) = body.last_chunk::<8>() {
            word = *last;
        } else {
            let from = len.saturating_sub(8);
            let bytes = head.iter().chain(body).skip(from);
            word.iter_mut().zip(bytes).for_each(|(to, byte)| *to = *byte);
        }
        let mask = if len >= 8 { u64::MAX } else { (1 << (8 * len)) - 1 };
        let offset = len.saturating_sub(8);
        Needle { encoded, offset, mask, word: u64::from_le_bytes(word) }
    }

    /// Whether the entry at `at` holds the element.
    #[inline]
    pub(super) fn is_at(&self, bytes: &[u8], at: usize) -> bool {
        let from = at + self.offset;
        let window = bytes.get(from..from + 8).and_then(|window| window.first_chunk::<8>());
        match window {
            Some(window) if u64::from_le_bytes(*window) & self.mask != self.word => false,
            _ => self.equals(bytes, at),
        }
    }

    #[inline(never)]
    fn equals(&self, bytes: &[u8], at: usize) -> bool {
        let [head, body, _] = self.encoded.parts();
        bytes[at..].strip_prefix(head).is_some_and(|rest| rest.starts_with(body))
    }
}

/// The first entry from `at` on that is `encoded`, among every `1 + skip`th.
#[inline]
pub(super) fn find(
    bytes: &[u8],
    mut at: usize,
    encoded: &Encoded<'_>,
    skip: usize,
) -> Option<usize> {
    let needle = Needle::new(encoded);
    let end = bytes.len() - 1;
    while at < end {
        if needle.is_at(bytes, at) {
            return Some(at);
        }
        at += entry_size(bytes, at);
        for _ in 0..skip {
            if at >= end {
                return None;
            }
            at += entry_size(bytes, at);
        }
    }
    None
}
