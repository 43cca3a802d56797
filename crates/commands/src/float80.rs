//! The 80-bit floating point numbers of the x87, in which INCRBYFLOAT and its relatives count.
//!
//! Redis computes in C's `long double`, so clients see its 64-bit significand: reading, adding and
//! printing here give the very digits that the C library gives (`strtold`, `%.17Lf`), rounding to
//! nearest with ties to even. It knows text and numbers, nothing of commands.
//!
//! Invariants: a value is `mantissa * 2^exponent` with the top bit of the mantissa set, unless the
//! exponent is the smallest one; zero is never negative; there is no NaN.

use std::cmp::Ordering;

mod big;
mod general;
mod read;

use self::big::Big;

/// The exponent of the smallest number above zero.
const EXPONENT_MIN: i32 = -16_445;
/// The exponent of the largest finite number.
const EXPONENT_MAX: i32 = 16_320;
/// Digits behind the point that are printed.
const FRACTION_DIGITS: usize = 17;
/// Ten to the power of [`FRACTION_DIGITS`].
const FRACTION_SCALE: u64 = 100_000_000_000_000_000;

/// A number, possibly infinite.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Float80 {
    negative: bool,
    exponent: i32,
    mantissa: u64,
}

impl Float80 {
    /// Zero.
    pub(crate) const ZERO: Self = Self { negative: false, exponent: EXPONENT_MIN, mantissa: 0 };
    /// The largest finite number.
    pub(crate) const MAX: Self =
        Self { negative: false, exponent: EXPONENT_MAX, mantissa: u64::MAX };
    /// The smallest finite number.
    pub(crate) const MIN: Self = Self { negative: true, ..Self::MAX };
    const INFINITY: Self = Self { negative: false, exponent: i32::MAX, mantissa: 1 << 63 };

    /// Reads text as `strtold` does, under Redis's conditions: at most 5119 bytes, no blank in
    /// front, nothing behind it, no NaN, no overflow and no underflow to zero.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        read::parse(text)
    }

    /// The number of an integer, which is exact.
    pub(crate) fn from_i64(number: i64) -> Self {
        Self::round(number < 0, u128::from(number.unsigned_abs()), 0, false)
    }

    /// The number of a finite double, which is exact.
    pub(crate) fn from_f64(number: f64) -> Self {
        const FRACTION: u32 = 52;
        const BIAS: i32 = 1075;
        let bits = number.to_bits();
        let field = (bits >> FRACTION & 0x7ff) as i32;
        let fraction = bits & ((1 << FRACTION) - 1);
        let significand = if field == 0 { fraction } else { fraction | 1 << FRACTION };
        Self::round(number.is_sign_negative(), significand.into(), field.max(1) - BIAS, false)
    }

    /// The number without what is behind its point, unless it lies outside of the integers.
    pub(crate) fn truncated(self) -> Option<i64> {
        if self.exponent > 0 {
            return None;
        }
        let shift = self.exponent.unsigned_abs();
        let whole = self.mantissa.checked_shr(shift).unwrap_or(0);
        let is_whole = whole.checked_shl(shift).unwrap_or(0) == self.mantissa;
        let limit = if self.negative { i64::MIN.unsigned_abs() } else { i64::MAX.unsigned_abs() };
        if whole > limit || whole == limit && !is_whole {
            return None;
        }
        Some(if self.negative { 0i64.wrapping_sub_unsigned(whole) } else { whole as i64 })
    }

    /// Whether it is infinite.
    pub(crate) fn is_infinite(self) -> bool {
        self.exponent == i32::MAX
    }

    /// The sum, rounded; `None` where there is none (infinity and its opposite).
    pub(crate) fn add(self, other: Self) -> Option<Self> {
        if self.is_infinite() || other.is_infinite() {
            let opposite = other.is_infinite() && self.negative != other.negative;
            return match (self.is_infinite(), opposite) {
                (true, true) => None,
                (true, false) => Some(self),
                (false, _) => Some(other),
            };
        }
        let (large, small) =
            if self.exponent >= other.exponent { (self, other) } else { (other, self) };
        Some(Self::add_finite(large, small))
    }

    /// The difference; `None` as in [`Self::add`].
    pub(crate) fn sub(self, other: Self) -> Option<Self> {
        self.add(other.negated())
    }

    /// Appends the number with up to 17 digits behind the point, without zeros at the end.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        if self.is_infinite() {
            out.extend_from_slice(if self.negative { b"-inf" } else { b"inf" });
            return;
        }
        if self.exponent >= 0 {
            if self.negative {
                out.push(b'-');
            }
            let mut whole = Big::from(u128::from(self.mantissa));
            whole.shift_left(self.exponent.unsigned_abs());
            return whole.write_decimal(out);
        }
        let (whole, fraction) = self.split();
        if self.negative && (whole, fraction) != (0, 0) {
            out.push(b'-');
        }
        out.extend_from_slice(itoa::Buffer::new().format(whole).as_bytes());
        if fraction != 0 {
            write_fraction(out, fraction);
        }
    }

    /// The order of the numbers.
    pub(crate) fn compare(self, other: Self) -> Ordering {
        let magnitudes = (self.exponent, self.mantissa).cmp(&(other.exponent, other.mantissa));
        match (self.negative, other.negative) {
            (false, false) => magnitudes,
            (true, true) => magnitudes.reverse(),
            (true, false) => Ordering::Less,
            (false, true) => Ordering::Greater,
        }
    }

    fn negated(self) -> Self {
        Self { negative: !self.negative && self.mantissa != 0, ..self }
    }

    /// Adds two finite numbers, of which the first has no smaller exponent.
    fn add_finite(large: Self, small: Self) -> Self {
        /// Room below the lowest bit of the larger number; one bit above is left for the carry.
        const GUARD: u32 = 62;
        let shift = (large.exponent - small.exponent).unsigned_abs();
        let left = u128::from(large.mantissa) << GUARD;
        let all = u128::from(small.mantissa) << GUARD;
        let right = all.checked_shr(shift).unwrap_or(0);
        let sticky = right.checked_shl(shift).unwrap_or(0) != all;
        let exponent = large.exponent - GUARD.cast_signed();
        if large.negative == small.negative {
            Self::round(large.negative, left + right, exponent, sticky)
        } else if left >= right {
            // What was shifted out makes the difference a little smaller.
            let difference = left - right - u128::from(sticky);
            Self::round(large.negative, difference, exponent, sticky)
        } else {
            Self::round(small.negative, right - left, exponent, sticky)
        }
    }

    /// `wide * 2^exponent` and, with `sticky`, a little more, rounded to 64 bits. With `sticky`,
    /// `wide` must have at least 65 bits or lie below the smallest exponent.
    fn round(negative: bool, wide: u128, exponent: i32, sticky: bool) -> Self {
        if wide == 0 {
            return Self::ZERO;
        }
        let bits = (u128::BITS - wide.leading_zeros()).cast_signed();
        let mut lowest = (exponent + bits - 64).max(EXPONENT_MIN);
        let dropped = lowest - exponent;
        let mut kept = if dropped <= 0 {
            wide << dropped.unsigned_abs()
        } else if dropped > u128::BITS.cast_signed() {
            0
        } else {
            round_off(wide, dropped.unsigned_abs(), sticky)
        };
        if kept >> 64 != 0 {
            kept >>= 1;
            lowest += 1;
        }
        if kept == 0 {
            return Self::ZERO;
        }
        if lowest > EXPONENT_MAX {
            return Self { negative, ..Self::INFINITY };
        }
        Self { negative, exponent: lowest, mantissa: kept as u64 }
    }

    /// The whole part and the fraction in units of 10^-17, rounded, of a number with a negative
    /// exponent.
    fn split(self) -> (u64, u64) {
        let shift = self.exponent.unsigned_abs();
        let whole = self.mantissa.checked_shr(shift).unwrap_or(0);
        let below = self.mantissa - whole.checked_shl(shift).unwrap_or(0);
        let scaled = u128::from(below) * u128::from(FRACTION_SCALE);
        let fraction = if shift > 127 { 0 } else { round_off(scaled, shift, false) as u64 };
        if fraction == FRACTION_SCALE { (whole + 1, 0) } else { (whole, fraction) }
    }
}

/// `wide / 2^dropped`, to nearest, ties to even; `dropped` is between 1 and 128.
fn round_off(wide: u128, dropped: u32, sticky: bool) -> u128 {
    let kept = wide.checked_shr(dropped).unwrap_or(0);
    let rest = wide - kept.checked_shl(dropped).unwrap_or(0);
    let half = 1u128 << (dropped - 1);
    let up = rest > half || rest == half && (sticky || kept & 1 == 1);
    kept + u128::from(up)
}

fn write_fraction(out: &mut Vec<u8>, mut fraction: u64) {
    let mut digits = [b'0'; FRACTION_DIGITS];
    for digit in digits.iter_mut().rev() {
        *digit += (fraction % 10) as u8;
        fraction /= 10;
    }
    let end = digits.iter().rposition(|digit| *digit != b'0').map_or(0, |last| last + 1);
    out.push(b'.');
    out.extend_from_slice(&digits[..end]);
}

#[cfg(test)]
mod tests;
