//! The encodings of small collections, byte for byte as Redis and Valkey keep and save them.
//!
//! A blob from outside enters through a `from_bytes`, which looks at every byte and answers
//! [`Corrupt`] or a structure that can be used without further checks. A change of a structure
//! makes every position in it stale; using a stale one gives nonsense or a panic, never more.
//! `docs/design/encodings.md` has the layouts.

pub mod bytes;
mod distinct;
pub mod intset;
pub mod listpack;
pub mod lzf;
pub mod word;

pub(crate) use distinct::are_distinct;
pub use intset::Intset;
pub use listpack::{Element, Listpack, Position};

use std::fmt;

/// Why a blob was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Corrupt {
    /// Where, in bytes from the start of the blob.
    pub offset: usize,
    /// What is wrong there.
    pub what: &'static str,
}

impl fmt::Display for Corrupt {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} at byte {}", self.what, self.offset)
    }
}

impl std::error::Error for Corrupt {}
