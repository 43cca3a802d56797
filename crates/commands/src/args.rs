//! The arguments of a command, and a cursor over options.

use std::ops::Index;
use std::sync::Arc;

use crate::Error;

/// An argument of this size is read apart from the rest of the request.
const BIG_MIN: usize = 32 << 10;

/// The arguments; number 0 is the command's name as the client wrote it.
#[derive(Clone, Copy)]
pub struct Args<'a> {
    argv: &'a [&'a [u8]],
    apart: &'a [Arc<Vec<u8>>],
}

impl<'a> Args<'a> {
    /// `apart` are big arguments that were read straight into their final place.
    pub fn new(argv: &'a [&'a [u8]], apart: &'a [Arc<Vec<u8>>]) -> Self {
        Self { argv, apart }
    }

    /// How many there are, the name included.
    pub fn len(&self) -> usize {
        self.argv.len()
    }

    /// Never: there is the name.
    pub fn is_empty(&self) -> bool {
        self.argv.is_empty()
    }

    /// One argument, if there are so many.
    pub fn get(&self, index: usize) -> Option<&'a [u8]> {
        self.argv.get(index).copied()
    }

    /// The arguments from `index` on; empty when there are none.
    pub fn from(&self, index: usize) -> &'a [&'a [u8]] {
        self.argv.get(index..).unwrap_or_default()
    }

    /// All arguments.
    pub fn all(&self) -> &'a [&'a [u8]] {
        self.argv
    }

    /// The argument by shared ownership, when it was big enough to be read apart.
    pub fn shared(&self, index: usize) -> Option<Arc<Vec<u8>>> {
        let arg = self.argv[index];
        self.apart.iter().find(|apart| std::ptr::eq(apart.as_slice(), arg)).map(Arc::clone)
    }

    /// Bytes of the arguments that were too big to be read with the rest of the request.
    #[inline]
    pub fn bytes_apart(&self) -> usize {
        if self.apart.is_empty() {
            return 0;
        }
        self.argv.iter().map(|arg| arg.len()).filter(|len| *len >= BIG_MIN).sum()
    }

    /// An argument as a signed 64-bit integer in Redis's grammar.
    pub fn int(&self, index: usize) -> Result<i64, Error> {
        resp::number::parse_i64(self.argv[index]).ok_or(Error::NotInteger)
    }

    /// A cursor over the options that begin at `index`.
    pub fn cursor(&self, index: usize) -> Cursor<'a> {
        Cursor { rest: self.from(index) }
    }
}

impl<'a> Index<usize> for Args<'a> {
    type Output = &'a [u8];

    fn index(&self, index: usize) -> &&'a [u8] {
        &self.argv[index]
    }
}

/// Walks over options: words in any case, some with values behind them.
#[derive(Clone, Copy)]
pub struct Cursor<'a> {
    rest: &'a [&'a [u8]],
}

impl<'a> Cursor<'a> {
    /// The next word, if there is one.
    pub fn next_word(&mut self) -> Option<&'a [u8]> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(first)
    }

    /// Moves on when the next word is `word`, whatever its case.
    pub fn accept(&mut self, word: &str) -> bool {
        let found = self.rest.first().is_some_and(|arg| is(arg, word));
        if found {
            self.rest = &self.rest[1..];
        }
        found
    }

    /// The value behind an option; a syntax error when it is missing.
    pub fn value(&mut self) -> Result<&'a [u8], Error> {
        self.next_word().ok_or(Error::Syntax)
    }

    /// The integer behind an option.
    pub fn int(&mut self) -> Result<i64, Error> {
        resp::number::parse_i64(self.value()?).ok_or(Error::NotInteger)
    }

    /// How many words are left.
    pub fn left(&self) -> usize {
        self.rest.len()
    }

    /// The words that are left.
    pub fn rest(&self) -> &'a [&'a [u8]] {
        self.rest
    }

    /// A syntax error unless every word was read.
    pub fn end(&self) -> Result<(), Error> {
        if self.rest.is_empty() { Ok(()) } else { Err(Error::Syntax) }
    }
}

/// Whether an argument is a word, whatever its case.
pub(crate) fn is(arg: &[u8], word: &str) -> bool {
    arg.eq_ignore_ascii_case(word.as_bytes())
}

/// An integer that is not below `least`, or an error with this text.
pub(crate) fn at_least(arg: &[u8], least: i64, text: &'static str) -> Result<usize, Error> {
    let number = resp::number::parse_i64(arg).filter(|number| *number >= least);
    number.and_then(|number| usize::try_from(number).ok()).ok_or(Error::Text(text))
}

/// An integer whose sign can be turned.
pub(crate) fn signed(arg: &[u8]) -> Result<i64, Error> {
    match resp::number::parse_i64(arg) {
        None => Err(Error::NotInteger),
        Some(i64::MIN) => Err(Error::Text(
            "ERR value is out of range, value must between -9223372036854775807 and \
             9223372036854775807",
        )),
        Some(number) => Ok(number),
    }
}

/// An argument as C sees it: up to its first zero byte.
pub(crate) fn c_text(arg: &[u8]) -> &[u8] {
    arg.split(|&byte| byte == 0).next().unwrap_or_default()
}

/// `numkeys key [key ...] where [COUNT count]`: what is popped from the first of several keys that
/// has anything.
pub(crate) struct PopFirst<'a, End> {
    /// The keys to look at.
    pub(crate) keys: &'a [&'a [u8]],
    /// From which end.
    pub(crate) end: End,
    /// How many elements at most.
    pub(crate) count: usize,
}

impl<'a, End> PopFirst<'a, End> {
    /// Reads it from the number of keys, at `index`, on; `end` knows the words for the ends.
    pub(crate) fn read(
        args: &Args<'a>,
        index: usize,
        end: fn(&[u8]) -> Result<End, Error>,
    ) -> Result<Self, Error> {
        let numkeys = at_least(args[index], 1, spec::error::NUMKEYS_NOT_POSITIVE)?;
        let words = args.from(index + 1);
        let (keys, words) = words.split_at_checked(numkeys).ok_or(Error::Syntax)?;
        let (word, options) = words.split_first().ok_or(Error::Syntax)?;
        let end = end(word)?;
        let count = match options {
            [] => 1,
            [word, count, more @ ..] if is(word, "COUNT") => {
                let count = at_least(count, 1, COUNT_NOT_POSITIVE)?;
                if !more.is_empty() {
                    return Err(Error::Syntax);
                }
                count
            }
            _ => return Err(Error::Syntax),
        };
        Ok(Self { keys, end, count })
    }
}

/// A count of elements to pop or to move that is zero or negative.
pub(crate) const COUNT_NOT_POSITIVE: &str = "ERR count should be greater than 0";
