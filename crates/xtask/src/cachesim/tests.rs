//! The bars that the policy code has to pass on small traces.

use super::*;

const CAPACITY: usize = 2000;
const REQUESTS: usize = 100_000;
const RATE: f64 = 2000.0;

fn ratios(name: &str) -> [f64; 3] {
    let traces = trace::all(CAPACITY);
    let trace = traces.iter().find(|trace| trace.name == name);
    let keys = trace.expect("the name of a trace").keys(REQUESTS);
    POLICIES.map(|policy| policy::hit_ratio(policy, CAPACITY, RATE, &keys))
}

#[test]
fn scans_and_loops_leave_what_is_used() {
    for name in ["scans over zipf 0.9", "loop of 1.2 caches", "loop of 3 caches"] {
        let [lru, lfu, fifo] = ratios(name);
        assert!(fifo > lru && fifo > lfu, "{name}: lru {lru} lfu {lfu} s3fifo {fifo}");
    }
}

#[test]
fn skew_makes_hits() {
    let [lru, lfu, fifo] = ratios("zipf 1.0");
    assert!(lru > 0.6 && lfu > 0.6 && fifo > 0.6, "lru {lru} lfu {lfu} s3fifo {fifo}");
}
