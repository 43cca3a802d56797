//! Files and payloads with templates of hashes, byte by byte as Redis 8.10 lays them out, and with
//! what modules say of keys.

use crate::rdb::{Item, Key, Reader, Restored, Settings, Slice, restore};
use crate::samples::{entry, rules, shown};

const NAMES: &[u8] = b"\x17\x17\x00\x00\x00\x02\x00\x86field1\x07\x86field2\x07\xff";
const VALUES: &[u8] = b"\x0d\x0d\x00\x00\x00\x03\x00\x00\x01\x01\x01\x02\x01\xff";

/// What a payload of version 15 without a checksum holds, or why it is refused.
fn restored(body: &[&[u8]]) -> Result<String, String> {
    let payload = [&body.concat(), &b"\x0f\x00\0\0\0\0\0\0\0\0"[..]].concat();
    restore(&payload, Settings::default(), rules(), |restored| match restored {
        Restored::Value(value) => Ok(shown(&entry(value).value())),
        Restored::Bad(error) => Err(error.to_string()),
        Restored::Foreign(kind) => Err(format!("foreign {kind}")),
        Restored::Unchecked => Err("unchecked".to_owned()),
    })
}

/// What a file holds behind its head.
fn read(body: &[&[u8]]) -> Result<Vec<String>, String> {
    let file = [b"REDIS0015", &body.concat()[..], b"\xff\0\0\0\0\0\0\0\0"].concat();
    let told = |error: crate::rdb::Error| error.to_string();
    let reader = Reader::new(Slice::new(&file), Settings::default(), rules());
    let (mut reader, mut found) = (reader.map_err(told)?, Vec::new());
    while let Some(item) = reader.next_item().map_err(told)? {
        if let Item::Key(Key::Live(entry)) = item {
            let key = entry.key_bytes().escape_ascii();
            found.push(format!("{key} {}", shown(&entry.value())));
        }
    }
    Ok(found)
}

#[test]
fn a_payload_has_the_names_in_front() {
    let expected = restored(&[b"\x04\x02\x06field1\xc0\x01\x06field2\xc0\x02"]).unwrap();
    assert!(expected.contains("field1"), "{expected}");
    assert_eq!(restored(&[b"\x1d\x00", NAMES, VALUES]), Ok(expected.clone()));
    let array = b"\x1f\x01\x02\x06field1\x06field2\xc0\x01\xc0\x02";
    assert_eq!(restored(&[array]), Ok(expected.clone()));
    assert_eq!(restored(&[b"\x1d\x01\x02\x06field1\x06field2", VALUES]), Ok(expected));
}

#[test]
fn a_file_has_the_names_once() {
    let template: &[u8] = b"\xf2\x05\x02\x01a\x02bb";
    let pack = b"\x1e\x01k\x0d\x0d\x00\x00\x00\x03\x00\x05\x01\x01\x01\x02\x01\xff";
    let array = b"\x20\x01l\x05\xc0\x01\xc0\x02";
    let plain = read(&[b"\x04\x01k\x02\x01a\xc0\x01\x02bb\xc0\x02"]).unwrap();
    let found = read(&[template, b"\xfe\x00", pack, array]).unwrap();
    assert_eq!(found.len(), 2);
    assert_eq!(found[0], plain[0]);
    assert_eq!(found[1].strip_prefix('l'), plain[0].strip_prefix('k'));
    let refusal = |body: &[&[u8]]| read(body).unwrap_err();
    assert!(refusal(&[pack]).contains("template that is not in the file"));
    assert!(refusal(&[template, template]).contains("template of hashes twice"));
    assert!(refusal(&[b"\xf2\x05\x02\x02bb\x01a"]).contains("not in order"));
    assert!(refusal(&[b"\xf2\x05\x02\x01a\x01a"]).contains("not in order"));
    assert!(refusal(&[b"\xf2\x05\x00"]).contains("without a field"));
}

#[test]
fn damaged_payloads_are_refused() {
    let refusal = |body: &[&[u8]]| restored(body).unwrap_err();
    let few = b"\x0b\x0b\x00\x00\x00\x02\x00\x00\x01\x01\x01\xff";
    assert!(refusal(&[b"\x1d\x00", NAMES, few]).contains("more or fewer values"));
    let empty = b"\x07\x07\x00\x00\x00\x00\x00\xff";
    assert!(refusal(&[b"\x1d\x00", NAMES, empty]).contains("number of its template"));
    let letter = b"\x0e\x0e\x00\x00\x00\x03\x00\x81x\x02\x01\x01\x02\x01\xff";
    assert!(refusal(&[b"\x1d\x00", NAMES, letter]).contains("number of its template"));
    assert!(refusal(&[b"\x1d\x00", empty, VALUES]).contains("without a field"));
    assert!(refusal(&[b"\x1f\x01\x00"]).contains("without a field"));
    assert!(refusal(&[b"\x1f\x02\x01"]).contains("unknown form"));
    assert!(refusal(&[b"\x1e", VALUES]).contains("only a file"));
    assert!(refusal(&[b"\x20\x05\xc0\x01\xc0\x02"]).contains("only a file"));
    assert_eq!(refusal(&[b"\x21\x01"]), "foreign 33");
}

/// The class `KMT1` of version 1, whose flags are the last bits of its number.
#[test]
fn what_modules_say_is_passed_over_or_refused() {
    let letters = [10u32, 12, 19, 53];
    let class = letters.iter().fold(0, |number, letter| number << 6 | letter) << 8 | 1 << 3;
    let said = |flags: u32| {
        let class = (class | flags).to_le_bytes();
        [&b"\xf3\x01"[..], &class, b"\x02\x07\x05\x02hi\x03abcd\x04abcdefgh\x01\x05\x00"].concat()
    };
    let key = b"\x00\x01k\x01v";
    assert_eq!(read(&[&said(1), key]), read(&[key]));
    assert!(read(&[&said(0), key]).unwrap_err().contains("'KMT1'"));
    assert_eq!(restored(&[&said(1), b"\x00\x01v"]), restored(&[b"\x00\x01v"]));
    assert!(restored(&[&said(0), b"\x00\x01v"]).unwrap_err().contains("'KMT1'"));
}
