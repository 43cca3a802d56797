//! AROP: one result from all elements of a range.
//!
//! Numbers are summed up and compared as C's `long double`, in which Redis computes. An element
//! counts as the number that Redis keeps: a text that is the shortest one of a double whose two
//! lowest bits are clear is that double, any other text is read with all the digits it has.

use value::compact::Element;
use value::number::Text;

use super::{index, look};
use crate::args::is;
use crate::float80::Float80;
use crate::{Args, Ctx, Error};

/// AROP key start end <SUM|MIN|MAX|AND|OR|XOR|MATCH value|USED> - O(N) of the elements between.
pub(super) fn arop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (start, end) = (index(args[2])?, index(args[3])?);
    let mut operation = Operation::parse(args)?;
    look(&mut ctx.db, args[1], |array| {
        if let Some(array) = array {
            array.walk(start.min(end), start.max(end), |_, element| {
                operation.take(element);
                true
            });
        }
    })?;
    operation.reply(ctx);
    Ok(())
}

/// What is computed, and what came out of it so far.
enum Operation<'a> {
    Numbers(fn(Float80, Float80) -> Option<Float80>, Total),
    Bits(fn(i64, i64) -> i64, Option<i64>),
    Match(&'a [u8], i64),
    Used(i64),
}

/// A number that came out of numbers.
#[derive(Clone, Copy)]
enum Total {
    Nothing,
    Number(Float80),
    /// The sum of opposite infinities.
    NotANumber,
}

impl<'a> Operation<'a> {
    fn parse(args: &Args<'a>) -> Result<Self, Error> {
        let word = args[4];
        let min = |one: Float80, other: Float80| {
            Some(if other.compare(one).is_lt() { other } else { one })
        };
        let max = |one: Float80, other: Float80| {
            Some(if other.compare(one).is_gt() { other } else { one })
        };
        let operation = if is(word, "SUM") {
            Self::Numbers(Float80::add, Total::Nothing)
        } else if is(word, "MIN") {
            Self::Numbers(min, Total::Nothing)
        } else if is(word, "MAX") {
            Self::Numbers(max, Total::Nothing)
        } else if is(word, "AND") {
            Self::Bits(|one, other| one & other, None)
        } else if is(word, "OR") {
            Self::Bits(|one, other| one | other, None)
        } else if is(word, "XOR") {
            Self::Bits(|one, other| one ^ other, None)
        } else if is(word, "USED") {
            Self::Used(0)
        } else if is(word, "MATCH") {
            return match args.from(5) {
                [text] => Ok(Self::Match(text, 0)),
                _ => Err(Error::Text("ERR MATCH requires a value argument")),
            };
        } else {
            return Err(Error::Text("ERR unknown operation"));
        };
        if args.len() == 5 { Ok(operation) } else { Err(Error::Arity) }
    }

    fn take(&mut self, element: Element<'_>) {
        match self {
            Self::Used(count) => *count += 1,
            Self::Match(text, count) => {
                *count += i64::from(element.text(&mut Text::new()) == *text);
            }
            Self::Numbers(combine, total) => {
                let Some(number) = number(element) else { return };
                *total = match *total {
                    Total::Nothing => Total::Number(number),
                    Total::Number(so_far) => {
                        combine(so_far, number).map_or(Total::NotANumber, Total::Number)
                    }
                    Total::NotANumber => Total::NotANumber,
                };
            }
            Self::Bits(combine, total) => {
                let Some(number) = whole(element) else { return };
                *total = Some(total.map_or(number, |so_far| combine(so_far, number)));
            }
        }
    }

    fn reply(self, ctx: &mut Ctx<'_, '_>) {
        match self {
            Self::Used(count) | Self::Match(_, count) => ctx.out.int(count),
            Self::Bits(_, Some(bits)) => ctx.out.int(bits),
            Self::Numbers(_, Total::Number(number)) => {
                let mut text = Vec::new();
                number.write_general(&mut text);
                ctx.out.bulk(&text);
            }
            // So the C library prints what an x87 makes of it.
            Self::Numbers(_, Total::NotANumber) => ctx.out.bulk(b"-nan"),
            Self::Bits(_, None) | Self::Numbers(_, Total::Nothing) => ctx.out.null(),
        }
    }
}

/// The number that an element is, if it is one.
fn number(element: Element<'_>) -> Option<Float80> {
    match element.recognised() {
        Element::Int(number) => Some(Float80::from_i64(number)),
        Element::Str(text) => match kept_double(text) {
            Some(number) => Some(Float80::from_f64(number)),
            None => Float80::parse(text),
        },
    }
}

/// The number without what is behind its point, if it fits.
fn whole(element: Element<'_>) -> Option<i64> {
    match element.recognised() {
        Element::Int(number) => Some(number),
        text => number(text)?.truncated(),
    }
}

/// The double that stands for a text without loss in Redis, which needs two of its bits.
fn kept_double(text: &[u8]) -> Option<f64> {
    const TAKEN_BITS: u64 = 3;
    let number = resp::number::parse_f64(text).filter(|number| number.is_finite())?;
    if number.to_bits() & TAKEN_BITS != 0 {
        return None;
    }
    let mut shortest = Vec::new();
    resp::number::write_double(&mut shortest, number);
    let whole = text.strip_suffix(b".0").unwrap_or(text);
    (shortest == text || shortest == whole).then_some(number)
}
