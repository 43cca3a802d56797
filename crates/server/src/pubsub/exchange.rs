//! Who subscribes to what, by worker, and the one order of all messages.
//!
//! It knows no connection: a message goes to the inbox of every worker that has a subscriber, once.
//! Invariants: a message gets its number and enters the inboxes under the same lock under which
//! subscriptions come and go; so each inbox is in the order of the numbers, and a subscription that
//! came at a number concerns exactly the messages above it.

use std::collections::BTreeMap;
use std::hash::RandomState;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crossbeam_queue::SegQueue;
use hashbrown::HashMap;
use parking_lot::Mutex;
use smallvec::SmallVec;

use super::message::{Kind, Message, Place};

/// How many subscribers a name has on each worker that has any.
type Shares = SmallVec<[(u32, u32); 2]>;

/// A name that is no pattern.
struct Known {
    place: Place,
    shares: Shares,
}

type Names = HashMap<Box<[u8]>, Known, RandomState>;

/// Bytes of messages in one inbox above which publishers wait.
const CROWD: u64 = 1 << 20;

#[derive(Default)]
struct Book {
    number: u64,
    channels: Names,
    shards: Names,
    patterns: BTreeMap<Arc<[u8]>, Shares>,
    monitors: Names,
    /// How many places there are, and those of them that are free.
    places: Place,
    free: Vec<Place>,
}

impl Book {
    /// The subscribers of names that are no patterns.
    fn names(&self, kind: Kind) -> &Names {
        match kind {
            Kind::Shard => &self.shards,
            Kind::Monitor => &self.monitors,
            Kind::Channel | Kind::Pattern => &self.channels,
        }
    }

    fn names_mut(&mut self, kind: Kind) -> &mut Names {
        match kind {
            Kind::Shard => &mut self.shards,
            Kind::Monitor => &mut self.monitors,
            Kind::Channel | Kind::Pattern => &mut self.channels,
        }
    }

    /// A place that nobody has.
    fn take_place(&mut self) -> Place {
        self.free.pop().unwrap_or_else(|| {
            self.places += 1;
            self.places - 1
        })
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

/// What a subscription begins or ends with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Seat {
    /// The number of the last message.
    pub number: u64,
    /// Where the name is kept, if it is no pattern.
    pub place: Option<Place>,
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
    pub fn join(&self, kind: Kind, name: &[u8], worker: usize) -> Seat {
        let mut book = self.book.lock();
        let (place, shares) = match kind {
            Kind::Pattern => (None, book.patterns.entry(name.into()).or_default()),
            _ => {
                if !book.names(kind).contains_key(name) {
                    let known = Known { place: book.take_place(), shares: Shares::new() };
                    book.names_mut(kind).insert(name.into(), known);
                }
                let known = book.names_mut(kind).get_mut(name);
                let known = known.expect("it is there, or was put in just now");
                (Some(known.place), &mut known.shares)
            }
        };
        match shares.iter_mut().find(|share| share.0 == worker as u32) {
            Some(share) => share.1 += 1,
            None => shares.push((worker as u32, 1)),
        }
        self.count(&book);
        Seat { number: book.number, place }
    }

    /// Takes a subscriber of a worker out. Messages up to the number that is returned were for it.
    /// With the last one the name's place is free: who gets it has joined at a number above those
    /// of all messages that have this place now.
    pub fn leave(&self, kind: Kind, name: &[u8], worker: usize) -> Seat {
        let mut book = self.book.lock();
        let less = |shares: &mut Shares| {
            let own = |share: &&mut (u32, u32)| share.0 == worker as u32;
            shares.iter_mut().filter(own).for_each(|share| share.1 -= 1);
            shares.retain(|share| share.1 > 0);
            shares.is_empty()
        };
        let mut place = None;
        if kind == Kind::Pattern {
            if book.patterns.get_mut(name).is_some_and(less) {
                book.patterns.remove(name);
            }
        } else if let Some(known) = book.names_mut(kind).get_mut(name) {
            place = Some(known.place);
            if less(&mut known.shares) {
                book.names_mut(kind).remove(name);
                book.free.extend(place);
            }
        }
        self.count(&book);
        Seat { number: book.number, place }
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
        let place = book.names(kind).get(channel).map(|known| {
            add(&known.shares);
            known.place
        });
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
        let message =
            Arc::new(Message::new(book.number, (kind, place), channel, payload, patterns));
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
        let direct: u64 = book.names(kind).get(channel).map_or(0, |known| count(&known.shares));
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
        let shares = book.names(kind).get(name).map(|known| &known.shares);
        shares.into_iter().flatten().map(|(_, count)| u64::from(*count)).sum()
    }

    fn count(&self, book: &Book) {
        let (patterns, monitors) = (book.patterns.len(), book.monitors.len());
        let lens = [book.channels.len(), patterns, book.shards.len(), monitors];
        for (names, len) in self.names.iter().zip(lens) {
            names.store(len, Ordering::Relaxed);
        }
    }
}

#[cfg(test)]
mod tests;
