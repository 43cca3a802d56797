//! Replies from a stream that arrives in pieces of any size.
//!
//! Elements that are whole are taken at once and kept on a stack, so a long reply costs the same
//! in many small pieces as in one. Must not know connections.

#[cfg(test)]
mod tests;

use super::{DEPTH_MAX, DecodeError, Reader, Stop, Token, Value};

/// Consumed bytes are moved away only once there are this many of them.
const COMPACT_MIN: usize = 64 * 1024;

/// Takes bytes in, gives replies out.
///
/// ```
/// let mut decoder = resp::Decoder::new();
/// decoder.feed(b"*2\r\n:1\r\n$3\r\nfo");
/// assert_eq!(decoder.next(), Ok(None));
/// decoder.feed(b"o\r\n");
/// let foo = resp::Value::Bulk(b"foo".to_vec());
/// assert_eq!(decoder.next(), Ok(Some(resp::Value::Array(vec![resp::Value::Int(1), foo]))));
/// ```
#[derive(Debug, Default)]
pub struct Decoder {
    received: Vec<u8>,
    /// How many bytes of `received` are decoded.
    at: usize,
    open: Vec<Frame>,
    spelt: bool,
}

/// An aggregate of which elements are missing.
#[derive(Debug)]
struct Frame {
    lead: u8,
    /// Values that are still to come; a pair counts as two.
    missing: usize,
    items: Vec<Value>,
}

impl Decoder {
    /// A decoder at the beginning of a stream.
    #[must_use]
    pub fn new() -> Decoder {
        Decoder::default()
    }

    /// As [`Decoder::new`], but doubles arrive as [`Value::DoubleText`], for programs that print
    /// what the server said.
    #[must_use]
    pub fn keeping_spelling() -> Decoder {
        Decoder { spelt: true, ..Decoder::default() }
    }

    /// Takes what was received.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.at == self.received.len() {
            self.received.clear();
            self.at = 0;
        } else if self.at >= COMPACT_MIN {
            self.received.drain(..self.at);
            self.at = 0;
        }
        self.received.extend_from_slice(bytes);
    }

    /// The next whole reply.
    ///
    /// # Errors
    /// When the bytes are no reply; the stream is of no further use then.
    #[expect(clippy::should_implement_trait, reason = "an iterator would end where bytes end")]
    pub fn next(&mut self) -> Result<Option<Value>, DecodeError> {
        loop {
            let mut reader = Reader { buf: &self.received[self.at..], at: 0 };
            let token = match reader.token(self.spelt) {
                Ok(token) => token,
                Err(Stop::Incomplete) => return Ok(None),
                Err(Stop::Malformed(error)) => return Err(error),
            };
            self.at += reader.at;
            match token {
                Token::Open(lead, count) => self.push(lead, count)?,
                Token::Leaf(value) => {
                    if let Some(value) = self.settle(value) {
                        return Ok(Some(value));
                    }
                    continue;
                }
            }
            if let Some(value) = self.close_whole() {
                return Ok(Some(value));
            }
        }
    }

    /// Whether a reply has begun and is not whole.
    #[must_use]
    pub fn is_within(&self) -> bool {
        !self.open.is_empty() || self.at < self.received.len()
    }

    /// Takes the bytes that are not decoded, for streams that turn into something else.
    #[must_use]
    pub fn take_rest(&mut self) -> Vec<u8> {
        let rest = self.received.split_off(self.at);
        self.received.clear();
        self.at = 0;
        rest
    }

    fn push(&mut self, lead: u8, count: usize) -> Result<(), DecodeError> {
        if self.open.len() == DEPTH_MAX {
            return Err(DecodeError::Depth);
        }
        let missing = match lead {
            b'%' => count * 2,
            b'|' => count * 2 + 1,
            _ => count,
        };
        let possible = (self.received.len() - self.at) / 3;
        let items = Vec::with_capacity(missing.min(possible).min(1024));
        self.open.push(Frame { lead, missing, items });
        Ok(())
    }

    /// Gives a value to the innermost open aggregate, or out if there is none.
    fn settle(&mut self, value: Value) -> Option<Value> {
        let Some(frame) = self.open.last_mut() else { return Some(value) };
        frame.items.push(value);
        frame.missing -= 1;
        self.close_whole()
    }

    /// Closes aggregates as long as the innermost one is whole.
    fn close_whole(&mut self) -> Option<Value> {
        while self.open.last()?.missing == 0 {
            let value = self.open.pop()?.into_value();
            let Some(outer) = self.open.last_mut() else { return Some(value) };
            outer.items.push(value);
            outer.missing -= 1;
        }
        None
    }
}

impl Frame {
    fn into_value(mut self) -> Value {
        match self.lead {
            b'*' => Value::Array(self.items),
            b'~' => Value::Set(self.items),
            b'>' => Value::Push(self.items),
            b'%' => Value::Map(pairs(self.items)),
            _ => {
                let value = Box::new(self.items.pop().unwrap_or(Value::Null));
                Value::Attribute { pairs: pairs(self.items), value }
            }
        }
    }
}

fn pairs(items: Vec<Value>) -> Vec<(Value, Value)> {
    let mut pairs = Vec::with_capacity(items.len() / 2);
    let mut items = items.into_iter();
    while let (Some(key), Some(value)) = (items.next(), items.next()) {
        pairs.push((key, value));
    }
    pairs
}
