//! Connections whose commands wait: their timers, and how a wait ends on the worker that owns the
//! connection.
//!
//! Whoever serves such a client may be another worker; the answer comes through the mailbox. Time
//! is the owner's: it wakes for the next deadline as exactly as the poller can.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use resp::Writer;

use super::{Fate, Thread};
use crate::blocked::{self, Lapse, Waiter};
use crate::conn::Conn;
use crate::local::Local;
use crate::mailbox::Answer;
use crate::migrate;
use crate::registry::Client;
use crate::server::Server;
use crate::session::State;
use crate::{pubsub, refuse};

/// While clients are paused, attempts by the clock are put off so long.
const PAUSED_RETRY: Duration = Duration::from_millis(10);

/// What is due when.
#[derive(Default)]
pub struct Timers {
    due: BTreeMap<(Instant, u64, Due), Arc<Client>>,
    /// When each wait is tried again by the clock.
    again: BTreeMap<u64, Instant>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    /// The time of the wait is over.
    Timeout,
    /// The command is tried again.
    Again,
}

impl Timers {
    /// The next moment at which anything is due.
    pub fn next(&self) -> Option<Instant> {
        self.due.first_key_value().map(|((when, _, _), _)| *when)
    }

    fn begin(&mut self, waiter: &Waiter) {
        if let Some(until) = waiter.until {
            let client = Arc::clone(&waiter.client);
            self.due.insert((until, waiter.ticket(), Due::Timeout), client);
        }
        let again_ms = waiter.again_ms.load(Ordering::SeqCst);
        if again_ms != i64::MAX {
            self.set_again(waiter, blocked::moment(again_ms));
        }
    }

    fn set_again(&mut self, waiter: &Waiter, when: Instant) {
        let ticket = waiter.ticket();
        if let Some(before) = self.again.insert(ticket, when) {
            self.due.remove(&(before, ticket, Due::Again));
        }
        self.due.insert((when, ticket, Due::Again), Arc::clone(&waiter.client));
    }

    fn end(&mut self, waiter: &Waiter) {
        let ticket = waiter.ticket();
        if let Some(until) = waiter.until {
            self.due.remove(&(until, ticket, Due::Timeout));
        }
        if let Some(again) = self.again.remove(&ticket) {
            self.due.remove(&(again, ticket, Due::Again));
        }
    }

    fn take(&mut self, now: Instant) -> Option<(Due, Arc<Client>)> {
        let ((_, ticket, due), client) =
            self.due.first_entry().filter(|entry| entry.key().0 <= now)?.remove_entry();
        if due == Due::Again {
            self.again.remove(&ticket);
        }
        Some((due, client))
    }
}

impl Thread {
    /// Arms the timers of a connection whose command has begun to wait.
    pub(super) fn begin_wait(&mut self, conn: &mut Conn) {
        conn.session.put(State::BLOCKED, true);
        if let Some(waiter) = &*conn.client().waiting.lock() {
            self.timers.begin(waiter);
        }
    }

    /// Ends the wait of a connection that is being closed: nothing is taken for it any more.
    pub(super) fn forget_wait(&mut self, conn: &Conn) {
        if let Some(waiter) = conn.client().waiting.lock().take() {
            self.timers.end(&waiter);
            self.server.end_wait(&waiter);
        }
    }

    /// Ends waits whose time is over, and tries again what is to be tried again by now.
    pub(super) fn end_waits(&mut self) {
        if self.timers.next().is_none() {
            return;
        }
        let now = Instant::now();
        self.local.look_at_clock();
        while let Some((due, client)) = self.timers.take(now) {
            let waiter = client.waiting.lock().clone();
            let Some(waiter) = waiter.filter(|waiter| !waiter.is_over()) else { continue };
            match due {
                Due::Timeout if self.server.end_wait(&waiter) => {
                    self.answer(&client, Answer::Timeout);
                }
                Due::Timeout => {}
                Due::Again => self.try_again(&waiter),
            }
        }
    }

    fn try_again(&mut self, waiter: &Arc<Waiter>) {
        if self.server.state().any(State::PAUSED) {
            self.timers.set_again(waiter, Instant::now() + PAUSED_RETRY);
            return;
        }
        let server = Arc::clone(&self.server);
        waiter.again_ms.store(i64::MAX, Ordering::SeqCst);
        let mut gate = server.keyspace.enter(self.local.id);
        blocked::retry(&server, &mut self.local, &mut gate, waiter);
    }

    /// The time of another attempt has changed.
    pub(super) fn set_again(&mut self, client: &Client) {
        let waiter = client.waiting.lock().clone();
        let Some(waiter) = waiter.filter(|waiter| !waiter.is_over()) else { return };
        let again_ms = waiter.again_ms.load(Ordering::SeqCst);
        if again_ms != i64::MAX {
            self.timers.set_again(&waiter, blocked::moment(again_ms));
        }
    }

    /// Goes on with a MIGRATE, and answers the client when it is done.
    pub(super) fn migrate(&mut self, job: Box<migrate::Job>) {
        let server = Arc::clone(&self.server);
        if let Some(done) = migrate::go_on(&server, &mut self.local, job) {
            self.answer(&done.waiter.client, Answer::Reply(Box::new(done.reply)));
        }
    }

    /// Gives a connection the answer to the command that waited, and goes on with it.
    pub(super) fn answer(&mut self, client: &Client, answer: Answer) {
        let Some(token) = self.token_of(client) else { return };
        let Some(conn) = self.conns[token].as_mut() else { return };
        client.replying.store(true, Ordering::Relaxed);
        let Some(waiter) = conn.client().waiting.lock().take() else { return };
        self.timers.end(&waiter);
        // What it is told that came before the answer.
        tell_of_keys(&self.server, &mut self.local, conn);
        conn.session.put(State::BLOCKED, false);
        Client::count(&client.commands, 1);
        let reply = match answer {
            Answer::Reply(reply) => *reply,
            Answer::Timeout | Answer::Error => {
                let mut reply = Writer::new(conn.out.proto());
                let mark = reply.mark();
                match answer {
                    Answer::Error => {
                        reply.error("UNBLOCKED client unblocked via CLIENT UNBLOCK");
                    }
                    _ => lapse(&self.server, &waiter, &mut reply),
                }
                let _gate = self.server.keyspace.enter(self.local.id);
                blocked::count(&self.server, &self.local, &waiter, None, reply.since(mark));
                reply
            }
        };
        if !waiter.is_mute() {
            conn.out.append(reply);
        }
        refuse::end_caching(&mut conn.session, None);
        tell_of_keys(&self.server, &mut self.local, conn);
        self.go_on_after(token);
    }

    /// Runs what has been sent behind the command that waited. For a client that was killed
    /// meanwhile its answer is the last thing that is done.
    fn go_on_after(&mut self, token: usize) {
        let is_killed = self.conns[token].as_ref().is_some_and(|conn| conn.client().is_killed());
        if !is_killed {
            return self.go_on(token);
        }
        if let Some(mut conn) = self.conns[token].take() {
            let fate = self.finish(&mut conn, Fate::Keep);
            self.put_back(token, conn, fate);
        }
    }
}

/// What a client is told whose time is over.
fn lapse(server: &Server, waiter: &Waiter, reply: &mut Writer) {
    match waiter.lapse {
        Lapse::Nothing => reply.null_array(),
        Lapse::Copies => reply.int(0),
        Lapse::Log(position) => {
            reply.array(2);
            reply.int(i64::from(server.aof.has_on_disk(position)));
            reply.int(0);
        }
    }
}

/// Tells a client which of the keys that it may have cached are not valid any more.
fn tell_of_keys(server: &Server, local: &mut Local, conn: &mut Conn) {
    if conn.session.state.any(State::TRACKS) {
        pubsub::catch_up_all(server, local, &mut conn.session, &mut conn.out);
    }
}
