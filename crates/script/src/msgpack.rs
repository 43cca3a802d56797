//! `cmsgpack`: MessagePack as the library of that name reads and writes it.

use crate::stack::{Kind, Outcome, Pinned, Raised, Stack};

/// Tables nested deeper than this are written as nil.
const DEPTH_MAX: u32 = 16;
/// Collections nested deeper than this are refused: the C stack is finite, and input is cheap.
const READ_DEPTH_MAX: u32 = 1000;

/// Sets the library as a global.
pub(crate) fn open(stack: &mut Stack) {
    stack.new_table(0, 8);
    stack.set_function(c"pack", pack);
    stack.set_function(c"unpack", unpack);
    stack.set_function(c"unpack_one", unpack_one);
    stack.set_function(c"unpack_limit", unpack_limit);
    for (name, text) in [
        (c"_NAME", "cmsgpack"),
        (c"_VERSION", "lua-cmsgpack 0.4.0"),
        (c"_COPYRIGHT", "Copyright (C) 2012, Redis Ltd."),
        (c"_DESCRIPTION", "MessagePack C implementation for Lua"),
    ] {
        stack.push_bytes(text.as_bytes());
        stack.set_field(-2, name);
    }
    stack.set_global(c"cmsgpack");
}

/// cmsgpack.pack(value, ...)
fn pack(stack: &mut Stack) -> Outcome {
    let n = stack.top();
    if n == 0 {
        return stack.fail_argument(0, c"MessagePack pack needs input.");
    }
    stack.state().text.clear();
    for index in 1..=n {
        stack.push_copy(index);
        write(stack, 0)?;
    }
    stack.push_text();
    Ok(1)
}

fn out(stack: &mut Stack) -> &mut Vec<u8> {
    &mut stack.state().text
}

/// Writes the value on top of the stack, which is taken.
fn write(stack: &mut Stack, depth: u32) -> Result<(), Raised> {
    if !stack.reserve(6) {
        return stack.fail(b"stack overflow").map(|_| ());
    }
    let bytes = if stack.kind(-1) == Kind::String { stack.len(-1) } else { 0 };
    let buffered = out(stack).len() + bytes;
    stack.spend(bytes, buffered)?;
    match stack.kind(-1) {
        Kind::String => {
            let text = stack.check_bytes(-1);
            write_string(out(stack), &text);
        }
        Kind::Boolean => {
            let byte = if stack.boolean(-1) { 0xc3 } else { 0xc2 };
            out(stack).push(byte);
        }
        Kind::Number => {
            let number = stack.number(-1);
            write_number(out(stack), number);
        }
        Kind::Table if depth < DEPTH_MAX => write_table(stack, depth)?,
        _ => out(stack).push(0xc0),
    }
    stack.pop(1);
    Ok(())
}

fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    match text.len() {
        len @ 0..32 => out.push(0xa0 | len as u8),
        len @ 32..=0xff => out.extend_from_slice(&[0xd9, len as u8]),
        len => write_len(out, len, [0xda, 0xdb]),
    }
    out.extend_from_slice(text);
}

/// A length of two or four bytes behind the byte that says which.
fn write_len(out: &mut Vec<u8>, len: usize, [short, long]: [u8; 2]) {
    if let Ok(len) = u16::try_from(len) {
        out.push(short);
        out.extend_from_slice(&len.to_be_bytes());
    } else {
        out.push(long);
        out.extend_from_slice(&(len as u32).to_be_bytes());
    }
}

fn write_number(out: &mut Vec<u8>, number: f64) {
    if (number as i64) as f64 == number && number.abs() < 9.3e18 {
        return write_int(out, number as i64);
    }
    let short = number as f32;
    if f64::from(short) == number {
        out.push(0xca);
        out.extend_from_slice(&short.to_be_bytes());
    } else {
        out.push(0xcb);
        out.extend_from_slice(&number.to_be_bytes());
    }
}

fn write_int(out: &mut Vec<u8>, number: i64) {
    match number {
        0..=0x7f => out.push(number as u8),
        0x80..=0xff => out.extend_from_slice(&[0xcc, number as u8]),
        0x100..=0xffff => {
            out.push(0xcd);
            out.extend_from_slice(&(number as u16).to_be_bytes());
        }
        0x1_0000..=0xffff_ffff => {
            out.push(0xce);
            out.extend_from_slice(&(number as u32).to_be_bytes());
        }
        0x1_0000_0000.. => {
            out.push(0xcf);
            out.extend_from_slice(&number.to_be_bytes());
        }
        -32..0 => out.push(number as u8),
        -0x80..-32 => out.extend_from_slice(&[0xd0, number as u8]),
        -0x8000..-0x80 => {
            out.push(0xd1);
            out.extend_from_slice(&(number as i16).to_be_bytes());
        }
        -0x8000_0000..-0x8000 => {
            out.push(0xd2);
            out.extend_from_slice(&(number as i32).to_be_bytes());
        }
        _ => {
            out.push(0xd3);
            out.extend_from_slice(&number.to_be_bytes());
        }
    }
}

/// Writes the table on top of the stack: as an array when its keys are 1 to n, as a map when not.
fn write_table(stack: &mut Stack, depth: u32) -> Result<(), Raised> {
    let (mut highest, mut items, mut is_array) = (0.0f64, 0usize, true);
    stack.push_nil();
    while stack.next(-2) {
        stack.pop(1);
        let key = stack.number(-1);
        let is_index = stack.kind(-1) == Kind::Number && key > 0.0 && key.floor() == key;
        is_array &= is_index && key <= f64::from(i32::MAX);
        highest = highest.max(key);
        items += 1;
    }
    if is_array && highest == items as f64 {
        match items {
            0..=15 => out(stack).push(0x90 | items as u8),
            _ => write_len(out(stack), items, [0xdc, 0xdd]),
        }
        for n in 1..=items {
            stack.raw_get_at(-1, n as i32);
            write(stack, depth + 1)?;
        }
        return Ok(());
    }
    match items {
        0..=15 => out(stack).push(0x80 | items as u8),
        _ => write_len(out(stack), items, [0xde, 0xdf]),
    }
    stack.push_nil();
    while stack.next(-2) {
        stack.push_copy(-2);
        write(stack, depth + 1)?;
        write(stack, depth + 1)?;
    }
    Ok(())
}

/// cmsgpack.unpack(text)
fn unpack(stack: &mut Stack) -> Outcome {
    read_all(stack, None, 0)
}

/// cmsgpack.unpack_one(text [, offset])
fn unpack_one(stack: &mut Stack) -> Outcome {
    let offset = stack.optional_int(2, 0);
    read_all(stack, Some(1), offset)
}

/// cmsgpack.unpack_limit(text, limit [, offset])
fn unpack_limit(stack: &mut Stack) -> Outcome {
    let limit = stack.check_int(2);
    let offset = stack.optional_int(3, 0);
    if limit == 0 && offset == 0 {
        return read_all(stack, None, 0);
    }
    read_all(stack, Some(limit), offset)
}

/// Pushes the values from an offset on; with a limit, first where the next one begins, or -1.
fn read_all(stack: &mut Stack, limit: Option<i64>, offset: i64) -> Outcome {
    let text = stack.check_bytes(1);
    stack.set_top(1);
    let is_negative = offset < 0 || limit.is_some_and(|limit| limit < 0);
    if is_negative {
        let parts = [&b"Invalid request to unpack with offset of "[..], b" and limit of ", b"."];
        return fail_with(stack, parts, [offset, text.len() as i64]);
    }
    if offset as usize > text.len() {
        let parts = [&b"Start offset "[..], b" greater than input length ", b"."];
        return fail_with(stack, parts, [offset, text.len() as i64]);
    }
    let mut reader = Reader { text, at: offset as usize };
    let mut n = 0;
    while reader.at < text.len() && limit.is_none_or(|limit| i64::from(n) < limit) {
        match reader.value(stack, 0) {
            Ok(()) => n += 1,
            Err(Fault::Short) => return stack.fail(b"Missing bytes in input."),
            Err(Fault::Format) => return stack.fail(b"Bad data format in input."),
        }
    }
    if limit.is_some() {
        stack.push_number(if reader.at == text.len() { -1.0 } else { reader.at as f64 });
        stack.insert(2);
        n += 1;
    }
    Ok(n)
}

fn fail_with(stack: &mut Stack, parts: [&[u8]; 3], numbers: [i64; 2]) -> Outcome {
    stack.push_bytes(parts[0]);
    stack.push_number(numbers[0] as f64);
    stack.push_bytes(parts[1]);
    stack.push_number(numbers[1] as f64);
    stack.push_bytes(parts[2]);
    stack.concat(5);
    let text = stack.check_bytes(-1);
    stack.fail(text.get())
}

/// Why bytes are no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Fault {
    Short,
    Format,
}

struct Reader {
    text: Pinned,
    at: usize,
}

impl Reader {
    fn bytes(&mut self, len: usize) -> Result<&'static [u8], Fault> {
        let bytes = self.text.get()[self.at..].get(..len).ok_or(Fault::Short)?;
        self.at += len;
        Ok(bytes)
    }

    /// A number of `N` bytes, the most significant first.
    fn fixed<const N: usize>(&mut self) -> Result<[u8; N], Fault> {
        self.bytes(N)?.try_into().map_err(|_| Fault::Short)
    }

    fn len(&mut self, width: usize) -> Result<usize, Fault> {
        Ok(self.bytes(width)?.iter().fold(0, |len, byte| len << 8 | usize::from(*byte)))
    }

    /// Pushes the next value.
    fn value(&mut self, stack: &mut Stack, depth: u32) -> Result<(), Fault> {
        if depth > READ_DEPTH_MAX || !stack.reserve(6) {
            return Err(Fault::Format);
        }
        let [first] = self.fixed()?;
        let number = match first {
            0x00..=0x7f => f64::from(first),
            0xe0..=0xff => f64::from(first.cast_signed()),
            0xcc => f64::from(self.fixed::<1>()?[0]),
            0xcd => f64::from(u16::from_be_bytes(self.fixed()?)),
            0xce => f64::from(u32::from_be_bytes(self.fixed()?)),
            0xcf => u64::from_be_bytes(self.fixed()?) as f64,
            0xd0 => f64::from(i8::from_be_bytes(self.fixed()?)),
            0xd1 => f64::from(i16::from_be_bytes(self.fixed()?)),
            0xd2 => f64::from(i32::from_be_bytes(self.fixed()?)),
            0xd3 => i64::from_be_bytes(self.fixed()?) as f64,
            0xca => f64::from(f32::from_be_bytes(self.fixed()?)),
            0xcb => f64::from_be_bytes(self.fixed()?),
            _ => return self.other(stack, first, depth),
        };
        stack.push_number(number);
        Ok(())
    }

    fn other(&mut self, stack: &mut Stack, first: u8, depth: u32) -> Result<(), Fault> {
        let small = usize::from(first & 15);
        match first {
            0xc0 => stack.push_nil(),
            0xc2 => stack.push_bool(false),
            0xc3 => stack.push_bool(true),
            0xa0..=0xbf => {
                let text = self.bytes(usize::from(first & 31))?;
                stack.push_bytes(text);
            }
            0xc4..=0xc6 | 0xd9..=0xdb => {
                let width = 1 << if first < 0xd9 { first - 0xc4 } else { first - 0xd9 };
                let len = self.len(width)?;
                let text = self.bytes(len)?;
                stack.push_bytes(text);
            }
            0x90..=0x9f => self.array(stack, small, depth)?,
            0x80..=0x8f => self.map(stack, small, depth)?,
            0xdc | 0xdd => {
                let len = self.len(if first == 0xdc { 2 } else { 4 })?;
                self.array(stack, len, depth)?;
            }
            0xde | 0xdf => {
                let len = self.len(if first == 0xde { 2 } else { 4 })?;
                self.map(stack, len, depth)?;
            }
            _ => return Err(Fault::Format),
        }
        Ok(())
    }

    // A length takes no memory before its elements are there.
    fn array(&mut self, stack: &mut Stack, len: usize, depth: u32) -> Result<(), Fault> {
        stack.new_table(0, 0);
        for n in 1..=len {
            self.value(stack, depth + 1)?;
            stack.raw_set_at(-2, n);
        }
        Ok(())
    }

    fn map(&mut self, stack: &mut Stack, len: usize, depth: u32) -> Result<(), Fault> {
        stack.new_table(0, 0);
        for _ in 0..len {
            self.value(stack, depth + 1)?;
            self.value(stack, depth + 1)?;
            let is_nan = stack.kind(-2) == Kind::Number && stack.number(-2).is_nan();
            if is_nan || stack.kind(-2) == Kind::Nil {
                return Err(Fault::Format);
            }
            stack.raw_set(-3);
        }
        Ok(())
    }
}
