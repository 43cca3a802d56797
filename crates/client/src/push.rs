//! What a server sends by itself.

use resp::Value;

/// Something that no command asked for.
#[derive(Clone, PartialEq, Debug)]
pub enum Push {
    /// A published message.
    Message(Message),
    /// These keys changed, or all did (`None`): client-side caches must forget them.
    Invalidate(Option<Vec<Vec<u8>>>),
    /// Pushes may have been missed: the connection was made anew, or the reader was too slow.
    Gap,
    /// Any other kind, with its name in front.
    Other(Vec<Value>),
}

/// A published message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Message {
    /// Where it was published.
    pub channel: Vec<u8>,
    /// The pattern by which it came, if it came by one.
    pub pattern: Option<Vec<u8>>,
    /// What was published.
    pub payload: Vec<u8>,
}

impl Push {
    /// From the elements of a push, or of the array that RESP2 has for it.
    pub(crate) fn new(items: Vec<Value>) -> Push {
        let kind = items.first().and_then(bytes).unwrap_or_default();
        let text = |index: usize| items.get(index).and_then(bytes).map(<[u8]>::to_vec);
        match (kind, items.len()) {
            (b"message" | b"smessage", 3) => match (text(1), text(2)) {
                (Some(channel), Some(payload)) => {
                    Push::Message(Message { channel, pattern: None, payload })
                }
                _ => Push::Other(items),
            },
            (b"pmessage", 4) => match (text(2), text(3)) {
                (Some(channel), Some(payload)) => {
                    Push::Message(Message { channel, pattern: text(1), payload })
                }
                _ => Push::Other(items),
            },
            (b"invalidate", 2) => match &items[1] {
                Value::Null | Value::NullArray => Push::Invalidate(None),
                Value::Array(keys) => {
                    let keys = keys.iter().filter_map(bytes).map(<[u8]>::to_vec);
                    Push::Invalidate(Some(keys.collect()))
                }
                _ => Push::Other(items),
            },
            _ => Push::Other(items),
        }
    }
}

/// The bytes of a string of any kind.
pub(crate) fn bytes(value: &Value) -> Option<&[u8]> {
    match value {
        Value::Bulk(bytes) | Value::Simple(bytes) => Some(bytes),
        Value::Verbatim { data, .. } => Some(data),
        _ => None,
    }
}
