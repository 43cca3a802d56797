//! Asks the processor for the lines that lookups will wait for otherwise.
//!
//! The caller has passed the gate; a shard's lock is tried and never waited for, so a line may be
//! missing, which costs time and nothing else. Addresses are gathered first and asked for in one
//! go: a prefetch waits for its page's translation, and waits next to one another overlap.

use keyspace::ShardDb;
use table::prefetch_two;

use crate::server::Server;

/// Lines that are asked for in one go.
const TOGETHER: usize = 32;

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
        let mut lines = [std::ptr::null(); TOGETHER];
        let mut count = 0;
        for (_, hash) in some {
            let shard = server.keyspace.shard_of(*hash);
            let found = shards.look_if_free(shard, |shard| line(shard.look(db)?, *hash));
            if let Some(found) = found.flatten() {
                lines[count] = found;
                count += 1;
            }
        }
        lines[..count].iter().for_each(|line| prefetch_two(*line));
    }
}
