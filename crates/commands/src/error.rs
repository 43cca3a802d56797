//! Why a command was refused.

use resp::Writer;
use spec::error;

/// The reasons that many commands share, each with its text on the wire, and [`Error::Text`] for
/// the texts of one command alone.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// The key holds a value of another type.
    WrongType,
    /// The options make no sense.
    Syntax,
    /// Not a signed 64-bit integer.
    NotInteger,
    /// Not a finite floating-point number.
    NotFloat,
    /// The key that must exist does not.
    NoSuchKey,
    /// An index outside of what there is.
    OutOfRange,
    /// A string would grow beyond `proto-max-bulk-len`.
    TooLong,
    /// An expire time that is not positive or does not fit.
    InvalidExpire,
    /// An integer would leave the range of 64 bits.
    Overflow,
    /// The number of arguments does not fit, which only the handler can tell.
    Arity,
    /// A whole error line, code word included.
    Text(&'static str),
    /// The handler has written the error itself.
    Written,
}

impl Error {
    /// Writes the error; `command` is the full name of the command.
    pub fn write(self, command: &str, out: &mut Writer) {
        match self {
            Self::InvalidExpire => {
                out.error(&format!("ERR invalid expire time in '{command}' command"));
            }
            Self::Arity => {
                out.error(&format!("ERR wrong number of arguments for '{command}' command"));
            }
            Self::Written => {}
            other => out.error(other.text()),
        }
    }

    fn text(self) -> &'static str {
        match self {
            Self::WrongType => error::WRONG_TYPE,
            Self::Syntax => error::SYNTAX,
            Self::NotInteger => error::NOT_AN_INTEGER,
            Self::NotFloat => error::NOT_A_FLOAT,
            Self::NoSuchKey => error::NO_SUCH_KEY,
            Self::OutOfRange => error::INDEX_OUT_OF_RANGE,
            Self::TooLong => error::STRING_TOO_LONG,
            Self::Overflow => error::OVERFLOW,
            Self::Text(text) => text,
            Self::Arity | Self::InvalidExpire | Self::Written => "",
        }
    }
}

impl From<keyspace::WrongKind> for Error {
    fn from(_: keyspace::WrongKind) -> Self {
        Self::WrongType
    }
}
