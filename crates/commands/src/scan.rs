//! Finding keys without knowing their names.

use keyspace::Entry;
use resp::Writer;
use value::compact::Element;
use value::number::Text;

use crate::args::{Cursor, is};
use crate::{Args, Ctx, Error, Handler, glob};

pub(crate) const HANDLERS: &[(&str, Handler)] =
    &[("keys", keys), ("randomkey", randomkey), ("scan", scan)];

/// The types that SCAN's TYPE knows.
const TYPES: &[&str] = &["string", "list", "set", "zset", "hash", "stream", "array"];
/// Keys or elements that a call is to meet when it does not say.
const COUNT: u64 = 10;

/// KEYS pattern - O(N).
fn keys(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let pattern = Pattern::new(args[1]);
    let later = ctx.out.array_later();
    let mut count = 0;
    ctx.db.each(&mut |entry| {
        if pattern.fits(entry.key_bytes()) {
            ctx.out.bulk(entry.key_bytes());
            count += 1;
        }
    });
    ctx.out.finish(later, count);
    Ok(())
}

/// RANDOMKEY - O(1).
fn randomkey(ctx: &mut Ctx<'_, '_>, _args: &Args<'_>) -> Result<(), Error> {
    match ctx.db.random_key(ctx.rng) {
        Some(key) => ctx.out.bulk(&key),
        None => ctx.out.null(),
    }
    Ok(())
}

/// SCAN cursor [MATCH pattern] [COUNT count] [TYPE type] - O(1) a call, O(N) a full walk.
fn scan(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let cursor = parse_cursor(args[1])?;
    let options = Options::read(ctx, args)?;
    let mut wanted = |entry: &Entry| {
        options.kind.is_none_or(|kind| is(kind, entry.kind().name()))
            && options.pattern.fits(entry.key_bytes())
    };
    let mut found = Found::default();
    let cursor = ctx.db.scan(cursor, options.count, &mut wanted, &mut |entry| {
        found.add(|bytes| bytes.extend_from_slice(entry.key_bytes()));
    });
    found.write(ctx.out, cursor)
}

struct Options<'a> {
    pattern: Pattern<'a>,
    count: u64,
    kind: Option<&'a [u8]>,
}

impl<'a> Options<'a> {
    fn read(ctx: &mut Ctx<'_, '_>, args: &Args<'a>) -> Result<Self, Error> {
        let mut kind = None;
        let mut words = args.cursor(2);
        let (pattern, count) = read_options(&mut words, &mut |words| {
            if words.left() < 2 || !words.accept("TYPE") {
                return Ok(false);
            }
            let name = words.value()?;
            if !TYPES.iter().any(|known| is(name, known)) {
                return Err(ctx.error_around(b"ERR unknown type name '", name, b"'"));
            }
            kind = Some(name);
            Ok(true)
        })?;
        Ok(Self { pattern, count, kind })
    }
}

/// Reads MATCH and COUNT, and with `own` what only this command of the family takes: it says
/// whether the next word was such an option.
fn read_options<'a>(
    words: &mut Cursor<'a>,
    own: &mut dyn FnMut(&mut Cursor<'a>) -> Result<bool, Error>,
) -> Result<(Pattern<'a>, u64), Error> {
    let (mut pattern, mut count) = (Pattern::new(b"*"), COUNT);
    while words.left() > 0 {
        let has_value = words.left() > 1;
        if has_value && words.accept("COUNT") {
            count = u64::try_from(words.int()?).map_err(|_| Error::Syntax)?;
            if count == 0 {
                return Err(Error::Syntax);
            }
        } else if has_value && words.accept("MATCH") {
            pattern = Pattern::new(words.value()?);
        } else if own(words)? {
            continue;
        } else if words.accept("NOVALUES") {
            return Err(Error::Text("ERR NOVALUES option can only be used in HSCAN"));
        } else if words.accept("NOSCORES") {
            return Err(Error::Text("ERR NOSCORES option can only be used in ZSCAN"));
        } else {
            return Err(Error::Syntax);
        }
    }
    Ok((pattern, count))
}

/// A glob pattern; `*` alone matches everything without being looked at.
#[derive(Clone, Copy)]
struct Pattern<'a>(Option<&'a [u8]>);

impl<'a> Pattern<'a> {
    fn new(pattern: &'a [u8]) -> Self {
        Self((pattern != b"*").then_some(pattern))
    }

    fn fits(self, key: &[u8]) -> bool {
        self.0.is_none_or(|pattern| glob::matches(pattern, key, false))
    }
}

/// What a call of the family replies: the cursor, which stands first and is known last, and what
/// was found, one behind the other in one allocation.
#[derive(Default)]
pub(crate) struct Found {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Found {
    /// Adds what `write` appends.
    pub(crate) fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        write(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// Adds a name or a value.
    pub(crate) fn add_element(&mut self, element: Element<'_>) {
        self.add(|bytes| element.write_to(bytes));
    }

    /// Writes the reply.
    pub(crate) fn write(&self, out: &mut Writer, cursor: u64) -> Result<(), Error> {
        out.array(2);
        out.bulk(cursor.to_string().as_bytes());
        out.array(self.ends.len());
        let mut start = 0;
        for &end in &self.ends {
            out.bulk(&self.bytes[start..end]);
            start = end;
        }
        Ok(())
    }
}

/// Reads a cursor, or refuses it.
pub(crate) fn parse_cursor(text: &[u8]) -> Result<u64, Error> {
    unsigned(text).ok_or(Error::Text(spec::error::INVALID_CURSOR))
}

/// Reads a number in the grammar of C's `strtoull`: blanks and a sign may stand before it, and a
/// minus wraps around unless the number is written as a command would print it.
pub(crate) fn unsigned(text: &[u8]) -> Option<u64> {
    if let Some(number) = resp::number::parse_i64(text) {
        return u64::try_from(number).ok();
    }
    let text = text.trim_ascii_start();
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] | digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let number = std::str::from_utf8(digits).ok()?.parse::<u64>().ok()?;
    Some(if negative { number.wrapping_neg() } else { number })
}

/// The options of HSCAN, SSCAN and ZSCAN.
pub(crate) struct ElementOptions<'a> {
    /// What an element's name has to match.
    pattern: Pattern<'a>,
    /// How many elements a call is to meet.
    pub(crate) count: u64,
    /// Whether names come without what belongs to them.
    pub(crate) names_only: bool,
}

impl<'a> ElementOptions<'a> {
    /// Reads them from behind the cursor; `names_only` is the command's word for that, if it has
    /// one.
    pub(crate) fn read(args: &Args<'a>, names_only: Option<&str>) -> Result<Self, Error> {
        let mut is_named = false;
        let mut words = args.cursor(3);
        let (pattern, count) = read_options(&mut words, &mut |words| {
            let is_this = names_only.is_some_and(|word| words.accept(word));
            is_named |= is_this;
            Ok(is_this)
        })?;
        Ok(Self { pattern, count, names_only: is_named })
    }

    /// Whether they ask for an element of this name.
    pub(crate) fn fit(&self, name: Element<'_>) -> bool {
        self.pattern.fits(name.text(&mut Text::new()))
    }
}

#[cfg(test)]
mod tests;
