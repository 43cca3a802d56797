//! The wheel against a plain map, with time that creeps, jumps over every level, and is set back.

use std::collections::BTreeMap;

use fastrand::Rng;

use super::*;
use crate::entry::NewValue;

const RUNS: u64 = if cfg!(miri) { 3 } else { 20 };
const STEPS: usize = if cfg!(miri) { 150 } else { 3_000 };
const START_MS: u64 = 1_700_000_000_123;

/// The wheel and what it should hold: entries by address with their deadlines.
struct Model {
    wheel: Wheel,
    entries: BTreeMap<usize, Entry>,
    now: u64,
    rng: Rng,
    /// How often a new deadline left an entry in its place.
    shifted: usize,
}

impl Model {
    fn new(seed: u64) -> Self {
        let now = START_MS;
        let (wheel, rng) = (Wheel::new(0), Rng::with_seed(seed));
        Self { wheel, entries: BTreeMap::new(), now, rng, shifted: 0 }
    }

    /// A span of time whose order of magnitude is random, up to the widest level.
    fn span(&mut self) -> u64 {
        let bits = self.rng.u32(0..62);
        self.rng.u64(0..1 << bits)
    }

    fn insert(&mut self) {
        let past = self.rng.u8(0..10) == 0;
        let span = self.span();
        let deadline = if past { self.now.saturating_sub(span) } else { self.now + span };
        let deadline = deadline.min(i64::MAX as u64) as i64;
        let mut entry = Entry::new(b"key", NewValue::Int(0), Some(deadline), 0);
        self.wheel.insert(&mut entry, self.now as i64);
        self.entries.insert(entry.address().as_ptr().addr(), entry);
    }

    fn pick(&mut self) -> Option<Entry> {
        let at = self.rng.usize(..);
        let address = *self.entries.keys().nth(at.checked_rem(self.entries.len())?)?;
        self.entries.remove(&address)
    }

    fn remove(&mut self) {
        if let Some(entry) = self.pick() {
            self.wheel.remove(&entry);
        }
    }

    /// Gives an entry another address by a value of another size.
    fn move_one(&mut self) {
        if let Some(mut entry) = self.pick() {
            let old = entry.address();
            let value = vec![0; self.rng.usize(0..300)];
            entry.set_value(NewValue::Bytes(&value));
            if entry.address() != old {
                self.wheel.moved(old, &entry);
            }
            self.entries.insert(entry.address().as_ptr().addr(), entry);
        }
    }

    /// Gives an entry a deadline near its present one, or anywhere, as a shard does.
    fn renew(&mut self) {
        let Some(mut entry) = self.pick() else { return };
        let former = entry.deadline_ms().expect("all have one");
        let near = former.saturating_add(self.rng.i64(-200..200)).max(0);
        let span = self.span();
        let anywhere = (self.now + span).min(i64::MAX as u64) as i64;
        let deadline = if self.rng.bool() { near } else { anywhere };
        if self.wheel.shift(former, deadline, self.now as i64) {
            self.shifted += 1;
            entry.set_deadline(Some(deadline));
        } else {
            self.wheel.remove(&entry);
            entry.set_deadline(Some(deadline));
            self.wheel.insert(&mut entry, self.now as i64);
        }
        self.entries.insert(entry.address().as_ptr().addr(), entry);
    }

    /// Takes out what is due, a few at a time; a call that ends before its budget left nothing.
    fn pop(&mut self) {
        let mut budget = self.rng.u32(1..8);
        while let Some(address) = self.wheel.pop_due(self.now as i64, &mut budget) {
            let entry = self.entries.remove(&address.as_ptr().addr()).expect("only what is held");
            let deadline = entry.deadline_ms().expect("only what has a deadline") as u64;
            assert!(deadline <= self.now, "{deadline} is not due at {}", self.now);
        }
        if budget > 0 && self.now >= self.wheel.now {
            assert!(self.earliest().is_none_or(|deadline| deadline > self.now));
        }
    }

    fn earliest(&self) -> Option<u64> {
        self.deadlines().min()
    }

    fn deadlines(&self) -> impl Iterator<Item = u64> {
        self.entries.values().filter_map(Entry::deadline_ms).map(|deadline| deadline as u64)
    }

    fn check(&self) {
        assert_eq!(self.wheel.len(), self.entries.len());
        assert_eq!(self.wheel.is_empty(), self.entries.is_empty());
        assert_eq!(self.wheel.deadline_sum(), self.deadlines().map(i128::from).sum());
        let next = self.wheel.next_due_ms();
        assert_eq!(next.is_none(), self.entries.is_empty());
        if let (Some(next), Some(earliest)) = (next, self.earliest()) {
            assert!(next <= earliest.max(self.wheel.now), "{next} is later than {earliest}");
        }
    }

    /// Follows the wheel's own times until it is empty.
    fn drain(&mut self) {
        while let Some(next) = self.wheel.next_due_ms() {
            self.now = self.now.max(next);
            self.pop();
            self.check();
        }
        assert!(self.entries.is_empty());
    }
}

#[test]
fn the_wheel_agrees_with_a_map() {
    for seed in 0..RUNS {
        let mut model = Model::new(seed);
        for _ in 0..STEPS {
            match model.rng.u32(0..100) {
                0..35 => model.insert(),
                35..50 => model.remove(),
                50..58 => model.move_one(),
                58..65 => model.renew(),
                65..85 => model.pop(),
                85..97 => model.now += model.rng.u64(0..100),
                97 => model.now += model.span() >> 20,
                98 => model.now -= model.rng.u64(0..CLOCK_STEP_MS),
                _ => model.now = START_MS + model.rng.u64(0..1 << 20),
            }
            model.check();
        }
        assert!(model.shifted > 0);
        model.drain();
    }
}

#[test]
fn a_crowd_at_one_moment_leaves_in_pieces() {
    let mut wheel = Wheel::new(0);
    let deadline = START_MS as i64 + 100_000;
    let crowd = if cfg!(miri) { 300 } else { 10_000 };
    let mut entries: Vec<Entry> =
        (0..crowd).map(|_| Entry::new(b"k", NewValue::Int(1), Some(deadline), 0)).collect();
    entries.iter_mut().for_each(|entry| wheel.insert(entry, START_MS as i64));
    let (mut left, mut calls) = (crowd, 0);
    while left > 0 {
        let mut budget = 100;
        while wheel.pop_due(deadline, &mut budget).is_some() {
            left -= 1;
        }
        calls += 1;
        assert_eq!(wheel.len(), left);
    }
    assert!(calls >= crowd / 100 && calls < crowd / 10, "{calls} calls");
    assert!(wheel.due.capacity() <= DUE_KEPT, "the crowd's list was given back");
}

#[test]
fn a_new_deadline_after_the_clock_was_set_back_is_kept() {
    let mut wheel = Wheel::new(0);
    let (hour, now) = (3_600_000, START_MS as i64);
    let mut far = Entry::new(b"far", NewValue::Int(1), Some(now + 2 * hour), 0);
    wheel.insert(&mut far, now);
    let mut budget = 100;
    assert_eq!(wheel.pop_due(now + hour, &mut budget), None);
    let mut near = Entry::new(b"near", NewValue::Int(1), Some(now + 60_000), 0);
    wheel.insert(&mut near, now);
    assert_eq!(wheel.next_due_ms().map(|due| due <= now as u64 + 60_000), Some(true));
    assert_eq!(wheel.pop_due(now + 59_999, &mut budget), None);
    assert_eq!(wheel.pop_due(now + 60_000, &mut budget), Some(near.address()));
    assert_eq!(wheel.pop_due(now + 2 * hour, &mut budget), Some(far.address()));
    assert!(wheel.is_empty());
}

#[test]
fn the_last_deadline_there_is_can_be_scheduled() {
    let mut wheel = Wheel::new(0);
    let mut last = Entry::new(b"last", NewValue::Int(1), Some(i64::MAX), 0);
    wheel.insert(&mut last, START_MS as i64);
    let mut budget = 100;
    assert_eq!(wheel.pop_due(i64::MAX - 1, &mut budget), None);
    assert_eq!(wheel.pop_due(i64::MAX, &mut budget), Some(last.address()));
}
