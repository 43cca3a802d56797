//! The commands of a log, one after the other, and how the log ends.
//!
//! A log is a row of commands as clients send them, and of notes, lines that begin with `#`. What
//! stops in the middle of a command is the end of what was being written when the machine stopped,
//! and so are zeros up to the end; anything else that makes no sense is damage. A transaction
//! counts as one command here.
//!
//! Invariants: room is taken for bytes that are there, never for a length that is announced; what
//! was returned last stays in place until the next call; nothing is read behind the first fault but
//! to tell whether zeros follow.

use std::ops::Range;

use super::error::{Damage, Error, Fault};
use crate::rdb::Peek;

#[cfg(test)]
mod tests;

/// A number with its line end takes no more bytes than this.
const NUMBER_MAX: usize = 24;
/// The bytes of a note, with its end.
const NOTE_MAX: usize = 1024;
/// Arguments of one command.
const COUNT_MAX: u64 = i32::MAX as u64;
/// How far behind a length that reaches over the end of the file it is looked whether another
/// length was meant.
const PROBED: u64 = 64 << 20;

/// How a log ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Tail {
    /// With a whole command.
    Whole,
    /// In the middle of a command.
    Torn,
    /// With zeros in place of what was to be written.
    Zeros,
    /// With whole commands of a transaction that has no EXEC.
    Open,
}

/// The end of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct End {
    /// How it ends.
    pub tail: Tail,
    /// The bytes up to the end of the last whole command outside of an unfinished transaction.
    pub keep: u64,
    /// The bytes of the file.
    pub size: u64,
    /// Where the line or the argument begins that is not whole, when the log is torn.
    pub element: u64,
    /// The bytes that the argument should have there, its line end among them; 0 for a line.
    pub wanted: u64,
    /// Where the MULTI of an unfinished transaction begins. Its commands were returned already.
    pub multi: Option<u64>,
}

impl End {
    /// The bytes that are to be cut off, 0 when the log is whole.
    pub fn cut(&self) -> u64 {
        self.size.saturating_sub(self.keep)
    }
}

/// What stands in a log.
#[derive(Clone, Copy, Debug)]
pub enum Record<'a> {
    /// A command.
    Command(Command<'a>),
    /// A note without its line end, such as `#TS:1700000000`.
    Note {
        /// Where it begins.
        at: u64,
        /// The line, its `#` included.
        text: &'a [u8],
    },
}

/// A command of a log.
#[derive(Clone, Copy, Debug)]
pub struct Command<'a> {
    /// Where it begins.
    pub at: u64,
    /// Where it ends.
    pub end: u64,
    /// Whether it is part of a transaction; MULTI and EXEC are too.
    pub in_transaction: bool,
    bytes: &'a [u8],
    spans: &'a [Range<usize>],
}

impl<'a> Command<'a> {
    /// Its name; there is always one.
    pub fn name(&self) -> &'a [u8] {
        self.args().next().unwrap_or_default()
    }

    /// Its arguments, the name among them.
    pub fn args(&self) -> impl ExactSizeIterator<Item = &'a [u8]> + use<'a> {
        let bytes = self.bytes;
        self.spans.iter().map(|span| &bytes[span.clone()])
    }

    /// The bytes as they stand in the file.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }
}

/// Reads a log.
pub struct Log<S> {
    source: S,
    /// Where the arguments of the last command stand, from its first byte on.
    spans: Vec<Range<usize>>,
    keep: u64,
    multi: Option<u64>,
    tail: Tail,
    /// What is not whole: where it begins and how long it should be.
    missing: (u64, u64),
    /// Line ends that were passed, but for those of notes.
    lines: u64,
}

/// What was found at the place of a record, by its length.
enum Shape {
    Command(usize),
    Note(usize),
}

/// Why there is no record.
enum Stop {
    /// The file ends in front of it.
    End,
    /// The file ends within it: in the element that begins there and wants so many bytes.
    Torn(usize, u64),
    /// This many bytes behind its beginning stands a wrong byte, in an element that begins there.
    Wrong {
        at: usize,
        element: usize,
        fault: Fault,
    },
    Io(std::io::Error),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Io(error)
    }
}

fn wrong<T>(element: usize, at: usize, fault: Fault) -> Result<T, Stop> {
    Err(Stop::Wrong { at: element + at, element, fault })
}

impl<S: Peek> Log<S> {
    /// Reads on from where `source` stands, which is the first command.
    pub fn new(source: S) -> Self {
        let keep = source.position();
        Self {
            source,
            spans: Vec::new(),
            keep,
            multi: None,
            tail: Tail::Whole,
            missing: (0, 0),
            lines: 0,
        }
    }

    /// The next command or note; none at the end, which [`Log::end`] describes.
    pub fn next_record(&mut self) -> Result<Option<Record<'_>>, Error> {
        let at = self.source.position();
        let stop = match self.shape() {
            Ok(Shape::Note(len)) => return self.note(at, len),
            Ok(Shape::Command(len)) => match self.track(at) {
                Ok(in_transaction) => return self.command(at, len, in_transaction),
                Err(stop) => stop,
            },
            Err(stop) => stop,
        };
        match stop {
            Stop::End if self.multi.is_some() => self.tail = Tail::Open,
            Stop::End => {}
            Stop::Torn(element, wanted) => {
                self.missing = (at + element as u64, wanted);
                self.tail = Tail::Torn;
            }
            Stop::Wrong { at: byte, element, fault } => {
                let from = at + byte as u64;
                if !self.is_zero_to_the_end(byte)? {
                    let element = at + element as u64;
                    return Err(Error::Damaged(Damage { at: from, element, command: at, fault }));
                }
                self.tail = Tail::Zeros;
            }
            Stop::Io(error) => return Err(Error::Io(error)),
        }
        Ok(None)
    }

    /// How the log ends, once there is no record any more. After damage it says how far the log is
    /// in order.
    pub fn end(&self) -> End {
        let Self { tail, keep, multi, missing: (element, wanted), .. } = *self;
        End { tail, keep, size: self.source.size(), element, wanted, multi }
    }

    /// The number of the line, from 1, that was reached; lines of notes do not count.
    pub fn line(&self) -> u64 {
        self.lines + 1
    }

    /// How far it is read, in bytes.
    pub fn position(&self) -> u64 {
        self.source.position()
    }

    fn note(&mut self, at: u64, len: usize) -> Result<Option<Record<'_>>, Error> {
        self.advance(len)?;
        if self.multi.is_none() {
            self.keep = self.source.position();
        }
        let line = self.source.taken();
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        Ok(Some(Record::Note { at, text: line.strip_suffix(b"\r").unwrap_or(line) }))
    }

    fn command(
        &mut self,
        at: u64,
        len: usize,
        in_transaction: bool,
    ) -> Result<Option<Record<'_>>, Error> {
        self.advance(len)?;
        let end = self.source.position();
        if self.multi.is_none() {
            self.keep = end;
        }
        let (bytes, spans) = (self.source.taken(), &self.spans[..]);
        Ok(Some(Record::Command(Command { at, end, in_transaction, bytes, spans })))
    }

    /// Moves over bytes that are there.
    fn advance(&mut self, len: usize) -> Result<(), Error> {
        self.source.take(len).map_err(|error| match error {
            crate::rdb::Error::Io(error) => Error::Io(error),
            error => Error::Io(std::io::Error::other(error)),
        })
    }

    /// Follows transactions; whether the command that was just measured is part of one.
    fn track(&mut self, at: u64) -> Result<bool, Stop> {
        let name = &self.source.ahead()[self.spans[0].clone()];
        let was_open = self.multi.is_some();
        if name.eq_ignore_ascii_case(b"MULTI") {
            if was_open {
                return wrong(0, 0, Fault::Nested);
            }
            self.multi = Some(at);
        } else if name.eq_ignore_ascii_case(b"EXEC") {
            if !was_open {
                return wrong(0, 0, Fault::Stray);
            }
            self.multi = None;
        }
        Ok(was_open || self.multi.is_some())
    }

    /// Measures what stands ahead.
    fn shape(&mut self) -> Result<Shape, Stop> {
        if !self.has(1)? {
            return Err(Stop::End);
        }
        match self.source.ahead()[0] {
            b'*' => self.measure_command().map(Shape::Command),
            b'#' => self.measure_note().map(Shape::Note),
            other => wrong(0, 0, Fault::Start(other)),
        }
    }

    /// Brings `len` bytes ahead; whether there are so many.
    fn has(&mut self, len: usize) -> Result<bool, Stop> {
        while self.source.ahead().len() < len {
            if !self.source.more()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn measure_note(&mut self) -> Result<usize, Stop> {
        let mut len = 2;
        while self.has(len)? {
            let ahead = self.source.ahead();
            match ahead[len - 1] {
                b'\n' => return Ok(len),
                other if ahead[len - 2] == b'\r' => {
                    return wrong(0, len - 1, Fault::LineEnd([b'\r', other]));
                }
                // A note is text: where zeros begin the disk wrote nothing.
                0 => return wrong(0, len - 1, Fault::Note),
                _ if len == NOTE_MAX => return wrong(0, len - 1, Fault::Note),
                _ => len += 1,
            }
        }
        Err(Stop::Torn(0, 0))
    }

    fn measure_command(&mut self) -> Result<usize, Stop> {
        self.spans.clear();
        let (count, mut at) = self.number(0)?;
        if count == 0 || count > COUNT_MAX {
            return wrong(0, 1, Fault::Range);
        }
        for left in (0..count).rev() {
            if !self.has(at + 1)? {
                return Err(Stop::Torn(at, 0));
            }
            let first = self.source.ahead()[at];
            if first != b'$' {
                return wrong(at, 0, Fault::Dollar(first));
            }
            let (len, start) = self.number(at)?;
            at = self.payload(at, start, len, left)?;
        }
        Ok(at)
    }

    /// The number of the line that begins at `start`, behind its first byte, and where the line
    /// ends.
    fn number(&mut self, start: usize) -> Result<(u64, usize), Stop> {
        loop {
            match number_line(&self.source.ahead()[start..]) {
                Line::Whole(number, len) => {
                    self.lines += 1;
                    return Ok((number, start + len));
                }
                Line::Wrong(at, fault) => return wrong(start, at, fault),
                Line::Short if !self.source.more()? => return Err(Stop::Torn(start, 0)),
                Line::Short => {}
            }
        }
    }

    /// Moves over an argument of `len` bytes at `start`, `left` more of which follow; where the
    /// next one begins. Its line begins at `line`.
    fn payload(&mut self, line: usize, start: usize, len: u64, left: u64) -> Result<usize, Stop> {
        let torn = Stop::Torn(start, len.saturating_add(2));
        let rest = self.source.size().saturating_sub(self.source.position() + start as u64);
        if len.saturating_add(2) > rest {
            if self.is_another_length_meant(start, len, rest, left)? {
                return wrong(line, 1, Fault::Length(len));
            }
            // The first byte of the line end may be there, and wrong.
            if len < rest && self.has(start + len as usize + 1)? {
                let end = start + len as usize;
                match self.source.ahead()[end] {
                    b'\r' => {}
                    other => return wrong(start, end - start, Fault::LineEnd([other, 0])),
                }
            }
            return Err(torn);
        }
        let end = start + len as usize;
        if !self.has(end + 2)? {
            return Err(torn);
        }
        match self.source.ahead()[end..] {
            [b'\r', b'\n', ..] => {}
            [one, two, ..] => {
                let at = end - start + usize::from(one == b'\r');
                return wrong(start, at, Fault::LineEnd([one, two]));
            }
            _ => return Err(torn),
        }
        self.lines += 1;
        self.spans.push(start..end);
        Ok(end + 2)
    }

    /// Whether a length that reaches behind the end of the file is a wrong one: with one digit
    /// changed, the argument would end where a line ends and something whole follows. Without this
    /// look one wrong byte in the middle of a log would pass for its torn end.
    fn is_another_length_meant(
        &mut self,
        start: usize,
        len: u64,
        rest: u64,
        left: u64,
    ) -> Result<bool, Stop> {
        let mut scale = 1;
        while scale <= len {
            let digit = len / scale % 10;
            for other in 0..10 {
                let meant = len - digit * scale + other * scale;
                if other == digit || meant.saturating_add(2) > rest.min(PROBED) {
                    continue;
                }
                let end = start + meant as usize;
                self.has(end + 2 + NUMBER_MAX)?;
                let ahead = self.source.ahead().get(end..).unwrap_or_default();
                if let Some(next) = ahead.strip_prefix(b"\r\n")
                    && follows(next, left)
                {
                    return Ok(true);
                }
            }
            scale = scale.saturating_mul(10);
        }
        Ok(false)
    }

    /// Whether there are only zeros from `at` on.
    fn is_zero_to_the_end(&mut self, mut at: usize) -> Result<bool, Error> {
        loop {
            let ahead = self.source.ahead();
            if ahead[at.min(ahead.len())..].iter().any(|byte| *byte != 0) {
                return Ok(false);
            }
            let len = ahead.len();
            at = at.saturating_sub(len);
            self.advance(len)?;
            if !self.source.more()? {
                return Ok(true);
            }
        }
    }
}

/// Whether an argument that ends in front of `next` is whole: another one begins there, or behind
/// the last one a command or a note. The end of the file says nothing.
fn follows(next: &[u8], left: u64) -> bool {
    match next.first() {
        Some(b'#') => left == 0 && next.starts_with(b"#TS:"),
        Some(b'*') => left == 0 && matches!(number_line(next), Line::Whole(..)),
        Some(b'$') => left > 0 && matches!(number_line(next), Line::Whole(..)),
        _ => false,
    }
}

/// What a line with a number is.
enum Line {
    /// The number, and the bytes of the line.
    Whole(u64, usize),
    /// More bytes are needed.
    Short,
    /// The byte at this place is wrong.
    Wrong(usize, Fault),
}

/// Reads a line of one byte and a number. Nothing but digits may stand in it.
fn number_line(line: &[u8]) -> Line {
    let mut number = 0u64;
    for (at, byte) in line.iter().enumerate().take(NUMBER_MAX).skip(1) {
        match byte {
            b'0'..=b'9' => {
                let digit = u64::from(byte - b'0');
                let next = number.checked_mul(10).and_then(|number| number.checked_add(digit));
                match next.filter(|number| *number <= i64::MAX as u64) {
                    Some(next) => number = next,
                    None => return Line::Wrong(at, Fault::Range),
                }
            }
            b'\r' if at > 1 => {
                return match line.get(at + 1) {
                    Some(b'\n') => Line::Whole(number, at + 2),
                    Some(other) => Line::Wrong(at + 1, Fault::LineEnd([b'\r', *other])),
                    None => Line::Short,
                };
            }
            other => return Line::Wrong(at, Fault::Digit(*other)),
        }
    }
    if line.len() < NUMBER_MAX { Line::Short } else { Line::Wrong(NUMBER_MAX - 1, Fault::Range) }
}
