//! Whether a reply is the expected one, in the protocol that it came in.

use resp::Proto;
use resp::value::Value;

use super::{Expected, List, Text};

pub(super) fn matches(expected: &Expected, value: &Value, proto: Proto) -> bool {
    let resp3 = proto == Proto::Resp3;
    match (expected, value) {
        (Expected::Any, _) => true,
        (Expected::Status(text), Value::Simple(bytes))
        | (Expected::Bulk(text), Value::Bulk(bytes))
        | (Expected::Error(text), Value::Error(bytes) | Value::BulkError(bytes)) => {
            text.matches(bytes)
        }
        (Expected::Integer(range), Value::Int(number)) => range.contains(number),
        (Expected::Null, Value::Null) => true,
        (Expected::NullArray, value) => *value == null_array(proto),
        (Expected::Array(list), Value::Array(items)) => in_order(list, items, proto),
        (Expected::AnyOrder(list), Value::Array(items)) => any_order(list, items, proto),
        _ if resp3 => matches_resp3(expected, value),
        _ => matches_resp2(expected, value),
    }
}

/// The shapes that only RESP3 has.
fn matches_resp3(expected: &Expected, value: &Value) -> bool {
    let proto = Proto::Resp3;
    match (expected, value) {
        (Expected::Bool(truth), Value::Bool(got)) => truth == got,
        (Expected::Double(text), Value::Double(got)) => same_double(text, *got),
        (Expected::DoubleBetween(low, high), Value::Double(got)) => low <= got && got <= high,
        (Expected::BigNumber(digits), Value::BigNumber(got)) => digits.as_bytes() == got,
        (Expected::Verbatim(kind, text), Value::Verbatim { ext, data }) => {
            kind == ext && text.matches(data)
        }
        (Expected::Set(list), Value::Set(items)) => any_order(list, items, proto),
        (Expected::Push(list), Value::Push(items)) => in_order(list, items, proto),
        (Expected::Map(list), Value::Map(pairs)) => {
            let pairs: Vec<[&Value; 2]> = pairs.iter().map(|(key, value)| [key, value]).collect();
            same_pairs(list, &pairs, proto)
        }
        _ => false,
    }
}

/// What RESP2 has in their place.
fn matches_resp2(expected: &Expected, value: &Value) -> bool {
    let proto = Proto::Resp2;
    match (expected, value) {
        (Expected::Bool(truth), Value::Int(got)) => i64::from(*truth) == *got,
        (Expected::Double(text) | Expected::BigNumber(text), Value::Bulk(got)) => {
            text.as_bytes() == got
        }
        (Expected::DoubleBetween(low, high), Value::Bulk(got)) => {
            let number = std::str::from_utf8(got).ok().and_then(|text| text.parse::<f64>().ok());
            number.is_some_and(|number| *low <= number && number <= *high)
        }
        (Expected::Verbatim(_, text), Value::Bulk(got)) => text.matches(got),
        (Expected::Set(list), Value::Array(items)) => any_order(list, items, proto),
        (Expected::Push(list), Value::Array(items)) => in_order(list, items, proto),
        (Expected::Map(list), Value::Array(items)) => {
            let (pairs, rest) = items.as_chunks::<2>();
            let pairs: Vec<[&Value; 2]> = pairs.iter().map(|[key, value]| [key, value]).collect();
            rest.is_empty() && same_pairs(list, &pairs, proto)
        }
        _ => false,
    }
}

impl Text {
    fn matches(&self, bytes: &[u8]) -> bool {
        if self.pattern { glob(&self.bytes, bytes) } else { self.bytes == bytes }
    }
}

fn null_array(proto: Proto) -> Value {
    if proto == Proto::Resp3 { Value::Null } else { Value::NullArray }
}

fn same_double(text: &str, got: f64) -> bool {
    text.parse::<f64>().is_ok_and(|number| number == got || (number.is_nan() && got.is_nan()))
}

fn in_order(list: &List, items: &[Value], proto: Proto) -> bool {
    has_length(list, items.len(), 1)
        && list.items.iter().zip(items).all(|(item, value)| matches(item, value, proto))
}

fn any_order(list: &List, items: &[Value], proto: Proto) -> bool {
    let fits = |at: usize, item: usize| matches(&list.items[at], &items[item], proto);
    has_length(list, items.len(), 1)
        && assign(list.items.len(), &mut vec![false; items.len()], &fits)
}

fn same_pairs(list: &List, pairs: &[[&Value; 2]], proto: Proto) -> bool {
    let fits = |at: usize, pair: usize| {
        let [key, value] = pairs[pair];
        matches(&list.items[2 * at], key, proto) && matches(&list.items[2 * at + 1], value, proto)
    };
    has_length(list, pairs.len(), 2)
        && assign(list.items.len() / 2, &mut vec![false; pairs.len()], &fits)
}

fn has_length(list: &List, got: usize, unit: usize) -> bool {
    let wanted = list.items.len() / unit;
    if list.open { wanted <= got } else { wanted == got }
}

/// Finds a different partner for each of the first `count` expectations; the last one first.
fn assign(count: usize, taken: &mut [bool], fits: &impl Fn(usize, usize) -> bool) -> bool {
    let Some(at) = count.checked_sub(1) else { return true };
    for partner in 0..taken.len() {
        if !taken[partner] && fits(at, partner) {
            taken[partner] = true;
            if assign(at, taken, fits) {
                return true;
            }
            taken[partner] = false;
        }
    }
    false
}

/// `*` is any run of bytes, `?` any one byte.
fn glob(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', pattern @ ..], _) => (0..=text.len()).any(|at| glob(pattern, &text[at..])),
        ([b'?', pattern @ ..], [_, text @ ..]) => glob(pattern, text),
        ([first, pattern @ ..], [byte, text @ ..]) => first == byte && glob(pattern, text),
        _ => false,
    }
}
