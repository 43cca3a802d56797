//! Bits inside strings: what each command of the group does; the arithmetic is `value::bits`.

use std::borrow::Cow;
use std::ops::Range;

use keyspace::{Class, Entry, ValueRef};
use smallvec::SmallVec;
use value::bits::{self, Combine};

use crate::args::is;
use crate::string::{change_bytes, store, with_text};
use crate::{Args, Ctx, Error, Handler};

mod field;

pub(crate) const HANDLERS: &[(&str, Handler)] = &[
    ("bitcount", bitcount),
    ("bitfield", field::bitfield),
    ("bitfield_ro", field::bitfield_ro),
    ("bitop", bitop),
    ("bitpos", bitpos),
    ("getbit", getbit),
    ("setbit", setbit),
];

const BAD_OFFSET: Error = Error::Text("ERR bit offset is not an integer or out of range");
const BAD_BIT: Error = Error::Text("ERR bit is not an integer or out of range");

/// SETBIT key offset value - O(1).
fn setbit(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let bit = bit_offset(ctx, args[2], None)?;
    let value = match args.int(3) {
        Ok(value @ 0..=1) => value as u64,
        _ => return Err(BAD_BIT),
    };
    let (old, changed) = change_bytes(ctx, args[1], (bit / 8) as usize + 1, |bytes, grown| {
        let old = bits::read(bytes, bit, 1);
        bits::write(bytes, bit, 1, value);
        (old, grown || old != value)
    })?;
    if changed {
        ctx.db.note(Class::STRING, "setbit", args[1]);
        ctx.db.change.add_dirty(1);
    }
    ctx.out.int(old as i64);
    Ok(())
}

/// GETBIT key offset - O(1).
fn getbit(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let bit = bit_offset(ctx, args[2], None)?;
    let value = match ctx.db.read(args[1]) {
        Some(entry) => with_text(&entry, |bytes| bits::read(bytes, bit, 1))?,
        None => 0,
    };
    ctx.out.int(value as i64);
    Ok(())
}

/// BITCOUNT key \[start \[end \[BYTE|BIT\]\]\] - O(N) of the bytes looked at.
fn bitcount(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let span = Span::parse(args, 2)?;
    let Some(entry) = ctx.db.read(args[1]) else {
        ctx.out.int(0);
        return Ok(());
    };
    let count = with_text(&entry, |bytes| {
        if span.is_backwards() { 0 } else { bits::count_in(bytes, span.of(bytes)) }
    })?;
    ctx.out.int(count as i64);
    Ok(())
}

/// BITPOS key bit \[start \[end \[BYTE|BIT\]\]\] - O(N) of the bytes looked at.
fn bitpos(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let value = match args.int(2)? {
        0 => false,
        1 => true,
        _ => return Err(Error::Text("ERR The bit argument must be 1 or 0.")),
    };
    let span = Span::parse(args, 3)?;
    let Some(entry) = ctx.db.read(args[1]) else {
        ctx.out.int(if value { -1 } else { 0 });
        return Ok(());
    };
    let position = with_text(&entry, |bytes| {
        let range = span.of(bytes);
        if range.is_empty() {
            return -1;
        }
        match bits::find_in(bytes, value, range) {
            Some(position) => position as i64,
            None if !value && span.end.is_none() => bytes.len() as i64 * 8,
            None => -1,
        }
    })?;
    ctx.out.int(position);
    Ok(())
}

/// BITOP operation destkey key \[key ...\] - O(N) of the strings' lengths.
fn bitop(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (how, target) = (combination(args)?, args[2]);
    let result = combined(ctx, how, args.from(3))?;
    let len = result.len();
    if len > 0 {
        store(ctx, target, result);
        ctx.db.note(Class::STRING, "set", target);
        ctx.db.change.add_dirty(1);
    } else {
        ctx.vacate(target);
    }
    ctx.out.int(len as i64);
    Ok(())
}

fn combined(ctx: &mut Ctx<'_, '_>, how: Combine, keys: &[&[u8]]) -> Result<Vec<u8>, Error> {
    let entries = ctx.db.read_many(keys);
    let texts = entries.iter().map(|entry| entry.as_deref().map_or(Ok(Cow::default()), text_of));
    let texts = texts.collect::<Result<SmallVec<[Cow<'_, [u8]>; 4]>, Error>>()?;
    let sources: SmallVec<[&[u8]; 4]> = texts.iter().map(|text| &**text).collect();
    Ok(bits::combine(how, &sources))
}

fn combination(args: &Args<'_>) -> Result<Combine, Error> {
    const NAMES: [(&str, Combine); 8] = [
        ("AND", Combine::And),
        ("OR", Combine::Or),
        ("XOR", Combine::Xor),
        ("NOT", Combine::Not),
        ("DIFF", Combine::Diff),
        ("DIFF1", Combine::Diff1),
        ("ANDOR", Combine::AndOr),
        ("ONE", Combine::One),
    ];
    let found = NAMES.iter().find(|(name, _)| is(args[1], name));
    let &(_, how) = found.ok_or(Error::Syntax)?;
    let sources = args.len() - 3;
    match how {
        Combine::Not if sources != 1 => {
            Err(Error::Text("ERR BITOP NOT must be called with a single source key."))
        }
        Combine::Diff if sources < 2 => {
            Err(Error::Text("ERR BITOP DIFF must be called with at least two source keys."))
        }
        Combine::Diff1 if sources < 2 => {
            Err(Error::Text("ERR BITOP DIFF1 must be called with at least two source keys."))
        }
        Combine::AndOr if sources < 2 => {
            Err(Error::Text("ERR BITOP ANDOR must be called with at least two source keys."))
        }
        how => Ok(how),
    }
}

/// A string's bytes; only an integer's are made for it.
fn text_of(entry: &Entry) -> Result<Cow<'_, [u8]>, Error> {
    match entry.value() {
        ValueRef::Object(_) => Err(Error::WrongType),
        ValueRef::Inline(bytes) | ValueRef::Shared(bytes) => Ok(Cow::Borrowed(bytes)),
        ValueRef::Int(number) => Ok(Cow::Owned(number.to_string().into_bytes())),
    }
}

/// The offset of a bit; with a width `#n` is the n-th integer of that width.
fn bit_offset(ctx: &Ctx<'_, '_>, arg: &[u8], width: Option<u32>) -> Result<u64, Error> {
    let (text, unit) = match (arg.strip_prefix(b"#"), width) {
        (Some(text), Some(width)) => (text, i64::from(width)),
        _ => (arg, 1),
    };
    let offset = resp::number::parse_i64(text).and_then(|offset| offset.checked_mul(unit));
    let offset = offset.and_then(|offset| u64::try_from(offset).ok()).ok_or(BAD_OFFSET)?;
    if offset >> 3 >= ctx.settings.proto_max_bulk_len { Err(BAD_OFFSET) } else { Ok(offset) }
}

/// A range as a client gives it: inclusive, in bytes or bits, negative from the end.
#[derive(Clone, Copy)]
struct Span {
    start: i64,
    end: Option<i64>,
    in_bits: bool,
}

impl Span {
    /// Reads `[start [end [BYTE|BIT]]]`.
    fn parse(args: &Args<'_>, at: usize) -> Result<Self, Error> {
        if args.len() > at + 3 {
            return Err(Error::Syntax);
        }
        let start = if args.len() > at { args.int(at)? } else { 0 };
        let in_bits = match args.get(at + 2) {
            Some(unit) if is(unit, "BIT") => true,
            Some(unit) if !is(unit, "BYTE") => return Err(Error::Syntax),
            _ => false,
        };
        let end = if args.len() > at + 1 { Some(args.int(at + 1)?) } else { None };
        Ok(Self { start, end, in_bits })
    }

    /// Both ends count from the string's end, and in the wrong order: nothing, however short the
    /// string is.
    fn is_backwards(self) -> bool {
        self.end.is_some_and(|end| self.start < 0 && end < 0 && self.start > end)
    }

    /// The bits of a string that it means.
    fn of(self, bytes: &[u8]) -> Range<u64> {
        let unit = if self.in_bits { 1 } else { 8 };
        let len = bytes.len() as i64 * 8 / unit;
        let from = |at: i64| if at < 0 { (at + len).max(0) } else { at };
        let start = from(self.start);
        let end = self.end.map_or(len - 1, from).min(len - 1);
        if start > end { 0..0 } else { (start * unit) as u64..((end + 1) * unit) as u64 }
    }
}
