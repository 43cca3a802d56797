//! Against a sorted set, at the edges of each width, and with damaged blobs.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::{Intset, Width};
use crate::compact::Corrupt;

/// A set of both signs and all widths, as a server dumps it.
const SAMPLE: &[u8] = &[4, 0, 0, 0, 3, 0, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF, 7, 0, 0, 0, 0, 0, 1, 0];

fn filled(values: &[i64]) -> Intset {
    let mut set = Intset::new();
    for value in values {
        set.insert(*value);
    }
    set
}

#[test]
fn the_handle_is_one_word() {
    assert_eq!(size_of::<Option<Intset>>(), size_of::<usize>());
}

#[test]
fn layout() {
    assert_eq!(filled(&[65536, -2, 7]).as_bytes(), SAMPLE);
    let set = Intset::from_bytes(SAMPLE).unwrap();
    assert_eq!(set.iter().rev().collect::<Vec<_>>(), [65536, 7, -2]);
    assert_eq!(
        (set.min(), set.max(), set.get(1), set.get(3)),
        (Some(-2), Some(65536), Some(7), None)
    );
    assert!(set.contains_text(b"-2") && !set.contains_text(b"-02"));
    let new = Intset::new();
    assert_eq!((new.min(), new.max(), new.pick(&mut |_| 0)), (None, None, None));
    assert_eq!(new.as_bytes(), [2, 0, 0, 0, 0, 0, 0, 0]);
}

#[test]
fn a_width_is_taken_when_needed_and_kept() {
    let edges = [
        (i64::from(i16::MAX), Width::Two),
        (i64::from(i16::MIN), Width::Two),
        (i64::from(i16::MAX) + 1, Width::Four),
        (i64::from(i16::MIN) - 1, Width::Four),
        (i64::from(i32::MAX), Width::Four),
        (i64::from(i32::MIN), Width::Four),
        (i64::from(i32::MAX) + 1, Width::Eight),
        (i64::from(i32::MIN) - 1, Width::Eight),
        (i64::MAX, Width::Eight),
        (i64::MIN, Width::Eight),
    ];
    for (value, width) in edges {
        let mut set = filled(&[-1, 0, 1]);
        assert!(set.insert(value) && !set.insert(value));
        assert_eq!(set.width(), width, "{value}");
        assert_eq!(set.bytes_len(), 8 + 4 * width as usize);
        assert!(set.remove(value) && !set.remove(value));
        assert_eq!((set.width(), set.iter().collect::<Vec<_>>()), (width, vec![-1, 0, 1]));
    }
}

#[test]
fn what_is_wrong_is_said() {
    let damaged = |at: usize, byte: u8| {
        let mut blob = SAMPLE.to_vec();
        blob[at] = byte;
        Intset::from_bytes(&blob).unwrap_err()
    };
    let corrupt = |offset, what| Corrupt { offset, what };
    let short = Intset::from_bytes(&SAMPLE[..7]).unwrap_err();
    assert_eq!(short, corrupt(0, "intset shorter than its header"));
    assert_eq!(damaged(0, 3), corrupt(0, "intset of an unknown width"));
    assert_eq!(damaged(4, 2), corrupt(4, "intset with a wrong count"));
    assert_eq!(damaged(7, 255), corrupt(4, "intset with a wrong count"));
    assert_eq!(damaged(18, 0), corrupt(16, "intset not in ascending order"));
    let empty = Intset::from_bytes(Intset::new().as_bytes()).unwrap_err();
    assert_eq!(empty, corrupt(4, "intset with a wrong count"));
}

/// Every single changed byte and every cut: refused, or a set that keeps its rules.
#[test]
fn damage_is_refused_or_harmless() {
    let mut accepted = 0;
    let sets = [filled(&[1, 5, 300]), filled(&[-70000, 0, 9]), filled(&[i64::MIN, 3, i64::MAX])];
    for set in sets {
        for at in 0..set.bytes_len() {
            assert!(Intset::from_bytes(&set.as_bytes()[..at]).is_err());
            for byte in 0..=255 {
                let mut blob = set.as_bytes().to_vec();
                blob[at] = byte;
                let Ok(mut odd) = Intset::from_bytes(&blob) else { continue };
                accepted += 1;
                assert_eq!(odd.as_bytes(), blob);
                let values: Vec<i64> = odd.iter().collect();
                assert!(values.is_sorted_by(|a, b| a < b));
                assert!(values.iter().all(|value| odd.contains(*value)));
                odd.insert(12345);
                assert!(odd.remove(12345));
            }
        }
    }
    assert!(accepted > 500);
}

fn value() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => -20i64..20,
        1 => prop::sample::select(vec![i16::MAX.into(), i16::MIN.into(), 40_000, -40_000]),
        1 => prop::sample::select(vec![i64::from(i32::MAX), i64::from(i32::MIN), 1 << 40]),
        1 => any::<i64>(),
    ]
}

proptest! {
    #[test]
    fn agrees_with_a_sorted_set(steps in prop::collection::vec((0..3, value()), 0..120)) {
        let mut set = Intset::new();
        let mut model = BTreeSet::new();
        for (step, value) in steps {
            match step {
                0 => prop_assert_eq!(set.remove(value), model.remove(&value)),
                _ => prop_assert_eq!(set.insert(value), model.insert(value)),
            }
            prop_assert_eq!(set.contains(value), model.contains(&value));
            prop_assert_eq!(set.len(), model.len());
            prop_assert!(set.iter().eq(model.iter().copied()));
            prop_assert!(set.iter().rev().eq(model.iter().rev().copied()));
            let below = model.range(..value).count();
            prop_assert_eq!(set.search(value).unwrap_or_else(|at| at), below);
        }
        if !model.is_empty() {
            prop_assert_eq!(&Intset::from_bytes(set.as_bytes()).unwrap(), &set);
            let last = model.pop_last();
            prop_assert_eq!(Some(set.remove_at(set.len() - 1)), last);
        }
    }
}
