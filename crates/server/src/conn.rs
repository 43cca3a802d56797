//! A connection: bytes in, bytes out. It knows the protocol and the session, and nothing of
//! commands: whole requests go to `dispatch`.
//!
//! Between requests a connection holds no buffer: it reads into its worker's, and keeps only what
//! an incomplete request leaves behind. Invariant: `cursor` and `partial` belong to the request
//! that begins at the first byte of `input`.

use std::io::{self, IoSlice, Read, Write};
use std::os::fd::{AsRawFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};
use resp::{Parser, Proto, Span, Writer};
use rustix::buffer::spare_capacity;
use rustix::io::Errno;
use table::prefetch_two;

use crate::felt::Sample;
use crate::registry::Client;
use crate::session::{Session, State};
use crate::sys::arrival;

/// Most chunks of one write call.
const CHUNKS_MAX: usize = 64;

/// Room for a big argument beyond what has arrived of it.
const BIG_ROOM: usize = 1 << 20;
/// Unused room in a query buffer that is worth giving back.
const WASTED_MIN: usize = 4 << 10;
/// A query buffer of a busy connection keeps this much.
const SHRUNK_MIN: usize = 32 << 10;
/// Seconds without input after which a query buffer keeps nothing.
const IDLE_SECONDS: i64 = 2;
/// The bounds of the size of a reply buffer.
const REPLY_MIN: usize = 1 << 10;
pub const REPLY_MAX: usize = 16 << 10;

/// A client's socket.
pub enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a unix socket.
    Unix(UnixStream),
}

impl Stream {
    /// The source to register with a poller.
    pub fn source(&mut self) -> &mut dyn Source {
        match self {
            Self::Tcp(stream) => stream,
            Self::Unix(stream) => stream,
        }
    }

    /// Its descriptor.
    pub fn as_raw_fd(&self) -> RawFd {
        match self {
            Self::Tcp(stream) => stream.as_raw_fd(),
            Self::Unix(stream) => stream.as_raw_fd(),
        }
    }

    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buf),
            Self::Unix(stream) => stream.read(buf),
        }
    }

    fn write(&mut self, chunks: &[IoSlice<'_>]) -> io::Result<usize> {
        match (self, chunks) {
            (Self::Tcp(stream), [one]) => stream.write(one),
            (Self::Unix(stream), [one]) => stream.write(one),
            (Self::Tcp(stream), many) => stream.write_vectored(many),
            (Self::Unix(stream), many) => stream.write_vectored(many),
        }
    }
}

/// A big argument on its way from the socket into its final place.
pub struct Big {
    /// What has arrived, line end included.
    bytes: Vec<u8>,
    /// How long it will be, line end included.
    len: usize,
}

/// See the module's text. What handing a message out looks at comes first and side by side: with
/// many subscribers every line of it comes from memory.
#[repr(C, align(64))]
pub struct Conn {
    /// The socket.
    pub stream: Stream,
    /// Its place among those that are about to be sent messages.
    pub parcel: Option<u32>,
    /// Replies on their way.
    pub out: Writer,
    /// The session.
    pub session: Session,
    /// Its token at the worker's poller.
    pub token: usize,
    /// The parser of requests.
    pub parser: Parser,
    /// Spans of the incomplete request's arguments.
    pub partial: Vec<Span>,
    /// How far the incomplete request has been parsed.
    pub cursor: usize,
    /// Bytes that no request has taken yet.
    pub input: Vec<u8>,
    /// A big argument that is being read.
    pub big: Option<Big>,
    /// Arguments of the present requests that are kept apart.
    pub apart: Vec<Arc<Vec<u8>>>,
    /// Bytes of the input that belong to a whole request, whose arguments are in `partial`.
    pub waits: Option<usize>,
    /// Whether the poller said that the peer sends no more; there may still be something to read.
    pub read_closed: bool,
    /// Whether everything that the peer will ever send was read.
    pub ended: bool,
    /// Whether it was closed for writing, and only waits for the peer to close as well.
    pub lingers: bool,
    /// Whether the poller tells when the socket can be written.
    pub wants_write: bool,
    /// Since when the output is over its soft limit, Unix milliseconds.
    pub over_soft_since: Option<i64>,
    /// The largest query in the recent past, for shrinking the buffer.
    pub query_peak: usize,
    /// The reply buffer it gets while it is served, as others see it.
    pub reply: ReplySize,
    /// What was read from it and is followed until its replies are sent.
    pub sample: Option<Box<Sample>>,
}

/// The size that a connection's reply buffer should have by what was replied lately. The buffer
/// itself is its worker's, and has that size at least.
pub struct ReplySize {
    /// Bytes.
    size: usize,
    /// The most that was used of it since `peak_since_ms`.
    peak: usize,
    peak_since_ms: i64,
}

/// What came of reading.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Got {
    /// So many bytes.
    Bytes(usize),
    /// Nothing more for now.
    Nothing,
    /// The peer is gone.
    End,
}

/// How far a big argument has come.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrived {
    /// Some of it is missing.
    Part,
    /// It is there.
    Whole,
    /// It does not end as it should.
    Broken,
}

impl ReplySize {
    /// Brings the size nearer to what is needed: half while less was used, double while all was.
    /// `peak_reset_ms` is how long a peak counts; negative is for ever.
    pub fn adjust(&mut self, waiting: usize, now_ms: i64, peak_reset_ms: i64) {
        let old = self.size;
        if old / 2 >= REPLY_MIN && self.peak < old / 2 {
            self.size = REPLY_MIN.max(self.peak + 1);
        } else if old * 2 < REPLY_MAX * 2 && self.peak == old {
            self.size = REPLY_MAX.min(old * 2);
        }
        if peak_reset_ms >= 0 && now_ms - self.peak_since_ms >= peak_reset_ms {
            self.peak = waiting.min(self.size);
            self.peak_since_ms = now_ms;
        }
    }
}

impl Conn {
    /// A connection for an accepted socket.
    pub fn new(stream: Stream, token: usize, session: Session) -> Self {
        Self {
            stream,
            parcel: None,
            out: Writer::new(Proto::Resp2),
            session,
            token,
            parser: Parser::new(),
            partial: Vec::new(),
            cursor: 0,
            input: Vec::new(),
            big: None,
            apart: Vec::new(),
            waits: None,
            read_closed: false,
            ended: false,
            lingers: false,
            wants_write: false,
            over_soft_since: None,
            query_peak: 0,
            reply: ReplySize { size: REPLY_MAX, peak: 0, peak_since_ms: 0 },
            sample: None,
        }
    }

    /// What others may know of it.
    pub fn client(&self) -> &Client {
        &self.session.client
    }

    /// Asks the processor for what handing a message out looks at.
    #[inline]
    pub fn prefetch(&self) {
        prefetch_two((&raw const *self).cast());
        prefetch_two((&raw const self.session).cast());
    }

    /// Whether nothing of it waits: no incomplete request, and no reason to leave its input alone.
    pub fn is_fresh(&self) -> bool {
        let waits = State::HELD.with(State::BLOCKED).with(State::CLOSING);
        self.input.is_empty() && self.big.is_none() && !self.session.state.any(waits) && !self.ended
    }

    /// Reads once into `buf`.
    pub fn read(&mut self, buf: &mut [u8]) -> Got {
        loop {
            let result = self.stream.read(buf);
            if !matches!(&result, Err(error) if error.kind() == io::ErrorKind::Interrupted) {
                return self.got(result);
            }
        }
    }

    /// As [`Self::read`]; tells also in Unix nanoseconds when it arrived, if the kernel knows.
    pub fn read_stamped(&mut self, buf: &mut [u8]) -> (Got, Option<i64>) {
        loop {
            let (result, arrived) = arrival::read(self.stream.as_raw_fd(), buf);
            if !matches!(&result, Err(error) if error.kind() == io::ErrorKind::Interrupted) {
                return (self.got(result), arrived);
            }
        }
    }

    /// What a read came to, counted.
    fn got(&mut self, result: io::Result<usize>) -> Got {
        match result {
            Ok(count) if count > 0 => {
                Client::count(&self.client().bytes_in, count as u64);
                return Got::Bytes(count);
            }
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.read_closed = false;
                return Got::Nothing;
            }
            Ok(_) => {}
            Err(error) => log::debug!("Reading from client: {error}"),
        }
        self.ended = true;
        Got::End
    }

    /// Reads once behind what `bytes` holds, into the room that it has there.
    fn read_behind(&mut self, bytes: &mut Vec<u8>) -> Got {
        loop {
            let result = match &self.stream {
                Stream::Tcp(stream) => rustix::io::read(stream, spare_capacity(bytes)),
                Stream::Unix(stream) => rustix::io::read(stream, spare_capacity(bytes)),
            };
            if result != Err(Errno::INTR) {
                return self.got(result.map_err(io::Error::from));
            }
        }
    }

    /// Reads once behind what `input` holds, where at least `room` bytes fit then.
    pub fn read_input(&mut self, room: usize) -> Got {
        let mut input = std::mem::take(&mut self.input);
        input.reserve(room);
        let got = self.read_behind(&mut input);
        self.query_peak = self.query_peak.max(input.len());
        self.input = input;
        got
    }

    /// Begins a big argument of `len` bytes, of which `head`, less than all of it and its line
    /// end, has arrived.
    pub fn begin_big(&mut self, len: usize, head: &[u8]) {
        let len = len + 2;
        let mut bytes = Vec::with_capacity(len.min(BIG_ROOM.max(head.len() * 2)));
        bytes.extend_from_slice(head);
        self.big = Some(Big { bytes, len });
    }

    /// Reads once into the big argument, which is put with the arguments kept apart when it is
    /// whole; what was read beyond it goes to the input. Room for it grows with what has arrived:
    /// a length that was merely announced costs the server little.
    pub fn read_big(&mut self) -> (Got, Arrived) {
        let Some(mut big) = self.big.take() else { return (Got::Nothing, Arrived::Part) };
        if big.bytes.len() == big.bytes.capacity() {
            let room = big.bytes.len().max(BIG_ROOM);
            big.bytes.reserve_exact(room.min(big.len - big.bytes.len()));
        }
        let got = self.read_behind(&mut big.bytes);
        if big.bytes.len() < big.len {
            self.big = Some(big);
            return (got, Arrived::Part);
        }
        self.input.extend_from_slice(&big.bytes[big.len..]);
        big.bytes.truncate(big.len);
        if !big.bytes.ends_with(b"\r\n") {
            return (got, Arrived::Broken);
        }
        big.bytes.truncate(big.len - 2);
        self.partial.push(Span::owned(self.apart.len() as u32));
        self.apart.push(Arc::new(big.bytes));
        (got, Arrived::Whole)
    }

    /// Bytes of requests that are not whole yet.
    pub fn pending_input(&self) -> usize {
        self.input.len() + self.big.as_ref().map_or(0, |big| big.bytes.len())
    }

    /// Gives back room that the recent past did not need, the more the longer nothing came.
    pub fn shrink_input(&mut self, idle_seconds: i64) {
        if self.input.capacity() - self.input.len() > WASTED_MIN {
            if idle_seconds > IDLE_SECONDS {
                self.input.shrink_to_fit();
            } else if self.input.capacity() > SHRUNK_MIN
                && self.input.capacity() / 2 > self.query_peak
            {
                self.input.shrink_to(self.query_peak);
            }
        }
        if let Some(big) = &mut self.big
            && idle_seconds > IDLE_SECONDS
        {
            big.bytes.shrink_to_fit();
        }
        self.query_peak = self.input.len();
    }

    /// Tells others how its buffers are.
    pub fn publish(&self) {
        let client = self.client();
        let put = |place: &AtomicU64, value: usize| place.store(value as u64, Ordering::Relaxed);
        let big = self.big.as_ref().map_or(0, |big| big.bytes.capacity());
        // In front of a big argument there are only the others, which count as such.
        let query = self.big.as_ref().map_or(self.input.len(), |big| big.bytes.len());
        put(&client.query, query);
        put(&client.query_free, self.input.capacity() + big - query);
        let length = |span: &Span| match span.as_owned() {
            Some(at) => self.apart.get(at as usize).map_or(0, |arg| arg.len()),
            None => span.len as usize,
        };
        put(&client.argv, self.partial.iter().map(length).sum());
        put(&client.output, self.out.len());
        put(&client.output_free, self.out.held() - self.out.len());
        put(&client.reply_buffer, self.reply.size);
        put(&client.reply_peak, self.reply.peak);
    }

    /// Writes what the socket takes. False when the connection is broken.
    pub fn flush(&mut self, writes: &mut u64, sent: &mut u64) -> bool {
        self.reply.peak = self.reply.peak.max(self.out.len().min(self.reply.size));
        while !self.out.is_empty() {
            let mut chunks = [IoSlice::new(&[]); CHUNKS_MAX];
            let mut count = 0;
            for (slot, chunk) in chunks.iter_mut().zip(self.out.chunks(0)) {
                *slot = IoSlice::new(chunk);
                count += 1;
            }
            *writes += 1;
            match self.stream.write(&chunks[..count]) {
                Ok(0) => return false,
                Ok(written) => {
                    *sent += written as u64;
                    Client::count(&self.client().bytes_out, written as u64);
                    self.out.consume(written);
                }
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return true,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    log::debug!("Error writing to client: {error}");
                    return false;
                }
            }
        }
        true
    }

    /// Sends bytes from where they are, to a connection without output; returns how many went. An
    /// error is left to [`Self::flush`], which meets it again with the rest.
    pub fn send(&mut self, bytes: &[u8]) -> usize {
        let sent = self.stream.write(&[IoSlice::new(bytes)]).unwrap_or(0);
        Client::count(&self.client().bytes_out, sent as u64);
        sent
    }

    /// Tells the peer that nothing follows.
    pub fn shut_down(&self) {
        let how = std::net::Shutdown::Write;
        let done = match &self.stream {
            Stream::Tcp(stream) => stream.shutdown(how),
            Stream::Unix(stream) => stream.shutdown(how),
        };
        if let Err(error) = done {
            log::debug!("Shutting a client's socket down: {error}");
        }
    }

    /// Asks the poller to tell when the socket can be written, or no longer.
    pub fn watch_write(&mut self, registry: &Registry, on: bool) -> io::Result<()> {
        if self.wants_write == on {
            return Ok(());
        }
        self.wants_write = on;
        let interest =
            if on { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        registry.reregister(self.stream.source(), Token(self.token), interest)
    }
}
