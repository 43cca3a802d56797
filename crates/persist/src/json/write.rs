//! A data set, record by record.

use keyspace::{Entry, ValueRef};
use value::Kind;

use super::{FORMAT, TYPES, VERSION, text, values};
use crate::rdb::{Out, Usage, Usages};
use crate::snapshot::portion::{ALL, Place, SOME};
use crate::snapshot::{Sheet, Spell};

/// Writes a file. What goes wrong is known to the [`Out`] alone.
pub struct Writer<O> {
    out: O,
    keys: u64,
}

impl<O: Out> Writer<O> {
    /// Writes the head.
    pub fn new(mut out: O) -> Self {
        let head = format!("[\n{{\"format\":\"{FORMAT}\",\"version\":{VERSION}}},\n");
        out.put(head.as_bytes());
        Self { out, keys: 0 }
    }

    /// A note.
    pub fn aux(&mut self, name: &[u8], value: &[u8]) {
        self.out.put(b"{\"note\":");
        text::string(&mut self.out, name);
        self.out.put(b",\"value\":");
        text::string(&mut self.out, value);
        self.out.put(b"},\n");
    }

    /// A library of functions.
    pub fn function(&mut self, library: &[u8]) {
        self.out.put(b"{\"function\":");
        text::string(&mut self.out, library);
        self.out.put(b"},\n");
    }

    /// A key with its value. Its frequency or idle time is noted when one is given.
    pub fn key(&mut self, db: u32, entry: &Entry, usage: Option<Usage>) {
        self.keys += 1;
        key(&mut self.out, db, entry, usage);
    }

    /// Records of so many keys that [`Pieces`] has made.
    pub fn pieces(&mut self, bytes: &[u8], keys: u64) {
        self.keys += keys;
        self.out.put(bytes);
    }

    /// The end; gives the output back.
    pub fn finish(mut self) -> O {
        self.out.put(b"{\"end\":true,\"keys\":");
        text::integer(&mut self.out, self.keys);
        self.out.put(b"}\n]\n");
        self.out
    }

    /// The output, for asking how it fares.
    pub fn out(&self) -> &O {
        &self.out
    }

    /// The output, for telling it to go on.
    pub fn out_mut(&mut self) -> &mut O {
        &mut self.out
    }
}

/// Writes keys in pieces (see [`Spell`]).
pub struct Pieces {
    sheet: Sheet,
    usages: Usages,
}

impl Pieces {
    /// Keys for a file of a [`Writer`].
    pub fn new(usages: Usages, sheet: Sheet) -> Self {
        Self { sheet, usages }
    }
}

impl Spell for Pieces {
    fn rest(&mut self, db: u32, entry: &Entry, place: &mut Place) {
        some(&mut self.sheet, db, entry, self.usages.of(place.access), place, ALL);
        self.sheet.end_part();
    }

    fn bit(&mut self, db: u32, entry: &Entry, place: &mut Place) -> bool {
        let usage = self.usages.of(place.access);
        let is_last = Sheet::bit(
            self,
            |pieces| &pieces.sheet,
            |pieces| some(&mut pieces.sheet, db, entry, usage, place, SOME),
        );
        if is_last {
            self.sheet.end_part();
        }
        is_last
    }

    fn flush(&mut self) {
        self.sheet.hand_over_all();
    }
}

/// Writes the record of a key, with the comma and the end of its line. Records stand in any order
/// between the head and the end.
pub fn key(out: &mut impl Out, db: u32, entry: &Entry, usage: Option<Usage>) {
    some(out, db, entry, usage, &mut Place::of(entry), ALL);
}

/// Writes up to so many elements of a key's value from a place on, and what stands around them;
/// whether none is left.
fn some(
    out: &mut impl Out,
    db: u32,
    entry: &Entry,
    usage: Option<Usage>,
    place: &mut Place,
    count: usize,
) -> bool {
    let value = entry.value();
    if !place.is_begun {
        head(out, (db, entry.key_bytes()), kind_of(&value), usage, place);
    }
    let is_last = values::write(out, &value, place, count);
    if is_last {
        out.put(b"},\n");
    }
    is_last
}

fn head(
    out: &mut impl Out,
    (db, key): (u32, &[u8]),
    kind: Kind,
    usage: Option<Usage>,
    place: &Place,
) {
    let name = TYPES.iter().find(|(_, known)| *known == kind).map_or("", |(name, _)| *name);
    out.put(b"{\"db\":");
    text::integer(out, db);
    out.put(b",\"key\":");
    text::string(out, key);
    out.put(b",\"type\":\"");
    out.put(name.as_bytes());
    out.put(b"\"");
    if let Some(deadline_ms) = place.deadline_ms {
        out.put(b",\"expires_ms\":");
        text::integer(out, deadline_ms);
    }
    match usage {
        Some(Usage::Idle(seconds)) => {
            out.put(b",\"idle_s\":");
            text::integer(out, seconds);
        }
        Some(Usage::Frequency(counter)) => {
            out.put(b",\"frequency\":");
            text::integer(out, counter);
        }
        None => {}
    }
    out.put(b",\"value\":");
}

fn kind_of(value: &ValueRef<'_>) -> Kind {
    match value {
        ValueRef::Object(value) => value.kind(),
        _ => Kind::String,
    }
}
