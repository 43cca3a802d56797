//! What can go wrong, and what is known then about the command.

use std::fmt;
use std::io;

use resp::DecodeError;

use crate::address::AddressError;

/// The result of everything that talks to a server.
pub type Result<T> = std::result::Result<T, Error>;

/// What became of a command that has no answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It certainly did not run: it never left this process whole, or the server refused it.
    DidNotRun,
    /// It left, and nobody knows: it may have run, be running, or never run.
    MayHaveRun,
    /// It ran, and its answer is not what was asked for.
    Ran,
}

/// Why there is no result.
#[derive(Debug)]
pub enum Error {
    /// The server's error reply.
    Server(ServerError),
    /// No connection could be made in time.
    Connect(io::Error),
    /// The connection was lost before the answer came.
    Lost {
        /// Whether the command may have run.
        fate: Fate,
        /// What happened to the connection.
        reason: String,
    },
    /// No answer came in time.
    Timeout {
        /// Whether the command may have run.
        fate: Fate,
    },
    /// The server sent bytes that are no reply.
    Protocol(DecodeError),
    /// The reply is of another type than the one asked for.
    Type {
        /// What was asked for.
        expected: &'static str,
        /// What came, shortened.
        got: String,
    },
    /// The address is none.
    Address(AddressError),
    /// What was asked needs a feature that is not built in, or a protocol that the server has not.
    Unsupported(&'static str),
}

impl Error {
    /// What is known about the command: the question to ask before doing a write again.
    #[must_use]
    pub fn fate(&self) -> Fate {
        match self {
            Error::Lost { fate, .. } | Error::Timeout { fate } => *fate,
            Error::Server(error) => error.fate(),
            Error::Type { .. } => Fate::Ran,
            Error::Protocol(_) => Fate::MayHaveRun,
            Error::Connect(_) | Error::Address(_) | Error::Unsupported(_) => Fate::DidNotRun,
        }
    }

    /// The server's error reply, if that is what it is.
    #[must_use]
    pub fn server(&self) -> Option<&ServerError> {
        match self {
            Error::Server(error) => Some(error),
            _ => None,
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let told = |fate: &Fate| match fate {
            Fate::DidNotRun => "the command did not run",
            Fate::MayHaveRun => "the command may have run",
            Fate::Ran => "the command ran",
        };
        match self {
            Error::Server(error) => write!(f, "{error}"),
            Error::Connect(error) => write!(f, "could not connect: {error}"),
            Error::Lost { fate, reason } => {
                write!(f, "the connection was lost ({reason}); {}", told(fate))
            }
            Error::Timeout { fate } => write!(f, "no answer in time; {}", told(fate)),
            Error::Protocol(error) => write!(f, "the server does not speak the protocol: {error}"),
            Error::Type { expected, got } => write!(f, "expected {expected}, the reply is {got}"),
            Error::Address(error) => write!(f, "{error}"),
            Error::Unsupported(what) => f.write_str(what),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Error::Connect(error) => Some(error),
            Error::Protocol(error) => Some(error),
            Error::Address(error) => Some(error),
            _ => None,
        }
    }
}

impl From<AddressError> for Error {
    fn from(error: AddressError) -> Error {
        Error::Address(error)
    }
}

/// An error reply: `CODE rest of the message`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ServerError {
    message: String,
}

/// Where a cluster says that a command belongs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Redirect {
    /// For this command alone (`ASK`), or from now on (`MOVED`).
    pub ask: bool,
    /// The slot.
    pub slot: u16,
    /// The host; the one that answered if it is empty.
    pub host: String,
    /// The port.
    pub port: u16,
}

impl ServerError {
    /// From the bytes of an error reply, without its leading minus.
    #[must_use]
    pub fn new(bytes: &[u8]) -> ServerError {
        ServerError { message: String::from_utf8_lossy(bytes).into_owned() }
    }

    /// The first word: `ERR`, `WRONGTYPE`, `NOAUTH`, `MOVED` and so on.
    #[must_use]
    pub fn code(&self) -> &str {
        self.message.split(' ').next().unwrap_or("")
    }

    /// All of it.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Where to go instead, if the error is a redirection.
    #[must_use]
    pub fn redirect(&self) -> Option<Redirect> {
        let mut words = self.message.split(' ');
        let ask = match words.next()? {
            "ASK" => true,
            "MOVED" => false,
            _ => return None,
        };
        let slot = words.next()?.parse().ok()?;
        let (host, port) = words.next()?.rsplit_once(':')?;
        Some(Redirect { ask, slot, host: host.to_owned(), port: port.parse().ok()? })
    }

    /// Some refusals come before a command runs; a script may fail in the middle.
    fn fate(&self) -> Fate {
        match self.code() {
            "NOAUTH" | "NOPERM" | "WRONGPASS" | "MOVED" | "ASK" | "CLUSTERDOWN" | "LOADING"
            | "BUSY" | "MASTERDOWN" | "READONLY" | "NOSCRIPT" | "EXECABORT" | "OOM"
            | "NOREPLICAS" | "TRYAGAIN" => Fate::DidNotRun,
            _ => Fate::Ran,
        }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ServerError {}
