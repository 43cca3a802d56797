//! Replies as the types of the language.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;

use resp::Value;
use resp::number::{parse_f64, parse_i64};

use crate::error::{Error, Result, ServerError};

/// What a reply can be read as. Both protocols' forms are taken: a number may come as text, a map
/// as an array of twice the length.
pub trait FromReply: Sized {
    /// Reads the reply.
    ///
    /// # Errors
    /// [`Error::Server`] if it is an error, [`Error::Type`] if it is something else.
    fn from_reply(value: Value) -> Result<Self>;
}

impl FromReply for Value {
    fn from_reply(value: Value) -> Result<Value> {
        match value {
            Value::Error(text) | Value::BulkError(text) => {
                Err(Error::Server(ServerError::new(&text)))
            }
            value => Ok(value),
        }
    }
}

/// Any reply that is no error.
impl FromReply for () {
    fn from_reply(value: Value) -> Result<()> {
        Value::from_reply(value).map(|_| ())
    }
}

impl FromReply for Vec<u8> {
    fn from_reply(value: Value) -> Result<Vec<u8>> {
        match Value::from_reply(value)? {
            Value::Bulk(bytes) | Value::Simple(bytes) | Value::BigNumber(bytes) => Ok(bytes),
            Value::Verbatim { data, .. } | Value::DoubleText(data) => Ok(data),
            Value::Int(number) => Ok(number.to_string().into_bytes()),
            Value::Double(number) => {
                let mut text = Vec::new();
                resp::number::write_double(&mut text, number);
                Ok(text)
            }
            other => Err(wrong("a string", &other)),
        }
    }
}

impl FromReply for String {
    fn from_reply(value: Value) -> Result<String> {
        let bytes = Vec::<u8>::from_reply(value)?;
        String::from_utf8(bytes).map_err(|error| Error::Type {
            expected: "UTF-8 text",
            got: resp::inline::quoted(error.as_bytes()).chars().take(80).collect(),
        })
    }
}

impl FromReply for i64 {
    fn from_reply(value: Value) -> Result<i64> {
        match Value::from_reply(value)? {
            Value::Int(number) => Ok(number),
            Value::Bool(truth) => Ok(i64::from(truth)),
            Value::Bulk(text) | Value::Simple(text) => {
                parse_i64(&text).ok_or_else(|| wrong("an integer", &Value::Bulk(text)))
            }
            other => Err(wrong("an integer", &other)),
        }
    }
}

impl FromReply for u64 {
    fn from_reply(value: Value) -> Result<u64> {
        let number = i64::from_reply(value)?;
        u64::try_from(number).map_err(|_| wrong("a number from zero up", &Value::Int(number)))
    }
}

impl FromReply for f64 {
    fn from_reply(value: Value) -> Result<f64> {
        match Value::from_reply(value)? {
            Value::Double(number) => Ok(number),
            #[allow(clippy::cast_precision_loss)]
            Value::Int(number) => Ok(number as f64),
            Value::Bulk(text) | Value::Simple(text) | Value::DoubleText(text) => {
                parse_f64(&text).ok_or_else(|| wrong("a number", &Value::Bulk(text)))
            }
            other => Err(wrong("a number", &other)),
        }
    }
}

impl FromReply for bool {
    fn from_reply(value: Value) -> Result<bool> {
        match Value::from_reply(value)? {
            Value::Bool(truth) => Ok(truth),
            Value::Int(0) | Value::Null | Value::NullArray => Ok(false),
            Value::Int(1) => Ok(true),
            Value::Simple(text) if text == b"OK" => Ok(true),
            other => Err(wrong("yes or no", &other)),
        }
    }
}

impl<T: FromReply> FromReply for Option<T> {
    fn from_reply(value: Value) -> Result<Option<T>> {
        match value {
            Value::Null | Value::NullArray => Ok(None),
            value => T::from_reply(value).map(Some),
        }
    }
}

impl<T: FromReply> FromReply for Vec<T>
where
    Vec<T>: NotBytes,
{
    fn from_reply(value: Value) -> Result<Vec<T>> {
        match Value::from_reply(value)? {
            Value::Array(items) | Value::Set(items) | Value::Push(items) => {
                items.into_iter().map(T::from_reply).collect()
            }
            Value::Map(pairs) => {
                let flat = pairs.into_iter().flat_map(|(key, value)| [key, value]);
                flat.map(T::from_reply).collect()
            }
            other => Err(wrong("a list", &other)),
        }
    }
}

/// Lists of everything but bytes, which are strings.
pub trait NotBytes {}

impl NotBytes for Vec<Vec<u8>> {}
impl NotBytes for Vec<String> {}
impl NotBytes for Vec<i64> {}
impl NotBytes for Vec<f64> {}
impl NotBytes for Vec<bool> {}
impl NotBytes for Vec<Value> {}
impl<T> NotBytes for Vec<Option<T>> {}
impl<A, B> NotBytes for Vec<(A, B)> {}

/// Two elements.
impl<A: FromReply, B: FromReply> FromReply for (A, B) {
    fn from_reply(value: Value) -> Result<(A, B)> {
        match Value::from_reply(value)? {
            Value::Array(items) if items.len() == 2 => {
                let mut items = items.into_iter();
                let mut next = || items.next().unwrap_or(Value::Null);
                Ok((A::from_reply(next())?, B::from_reply(next())?))
            }
            other => Err(wrong("a pair", &other)),
        }
    }
}

impl<K: FromReply + Eq + Hash, V: FromReply> FromReply for HashMap<K, V> {
    fn from_reply(value: Value) -> Result<HashMap<K, V>> {
        pairs(value)?.into_iter().map(pair).collect()
    }
}

impl<K: FromReply + Ord, V: FromReply> FromReply for BTreeMap<K, V> {
    fn from_reply(value: Value) -> Result<BTreeMap<K, V>> {
        pairs(value)?.into_iter().map(pair).collect()
    }
}

fn pair<K: FromReply, V: FromReply>((key, value): (Value, Value)) -> Result<(K, V)> {
    Ok((K::from_reply(key)?, V::from_reply(value)?))
}

/// A map, an array of alternating keys and values, or one of pairs.
pub(crate) fn pairs(value: Value) -> Result<Vec<(Value, Value)>> {
    let items = match Value::from_reply(value)? {
        Value::Map(pairs) => return Ok(pairs),
        Value::Array(items) | Value::Set(items) => items,
        other => return Err(wrong("a map", &other)),
    };
    if items.iter().all(|item| matches!(item, Value::Array(pair) if pair.len() == 2)) {
        let pair = |item| <(Value, Value)>::from_reply(item);
        return items.into_iter().map(pair).collect();
    }
    if items.len() % 2 != 0 {
        return Err(wrong("a map", &Value::Array(items)));
    }
    let mut pairs = Vec::with_capacity(items.len() / 2);
    let mut items = items.into_iter();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        pairs.push((key, value));
    }
    Ok(pairs)
}

pub(crate) fn wrong(expected: &'static str, got: &Value) -> Error {
    let mut got = format!("{got:?}");
    if let Some((end, _)) = got.char_indices().nth(80) {
        got.truncate(end);
        got.push_str("...");
    }
    Error::Type { expected, got }
}
