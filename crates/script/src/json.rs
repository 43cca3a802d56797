//! `cjson`: JSON as the library lua-cjson 2.1 reads and writes it, which scripts rely on to the
//! letter: its escapes, its idea of an array, its limits and its messages.
//!
//! Its settings last for the run that makes them.

use std::ffi::CStr;

use crate::format;
use crate::stack::{Kind, Outcome, Raised, Stack};

mod read;

/// What scripts may set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Settings {
    /// Whether an array with too many holes is written as an object.
    sparse_convert: bool,
    /// How many times more places than elements are too many; 0 for any number.
    sparse_ratio: u32,
    /// Up to so many places an array may have any number of holes.
    sparse_safe: u32,
    encode_depth_max: u32,
    decode_depth_max: u32,
    keep_buffer: bool,
    digits: u32,
    write_invalid: Invalid,
    read_invalid: bool,
}

/// What becomes of infinities and of what is no number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Invalid {
    Refuse,
    Write,
    Null,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sparse_convert: false,
            sparse_ratio: 2,
            sparse_safe: 10,
            encode_depth_max: 1000,
            decode_depth_max: 1000,
            keep_buffer: true,
            digits: 14,
            write_invalid: Invalid::Refuse,
            read_invalid: true,
        }
    }
}

/// Deeper than this nothing nests, whatever the settings say: each level takes a piece of the
/// thread's stack.
const NESTING_MAX: u32 = 1500;

/// Sets the library as a global.
pub(crate) fn open(stack: &mut Stack) {
    push_library(stack);
    stack.set_global(c"cjson");
}

fn push_library(stack: &mut Stack) {
    stack.new_table(0, 16);
    stack.set_function(c"encode", encode);
    stack.set_function(c"decode", read::decode);
    stack.set_function(c"encode_sparse_array", encode_sparse_array);
    stack.set_function(c"encode_max_depth", encode_max_depth);
    stack.set_function(c"decode_max_depth", decode_max_depth);
    stack.set_function(c"encode_number_precision", encode_number_precision);
    stack.set_function(c"encode_keep_buffer", encode_keep_buffer);
    stack.set_function(c"encode_invalid_numbers", encode_invalid_numbers);
    stack.set_function(c"decode_invalid_numbers", decode_invalid_numbers);
    stack.set_function(c"new", new);
    stack.push_null_pointer();
    stack.set_field(-2, c"null");
    stack.push_bytes(b"cjson");
    stack.set_field(-2, c"_NAME");
    stack.push_bytes(b"2.1.0");
    stack.set_field(-2, c"_VERSION");
}

/// cjson.new()
fn new(stack: &mut Stack) -> Outcome {
    push_library(stack);
    Ok(1)
}

/// cjson.encode(value)
fn encode(stack: &mut Stack) -> Outcome {
    if stack.top() != 1 {
        return stack.fail_argument(1, c"expected 1 argument");
    }
    stack.state().text.clear();
    write(stack, 0)?;
    stack.push_text();
    Ok(1)
}

fn out(stack: &mut Stack) -> &mut Vec<u8> {
    &mut stack.state().text
}

/// Counts what writing the value at an index takes. A byte of a string takes up to six.
fn spend(stack: &mut Stack, index: i32) -> Result<(), Raised> {
    let bytes = if stack.kind(index) == Kind::String { stack.len(index) } else { 0 };
    let buffered = out(stack).len() + bytes;
    stack.spend(bytes, buffered)
}

fn cannot<T>(stack: &mut Stack, index: i32, reason: &[u8]) -> Result<T, Raised> {
    stack.push_bytes(b"Cannot serialise ");
    let name = stack.type_name(if index < 0 { index - 1 } else { index });
    stack.push_bytes(name.as_bytes());
    stack.push_bytes(b": ");
    stack.push_bytes(reason);
    stack.concat(4);
    let text = stack.check_bytes(-1);
    stack.fail(text.get())?;
    Err(Raised)
}

/// Writes the value on top of the stack.
fn write(stack: &mut Stack, depth: u32) -> Result<(), Raised> {
    spend(stack, -1)?;
    match stack.kind(-1) {
        Kind::String => {
            let text = stack.check_bytes(-1);
            write_string(out(stack), &text);
        }
        Kind::Number => write_number(stack, -1)?,
        Kind::Boolean => {
            let text: &[u8] = if stack.boolean(-1) { b"true" } else { b"false" };
            out(stack).extend_from_slice(text);
        }
        Kind::Nil => out(stack).extend_from_slice(b"null"),
        Kind::Light if stack.is_null_pointer(-1) => out(stack).extend_from_slice(b"null"),
        Kind::Table => write_table(stack, depth + 1)?,
        _ => return cannot(stack, -1, b"type not supported"),
    }
    Ok(())
}

fn write_table(stack: &mut Stack, depth: u32) -> Result<(), Raised> {
    let deepest = stack.state().json.encode_depth_max.min(NESTING_MAX);
    if depth > deepest || !stack.reserve(6) {
        stack.push_bytes(b"Cannot serialise, excessive nesting (");
        stack.push_number(f64::from(depth));
        stack.push_bytes(b")");
        stack.concat(3);
        let text = stack.check_bytes(-1);
        stack.fail(text.get())?;
    }
    match array_len(stack)? {
        Some(len) if len > 0 => write_array(stack, len, depth),
        _ => write_object(stack, depth),
    }
}

/// The highest index of the table on top of the stack when all its keys are indices of an array.
fn array_len(stack: &mut Stack) -> Result<Option<u32>, Raised> {
    let (mut highest, mut items) = (0u32, 0u32);
    stack.push_nil();
    while stack.next(-2) {
        let key = stack.number(-2);
        let is_index = stack.kind(-2) == Kind::Number && key >= 1.0 && key.floor() == key;
        if !is_index || key > f64::from(i32::MAX) {
            stack.pop(2);
            return Ok(None);
        }
        highest = highest.max(key as u32);
        items += 1;
        stack.pop(1);
    }
    let settings = stack.state().json;
    let is_sparse = settings.sparse_ratio > 0
        && u64::from(highest) > u64::from(items) * u64::from(settings.sparse_ratio)
        && highest > settings.sparse_safe;
    match is_sparse {
        true if settings.sparse_convert => Ok(None),
        true => cannot(stack, -1, b"excessively sparse array"),
        false => Ok(Some(highest)),
    }
}

fn write_array(stack: &mut Stack, len: u32, depth: u32) -> Result<(), Raised> {
    out(stack).push(b'[');
    for n in 1..=len {
        if n > 1 {
            out(stack).push(b',');
        }
        stack.raw_get_at(-1, n.cast_signed());
        write(stack, depth)?;
        stack.pop(1);
    }
    out(stack).push(b']');
    Ok(())
}

fn write_object(stack: &mut Stack, depth: u32) -> Result<(), Raised> {
    out(stack).push(b'{');
    let mut is_first = true;
    stack.push_nil();
    while stack.next(-2) {
        if !std::mem::take(&mut is_first) {
            out(stack).push(b',');
        }
        match stack.kind(-2) {
            Kind::Number => {
                out(stack).push(b'"');
                write_number(stack, -2)?;
                out(stack).extend_from_slice(b"\":");
            }
            Kind::String => {
                spend(stack, -2)?;
                let name = stack.check_bytes(-2);
                write_string(out(stack), &name);
                out(stack).push(b':');
            }
            _ => return cannot(stack, -2, b"table key must be a number or string"),
        }
        write(stack, depth)?;
        stack.pop(1);
    }
    out(stack).push(b'}');
    Ok(())
}

fn write_number(stack: &mut Stack, index: i32) -> Result<(), Raised> {
    let number = stack.number(index);
    let settings = stack.state().json;
    if !number.is_finite() {
        let text: &[u8] = match settings.write_invalid {
            Invalid::Refuse => return cannot(stack, index, b"must not be NaN or Inf"),
            Invalid::Null => b"null",
            Invalid::Write if number.is_nan() => b"nan",
            Invalid::Write if number > 0.0 => b"inf",
            Invalid::Write => b"-inf",
        };
        out(stack).extend_from_slice(text);
        return Ok(());
    }
    format::general(out(stack), number, settings.digits as usize);
    Ok(())
}

fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    const DIGITS: [u8; 16] = *b"0123456789abcdef";
    out.reserve(text.len() + 2);
    out.push(b'"');
    for byte in text {
        let escape = match byte {
            b'"' => b'"',
            b'\\' => b'\\',
            b'/' => b'/',
            8 => b'b',
            9 => b't',
            10 => b'n',
            12 => b'f',
            13 => b'r',
            0..32 | 127 => {
                out.extend_from_slice(b"\\u00");
                out.push(DIGITS[usize::from(byte >> 4)]);
                out.push(DIGITS[usize::from(byte & 15)]);
                continue;
            }
            _ => {
                out.push(*byte);
                continue;
            }
        };
        out.extend_from_slice(&[b'\\', escape]);
    }
    out.push(b'"');
}

/// Reads an option that is a number, at an index of the arguments, and pushes what holds now.
fn number_option(
    stack: &mut Stack,
    index: i32,
    bounds: (i64, i64, &CStr),
    field: fn(&mut Settings) -> &mut u32,
) -> Result<(), Raised> {
    if !matches!(stack.kind(index), Kind::None | Kind::Nil) {
        let value = stack.check_int(index);
        if !(bounds.0..=bounds.1).contains(&value) {
            stack.fail_argument(index, bounds.2)?;
        }
        *field(&mut stack.state().json) = value as u32;
    }
    let now = *field(&mut stack.state().json);
    stack.push_number(f64::from(now));
    Ok(())
}

/// Reads an option that is a truth value or its name.
fn switch_option(
    stack: &mut Stack,
    index: i32,
    field: fn(&mut Settings) -> &mut bool,
) -> Result<(), Raised> {
    match stack.kind(index) {
        Kind::None | Kind::Nil => {}
        Kind::Boolean => *field(&mut stack.state().json) = stack.boolean(index),
        _ => {
            let name = stack.check_bytes(index);
            let Some(value) = [&b"off"[..], b"on"].iter().position(|known| *known == name.get())
            else {
                stack.fail_argument(index, c"invalid option")?;
                return Ok(());
            };
            *field(&mut stack.state().json) = value == 1;
        }
    }
    let now = *field(&mut stack.state().json);
    stack.push_bool(now);
    Ok(())
}

fn only(stack: &mut Stack, most: i32) -> Result<(), Raised> {
    if stack.top() > most {
        stack.fail_argument(most + 1, c"found too many arguments")?;
    }
    // So that an index of an argument that was not given holds nothing that is pushed later.
    stack.set_top(most);
    Ok(())
}

const ANY: (i64, i64, &CStr) = (0, i32::MAX as i64, c"expected integer between 0 and 2147483647");
const POSITIVE: (i64, i64, &CStr) =
    (1, i32::MAX as i64, c"expected integer between 1 and 2147483647");
const DIGITS: (i64, i64, &CStr) = (1, 17, c"expected integer between 1 and 17");

/// cjson.encode_sparse_array([convert [, ratio [, safe]]])
fn encode_sparse_array(stack: &mut Stack) -> Outcome {
    only(stack, 3)?;
    switch_option(stack, 1, |settings| &mut settings.sparse_convert)?;
    number_option(stack, 2, ANY, |settings| &mut settings.sparse_ratio)?;
    number_option(stack, 3, ANY, |settings| &mut settings.sparse_safe)?;
    Ok(3)
}

/// cjson.encode_max_depth([depth])
fn encode_max_depth(stack: &mut Stack) -> Outcome {
    only(stack, 1)?;
    number_option(stack, 1, POSITIVE, |settings| &mut settings.encode_depth_max)?;
    Ok(1)
}

/// cjson.decode_max_depth([depth])
fn decode_max_depth(stack: &mut Stack) -> Outcome {
    only(stack, 1)?;
    number_option(stack, 1, POSITIVE, |settings| &mut settings.decode_depth_max)?;
    Ok(1)
}

/// cjson.encode_number_precision([digits])
fn encode_number_precision(stack: &mut Stack) -> Outcome {
    only(stack, 1)?;
    number_option(stack, 1, DIGITS, |settings| &mut settings.digits)?;
    Ok(1)
}

/// cjson.encode_keep_buffer([on])
fn encode_keep_buffer(stack: &mut Stack) -> Outcome {
    only(stack, 1)?;
    switch_option(stack, 1, |settings| &mut settings.keep_buffer)?;
    Ok(1)
}

/// cjson.encode_invalid_numbers([on | off | "null"])
fn encode_invalid_numbers(stack: &mut Stack) -> Outcome {
    only(stack, 1)?;
    match stack.kind(1) {
        Kind::None | Kind::Nil => {}
        Kind::Boolean => {
            let on = stack.boolean(1);
            stack.state().json.write_invalid = if on { Invalid::Write } else { Invalid::Refuse };
        }
        _ => {
            let invalid = match stack.check_bytes(1).get() {
                b"off" => Invalid::Refuse,
                b"on" => Invalid::Write,
                b"null" => Invalid::Null,
                _ => return stack.fail_argument(1, c"invalid option"),
            };
            stack.state().json.write_invalid = invalid;
        }
    }
    match stack.state().json.write_invalid {
        Invalid::Refuse => stack.push_bool(false),
        Invalid::Write => stack.push_bool(true),
        Invalid::Null => stack.push_bytes(b"null"),
    }
    Ok(1)
}

/// cjson.decode_invalid_numbers([on])
fn decode_invalid_numbers(stack: &mut Stack) -> Outcome {
    only(stack, 1)?;
    switch_option(stack, 1, |settings| &mut settings.read_invalid)?;
    Ok(1)
}
