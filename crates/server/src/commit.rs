//! The duties that follow a write, performed once for all commands, while its shards are held.

use commands::Args;
use keyspace::Wants;
use spec::command::Flags;

use crate::local::Local;
use crate::registry::Client;
use crate::rows::Row;
use crate::server::Server;
use crate::session::Session;
use crate::{blocked, events, tracking};

/// What follows a command that changed data.
#[inline]
pub fn after(server: &Server, local: &mut Local, session: &Session, row: &Row, args: &Args<'_>) {
    if local.change.wants(Wants::LOG) {
        log_command(server, local, session.db, row, args);
    }
    settle(server, local, Some(&session.client));
}

/// Ends a transaction, or a script, with all its shards still held: what it has done is one whole.
pub fn end_transaction(server: &Server, local: &mut Local) {
    local.change.end_transaction();
    local.outlet.append(&server.aof, true, local.now_us);
}

/// What follows when the command of a client that waited has changed data: its records tell all
/// that is to be propagated.
pub fn served(server: &Server, local: &mut Local, client: Option<&Client>) {
    if local.change.wants(Wants::LOG) {
        local.outlet.unit.push_records(local.change.records());
        local.outlet.append(&server.aof, true, local.now_us);
    }
    settle(server, local, client);
}

/// What follows the expiry of keys that nobody asked for; the log knows of it already.
pub fn expired(server: &Server, local: &mut Local) {
    settle(server, local, None);
}

/// What a command says to the log: what it met that was over, then itself or what stands for it. A
/// walk over all keys has nothing that belongs together.
fn log_command(server: &Server, local: &mut Local, db: u32, row: &Row, args: &Args<'_>) {
    let Local { change, outlet, now_us, .. } = local;
    outlet.unit.push_records(change.records());
    if change.is_verbatim() && (change.dirty() > 0 || change.is_forced()) {
        outlet.unit.push(db, args.all());
    }
    if !change.is_in_transaction() {
        outlet.append(&server.aof, !row.has(Flags::TOUCHES_ARBITRARY_KEYS), *now_us);
    }
}

/// What follows the eviction of keys; the log knows of it already.
pub fn evicted(server: &Server, local: &mut Local) {
    let evicted = local.change.evicted();
    if evicted > 0 {
        server.stats(local.id).evicted.add(evicted);
        settle(server, local, None);
    }
}

fn settle(server: &Server, local: &mut Local, origin: Option<&Client>) {
    if local.change.wants(Wants::HEARS) {
        tell(server, local, origin);
    }
    let change = &mut local.change;
    let dirty = change.dirty() + change.expired() + change.evicted();
    if change.expired_fields() > 0 {
        server.stats(local.id).expired_fields.add(change.expired_fields());
    }
    server.stats(local.id).dirty.add(dirty);
    local.room.note();
    if change.expired() > 0 {
        server.stats(local.id).expired.add(change.expired());
    }
    change.take_discarded().for_each(|discarded| server.background.free(discarded));
    change.clear();
}

/// Tells those who want to know what has changed.
#[cold]
fn tell(server: &Server, local: &mut Local, origin: Option<&Client>) {
    if local.change.wants(Wants::EVENTS) {
        events::send(server, local);
    }
    if local.change.wants(Wants::WAITERS) {
        blocked::collect(server, local);
    }
    if local.change.wants(Wants::KEYS) {
        tracking::invalidate(server, local, origin);
    }
}
