//! Random values of every type, for tests, and how two of them are compared.

use keyspace::{Entry, NewValue, Value, ValueRef, ValueView};
use proptest::prelude::*;
use value::array::{Array, INDEX_MAX};
use value::stream::{Group, Id, NewId, Stream};
use value::{Hash, KeyHash, Limits, List, Set, Zset};

use crate::rdb::Rules;

pub(crate) const LIMITS: Limits = Limits {
    hash_entries: 8,
    hash_value: 16,
    list_size: 4,
    list_compress_depth: 1,
    set_intset_entries: 6,
    set_entries: 8,
    set_value: 16,
    zset_entries: 8,
    zset_value: 16,
    stream_node_bytes: 4096,
    stream_node_entries: 3,
    hll_sparse_bytes: 3000,
    list_packed: 0,
    stream_idmp_duration_s: 100,
    stream_idmp_size: 100,
};

pub(crate) fn hasher() -> KeyHash {
    KeyHash::new([7; 16])
}

pub(crate) fn rules() -> Rules<'static> {
    Rules { limits: &LIMITS, hasher: hasher(), since_ms: 0 }
}

/// What a value holds, for comparing: its type, how it is kept, and its elements.
pub(crate) fn shown(value: &ValueRef<'_>) -> String {
    let text = |element: &value::compact::Element<'_>| {
        let mut out = Vec::new();
        element.write_to(&mut out);
        out.escape_ascii().to_string()
    };
    let ValueRef::Object(value) = value else { return format!("{value:?}") };
    let mut parts: Vec<String> = Vec::new();
    match value {
        ValueView::List(list) => list.range(0, list.len(), |element| parts.push(text(&element))),
        ValueView::Set(set) => {
            set.each(|member| parts.push(text(&member)));
            parts.sort();
        }
        ValueView::Zset(zset) => {
            let members = zset.iter(0..zset.len(), false);
            parts.extend(members.map(|(member, score)| format!("{}={score}", text(&member))));
        }
        ValueView::Hash(hash) => {
            let fields = hash.iter().map(|pair| {
                format!("{}={}@{:?}", text(&pair.name()), text(&pair.value()), pair.deadline_ms())
            });
            parts.extend(fields);
            parts.sort();
        }
        ValueView::Stream(stream) => show_stream(stream, &mut parts),
        ValueView::Array(array) => {
            parts.push(format!("{:?}", array.last_insert()));
            array.walk(0, INDEX_MAX, |index, element| {
                parts.push(format!("{index} {}", text(&element)));
                true
            });
        }
    }
    format!("{} {parts:?}", value.encoding())
}

fn show_stream(stream: &Stream, parts: &mut Vec<String>) {
    parts.push(format!(
        "{} {:?} {:?} {:?} {}",
        stream.len(),
        stream.first_id(),
        stream.last_id(),
        stream.max_deleted_id(),
        stream.entries_added()
    ));
    for entry in stream.range(Id::MIN, Id::MAX) {
        let pairs: Vec<_> = entry.pairs().map(|pair| format!("{pair:?}")).collect();
        parts.push(format!("{:?} {pairs:?}", entry.id()));
    }
    if let Some(requests) = stream.requests() {
        parts.push(format!("{} {}", requests.duration_s(), requests.size_max()));
        parts.push(format!("{} {}", requests.added(), requests.duplicates()));
        requests.each_producer(|name, known| parts.push(format!("{name:?} {known:?}")));
    }
    for (name, group) in stream.groups() {
        parts.push(format!("{} {:?} {:?}", name.escape_ascii(), group.last_id, group.entries_read));
        for (id, nack) in group.nacks(..) {
            let owner = group.owner_name(nack).escape_ascii();
            parts.push(format!("{id:?} {} {} {owner}", nack.time_ms, nack.count));
        }
        for consumer in group.consumers() {
            let name = consumer.name().escape_ascii();
            parts.push(format!("{name} {} {}", consumer.seen_ms, consumer.active_ms));
        }
    }
}

pub(crate) fn entry(value: NewValue<'_>) -> Entry {
    Entry::new(b"key", value, None, 0)
}

pub(crate) fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        (-200i64..200).prop_map(|number| number.to_string().into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..40),
        (1usize..100).prop_map(|len| vec![b'x'; len]),
    ]
}

pub(crate) fn texts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(text(), 1..40)
}

/// Lists of random strings.
pub(crate) fn lists() -> impl Strategy<Value = Value> {
    texts().prop_map(|texts| {
        let mut list = List::new();
        for text in &texts {
            list.make_room(text.len(), 1, &LIMITS);
            list.push(value::list::End::Right, text);
        }
        Value::List(list)
    })
}

/// Sets of random strings.
pub(crate) fn sets() -> impl Strategy<Value = Value> {
    texts().prop_map(|texts| {
        let form = value::set::Rules { limits: &LIMITS, hash: hasher() };
        let mut set = Set::new();
        for text in &texts {
            set.add(text, &form);
        }
        Value::Set(set)
    })
}

/// Sorted sets of random members.
pub(crate) fn sorted_sets() -> impl Strategy<Value = Value> {
    proptest::collection::vec((text(), -9i32..9), 1..30).prop_map(|members| {
        let hash = hasher();
        let form = value::zset::Form { limits: &LIMITS, hash: &hash };
        let mut zset = Zset::new();
        for (member, score) in &members {
            zset.update(member, form, |_| Some(f64::from(*score) / 4.0));
        }
        Value::Zset(zset)
    })
}

/// Hashes, some of them with fields that expire.
pub(crate) fn hashes() -> impl Strategy<Value = Value> {
    let fields = proptest::collection::vec((text(), text(), any::<Option<u32>>()), 1..20);
    (fields, any::<bool>()).prop_map(|(fields, timed)| {
        let rules = value::hash::Rules { limits: &LIMITS, hasher: hasher() };
        let mut hash = Hash::new();
        for (name, value, deadline) in &fields {
            let time = match deadline.filter(|_| timed) {
                Some(deadline) => value::hash::Time::At(i64::from(deadline) + 1),
                None => value::hash::Time::Never,
            };
            hash.set(name, value, time, rules);
        }
        Value::Hash(hash)
    })
}

/// Streams with groups, deleted and pending entries, and what producers have sent.
pub(crate) fn streams() -> impl Strategy<Value = Value> {
    let entries = proptest::collection::vec((1u64..4, texts()), 0..12);
    let deleted = proptest::collection::vec(0u64..30, 0..6);
    let read = proptest::collection::vec((0u64..30, 0usize..3), 0..8);
    let requests = proptest::collection::vec((0u8..3, any::<[u8; 3]>()), 0..4);
    let given_back = proptest::option::of(0u64..30);
    let all = (entries, deleted, read, requests, given_back);
    all.prop_map(|(entries, deleted, read, requests, given_back)| {
        let mut stream = stream(entries, deleted, read);
        for (producer, request) in requests {
            let id = Id { ms: 5, seq: u64::from(producer) };
            if stream.requests_mut(&LIMITS).find(&[producer], &request, 5).is_none() {
                stream.requests_mut(&LIMITS).remember(&[producer], &request, id, 5);
            }
        }
        if let Some(ms) = given_back {
            let group = stream.group_mut(b"group").expect("it was added");
            group.assign(Id { ms, seq: 1 }, None, 99, 1);
        }
        Value::Stream(Box::new(stream))
    })
}

/// Arrays of random strings at random places.
pub(crate) fn arrays() -> impl Strategy<Value = Value> {
    let elements = proptest::collection::vec((any::<u64>(), text()), 1..20);
    (elements, proptest::option::of(0..=INDEX_MAX)).prop_map(|(elements, last_insert)| {
        let mut array = Array::new();
        for (index, text) in &elements {
            array.set((*index).min(INDEX_MAX), text);
        }
        array.set_last_insert(last_insert);
        Value::Array(Box::new(array))
    })
}

fn stream(entries: Vec<(u64, Vec<Vec<u8>>)>, deleted: Vec<u64>, read: Vec<(u64, usize)>) -> Stream {
    let mut stream = Stream::new();
    let mut ms = 0;
    for (step, texts) in &entries {
        ms += step;
        let texts: Vec<&[u8]> = texts.iter().map(Vec::as_slice).collect();
        let pairs = if texts.len().is_multiple_of(2) { &texts[..] } else { &texts[1..] };
        let pairs: &[&[u8]] = if pairs.is_empty() { &[b"a", b"1"] } else { pairs };
        stream.add(NewId::Given(Id { ms, seq: 1 }), pairs, &LIMITS, 0).expect("ids ascend");
    }
    for ms in deleted {
        stream.delete(Id { ms, seq: 1 }, value::stream::Refs::Keep);
    }
    let mut group = Group::new(Id { ms: 3, seq: 0 }, Some(2));
    for (ms, owner) in read {
        let name = format!("consumer {owner}");
        let (slot, _) = group.ensure(name.as_bytes(), 7);
        group.consumer_mut(slot).active_ms = 7;
        group.assign(Id { ms, seq: 1 }, Some(slot), 99, 1 + ms);
    }
    stream.add_group(b"group", group);
    stream.add_group(b"empty", Group::new(Id::MIN, None));
    stream
}
