//! The duties that follow a write, performed once for all commands, while its shards are held.

use commands::Args;
use keyspace::Wants;

use crate::local::Local;
use crate::registry::Client;
use crate::rows::Row;
use crate::server::Server;
use crate::session::Session;
use crate::{blocked, events, tracking};

/// What follows a command that changed data.
#[inline]
pub fn after(server: &Server, local: &mut Local, session: &Session, _row: &Row, _args: &Args<'_>) {
    settle(server, local, Some(&session.client));
}

/// What follows when the command of a client that waited has changed data: its records tell all
/// that is to be propagated.
pub fn served(server: &Server, local: &mut Local, client: &Client) {
    settle(server, local, Some(client));
}

/// What follows the expiry of keys that nobody asked for.
pub fn expired(server: &Server, local: &mut Local) {
    settle(server, local, None);
}

fn settle(server: &Server, local: &mut Local, origin: Option<&Client>) {
    if local.change.wants(Wants::EVENTS.with(Wants::WAITERS).with(Wants::KEYS)) {
        tell(server, local, origin);
    }
    let change = &mut local.change;
    let dirty = change.dirty() + change.expired();
    if change.expired_fields() > 0 {
        server.stats(local.id).expired_fields.add(change.expired_fields());
    }
    server.stats(local.id).dirty.add(dirty);
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
