//! The order of requests on different connections while somebody monitors all clients.
//!
//! Workers run at once what they have read, so of two requests that one program sends over two
//! connections the second may run first. Nobody but a monitor can tell, and who looks at one wants
//! to see what happened in its order. So while there is a monitor a worker lets the others serve
//! first what has arrived for them before. It knows no request. Invariant: who waits here has not
//! passed the gate, and never waits for somebody who waits for it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::Thread;
use crate::server::Worker;
use crate::session::State;
use crate::{clock, sys};

/// For how long others are waited for, and how long they may have been at something already.
const PATIENCE: Duration = Duration::from_millis(100);
/// How long the others are left to themselves before they are looked at again.
const NAP: Duration = Duration::from_micros(20);

impl Thread {
    /// Waits until the other workers have served what arrived for them before this turn.
    pub(super) fn let_others_go_first(&self) {
        let server = &self.server;
        let me = &server.workers[self.local.id];
        if !server.state().any(State::MONITORED)
            || server.workers.len() == 1
            || self.local.desk.readable.is_empty()
        {
            return;
        }
        me.gives_way.store(true, Ordering::SeqCst);
        let until = Instant::now() + PATIENCE;
        for (id, other) in server.workers.iter().enumerate().filter(|(id, _)| *id != self.local.id) {
            let before = other.turns.load(Ordering::SeqCst);
            let mine = (self.local.woke_us, self.local.id);
            while other.turns.load(Ordering::SeqCst) < before + 2
                && is_earlier(other, id, mine)
                && Instant::now() < until
            {
                std::thread::sleep(NAP);
            }
        }
        me.gives_way.store(false, Ordering::SeqCst);
    }
}

/// Whether another worker may have something to serve that arrived before `mine`: when this one woke
/// up, and its number.
fn is_earlier(other: &Worker, id: usize, mine: (i64, usize)) -> bool {
    match other.awake_since_us.load(Ordering::SeqCst) {
        0 => sys::has_events(other.poller),
        since if clock::unix_us() - since > PATIENCE.as_micros() as i64 => false,
        since => !other.gives_way.load(Ordering::SeqCst) || (since, id) < mine,
    }
}
