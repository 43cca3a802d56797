//! A list: elements in order, reached from both ends.
//!
//! Small, it is one listpack; large, a sequence of nodes ([`Quick`]). The moments at which one form
//! becomes the other are those of Redis 7.2 and Valkey: OBJECT ENCODING shows them. Growing is
//! asked for *before* elements are added ([`List::make_room`]), shrinking is looked at after some
//! were removed ([`List::shrink`]).
//!
//! Knows no key and no command. Indexes count from the first element, 0, unless said otherwise.

use crate::compact::word::Form::{self, Large, Small};
use crate::compact::word::{Marker, Pair};
use crate::compact::{Element, Listpack, Position};
use crate::object::first_line;
use crate::{Limits, Pays, Step};

mod limit;
mod node;
mod parts;
mod quick;
#[cfg(test)]
mod tests;

pub use parts::{Builder, Part};

use limit::Fill;
use quick::Quick;

pub use node::View;

/// An end of a list.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// Where index 0 is.
    Left,
    /// The other one.
    Right,
}

/// A list. See the module's text.
#[derive(Clone, Debug)]
pub struct List {
    form: Pair<Listpack, Marker<Quick, LARGE>>,
}

/// The mark of a large list's handle.
const LARGE: usize = 1;

/// How a large list is kept, for those who look into it.
pub struct Layout<'a>(&'a Quick);

/// One node of a large list.
pub struct NodeLayout<'a> {
    /// Whether it is compressed.
    pub compressed: bool,
    /// Bytes of its listpack or its only element, when that is not compressed.
    pub size: usize,
    /// The number of elements.
    pub count: usize,
    /// What is in it.
    pub content: View<'a>,
}

impl<'a> Layout<'a> {
    /// The number of nodes.
    pub fn nodes(&self) -> usize {
        self.0.nodes()
    }

    /// How many nodes at each end are not compressed; 0 when none is compressed.
    pub fn compress_depth(&self) -> usize {
        self.0.depth()
    }

    /// Bytes of all listpacks and lone elements, when they are not compressed.
    pub fn size(&self) -> usize {
        self.0.each_node().map(|node| node.size()).sum()
    }

    /// The nodes in order.
    pub fn each(&self) -> impl Iterator<Item = NodeLayout<'a>> + use<'a> {
        self.0.each_node().map(|node| NodeLayout {
            compressed: node.is_compressed(),
            size: node.size(),
            count: node.count(),
            content: node.view(),
        })
    }
}

impl List {
    /// An empty list.
    pub fn new() -> Self {
        Self { form: Small(Listpack::new()).into() }
    }

    /// See [`crate::ValueMut::relocate`].
    pub(crate) fn relocate(&mut self, cursor: u64, count: usize, pays: Pays<'_>) -> u64 {
        match self.form.view_mut() {
            Small(pack) => {
                pack.relocate(pays);
                0
            }
            Large(quick) => {
                if cursor == 0 {
                    quick.relocate(pays);
                }
                quick.relocate_nodes(cursor, count, pays)
            }
        }
    }

    /// See [`crate::ValueView::line`].
    #[inline]
    pub(crate) fn line(&self, step: Step) -> Option<*const u8> {
        match self.form.view() {
            Small(pack) => pack.line(step),
            Large(quick) => first_line(quick, step),
        }
    }

    /// What OBJECT ENCODING replies.
    pub fn encoding(&self) -> &'static str {
        match self.form.view() {
            Small(_) => "listpack",
            Large(_) => "quicklist",
        }
    }

    /// Whether a key that holds it ceases to exist.
    #[inline]
    pub fn is_vacant(&self) -> bool {
        match self.form.view() {
            Small(pack) => pack.is_empty(),
            Large(quick) => quick.len() == 0,
        }
    }

    /// Bytes asked of the allocator; of a large list from the first `samples` nodes (0: all).
    pub fn memory(&self, samples: usize) -> usize {
        match self.form.view() {
            Small(pack) => pack.allocated(),
            Large(quick) => quick.memory(samples),
        }
    }

    /// How many allocations freeing it takes, roughly.
    pub fn effort(&self) -> usize {
        match self.form.view() {
            Small(_) => 1,
            Large(quick) => quick.nodes(),
        }
    }

    /// The number of elements.
    #[inline]
    pub fn len(&self) -> usize {
        match self.form.view() {
            Small(pack) => pack.len(),
            Large(quick) => quick.len(),
        }
    }

    /// Whether there is no element.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.is_vacant()
    }

    /// The listpack of a small one.
    pub fn listpack(&self) -> Option<&Listpack> {
        match self.form.view() {
            Small(pack) => Some(pack),
            Large(_) => None,
        }
    }

    /// How a large one is kept.
    pub fn layout(&self) -> Option<Layout<'_>> {
        match self.form.view() {
            Small(_) => None,
            Large(quick) => Some(Layout(quick)),
        }
    }

    /// Makes the list large when `count` more elements of `bytes` bytes in all would be too much
    /// for a small one; to be called before they are added.
    #[inline]
    pub fn make_room(&mut self, bytes: usize, count: usize, limits: &Limits) {
        let Small(pack) = self.form.view_mut() else { return };
        let fill = Fill::new(limits);
        if fill.is_exceeded(pack.bytes_len() + bytes, pack.len() + count) {
            let pack = std::mem::take(pack);
            self.form = Large(Marker::new(Quick::of(pack, limits))).into();
        }
    }

    /// Makes the list small again when little enough is left of it; to be called after a removal.
    #[inline]
    pub fn shrink(&mut self, limits: &Limits) {
        if let Large(quick) = self.form.view_mut()
            && let Some(pack) = quick.take_single(Fill::new(limits))
        {
            self.form = Small(pack).into();
        }
    }

    /// Adds an element at an end.
    #[inline]
    pub fn push(&mut self, end: End, element: &[u8]) {
        match (self.form.view_mut(), end) {
            (Small(pack), End::Left) => pack.push_front(element),
            (Small(pack), End::Right) => pack.push_back(element),
            (Large(quick), end) => quick.push(end, element),
        }
    }

    /// Removes the element at an end, after `read` has looked at it; `None` when there is none.
    #[inline]
    pub fn pop<R>(&mut self, end: End, read: impl FnOnce(Element<'_>) -> R) -> Option<R> {
        match self.form.view_mut() {
            Small(pack) => {
                let position = match end {
                    End::Left => pack.first(),
                    End::Right => pack.last(),
                }?;
                let result = read(pack.get(position));
                pack.delete(position);
                Some(result)
            }
            Large(quick) => quick.pop(end, read),
        }
    }

    /// Calls `read` with the element at an index; `None` when there is none.
    #[inline]
    pub fn get<R>(&self, index: usize, read: impl FnOnce(Element<'_>) -> R) -> Option<R> {
        match self.form.view() {
            Small(pack) => pack.seek(index).map(|position| read(pack.get(position))),
            Large(quick) => quick.get(index, read),
        }
    }

    /// Calls `visit` with up to `count` elements from an index on, towards the right.
    #[inline]
    pub fn range(&self, start: usize, count: usize, mut visit: impl FnMut(Element<'_>)) {
        match self.form.view() {
            Small(pack) => {
                let Some(first) = pack.seek(start) else { return };
                pack.iter_from(first).take(count).for_each(|(_, element)| visit(element));
            }
            Large(quick) => quick.range(start, count, &mut visit),
        }
    }

    /// Calls `visit` with up to `count` elements from an index on, towards the left.
    pub fn range_back(&self, start: usize, count: usize, mut visit: impl FnMut(Element<'_>)) {
        match self.form.view() {
            Small(pack) => {
                let Some(first) = pack.seek(start) else { return };
                pack.iter_to(first).rev().take(count).for_each(|(_, element)| visit(element));
            }
            Large(quick) => quick.range_back(start, count, &mut visit),
        }
    }

    /// Removes up to `count` elements from an index on.
    pub fn remove_range(&mut self, start: usize, count: usize) {
        match self.form.view_mut() {
            Small(pack) => pack.delete_range(start, count),
            Large(quick) => quick.remove_range(start, count),
        }
    }

    /// Replaces the element at an index; whether there is one.
    pub fn set(&mut self, index: usize, element: &[u8]) -> bool {
        match self.form.view_mut() {
            Small(pack) => {
                let position = pack.seek(index);
                position.into_iter().for_each(|position| pack.replace(position, element));
                position.is_some()
            }
            Large(quick) => quick.set(index, element),
        }
    }

    /// Puts an element beside the first one that equals `pivot`; whether there is one.
    pub fn insert(&mut self, side: End, pivot: &[u8], element: &[u8]) -> bool {
        match self.form.view_mut() {
            Small(pack) => match (pack.find(pivot, 0), side) {
                (None, _) => false,
                (Some(position), End::Left) => {
                    pack.insert_before(position, element);
                    true
                }
                (Some(position), End::Right) => {
                    pack.insert_after(position, element);
                    true
                }
            },
            Large(quick) => quick.insert(side, pivot, element),
        }
    }

    /// Removes the first `count` elements, seen from an end, that equal `element`; how many.
    pub fn remove_equal(&mut self, from: End, element: &[u8], count: usize) -> usize {
        match self.form.view_mut() {
            Small(pack) => {
                let positions = equal_positions(pack, from, element, count);
                if !positions.is_empty() {
                    pack.delete_all(&positions);
                }
                positions.len()
            }
            Large(quick) => quick.remove_equal(from, element, count),
        }
    }

    /// Walks from an end over at most `most` elements and calls `found` with the distance from
    /// that end of each that equals `element`, until it answers `false`.
    pub fn search(
        &self,
        from: End,
        element: &[u8],
        most: usize,
        mut found: impl FnMut(usize) -> bool,
    ) {
        match self.form.view() {
            Small(pack) => {
                search_pack(pack, from, element, 0, most, &mut found);
            }
            Large(quick) => quick.search(from, element, most, &mut found),
        }
    }
}

impl Default for List {
    fn default() -> Self {
        Self::new()
    }
}

/// The places, in ascending order, of the first `count` elements from an end that equal `element`.
fn equal_positions(pack: &Listpack, from: End, element: &[u8], count: usize) -> Vec<Position> {
    let wanted = Element::Str(element).recognised();
    let mut positions = Vec::new();
    match from {
        End::Left => {
            let mut next = pack.find(wanted, 0);
            while let Some(position) = next.filter(|_| positions.len() < count) {
                positions.push(position);
                next = pack.next(position).and_then(|behind| pack.find_from(behind, wanted, 0));
            }
        }
        End::Right => {
            let equal = pack.iter().rev().filter(|(_, element)| *element == wanted);
            positions.extend(equal.take(count).map(|(position, _)| position));
            positions.reverse();
        }
    }
    positions
}

/// Calls `found` as [`List::search`] does for one listpack that begins `offset` elements from the
/// end; `false` when the search is over.
fn search_pack(
    pack: &Listpack,
    from: End,
    element: &[u8],
    offset: usize,
    most: usize,
    found: &mut impl FnMut(usize) -> bool,
) -> bool {
    let wanted = Element::Str(element).recognised();
    let mut see = |(distance, (_, element)): (usize, (Position, Element<'_>))| {
        element != wanted || found(offset + distance)
    };
    match from {
        End::Left => pack.iter().enumerate().take(most).all(&mut see),
        End::Right => pack.iter().rev().enumerate().take(most).all(&mut see),
    }
}
