//! Replies: RESP2 or RESP3 bytes, with large payloads by reference.
//!
//! Must not know commands or sockets; callers say what a reply means, and this module how the
//! connection's protocol spells it, so that no handler branches on the version.
//!
//! Invariants: `blobs` is ordered by `at`; a blob's bytes go out before the byte of `buf` at its
//! `at`; `buf[..head]` is sent, `blob_head` bytes of the first blob are, and `shared` is what is
//! left of all blobs.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::Proto;
use crate::number::write_double;

/// What [`Writer::clear`] keeps of the buffer, in bytes.
pub const KEPT_CAPACITY: usize = 64 << 10;

/// A header that comes in afterwards moves at most this many bytes; in front of more it becomes a
/// piece of its own.
const MOVED_MAX: usize = 16 << 10;

/// Bytes that go out without being copied.
struct Blob {
    /// Index in `buf` that the bytes stand in front of.
    at: usize,
    bytes: Arc<Vec<u8>>,
}

/// A header whose number is not known yet.
#[derive(Clone, Copy)]
struct Open {
    at: usize,
    /// Blobs that were there before it.
    blobs: usize,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Array,
    Map,
    Set,
    Push,
    Attribute,
}

/// The ticket for a header that [`Writer::finish`] puts in.
#[derive(Debug)]
#[must_use = "the reply lacks its header until `finish` is called"]
pub struct Later(usize);

/// A place to come back to with [`Writer::truncate_to`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    at: usize,
    blobs: usize,
    opened: usize,
}

/// Replies on their way to one connection.
pub struct Writer {
    proto: Proto,
    buf: Vec<u8>,
    blobs: VecDeque<Blob>,
    head: usize,
    blob_head: usize,
    shared: usize,
    /// Headers to come, in the order of their places; `None` where one came.
    open: Vec<Option<Open>>,
}

impl Writer {
    /// An empty writer; it allocates with the first reply.
    pub fn new(proto: Proto) -> Writer {
        Writer {
            proto,
            buf: Vec::new(),
            blobs: VecDeque::new(),
            head: 0,
            blob_head: 0,
            shared: 0,
            open: Vec::new(),
        }
    }

    /// An empty writer with room for so many bytes.
    pub fn with_capacity(proto: Proto, bytes: usize) -> Writer {
        Writer { buf: Vec::with_capacity(bytes), ..Writer::new(proto) }
    }

    /// The protocol that replies are written in.
    #[inline]
    pub fn proto(&self) -> Proto {
        self.proto
    }

    /// Changes the protocol for what is written from now on.
    pub fn set_proto(&mut self, proto: Proto) {
        self.proto = proto;
    }

    /// `+OK`.
    #[inline]
    pub fn ok(&mut self) {
        self.buf.extend_from_slice(b"+OK\r\n");
    }

    /// A status line. CR and LF become spaces.
    pub fn simple(&mut self, text: &str) {
        self.line(b'+', text.as_bytes());
    }

    /// An error line, code word included. CR and LF become spaces, and are left out at the end.
    pub fn error(&mut self, text: &str) {
        self.error_bytes(text.as_bytes());
    }

    /// [`Writer::error`] for text that need not be UTF-8.
    pub fn error_bytes(&mut self, text: &[u8]) {
        let ends = |byte: &u8| !matches!(byte, b'\r' | b'\n');
        let end = text.iter().rposition(ends).map_or(0, |last| last + 1);
        self.line(b'-', &text[..end]);
    }

    /// An integer.
    #[inline]
    pub fn int(&mut self, value: i64) {
        self.number(b':', value);
    }

    /// An integer without a sign; where it is above what an `i64` holds, and so above the integers
    /// of the protocol, a string.
    #[inline]
    pub fn uint(&mut self, value: u64) {
        match i64::try_from(value) {
            Ok(value) => self.int(value),
            Err(_) => self.bulk(itoa::Buffer::new().format(value).as_bytes()),
        }
    }

    /// A string.
    #[inline]
    pub fn bulk(&mut self, bytes: &[u8]) {
        self.buf.reserve(bytes.len() + 24);
        self.header(b'$', bytes.len());
        self.buf.extend_from_slice(bytes);
        self.crlf();
    }

    /// An integer's digits as a string.
    pub fn bulk_int(&mut self, value: i64) {
        self.bulk(itoa::Buffer::new().format(value).as_bytes());
    }

    /// A string whose bytes are sent from where they are. Worth it from some kilobytes on.
    pub fn bulk_shared(&mut self, bytes: &Arc<Vec<u8>>) {
        self.header(b'$', bytes.len());
        if !bytes.is_empty() {
            self.shared += bytes.len();
            self.blobs.push_back(Blob { at: self.buf.len(), bytes: Arc::clone(bytes) });
        }
        self.crlf();
    }

    /// A whole reply that is sent from where it is. Worth it from some kilobytes on.
    pub fn raw_shared(&mut self, bytes: &Arc<Vec<u8>>) {
        if !bytes.is_empty() {
            self.shared += bytes.len();
            self.blobs.push_back(Blob { at: self.buf.len(), bytes: Arc::clone(bytes) });
        }
    }

    /// No value.
    #[inline]
    pub fn null(&mut self) {
        self.buf.extend_from_slice(match self.proto {
            Proto::Resp2 => b"$-1\r\n",
            Proto::Resp3 => b"_\r\n",
        });
    }

    /// No value where an array is expected, which RESP2 tells apart.
    pub fn null_array(&mut self) {
        self.buf.extend_from_slice(match self.proto {
            Proto::Resp2 => b"*-1\r\n",
            Proto::Resp3 => b"_\r\n",
        });
    }

    /// The header of an array of `n` values.
    #[inline]
    pub fn array(&mut self, n: usize) {
        self.header(b'*', n);
    }

    /// The header of `n` pairs in order, each of which [`Writer::pair`] begins: arrays of two in an
    /// array, and one flat array in RESP2.
    pub fn pairs(&mut self, n: usize) {
        match self.proto {
            Proto::Resp2 => self.header(b'*', n * 2),
            Proto::Resp3 => self.header(b'*', n),
        }
    }

    /// Begins a pair of [`Writer::pairs`].
    #[inline]
    pub fn pair(&mut self) {
        if self.proto == Proto::Resp3 {
            self.header(b'*', 2);
        }
    }

    /// The header of a map of `n` pairs; a flat array in RESP2.
    pub fn map(&mut self, n: usize) {
        self.aggregate(Kind::Map, n);
    }

    /// The header of a set of `n` values; an array in RESP2.
    pub fn set(&mut self, n: usize) {
        self.aggregate(Kind::Set, n);
    }

    /// The header of an out-of-band message of `n` values; an array in RESP2.
    pub fn push(&mut self, n: usize) {
        self.aggregate(Kind::Push, n);
    }

    /// The header of `n` pairs about the value that follows them. RESP2 has none: then nothing is
    /// written, false is returned, and the pairs must be left out too.
    #[must_use = "without attributes in the protocol the pairs must not be written"]
    pub fn attribute(&mut self, n: usize) -> bool {
        let known = self.proto == Proto::Resp3;
        if known {
            self.aggregate(Kind::Attribute, n);
        }
        known
    }

    /// A floating point number; a string in RESP2.
    pub fn double(&mut self, value: f64) {
        if self.proto == Proto::Resp3 {
            self.buf.push(b',');
            write_double(&mut self.buf, value);
            return self.crlf();
        }
        let start = self.buf.len();
        write_double(&mut self.buf, value);
        let len = self.buf.len() - start;
        self.header(b'$', len);
        self.buf[start..].rotate_left(len);
        self.crlf();
    }

    /// A floating point number that is text already; a string in RESP2.
    pub fn double_text(&mut self, text: &[u8]) {
        match self.proto {
            Proto::Resp2 => self.bulk(text),
            Proto::Resp3 => self.line(b',', text),
        }
    }

    /// A truth value; 1 or 0 in RESP2.
    pub fn bool(&mut self, value: bool) {
        self.buf.extend_from_slice(match (self.proto, value) {
            (Proto::Resp2, true) => b":1\r\n",
            (Proto::Resp2, false) => b":0\r\n",
            (Proto::Resp3, true) => b"#t\r\n",
            (Proto::Resp3, false) => b"#f\r\n",
        });
    }

    /// An integer of any size, given in decimal; a string in RESP2.
    pub fn big_number(&mut self, digits: &str) {
        match self.proto {
            Proto::Resp2 => self.bulk(digits.as_bytes()),
            Proto::Resp3 => self.line(b'(', digits.as_bytes()),
        }
    }

    /// Text for people, with its three-letter format (`txt`, `mkd`); a plain string in RESP2.
    pub fn verbatim(&mut self, ext: &str, bytes: &[u8]) {
        if self.proto == Proto::Resp2 {
            return self.bulk(bytes);
        }
        let mut format = [b' ', b' ', b' ', b':'];
        for (place, byte) in format.iter_mut().take(3).zip(ext.bytes()) {
            *place = byte;
        }
        self.header(b'=', bytes.len() + format.len());
        self.buf.extend_from_slice(&format);
        self.buf.extend_from_slice(bytes);
        self.crlf();
    }

    /// Bytes that are already in the protocol.
    #[inline]
    pub fn raw(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    /// Begins an array whose length [`Writer::finish`] tells.
    pub fn array_later(&mut self) -> Later {
        self.later(Kind::Array)
    }

    /// Begins a map whose number of pairs [`Writer::finish`] tells.
    pub fn map_later(&mut self) -> Later {
        self.later(Kind::Map)
    }

    /// Begins a set whose length [`Writer::finish`] tells.
    pub fn set_later(&mut self) -> Later {
        self.later(Kind::Set)
    }

    /// Begins a map whose pairs are arrays of two in RESP2, each begun by [`Writer::keyed`];
    /// [`Writer::finish`] tells how many there are.
    pub fn keyed_later(&mut self) -> Later {
        self.later(match self.proto {
            Proto::Resp2 => Kind::Array,
            Proto::Resp3 => Kind::Map,
        })
    }

    /// Begins one pair of what [`Writer::keyed_later`] began.
    pub fn keyed(&mut self) {
        if self.proto == Proto::Resp2 {
            self.array(2);
        }
    }

    /// Puts in the header of `n` values (pairs, for a map). Headers may be finished in any order,
    /// but before anything behind them is consumed. When a truncation or [`Writer::clear`] removes
    /// a ticket's place, drop the ticket.
    pub fn finish(&mut self, later: Later, n: usize) {
        let Some(open) = self.open.get_mut(later.0).and_then(Option::take) else {
            debug_assert!(false, "the place of this header is gone");
            return;
        };
        assert!(open.at >= self.head, "what stands behind the header was sent without it");
        let end = self.buf.len();
        self.aggregate(open.kind, n);
        if end - open.at <= MOVED_MAX {
            let len = self.buf.len() - end;
            self.buf[open.at..].rotate_right(len);
            for blob in self.blobs.iter_mut().skip(open.blobs) {
                blob.at += len;
            }
            for inner in self.open.iter_mut().skip(later.0 + 1).flatten() {
                inner.at += len;
            }
        } else {
            let bytes = Arc::new(self.buf.split_off(end));
            self.shared += bytes.len();
            self.blobs.insert(open.blobs, Blob { at: open.at, bytes });
            for inner in self.open.iter_mut().skip(later.0 + 1).flatten() {
                inner.blobs += 1;
            }
        }
        while let Some(None) = self.open.last() {
            self.open.pop();
        }
    }

    /// Bytes that are waiting, shared ones included.
    #[inline]
    pub fn len(&self) -> usize {
        self.buf.len() - self.head + self.shared
    }

    /// True if nothing is waiting.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All that waits, in one piece.
    pub fn into_bytes(self) -> Vec<u8> {
        if self.head == 0 && self.blobs.is_empty() {
            return self.buf;
        }
        self.chunks(0).collect::<Vec<_>>().concat()
    }

    /// Bytes that it takes: what waits, what was sent and is not given back, and room to grow.
    pub fn held(&self) -> usize {
        self.buf.capacity() + self.shared + self.blobs.capacity() * size_of::<Blob>()
    }

    /// Bytes that the buffer holds or could hold without growing.
    pub fn capacity(&self) -> usize {
        self.buf.capacity()
    }

    /// The present end. Valid until the next [`Writer::consume`] or [`Writer::clear`].
    pub fn mark(&self) -> Mark {
        Mark { at: self.buf.len(), blobs: self.blobs.len(), opened: self.open.len() }
    }

    /// What was written since the mark, as far as it was copied: shared payloads are missing.
    #[inline]
    pub fn since(&self, mark: Mark) -> &[u8] {
        self.buf.get(mark.at..).unwrap_or_default()
    }

    /// Takes back everything that was written since the mark.
    ///
    /// Headers begun before the mark must not have been finished since.
    pub fn truncate_to(&mut self, mark: Mark) {
        assert!(self.head <= mark.at && mark.at <= self.buf.len(), "the mark's place was sent");
        self.open.truncate(mark.opened);
        self.buf.truncate(mark.at);
        for blob in self.blobs.drain(mark.blobs.min(self.blobs.len())..) {
            self.shared -= blob.bytes.len();
        }
    }

    /// The waiting bytes in order as pieces for a vectored write, without the first `skip`.
    pub fn chunks(&self, skip: usize) -> Chunks<'_> {
        Chunks { writer: self, at: self.head, blob: 0, inside: self.blob_head, skip }
    }

    /// Adds all that another one holds.
    ///
    /// # Panics
    /// When some of it was sent, or lacks a header.
    pub fn append(&mut self, other: Writer) {
        assert!(other.head == 0 && other.blob_head == 0 && other.open.is_empty());
        let before = self.buf.len();
        self.buf.extend_from_slice(&other.buf);
        self.shared += other.shared;
        let moved = |blob: Blob| Blob { at: blob.at + before, ..blob };
        self.blobs.extend(other.blobs.into_iter().map(moved));
    }

    /// Drops the first `n` bytes, which have been sent.
    pub fn consume(&mut self, n: usize) {
        assert!(n <= self.len(), "more consumed than was waiting");
        if n == self.len() && self.open.is_empty() {
            return self.clear();
        }
        let mut left = n;
        while left > 0 {
            let stop = self.blobs.front().map_or(self.buf.len(), |blob| blob.at);
            let copied = left.min(stop - self.head);
            self.head += copied;
            left -= copied;
            let Some(blob) = self.blobs.front().filter(|_| left > 0) else { break };
            let sent = left.min(blob.bytes.len() - self.blob_head);
            self.blob_head += sent;
            self.shared -= sent;
            left -= sent;
            if self.blob_head == blob.bytes.len() {
                self.drop_first_blob();
            }
        }
        if self.head >= KEPT_CAPACITY && self.head >= self.buf.len() / 2 {
            self.compact();
        }
    }

    /// Drops everything, keeping [`KEPT_CAPACITY`] at most.
    pub fn clear(&mut self) {
        self.buf.clear();
        self.buf.shrink_to(KEPT_CAPACITY);
        self.blobs.clear();
        self.open.clear();
        (self.head, self.blob_head, self.shared) = (0, 0, 0);
    }

    fn drop_first_blob(&mut self) {
        self.blobs.pop_front();
        self.blob_head = 0;
        for open in self.open.iter_mut().flatten() {
            open.blobs = open.blobs.saturating_sub(1);
        }
    }

    /// Moves what is waiting to the buffer's beginning. Called once half of it is sent, so every
    /// byte is moved once on average at most.
    fn compact(&mut self) {
        let shift = std::mem::take(&mut self.head);
        self.buf.drain(..shift);
        for blob in &mut self.blobs {
            blob.at -= shift;
        }
        for open in self.open.iter_mut().flatten() {
            open.at = open.at.saturating_sub(shift);
        }
    }

    fn later(&mut self, kind: Kind) -> Later {
        self.open.push(Some(Open { at: self.buf.len(), blobs: self.blobs.len(), kind }));
        Later(self.open.len() - 1)
    }

    fn aggregate(&mut self, kind: Kind, n: usize) {
        match (self.proto, kind) {
            (_, Kind::Array) => self.header(b'*', n),
            (Proto::Resp2, Kind::Set | Kind::Push) => self.header(b'*', n),
            (Proto::Resp2, Kind::Map | Kind::Attribute) => self.header(b'*', n * 2),
            (Proto::Resp3, Kind::Map) => self.header(b'%', n),
            (Proto::Resp3, Kind::Set) => self.header(b'~', n),
            (Proto::Resp3, Kind::Push) => self.header(b'>', n),
            (Proto::Resp3, Kind::Attribute) => self.header(b'|', n),
        }
    }

    /// A type byte, a number and CRLF; numbers of one or two digits, the most common, by hand.
    #[inline(always)]
    #[allow(clippy::cast_possible_truncation)]
    fn header(&mut self, lead: u8, n: usize) {
        match n {
            0..10 => self.buf.extend_from_slice(&[lead, b'0' + n as u8, b'\r', b'\n']),
            10..100 => {
                let (tens, ones) = (b'0' + (n / 10) as u8, b'0' + (n % 10) as u8);
                self.buf.extend_from_slice(&[lead, tens, ones, b'\r', b'\n']);
            }
            _ => self.number(lead, n),
        }
    }

    fn number(&mut self, lead: u8, value: impl itoa::Integer) {
        self.buf.push(lead);
        self.buf.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
        self.crlf();
    }

    fn line(&mut self, lead: u8, text: &[u8]) {
        self.buf.reserve(text.len() + 3);
        self.buf.push(lead);
        let start = self.buf.len();
        self.buf.extend_from_slice(text);
        if memchr::memchr2(b'\r', b'\n', text).is_some() {
            for byte in self.buf[start..].iter_mut().filter(|byte| matches!(byte, b'\r' | b'\n')) {
                *byte = b' ';
            }
        }
        self.crlf();
    }

    #[inline(always)]
    fn crlf(&mut self) {
        self.buf.extend_from_slice(b"\r\n");
    }
}

/// The waiting bytes of a [`Writer`], piece by piece; no piece is empty.
pub struct Chunks<'a> {
    writer: &'a Writer,
    at: usize,
    blob: usize,
    /// Bytes of the blob that are sent.
    inside: usize,
    skip: usize,
}

impl<'a> Iterator for Chunks<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        loop {
            let blob = self.writer.blobs.get(self.blob);
            let stop = blob.map_or(self.writer.buf.len(), |blob| blob.at);
            let piece = if self.at < stop {
                &self.writer.buf[std::mem::replace(&mut self.at, stop)..stop]
            } else {
                self.blob += 1;
                &blob?.bytes[std::mem::take(&mut self.inside)..]
            };
            let skipped = self.skip.min(piece.len());
            self.skip -= skipped;
            if skipped < piece.len() {
                return Some(&piece[skipped..]);
            }
        }
    }
}

#[cfg(test)]
mod tests;
