//! The subscribers of one worker by what they subscribe to, and the messages that have arrived for
//! them but were not delivered yet.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use smallvec::SmallVec;

use super::exchange::Exchange;
use super::message::{Kind, Message, Place};
use super::run::Run;

/// What one connection subscribes to.
#[derive(Default)]
pub struct Subscriptions {
    names: [BTreeSet<Box<[u8]>>; 4],
}

impl Subscriptions {
    /// Adds a name; false when it was there.
    pub fn add(&mut self, kind: Kind, name: &[u8]) -> bool {
        self.names[kind as usize].insert(name.into())
    }

    /// Takes a name out; false when it was not there.
    pub fn remove(&mut self, kind: Kind, name: &[u8]) -> bool {
        self.names[kind as usize].remove(name)
    }

    /// Whether a name is there.
    pub fn has(&self, kind: Kind, name: &[u8]) -> bool {
        self.names[kind as usize].contains(name)
    }

    /// How many names of a kind there are.
    pub fn len(&self, kind: Kind) -> usize {
        self.names[kind as usize].len()
    }

    /// The names of a kind, in their order.
    pub fn names(&self, kind: Kind) -> Vec<Box<[u8]>> {
        self.names[kind as usize].iter().cloned().collect()
    }

    /// Whether it subscribes to messages that clients publish.
    pub fn has_messages(&self) -> bool {
        [Kind::Channel, Kind::Pattern, Kind::Shard].iter().any(|kind| self.len(*kind) > 0)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.names.iter().all(BTreeSet::is_empty)
    }
}

/// A connection by its place among its worker's, and its number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reader {
    /// The place.
    pub slot: usize,
    /// The client's number.
    pub id: u64,
}

/// See the module's text.
#[derive(Default)]
pub struct Readers {
    /// By the places of names.
    direct: Vec<SmallVec<[Reader; 1]>>,
    by_pattern: HashMap<Box<[u8]>, SmallVec<[Reader; 1]>>,
    arrived: VecDeque<Arc<Message>>,
}

impl Readers {
    /// Adds a subscriber of what has that place, or else of a pattern.
    pub fn add(&mut self, place: Option<Place>, pattern: &[u8], reader: Reader) {
        let Some(place) = place else {
            return self.by_pattern.entry(pattern.into()).or_default().push(reader);
        };
        let place = place as usize;
        if self.direct.len() <= place {
            self.direct.resize_with(place + 1, SmallVec::new);
        }
        self.direct[place].push(reader);
    }

    /// Takes a subscriber out.
    pub fn remove(&mut self, place: Option<Place>, pattern: &[u8], reader: Reader) {
        let readers = match place {
            Some(place) => self.direct.get_mut(place as usize),
            None => self.by_pattern.get_mut(pattern),
        };
        let Some(readers) = readers else { return };
        if let Some(at) = readers.iter().position(|other| *other == reader) {
            readers.swap_remove(at);
        }
        if readers.is_empty() {
            readers.shrink_to_fit();
            if place.is_none() {
                self.by_pattern.remove(pattern);
            }
        }
    }

    /// The subscribers of what has that place.
    #[inline]
    pub fn of(&self, place: Option<Place>) -> &[Reader] {
        let readers = place.and_then(|place| self.direct.get(place as usize));
        readers.map_or(&[], SmallVec::as_slice)
    }

    /// The subscribers of a pattern.
    pub fn of_pattern(&self, pattern: &[u8]) -> &[Reader] {
        self.by_pattern.get(pattern).map_or(&[], SmallVec::as_slice)
    }

    /// Takes over what is in the worker's inbox.
    pub fn receive(&mut self, exchange: &Exchange, worker: usize) {
        while let Some(message) = exchange.take(worker) {
            self.arrived.push_back(message);
        }
    }

    /// Whether nothing is to be delivered.
    pub fn is_quiet(&self) -> bool {
        self.arrived.is_empty()
    }

    /// A subscriber of each of so many of the first messages.
    pub fn foremost(&self, most: usize) -> impl Iterator<Item = &Reader> {
        self.arrived.iter().take(most).filter_map(|message| self.of(message.place).first())
    }

    /// The first messages to deliver, as many as go to the same subscribers.
    pub fn next(&mut self) -> Option<Run> {
        let mut run = Run::new(self.arrived.pop_front()?);
        while self.arrived.front().is_some_and(|message| run.takes(message)) {
            run.messages.extend(self.arrived.pop_front());
        }
        Some(run)
    }

    /// The messages with numbers above `seen`, in order; they stay.
    pub fn since(&self, seen: u64) -> impl Iterator<Item = &Arc<Message>> {
        let from = self.arrived.partition_point(|message| message.number <= seen);
        self.arrived.range(from..)
    }
}
