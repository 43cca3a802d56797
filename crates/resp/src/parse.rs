//! The incremental request parser: query buffer in, argument spans out.
//!
//! Must not know sockets, commands or who owns the buffer. It allocates nothing but the growth of
//! the caller's span list, and never by a length that a peer merely announced.
//!
//! Invariants:
//! - The cursor only moves over bytes that are understood. What was learnt of an unfinished
//!   command lives in [`Parser`] as counts relative to the cursor, so the caller may move the
//!   buffer's contents (see [`rebase`]) and no byte of a line is searched twice.
//! - Which input is an error, and which error, does not depend on how the input was cut into
//!   reads, except for the length limit of a line without an end.
//!
//! Grammar, limits and texts are those of Redis and Valkey; the CRLF behind lengths and payloads
//! is checked, as Valkey does since 9.1.

use std::fmt;
use std::ops::Range;

use memchr::{memchr, memchr2};

use crate::number::parse_i64;

/// Marks a span whose argument the caller keeps apart; buffers therefore stay below this length.
const OWNED: u32 = u32::MAX;

/// No bulk length has been read for the next argument.
const UNKNOWN: u64 = u64::MAX;

/// More arguments than this are refused before authentication.
const UNAUTHENTICATED_MULTIBULK: i64 = 10;

/// Longer arguments than this are refused before authentication.
const UNAUTHENTICATED_BULK: u64 = 16384;

/// Where an argument is: a piece of the query buffer, or something that the caller keeps apart.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Span {
    /// First byte in the query buffer.
    pub start: u32,
    /// Length in bytes.
    pub len: u32,
}

impl Span {
    /// The argument that the caller keeps under `index`, outside the query buffer.
    pub const fn owned(index: u32) -> Span {
        Span { start: OWNED, len: index }
    }

    /// The caller's index if the argument is outside the query buffer.
    pub fn as_owned(self) -> Option<u32> {
        (self.start == OWNED).then_some(self.len)
    }

    /// The argument's bytes in the query buffer. Only for spans that are not owned.
    pub fn range(self) -> Range<usize> {
        debug_assert!(self.start != OWNED);
        let start = self.start as usize;
        start..start + self.len as usize
    }
}

/// What a connection may send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// `proto-max-bulk-len`, in bytes.
    pub max_bulk: u64,
    /// Most arguments of one command.
    pub max_multibulk: i64,
    /// Longest line, in bytes, whose end has not arrived.
    pub max_inline: usize,
    /// A bulk of at least this many bytes that is not in the buffer yet becomes [`Step::Big`].
    pub big_min: usize,
    /// The connection has yet to authenticate: 10 arguments of 16384 bytes at most.
    pub unauthenticated: bool,
}

impl Default for Limits {
    fn default() -> Limits {
        Limits {
            max_bulk: 512 << 20,
            max_multibulk: i64::from(i32::MAX),
            max_inline: 64 << 10,
            big_min: 32 << 10,
            unauthenticated: false,
        }
    }
}

impl Limits {
    /// The longest bulk that needs no closer look at which limit it breaks.
    fn plain_bulk(&self) -> u64 {
        if self.unauthenticated { self.max_bulk.min(UNAUTHENTICATED_BULK) } else { self.max_bulk }
    }

    fn plain_multibulk(&self) -> i64 {
        if self.unauthenticated {
            self.max_multibulk.min(UNAUTHENTICATED_MULTIBULK)
        } else {
            self.max_multibulk
        }
    }
}

/// What [`Parser::next`] found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// All spans of one command are in `args`; the cursor is behind the command.
    Command,
    /// An inline command, `buf[start..end]` without its line end; the cursor is behind it.
    /// [`crate::inline::split`] makes arguments of it.
    Inline {
        /// First byte of the line.
        start: usize,
        /// Behind its last byte.
        end: usize,
    },
    /// Nothing to run: an empty line, or a multibulk of no arguments. The cursor is behind it.
    Empty,
    /// More bytes are needed. Spans found so far stay in `args`.
    Incomplete,
    /// The next argument is long and has not arrived whole; its payload begins at the cursor.
    /// The caller takes over `len` bytes and the CRLF behind them (refusing anything else there
    /// with [`ProtocolError::Crlf`]), pushes [`Span::owned`], moves the cursor if the payload's
    /// first part was in the buffer, and calls [`Parser::big_done`].
    Big {
        /// Length of the payload in bytes, without its CRLF.
        len: usize,
    },
}

/// A violation of the request grammar. The server answers with [`ProtocolError::text`] and closes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProtocolError {
    /// The argument count is no number or too large.
    MultibulkLength,
    /// An argument's length is no number, negative or over `proto-max-bulk-len`.
    BulkLength,
    /// An argument begins with this byte in place of `$`.
    ExpectedDollar(u8),
    /// An inline command without an end.
    BigInline,
    /// An argument count without an end.
    BigMultibulkCount,
    /// An argument's length without an end.
    BigBulkCount,
    /// A CR without LF behind a length, or something other than CRLF behind a payload.
    Crlf,
    /// An inline command with an open quote, or with text right behind a closing one.
    UnbalancedQuotes,
    /// Too many arguments for a connection that has not authenticated.
    UnauthenticatedMultibulkLength,
    /// Too long an argument for a connection that has not authenticated.
    UnauthenticatedBulkLength,
}

impl ProtocolError {
    /// The whole error line, code word included, without the leading `-` and the line end.
    pub fn text(&self) -> String {
        format!("ERR Protocol error: {self}")
    }
}

impl fmt::Display for ProtocolError {
    /// Writes what Redis puts behind `ERR Protocol error: `.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ProtocolError::MultibulkLength => "invalid multibulk length",
            ProtocolError::BulkLength => "invalid bulk length",
            ProtocolError::ExpectedDollar(byte) => {
                return write!(f, "expected '$', got '{}'", char::from(*byte));
            }
            ProtocolError::BigInline => "too big inline request",
            ProtocolError::BigMultibulkCount => "too big mbulk count string",
            ProtocolError::BigBulkCount => "too big bulk count string",
            ProtocolError::Crlf => "invalid CRLF in request",
            ProtocolError::UnbalancedQuotes => "unbalanced quotes in request",
            ProtocolError::UnauthenticatedMultibulkLength => "unauthenticated multibulk length",
            ProtocolError::UnauthenticatedBulkLength => "unauthenticated bulk length",
        })
    }
}

impl std::error::Error for ProtocolError {}

/// What is known of the command that the cursor stands in.
///
/// Between two calls of [`Parser::next`] the bytes from the cursor on must stay the same, apart
/// from more being added behind them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Parser {
    /// Arguments of the current command that are not in `args` yet; 0 between commands.
    remaining: u32,
    /// Bytes from the cursor on that are known to hold no line end.
    scanned: usize,
    /// Length of the argument whose payload begins at the cursor, or `UNKNOWN`.
    bulk: u64,
}

impl Default for Parser {
    fn default() -> Parser {
        Parser::new()
    }
}

impl Parser {
    /// A parser in front of a command's first byte.
    pub const fn new() -> Parser {
        Parser { remaining: 0, scanned: 0, bulk: UNKNOWN }
    }

    /// True if no command has been begun. (A line whose end is missing counts as not begun.)
    pub fn is_idle(&self) -> bool {
        self.remaining == 0
    }

    /// Arguments of the current command that are still to come.
    pub fn pending_args(&self) -> u32 {
        self.remaining
    }

    /// Parses on from `cursor`, appending the spans of the command's arguments to `args`.
    ///
    /// `buf` must be shorter than 4 GiB - 1. After an error the parser is of no further use.
    #[inline]
    pub fn next(
        &mut self,
        buf: &[u8],
        cursor: &mut usize,
        args: &mut Vec<Span>,
        limits: &Limits,
    ) -> Result<Step, ProtocolError> {
        assert!(buf.len() < OWNED as usize, "query buffer longer than a span can say");
        if self.remaining == 0 {
            let tail = buf.get(*cursor..).unwrap_or_default();
            match short_line(tail, b'*') {
                Some((count, used))
                    if count != 0 && i64::from(count) <= limits.plain_multibulk() =>
                {
                    self.remaining = count;
                    self.scanned = 0;
                    *cursor += used;
                }
                _ => {
                    if let Some(step) = self.begin(buf, cursor, limits)? {
                        return Ok(step);
                    }
                }
            }
        }
        self.arguments(buf, cursor, args, limits)
    }

    /// The caller has taken over the payload that [`Step::Big`] announced, and its CRLF.
    /// True if that was the last argument, so that the command is complete.
    pub fn big_done(&mut self) -> bool {
        debug_assert!(self.bulk != UNKNOWN && self.remaining > 0);
        self.bulk = UNKNOWN;
        self.remaining = self.remaining.saturating_sub(1);
        self.remaining == 0
    }

    /// Reads a command's first line where the short form does not fit. `None`: arguments follow.
    #[cold]
    fn begin(
        &mut self,
        buf: &[u8],
        cursor: &mut usize,
        limits: &Limits,
    ) -> Result<Option<Step>, ProtocolError> {
        match buf.get(*cursor) {
            None => return Ok(Some(Step::Incomplete)),
            Some(b'*') => {}
            Some(_) => return self.inline(buf, cursor, limits).map(Some),
        }
        let Some(end) = self.line_end(buf, *cursor, limits, ProtocolError::BigMultibulkCount)?
        else {
            return Ok(Some(Step::Incomplete));
        };
        if buf[end + 1] != b'\n' {
            return Err(ProtocolError::Crlf);
        }
        let count = parse_i64(&buf[*cursor + 1..end])
            .filter(|count| *count <= limits.max_multibulk.min(i64::from(i32::MAX)))
            .ok_or(ProtocolError::MultibulkLength)?;
        if limits.unauthenticated && count > UNAUTHENTICATED_MULTIBULK {
            return Err(ProtocolError::UnauthenticatedMultibulkLength);
        }
        *cursor = end + 2;
        match u32::try_from(count) {
            Ok(count) if count > 0 => {
                self.remaining = count;
                Ok(None)
            }
            _ => Ok(Some(Step::Empty)),
        }
    }

    /// A NUL hides the rest of the buffer from the search for the line's end, as it does in Redis:
    /// binary data on the wrong port then runs into the length limit and is not taken for commands.
    fn inline(
        &mut self,
        buf: &[u8],
        cursor: &mut usize,
        limits: &Limits,
    ) -> Result<Step, ProtocolError> {
        let start = *cursor;
        let from = start + self.scanned;
        let found = memchr2(b'\n', 0, buf.get(from..).unwrap_or_default());
        self.scanned = found.map_or(buf.len(), |at| from + at) - start;
        let Some(end) = found.map(|at| from + at).filter(|end| buf[*end] == b'\n') else {
            if buf.len() - start > limits.max_inline {
                return Err(ProtocolError::BigInline);
            }
            return Ok(Step::Incomplete);
        };
        self.scanned = 0;
        *cursor = end + 1;
        let end = if end > start && buf[end - 1] == b'\r' { end - 1 } else { end };
        Ok(if end == start { Step::Empty } else { Step::Inline { start, end } })
    }

    /// Reads arguments until the command is complete or the buffer ends.
    #[inline]
    fn arguments(
        &mut self,
        buf: &[u8],
        cursor: &mut usize,
        args: &mut Vec<Span>,
        limits: &Limits,
    ) -> Result<Step, ProtocolError> {
        let plain = limits.plain_bulk();
        loop {
            if self.bulk == UNKNOWN {
                let mut left = self.remaining;
                let mut at = *cursor;
                while left > 0 {
                    let Some((span, used)) = whole_bulk(buf, at, plain) else { break };
                    args.push(span);
                    at += used;
                    left -= 1;
                }
                if at != *cursor {
                    self.scanned = 0;
                }
                *cursor = at;
                self.remaining = left;
                if left == 0 {
                    return Ok(Step::Command);
                }
                if !self.bulk_length(buf, cursor, limits)? {
                    return Ok(Step::Incomplete);
                }
            }
            if let Some(step) = self.payload(buf, cursor, args, limits)? {
                return Ok(step);
            }
        }
    }

    /// Reads an argument's length line where the short form does not fit. False: incomplete.
    #[cold]
    fn bulk_length(
        &mut self,
        buf: &[u8],
        cursor: &mut usize,
        limits: &Limits,
    ) -> Result<bool, ProtocolError> {
        let start = *cursor;
        let Some(end) = self.line_end(buf, start, limits, ProtocolError::BigBulkCount)? else {
            return Ok(false);
        };
        if buf[start] != b'$' {
            return Err(ProtocolError::ExpectedDollar(buf[start]));
        }
        if buf[end + 1] != b'\n' {
            return Err(ProtocolError::Crlf);
        }
        let len = parse_i64(&buf[start + 1..end])
            .and_then(|len| u64::try_from(len).ok())
            .filter(|len| *len <= limits.max_bulk)
            .ok_or(ProtocolError::BulkLength)?;
        if limits.unauthenticated && len > UNAUTHENTICATED_BULK {
            return Err(ProtocolError::UnauthenticatedBulkLength);
        }
        self.bulk = len;
        *cursor = end + 2;
        Ok(true)
    }

    /// Takes the payload of the argument whose length is known. `None`: done, go on.
    fn payload(
        &mut self,
        buf: &[u8],
        cursor: &mut usize,
        args: &mut Vec<Span>,
        limits: &Limits,
    ) -> Result<Option<Step>, ProtocolError> {
        let len = usize::try_from(self.bulk).map_err(|_| ProtocolError::BulkLength)?;
        let start = *cursor;
        let missing = buf.len().saturating_sub(start) < len.saturating_add(2);
        if missing {
            let big = len >= limits.big_min;
            return Ok(Some(if big { Step::Big { len } } else { Step::Incomplete }));
        }
        if buf[start + len..start + len + 2] != *b"\r\n" {
            return Err(ProtocolError::Crlf);
        }
        args.push(span(start, len));
        *cursor = start + len + 2;
        self.bulk = UNKNOWN;
        self.remaining -= 1;
        Ok((self.remaining == 0).then_some(Step::Command))
    }

    /// Finds the CR of the line at `start` once at least one byte stands behind it.
    fn line_end(
        &mut self,
        buf: &[u8],
        start: usize,
        limits: &Limits,
        too_big: ProtocolError,
    ) -> Result<Option<usize>, ProtocolError> {
        let from = start + self.scanned;
        let found = memchr(b'\r', buf.get(from..).unwrap_or_default()).map(|at| from + at);
        self.scanned = found.unwrap_or(buf.len()) - start;
        match found {
            None if buf.len() - start > limits.max_inline => Err(too_big),
            None => Ok(None),
            Some(end) if end + 1 == buf.len() => Ok(None),
            Some(end) => {
                self.scanned = 0;
                Ok(Some(end))
            }
        }
    }
}

/// Corrects spans after the caller moved the query buffer's contents down by `shift` bytes.
pub fn rebase(args: &mut [Span], shift: u32) {
    for span in args.iter_mut().filter(|span| span.start != OWNED) {
        debug_assert!(span.start >= shift);
        span.start -= shift;
    }
}

/// The buffer is shorter than `OWNED`, which `Parser::next` asserts, so both numbers fit.
#[inline(always)]
#[allow(clippy::cast_possible_truncation)]
fn span(start: usize, len: usize) -> Span {
    Span { start: start as u32, len: len as u32 }
}

/// The argument at `at` if it is there with all its bytes in the plainest form, and the bytes it
/// takes with length line and CRLF. `None` says nothing about the argument: look closer.
#[inline(always)]
fn whole_bulk(buf: &[u8], at: usize, max: u64) -> Option<(Span, usize)> {
    let tail = buf.get(at..)?;
    let (len, used) = short_line(tail, b'$')?;
    if u64::from(len) > max {
        return None;
    }
    let end = used + len as usize;
    (tail.get(end..end + 2)? == b"\r\n").then(|| (span(at + used, len as usize), end + 2))
}

/// Reads a line of `lead`, one to five digits without a leading zero, and CRLF, out of the eight
/// bytes that begin with it: the number and the line's length. `None`: some other form.
#[inline(always)]
fn short_line(tail: &[u8], lead: u8) -> Option<(u32, usize)> {
    const CRLF: u64 = 0x0A0D;
    let word = u64::from_le_bytes(*tail.first_chunk::<8>()?);
    let digit = |at: u32| ((word >> (8 * at)) & 0xFF).wrapping_sub(u64::from(b'0'));
    let first = digit(1);
    if word & 0xFF != u64::from(lead) || first > 9 {
        return None;
    }
    if (word >> 16) & 0xFFFF == CRLF {
        return Some((u32::try_from(first).ok()?, 4));
    }
    let mut number = first;
    for at in 2..6 {
        let next = digit(at);
        if next > 9 || first == 0 {
            return None;
        }
        number = number * 10 + next;
        if (word >> (8 * at + 8)) & 0xFFFF == CRLF {
            return Some((u32::try_from(number).ok()?, at as usize + 3));
        }
    }
    None
}

#[cfg(test)]
mod tests;
