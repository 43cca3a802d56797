//! A set of whole numbers in one sorted run of bytes: Redis's and Valkey's intset.
//!
//! Knows nothing of members that are not numbers. The bytes are the width of a number (2, 4 or
//! 8), how many there are, and the numbers, all little endian.
//! Invariants, which [`Intset::from_bytes`] checks and every change keeps: the numbers ascend
//! strictly, all have the one width, and there are as many as the header says. The width is at
//! least what the widest number ever added needed; it never shrinks.

use std::fmt;

use super::Corrupt;
use super::bytes::{Bytes, PREFIX};
use crate::number::parse_i64;
use crate::{Pays, Step};

#[cfg(test)]
mod tests;

/// Tells the handle from that of a listpack and of a large set.
pub(super) const MARK: usize = 2;

/// Bytes of the width and the count.
const HEADER: usize = 8;

/// A sorted set of `i64`. Its handle is one word.
#[derive(Clone, PartialEq, Eq)]
#[repr(transparent)]
pub struct Intset {
    bytes: Bytes<MARK>,
}

/// Bytes of a number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Width {
    /// 16 bits.
    Two = 2,
    /// 32 bits.
    Four = 4,
    /// 64 bits.
    Eight = 8,
}

impl Intset {
    /// See [`crate::ValueView::line`].
    #[inline]
    pub(crate) fn line(&self, step: Step) -> Option<*const u8> {
        (step == Step::Content).then(|| self.bytes.line())
    }

    /// See [`crate::ValueMut::relocate`].
    pub(crate) fn relocate(&mut self, pays: Pays<'_>) {
        self.bytes.relocate(pays);
    }

    /// The most numbers a set may have; a caller turns it into another form before.
    pub const LEN_MAX: usize = 1 << 27;

    /// An empty set.
    pub fn new() -> Intset {
        Intset { bytes: Bytes::new(&[2, 0, 0, 0, 0, 0, 0, 0]) }
    }

    /// Takes a set from outside after looking at every byte of it. A set from outside is never
    /// empty.
    pub fn from_bytes(blob: &[u8]) -> Result<Intset, Corrupt> {
        check(blob)?;
        Ok(Intset { bytes: Bytes::new(blob) })
    }

    /// The bytes of the set, as they are saved.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.content()
    }

    /// The size in bytes, header included.
    #[inline]
    pub fn bytes_len(&self) -> usize {
        self.bytes.len() - PREFIX
    }

    /// What the allocation takes, in bytes.
    #[inline]
    pub fn allocated(&self) -> usize {
        self.bytes.allocated()
    }

    /// The address of the bytes, for telling the processor to fetch them.
    #[inline]
    pub fn address(&self) -> *const u8 {
        self.bytes.address()
    }

    /// How many numbers there are.
    #[inline]
    pub fn len(&self) -> usize {
        self.numbers().len() / self.width() as usize
    }

    /// Whether there is none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.numbers().is_empty()
    }

    /// Bytes of each number.
    #[inline]
    pub fn width(&self) -> Width {
        match self.as_bytes()[0] {
            2 => Width::Two,
            4 => Width::Four,
            _ => Width::Eight,
        }
    }

    /// Whether `value` is in the set.
    #[inline]
    pub fn contains(&self, value: i64) -> bool {
        self.search(value).is_ok()
    }

    /// Whether the number that `text` spells is in the set.
    #[inline]
    pub fn contains_text(&self, text: &[u8]) -> bool {
        parse_i64(text).is_some_and(|value| self.contains(value))
    }

    /// Where `value` stands among the numbers, or where it would.
    #[inline]
    pub fn search(&self, value: i64) -> Result<usize, usize> {
        let numbers = self.numbers();
        match self.width() {
            Width::Two => search(numbers.as_chunks().0, value, |n| i16::from_le_bytes(n).into()),
            Width::Four => search(numbers.as_chunks().0, value, |n| i32::from_le_bytes(n).into()),
            Width::Eight => search(numbers.as_chunks().0, value, i64::from_le_bytes),
        }
    }

    /// The number at `index`, the smallest first.
    #[inline]
    pub fn get(&self, index: usize) -> Option<i64> {
        (index < self.len()).then(|| number(self.numbers(), self.width(), index))
    }

    /// The smallest number.
    #[inline]
    pub fn min(&self) -> Option<i64> {
        self.get(0)
    }

    /// The largest number.
    #[inline]
    pub fn max(&self) -> Option<i64> {
        self.get(self.len().checked_sub(1)?)
    }

    /// A number, each as likely as the others, by a function that gives a number below another.
    pub fn pick(&self, random: &mut impl FnMut(usize) -> usize) -> Option<i64> {
        match self.len() {
            0 => None,
            len => self.get(random(len)),
        }
    }

    /// All numbers, ascending.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        Iter { numbers: self.numbers(), width: self.width(), front: 0, back: self.len() }
    }

    /// Adds `value`; `false` if it is there already. All numbers grow wider if it needs that.
    ///
    /// # Panics
    /// If there are [`Intset::LEN_MAX`] numbers already.
    pub fn insert(&mut self, value: i64) -> bool {
        let needed = Width::of(value);
        if needed > self.width() {
            self.widen(needed);
        }
        let Err(index) = self.search(value) else { return false };
        let len = self.len();
        assert!(len < Intset::LEN_MAX, "an intset has too many numbers");
        let width = self.width() as usize;
        let at = PREFIX + HEADER + index * width;
        self.bytes.splice(at, 0, [&value.to_le_bytes()[..width], &[], &[]]);
        self.set_header(width, len + 1);
        true
    }

    /// Removes `value`; `false` if it is not there.
    pub fn remove(&mut self, value: i64) -> bool {
        let found = self.search(value);
        if let Ok(index) = found {
            self.remove_at(index);
        }
        found.is_ok()
    }

    /// Removes the number at `index`, the smallest first, and gives it.
    ///
    /// # Panics
    /// If there is none.
    pub fn remove_at(&mut self, index: usize) -> i64 {
        let (len, width) = (self.len(), self.width());
        let value = self.get(index).expect("the caller chose an index below the length");
        let size = width as usize;
        self.bytes.splice(PREFIX + HEADER + index * size, size, [&[], &[], &[]]);
        self.set_header(size, len - 1);
        value
    }

    #[inline]
    fn numbers(&self) -> &[u8] {
        &self.as_bytes()[HEADER..]
    }

    /// Gives every number `width` bytes; a number that needs them stands at one end, so that this
    /// happens at most twice in the life of a set.
    #[cold]
    fn widen(&mut self, width: Width) {
        let (len, size) = (self.len(), width as usize);
        let mut numbers = Vec::with_capacity(len * size);
        for value in self.iter() {
            numbers.extend_from_slice(&value.to_le_bytes()[..size]);
        }
        let old = self.numbers().len();
        self.bytes.splice(PREFIX + HEADER, old, [&numbers, &[], &[]]);
        self.set_header(size, len);
    }

    #[inline]
    fn set_header(&mut self, width: usize, len: usize) {
        let header = u64::try_from(len << 32 | width).expect("a usize is no wider");
        self.bytes.content_mut()[..HEADER].copy_from_slice(&header.to_le_bytes());
    }
}

impl Width {
    /// The least that `value` fits.
    #[inline]
    pub fn of(value: i64) -> Width {
        if i16::try_from(value).is_ok() {
            Width::Two
        } else if i32::try_from(value).is_ok() {
            Width::Four
        } else {
            Width::Eight
        }
    }
}

impl Default for Intset {
    fn default() -> Intset {
        Intset::new()
    }
}

impl fmt::Debug for Intset {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_set().entries(self.iter()).finish()
    }
}

impl<'a> IntoIterator for &'a Intset {
    type Item = i64;
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The numbers of a set.
#[derive(Clone)]
pub struct Iter<'a> {
    numbers: &'a [u8],
    width: Width,
    front: usize,
    back: usize,
}

impl Iterator for Iter<'_> {
    type Item = i64;

    #[inline]
    fn next(&mut self) -> Option<i64> {
        if self.front == self.back {
            return None;
        }
        self.front += 1;
        Some(number(self.numbers, self.width, self.front - 1))
    }

    #[inline]
    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.back - self.front, Some(self.back - self.front))
    }
}

impl DoubleEndedIterator for Iter<'_> {
    #[inline]
    fn next_back(&mut self) -> Option<i64> {
        if self.front == self.back {
            return None;
        }
        self.back -= 1;
        Some(number(self.numbers, self.width, self.back))
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl std::iter::FusedIterator for Iter<'_> {}

#[inline]
fn number(numbers: &[u8], width: Width, index: usize) -> i64 {
    match width {
        Width::Two => i16::from_le_bytes(numbers.as_chunks().0[index]).into(),
        Width::Four => i32::from_le_bytes(numbers.as_chunks().0[index]).into(),
        Width::Eight => i64::from_le_bytes(numbers.as_chunks().0[index]),
    }
}

#[inline]
fn search<const N: usize>(
    numbers: &[[u8; N]],
    value: i64,
    read: impl Fn([u8; N]) -> i64,
) -> Result<usize, usize> {
    match numbers.last() {
        // Numbers often arrive in ascending order.
        Some(last) if value <= read(*last) => {
            numbers.binary_search_by(|number| read(*number).cmp(&value))
        }
        _ => Err(numbers.len()),
    }
}

fn check(blob: &[u8]) -> Result<(), Corrupt> {
    let Some((header, numbers)) = blob.split_first_chunk::<HEADER>() else {
        return Err(Corrupt { offset: 0, what: "intset shorter than its header" });
    };
    let [a, b, c, d, e, f, g, h] = *header;
    let width = match u32::from_le_bytes([a, b, c, d]) {
        2 => Width::Two,
        4 => Width::Four,
        8 => Width::Eight,
        _ => return Err(Corrupt { offset: 0, what: "intset of an unknown width" }),
    };
    let len = u32::from_le_bytes([e, f, g, h]) as usize;
    if len == 0 || len > Intset::LEN_MAX || len * width as usize != numbers.len() {
        return Err(Corrupt { offset: 4, what: "intset with a wrong count" });
    }
    for index in 1..len {
        if number(numbers, width, index - 1) >= number(numbers, width, index) {
            let offset = HEADER + index * width as usize;
            return Err(Corrupt { offset, what: "intset not in ascending order" });
        }
    }
    Ok(())
}
