//! The JSON form of a data set: one document, an array of records, one record a line.
//!
//! It is there for people who look at their data, change it by hand or move away; `docs/json.md`
//! has the schema. Both directions work piece by piece: a value of any size is written and read
//! without a second copy of it in memory. Nothing here opens a file.
//!
//! Invariant: what [`Writer`] writes is valid JSON, and [`Reader`] makes the same values of it.

mod error;
mod lex;
mod read;
mod stream;
mod text;
mod values;
mod write;

#[cfg(test)]
mod tests;

pub use error::{Error, Place};
pub use read::Reader;
pub use write::{Pieces, Writer, key};

/// What the first record says of the file.
const FORMAT: &str = "reddle";
/// The version of the schema.
const VERSION: u64 = 1;
/// Whole numbers beyond this one stand as strings: many readers of JSON keep numbers as doubles.
const INTEGER_MAX: u64 = (1 << 53) - 1;

/// The types of values by their names in a file.
const TYPES: &[(&str, value::Kind)] = &[
    ("string", value::Kind::String),
    ("list", value::Kind::List),
    ("set", value::Kind::Set),
    ("zset", value::Kind::Zset),
    ("hash", value::Kind::Hash),
    ("stream", value::Kind::Stream),
    ("array", value::Kind::Array),
];
