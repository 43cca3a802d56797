//! The wire protocol: RESP2, RESP3 and inline commands, on both sides of a connection.
//!
//! - [`parse`] finds the arguments of requests in a query buffer, [`inline`] splits and quotes
//!   lines, [`writer`] builds replies, [`value`] is the client's side, [`number`] has the number
//!   formats that they share.
//!
//! This crate knows bytes and nothing else: no socket, no command, no key. The request parser
//! copies and allocates nothing; it only grows the span list that its caller lends.

#![forbid(unsafe_code)]

pub mod inline;
pub mod number;
pub mod parse;
pub mod value;
pub mod writer;

pub use parse::{Limits, Parser, ProtocolError, Span, Step, rebase};
pub use value::{DecodeError, Decoder, Value, decode, encode_command};
pub use writer::{Later, Mark, Writer};

/// The version of the protocol that a connection negotiated with HELLO.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Proto {
    /// What every connection starts with.
    Resp2,
    /// After `HELLO 3`.
    Resp3,
}
