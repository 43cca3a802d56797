//! The client's side: replies as values, and commands as bytes.
//!
//! Must not know connections. Nothing is allocated by an announced length alone, and nesting is
//! bounded, so a hostile server costs no more than the bytes that it really sends.

mod stream;

use std::fmt;

use memchr::memchr;

pub use stream::Decoder;

use crate::number::{parse_f64, parse_i64, write_i64};

/// Replies nested deeper than this are refused.
pub const DEPTH_MAX: usize = 128;

/// Longest string, in bytes, and most elements of one aggregate.
pub const LENGTH_MAX: u64 = u32::MAX as u64;

/// Longest line, in bytes: statuses, errors and numbers.
pub const LINE_MAX: usize = 1 << 20;

/// One reply of RESP2 or RESP3.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// `_`, or RESP2's null string.
    Null,
    /// RESP2's null array.
    NullArray,
    /// `+`, a status.
    Simple(Vec<u8>),
    /// `-`, an error with its code word.
    Error(Vec<u8>),
    /// `:`.
    Int(i64),
    /// `$`.
    Bulk(Vec<u8>),
    /// `*`.
    Array(Vec<Value>),
    /// `#`.
    Bool(bool),
    /// `,`.
    Double(f64),
    /// `,` as the server spelt it, from a [`Decoder`] that was asked to keep the spelling.
    DoubleText(Vec<u8>),
    /// `(`, in decimal.
    BigNumber(Vec<u8>),
    /// `!`, an error that may hold any byte.
    BulkError(Vec<u8>),
    /// `=`, text and its three-letter format.
    Verbatim {
        /// `txt` or `mkd`.
        ext: [u8; 3],
        /// The text alone.
        data: Vec<u8>,
    },
    /// `%`, in the order of arrival.
    Map(Vec<(Value, Value)>),
    /// `~`, in the order of arrival.
    Set(Vec<Value>),
    /// `>`, an out-of-band message.
    Push(Vec<Value>),
    /// `|`, pairs about the value behind them.
    Attribute {
        /// The pairs in the order of arrival.
        pairs: Vec<(Value, Value)>,
        /// The reply proper.
        value: Box<Value>,
    },
}

/// Why bytes are no reply. The connection is of no further use then.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum DecodeError {
    /// A value begins with this byte.
    UnknownType(u8),
    /// A length is no number, negative or over [`LENGTH_MAX`].
    Length,
    /// A number, truth value or null is malformed.
    Content,
    /// A line or a payload is not followed by CRLF.
    LineEnd,
    /// A line longer than [`LINE_MAX`].
    LongLine,
    /// Nested deeper than [`DEPTH_MAX`].
    Depth,
}

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DecodeError::UnknownType(byte) => {
                write!(f, "a reply cannot begin with the byte 0x{byte:02x}")
            }
            DecodeError::Length => f.write_str("invalid length in a reply"),
            DecodeError::Content => f.write_str("malformed value in a reply"),
            DecodeError::LineEnd => f.write_str("missing line end in a reply"),
            DecodeError::LongLine => f.write_str("too long a line in a reply"),
            DecodeError::Depth => f.write_str("reply nested too deeply"),
        }
    }
}

impl std::error::Error for DecodeError {}

/// Reads the reply at the beginning of `buf`: the value and its length in bytes, or `None` if more
/// bytes are needed.
///
/// Each call begins anew, so read generously before calling again, or use a [`Decoder`].
pub fn decode(buf: &[u8]) -> Result<Option<(Value, usize)>, DecodeError> {
    let mut reader = Reader { buf, at: 0 };
    match reader.value(DEPTH_MAX) {
        Ok(value) => Ok(Some((value, reader.at))),
        Err(Stop::Incomplete) => Ok(None),
        Err(Stop::Malformed(error)) => Err(error),
    }
}

/// Appends a command in the form that servers expect: an array of strings.
pub fn encode_command<A: AsRef<[u8]>>(out: &mut Vec<u8>, args: &[A]) {
    let header = |out: &mut Vec<u8>, lead: u8, n: usize| {
        out.push(lead);
        write_i64(out, i64::try_from(n).unwrap_or(i64::MAX));
        out.extend_from_slice(b"\r\n");
    };
    header(out, b'*', args.len());
    for arg in args {
        let arg = arg.as_ref();
        header(out, b'$', arg.len());
        out.extend_from_slice(arg);
        out.extend_from_slice(b"\r\n");
    }
}

enum Stop {
    Incomplete,
    Malformed(DecodeError),
}

impl From<DecodeError> for Stop {
    fn from(error: DecodeError) -> Stop {
        Stop::Malformed(error)
    }
}

struct Reader<'a> {
    buf: &'a [u8],
    at: usize,
}

/// What stands at the beginning of a reply: all of it, or the head of an aggregate.
enum Token {
    Leaf(Value),
    /// The kind's byte, and how many elements or pairs follow.
    Open(u8, usize),
}

impl<'a> Reader<'a> {
    fn value(&mut self, depth: usize) -> Result<Value, Stop> {
        let (lead, count) = match self.token(false)? {
            Token::Leaf(value) => return Ok(value),
            Token::Open(lead, count) => (lead, count),
        };
        let depth = deeper(depth)?;
        Ok(match lead {
            b'*' => Value::Array(self.items(count, depth, Reader::value)?),
            b'~' => Value::Set(self.items(count, depth, Reader::value)?),
            b'>' => Value::Push(self.items(count, depth, Reader::value)?),
            b'%' => Value::Map(self.items(count, depth, Reader::pair)?),
            _ => {
                let pairs = self.items(count, depth, Reader::pair)?;
                Value::Attribute { pairs, value: Box::new(self.value(depth)?) }
            }
        })
    }

    /// Reads one token; doubles keep their spelling if `spelt`.
    fn token(&mut self, spelt: bool) -> Result<Token, Stop> {
        let lead = *self.buf.get(self.at).ok_or(Stop::Incomplete)?;
        if !b"+-:$*#,(!=%~>|_".contains(&lead) {
            return Err(DecodeError::UnknownType(lead).into());
        }
        self.at += 1;
        let line = self.line()?;
        Ok(Token::Leaf(match lead {
            b'+' => Value::Simple(line.to_vec()),
            b'-' => Value::Error(line.to_vec()),
            b':' => Value::Int(integer(line).ok_or(DecodeError::Content)?),
            b'_' if line.is_empty() => Value::Null,
            b'#' if line == b"t" => Value::Bool(true),
            b'#' if line == b"f" => Value::Bool(false),
            b',' => {
                let value = double(line).ok_or(DecodeError::Content)?;
                if spelt { Value::DoubleText(line.to_vec()) } else { Value::Double(value) }
            }
            b'(' if is_decimal(line) => Value::BigNumber(line.to_vec()),
            b'$' if line == b"-1" => Value::Null,
            b'*' if line == b"-1" => Value::NullArray,
            b'$' => Value::Bulk(self.payload(line)?.to_vec()),
            b'!' => Value::BulkError(self.payload(line)?.to_vec()),
            b'=' => verbatim(self.payload(line)?)?,
            b'*' | b'~' | b'>' | b'%' | b'|' => return Ok(Token::Open(lead, length(line)?)),
            _ => return Err(DecodeError::Content.into()),
        }))
    }

    fn pair(&mut self, depth: usize) -> Result<(Value, Value), Stop> {
        Ok((self.value(depth)?, self.value(depth)?))
    }

    fn items<T>(
        &mut self,
        count: usize,
        depth: usize,
        read: fn(&mut Reader<'a>, usize) -> Result<T, Stop>,
    ) -> Result<Vec<T>, Stop> {
        // An element takes three bytes at least, so what is there bounds what is reserved.
        let possible = (self.buf.len() - self.at) / 3;
        let mut items = Vec::with_capacity(count.min(possible).min(1024));
        for _ in 0..count {
            items.push(read(self, depth)?);
        }
        Ok(items)
    }

    /// The bytes up to CRLF.
    fn line(&mut self) -> Result<&'a [u8], Stop> {
        let rest = &self.buf[self.at..];
        let window = &rest[..rest.len().min(LINE_MAX + 1)];
        let Some(end) = memchr(b'\r', window) else {
            let long = window.len() > LINE_MAX;
            return Err(if long { DecodeError::LongLine.into() } else { Stop::Incomplete });
        };
        if *rest.get(end + 1).ok_or(Stop::Incomplete)? != b'\n' {
            return Err(DecodeError::LineEnd.into());
        }
        self.at += end + 2;
        Ok(&rest[..end])
    }

    /// As many bytes as `line` announces, and the CRLF behind them.
    fn payload(&mut self, line: &[u8]) -> Result<&'a [u8], Stop> {
        let len = length(line)?;
        let rest = &self.buf[self.at..];
        let end = rest.get(len..len + 2).ok_or(Stop::Incomplete)?;
        if end != b"\r\n" {
            return Err(DecodeError::LineEnd.into());
        }
        self.at += len + 2;
        Ok(&rest[..len])
    }
}

fn deeper(depth: usize) -> Result<usize, DecodeError> {
    depth.checked_sub(1).ok_or(DecodeError::Depth)
}

fn length(line: &[u8]) -> Result<usize, DecodeError> {
    parse_i64(line)
        .and_then(|n| u64::try_from(n).ok())
        .filter(|n| *n <= LENGTH_MAX)
        .and_then(|n| usize::try_from(n).ok())
        .ok_or(DecodeError::Length)
}

/// The protocol allows a plus in front of integers.
fn integer(line: &[u8]) -> Option<i64> {
    match line {
        [b'+', digits @ ..] if digits.first() != Some(&b'-') => parse_i64(digits),
        _ => parse_i64(line),
    }
}

fn double(line: &[u8]) -> Option<f64> {
    match line {
        b"nan" | b"-nan" => Some(f64::NAN),
        _ => parse_f64(line),
    }
}

fn is_decimal(line: &[u8]) -> bool {
    let digits = line.strip_prefix(b"-").or(line.strip_prefix(b"+")).unwrap_or(line);
    !digits.is_empty() && digits.iter().all(u8::is_ascii_digit)
}

fn verbatim(payload: &[u8]) -> Result<Value, DecodeError> {
    match payload {
        [a, b, c, b':', data @ ..] => {
            Ok(Value::Verbatim { ext: [*a, *b, *c], data: data.to_vec() })
        }
        _ => Err(DecodeError::Content),
    }
}

#[cfg(test)]
mod tests;
