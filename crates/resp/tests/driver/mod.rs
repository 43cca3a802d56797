//! A connection's part in request parsing, for tests and fuzz targets: it keeps the query buffer,
//! takes over big arguments, moves the buffer's contents, and records what was found.

use resp::{Limits, Parser, ProtocolError, Span, Step, inline, rebase};

/// One thing that a client sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Event {
    Command(Vec<Vec<u8>>),
    Inline(Vec<Vec<u8>>),
    Empty,
    Error(ProtocolError),
}

/// A connection that parses whatever it is fed.
pub(crate) struct Connection {
    limits: Limits,
    parser: Parser,
    buf: Vec<u8>,
    cursor: usize,
    args: Vec<Span>,
    owned: Vec<Vec<u8>>,
    /// Bytes that the last owned argument lacks, its CRLF included.
    missing: usize,
    pub(crate) events: Vec<Event>,
}

impl Connection {
    pub(crate) fn new(limits: Limits) -> Connection {
        Connection {
            limits,
            parser: Parser::new(),
            buf: Vec::new(),
            cursor: 0,
            args: Vec::new(),
            owned: Vec::new(),
            missing: 0,
            events: Vec::new(),
        }
    }

    /// Everything that `input` holds when it arrives in pieces of the given lengths (the last one
    /// repeats).
    pub(crate) fn run(input: &[u8], pieces: &[usize], limits: Limits) -> Vec<Event> {
        let mut connection = Connection::new(limits);
        let mut rest = input;
        let mut lengths = pieces.iter().copied();
        let mut length = rest.len();
        while !rest.is_empty() && !connection.failed() {
            length = lengths.next().unwrap_or(length).clamp(1, rest.len());
            let (piece, tail) = rest.split_at(length);
            connection.feed(piece);
            rest = tail;
        }
        connection.events
    }

    pub(crate) fn failed(&self) -> bool {
        matches!(self.events.last(), Some(Event::Error(_)))
    }

    /// True if nothing is left over: no begun command, no unread byte.
    pub(crate) fn is_idle(&self) -> bool {
        self.parser.is_idle() && self.cursor == self.buf.len() && self.args.is_empty()
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) {
        let taken = self.missing.min(bytes.len());
        if taken > 0 {
            self.take_over(&bytes[..taken]);
        }
        self.buf.extend_from_slice(&bytes[taken..]);
        while self.missing == 0 && !self.failed() && self.step() {}
        self.compact();
    }

    /// False: more bytes are needed.
    fn step(&mut self) -> bool {
        let before = self.args.len();
        let step = self.parser.next(&self.buf, &mut self.cursor, &mut self.args, &self.limits);
        assert!(self.cursor <= self.buf.len());
        assert!(self.args.len() >= before);
        match step {
            Err(error) => self.events.push(Event::Error(error)),
            Ok(Step::Command) => self.command(),
            Ok(Step::Empty) => self.events.push(Event::Empty),
            Ok(Step::Incomplete) => return false,
            Ok(Step::Inline { start, end }) => {
                self.events.push(match inline::split(&self.buf[start..end]) {
                    Ok(args) => Event::Inline(args),
                    Err(error) => Event::Error(error),
                });
            }
            Ok(Step::Big { len }) => {
                assert!(len >= self.limits.big_min);
                let index = u32::try_from(self.owned.len()).expect("few arguments");
                self.args.push(Span::owned(index));
                self.owned.push(Vec::new());
                self.missing = len + 2;
                let there = self.buf.split_off(self.cursor);
                assert!(there.len() < self.missing);
                self.take_over(&there);
            }
        }
        true
    }

    fn take_over(&mut self, bytes: &[u8]) {
        let arg = self.owned.last_mut().expect("one is being taken over");
        arg.extend_from_slice(bytes);
        self.missing -= bytes.len();
        if self.missing > 0 {
            return;
        }
        if !arg.ends_with(b"\r\n") {
            return self.events.push(Event::Error(ProtocolError::Crlf));
        }
        arg.truncate(arg.len() - 2);
        if self.parser.big_done() {
            self.command();
        }
    }

    fn command(&mut self) {
        assert!(self.parser.is_idle());
        let args = self.args.drain(..).map(|span| match span.as_owned() {
            Some(index) => self.owned[index as usize].clone(),
            None => self.buf[span.range()].to_vec(),
        });
        self.events.push(Event::Command(args.collect()));
        self.owned.clear();
    }

    /// Drops what is parsed, as a server does between reads.
    fn compact(&mut self) {
        let first = self.args.iter().find(|span| span.as_owned().is_none());
        let shift = first.map_or(self.cursor, |span| span.start as usize).min(self.cursor);
        self.buf.drain(..shift);
        self.cursor -= shift;
        rebase(&mut self.args, u32::try_from(shift).expect("a small buffer"));
    }
}
