//! Workers, connections, sessions, dispatch.

pub mod config;
