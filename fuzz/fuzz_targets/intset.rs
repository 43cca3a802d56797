//! Intsets: blobs from outside, and steps against a sorted set.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use value::compact::Intset;

fuzz_target!(|input: &[u8]| {
    let Some((kind, input)) = input.split_first() else { return };
    match kind % 4 {
        0 => blob(input),
        1 => blob(&with_header(2, input)),
        2 => blob(&with_header(4, input)),
        _ => steps(input),
    }
});

/// A header that fits, so that what is looked at is the order of the numbers.
fn with_header(width: u32, numbers: &[u8]) -> Vec<u8> {
    let len = u32::try_from(numbers.len()).expect("inputs are short") / width;
    [&width.to_le_bytes()[..], &len.to_le_bytes(), numbers].concat()
}

fn blob(blob: &[u8]) {
    let Ok(mut set) = Intset::from_bytes(blob) else { return };
    assert_eq!(set.as_bytes(), blob);
    let model: BTreeSet<i64> = set.iter().collect();
    agrees(&set, &model);
    set.insert(i64::MIN);
    for value in model {
        assert!(set.contains(value));
        assert!(value == i64::MIN || set.remove(value));
    }
    assert_eq!(set.iter().collect::<Vec<_>>(), [i64::MIN]);
}

fn steps(input: &[u8]) {
    let mut set = Intset::new();
    let mut model = BTreeSet::new();
    for step in input.chunks_exact(9) {
        let number = i64::from_le_bytes([
            step[1], step[2], step[3], step[4], step[5], step[6], step[7], step[8],
        ]);
        let value = number >> (step[0] % 64);
        if step[0] >= 192 {
            assert_eq!(set.remove(value), model.remove(&value));
        } else {
            assert_eq!(set.insert(value), model.insert(value));
        }
        agrees(&set, &model);
    }
}

fn agrees(set: &Intset, model: &BTreeSet<i64>) {
    assert_eq!((set.len(), set.is_empty()), (model.len(), model.is_empty()));
    assert!(set.iter().eq(model.iter().copied()));
    assert!(set.iter().rev().eq(model.iter().rev().copied()));
    assert_eq!((set.min(), set.max()), (model.first().copied(), model.last().copied()));
    assert!(model.is_empty() || Intset::from_bytes(set.as_bytes()).as_ref() == Ok(set));
}
