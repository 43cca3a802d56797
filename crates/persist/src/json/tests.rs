//! Values and files there and back, the text of a file, and what is refused where.

use keyspace::{Entry, NewValue, Value};
use proptest::prelude::*;

use super::*;
use crate::rdb::{Item, Key, Rules, Usage};
use crate::samples::*;

fn of_time(since_ms: i64) -> Rules<'static> {
    Rules { since_ms, ..rules() }
}

/// What a file holds, item by item.
fn items(file: &[u8]) -> Result<Vec<String>, Error> {
    let mut reader = Reader::new(file, of_time(0))?.with_access(1000, false);
    let mut found = Vec::new();
    while let Some(item) = reader.next_item()? {
        found.push(match item {
            Item::Aux(name, value) => {
                format!("note {} {}", name.escape_ascii(), value.escape_ascii())
            }
            Item::Select(db) => format!("select {db}"),
            Item::Sizes(..) => "sizes".to_owned(),
            Item::Function(code) => format!("function {}", code.escape_ascii()),
            Item::Key(Key::Live(entry)) => format!(
                "{} {:?} {} {}",
                entry.key_bytes().escape_ascii(),
                entry.deadline_ms(),
                entry.access(),
                shown(&entry.value())
            ),
            Item::Key(Key::Empty(key) | Key::Faded(key)) => {
                format!("{} faded", key.escape_ascii())
            }
        });
    }
    assert_eq!(reader.position(), file.len() as u64);
    Ok(found)
}

/// A file with the given records between the head and the end.
fn with(records: &str) -> String {
    format!("[\n{{\"format\":\"reddle\",\"version\":1}},\n{records}{{\"end\":true}}\n]\n")
}

/// The text of a key's record.
fn record(entry: &Entry) -> String {
    let mut out = Vec::new();
    key(&mut out, 0, entry, None);
    String::from_utf8(out).expect("JSON is UTF-8")
}

/// A value written and read is the same, and the text is one line of JSON.
fn there_and_back(value: Value) {
    let entry = entry(NewValue::Object(value));
    let text = record(&entry);
    let json = text.strip_suffix(",\n").expect("a record ends its line");
    assert!(!json.contains('\n'));
    serde_json::from_str::<serde_json::Value>(json).expect("a record is JSON");
    let file = with(&text);
    let mut reader = Reader::new(file.as_bytes(), rules()).unwrap();
    assert!(matches!(reader.next_item(), Ok(Some(Item::Select(0)))));
    let back = match reader.next_item() {
        Ok(Some(Item::Key(Key::Live(back)))) => back,
        other => panic!("{:?}\n{file}", other.err()),
    };
    // How a value is kept may depend on how it came about.
    let elements = |entry: &Entry| {
        let shown = shown(&entry.value());
        shown.split_once(' ').map(|(_, elements)| elements.to_owned())
    };
    assert_eq!(elements(&back), elements(&entry), "{file}");
    assert_eq!(record(&back).len(), text.len());
    assert!(matches!(reader.next_item(), Ok(None)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn strings_come_back(text in text(), key in text(), deadline_ms: Option<i64>) {
        let value = match value::number::parse_i64(&text) {
            Some(number) => NewValue::Int(number),
            None => NewValue::Bytes(&text),
        };
        let entry = Entry::new(&key, value, deadline_ms, 1000);
        let expected = [
            "select 0".to_owned(),
            format!("{} {deadline_ms:?} 1000 {}", key.escape_ascii(), shown(&entry.value())),
        ];
        prop_assert_eq!(items(with(&record(&entry)).as_bytes()).unwrap(), expected);
    }

    #[test]
    fn characters_come_back(text: String) {
        let mut out = Vec::new();
        text::string(&mut out, text.as_bytes());
        let json = std::str::from_utf8(&out).unwrap();
        prop_assert_eq!(&serde_json::from_str::<String>(json).unwrap(), &text);
        let mut lexer = lex::Lexer::new(&out[..]);
        lexer.bytes("a string").unwrap();
        prop_assert_eq!(lexer.text(), text.as_bytes());
    }

    #[test]
    fn doubles_come_back(bits: u64) {
        let number = f64::from_bits(bits);
        prop_assume!(!number.is_nan());
        let mut out = Vec::new();
        text::double(&mut out, number);
        let back = lex::Lexer::new(&out[..]).double("a score").unwrap();
        prop_assert_eq!(back.to_bits(), bits);
        if number.is_finite() {
            prop_assert_eq!(serde_json::from_slice::<f64>(&out).unwrap().to_bits(), bits);
        }
    }

    #[test]
    fn collections_come_back(
        value in prop_oneof![lists(), sets(), sorted_sets(), hashes(), streams(), arrays()],
    ) {
        there_and_back(value);
    }

    /// Whatever is changed, reading ends with values or a refusal that has a place in the file.
    #[test]
    fn damaged_files_do_no_harm(
        value in prop_oneof![lists(), sorted_sets(), hashes(), streams(), arrays()],
        at: proptest::sample::Index,
        byte in prop_oneof![any::<u8>(), Just(b'"'), Just(b','), Just(b'['), Just(b'}')],
        is_cut: bool,
    ) {
        let mut file = with(&record(&entry(NewValue::Object(value)))).into_bytes();
        let at = at.index(file.len());
        if is_cut {
            file.truncate(at);
        } else {
            file[at] = byte;
        }
        match items(&file) {
            Ok(_) if is_cut => prop_assert!(file.ends_with(b"]")),
            Ok(_) => {}
            Err(Error::Unexpected { at, .. } | Error::Refused { at, .. }) => {
                let lines = file.split(|byte| *byte == b'\n').count();
                prop_assert!((1..=lines as u64).contains(&at.line));
                prop_assert!((1..=file.len() as u64 + 1).contains(&at.column));
            }
            Err(error) => panic!("{error}"),
        }
    }
}

#[test]
fn a_file_there_and_back() {
    let mut writer = Writer::new(Vec::new());
    writer.aux(b"redis-ver", b"7.2.4");
    writer.function(b"#!lua name=lib\n\"\xff");
    writer.key(3, &Entry::new(b"a", NewValue::Bytes(b"one\x01\xc3\xa9"), Some(1234), 0), None);
    writer.key(3, &Entry::new(b"b", NewValue::Int(2), None, 0), Some(Usage::Idle(60)));
    writer.key(0, &Entry::new(b"c\0", NewValue::Bytes(b"\xff"), None, 0), None);
    let file = String::from_utf8(writer.finish()).unwrap();
    let expected = r##"[
{"format":"reddle","version":1},
{"note":"redis-ver","value":"7.2.4"},
{"function":{"base64":"IyFsdWEgbmFtZT1saWIKIv8="}},
{"db":3,"key":"a","type":"string","expires_ms":1234,"value":"one\u0001é"},
{"db":3,"key":"b","type":"string","idle_s":60,"value":"2"},
{"db":0,"key":"c\u0000","type":"string","value":{"base64":"/w=="}},
{"end":true,"keys":3}
]
"##;
    assert_eq!(file, expected);
    let whole: serde_json::Value = serde_json::from_str(&file).unwrap();
    assert_eq!(whole.as_array().map(Vec::len), Some(7));
    let found = items(file.as_bytes()).unwrap();
    let expected = [
        "note redis-ver 7.2.4",
        "function #!lua name=lib\\n\\\"\\xff",
        "select 3",
        "a Some(1234) 1000 Inline([111, 110, 101, 1, 195, 169])",
        "b None 940 Int(2)",
        "select 0",
        "c\\x00 None 1000 Inline([255])",
    ];
    assert_eq!(found, expected);
}

#[test]
fn people_may_write_what_reads_easily() {
    let records = r#"
        {
            "key": "a", "db": 1, "type": "hash",
            "value": [ ["name", "\u00c4\ud83d\ude00\/"], ["over", "x", 50], ["later", "y", "70"] ]
        },
        { "key": "b", "db": 1, "type": "zset", "value": [ ["m", 1e2], ["n", "-inf"] ] },
        { "key": "c", "db": 1, "type": "stream", "value": { "entries": [ ["5-1", "f", "v"] ] } },
        { "key": "d", "db": 1, "type": "hash", "value": [ ["over", "x", 50] ] },
    "#;
    let file = with(records);
    let mut reader = Reader::new(file.as_bytes(), of_time(60)).unwrap();
    let mut found = Vec::new();
    while let Some(item) = reader.next_item().unwrap() {
        match item {
            Item::Key(Key::Live(entry)) => found.push(shown(&entry.value())),
            Item::Key(Key::Faded(key)) => found.push(key.escape_ascii().to_string()),
            _ => {}
        }
    }
    let stream = "stream [\"1 Id { ms: 5, seq: 1 } Id { ms: 5, seq: 1 } Id { ms: 0, seq: 0 } 1\", \
                  \"Id { ms: 5, seq: 1 } [\\\"(Str([102]), Str([118]))\\\"]\"]";
    let name = "\\\\xc3\\\\x84\\\\xf0\\\\x9f\\\\x98\\\\x80/";
    let hash = format!("hashtable [\"later=y@Some(70)\", \"name={name}@None\"]");
    assert_eq!(found, [&hash, "listpack [\"n=-inf\", \"m=100\"]", stream, "d"]);
}

#[test]
fn numbers_are_exact() {
    let mut out = Vec::new();
    for number in [0, -5, (1 << 53) - 1, 1 << 53, i128::from(u64::MAX), i128::from(i64::MIN)] {
        text::integer(&mut out, number);
        out.push(b' ');
    }
    let expected = "0 -5 9007199254740991 \"9007199254740992\" \"18446744073709551615\" \
                    \"-9223372036854775808\" ";
    assert_eq!(std::str::from_utf8(&out).unwrap(), expected);
    let mut lexer = lex::Lexer::new(&out[..]);
    assert_eq!(lexer.unsigned("").unwrap(), 0);
    assert_eq!(lexer.signed("").unwrap(), -5);
    lexer.signed("").unwrap();
    lexer.signed("").unwrap();
    assert_eq!(lexer.unsigned("").unwrap(), u64::MAX);
    assert_eq!(lexer.signed("").unwrap(), i64::MIN);
    for bad in ["01", "+1", "1.0", "1e3", "-1", "18446744073709551616", "\"\"", "\"1 \""] {
        assert!(lex::Lexer::new(bad.as_bytes()).unsigned("").is_err(), "{bad}");
    }
    for bad in ["01", ".5", "1.", "1e", "-", "1e999", "\"1\"", "nan", "--1", "1.5.5", "\"nan\""] {
        assert!(lex::Lexer::new(bad.as_bytes()).double("").is_err(), "{bad}");
    }
}

#[test]
fn refusals_name_line_and_column() {
    let in_record = [
        (r#""type":"list","value":5"#, 41, "expected an array of elements, found '5'"),
        (r#""type":"list","value":[]"#, 41, "a collection without an element"),
        (r#""type":"zset","value":{"#, 41, "expected an array of elements, found '{'"),
        (r#""type":"set","value":["a","b","a"]"#, 49, "a member twice in a set"),
        (r#""type":"set","value":["a" "b"]"#, 45, "expected ',' or ']', found '\"'"),
        (
            r#""type":"string","value":"\ud800x""#,
            50,
            "expected the second half of a character, found 'x'",
        ),
        (r#""type":"string","value":{"base64":"a"}"#, 53, "base64 that is not in order"),
        (r#""type":"tree""#, 26, "an unknown type"),
        (r#""value":"x""#, 27, "a value whose type does not stand in front of it"),
        (r#""kind":"list""#, 19, "a member that is not known here"),
        (r#""db":0"#, 19, "a member twice"),
    ];
    for (rest, column, expected) in in_record {
        let file = with(&format!("{{\"db\":0,\"key\":\"k\",{rest}}},\n"));
        let said = items(file.as_bytes()).unwrap_err().to_string();
        assert_eq!(said, format!("line 3, column {column}: {expected}"), "{file}");
    }
    let whole = with("");
    let in_file = [
        ("", "1, column 1: expected the array of records: '[', found the end of the file"),
        ("[{\"format\":\"x\"}]", "1, column 12: the name of another format"),
        ("[{\"version\":2}]", "1, column 13: a version of the format that is not known"),
        (&whole[..40], "3, column 6: expected the rest of a string, found the end of the file"),
        (&format!("{whole} ]"), "5, column 2: something behind the end"),
        (
            &whole.replace("true", "true,\"keys\":1"),
            "3, column 1: another number of keys than there are records of keys",
        ),
    ];
    for (file, expected) in in_file {
        let said = items(file.as_bytes()).unwrap_err().to_string();
        assert_eq!(said, format!("line {expected}"), "{file}");
    }
}
