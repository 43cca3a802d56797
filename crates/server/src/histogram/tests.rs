//! Tests of the histogram.

use proptest::prelude::*;

use super::*;

fn totals(values: &[u64]) -> Totals {
    let histogram = Histogram::default();
    for value in values {
        histogram.record(*value);
    }
    Totals::of([&histogram].into_iter()).expect("something was recorded")
}

#[test]
fn nothing_recorded_is_nothing() {
    let histogram = Histogram::default();
    assert!(Totals::of([&histogram].into_iter()).is_none());
    histogram.record(7);
    histogram.reset();
    assert!(Totals::of([&histogram].into_iter()).is_none());
}

#[test]
fn histograms_add_up() {
    let (one, other) = (Histogram::default(), Histogram::default());
    one.record(1);
    other.record(1);
    other.record(20);
    let totals = Totals::of([&one, &other].into_iter()).expect("something was recorded");
    assert_eq!(totals.count(), 3);
    assert_eq!((totals.percentile(66.0), totals.percentile(67.0)), (1, 20));
}

#[test]
fn percentiles_are_those_of_the_values() {
    let totals = totals(&(1..=30).collect::<Vec<_>>());
    let cases = [(0.0, 1), (50.0, 15), (90.0, 27), (99.0, 30), (100.0, 30)];
    for (percent, value) in cases {
        assert_eq!(totals.percentile(percent), value, "{percent}");
    }
}

#[test]
fn what_is_too_long_counts_as_the_longest() {
    assert_eq!(totals(&[u64::MAX]).percentile(50.0), (1 << 40) - 1);
}

proptest! {
    #[test]
    fn a_bucket_holds_its_value_and_is_narrow(value in 0u64..1 << 40) {
        let highest = highest_of(bucket_of(value));
        prop_assert!(highest >= value);
        prop_assert!(highest - value <= value / SUBS as u64);
        prop_assert_eq!(bucket_of(highest), bucket_of(value));
        let next = (bucket_of(value) + 1).min(BUCKETS - 1);
        prop_assert_eq!(bucket_of(highest + 1), next);
    }
}
