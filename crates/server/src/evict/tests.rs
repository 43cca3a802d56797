//! Tests of the limit's arithmetic.

use super::*;

#[test]
fn policies_have_their_meaning() {
    assert_eq!(policy("noeviction"), None);
    assert_eq!(policy("allkeys-lru"), Some((Scope::All, Order::Idle)));
    assert_eq!(policy("volatile-lrm"), Some((Scope::Volatile, Order::Idle)));
    assert_eq!(policy("volatile-lfu"), Some((Scope::Volatile, Order::Frequency)));
    assert_eq!(policy("volatile-ttl"), Some((Scope::Volatile, Order::Deadline)));
    assert_eq!(policy("allkeys-random"), Some((Scope::All, Order::Random)));
    assert_eq!(policy("allkeys-s3fifo"), Some((Scope::All, Order::Recurrence)));
}

#[test]
fn tenacity_is_a_line_and_then_a_power() {
    assert_eq!(time_limit(0), Duration::ZERO);
    assert_eq!(time_limit(10), Duration::from_micros(500));
    assert_eq!(time_limit(11), Duration::from_micros(575));
    assert!(time_limit(99) > Duration::from_secs(100));
    assert_eq!(time_limit(100), Duration::MAX);
}

#[test]
fn the_time_above_the_limit_adds_up() {
    let excess = Excess::default();
    excess.note(true, 1_000_000);
    assert_eq!(excess.figures(1_500_000), (500, 500));
    excess.note(true, 1_600_000);
    excess.note(false, 2_000_000);
    assert_eq!(excess.figures(3_000_000), (0, 1000));
    excess.note(true, 4_000_000);
    assert_eq!(excess.figures(4_002_000), (2, 1002));
}
