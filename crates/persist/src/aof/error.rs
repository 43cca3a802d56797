//! Why a log was refused.

use std::{fmt, io};

/// Reading a log ended early.
#[derive(Debug)]
pub enum Error {
    /// Reading failed.
    Io(io::Error),
    /// The bytes make no sense, and they are not just the end of what was being written.
    Damaged(Damage),
}

/// Where a log makes no sense. Positions are in bytes from the start of the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Damage {
    /// The byte that is wrong.
    pub at: u64,
    /// Where the line or the argument begins that it stands in.
    pub element: u64,
    /// Where the command begins that it stands in.
    pub command: u64,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a byte of a log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fault {
    /// Neither a command nor a note begins with this byte.
    Start(u8),
    /// An argument begins with this byte in place of `$`.
    Dollar(u8),
    /// This byte stands in a number.
    Digit(u8),
    /// These bytes stand in place of a line end; the second is 0 where the file ends.
    LineEnd([u8; 2]),
    /// A number is too large, or a command has no name.
    Range,
    /// The length of an argument reaches behind the end of the file, and with one digit changed it
    /// would fit what follows.
    Length(u64),
    /// A note without an end.
    Note,
    /// MULTI inside a transaction.
    Nested,
    /// EXEC outside of one.
    Stray,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(out, "reading failed: {error}"),
            Self::Damaged(damage) => damage.fmt(out),
        }
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { at, command, fault, .. } = self;
        write!(out, "{fault} at byte {at}, in the command at byte {command}")
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown = |byte: u8| byte.escape_ascii();
        match *self {
            Self::Start(byte) => write!(out, "'{}' where a command begins", shown(byte)),
            Self::Dollar(byte) => write!(out, "'{}' where an argument begins", shown(byte)),
            Self::Digit(byte) => write!(out, "'{}' in a number", shown(byte)),
            Self::LineEnd([one, two]) => {
                write!(out, "'{}{}' where a line ends", shown(one), shown(two))
            }
            Self::Range => out.write_str("a number that cannot be"),
            Self::Length(len) => write!(out, "the length {len} cannot be right"),
            Self::Note => out.write_str("a note without an end"),
            Self::Nested => out.write_str("MULTI inside a transaction"),
            Self::Stray => out.write_str("EXEC without MULTI"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
