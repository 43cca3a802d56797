//! Between replies and values: what a command answered becomes a value, and what a script returns
//! becomes a reply.

use std::ffi::CStr;

use resp::Writer;
use resp::number::parse_f64;

use crate::stack::{Kind, Pinned, Raised, Stack};

/// Replies nested deeper than this are cut: no command nests as deep.
const DEPTH_MAX: usize = 128;
/// Tables nested deeper than this are refused: one may hold itself, and the stack is finite.
const WRITE_DEPTH_MAX: usize = 500;

/// A place in a reply's bytes.
struct Cursor {
    bytes: Pinned,
    at: usize,
}

impl Cursor {
    /// The line up to its CRLF.
    fn line(&mut self) -> &'static [u8] {
        let rest: &'static [u8] = &self.bytes.get()[self.at..];
        let end = rest.iter().position(|byte| *byte == b'\r').unwrap_or(rest.len());
        self.at = (self.at + end + 2).min(self.bytes.len());
        &rest[..end]
    }

    fn payload(&mut self, len: usize) -> &'static [u8] {
        let rest: &'static [u8] = &self.bytes.get()[self.at..];
        let len = len.min(rest.len());
        self.at = (self.at + len + 2).min(self.bytes.len());
        &rest[..len]
    }
}

/// Pushes a command's reply, which the server itself wrote; whether it is an error.
pub(crate) fn read(stack: &mut Stack, bytes: Pinned) -> bool {
    let mut cursor = Cursor { bytes, at: 0 };
    read_value(stack, &mut cursor, 0);
    bytes.first() == Some(&b'-')
}

fn number(line: &[u8]) -> f64 {
    parse_f64(line).unwrap_or(0.0)
}

/// The length in a header; `None` for null.
fn length(line: &[u8]) -> Option<usize> {
    resp::number::parse_i64(line).and_then(|len| usize::try_from(len).ok())
}

fn read_value(stack: &mut Stack, cursor: &mut Cursor, depth: usize) {
    if depth > DEPTH_MAX || !stack.reserve(6) {
        stack.push_nil();
        return;
    }
    let line = cursor.line();
    let (kind, line) = line.split_first().unwrap_or((&b'_', b""));
    match kind {
        b'+' => wrap(stack, c"ok", |stack| stack.push_bytes(line)),
        b'-' => read_error(stack, line),
        b':' => stack.push_number(number(line)),
        b'$' => match length(line) {
            Some(len) => stack.push_bytes(cursor.payload(len)),
            None => stack.push_bool(false),
        },
        b'*' | b'>' => match length(line) {
            Some(len) => read_list(stack, cursor, len, depth),
            None => stack.push_bool(false),
        },
        b'#' => stack.push_bool(line == b"t"),
        b',' => wrap(stack, c"double", |stack| stack.push_number(number(line))),
        b'(' => wrap(stack, c"big_number", |stack| stack.push_bytes(line)),
        b'=' => {
            let text = cursor.payload(length(line).unwrap_or(0));
            wrap(stack, c"verbatim_string", |stack| push_verbatim(stack, text));
        }
        b'%' => {
            let pairs = length(line).unwrap_or(0);
            wrap(stack, c"map", |stack| read_map(stack, cursor, pairs, depth));
        }
        b'~' => {
            let members = length(line).unwrap_or(0);
            wrap(stack, c"set", |stack| read_set(stack, cursor, members, depth));
        }
        b'|' => {
            for _ in 0..2 * length(line).unwrap_or(0) {
                read_value(stack, cursor, depth + 1);
                stack.pop(1);
            }
            read_value(stack, cursor, depth);
        }
        _ => stack.push_nil(),
    }
}

/// Pushes a table with one field.
fn wrap(stack: &mut Stack, name: &CStr, push: impl FnOnce(&mut Stack)) {
    stack.new_table(0, 1);
    push(stack);
    stack.set_field(-2, name);
}

fn read_error(stack: &mut Stack, line: &[u8]) {
    wrap(stack, c"err", |stack| stack.push_bytes(line));
    stack.push_bool(true);
    stack.set_field(-2, c"ignore_error_stats_update");
}

fn read_list(stack: &mut Stack, cursor: &mut Cursor, len: usize, depth: usize) {
    stack.new_table(len, 0);
    for n in 1..=len {
        read_value(stack, cursor, depth + 1);
        stack.raw_set_at(-2, n);
    }
}

fn read_map(stack: &mut Stack, cursor: &mut Cursor, pairs: usize, depth: usize) {
    stack.new_table(0, pairs);
    for _ in 0..pairs {
        read_value(stack, cursor, depth + 1);
        read_value(stack, cursor, depth + 1);
        stack.set_table(-3);
    }
}

fn read_set(stack: &mut Stack, cursor: &mut Cursor, members: usize, depth: usize) {
    stack.new_table(0, members);
    for _ in 0..members {
        read_value(stack, cursor, depth + 1);
        stack.push_bool(true);
        stack.set_table(-3);
    }
}

fn push_verbatim(stack: &mut Stack, text: &[u8]) {
    let (format, text) = text.split_at(text.len().min(3));
    stack.new_table(0, 2);
    stack.push_bytes(text.strip_prefix(b":").unwrap_or(text));
    stack.set_field(-2, c"string");
    stack.push_bytes(format);
    stack.set_field(-2, c"format");
}

/// Writes the value on top of the stack, which is taken, as a reply.
pub(crate) fn write(stack: &mut Stack, out: &mut Writer) -> Result<(), Raised> {
    let mut reply = Reply { begins: out.len(), out };
    write_value(stack, &mut reply, 0)
}

/// A reply behind those that are there already.
struct Reply<'w> {
    out: &'w mut Writer,
    begins: usize,
}

fn write_value(stack: &mut Stack, reply: &mut Reply<'_>, depth: usize) -> Result<(), Raised> {
    let bytes = if stack.kind(-1) == Kind::String { stack.len(-1) } else { 0 };
    stack.spend(bytes, bytes + reply.out.len().saturating_sub(reply.begins))?;
    let out = &mut *reply.out;
    if depth > WRITE_DEPTH_MAX || !stack.reserve(5) {
        out.error("ERR reached lua stack limit");
        stack.pop(1);
        return Ok(());
    }
    match stack.kind(-1) {
        Kind::String => {
            if let Some(bytes) = stack.bytes(-1) {
                out.bulk(&bytes);
            }
        }
        Kind::Number => out.int(integer(stack.number(-1))),
        Kind::Boolean => write_bool(stack, out),
        Kind::Table => write_table(stack, reply, depth + 1)?,
        _ => out.null(),
    }
    stack.pop(1);
    Ok(())
}

/// The whole part of a number; of one that an integer cannot hold what x86 makes of it, which is
/// the lowest integer.
pub(crate) fn integer(number: f64) -> i64 {
    let bound = i64::MAX as f64;
    if (-bound..bound).contains(&number) { number as i64 } else { i64::MIN }
}

fn write_bool(stack: &mut Stack, out: &mut Writer) {
    let value = stack.boolean(-1);
    match (stack.state().proto, value) {
        (resp::Proto::Resp3, _) => out.bool(value),
        (resp::Proto::Resp2, true) => out.int(1),
        (resp::Proto::Resp2, false) => out.null(),
    }
}

/// Writes the field on top of the stack as what its name says; false when it is no such thing.
type Form = fn(&mut Stack, &mut Reply<'_>, usize) -> Result<bool, Raised>;

/// Writes the table on top of the stack: by the field that says what it stands for, or as an array.
fn write_table(stack: &mut Stack, reply: &mut Reply<'_>, depth: usize) -> Result<(), Raised> {
    let forms: [(&[u8], Kind, Form); 7] = [
        (b"err", Kind::String, write_error),
        (b"ok", Kind::String, write_status),
        (b"double", Kind::Number, write_double),
        (b"big_number", Kind::String, write_big_number),
        (b"verbatim_string", Kind::Table, write_verbatim),
        (b"map", Kind::Table, write_map),
        (b"set", Kind::Table, write_set),
    ];
    for (name, kind, write) in forms {
        stack.raw_field(-1, name);
        let is_written = stack.kind(-1) == kind && write(stack, reply, depth)?;
        stack.pop(1);
        if is_written {
            return Ok(());
        }
    }
    let later = reply.out.array_later();
    let mut n = 0;
    loop {
        stack.raw_get_at(-1, n + 1);
        if stack.kind(-1) == Kind::Nil {
            stack.pop(1);
            break;
        }
        write_value(stack, reply, depth)?;
        n += 1;
    }
    reply.out.finish(later, n as usize);
    Ok(())
}

/// Runs `write` on the string on top of the stack with its line ends as blanks.
fn on_one_line(stack: &mut Stack, write: impl FnOnce(&[u8])) {
    if let Some(bytes) = stack.bytes(-1) {
        let text = &mut stack.state().text;
        text.clear();
        text.extend(
            bytes.iter().map(|byte| if matches!(byte, b'\r' | b'\n') { b' ' } else { *byte }),
        );
        write(text);
    }
}

fn write_error(
    stack: &mut Stack,
    Reply { out, .. }: &mut Reply<'_>,
    depth: usize,
) -> Result<bool, Raised> {
    stack.raw_field(-2, b"ignore_error_stats_update");
    let is_counted = stack.kind(-1) == Kind::Boolean && stack.boolean(-1);
    stack.state().is_counted = is_counted && depth == 1;
    stack.pop(1);
    on_one_line(stack, |text| out.error_bytes(text));
    Ok(true)
}

fn write_status(
    stack: &mut Stack,
    Reply { out, .. }: &mut Reply<'_>,
    _: usize,
) -> Result<bool, Raised> {
    on_one_line(stack, |text| {
        out.raw(b"+");
        out.raw(text);
        out.raw(b"\r\n");
    });
    Ok(true)
}

fn write_double(
    stack: &mut Stack,
    Reply { out, .. }: &mut Reply<'_>,
    _: usize,
) -> Result<bool, Raised> {
    out.double(stack.number(-1));
    Ok(true)
}

fn write_big_number(
    stack: &mut Stack,
    Reply { out, .. }: &mut Reply<'_>,
    _: usize,
) -> Result<bool, Raised> {
    on_one_line(stack, |text| out.big_number(&String::from_utf8_lossy(text)));
    Ok(true)
}

fn write_verbatim(
    stack: &mut Stack,
    Reply { out, .. }: &mut Reply<'_>,
    _: usize,
) -> Result<bool, Raised> {
    stack.raw_field(-1, b"format");
    stack.raw_field(-2, b"string");
    let are_there = stack.kind(-1) == Kind::String && stack.kind(-2) == Kind::String;
    if are_there && let (Some(format), Some(text)) = (stack.bytes(-2), stack.bytes(-1)) {
        let format = [0, 1, 2].map(|at| format.get().get(at).copied().unwrap_or(b' '));
        out.verbatim(std::str::from_utf8(&format).unwrap_or("txt"), &text);
    }
    stack.pop(2);
    Ok(are_there)
}

fn write_map(stack: &mut Stack, reply: &mut Reply<'_>, depth: usize) -> Result<bool, Raised> {
    let later = reply.out.map_later();
    let mut pairs = 0;
    stack.push_nil();
    while stack.next(-2) {
        // Writing takes the value away, and a number that is looked at as text would change.
        stack.push_copy(-2);
        write_value(stack, reply, depth)?;
        write_value(stack, reply, depth)?;
        pairs += 1;
    }
    reply.out.finish(later, pairs);
    Ok(true)
}

fn write_set(stack: &mut Stack, reply: &mut Reply<'_>, depth: usize) -> Result<bool, Raised> {
    let later = reply.out.set_later();
    let mut members = 0;
    stack.push_nil();
    while stack.next(-2) {
        stack.pop(1);
        stack.push_copy(-1);
        write_value(stack, reply, depth)?;
        members += 1;
    }
    reply.out.finish(later, members);
    Ok(true)
}
