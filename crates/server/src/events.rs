//! Keyspace events: what commands did to keys, published on channels of their own.
//!
//! It is called while the shards of the keys are held, so the events of a key are published in the
//! order of its changes.

use crate::local::Local;
use crate::pubsub::{self, Kind};
use crate::server::Server;

/// Publishes the events of the change that is being settled, as far as the configuration asks for
/// their classes: first to the channel of the key, then to that of the event.
pub fn send(server: &Server, local: &mut Local) {
    let (names, patterns) = (Kind::Channel, Kind::Pattern);
    if server.exchange.names(names) == 0 && server.exchange.names(patterns) == 0 {
        return;
    }
    let wanted = local.tunables.events;
    let notes = local.change.take_notes();
    for note in &notes {
        if note.class.0 & wanted == 0 {
            continue;
        }
        if wanted & spec::config::EVENT_BY_KEY != 0 {
            let channel = name("keyspace", note.db, &note.key);
            pubsub::send(server, local, Kind::Channel, &channel, note.event.as_bytes());
        }
        if wanted & spec::config::EVENT_BY_NAME != 0 {
            let channel = name("keyevent", note.db, note.event.as_bytes());
            pubsub::send(server, local, Kind::Channel, &channel, &note.key);
        }
    }
    local.change.put_notes(notes);
}

fn name(space: &str, db: u32, rest: &[u8]) -> Vec<u8> {
    [format!("__{space}@{db}__:").as_bytes(), rest].concat()
}
