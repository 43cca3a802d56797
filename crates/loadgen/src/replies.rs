//! Counting replies in a stream of bytes, without keeping them. Knows nothing of sockets.

use crate::error::Error;

/// Longest line: statuses, errors, numbers and headers.
const LINE_MAX: usize = 1 << 20;

/// Counts complete replies in a stream of bytes that may be cut anywhere.
pub struct Replies {
    /// Bytes of a bulk string and its line end that have not arrived.
    skip: usize,
    /// Values still to come before the current reply is complete.
    open: usize,
    /// A line whose end has not arrived.
    line: Vec<u8>,
    /// Whether the current value is a push, which is no reply.
    push: bool,
}

impl Default for Replies {
    fn default() -> Replies {
        Replies { skip: 0, open: 1, line: Vec::new(), push: false }
    }
}

impl Replies {
    /// The number of replies that `data` completes.
    ///
    /// # Errors
    /// The text of an error reply: what fails fast must not be measured as fast. Bytes that are no
    /// reply.
    pub fn count(&mut self, mut data: &[u8]) -> Result<usize, Error> {
        let mut complete = 0;
        while !data.is_empty() {
            if self.skip == 0
                && self.line.is_empty()
                && let Some(size) = short(data)
            {
                data = &data[size..];
                complete += self.close(0);
                continue;
            }
            if self.skip > 0 {
                let taken = self.skip.min(data.len());
                self.skip -= taken;
                data = &data[taken..];
                if self.skip == 0 {
                    complete += self.close(0);
                }
                continue;
            }
            let Some(end) = memchr::memchr(b'\n', data) else {
                self.line.extend_from_slice(data);
                if self.line.len() > LINE_MAX {
                    return Err(Error::Garbage("too long a line in a reply"));
                }
                break;
            };
            let (line, rest) = data.split_at(end + 1);
            data = rest;
            if self.line.is_empty() {
                complete += self.header(line)?;
            } else {
                let mut whole = std::mem::take(&mut self.line);
                whole.extend_from_slice(line);
                complete += self.header(&whole)?;
            }
        }
        Ok(complete)
    }

    fn header(&mut self, line: &[u8]) -> Result<usize, Error> {
        match line[0] {
            b'+' | b':' | b',' | b'#' | b'_' | b'(' => Ok(self.close(0)),
            b'-' | b'!' => {
                let text = String::from_utf8_lossy(&line[1..]);
                Err(Error::Refused(text.trim_end().to_owned()))
            }
            b'$' | b'=' => match length(line)? {
                Some(size) => {
                    self.skip = size.saturating_add(2);
                    Ok(0)
                }
                None => Ok(self.close(0)),
            },
            b'*' | b'~' => Ok(self.close(length(line)?.unwrap_or(0))),
            b'>' => {
                self.push = true;
                Ok(self.close(length(line)?.unwrap_or(0)))
            }
            b'%' => Ok(self.close(length(line)?.unwrap_or(0).saturating_mul(2))),
            // The value behind the pairs is the reply.
            b'|' => Ok(self.close(length(line)?.unwrap_or(0).saturating_mul(2).saturating_add(1))),
            _ => Err(Error::Garbage("a reply begins with no known type")),
        }
    }

    /// One value is there and brings `inner` more; 1 if that ends the reply.
    fn close(&mut self, inner: usize) -> usize {
        self.open = (self.open - 1).saturating_add(inner);
        if self.open > 0 {
            return 0;
        }
        self.open = 1;
        usize::from(!std::mem::take(&mut self.push))
    }
}

/// The size of the short string that stands whole at the beginning: the reply of most loads.
#[inline]
fn short(data: &[u8]) -> Option<usize> {
    let digit = |byte: u8| Some(usize::from(byte.wrapping_sub(b'0'))).filter(|digit| *digit < 10);
    let size = match data {
        [b'+', b'O', b'K', b'\r', b'\n', ..] | [b'$', b'-', b'1', b'\r', b'\n', ..] => 5,
        [b'$', ones, b'\r', b'\n', ..] => 6 + digit(*ones)?,
        [b'$', tens, ones, b'\r', b'\n', ..] => 7 + 10 * digit(*tens)? + digit(*ones)?,
        _ => return None,
    };
    (size <= data.len()).then_some(size)
}

/// The number in a header line; `None` if it is a null's.
fn length(line: &[u8]) -> Result<Option<usize>, Error> {
    let digits = line[1..].trim_ascii_end();
    if digits == b"-1" {
        return Ok(None);
    }
    let number = digits.iter().try_fold(0usize, |sum, byte| {
        let digit = usize::from(byte.checked_sub(b'0').filter(|digit| *digit < 10)?);
        sum.checked_mul(10)?.checked_add(digit)
    });
    match number {
        Some(_) if !digits.is_empty() => Ok(number),
        _ => Err(Error::Garbage("invalid length in a reply")),
    }
}

#[cfg(test)]
mod tests;
