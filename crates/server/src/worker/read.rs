//! From the bytes that connections have sent to the requests that run.
//!
//! It knows no request: `dispatch` parses and runs them. Invariant: what of the input is not used
//! up is in the connection's own buffer when it is back in its slot.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use resp::ProtocolError;
use smallvec::SmallVec;

use super::{BUFFER, Fate, GROUP, SLOT, SLOT_STRIDE, Thread};
use crate::admin::describe;
use crate::call::Flow;
use crate::conn::{Arrived, Conn, Got};
use crate::server::Server;
use crate::session::State;
use crate::{dispatch, felt, output, refuse, tracking};

/// Room that is made behind an incomplete request.
const INPUT_ROOM: usize = 16 << 10;
/// Reads for one connection before the others have their turn.
const READS_MAX: usize = 4;
/// Bytes that are read at once of what nobody wants.
const DROPPED_AT_ONCE: usize = 4 << 10;
/// Query buffers stay below what an argument's place can say.
const INPUT_MAX: u64 = u32::MAX as u64 - (64 << 20);
/// Output that is sent before more requests of the same connection run.
const OUTPUT_AT_ONCE: usize = 1 << 20;

impl Thread {
    /// Serves the connections that have something to read, some at a time: first all of a group
    /// are read and parsed, then the lines of all their keys are asked for, then they run. Those
    /// of later groups stay where who stands in meanwhile finds them.
    pub(super) fn serve_readable(&mut self) {
        loop {
            let readable = &mut self.local.desk.readable;
            let count = readable.len().min(GROUP);
            let group: SmallVec<[usize; GROUP]> = readable.drain(..count).collect();
            match group.as_slice() {
                [] => break,
                [one] => self.serve(*one),
                group => self.serve_group(group),
            }
        }
    }

    /// Serves the connections that had more to read than their share.
    pub(super) fn serve_again(&mut self) {
        for _ in 0..self.local.desk.again.len() {
            let Some(token) = self.local.desk.again.pop_front() else { break };
            self.serve(token);
        }
    }

    pub(super) fn serve_group(&mut self, group: &[usize]) {
        let server = Arc::clone(&self.server);
        let mut slots = std::mem::take(&mut self.local.desk.slots);
        let mut reads = Vec::with_capacity(GROUP);
        let mut aheads = Vec::with_capacity(GROUP);
        for (&token, slot) in group.iter().zip(slots.chunks_mut(SLOT_STRIDE)) {
            let slot = &mut slot[..SLOT];
            if !self
                .local
                .desk
                .conns
                .get(token)
                .and_then(Option::as_ref)
                .is_some_and(|conn| conn.is_fresh())
            {
                self.serve(token);
                continue;
            }
            let Some(mut conn) = self.local.desk.conns[token].take() else { continue };
            match felt::read(&mut self.local, &mut conn, slot) {
                Got::Nothing => self.local.desk.conns[token] = Some(conn),
                Got::End => {
                    let fate = self.finish(&mut conn, Fate::Keep);
                    self.put_back(token, conn, fate);
                }
                Got::Bytes(count) => {
                    let buf = &slot[..count];
                    let ahead = dispatch::look_ahead(&server, &mut self.local, &mut conn, buf);
                    aheads.push((conn.session.db, ahead));
                    reads.push((token, conn, buf));
                }
            }
        }
        dispatch::prefetch_all(&server, &self.local, &mut aheads, &reads);
        // Scripts come last: while a long one runs, the others of the group are in their places.
        let (mut at, mut end) = (0, reads.len());
        while at < end {
            if aheads[at].1.may_take_long(&server) {
                end -= 1;
                reads.swap(at, end);
                aheads.swap(at, end);
            } else {
                at += 1;
            }
        }
        for ((token, mut conn, buf), (_, ahead)) in reads.into_iter().zip(aheads) {
            self.lend(&mut conn);
            felt::begin(&mut conn);
            let fed = dispatch::run_all(&server, &mut self.local, &mut conn, buf, ahead);
            felt::end(&mut conn, fed.flow);
            conn.input.extend_from_slice(&buf[fed.keep]);
            let fate = self.after_read(&mut conn, token, buf.len(), fed.flow);
            let fate = self.finish(&mut conn, fate);
            if fate == Fate::Keep && (buf.len() == SLOT || conn.read_closed) {
                self.local.desk.again.push_back(token);
            }
            self.put_back(token, conn, fate);
        }
        self.local.desk.slots = slots;
    }

    /// Settles what a read brought.
    pub(super) fn after_read(
        &mut self,
        conn: &mut Conn,
        token: usize,
        count: usize,
        flow: Flow,
    ) -> Fate {
        let stats = self.server.stats(self.local.id);
        stats.reads.add(1);
        stats.bytes_in.add(count as u64);
        conn.client().active_ms.store(self.local.now_ms(), Ordering::Relaxed);
        self.follow(conn, token, flow);
        if self.is_over_query_limit(conn) { Fate::Close } else { Fate::Keep }
    }

    /// Reads and runs what a connection sent.
    pub(super) fn serve(&mut self, token: usize) {
        let Some(mut conn) = self.local.desk.conns.get_mut(token).and_then(Option::take) else {
            return;
        };
        let fate = if conn.session.state.any(State::HELD.with(State::BLOCKED)) {
            self.finish(&mut conn, Fate::Keep)
        } else {
            self.lend(&mut conn);
            let fate = self.read_and_run(&mut conn, token);
            self.finish(&mut conn, fate)
        };
        self.put_back(token, conn, fate);
    }

    pub(super) fn read_and_run(&mut self, conn: &mut Conn, token: usize) -> Fate {
        let server = Arc::clone(&self.server);
        for _ in 0..READS_MAX {
            if conn.ended {
                return Fate::Keep;
            }
            if conn.session.state.any(State::CLOSING) {
                return self.discard(conn, token);
            }
            let (got, room, flow) = self.read_once(&server, conn);
            match got {
                Got::End | Got::Nothing => return Fate::Keep,
                Got::Bytes(count) => {
                    if self.after_read(conn, token, count, flow) == Fate::Close {
                        return Fate::Close;
                    }
                    if flow == Flow::Hold || flow == Flow::Block {
                        return Fate::Keep;
                    }
                    if count < room && !conn.read_closed {
                        return Fate::Keep;
                    }
                }
            }
            if conn.out.len() > OUTPUT_AT_ONCE
                && (!self.flush(conn) || output::is_over(&server, &self.local, conn))
            {
                return Fate::Close;
            }
        }
        self.local.desk.again.push_back(token);
        Fate::Keep
    }

    /// Reads once and runs what is whole then; tells also how much could have been read.
    pub(super) fn read_once(&mut self, server: &Server, conn: &mut Conn) -> (Got, usize, Flow) {
        if conn.big.is_some() {
            let head = conn.input.len();
            let (got, arrived) = conn.read_big();
            let flow = match arrived {
                Arrived::Part => Flow::Continue,
                Arrived::Whole => self.run_big(server, conn, head),
                Arrived::Broken => {
                    refuse::protocol_error(server, conn, &ProtocolError::Crlf, &[]);
                    Flow::Close
                }
            };
            return (got, 0, flow);
        }
        if conn.input.is_empty() {
            let mut buffer = std::mem::take(&mut self.local.desk.buffer);
            if buffer.is_empty() {
                buffer = vec![0; BUFFER].into_boxed_slice();
            }
            let got = felt::read(&mut self.local, conn, &mut buffer);
            let Got::Bytes(count) = got else {
                self.local.desk.buffer = buffer;
                return (got, BUFFER, Flow::Continue);
            };
            felt::begin(conn);
            let fed = dispatch::feed(server, &mut self.local, conn, &buffer[..count]);
            felt::end(conn, fed.flow);
            conn.input.extend_from_slice(&buffer[fed.keep]);
            self.local.desk.buffer = buffer;
            return (got, BUFFER, fed.flow);
        }
        let got = conn.read_input(INPUT_ROOM.max(conn.input.len().min(1 << 20)));
        let flow = match got {
            Got::Bytes(_) if self.has_sent_too_much(conn) => Flow::Close,
            Got::Bytes(_) => self.run_input(server, conn),
            _ => Flow::Continue,
        };
        (got, 0, flow)
    }

    /// Whether all clients take too much memory, and this one has to go for it, before what it has
    /// sent is run: that frees it.
    pub(super) fn has_sent_too_much(&self, conn: &Conn) -> bool {
        if self.local.tunables.client_memory_max == 0 {
            return false;
        }
        conn.publish();
        self.takes_too_much(conn)
    }

    /// Runs what is whole in the connection's own buffer.
    pub(super) fn run_input(&mut self, server: &Server, conn: &mut Conn) -> Flow {
        let mut input = std::mem::take(&mut conn.input);
        let fed = dispatch::feed(server, &mut self.local, conn, &input);
        input.truncate(fed.keep.end);
        input.drain(..fed.keep.start);
        conn.input = input;
        fed.flow
    }

    /// Goes on behind a big argument, in front of which there are `head` bytes of input.
    pub(super) fn run_big(&mut self, server: &Server, conn: &mut Conn, head: usize) -> Flow {
        if conn.parser.big_done() {
            if self.has_sent_too_much(conn) {
                return Flow::Close;
            }
            let flow = dispatch::feed_whole(server, &mut self.local, conn, head);
            if flow != Flow::Continue || conn.input.is_empty() {
                return flow;
            }
        }
        self.run_input(server, conn)
    }

    /// Remembers what a command made of its connection.
    pub(super) fn follow(&mut self, conn: &mut Conn, token: usize, flow: Flow) {
        match flow {
            Flow::Continue => {}
            Flow::Close => {
                conn.session.put(State::CLOSING, true);
                tracking::forget(&self.server, &mut conn.session);
            }
            Flow::Block => self.begin_wait(conn),
            Flow::Hold => {
                conn.session.put(State::HELD, true);
                self.local.held.push(token);
            }
        }
    }

    /// Reads and drops what a connection that ends still sends, so that the kernel does not throw
    /// its last reply away.
    pub(super) fn discard(&mut self, conn: &mut Conn, token: usize) -> Fate {
        // The worker's buffer may be in use by what somebody stands in for.
        let mut dropped = [0; DROPPED_AT_ONCE];
        for _ in 0..READS_MAX {
            if !matches!(conn.read(&mut dropped), Got::Bytes(_)) {
                return Fate::Keep;
            }
        }
        self.local.desk.again.push_back(token);
        Fate::Keep
    }

    pub(super) fn is_over_query_limit(&self, conn: &Conn) -> bool {
        let queued = conn.session.multi.as_ref().map_or(0, |queued| queued.bytes());
        let over = (conn.pending_input() + queued) as u64 > self.local.tunables.query_buffer_limit
            || conn.input.len() as u64 > INPUT_MAX;
        if over {
            self.server.stats(self.local.id).query_buffer_limit.add(1);
            conn.publish();
            log::warn!(
                "Closing client that reached max query buffer length: {}",
                describe(&self.server, conn.client(), self.local.now_ms()),
            );
        }
        over
    }

    /// Gives an idle connection the worker's reply buffer.
    pub(super) fn lend(&mut self, conn: &mut Conn) {
        if conn.out.is_empty() {
            self.local.desk.spare.set_proto(conn.out.proto());
            std::mem::swap(&mut conn.out, &mut self.local.desk.spare);
        }
    }

    /// Goes on with connections whose commands were held back.
    pub(super) fn resume(&mut self) {
        for token in std::mem::take(&mut self.local.held) {
            if let Some(conn) = self.local.desk.conns[token].as_mut() {
                conn.session.put(State::HELD, false);
                self.go_on(token);
            }
        }
    }

    /// Runs what a connection has already sent, then reads more.
    pub(super) fn go_on(&mut self, token: usize) {
        let Some(mut conn) = self.local.desk.conns.get_mut(token).and_then(Option::take) else {
            return;
        };
        let server = Arc::clone(&self.server);
        self.lend(&mut conn);
        let mut flow = Flow::Continue;
        if let Some(len) = conn.waits.take() {
            flow = dispatch::feed_whole(&server, &mut self.local, &mut conn, len);
        }
        if flow == Flow::Continue && !conn.input.is_empty() {
            flow = self.run_input(&server, &mut conn);
        }
        self.follow(&mut conn, token, flow);
        let fate = self.finish(&mut conn, Fate::Keep);
        self.put_back(token, conn, fate);
        if flow == Flow::Continue && fate == Fate::Keep {
            self.serve(token);
        }
    }
}
