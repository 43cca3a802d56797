//! Draws against the formulas, by the sum of squared deviations.

use super::*;

const DRAWS: usize = 200_000;

/// Chi-square over as many classes as there are expectations.
fn chi_square(keys: &mut Keys, expected: &[f64]) -> f64 {
    let mut random = Rng::with_seed(7);
    let mut seen = vec![0u64; expected.len()];
    for _ in 0..DRAWS {
        let number = keys.next(0, &mut random) as usize;
        seen[number] += 1;
    }
    let total: f64 = expected.iter().sum();
    let share = |weight: f64| weight / total * DRAWS as f64;
    seen.iter()
        .zip(expected)
        .map(|(seen, weight)| (*seen as f64 - share(*weight)).powi(2) / share(*weight))
        .sum()
}

/// Six standard deviations over the mean of the chi-square distribution.
fn limit(classes: usize) -> f64 {
    let freedom = (classes - 1) as f64;
    freedom + 6.0 * (2.0 * freedom).sqrt()
}

#[test]
fn zipf_has_the_weights_of_its_formula() {
    for exponent in [0.5, 0.99, 1.0, 1.2, 2.0] {
        for count in [1usize, 2, 10, 300] {
            let weights: Vec<f64> = (1..=count).map(|rank| (rank as f64).powf(-exponent)).collect();
            let mut keys = Keys::Zipf(Zipf::new(count as u64, exponent));
            let found = chi_square(&mut keys, &weights);
            assert!(found <= limit(count), "s {exponent}, n {count}: {found}");
        }
    }
}

#[test]
fn another_exponent_would_be_noticed() {
    let weights: Vec<f64> = (1..=100).map(|rank| f64::from(rank).powf(-1.0)).collect();
    let found = chi_square(&mut Keys::Zipf(Zipf::new(100, 0.95)), &weights);
    assert!(found > limit(100), "{found}");
}

#[test]
fn zipf_reaches_large_ranges() {
    let mut random = Rng::with_seed(1);
    let zipf = Zipf::new(1 << 40, 0.9);
    let largest = (0..10_000).map(|_| zipf.next(&mut random)).max();
    assert!(largest.is_some_and(|rank| rank > 1 << 32 && rank < 1 << 40));
}

#[test]
fn hot_numbers_get_their_share() {
    let weights: Vec<f64> =
        (0..100).map(|number| if number < 10 { 0.9 / 10.0 } else { 0.1 / 90.0 }).collect();
    let found = chi_square(&mut Keys::Hot(Hot::new(100, 0.1, 0.9)), &weights);
    assert!(found <= limit(100), "{found}");
    let all = chi_square(&mut Keys::Hot(Hot::new(50, 1.0, 0.5)), &[1.0; 50]);
    assert!(all <= limit(50), "{all}");
}

#[test]
fn uniform_numbers_are_uniform() {
    let found = chi_square(&mut Keys::Random(128), &[1.0; 128]);
    assert!(found <= limit(128), "{found}");
}

#[test]
fn a_cycle_is_shared_by_its_clones_and_counts_each_placeholder_alone() {
    let mut random = Rng::with_seed(1);
    let mut one = Keys::cycle(3);
    let mut other = one.clone();
    let drawn = [one.next(0, &mut random), other.next(0, &mut random), one.next(0, &mut random)];
    assert_eq!(drawn, [0, 1, 2]);
    assert_eq!(other.next(0, &mut random), 0);
    assert_eq!(other.next(1, &mut random), 0);
}
