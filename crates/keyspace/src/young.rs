//! What a part of a shard remembers under the policy `allkeys-s3fifo`: which keys are young, and
//! which ones went lately.
//!
//! After Yang and others, "FIFO queues are all you need for cache eviction" (2023): new keys pass
//! through a small queue, and who is not used while there goes first, so that a scan pushes
//! nothing out. Here the large queue is no queue: a hand goes round the table, in the order of
//! hashes, takes one use from each key that it meets, and lets those go that have none. Keys that
//! went are remembered for a while; one that comes back need not pass the queue again.
//!
//! Costs at most a byte a key: four in the queue for one of ten, and a third for those that went.
//! It knows hashes, never keys.

use std::collections::VecDeque;

/// One of so many keys is young.
const YOUNG_ONE_OF: usize = 10;
/// A queue is no shorter than this, however few keys there are.
const YOUNG_MIN: usize = 4;
/// The queue may hold one of so many while nobody takes from it.
const YOUNG_MAX_ONE_OF: usize = 8;
/// One key that went is remembered for so many that are here.
const GONE_ONE_OF: usize = 3;
/// Bits of a hash that are compared where a key that went is looked for; zero stands for none.
const TAG_BITS: u32 = 8;

/// See the module's text.
#[derive(Default)]
pub(crate) struct Young {
    /// The upper halves of their hashes, oldest first.
    queue: VecDeque<u32>,
    /// By the upper half of the hash, a tag of the lower half.
    gone: Box<[u8]>,
    /// Where the hand is.
    pub(crate) hand: u64,
    /// The hashes of keys that it has met and that are to go.
    pub(crate) doomed: Vec<u64>,
}

impl Young {
    /// Takes up a key that comes in beside `len` others; whether it was here not long ago.
    pub(crate) fn enter(&mut self, hash: u64, len: usize) -> bool {
        self.fit(len);
        let (at, tag) = (self.place(hash), tag(hash));
        if let Some(cell) = self.gone.get_mut(at)
            && *cell == tag
        {
            *cell = 0;
            return true;
        }
        if self.queue.len() == self.queue.capacity() {
            self.queue.reserve_exact(self.queue.len() / 8 + YOUNG_MIN);
        }
        self.queue.push_back((hash >> 32) as u32);
        false
    }

    /// The oldest of the young ones, when there are more than there should be: the upper half of
    /// its hash. It is not young any more.
    pub(crate) fn oldest(&mut self, len: usize) -> Option<u32> {
        if self.queue.len() <= len / YOUNG_ONE_OF {
            return None;
        }
        self.queue.pop_front()
    }

    /// Remembers a key that went.
    pub(crate) fn leave(&mut self, hash: u64) {
        let at = self.place(hash);
        if let Some(cell) = self.gone.get_mut(at) {
            *cell = tag(hash);
        }
    }

    /// Bytes that this has allocated.
    pub(crate) fn memory(&self) -> usize {
        size_of::<Self>() + self.queue.capacity() * size_of::<u32>() + self.gone.len()
    }

    /// Gives what is remembered the size that suits the number of keys.
    fn fit(&mut self, len: usize) {
        let wanted = len / GONE_ONE_OF;
        if self.gone.len() > wanted || self.gone.len() + self.gone.len() / 2 < wanted {
            let room = wanted - wanted / 5;
            if room != self.gone.len() {
                self.gone = vec![0; room].into_boxed_slice();
            }
        }
        // While nothing goes, the queue must not grow beyond its share.
        let most = len / YOUNG_MAX_ONE_OF + YOUNG_MIN;
        while self.queue.len() > most {
            self.queue.pop_front();
        }
        if self.queue.capacity() > most + most / 2 {
            self.queue.shrink_to(most + most / 4);
        }
    }

    fn place(&self, hash: u64) -> usize {
        (((hash >> 32) * self.gone.len() as u64) >> 32) as usize
    }
}

/// Never zero.
fn tag(hash: u64) -> u8 {
    ((hash >> (32 - TAG_BITS)) as u8).max(1)
}

#[cfg(test)]
mod tests;
