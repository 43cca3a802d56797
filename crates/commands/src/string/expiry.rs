//! The options EX, PX, EXAT, PXAT, KEEPTTL and PERSIST.
//!
//! Which of them a command has is decided here too, because a word that a command does not have is
//! a syntax error like any other.

use crate::args::{Cursor, is};
use crate::expire::Unit;
use crate::{Ctx, Error};

/// Which words beside the four with a time a command knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Extra {
    /// KEEPTTL.
    Keep,
    /// PERSIST.
    Persist,
}

/// What becomes of a key's expiry.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Expiry<'a> {
    /// No option was given.
    Unset,
    /// KEEPTTL.
    Keep,
    /// PERSIST.
    Persist,
    /// A time, as it was written.
    Time(Unit, &'a [u8]),
}

impl<'a> Expiry<'a> {
    /// Takes up the option `word`, whose value, if it has one, is next in `cursor`. An option that
    /// was given before may be given again, another one may not.
    pub(super) fn accept(
        &mut self,
        word: &[u8],
        cursor: &mut Cursor<'a>,
        extra: Extra,
    ) -> Result<(), Error> {
        let option = match (Unit::of(word), extra) {
            (Some(unit), _) => Self::Time(unit, cursor.value()?),
            (None, Extra::Keep) if is(word, "KEEPTTL") => Self::Keep,
            (None, Extra::Persist) if is(word, "PERSIST") => Self::Persist,
            _ => return Err(Error::Syntax),
        };
        let agrees = match (*self, option) {
            (Self::Unset, _) => true,
            (Self::Time(former, _), Self::Time(unit, _)) => former == unit,
            (former, _) => former == option,
        };
        if !agrees {
            return Err(Error::Syntax);
        }
        *self = option;
        Ok(())
    }

    /// The deadline in Unix milliseconds, if a time was given.
    pub(super) fn deadline_ms(self, ctx: &Ctx<'_, '_>) -> Result<Option<i64>, Error> {
        let Self::Time(unit, text) = self else { return Ok(None) };
        let time = resp::number::parse_i64(text).ok_or(Error::NotInteger)?;
        if time <= 0 {
            return Err(Error::InvalidExpire);
        }
        unit.deadline_ms(time, ctx.now_ms()).map(Some)
    }
}
