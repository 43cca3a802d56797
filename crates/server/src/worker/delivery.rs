//! Handing published messages to the subscribers among a worker's connections.

use std::sync::Arc;

use super::{Fate, Thread};
use crate::conn::Conn;
use crate::local::Local;
use crate::pubsub::{self, Kind, Message, Reader};
use crate::server::Server;
use crate::session::State;
use crate::{cron, mailbox};

impl Thread {
    /// Gives subscribers what has arrived for them, and sends it. Each gets everything in one
    /// write.
    pub(super) fn deliver(&mut self) {
        let server = Arc::clone(&self.server);
        self.local.wake_workers(&server);
        let mut written = std::mem::take(&mut self.local.desk.written);
        self.local.readers.receive(&server.exchange, self.local.id);
        self.tell_of_keys(&server, &mut written);
        while let Some(message) = self.local.readers.next() {
            self.hand_out(&message, &mut written);
        }
        for slot in written.drain(..) {
            let Some(mut conn) = self.local.desk.conns.get_mut(slot).and_then(Option::take) else {
                continue;
            };
            conn.gets_messages = false;
            let fate = self.finish(&mut conn, Fate::Keep);
            self.put_back(slot, conn, fate);
        }
        self.local.desk.written = written;
        end_crowding(&server);
    }

    /// Tells those who cache keys which ones are not valid any more. They get the published
    /// messages that have arrived with it, so that both are in their order: what was said of keys
    /// before one of these was published is in the inboxes by now.
    fn tell_of_keys(&mut self, server: &Server, written: &mut Vec<usize>) {
        while let Some(reader) = server.tracking.next_notice(self.local.id) {
            let slot = self.local.desk.conns.get_mut(reader.slot);
            let is_meant = |conn: &mut Box<Conn>| {
                conn.session.id() == reader.id && !conn.session.state.any(State::CLOSING)
            };
            let Some(mut conn) = slot.and_then(|slot| slot.take_if(is_meant)) else { continue };
            conn.session.put(State::TRACKS, true);
            let Conn { session, out, .. } = &mut *conn;
            pubsub::catch_up_all(server, &mut self.local, session, out);
            if !conn.out.is_empty() && !std::mem::replace(&mut conn.gets_messages, true) {
                written.push(reader.slot);
            }
            self.local.desk.conns[reader.slot] = Some(conn);
        }
    }

    fn hand_out(&mut self, message: &Message, written: &mut Vec<usize>) {
        let mut conns = std::mem::take(&mut self.local.desk.conns);
        let local = &self.local;
        for reader in local.readers.of(message.kind, &message.channel) {
            hand_to(local, &mut conns, *reader, message, None, written);
        }
        for (at, pattern) in message.patterns.iter().enumerate() {
            for reader in local.readers.of(Kind::Pattern, pattern) {
                hand_to(local, &mut conns, *reader, message, Some(at), written);
            }
        }
        self.local.desk.conns = conns;
    }
}

/// Writes a message for one reader, as subscriber of the channel or of one of the patterns, unless
/// it has seen it already. Who is over its limit gets no more, and is closed when it is sent what
/// it has.
fn hand_to(
    local: &Local,
    conns: &mut [Option<Box<Conn>>],
    reader: Reader,
    message: &Message,
    pattern: Option<usize>,
    written: &mut Vec<usize>,
) {
    let conn = conns.get_mut(reader.slot).and_then(Option::as_mut);
    let Some(conn) = conn.filter(|conn| conn.session.id() == reader.id) else { return };
    let sees = conn.session.subscriptions.as_ref().is_some_and(|mine| mine.seen < message.number);
    let limit = cron::output_limit(local, conn).hard;
    let is_over = limit > 0 && conn.out.len() as u64 > limit;
    if !sees || is_over || conn.session.state.any(State::CLOSING) {
        return;
    }
    let proto = conn.out.proto();
    let bytes = match pattern {
        None => message.plain(proto),
        Some(at) => message.by_pattern(at, proto),
    };
    pubsub::put(&mut conn.out, bytes);
    if !std::mem::replace(&mut conn.gets_messages, true) {
        written.push(reader.slot);
    }
}

/// Lets publishers go on once there is room for their messages again.
fn end_crowding(server: &Server) {
    if server.state().any(State::CROWDED) && server.exchange.has_room() {
        server.put_state(State::CROWDED, false);
        server.tell_all(|| mailbox::Message::Resume);
    }
}
