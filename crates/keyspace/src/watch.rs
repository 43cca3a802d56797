//! Who watches which keys, so that a transaction fails when one of them has changed.
//!
//! Each shard has a list of its own behind a small lock. It knows nothing of clients: a [`Watcher`]
//! is a mark that is set once. Invariant: a key is watched, and its watchers are told of a change,
//! while the key's shard is held; so whoever holds the shards of all watched keys sees the mark of
//! every change that went before. Lock order: this lock comes after those of the shards.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use crossbeam_utils::CachePadded;
use parking_lot::Mutex;
use smallvec::SmallVec;

/// Whether anything of what somebody watches has changed.
#[derive(Default, Debug)]
pub struct Watcher(AtomicBool);

impl Watcher {
    /// Whether a watched key has changed.
    pub fn is_touched(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    /// Begins anew; nothing is watched at that time.
    pub fn reset(&self) {
        self.0.store(false, Ordering::Release);
    }

    fn touch(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// One watcher of a key.
struct Watch {
    db: u32,
    watcher: Arc<Watcher>,
    /// Whether the key's time was over already when it was watched: for the watcher there is no
    /// such key, and its removal changes nothing.
    stale: bool,
}

type Part = HashMap<Box<[u8]>, SmallVec<[Watch; 1]>>;

/// See the module's text.
pub struct Watches {
    parts: Box<[Mutex<Option<Box<Part>>>]>,
    count: CachePadded<AtomicUsize>,
}

/// What a change of a whole database means for one watched key.
pub(crate) enum Outcome {
    /// The key is as it was.
    Same,
    /// It has changed.
    Touched,
    /// It is as good as gone before and after; whether its entry is still there.
    Stale(bool),
}

impl Watches {
    pub(crate) fn new(shards: u32) -> Self {
        let parts = (0..shards).map(|_| Mutex::new(None)).collect();
        Self { parts, count: CachePadded::new(AtomicUsize::new(0)) }
    }

    /// How many keys are watched, a key counted once for each watcher.
    pub fn len(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Whether nobody watches anything: all that a change costs then. Whoever holds a shard sees
    /// who watches a key of it.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Watches a key, whose shard is held. False when that watcher does already.
    pub(crate) fn add(
        &self,
        shard: u32,
        db: u32,
        key: &[u8],
        watcher: &Arc<Watcher>,
        stale: bool,
    ) -> bool {
        let mut part = self.parts[shard as usize].lock();
        let keys = part.get_or_insert_default();
        let list = match keys.get_mut(key) {
            Some(list) => list,
            None => keys.entry(key.into()).or_default(),
        };
        if list.iter().any(|watch| watch.is_of(db, watcher)) {
            return false;
        }
        list.push(Watch { db, watcher: Arc::clone(watcher), stale });
        self.count.fetch_add(1, Ordering::Relaxed);
        true
    }

    /// Ends watching a key. Nobody marks the watcher for this key any more once this returns.
    pub fn remove(&self, shard: u32, db: u32, key: &[u8], watcher: &Arc<Watcher>) {
        self.retain(shard, key, |watch| !watch.is_of(db, watcher));
    }

    /// Tells the watchers of a key that it has changed. Its shard is held.
    pub(crate) fn touch(&self, shard: u32, db: u32, key: &[u8]) {
        self.retain(shard, key, |watch| watch.db != db || !watch.tell());
    }

    /// Tells the watchers of a key that it was removed because its time is over. Its shard is
    /// held.
    pub(crate) fn lapse(&self, shard: u32, db: u32, key: &[u8]) {
        self.retain(shard, key, |watch| {
            let concerned = watch.db == db;
            if concerned && std::mem::take(&mut watch.stale) {
                return true;
            }
            !(concerned && watch.tell())
        });
    }

    /// Whether the watcher found that key's time over when it began to watch.
    pub(crate) fn is_stale(&self, shard: u32, db: u32, key: &[u8], watcher: &Arc<Watcher>) -> bool {
        let part = self.parts[shard as usize].lock();
        let list = part.as_ref().and_then(|keys| keys.get(key));
        list.is_some_and(|list| list.iter().any(|watch| watch.is_of(db, watcher) && watch.stale))
    }

    /// Tells the watchers of one database's keys in a shard what a change of the whole database
    /// means for each: `judge` gets the key, and whether the watcher takes it for gone.
    pub(crate) fn judge(&self, shard: u32, db: u32, mut judge: impl FnMut(&[u8], bool) -> Outcome) {
        if self.is_empty() {
            return;
        }
        let mut part = self.parts[shard as usize].lock();
        let Some(keys) = part.as_mut() else { return };
        keys.retain(|key, list| {
            self.filter(list, |watch| {
                if watch.db != db {
                    return true;
                }
                match judge(key, watch.stale) {
                    Outcome::Same => {}
                    Outcome::Stale(is_there) => watch.stale = is_there,
                    Outcome::Touched => return !watch.tell(),
                }
                true
            });
            !list.is_empty()
        });
        if keys.is_empty() {
            *part = None;
        }
    }

    fn retain(&self, shard: u32, key: &[u8], keep: impl FnMut(&mut Watch) -> bool) {
        if self.is_empty() {
            return;
        }
        let mut part = self.parts[shard as usize].lock();
        let Some(keys) = part.as_mut() else { return };
        let Some(list) = keys.get_mut(key) else { return };
        self.filter(list, keep);
        if list.is_empty() {
            keys.remove(key);
        }
        if keys.is_empty() {
            *part = None;
        }
    }

    fn filter(&self, list: &mut SmallVec<[Watch; 1]>, keep: impl FnMut(&mut Watch) -> bool) {
        let before = list.len();
        list.retain(keep);
        self.count.fetch_sub(before - list.len(), Ordering::Relaxed);
    }
}

impl Watch {
    fn is_of(&self, db: u32, watcher: &Arc<Watcher>) -> bool {
        self.db == db && Arc::ptr_eq(&self.watcher, watcher)
    }

    /// Marks the watcher, which then need not be told again; always true.
    fn tell(&self) -> bool {
        self.watcher.touch();
        true
    }
}

#[cfg(test)]
mod tests;
