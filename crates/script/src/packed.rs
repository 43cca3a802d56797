//! `struct`: values as C lays them out in memory, after Roberto Ierusalimschy's library.

use std::ffi::CStr;

use crate::stack::{Kind, Outcome, Pinned, Raised, Stack};

/// The widest integer, in bytes.
const INTEGER_MAX: usize = 32;
/// What `!` alone aligns to.
const ALIGN_MAX: usize = 8;

/// Sets the library as a global.
pub(crate) fn open(stack: &mut Stack) {
    stack.new_table(0, 3);
    stack.set_function(c"pack", pack);
    stack.set_function(c"unpack", unpack);
    stack.set_function(c"size", size);
    stack.set_global(c"struct");
}

/// A format on its way through.
struct Format {
    text: Pinned,
    at: usize,
    is_big: bool,
    align: usize,
}

/// One option of a format.
#[derive(Clone, Copy)]
struct Item {
    option: u8,
    size: usize,
}

impl Format {
    fn new(text: Pinned) -> Self {
        Self { text, at: 0, is_big: cfg!(target_endian = "big"), align: 1 }
    }

    /// The next option that is no switch of order or alignment.
    fn next(&mut self, stack: &mut Stack, strict: bool) -> Result<Option<Item>, Raised> {
        loop {
            // A format ends at a zero byte, as C's strings do.
            let option = match self.text.get().get(self.at) {
                None | Some(0) => return Ok(None),
                Some(option) => *option,
            };
            self.at += 1;
            let size = match option {
                b'b' | b'B' | b'x' => 1,
                b'h' | b'H' => 2,
                b'l' | b'L' | b'T' | b'd' => 8,
                b'f' => 4,
                b'c' => self.number(stack, 1)?,
                b'i' | b'I' => self.integer_size(stack)?,
                b's' => 0,
                b' ' => continue,
                b'>' | b'<' => {
                    self.is_big = option == b'>';
                    continue;
                }
                b'!' => {
                    self.align = self.alignment(stack)?;
                    continue;
                }
                // The sizes of a format with unknown letters are asked for all the same.
                _ if !strict && option.is_ascii_alphanumeric() => 0,
                _ => return fail_option(stack, option),
            };
            return Ok(Some(Item { option, size }));
        }
    }

    fn number(&mut self, stack: &mut Stack, otherwise: usize) -> Result<usize, Raised> {
        let digits = self.text.get()[self.at..].iter().take_while(|byte| byte.is_ascii_digit());
        let digits: &[u8] = &self.text.get()[self.at..][..digits.count()];
        if digits.is_empty() {
            return Ok(otherwise);
        }
        self.at += digits.len();
        let number = std::str::from_utf8(digits).ok().and_then(|text| text.parse::<i32>().ok());
        match number {
            Some(number) => Ok(number as usize),
            None => Err(raise(stack, b"integral size overflow")),
        }
    }

    fn integer_size(&mut self, stack: &mut Stack) -> Result<usize, Raised> {
        let size = self.number(stack, 4)?;
        if size <= INTEGER_MAX {
            return Ok(size);
        }
        stack.push_bytes(b"integral size ");
        stack.push_number(size as f64);
        stack.push_bytes(b" is larger than limit of 32");
        stack.concat(3);
        let text = stack.check_bytes(-1);
        Err(raise(stack, text.get()))
    }

    fn alignment(&mut self, stack: &mut Stack) -> Result<usize, Raised> {
        let align = self.number(stack, ALIGN_MAX)?;
        if align.is_power_of_two() {
            return Ok(align);
        }
        stack.push_bytes(b"alignment ");
        stack.push_number(align as f64);
        stack.push_bytes(b" is not a power of 2");
        stack.concat(3);
        let text = stack.check_bytes(-1);
        Err(raise(stack, text.get()))
    }

    /// Bytes that are left free before an item that would begin at `at`.
    fn padding(&self, at: usize, item: Item) -> usize {
        if item.size == 0 || item.option == b'c' {
            return 0;
        }
        let size = item.size.min(self.align);
        size.wrapping_sub(at & (size - 1)) & (size - 1)
    }
}

fn raise(stack: &mut Stack, text: &[u8]) -> Raised {
    let _ = stack.fail(text);
    Raised
}

fn raise_argument(stack: &mut Stack, index: i32, text: &CStr) -> Raised {
    let _ = stack.fail_argument(index, text);
    Raised
}

fn fail_option<T>(stack: &mut Stack, option: u8) -> Result<T, Raised> {
    let mut text = *b"invalid format option '?'\0";
    let at = text.len() - 3;
    text[at] = option;
    let text = CStr::from_bytes_with_nul(&text).unwrap_or(c"invalid format option");
    Err(raise_argument(stack, 1, text))
}

/// struct.pack(format, value, ...)
fn pack(stack: &mut Stack) -> Outcome {
    let mut format = Format::new(stack.check_bytes(1));
    stack.state().text.clear();
    // What is missing first is nil and not nothing: messages tell them apart.
    stack.push_nil();
    let mut arg = 2;
    let mut total = 0usize;
    while let Some(item) = format.next(stack, true)? {
        let padding = format.padding(total, item);
        let out = &mut stack.state().text;
        out.resize(out.len() + padding, 0);
        total += padding + item.size;
        match item.option {
            b'x' => stack.state().text.push(0),
            b'c' | b's' => {
                total += pack_text(stack, arg, item)?;
                arg += 1;
            }
            _ => {
                let number = stack.check_number(arg);
                pack_number(&mut stack.state().text, number, item, format.is_big);
                arg += 1;
            }
        }
    }
    stack.push_text();
    Ok(1)
}

/// Appends a string; how many bytes more than its option says.
fn pack_text(stack: &mut Stack, arg: i32, item: Item) -> Result<usize, Raised> {
    let text = stack.check_bytes(arg);
    let size = if item.size == 0 { text.len() } else { item.size };
    if text.len() < size {
        return Err(raise_argument(stack, arg + 1, c"string too short"));
    }
    let out = &mut stack.state().text;
    out.extend_from_slice(&text[..size]);
    let ends = item.option == b's';
    if ends {
        out.push(0);
    }
    Ok(size - item.size + usize::from(ends))
}

fn pack_number(out: &mut Vec<u8>, number: f64, item: Item, is_big: bool) {
    let start = out.len();
    match item.option {
        b'f' => out.extend_from_slice(&(number as f32).to_le_bytes()),
        b'd' => out.extend_from_slice(&number.to_le_bytes()),
        _ => {
            let value = if number < 0.0 { (number as i64).cast_unsigned() } else { number as u64 };
            let bytes = value.to_le_bytes();
            out.extend((0..item.size).map(|at| bytes.get(at).copied().unwrap_or(0)));
        }
    }
    if is_big {
        out[start..].reverse();
    }
}

/// struct.unpack(format, text [, offset])
fn unpack(stack: &mut Stack) -> Outcome {
    let mut format = Format::new(stack.check_bytes(1));
    let text = stack.check_bytes(2);
    let offset = stack.optional_int(3, 1);
    if offset == 0 {
        return stack.fail_argument(3, c"offset must be 1 or greater");
    }
    // What lies before the text counts as far behind it.
    let (mut at, mut n) = (usize::try_from(offset - 1).unwrap_or(usize::MAX / 2), 0);
    while let Some(item) = format.next(stack, true)? {
        at += format.padding(at, item);
        let mut size = item.size;
        check_fits(stack, &text, at, size)?;
        if !stack.reserve(4) {
            return stack.fail(b"too many results");
        }
        match item.option {
            b'x' => {}
            b'c' => {
                if size == 0 {
                    if n == 0 || stack.kind(-1) != Kind::Number {
                        return stack.fail(b"format 'c0' needs a previous size");
                    }
                    size = stack.number(-1) as usize;
                    stack.pop(1);
                    n -= 1;
                    check_fits(stack, &text, at, size)?;
                }
                stack.push_bytes(&text.get()[at..at + size]);
                n += 1;
            }
            b's' => {
                let Some(len) = text[at..].iter().position(|byte| *byte == 0) else {
                    return stack.fail(b"unfinished string in data");
                };
                stack.push_bytes(&text.get()[at..at + len]);
                size = len + 1;
                n += 1;
            }
            _ => {
                stack.push_number(unpack_number(&text[at..at + size], item, format.is_big));
                n += 1;
            }
        }
        at += size;
    }
    stack.push_number(at as f64 + 1.0);
    Ok(n + 1)
}

fn check_fits(stack: &mut Stack, text: &[u8], at: usize, size: usize) -> Result<(), Raised> {
    if at.checked_add(size).is_some_and(|end| end <= text.len()) {
        return Ok(());
    }
    Err(raise_argument(stack, 2, c"data string too short"))
}

fn unpack_number(bytes: &[u8], item: Item, is_big: bool) -> f64 {
    let mut little = [0; INTEGER_MAX];
    for (at, byte) in bytes.iter().enumerate() {
        little[if is_big { bytes.len() - 1 - at } else { at }] = *byte;
    }
    let low = [0, 1, 2, 3, 4, 5, 6, 7].map(|at| little[at]);
    match item.option {
        b'f' => f64::from(f32::from_le_bytes([low[0], low[1], low[2], low[3]])),
        b'd' => f64::from_le_bytes(low),
        option => {
            let value = u64::from_le_bytes(low);
            let unused = 64u32.saturating_sub(bytes.len() as u32 * 8);
            match option.is_ascii_lowercase() && unused < 64 {
                true => ((value << unused).cast_signed() >> unused) as f64,
                false => value as f64,
            }
        }
    }
}

/// struct.size(format)
fn size(stack: &mut Stack) -> Outcome {
    let mut format = Format::new(stack.check_bytes(1));
    let mut total = 0usize;
    while let Some(item) = format.next(stack, false)? {
        total += format.padding(total, item);
        match item {
            Item { option: b's', .. } => {
                return stack.fail_argument(1, c"option 's' has no fixed size");
            }
            Item { option: b'c', size: 0 } => {
                return stack.fail_argument(1, c"option 'c0' has no fixed size");
            }
            _ => total += item.size,
        }
    }
    stack.push_number(total as f64);
    Ok(1)
}
