//! One connection against a server that stands still once, with and without the correction.

use super::*;

const MS: u64 = 1_000_000;

/// Latencies of `count` requests at 1000 a second on one connection. Each takes a tenth of a
/// millisecond, but for the one that is sent at or after 100 ms, which takes `stall`.
fn latencies(since: Since, count: usize, stall: u64) -> Vec<u64> {
    let mut schedule = Schedule::new(1000.0, since);
    let (mut now, mut stalled, mut seen) = (0, false, Vec::new());
    while seen.len() < count {
        now = now.max(schedule.due());
        let begun = schedule.take(now).expect("it is due");
        let takes = if !stalled && now >= 100 * MS { stall } else { MS / 10 };
        stalled |= takes == stall;
        now += takes;
        seen.push(now - begun);
    }
    seen
}

#[test]
fn a_stall_is_charged_to_everyone_who_was_due() {
    let seen = latencies(Since::Due, 1000, 100 * MS);
    // The one that waited, and those that were due during the stall, each a millisecond later and
    // served a tenth of a millisecond behind the one before.
    for (behind, latency) in seen[100..200].iter().enumerate() {
        let expected = 100 * MS - behind as u64 * (MS - MS / 10);
        assert_eq!(*latency, expected, "{behind}");
    }
    // As many until the queue is empty: 100 ms of backlog, which shrinks by 0.9 ms each time.
    let late = seen.iter().filter(|latency| **latency > MS / 10).count();
    assert_eq!(late, 111);
    assert_eq!(seen[999], MS / 10);
}

#[test]
fn without_the_correction_one_request_alone_is_slow() {
    let seen = latencies(Since::Sent, 1000, 100 * MS);
    let slow = seen.iter().filter(|latency| **latency > MS / 10).count();
    assert_eq!(slow, 1);
}

#[test]
fn the_rate_is_kept_over_any_number_of_batches() {
    let mut schedule = Schedule::new(3.0, Since::Due);
    for _ in 0..3_000_000 {
        assert!(schedule.take(u64::MAX / 2).is_some());
    }
    assert_eq!(schedule.due(), 1_000_000 * 1_000_000_000);
    assert_eq!(schedule.take(schedule.due() - 1), None);
}

#[test]
fn a_limit_does_not_catch_up() {
    let mut schedule = Schedule::new(1000.0, Since::Sent);
    assert_eq!(schedule.take(5_000 * MS), Some(5_000 * MS));
    let at_once = std::iter::from_fn(|| schedule.take(5_000 * MS)).count();
    assert!(at_once <= SLACK as usize + 1, "{at_once}");
}
