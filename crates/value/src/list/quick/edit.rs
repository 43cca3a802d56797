//! Changes in the middle of a large list, and keeping the right nodes compressed.

use super::{Node, Quick, View};
use crate::compact::{Element, Listpack, Position};
use crate::list::End;

/// A `VecDeque` of nodes gives room back when it uses less than this part of it.
const SPARSE: usize = 4;

/// Where an element stands.
struct Place {
    node: usize,
    /// `None` for a huge element, which is alone in its node.
    position: Option<Position>,
    is_first: bool,
    is_last: bool,
}

impl Quick {
    /// Replaces the element at an index; whether there is one.
    pub(in crate::list) fn set(&mut self, index: usize, element: &[u8]) -> bool {
        let Some((at, offset)) = self.locate(index) else { return false };
        let huge = self.fill.is_huge(element.len());
        if self.nodes[at].is_plain() {
            self.set_plain(at, element, huge);
        } else if huge {
            self.set_huge(at, offset, element);
        } else {
            self.nodes[at].change(|pack| {
                let position = pack.seek(offset).expect("the node has this element");
                pack.replace(position, element);
            });
        }
        self.settle();
        true
    }

    /// Replaces a huge element; a short one joins the next node if it may.
    fn set_plain(&mut self, at: usize, element: &[u8], huge: bool) {
        let fill = self.fill;
        let next = self.nodes.get_mut(at + 1);
        match next.filter(|next| !huge && fill.allows(next, element.len())) {
            Some(next) => {
                next.change(|pack| pack.push_front(element));
                self.nodes.remove(at);
            }
            None => self.nodes[at] = Node::of(element, huge),
        }
    }

    /// Puts a huge element in the place of one in a listpack, which is divided there.
    fn set_huge(&mut self, at: usize, offset: usize, element: &[u8]) {
        let rest = self.nodes[at].change(|pack| {
            let position = pack.seek(offset).expect("the node has this element");
            let rest = pack.next(position).map(|behind| pack.split_off(behind));
            pack.delete(position);
            rest
        });
        self.nodes.insert(at + 1, Node::of(element, true));
        if let Some(rest) = rest.flatten() {
            self.nodes.insert(at + 2, Node::packed(rest));
        }
        if self.nodes[at].count() == 0 {
            self.nodes.remove(at);
        } else {
            self.merge_around(at + 1);
        }
    }

    /// Puts an element beside the first one that equals `pivot`; whether there is one.
    pub(in crate::list) fn insert(&mut self, side: End, pivot: &[u8], element: &[u8]) -> bool {
        let Some(place) = self.find(pivot) else { return false };
        self.len += 1;
        if self.fill.is_huge(element.len()) {
            self.insert_huge(side, &place, element);
        } else {
            self.insert_short(side, &place, element);
        }
        self.settle();
        true
    }

    fn find(&self, element: &[u8]) -> Option<Place> {
        let wanted = Element::Str(element).recognised();
        self.nodes.iter().enumerate().find_map(|(node, body)| match body.view() {
            View::Packed(pack) => {
                let position = pack.find(wanted, 0)?;
                let is_first = pack.first() == Some(position);
                let is_last = pack.last() == Some(position);
                Some(Place { node, position: Some(position), is_first, is_last })
            }
            View::Plain(plain) if *plain == *element => {
                Some(Place { node, position: None, is_first: true, is_last: true })
            }
            View::Plain(_) => None,
        })
    }

    fn insert_huge(&mut self, side: End, place: &Place, element: &[u8]) {
        let node = Node::of(element, true);
        if let Some(behind) = place.edge(side) {
            self.nodes.insert(behind, node);
            return;
        }
        let rest = self.split(side, place);
        self.nodes.insert(place.node + 1, node);
        self.nodes.insert(place.node + 2, Node::packed(rest));
    }

    fn insert_short(&mut self, side: End, place: &Place, element: &[u8]) {
        let (at, fill) = (place.node, self.fill);
        if fill.allows(&self.nodes[at], element.len()) {
            let position = place.position.expect("nothing joins a huge element");
            self.nodes[at].change(|pack| match side {
                End::Left => pack.insert_before(position, element),
                End::Right => pack.insert_after(position, element),
            });
            return;
        }
        let Some(edge) = place.edge(side) else {
            let mut rest = self.split(side, place);
            let center = match side {
                End::Left => {
                    self.nodes[at].change(|pack| pack.push_back(element));
                    at + 1
                }
                End::Right => {
                    rest.push_front(element);
                    at
                }
            };
            self.nodes.insert(at + 1, Node::packed(rest));
            self.merge_around(center);
            return;
        };
        let neighbour = match side {
            End::Left => at.checked_sub(1),
            End::Right => Some(at + 1),
        };
        let neighbour = neighbour.and_then(|at| self.nodes.get_mut(at));
        match (neighbour.filter(|node| fill.allows(node, element.len())), side) {
            (Some(node), End::Left) => node.change(|pack| pack.push_back(element)),
            (Some(node), End::Right) => node.change(|pack| pack.push_front(element)),
            (None, _) => {
                self.nodes.insert(edge, Node::of(element, false));
                Some(())
            }
        };
    }

    /// Cuts a node before or behind an element; gives what stands behind the cut.
    fn split(&mut self, side: End, place: &Place) -> Listpack {
        let rest = self.nodes[place.node].change(|pack| {
            let position = place.position?;
            let cut = match side {
                End::Left => Some(position),
                End::Right => pack.next(position),
            };
            cut.map(|cut| pack.split_off(cut))
        });
        rest.flatten().expect("the element is in a listpack, and not at its edge")
    }

    /// Removes up to `count` elements from an index on.
    pub(in crate::list) fn remove_range(&mut self, start: usize, count: usize) {
        let Some((mut at, offset)) = self.locate(start) else { return };
        let mut left = count.min(self.len - start);
        self.len -= left;
        if offset > 0 {
            let here = left.min(self.nodes[at].count() - offset);
            self.nodes[at].change(|pack| pack.delete_range(offset, here));
            left -= here;
            at += 1;
        }
        let first = at;
        while left > 0 && self.nodes[at].count() <= left {
            left -= self.nodes[at].count();
            at += 1;
        }
        if left > 0 {
            self.nodes[at].change(|pack| pack.delete_range(0, left));
        }
        self.nodes.drain(first..at);
        self.settle();
    }

    /// Joins neighbours around a node where the bounds allow it.
    fn merge_around(&mut self, mut center: usize) {
        if center >= 2 && self.merge(center - 2) {
            center -= 1;
        }
        self.merge(center + 1);
        if center >= 1 && self.merge(center - 1) {
            center -= 1;
        }
        self.merge(center);
    }

    /// Joins a node with the next one if the bounds allow it.
    fn merge(&mut self, at: usize) -> bool {
        let pair = self.nodes.get(at).zip(self.nodes.get(at + 1));
        if !pair.is_some_and(|(a, b)| self.fill.allows_merge(a, b)) {
            return false;
        }
        let other = self.nodes.remove(at + 1).and_then(|mut node| node.change(std::mem::take));
        let other = other.expect("only listpacks are joined");
        self.nodes[at].change(|pack| pack.merge(&other));
        true
    }

    /// After a change anywhere: compresses and decompresses what has to be.
    pub(in crate::list) fn settle(&mut self) {
        self.give_back();
        let (depth, len) = (self.depth, self.nodes.len());
        if depth == 0 {
            return;
        }
        for (at, node) in self.nodes.iter_mut().enumerate() {
            if at < depth || at + depth >= len {
                node.decompress();
            } else {
                node.compress();
            }
        }
    }

    /// After a node came or went at an end: the same, but looking at both ends only.
    pub(super) fn settle_ends(&mut self) {
        self.give_back();
        let (depth, len) = (self.depth, self.nodes.len());
        if depth == 0 {
            return;
        }
        for at in (0..depth.min(len)).chain(len.saturating_sub(depth)..len) {
            self.nodes[at].decompress();
        }
        if len > 2 * depth {
            self.nodes[depth].compress();
            self.nodes[len - 1 - depth].compress();
        }
    }

    /// Panics where an invariant is broken.
    #[cfg(test)]
    pub(in crate::list) fn check(&self, depth: usize) {
        assert_eq!(self.len, self.nodes.iter().map(Node::count).sum::<usize>());
        for (at, node) in self.nodes.iter().enumerate() {
            assert!(node.count() > 0, "a node is empty");
            let is_outer = depth == 0 || at < depth || at + depth >= self.nodes.len();
            assert!(!is_outer || !node.is_compressed(), "an outer node is compressed");
            let count = match node.view() {
                View::Packed(pack) => pack.iter().count(),
                View::Plain(_) => 1,
            };
            assert_eq!(node.count(), count);
        }
    }

    fn give_back(&mut self) {
        if self.nodes.len() * SPARSE < self.nodes.capacity() {
            self.nodes.shrink_to(self.nodes.len() * 2);
        }
    }
}

impl Place {
    /// Where a new node goes when the element stands at that edge of its node.
    fn edge(&self, side: End) -> Option<usize> {
        match side {
            End::Left => self.is_first.then_some(self.node),
            End::Right => self.is_last.then_some(self.node + 1),
        }
    }
}
