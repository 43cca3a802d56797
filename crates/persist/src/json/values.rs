//! Values of every type but streams, there and back.

use std::io::Read;

use keyspace::{NewValue, Value, ValueRef, ValueView};
use value::array::{Array, INDEX_MAX};
use value::compact::Element;
use value::hash::Time;
use value::list::{Builder, List};
use value::number::{Text, parse_i64};
use value::{Hash, Kind, Set, Zset};

use super::error::Error;
use super::lex::Lexer;
use super::{stream, text};
use crate::rdb::{Loaded, Out, Rules};
use crate::snapshot::portion::{self, Place};

/// The latest deadline of a field that servers have, 46 bits.
const DEADLINE_MAX: i64 = (1 << 46) - 1;

/// Writes up to so many elements of a value from a place on, and what stands around them; whether
/// none is left.
pub(super) fn write(
    out: &mut impl Out,
    value: &ValueRef<'_>,
    place: &mut Place,
    count: usize,
) -> bool {
    let is_first = !std::mem::replace(&mut place.is_begun, true);
    match value {
        ValueRef::Int(number) => text::string(out, Text::new().of(*number)),
        ValueRef::Inline(bytes) | ValueRef::Shared(bytes) => text::string(out, bytes),
        ValueRef::Object(ValueView::List(list)) => return write_list(out, list, place, count),
        ValueRef::Object(ValueView::Set(set)) => return write_set(out, set, place, count),
        ValueRef::Object(ValueView::Zset(zset)) => return write_zset(out, zset, place, count),
        ValueRef::Object(ValueView::Hash(hash)) => return write_hash(out, hash, place, count),
        ValueRef::Object(ValueView::Stream(stream)) => {
            return stream::write(out, stream, place, count, is_first);
        }
        ValueRef::Object(ValueView::Array(array)) => {
            return write_array(out, array, place, count, is_first);
        }
    }
    true
}

/// What stands in front of the elements of an array: the bracket, then commas.
pub(super) struct Comma(&'static [u8]);

impl Comma {
    pub(super) fn new() -> Self {
        Self(b"[")
    }

    /// What stands in front of the element of this number.
    pub(super) fn before(out: &mut impl Out, number: u64) {
        out.put(if number == 0 { b"[" } else { b"," });
    }

    /// The end of an array of so many elements.
    pub(super) fn after(out: &mut impl Out, count: u64) {
        out.put(if count == 0 { b"[]" } else { b"]" });
    }

    pub(super) fn put(&mut self, out: &mut impl Out) {
        out.put(self.0);
        self.0 = b",";
    }

    pub(super) fn close(self, out: &mut impl Out) {
        out.put(if self.0 == b"[" { b"[]" } else { b"]" });
    }
}

fn element(out: &mut impl Out, element: Element<'_>) {
    text::string(out, element.text(&mut Text::new()));
}

/// Ends an array of elements if that was the last portion; whether it was.
pub(super) fn end(out: &mut impl Out, place: &Place, is_last: bool) -> bool {
    if is_last {
        Comma::after(out, place.count);
    }
    is_last
}

fn write_list(out: &mut impl Out, list: &List, place: &mut Place, count: usize) -> bool {
    let is_last = portion::elements(list, place, count, |number, each| {
        Comma::before(out, number);
        element(out, each);
    });
    end(out, place, is_last)
}

fn write_set(out: &mut impl Out, set: &Set, place: &mut Place, count: usize) -> bool {
    let is_last = portion::members(set, place, count, |number, member| {
        Comma::before(out, number);
        element(out, member);
    });
    end(out, place, is_last)
}

fn write_zset(out: &mut impl Out, zset: &Zset, place: &mut Place, count: usize) -> bool {
    let is_last = portion::scored(zset, place, count, false, |number, member, score| {
        Comma::before(out, number);
        out.put(b"[");
        element(out, member);
        out.put(b",");
        text::double(out, score);
        out.put(b"]");
    });
    end(out, place, is_last)
}

fn write_hash(out: &mut impl Out, hash: &Hash, place: &mut Place, count: usize) -> bool {
    let is_last = portion::fields(hash, place, count, |number, name, value, deadline_ms| {
        Comma::before(out, number);
        out.put(b"[");
        element(out, name);
        out.put(b",");
        element(out, value);
        if let Some(deadline_ms) = deadline_ms {
            out.put(b",");
            text::integer(out, deadline_ms);
        }
        out.put(b"]");
    });
    end(out, place, is_last)
}

fn write_array(
    out: &mut impl Out,
    array: &Array,
    place: &mut Place,
    count: usize,
    is_first: bool,
) -> bool {
    if is_first {
        out.put(b"{");
        if let Some(index) = array.last_insert() {
            out.put(b"\"last_insert\":");
            text::integer(out, index);
            out.put(b",");
        }
        out.put(b"\"elements\":");
    }
    let is_last = portion::places(array, place, count, |number, index, each| {
        Comma::before(out, number);
        out.put(b"[");
        text::integer(out, index);
        out.put(b",");
        element(out, each);
        out.put(b"]");
    });
    if end(out, place, is_last) {
        out.put(b"}");
    }
    is_last
}

/// Reads a value of a type. `room` takes the bytes of a string.
pub(super) fn read<'v>(
    lexer: &mut Lexer<impl Read>,
    kind: Kind,
    rules: Rules<'_>,
    room: &'v mut Vec<u8>,
) -> Result<Loaded<'v>, Error> {
    let value = match kind {
        Kind::String => {
            lexer.bytes("a string")?;
            lexer.swap_text(room);
            let number = parse_i64(room);
            return Ok(Loaded::Value(number.map_or(NewValue::Bytes(room), NewValue::Int)));
        }
        Kind::List => Value::List(read_list(lexer, rules)?),
        Kind::Set => Value::Set(read_set(lexer, rules)?),
        Kind::Zset => Value::Zset(read_zset(lexer, rules, room)?),
        Kind::Hash => match read_hash(lexer, rules, room)? {
            hash if hash.is_empty() => return Ok(Loaded::Faded),
            hash => Value::Hash(hash),
        },
        Kind::Stream => Value::Stream(Box::new(stream::read(lexer, rules, room)?)),
        Kind::Array => Value::Array(Box::new(read_array(lexer)?)),
    };
    Ok(Loaded::Value(NewValue::Object(value)))
}

/// Opens the array of a collection's elements, of which there must be one.
fn open(lexer: &mut Lexer<impl Read>) -> Result<(), Error> {
    match lexer.array("an array of elements")? {
        true => Ok(()),
        false => lexer.refuse("a collection without an element"),
    }
}

fn read_list(lexer: &mut Lexer<impl Read>, rules: Rules<'_>) -> Result<List, Error> {
    let mut list = Builder::new(rules.limits);
    open(lexer)?;
    loop {
        lexer.bytes("an element, which is a string")?;
        list.push(lexer.text());
        if !lexer.next()? {
            return Ok(list.finish(rules.limits));
        }
    }
}

fn read_set(lexer: &mut Lexer<impl Read>, rules: Rules<'_>) -> Result<Set, Error> {
    let mut set = Set::new();
    let rules = rules.of_set();
    open(lexer)?;
    loop {
        lexer.bytes("a member, which is a string")?;
        if !set.add(lexer.text(), &rules) {
            return lexer.refuse("a member twice in a set");
        }
        if !lexer.next()? {
            return Ok(set);
        }
    }
}

/// Moves over the comma in front of a part that must be there.
fn part(lexer: &mut Lexer<impl Read>) -> Result<(), Error> {
    lexer.mark(b',', "','")
}

/// Moves over the end of an array of so many parts.
fn close(lexer: &mut Lexer<impl Read>) -> Result<(), Error> {
    lexer.mark(b']', "']'")
}

fn read_zset(
    lexer: &mut Lexer<impl Read>,
    rules: Rules<'_>,
    member: &mut Vec<u8>,
) -> Result<Zset, Error> {
    let mut zset = Zset::new();
    open(lexer)?;
    loop {
        lexer.mark(b'[', "a member with its score: '['")?;
        lexer.bytes("a member, which is a string")?;
        let place = lexer.place();
        lexer.swap_text(member);
        part(lexer)?;
        let score = lexer.double("a score, which is a number")?;
        let mut is_new = true;
        zset.update(member, rules.of_zset(), |old| {
            is_new = old.is_none();
            Some(score)
        });
        if !is_new {
            return Err(Error::Refused { at: place, what: "a member twice in a sorted set" });
        }
        close(lexer)?;
        if !lexer.next()? {
            return Ok(zset);
        }
    }
}

/// A hash; empty when all its fields' time is over.
fn read_hash(
    lexer: &mut Lexer<impl Read>,
    rules: Rules<'_>,
    name: &mut Vec<u8>,
) -> Result<Hash, Error> {
    let mut hash = Hash::new();
    let mut value = Vec::new();
    open(lexer)?;
    loop {
        lexer.mark(b'[', "a field with its value: '['")?;
        lexer.bytes("a field's name, which is a string")?;
        let place = lexer.place();
        lexer.swap_text(name);
        part(lexer)?;
        lexer.bytes("a field's value, which is a string")?;
        lexer.swap_text(&mut value);
        let mut time = Time::Never;
        if lexer.next()? {
            let deadline_ms = lexer.signed("a deadline in Unix milliseconds")?;
            if !(0..=DEADLINE_MAX).contains(&deadline_ms) {
                return lexer.refuse("a deadline of a field that is negative or too far away");
            }
            time = Time::At(deadline_ms);
            close(lexer)?;
        }
        let is_over = matches!(time, Time::At(deadline_ms) if deadline_ms < rules.since_ms);
        if !is_over && !hash.set(name, &value, time, rules.of_hash()) {
            return Err(Error::Refused { at: place, what: "a field twice in a hash" });
        }
        if !lexer.next()? {
            return Ok(hash);
        }
    }
}

fn read_array(lexer: &mut Lexer<impl Read>) -> Result<Array, Error> {
    const MEMBERS: &[&str] = &["last_insert", "elements"];
    let (mut array, mut seen) = (Array::new(), 0);
    let mut more = lexer.object("an array's members: '{'")?;
    while more {
        if lexer.member(MEMBERS, &mut seen)? == "last_insert" {
            let index = index(lexer)?;
            array.set_last_insert(Some(index));
        } else {
            read_elements(lexer, &mut array)?;
        }
        more = lexer.next_member()?;
    }
    if array.is_empty() { lexer.refuse("a collection without an element") } else { Ok(array) }
}

fn read_elements(lexer: &mut Lexer<impl Read>, array: &mut Array) -> Result<(), Error> {
    open(lexer)?;
    loop {
        lexer.mark(b'[', "an index with its element: '['")?;
        let index = index(lexer)?;
        part(lexer)?;
        lexer.bytes("an element, which is a string")?;
        if !array.set(index, lexer.text()) {
            return lexer.refuse("an index twice in an array");
        }
        close(lexer)?;
        if !lexer.next()? {
            return Ok(());
        }
    }
}

fn index(lexer: &mut Lexer<impl Read>) -> Result<u64, Error> {
    match lexer.unsigned("an index, which is a number")? {
        index @ 0..=INDEX_MAX => Ok(index),
        _ => lexer.refuse("an index too large"),
    }
}
