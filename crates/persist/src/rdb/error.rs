//! Why bytes were refused.

use std::{fmt, io};

/// Positions are in bytes from the start of the file or payload.
#[derive(Debug)]
pub enum Error {
    /// Reading failed.
    Io(io::Error),
    /// The bytes end too early.
    Short {
        /// Where more was needed.
        at: u64,
    },
    /// The bytes make no sense.
    Corrupt {
        /// Just behind what makes no sense.
        at: u64,
        /// The compact form that it belongs to, or nothing.
        of: &'static str,
        /// What is wrong.
        what: &'static str,
    },
    /// The file does not begin as it must; with what it begins with.
    Magic(String),
    /// A version that is not known.
    Version(u32),
    /// A type of value, or a mark, that is not known.
    Unknown {
        /// Just behind it.
        at: u64,
        /// Its number.
        code: u8,
    },
    /// A value of a module, which only that module could read.
    Module {
        /// The module's type.
        name: String,
    },
    /// What a module says of a key, and only that module could read.
    Metadata {
        /// The class of it.
        name: String,
    },
    /// A database that there is not.
    Database(u64),
    /// The checksum at the end does not fit.
    Checksum {
        /// What it says.
        said: u64,
        /// What the bytes give.
        found: u64,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(out, "reading failed: {error}"),
            Self::Short { at } => write!(out, "unexpected end at byte {at}"),
            Self::Corrupt { at, of: "", what } => write!(out, "{what}, before byte {at}"),
            Self::Corrupt { at, of, what } => {
                write!(out, "{of} integrity check failed: {what}, before byte {at}")
            }
            Self::Magic(found) => {
                write!(out, "Wrong signature trying to load DB from file: {found}")
            }
            Self::Version(version) => write!(out, "Can't handle RDB format version {version}"),
            Self::Unknown { at, code } => write!(out, "unknown type {code}, before byte {at}"),
            Self::Module { name } => write!(out, "a value of the module type '{name}'"),
            Self::Metadata { name } => {
                write!(out, "what a module says of a key, of the class '{name}'")
            }
            Self::Database(number) => write!(out, "database {number} does not exist"),
            Self::Checksum { said, found } => {
                write!(out, "RDB CRC error: {said:016x} is written, {found:016x} is right")
            }
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
