//! Decoding tables, what is refused, and the way back from the writer.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::{Proto, Writer};

fn one(text: &str) -> Value {
    let (value, len) = decode(text.as_bytes()).unwrap().unwrap();
    assert_eq!(len, text.len(), "{text:?}");
    value
}

fn bulk(text: &str) -> Value {
    Value::Bulk(text.as_bytes().to_vec())
}

#[test]
fn values() {
    let cases = [
        ("_\r\n", Value::Null),
        ("$-1\r\n", Value::Null),
        ("*-1\r\n", Value::NullArray),
        ("+OK\r\n", Value::Simple(b"OK".to_vec())),
        ("+\r\n", Value::Simple(Vec::new())),
        ("-ERR no\r\n", Value::Error(b"ERR no".to_vec())),
        (":-5\r\n", Value::Int(-5)),
        (":+5\r\n", Value::Int(5)),
        ("$0\r\n\r\n", bulk("")),
        ("$4\r\na\r\nb\r\n", bulk("a\r\nb")),
        ("*0\r\n", Value::Array(Vec::new())),
        (
            "*2\r\n:1\r\n*1\r\n_\r\n",
            Value::Array(vec![Value::Int(1), Value::Array(vec![Value::Null])]),
        ),
        ("#t\r\n", Value::Bool(true)),
        ("#f\r\n", Value::Bool(false)),
        (",1.5\r\n", Value::Double(1.5)),
        (",-inf\r\n", Value::Double(f64::NEG_INFINITY)),
        (
            "(-123456789012345678901234567890\r\n",
            Value::BigNumber(b"-123456789012345678901234567890".to_vec()),
        ),
        ("!5\r\nERR x\r\n", Value::BulkError(b"ERR x".to_vec())),
        ("=6\r\ntxt:hi\r\n", Value::Verbatim { ext: *b"txt", data: b"hi".to_vec() }),
        ("%1\r\n$1\r\nk\r\n:1\r\n", Value::Map(vec![(bulk("k"), Value::Int(1))])),
        ("~1\r\n:1\r\n", Value::Set(vec![Value::Int(1)])),
        (">1\r\n$1\r\nm\r\n", Value::Push(vec![bulk("m")])),
        (
            "|1\r\n+a\r\n:1\r\n+OK\r\n",
            Value::Attribute {
                pairs: vec![(Value::Simple(b"a".to_vec()), Value::Int(1))],
                value: Box::new(Value::Simple(b"OK".to_vec())),
            },
        ),
    ];
    for (text, value) in cases {
        assert_eq!(one(text), value);
        for cut in 0..text.len() {
            assert_eq!(decode(&text.as_bytes()[..cut]), Ok(None), "{text:?} cut at {cut}");
        }
        let longer = format!("{text}+next\r\n");
        assert_eq!(decode(longer.as_bytes()), Ok(Some((value, text.len()))));
    }
    let Value::Double(nan) = one(",nan\r\n") else { panic!("a double") };
    assert!(nan.is_nan());
}

#[test]
fn refused() {
    let cases = [
        ("x\r\n", DecodeError::UnknownType(b'x')),
        ("\r\n", DecodeError::UnknownType(b'\r')),
        ("+OK\rx", DecodeError::LineEnd),
        ("$1\r\nabc", DecodeError::LineEnd),
        ("$-2\r\n", DecodeError::Length),
        ("$x\r\n", DecodeError::Length),
        ("$?\r\n", DecodeError::Length),
        ("$4294967296\r\n", DecodeError::Length),
        ("*-2\r\n", DecodeError::Length),
        ("%-1\r\n", DecodeError::Length),
        (":\r\n", DecodeError::Content),
        (":+-1\r\n", DecodeError::Content),
        (":1.5\r\n", DecodeError::Content),
        ("#x\r\n", DecodeError::Content),
        ("_x\r\n", DecodeError::Content),
        (",\r\n", DecodeError::Content),
        ("(12a\r\n", DecodeError::Content),
        ("(-\r\n", DecodeError::Content),
        ("=2\r\nhi\r\n", DecodeError::Content),
    ];
    for (text, error) in cases {
        assert_eq!(decode(text.as_bytes()), Err(error), "{text:?}");
    }
    let deep = "*1\r\n".repeat(DEPTH_MAX + 1);
    assert_eq!(decode(deep.as_bytes()), Err(DecodeError::Depth));
    let allowed = format!("{}_\r\n", "*1\r\n".repeat(DEPTH_MAX));
    assert!(decode(allowed.as_bytes()).unwrap().is_some());
    let attributes = "|0\r\n".repeat(DEPTH_MAX + 1);
    assert_eq!(decode(attributes.as_bytes()), Err(DecodeError::Depth));
    let line = format!("+{}", "x".repeat(LINE_MAX));
    assert_eq!(decode(line.as_bytes()), Ok(None));
    assert_eq!(decode(format!("{line}x").as_bytes()), Err(DecodeError::LongLine));
}

#[test]
fn announced_lengths_are_not_believed() {
    for text in ["*4294967295\r\n", "%4294967295\r\n:1\r\n", "$4294967295\r\nx"] {
        assert_eq!(decode(text.as_bytes()), Ok(None), "{text:?}");
    }
}

#[test]
fn commands() {
    let mut out = Vec::new();
    encode_command(&mut out, &["SET", "k", "hello world!"]);
    assert_eq!(out, b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$12\r\nhello world!\r\n");
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        proptest::num::f64::NORMAL.prop_map(Value::Double),
        vec(any::<u8>(), 0..20).prop_map(Value::Bulk),
        "[a-z ]{0,9}".prop_map(|text| Value::Simple(text.into_bytes())),
        "ERR [a-z ]{0,9}".prop_map(|text| Value::Error(text.into_bytes())),
        "-?[0-9]{1,30}".prop_map(|text| Value::BigNumber(text.into_bytes())),
        vec(any::<u8>(), 0..20).prop_map(|data| Value::Verbatim { ext: *b"txt", data }),
    ];
    leaf.prop_recursive(4, 64, 6, |inner| {
        let pairs = vec((inner.clone(), inner.clone()), 0..4);
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::Array),
            vec(inner.clone(), 0..6).prop_map(Value::Set),
            vec(inner.clone(), 0..6).prop_map(Value::Push),
            pairs.clone().prop_map(Value::Map),
            (pairs, inner)
                .prop_map(|(pairs, value)| Value::Attribute { pairs, value: Box::new(value) }),
        ]
    })
}

fn write(out: &mut Writer, value: &Value) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let all = |out: &mut Writer, items: &[Value]| items.iter().for_each(|item| write(out, item));
    let both = |out: &mut Writer, pairs: &[(Value, Value)]| {
        for (key, value) in pairs {
            write(out, key);
            write(out, value);
        }
    };
    match value {
        Value::Null => out.null(),
        Value::NullArray => out.null_array(),
        Value::Simple(line) => out.simple(&text(line)),
        Value::Error(line) => out.error_bytes(line),
        Value::Int(number) => out.int(*number),
        Value::Bulk(bytes) => out.bulk(bytes),
        Value::Bool(truth) => out.bool(*truth),
        Value::Double(number) => out.double(*number),
        Value::DoubleText(_) => unreachable!("only asked for by programs that print"),
        Value::BigNumber(digits) => out.big_number(&text(digits)),
        Value::BulkError(bytes) => out.error_bytes(bytes),
        Value::Verbatim { ext, data } => out.verbatim(&text(ext), data),
        Value::Array(items) => {
            let later = out.array_later();
            all(out, items);
            out.finish(later, items.len());
        }
        Value::Set(items) => {
            let later = out.set_later();
            all(out, items);
            out.finish(later, items.len());
        }
        Value::Push(items) => {
            out.push(items.len());
            all(out, items);
        }
        Value::Map(pairs) => {
            let later = out.map_later();
            both(out, pairs);
            out.finish(later, pairs.len());
        }
        Value::Attribute { pairs, value } => {
            if out.attribute(pairs.len()) {
                both(out, pairs);
            }
            write(out, value);
        }
    }
}

fn written(value: &Value) -> Vec<u8> {
    let mut writer = Writer::new(Proto::Resp3);
    write(&mut writer, value);
    writer.chunks(0).flatten().copied().collect()
}

proptest! {
    #[test]
    fn what_is_written_is_read(value in value()) {
        let bytes = written(&value);
        prop_assert_eq!(decode(&bytes), Ok(Some((value, bytes.len()))));
        for cut in 0..bytes.len() {
            prop_assert_eq!(decode(&bytes[..cut]), Ok(None));
        }
    }

    #[test]
    fn damaged_replies_are_judged(value in value(), at in any::<usize>(), byte in any::<u8>()) {
        let mut bytes = written(&value);
        let at = at % bytes.len();
        bytes[at] = byte;
        if let Ok(Some((_, len))) = decode(&bytes) {
            prop_assert!(len <= bytes.len());
        }
    }

    #[test]
    fn any_bytes_are_judged(bytes in vec(any::<u8>(), 0..200)) {
        if let Ok(Some((_, len))) = decode(&bytes) {
            prop_assert!(len > 0 && len <= bytes.len());
        }
    }
}
