//! Values and files there and back, and numbers that never change.

use std::collections::BTreeSet;
use std::sync::Arc;

use keyspace::{Entry, NewValue, Value, ValueRef};
use proptest::prelude::*;
use value::Hash;

use super::code::{kind, opcode};
use super::*;
use crate::samples::*;
use crate::snapshot::tests::{bytes, sheet};
use crate::snapshot::{Place, Spell};

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
    let kinds = [
        kind::ARRAY,
        kind::HASH_TEMPLATE_LISTPACK,
        kind::HASH_TEMPLATE_LISTPACK_REF,
        kind::HASH_TEMPLATE_ARRAY,
        kind::HASH_TEMPLATE_ARRAY_REF,
        kind::GCRA,
    ];
    assert_eq!(kinds.to_vec(), (28..=33).collect::<Vec<u8>>());
    let marks = [
        opcode::HASH_TEMPLATE,
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
    assert_eq!(marks.to_vec(), (242..=255).collect::<Vec<u8>>());
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
    fn lists_come_back(list in lists()) {
        there_and_back(NewValue::Object(list));
    }

    #[test]
    fn sets_come_back(set in sets()) {
        let entry = entry(NewValue::Object(set));
        let payload = dump(&entry.value(), Style::default());
        restore(&payload, Settings::default(), rules(), |restored| {
            let Restored::Value(value) = restored else { panic!("{}", payload.escape_ascii()) };
            assert_eq!(shown(&self::entry(value).value()), shown(&entry.value()));
        });
    }

    #[test]
    fn sorted_sets_come_back(zset in sorted_sets()) {
        there_and_back(NewValue::Object(zset));
    }

    #[test]
    fn hashes_come_back(hash in hashes()) {
        there_and_back(NewValue::Object(hash));
    }

    #[test]
    fn streams_come_back(stream in streams()) {
        there_and_back(NewValue::Object(stream));
    }

    #[test]
    fn arrays_come_back(array in arrays()) {
        there_and_back(NewValue::Object(array));
    }

    /// Cut into runs of keys, a file holds what it holds in one go, and is refused when that is.
    #[test]
    fn runs_hold_what_the_file_holds(
        values in proptest::collection::vec(
            prop_oneof![lists(), sets(), sorted_sets(), hashes(), streams(), arrays()],
            1..6,
        ),
        style in prop_oneof![Just(0u16), Just(10), Just(12), Just(80)],
        damage in proptest::option::of((any::<proptest::sample::Index>(), any::<u8>())),
    ) {
        let style = Style { version: style, compress: true };
        let mut writer = Writer::new(Vec::new(), style, false, true);
        for (number, value) in values.into_iter().enumerate() {
            writer.database(number as u32 / 3, 1, 0);
            let deadline_ms = (number == 1).then_some(5);
            let entry = Entry::new(b"key", NewValue::Object(value), deadline_ms, 0);
            writer.key(&entry, (number == 2).then_some(Usage::Frequency(3)));
            writer.key(&Entry::new(b"text", NewValue::Bytes(b"text"), None, 0), None);
        }
        let mut file = writer.finish();
        if let Some((at, byte)) = damage {
            let at = at.index(file.len() - 9) + 9;
            if at < file.len() {
                file[at] = byte;
            }
        }
        let (whole, in_runs) = (in_one_go(&file), in_runs(&file));
        match (&whole, &in_runs) {
            (Ok(whole), Ok(in_runs)) => prop_assert_eq!(whole, in_runs),
            (Err(_), Err(_)) => {}
            _ => prop_assert!(false, "{:?} against {:?}", whole, in_runs),
        }
    }

    /// Whatever a byte is changed to, reading ends with a value or a refusal.
    #[test]
    fn damaged_payloads_do_no_harm(
        list in lists(),
        at: proptest::sample::Index,
        byte: u8,
        wanted in 0u8..30,
    ) {
        let entry = entry(NewValue::Object(list));
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

fn shown_key(key: &Key) -> String {
    match key {
        Key::Live(entry) => {
            format!("{:?} {} {}", entry.deadline_ms(), entry.access(), shown(&entry.value()))
        }
        Key::Empty(_) | Key::Faded(_) => "nothing".to_owned(),
    }
}

fn open(file: &[u8]) -> Reader<'static, Slice<'_>> {
    let settings = Settings { relaxed: true, checksum: false };
    let reader = Reader::new(Slice::new(file), settings, rules()).expect("the head is in order");
    reader.with_access(1000, true)
}

fn in_one_go(file: &[u8]) -> Result<Vec<String>, String> {
    let (mut reader, mut found) = (open(file), Vec::new());
    while let Some(item) = reader.next_item().map_err(|error| error.to_string())? {
        if let Item::Key(key) = item {
            found.push(shown_key(&key));
        }
    }
    Ok(found)
}

fn in_runs(file: &[u8]) -> Result<Vec<String>, String> {
    let (mut reader, mut found) = (open(file), Vec::new());
    while let Some(piece) = reader.next_piece().map_err(|error| error.to_string())? {
        match piece {
            Piece::Run(run) => {
                let read = run.each_key(rules(), (1000, true), |key| found.push(shown_key(&key)));
                read.map_err(|error| error.to_string())?;
            }
            Piece::Item(Item::Key(key)) => found.push(shown_key(&key)),
            Piece::Item(_) => {}
        }
    }
    Ok(found)
}

#[test]
fn files_of_real_servers_are_runs() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/rdb");
    for name in ["redis-7.0.15.rdb", "valkey-8.1.1.rdb", "valkey-9.1.2.rdb"] {
        let file = std::fs::read(folder.join(name)).unwrap();
        let mut reader = open(&file);
        let mut runs = 0;
        while let Some(piece) = reader.next_piece().unwrap() {
            match piece {
                Piece::Run(_) => runs += 1,
                Piece::Item(item) => assert!(!matches!(item, Item::Key(_)), "{name}"),
            }
        }
        assert_eq!(runs, 2, "{name}: one a database");
        assert_eq!(in_runs(&file), in_one_go(&file));
        for cut in (10..file.len()).step_by(97) {
            assert_eq!(in_runs(&file[..cut]).is_err(), in_one_go(&file[..cut]).is_err());
        }
    }
}

#[test]
fn long_keys_are_read_from_the_file() {
    let mut writer = Writer::new(Vec::new(), Style { version: 0, compress: false }, true, false);
    writer.key(&Entry::new(b"a", NewValue::Bytes(b"short"), None, 0), None);
    let long = vec![b'x'; 10 << 20];
    writer.key(&Entry::new(b"b", NewValue::Bytes(&long), None, 0), None);
    writer.key(&Entry::new(b"c", NewValue::Bytes(b"short"), None, 0), None);
    let file = writer.finish();
    let place = std::env::temp_dir().join(format!("reddle-runs-{}", std::process::id()));
    std::fs::write(&place, &file).unwrap();
    let input = crate::disk::Input::open(&place, true).unwrap().unwrap();
    let mut reader = Reader::new(input, Settings::default(), rules()).unwrap();
    let mut found = Vec::new();
    while let Some(piece) = reader.next_piece().unwrap() {
        found.push(match piece {
            Piece::Run(run) => format!("run of {}", run.size()),
            Piece::Item(Item::Key(Key::Live(entry))) => {
                format!("{}", entry.key_bytes().escape_ascii())
            }
            Piece::Item(_) => "mark".to_owned(),
        });
    }
    std::fs::remove_file(place).unwrap();
    assert_eq!(found, ["run of 9", "b", "run of 9"]);
}

#[test]
fn a_file_there_and_back() {
    let mut writer = Writer::new(Vec::new(), Style::default(), true, false);
    writer.aux(b"redis-ver", b"7.2.4");
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
fn pieces_of_several_writers_make_one_file() {
    let sheets = [sheet(), sheet()];
    let handed = sheets.each_ref().map(|(_, handed)| Arc::clone(handed));
    let mut writers = sheets.map(|(sheet, _)| {
        Pieces::new(Style { compress: false, ..Style::default() }, false, Usages::None, sheet)
    });
    let mut expected = BTreeSet::new();
    for number in 0..3000u32 {
        let (db, len) = (number % 3, if number % 500 == 7 { 700_000 } else { number as usize });
        let (key, value) = (format!("key:{number}"), vec![b'a' + (number % 20) as u8; len]);
        let entry = Entry::new(key.as_bytes(), NewValue::Bytes(&value), None, 0);
        writers[number as usize % 2].key(db, &entry);
        expected.insert((u64::from(db), key.into_bytes(), len));
    }
    writers.iter_mut().for_each(Spell::flush);
    let mut file = Writer::new(Vec::new(), Style::default(), true, false);
    let mut left = handed.each_ref().map(|handed| handed.lock().unwrap().clone().into_iter());
    // Of each in turn what belongs together.
    while left.iter().any(|pieces| pieces.len() > 0) {
        for pieces in &mut left {
            for (piece, is_whole) in pieces.by_ref() {
                file.piece(&piece);
                if is_whole {
                    break;
                }
            }
        }
    }
    let bytes = file.finish();
    let mut reader = Reader::new(Slice::new(&bytes), Settings::default(), rules()).unwrap();
    let (mut db, mut seen) = (0, BTreeSet::new());
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            Item::Select(number) => db = number,
            Item::Key(Key::Live(entry)) => {
                let (ValueRef::Inline(bytes) | ValueRef::Shared(bytes)) = entry.value() else {
                    panic!("not a string")
                };
                assert!(seen.insert((db, entry.key_bytes().to_vec(), bytes.len())));
            }
            _ => panic!("something else"),
        }
    }
    assert_eq!(seen, expected);
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

/// A long string whose bits were put together is the string, shorter in the file if it can be.
#[test]
fn long_strings_are_spelled_bit_by_bit() {
    let mut state = 1u64;
    let mut noise = |len: usize| -> Vec<u8> {
        let mut next = || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            (state >> 56) as u8
        };
        (0..len).map(|_| next()).collect()
    };
    let dull =
        |len: usize| -> Vec<u8> { b"a line of text\n".iter().copied().cycle().take(len).collect() };
    let cases = [
        (dull(65_537), true),
        (dull(1_000_000), true),
        (noise(70_000), false),
        (noise(1_000_000), false),
        ([noise(100_000), dull(900_000)].concat(), true),
        ([dull(900_000), noise(100_000)].concat(), true),
        ([noise(300_000), dull(300_000)].concat(), false),
    ];
    for (text, is_shorter) in cases {
        for compress in [true, false] {
            let (sheet, handed) = sheet();
            let style = Style { compress, ..Style::default() };
            let mut pieces = Pieces::new(style, false, Usages::None, sheet);
            let entry = Entry::new(b"key", NewValue::Bytes(&text), None, 0);
            assert!(crate::snapshot::is_large(&entry));
            let mut place = Place::of(&entry);
            let bits = 1 + std::iter::repeat_with(|| pieces.bit(3, &entry, &mut place))
                .take_while(|last| !last)
                .count();
            pieces.flush();
            assert!(bits >= text.len() / (64 << 10), "{bits} bits of {}", text.len());
            let spelled = bytes(&handed.lock().unwrap());
            assert_eq!(spelled.len() < text.len(), is_shorter && compress, "{}", text.len());
            let mut file = Writer::new(Vec::new(), style, true, false);
            file.piece(&spelled);
            let bytes = file.finish();
            let mut reader = Reader::new(Slice::new(&bytes), Settings::default(), rules()).unwrap();
            assert!(matches!(reader.next_item().unwrap(), Some(Item::Select(3))));
            let Some(Item::Key(Key::Live(read))) = reader.next_item().unwrap() else { panic!() };
            let (ValueRef::Inline(bytes) | ValueRef::Shared(bytes)) = read.value() else {
                panic!()
            };
            assert!(bytes == text);
            assert!(reader.next_item().unwrap().is_none());
        }
    }
}

/// Who waits does not wait for a long string to be compressed, whether it was begun or not.
#[test]
fn long_strings_are_plain_in_haste() {
    for is_begun in [false, true] {
        let (sheet, handed) = sheet();
        let mut pieces = Pieces::new(Style::default(), false, Usages::None, sheet);
        let text = vec![b'a'; 1_000_000];
        let entry = Entry::new(b"key", NewValue::Bytes(&text), None, 0);
        let mut place = Place::of(&entry);
        assert!(!is_begun || !pieces.bit(0, &entry, &mut place));
        pieces.hurry(true);
        if is_begun {
            while !pieces.bit(0, &entry, &mut place) {}
        } else {
            pieces.key(0, &entry);
        }
        pieces.hurry(false);
        pieces.key(0, &entry);
        pieces.flush();
        let len = bytes(&handed.lock().unwrap()).len();
        assert!((1_000_000..1_020_000).contains(&len), "one is plain, the other is not: {len}");
    }
}
