//! A large list: a sequence of nodes, each a listpack within bounds or one huge element.
//!
//! Where nodes begin and end follows Redis's quicklist, because a list becomes small again only
//! when one node is left. With a compress depth the outermost so many nodes at each end are never
//! compressed and the others are, when that saves something.

use std::collections::VecDeque;
use std::ops::Range;
use std::ptr;

use super::limit::Fill;
use super::node::{Node, View};
use super::{End, search_pack};
use crate::compact::{Element, Listpack};
use crate::{Limits, Pays};

mod edit;

/// More nodes at an end than this cannot be kept from compression.
const DEPTH_MAX: usize = (1 << 16) - 1;
/// The most elements a node of counted elements can be asked to have.
const COUNT_MAX: usize = (1 << 15) - 1;

/// See the module's text.
#[derive(Clone, Debug)]
pub(super) struct Quick {
    nodes: VecDeque<Node>,
    len: usize,
    fill: Fill,
    depth: usize,
}

impl Quick {
    /// A list of the elements of a listpack, under the limits of this moment.
    pub(super) fn of(pack: Listpack, limits: &Limits) -> Self {
        let mut quick = Self {
            nodes: VecDeque::new(),
            len: pack.len(),
            fill: Fill::new(limits).at_most(COUNT_MAX),
            depth: limits.list_compress_depth.min(DEPTH_MAX),
        };
        if !pack.is_empty() {
            quick.nodes.push_back(Node::packed(pack));
        }
        quick
    }

    /// The number of elements.
    #[inline]
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The number of nodes.
    pub(super) fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The nodes in order.
    pub(super) fn each_node(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter()
    }

    /// Some of the nodes.
    pub(super) fn nodes_in(&self, numbers: Range<usize>) -> impl Iterator<Item = &Node> {
        self.nodes.range(numbers)
    }

    /// How many nodes at each end are not compressed; 0 when none is compressed.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    /// Moves the contents of `count` nodes from a number on, where that pays; the next number, 0
    /// behind the last.
    pub(super) fn relocate_nodes(&mut self, from: u64, count: usize, pays: Pays<'_>) -> u64 {
        let len = self.nodes.len();
        // Where the first node stands is in the same slab as where the list of nodes begins.
        if from == 0 && len > 0 && pays(ptr::from_ref(&self.nodes[0]).cast()) {
            let mut moved = VecDeque::with_capacity(self.nodes.capacity());
            moved.append(&mut self.nodes);
            self.nodes = moved;
        }
        let from = (from as usize).min(len);
        let to = from.saturating_add(count.max(1)).min(len);
        self.nodes.range_mut(from..to).for_each(|node| node.relocate(pays));
        if to == len { 0 } else { to as u64 }
    }

    /// Bytes asked of the allocator, extrapolated from the first `samples` nodes (0: all).
    pub(super) fn memory(&self, samples: usize) -> usize {
        let samples = if samples == 0 { self.nodes.len() } else { samples.min(self.nodes.len()) };
        let sampled: usize = self.nodes.iter().take(samples).map(Node::memory).sum();
        let all = sampled.checked_div(samples).map_or(0, |each| each * self.nodes.len());
        let all = if samples == self.nodes.len() { sampled } else { all };
        size_of::<Self>() + self.nodes.capacity() * size_of::<Node>() + all
    }

    /// The only node's listpack, if it is the only one and small enough for a small list.
    #[inline]
    pub(super) fn take_single(&mut self, fill: Fill) -> Option<Listpack> {
        if self.nodes.len() != 1 {
            return None;
        }
        let node = &mut self.nodes[0];
        if node.is_plain() || !fill.is_half_empty(node.size(), node.count()) {
            return None;
        }
        node.change(std::mem::take)
    }

    /// Adds a node at the right end; [`Self::settle`] is called after the last one.
    pub(super) fn push_node(&mut self, node: Node) {
        self.len += node.count();
        self.nodes.push_back(node);
    }

    /// Gives the listpack of the only node when a small list could hold it.
    pub(super) fn take_whole(&mut self, fill: Fill) -> Option<Listpack> {
        if self.nodes.len() != 1 {
            return None;
        }
        let node = &mut self.nodes[0];
        if node.is_plain() || fill.is_exceeded(node.size(), node.count()) {
            return None;
        }
        node.change(std::mem::take)
    }

    /// Adds an element at an end.
    #[inline]
    pub(super) fn push(&mut self, end: End, element: &[u8]) {
        let fill = self.fill;
        let node = match end {
            End::Left => self.nodes.front_mut(),
            End::Right => self.nodes.back_mut(),
        };
        self.len += 1;
        if let Some(node) = node.filter(|node| fill.allows(node, element.len())) {
            node.change(|pack| match end {
                End::Left => pack.push_front(element),
                End::Right => pack.push_back(element),
            });
            return;
        }
        let node = Node::of(element, fill.is_huge(element.len()));
        match end {
            End::Left => self.nodes.push_front(node),
            End::Right => self.nodes.push_back(node),
        }
        self.settle_ends();
    }

    /// Removes the element at an end, after `read` has looked at it.
    pub(super) fn pop<R>(&mut self, end: End, read: impl FnOnce(Element<'_>) -> R) -> Option<R> {
        let index = match end {
            End::Left => 0,
            End::Right => self.nodes.len().checked_sub(1)?,
        };
        let node = self.nodes.get_mut(index)?;
        node.decompress();
        let (result, left) = match node {
            Node::Packed { stubborn, count, pack } => {
                *stubborn = false;
                let position = match end {
                    End::Left => pack.first(),
                    End::Right => pack.last(),
                };
                let position = position.expect("a node is never empty");
                let result = read(pack.get(position));
                pack.delete(position);
                *count -= 1;
                (result, *count)
            }
            Node::Plain { element, .. } => (read(Element::Str(element)), 0),
            Node::PackedLzf { .. } | Node::PlainLzf(_) => unreachable!("it was decompressed"),
        };
        self.len -= 1;
        if left == 0 {
            match end {
                End::Left => self.nodes.pop_front(),
                End::Right => self.nodes.pop_back(),
            };
            self.settle_ends();
        }
        Some(result)
    }

    /// The node that holds an index, and the index within it; from the nearer end.
    pub(super) fn locate(&self, index: usize) -> Option<(usize, usize)> {
        if index >= self.len {
            return None;
        }
        if index <= self.len / 2 {
            let mut before = 0;
            for (at, node) in self.nodes.iter().enumerate() {
                if index < before + node.count() {
                    return Some((at, index - before));
                }
                before += node.count();
            }
        } else {
            let mut start = self.len;
            for (at, node) in self.nodes.iter().enumerate().rev() {
                start -= node.count();
                if index >= start {
                    return Some((at, index - start));
                }
            }
        }
        unreachable!("the nodes hold as many elements as the list")
    }

    /// Calls `read` with the element at an index.
    pub(super) fn get<R>(&self, index: usize, read: impl FnOnce(Element<'_>) -> R) -> Option<R> {
        let (at, offset) = self.locate(index)?;
        Some(match self.nodes[at].view() {
            View::Packed(pack) => {
                let position = pack.seek(offset).expect("the node has this element");
                read(pack.get(position))
            }
            View::Plain(element) => read(Element::Str(&element)),
        })
    }

    /// Calls `visit` with up to `count` elements from an index on, towards the right.
    pub(super) fn range(
        &self,
        start: usize,
        mut count: usize,
        visit: &mut impl FnMut(Element<'_>),
    ) {
        let Some((at, mut offset)) = self.locate(start) else { return };
        for node in self.nodes.range(at..) {
            if count == 0 {
                return;
            }
            let here = count.min(node.count() - offset);
            match node.view() {
                View::Packed(pack) => {
                    let first = pack.seek(offset).expect("the node has this element");
                    pack.iter_from(first).take(here).for_each(|(_, element)| visit(element));
                }
                View::Plain(element) => visit(Element::Str(&element)),
            }
            count -= here;
            offset = 0;
        }
    }

    /// Calls `visit` with up to `count` elements from an index on, towards the left.
    pub(super) fn range_back(
        &self,
        start: usize,
        mut count: usize,
        visit: &mut impl FnMut(Element<'_>),
    ) {
        let Some((at, offset)) = self.locate(start) else { return };
        let mut last = Some(offset);
        for node in self.nodes.range(..=at).rev() {
            if count == 0 {
                return;
            }
            let last = last.take().unwrap_or(node.count() - 1);
            let here = count.min(last + 1);
            match node.view() {
                View::Packed(pack) => {
                    let first = pack.seek(last).expect("the node has this element");
                    pack.iter_to(first).rev().take(here).for_each(|(_, element)| visit(element));
                }
                View::Plain(element) => visit(Element::Str(&element)),
            }
            count -= here;
        }
    }

    /// See [`super::List::search`].
    pub(super) fn search(
        &self,
        from: End,
        element: &[u8],
        most: usize,
        found: &mut impl FnMut(usize) -> bool,
    ) {
        let mut offset = 0;
        let mut see = |node: &Node| {
            let left = most - offset;
            let goes_on = left > 0
                && match node.view() {
                    View::Packed(pack) => search_pack(&pack, from, element, offset, left, found),
                    View::Plain(plain) => *plain != *element || found(offset),
                };
            offset = most.min(offset + node.count());
            goes_on
        };
        match from {
            End::Left => self.nodes.iter().all(&mut see),
            End::Right => self.nodes.iter().rev().all(&mut see),
        };
    }

    /// Removes the first `count` elements, seen from an end, that equal `element`; how many.
    pub(super) fn remove_equal(&mut self, from: End, element: &[u8], count: usize) -> usize {
        let last = self.nodes.len().saturating_sub(1);
        let mut removed = 0;
        for step in 0..self.nodes.len() {
            if removed == count {
                break;
            }
            let at = if from == End::Left { step } else { last - step };
            removed += self.nodes[at].remove_equal(from, element, count - removed);
        }
        self.len -= removed;
        if removed > 0 {
            self.nodes.retain(|node| node.count() > 0);
            self.settle();
        }
        removed
    }
}
