//! ARGREP: the elements of a range that fit texts and patterns.

use memchr::memmem;
use regex::bytes::Regex;
use value::number::Text;

use super::{index, limit_of, look};
use crate::args::{Cursor, is};
use crate::{Args, Ctx, Error, glob, reply};

mod expression;

use expression::{Refused, compile};

/// Predicates of one command.
const PREDICATES_MAX: usize = 250;
/// Bytes of a regular expression.
const EXPRESSION_MAX: usize = 2048;

/// ARGREP key start end <EXACT string|MATCH string|GLOB pattern|RE pattern ...>
/// \[AND|OR|LIMIT limit|WITHVALUES|NOCASE ...\] - O(N*C) of the elements between start and end and
/// the cost of looking at one.
pub(super) fn argrep(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (start, end) = (Bound::parse(args[2])?, Bound::parse(args[3])?);
    let mut search = Search::parse(ctx, args.cursor(4))?;
    look(&mut ctx.db, args[1], |array| {
        let later = ctx.out.array_later();
        let mut count = 0;
        if let Some(array) = array {
            let last = array.len().saturating_sub(1);
            array.walk(start.of(last), end.of(last), |index, element| {
                if search.fits(element.text(&mut Text::new())) {
                    if search.with_values {
                        ctx.out.array(2);
                    }
                    ctx.out.uint(index);
                    if search.with_values {
                        reply::element(ctx.out, element);
                    }
                    count += 1;
                }
                count < search.limit
            });
        }
        ctx.out.finish(later, count as usize);
    })
}

/// An end of the range.
enum Bound {
    First,
    Last,
    At(u64),
}

impl Bound {
    fn parse(arg: &[u8]) -> Result<Self, Error> {
        match arg {
            b"-" => Ok(Self::First),
            b"+" => Ok(Self::Last),
            _ => index(arg).map(Self::At),
        }
    }

    fn of(&self, last: u64) -> u64 {
        match self {
            Self::First => 0,
            Self::Last => last,
            Self::At(index) => *index,
        }
    }
}

/// What is searched for, and how.
struct Search<'a> {
    predicates: Vec<Predicate<'a>>,
    /// All of them have to fit, not just one.
    all: bool,
    with_values: bool,
    no_case: bool,
    limit: u64,
    /// Room for elements without capital letters.
    lowered: Vec<u8>,
}

enum Predicate<'a> {
    Exact(&'a [u8]),
    /// Contains a text, which has no capital letters when case does not count.
    Contains(Box<memmem::Finder<'static>>),
    Glob(&'a [u8]),
    Expression(Box<Regex>),
}

impl<'a> Search<'a> {
    fn parse(ctx: &mut Ctx<'_, '_>, mut words: Cursor<'a>) -> Result<Self, Error> {
        let mut search = Self {
            predicates: Vec::new(),
            all: false,
            with_values: false,
            no_case: false,
            limit: u64::MAX,
            lowered: Vec::new(),
        };
        let mut given = Vec::new();
        while let Some(word) = words.next_word() {
            if ["EXACT", "MATCH", "GLOB", "RE"].iter().any(|kind| is(word, kind)) {
                let text = words.value()?;
                if given.len() == PREDICATES_MAX {
                    return Err(Error::Text("ERR too many predicates, maximum is 250"));
                }
                if is(word, "RE") && text.len() > EXPRESSION_MAX {
                    return Err(Error::Text(
                        "ERR regular expression is too long, maximum is 2048 bytes",
                    ));
                }
                given.push((word, text));
            } else if is(word, "LIMIT") {
                search.limit = limit_of(words.value()?)?;
            } else if is(word, "WITHVALUES") {
                search.with_values = true;
            } else if is(word, "NOCASE") {
                search.no_case = true;
            } else if is(word, "AND") || is(word, "OR") {
                search.all = is(word, "AND");
            } else {
                return Err(Error::Syntax);
            }
        }
        if given.is_empty() {
            return Err(Error::Syntax);
        }
        for (kind, text) in given {
            search.predicates.push(Predicate::new(ctx, kind, text, search.no_case)?);
        }
        Ok(search)
    }

    fn fits(&mut self, text: &[u8]) -> bool {
        let lowers = |predicate: &Predicate<'_>| matches!(predicate, Predicate::Contains(_));
        if self.no_case && self.predicates.iter().any(lowers) {
            self.lowered.clear();
            self.lowered.extend(text.iter().map(u8::to_ascii_lowercase));
        }
        let searched = if self.no_case { &self.lowered } else { text };
        let fits = |predicate: &Predicate<'_>| match predicate {
            Predicate::Exact(wanted) if self.no_case => text.eq_ignore_ascii_case(wanted),
            Predicate::Exact(wanted) => text == *wanted,
            Predicate::Contains(finder) => finder.find(searched).is_some(),
            Predicate::Glob(pattern) => glob::matches(pattern, text, self.no_case),
            Predicate::Expression(expression) => expression.is_match(text),
        };
        let mut predicates = self.predicates.iter();
        if self.all { predicates.all(fits) } else { predicates.any(fits) }
    }
}

impl<'a> Predicate<'a> {
    fn new(
        ctx: &mut Ctx<'_, '_>,
        kind: &[u8],
        text: &'a [u8],
        no_case: bool,
    ) -> Result<Self, Error> {
        if is(kind, "EXACT") {
            return Ok(Self::Exact(text));
        }
        if is(kind, "GLOB") {
            return Ok(Self::Glob(text));
        }
        if is(kind, "MATCH") {
            let lowered = no_case.then(|| text.to_ascii_lowercase());
            let finder = memmem::Finder::new(lowered.as_deref().unwrap_or(text)).into_owned();
            return Ok(Self::Contains(Box::new(finder)));
        }
        if text.is_empty() {
            return Err(Error::Text("ERR regular expression is empty"));
        }
        match compile(text, no_case) {
            Ok(expression) => Ok(Self::Expression(Box::new(expression))),
            Err(Refused::RefersBack) => {
                Err(Error::Text("ERR regular expression backreferences are not supported"))
            }
            Err(Refused::Invalid(why)) => {
                Err(ctx.error_around(b"ERR invalid regular expression: ", why.as_bytes(), b""))
            }
        }
    }
}

#[cfg(test)]
mod tests;
