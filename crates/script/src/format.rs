//! Numbers as text, the way C's `printf` and Redis spell them.

use std::f64::consts::LOG10_2;
use std::io::Write as _;

use resp::number::{write_double, write_i64};

/// A number as an argument of a command: an integer when it is one, with all its digits when not.
pub(crate) fn argument(out: &mut Vec<u8>, number: f64) {
    // Halves of the range, so that both ways of converting are exact.
    let bound = (i64::MAX / 2) as f64;
    if number.abs() <= bound && (number as i64) as f64 == number {
        write_i64(out, number as i64);
    } else {
        write_double(out, number);
    }
}

/// Writes a number as Lua shows it, C's `%.14g`, with a zero byte behind it; false when it is not
/// finite or needs an exponent.
pub(crate) fn shown(number: f64, out: &mut [u8]) -> bool {
    let Some(text) = Short::new(number, 14) else { return false };
    let text = text.as_bytes();
    for (to, byte) in out.iter_mut().zip(text.iter().chain([&0])) {
        *to = *byte;
    }
    text.len() < out.len()
}

/// Reads a number of at most 15 digits without an exponent: the digits and the power of ten that
/// divides them are both exact, and so the quotient is the nearest number (Clinger's fast path).
pub(crate) fn plain(text: &[u8]) -> Option<f64> {
    let (is_negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    if digits.len() > 16 {
        return None;
    }
    let (mut whole, mut count, mut point) = (0_u64, 0, None);
    for (at, byte) in digits.iter().enumerate() {
        match byte {
            b'0'..=b'9' => {
                whole = 10 * whole + u64::from(byte - b'0');
                count += 1;
            }
            b'.' if point.is_none() => point = Some(at),
            _ => return None,
        }
    }
    if count == 0 || count > 15 {
        return None;
    }
    let decimals = point.map_or(0, |at| digits.len() - 1 - at);
    let number = whole as f64 / POWERS[decimals] as f64;
    Some(if is_negative { -number } else { number })
}

/// Powers of ten.
const POWERS: [u128; 22] = {
    let mut powers = [1; 22];
    let mut at = 1;
    while at < powers.len() {
        powers[at] = 10 * powers[at - 1];
        at += 1;
    }
    powers
};

/// The text of a number that `%.{digits}g` spells without an exponent.
struct Short {
    text: [u8; 32],
    len: usize,
}

impl Short {
    fn new(number: f64, digits: usize) -> Option<Self> {
        let mut short = Self { text: [b'0'; 32], len: 0 };
        let size = number.abs();
        if number.is_sign_negative() {
            short.push(b"-");
        }
        if size < POWERS[digits] as f64 && size.trunc() == size {
            short.push(itoa(size as u64, &mut [0; 20]));
            return Some(short);
        }
        // The smallest that is spelt so, or else the largest.
        if !(1e-4..POWERS[digits] as f64).contains(&size) {
            return None;
        }
        let (number, exponent) = rounded(size, digits);
        if exponent >= digits as i32 {
            return None;
        }
        let mut buffer = [0; 20];
        let text = itoa(number, &mut buffer);
        match usize::try_from(exponent + 1) {
            Ok(whole) if whole > 0 => {
                short.push(&text[..whole]);
                short.push(b".");
                short.push(&text[whole..]);
            }
            _ => {
                short.push(b"0.");
                short.len += exponent.unsigned_abs() as usize - 1;
                short.push(text);
            }
        }
        short.trim();
        Some(short)
    }

    fn as_bytes(&self) -> &[u8] {
        &self.text[..self.len]
    }

    fn push(&mut self, bytes: &[u8]) {
        self.text[self.len..self.len + bytes.len()].copy_from_slice(bytes);
        self.len += bytes.len();
    }

    fn trim(&mut self) {
        while self.text[self.len - 1] == b'0' {
            self.len -= 1;
        }
        self.len -= usize::from(self.text[self.len - 1] == b'.');
    }
}

/// Decimal digits, at the end of the buffer.
fn itoa(mut number: u64, buffer: &mut [u8; 20]) -> &[u8] {
    let mut at = buffer.len();
    loop {
        at -= 1;
        buffer[at] = b'0' + (number % 10) as u8;
        number /= 10;
        if number == 0 {
            return &buffer[at..];
        }
    }
}

/// The first `digits` digits of a number from 1e-4 up to 10 to the power of `digits`, halves
/// rounded to even, and the exponent of the first of them. The number times a power of ten fits
/// into 128 bits, so that nothing is lost before it is rounded.
fn rounded(number: f64, digits: usize) -> (u64, i32) {
    let bits = number.to_bits();
    let (fraction, exponent) = (bits & ((1 << 52) - 1), (bits >> 52) as i32 - 1075);
    let mantissa = u128::from(fraction | 1 << 52);
    // At most one too small or too large.
    let mut leading = (f64::from(exponent + 52) * LOG10_2).floor() as i32;
    loop {
        let scale = (digits as i32 - 1 - leading).max(0) as usize;
        let product = mantissa * POWERS[scale];
        let (whole, rest, half) = if exponent < 0 {
            let shift = exponent.unsigned_abs();
            let whole = product >> shift;
            (whole, product - (whole << shift), 1 << (shift - 1))
        } else {
            (product << exponent, 0, 1)
        };
        if whole >= POWERS[digits] {
            leading += 1;
        } else if whole < POWERS[digits - 1] {
            leading -= 1;
        } else {
            let is_up = rest > half || rest == half && whole & 1 == 1;
            let whole = whole + u128::from(is_up);
            return if whole == POWERS[digits] {
                (POWERS[digits - 1] as u64, leading + 1)
            } else {
                (whole as u64, leading)
            };
        }
    }
}

/// C's `%.{digits}g` of a finite number, `digits` from 1 to 17.
pub(crate) fn general(out: &mut Vec<u8>, number: f64, digits: usize) {
    if let Some(short) = Short::new(number, digits) {
        out.extend_from_slice(short.as_bytes());
        return;
    }
    long(out, number, digits);
}

/// The same for numbers of every size, at more cost.
fn long(out: &mut Vec<u8>, number: f64, digits: usize) {
    let start = out.len();
    // Writing to a vector does not fail.
    let _ = write!(out, "{number:.*e}", digits - 1);
    let at = out[start..].iter().position(|byte| *byte == b'e').map_or(out.len(), |at| start + at);
    let exponent = std::str::from_utf8(&out[at + 1..]).ok().and_then(|text| text.parse().ok());
    let exponent: i32 = exponent.unwrap_or(0);
    out.truncate(at);
    if (-4..digits as i32).contains(&exponent) {
        out.truncate(start);
        let decimals = (digits as i32 - 1 - exponent) as usize;
        let _ = write!(out, "{number:.decimals$}");
        trim(out, start);
        return;
    }
    trim(out, start);
    let sign = if exponent < 0 { '-' } else { '+' };
    let _ = write!(out, "e{sign}{:02}", exponent.abs());
}

/// Takes away the zeros at the end of a fraction, and the point if nothing follows it.
fn trim(out: &mut Vec<u8>, start: usize) {
    if out[start..].contains(&b'.') {
        while out.last() == Some(&b'0') {
            out.pop();
        }
        if out.last() == Some(&b'.') {
            out.pop();
        }
    }
}

#[cfg(test)]
mod tests;
