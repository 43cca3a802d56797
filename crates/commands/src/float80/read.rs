//! Reading 80-bit numbers: decimal, hexadecimal and infinite ones, correctly rounded.

use smallvec::SmallVec;

use super::Float80;
use super::big::Big;

/// Text as long as this is refused; so long is the buffer that Redis reads from.
const TEXT_MAX: usize = 5 * 1024;
/// Above this many digits before the point a number overflows, below its opposite it vanishes.
const MAGNITUDE_MAX: i64 = 5000;
/// The largest power of five below 2^63.
const SHORT_POWER_MAX: i64 = 27;

pub(super) fn parse(text: &[u8]) -> Option<Float80> {
    if text.len() >= TEXT_MAX {
        return None;
    }
    let (negative, magnitude) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let value = match magnitude {
        [b'0', b'x' | b'X', rest @ ..] => parse_hexadecimal(rest)?,
        [b'0'..=b'9' | b'.', ..] => parse_decimal(magnitude)?,
        _ if is_infinity(magnitude) => Float80::INFINITY,
        _ => return None,
    };
    Some(if negative { value.negated() } else { value })
}

fn is_infinity(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity")
}

fn parse_decimal(text: &[u8]) -> Option<Float80> {
    let (significand, exponent) = split_exponent(text, b'e')?;
    let mut digits = SmallVec::<[u8; 40]>::new();
    let mut power = exponent;
    let (mut any, mut fraction) = (false, false);
    for byte in significand {
        match byte {
            b'.' if !fraction => fraction = true,
            b'0'..=b'9' => {
                any = true;
                if *byte != b'0' || !digits.is_empty() {
                    digits.push(*byte);
                }
                power -= i64::from(fraction);
            }
            _ => return None,
        }
    }
    if !any {
        return None;
    }
    while digits.last() == Some(&b'0') {
        digits.pop();
        power += 1;
    }
    if digits.is_empty() {
        return Some(Float80::ZERO);
    }
    if (digits.len() as i64 + power).abs() > MAGNITUDE_MAX {
        return None;
    }
    nonzero(from_decimal(&digits, power))
}

/// Refuses what does not fit.
fn nonzero(value: Float80) -> Option<Float80> {
    (!value.is_infinite() && value != Float80::ZERO).then_some(value)
}

/// `digits * 10^power`.
fn from_decimal(digits: &[u8], power: i64) -> Float80 {
    let twos = power as i32;
    let fives = twos.unsigned_abs();
    if digits.len() <= 19 && power.abs() <= SHORT_POWER_MAX {
        let number =
            digits.iter().fold(0u128, |value, digit| value * 10 + u128::from(digit - b'0'));
        let factor = 5u128.pow(fives);
        if power >= 0 {
            return Float80::round(false, number * factor, twos, false);
        }
        let shift = number.leading_zeros();
        let number = number << shift;
        let sticky = !number.is_multiple_of(factor);
        return Float80::round(false, number / factor, twos - shift.cast_signed(), sticky);
    }
    let mut number = Big::from_digits(digits);
    if power >= 0 {
        number.multiply_by_five_to(fives);
        let excess = number.bits().saturating_sub(u128::BITS);
        let sticky = number.shift_right(excess);
        return Float80::round(false, number.low_bits(), twos + excess.cast_signed(), sticky);
    }
    let mut factor = Big::from(1);
    factor.multiply_by_five_to(fives);
    quotient(number, &factor, twos)
}

/// `number / factor * 2^exponent`.
fn quotient(mut number: Big, factor: &Big, exponent: i32) -> Float80 {
    /// Bits of the quotient, give or take one: enough to round it.
    const BITS: u32 = 100;
    let shift = factor.bits().cast_signed() + BITS.cast_signed() - number.bits().cast_signed();
    let mut sticky = false;
    if shift >= 0 {
        number.shift_left(shift.unsigned_abs());
    } else {
        sticky = number.shift_right(shift.unsigned_abs());
    }
    let (quotient, rest) = number.divide(factor, BITS + 1);
    Float80::round(false, quotient, exponent - shift, sticky || rest)
}

/// Reads what stands behind `0x`.
fn parse_hexadecimal(text: &[u8]) -> Option<Float80> {
    let (significand, exponent) = split_exponent(text, b'p')?;
    let (mut value, mut exponent, mut sticky) = (0u128, exponent, false);
    let (mut any, mut fraction) = (false, false);
    for byte in significand {
        if *byte == b'.' && !fraction {
            fraction = true;
            continue;
        }
        let digit = char::from(*byte).to_digit(16)?;
        any = true;
        if value >> 124 == 0 {
            value = value << 4 | u128::from(digit);
            exponent -= if fraction { 4 } else { 0 };
        } else {
            sticky |= digit != 0;
            exponent += if fraction { 0 } else { 4 };
        }
    }
    if !any {
        return None;
    }
    if value == 0 {
        return Some(Float80::ZERO);
    }
    let exponent = i32::try_from(exponent.clamp(-100_000, 100_000)).ok()?;
    nonzero(Float80::round(false, value, exponent, sticky))
}

/// Splits a number at its exponent, which is zero when there is none and is cut when it lies far
/// outside of every range.
fn split_exponent(text: &[u8], mark: u8) -> Option<(&[u8], i64)> {
    let Some(at) = text.iter().position(|byte| byte.eq_ignore_ascii_case(&mark)) else {
        return Some((text, 0));
    };
    let (negative, digits) = match &text[at + 1..] {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let append = |value: i64, digit: &u8| (value * 10 + i64::from(digit - b'0')).min(1 << 40);
    let exponent = digits.iter().fold(0, append);
    Some((&text[..at], if negative { -exponent } else { exponent }))
}
