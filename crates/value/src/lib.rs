//! What a key can hold beyond a string.
//!
//! Knows no key, no expiry of keys, no reply and no command. [`compact`] holds the encodings of
//! small collections, which are the bytes that Redis and Valkey keep and save; `unsafe` stands
//! in one file of it, [`compact::bytes`], and nowhere else.

#![deny(unsafe_code)]

pub mod compact;
pub mod number;
