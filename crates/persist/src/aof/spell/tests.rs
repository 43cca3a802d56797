//! Commands that make keys.

use keyspace::{Entry, NewValue, Value};
use value::list::Builder;
use value::{Limits, Set};

use super::Spelling;
use crate::snapshot::Spell;
use crate::snapshot::tests::sheet;

/// What is spelled of keys, each piece by itself.
fn pieces(keys: &[(u32, Entry)]) -> Vec<String> {
    let (sheet, handed) = sheet();
    let mut spelling = Spelling::new(sheet);
    keys.iter().for_each(|(db, entry)| spelling.key(*db, entry));
    spelling.flush();
    let text = |(piece, _): &(Vec<u8>, bool)| String::from_utf8_lossy(piece).replace("\r\n", " ");
    handed.lock().expect("one thread").iter().map(text).collect()
}

#[test]
fn a_database_is_selected_when_it_changes() {
    let entry = |key: &[u8]| Entry::new(key, NewValue::Bytes(b"v"), Some(17), 0);
    let keys = [(0, entry(b"a")), (0, entry(b"b")), (3, entry(b"c"))];
    let set = |key: &str| format!("*3 $3 SET $1 {key} $1 v *3 $9 PEXPIREAT $1 {key} $2 17 ");
    let (zero, three) = ("*2 $6 SELECT $1 0 ", "*2 $6 SELECT $1 3 ");
    let expected = [zero, &set("a"), &set("b"), three, &set("c")].concat();
    assert_eq!(pieces(&keys), [expected]);
}

#[test]
fn every_piece_that_begins_with_a_key_selects_its_database() {
    let value = vec![b'x'; 40 << 10];
    let entry = |key: &[u8]| Entry::new(key, NewValue::Bytes(&value), None, 0);
    let keys = [(2, entry(b"a")), (2, entry(b"b")), (2, entry(b"c"))];
    let pieces = pieces(&keys);
    assert_eq!(pieces.len(), 2);
    assert!(pieces.iter().all(|piece| piece.starts_with("*2 $6 SELECT $1 2 *3 $3 SET ")));
}

#[test]
fn many_elements_take_several_commands() {
    let limits = Limits::default();
    let mut list = Builder::new(&limits);
    (0..130).for_each(|number| list.push(number.to_string().as_bytes()));
    let value = NewValue::Object(Value::List(list.finish(&limits)));
    let text = pieces(&[(0, Entry::new(b"l", value, None, 0))]).concat();
    assert_eq!(text.matches("*66 $5 RPUSH $1 l ").count(), 2);
    assert_eq!(text.matches("*4 $5 RPUSH $1 l $3 128 $3 129 ").count(), 1);

    let mut set = Set::new();
    set.add(b"one", &crate::samples::rules().of_set());
    let entry = Entry::new(b"s", NewValue::Object(Value::Set(set)), None, 0);
    assert!(pieces(&[(0, entry)])[0].ends_with("*3 $4 SADD $1 s $3 one "));
}
