//! Data on disk: the files of Redis and Valkey, read and written.
//!
//! [`rdb`] and [`json`] turn values and whole data sets into bytes and back and do no input or
//! output, [`form`] picks one of them; [`aof`] reads logs of commands; [`disk`] is the only door to
//! the file system. It knows no command, session or reply.
#![forbid(unsafe_code)]

pub mod aof;
pub mod check;
pub mod convert;
pub mod disk;
pub mod form;
pub mod json;
pub mod rdb;
pub mod snapshot;

#[cfg(test)]
mod samples;
