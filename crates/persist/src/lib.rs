//! Data on disk: the files of Redis and Valkey, read and written.
//!
//! [`rdb`] turns values and whole data sets into bytes and back and does no input or output;
//! [`disk`] is the only door to the file system. It knows no command, session or reply.
#![forbid(unsafe_code)]

pub mod check;
pub mod disk;
pub mod json;
pub mod rdb;

#[cfg(test)]
mod samples;
