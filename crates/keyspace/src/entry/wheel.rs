//! A hierarchical timing wheel over the entries of one shard that expire.
//!
//! After Varghese and Lauck, "Hashed and Hierarchical Timing Wheels" (1987), with 64 slots a level
//! and one millisecond a slot at the lowest level. The level of an entry is the highest group of
//! six bits in which its deadline differs from the wheel's time; as slots are cascaded exactly when
//! the time reaches them, the slot of an entry can always be computed from its deadline, and the
//! entry itself only remembers its place inside the slot. So taking an entry out costs O(1) and
//! leaves nothing behind.
//!
//! It knows addresses and deadlines of entries, never keys. Invariants: an address is in the wheel
//! at most once, the entry at it is alive and has a deadline, and its remembered place is true.
#![allow(unsafe_code)]

use std::mem::ManuallyDrop;
use std::ptr::NonNull;

use smallvec::SmallVec;

use super::{EXPIRY_SIZE, Entry, HEADER};

const BITS: u32 = 6;
const SLOTS: usize = 1 << BITS;
const LEVELS: usize = 11;
/// How far the clock may be behind the wheel before everything is placed anew: threads look at the
/// clock a little apart, and small steps back are waited out.
const CLOCK_STEP_MS: u64 = 1000;
/// How many places ahead of the entry being looked at the lines of the others are asked for.
const AHEAD: usize = 8;
/// The most entries that an empty list of what is due keeps room for.
const DUE_KEPT: usize = 256;

type Slot = Vec<NonNull<u8>>;

/// One level: its slots and a bit for each that is not empty.
struct Level {
    occupied: u64,
    slots: [Slot; SLOTS],
}

/// The wheel. Times are Unix milliseconds and never negative.
pub struct Wheel {
    now: u64,
    len: usize,
    deadline_sum: i128,
    levels: [Option<Box<Level>>; LEVELS],
    /// What is due and has not been handed out yet.
    due: Slot,
    /// A slot that is not empty, whose time has come, and whose entries are being moved to lower
    /// levels.
    draining: Option<(usize, usize)>,
}

// SAFETY: the addresses belong to entries of the same shard, which is guarded as a whole.
unsafe impl Send for Wheel {}

/// Where an address is kept.
enum Place {
    Due,
    Slot(usize, usize),
}

impl Wheel {
    /// An empty wheel whose time is `now_ms`.
    pub fn new(now_ms: i64) -> Self {
        Self {
            now: now_ms.max(0) as u64,
            len: 0,
            deadline_sum: 0,
            levels: [const { None }; LEVELS],
            due: Slot::new(),
            draining: None,
        }
    }

    /// Entries in the wheel.
    pub fn len(&self) -> usize {
        self.len
    }

    /// The sum of all deadlines, in Unix milliseconds.
    pub fn deadline_sum(&self) -> i128 {
        self.deadline_sum
    }

    /// Whether nothing is scheduled.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Schedules an entry that has a deadline and is not in the wheel.
    pub(crate) fn insert(&mut self, entry: &mut Entry, now_ms: i64) {
        self.look_at_clock(now_ms);
        let deadline = deadline_of(entry.address());
        self.len += 1;
        self.deadline_sum += i128::from(deadline);
        self.place(entry.address(), deadline);
    }

    /// Counts a new deadline for an entry in the wheel if its place there is the same, as it nearly
    /// always is when a lifetime is renewed: then the caller writes it into the entry, and no line
    /// of the wheel's slots is touched. Else nothing happens.
    pub(crate) fn shift(&mut self, former_ms: i64, deadline_ms: i64, now_ms: i64) -> bool {
        let is_plain = self.due.is_empty() && self.draining.is_none() && !self.is_behind(now_ms);
        let [former, deadline] = [former_ms, deadline_ms].map(|time| time.max(0) as u64);
        let same = match (self.slot_of(former), self.slot_of(deadline)) {
            (Place::Slot(level, slot), Place::Slot(new_level, new_slot)) => {
                (level, slot) == (new_level, new_slot)
            }
            _ => false,
        };
        if is_plain && same {
            self.deadline_sum += i128::from(deadline) - i128::from(former);
        }
        is_plain && same
    }

    /// Takes an entry out; it must be in the wheel.
    pub(crate) fn remove(&mut self, entry: &Entry) {
        let address = entry.address();
        let index = place_of(address) as usize;
        let place = self.find(address, index);
        let slot = match place {
            Place::Due => &mut self.due,
            Place::Slot(level, slot) => self.slot_mut(level, slot),
        };
        slot.swap_remove(index);
        if let Some(&moved) = slot.get(index) {
            set_place(moved, index as u32);
        }
        if let Place::Slot(level, slot) = place {
            self.settle(level, slot);
        }
        self.len -= 1;
        self.deadline_sum -= i128::from(deadline_of(address));
    }

    /// The entry at `old` now lives at another address; its deadline is the same.
    pub(crate) fn moved(&mut self, old: NonNull<u8>, entry: &Entry) {
        let index = place_of(entry.address()) as usize;
        // The old allocation is gone: only its address is compared, and the deadline is read from
        // the new one.
        let place = self.find_by(old, index, deadline_of(entry.address()));
        let slot = match place {
            Place::Due => &mut self.due,
            Place::Slot(level, slot) => self.slot_mut(level, slot),
        };
        slot[index] = entry.address();
    }

    /// Hands out one entry whose deadline is at or before `to_ms`, taken out of the wheel. Each
    /// entry handed out or moved costs one from `budget`; at zero the rest waits for the next call.
    pub(crate) fn pop_due(&mut self, to_ms: i64, budget: &mut u32) -> Option<NonNull<u8>> {
        let to = to_ms.max(0) as u64;
        self.look_at_clock(to_ms);
        while *budget > 0 {
            if let Some(&address) = self.due.last() {
                if to < self.now && deadline_of(address) > to {
                    return None;
                }
                self.due.pop();
                if let Some(ahead) = self.due.len().checked_sub(AHEAD) {
                    table::prefetch(self.due[ahead].as_ptr());
                }
                self.give_back_due();
                *budget -= 1;
                self.len -= 1;
                self.deadline_sum -= i128::from(deadline_of(address));
                return Some(address);
            }
            if let Some((level, slot)) = self.draining {
                self.drain(level, slot, budget);
                continue;
            }
            let (at, level, slot) = self.next_event()?;
            if at > to {
                self.now = self.now.max(to);
                return None;
            }
            self.now = at;
            if level == 0 {
                std::mem::swap(&mut self.due, self.levels[0].as_mut()?.slots.get_mut(slot)?);
                self.mark(0, slot);
            } else {
                self.draining = Some((level, slot));
            }
        }
        None
    }

    /// The earliest time at which there is something to do, in Unix milliseconds.
    pub fn next_due_ms(&self) -> Option<u64> {
        if !self.due.is_empty() || self.draining.is_some() {
            return Some(self.now);
        }
        self.next_event().map(|(at, _, _)| at)
    }

    /// Shows some entries drawn at random, each as likely as another; how many.
    pub(crate) fn sample(
        &self,
        count: usize,
        rng: &mut fastrand::Rng,
        show: &mut dyn FnMut(&Entry),
    ) -> usize {
        let count = count.min(self.len);
        let mut draws: SmallVec<[usize; 16]> = (0..count).map(|_| rng.usize(0..self.len)).collect();
        draws.sort_unstable_by(|one, other| other.cmp(one));
        let mut before = 0;
        for slot in self.slots() {
            while let Some(draw) = draws.last()
                && let Some(&address) = slot.get(*draw - before)
            {
                show(&entry_at(address));
                draws.pop();
            }
            before += slot.len();
        }
        count
    }

    /// Shows some of the entries that expire next; how many.
    pub(crate) fn soonest(&self, count: usize, show: &mut dyn FnMut(&Entry)) -> usize {
        let draining = self.draining.and_then(|(level, slot)| self.slot(level, slot));
        let next = self.next_event().and_then(|(_, level, slot)| self.slot(level, slot));
        let slots = [Some(&self.due), draining, next].into_iter().flatten();
        let some = slots.flatten().take(count);
        some.map(|&address| show(&entry_at(address))).count()
    }

    fn slot(&self, level: usize, slot: usize) -> Option<&Slot> {
        Some(&self.levels[level].as_ref()?.slots[slot])
    }

    /// The slots that are not empty.
    fn slots(&self) -> impl Iterator<Item = &Slot> {
        let levels = self.levels.iter().flatten().flat_map(|level| {
            let mut left = level.occupied;
            std::iter::from_fn(move || {
                let slot = left.trailing_zeros() as usize;
                left &= left.wrapping_sub(1);
                level.slots.get(slot)
            })
        });
        std::iter::once(&self.due).chain(levels)
    }

    /// Bytes the wheel itself holds.
    pub fn memory(&self) -> usize {
        let slots = self.levels.iter().flatten().flat_map(|level| level.slots.iter());
        let levels = self.levels.iter().flatten().count() * size_of::<Level>();
        let places = slots.map(Slot::capacity).sum::<usize>() + self.due.capacity();
        size_of::<Self>() + levels + places * size_of::<NonNull<u8>>()
    }

    /// Brings an empty wheel to the present, and any wheel back to it after the clock was set
    /// back, so that new deadlines do not lie in the wheel's past.
    fn look_at_clock(&mut self, now_ms: i64) {
        let now = now_ms.max(0) as u64;
        let set_back = self.is_behind(now_ms);
        if self.len > 0 && !set_back {
            return;
        }
        if !set_back {
            self.now = self.now.max(now);
            return;
        }
        self.now = now;
        self.draining = None;
        let levels = std::mem::take(&mut self.levels);
        let slots = levels.into_iter().flatten().flat_map(|level| level.slots);
        for address in slots.chain([std::mem::take(&mut self.due)]).flatten() {
            self.place(address, deadline_of(address));
        }
    }

    /// Whether the clock was set back.
    fn is_behind(&self, now_ms: i64) -> bool {
        (now_ms.max(0) as u64).saturating_add(CLOCK_STEP_MS) < self.now
    }

    /// Frees the list of what is due once it is empty, when a crowd has left it large.
    fn give_back_due(&mut self) {
        if self.due.is_empty() && self.due.capacity() > DUE_KEPT {
            self.due = Slot::new();
        }
    }

    /// Moves entries of a slot whose time has come to lower levels, newest first.
    fn drain(&mut self, level: usize, slot: usize, budget: &mut u32) {
        while *budget > 0
            && let Some(address) = self.slot_mut(level, slot).pop()
        {
            *budget -= 1;
            if let Some(ahead) = self.slot_mut(level, slot).len().checked_sub(AHEAD) {
                table::prefetch(self.slot_mut(level, slot)[ahead].as_ptr());
            }
            self.place(address, deadline_of(address));
        }
        if self.slot_mut(level, slot).is_empty() {
            *self.slot_mut(level, slot) = Slot::new();
            self.settle(level, slot);
        }
    }

    /// Brings what is said of a slot in line with it after it has lost an entry.
    fn settle(&mut self, level: usize, slot: usize) {
        self.mark(level, slot);
        if self.draining == Some((level, slot)) && self.slot_mut(level, slot).is_empty() {
            self.draining = None;
        }
    }

    fn next_event(&self) -> Option<(u64, usize, usize)> {
        for (level, content) in self.levels.iter().enumerate() {
            let Some(content) = content else { continue };
            let shift = BITS * level as u32;
            let digit = (self.now >> shift) & (SLOTS as u64 - 1);
            let later = content.occupied & !(u64::MAX >> (63 - digit));
            if later != 0 {
                let slot = u64::from(later.trailing_zeros());
                let above = self.now.checked_shr(shift + BITS).unwrap_or(0);
                let base = above.checked_shl(shift + BITS).unwrap_or(0);
                return Some((base | slot << shift, level, slot as usize));
            }
        }
        None
    }

    /// Puts an address where its deadline belongs at the wheel's present time.
    fn place(&mut self, address: NonNull<u8>, deadline: u64) {
        let target = self.slot_of(deadline);
        let slot = match target {
            Place::Due => &mut self.due,
            Place::Slot(level, slot) => self.slot_mut(level, slot),
        };
        set_place(address, slot.len() as u32);
        slot.push(address);
        if let Place::Slot(level, slot) = target {
            self.mark(level, slot);
        }
    }

    fn slot_of(&self, deadline: u64) -> Place {
        if deadline <= self.now {
            return Place::Due;
        }
        let level = (63 - (deadline ^ self.now).leading_zeros()) / BITS;
        let slot = (deadline >> (BITS * level)) & (SLOTS as u64 - 1);
        Place::Slot(level as usize, slot as usize)
    }

    fn find(&self, address: NonNull<u8>, index: usize) -> Place {
        self.find_by(address, index, deadline_of(address))
    }

    fn find_by(&self, address: NonNull<u8>, index: usize, deadline: u64) -> Place {
        let holds = |slot: &Slot| slot.get(index) == Some(&address);
        if let Place::Slot(level, slot) = self.slot_of(deadline)
            && self.levels[level].as_ref().is_some_and(|content| holds(&content.slots[slot]))
        {
            return Place::Slot(level, slot);
        }
        if holds(&self.due) {
            return Place::Due;
        }
        let (level, slot) = self.draining.expect("a scheduled entry is in its slot or due");
        assert!(holds(&self.levels[level].as_ref().expect("a draining level exists").slots[slot]));
        Place::Slot(level, slot)
    }

    fn slot_mut(&mut self, level: usize, slot: usize) -> &mut Slot {
        let content = self.levels[level].get_or_insert_with(|| {
            Box::new(Level { occupied: 0, slots: [const { Slot::new() }; SLOTS] })
        });
        &mut content.slots[slot]
    }

    /// Brings a slot's bit in line with its content.
    fn mark(&mut self, level: usize, slot: usize) {
        if let Some(content) = &mut self.levels[level] {
            let bit = 1u64 << slot;
            if content.slots[slot].is_empty() {
                content.occupied &= !bit;
            } else {
                content.occupied |= bit;
            }
        }
    }
}

/// The entry at an address of the wheel, for looking at it.
fn entry_at(address: NonNull<u8>) -> ManuallyDrop<Entry> {
    // By the wheel's invariant a live entry is at the address; it is not dropped here.
    ManuallyDrop::new(Entry(address))
}

fn deadline_of(address: NonNull<u8>) -> u64 {
    // SAFETY: by the wheel's invariant a live entry with a deadline is at the address; the eight
    // bytes behind the header are its deadline.
    let bytes = unsafe { address.as_ptr().add(HEADER).cast::<[u8; 8]>().read_unaligned() };
    i64::from_le_bytes(bytes).max(0) as u64
}

fn place_of(address: NonNull<u8>) -> u32 {
    // SAFETY: as in `deadline_of`; the place follows the deadline.
    let bytes = unsafe { address.as_ptr().add(PLACE_AT).cast::<[u8; 4]>().read_unaligned() };
    u32::from_le_bytes(bytes)
}

fn set_place(address: NonNull<u8>, place: u32) {
    // SAFETY: as in `place_of`; the shard that owns both wheel and entry is borrowed exclusively.
    unsafe { address.as_ptr().add(PLACE_AT).cast::<[u8; 4]>().write_unaligned(place.to_le_bytes()) }
}

const PLACE_AT: usize = HEADER + EXPIRY_SIZE - 4;

#[cfg(test)]
mod tests;
