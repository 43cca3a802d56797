//! Handing published messages to the subscribers among a worker's connections.
//!
//! Invariant: a connection's parcel is in `written` at the place that the connection says, and its
//! bytes follow all of the connection's output.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use table::prefetch_two;

use super::Thread;
use crate::conn::{Conn, REPLY_MAX};
use crate::local::Local;
use crate::pubsub::{self, Reader, Run};
use crate::server::Server;
use crate::session::State;
use crate::{mailbox, output};

/// Subscribers whose lines are asked for in one go: waits for memory that stand next to one another
/// overlap.
const TOGETHER: usize = 32;

/// What a connection is about to be sent.
pub struct Parcel {
    slot: usize,
    /// All of it, when the connection has no other output: it is sent from here, without a copy.
    bytes: Option<Arc<Vec<u8>>>,
}

impl Thread {
    /// Gives subscribers what has arrived for them, and sends it. Each gets everything in one
    /// write.
    pub(super) fn deliver(&mut self) {
        let server = Arc::clone(&self.server);
        self.local.wake_workers(&server);
        let mut written = std::mem::take(&mut self.local.desk.written);
        self.local.readers.receive(&server.exchange, self.local.id);
        self.tell_of_keys(&server, &mut written);
        while !self.local.readers.is_quiet() {
            let conns = &self.local.desk.conns;
            self.local.readers.foremost(TOGETHER).for_each(|reader| ask_for(conns, reader));
            self.local.readers.foremost(TOGETHER).for_each(|reader| ask_further(conns, reader));
            for _ in 0..TOGETHER {
                let Some(run) = self.local.readers.next() else { break };
                self.hand_out(&run, &mut written);
            }
        }
        let is_direct = !server.aof.holds_replies(&self.local.outlet)
            && !server.knobs.reply_list_only.load(Ordering::Relaxed);
        let (mut writes, mut sent) = (0, 0);
        for Parcel { slot, bytes } in written.drain(..) {
            let conn = self.local.desk.conns.get_mut(slot).and_then(Option::as_mut);
            let Some(conn) = conn else { continue };
            conn.parcel = None;
            if let Some(bytes) = bytes {
                let mut done = 0;
                if is_direct && bytes.len() < REPLY_MAX {
                    done = conn.send(&bytes);
                    (writes, sent) = (writes + 1, sent + done as u64);
                    if done == bytes.len() {
                        continue;
                    }
                }
                put_rest(conn, &bytes, done);
            }
            self.write(slot);
        }
        self.local.desk.written = written;
        let stats = server.stats(self.local.id);
        stats.writes.add(writes);
        stats.bytes_out.add(sent);
        end_crowding(&server);
    }

    /// Tells those who cache keys which ones are not valid any more. They get the published
    /// messages that have arrived with it, so that both are in their order: what was said of keys
    /// before one of these was published is in the inboxes by now.
    fn tell_of_keys(&mut self, server: &Server, written: &mut Vec<Parcel>) {
        while let Some(reader) = server.tracking.next_notice(self.local.id) {
            let slot = self.local.desk.conns.get_mut(reader.slot);
            let is_meant = |conn: &mut Box<Conn>| {
                conn.session.id() == reader.id && !conn.session.state.any(State::CLOSING)
            };
            let Some(mut conn) = slot.and_then(|slot| slot.take_if(is_meant)) else { continue };
            conn.session.put(State::TRACKS, true);
            let Conn { session, out, .. } = &mut *conn;
            pubsub::catch_up_all(server, &mut self.local, session, out);
            if !conn.out.is_empty() && conn.parcel.is_none() {
                conn.parcel = Some(written.len() as u32);
                written.push(Parcel { slot: reader.slot, bytes: None });
            }
            self.local.desk.conns[reader.slot] = Some(conn);
        }
    }

    fn hand_out(&mut self, run: &Run, written: &mut Vec<Parcel>) {
        let mut conns = std::mem::take(&mut self.local.desk.conns);
        let (local, message) = (&self.local, run.first());
        let mut hand_to_all = |readers: &[Reader], pattern| {
            for some in readers.chunks(TOGETHER) {
                if some.len() > 1 {
                    some.iter().for_each(|reader| ask_for(&conns, reader));
                    some.iter().for_each(|reader| ask_further(&conns, reader));
                }
                for reader in some {
                    hand_to(local, &mut conns, *reader, run, pattern, written);
                }
            }
        };
        hand_to_all(local.readers.of(message.place), None);
        for (at, pattern) in message.patterns.iter().enumerate() {
            hand_to_all(local.readers.of_pattern(pattern), Some(at));
        }
        self.local.desk.conns = conns;
    }
}

/// Asks for the lines of a connection that handing a message out looks at.
fn ask_for(conns: &[Option<Box<Conn>>], reader: &Reader) {
    if let Some(Some(conn)) = conns.get(reader.slot) {
        conn.prefetch();
    }
}

/// Asks for what is behind those lines, which are there or on their way.
fn ask_further(conns: &[Option<Box<Conn>>], reader: &Reader) {
    if let Some(Some(conn)) = conns.get(reader.slot) {
        prefetch_two((&raw const conn.client().bytes_out).cast());
    }
}

/// Gives messages to one reader, as subscriber of the channel or of one of the patterns, unless it
/// has seen them already.
fn hand_to(
    local: &Local,
    conns: &mut [Option<Box<Conn>>],
    reader: Reader,
    run: &Run,
    pattern: Option<usize>,
    written: &mut Vec<Parcel>,
) {
    let conn = conns.get_mut(reader.slot).and_then(Option::as_mut);
    let Some(conn) = conn.filter(|conn| conn.session.id() == reader.id) else { return };
    let (seen, proto) = (conn.session.seen, conn.out.proto());
    let bytes = match pattern {
        None => run.since(seen, proto),
        Some(_) if seen >= run.first().number => None,
        Some(at) => Some(Arc::clone(run.first().by_pattern(at, proto))),
    };
    if let Some(bytes) = bytes {
        give(local, conn, reader.slot, bytes, written);
    }
}

/// Adds to what a connection is about to be sent. Who is over its limit gets no more, and is closed
/// when it is sent what it has.
fn give(
    local: &Local,
    conn: &mut Conn,
    slot: usize,
    bytes: Arc<Vec<u8>>,
    written: &mut Vec<Parcel>,
) {
    if conn.session.state.any(State::CLOSING) {
        return;
    }
    let at = *conn.parcel.get_or_insert_with(|| {
        written.push(Parcel { slot, bytes: None });
        written.len() as u32 - 1
    });
    let parcel = &mut written[at as usize].bytes;
    if parcel.is_none() && conn.out.is_empty() {
        *parcel = Some(bytes);
        return;
    }
    if let Some(first) = parcel.take() {
        pubsub::put(&mut conn.out, &first);
    }
    let limit = output::limit(&local.tunables, conn.session.state).hard;
    if limit == 0 || conn.out.len() as u64 <= limit {
        pubsub::put(&mut conn.out, &bytes);
    }
}

/// Leaves what the socket did not take with the connection's output.
fn put_rest(conn: &mut Conn, bytes: &Arc<Vec<u8>>, done: usize) {
    if done == 0 {
        pubsub::put(&mut conn.out, bytes);
    } else {
        conn.out.raw(&bytes[done..]);
    }
}

/// Lets publishers go on once there is room for their messages again.
fn end_crowding(server: &Server) {
    if server.state().any(State::CROWDED) && server.exchange.has_room() {
        server.put_state(State::CROWDED, false);
        server.tell_all(|| mailbox::Message::Resume);
    }
}
