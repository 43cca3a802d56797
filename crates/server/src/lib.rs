//! The server: workers and their connections, sessions, dispatch, the duties after a write, and the
//! commands that look at any of these. It draws every other crate together.
//!
//! A request's way: `worker` (poll) -> `conn` (bytes in) -> `dispatch` (row, shards, handler) ->
//! `commit` (after a write) -> `conn` (bytes out). What is rare is in `refuse`.
#![deny(unsafe_code)]

mod admin;
mod allocator;
mod aof;
mod background;
mod blocked;
mod call;
mod cgroup;
mod clock;
mod commandlog;
mod commit;
mod config;
mod conn;
mod crash;
mod cron;
mod defrag;
mod dispatch;
mod errors;
mod events;
mod evict;
mod felt;
mod footprint;
mod histogram;
mod hotkeys;
mod keys;
mod knobs;
mod latency;
mod listen;
mod local;
mod log;
mod mailbox;
mod migrate;
mod monitor;
mod multi;
mod output;
mod persistence;
mod prefetch;
mod process;
mod pubsub;
mod rates;
mod refuse;
mod registry;
mod rows;
mod scripting;
mod secrets;
mod server;
mod session;
mod shutdown;
mod snapshot;
mod standby;
mod start;
mod stats;
mod sys;
mod tracking;
mod tunables;
mod version;
mod worker;

pub use rows::implemented_commands;
pub use start::main;
