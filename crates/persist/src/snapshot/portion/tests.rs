//! Collections that change between their portions: what is spelled is what there was when the place
//! was made, each element once.

use std::collections::BTreeMap;

use fastrand::Rng;
use keyspace::{Entry, NewValue, Value, ValueMut, ValueView};
use value::compact::Element;
use value::hash::{self, Hash, Time};
use value::number::Text;
use value::set::{self, Set};
use value::zset::{self, Zset};
use value::{KeyHash, Limits};

use super::{ALL, Place};

/// Elements by their names, with all else that they have as text.
type State = BTreeMap<Vec<u8>, String>;

/// Names are drawn from so many more than there are at first.
const NAMES: usize = 2;

struct Model {
    rng: Rng,
    limits: Limits,
    hasher: KeyHash,
    names: usize,
}

impl Model {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::with_seed(seed);
        let mut limits = Limits::default();
        (limits.hash_entries, limits.set_entries, limits.zset_entries) = (0, 0, 0);
        limits.set_intset_entries = 0;
        let hasher = KeyHash::new(u128::from(rng.u64(..)).to_le_bytes());
        Self { rng, limits, hasher, names: 0 }
    }

    fn name(&mut self) -> Vec<u8> {
        self.rng.usize(0..self.names).to_string().into_bytes()
    }

    /// Few scores, so that many are equal.
    fn score(&mut self) -> f64 {
        [-1.5, -0.0, 0.0, 2.0, f64::INFINITY][self.rng.usize(0..5)]
    }

    fn time(&mut self) -> Time {
        match self.rng.u32(0..4) {
            0 => Time::Keep,
            1 => Time::At(self.rng.i64(0..20)),
            _ => Time::Never,
        }
    }

    fn entry(&mut self, value: Value) -> Entry {
        let size = match self.rng.u32(0..1000) {
            0..900 => self.rng.usize(1..30),
            900..999 => self.rng.usize(30..300),
            _ => self.rng.usize(300..4000),
        };
        self.names = size * NAMES;
        let mut entry = Entry::new(b"key", NewValue::Object(value), None, 7);
        (0..size).for_each(|_| self.add(&mut entry));
        entry
    }

    fn add(&mut self, entry: &mut Entry) {
        let (name, score, time) = (self.name(), self.score(), self.time());
        let (limits, hasher) = (&self.limits, self.hasher);
        match entry.object_mut().expect("a collection") {
            ValueMut::Hash(hash) => {
                let value = self.rng.u32(0..5).to_string();
                hash.set(&name, value.as_bytes(), time, hash::Rules { limits, hasher });
            }
            ValueMut::Set(set) => drop(set.add(&name, &set::Rules { limits, hash: hasher })),
            ValueMut::Zset(zset) => {
                zset.update(&name, zset::Form { limits, hash: &hasher }, |_| Some(score));
            }
            _ => unreachable!("one of those that can be claimed"),
        }
    }

    fn remove(&mut self, entry: &mut Entry) {
        let (name, many) = (self.name(), self.rng.u32(0..10) == 0);
        let (limits, hash) = (&self.limits, self.hasher);
        let rng = &mut self.rng;
        match entry.object_mut().expect("a collection") {
            ValueMut::Hash(hash) if many => drop(hash.remove_due(rng.i64(0..20), 3)),
            ValueMut::Hash(hash) => match rng.u32(0..3) {
                0 => drop(hash.set_deadline(&name, Some(rng.i64(0..20)), self.hasher)),
                1 => drop(hash.set_deadline(&name, None, self.hasher)),
                _ => drop(hash.remove(&name)),
            },
            ValueMut::Set(set) if many && set.len() > 1 => {
                let count = rng.usize(1..set.len());
                set.pop_many(count, &set::Rules { limits, hash }, &mut || rng.u64(..), |_| ());
            }
            ValueMut::Set(set) if rng.bool() => drop(set.pop(&mut || rng.u64(..), |_| ())),
            ValueMut::Set(set) => drop(set.remove(&name)),
            ValueMut::Zset(zset) if many => {
                let start = rng.usize(0..=zset.len());
                zset.remove_ranks(start..rng.usize(start..=zset.len()));
            }
            ValueMut::Zset(zset) => drop(zset.remove(&name)),
            _ => unreachable!("one of those that can be claimed"),
        }
    }

    /// What another reader has claimed who has given up is of no matter.
    fn give_up(&mut self, entry: &mut Entry) {
        if self.rng.u32(0..3) > 0 {
            return;
        }
        let (mut place, mut seen) = (Place::of(entry), Vec::new());
        let is_begun = self.rng.bool();
        if is_begun && portion(entry, &mut place, 1, self.rng.bool(), &mut seen) {
            return;
        }
        assert!(place.claim(entry));
        (0..self.rng.u32(0..20)).for_each(|_| self.change(entry));
        drop(place);
        (0..self.rng.u32(0..3)).for_each(|_| self.change(entry));
    }

    fn change(&mut self, entry: &mut Entry) {
        if self.rng.bool() { self.add(entry) } else { self.remove(entry) }
    }

    /// Moves what it has allocated, which is no change.
    fn relocate(&mut self, entry: &mut Entry) {
        let (mut cursor, every) = (0, self.rng.bool());
        loop {
            let value = entry.object_mut().expect("a collection");
            let mut pays = |_: *const u8| every || self.rng.bool();
            cursor = value.relocate(cursor, 4, &mut pays);
            if cursor == 0 {
                break;
            }
        }
    }

    /// A copy is what there is now, and is claimed by nobody.
    fn copy(&mut self, entry: &mut Entry) {
        let mut copy = entry.copy_as(b"copy", None, 0);
        assert_eq!(super::claim_id(&copy), None);
        let now = state(entry);
        assert_eq!(state(&copy), now);
        self.add(&mut copy);
        assert_eq!(state(entry), now);
    }

    /// Changes a collection while it is spelled, to the end.
    fn play(&mut self, mut entry: Entry, reverse: bool) {
        let mut seen = Vec::new();
        self.give_up(&mut entry);
        let before = state(&entry);
        let mut place = Place::of(&entry);
        let (mut is_claimed, writes) = (false, self.rng.u32(0..8));
        loop {
            for _ in 0..self.rng.u32(0..=writes) {
                is_claimed = is_claimed || place.claim(&mut entry);
                assert!(is_claimed);
                match self.rng.u32(0..22) {
                    0..9 => self.add(&mut entry),
                    9..19 => self.remove(&mut entry),
                    19 => self.relocate(&mut entry),
                    20 => self.copy(&mut entry),
                    // The claim goes with the value.
                    _ => entry.set_deadline(self.rng.bool().then_some(1)),
                }
            }
            let ends = is_claimed && self.rng.u32(0..40) == 0;
            let count = if ends { ALL } else { self.rng.usize(1..6) };
            if portion(&entry, &mut place, count, reverse, &mut seen) {
                break;
            }
            assert!(!ends, "all that is left is shown at once");
            place.tell(&mut entry);
        }
        assert!(place.is_sound());
        assert_eq!((place.deadline_ms, place.access), (None, 7));
        let shown: State = seen.iter().cloned().collect();
        assert_eq!(shown.len(), seen.len(), "an element is shown once");
        assert_eq!(shown, before);
    }
}

fn portion(
    entry: &Entry,
    place: &mut Place,
    count: usize,
    reverse: bool,
    seen: &mut Vec<(Vec<u8>, String)>,
) -> bool {
    let mut number = seen.len() as u64;
    let mut see = |at: u64, name: Element<'_>, rest: String| {
        assert_eq!(at, number);
        number += 1;
        seen.push((name.text(&mut Text::new()).to_vec(), rest));
    };
    match entry.object().expect("a collection") {
        ValueView::Hash(hash) => super::fields(hash, place, count, |at, name, value, due_ms| {
            see(at, name, format!("{value:?} {due_ms:?}"));
        }),
        ValueView::Set(set) => {
            super::members(set, place, count, |at, member| see(at, member, String::new()))
        }
        ValueView::Zset(zset) => super::scored(zset, place, count, reverse, |at, member, score| {
            see(at, member, format!("{score:?}"));
        }),
        _ => unreachable!("one of those that can be claimed"),
    }
}

fn state(entry: &Entry) -> State {
    let mut seen = Vec::new();
    assert!(portion(entry, &mut Place::of(entry), ALL, false, &mut seen));
    seen.into_iter().collect()
}

/// How many collections are played through: a thousand times as many where that is asked for.
fn cases() -> u64 {
    let times = std::env::var("REDDLE_PORTIONS").ok().and_then(|text| text.parse().ok());
    400 * times.unwrap_or(1)
}

#[test]
fn collections_that_change_are_spelled_as_they_were() {
    let kinds: [fn() -> Value; 3] =
        [|| Value::Hash(Hash::new()), || Value::Set(Set::new()), || Value::Zset(Zset::new())];
    for seed in 0..cases() {
        for make in kinds {
            let mut model = Model::new(seed);
            let entry = model.entry(make());
            model.play(entry, seed % 2 == 0);
        }
    }
}
