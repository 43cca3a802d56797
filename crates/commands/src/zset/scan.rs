//! Walking over a sorted set a few members at a time.

use std::io::Write;

use crate::scan::{ElementOptions, Found, parse_cursor};
use crate::{Args, Ctx, Error, typed};

/// Digits of a score of a large sorted set.
const DIGITS: i32 = 17;

/// ZSCAN key cursor [MATCH pattern] [COUNT count] [NOSCORES] - O(1) a call, O(N) a full walk.
pub(super) fn zscan(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let cursor = parse_cursor(args[2])?;
    let mut found = Found::default();
    let Some(entry) = ctx.db.read(args[1]) else { return found.write(ctx.out, 0) };
    let zset = typed::zset(&entry)?;
    let options = ElementOptions::read(args, Some("NOSCORES"))?;
    // A small one shows the text that it keeps, a large one 17 digits, as Redis does.
    let digits = match zset.listpack() {
        Some(_) => resp::number::write_double,
        None => write_digits,
    };
    let cursor = zset.scan(cursor, options.count, &mut |name, score| {
        if options.fit(name) {
            found.add_element(name);
            if !options.names_only {
                found.add(|bytes| digits(bytes, score));
            }
        }
    });
    found.write(ctx.out, cursor)
}

/// Appends a number as C's `%.17g` does.
pub(super) fn write_digits(out: &mut Vec<u8>, score: f64) {
    if score == 0.0 || !score.is_finite() {
        return resp::number::write_double(out, score);
    }
    let text = format!("{score:.16e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => ("-", mantissa),
        None => ("", mantissa),
    };
    let digits = mantissa.replace('.', "");
    let digits = digits.trim_end_matches('0');
    out.extend_from_slice(sign.as_bytes());
    let written = if !(-4..DIGITS).contains(&exponent) {
        let (first, rest) = digits.split_at(1);
        let point = if rest.is_empty() { "" } else { "." };
        let sign = if exponent < 0 { '-' } else { '+' };
        write!(out, "{first}{point}{rest}e{sign}{:02}", exponent.abs())
    } else if exponent < 0 {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        write!(out, "0.{:0<zeros$}{digits}", "")
    } else {
        let whole = usize::try_from(exponent + 1).unwrap_or(1);
        match digits.split_at_checked(whole) {
            Some((whole, rest)) if !rest.is_empty() => write!(out, "{whole}.{rest}"),
            _ => write!(out, "{digits:0<whole$}"),
        }
    };
    written.expect("a vector takes every byte");
}
