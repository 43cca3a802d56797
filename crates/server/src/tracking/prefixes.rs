//! The prefixes of clients that are told of all keys, read or not.
//!
//! A key is looked up once for each length that any prefix has, however many prefixes there are.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::tracker::Tracker;

/// See the module's text.
#[derive(Default)]
pub struct Prefixes {
    names: HashMap<Box<[u8]>, Vec<Arc<Tracker>>>,
    /// How many prefixes have a length.
    lengths: BTreeMap<usize, usize>,
}

/// Keys with the number of the client that changed each last.
pub type Changed<'a> = Vec<(&'a [u8], u64)>;

impl Prefixes {
    /// How many different ones there are.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Adds a client's prefix, if it does not have it.
    pub fn add(&mut self, name: &[u8], tracker: &Arc<Tracker>) {
        let trackers = self.names.entry(name.into()).or_insert_with(|| {
            *self.lengths.entry(name.len()).or_default() += 1;
            Vec::new()
        });
        if !trackers.iter().any(|other| Arc::ptr_eq(other, tracker)) {
            trackers.push(Arc::clone(tracker));
        }
    }

    /// Takes a client's prefix out.
    pub fn remove(&mut self, name: &[u8], tracker: &Arc<Tracker>) {
        let Some(trackers) = self.names.get_mut(name) else { return };
        trackers.retain(|other| !Arc::ptr_eq(other, tracker));
        if !trackers.is_empty() {
            return;
        }
        self.names.remove(name);
        if let Some(count) = self.lengths.get_mut(&name.len()) {
            *count -= 1;
            if *count == 0 {
                self.lengths.remove(&name.len());
            }
        }
    }

    /// The changed keys by their prefixes, in the order of the prefixes, each with the clients that
    /// are told of them.
    pub fn groups<'a>(
        &'a self,
        changed: &'a BTreeMap<Box<[u8]>, u64>,
    ) -> impl Iterator<Item = (&'a [Arc<Tracker>], Changed<'a>)> {
        let mut groups: BTreeMap<&[u8], (&[Arc<Tracker>], Changed<'_>)> = BTreeMap::new();
        for (key, by) in changed {
            for length in self.lengths.keys().take_while(|length| **length <= key.len()) {
                let prefix = &key[..*length];
                if let Some(trackers) = self.names.get(prefix) {
                    groups.entry(prefix).or_insert((trackers, Vec::new())).1.push((key, *by));
                }
            }
        }
        groups.into_values()
    }
}

#[cfg(test)]
mod tests;
