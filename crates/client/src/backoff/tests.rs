//! Waits double up to the longest, and are spread.

use std::time::Duration;

use super::Backoff;

#[test]
fn waits_double_and_are_spread() {
    let mut backoff = Backoff::new(Duration::from_millis(10), Duration::from_millis(50));
    for whole in [10, 20, 40, 50, 50] {
        let wait = backoff.wait();
        let whole = Duration::from_millis(whole);
        assert!(wait >= whole / 2 && wait <= whole, "{wait:?} of {whole:?}");
    }
    backoff.reset();
    assert!(backoff.wait() <= Duration::from_millis(10));
    let waits: std::collections::BTreeSet<Duration> = (0..20).map(|_| backoff.wait()).collect();
    assert!(waits.len() > 10, "{waits:?}");
}
