//! Printing 80-bit numbers as C's `%.17Lg` does: 17 significant digits, with an exponent where the
//! number is very large or very small.

use super::Float80;
use super::big::Big;

/// Digits that are printed, at most.
const DIGITS: usize = 17;
/// Numbers below ten to the power of this one have an exponent.
const PLAIN_MIN: i64 = -4;

impl Float80 {
    /// Appends the number in that layout.
    pub(crate) fn write_general(self, out: &mut Vec<u8>) {
        if self.is_infinite() {
            return self.write(out);
        }
        if self.negative {
            out.push(b'-');
        }
        if self.mantissa == 0 {
            return out.push(b'0');
        }
        let (mut digits, mut power) = self.decimal();
        power += i64::from(round(&mut digits));
        let kept = digits.iter().rposition(|digit| *digit != b'0').map_or(1, |last| last + 1);
        digits.truncate(kept);
        if !(PLAIN_MIN..DIGITS as i64).contains(&power) {
            return write_scientific(out, &digits, power);
        }
        let Ok(power) = usize::try_from(power) else {
            out.extend_from_slice(b"0.");
            out.extend(std::iter::repeat_n(b'0', power.unsigned_abs() as usize - 1));
            return out.extend_from_slice(&digits);
        };
        digits.resize(digits.len().max(power + 1), b'0');
        out.extend_from_slice(&digits[..=power]);
        if digits.len() > power + 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[power + 1..]);
        }
    }

    /// All digits, and the power of ten of the first one. A half is five tenths, so a fraction has
    /// as many digits behind its point as bits.
    fn decimal(self) -> (Vec<u8>, i64) {
        let (mut number, places) = (Big::from(u128::from(self.mantissa)), self.exponent);
        if places >= 0 {
            number.shift_left(places.unsigned_abs());
        } else {
            number.multiply_by_five_to(places.unsigned_abs());
        }
        let mut digits = Vec::new();
        number.write_decimal(&mut digits);
        let power = digits.len() as i64 - 1 + i64::from(places.min(0));
        (digits, power)
    }
}

/// Rounds to the digits that are printed, to nearest, ties to even; whether that made the number
/// one digit longer, which is a one then and nothing but zeros.
fn round(digits: &mut Vec<u8>) -> bool {
    if digits.len() <= DIGITS {
        return false;
    }
    let rest = digits.split_off(DIGITS);
    let is_odd = digits.last().is_some_and(|last| last % 2 == 1);
    let is_half = rest[0] == b'5' && rest[1..].iter().all(|digit| *digit == b'0');
    if rest[0] < b'5' || is_half && !is_odd {
        return false;
    }
    for digit in digits.iter_mut().rev() {
        if *digit != b'9' {
            *digit += 1;
            return false;
        }
        *digit = b'0';
    }
    digits[0] = b'1';
    true
}

fn write_scientific(out: &mut Vec<u8>, digits: &[u8], power: i64) {
    out.push(digits[0]);
    if digits.len() > 1 {
        out.push(b'.');
        out.extend_from_slice(&digits[1..]);
    }
    let sign = if power < 0 { '-' } else { '+' };
    out.extend_from_slice(format!("e{sign}{:02}", power.unsigned_abs()).as_bytes());
}
