//! Moving what keys have allocated to other places, where that pays: the walk over a lane's shards.
//!
//! It knows no allocator: where moving pays it is told. Everything keeps its content, and nobody
//! who looks at keys can tell. While a snapshot needs something of a table, nothing is moved there.

use value::{Kind, Pays};

use crate::{Keyspace, shard};

#[cfg(test)]
mod tests;

/// Where a walk over the keys of a lane is.
#[derive(Default, Debug)]
pub struct Walk {
    /// The number of the shard within the lane.
    number: u32,
    db: u32,
    cursor: u64,
    /// Collections met on the way that have more in them than is looked at in one go.
    long: Vec<Long>,
}

#[derive(Debug)]
struct Long {
    hash: u64,
    key: Box<[u8]>,
    kind: Kind,
    cursor: u64,
}

/// What a step of a walk came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Walked {
    /// Keys of which something was moved.
    pub moved: u64,
    /// Keys that were left where they are.
    pub left: u64,
    /// The lane's last key has been passed; the next step begins at the first again.
    pub is_through: bool,
}

impl Keyspace {
    /// Goes on with a walk over a lane by some tens of keys, or of elements of a large collection.
    /// The caller passes the gate, holds no shard, and is the only one that walks there with this.
    pub fn relocate(&self, lane: u32, walk: &mut Walk, pays: Pays<'_>) -> Walked {
        let mut walked = Walked::default();
        if walk.number >= self.shards_of(lane) {
            *walk = Walk::default();
            walked.is_through = true;
            return walked;
        }
        let shard = self.shard_in(lane, walk.number);
        let mut held = self.shards().hold_one(shard);
        let Some(part) = held.shard(shard).made(walk.db) else {
            walk.long.clear();
            walk.next_db(self.databases());
            return walked;
        };
        if let Some(long) = walk.long.last_mut() {
            let Long { hash, key, kind, cursor } = &mut *long;
            *cursor = part.relocate_more((*hash, key, *kind), *cursor, pays);
            if long.cursor == 0 {
                walk.long.pop();
            }
        } else {
            let Walk { cursor, long, .. } = walk;
            *cursor = part.relocate(*cursor, pays, &mut |entry, is_moved| {
                walked.moved += u64::from(is_moved);
                walked.left += u64::from(!is_moved);
                if shard::is_long(entry) {
                    let (key, kind) = (entry.key_bytes(), entry.kind());
                    long.push(Long { hash: self.hash(key), key: key.into(), kind, cursor: 0 });
                }
            });
        }
        if walk.long.is_empty() && walk.cursor == 0 {
            walk.next_db(self.databases());
        }
        walked
    }
}

impl Walk {
    fn next_db(&mut self, databases: u32) {
        self.cursor = 0;
        self.db += 1;
        if self.db >= databases {
            self.db = 0;
            self.number += 1;
        }
    }
}
