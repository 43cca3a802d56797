//! Some seconds of what `cargo xtask soak` does for an hour: data, descriptors and the log are what
//! they should be afterwards.

use std::time::Duration;

use testkit::soak::{Options, run};

#[test]
fn some_seconds_of_everything_at_once() {
    let options = Options {
        time: Duration::from_secs(6),
        window: Duration::from_secs(2),
        save_every: Duration::from_millis(500),
        threads: 2,
        limit: 40,
        seed: 1,
    };
    let outcome = run(&options, |_| {}).unwrap_or_else(|text| panic!("{text}"));
    assert_eq!(outcome.faults(), Vec::<String>::new());
    assert!(outcome.windows.iter().all(|window| window.rate > 0));
}
