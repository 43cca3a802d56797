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
const PATIENCE: Duration = Duration::from_secs(1);
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
        me.gives_way.store(1 << self.local.id, Ordering::SeqCst);
        let until = Instant::now() + PATIENCE;
        for id in (0..server.workers.len()).filter(|id| *id != self.local.id) {
            self.let_go_first(id, until);
        }
        me.gives_way.store(0, Ordering::SeqCst);
    }

    /// Waits until another worker has served what arrived for it before this turn: one that sleeps
    /// is woken up for a turn, and the turn that is under way may not have seen all of it.
    fn let_go_first(&self, id: usize, until: Instant) {
        let (me, other) = (&self.server.workers[self.local.id], &self.server.workers[id]);
        let mut last = other.turns.load(Ordering::SeqCst) + 1;
        let mut is_sure = false;
        while Instant::now() < until {
            let turns = other.turns.load(Ordering::SeqCst);
            if turns > last {
                if is_sure || !sys::has_events(other.poller) {
                    return;
                }
                (is_sure, last) = (true, turns);
            }
            match self.standing(other, id) {
                Standing::Behind => return,
                Standing::Sleeps => {
                    me.gives_way.fetch_or(1 << id, Ordering::SeqCst);
                    last = turns;
                    other.mailbox.wake();
                }
                Standing::Ahead => {}
            }
            std::thread::sleep(NAP);
        }
    }

    /// How another worker stands to this one.
    fn standing(&self, other: &Worker, id: usize) -> Standing {
        let me = &self.server.workers[self.local.id];
        let lets_go_first = me.gives_way.load(Ordering::SeqCst) & 1 << id != 0;
        let since = other.awake_since_us.load(Ordering::SeqCst);
        if since == 0 {
            return if lets_go_first { Standing::Ahead } else { Standing::Sleeps };
        }
        let is_stuck = clock::unix_us() - since > PATIENCE.as_micros() as i64;
        let way = other.gives_way.load(Ordering::SeqCst);
        // Who lets anybody go first comes after all who are awake, so that none wait in a ring.
        let is_later = way & !(1 << id) != 0
            || way != 0 && !lets_go_first && (since, id) > (self.local.woke_us, self.local.id);
        if is_stuck || is_later { Standing::Behind } else { Standing::Ahead }
    }
}

/// How another worker stands to one that has something to serve.
enum Standing {
    /// What it serves arrived earlier, or may have.
    Ahead,
    /// It sleeps, or is about to wake up for something, which cannot be told apart. What it finds
    /// then goes first, whoever woke up first.
    Sleeps,
    /// It waits for this one, or takes too long.
    Behind,
}
