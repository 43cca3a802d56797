//! Elements as a listpack spells them, for runs of bytes that are laid out in another way: without
//! the length behind each of them.

use smallvec::SmallVec;

use super::Element;
use super::entry::{self, Encoded};

/// What is put together before it goes into a run; mostly without asking for memory.
pub(crate) type Buffer = SmallVec<[u8; super::ROOM]>;

/// Appends an element; gives the bytes that it would add to a listpack.
#[inline]
pub(crate) fn write(element: Element<'_>, out: &mut Buffer) -> usize {
    let encoded = Encoded::new(element);
    let [head, body, back] = encoded.parts();
    out.extend_from_slice(head);
    out.extend_from_slice(body);
    encoded.len() + back.len()
}

/// The element at `at` and its bytes.
///
/// # Panics
/// If no element begins there.
#[inline]
pub(crate) fn read(bytes: &[u8], at: usize) -> (Element<'_>, usize) {
    let (element, size) = entry::decode(bytes, at);
    // Behind an entry of up to 127 bytes the length takes one.
    let size = if size <= 128 { size - 1 } else { entry::bare_size(bytes, at) };
    (element, size)
}

/// Bytes of the element at `at`.
#[inline]
pub(crate) fn size(bytes: &[u8], at: usize) -> usize {
    entry::bare_size(bytes, at)
}

/// Appends a length that is read from its end.
#[inline]
pub(crate) fn write_length(len: usize, out: &mut Buffer) {
    let mut back = [0; 5];
    let size = entry::encode_back_len(len, &mut back);
    out.extend_from_slice(&back[..size]);
}

/// Bytes that such a length takes.
#[inline]
pub(crate) fn length_size(len: usize) -> usize {
    entry::back_len_size(len)
}

/// The length that ends where `bytes` end, and the bytes that it takes.
///
/// # Panics
/// If there is none.
#[inline]
pub(crate) fn read_length(bytes: &[u8]) -> (usize, usize) {
    match bytes.last() {
        Some(&short) if short < 0x80 => (usize::from(short), 1),
        _ => entry::decode_back_len(bytes).expect("a length stands there"),
    }
}
