//! From bytes to strings, numbers and brackets, one at a time.
//!
//! It knows JSON's grammar and where it stands in the file, nothing of records. No more than one
//! string is in memory, whatever the file holds.

use std::io::{self, Read};

use super::error::{Error, Place};
use super::text;

/// Bytes that are read at once, at first and once the input has turned out to be long.
const FIRST: usize = 4 << 10;
const CHUNK: usize = 256 << 10;
/// The longest string that is taken.
const STRING_MAX: usize = u32::MAX as usize / 2;
/// Room of a longer string is given back.
const ROOM_MAX: usize = 1 << 20;
/// The longest number that is taken: none that a writer makes is longer.
const NUMBER_MAX: usize = 400;

/// Walks over a document.
pub(super) struct Lexer<R> {
    input: R,
    buffer: Vec<u8>,
    at: usize,
    end: usize,
    /// Bytes of the file in front of the buffer.
    before: u64,
    line: u64,
    /// Where the line begins in the file.
    line_at: u64,
    /// Where the last token begins.
    token: Place,
    /// The last string or number.
    text: Vec<u8>,
    spare: Vec<u8>,
}

impl<R: Read> Lexer<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; FIRST],
            at: 0,
            end: 0,
            before: 0,
            line: 1,
            line_at: 0,
            token: Place { line: 1, column: 1 },
            text: Vec::new(),
            spare: Vec::new(),
        }
    }

    /// How many bytes were read.
    pub(super) fn position(&self) -> u64 {
        self.before + self.at as u64
    }

    /// Where the last token begins.
    pub(super) fn place(&self) -> Place {
        self.token
    }

    /// The last string or number.
    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    /// Takes the last string and leaves `room` for the next one.
    pub(super) fn swap_text(&mut self, room: &mut Vec<u8>) {
        std::mem::swap(&mut self.text, room);
    }

    /// Gives back the room that long strings took.
    pub(super) fn tidy(&mut self) {
        for room in [&mut self.text, &mut self.spare] {
            tidy(room);
        }
    }

    /// Refuses what began at the last token.
    pub(super) fn refuse<T>(&self, what: &'static str) -> Result<T, Error> {
        Err(Error::Refused { at: self.token, what })
    }

    fn here(&self) -> Place {
        Place { line: self.line, column: self.position() - self.line_at + 1 }
    }

    fn unexpected<T>(&self, expected: &'static str) -> Result<T, Error> {
        let found = self.buffer[..self.end].get(self.at).copied();
        Err(Error::Unexpected { at: self.here(), expected, found })
    }

    /// The bytes that are there; none at the end of the file.
    fn ahead(&mut self) -> Result<&[u8], Error> {
        while self.at == self.end {
            self.before += self.end as u64;
            if self.end == self.buffer.len() && self.end < CHUNK {
                self.buffer.resize(4 * self.end, 0);
            }
            (self.at, self.end) = (0, 0);
            match self.input.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(count) => self.end = count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(&self.buffer[self.at..self.end])
    }

    /// The next byte; none at the end of the file.
    fn byte(&mut self) -> Result<Option<u8>, Error> {
        Ok(self.ahead()?.first().copied())
    }

    /// The first byte of the next token, whose place is noted.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Error> {
        loop {
            match self.byte()? {
                Some(b' ' | b'\t' | b'\r') => self.at += 1,
                Some(b'\n') => {
                    self.at += 1;
                    self.line += 1;
                    self.line_at = self.position();
                }
                found => {
                    self.token = self.here();
                    return Ok(found);
                }
            }
        }
    }

    /// Moves over a token of one byte.
    pub(super) fn mark(&mut self, mark: u8, expected: &'static str) -> Result<(), Error> {
        if self.peek()? != Some(mark) {
            return self.unexpected(expected);
        }
        self.at += 1;
        Ok(())
    }

    /// Opens an array; whether it has an element.
    pub(super) fn array(&mut self, expected: &'static str) -> Result<bool, Error> {
        self.mark(b'[', expected)?;
        self.is_open(b']')
    }

    /// Behind an element of an array: whether another one follows.
    pub(super) fn next(&mut self) -> Result<bool, Error> {
        self.goes_on(b']', "',' or ']'")
    }

    /// Opens an object; whether it has a member.
    pub(super) fn object(&mut self, expected: &'static str) -> Result<bool, Error> {
        self.mark(b'{', expected)?;
        self.is_open(b'}')
    }

    /// Behind a member of an object: whether another one follows.
    pub(super) fn next_member(&mut self) -> Result<bool, Error> {
        self.goes_on(b'}', "',' or '}'")
    }

    /// Whether something stands behind the bracket, whose place remains the token's.
    fn is_open(&mut self, close: u8) -> Result<bool, Error> {
        let token = self.token;
        let is_closed = self.peek()? == Some(close);
        self.token = token;
        self.at += usize::from(is_closed);
        Ok(!is_closed)
    }

    fn goes_on(&mut self, close: u8, expected: &'static str) -> Result<bool, Error> {
        match self.peek()? {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(found) if found == close => {
                self.at += 1;
                Ok(false)
            }
            _ => self.unexpected(expected),
        }
    }

    /// The name of a member, which must be one of `names` and none of those `seen`, which holds a
    /// bit for each of them.
    pub(super) fn member(
        &mut self,
        names: &[&'static str],
        seen: &mut u32,
    ) -> Result<&'static str, Error> {
        self.string("the name of a member")?;
        let known = names.iter().position(|name| name.as_bytes() == self.text);
        let Some(at) = known else { return self.refuse("a member that is not known here") };
        if *seen & 1 << at != 0 {
            return self.refuse("a member twice");
        }
        *seen |= 1 << at;
        self.mark(b':', "':'")?;
        Ok(names[at])
    }

    /// A string as JSON has it, into the text.
    pub(super) fn string(&mut self, expected: &'static str) -> Result<(), Error> {
        self.mark(b'"', expected)?;
        self.text.clear();
        loop {
            self.run()?;
            match self.byte()? {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                _ => return self.unexpected("the rest of a string"),
            }
            if self.text.len() > STRING_MAX {
                return self.refuse("a string too long");
            }
        }
        self.at += 1;
        if std::str::from_utf8(&self.text).is_err() {
            return self.refuse("a string that is not UTF-8");
        }
        Ok(())
    }

    /// Takes bytes of a string up to one that stands for itself no longer.
    fn run(&mut self) -> Result<(), Error> {
        loop {
            self.ahead()?;
            let ahead = &self.buffer[self.at..self.end];
            let quote = memchr::memchr2(b'"', b'\\', ahead);
            let plain = &ahead[..quote.unwrap_or(ahead.len())];
            let stop = plain.iter().position(|byte| *byte < 0x20);
            let plain = &plain[..stop.unwrap_or(plain.len())];
            self.text.extend_from_slice(plain);
            self.at += plain.len();
            let is_at_end = self.end == 0 || self.text.len() > STRING_MAX;
            if quote.is_some() || stop.is_some() || is_at_end {
                return Ok(());
            }
        }
    }

    fn escape(&mut self) -> Result<(), Error> {
        self.at += 1;
        let plain = match self.byte()? {
            Some(byte @ (b'"' | b'\\' | b'/')) => byte,
            Some(b'n') => b'\n',
            Some(b'r') => b'\r',
            Some(b't') => b'\t',
            Some(b'b') => 0x08,
            Some(b'f') => 0x0c,
            Some(b'u') => return self.unicode(),
            _ => return self.unexpected("one of \"\\/bfnrtu"),
        };
        self.at += 1;
        self.text.push(plain);
        Ok(())
    }

    /// A character by its number, or by two that make a pair.
    fn unicode(&mut self) -> Result<(), Error> {
        const LOW: &str = "the second half of a character";
        self.at += 1;
        let mut code = self.hex()?;
        if (0xd800..0xdc00).contains(&code) {
            for part in [b'\\', b'u'] {
                if self.byte()? != Some(part) {
                    return self.unexpected(LOW);
                }
                self.at += 1;
            }
            let low = self.hex()?;
            if !(0xdc00..0xe000).contains(&low) {
                return self.refuse("a string with half of a character");
            }
            code = 0x10000 + ((code - 0xd800) << 10 | (low - 0xdc00));
        }
        match char::from_u32(code) {
            Some(found) => {
                self.text.extend_from_slice(found.encode_utf8(&mut [0; 4]).as_bytes());
                Ok(())
            }
            None => self.refuse("a string with half of a character"),
        }
    }

    fn hex(&mut self) -> Result<u32, Error> {
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.byte()?.and_then(|byte| char::from(byte).to_digit(16));
            let Some(digit) = digit else { return self.unexpected("four hexadecimal digits") };
            code = code << 4 | digit;
            self.at += 1;
        }
        Ok(code)
    }

    /// The bytes of a string or of `{"base64":"..."}`, into the text.
    pub(super) fn bytes(&mut self, expected: &'static str) -> Result<(), Error> {
        if self.peek()? != Some(b'{') {
            return self.string(expected);
        }
        self.at += 1;
        self.member(&[text::BASE64], &mut 0)?;
        self.string("a string of base64")?;
        if !text::decode(&self.text, &mut self.spare) {
            return self.refuse("base64 that is not in order");
        }
        std::mem::swap(&mut self.text, &mut self.spare);
        self.mark(b'}', "'}'")
    }

    /// The text of a number, or of a string in its place.
    fn number(&mut self, expected: &'static str) -> Result<(), Error> {
        match self.peek()? {
            Some(b'"') => return self.string(expected),
            Some(b'-' | b'0'..=b'9') => {}
            _ => return self.unexpected(expected),
        }
        self.text.clear();
        while let Some(byte @ (b'-' | b'+' | b'.' | b'e' | b'E' | b'0'..=b'9')) = self.byte()? {
            self.text.push(byte);
            self.at += 1;
            if self.text.len() > NUMBER_MAX {
                return self.refuse("a number too long");
            }
        }
        Ok(())
    }

    /// A whole number, or a string with one.
    pub(super) fn signed(&mut self, expected: &'static str) -> Result<i64, Error> {
        self.number(expected)?;
        match value::number::parse_i64(&self.text) {
            Some(number) => Ok(number),
            None => self.refuse("not a whole number of 64 bits"),
        }
    }

    /// A whole number that is not negative, or a string with one.
    pub(super) fn unsigned(&mut self, expected: &'static str) -> Result<u64, Error> {
        self.number(expected)?;
        let is_plain = match &self.text[..] {
            [b'0'] => true,
            [first, ..] => (b'1'..=b'9').contains(first),
            [] => false,
        };
        let text = std::str::from_utf8(&self.text).ok().filter(|_| is_plain);
        match text.and_then(|text| text.parse().ok()) {
            Some(number) => Ok(number),
            None => self.refuse("not a whole number of 64 bits, or negative"),
        }
    }

    /// A number, or a string with an infinity.
    pub(super) fn double(&mut self, expected: &'static str) -> Result<f64, Error> {
        let is_string = self.peek()? == Some(b'"');
        self.number(expected)?;
        let number = match (&self.text[..], is_string) {
            (b"inf", true) => Some(f64::INFINITY),
            (b"-inf", true) => Some(f64::NEG_INFINITY),
            (text, false) if is_number(text) => {
                std::str::from_utf8(text).ok().and_then(|text| text.parse().ok())
            }
            _ => None,
        };
        match number.filter(|number: &f64| is_string || number.is_finite()) {
            Some(number) => Ok(number),
            None => self.refuse("not a number that a double can hold, \"inf\" or \"-inf\""),
        }
    }

    /// `null`, if that is next.
    pub(super) fn null(&mut self) -> Result<bool, Error> {
        if self.peek()? != Some(b'n') {
            return Ok(false);
        }
        self.word("null").map(|()| true)
    }

    /// A word of letters.
    pub(super) fn word(&mut self, word: &'static str) -> Result<(), Error> {
        self.peek()?;
        for letter in word.bytes() {
            if self.byte()? != Some(letter) {
                return self.unexpected(word);
            }
            self.at += 1;
        }
        Ok(())
    }
}

/// Gives back the room that a long string took.
pub(super) fn tidy(room: &mut Vec<u8>) {
    if room.capacity() > ROOM_MAX {
        *room = Vec::new();
    }
}

/// Whether a text is a number in JSON's grammar.
fn is_number(text: &[u8]) -> bool {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let text = text.strip_prefix(b"-").unwrap_or(text);
    let whole = digits(text);
    if whole == 0 || whole > 1 && text[0] == b'0' {
        return false;
    }
    let mut rest = &text[whole..];
    if let Some(part) = rest.strip_prefix(b".") {
        let len = digits(part);
        if len == 0 {
            return false;
        }
        rest = &part[len..];
    }
    if let [b'e' | b'E', part @ ..] = rest {
        let part = part.strip_prefix(b"-").or(part.strip_prefix(b"+")).unwrap_or(part);
        let len = digits(part);
        rest = if len > 0 { &part[len..] } else { rest };
    }
    rest.is_empty()
}
