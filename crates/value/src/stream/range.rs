//! Walking over the entries of a stream between two ids, in either direction.

use std::collections::btree_map;
use std::ops::Bound;

use super::id::between;
use super::node::{Entries, EntriesBack, Node};
use super::{Entry, Id, Stream};

/// The entries between two ids.
#[derive(Clone)]
pub struct Range<'a> {
    nodes: btree_map::Range<'a, Id, Node>,
    entries: Option<Entries<'a>>,
    start: Id,
    end: Id,
}

/// The entries between two ids from the last to the first.
#[derive(Clone)]
pub struct RangeBack<'a> {
    nodes: std::iter::Rev<btree_map::Range<'a, Id, Node>>,
    entries: Option<EntriesBack<'a>>,
    start: Id,
    end: Id,
}

impl Stream {
    /// The entries from `start` to `end`, both included.
    pub fn range(&self, start: Id, end: Id) -> Range<'_> {
        let first = self.nodes.range(..=start).next_back().map_or(start, |(master, _)| *master);
        Range { nodes: self.nodes.range(between(first, end)), entries: None, start, end }
    }

    /// The entries from `end` back to `start`, both included.
    pub fn range_back(&self, start: Id, end: Id) -> RangeBack<'_> {
        let nodes = self.nodes.range((Bound::Unbounded, Bound::Included(end))).rev();
        RangeBack { nodes, entries: None, start, end }
    }

    /// The entry with that id.
    pub fn get(&self, id: Id) -> Option<Entry<'_>> {
        self.range(id, id).next()
    }
}

impl<'a> Iterator for Range<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let Some(entries) = &mut self.entries else {
                let (master, node) = self.nodes.next()?;
                self.entries = Some(node.entries(*master));
                continue;
            };
            match entries.next() {
                Some(entry) if entry.id() > self.end => return None,
                Some(entry) if entry.id() >= self.start && !entry.is_deleted() => {
                    return Some(entry);
                }
                Some(_) => {}
                None => self.entries = None,
            }
        }
    }
}

impl<'a> Iterator for RangeBack<'a> {
    type Item = Entry<'a>;

    fn next(&mut self) -> Option<Entry<'a>> {
        loop {
            let Some(entries) = &mut self.entries else {
                let (master, node) = self.nodes.next()?;
                self.entries = Some(node.entries_back(*master));
                continue;
            };
            match entries.next() {
                Some(entry) if entry.id() < self.start => return None,
                Some(entry) if entry.id() <= self.end && !entry.is_deleted() => {
                    return Some(entry);
                }
                Some(_) => {}
                None => self.entries = None,
            }
        }
    }
}
