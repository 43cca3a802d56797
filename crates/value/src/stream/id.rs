//! Ids of entries: milliseconds and a number within them.

use std::ops::Bound;

/// The longest text of an id: two numbers of 20 digits and the dash.
const TEXT_MAX: usize = 41;

/// Texts beyond this length are no ids.
const PARSED_MAX: usize = 127;

/// The id of an entry.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Id {
    /// Unix time in milliseconds, or whatever the writer says.
    pub ms: u64,
    /// The number within the millisecond.
    pub seq: u64,
}

/// The id that a new entry is to get.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NewId {
    /// `*`: the present time.
    Auto,
    /// `<ms>-*`: the next free number in this millisecond.
    In(u64),
    /// This one.
    Given(Id),
}

impl Id {
    /// Below every entry's id.
    pub const MIN: Id = Id { ms: 0, seq: 0 };
    /// The largest id.
    pub const MAX: Id = Id { ms: u64::MAX, seq: u64::MAX };

    /// Shorter to write.
    pub const fn new(ms: u64, seq: u64) -> Id {
        Id { ms, seq }
    }

    /// Whether it is `0-0`.
    pub fn is_zero(self) -> bool {
        self == Id::MIN
    }

    /// The id behind this one.
    pub fn next(self) -> Option<Id> {
        match self.seq.checked_add(1) {
            Some(seq) => Some(Id { ms: self.ms, seq }),
            None => self.ms.checked_add(1).map(|ms| Id { ms, seq: 0 }),
        }
    }

    /// The id in front of this one.
    pub fn prev(self) -> Option<Id> {
        match self.seq.checked_sub(1) {
            Some(seq) => Some(Id { ms: self.ms, seq }),
            None => self.ms.checked_sub(1).map(|ms| Id { ms, seq: u64::MAX }),
        }
    }

    /// Reads `<ms>-<seq>` or `<ms>`, which leaves out `missing`.
    pub fn parse(text: &[u8], missing: u64) -> Option<Id> {
        if text.len() > PARSED_MAX {
            return None;
        }
        let (ms, seq) = split(text);
        let seq = seq.map_or(Some(missing), number)?;
        Some(Id { ms: number(ms)?, seq })
    }

    /// As [`Id::parse`], but `-` is the smallest id and `+` the largest.
    pub fn parse_bound(text: &[u8], missing: u64) -> Option<Id> {
        match text {
            b"-" => Some(Id::MIN),
            b"+" => Some(Id::MAX),
            text => Id::parse(text, missing),
        }
    }
}

impl NewId {
    /// Reads `*`, `<ms>-*` or an id.
    pub fn parse(text: &[u8]) -> Option<NewId> {
        if text == b"*" {
            return Some(NewId::Auto);
        }
        match split(text) {
            (ms, Some(b"*")) if text.len() <= PARSED_MAX => number(ms).map(NewId::In),
            _ => Id::parse(text, 0).map(NewId::Given),
        }
    }
}

/// Room for the text of one id.
#[derive(Clone, Copy, Debug)]
pub struct IdText([u8; TEXT_MAX]);

impl IdText {
    /// Empty room.
    pub fn new() -> IdText {
        IdText([0; TEXT_MAX])
    }

    /// The text of `id`.
    pub fn of(&mut self, id: Id) -> &[u8] {
        let mut room = itoa::Buffer::new();
        let mut len = 0;
        let mut put = |text: &[u8]| {
            self.0[len..len + text.len()].copy_from_slice(text);
            len += text.len();
        };
        put(room.format(id.ms).as_bytes());
        put(b"-");
        put(room.format(id.seq).as_bytes());
        &self.0[..len]
    }
}

impl Default for IdText {
    fn default() -> IdText {
        IdText::new()
    }
}

/// The ids from `start` to `end`, or none when they are in the wrong order, which a map's range
/// does not take.
pub(super) fn between(start: Id, end: Id) -> (Bound<Id>, Bound<Id>) {
    let end = if start <= end { Bound::Included(end) } else { Bound::Excluded(start) };
    (Bound::Included(start), end)
}

fn split(text: &[u8]) -> (&[u8], Option<&[u8]>) {
    match text.iter().position(|&byte| byte == b'-') {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    }
}

/// A number as `strtoull` takes it, but never a negative one: blanks and a plus may lead, and
/// zeros.
fn number(text: &[u8]) -> Option<u64> {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t'..=b'\r');
    let text = &text[text.iter().take_while(|&byte| blank(byte)).count()..];
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0u64, |value, byte| {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        value.checked_mul(10)?.checked_add(u64::from(digit))
    })
}
