//! A whole file, as it is written: the head, keys by database, the end. Keys may also be written in
//! pieces, by several threads, which the file then takes one after another.

use keyspace::Entry;

use super::code::{self, opcode};
use super::crc64::Crc64;
use super::encode::{Encoder, Out, Style};
use crate::snapshot::portion::{ALL, Place, SOME};
use crate::snapshot::{Sheet, Spell};

/// Writes a file. What goes wrong is known to the [`Out`] alone.
pub struct Writer<O> {
    encoder: Encoder<Summed<O>>,
}

/// An `Out` with the checksum of what went through.
struct Summed<O> {
    out: O,
    sum: Option<Crc64>,
}

impl<O: Out> Out for Summed<O> {
    fn put(&mut self, bytes: &[u8]) {
        if let Some(sum) = &mut self.sum {
            sum.add(bytes);
        }
        self.out.put(bytes);
    }
}

impl<O: Out> Writer<O> {
    /// Writes the head. `has_timed_fields` says whether some hash has fields that expire.
    pub fn new(out: O, style: Style, checksum: bool, has_timed_fields: bool) -> Self {
        let version = style.version_for(has_timed_fields);
        let sum = checksum.then(Crc64::default);
        let mut encoder = Encoder::new(Summed { out, sum }, version, style.compress);
        let magic = match version {
            code::VALKEY.. => format!("VALKEY{version:03}"),
            _ => format!("REDIS{version:04}"),
        };
        encoder.out.put(magic.as_bytes());
        Self { encoder }
    }

    /// A note.
    pub fn aux(&mut self, name: &[u8], value: &[u8]) {
        self.encoder.byte(opcode::AUX);
        self.encoder.string(name);
        self.encoder.string(value);
    }

    /// A library of functions.
    pub fn function(&mut self, library: &[u8]) {
        self.encoder.byte(opcode::FUNCTION);
        self.encoder.string(library);
    }

    /// Says that the keys of a database follow, how many there are and how many of them expire.
    pub fn database(&mut self, number: u32, keys: u64, expires: u64) {
        self.select(number);
        self.encoder.byte(opcode::RESIZE);
        self.encoder.length(keys);
        self.encoder.length(expires);
    }

    /// Says that the keys of a database follow.
    pub fn select(&mut self, number: u32) {
        self.encoder.byte(opcode::SELECT);
        self.encoder.length(number.into());
    }

    /// A key with its value. Its frequency or idle time is noted when one is given.
    pub fn key(&mut self, entry: &Entry, usage: Option<Usage>) {
        write_some(&mut self.encoder, entry, usage, &mut Place::of(entry), ALL);
    }

    /// Bytes that [`Pieces`] has made.
    pub fn piece(&mut self, bytes: &[u8]) {
        self.encoder.out.put(bytes);
    }

    /// The end; gives the output back.
    pub fn finish(mut self) -> O {
        self.encoder.byte(opcode::END);
        let sum = self.encoder.out.sum.take().map_or(0, Crc64::get);
        self.encoder.out.out.put(&sum.to_le_bytes());
        self.encoder.out.out
    }

    /// The output, for asking how it fares.
    pub fn out(&self) -> &O {
        &self.encoder.out.out
    }

    /// The output, for telling it to go on.
    pub fn out_mut(&mut self) -> &mut O {
        &mut self.encoder.out.out
    }
}

/// How much a key is used, as eviction sees it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Usage {
    /// Seconds since the last access.
    Idle(u32),
    /// The counter of accesses.
    Frequency(u8),
}

/// Writes up to so many elements of a key's value from a place on, and at the first of them what
/// stands before; whether none is left.
fn write_some<O: Out>(
    encoder: &mut Encoder<O>,
    entry: &Entry,
    usage: Option<Usage>,
    place: &mut Place,
    count: usize,
) -> bool {
    let value = entry.value();
    if !place.is_begun {
        place.kind = encoder.kind_of(&value, place);
        write_head(encoder, entry.key_bytes(), usage, place);
    }
    encoder.some(&value, place, count)
}

fn write_head<O: Out>(encoder: &mut Encoder<O>, key: &[u8], usage: Option<Usage>, place: &Place) {
    if let Some(deadline_ms) = place.deadline_ms {
        encoder.byte(opcode::EXPIRE_MS);
        encoder.time_ms(deadline_ms);
    }
    match usage {
        Some(Usage::Idle(seconds)) => {
            encoder.byte(opcode::IDLE);
            encoder.length(seconds.into());
        }
        Some(Usage::Frequency(counter)) => encoder.out.put(&[opcode::FREQ, counter]),
        None => {}
    }
    encoder.byte(place.kind);
    encoder.string(key);
}

/// What a file says of how keys are used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Usages {
    /// Nothing.
    None,
    /// Seconds since the last access; the present time as an access word has it.
    Idle(u32),
    /// The counter of accesses.
    Frequency,
}

impl Usages {
    /// What it says of a key with this access word.
    pub fn of(self, access: u32) -> Option<Usage> {
        match self {
            Self::None => None,
            Self::Idle(now_s) => Some(Usage::Idle(now_s.wrapping_sub(access) & 0x00ff_ffff)),
            Self::Frequency => Some(Usage::Frequency(access as u8)),
        }
    }
}

/// Writes keys in pieces (see [`Spell`]). Each piece says itself which database its keys are of,
/// so pieces of several threads may follow each other in any order.
pub struct Pieces {
    encoder: Encoder<Sheet>,
    usages: Usages,
    db: Option<u32>,
}

impl Pieces {
    /// Keys for a file whose [`Writer`] has the same `style` and `has_timed_fields`.
    pub fn new(style: Style, has_timed_fields: bool, usages: Usages, sheet: Sheet) -> Self {
        let version = style.version_for(has_timed_fields);
        let encoder = Encoder::new(sheet, version, style.compress);
        Self { encoder, usages, db: None }
    }

    fn select(&mut self, db: u32) {
        if self.db != Some(db) {
            self.encoder.byte(opcode::SELECT);
            self.encoder.length(db.into());
            self.db = Some(db);
        }
    }

    fn end_part(&mut self) {
        if self.encoder.out.end_part() {
            self.db = None;
        }
    }
}

impl Spell for Pieces {
    fn rest(&mut self, db: u32, entry: &Entry, place: &mut Place) {
        self.select(db);
        let usage = self.usages.of(place.access);
        write_some(&mut self.encoder, entry, usage, place, ALL);
        self.end_part();
    }

    fn bit(&mut self, db: u32, entry: &Entry, place: &mut Place) -> bool {
        if !place.is_begun {
            self.select(db);
        }
        let usage = self.usages.of(place.access);
        let is_last = Sheet::bit(
            self,
            |pieces| &pieces.encoder.out,
            |pieces| write_some(&mut pieces.encoder, entry, usage, place, SOME),
        );
        if is_last {
            self.end_part();
        }
        is_last
    }

    fn hurry(&mut self, in_haste: bool) {
        self.encoder.in_haste = in_haste;
    }

    fn flush(&mut self) {
        self.encoder.out.hand_over_all();
        self.db = None;
    }
}

/// Bits of the clock of accesses.
const ACCESS_MASK: u32 = 0x00ff_ffff;
/// What counters of accesses begin with.
const COUNTER_FIRST: u32 = 5;

impl Usage {
    /// The word of an entry that stands for it (see [`Entry::access`]) on a clock in seconds, when
    /// accesses are counted or not. What is not known counts as used now.
    pub fn access(usage: Option<Self>, now_s: u32, is_lfu: bool) -> u32 {
        let access = match usage {
            Some(Self::Frequency(counter)) if is_lfu => (now_s / 60) << 8 | u32::from(counter),
            Some(Self::Idle(seconds)) if !is_lfu => now_s.saturating_sub(seconds),
            _ if is_lfu => (now_s / 60) << 8 | COUNTER_FIRST,
            _ => now_s,
        };
        access & ACCESS_MASK
    }
}
