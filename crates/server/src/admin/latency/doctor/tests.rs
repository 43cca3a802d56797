//! Tests of the doctor's words.

use std::time::Duration;

use super::*;
use crate::latency::Monitor;

#[test]
fn it_says_when_it_knows_nothing() {
    assert!(report(&[], false, 0).contains("latency-monitor-threshold"));
    assert!(report(&[], true, 0).starts_with("Nothing was slower"));
}

#[test]
fn each_event_has_a_line_and_its_advice_once() {
    let monitor = Monitor::default();
    monitor.set_threshold(1);
    for event in ["aof-write", "aof-fsync-always", "command"] {
        monitor.note(event, Duration::from_millis(30));
    }
    let text = report(&monitor.all(), true, crate::clock::unix_ms() / 1000);
    assert!(text.contains("3. command: 1 latency spikes (average 30ms"), "{text}");
    assert_eq!(text.matches("append only file").count(), 1, "{text}");
    assert!(text.contains("SLOWLOG GET"), "{text}");
    assert!(!text.contains("maxmemory"), "{text}");
}
