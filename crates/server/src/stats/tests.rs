//! Tests of the counters.

use super::*;

#[test]
fn a_tally_counts_from_the_last_reset_on() {
    let tally = Tally::default();
    tally.add(3);
    tally.add(4);
    assert_eq!(tally.get(), 7);
    tally.reset();
    assert_eq!(tally.get(), 0);
    tally.add(2);
    assert_eq!(tally.get(), 2);
}

#[test]
fn a_reset_forgets_everything_but_the_changes_of_the_data() {
    let stats = Stats::new(2);
    stats.commands[1].calls.add(1);
    stats.commands[1].latency.record(500);
    stats.processed.add(9);
    stats.dirty.add(5);
    stats.cycle_ns_max.raise(70);
    stats.cycle_ns_max.raise(60);
    assert_eq!(stats.cycle_ns_max.get(), 70);
    stats.reset();
    assert_eq!(stats.commands[1].calls.get(), 0);
    let latency = Totals::of([&stats.commands[1].latency].into_iter());
    assert!(latency.is_none());
    assert_eq!(stats.processed.get(), 0);
    assert_eq!(stats.cycle_ns_max.get(), 0);
    assert_eq!(stats.dirty.get(), 5);
}
