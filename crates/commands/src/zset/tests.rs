//! What cases cannot show well: digits, and evenness of choice.

use super::random::distinct;
use super::scan::write_digits;

#[test]
fn digits_are_those_of_c() {
    for (score, text) in [
        (0.1, "0.10000000000000001"),
        (-1.5, "-1.5"),
        (100.0, "100"),
        (1e16, "10000000000000000"),
        (1e17, "1e+17"),
        (1.5e300, "1.5000000000000001e+300"),
        (0.0001, "0.0001"),
        (0.00001, "1.0000000000000001e-05"),
        (123456.789, "123456.789"),
        (f64::NEG_INFINITY, "-inf"),
    ] {
        let mut out = Vec::new();
        write_digits(&mut out, score);
        assert_eq!(String::from_utf8_lossy(&out), text);
    }
}

#[test]
fn every_choice_of_ranks_is_as_likely_as_another() {
    let mut rng = fastrand::Rng::with_seed(1);
    let mut seen = std::collections::BTreeMap::new();
    for _ in 0..10_000 {
        let mut ranks = distinct(5, 2, &mut rng);
        ranks.sort_unstable();
        *seen.entry(ranks).or_insert(0) += 1;
    }
    assert_eq!(seen.len(), 10);
    assert!(seen.values().all(|times| (850..1150).contains(times)), "{seen:?}");
}
