//! Clients that wait until what they have written is on the disk.
//!
//! Whoever puts the log on the disk, and whoever turns it on or off, looks who is done by then.
//! Invariant: a client that waits is in the list, or somebody has an answer for it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use resp::Writer;

use super::{Aof, Phase};
use crate::blocked::Waiter;
use crate::mailbox::{Answer, Message};
use crate::server::Server;

/// What a client is told that asks for what there is not.
pub const NO_LOG: &str =
    "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";

/// See the module's text.
#[derive(Default)]
pub struct Waiting {
    all: Mutex<Vec<Awaited>>,
    count: AtomicUsize,
}

struct Awaited {
    waiter: Arc<Waiter>,
    /// Behind what the client has written in the log; unknown while there is no log yet.
    position: Option<u64>,
    /// Whether copies elsewhere are waited for as well, and there are none.
    needs_copies: bool,
}

impl Aof {
    /// Whether the log is on the disk up to a position.
    pub fn has_on_disk(&self, position: u64) -> bool {
        self.phase() == Phase::On && self.durable() >= position
    }
}

/// Lets a client wait until the log is on the disk up to a position.
pub fn wait(server: &Server, waiter: Arc<Waiter>, position: u64, needs_copies: bool) {
    let aof = &server.aof;
    let position = (aof.phase() == Phase::On).then_some(position);
    let mut all = aof.waiting.all.lock();
    all.push(Awaited { waiter, position, needs_copies });
    aof.waiting.count.store(all.len(), Ordering::SeqCst);
    drop(all);
    // It may have got there in between, and nobody has seen this client.
    look(server);
}

/// Answers those who are done: because of what is on the disk by now, or because there is no log.
pub fn look(server: &Server) {
    let aof = &server.aof;
    if aof.waiting.count.load(Ordering::SeqCst) == 0 {
        return;
    }
    let (phase, durable, end) = (aof.phase(), aof.durable(), aof.end());
    let mut all = aof.waiting.all.lock();
    all.retain_mut(|awaited| {
        if awaited.waiter.is_over() {
            return false;
        }
        match phase {
            Phase::Waits => true,
            Phase::Off => {
                answer(server, &awaited.waiter, |reply| reply.error(NO_LOG));
                false
            }
            Phase::On => {
                let position = *awaited.position.get_or_insert(end);
                let is_done = durable >= position && !awaited.needs_copies;
                if is_done {
                    answer(server, &awaited.waiter, |reply| {
                        reply.array(2);
                        reply.int(1);
                        reply.int(0);
                    });
                }
                !is_done
            }
        }
    });
    aof.waiting.count.store(all.len(), Ordering::SeqCst);
}

fn answer(server: &Server, waiter: &Waiter, tell: impl FnOnce(&mut Writer)) {
    if !server.end_wait(waiter) {
        return;
    }
    let mut reply = Writer::new(waiter.proto());
    tell(&mut reply);
    let (client, answer) = (Arc::clone(&waiter.client), Answer::Reply(Box::new(reply)));
    server.workers[client.worker].mailbox.send(Message::Answer { client, answer });
}
