//! Who subscribes to what, by worker, and the one order of all messages.
//!
//! It knows no connection: a message goes to the inbox of every worker that has a subscriber, once.
//! Invariants: a message gets its number and enters the inboxes under the same lock under which
//! subscriptions come and go; so each inbox is in the order of the numbers, and a subscription that
//! came at a number concerns exactly the messages above it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_queue::SegQueue;
use parking_lot::Mutex;
use smallvec::SmallVec;

use super::message::{Kind, Message};

/// How many subscribers a name has on each worker that has any.
type Shares = SmallVec<[(usize, u32); 2]>;

/// Bytes of messages in one inbox above which publishers wait.
const CROWD: u64 = 1 << 20;

#[derive(Default)]
struct Book {
    number: u64,
    channels: HashMap<Box<[u8]>, Shares>,
    shards: HashMap<Box<[u8]>, Shares>,
    patterns: BTreeMap<Arc<[u8]>, Shares>,
    monitors: HashMap<Box<[u8]>, Shares>,
}

impl Book {
    /// The subscribers of names that are no patterns.
    fn names(&self, kind: Kind) -> &HashMap<Box<[u8]>, Shares> {
        match kind {
            Kind::Shard => &self.shards,
            Kind::Monitor => &self.monitors,
            Kind::Channel | Kind::Pattern => &self.channels,
        }
    }
}

/// The messages that wait for one worker.
#[derive(Default)]
struct Inbox {
    queue: SegQueue<Arc<Message>>,
    bytes: AtomicU64,
}

/// See the module's text.
pub struct Exchange {
    book: Mutex<Book>,
    inboxes: Vec<Inbox>,
    last: AtomicU64,
    /// How many names of each kind have subscribers.
    names: [AtomicUsize; 4],
}

/// Where a message went.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Sent {
    /// Subscribers that get it; who subscribes in several ways counts several times.
    pub receivers: u64,
    /// A bit for each worker that has it in its inbox.
    pub workers: u64,
    /// Whether one of the inboxes is so full that publishers must wait.
    pub is_crowded: bool,
}

impl Exchange {
    /// For so many workers.
    pub fn new(workers: usize) -> Self {
        Self {
            book: Mutex::default(),
            inboxes: (0..workers).map(|_| Inbox::default()).collect(),
            last: AtomicU64::new(0),
            names: Default::default(),
        }
    }

    /// The number of the last message.
    pub fn last_number(&self) -> u64 {
        self.last.load(Ordering::Relaxed)
    }

    /// How many names of a kind have subscribers.
    pub fn names(&self, kind: Kind) -> usize {
        self.names[kind as usize].load(Ordering::Relaxed)
    }

    /// Adds a subscriber of a worker. Messages above the number that is returned are for it.
    pub fn join(&self, kind: Kind, name: &[u8], worker: usize) -> u64 {
        let mut book = self.book.lock();
        let shares = match kind {
            Kind::Channel => entry(&mut book.channels, name),
            Kind::Shard => entry(&mut book.shards, name),
            Kind::Monitor => entry(&mut book.monitors, name),
            Kind::Pattern => book.patterns.entry(name.into()).or_default(),
        };
        match shares.iter_mut().find(|share| share.0 == worker) {
            Some(share) => share.1 += 1,
            None => shares.push((worker, 1)),
        }
        self.count(&book);
        book.number
    }

    /// Takes a subscriber of a worker out. Messages up to the number that is returned were for it.
    pub fn leave(&self, kind: Kind, name: &[u8], worker: usize) -> u64 {
        let mut book = self.book.lock();
        let less = |shares: &mut Shares| {
            shares.iter_mut().filter(|share| share.0 == worker).for_each(|share| share.1 -= 1);
            shares.retain(|share| share.1 > 0);
            shares.is_empty()
        };
        match kind {
            Kind::Channel if book.channels.get_mut(name).is_some_and(less) => {
                book.channels.remove(name);
            }
            Kind::Shard if book.shards.get_mut(name).is_some_and(less) => {
                book.shards.remove(name);
            }
            Kind::Monitor if book.monitors.get_mut(name).is_some_and(less) => {
                book.monitors.remove(name);
            }
            Kind::Pattern if book.patterns.get_mut(name).is_some_and(less) => {
                book.patterns.remove(name);
            }
            _ => {}
        }
        self.count(&book);
        book.number
    }

    /// Puts a message into the inboxes of all workers with subscribers. Waking them is the
    /// caller's.
    pub fn publish(&self, kind: Kind, channel: &[u8], payload: &[u8]) -> Sent {
        let mut sent = Sent::default();
        let by_pattern = kind == Kind::Channel && self.names(Kind::Pattern) > 0;
        if self.names(kind) == 0 && !by_pattern {
            return sent;
        }
        let mut guard = self.book.lock();
        let book = &mut *guard;
        let mut patterns = Vec::new();
        let mut add = |shares: &Shares| {
            for (worker, count) in shares {
                sent.receivers += u64::from(*count);
                sent.workers |= 1 << worker;
            }
        };
        let names = book.names(kind);
        names.get(channel).into_iter().for_each(&mut add);
        if kind == Kind::Channel {
            for (pattern, shares) in &book.patterns {
                if commands::glob::matches(pattern, channel, false) {
                    add(shares);
                    patterns.push(Arc::clone(pattern));
                }
            }
        }
        if sent.workers == 0 {
            return sent;
        }
        book.number += 1;
        self.last.store(book.number, Ordering::Relaxed);
        let message = Arc::new(Message::new(book.number, kind, channel, payload, patterns));
        let mut left = sent.workers;
        while left != 0 {
            let inbox = &self.inboxes[left.trailing_zeros() as usize];
            left &= left - 1;
            let size = message.size() as u64;
            sent.is_crowded |= inbox.bytes.fetch_add(size, Ordering::SeqCst) + size > CROWD;
            inbox.queue.push(Arc::clone(&message));
        }
        sent
    }

    /// How many subscribers would get a message.
    pub fn receivers(&self, kind: Kind, channel: &[u8]) -> u64 {
        let patterns = if kind == Kind::Channel { self.names(Kind::Pattern) } else { 0 };
        if self.names(kind) + patterns == 0 {
            return 0;
        }
        let count = |shares: &Shares| shares.iter().map(|(_, count)| u64::from(*count)).sum();
        let book = self.book.lock();
        let direct: u64 = book.names(kind).get(channel).map_or(0, count);
        let matching = book.patterns.iter().filter(|(pattern, _)| {
            kind == Kind::Channel && commands::glob::matches(pattern, channel, false)
        });
        direct + matching.map(|(_, shares)| count(shares)).sum::<u64>()
    }

    /// The next message for a worker.
    pub fn take(&self, worker: usize) -> Option<Arc<Message>> {
        let inbox = &self.inboxes[worker];
        let message = inbox.queue.pop()?;
        inbox.bytes.fetch_sub(message.size() as u64, Ordering::SeqCst);
        Some(message)
    }

    /// Whether no inbox is more than half as full as it may be.
    pub fn has_room(&self) -> bool {
        self.inboxes.iter().all(|inbox| inbox.bytes.load(Ordering::SeqCst) <= CROWD / 2)
    }

    /// The names of a kind that have subscribers and are `wanted`.
    pub fn list(&self, kind: Kind, wanted: impl Fn(&[u8]) -> bool) -> Vec<Box<[u8]>> {
        let book = self.book.lock();
        let names = book.names(kind);
        names.keys().filter(|name| wanted(name)).cloned().collect()
    }

    /// How many subscribers a channel has.
    pub fn subscribers(&self, kind: Kind, name: &[u8]) -> u64 {
        let book = self.book.lock();
        let names = book.names(kind);
        let shares = names.get(name).into_iter().flatten();
        shares.map(|(_, count)| u64::from(*count)).sum()
    }

    fn count(&self, book: &Book) {
        let (patterns, monitors) = (book.patterns.len(), book.monitors.len());
        let lens = [book.channels.len(), patterns, book.shards.len(), monitors];
        for (names, len) in self.names.iter().zip(lens) {
            names.store(len, Ordering::Relaxed);
        }
    }
}

fn entry<'a>(names: &'a mut HashMap<Box<[u8]>, Shares>, name: &[u8]) -> &'a mut Shares {
    if !names.contains_key(name) {
        names.insert(name.into(), Shares::new());
    }
    names.get_mut(name).expect("it was put in just now")
}

#[cfg(test)]
mod tests;
