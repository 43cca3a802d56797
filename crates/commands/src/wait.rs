//! What a command waits for that did not find what it wants.
//!
//! The command itself is the attempt: it is run again when what it waits for may be there. So a
//! handler that finds nothing says in [`Ctx::wait`] what to wait for, and writes nothing.

use std::ops::Range;

use keyspace::Kind;

use crate::float80::Float80;
use crate::{Ctx, Error};

/// See the module's text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wait {
    /// The arguments that are keys to wait for.
    pub keys: Range<usize>,
    /// What a key has to hold for another attempt.
    pub kind: Kind,
    /// Whether another attempt is due as well when a key is gone or holds something else.
    pub on_loss: bool,
    /// When the time is up, Unix milliseconds; `None` for never.
    pub until_ms: Option<i64>,
    /// When another attempt is due although no key changed, Unix milliseconds.
    pub again_ms: Option<i64>,
    /// Arguments to repeat the command with, by their position, where those it came with depend on
    /// the moment.
    pub fixed: Vec<(usize, Box<[u8]>)>,
}

impl Wait {
    /// Waits for keys of a kind to appear.
    pub(crate) fn new(keys: Range<usize>, kind: Kind, until_ms: Option<i64>) -> Self {
        Self { keys, kind, on_loss: false, until_ms, again_ms: None, fixed: Vec::new() }
    }
}

const NOT_FLOAT: Error = Error::Text("ERR timeout is not a float or out of range");
const OUT_OF_RANGE: Error = Error::Text(spec::error::TIMEOUT_OUT_OF_RANGE);
const NEGATIVE: Error = Error::Text(spec::error::NEGATIVE_TIMEOUT);

/// A number that only the wider type holds: larger than any `f64`, or smaller but not zero.
fn beyond_f64(arg: &[u8]) -> f64 {
    let nearest = std::str::from_utf8(arg).ok().and_then(|text| text.parse::<f64>().ok());
    if nearest == Some(0.0) { f64::MIN_POSITIVE } else { f64::INFINITY }
}

/// Reads a timeout in seconds, which may have a fraction: when it is up in Unix milliseconds,
/// `None` for never, which is 0.
pub(crate) fn deadline(ctx: &Ctx<'_, '_>, arg: &[u8]) -> Result<Option<i64>, Error> {
    Float80::parse(arg).ok_or(NOT_FLOAT)?;
    let is_negative = arg.first() == Some(&b'-');
    let seconds = resp::number::parse_f64(arg).map_or_else(|| beyond_f64(arg), f64::abs);
    let timeout_ms = (seconds * 1000.0) * if is_negative { -1.0 } else { 1.0 };
    if timeout_ms > i64::MAX as f64 {
        return Err(OUT_OF_RANGE);
    }
    match timeout_ms.ceil() as i64 {
        ..0 => Err(NEGATIVE),
        0 => Ok(None),
        timeout_ms => ctx.now_ms().checked_add(timeout_ms).map(Some).ok_or(OUT_OF_RANGE),
    }
}
