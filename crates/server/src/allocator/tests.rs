//! Tests of the figures about memory.

use super::*;

#[test]
fn the_system_tells_of_memory() {
    assert!(system_memory() > 1 << 20);
    assert!(resident_set() > 1 << 12);
    assert!(resident_set() < system_memory());
}

#[test]
fn the_allocator_tells_of_itself() {
    let report = report();
    assert!(report.starts_with(b"___ Begin jemalloc statistics ___"), "{report:?}");
    let figures = figures();
    assert!(figures.used <= figures.allocated);
    assert!(figures.allocated <= figures.active && figures.active <= figures.resident);
}

#[test]
fn a_gauge_keeps_the_first_and_the_highest() {
    let gauge = Gauge::default();
    let first = gauge.look(5);
    assert_eq!(gauge.startup(), first.used);
    assert_eq!(gauge.peak_ms(), 5);
    gauge.peak.store(u64::MAX, Ordering::Relaxed);
    gauge.look(6);
    assert_eq!(gauge.startup(), first.used);
    assert_eq!((gauge.peak(), gauge.peak_ms()), (u64::MAX, 5));
}
