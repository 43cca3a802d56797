//! Why a file was refused, and where.

use std::{fmt, io};

/// A place in a file. Both numbers begin at 1; the column counts bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Place {
    /// The line.
    pub line: u64,
    /// The byte within the line.
    pub column: u64,
}

impl fmt::Display for Place {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}, column {}", self.line, self.column)
    }
}

/// Why a file was refused.
#[derive(Debug)]
pub enum Error {
    /// Reading failed.
    Io(io::Error),
    /// Something else stands where something had to.
    Unexpected {
        /// Where.
        at: Place,
        /// What had to stand there.
        expected: &'static str,
        /// The byte that stands there; none at the end of the file.
        found: Option<u8>,
    },
    /// What stands there is JSON, but makes no sense.
    Refused {
        /// Where it begins.
        at: Place,
        /// What is wrong.
        what: &'static str,
    },
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(out, "reading failed: {error}"),
            Self::Unexpected { at, expected, found: None } => {
                write!(out, "{at}: expected {expected}, found the end of the file")
            }
            Self::Unexpected { at, expected, found: Some(found) } => {
                let shown: &dyn fmt::Display = match found {
                    b' '..=b'~' => &char::from(*found),
                    _ => &found.escape_ascii(),
                };
                write!(out, "{at}: expected {expected}, found '{shown}'")
            }
            Self::Refused { at, what } => write!(out, "{at}: {what}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}
