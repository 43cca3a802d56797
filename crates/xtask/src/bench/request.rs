//! Requests as bytes built once, in which only the digits of the keys change, and the counting of
//! their replies. Knows nothing of sockets.

use super::client::append;

/// Bytes of every key: a four-byte prefix and twelve digits.
pub(super) const KEY_SIZE: usize = 16;
/// Digits that change; the ones before them stay zero.
const DIGITS: usize = 8;

/// Commands whose keys are filled in anew each time they are sent.
///
/// In the pattern, words are separated by blanks and commands by `;`. A word may end in a
/// placeholder: `{name}` becomes `name:` and twelve digits of a new number, `{k}` and `{n}` are
/// short for the prefixes `key:` and `ctr:`. `{=name}` and `{=}` repeat the number before, `{#}` is
/// eight digits of a new number, `{~}` the digits of one that is scattered over their whole range.
/// `{name<100}` takes the number from below 100, whatever the others come from. A pattern that
/// begins with `!` is sent as a line of text.
#[derive(Clone, Default)]
pub(super) struct Request {
    bytes: Vec<u8>,
    slots: Vec<Slot>,
    replies: usize,
    /// What a connection sends first of all.
    opening: Vec<u8>,
    openings: usize,
}

/// Where changing digits stand, and where their number comes from.
#[derive(Clone, Copy)]
struct Slot {
    at: usize,
    from: From,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum From {
    Next,
    Again,
    Scattered,
    Below(u64),
}

/// Where key numbers come from.
#[derive(Clone)]
pub(super) enum Keys {
    /// Uniform below the count.
    Random(u64),
    /// Each number once, from the first to before the second.
    Sequence(u64, u64),
}

impl Request {
    pub(super) fn new(pattern: &str, depth: usize) -> Request {
        let mut request = Request::default();
        for _ in 0..depth {
            for command in pattern.split(';') {
                request.push(&command.split_whitespace().collect::<Vec<_>>());
            }
        }
        request
    }

    fn push(&mut self, words: &[&str]) {
        self.replies += 1;
        if let [first, rest @ ..] = words
            && let Some(first) = first.strip_prefix('!')
        {
            let words: Vec<&str> = std::iter::once(first).chain(rest.iter().copied()).collect();
            self.bytes.extend_from_slice(format!("{}\r\n", words.join(" ")).as_bytes());
            return;
        }
        let words: Vec<_> = words.iter().map(|word| placeholder(word)).collect();
        let start = self.bytes.len();
        append(&mut self.bytes, &words.iter().map(|word| word.0.as_str()).collect::<Vec<_>>());
        let mut at = start + format!("*{}\r\n", words.len()).len();
        for (text, from) in &words {
            at += format!("${}\r\n", text.len()).len();
            if let Some(from) = *from {
                self.slots.push(Slot { at: at + text.len() - DIGITS, from });
            }
            at += text.len() + 2;
        }
    }

    /// The same on connections that send these commands first of all.
    pub(super) fn opened_by(mut self, commands: &[&str]) -> Request {
        for command in commands {
            append(&mut self.opening, &command.split(' ').collect::<Vec<_>>());
        }
        self.openings = commands.len();
        self
    }

    /// What a connection sends first of all, and how many replies that brings.
    pub(super) fn opening(&self) -> (&[u8], usize) {
        (&self.opening, self.openings)
    }

    /// Replies that one sending of these bytes brings.
    pub(super) fn replies(&self) -> usize {
        self.replies
    }

    /// Puts the next keys in; `None` when they are used up. A sequence that ends inside a batch
    /// repeats its last key for the rest of it.
    pub(super) fn fill(&mut self, keys: &mut Keys, random: &mut fastrand::Rng) -> Option<&[u8]> {
        if matches!(&*keys, Keys::Sequence(next, end) if next >= end) {
            return None;
        }
        let taken_from = |slot: &Slot| matches!(slot.from, From::Next | From::Scattered);
        if !self.slots.iter().any(taken_from)
            && let Keys::Sequence(next, _) = keys
        {
            // A pattern without numbers of its own takes one for each command.
            *next += self.replies as u64;
        }
        let mut number = 0;
        for &Slot { at, from } in &self.slots {
            number = match from {
                From::Again => number,
                From::Below(count) => random.u64(0..count),
                From::Next | From::Scattered => keys.next(random),
            };
            let shown = if from == From::Scattered { scatter(number) } else { number };
            write_digits(&mut self.bytes[at..at + DIGITS], shown);
        }
        Some(&self.bytes)
    }
}

impl Keys {
    fn next(&mut self, random: &mut fastrand::Rng) -> u64 {
        match self {
            Keys::Random(count) => random.u64(0..*count),
            Keys::Sequence(next, end) => {
                let taken = (*next).min(*end - 1);
                *next += 1;
                taken
            }
        }
    }
}

/// The word with zeros for the digits, and what takes their place if it has a placeholder.
fn placeholder(word: &str) -> (String, Option<From>) {
    let Some((front, name)) = word.strip_suffix('}').and_then(|word| word.split_once('{')) else {
        return (word.to_owned(), None);
    };
    let (name, below) = match name.split_once('<') {
        Some((name, count)) => (name, Some(count.parse().expect("a pattern has a count"))),
        None => (name, None),
    };
    let zeros = "0".repeat(DIGITS);
    let key = |name| match name {
        "" | "k" => key_name("key:", 0),
        "n" => key_name("ctr:", 0),
        name => key_name(&format!("{name}:"), 0),
    };
    let (text, from) = match name.strip_prefix('=') {
        Some(name) => (key(name), From::Again),
        None if name == "#" => (zeros, From::Next),
        None if name == "~" => (zeros, From::Scattered),
        None => (key(name), From::Next),
    };
    (front.to_owned() + &text, Some(below.map_or(from, From::Below)))
}

/// Another number of at most eight digits for each number of at most eight digits.
fn scatter(number: u64) -> u64 {
    // A factor without a common divisor with the modulus makes it a permutation.
    number * 61_803_399 % 10u64.pow(DIGITS as u32)
}

/// The key that stands for `number`.
pub(super) fn key_name(prefix: &str, number: u64) -> String {
    format!("{prefix}{number:012}")
}

fn write_digits(place: &mut [u8], mut number: u64) {
    for digit in place.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// Counts complete replies in a stream of bytes that may be cut anywhere.
pub(super) struct Replies {
    /// Bytes of a bulk string and its line end that have not arrived.
    skip: usize,
    /// Values still to come before the current reply is complete.
    open: usize,
    /// A line whose end has not arrived.
    line: Vec<u8>,
    /// Whether the current value is a push, which is no reply.
    push: bool,
}

impl Replies {
    pub(super) fn new() -> Replies {
        Replies { skip: 0, open: 1, line: Vec::new(), push: false }
    }

    /// The number of replies that `data` completes.
    ///
    /// # Errors
    /// The text of an error reply: what fails fast must not be measured as fast.
    pub(super) fn count(&mut self, mut data: &[u8]) -> Result<usize, String> {
        let mut complete = 0;
        while !data.is_empty() {
            if self.skip > 0 {
                let taken = self.skip.min(data.len());
                self.skip -= taken;
                data = &data[taken..];
                if self.skip == 0 {
                    complete += self.close(0);
                }
                continue;
            }
            let Some(end) = memchr::memchr(b'\n', data) else {
                self.line.extend_from_slice(data);
                break;
            };
            let (line, rest) = data.split_at(end + 1);
            data = rest;
            if self.line.is_empty() {
                complete += self.header(line)?;
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                complete += self.header(&whole)?;
            }
        }
        Ok(complete)
    }

    fn header(&mut self, line: &[u8]) -> Result<usize, String> {
        self.push |= line[0] == b'>';
        match line[0] {
            b'-' | b'!' => Err(String::from_utf8_lossy(&line[1..]).trim_end().to_owned()),
            b'$' => match length(line) {
                Some(size) => {
                    self.skip = size + 2;
                    Ok(0)
                }
                None => Ok(self.close(0)),
            },
            b'*' | b'~' | b'>' => Ok(self.close(length(line).unwrap_or(0))),
            b'%' => Ok(self.close(2 * length(line).unwrap_or(0))),
            _ => Ok(self.close(0)),
        }
    }

    /// One value is there and brings `inner` more; 1 if that ends the reply.
    fn close(&mut self, inner: usize) -> usize {
        self.open = self.open - 1 + inner;
        if self.open > 0 {
            return 0;
        }
        self.open = 1;
        usize::from(!std::mem::take(&mut self.push))
    }
}

/// The number in a header line; `None` if it is negative (a null) or not a number.
fn length(line: &[u8]) -> Option<usize> {
    let digits = line[1..].trim_ascii_end();
    if digits.is_empty() {
        return None;
    }
    digits.iter().try_fold(0usize, |sum, byte| {
        byte.is_ascii_digit()
            .then(|| sum.saturating_mul(10).saturating_add(usize::from(byte - b'0')))
    })
}

#[cfg(test)]
mod tests;
