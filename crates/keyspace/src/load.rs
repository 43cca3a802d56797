//! Entries that come from a file: they enter without being a change that anybody is told of.

use crate::entry::Entry;
use crate::keyspace::Keyspace;
use crate::shards::Held;
use crate::usage::Stamp;

/// Entries whose places are asked for in one go.
const TOGETHER: usize = 32;

/// What became of an entry that was to enter.
pub enum Entered {
    /// It is in; a bit for each lane whose next expiry became earlier.
    Yes(u64),
    /// Its key is taken; it is given back.
    Taken(Entry),
}

impl Keyspace {
    /// Puts an entry into a database. With `replace` it takes the place of one with its key.
    ///
    /// # Panics
    /// When its shard is not held, or there is no such database.
    pub fn enter_entry(
        &self,
        held: &mut Held<'_>,
        db: u32,
        entry: Entry,
        replace: bool,
        stamp: Stamp,
    ) -> Entered {
        let hash = self.hash(entry.key_bytes());
        self.enter_hashed(held, db, hash, entry, replace, stamp)
    }

    /// Puts entries into a database and hands those whose keys are taken to `taken`. `entries` is
    /// empty afterwards.
    ///
    /// # Panics
    /// When their shards are not held, or there is no such database.
    pub fn enter_entries(
        &self,
        held: &mut Held<'_>,
        db: u32,
        entries: &mut Vec<Entry>,
        stamp: Stamp,
        mut taken: impl FnMut(Entry),
    ) {
        let mut hashes = [0; TOGETHER];
        let mut rest = entries.drain(..);
        loop {
            // The lines of the buckets are asked for together: their waits overlap.
            let some = rest.as_slice();
            let some = &some[..some.len().min(TOGETHER)];
            for (entry, hash) in some.iter().zip(&mut hashes) {
                *hash = self.hash(entry.key_bytes());
                let part = held.shard(self.shard_of(*hash)).db(db);
                table::prefetch_two(part.table().bucket_line(*hash));
            }
            let count = some.len();
            if count == 0 {
                return;
            }
            for (entry, hash) in rest.by_ref().take(count).zip(hashes) {
                if let Entered::Taken(entry) =
                    self.enter_hashed(held, db, hash, entry, false, stamp)
                {
                    taken(entry);
                }
            }
        }
    }

    fn enter_hashed(
        &self,
        held: &mut Held<'_>,
        db: u32,
        hash: u64,
        entry: Entry,
        replace: bool,
        stamp: Stamp,
    ) -> Entered {
        let shard = self.shard_of(hash);
        let part = held.shard(shard).db(db);
        if part.get(hash, entry.key_bytes()).is_some() {
            if !replace {
                return Entered::Taken(entry);
            }
            drop(part.remove(hash, entry.key_bytes()));
        }
        let deadline_ms = entry.deadline_ms();
        part.insert(hash, entry, stamp);
        let fields_due = part.fields_due_ms();
        let deadlines = deadline_ms.into_iter().chain(fields_due);
        Entered::Yes(deadlines.fold(0, |lanes, due_ms| lanes | self.lower_due(shard, due_ms)))
    }
}
