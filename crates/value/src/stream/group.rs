//! Consumer groups: how far a group has read, its consumers, and the entries that were delivered
//! and not yet acknowledged.
//!
//! Invariant: a consumer's list of pending ids names exactly those entries of the group's list that
//! it owns.

use std::collections::btree_map::{BTreeMap, Range};
use std::collections::btree_set::{self, BTreeSet};
use std::ops::RangeBounds;

use super::Id;
use crate::{Pays, relocate};

/// A consumer of a group, by its place. It stays the consumer's until that is removed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Slot(u32);

impl Slot {
    const NONE: u32 = u32::MAX;

    fn at(self) -> usize {
        self.0 as usize
    }
}

/// A delivery that was not acknowledged.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Nack {
    /// When it was last delivered, in Unix milliseconds.
    pub time_ms: i64,
    /// How often it was delivered.
    pub count: u64,
    owner: u32,
}

impl Nack {
    /// The consumer that has it; none when it was given back.
    pub fn owner(&self) -> Option<Slot> {
        (self.owner != Slot::NONE).then_some(Slot(self.owner))
    }

    /// For how long it has been pending; the clock may have gone back.
    pub fn idle_ms(&self, now_ms: i64) -> i64 {
        now_ms.saturating_sub(self.time_ms)
    }
}

/// A consumer.
#[derive(Clone, Debug)]
pub struct Consumer {
    name: Box<[u8]>,
    /// When it last tried to read or claim, in Unix milliseconds.
    pub seen_ms: i64,
    /// When it last got something; -1 for never.
    pub active_ms: i64,
    pending: BTreeSet<Id>,
}

impl Consumer {
    /// Its name.
    pub fn name(&self) -> &[u8] {
        &self.name
    }

    /// How many entries it has pending.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// The ids of those entries.
    pub fn ids(&self, range: impl RangeBounds<Id>) -> btree_set::Range<'_, Id> {
        self.pending.range(range)
    }
}

/// A consumer group.
#[derive(Clone, Debug)]
pub struct Group {
    /// The last entry that was delivered.
    pub last_id: Id,
    /// How many entries of the stream's lifetime the group has read, when that is known.
    pub entries_read: Option<i64>,
    pending: BTreeMap<Id, Nack>,
    consumers: Vec<Option<Consumer>>,
    /// Places of the consumers in the order of their names.
    order: Vec<u32>,
}

impl Group {
    /// A group that has read up to `last_id`.
    pub fn new(last_id: Id, entries_read: Option<i64>) -> Group {
        Group {
            last_id,
            entries_read,
            pending: BTreeMap::new(),
            consumers: Vec::new(),
            order: Vec::new(),
        }
    }

    /// How many entries are pending.
    pub fn pending(&self) -> usize {
        self.pending.len()
    }

    /// How many of them belong to no consumer - O(N) of the consumers.
    pub fn released(&self) -> usize {
        self.pending.len() - self.consumers().map(Consumer::pending).sum::<usize>()
    }

    /// The pending entries by their ids.
    pub fn nacks(&self, range: impl RangeBounds<Id>) -> Range<'_, Id, Nack> {
        self.pending.range(range)
    }

    /// What is known of a pending entry.
    pub fn nack(&self, id: Id) -> Option<&Nack> {
        self.pending.get(&id)
    }

    /// The ids of the first and the last pending entry.
    pub fn edges(&self) -> Option<(Id, Id)> {
        let (first, _) = self.pending.first_key_value()?;
        let (last, _) = self.pending.last_key_value()?;
        Some((*first, *last))
    }

    /// Whether the group still needs an entry: it is pending or was never delivered.
    pub fn needs(&self, id: Id) -> bool {
        id > self.last_id || self.pending.contains_key(&id)
    }

    /// The consumers in the order of their names.
    pub fn consumers(&self) -> impl ExactSizeIterator<Item = &Consumer> {
        self.order.iter().map(|&slot| self.consumer(Slot(slot)))
    }

    /// The consumer of that name.
    pub fn find(&self, name: &[u8]) -> Option<Slot> {
        self.search(name).ok().map(|at| Slot(self.order[at]))
    }

    /// The consumer at a place.
    pub fn consumer(&self, slot: Slot) -> &Consumer {
        self.consumers[slot.at()].as_ref().expect("a slot is its consumer's")
    }

    /// The consumer at a place, for changing.
    pub fn consumer_mut(&mut self, slot: Slot) -> &mut Consumer {
        self.consumers[slot.at()].as_mut().expect("a slot is its consumer's")
    }

    /// The name of a pending entry's consumer; empty when it was given back.
    pub fn owner_name(&self, nack: &Nack) -> &[u8] {
        nack.owner().map_or(b"", |slot| self.consumer(slot).name())
    }

    /// The consumer of that name, made when it is missing; true when it was.
    pub fn ensure(&mut self, name: &[u8], now_ms: i64) -> (Slot, bool) {
        let at = match self.search(name) {
            Ok(at) => return (Slot(self.order[at]), false),
            Err(at) => at,
        };
        let consumer = Consumer {
            name: name.into(),
            seen_ms: now_ms,
            active_ms: -1,
            pending: BTreeSet::new(),
        };
        let place = match self.consumers.iter().position(Option::is_none) {
            Some(free) if self.order.len() < self.consumers.len() => free,
            _ => {
                self.consumers.push(None);
                self.consumers.len() - 1
            }
        };
        let slot = u32::try_from(place).expect("a group has fewer consumers");
        self.consumers[place] = Some(consumer);
        self.order.insert(at, slot);
        (Slot(slot), true)
    }

    /// Removes a consumer and its pending entries, and says how many these were.
    pub fn remove(&mut self, name: &[u8]) -> Option<usize> {
        let at = self.search(name).ok()?;
        let slot = Slot(self.order.remove(at));
        let consumer = self.consumers[slot.at()].take()?;
        for id in &consumer.pending {
            self.pending.remove(id);
        }
        Some(consumer.pending.len())
    }

    /// Makes an entry pending, or changes the one that is: its consumer, if any, when it was
    /// delivered, and how often.
    pub fn assign(&mut self, id: Id, owner: Option<Slot>, time_ms: i64, count: u64) {
        let owner = owner.map_or(Slot::NONE, |slot| slot.0);
        let before = self.pending.insert(id, Nack { time_ms, count, owner });
        let before = before.map_or(Slot::NONE, |nack| nack.owner);
        if before == owner {
            return;
        }
        if before != Slot::NONE {
            self.consumer_mut(Slot(before)).pending.remove(&id);
        }
        if owner != Slot::NONE {
            self.consumer_mut(Slot(owner)).pending.insert(id);
        }
    }

    /// Takes an entry off the pending ones; whether it was there.
    pub fn ack(&mut self, id: Id) -> bool {
        let Some(nack) = self.pending.remove(&id) else { return false };
        if let Some(slot) = nack.owner() {
            self.consumer_mut(slot).pending.remove(&id);
        }
        true
    }

    /// When the pending entry that has been idle longest was delivered, in Unix milliseconds.
    pub fn oldest_ms(&self) -> Option<i64> {
        self.pending.values().map(|nack| nack.time_ms).min()
    }

    /// Pending entries that have been idle for so long, the longest first, at most `count`.
    pub fn idle(&self, now_ms: i64, min_idle_ms: i64, count: usize) -> Vec<Id> {
        let idle = |nack: &Nack| nack.idle_ms(now_ms) >= min_idle_ms;
        let mut found: Vec<(i64, Id)> = self
            .pending
            .iter()
            .filter(|(_, nack)| idle(nack))
            .map(|(&id, nack)| (nack.time_ms, id))
            .collect();
        if count < found.len() {
            found.select_nth_unstable(count);
            found.truncate(count);
        }
        found.sort_unstable();
        found.into_iter().map(|(_, id)| id).collect()
    }

    /// Moves what it has allocated where that pays, from the consumer of a number on and as long as
    /// there are `left` to look at, but one at least; the number to go on with, none at the end.
    pub(super) fn relocate(
        &mut self,
        from: usize,
        left: &mut usize,
        pays: Pays<'_>,
    ) -> Option<usize> {
        if from == 0 {
            relocate::map(&mut self.pending, pays);
            relocate::run(&mut self.consumers, pays);
            relocate::run(&mut self.order, pays);
            *left = left.saturating_sub(1);
        }
        let places = self.consumers.len();
        for (number, place) in self.consumers.iter_mut().enumerate().skip(from) {
            if let Some(consumer) = place {
                relocate::text(&mut consumer.name, pays);
                relocate::set(&mut consumer.pending, pays);
            }
            *left = left.saturating_sub(1);
            if *left == 0 && number + 1 < places {
                return Some(number + 1);
            }
        }
        None
    }

    /// Bytes asked of the allocator, estimated from the numbers of elements.
    pub(super) fn memory(&self) -> usize {
        let consumer = |consumer: &Consumer| {
            consumer.name.len() + super::tree_size(consumer.pending.len(), size_of::<Id>())
        };
        super::tree_size(self.pending.len(), size_of::<(Id, Nack)>())
            + self.consumers.capacity() * size_of::<Option<Consumer>>()
            + self.order.capacity() * size_of::<u32>()
            + self.consumers().map(consumer).sum::<usize>()
    }

    fn search(&self, name: &[u8]) -> Result<usize, usize> {
        self.order.binary_search_by(|&slot| self.consumer(Slot(slot)).name.as_ref().cmp(name))
    }
}
