//! One entry of a listpack: a tag, the element, and the length of both in a form that is read
//! from its end. Knows nothing of the header.
//!
//! Invariant of every listpack: each entry is the shortest of the possible ones, so that equal
//! elements have equal bytes.

use crate::compact::Corrupt;
use crate::number::{Text, parse_i64};

/// The byte behind the last entry.
pub(super) const END: u8 = 0xFF;

/// Sizes of the entries whose length fills the width it is written in behind them.
pub(super) const WIDTH_FILLING: [usize; 3] = [0x3FFF + 2, 0x1F_FFFF + 3, 0xFFF_FFFF + 4];

const INT_13: u8 = 0xC0;
const STR_6: u8 = 0x80;
const STR_12: u8 = 0xE0;
const STR_32: u8 = 0xF0;
const INT_16: u8 = 0xF1;
const INT_24: u8 = 0xF2;
const INT_32: u8 = 0xF3;
const INT_64: u8 = 0xF4;

/// An element of a listpack. A string that is the text of an `i64` is kept as a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Element<'a> {
    /// A number.
    Int(i64),
    /// A string, which may still read as a number unless it comes out of a listpack.
    Str(&'a [u8]),
}

impl<'a> Element<'a> {
    /// The element as it is kept: a number if the string is the text of one.
    #[inline]
    pub fn recognised(self) -> Element<'a> {
        match self {
            Element::Str(text) => parse_i64(text).map_or(self, Element::Int),
            Element::Int(_) => self,
        }
    }

    /// The element as a string; `room` takes the text of a number.
    #[inline]
    pub fn text<'t>(&self, room: &'t mut Text) -> &'t [u8]
    where
        'a: 't,
    {
        match *self {
            Element::Int(value) => room.of(value),
            Element::Str(text) => text,
        }
    }

    /// Appends the element as a string.
    #[inline]
    pub fn write_to(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(self.text(&mut Text::new()));
    }

    /// Bytes that the element adds to a listpack.
    #[inline]
    pub fn size(self) -> usize {
        let len = match self.recognised() {
            Element::Int(value) => int_len(value),
            Element::Str(text) => str_head_len(text.len()) + text.len(),
        };
        len + back_len_size(len)
    }
}

impl From<i64> for Element<'_> {
    #[inline]
    fn from(value: i64) -> Self {
        Element::Int(value)
    }
}

impl<'a> From<&'a [u8]> for Element<'a> {
    #[inline]
    fn from(text: &'a [u8]) -> Self {
        Element::Str(text)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Element<'a> {
    #[inline]
    fn from(text: &'a [u8; N]) -> Self {
        Element::Str(text)
    }
}

impl<'a> From<&'a Vec<u8>> for Element<'a> {
    #[inline]
    fn from(text: &'a Vec<u8>) -> Self {
        Element::Str(text)
    }
}

/// The bytes of an entry in three parts: the tag with all of a number or the length of a string,
/// the string, and the length of both to be read from its end.
pub(super) struct Encoded<'a> {
    head: [u8; 9],
    head_len: usize,
    body: &'a [u8],
    back: [u8; 5],
    back_len: usize,
}

impl<'a> Encoded<'a> {
    #[inline]
    pub(super) fn new(element: Element<'a>) -> Encoded<'a> {
        let mut encoded =
            Encoded { head: [0; 9], head_len: 0, body: &[], back: [0; 5], back_len: 0 };
        match element.recognised() {
            Element::Int(value) => encoded.head_len = encode_int(value, &mut encoded.head),
            Element::Str(text) => {
                encoded.head_len = encode_str_head(text.len(), &mut encoded.head);
                encoded.body = text;
            }
        }
        encoded.back_len = encode_back_len(encoded.len(), &mut encoded.back);
        encoded
    }

    /// Bytes of the tag and the element.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.head_len + self.body.len()
    }

    #[inline]
    pub(super) fn head(&self) -> &[u8] {
        &self.head[..self.head_len]
    }

    #[inline]
    pub(super) fn parts(&self) -> [&[u8]; 3] {
        [self.head(), self.body, &self.back[..self.back_len]]
    }
}

/// Bytes of the entry at `at`; 1 at the end or where no entry begins.
#[inline]
pub(super) fn entry_size(bytes: &[u8], at: usize) -> usize {
    let tag = bytes[at];
    match tag {
        0..STR_6 => 2,
        STR_6..INT_13 => usize::from(tag & 0x3F) + 2,
        INT_13..STR_12 => 3,
        STR_12..STR_32 => {
            let len = 2 + (usize::from(tag & 0x0F) << 8 | usize::from(bytes[at + 1]));
            len + if len <= 127 { 1 } else { 2 }
        }
        STR_32 => {
            let len = 5 + u32::from_le_bytes(array(bytes, at + 1)) as usize;
            len + back_len_size(len)
        }
        INT_16 => 4,
        INT_24 => 5,
        INT_32 => 6,
        INT_64 => 10,
        _ => 1,
    }
}

/// Bytes of the tag and the element at `at`.
#[inline]
pub(super) fn bare_size(bytes: &[u8], at: usize) -> usize {
    match bytes[at] {
        tag @ STR_12..STR_32 => 2 + (usize::from(tag & 0x0F) << 8 | usize::from(bytes[at + 1])),
        STR_32 => 5 + u32::from_le_bytes(array(bytes, at + 1)) as usize,
        // The length behind all others has one byte.
        _ => entry_size(bytes, at) - 1,
    }
}

/// The element of the entry at `at` and the bytes of that entry.
///
/// # Panics
/// If no entry begins there.
#[inline]
pub(super) fn decode(bytes: &[u8], at: usize) -> (Element<'_>, usize) {
    let tag = bytes[at];
    let string = |head: usize, len: usize| &bytes[at + head..at + head + len];
    match tag {
        0..STR_6 => (Element::Int(i64::from(tag)), 2),
        STR_6..INT_13 => {
            let len = usize::from(tag & 0x3F);
            (Element::Str(string(1, len)), len + 2)
        }
        INT_13..STR_12 => {
            let value = i16::from_be_bytes([tag << 3, 0]) | i16::from(bytes[at + 1]) << 3;
            (Element::Int(i64::from(value >> 3)), 3)
        }
        STR_12..STR_32 => {
            let len = usize::from(tag & 0x0F) << 8 | usize::from(bytes[at + 1]);
            (Element::Str(string(2, len)), 2 + len + back_len_size(2 + len))
        }
        STR_32 => {
            let len = u32::from_le_bytes(array(bytes, at + 1)) as usize;
            (Element::Str(string(5, len)), 5 + len + back_len_size(5 + len))
        }
        INT_16 => (Element::Int(i64::from(i16::from_le_bytes(array(bytes, at + 1)))), 4),
        INT_24 => {
            let [low, middle, high] = array(bytes, at + 1);
            (Element::Int(i64::from(i32::from_le_bytes([0, low, middle, high]) >> 8)), 5)
        }
        INT_32 => (Element::Int(i64::from(i32::from_le_bytes(array(bytes, at + 1)))), 6),
        INT_64 => (Element::Int(i64::from_le_bytes(array(bytes, at + 1))), 10),
        _ => panic!("no entry begins at {at}"),
    }
}

/// Where the entry in front of `at` begins; `at` is not the first entry.
#[inline]
pub(super) fn before(bytes: &[u8], at: usize) -> usize {
    let last = bytes[at - 1];
    if last < 0x80 {
        return at - 1 - usize::from(last);
    }
    let (len, back_len) = decode_back_len(&bytes[..at]).expect("every entry was checked");
    at - back_len - len
}

/// Where one comes to from `at` over `entries` entries, which are there.
#[inline]
pub(super) fn skip(bytes: &[u8], mut at: usize, entries: usize) -> usize {
    for _ in 0..entries {
        at += entry_size(bytes, at);
    }
    at
}

/// Where one comes to from `at` back over `entries` entries, which are there.
#[inline]
pub(super) fn skip_back(bytes: &[u8], mut at: usize, entries: usize) -> usize {
    for _ in 0..entries {
        at = before(bytes, at);
    }
    at
}

/// What a check of one entry found.
pub(super) struct Checked {
    pub(super) size: usize,
    /// Other bytes than [`Encoded`] makes for the element.
    pub(super) unusual: bool,
}

/// Checks the entry at `at`, where `bytes` has a byte; `bytes` ends where the end mark stands.
#[inline]
pub(super) fn check(bytes: &[u8], at: usize) -> Result<Checked, Corrupt> {
    let wrong = |what| Corrupt { offset: at, what };
    let rest = &bytes[at..];
    if let Some(checked) = check_short(rest) {
        return Ok(checked);
    }
    let len = checked_len(rest).map_err(wrong)?;
    let narrow = back_len_size(len);
    let Some(entry) = rest.get(..len + narrow) else {
        return Err(wrong("entry reaches beyond the end"));
    };
    if (narrow == 1 && usize::from(entry[len]) == len)
        || decode_back_len(&entry[len..]) == Some((len, narrow))
    {
        let unusual = !is_shortest(decode(entry, 0).0, len);
        return Ok(Checked { size: len + narrow, unusual });
    }
    // Servers of before mid 2026 take one byte more for the largest length of each width.
    let wide =
        rest.get(len..=len + narrow).filter(|_| len > 127 && back_len_size(len + 1) > narrow);
    if wide.is_some_and(|back| decode_back_len(back) == Some((len, narrow + 1))) {
        return Ok(Checked { size: len + narrow + 1, unusual: true });
    }
    Err(wrong("lengths in front of and behind an entry differ"))
}

/// Looks at what most entries are, a small number or a short string; none when it is something
/// else, or not in order.
#[inline]
fn check_short(rest: &[u8]) -> Option<Checked> {
    let tag = rest[0];
    let len = match tag {
        0..STR_6 => 1,
        STR_6..INT_13 => 1 + usize::from(tag & 0x3F),
        _ => return None,
    };
    let entry = rest.get(..=len)?;
    let unusual = tag >= STR_6 && parse_i64(&entry[1..len]).is_some();
    (usize::from(entry[len]) == len).then_some(Checked { size: len + 1, unusual })
}

/// Whether no entry for the element has fewer bytes of tag and element than `len`.
#[inline]
fn is_shortest(element: Element<'_>, len: usize) -> bool {
    match element {
        Element::Int(value) => int_len(value) == len,
        Element::Str(text) => {
            str_head_len(text.len()) + text.len() == len && parse_i64(text).is_none()
        }
    }
}

/// Bytes of the tag and the element that `rest` begins with, if its head is within `rest`.
#[inline]
fn checked_len(rest: &[u8]) -> Result<usize, &'static str> {
    let long = "entry reaches beyond the end";
    match rest[0] {
        STR_12..STR_32 => {
            let low = rest.get(1).ok_or(long)?;
            Ok(2 + (usize::from(rest[0] & 0x0F) << 8 | usize::from(*low)))
        }
        STR_32 => {
            let len = rest.get(1..5).ok_or(long)?;
            Ok(5 + u32::from_le_bytes(array(len, 0)) as usize)
        }
        // The length behind all other entries has one byte.
        0..=INT_64 => Ok(entry_size(rest, 0) - 1),
        END => Err("end mark in front of the end"),
        _ => Err("unknown encoding of an entry"),
    }
}

#[inline]
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    let mut array = [0; N];
    array.copy_from_slice(&bytes[at..at + N]);
    array
}

/// Bytes of the tag and the number.
#[inline]
fn int_len(value: i64) -> usize {
    match value {
        0..=127 => 1,
        -4096..=4095 => 2,
        -0x8000..=0x7FFF => 3,
        -0x80_0000..=0x7F_FFFF => 4,
        -0x8000_0000..=0x7FFF_FFFF => 5,
        _ => 9,
    }
}

/// Writes the tag and the number; gives their bytes.
#[inline]
fn encode_int(value: i64, head: &mut [u8; 9]) -> usize {
    let len = int_len(value);
    let [low, second, third, fourth, ..] = value.to_le_bytes();
    match len {
        1 => head[0] = low,
        2 => [head[0], head[1]] = [INT_13 | second & 0x1F, low],
        3 => [head[0], head[1], head[2]] = [INT_16, low, second],
        4 => [head[0], head[1], head[2], head[3]] = [INT_24, low, second, third],
        5 => [head[0], head[1], head[2], head[3], head[4]] = [INT_32, low, second, third, fourth],
        _ => {
            head[0] = INT_64;
            head[1..].copy_from_slice(&value.to_le_bytes());
        }
    }
    len
}

/// Bytes of the tag and the length of a string of `len` bytes.
#[inline]
fn str_head_len(len: usize) -> usize {
    match len {
        0..64 => 1,
        64..4096 => 2,
        _ => 5,
    }
}

/// Writes the tag and the length of a string of `len` bytes; gives their bytes.
#[inline]
fn encode_str_head(len: usize, head: &mut [u8; 9]) -> usize {
    let short = u32::try_from(len).expect("a string above 4 GiB does not fit a listpack");
    let [low, second, third, fourth] = short.to_le_bytes();
    match str_head_len(len) {
        1 => head[0] = STR_6 | low,
        2 => [head[0], head[1]] = [STR_12 | second, low],
        _ => [head[0], head[1], head[2], head[3], head[4]] = [STR_32, low, second, third, fourth],
    }
    str_head_len(len)
}

/// Bytes that the length behind an entry of `len` bytes takes, seven bits each.
#[inline]
pub(super) fn back_len_size(len: usize) -> usize {
    match len {
        0..=0x7F => 1,
        0x80..=0x3FFF => 2,
        0x4000..=0x1F_FFFF => 3,
        0x20_0000..=0xFFF_FFFF => 4,
        _ => 5,
    }
}

/// Writes `len`, most significant bits first; gives the bytes used. Every byte but the first has
/// its high bit set, so that a reader coming from the end knows where to stop.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "seven bits are kept")]
pub(super) fn encode_back_len(len: usize, back: &mut [u8; 5]) -> usize {
    if len <= 0x7F {
        back[0] = len as u8;
        return 1;
    }
    let size = back_len_size(len);
    for (index, byte) in back[..size].iter_mut().enumerate() {
        let group = (len >> (7 * (size - 1 - index))) as u8 & 0x7F;
        *byte = if index == 0 { group } else { group | 0x80 };
    }
    size
}

/// The length that stands at the end of `bytes`, and the bytes it takes.
#[inline]
pub(super) fn decode_back_len(bytes: &[u8]) -> Option<(usize, usize)> {
    let mut len = 0;
    for (index, byte) in bytes.iter().rev().take(5).enumerate() {
        len |= usize::from(byte & 0x7F) << (7 * index);
        if byte & 0x80 == 0 {
            return Some((len, index + 1));
        }
    }
    None
}
