//! Payloads of streams: bodies of each type as they come, and payloads of streams that steps have
//! made, of which some bytes were changed. What was taken can be walked, changed and taken again.
#![no_main]

use keyspace::{Entry, NewValue, Value};
use libfuzzer_sys::fuzz_target;
use persist::rdb::{Restored, Rules, Settings, Style, dump, restore};
use value::stream::{Group, Id, Keep, NewId, Refs, Trim};
use value::{KeyHash, Limits, Stream};

/// The types of a stream, and a version that knows them.
const KINDS: [u8; 5] = [15, 19, 21, 26, 27];
const VERSION: [u8; 2] = [16, 0];
/// The version and the checksum, which is not compared.
const FOOTER: usize = 10;

fuzz_target!(|data: &[u8]| {
    let Some((choice, input)) = data.split_first() else { return };
    let mut payload = match choice % 8 {
        kind @ 0..5 => [&[KINDS[usize::from(kind)]], input, &[0; FOOTER]].concat(),
        _ => {
            let Some((count, input)) = input.split_first() else { return };
            let (edits, steps) = input.split_at(input.len().min(usize::from(count % 8) * 3));
            changed(payload_of(&made(steps)), edits)
        }
    };
    let end = payload.len() - FOOTER;
    payload[end..end + 2].copy_from_slice(&VERSION);
    let Some(stream) = taken(&payload) else { return };
    let again = payload_of(&stream);
    let stream = taken(&again).expect("what was taken can be taken again");
    assert_eq!(payload_of(&stream), again);
    use_up(stream);
});

fn taken(payload: &[u8]) -> Option<Stream> {
    let limits = Limits::default();
    let rules = Rules { limits: &limits, hasher: KeyHash::new([7; 16]), since_ms: 0 };
    let settings = Settings { relaxed: true, checksum: false };
    restore(payload, settings, rules, |restored| match restored {
        Restored::Value(NewValue::Object(Value::Stream(stream))) => Some(*stream),
        _ => None,
    })
}

fn payload_of(stream: &Stream) -> Vec<u8> {
    let value = Value::Stream(Box::new(stream.clone()));
    let entry = Entry::new(b"key", NewValue::Object(value), None, 0);
    dump(&entry.value(), Style { version: 0, compress: false })
}

/// A stream out of steps: entries with the same fields or others, deletions, groups and what they
/// have delivered.
fn made(steps: &[u8]) -> Stream {
    let limits = Limits { stream_node_entries: 5, ..Limits::default() };
    let mut stream = Stream::new();
    for step in steps.chunks_exact(3) {
        let [kind, a, b] = [step[0] % 8, step[1], step[2]];
        let id = Id { ms: u64::from(a % 8), seq: u64::from(b % 8) };
        let name = [b'a' + a % 4];
        match kind {
            0..3 => {
                let field: &[u8] = if kind == 0 { b"field" } else { &name };
                // An id that is not above the last one is refused.
                stream.add(NewId::Given(id), &[field, step], &limits, 0).ok();
            }
            3 => {
                stream.add(NewId::Auto, &[b"one", b"1", b"two", &name], &limits, 7).ok();
            }
            4 => drop(stream.delete(id, Refs::Keep)),
            5 => drop(stream.add_group(&name, Group::new(id, Some(b.into())))),
            _ => {
                let Some(group) = stream.group_mut(&name) else { continue };
                let (slot, _) = group.ensure(&[b], i64::from(a));
                group.assign(id, Some(slot).filter(|_| kind == 6), i64::from(b), a.into());
            }
        }
    }
    stream
}

/// Changes bytes: each edit is a place, of two bytes, and what it gets.
fn changed(mut payload: Vec<u8>, edits: &[u8]) -> Vec<u8> {
    let len = payload.len() - FOOTER;
    for edit in edits.chunks_exact(3) {
        let place = usize::from(u16::from_le_bytes([edit[0], edit[1]])) % len;
        payload[place.max(1)] = edit[2];
    }
    payload
}

/// Walks over everything, and takes it away.
fn use_up(mut stream: Stream) {
    let there: Vec<Id> = stream.range(Id::MIN, Id::MAX).map(|entry| entry.id()).collect();
    let mut back: Vec<Id> = stream.range_back(Id::MIN, Id::MAX).map(|entry| entry.id()).collect();
    back.reverse();
    assert_eq!(there, back);
    assert_eq!(there.len() as u64, stream.len());
    assert!(there.is_sorted_by(|a, b| a < b));
    for (_, group) in stream.groups() {
        let owned: usize = group.consumers().map(|consumer| consumer.pending()).sum();
        assert_eq!(owned + group.released(), group.pending());
        stream.lag(group);
    }
    if stream.last_id() < Id::MAX {
        let added = stream.add(NewId::Auto, &[b"field", b"value"], &Limits::default(), 0);
        assert!(added.is_ok());
    }
    if let Some(&first) = there.first() {
        stream.delete(first, Refs::Drop);
        assert!(stream.get(first).is_none());
    }
    stream.trim(&Trim { keep: Keep::Newest(1), approx: false, limit: 0, refs: Refs::Drop });
    assert!(stream.len() <= 1);
}
