//! Concurrent transactions, waits and single commands on two workers are as if they had run one
//! after another. `cargo xtask linearize` is the long form.

use std::time::Duration;

use testkit::Server;
use testkit::linear::{Options, run};

#[test]
fn what_concurrent_connections_see_has_an_order() {
    let server = Server::start(&[("threads", "2")]);
    let seed = fastrand::u64(..);
    let time = Duration::from_secs(10);
    let options = Options { port: server.port(), connections: 8, operations: 25, time, seed };
    let totals = run(&options).unwrap_or_else(|text| panic!("{text}"));
    assert!(totals.rounds >= 5, "{totals:?}");
    let (ran, stopped) = totals.transactions;
    assert!(ran > 0 && stopped > 0 && totals.given_up > 0, "{totals:?}");
}
