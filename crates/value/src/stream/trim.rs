//! Taking entries out of a stream: the oldest ones, or those with given ids.

use super::node::Mark;
use super::{Id, Stream};

/// What stays when the oldest entries are dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keep {
    /// So many of the newest.
    Newest(u64),
    /// Those from this id on.
    From(Id),
}

/// What becomes of groups' pending deliveries of an entry that is to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Refs {
    /// They stay.
    #[default]
    Keep,
    /// They go too.
    Drop,
    /// As long as a group needs the entry, it stays itself.
    Acked,
}

/// How to drop the oldest entries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trim {
    /// What stays.
    pub keep: Keep,
    /// Only whole nodes go.
    pub approx: bool,
    /// The most that go; 0 for no bound.
    pub limit: u64,
    /// What becomes of pending deliveries.
    pub refs: Refs,
}

/// What became of an entry that was to be deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Deletion {
    /// There is no such entry.
    Missing,
    /// It is gone.
    Done,
    /// A group still needs it.
    Needed,
}

impl Stream {
    /// Drops the oldest entries; says how many.
    pub fn trim(&mut self, trim: &Trim) -> u64 {
        let (mut dropped, mut from) = (0, Id::MIN);
        while let Some((&master, node)) = self.nodes.range(from..).next() {
            if matches!(trim.keep, Keep::Newest(most) if self.length <= most) {
                break;
            }
            let live = node.counts().live;
            if trim.limit != 0 && dropped + live > trim.limit {
                break;
            }
            let whole = match trim.keep {
                Keep::Newest(most) => self.length - live >= most,
                Keep::From(id) => node.last_id(master) < id,
            };
            if !whole && trim.approx {
                break;
            }
            if whole && trim.refs == Refs::Keep {
                self.nodes.remove(&master);
                self.length -= live;
                dropped += live;
                continue;
            }
            dropped += self.trim_node(master, trim);
            match master.next() {
                Some(next) if whole => from = next,
                _ => break,
            }
        }
        if dropped > 0 {
            self.find_first();
        }
        dropped
    }

    /// Drops entries of one node.
    fn trim_node(&mut self, master: Id, trim: &Trim) -> u64 {
        let Some(node) = self.nodes.get(&master) else { return 0 };
        let mut left = self.length;
        let mut marks: Vec<Mark> = Vec::new();
        let mut ids = Vec::new();
        for entry in node.entries(master) {
            let stop = match trim.keep {
                Keep::Newest(most) => left <= most,
                Keep::From(id) => entry.id() >= id,
            };
            if stop {
                break;
            }
            let needed = trim.refs == Refs::Acked && self.is_needed(entry.id());
            if !entry.is_deleted() && !needed {
                left -= 1;
                marks.push(entry.mark());
                ids.push(entry.id());
            }
        }
        if marks.is_empty() {
            return 0;
        }
        let node = self.nodes.get_mut(&master).expect("the node was just looked at");
        let counts = node.delete(&marks);
        // Others than those that go now may have been deleted before.
        if counts.live == 0 {
            self.nodes.remove(&master);
        }
        if trim.refs == Refs::Drop {
            ids.iter().for_each(|&id| self.drop_refs(id));
        }
        self.length = left;
        ids.len() as u64
    }

    /// Deletes an entry and remembers that entries of its place are missing.
    pub fn delete(&mut self, id: Id, refs: Refs) -> Deletion {
        let Some((&master, node)) = self.nodes.range(..=id).next_back() else {
            return Deletion::Missing;
        };
        let mut entries = node.entries(master).take_while(|entry| entry.id() <= id);
        let found = entries.find(|entry| entry.id() == id && !entry.is_deleted());
        let Some(mark) = found.map(|entry| entry.mark()) else { return Deletion::Missing };
        match refs {
            Refs::Acked if self.is_needed(id) => return Deletion::Needed,
            Refs::Drop => self.drop_refs(id),
            _ => {}
        }
        let node = self.nodes.get_mut(&master).expect("the node was just looked at");
        if node.counts().live == 1 {
            self.nodes.remove(&master);
        } else {
            node.delete(&[mark]);
        }
        self.length -= 1;
        self.max_deleted_id = self.max_deleted_id.max(id);
        if self.length == 0 || id == self.first_id {
            self.find_first();
        }
        Deletion::Done
    }

    /// Whether a group still needs an entry.
    pub fn is_needed(&self, id: Id) -> bool {
        self.groups.values().any(|group| group.needs(id))
    }

    fn drop_refs(&mut self, id: Id) {
        for group in self.groups.values_mut() {
            group.ack(id);
        }
    }

    pub(super) fn find_first(&mut self) {
        self.first_id = match self.length {
            0 => Id::MIN,
            _ => self.range(Id::MIN, Id::MAX).next().map_or(Id::MIN, |entry| entry.id()),
        };
    }
}
