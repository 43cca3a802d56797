//! The notation of expected replies: reading it, and comparing it with what came.
//!
//! An expectation is written in the shapes of RESP3. In RESP2 the same reply has the shape that
//! the protocol's own downgrade gives it: a map is a flat array, a set an array, a double its
//! text, a truth value 1 or 0, a verbatim text a string.

mod compare;
mod read;

use std::ops::RangeInclusive;

use resp::Proto;
use resp::value::Value;

/// What a reply must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Expected {
    /// `*`: any one reply.
    Any,
    /// `OK`: a status.
    Status(Text),
    /// `(error) ERR text`.
    Error(Text),
    /// `"bytes"`: a string.
    Bulk(Text),
    /// `(integer) 1`, `(integer) 1..5`, `(integer) *`.
    Integer(RangeInclusive<i64>),
    /// `(double) 1.5`: in RESP2 the string must be this very text.
    Double(String),
    /// `(double) 1.4..1.6`.
    DoubleBetween(f64, f64),
    /// `(nil)`.
    Null,
    /// `(nil array)`: RESP3 has one null for both.
    NullArray,
    /// `(true)`, `(false)`.
    Bool(bool),
    /// `(big) 123`.
    BigNumber(String),
    /// `(txt) "text"`, `(mkd) "text"`.
    Verbatim([u8; 3], Text),
    /// `[a, b]`: in this order.
    Array(List),
    /// `(any order) [a, b]`.
    AnyOrder(List),
    /// `(set) [a, b]`: in any order.
    Set(List),
    /// `(push) [a, b]`.
    Push(List),
    /// `{key => value}`: in any order.
    Map(List),
    /// `(closed)`: the server closes the connection.
    Closed,
}

/// Bytes to compare with, or with `~` before them a pattern of `*` and `?`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Text {
    pub bytes: Vec<u8>,
    pub pattern: bool,
}

/// The elements of an aggregate; those of a map alternate between key and value.
#[derive(Clone, Debug, PartialEq)]
pub struct List {
    pub items: Vec<Expected>,
    /// `...` at the end: more may follow.
    pub open: bool,
}

/// An expectation together with the words of the file, for messages.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    pub expected: Expected,
    pub spelled: String,
}

impl Expected {
    /// Reads replies, one after the other; a reply ends with its line unless a bracket is open.
    ///
    /// # Errors
    /// What is wrong, and where: as `what: rest of the text`.
    pub fn read_all(text: &str) -> Result<Vec<Reply>, String> {
        read::read_all(text)
    }

    /// Whether a reply that came over a connection of this protocol is the expected one.
    #[must_use]
    pub fn matches(&self, value: &Value, proto: Proto) -> bool {
        compare::matches(self, value, proto)
    }
}
