//! Streams against a map, and the corners of ids and counters.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{Deletion, Group, Id, IdText, Keep, NewId, Refs, Refused, Stream, Trim, request_of};
use crate::Limits;
use crate::compact::Listpack;
use crate::number::Text;

type Model = BTreeMap<Id, Vec<Vec<u8>>>;

#[derive(Clone, Debug)]
enum Op {
    Add { step: u64, seq: u64, fields: Vec<(u8, Vec<u8>)> },
    Delete(u64),
    Newest { most: u64, approx: bool },
    From(u64),
}

fn op() -> impl Strategy<Value = Op> {
    let value = prop_oneof![
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..90),
    ];
    let fields = proptest::collection::vec((0u8..3, value), 1..4);
    let seq = prop_oneof![8 => 0u64..3, 3 => 0u64..300, 1 => any::<u64>()];
    prop_oneof![
        12 => (0u64..3, seq, fields).prop_map(|(step, seq, fields)| {
            Op::Add { step, seq, fields }
        }),
        4 => (0u64..80).prop_map(Op::Delete),
        1 => (0u64..40, any::<bool>()).prop_map(|(most, approx)| Op::Newest { most, approx }),
        1 => (0u64..80).prop_map(Op::From),
    ]
}

fn texts(stream: &Stream, back: bool, start: Id, end: Id) -> Vec<(Id, Vec<Vec<u8>>)> {
    let mut room = Text::new();
    let mut of = |entry: super::Entry<'_>| {
        let mut all = Vec::new();
        for (name, value) in entry.pairs() {
            all.push(name.text(&mut room).to_vec());
            all.push(value.text(&mut room).to_vec());
        }
        (entry.id(), all)
    };
    match back {
        false => stream.range(start, end).map(&mut of).collect(),
        true => stream.range_back(start, end).map(&mut of).collect(),
    }
}

fn check(stream: &Stream, model: &Model, start: Id, end: Id) {
    let wanted: Vec<_> = match start <= end {
        true => model.range(start..=end).map(|(id, all)| (*id, all.clone())).collect(),
        false => Vec::new(),
    };
    assert_eq!(texts(stream, false, start, end), wanted);
    let back: Vec<_> = wanted.into_iter().rev().collect();
    assert_eq!(texts(stream, true, start, end), back);
    assert_eq!(stream.len(), model.len() as u64);
    check_packs(stream);
    assert_eq!(stream.first_id(), model.keys().next().copied().unwrap_or_default());
    assert_eq!(stream.last_entry_id(), model.keys().next_back().copied());
}

/// Each node knows the size of its listpack, and comes back from it as it was.
fn check_packs(stream: &Stream) {
    let mut back = Stream::new();
    for (master, pack) in stream.packs(Id::MIN) {
        let node = &stream.nodes[&master];
        assert_eq!(pack.bytes_len(), node.pack_size());
        assert!(Listpack::from_bytes(pack.as_bytes()) == Ok(pack.clone()));
        back.push_pack(master, &pack).expect("it was made from a node");
        assert_eq!(back.nodes[&master].pack(master), pack);
        assert_eq!(back.nodes[&master].counts(), node.counts());
    }
    assert_eq!(back.len(), stream.len());
}

fn apply(stream: &mut Stream, model: &mut Model, limits: &Limits, op: &Op) {
    match op {
        Op::Add { step, seq, fields } => {
            let id = Id::new(stream.last_id().ms + step, *seq);
            let all: Vec<Vec<u8>> = fields
                .iter()
                .flat_map(|(name, value)| [vec![b'a' + name], value.clone()])
                .collect();
            let pairs: Vec<&[u8]> = all.iter().map(Vec::as_slice).collect();
            match stream.add(NewId::Given(id), &pairs, limits, 0) {
                Ok(added) => assert!(added == id && model.insert(id, all).is_none()),
                Err(refused) => assert_eq!(refused, Refused::Small),
            }
        }
        Op::Delete(ms) => {
            let id = Id::new(*ms, ms % 3);
            let gone = model.remove(&id).is_some();
            assert_eq!(stream.delete(id, Refs::Keep) == Deletion::Done, gone);
        }
        Op::Newest { most, approx } => {
            let trim =
                Trim { keep: Keep::Newest(*most), approx: *approx, limit: 0, refs: Refs::Keep };
            let mut dropped = stream.trim(&trim);
            assert!(*approx || stream.len() <= *most);
            assert!(stream.len() >= *most || dropped == 0);
            while dropped > 0 {
                model.pop_first();
                dropped -= 1;
            }
        }
        Op::From(ms) => {
            let keep = Keep::From(Id::new(*ms, 0));
            stream.trim(&Trim { keep, approx: false, limit: 0, refs: Refs::Keep });
            model.retain(|id, _| *id >= Id::new(*ms, 0));
        }
    }
}

proptest! {
    #[test]
    fn a_stream_is_an_ordered_map(
        ops in proptest::collection::vec(op(), 1..120),
        entries in 1usize..9,
        bytes in 0usize..600,
        bounds in (0u64..80, 0u64..80),
    ) {
        let limits = Limits {
            stream_node_entries: entries,
            stream_node_bytes: bytes,
            ..Limits::default()
        };
        let (mut stream, mut model) = (Stream::new(), Model::new());
        for op in &ops {
            apply(&mut stream, &mut model, &limits, op);
        }
        check(&stream, &model, Id::MIN, Id::MAX);
        check(&stream, &model, Id::new(bounds.0, 1), Id::new(bounds.1, 1));
        for id in model.keys() {
            prop_assert!(stream.get(*id).is_some_and(|entry| entry.id() == *id));
        }
    }
}

#[test]
fn ids_are_read_as_clients_write_them() {
    assert_eq!(Id::parse(b"5", 7), Some(Id::new(5, 7)));
    assert_eq!(Id::parse(b"007-01", 0), Some(Id::new(7, 1)));
    assert_eq!(Id::parse(b"18446744073709551615-0", 0), Some(Id::new(u64::MAX, 0)));
    for wrong in ["", "-", "+", "5-", "-5", "18446744073709551616", "5-x", "5--6", "0x5"] {
        assert_eq!(Id::parse(wrong.as_bytes(), 0), None, "{wrong}");
    }
    assert_eq!(Id::parse_bound(b"+", 0), Some(Id::MAX));
    assert_eq!(NewId::parse(b"5-*"), Some(NewId::In(5)));
    assert_eq!(NewId::parse(b"*-5"), None);
    assert_eq!(IdText::new().of(Id::MAX), b"18446744073709551615-18446744073709551615");
}

#[test]
fn ids_end_where_no_number_is_left() {
    assert_eq!(Id::new(1, u64::MAX).next(), Some(Id::new(2, 0)));
    assert_eq!(Id::MAX.next(), None);
    assert_eq!(Id::new(1, 0).prev(), Some(Id::new(0, u64::MAX)));
    assert_eq!(Id::MIN.prev(), None);
    let mut stream = Stream::new();
    let limits = Limits::default();
    stream.add(NewId::Given(Id::new(9, u64::MAX)), &[b"a", b"b"], &limits, 1).unwrap();
    assert_eq!(stream.add(NewId::In(9), &[b"a", b"b"], &limits, 1), Err(Refused::Small));
    assert_eq!(stream.add(NewId::Auto, &[b"a", b"b"], &limits, 1), Ok(Id::new(10, 0)));
    stream.set_ids(Id::MAX, None, None);
    assert_eq!(stream.add(NewId::Auto, &[b"a", b"b"], &limits, 1), Err(Refused::Exhausted));
}

#[test]
fn lag_is_unknown_behind_a_deleted_entry() {
    let (mut stream, limits) = (Stream::new(), Limits::default());
    for ms in 1..=5 {
        stream.add(NewId::Given(Id::new(ms, 0)), &[b"a", b"b"], &limits, 0).unwrap();
    }
    stream.add_group(b"g", Group::new(Id::MIN, None));
    assert_eq!(stream.lag(stream.group(b"g").unwrap()), Some(5));
    stream.deliver(b"g", &[Id::new(1, 0)], None, 0);
    assert_eq!(stream.lag(stream.group(b"g").unwrap()), Some(4));
    stream.delete(Id::new(3, 0), Refs::Keep);
    assert_eq!(stream.lag(stream.group(b"g").unwrap()), None);
    stream.deliver(b"g", &[Id::new(5, 0)], None, 0);
    assert_eq!(stream.lag(stream.group(b"g").unwrap()), Some(0));
}

#[test]
fn consumers_own_what_is_assigned_to_them() {
    let mut group = Group::new(Id::MIN, None);
    let (one, made) = group.ensure(b"one", 5);
    let (two, _) = group.ensure(b"two", 5);
    assert!(made && !group.ensure(b"one", 6).1);
    group.assign(Id::new(1, 0), Some(one), 10, 1);
    group.assign(Id::new(1, 0), Some(two), 11, 2);
    group.assign(Id::new(2, 0), Some(one), 12, 1);
    assert_eq!((group.consumer(one).pending(), group.consumer(two).pending()), (1, 1));
    assert_eq!(group.idle(100, 89, 9), [Id::new(1, 0)]);
    assert_eq!(group.idle(100, 0, 1), [Id::new(1, 0)]);
    group.assign(Id::new(2, 0), None, 0, 0);
    assert_eq!(group.consumer(one).pending(), 0);
    assert_eq!(group.remove(b"two"), Some(1));
    assert_eq!(group.pending(), 1);
    assert!(group.ack(Id::new(2, 0)) && !group.ack(Id::new(2, 0)));
    let (three, _) = group.ensure(b"three", 7);
    assert_eq!(group.consumer(three).name(), b"three");
}

#[test]
fn what_groups_need_stays_when_asked_for() {
    let (mut stream, limits) = (Stream::new(), Limits::default());
    for ms in 1..=3 {
        stream.add(NewId::Given(Id::new(ms, 0)), &[b"a", b"b"], &limits, 0).unwrap();
    }
    stream.add_group(b"g", Group::new(Id::new(2, 0), None));
    let slot = stream.group_mut(b"g").unwrap().ensure(b"c", 0).0;
    stream.group_mut(b"g").unwrap().assign(Id::new(1, 0), Some(slot), 0, 1);
    let trim = |refs| Trim { keep: Keep::Newest(0), approx: false, limit: 0, refs };
    assert_eq!(stream.trim(&trim(Refs::Acked)), 1);
    assert_eq!(stream.len(), 2);
    assert_eq!(stream.delete(Id::new(1, 0), Refs::Acked), Deletion::Needed);
    assert_eq!(stream.trim(&trim(Refs::Drop)), 2);
    assert_eq!(stream.group(b"g").unwrap().pending(), 0);
    assert_eq!(stream.nodes(), 0);
}

#[test]
fn requests_are_forgotten_by_age_and_number() {
    let mut stream = Stream::new();
    let requests = stream.requests_mut(&Limits::default());
    requests.configure(Some(2), Some(2));
    for ms in 1..=3 {
        requests.remember(b"p", ms.to_string().as_bytes(), Id::new(ms, 0), 0);
    }
    assert_eq!(requests.find(b"p", b"1", 1), None);
    assert_eq!(requests.find(b"p", b"2", 1), Some(Id::new(2, 0)));
    assert_eq!(requests.find(b"other", b"2", 1), None);
    assert_eq!(requests.find(b"p", b"2", 2000), None);
    assert_eq!((requests.producers(), requests.added()), (0, 3));
    assert_eq!(request_of(&[b"a", b"1", b"b", b"2"]), request_of(&[b"b", b"2", b"a", b"1"]));
    assert_ne!(request_of(&[b"a", b"1", b"b", b"2"]), request_of(&[b"a", b"2", b"b", b"1"]));
}
