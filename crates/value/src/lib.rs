//! What a key can hold beyond a string.
//!
//! Knows no key, no expiry of keys, no reply and no command. [`compact`] holds the encodings of
//! small collections, which are the bytes that Redis and Valkey keep and save; `unsafe` stands
//! in [`compact::bytes`] and [`compact::word`] and in the members' own files.

#![deny(unsafe_code)]

pub mod compact;
pub mod number;

pub mod array;
pub mod bits;
pub mod hash;
pub mod hll;
pub mod list;
pub mod set;
pub mod stream;
pub mod zset;

mod key_hash;
mod limits;
mod object;
mod relocate;
mod rest;

pub use array::Array;
pub use hash::Hash;
pub use key_hash::KeyHash;
pub use limits::Limits;
pub use list::List;
pub use object::{Kind, Step, Value, ValueMut, ValueView};
pub use relocate::Pays;
pub use rest::Claim;
pub use set::Set;
pub use stream::Stream;
pub use zset::Zset;
