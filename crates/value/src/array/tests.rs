//! Arrays against a `BTreeMap`, over both forms of slices and far away indexes.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Array, INDEX_MAX};
use crate::number::Text;

type Model = BTreeMap<u64, Vec<u8>>;

#[derive(Clone, Debug)]
enum Step {
    Set(u64, Vec<u8>),
    Remove(u64),
    RemoveRange(u64, u64),
    Clone,
}

fn index() -> impl Strategy<Value = u64> {
    prop_oneof![
        6 => 0..300u64,
        2 => 4000..4200u64,
        1 => INDEX_MAX - 70..=INDEX_MAX,
        1 => 0..=INDEX_MAX,
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => (-200..5000i64).prop_map(|number| number.to_string().into_bytes()),
        1 => any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        4 => prop::collection::vec(any::<u8>(), 0..20),
        1 => prop::sample::select(vec![63usize, 64, 2000, 4096, 9000])
            .prop_map(|len| vec![b'x'; len]),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        12 => (index(), text()).prop_map(|(index, text)| Step::Set(index, text)),
        4 => index().prop_map(Step::Remove),
        1 => (index(), index()).prop_map(|(one, other)| Step::RemoveRange(one, other)),
        1 => Just(Step::Clone),
    ]
}

fn check(array: &Array, model: &Model, from: u64, to: u64) {
    assert_eq!(array.count(), model.len() as u64);
    assert_eq!(array.is_vacant(), model.is_empty());
    assert_eq!(array.len(), model.last_key_value().map_or(0, |(&index, _)| index + 1));
    let mut seen = Vec::new();
    array.walk(from, to, |index, element| {
        seen.push((index, element.text(&mut Text::new()).to_vec()));
        true
    });
    let inside = model.range(from.min(to)..=from.max(to));
    let mut expected: Vec<_> = inside.map(|(&index, text)| (index, text.clone())).collect();
    if from > to {
        expected.reverse();
    }
    assert_eq!(seen, expected);
    let fill = array.fill();
    assert_eq!(fill.dense + fill.sparse, array.slices());
    assert_eq!(fill.dense_elements + fill.sparse_elements, array.count());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn agrees_with_a_map(
        steps in prop::collection::vec((step(), index(), index()), 1..120),
    ) {
        let (mut array, mut model) = (Array::new(), Model::new());
        for (step, from, to) in steps {
            match step {
                Step::Set(index, text) => {
                    let is_new = model.insert(index, text.clone()).is_none();
                    assert_eq!(array.set(index, &text), is_new);
                    let kept = array.get(index).map(|kept| kept.text(&mut Text::new()).to_vec());
                    assert_eq!(kept, Some(text));
                }
                Step::Remove(index) => {
                    assert_eq!(array.remove(index), model.remove(&index).is_some());
                    assert!(array.get(index).is_none());
                }
                Step::RemoveRange(first, last) => {
                    let before = model.len();
                    if first <= last {
                        model.retain(|index, _| !(first..=last).contains(index));
                    }
                    let removed = array.remove_range(first, last);
                    assert_eq!(removed as usize, before - model.len());
                }
                Step::Clone => array = array.clone(),
            }
            check(&array, &model, from, to);
        }
    }

    /// A ring against a list of what was inserted: whatever its size does, the newest come first.
    #[test]
    fn a_ring_keeps_the_newest(
        steps in prop::collection::vec((1..12u64, 1..6usize), 1..40),
    ) {
        let (mut array, mut kept, mut number) = (Array::new(), Vec::new(), 0i64);
        for (places, inserts) in steps {
            array.resize_ring(places);
            for _ in 0..inserts {
                let index = array.insert_in_ring(places, number.to_string().as_bytes());
                prop_assert!(index < places);
                kept.push(number);
                number += 1;
            }
            let excess = kept.len().saturating_sub(places as usize);
            kept.drain(..excess);
            prop_assert_eq!(array.count(), kept.len() as u64);
            let newest: Vec<i64> = array
                .newest(u64::MAX)
                .map(|element| {
                    let element = element.expect("a ring has no gaps");
                    let text = element.text(&mut Text::new()).to_vec();
                    String::from_utf8(text).expect("digits").parse().expect("a number")
                })
                .collect();
            prop_assert!(newest.iter().eq(kept.iter().rev()));
        }
    }
}

#[test]
fn a_walk_ends_when_it_is_told() {
    let mut array = Array::new();
    for index in 0..500 {
        array.set(index, b"x");
    }
    for (from, to) in [(10, 490), (490, 10)] {
        let mut seen = Vec::new();
        array.walk(from, to, |index, _| {
            seen.push(index);
            seen.len() < 100
        });
        let expected: Vec<u64> =
            if from < to { (10..110).collect() } else { (391..=490).rev().collect() };
        assert_eq!(seen, expected);
    }
}

#[test]
fn a_wide_range_costs_what_it_holds() {
    let mut array = Array::new();
    array.set(0, b"first");
    array.set(INDEX_MAX, b"last");
    array.set(1 << 40, b"between");
    assert_eq!(array.slices(), 3);
    assert!(array.memory(0) < 500, "{}", array.memory(0));
    assert_eq!(array.remove_range(1, INDEX_MAX - 1), 1);
    assert_eq!(array.len(), u64::MAX);
    assert_eq!(array.remove_range(0, INDEX_MAX), 2);
    assert!(array.is_vacant());
}

#[test]
fn many_small_numbers_take_little_room() {
    let mut array = Array::new();
    for index in 0..100_000u64 {
        array.set(index, (index % 100).to_string().as_bytes());
    }
    assert!(array.memory(0) < 400_000, "{}", array.memory(0));
    let estimate = array.memory(5);
    assert!(estimate.abs_diff(array.memory(0)) < 40_000, "{estimate}");
}

#[test]
fn the_cursor_ends_with_the_indexes() {
    let mut array = Array::new();
    assert_eq!(array.next_insert(), Some(0));
    array.set_last_insert(Some(INDEX_MAX - 1));
    assert_eq!(array.next_insert(), Some(INDEX_MAX));
    array.set_last_insert(Some(INDEX_MAX));
    assert_eq!(array.next_insert(), None);
    assert_eq!(array.insert_in_ring(10, b"x"), u64::MAX % 10);
}

#[test]
fn a_gap_ends_what_a_resized_ring_keeps() {
    let mut array = Array::new();
    for number in 0..8 {
        array.insert_in_ring(8, format!("v{number}").as_bytes());
    }
    array.remove(5);
    array.resize_ring(4);
    let newest: Vec<_> = array.newest(9).map(|element| element.map(|_| ())).collect();
    assert_eq!((array.count(), array.last_insert(), newest.len()), (2, Some(1), 2));
}
