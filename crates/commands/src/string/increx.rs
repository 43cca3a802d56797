//! INCREX: a counter with bounds and an expiry in one step.

use keyspace::{Class, NewValue, Ttl, Wants};
use resp::Writer;

use super::compare::Condition;
use super::counter::{float_of, int_of, put_int};
use super::expiry::{Expiry, Extra};
use crate::args::is;
use crate::float80::Float80;
use crate::{Args, Ctx, Error};

/// The options as they were written.
struct Options<'a> {
    condition: Condition<'a>,
    /// The increment, and whether it is a float.
    increment: Option<(&'a [u8], bool)>,
    lower: Option<&'a [u8]>,
    upper: Option<&'a [u8]>,
    saturate: bool,
    expiry: Expiry<'a>,
    only_without_ttl: bool,
}

/// The value and the increment that was applied to get there.
#[derive(Clone, Copy)]
enum Outcome {
    Int(i64, i64),
    Float(Float80, Float80),
}

/// What is added and where it must end.
enum Step {
    Int { increment: i64, lower: i64, upper: i64 },
    Float { increment: Float80, lower: Float80, upper: Float80 },
}

/// INCREX key [NX | XX] [BYFLOAT n | BYINT n] [LBOUND n] [UBOUND n] [SATURATE]
/// [EX seconds | PX milliseconds | EXAT time | PXAT time | PERSIST] [ENX] - O(1).
pub(super) fn increx(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let options = parse(args)?;
    let step = options.step()?;
    let deadline = options.expiry.deadline_ms(ctx)?;
    let key = args[1];
    let entry = ctx.db.peek(key);
    let expires = entry.as_ref().is_some_and(|entry| entry.deadline_ms().is_some());
    let former = step.former(entry.as_deref())?;
    let outcome = if options.condition.holds(entry.as_deref())? {
        step.run(former, options.saturate)?
    } else {
        None
    };
    outcome.unwrap_or(former).reply(ctx.out);
    let Some(outcome) = outcome else { return Ok(()) };
    let deadline = deadline.filter(|_| !(options.only_without_ttl && expires));
    if deadline.is_some_and(|deadline| ctx.is_past(deadline)) {
        ctx.db.expire_now(key);
        return Ok(());
    }
    let persist = options.expiry == Expiry::Persist;
    store(ctx, key, outcome, deadline, persist);
    if persist && expires {
        ctx.db.note(Class::GENERIC, "persist", key);
    }
    Ok(())
}

/// Sets the key to its new value and propagates that as a SET.
fn store(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    outcome: Outcome,
    deadline: Option<i64>,
    persist: bool,
) {
    let ttl = match (deadline, persist) {
        (Some(deadline), _) => Ttl::At(deadline),
        (None, true) => Ttl::Never,
        (None, false) => Ttl::Keep,
    };
    let mut text = Vec::with_capacity(32);
    let event = match outcome {
        Outcome::Int(value, _) => {
            resp::number::write_i64(&mut text, value);
            let in_place =
                ttl == Ttl::Keep && ctx.db.edit(key, |entry| put_int(entry, value)).is_some();
            if !in_place {
                ctx.db.rewrite(key, NewValue::Int(value), ttl);
            }
            "incrby"
        }
        Outcome::Float(value, _) => {
            value.write(&mut text);
            ctx.db.rewrite(key, NewValue::Bytes(&text), ttl);
            "incrbyfloat"
        }
    };
    ctx.db.change.add_dirty(1);
    ctx.db.note(Class::STRING, event, key);
    if deadline.is_some() {
        ctx.db.note(Class::GENERIC, "expire", key);
    }
    if !ctx.db.change.wants(Wants::LOG) {
        return;
    }
    match ttl {
        Ttl::Keep => ctx.db.propagate(&[b"SET", key, &text, b"KEEPTTL"]),
        Ttl::Never => ctx.db.propagate(&[b"SET", key, &text]),
        Ttl::At(deadline) => {
            let time = itoa::Buffer::new().format(deadline).to_owned();
            ctx.db.propagate(&[b"SET", key, &text, b"PXAT", time.as_bytes()]);
        }
    }
}

/// No option may be given twice.
fn parse<'a>(args: &Args<'a>) -> Result<Options<'a>, Error> {
    let mut options = Options {
        condition: Condition::Always,
        increment: None,
        lower: None,
        upper: None,
        saturate: false,
        expiry: Expiry::Unset,
        only_without_ttl: false,
    };
    let mut cursor = args.cursor(2);
    while let Some(word) = cursor.next_word() {
        let fresh = if is(word, "BYINT") {
            options.increment.replace((cursor.value()?, false)).is_none()
        } else if is(word, "BYFLOAT") {
            options.increment.replace((cursor.value()?, true)).is_none()
        } else if is(word, "LBOUND") {
            options.lower.replace(cursor.value()?).is_none()
        } else if is(word, "UBOUND") {
            options.upper.replace(cursor.value()?).is_none()
        } else if is(word, "SATURATE") {
            !std::mem::replace(&mut options.saturate, true)
        } else if is(word, "ENX") {
            !std::mem::replace(&mut options.only_without_ttl, true)
        } else if is(word, "NX") || is(word, "XX") {
            options.condition == Condition::Always && options.condition.accept(word, &mut cursor)?
        } else {
            let fresh = options.expiry == Expiry::Unset;
            options.expiry.accept(word, &mut cursor, Extra::Persist)?;
            fresh
        };
        if !fresh {
            return Err(Error::Syntax);
        }
    }
    match (options.only_without_ttl, options.expiry) {
        (true, Expiry::Persist) => Err(Error::Syntax),
        (true, Expiry::Unset) => Err(Error::Text("ERR ENX flag requires an expiration")),
        _ => Ok(options),
    }
}

impl Options<'_> {
    fn step(&self) -> Result<Step, Error> {
        let step = match self.increment {
            Some((text, true)) => {
                let increment = float(text, "ERR Increment is not a valid float")?;
                if increment.is_infinite() {
                    return Err(Error::Text("ERR BYFLOAT increment cannot be Infinity"));
                }
                let lower = self.lower.map(|text| float(text, "ERR LBOUND is not a valid float"));
                let upper = self.upper.map(|text| float(text, "ERR UBOUND is not a valid float"));
                Step::Float {
                    increment,
                    lower: lower.transpose()?.unwrap_or(Float80::MIN),
                    upper: upper.transpose()?.unwrap_or(Float80::MAX),
                }
            }
            increment => {
                let text = increment.map_or(b"1".as_slice(), |(text, _)| text);
                let increment = int(text, "ERR Increment is not an integer or out of range")?;
                let bound =
                    |text: Option<&[u8]>, message| text.map(|text| int(text, message)).transpose();
                let lower = bound(self.lower, "ERR LBOUND is not an integer or out of range")?;
                let upper = bound(self.upper, "ERR UBOUND is not an integer or out of range")?;
                let (lower, upper) = (lower.unwrap_or(i64::MIN), upper.unwrap_or(i64::MAX));
                Step::Int { increment, lower, upper }
            }
        };
        let crossed = match step {
            Step::Int { lower, upper, .. } => lower > upper,
            Step::Float { lower, upper, .. } => lower.compare(upper).is_gt(),
        };
        if crossed { Err(Error::Text("ERR LBOUND can't be greater than UBOUND")) } else { Ok(step) }
    }
}

fn float(text: &[u8], message: &'static str) -> Result<Float80, Error> {
    Float80::parse(text).ok_or(Error::Text(message))
}

fn int(text: &[u8], message: &'static str) -> Result<i64, Error> {
    resp::number::parse_i64(text).ok_or(Error::Text(message))
}

impl Step {
    /// The value as it is, with nothing applied.
    fn former(&self, entry: Option<&keyspace::Entry>) -> Result<Outcome, Error> {
        match self {
            Self::Int { .. } => Ok(Outcome::Int(entry.map_or(Ok(0), int_of)?, 0)),
            Self::Float { .. } => {
                let value = entry.map_or(Ok(Float80::ZERO), float_of)?;
                if value.is_infinite() {
                    return Err(Error::Text("ERR value cannot be Infinity"));
                }
                Ok(Outcome::Float(value, Float80::ZERO))
            }
        }
    }

    /// The new value and the difference; `None` when it lies outside of the bounds and may not be
    /// cut there.
    fn run(&self, former: Outcome, saturate: bool) -> Result<Option<Outcome>, Error> {
        match (self, former) {
            (Self::Int { increment, lower, upper }, Outcome::Int(former, _)) => {
                let (lower, upper) = (i128::from(*lower), i128::from(*upper));
                let sum = i128::from(former) + i128::from(*increment);
                let value = sum.clamp(lower, upper);
                if value != sum && !saturate {
                    return Ok(None);
                }
                let applied = i64::try_from(value - i128::from(former))
                    .map_err(|_| Error::Text("ERR applied increment would overflow"))?;
                Ok(Some(Outcome::Int(value as i64, applied)))
            }
            (Self::Float { increment, lower, upper }, Outcome::Float(former, _)) => {
                let sum = former.add(*increment).ok_or(Error::NotFloat)?;
                let value = if sum.compare(*upper).is_gt() {
                    *upper
                } else if sum.compare(*lower).is_lt() {
                    *lower
                } else {
                    sum
                };
                if value != sum && !saturate {
                    return Ok(None);
                }
                match value.sub(former) {
                    Some(applied) if !applied.is_infinite() => {
                        Ok(Some(Outcome::Float(value, applied)))
                    }
                    _ => Err(Error::Text("ERR applied increment would be Infinity")),
                }
            }
            _ => unreachable!("the former value was read for this step"),
        }
    }
}

impl Outcome {
    fn reply(self, out: &mut Writer) {
        out.array(2);
        match self {
            Self::Int(value, applied) => {
                out.int(value);
                out.int(applied);
            }
            Self::Float(value, applied) => {
                for number in [value, applied] {
                    let mut text = Vec::with_capacity(32);
                    number.write(&mut text);
                    out.double_text(&text);
                }
            }
        }
    }
}
