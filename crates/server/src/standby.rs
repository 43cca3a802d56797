//! Waiting for the gate while a script takes long: meanwhile the worker's clients are told so.
//!
//! A script that has run for longer than `busy-reply-threshold` keeps the gate closed, and its
//! worker and all others still listen: each command is refused with -BUSY but for the few that end
//! the script, or touch nothing but their own connection. The worker that runs the script looks
//! after its connections between instructions, those that wait for the gate between two attempts.
//!
//! Invariant: who stands in for a worker never passes the gate, which that worker may hold.

use std::time::Duration;

use keyspace::{Alone, ReadGuard};

use crate::local::Local;
use crate::server::Server;
use crate::worker;

/// Passes the gate's read side.
pub fn enter<'k>(server: &'k Server, local: &mut Local) -> Option<ReadGuard<'k>> {
    wait(local, |local| server.keyspace.enter_unless(local.id, || server.is_busy()))
}

/// Takes the gate's write side.
pub fn alone<'k>(server: &'k Server, local: &mut Local) -> Alone<'k> {
    wait(local, |_| server.keyspace.alone_unless(|| server.is_busy()))
}

fn wait<T>(local: &mut Local, mut attempt: impl FnMut(&Local) -> Option<T>) -> T {
    assert!(!local.stands_in, "who stands in must not pass the gate");
    loop {
        match attempt(local) {
            Some(passed) => return passed,
            None => worker::look_after(local, Duration::from_millis(1)),
        }
    }
}
