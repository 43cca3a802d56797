//! Streams as they are saved and as they come back.

use super::node::Node;
use super::{Id, Stream};
use crate::compact::{Corrupt, Listpack};

/// What a stream knows beside its entries and groups.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Head {
    /// How many entries there are.
    pub length: u64,
    /// The largest id ever.
    pub last_id: Id,
    /// The largest deleted id; zero when that is not known.
    pub max_deleted_id: Id,
    /// How many entries were ever added; the length when that is not known.
    pub entries_added: Option<u64>,
}

impl Stream {
    /// The nodes from the one of this id on as they are saved, each made when it is asked for, with
    /// the ids that their entries' ids are told by.
    pub fn packs(&self, from: Id) -> impl Iterator<Item = (Id, Listpack)> {
        self.nodes.range(from..).map(|(master, node)| (*master, node.pack(*master)))
    }

    /// How many nodes there are.
    pub fn pack_count(&self) -> usize {
        self.nodes.len()
    }

    /// Adds a node from outside behind the others, after looking at every entry of it.
    pub fn push_pack(&mut self, master: Id, pack: &Listpack) -> Result<(), Corrupt> {
        let refuse = |what| Err(Corrupt { offset: 0, what });
        let node = Node::checked(pack, master)?;
        if let Some((&before, last)) = self.nodes.last_key_value()
            && (master <= before || master <= last.last_id(before))
        {
            return refuse("stream whose ids do not ascend");
        }
        let live = node.counts().live;
        // Deleted entries stay for the sake of those beside them only.
        if live > 0 {
            self.length += live;
            self.nodes.insert(master, node);
        }
        Ok(())
    }

    /// Takes what stands behind the nodes.
    pub fn set_head(&mut self, head: Head) -> Result<(), Corrupt> {
        let refuse = |what| Err(Corrupt { offset: 0, what });
        if head.length != self.length {
            return refuse("stream with another number of entries than it says");
        }
        let last = self.nodes.last_key_value().map(|(&master, node)| node.last_id(master));
        if last.is_some_and(|last| last > head.last_id) {
            return refuse("stream with an entry above its last id");
        }
        self.last_id = head.last_id;
        self.max_deleted_id = head.max_deleted_id;
        self.entries_added = head.entries_added.unwrap_or(head.length);
        self.find_first();
        Ok(())
    }
}
