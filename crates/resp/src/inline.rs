//! Lines as people type them: splitting into arguments, and quoting bytes so that they survive it.
//!
//! The rules are those of Redis's inline commands, its configuration file and `redis-cli`; this
//! module must not know which of them it serves. `split(quote(x)) == [x]` for every `x`.

use crate::parse::ProtocolError;

/// Splits a line into arguments.
///
/// Blanks separate. Double quotes understand `\xHH`, `\n`, `\r`, `\t`, `\b` and `\a`, and take any
/// other escaped byte for itself; single quotes understand `\'` alone. A quote may open inside an
/// argument, but a closing one must end it. The line ends at a NUL.
pub fn split(line: &[u8]) -> Result<Vec<Vec<u8>>, ProtocolError> {
    split_by(line, false)
}

/// As [`split`], but a closing quote may be followed by more of its argument, as Valkey 9 reads its
/// configuration: `"a"b` is `ab`.
pub fn split_touching(line: &[u8]) -> Result<Vec<Vec<u8>>, ProtocolError> {
    split_by(line, true)
}

fn split_by(line: &[u8], may_touch: bool) -> Result<Vec<Vec<u8>>, ProtocolError> {
    let mut rest = &line[..memchr::memchr(0, line).unwrap_or(line.len())];
    let mut args = Vec::new();
    loop {
        while let [first, tail @ ..] = rest
            && is_space(*first)
        {
            rest = tail;
        }
        if rest.is_empty() {
            return Ok(args);
        }
        let mut arg = Vec::new();
        rest = token(rest, &mut arg, may_touch)?;
        args.push(arg);
    }
}

/// Appends `bytes` in double quotes with everything unprintable escaped, as MONITOR, CONFIG
/// REWRITE and `redis-cli` print them. What is appended is ASCII.
pub fn quote(bytes: &[u8], out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.reserve(bytes.len() + 2);
    out.push(b'"');
    for &byte in bytes {
        match byte {
            b'\\' | b'"' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x07 => out.extend_from_slice(b"\\a"),
            0x08 => out.extend_from_slice(b"\\b"),
            b' '..=b'~' => out.push(byte),
            _ => {
                let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
                out.extend_from_slice(&[b'\\', b'x', HEX[high], HEX[low]]);
            }
        }
    }
    out.push(b'"');
}

/// [`quote`] as text of its own.
pub fn quoted(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    quote(bytes, &mut out);
    String::from_utf8_lossy(&out).into_owned()
}

/// Reads one argument and returns what stands behind it.
fn token<'a>(
    mut rest: &'a [u8],
    arg: &mut Vec<u8>,
    may_touch: bool,
) -> Result<&'a [u8], ProtocolError> {
    while let [first, tail @ ..] = rest {
        rest = match first {
            b'"' => double_quoted(tail, arg)?,
            b'\'' => single_quoted(tail, arg)?,
            b' ' | b'\n' | b'\r' | b'\t' => return Ok(tail),
            _ => {
                arg.push(*first);
                tail
            }
        };
        if matches!(first, b'"' | b'\'') && !may_touch {
            return closed(rest);
        }
    }
    Ok(rest)
}

/// Checks that an argument ends behind its closing quote.
fn closed(rest: &[u8]) -> Result<&[u8], ProtocolError> {
    match rest.first() {
        Some(byte) if !is_space(*byte) => Err(ProtocolError::UnbalancedQuotes),
        _ => Ok(rest),
    }
}

fn double_quoted<'a>(mut rest: &'a [u8], arg: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        rest = match rest {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'"', tail @ ..] => return Ok(tail),
            [b'\\', escaped, tail @ ..] => {
                if let (b'x', [high, low, tail @ ..]) = (escaped, tail)
                    && let (Some(high), Some(low)) = (hex(*high), hex(*low))
                {
                    arg.push(high << 4 | low);
                    tail
                } else {
                    arg.push(unescaped(*escaped));
                    tail
                }
            }
            [byte, tail @ ..] => {
                arg.push(*byte);
                tail
            }
        };
    }
}

fn single_quoted<'a>(mut rest: &'a [u8], arg: &mut Vec<u8>) -> Result<&'a [u8], ProtocolError> {
    loop {
        rest = match rest {
            [] => return Err(ProtocolError::UnbalancedQuotes),
            [b'\'', tail @ ..] => return Ok(tail),
            [b'\\', b'\'', tail @ ..] => {
                arg.push(b'\'');
                tail
            }
            [byte, tail @ ..] => {
                arg.push(*byte);
                tail
            }
        };
    }
}

fn unescaped(byte: u8) -> u8 {
    match byte {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'b' => 0x08,
        b'a' => 0x07,
        other => other,
    }
}

fn hex(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// C's `isspace`, which counts vertical tab and form feed.
fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
}

#[cfg(test)]
mod tests;
