//! How long clients wait, told apart: until their request is taken up, while it runs, and until the
//! reply is sent.
//!
//! The time that a command takes says little of what its client feels: a request that waits behind
//! somebody else's slow command is quick itself. Some reads are followed from the moment in which
//! their bytes arrived, as the kernel tells it, to the moment in which the last reply to them was
//! given to the kernel. Which reads is a matter of counting; while the latency monitor is on, all.

use std::time::Duration;

use crate::call::Flow;
use crate::clock;
use crate::conn::{Conn, Got};
use crate::histogram::Histogram;
use crate::local::Local;
use crate::server::Server;

/// Of so many reads one is followed.
pub const ONE_OF: u32 = 64;

/// How long the parts of some requests took, in nanoseconds.
#[derive(Default, Debug)]
pub struct Parts {
    /// From the arrival of the bytes to the first command.
    pub queue: Histogram,
    /// From there to the end of the last command.
    pub execution: Histogram,
    /// From there until the kernel has taken the last reply.
    pub flush: Histogram,
    /// All of it.
    pub total: Histogram,
}

impl Parts {
    /// Forgets everything.
    pub fn reset(&self) {
        for part in [&self.queue, &self.execution, &self.flush, &self.total] {
            part.reset();
        }
    }
}

/// A read that is followed; times in Unix nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Sample {
    arrived: i64,
    began: i64,
    ended: i64,
}

/// Reads once from a connection, and follows what was read if it is its turn.
pub fn read(local: &mut Local, conn: &mut Conn, buf: &mut [u8]) -> Got {
    local.reads_unfollowed += 1;
    let every = local.tunables.follows_one_of;
    if every == 0 || local.reads_unfollowed < every || conn.sample.is_some() {
        return conn.read(buf);
    }
    local.reads_unfollowed = 0;
    let (got, arrived) = conn.read_stamped(buf);
    if let Got::Bytes(_) = got {
        let arrived = arrived.unwrap_or(local.woke_us * 1000);
        conn.sample = Some(Box::new(Sample { arrived, began: 0, ended: 0 }));
    }
    got
}

/// The requests of a read are taken up.
#[inline]
pub fn begin(conn: &mut Conn) {
    if let Some(sample) = &mut conn.sample
        && sample.began == 0
    {
        sample.began = clock::unix_ns();
    }
}

/// The requests of a read have run. A client that waits for something is not followed any more: it
/// wants to wait.
#[inline]
pub fn end(conn: &mut Conn, flow: Flow) {
    if let Some(sample) = &mut conn.sample {
        sample.ended = clock::unix_ns();
        if matches!(flow, Flow::Hold | Flow::Block) {
            conn.sample = None;
        }
    }
}

/// The kernel has taken all replies.
#[inline]
pub fn sent(server: &Server, local: &Local, conn: &mut Conn) {
    if let Some(sample) = conn.sample.take_if(|sample| sample.ended != 0) {
        record(server, local, &sample);
    }
}

#[cold]
fn record(server: &Server, local: &Local, sample: &Sample) {
    let now = clock::unix_ns();
    // The wall clock, which the kernel uses, can be set back.
    let between = |from: i64, to: i64| (to - from).max(0) as u64;
    let queue = between(sample.arrived, sample.began);
    let flush = between(sample.ended, now);
    // What CONFIG RESETSTAT sets back moves under the gate only. While a script keeps that closed
    // nothing is missed but how fast clients were told so.
    let gives_up = || server.is_busy();
    if local.stands_in {
        return;
    }
    let Some(gate) = server.keyspace.enter_unless(local.id, gives_up) else { return };
    let parts = &server.stats(local.id).felt;
    parts.queue.record(queue);
    parts.execution.record(between(sample.began, sample.ended));
    parts.flush.record(flush);
    parts.total.record(between(sample.arrived, now));
    drop(gate);
    server.latency.note("queue", Duration::from_nanos(queue));
    server.latency.note("flush", Duration::from_nanos(flush));
}

#[cfg(test)]
mod tests;
