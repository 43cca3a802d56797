//! The examples do what they show.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]
#![allow(dead_code, reason = "the examples' own main functions are not called here")]

#[path = "../examples/asynchronous.rs"]
mod asynchronous;
#[path = "../examples/blocking.rs"]
mod blocking;

use testkit::Server;

#[test]
fn the_examples_run() {
    let server = Server::start(&[]);
    let address = format!("redis://127.0.0.1:{}", server.port());
    blocking::tour(&address).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(asynchronous::tour(&address)).unwrap();
    assert_eq!(server.client().text("GET tour:visits"), "2");
    assert_eq!(server.client().run("DBSIZE"), testkit::Value::Int(1));
}
