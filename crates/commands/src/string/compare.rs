//! Conditions on what a key holds, digests, and the commands that delete under a condition.

use keyspace::Entry;
use xxhash_rust::xxh3::xxh3_64;

use super::{check, delete, with_text};
use crate::args::{Cursor, is};
use crate::{Args, Ctx, Error};

/// Length of a digest as text.
const DIGEST_LEN: usize = 16;

/// What a key must hold for a command to take effect.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Condition<'a> {
    /// Anything or nothing.
    Always,
    /// NX: nothing.
    Missing,
    /// XX: something.
    Present,
    /// IFEQ: this string.
    Equal(&'a [u8]),
    /// IFNE: another string, or nothing.
    Differs(&'a [u8]),
    /// IFDEQ: a string with this digest.
    DigestEqual(&'a [u8]),
    /// IFDNE: a string with another digest, or nothing.
    DigestDiffers(&'a [u8]),
}

impl<'a> Condition<'a> {
    /// Takes up the option `word`, whose operand, if it has one, is next in `cursor`; false when
    /// the word is no condition. NX and XX may be repeated; nothing else goes together.
    pub(super) fn accept(&mut self, word: &[u8], cursor: &mut Cursor<'a>) -> Result<bool, Error> {
        let condition = if is(word, "NX") {
            Self::Missing
        } else if is(word, "XX") {
            Self::Present
        } else if Self::has_operand(word) {
            let operand = cursor.value()?;
            Self::with_operand(word, operand).ok_or(Error::Syntax)?
        } else {
            return Ok(false);
        };
        let repeated = *self == condition && !condition.compares();
        if *self != Self::Always && !repeated {
            return Err(Error::Syntax);
        }
        *self = condition;
        Ok(true)
    }

    /// Whether the word is a condition with an operand.
    pub(super) fn has_operand(word: &[u8]) -> bool {
        Self::with_operand(word, &[]).is_some()
    }

    /// Whether the condition compares the former value.
    pub(super) fn compares(self) -> bool {
        !matches!(self, Self::Always | Self::Missing | Self::Present)
    }

    /// Whether the condition holds for what is there.
    pub(super) fn holds(self, entry: Option<&Entry>) -> Result<bool, Error> {
        let Some(entry) = entry else {
            let needs_value = matches!(self, Self::Present | Self::Equal(_) | Self::DigestEqual(_));
            return Ok(!needs_value);
        };
        match self {
            Self::Always | Self::Present => Ok(true),
            Self::Missing => Ok(false),
            Self::Equal(operand) => with_text(entry, |text| text == operand),
            Self::Differs(operand) => with_text(entry, |text| text != operand),
            Self::DigestEqual(operand) => has_digest(entry, operand),
            Self::DigestDiffers(operand) => has_digest(entry, operand).map(|equal| !equal),
        }
    }

    fn with_operand(word: &[u8], operand: &'a [u8]) -> Option<Self> {
        if is(word, "IFEQ") {
            Some(Self::Equal(operand))
        } else if is(word, "IFNE") {
            Some(Self::Differs(operand))
        } else if is(word, "IFDEQ") {
            Some(Self::DigestEqual(operand))
        } else if is(word, "IFDNE") {
            Some(Self::DigestDiffers(operand))
        } else {
            None
        }
    }
}

/// DIGEST key - O(N) of the string's length.
pub(super) fn digest(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    match ctx.db.read(args[1]) {
        Some(entry) => ctx.out.bulk(&digest_of(&entry)?),
        None => ctx.out.null(),
    }
    Ok(())
}

/// DELEX key [IFEQ value | IFNE value | IFDEQ digest | IFDNE digest] - O(1), with a digest O(N).
pub(super) fn delex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    /// The key holds no string although a condition was given.
    const NOT_STRING: Error =
        Error::Text("ERR Key should be of string type if conditions are specified");
    /// The word is no condition.
    const NO_CONDITION: Error =
        Error::Text("ERR Invalid condition. Use IFEQ, IFNE, IFDEQ, or IFDNE");
    if args.len() != 2 && args.len() != 4 {
        return Err(Error::Arity);
    }
    let key = args[1];
    let holds = match (ctx.db.peek(key), args.len()) {
        (None, _) => false,
        (Some(_), 2) => true,
        (Some(entry), _) => {
            check(&entry).map_err(|_| NOT_STRING)?;
            let condition = Condition::with_operand(args[2], args[3]).ok_or(NO_CONDITION)?;
            condition.holds(Some(&entry))?
        }
    };
    reply_deleted(ctx, key, holds)
}

/// DELIFEQ key value - O(1).
pub(super) fn delifeq(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let holds = Condition::Equal(args[2]).holds(ctx.db.peek(args[1]).as_deref())?;
    reply_deleted(ctx, args[1], holds)
}

fn reply_deleted(ctx: &mut Ctx<'_, '_>, key: &[u8], holds: bool) -> Result<(), Error> {
    if holds {
        delete(ctx, key);
    }
    ctx.out.int(i64::from(holds));
    Ok(())
}

fn digest_of(entry: &Entry) -> Result<[u8; DIGEST_LEN], Error> {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let hash = with_text(entry, xxh3_64)?;
    Ok(std::array::from_fn(|at| HEX[(hash >> (60 - 4 * at)) as usize & 15]))
}

/// Only the length of an operand is checked, as Redis does: what is not hexadecimal is equal to no
/// digest.
fn has_digest(entry: &Entry, operand: &[u8]) -> Result<bool, Error> {
    let digest = digest_of(entry)?;
    if operand.len() != DIGEST_LEN {
        return Err(Error::Text("ERR must be exactly 16 hexadecimal characters"));
    }
    Ok(operand.eq_ignore_ascii_case(&digest))
}
