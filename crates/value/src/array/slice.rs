//! A slice of an array: the elements of 64 neighbouring indexes.
//!
//! A bit a place says which places hold something, and the elements stand behind each other in
//! their order: how many bits are set below a place is the number of its element. They are packed
//! into one listpack, where a small number takes two bytes and a short string two beside its own;
//! once they are too large for that, each is an allocation of its own, and the slice stays like
//! this until it is gone.
//!
//! Invariant: there are as many elements as bits.

use crate::compact::bytes::size_class;
use crate::compact::{Element, Listpack};
use crate::{Pays, relocate};

/// Places of a slice, one a bit.
pub(super) const PLACES: u64 = u64::BITS as u64;

/// Bytes that a packed slice may have, for every change moves what stands behind it.
const PACKED_MAX: usize = 8192;
/// Bytes that an entry takes beside its text, at most.
const ENTRY_EXTRA: usize = 10;

#[derive(Clone, Debug, Default)]
pub(super) struct Slice {
    used: u64,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    Packed(Listpack),
    #[expect(clippy::box_collection, reason = "keeps the directory's items small")]
    Apart(Box<Vec<Box<[u8]>>>),
}

use Form::{Apart, Packed};

impl Default for Form {
    fn default() -> Self {
        Packed(Listpack::new())
    }
}

impl Slice {
    /// The number of elements.
    pub(super) fn len(&self) -> u64 {
        self.used.count_ones().into()
    }

    /// The highest place that holds something; the slice is not empty.
    pub(super) fn last(&self) -> u8 {
        self.used.ilog2() as u8
    }

    /// Moves the elements where that pays; how many allocations were looked at.
    pub(super) fn relocate(&mut self, pays: Pays<'_>) -> usize {
        match &mut self.form {
            Packed(pack) => {
                pack.relocate(pays);
                1
            }
            Apart(texts) => {
                relocate::run(texts, pays);
                texts.iter_mut().for_each(|text| relocate::text(text, pays));
                texts.len()
            }
        }
    }

    /// Bytes asked of the allocator.
    pub(super) fn memory(&self) -> usize {
        match &self.form {
            Packed(pack) => pack.allocated(),
            Apart(texts) => {
                let each: usize = texts.iter().map(|text| size_class(text.len())).sum();
                size_of_val(&**texts) + texts.capacity() * size_of::<Box<[u8]>>() + each
            }
        }
    }

    #[inline]
    pub(super) fn get(&self, place: u8) -> Option<Element<'_>> {
        if self.used & bit(place) == 0 {
            return None;
        }
        let rank = self.rank(place);
        match &self.form {
            Packed(pack) => pack.seek(rank).map(|position| pack.get(position)),
            Apart(texts) => texts.get(rank).map(|text| Element::Str(text)),
        }
    }

    /// Sets a place; whether it held nothing before.
    pub(super) fn set(&mut self, place: u8, text: &[u8]) -> bool {
        let (rank, is_new) = (self.rank(place), self.used & bit(place) == 0);
        if let Packed(pack) = &self.form
            && pack.bytes_len() + text.len() + ENTRY_EXTRA > PACKED_MAX
        {
            self.unpack();
        }
        match &mut self.form {
            Packed(pack) => match pack.seek(rank) {
                Some(position) if is_new => {
                    pack.insert_before(position, text);
                }
                Some(position) => pack.replace(position, text),
                None => pack.push_back(text),
            },
            Apart(texts) if is_new => texts.insert(rank, text.into()),
            Apart(texts) => texts[rank] = text.into(),
        }
        self.used |= bit(place);
        is_new
    }

    /// Removes what stands between two places, both included; how much there was.
    pub(super) fn remove(&mut self, first: u8, last: u8) -> u64 {
        let gone = self.used & span(first, last);
        let (rank, count) = (self.rank(first), gone.count_ones() as usize);
        if count > 0 {
            match &mut self.form {
                Packed(pack) => pack.delete_range(rank, count),
                Apart(texts) => drop(texts.drain(rank..rank + count)),
            }
            self.used &= !gone;
        }
        count as u64
    }

    /// Calls `visit` with the elements between two places, both included, in their order or
    /// backwards, until it answers `false`; whether it never did.
    pub(super) fn walk<'a>(
        &'a self,
        first: u8,
        last: u8,
        backwards: bool,
        mut visit: impl FnMut(u8, Element<'a>) -> bool,
    ) -> bool {
        let mut places = self.used & span(first, last);
        if places == 0 {
            return true;
        }
        let mut next = || {
            let place = if backwards { places.ilog2() } else { places.trailing_zeros() };
            places &= !(1 << place);
            place as u8
        };
        let (rank, count) = (self.rank(first), (self.used & span(first, last)).count_ones());
        let end = rank + count as usize;
        match &self.form {
            Packed(pack) => {
                let edge = pack.seek(if backwards { end - 1 } else { rank });
                let edge = edge.expect("there are as many elements as bits");
                let elements = match backwards {
                    false => pack.iter_from(edge),
                    true => pack.iter_to(edge),
                };
                let mut one = |(_, element)| visit(next(), element);
                match backwards {
                    false => elements.take(end - rank).all(&mut one),
                    true => elements.rev().take(end - rank).all(&mut one),
                }
            }
            Apart(texts) => {
                let mut texts = texts[rank..end].iter().map(|text| Element::Str(text));
                let mut one = |element| visit(next(), element);
                if backwards { texts.rev().all(&mut one) } else { texts.all(&mut one) }
            }
        }
    }

    /// How many elements stand in front of a place.
    #[inline]
    fn rank(&self, place: u8) -> usize {
        (self.used & (bit(place) - 1)).count_ones() as usize
    }

    /// Gives each element its own allocation.
    #[cold]
    fn unpack(&mut self) {
        let Packed(pack) = &self.form else { return };
        let text_of = |element: Element<'_>| {
            let mut text = Vec::new();
            element.write_to(&mut text);
            text.into_boxed_slice()
        };
        let texts = pack.iter().map(|(_, element)| text_of(element)).collect();
        self.form = Apart(Box::new(texts));
    }
}

fn bit(place: u8) -> u64 {
    1 << place
}

/// The bits from one place to another.
fn span(first: u8, last: u8) -> u64 {
    (u64::MAX << first) & (u64::MAX >> (PLACES as u8 - 1 - last))
}
