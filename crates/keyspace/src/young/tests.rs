//! Tests of the queue of young keys.

use super::*;

/// Hashes that are spread as a hash function spreads them.
fn hash(number: u64) -> u64 {
    let mut rng = fastrand::Rng::with_seed(number);
    rng.u64(..)
}

#[test]
fn the_oldest_goes_first_and_only_when_there_are_too_many() {
    let mut young = Young::default();
    for number in 0..5 {
        assert!(!young.enter(hash(number), 1000));
    }
    assert_eq!(young.oldest(1000), None);
    assert_eq!(young.oldest(40), Some((hash(0) >> 32) as u32));
    assert_eq!(young.oldest(40), None);
}

#[test]
fn who_comes_back_soon_is_known() {
    let mut young = Young::default();
    young.enter(hash(1), 1000);
    let came_back = (100..150).filter(|&number| {
        young.leave(hash(number));
        young.enter(hash(number), 1000)
    });
    assert_eq!(came_back.count(), 50);
    // Once is enough, and strangers are rarely taken for one of them.
    (200..300).for_each(|number| young.leave(hash(number)));
    assert!(young.enter(hash(299), 1000));
    assert!(!young.enter(hash(299), 1000));
    let mistaken = (1000..2000).filter(|&number| young.enter(hash(number), 1000)).count();
    assert!(mistaken < 20, "{mistaken}");
}

#[test]
fn a_key_costs_at_most_a_byte() {
    let mut young = Young::default();
    for len in 0..200_000 {
        young.enter(hash(len as u64), len);
        if len > 1000 {
            assert!(young.memory() <= len, "{} for {len}", young.memory());
        }
    }
    for len in (2000..200_000).rev().step_by(100) {
        young.enter(hash(len as u64), len);
        assert!(young.memory() <= 2 * len, "{} for {len}", young.memory());
    }
}
