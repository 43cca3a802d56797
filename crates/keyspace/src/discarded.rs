//! What was taken out of the keyspace and has not been freed yet.
//!
//! It belongs to nobody: no key leads to it, so it may be freed on any thread.

use crate::entry::Entry;
use crate::shard::ShardDb;

/// Elements that are looked at to tell how large a collection is.
pub(crate) const SAMPLES: usize = 5;

/// Keys of a table that stand for all of them.
const KEYS_LOOKED: usize = 4;

/// Keys that are freed sooner than they are handed over.
const KEYS_FEW: usize = 64;

/// See the module's text.
pub struct Discarded(What);

enum What {
    Keys(Box<ShardDb>, usize),
    Entry(Option<Entry>, usize),
}

impl Discarded {
    pub(crate) fn keys(keys: ShardDb) -> Self {
        let bytes = keys.footprint(KEYS_LOOKED);
        Self(What::Keys(Box::new(keys), bytes))
    }

    pub(crate) fn entry(entry: Entry) -> Self {
        let bytes = entry.memory(SAMPLES);
        Self(What::Entry(Some(entry), bytes))
    }

    /// Whether it is freed sooner than another thread would take it up.
    pub fn is_light(&self) -> bool {
        match &self.0 {
            What::Keys(keys, _) => {
                keys.table().len() <= KEYS_FEW && !keys.table().iter().any(|key| key.is_heavy())
            }
            What::Entry(..) => false,
        }
    }

    /// How many keys it held.
    pub fn objects(&self) -> usize {
        match &self.0 {
            What::Keys(keys, _) => keys.table().len(),
            What::Entry(entry, _) => usize::from(entry.is_some()),
        }
    }

    /// About how many bytes it took at first.
    pub fn bytes(&self) -> usize {
        let (What::Keys(_, bytes) | What::Entry(_, bytes)) = &self.0;
        *bytes
    }

    /// Frees a part, about a thousand keys or one heavy value, and says how many; 0 at the end.
    pub fn free_some(&mut self) -> usize {
        match &mut self.0 {
            What::Keys(keys, _) => keys.free_some(),
            What::Entry(entry, _) => usize::from(entry.take().is_some()),
        }
    }
}
