//! Hashes of both forms against a model, over the moment of conversion and of expiry.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn rules(limits: &Limits) -> Rules<'_> {
    Rules { limits, hasher: KeyHash::new([7; 16]) }
}

fn text(element: Element<'_>) -> Vec<u8> {
    let mut text = Vec::new();
    element.write_to(&mut text);
    text
}

type Model = BTreeMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

fn content(hash: &Hash) -> Model {
    let pairs = hash.iter();
    pairs.map(|pair| (text(pair.name()), (text(pair.value()), pair.deadline_ms()))).collect()
}

fn earliest(model: &Model) -> Option<i64> {
    model.values().filter_map(|(_, deadline_ms)| *deadline_ms).min()
}

#[derive(Clone, Debug)]
enum Step {
    Set(u8, Vec<u8>, Option<i64>),
    Keep(u8, Vec<u8>),
    Remove(u8),
    Deadline(u8, Option<i64>),
    Expire(i64, usize),
    Copy,
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        prop::collection::vec(any::<u8>(), 0..40),
        prop::collection::vec(any::<u8>(), 240..270),
    ];
    let time = prop::option::weighted(0.3, 0..50_i64);
    prop_oneof![
        6 => (0..24_u8, value.clone(), time.clone()).prop_map(|(n, v, t)| Step::Set(n, v, t)),
        2 => (0..24_u8, value).prop_map(|(n, v)| Step::Keep(n, v)),
        4 => (0..24_u8).prop_map(Step::Remove),
        2 => (0..24_u8, time).prop_map(|(n, t)| Step::Deadline(n, t)),
        1 => (0..50_i64, 1..6_usize).prop_map(|(now, max)| Step::Expire(now, max)),
        1 => Just(Step::Copy),
    ]
}

/// A name that is a number, a text, long or empty.
fn name(number: u8) -> Vec<u8> {
    match number % 4 {
        0 => number.to_string().into_bytes(),
        1 => format!("field {number}").into_bytes(),
        2 => vec![b'x'; usize::from(number) * 20],
        _ => {
            if number == 3 {
                Vec::new()
            } else {
                vec![number; 3]
            }
        }
    }
}

fn take(hash: &mut Hash, model: &mut Model, step: Step, rules: Rules<'_>) {
    match step {
        Step::Set(number, value, deadline_ms) => {
            let time = deadline_ms.map_or(Time::Never, Time::At);
            let is_new = hash.set(&name(number), &value, time, rules);
            let old = model.insert(name(number), (value, deadline_ms));
            assert_eq!(is_new, old.is_none());
        }
        Step::Keep(number, value) => {
            let is_new = hash.set(&name(number), &value, Time::Keep, rules);
            let slot = model.entry(name(number));
            assert_eq!(is_new, matches!(slot, std::collections::btree_map::Entry::Vacant(_)));
            slot.or_default().0 = value;
        }
        Step::Remove(number) => {
            assert_eq!(hash.remove(&name(number)), model.remove(&name(number)).is_some());
        }
        Step::Deadline(number, deadline_ms) => {
            let found = hash.set_deadline(&name(number), deadline_ms, rules.hasher);
            let slot = model.get_mut(&name(number));
            assert_eq!(found, slot.is_some());
            slot.into_iter().for_each(|slot| slot.1 = deadline_ms);
        }
        Step::Expire(now_ms, max) => {
            let is_due = |time: Option<i64>| time.is_some_and(|time| time < now_ms);
            let due = model.values().filter(|(_, time)| is_due(*time)).count();
            assert_eq!(hash.is_due(now_ms), due > 0);
            assert_eq!(hash.is_over(now_ms), due > 0 && due == model.len());
            let removed = hash.remove_due(now_ms, max);
            assert_eq!(removed.len(), due.min(max));
            let times = removed.iter().map(|name| {
                let (_, time) = model.remove(&**name).expect("a field that was there");
                time.expect("a field that expires")
            });
            let times: Vec<i64> = times.collect();
            assert!(times.is_sorted() && times.iter().all(|time| *time < now_ms));
        }
        Step::Copy => *hash = hash.clone(),
    }
}

proptest! {
    #[test]
    fn behaves_like_a_map(
        steps in prop::collection::vec(step(), 1..200),
        entries in 0..20_usize,
        longest in 0..64_usize,
    ) {
        let limits = Limits { hash_entries: entries, hash_value: longest, ..Limits::default() };
        let (mut hash, mut model) = (Hash::new(), Model::new());
        for step in steps {
            take(&mut hash, &mut model, step, rules(&limits));
            prop_assert_eq!(hash.len(), model.len());
            prop_assert_eq!(hash.is_vacant(), model.is_empty());
            prop_assert_eq!(hash.next_due_ms(), earliest(&model));
            if let Some(pack) = hash.listpack() {
                prop_assert!(pack.len() / 2 <= entries && earliest(&model).is_none());
            }
        }
        prop_assert_eq!(content(&hash), model.clone());
        for (name, (value, deadline_ms)) in &model {
            let pair = hash.get(name).expect("every field of the model is there");
            prop_assert_eq!(text(pair.value()), value.clone());
            prop_assert_eq!(pair.deadline_ms(), *deadline_ms);
        }
    }
}

fn numbered(count: u32, entries: usize) -> Hash {
    let limits = Limits { hash_entries: entries, ..Limits::default() };
    let mut hash = Hash::new();
    for number in 0..count {
        let text = number.to_string();
        hash.set(format!("f{text}").as_bytes(), text.as_bytes(), Time::Never, rules(&limits));
    }
    hash
}

#[test]
fn a_hash_becomes_large_at_its_limits() {
    assert_eq!(numbered(512, 512).encoding(), "listpack");
    assert_eq!(numbered(513, 512).encoding(), "hashtable");
    let limits = Limits::default();
    let mut hash = Hash::new();
    hash.set(b"f", &[b'v'; 64], Time::Never, rules(&limits));
    assert_eq!(hash.encoding(), "listpack");
    hash.make_room(&[b"f", &[b'v'; 65]], rules(&limits));
    assert_eq!(hash.encoding(), "hashtable");
    assert_eq!(text(hash.get(b"f").expect("it stays").value()), [b'v'; 64]);
}

#[test]
fn a_walk_meets_every_field() {
    for (count, entries) in [(100, 128), (5000, 128)] {
        let hash = numbered(count, entries);
        let (mut met, mut cursor) = (BTreeSet::new(), 0);
        loop {
            cursor = hash.scan(cursor, 10, &mut |name, _| {
                met.insert(text(name));
            });
            if cursor == 0 {
                break;
            }
        }
        assert_eq!(met.len(), count as usize);
    }
}

#[test]
fn random_picks_are_even_and_different() {
    for (count, entries) in [(40_u32, 128), (40, 0)] {
        let hash = numbered(count, entries);
        let mut rng = fastrand::Rng::with_seed(1);
        for wanted in [3, 30, 40, 100] {
            let mut times = BTreeMap::<Vec<u8>, u32>::new();
            for _ in 0..2000 {
                let mut once = BTreeSet::new();
                hash.pick_unique(wanted, &mut || rng.u64(..), &mut |pair| {
                    assert!(once.insert(text(pair.name())), "the same field twice");
                });
                assert_eq!(once.len(), wanted.min(40));
                once.into_iter().for_each(|name| *times.entry(name).or_default() += 1);
            }
            let expected = 2000 * wanted.min(40) as u32 / 40;
            let near = expected * 3 / 5..=expected * 7 / 5;
            assert!(times.len() == 40 && times.values().all(|times| near.contains(times)));
        }
        let mut picked = 0;
        hash.pick_many(500, &mut || rng.u64(..), &mut |_| {
            picked += 1;
            true
        });
        assert_eq!(picked, 500);
    }
}
