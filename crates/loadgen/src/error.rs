//! Why load could not be made. Each is told in one line.

use std::fmt;
use std::io;

/// What ended a run early.
#[derive(Debug)]
pub enum Error {
    /// Nothing could be connected to: the address, and why.
    Connect(String, io::Error),
    /// The server answered with an error: its text.
    Refused(String),
    /// The server closed the connection.
    Closed,
    /// Bytes that are no reply.
    Garbage(&'static str),
    /// The server did not answer for a long time.
    Silent,
    /// Sending, receiving or waiting failed.
    Io(&'static str, io::Error),
    /// Another thread of the same run has failed.
    Halted,
    /// `/proc` is not as expected.
    Usage(String),
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::Connect(address, error) => {
                write!(f, "Could not connect to server at {address}: {}", reason(error))
            }
            Error::Refused(text) => write!(f, "Error from server: {text}"),
            Error::Closed => f.write_str("Error: Server closed the connection"),
            Error::Garbage(what) => write!(f, "Error: Protocol error, {what}"),
            Error::Silent => f.write_str("Error: Server has stopped answering"),
            Error::Io(what, error) => write!(f, "Error: {what}: {}", reason(error)),
            Error::Halted => f.write_str("Error: another thread has failed"),
            Error::Usage(text) => write!(f, "Error: {text}"),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for String {
    fn from(error: Error) -> String {
        error.to_string()
    }
}

/// The words without the number behind them.
fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}
