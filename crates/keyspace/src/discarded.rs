//! What was taken out of the keyspace and has not been freed yet.
//!
//! It belongs to nobody: no key leads to it, so it may be freed on any thread.

use crate::entry::Entry;
use crate::shard::ShardDb;

/// Elements that are looked at to tell how large a collection is.
pub(crate) const SAMPLES: usize = 5;

/// See the module's text.
pub struct Discarded(What);

enum What {
    Keys(Box<ShardDb>),
    Entry(Option<Entry>, usize),
}

impl Discarded {
    pub(crate) fn keys(keys: ShardDb) -> Self {
        Self(What::Keys(Box::new(keys)))
    }

    pub(crate) fn entry(entry: Entry) -> Self {
        let bytes = entry.memory(SAMPLES);
        Self(What::Entry(Some(entry), bytes))
    }

    /// How many keys it held.
    pub fn objects(&self) -> usize {
        match &self.0 {
            What::Keys(keys) => keys.table().len(),
            What::Entry(entry, _) => usize::from(entry.is_some()),
        }
    }

    /// About how many bytes it took at first, when it is a single value.
    pub fn bytes(&self) -> usize {
        if let What::Entry(_, bytes) = &self.0 { *bytes } else { 0 }
    }

    /// Frees a part, about a thousand keys or one heavy value, and says how many; 0 at the end.
    pub fn free_some(&mut self) -> usize {
        match &mut self.0 {
            What::Keys(keys) => keys.free_some(),
            What::Entry(entry, _) => usize::from(entry.take().is_some()),
        }
    }
}
