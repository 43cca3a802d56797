//! A connection: bytes in, bytes out. It knows the protocol and the session, and nothing of
//! commands: whole requests go to `dispatch`.
//!
//! Between requests a connection holds no buffer: it reads into its worker's, and keeps only what
//! an incomplete request leaves behind. Invariant: `cursor` and `partial` belong to the request
//! that begins at the first byte of `input`.

use std::io::{self, IoSlice, Read, Write};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use mio::event::Source;
use mio::net::{TcpStream, UnixStream};
use mio::{Interest, Registry, Token};
use resp::{Limits, Parser, Proto, Span, Writer};

use crate::registry::Client;
use crate::session::{Session, State};

/// Most chunks of one write call.
const CHUNKS_MAX: usize = 64;

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

/// See the module's text.
pub struct Conn {
    /// The socket.
    pub stream: Stream,
    /// Its token at the worker's poller.
    pub token: usize,
    /// The session.
    pub session: Session,
    /// Replies on their way.
    pub out: Writer,
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
    /// What the request parser looks at.
    pub limits: Limits,
    /// Whether a whole request with a big argument waits in `partial`.
    pub big_waits: bool,
    /// Whether the poller tells when the socket can be written.
    pub wants_write: bool,
    /// Since when the output is over its soft limit, Unix milliseconds.
    pub over_soft_since: Option<i64>,
    /// The largest query in the recent past, for shrinking the buffer.
    pub query_peak: usize,
    /// The largest reply in the recent past, and when it was last looked at.
    pub reply_peak: usize,
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

impl Conn {
    /// A connection for an accepted socket.
    pub fn new(stream: Stream, token: usize, session: Session) -> Self {
        Self {
            stream,
            token,
            session,
            out: Writer::new(Proto::Resp2),
            parser: Parser::new(),
            partial: Vec::new(),
            cursor: 0,
            input: Vec::new(),
            big: None,
            apart: Vec::new(),
            limits: Limits::default(),
            big_waits: false,
            wants_write: false,
            over_soft_since: None,
            query_peak: 0,
            reply_peak: 0,
        }
    }

    /// What others may know of it.
    pub fn client(&self) -> &Client {
        &self.session.client
    }

    /// Whether nothing of it waits: no incomplete request, and no reason to leave its input alone.
    pub fn is_fresh(&self) -> bool {
        let waits = State::HELD.with(State::BLOCKED).with(State::CLOSING);
        self.input.is_empty() && self.big.is_none() && !self.session.state.any(waits)
    }

    /// Reads once into `buf`.
    pub fn read(&mut self, buf: &mut [u8]) -> Got {
        loop {
            return match self.stream.read(buf) {
                Ok(0) => Got::End,
                Ok(count) => Got::Bytes(count),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => Got::Nothing,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => {
                    log::debug!("Reading from client: {error}");
                    Got::End
                }
            };
        }
    }

    /// Reads once behind what `input` holds, whose room for it is made first.
    pub fn read_input(&mut self, room: usize) -> Got {
        let mut input = std::mem::take(&mut self.input);
        let old = input.len();
        input.resize(old + room, 0);
        let got = self.read(&mut input[old..]);
        input.truncate(if let Got::Bytes(count) = got { old + count } else { old });
        self.input = input;
        got
    }

    /// Begins a big argument of `len` bytes, of which `head`, less than all of it and its line
    /// end, has arrived.
    pub fn begin_big(&mut self, len: usize, head: &[u8]) {
        let mut bytes = Vec::with_capacity(len + 2);
        bytes.extend_from_slice(head);
        self.big = Some(Big { bytes, len: len + 2 });
    }

    /// Reads once into the big argument; true in the second place when it is complete and has
    /// been put with the arguments kept apart.
    pub fn read_big(&mut self) -> (Got, bool) {
        let Some(mut big) = self.big.take() else { return (Got::Nothing, false) };
        let mut got = Got::Bytes(0);
        if big.bytes.len() < big.len {
            let old = big.bytes.len();
            let room = (big.len - old).min(1 << 20);
            big.bytes.resize(old + room, 0);
            got = self.read(&mut big.bytes[old..]);
            big.bytes.truncate(if let Got::Bytes(count) = got { old + count } else { old });
        }
        self.client().argv.store(big.bytes.len() as u64, Ordering::Relaxed);
        let complete = big.bytes.len() == big.len;
        if complete {
            big.bytes.truncate(big.len - 2);
            self.partial.push(Span::owned(self.apart.len() as u32));
            self.apart.push(Arc::new(big.bytes));
        } else {
            self.big = Some(big);
        }
        (got, complete)
    }

    /// Writes what the socket takes. False when the connection is broken.
    pub fn flush(&mut self, writes: &mut u64, sent: &mut u64) -> bool {
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
                    self.client().bytes_out.fetch_add(written as u64, Ordering::Relaxed);
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
