//! Replies kept on this side until the server says that their keys changed.
//!
//! Must not know connections. A reply is stored in the order in which the server sent it among
//! its invalidations, so an answer that was outdated on its way never stays.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, VecDeque};

use resp::Value;

/// Replies by the command that asked, found by key.
#[derive(Debug)]
pub(crate) struct Cache {
    entries_max: usize,
    entries: usize,
    by_key: HashMap<Vec<u8>, HashMap<Vec<u8>, Value>>,
    /// Keys in the order in which they came; the oldest goes first. May name keys that are gone.
    order: VecDeque<Vec<u8>>,
    pub(crate) hits: u64,
    pub(crate) misses: u64,
}

impl Cache {
    pub(crate) fn new(entries_max: usize) -> Cache {
        Cache {
            entries_max,
            entries: 0,
            by_key: HashMap::new(),
            order: VecDeque::new(),
            hits: 0,
            misses: 0,
        }
    }

    /// The reply to `command` about `key`.
    pub(crate) fn get(&mut self, key: &[u8], command: &[u8]) -> Option<Value> {
        let found = self.by_key.get(key).and_then(|replies| replies.get(command)).cloned();
        match found {
            Some(_) => self.hits += 1,
            None => self.misses += 1,
        }
        found
    }

    pub(crate) fn put(&mut self, key: &[u8], command: Vec<u8>, reply: Value) {
        let known = self.by_key.contains_key(key);
        let replies = self.by_key.entry(key.to_vec()).or_default();
        self.entries += usize::from(replies.insert(command, reply).is_none());
        if !known {
            self.order.push_back(key.to_vec());
        }
        while self.entries > self.entries_max
            && let Some(oldest) = self.order.pop_front()
        {
            self.forget(&oldest);
        }
        // Keys that were invalidated leave their names behind; they must not pile up.
        if self.order.len() > 2 * self.by_key.len() + 16 {
            let mut seen = std::collections::HashSet::new();
            let by_key = &self.by_key;
            self.order.retain(|key| by_key.contains_key(key) && seen.insert(key.clone()));
        }
    }

    pub(crate) fn forget(&mut self, key: &[u8]) {
        self.entries -= self.by_key.remove(key).map_or(0, |replies| replies.len());
    }

    pub(crate) fn clear(&mut self) {
        self.entries = 0;
        self.by_key.clear();
        self.order.clear();
    }
}
