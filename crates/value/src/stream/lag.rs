//! How many entries a group has read and how many are still to come, as Redis 7 counts them.
//!
//! Where nothing was ever removed, a group in front of the stream has all of it to come, whatever
//! counter it was given. Elsewhere a group's counter holds as long as no entry between its last
//! one and the stream's end was deleted; else it is known only at places that can be told apart:
//! behind the last entry, and at or in front of the first one.

use super::{Group, Id, Slot, Stream};

/// What of a stream the counters depend on.
#[derive(Clone, Copy)]
struct Marks {
    length: u64,
    entries_added: u64,
    last_id: Id,
    first_id: Id,
    max_deleted_id: Id,
}

impl Stream {
    /// The entries that a group has not read; none when that cannot be told.
    pub fn lag(&self, group: &Group) -> Option<i64> {
        self.marks().lag(group)
    }

    /// Has a group read the entries `ids`, which ascend; they become pending for a consumer, if
    /// one is given.
    pub fn deliver(&mut self, name: &[u8], ids: &[Id], to: Option<Slot>, now_ms: i64) {
        let marks = self.marks();
        let Some(group) = self.groups.get_mut(name) else { return };
        for &id in ids {
            if id > group.last_id {
                group.entries_read = marks.counter_after(group, id);
                group.last_id = id;
            }
            if to.is_some() {
                group.assign(id, to, now_ms, 1);
            }
        }
        if let Some(slot) = to.filter(|_| !ids.is_empty()) {
            group.consumer_mut(slot).active_ms = now_ms;
        }
    }

    /// How many entries a group has read that stands at `id`, where that can be told.
    pub fn read_up_to(&self, id: Id) -> Option<i64> {
        self.marks().read_up_to(id)
    }

    fn marks(&self) -> Marks {
        Marks {
            length: self.length,
            entries_added: self.entries_added,
            last_id: self.last_id,
            first_id: self.first_id,
            max_deleted_id: self.max_deleted_id,
        }
    }
}

impl Marks {
    fn lag(&self, group: &Group) -> Option<i64> {
        if self.length == 0 {
            return Some(0);
        }
        if group.last_id < self.first_id && self.length == self.entries_added {
            return Some(self.length as i64);
        }
        let read = match group.entries_read {
            Some(read) if !self.has_gap_from(group.last_id) => Some(read),
            _ => self.read_up_to(group.last_id),
        };
        read.map(|read| (self.entries_added as i64).wrapping_sub(read))
    }

    /// What the counter of a group becomes that reads the entry `id` next.
    fn counter_after(&self, group: &Group, id: Id) -> Option<i64> {
        match group.entries_read {
            Some(read) if group.last_id >= self.first_id && !self.has_gap_from(group.last_id) => {
                Some(read.wrapping_add(1))
            }
            read if self.entries_added == 0 => read,
            _ => self.read_up_to(id),
        }
    }

    /// How many entries were ever added up to and with `id`, where that can be told.
    fn read_up_to(&self, id: Id) -> Option<i64> {
        let added = self.entries_added as i64;
        if self.entries_added == 0 {
            return Some(0);
        }
        if self.length == 0 && id <= self.last_id {
            return Some(added);
        }
        if !id.is_zero() && id < self.max_deleted_id {
            return None;
        }
        if id >= self.last_id {
            return (id == self.last_id).then_some(added);
        }
        if !self.max_deleted_id.is_zero() && self.max_deleted_id >= self.first_id {
            return None;
        }
        let before = added.wrapping_sub(self.length as i64);
        match id.cmp(&self.first_id) {
            std::cmp::Ordering::Less => Some(before),
            std::cmp::Ordering::Equal => Some(before + 1),
            std::cmp::Ordering::Greater => None,
        }
    }

    /// Whether an entry from `start` on was deleted.
    fn has_gap_from(&self, start: Id) -> bool {
        self.length != 0 && !self.max_deleted_id.is_zero() && start <= self.max_deleted_id
    }
}
