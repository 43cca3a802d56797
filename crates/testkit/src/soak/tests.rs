//! What counts as a fault.

use std::time::Duration;

use super::{Outcome, Window};

fn window(resident: u64, micros: u64) -> Window {
    Window {
        at: Duration::ZERO,
        rate: 1,
        latency: [Duration::from_micros(micros); 4],
        used: 1,
        resident,
        descriptors: 1,
        evicted: 0,
        expired: 0,
    }
}

fn outcome(windows: Vec<Window>) -> Outcome {
    Outcome { windows, descriptors: (9, 9), digests: ["a", "a", "a"].map(str::to_owned) }
}

#[test]
fn a_flat_run_has_no_faults() {
    assert_eq!(outcome(vec![window(1 << 20, 100); 40]).faults(), Vec::<String>::new());
}

#[test]
fn what_grows_is_a_fault() {
    let grown = (0..40).map(|it| window((100 + it) << 20, 100)).collect();
    assert!(outcome(grown).faults()[0].starts_with("resident memory grew from"));
    let slower = (0..40).map(|it| window(1 << 20, 100 + 30 * it)).collect();
    assert!(outcome(slower).faults()[0].starts_with("p99 grew from"));
}

#[test]
fn what_is_lost_is_a_fault() {
    let mut other = outcome(Vec::new());
    other.digests[1] = "b".into();
    assert_eq!(other.faults(), ["the digest is a, that of the models b"]);
    other = outcome(Vec::new());
    other.digests[2] = "b".into();
    other.descriptors.1 = 10;
    let faults = ["the digest is a, after kill and start b", "9 descriptors before, 10 after"];
    assert_eq!(other.faults(), faults);
}
