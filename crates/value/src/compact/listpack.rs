//! A list of short strings and numbers in one run of bytes: Redis's and Valkey's listpack.
//!
//! Knows nothing of what the elements are for. Header (total bytes, count), entries, end mark.
//! Invariants, which [`Listpack::from_bytes`] checks and every change keeps:
//! - the header says the bytes, and the count unless that is 65535 or more;
//! - entries follow each other without a gap up to the end mark, the last byte;
//! - each entry is the shortest one for its element (see `entry`).

use std::fmt;
use std::num::NonZeroU32;

use smallvec::SmallVec;

use super::Corrupt;
use super::bytes::{Bytes, PREFIX};
use crate::{Pays, Step};
use entry::{END, Encoded};
use find::Needle;

pub(crate) mod bare;
mod entry;
mod find;
mod iter;
mod pick;
#[cfg(test)]
mod tests;

pub use entry::Element;
pub use iter::Iter;

/// Bytes of the total and the count.
const HEADER: usize = 6;

/// The count that says nothing: there were once too many entries for its 16 bits.
const UNKNOWN: u16 = u16::MAX;

/// Bytes of entries that are put together without asking for memory.
const ROOM: usize = 256;

/// The size that no listpack should exceed; see [`Listpack::fits`].
const SIZE_MAX: usize = 1 << 30;

/// Where an entry begins. It stays valid until the next change of its listpack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position(NonZeroU32);

impl Position {
    #[inline]
    fn new(at: usize) -> Position {
        let at = u32::try_from(at).ok().and_then(NonZeroU32::new);
        Position(at.expect("no run of bytes is longer, and the header comes first"))
    }

    #[inline]
    fn at(self) -> usize {
        self.0.get() as usize
    }

    /// Bytes in front of the entry, as DEBUG shows them.
    pub fn offset(self) -> usize {
        self.at()
    }
}

/// A listpack. Its handle is one word.
#[derive(Clone)]
#[repr(transparent)]
pub struct Listpack {
    bytes: Bytes,
}

impl Listpack {
    /// See [`crate::ValueView::line`].
    #[inline]
    pub(crate) fn line(&self, step: Step) -> Option<*const u8> {
        (step == Step::Content).then(|| self.bytes.line())
    }

    /// See [`crate::ValueMut::relocate`].
    pub(crate) fn relocate(&mut self, pays: Pays<'_>) {
        self.bytes.relocate(pays);
    }

    /// An empty listpack.
    pub fn new() -> Listpack {
        Listpack { bytes: Bytes::new(&[0, 0, END]) }
    }

    /// A listpack of all of `elements`, in one allocation.
    pub fn of<'a>(elements: &[Element<'a>]) -> Listpack {
        let mut pack = Listpack::new();
        pack.append(elements);
        pack
    }

    /// Takes a listpack from outside after looking at every byte of it. An entry that is longer
    /// than need be is made short, and a count that is not known is counted.
    pub fn from_bytes(blob: &[u8]) -> Result<Listpack, Corrupt> {
        let checked = Checked::new(blob)?;
        if checked.unusual {
            return shortened(blob);
        }
        let mut pack = Listpack { bytes: Bytes::new(&blob[PREFIX..]) };
        pack.set_count(checked.count);
        Ok(pack)
    }

    /// The bytes of the listpack, as they are saved.
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.as_slice()
    }

    /// Whether servers of every age read the bytes. The length behind an entry that fills its
    /// width exactly is written differently by releases from before mid 2026, some of which stop
    /// at the form written here. Walks over the entries if there is room for such a one.
    pub fn is_portable(&self) -> bool {
        let bytes = self.as_bytes();
        let mut at = HEADER;
        while bytes.len() - at > entry::WIDTH_FILLING[0] {
            let size = entry::entry_size(bytes, at);
            if entry::WIDTH_FILLING.contains(&size) {
                return false;
            }
            at += size;
        }
        true
    }

    /// The number of entries. Has to count them if there were ever 65535 or more.
    #[inline]
    pub fn len(&self) -> usize {
        match self.count() {
            UNKNOWN => self.iter().count(),
            count => usize::from(count),
        }
    }

    /// Whether there is no entry.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.bytes_len() == HEADER + 1
    }

    /// The size in bytes, header and end mark included.
    #[inline]
    pub fn bytes_len(&self) -> usize {
        self.bytes.len()
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

    /// Whether `added` more bytes keep the listpack at 1 GiB or less. Adding without asking works
    /// up to 4 GiB and panics there.
    #[inline]
    pub fn fits(&self, added: usize) -> bool {
        self.bytes_len().saturating_add(added) <= SIZE_MAX
    }

    /// The first entry.
    #[inline]
    pub fn first(&self) -> Option<Position> {
        (!self.is_empty()).then(|| Position::new(HEADER))
    }

    /// The last entry.
    #[inline]
    pub fn last(&self) -> Option<Position> {
        let bytes = self.as_bytes();
        (!self.is_empty()).then(|| Position::new(entry::before(bytes, bytes.len() - 1)))
    }

    /// The entry behind `position`.
    #[inline]
    pub fn next(&self, position: Position) -> Option<Position> {
        let bytes = self.as_bytes();
        let at = position.at() + entry::entry_size(bytes, position.at());
        (at < bytes.len() - 1).then(|| Position::new(at))
    }

    /// The entry in front of `position`.
    #[inline]
    pub fn prev(&self, position: Position) -> Option<Position> {
        let at = position.at();
        (at > HEADER).then(|| Position::new(entry::before(self.as_bytes(), at)))
    }

    /// The entry number `index` from the first, which is 0; walks from the nearer end.
    #[inline]
    pub fn seek(&self, index: usize) -> Option<Position> {
        match self.count() {
            UNKNOWN => self.seek_unknown(index),
            count if index >= usize::from(count) => None,
            count if index <= usize::from(count) / 2 => {
                Some(Position::new(entry::skip(self.as_bytes(), HEADER, index)))
            }
            count => {
                let entries = usize::from(count) - index;
                let end = self.bytes_len() - 1;
                Some(Position::new(entry::skip_back(self.as_bytes(), end, entries)))
            }
        }
    }

    /// The entry number `index` from the last, which is 0; walks from the nearer end.
    #[inline]
    pub fn seek_back(&self, index: usize) -> Option<Position> {
        match self.count() {
            UNKNOWN => self.iter().nth_back(index).map(|(position, _)| position),
            count => self.seek(usize::from(count).checked_sub(index + 1)?),
        }
    }

    /// The element at `position`.
    #[inline]
    pub fn get(&self, position: Position) -> Element<'_> {
        entry::decode(self.as_bytes(), position.at()).0
    }

    /// The entry at `position` as DEBUG LISTPACK shows it: all its bytes.
    pub fn entry_bytes(&self, position: Position) -> &[u8] {
        let at = position.at();
        &self.as_bytes()[at..at + entry::entry_size(self.as_bytes(), at)]
    }

    /// Whether `element` stands at `position`.
    #[inline]
    pub fn matches<'a>(&self, position: Position, element: impl Into<Element<'a>>) -> bool {
        let encoded = Encoded::new(element.into());
        Needle::new(&encoded).is_at(self.as_bytes(), position.at())
    }

    /// The first entry that holds `element`, looking at every `1 + skip`th from the first on: 1
    /// finds the name of a field among names and values.
    #[inline]
    pub fn find<'a>(&self, element: impl Into<Element<'a>>, skip: usize) -> Option<Position> {
        let encoded = Encoded::new(element.into());
        find::find(self.as_bytes(), HEADER, &encoded, skip).map(Position::new)
    }

    /// As [`Listpack::find`], starting with the entry at `from`.
    #[inline]
    pub fn find_from<'a>(
        &self,
        from: Position,
        element: impl Into<Element<'a>>,
        skip: usize,
    ) -> Option<Position> {
        let encoded = Encoded::new(element.into());
        find::find(self.as_bytes(), from.at(), &encoded, skip).map(Position::new)
    }

    /// All entries with their positions, from either end.
    #[inline]
    pub fn iter(&self) -> Iter<'_> {
        Iter::new(self.as_bytes())
    }

    /// All entries as they are spelled: tag, bytes, and the length behind them.
    #[inline]
    pub(crate) fn spelled(&self) -> impl Iterator<Item = &[u8]> {
        let bytes = self.as_bytes();
        let mut at = HEADER;
        std::iter::from_fn(move || {
            if bytes[at] == END {
                return None;
            }
            let begins = at;
            at += entry::entry_size(bytes, at);
            Some(&bytes[begins..at])
        })
    }

    /// The entries from `position` to the last.
    #[inline]
    pub fn iter_from(&self, position: Position) -> Iter<'_> {
        Iter::between(self.as_bytes(), position.at(), self.bytes_len() - 1)
    }

    /// The entries from the first to the one at `position`; reversed, it walks back from there.
    #[inline]
    pub fn iter_to(&self, position: Position) -> Iter<'_> {
        let end = position.at() + entry::entry_size(self.as_bytes(), position.at());
        Iter::between(self.as_bytes(), HEADER, end)
    }

    /// Adds an element behind the last.
    #[inline]
    pub fn push_back<'a>(&mut self, element: impl Into<Element<'a>>) {
        self.put(self.bytes_len() - 1, 0, element.into());
        self.add_to_count(1);
    }

    /// Adds an element in front of the first.
    #[inline]
    pub fn push_front<'a>(&mut self, element: impl Into<Element<'a>>) {
        self.put(HEADER, 0, element.into());
        self.add_to_count(1);
    }

    /// Adds an element in front of the entry at `position`; gives the new one's place.
    #[inline]
    pub fn insert_before<'a>(
        &mut self,
        position: Position,
        element: impl Into<Element<'a>>,
    ) -> Position {
        self.put(position.at(), 0, element.into());
        self.add_to_count(1);
        position
    }

    /// Adds an element behind the entry at `position`; gives the new one's place.
    #[inline]
    pub fn insert_after<'a>(
        &mut self,
        position: Position,
        element: impl Into<Element<'a>>,
    ) -> Position {
        let at = position.at() + entry::entry_size(self.as_bytes(), position.at());
        self.insert_before(Position::new(at), element)
    }

    /// Puts an element in the place of the one at `position`, which stays its position.
    #[inline]
    pub fn replace<'a>(&mut self, position: Position, element: impl Into<Element<'a>>) {
        let at = position.at();
        self.put(at, entry::entry_size(self.as_bytes(), at), element.into());
    }

    /// Removes the entry at `position`; gives the one behind it.
    #[inline]
    pub fn delete(&mut self, position: Position) -> Option<Position> {
        self.delete_run(position, 1)
    }

    /// Removes up to `count` entries from `position` on; gives the one behind them.
    pub fn delete_run(&mut self, position: Position, count: usize) -> Option<Position> {
        let (bytes, from) = (self.as_bytes(), position.at());
        let (mut to, mut deleted) = (from, 0);
        while deleted < count && to < bytes.len() - 1 {
            to += entry::entry_size(bytes, to);
            deleted += 1;
        }
        self.remove(from, to, deleted);
        (from < self.bytes_len() - 1).then_some(position)
    }

    /// Removes up to `count` entries from number `index` on. What reaches to the end is cut off
    /// without a walk over it.
    pub fn delete_range(&mut self, index: usize, count: usize) {
        let Some(position) = self.seek(index) else { return };
        match self.count() {
            known if known != UNKNOWN && usize::from(known) - index <= count => {
                let end = self.bytes_len() - 1;
                self.remove(position.at(), end, usize::from(known) - index);
            }
            _ => {
                self.delete_run(position, count);
            }
        }
    }

    /// Removes the entries at `positions`, which ascend, with one move of what stays.
    pub fn delete_all(&mut self, positions: &[Position]) {
        let end = self.bytes_len();
        let mut kept = end;
        for (index, position) in positions.iter().enumerate() {
            let from = position.at() + entry::entry_size(self.as_bytes(), position.at());
            let to = positions.get(index + 1).map_or(end, |next| next.at());
            assert!(from <= to, "positions of entries to delete ascend");
            if index == 0 {
                kept = position.at();
            }
            self.bytes.content_mut().copy_within(from - PREFIX..to - PREFIX, kept - PREFIX);
            kept += to - from;
        }
        self.bytes.truncate(kept);
        self.take_from_count(positions.len());
    }

    /// Adds all of `elements` behind the last, growing once.
    pub fn append(&mut self, elements: &[Element<'_>]) {
        self.put_all(self.bytes_len() - 1, elements);
    }

    /// Adds all of `elements` in front of the entry at `position`, moving what is behind once.
    pub fn insert_all_before(&mut self, position: Position, elements: &[Element<'_>]) {
        self.put_all(position.at(), elements);
    }

    /// Adds the entries of `other` behind the last.
    pub fn merge(&mut self, other: &Listpack) {
        let entries = &other.as_bytes()[HEADER..other.bytes_len() - 1];
        self.bytes.splice(self.bytes_len() - 1, 0, [entries, &[], &[]]);
        match other.count() {
            UNKNOWN => self.set_count(usize::from(UNKNOWN)),
            count => self.add_to_count(usize::from(count)),
        }
    }

    /// Keeps the entries in front of `position` and gives a listpack of the others.
    pub fn split_off(&mut self, position: Position) -> Listpack {
        let mut other = Listpack::new();
        let entries = &self.as_bytes()[position.at()..self.bytes_len() - 1];
        other.bytes.splice(HEADER, 0, [entries, &[], &[]]);
        let moved = other.iter().count();
        other.set_count(moved);
        self.remove(position.at(), self.bytes_len() - 1, moved);
        other
    }

    #[inline]
    fn put(&mut self, at: usize, removed: usize, element: Element<'_>) {
        let encoded = Encoded::new(element);
        self.bytes.splice(at, removed, encoded.parts());
    }

    fn put_all(&mut self, at: usize, elements: &[Element<'_>]) {
        let mut entries = SmallVec::<[u8; ROOM]>::new();
        for element in elements {
            Encoded::new(*element).parts().iter().for_each(|part| entries.extend_from_slice(part));
        }
        self.bytes.splice(at, 0, [&entries, &[], &[]]);
        self.add_to_count(elements.len());
    }

    /// Removes the bytes of `entries` entries.
    #[inline]
    fn remove(&mut self, from: usize, to: usize, entries: usize) {
        self.bytes.splice(from, to - from, [&[], &[], &[]]);
        self.take_from_count(entries);
    }

    #[cold]
    fn seek_unknown(&self, index: usize) -> Option<Position> {
        self.iter().nth(index).map(|(position, _)| position)
    }

    #[inline]
    fn count(&self) -> u16 {
        let content = self.bytes.content();
        u16::from_le_bytes([content[0], content[1]])
    }

    #[inline]
    fn set_count(&mut self, count: usize) {
        let count = u16::try_from(count).unwrap_or(UNKNOWN);
        self.bytes.content_mut()[..2].copy_from_slice(&count.to_le_bytes());
    }

    #[inline]
    fn add_to_count(&mut self, added: usize) {
        let count = self.count();
        if count != UNKNOWN {
            self.set_count(usize::from(count) + added);
        }
    }

    /// A listpack that is empty again knows its count again.
    #[inline]
    fn take_from_count(&mut self, deleted: usize) {
        match self.count() {
            _ if self.is_empty() => self.set_count(0),
            UNKNOWN => {}
            count => self.set_count(usize::from(count) - deleted),
        }
    }
}

impl Default for Listpack {
    fn default() -> Listpack {
        Listpack::new()
    }
}

impl PartialEq for Listpack {
    /// Equal elements have equal bytes; the count may be known to only one of two equals.
    fn eq(&self, other: &Listpack) -> bool {
        self.as_bytes()[HEADER..] == other.as_bytes()[HEADER..]
    }
}

impl Eq for Listpack {}

impl fmt::Debug for Listpack {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut list = out.debug_list();
        for (_, element) in self {
            match element {
                Element::Int(value) => list.entry(&value),
                Element::Str(text) => list.entry(&format_args!("\"{}\"", text.escape_ascii())),
            };
        }
        list.finish()
    }
}

impl<'a> IntoIterator for &'a Listpack {
    type Item = (Position, Element<'a>);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

/// The elements of a blob that is in order but for the length of its entries.
fn shortened(blob: &[u8]) -> Result<Listpack, Corrupt> {
    let entries = &blob[..blob.len() - 1];
    let mut elements = Vec::new();
    let mut at = HEADER;
    while at < entries.len() {
        elements.push(entry::decode(entries, at).0);
        at += entry::check(entries, at)?.size;
    }
    Ok(Listpack::of(&elements))
}

/// What is known of a blob that is in order.
struct Checked {
    count: usize,
    /// Some entry is longer than need be.
    unusual: bool,
}

impl Checked {
    fn new(blob: &[u8]) -> Result<Checked, Corrupt> {
        let [a, b, c, d, low, high, .., last] = blob else {
            return Err(Corrupt { offset: 0, what: "listpack shorter than its header" });
        };
        if u32::from_le_bytes([*a, *b, *c, *d]) as usize != blob.len() {
            return Err(Corrupt { offset: 0, what: "listpack is not as long as it says" });
        }
        let end = blob.len() - 1;
        if *last != END {
            return Err(Corrupt { offset: end, what: "listpack without its end mark" });
        }
        let mut checked = Checked { count: 0, unusual: false };
        let mut at = HEADER;
        while at < end {
            let entry = entry::check(&blob[..end], at)?;
            at += entry.size;
            checked.count += 1;
            checked.unusual |= entry.unusual;
        }
        let said = u16::from_le_bytes([*low, *high]);
        if said != UNKNOWN && usize::from(said) != checked.count {
            return Err(Corrupt { offset: PREFIX, what: "listpack with a wrong count" });
        }
        Ok(checked)
    }
}
