//! The forms that the file of a data set may have, behind one face.
//!
//! Which one it is depends on the name alone: what ends in `.json` is JSON, everything else RDB.

use std::fmt;
use std::io::{self, Read};
use std::path::Path;

use keyspace::Entry;

use crate::disk::Input;
use crate::rdb::{Item, Out, Piece, Rules, Settings, Style, Usage, Usages};
use crate::snapshot::{Sheet, Spell};
use crate::{json, rdb};

/// A form.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// Redis's own.
    Rdb,
    /// See [`json`].
    Json,
}

impl Form {
    /// The form of a file with that name.
    pub fn of(place: &Path) -> Self {
        let is_json = place.extension().is_some_and(|end| end.eq_ignore_ascii_case("json"));
        if is_json { Self::Json } else { Self::Rdb }
    }

    /// What spells keys in pieces for a [`Writer`] made with the same arguments.
    pub fn pieces(
        self,
        style: Style,
        has_timed_fields: bool,
        usages: Usages,
        sheet: Sheet,
    ) -> Box<dyn Spell> {
        match self {
            Self::Rdb => Box::new(rdb::Pieces::new(style, has_timed_fields, usages, sheet)),
            Self::Json => Box::new(json::Pieces::new(usages, sheet)),
        }
    }

    /// What the log calls it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rdb => "RDB",
            Self::Json => "JSON",
        }
    }
}

/// Writes a file of either form. What goes wrong is known to the [`Out`] alone.
pub enum Writer<O> {
    /// RDB.
    Rdb(rdb::Writer<O>),
    /// JSON, and the database whose keys are written.
    Json(json::Writer<O>, u32),
}

impl<O: Out> Writer<O> {
    /// Writes the head. The last three concern RDB: how values are written, whether there is a
    /// checksum, and whether some hash has fields that expire.
    pub fn new(form: Form, out: O, style: Style, checksum: bool, has_timed_fields: bool) -> Self {
        match form {
            Form::Rdb => Self::Rdb(rdb::Writer::new(out, style, checksum, has_timed_fields)),
            Form::Json => Self::Json(json::Writer::new(out), 0),
        }
    }

    /// A note.
    pub fn aux(&mut self, name: &[u8], value: &[u8]) {
        match self {
            Self::Rdb(writer) => writer.aux(name, value),
            Self::Json(writer, _) => writer.aux(name, value),
        }
    }

    /// A library of functions.
    pub fn function(&mut self, library: &[u8]) {
        match self {
            Self::Rdb(writer) => writer.function(library),
            Self::Json(writer, _) => writer.function(library),
        }
    }

    /// Says that the keys of a database follow, how many there are and how many of them expire.
    pub fn database(&mut self, number: u32, keys: u64, expires: u64) {
        match self {
            Self::Rdb(writer) => writer.database(number, keys, expires),
            Self::Json(_, db) => *db = number,
        }
    }

    /// Says that the keys of a database follow.
    pub fn select(&mut self, number: u32) {
        match self {
            Self::Rdb(writer) => writer.select(number),
            Self::Json(_, db) => *db = number,
        }
    }

    /// A key with its value. Its frequency or idle time is noted when one is given.
    pub fn key(&mut self, entry: &Entry, usage: Option<Usage>) {
        match self {
            Self::Rdb(writer) => writer.key(entry, usage),
            Self::Json(writer, db) => writer.key(*db, entry, usage),
        }
    }

    /// Notes how many keys will come in pieces.
    pub fn expect_keys(&mut self, keys: u64) {
        match self {
            Self::Rdb(_) => {}
            Self::Json(writer, _) => writer.pieces(&[], keys),
        }
    }

    /// A piece that [`Form::pieces`] has made.
    pub fn piece(&mut self, bytes: &[u8]) {
        match self {
            Self::Rdb(writer) => writer.piece(bytes),
            Self::Json(writer, _) => writer.pieces(bytes, 0),
        }
    }

    /// The end; gives the output back.
    pub fn finish(self) -> O {
        match self {
            Self::Rdb(writer) => writer.finish(),
            Self::Json(writer, _) => writer.finish(),
        }
    }

    /// The output, for asking how it fares.
    pub fn out(&self) -> &O {
        match self {
            Self::Rdb(writer) => writer.out(),
            Self::Json(writer, _) => writer.out(),
        }
    }

    /// The output, for telling it to go on.
    pub fn out_mut(&mut self) -> &mut O {
        match self {
            Self::Rdb(writer) => writer.out_mut(),
            Self::Json(writer, _) => writer.out_mut(),
        }
    }
}

/// Reads a file of either form.
pub enum Reader<'r> {
    /// RDB.
    Rdb(Box<rdb::Reader<'r, Input>>),
    /// JSON.
    Json(Box<json::Reader<'r, Box<dyn Read + Send>>>),
}

impl<'r> Reader<'r> {
    /// Looks at the head of a file. `settings` concern RDB.
    pub fn new(
        form: Form,
        input: Input,
        settings: Settings,
        rules: Rules<'r>,
    ) -> Result<Self, Error> {
        Ok(match form {
            Form::Rdb => Self::Rdb(Box::new(rdb::Reader::new(input, settings, rules)?)),
            Form::Json => {
                let bytes: Box<dyn Read + Send> = Box::new(input.into_bytes());
                Self::Json(Box::new(json::Reader::new(bytes, rules)?))
            }
        })
    }

    /// What the notes on the use of keys are told by: the clock of accesses in seconds, or whether
    /// accesses are counted.
    #[must_use]
    pub fn with_access(self, now_s: u32, is_lfu: bool) -> Self {
        match self {
            Self::Rdb(reader) => Self::Rdb(Box::new(reader.with_access(now_s, is_lfu))),
            Self::Json(reader) => Self::Json(Box::new(reader.with_access(now_s, is_lfu))),
        }
    }

    /// What the file says of how the last key was used.
    pub fn usage(&self) -> Option<Usage> {
        match self {
            Self::Rdb(reader) => reader.usage(),
            Self::Json(reader) => reader.usage(),
        }
    }

    /// How far it is read, in bytes.
    pub fn position(&self) -> u64 {
        match self {
            Self::Rdb(reader) => reader.position(),
            Self::Json(reader) => reader.position(),
        }
    }

    /// Where RDB comes from, which may go on behind the end of the data set.
    pub fn into_source(self) -> Option<Input> {
        match self {
            Self::Rdb(reader) => Some(reader.into_source()),
            Self::Json(_) => None,
        }
    }

    /// The next item; none at the end, when all was in order.
    pub fn next_item(&mut self) -> Result<Option<Item>, Error> {
        Ok(match self {
            Self::Rdb(reader) => reader.next_item()?,
            Self::Json(reader) => reader.next_item()?,
        })
    }

    /// The next piece; none at the end, when all was in order but what stands in runs of keys,
    /// which only RDB has.
    pub fn next_piece(&mut self) -> Result<Option<Piece>, Error> {
        Ok(match self {
            Self::Rdb(reader) => reader.next_piece()?,
            Self::Json(reader) => reader.next_item()?.map(Piece::Item),
        })
    }
}

/// Why a file was refused.
#[derive(Debug)]
pub enum Error {
    /// It was to be RDB.
    Rdb(rdb::Error),
    /// It was to be JSON.
    Json(json::Error),
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Rdb(error) => error.fmt(out),
            Self::Json(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for Error {}

impl From<rdb::Error> for Error {
    fn from(error: rdb::Error) -> Self {
        Self::Rdb(error)
    }
}

impl From<json::Error> for Error {
    fn from(error: json::Error) -> Self {
        Self::Json(error)
    }
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Rdb(rdb::Error::Io(error))
    }
}
