//! What commands, configuration and errors are called and look like: data alone.
//!
//! The crate knows no connection, no key and no reply; it holds no logic beyond constant
//! accessors. Whether something works is decided by the crates that read it.

#![forbid(unsafe_code)]

pub mod acl;
pub mod command;
pub mod config;
pub mod error;
