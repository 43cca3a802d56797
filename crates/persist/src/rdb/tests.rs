//! Values and files there and back, and numbers that never change.

use keyspace::{Entry, NewValue, Value, ValueRef, ValueView};
use proptest::prelude::*;
use value::array::{Array, INDEX_MAX};
use value::stream::{Group, Id, NewId, Stream};
use value::{Hash, KeyHash, Limits, List, Set, Zset};

use super::code::{kind, opcode};
use super::*;

const LIMITS: Limits = Limits {
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

fn hasher() -> KeyHash {
    KeyHash::new([7; 16])
}

fn rules() -> Rules<'static> {
    Rules { limits: &LIMITS, hasher: hasher(), since_ms: 0 }
}

#[test]
fn the_checksum_is_that_of_jones() {
    assert_eq!(crc64(b"123456789"), 0xe9c6_d914_c4b8_d9ca);
    let long: Vec<u8> = (0..1000u32).map(|byte| byte as u8).collect();
    let mut parts = Crc64::default();
    long.chunks(7).for_each(|part| parts.add(part));
    assert_eq!(parts.get(), crc64(&long));
}

#[test]
fn numbers_in_files_stay() {
    let kinds = [
        kind::STRING,
        kind::LIST,
        kind::SET,
        kind::ZSET,
        kind::HASH,
        kind::ZSET_2,
        kind::MODULE_OLD,
        kind::MODULE,
    ];
    assert_eq!(kinds, [0, 1, 2, 3, 4, 5, 6, 7]);
    let kinds = [
        kind::HASH_ZIPMAP,
        kind::LIST_ZIPLIST,
        kind::SET_INTSET,
        kind::ZSET_ZIPLIST,
        kind::HASH_ZIPLIST,
        kind::LIST_QUICKLIST,
        kind::STREAM,
        kind::HASH_LISTPACK,
        kind::ZSET_LISTPACK,
        kind::LIST_QUICKLIST_2,
        kind::STREAM_2,
        kind::SET_LISTPACK,
        kind::STREAM_3,
        kind::HASH_2,
    ];
    assert_eq!(kinds.to_vec(), (9..=22).collect::<Vec<u8>>());
    let marks = [
        opcode::KEY_META,
        opcode::SLOT_INFO,
        opcode::FUNCTION,
        opcode::FUNCTION_OLD,
        opcode::MODULE_AUX,
        opcode::IDLE,
        opcode::FREQ,
        opcode::AUX,
        opcode::RESIZE,
        opcode::EXPIRE_MS,
        opcode::EXPIRE_S,
        opcode::SELECT,
        opcode::END,
    ];
    assert_eq!(marks.to_vec(), (243..=255).collect::<Vec<u8>>());
}

/// What a value holds, for comparing: its type, how it is kept, and its elements.
fn shown(value: &ValueRef<'_>) -> String {
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

fn entry(value: NewValue<'_>) -> Entry {
    Entry::new(b"key", value, None, 0)
}

/// A value dumped and restored in every version and style is the same.
fn there_and_back(value: NewValue<'_>) {
    let entry = entry(value);
    let expected = shown(&entry.value());
    for version in [0, 10, 11, 12, 80] {
        for compress in [false, true] {
            let payload = dump(&entry.value(), Style { version, compress });
            let back = restore(&payload, Settings::default(), rules(), |restored| match restored {
                Restored::Value(value) => self::entry(value),
                _ => panic!("version {version}: {}", payload.escape_ascii()),
            });
            assert_eq!(shown(&back.value()), expected, "version {version}");
        }
    }
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        any::<i64>().prop_map(|number| number.to_string().into_bytes()),
        (-200i64..200).prop_map(|number| number.to_string().into_bytes()),
        proptest::collection::vec(any::<u8>(), 0..40),
        (1usize..100).prop_map(|len| vec![b'x'; len]),
    ]
}

fn texts() -> impl Strategy<Value = Vec<Vec<u8>>> {
    proptest::collection::vec(text(), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn strings_come_back(text in text()) {
        match value::number::parse_i64(&text) {
            Some(number) => there_and_back(NewValue::Int(number)),
            None => there_and_back(NewValue::Bytes(&text)),
        }
    }

    #[test]
    fn lists_come_back(texts in texts()) {
        let mut list = List::new();
        for text in &texts {
            list.make_room(text.len(), 1, &LIMITS);
            list.push(value::list::End::Right, text);
        }
        there_and_back(NewValue::Object(Value::List(list)));
    }

    #[test]
    fn sets_come_back(texts in texts()) {
        let form = value::set::Rules { limits: &LIMITS, hash: hasher() };
        let mut set = Set::new();
        texts.iter().for_each(|text| { set.add(text, &form); });
        let entry = entry(NewValue::Object(Value::Set(set)));
        let payload = dump(&entry.value(), Style::default());
        restore(&payload, Settings::default(), rules(), |restored| {
            let Restored::Value(value) = restored else { panic!("{}", payload.escape_ascii()) };
            assert_eq!(shown(&self::entry(value).value()), shown(&entry.value()));
        });
    }

    #[test]
    fn sorted_sets_come_back(members in proptest::collection::vec((text(), -9i32..9), 1..30)) {
        let hash = hasher();
        let form = value::zset::Form { limits: &LIMITS, hash: &hash };
        let mut zset = Zset::new();
        for (member, score) in &members {
            zset.update(member, form, |_| Some(f64::from(*score) / 4.0));
        }
        there_and_back(NewValue::Object(Value::Zset(zset)));
    }

    #[test]
    fn hashes_come_back(
        fields in proptest::collection::vec((text(), text(), any::<Option<u32>>()), 1..20),
        timed: bool,
    ) {
        let rules = value::hash::Rules { limits: &LIMITS, hasher: hasher() };
        let mut hash = Hash::new();
        for (name, value, deadline) in &fields {
            let time = match deadline.filter(|_| timed) {
                Some(deadline) => value::hash::Time::At(i64::from(deadline) + 1),
                None => value::hash::Time::Never,
            };
            hash.set(name, value, time, rules);
        }
        there_and_back(NewValue::Object(Value::Hash(hash)));
    }

    #[test]
    fn streams_come_back(
        entries in proptest::collection::vec((1u64..4, texts()), 0..12),
        deleted in proptest::collection::vec(0u64..30, 0..6),
        read in proptest::collection::vec((0u64..30, 0usize..3), 0..8),
        requests in proptest::collection::vec((0u8..3, any::<[u8; 3]>()), 0..4),
        given_back in proptest::option::of(0u64..30),
    ) {
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
        there_and_back(NewValue::Object(Value::Stream(Box::new(stream))));
    }

    #[test]
    fn arrays_come_back(
        elements in proptest::collection::vec((any::<u64>(), text()), 1..20),
        last_insert in proptest::option::of(0..=INDEX_MAX),
    ) {
        let mut array = Array::new();
        for (index, text) in &elements {
            array.set((*index).min(INDEX_MAX), text);
        }
        array.set_last_insert(last_insert);
        there_and_back(NewValue::Object(Value::Array(Box::new(array))));
    }

    /// Whatever a byte is changed to, reading ends with a value or a refusal.
    #[test]
    fn damaged_payloads_do_no_harm(
        texts in texts(),
        at: proptest::sample::Index,
        byte: u8,
        wanted in 0u8..30,
    ) {
        let mut list = List::new();
        for text in &texts {
            list.make_room(text.len(), 1, &LIMITS);
            list.push(value::list::End::Right, text);
        }
        let entry = entry(NewValue::Object(Value::List(list)));
        let mut payload = dump(&entry.value(), Style::default());
        let at = at.index(payload.len());
        payload[at] = byte;
        payload[0] = if at == 0 { wanted } else { payload[0] };
        let settings = Settings { checksum: false, relaxed: true };
        restore(&payload, settings, rules(), |restored| {
            if let Restored::Value(value) = restored {
                dump(&self::entry(value).value(), Style::default());
            }
        });
    }
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

#[test]
fn a_file_there_and_back() {
    let mut writer = Writer::new(Vec::new(), Style::default(), true, false);
    writer.aux("redis-ver", b"7.2.4");
    writer.function(b"#!lua name=lib");
    writer.database(3, 2, 1);
    writer.key(&Entry::new(b"a", NewValue::Bytes(b"one"), Some(1234), 0), None);
    writer.key(&Entry::new(b"b", NewValue::Int(2), None, 0), Some(Usage::Idle(60)));
    let bytes = writer.finish();
    assert!(bytes.starts_with(b"REDIS0011"));
    let reader = Reader::new(Slice::new(&bytes), Settings::default(), rules()).unwrap();
    let mut reader = reader.with_access(1000, false);
    let mut found = Vec::new();
    while let Some(item) = reader.next_item().unwrap() {
        found.push(match item {
            Item::Aux(name, value) => {
                format!("aux {} {}", name.escape_ascii(), value.escape_ascii())
            }
            Item::Select(db) => format!("select {db}"),
            Item::Sizes(keys, expires) => format!("sizes {keys} {expires}"),
            Item::Function(code) => format!("function {}", code.escape_ascii()),
            Item::Key(Key::Live(entry)) => format!(
                "{} {:?} {} {}",
                entry.key_bytes().escape_ascii(),
                entry.deadline_ms(),
                entry.access(),
                shown(&entry.value())
            ),
            Item::Key(Key::Empty(_) | Key::Faded(_)) => "empty".to_owned(),
        });
    }
    let expected = [
        "aux redis-ver 7.2.4",
        "function #!lua name=lib",
        "select 3",
        "sizes 2 1",
        "a Some(1234) 1000 Inline([111, 110, 101])",
        "b None 940 Int(2)",
    ];
    assert_eq!(found, expected);
    let mut damaged = bytes.clone();
    *damaged.iter_mut().rev().nth(20).unwrap() ^= 1;
    let mut reader = Reader::new(Slice::new(&damaged), Settings::default(), rules()).unwrap();
    assert!((0..20).any(|_| reader.next_item().is_err()));
}

#[test]
fn fields_that_expire_need_another_version() {
    let rules = value::hash::Rules { limits: &LIMITS, hasher: hasher() };
    let mut hash = Hash::new();
    hash.set(b"f", b"v", value::hash::Time::At(5), rules);
    let entry = entry(NewValue::Object(Value::Hash(hash)));
    let version = |version| {
        let payload = dump(&entry.value(), Style { version, compress: true });
        (payload[0], u16::from_le_bytes([payload[payload.len() - 10], payload[payload.len() - 9]]))
    };
    assert_eq!(version(0), (kind::HASH_2, 80));
    assert_eq!(version(10), (kind::HASH_2, 80));
    assert_eq!(version(12), (kind::HASH_EXPIRES, 12));
    assert!(
        Writer::new(Vec::new(), Style::default(), true, true).finish().starts_with(b"VALKEY080")
    );
}

#[test]
fn modules_are_refused_by_name() {
    // The number of the type "ReJSON-RL" in version 3.
    let id = b"ReJSON-RL".iter().fold(0u64, |id, letter| {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        id << 6 | letters.iter().position(|known| known == letter).unwrap() as u64
    }) << 10
        | 3;
    let mut bytes = b"REDIS0011\x07\x01k\x81".to_vec();
    bytes.extend_from_slice(&id.to_be_bytes());
    let mut reader = Reader::new(Slice::new(&bytes), Settings::default(), rules()).unwrap();
    match reader.next_item() {
        Err(Error::Module { name }) => assert_eq!(name, "ReJSON-RL"),
        other => panic!("{:?}", other.err()),
    }
}

#[test]
fn other_files_are_refused() {
    let open = |bytes: &[u8]| Reader::new(Slice::new(bytes), Settings::default(), rules()).err();
    assert!(matches!(open(b"REDIS0099x"), Some(Error::Version(99))));
    assert!(matches!(open(b"VALKEY011x"), Some(Error::Version(11))));
    assert!(matches!(open(b"MZ\x90\0\x03\0\0\0\x04\0"), Some(Error::Magic(_))));
    assert!(matches!(open(b"REDIS"), Some(Error::Short { at: 0 })));
}

/// A ziplist of strings and numbers, as servers before Redis 7 wrote it.
fn ziplist(elements: &[&str]) -> Vec<u8> {
    let (mut entries, mut before, mut last) = (Vec::new(), 0usize, 10);
    for element in elements {
        let mut entry = match u8::try_from(before) {
            Ok(short) if short < 254 => vec![short],
            _ => [&[254][..], &(before as u32).to_le_bytes()].concat(),
        };
        match element.parse::<i64>() {
            Ok(number @ 0..=12) => entry.push(0xf1 + number as u8),
            Ok(number @ -128..=127) => entry.extend([0xfe, number as u8]),
            Ok(number @ -0x8000..=0x7fff) => {
                entry.push(0xc0);
                entry.extend((number as i16).to_le_bytes());
            }
            Ok(number @ -0x80_0000..=0x7f_ffff) => {
                entry.push(0xf0);
                entry.extend(&(number as i32).to_le_bytes()[..3]);
            }
            Ok(number @ -0x8000_0000..=0x7fff_ffff) => {
                entry.push(0xd0);
                entry.extend((number as i32).to_le_bytes());
            }
            Ok(number) => {
                entry.push(0xe0);
                entry.extend(number.to_le_bytes());
            }
            Err(_) => {
                let len = element.len();
                match len {
                    0..64 => entry.push(len as u8),
                    64..0x4000 => entry.extend([0x40 | (len >> 8) as u8, len as u8]),
                    _ => entry.extend([&[0x80][..], &(len as u32).to_be_bytes()].concat()),
                }
                entry.extend(element.as_bytes());
            }
        }
        last = 10 + entries.len();
        before = entry.len();
        entries.extend(entry);
    }
    let total = 10 + entries.len() as u32 + 1;
    let mut bytes = [total.to_le_bytes(), (last as u32).to_le_bytes()].concat();
    bytes.extend((elements.len() as u16).to_le_bytes());
    bytes.extend(entries);
    bytes.push(0xff);
    bytes
}

/// Bytes as a string of a file, not compressed.
fn as_string(bytes: &[u8]) -> Vec<u8> {
    let len = [&[0x80][..], &(bytes.len() as u32).to_be_bytes()].concat();
    [&len[..], bytes].concat()
}

/// What a value of a type reads as; an error when it is refused.
fn read(kind: u8, bytes: &[u8]) -> Result<String, String> {
    let mut payload = [&[kind][..], bytes].concat();
    payload.extend(6u16.to_le_bytes());
    let sum = crc64(&payload);
    payload.extend(sum.to_le_bytes());
    restore(&payload, Settings::default(), rules(), |restored| match restored {
        Restored::Value(value) => Ok(shown(&entry(value).value())),
        Restored::Bad(error) => Err(error.to_string()),
        Restored::Unchecked => Err("unchecked".to_owned()),
        Restored::Foreign(_) => Err("foreign".to_owned()),
    })
}

#[test]
fn forms_of_before_redis_7_are_read() {
    let long = "x".repeat(300);
    let numbers = ["0", "12", "13", "-1", "-129", "40000", "-8388609", "99999999999", "a", &long];
    let list = ziplist(&numbers);
    let expected = format!("quicklist {numbers:?}");
    assert_eq!(read(kind::LIST_ZIPLIST, &as_string(&list)).unwrap(), expected);
    let nodes = [&[2][..], &as_string(&ziplist(&["a", "1"])), &as_string(&ziplist(&["b"]))];
    let nodes = read(kind::LIST_QUICKLIST, &nodes.concat()).unwrap();
    assert_eq!(nodes, r#"quicklist ["a", "1", "b"]"#);
    let hash = as_string(&ziplist(&["name", "1", "other", "two"]));
    let fields = r#"listpack ["name=1@None", "other=two@None"]"#;
    assert_eq!(read(kind::HASH_ZIPLIST, &hash).unwrap(), fields);
    let zset = as_string(&ziplist(&["a", "-1.5", "b", "3"]));
    assert_eq!(read(kind::ZSET_ZIPLIST, &zset).unwrap(), r#"listpack ["a=-1.5", "b=3"]"#);
    let zipmap = as_string(b"\x02\x04name\x01\x001\x05other\x03\x02two##\xff");
    assert_eq!(read(kind::HASH_ZIPMAP, &zipmap).unwrap(), fields);
    let zset = b"\x02\x01a\x03-15\x01b\xfe";
    assert_eq!(read(kind::ZSET, zset).unwrap(), r#"listpack ["a=-15", "b=inf"]"#);
}

#[test]
fn damaged_forms_of_before_redis_7_are_refused() {
    let whole = ziplist(&["a", "300", "c", "4"]);
    for at in 0..whole.len() {
        for change in [0x01, 0x40, 0x80, 0xff] {
            let mut damaged = whole.clone();
            damaged[at] ^= change;
            // Whatever comes of it, it is no other number of fields.
            if let Ok(fields) = read(kind::HASH_ZIPLIST, &as_string(&damaged)) {
                assert_eq!(fields.matches('@').count(), 2, "{}", damaged.escape_ascii());
            }
        }
        assert!(read(kind::HASH_ZIPLIST, &as_string(&whole[..at])).is_err());
    }
    let odd = read(kind::HASH_ZIPLIST, &as_string(&ziplist(&["a", "b", "c"]))).unwrap_err();
    assert!(odd.starts_with("Hash ziplist integrity check failed"), "{odd}");
    let twice = as_string(&ziplist(&["a", "b", "a", "c"]));
    assert!(read(kind::HASH_ZIPLIST, &twice).is_err());
    let nan = as_string(&ziplist(&["a", "nan"]));
    assert!(read(kind::ZSET_ZIPLIST, &nan).is_err());
    assert!(read(kind::HASH_ZIPMAP, &as_string(b"\x01\x04name\x09\x001\xff")).is_err());
}

#[test]
fn both_dialects_of_type_22_are_read() {
    let fields = r#"hashtable ["a=1@Some(9)", "b=2@None"]"#;
    let with = |version: u16, bytes: &[u8]| {
        let mut payload = [&[22][..], bytes, &version.to_le_bytes()].concat();
        let sum = crc64(&payload);
        payload.extend(sum.to_le_bytes());
        restore(&payload, Settings::default(), rules(), |restored| match restored {
            Restored::Value(value) => shown(&entry(value).value()),
            _ => "refused".to_owned(),
        })
    };
    let (never, nine) = ((-1i64).to_le_bytes(), 9i64.to_le_bytes());
    let valkey = [&b"\x02\x01a\x011"[..], &nine, b"\x01b\x012", &never].concat();
    assert_eq!(with(80, &valkey), fields);
    assert_eq!(with(12, b"\x02\x09\x01a\x011\x00\x01b\x012"), fields);
    assert_eq!(with(12, &valkey), "refused");
}
