//! Asks the processor for the lines that lookups will wait for otherwise.
//!
//! The caller has passed the gate; a shard's lock is tried and never waited for, so a line may be
//! missing, which costs time and nothing else. Addresses are gathered first and asked for in one
//! go: a prefetch waits for its page's translation, and waits next to one another overlap.

use keyspace::ShardDb;
use smallvec::SmallVec;
use table::prefetch_two;

use crate::server::Server;

/// Lines that are asked for in one go.
const TOGETHER: usize = 32;

type Lines = SmallVec<[*const u8; TOGETHER]>;

/// The lines of the tables' buckets of keys, each given with its hash.
pub fn buckets(server: &Server, db: u32, keys: &[(u32, u64)]) {
    ask(server, db, keys, |part, hash| Some(part.table().bucket_line(hash)));
}

/// The lines of the entries; the buckets' lines are there or on their way. The second line of an
/// entry holds the most of a short value.
pub fn items(server: &Server, db: u32, keys: &[(u32, u64)]) {
    ask(server, db, keys, |part, hash| part.table().item_line(hash));
}

#[inline]
fn ask(
    server: &Server,
    db: u32,
    keys: &[(u32, u64)],
    line: impl Fn(&ShardDb, u64) -> Option<*const u8>,
) {
    let shards = server.keyspace.shards();
    for some in keys.chunks(TOGETHER) {
        let lines: Lines = some
            .iter()
            .filter_map(|(_, hash)| {
                let shard = server.keyspace.shard_of(*hash);
                let mut held = shards.try_hold_one(shard)?;
                line(held.shard(shard).db(db), *hash)
            })
            .collect();
        lines.into_iter().for_each(prefetch_two);
    }
}
