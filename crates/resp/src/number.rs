//! Numbers as text, in exactly the grammars and layouts of Redis and Valkey.
//!
//! Knows nothing of replies. Every finite double that [`write_double`] prints is read back by
//! [`parse_f64`] to the same bits.

mod shortest;

/// Reads a decimal integer: an optional minus, no plus, no blanks, no leading zero, not `-0`,
/// nothing behind it. `None` for anything else and for what does not fit.
#[inline]
pub fn parse_i64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    match digits {
        [b'0'] if !negative => return Some(0),
        [b'1'..=b'9', ..] if digits.len() <= 19 => {}
        _ => return None,
    }
    let mut value: u64 = 0;
    for byte in digits {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        // Nineteen digits cannot overflow: the largest such number is below 2^64.
        value = value * 10 + u64::from(digit);
    }
    if negative { 0i64.checked_sub_unsigned(value) } else { i64::try_from(value).ok() }
}

/// Reads a floating point number as C's `strtod` does, under Redis's conditions: no blanks, no
/// NaN, nothing behind it, no overflow to infinity and no underflow to zero. Takes `inf` and
/// `infinity` in any case, a leading plus, and hexadecimal (`0x1.8p3`).
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    let (negative, magnitude) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        rest => (false, rest),
    };
    let value = match magnitude {
        [b'0', b'x' | b'X', rest @ ..] => parse_hex(rest)?,
        [b'0'..=b'9' | b'.', ..] => parse_decimal(magnitude)?,
        _ if is_infinity(magnitude) => f64::INFINITY,
        _ => return None,
    };
    Some(if negative { -value } else { value })
}

/// Appends `value` in decimal.
#[inline]
pub fn write_i64(out: &mut Vec<u8>, value: i64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends `value` as Redis prints doubles: `nan`, `inf`, `-inf`, `-0`, whole numbers up to 2^62
/// as integers, and otherwise Grisu2's digits, plain where that is short (`0.1`, `1e-7`, `1e+20`).
pub fn write_double(out: &mut Vec<u8>, value: f64) {
    /// The largest magnitude whose whole numbers are printed as integers.
    const WHOLE_MAX: f64 = 4_611_686_018_427_387_904.0;
    if value.is_nan() {
        out.extend_from_slice(b"nan");
    } else if value.is_infinite() {
        out.extend_from_slice(if value < 0.0 { b"-inf" } else { b"inf" });
    } else if value == 0.0 {
        out.extend_from_slice(if value.is_sign_negative() { b"-0" } else { b"0" });
    } else if value.abs() <= WHOLE_MAX && value.trunc() == value {
        #[allow(clippy::cast_possible_truncation)]
        write_i64(out, value as i64);
    } else {
        if value < 0.0 {
            out.push(b'-');
        }
        let (digits, len, exponent) = shortest::digits(value.abs());
        lay_out(out, &digits[..len], exponent);
    }
}

/// Appends `0.digits` times a power of ten, given as `digits * 10^exponent`.
fn lay_out(out: &mut Vec<u8>, digits: &[u8], exponent: i32) {
    let count = i32::try_from(digits.len()).unwrap_or(i32::MAX);
    let scientific = exponent + count - 1;
    let zeros = |out: &mut Vec<u8>, n: i32| {
        out.resize(out.len() + usize::try_from(n).unwrap_or(0), b'0');
    };
    if exponent >= 0 && scientific < count + 7 {
        out.extend_from_slice(digits);
        zeros(out, exponent);
    } else if exponent < 0 && (exponent > -7 || scientific.abs() < 4) {
        match usize::try_from(count + exponent) {
            Ok(whole) if whole > 0 => {
                out.extend_from_slice(&digits[..whole]);
                out.push(b'.');
                out.extend_from_slice(&digits[whole..]);
            }
            _ => {
                out.extend_from_slice(b"0.");
                zeros(out, -(count + exponent));
                out.extend_from_slice(digits);
            }
        }
    } else {
        out.push(digits[0]);
        if digits.len() > 1 {
            out.push(b'.');
            out.extend_from_slice(&digits[1..]);
        }
        out.extend_from_slice(if scientific < 0 { b"e-" } else { b"e+" });
        write_i64(out, i64::from(scientific.abs()));
    }
}

fn is_infinity(text: &[u8]) -> bool {
    text.eq_ignore_ascii_case(b"inf") || text.eq_ignore_ascii_case(b"infinity")
}

/// Rust's grammar for decimal floats is C's; only the two range errors are told apart here.
fn parse_decimal(text: &[u8]) -> Option<f64> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let mantissa = text.split(|byte| matches!(byte, b'e' | b'E')).next()?;
    let underflow = value == 0.0 && mantissa.iter().any(|byte| matches!(byte, b'1'..=b'9'));
    (value.is_finite() && !underflow).then_some(value)
}

/// Reads what stands behind `0x`: hexadecimal digits with an optional point, then optionally `p`
/// and a decimal exponent of two.
fn parse_hex(text: &[u8]) -> Option<f64> {
    let end = text.iter().position(|byte| matches!(byte, b'p' | b'P')).unwrap_or(text.len());
    let mut mantissa: u64 = 0;
    let mut exponent: i64 = 0;
    let (mut any, mut fraction) = (false, false);
    for byte in &text[..end] {
        if *byte == b'.' && !fraction {
            fraction = true;
            continue;
        }
        let digit = u64::from(char::from(*byte).to_digit(16)?);
        any = true;
        if mantissa >> 60 == 0 {
            mantissa = mantissa << 4 | digit;
            exponent -= if fraction { 4 } else { 0 };
        } else {
            // The lowest bit is far below the rounding position, so it can stand for the rest.
            mantissa |= u64::from(digit != 0);
            exponent += if fraction { 0 } else { 4 };
        }
    }
    if !any {
        return None;
    }
    if end < text.len() {
        exponent += parse_exponent(&text[end + 1..])?;
    }
    scale(mantissa, exponent)
}

/// Reads an exponent with an optional sign; one that is out of every range is clamped.
fn parse_exponent(text: &[u8]) -> Option<i64> {
    let (sign, digits) = match text {
        [b'-', rest @ ..] => (-1, rest),
        [b'+', rest @ ..] => (1, rest),
        rest => (1, rest),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let clamp = |value: i64, digit: &u8| (value * 10 + i64::from(digit - b'0')).min(1 << 40);
    Some(sign * digits.iter().fold(0, clamp))
}

/// `mantissa * 2^exponent`, rounded to nearest, ties to even. `None` if that overflows, or is zero
/// though `mantissa` is not.
fn scale(mantissa: u64, exponent: i64) -> Option<f64> {
    if mantissa == 0 {
        return Some(0.0);
    }
    let top = 63 - i64::from(mantissa.leading_zeros()) + exponent;
    if !(-1080..=1023).contains(&top) {
        return None;
    }
    // The result's lowest bit weighs 2^low: 53 bits, fewer below the smallest normal number.
    let low = (top - 52).max(-1074);
    let drop = low - exponent;
    let (bits, low) = if drop <= 0 {
        (mantissa, exponent)
    } else {
        let wide = u128::from(mantissa);
        let drop = u32::try_from(drop).ok()?.min(100);
        let half = 1u128 << (drop - 1);
        let rest = wide & ((half << 1) - 1);
        let kept = wide >> drop;
        let up = rest > half || (rest == half && kept & 1 == 1);
        (u64::try_from(kept).ok()? + u64::from(up), low)
    };
    // Both factors are exact powers of two, and so are the steps: the result has 53 bits at most.
    let low = i32::try_from(low).ok()?;
    #[allow(clippy::cast_precision_loss)]
    let value = bits as f64 * 2f64.powi(low / 2) * 2f64.powi(low - low / 2);
    (value.is_finite() && value != 0.0).then_some(value)
}

#[cfg(test)]
mod tests;
