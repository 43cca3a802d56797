//! Numbers as text, the way C's `printf` and Redis spell them.

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

/// C's `%.{digits}g` of a finite number, `digits` from 1 to 17.
pub(crate) fn general(out: &mut Vec<u8>, number: f64, digits: usize) {
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
