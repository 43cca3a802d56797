//! Data on disk: the files of Redis and Valkey, read and written.
//!
//! [`rdb`] turns values and whole data sets into bytes and back and does no input or output;
//! [`aof`] reads logs of commands; [`disk`] is the only door to the file system. It knows no
//! command, session or reply.
#![forbid(unsafe_code)]

pub mod aof;
pub mod check;
pub mod disk;
pub mod rdb;
