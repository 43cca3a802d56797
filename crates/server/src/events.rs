//! Keyspace events: what commands did to keys, published on channels of their own.
//!
//! It is called while the shards of the keys are held, so the events of a key are published in the
//! order of its changes.

use keyspace::Note;
use spec::config;

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
        if wanted & config::EVENT_BY_KEY != 0 {
            let channel = name("keyspace", note.db, &note.key);
            pubsub::send(server, local, Kind::Channel, &channel, note.event.as_bytes());
        }
        if wanted & config::EVENT_BY_NAME != 0 {
            let channel = name("keyevent", note.db, note.event.as_bytes());
            pubsub::send(server, local, Kind::Channel, &channel, &note.key);
        }
        if wanted & config::EVENT_FIELDS != 0 && !note.fields.is_empty() {
            send_fields(server, local, wanted, note);
        }
    }
    local.change.put_notes(notes);
}

/// Publishes the event of some fields: with all of them to the channels of the key, of the event
/// and of both, and without them to the channel of each. A field stands behind the end of its key's
/// line there, so a key that has more lines has no such channels.
fn send_fields(server: &Server, local: &mut Local, wanted: u32, note: &Note) {
    let (db, key, event) = (note.db, &*note.key, note.event.as_bytes());
    let mut send = |space: &str, rest: &[u8], message: &[u8]| {
        pubsub::send(server, local, Kind::Channel, &name(space, db, rest), message);
    };
    let fields: Vec<Vec<u8>> = note.fields.iter().map(|field| with_length(field)).collect();
    let fields = fields.join(&b',');
    if wanted & config::EVENT_FIELDS_BY_KEY != 0 {
        send("subkeyspace", key, &[event, &fields].join(&b'|'));
    }
    if wanted & config::EVENT_FIELDS_BY_NAME != 0 {
        send("subkeyevent", event, &[&with_length(key)[..], &fields].join(&b'|'));
    }
    if wanted & config::EVENT_BY_FIELD != 0 && !key.contains(&b'\n') {
        for field in &note.fields {
            send("subkeyspaceitem", &[key, field].join(&b'\n'), event);
        }
    }
    if wanted & config::EVENT_FIELDS_BY_BOTH != 0 {
        send("subkeyspaceevent", &[event, key].join(&b'|'), &fields);
    }
}

fn with_length(text: &[u8]) -> Vec<u8> {
    [format!("{}:", text.len()).as_bytes(), text].concat()
}

fn name(space: &str, db: u32, rest: &[u8]) -> Vec<u8> {
    [format!("__{space}@{db}__:").as_bytes(), rest].concat()
}
