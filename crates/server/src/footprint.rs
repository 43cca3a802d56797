//! What clients take of memory, and the end of those that take most when all together take too much
//! (`maxmemory-clients`).
//!
//! While there is a limit, each worker keeps what its own clients take up to date, and a sum over
//! all of them tells whether somebody has to go. Without one nothing is counted.

use std::cmp::Reverse;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::admin::describe;
use crate::conn::Conn;
use crate::local::Local;
use crate::mailbox::Message;
use crate::registry::Client;
use crate::server::Server;
use crate::session::State;

/// What a client takes beside its buffers, in bytes.
const BASE: u64 = (size_of::<Conn>() + size_of::<Client>()) as u64;
/// What a subscription takes, its name left out: it stands with the client and with its worker.
const SUBSCRIPTION: u64 = 64;
/// What a watched key and a prefix of tracked keys take, their bytes left out.
const WATCHED: u64 = 48;
const PREFIX: u64 = 24;
/// Milliseconds until it is tried again when nobody could be made to go.
const RETRY_MS: i64 = 100;

/// See the module's text.
#[derive(Default, Debug)]
pub struct Footprint {
    total: AtomicU64,
    /// Clients whose connections were closed.
    evicted: AtomicU64,
    /// When it is tried again, Unix milliseconds.
    retry_ms: AtomicI64,
}

impl Footprint {
    /// How many connections were closed.
    pub fn evicted(&self) -> u64 {
        self.evicted.load(Ordering::Relaxed)
    }

    /// Begins to count from zero.
    pub fn reset(&self) {
        self.evicted.store(0, Ordering::Relaxed);
    }
}

/// Bytes of what belongs to a transaction: the commands that are queued and the watched keys.
pub fn of_transaction(client: &Client) -> u64 {
    let number = |from: &AtomicU64| from.load(Ordering::Relaxed);
    number(&client.queued_bytes) + number(&client.watching) * WATCHED
}

/// Bytes of what a client has beside its query, its arguments and its output.
pub fn beside_buffers(client: &Client) -> u64 {
    let number = |from: &AtomicU64| from.load(Ordering::Relaxed);
    let subscriptions: u64 = client.subscriptions.iter().map(number).sum();
    let prefixes = client.tracker.get().map_or(0, |tracker| tracker.prefix_count());
    BASE + of_transaction(client)
        + number(&client.output_free)
        + number(&client.prepared)
        + subscriptions * SUBSCRIPTION
        + prefixes as u64 * PREFIX
}

/// Bytes that a client takes.
pub fn of(client: &Client) -> u64 {
    let buffers = [&client.query, &client.query_free, &client.argv, &client.output];
    let buffers: u64 = buffers.iter().map(|bytes| bytes.load(Ordering::Relaxed)).sum();
    buffers + beside_buffers(client)
}

/// Takes note of what a client takes now; only from its own worker, or alone.
fn account(server: &Server, client: &Client) {
    let now = if client.is_killed() { 0 } else { of(client) };
    let before = client.accounted.swap(now, Ordering::Relaxed);
    // Wraps when it is less than before, as the sum does.
    server.footprint.total.fetch_add(now.wrapping_sub(before), Ordering::Relaxed);
}

/// Takes note that a client is gone.
pub fn strike_off(server: &Server, client: &Client) {
    let before = client.accounted.swap(0, Ordering::Relaxed);
    server.footprint.total.fetch_sub(before, Ordering::Relaxed);
}

/// Takes note of what a client takes now, after its turn, and closes connections if all together
/// take too much. True when its own connection is to be closed. The caller holds nothing.
#[cold]
pub fn settle(server: &Server, local: &Local, client: &Client) -> bool {
    account(server, client);
    if !is_too_much(server, local.tunables.client_memory_max) {
        return false;
    }
    if server.footprint.retry_ms.load(Ordering::Relaxed) > local.now_ms() {
        return false;
    }
    // While a script keeps the gate closed, clients do nothing that takes memory.
    let gives_up = || server.is_busy();
    if local.stands_in {
        return false;
    }
    let Some(_alone) = server.keyspace.alone_unless(gives_up) else { return false };
    evict(server, local.now_ms(), client.id)
}

/// Follows a change of the limit. True when the caller's own connection, of the client `me`, is to
/// be closed. The caller holds the gate's write side.
pub fn refit(server: &Server, now_ms: i64, me: u64) -> bool {
    let is_limited = server.tunables.load().client_memory_max > 0;
    for client in server.clients.all() {
        if is_limited {
            account(server, &client);
        } else {
            strike_off(server, &client);
        }
    }
    evict(server, now_ms, me)
}

fn is_too_much(server: &Server, limit: u64) -> bool {
    limit > 0 && server.footprint.total.load(Ordering::Relaxed) > limit
}

/// Closes the connections of those that take most until the rest is below the limit. The caller
/// holds the gate's write side.
fn evict(server: &Server, now_ms: i64, me: u64) -> bool {
    let limit = server.tunables.load().client_memory_max;
    if !is_too_much(server, limit) {
        return false;
    }
    let mut clients = server.clients.all();
    clients.retain(|client| !client.state().any(State::NO_EVICT) && !client.is_killed());
    clients.sort_by_cached_key(|client| Reverse(client.accounted.load(Ordering::Relaxed)));
    let mut is_me = false;
    for client in clients {
        if !is_too_much(server, limit) {
            return is_me;
        }
        log::info!("Evicting client: {}", describe(server, &client, now_ms));
        strike_off(server, &client);
        server.footprint.evicted.fetch_add(1, Ordering::Relaxed);
        if client.id == me {
            is_me = true;
        } else if server.clients.kill(&client) {
            let worker = &server.workers[client.worker];
            worker.mailbox.send(Message::Kill(Arc::clone(&client)));
        }
    }
    if is_too_much(server, limit) {
        log::warn!("Over client maxmemory after evicting all evictable clients");
        server.footprint.retry_ms.store(now_ms + RETRY_MS, Ordering::Relaxed);
    }
    is_me
}
