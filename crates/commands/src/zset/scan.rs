//! Walking over a sorted set a few members at a time.

use std::io::Write;

use value::compact::Element;
use value::number::Text;

use crate::scan::{ElementOptions, parse_cursor};
use crate::{Args, Ctx, Error, typed};

/// Digits of a score of a large sorted set.
const DIGITS: i32 = 17;

/// ZSCAN key cursor [MATCH pattern] [COUNT count] [NOSCORES] - O(1) a call, O(N) a full walk.
pub(super) fn zscan(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let cursor = parse_cursor(args[2]).ok_or(Error::Text(spec::error::INVALID_CURSOR))?;
    let Some(entry) = ctx.db.read(args[1]) else {
        ctx.out.array(2);
        ctx.out.bulk(b"0");
        ctx.out.array(0);
        return Ok(());
    };
    let zset = typed::zset(&entry)?;
    let options = ElementOptions::read(args, Some("NOSCORES"))?;
    let mut found = Found { bytes: Vec::new(), ends: Vec::new() };
    let is_small = zset.listpack().is_some();
    let cursor = zset.scan(cursor, options.count, &mut |name, score| {
        if options.pattern.fits(name.text(&mut Text::new())) {
            found.add_name(name);
            if !options.names_only {
                found.add_score(score, is_small);
            }
        }
    });
    ctx.out.array(2);
    ctx.out.bulk(cursor.to_string().as_bytes());
    ctx.out.array(found.ends.len());
    let mut start = 0;
    for end in found.ends {
        ctx.out.bulk(&found.bytes[start..end]);
        start = end;
    }
    Ok(())
}

/// Strings, one behind the other in one allocation.
struct Found {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

impl Found {
    fn add_name(&mut self, name: Element<'_>) {
        name.write_to(&mut self.bytes);
        self.ends.push(self.bytes.len());
    }

    /// A small one shows the text that it keeps, a large one 17 digits, as Redis does.
    fn add_score(&mut self, score: f64, is_small: bool) {
        if is_small {
            resp::number::write_double(&mut self.bytes, score);
        } else {
            write_digits(&mut self.bytes, score);
        }
        self.ends.push(self.bytes.len());
    }
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
