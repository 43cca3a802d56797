//! Asks the processor for the lines that lookups will wait for otherwise.
//!
//! The caller has passed the gate; a shard's lock is tried and never waited for, so a line may be
//! missing, which costs time and nothing else. Addresses are gathered first and asked for in one
//! go: a prefetch waits for its page's translation, and waits next to one another overlap.

use keyspace::{ShardDb, Step, ValueView};
use smallvec::SmallVec;
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

/// An element that a command is about to look for in the collection under a key.
#[derive(Clone, Copy)]
pub struct Sought<'a> {
    /// The key's hash.
    pub key: u64,
    /// The member, if it is one.
    pub member: Option<&'a [u8]>,
}

/// Members of large collections: the database, the key's hash and the member's.
pub type Paths = SmallVec<[(u32, u64, u64); TOGETHER]>;

/// The lines of what stands behind the heads of collections, whose entries are there or on their
/// way. Where that is only the beginning of the path to a member, the rest is left in `paths`.
pub fn contents<'a>(
    server: &Server,
    db: u32,
    sought: impl Iterator<Item = Sought<'a>>,
    paths: &mut Paths,
) {
    let mut together = Together::new();
    for Sought { key, member } in sought {
        let found =
            on_value(server, db, key, |value| (value.line(Step::Content), value.is_hashed()));
        let Some((line, is_hashed)) = found else { continue };
        together.add(line);
        if let (Some(member), true) = (member, is_hashed) {
            paths.push((db, key, server.keyspace.hash(member)));
        }
    }
}

/// The lines on the way to members; those of [`contents`] are there or on their way.
pub fn members(server: &Server, paths: &Paths) {
    for step in [Step::Bucket, Step::Member] {
        let mut together = Together::new();
        for &(db, key, member) in paths {
            together.add(on_value(server, db, key, |value| value.line(step(member))).flatten());
        }
    }
}

#[inline]
fn on_value<R>(
    server: &Server,
    db: u32,
    key: u64,
    look: impl FnOnce(ValueView<'_>) -> R,
) -> Option<R> {
    let shard = server.keyspace.shard_of(key);
    let found = server.keyspace.shards().look_if_free(shard, |shard| {
        let entry = shard.look(db)?.table().likely(key)?;
        entry.object().map(look)
    });
    found.flatten()
}

/// Lines that are asked for when they are many or when they are all.
struct Together {
    lines: [*const u8; TOGETHER],
    count: usize,
}

impl Together {
    fn new() -> Self {
        Self { lines: [std::ptr::null(); TOGETHER], count: 0 }
    }

    #[inline]
    fn add(&mut self, line: Option<*const u8>) {
        if let Some(line) = line {
            self.lines[self.count] = line;
            self.count += 1;
        }
        if self.count == TOGETHER {
            self.ask();
        }
    }

    #[inline]
    fn ask(&mut self) {
        self.lines[..self.count].iter().for_each(|line| prefetch_two(*line));
        self.count = 0;
    }
}

impl Drop for Together {
    #[inline]
    fn drop(&mut self) {
        self.ask();
    }
}

#[inline]
fn ask(
    server: &Server,
    db: u32,
    keys: &[(u32, u64)],
    line: impl Fn(&ShardDb, u64) -> Option<*const u8>,
) {
    let shards = server.keyspace.shards();
    let mut together = Together::new();
    for (_, hash) in keys {
        let shard = server.keyspace.shard_of(*hash);
        together.add(shards.look_if_free(shard, |shard| line(shard.look(db)?, *hash)).flatten());
    }
}
