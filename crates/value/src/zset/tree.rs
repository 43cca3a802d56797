//! A B+tree that knows how many items stand in each part of it, so that ranks cost what a search
//! costs.
//!
//! Items are small and copied about; their order is by score, then by name. Scores stand beside
//! the items, in leaves and in inner nodes, so that a search touches what an item points to only
//! where scores are equal. An inner node knows of each child its first item and the number of
//! items below it.
//!
//! Invariants:
//! - no node is empty but a root that is a leaf, and all leaves are at the same depth;
//! - `firsts[i]` is the first item below `nodes[i]`, `counts[i]` how many there are.

use std::cmp::Ordering;
use std::ops::Range;
use std::ptr;

use crate::{Pays, relocate};

/// Items of a leaf. A kilobyte of them is moved at most.
const LEAF_MAX: usize = 64;
/// Children of an inner node.
const INNER_MAX: usize = 32;
/// A node with less than this part of its maximum is joined with a neighbour.
const SPARSE: usize = 4;
/// Room that a full run of items gets, in items; with items of a word each such step is a size
/// class of the allocator.
const STEP: usize = 8;
/// Children of each node whose memory stands for that of all.
const CHILDREN_LOOKED: usize = 3;
/// How far ahead of a walk items are fetched.
const AHEAD: usize = 6;

/// What the tree orders.
pub(super) trait Named: Copy {
    /// What orders equal scores.
    fn name(&self) -> &[u8];
    /// Whether it is the same item, not just one with the same name.
    fn is(&self, other: &Self) -> bool;
    /// Tells the processor that the name will be read.
    fn prefetch(&self) {}
}

/// See the module's text.
pub(super) struct Tree<T> {
    root: Node<T>,
    len: usize,
}

enum Node<T> {
    Leaf(Vec<Placed<T>>),
    Inner(Box<Inner<T>>),
}

struct Inner<T> {
    firsts: Vec<Placed<T>>,
    counts: Vec<usize>,
    nodes: Vec<Node<T>>,
}

/// An item with its score, which is never NaN.
#[derive(Clone, Copy)]
struct Placed<T> {
    score: f64,
    item: T,
}

impl<T: Named> Placed<T> {
    /// Whether it comes before this score and name.
    #[inline]
    fn is_before(&self, score: f64, name: &[u8]) -> bool {
        match self.score.partial_cmp(&score) {
            Some(Ordering::Equal) => self.item.name() < name,
            order => order == Some(Ordering::Less),
        }
    }

    /// Whether it comes behind this score and name.
    #[inline]
    fn is_behind(&self, score: f64, name: &[u8]) -> bool {
        match self.score.partial_cmp(&score) {
            Some(Ordering::Equal) => self.item.name() > name,
            order => order == Some(Ordering::Greater),
        }
    }
}

impl<T: Named> Tree<T> {
    pub(super) fn new() -> Tree<T> {
        Tree { root: Node::Leaf(Vec::new()), len: 0 }
    }

    /// Adds an item; none with this score and its name is there.
    pub(super) fn insert(&mut self, item: T, score: f64) {
        self.len += 1;
        if let Some(right) = self.root.insert(Placed { score, item }) {
            let left = std::mem::replace(&mut self.root, Node::Leaf(Vec::new()));
            let mut root = Inner::with_capacity(2);
            root.put(0, left);
            root.put(1, right);
            self.root = Node::Inner(Box::new(root));
        }
    }

    /// How many items come before one that is here.
    pub(super) fn rank_of(&self, item: T, score: f64) -> usize {
        let (mut node, mut rank) = (&self.root, 0);
        loop {
            match node {
                Node::Leaf(items) => return rank + place_of(items, item),
                Node::Inner(inner) => {
                    let child = inner.child_of(item, score);
                    rank += inner.counts[..child].iter().sum::<usize>();
                    node = &inner.nodes[child];
                }
            }
        }
    }

    /// Gives an item that is here another score if it keeps its place by that and no inner node
    /// has to know; says whether.
    pub(super) fn rescore(&mut self, item: T, old: f64, new: f64) -> bool {
        let (mut node, mut behind) = (&mut self.root, None);
        loop {
            match node {
                Node::Leaf(items) => {
                    let (at, name) = (place_of(items, item), item.name());
                    let behind = items.get(at + 1).copied().or(behind);
                    let stays = at > 0
                        && items[at - 1].is_before(new, name)
                        && behind.is_none_or(|next| next.is_behind(new, name));
                    if stays {
                        items[at].score = new;
                    }
                    return stays;
                }
                Node::Inner(inner) => {
                    let child = inner.child_of(item, old);
                    behind = inner.firsts.get(child + 1).copied().or(behind);
                    node = &mut inner.nodes[child];
                }
            }
        }
    }

    /// Puts an item with the same name in the place of one that is here.
    pub(super) fn replace(&mut self, old: T, new: T, score: f64) {
        let mut node = &mut self.root;
        loop {
            match node {
                Node::Leaf(items) => {
                    let at = place_of(items, old);
                    items[at].item = new;
                    return;
                }
                Node::Inner(inner) => {
                    let child = inner.child_of(old, score);
                    if inner.firsts[child].item.is(&old) {
                        inner.firsts[child].item = new;
                    }
                    node = &mut inner.nodes[child];
                }
            }
        }
    }

    /// Moves the nodes that begin with one of about `count` leaves' items, from the item of a rank
    /// on, where that pays; the rank to go on with, none at the end.
    pub(super) fn relocate(&mut self, rank: usize, count: usize, pays: Pays<'_>) -> Option<usize> {
        let end = rank.saturating_add(count.max(1) * (LEAF_MAX / 2));
        self.root.relocate(0, &(rank..end), pays);
        (end < self.len).then_some(end)
    }

    /// Takes out an item that is here.
    pub(super) fn remove(&mut self, item: T, score: f64) {
        self.len -= 1;
        self.root.remove(item, score);
        self.lower();
    }

    /// How many items satisfy a condition that holds from the first item up to some place.
    pub(super) fn count_while(&self, holds: impl Fn(f64, &T) -> bool) -> usize {
        let (mut node, mut rank) = (&self.root, 0);
        loop {
            match node {
                Node::Leaf(items) => {
                    return rank
                        + items.partition_point(|placed| holds(placed.score, &placed.item));
                }
                Node::Inner(inner) => {
                    let Some(child) = inner
                        .firsts
                        .partition_point(|first| holds(first.score, &first.item))
                        .checked_sub(1)
                    else {
                        return rank;
                    };
                    rank += inner.counts[..child].iter().sum::<usize>();
                    node = &inner.nodes[child];
                }
            }
        }
    }

    /// The run of items that no longer satisfy `is_before` and still satisfy `reaches`, as the rank
    /// of its first and of the one behind it. Short runs cost one search.
    pub(super) fn run(
        &self,
        is_before: impl Fn(f64, &T) -> bool,
        reaches: impl Fn(f64, &T) -> bool,
    ) -> (usize, usize) {
        let (mut node, mut rank, mut behind) = (&self.root, 0, None);
        loop {
            match node {
                Node::Leaf(items) => {
                    let at = items.partition_point(|next| is_before(next.score, &next.item));
                    let inside = &items[at..];
                    let count = inside.partition_point(|next| reaches(next.score, &next.item));
                    let goes_on = |next: &Placed<T>| reaches(next.score, &next.item);
                    let start = rank + at;
                    if count == inside.len() && behind.is_some_and(goes_on) {
                        return (start, self.count_while(reaches));
                    }
                    return (start, start + count);
                }
                Node::Inner(inner) => {
                    let firsts = &inner.firsts;
                    let passed =
                        firsts.partition_point(|first| is_before(first.score, &first.item));
                    let Some(child) = passed.checked_sub(1) else {
                        return (rank, self.count_while(reaches));
                    };
                    behind = firsts.get(passed).or(behind);
                    rank += inner.counts[..child].iter().sum::<usize>();
                    node = &inner.nodes[child];
                }
            }
        }
    }

    /// Takes out the item of a rank.
    ///
    /// # Panics
    /// When there is none.
    pub(super) fn remove_at(&mut self, rank: usize) -> T {
        assert!(rank < self.len, "a rank beyond the last item");
        self.len -= 1;
        let item = self.root.remove_at(rank);
        self.lower();
        item
    }

    /// Takes away a root that has a single child.
    fn lower(&mut self) {
        while let Node::Inner(inner) = &mut self.root
            && inner.nodes.len() == 1
        {
            self.root = inner.nodes.remove(0);
        }
    }

    /// The items of these ranks, from the first or from the last.
    ///
    /// # Panics
    /// When the range reaches beyond the last item.
    pub(super) fn iter(&self, ranks: Range<usize>, reverse: bool) -> Iter<'_, T> {
        assert!(ranks.end <= self.len || ranks.is_empty(), "ranks beyond the last item");
        Iter { tree: self, leaf: &[], leaf_rank: 0, ranks, reverse }
    }

    /// Bytes of the nodes.
    pub(super) fn memory(&self, looks_everywhere: bool) -> usize {
        self.root.memory(if looks_everywhere { INNER_MAX } else { CHILDREN_LOOKED })
    }

    /// The leaf with the item of a rank, and the rank of the leaf's first item.
    fn leaf_at(&self, rank: usize) -> (&[Placed<T>], usize) {
        let (mut node, mut inside) = (&self.root, rank);
        loop {
            match node {
                Node::Leaf(items) => return (items, rank - inside),
                Node::Inner(inner) => node = &inner.nodes[inner.child_at(&mut inside)],
            }
        }
    }

    #[cfg(test)]
    pub(super) fn check(&self) {
        assert_eq!(self.root.len(), self.len);
        self.root.check();
    }
}

impl<T: Named> Inner<T> {
    /// Bytes below this node, from so many of its children, evenly chosen.
    fn memory_below(&self, children: usize) -> usize {
        let len = self.nodes.len();
        let looked = children.min(len);
        let chosen = (0..looked).map(|at| at * len / looked);
        let (bytes, items) = chosen.fold((0, 0), |(bytes, items), at| {
            (bytes + self.nodes[at].memory(children), items + self.counts[at])
        });
        let all: usize = self.counts.iter().sum();
        if looked == len { bytes } else { bytes * all / items.max(1) }
    }
}

impl<T: Named> Node<T> {
    /// Adds an item; gives what is split off on the right when there is no room.
    fn insert(&mut self, new: Placed<T>) -> Option<Node<T>> {
        let inner = match self {
            Node::Leaf(items) => return insert_into_leaf(items, new),
            Node::Inner(inner) => inner,
        };
        let name = new.item.name();
        let child = inner
            .firsts
            .partition_point(|first| first.is_before(new.score, name))
            .saturating_sub(1);
        let split = inner.nodes[child].insert(new);
        inner.counts[child] += 1;
        inner.refresh(child);
        if let Some(right) = split {
            inner.counts[child] -= right.len();
            inner.put(child + 1, right);
        }
        let count = inner.nodes.len();
        if count <= INNER_MAX {
            return None;
        }
        // Items that come in order leave full nodes behind.
        let at = if child + 2 == count { count - 1 } else { count / 2 };
        Some(Node::Inner(Box::new(inner.split_off(at))))
    }

    fn remove_at(&mut self, mut rank: usize) -> T {
        match self {
            Node::Leaf(items) => items.remove(rank).item,
            Node::Inner(inner) => {
                let child = inner.child_at(&mut rank);
                let item = inner.nodes[child].remove_at(rank);
                inner.settle(child);
                item
            }
        }
    }

    fn remove(&mut self, item: T, score: f64) {
        match self {
            Node::Leaf(items) => {
                items.remove(place_of(items, item));
            }
            Node::Inner(inner) => {
                let child = inner.child_of(item, score);
                inner.nodes[child].remove(item, score);
                inner.settle(child);
            }
        }
    }

    /// Moves the nodes whose first items have these ranks, where that pays; `first` is the rank of
    /// this node's first item.
    fn relocate(&mut self, mut first: usize, ranks: &Range<usize>, pays: Pays<'_>) {
        let begins = ranks.contains(&first);
        let inner = match self {
            Node::Leaf(items) if begins => return relocate::run(items, pays),
            Node::Leaf(_) => return,
            Node::Inner(inner) => inner,
        };
        if begins {
            inner.relocate(pays);
        }
        for (node, count) in inner.nodes.iter_mut().zip(&inner.counts) {
            let behind = first + count;
            if first < ranks.end && behind > ranks.start {
                node.relocate(first, ranks, pays);
            }
            first = behind;
        }
    }

    fn first(&self) -> Placed<T> {
        match self {
            Node::Leaf(items) => items[0],
            Node::Inner(inner) => inner.firsts[0],
        }
    }

    fn len(&self) -> usize {
        match self {
            Node::Leaf(items) => items.len(),
            Node::Inner(inner) => inner.counts.iter().sum(),
        }
    }

    fn is_sparse(&self) -> bool {
        match self {
            Node::Leaf(items) => items.len() < LEAF_MAX / SPARSE,
            Node::Inner(inner) => inner.nodes.len() < INNER_MAX / SPARSE,
        }
    }

    /// Takes in the node to the right of it; gives back the right half when that is too much.
    fn join(&mut self, right: Node<T>) -> Option<Node<T>> {
        match (self, right) {
            (Node::Leaf(left), Node::Leaf(mut right)) => {
                let total = left.len() + right.len();
                left.reserve_exact(right.len());
                left.append(&mut right);
                (total > LEAF_MAX * 3 / 4).then(|| Node::Leaf(left.split_off(total / 2)))
            }
            (Node::Inner(left), Node::Inner(mut right)) => {
                let total = left.nodes.len() + right.nodes.len();
                left.firsts.append(&mut right.firsts);
                left.counts.append(&mut right.counts);
                left.nodes.append(&mut right.nodes);
                (total > INNER_MAX * 3 / 4)
                    .then(|| Node::Inner(Box::new(left.split_off(total / 2))))
            }
            _ => unreachable!("all leaves are at the same depth"),
        }
    }

    /// Bytes of this node and those below, estimated from so many children of each.
    fn memory(&self, children: usize) -> usize {
        match self {
            Node::Leaf(items) => items.capacity() * size_of::<Placed<T>>(),
            Node::Inner(inner) => {
                size_of::<Inner<T>>()
                    + inner.firsts.capacity() * size_of::<Placed<T>>()
                    + inner.counts.capacity() * size_of::<usize>()
                    + inner.nodes.capacity() * size_of::<Node<T>>()
                    + inner.memory_below(children)
            }
        }
    }

    #[cfg(test)]
    fn check(&self) -> usize {
        let Node::Inner(inner) = self else { return 0 };
        assert!(!inner.nodes.is_empty() && inner.nodes.len() <= INNER_MAX);
        let depths: Vec<usize> = inner.nodes.iter().map(Node::check).collect();
        assert!(depths.iter().all(|depth| *depth == depths[0]));
        for (child, node) in inner.nodes.iter().enumerate() {
            assert_eq!(node.len(), inner.counts[child]);
            let (kept, real) = (inner.firsts[child], node.first());
            assert_eq!((kept.score, kept.item.name()), (real.score, real.item.name()));
        }
        depths[0] + 1
    }
}

impl<T: Named> Inner<T> {
    fn with_capacity(nodes: usize) -> Inner<T> {
        Inner {
            firsts: Vec::with_capacity(nodes),
            counts: Vec::with_capacity(nodes),
            nodes: Vec::with_capacity(nodes),
        }
    }

    /// Moves the node itself and its lists where that pays.
    fn relocate(self: &mut Box<Self>, pays: Pays<'_>) {
        relocate::run(&mut self.firsts, pays);
        relocate::run(&mut self.counts, pays);
        relocate::run(&mut self.nodes, pays);
        if pays(ptr::from_ref(&**self).cast()) {
            let empty = Inner { firsts: Vec::new(), counts: Vec::new(), nodes: Vec::new() };
            let moved = Box::new(std::mem::replace(&mut **self, empty));
            *self = moved;
        }
    }

    fn put(&mut self, at: usize, node: Node<T>) {
        self.firsts.insert(at, node.first());
        self.counts.insert(at, node.len());
        self.nodes.insert(at, node);
    }

    fn take(&mut self, at: usize) -> Node<T> {
        self.firsts.remove(at);
        self.counts.remove(at);
        self.nodes.remove(at)
    }

    fn split_off(&mut self, at: usize) -> Inner<T> {
        Inner {
            firsts: self.firsts.split_off(at),
            counts: self.counts.split_off(at),
            nodes: self.nodes.split_off(at),
        }
    }

    fn refresh(&mut self, child: usize) {
        self.firsts[child] = self.nodes[child].first();
    }

    /// The child with an item that is below.
    fn child_of(&self, item: T, score: f64) -> usize {
        let up_to = |first: &Placed<T>| !first.is_behind(score, item.name());
        self.firsts.partition_point(up_to).saturating_sub(1)
    }

    /// The child with the item of a rank; the rank becomes the one within that child.
    fn child_at(&self, rank: &mut usize) -> usize {
        let last = self.counts.len() - 1;
        for (child, count) in self.counts[..last].iter().enumerate() {
            if *rank < *count {
                return child;
            }
            *rank -= count;
        }
        last
    }

    /// Puts things in order after an item below a child is gone.
    fn settle(&mut self, child: usize) {
        self.counts[child] -= 1;
        if self.counts[child] == 0 {
            drop(self.take(child));
            return;
        }
        self.refresh(child);
        if !self.nodes[child].is_sparse() || self.nodes.len() == 1 {
            return;
        }
        let left = child.saturating_sub(1);
        let right = self.take(left + 1);
        let split = self.nodes[left].join(right);
        self.counts[left] = self.nodes[left].len();
        self.refresh(left);
        if let Some(right) = split {
            self.put(left + 1, right);
        }
    }
}

/// Items by their ranks.
pub(super) struct Iter<'a, T> {
    tree: &'a Tree<T>,
    leaf: &'a [Placed<T>],
    /// The rank of the leaf's first item.
    leaf_rank: usize,
    ranks: Range<usize>,
    reverse: bool,
}

impl<'a, T: Named> Iterator for Iter<'a, T> {
    type Item = &'a T;

    #[inline]
    fn next(&mut self) -> Option<&'a T> {
        let rank = if self.reverse { self.ranks.next_back()? } else { self.ranks.next()? };
        let mut at = rank.wrapping_sub(self.leaf_rank);
        if at >= self.leaf.len() {
            (self.leaf, self.leaf_rank) = self.tree.leaf_at(rank);
            at = rank - self.leaf_rank;
        }
        let ahead = if self.reverse { at.wrapping_sub(AHEAD) } else { at + AHEAD };
        if let Some(placed) = self.leaf.get(ahead) {
            placed.item.prefetch();
        }
        Some(&self.leaf[at].item)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.ranks.size_hint()
    }
}

impl<T: Named> ExactSizeIterator for Iter<'_, T> {}

fn insert_into_leaf<T: Named>(items: &mut Vec<Placed<T>>, new: Placed<T>) -> Option<Node<T>> {
    let name = new.item.name();
    let at = items.partition_point(|placed| placed.is_before(new.score, name));
    if items.len() < LEAF_MAX {
        put_item(items, at, new);
        return None;
    }
    // Items that come in order, up or down, leave full leaves behind.
    let split = if at == 0 || at == LEAF_MAX { at } else { LEAF_MAX / 2 };
    let mut right = items.split_off(split);
    items.shrink_to_fit();
    if at < split || split == 0 {
        put_item(items, at, new);
    } else {
        put_item(&mut right, at - split, new);
    }
    Some(Node::Leaf(right))
}

/// The place of an item that is in a leaf. Looking for the item itself reads no name.
fn place_of<T: Named>(items: &[Placed<T>], item: T) -> usize {
    let found = items.iter().position(|placed| placed.item.is(&item));
    found.expect("its score and name lead to its leaf")
}

fn put_item<T>(items: &mut Vec<T>, at: usize, item: T) {
    if items.len() == items.capacity() {
        items.reserve_exact(STEP);
    }
    items.insert(at, item);
}
