//! The end of a connection's turn: its replies are sent, or it is closed.
//!
//! Invariant: no reply leaves before what it answers is in the log as safely as the configuration
//! asks for.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use resp::Writer;

use super::{Fate, Thread};
use crate::conn::{Conn, REPLY_MAX};
use crate::registry::Client;
use crate::session::State;
use crate::{aof, felt, footprint, multi, output, pubsub, tracking};

/// Connections that may linger at a time, and how long each.
const LINGERING_MAX: usize = 64;
const LINGER_TIME: Duration = Duration::from_secs(1);

impl Thread {
    /// Writes what a connection still has to be sent.
    pub(super) fn write(&mut self, token: usize) {
        let Some(mut conn) = self.local.desk.conns.get_mut(token).and_then(Option::take) else {
            return;
        };
        let fate = self.finish(&mut conn, Fate::Keep);
        self.put_back(token, conn, fate);
    }

    pub(super) fn put_back(&mut self, token: usize, conn: Box<Conn>, fate: Fate) {
        if fate == Fate::Keep {
            self.local.desk.conns[token] = Some(conn);
        } else {
            self.close(token, conn);
        }
    }

    /// Writes what this turn has appended to the log, then sends the replies that wait.
    pub(super) fn settle(&mut self) {
        let holds = self.server.aof.holds_replies(&self.local.outlet);
        let has_appended = std::mem::take(&mut self.local.outlet.has_appended);
        if self.local.desk.unsent.is_empty() && !has_appended {
            return;
        }
        if holds {
            aof::settle(&self.server);
        }
        for token in std::mem::take(&mut self.local.desk.unsent) {
            // Who was given news has been sent everything with them.
            let conn = self.local.desk.conns.get(token).and_then(Option::as_ref);
            if conn.is_some_and(|conn| !conn.out.is_empty()) {
                self.write(token);
            }
        }
    }

    pub(super) fn flush(&mut self, conn: &mut Conn) -> bool {
        if !conn.out.is_empty() && self.server.aof.holds_replies(&self.local.outlet) {
            self.local.outlet.has_appended = false;
            aof::settle(&self.server);
        }
        let (mut writes, mut sent) = (0, 0);
        let alive = conn.flush(&mut writes, &mut sent);
        let stats = self.server.stats(self.local.id);
        stats.writes.add(writes);
        stats.bytes_out.add(sent);
        alive
    }

    /// Whether the replies of one turn are over the hard limit. Only what a reply buffer cannot
    /// hold counts, but it counts before it is sent: the client may not take what the limit keeps
    /// the server from holding.
    pub(super) fn is_too_much(&self, conn: &mut Conn) -> bool {
        let hard = output::limit(&self.local.tunables, conn.session.state).hard;
        let pending = conn.out.len() as u64;
        if self.server.knobs.reply_list_only.load(Ordering::Relaxed) {
            return output::is_over(&self.server, &self.local, conn);
        }
        hard > 0
            && pending > REPLY_MAX as u64
            && pending >= hard
            && output::is_over(&self.server, &self.local, conn)
    }

    /// Sends replies, and settles what the connection keeps until it is served again.
    pub(super) fn finish(&mut self, conn: &mut Conn, fate: Fate) -> Fate {
        let holds = self.server.aof.holds_replies(&self.local.outlet);
        if (holds || self.local.desk.awaits_news) && fate == Fate::Keep && !conn.out.is_empty() {
            // The other connections of this turn share the write to the disk, or have news for it.
            self.local.desk.unsent.push(conn.client().slot);
            return Fate::Keep;
        }
        if self.is_too_much(conn) || !self.flush(conn) {
            return Fate::Close;
        }
        conn.client().replying.store(false, Ordering::Release);
        // Who waits for something is gone when the peer is: nobody would see the reply.
        let waits = conn.session.state.any(State::HELD.with(State::BLOCKED));
        if fate == Fate::Close || waits && conn.read_closed {
            return Fate::Close;
        }
        if conn.out.is_empty() {
            felt::sent(&self.server, &self.local, conn);
            if conn.ended {
                return Fate::Close;
            }
            if conn.session.state.any(State::CLOSING) && self.linger(conn) == Fate::Close {
                return Fate::Close;
            }
            self.take_back(conn);
        }
        if let Err(error) = conn.watch_write(self.local.desk.poll.registry(), !conn.out.is_empty())
        {
            log::warn!("Error changing the fd events of a client: {error}");
            return Fate::Close;
        }
        conn.publish();
        if output::is_over(&self.server, &self.local, conn) {
            return Fate::Close;
        }
        if self.takes_too_much(conn) { Fate::Close } else { Fate::Keep }
    }

    /// Whether all clients take too much memory, and this one has to go for it.
    pub(super) fn takes_too_much(&self, conn: &Conn) -> bool {
        self.local.tunables.client_memory_max > 0
            && !conn.lingers
            && footprint::settle(&self.server, &self.local, conn.client())
    }

    /// Takes the reply buffer back from a connection that has no replies left. A second one, which
    /// came to be while the first was away with a slow reader, is not kept.
    pub(super) fn take_back(&mut self, conn: &mut Conn) {
        let proto = conn.out.proto();
        if self.local.desk.spare.capacity() == 0 {
            std::mem::swap(&mut conn.out, &mut self.local.desk.spare);
            conn.out.set_proto(proto);
        } else if conn.out.capacity() > 0 {
            conn.out = Writer::new(proto);
        }
    }

    /// Ends a connection whose last reply is sent without losing that reply: a socket that is
    /// closed while the peer still sends throws away what the peer has not read. So it is closed
    /// for writing only, until the peer closes as well, or for some time. Nobody sees it any more.
    pub(super) fn linger(&mut self, conn: &mut Conn) -> Fate {
        if conn.lingers {
            return Fate::Keep;
        }
        let slot = conn.client().slot;
        self.discard(conn, slot);
        if conn.ended || self.local.desk.lingering.len() >= LINGERING_MAX {
            return Fate::Close;
        }
        conn.shut_down();
        conn.lingers = true;
        self.strike_off(conn);
        pubsub::forget(&self.server, &mut self.local, &mut conn.session);
        self.local.desk.lingering.push_back((
            Instant::now() + LINGER_TIME,
            slot,
            conn.session.id(),
        ));
        Fate::Keep
    }

    /// Closes connections that have lingered long enough.
    pub(super) fn end_lingering(&mut self, now: Instant) {
        while let Some((until, slot, id)) = self.local.desk.lingering.front().copied()
            && until <= now
        {
            self.local.desk.lingering.pop_front();
            let still = |conn: &mut Box<Conn>| conn.session.id() == id;
            if let Some(conn) =
                self.local.desk.conns.get_mut(slot).and_then(|conn| conn.take_if(still))
            {
                self.close(slot, conn);
            }
        }
    }

    pub(super) fn close(&mut self, token: usize, mut conn: Box<Conn>) {
        self.forget_wait(&conn);
        if let Err(error) = self.local.desk.poll.registry().deregister(conn.stream.source()) {
            log::debug!("Removing a client from the poller: {error}");
        }
        if !conn.lingers {
            self.strike_off(&conn);
        }
        multi::forget(&self.server, &mut conn.session);
        tracking::forget(&self.server, &mut conn.session);
        pubsub::forget(&self.server, &mut self.local, &mut conn.session);
        self.local.desk.free.push(token);
    }

    /// Nobody sees the client any more.
    pub(super) fn strike_off(&self, conn: &Conn) {
        self.server.clients.remove(conn.session.id());
        footprint::strike_off(&self.server, conn.client());
        self.server.workers[self.local.id].connections.fetch_sub(1, Ordering::Relaxed);
    }

    /// The place of a client, while its connection is open.
    pub(super) fn token_of(&self, client: &Client) -> Option<usize> {
        let conn = self.local.desk.conns.get(client.slot)?.as_ref()?;
        (conn.session.id() == client.id).then_some(client.slot)
    }

    pub(super) fn kill(&mut self, client: &Client) {
        let Some(token) = self.token_of(client) else { return };
        if let Some(conn) = self.local.desk.conns[token].take() {
            self.close(token, conn);
        }
    }
}
