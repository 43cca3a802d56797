//! Streams: entries of fields and values under ascending ids, and the groups that read them.
//!
//! Entries stand in nodes, each of which is saved as a listpack, ordered by the id of each node's
//! first entry. A deleted entry stays in its node as one that is passed over, until
//! the node has no other.
//!
//! Invariants: `length` counts the entries that are not deleted; `first_id` is the first of these,
//! or zero; no entry's id is above `last_id`.

use std::collections::BTreeMap;

use crate::Limits;

mod group;
mod id;
mod idmp;
mod lag;
mod node;
mod parts;
mod range;
mod relocate;
#[cfg(test)]
mod tests;
mod trim;

pub use group::{Consumer, Group, Nack, Slot};
pub use id::{Id, IdText, NewId};
pub use idmp::{Requests, request_of};
pub use node::{Entry, Pairs};
pub use parts::Head;
pub use range::{Range, RangeBack};
pub use trim::{Deletion, Keep, Refs, Trim};

use node::Node;

/// The most bytes of fields and values in an entry, and the most bytes in a node.
const SIZE_MAX: usize = 1 << 30;

/// See the module's text.
#[derive(Clone, Debug, Default)]
pub struct Stream {
    nodes: BTreeMap<Id, Node>,
    groups: BTreeMap<Box<[u8]>, Group>,
    requests: Option<Box<Requests>>,
    length: u64,
    entries_added: u64,
    last_id: Id,
    first_id: Id,
    max_deleted_id: Id,
}

/// Why an entry cannot be added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refused {
    /// There is no id above the last one.
    Exhausted,
    /// Its id is not above the last one.
    Small,
    /// It has too many bytes.
    Large,
}

impl Stream {
    /// An empty stream.
    pub fn new() -> Stream {
        Stream::default()
    }

    /// How many entries there are.
    pub fn len(&self) -> u64 {
        self.length
    }

    /// Whether there is none; the key stays.
    pub fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// The largest id that an entry ever had.
    pub fn last_id(&self) -> Id {
        self.last_id
    }

    /// The first entry's id; zero without entries.
    pub fn first_id(&self) -> Id {
        self.first_id
    }

    /// The largest id that was deleted, other than by trimming.
    pub fn max_deleted_id(&self) -> Id {
        self.max_deleted_id
    }

    /// How many entries were ever added.
    pub fn entries_added(&self) -> u64 {
        self.entries_added
    }

    /// How many nodes there are.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    /// The id of the last entry that is there.
    pub fn last_entry_id(&self) -> Option<Id> {
        if self.is_empty() {
            return None;
        }
        self.range_back(Id::MIN, Id::MAX).next().map(|entry| entry.id())
    }

    /// Sets what XSETID sets; the caller has checked it against the entries.
    pub fn set_ids(&mut self, last_id: Id, added: Option<u64>, max_deleted_id: Option<Id>) {
        self.last_id = last_id;
        self.entries_added = added.unwrap_or(self.entries_added);
        self.max_deleted_id = max_deleted_id.unwrap_or(self.max_deleted_id);
    }

    /// Adds an entry of fields and values, which alternate in `pairs`; gives its id.
    pub fn add(
        &mut self,
        id: NewId,
        pairs: &[&[u8]],
        limits: &Limits,
        now_ms: i64,
    ) -> Result<Id, Refused> {
        if self.last_id == Id::MAX {
            return Err(Refused::Exhausted);
        }
        let id = self.resolve(id, now_ms).ok_or(Refused::Small)?;
        let size: usize = pairs.iter().map(|part| part.len()).sum();
        if size > SIZE_MAX {
            return Err(Refused::Large);
        }
        match self.nodes.last_entry() {
            Some(mut last) if has_room(last.get(), size, limits) => {
                let master = *last.key();
                last.get_mut().push(master, id, pairs);
            }
            _ => {
                self.nodes.insert(id, Node::new(id, pairs));
            }
        }
        self.length += 1;
        self.entries_added += 1;
        self.last_id = id;
        if self.length == 1 {
            self.first_id = id;
        }
        Ok(id)
    }

    /// The id of a new entry; none when it is not above the last one.
    fn resolve(&self, id: NewId, now_ms: i64) -> Option<Id> {
        let last = self.last_id;
        let id = match id {
            NewId::Given(id) => id,
            NewId::In(ms) if ms == last.ms => Id { ms, seq: last.seq.checked_add(1)? },
            NewId::In(ms) => Id { ms, seq: 0 },
            NewId::Auto => match u64::try_from(now_ms) {
                Ok(ms) if ms > last.ms => Id { ms, seq: 0 },
                _ => last.next()?,
            },
        };
        (id > last).then_some(id)
    }

    /// The groups in the order of their names.
    pub fn groups(&self) -> impl ExactSizeIterator<Item = (&[u8], &Group)> {
        self.groups.iter().map(|(name, group)| (&**name, group))
    }

    /// A group.
    pub fn group(&self, name: &[u8]) -> Option<&Group> {
        self.groups.get(name)
    }

    /// A group, for changing.
    pub fn group_mut(&mut self, name: &[u8]) -> Option<&mut Group> {
        self.groups.get_mut(name)
    }

    /// Adds a group; false when the name is taken.
    pub fn add_group(&mut self, name: &[u8], group: Group) -> bool {
        if self.groups.contains_key(name) {
            return false;
        }
        self.groups.insert(name.into(), group);
        true
    }

    /// Removes a group; false when there is none of that name.
    pub fn remove_group(&mut self, name: &[u8]) -> bool {
        self.groups.remove(name).is_some()
    }

    /// What producers have sent, if that was ever asked for.
    pub fn requests(&self) -> Option<&Requests> {
        self.requests.as_deref()
    }

    /// What producers have sent, remembered from now on.
    pub fn requests_mut(&mut self, limits: &Limits) -> &mut Requests {
        self.requests.get_or_insert_with(|| Box::new(Requests::new(limits)))
    }

    /// What OBJECT ENCODING replies.
    pub fn encoding(&self) -> &'static str {
        "stream"
    }

    /// Whether a key that holds it ceases to exist, which a stream's never does.
    pub fn is_vacant(&self) -> bool {
        false
    }

    /// Bytes asked of the allocator; of more nodes than `samples` (0: all) an estimate.
    pub fn memory(&self, samples: usize) -> usize {
        let looked = if samples == 0 { self.nodes.len() } else { samples.min(self.nodes.len()) };
        let some: usize = self.nodes.values().take(looked).map(|node| node.allocated()).sum();
        let nodes = some.checked_div(looked).map_or(0, |mean| mean * (self.nodes.len() - looked));
        #[expect(clippy::borrowed_box, reason = "what iterating over the map gives")]
        let group = |(name, group): (&Box<[u8]>, &Group)| {
            name.len() + size_of::<(Box<[u8]>, Group)>() + group.memory()
        };
        size_of::<Stream>()
            + some
            + nodes
            + tree_size(self.nodes.len(), size_of::<(Id, Node)>())
            + self.groups.iter().map(group).sum::<usize>()
            + self.requests.as_ref().map_or(0, |requests| requests.memory())
    }

    /// How many allocations freeing it takes, roughly.
    pub fn effort(&self) -> usize {
        let of = |group: &Group| 1 + group.consumers().len() + group.pending() / 3;
        1 + self.nodes.len() + self.groups.values().map(of).sum::<usize>()
    }
}

/// Whether a node takes one more entry of so many bytes.
fn has_room(node: &Node, size: usize, limits: &Limits) -> bool {
    let bytes_max = match limits.stream_node_bytes {
        1..=SIZE_MAX => limits.stream_node_bytes,
        _ => SIZE_MAX,
    };
    if node.pack_size() + size >= bytes_max {
        return false;
    }
    let counts = node.counts();
    let entries_max = limits.stream_node_entries as u64;
    entries_max == 0 || counts.live + counts.deleted < entries_max
}

/// What a B-tree of so many elements takes when it grew at its end: its leaves, which have room
/// for eleven, are a bit more than half full.
fn tree_size(elements: usize, element: usize) -> usize {
    elements.div_ceil(6) * (11 * element + 16) + elements.div_ceil(36) * 96
}
