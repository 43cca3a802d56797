//! Lua for scripts and functions.
//!
//! An [`Interp`] compiles and runs code in the sandbox that Redis gives its scripts; what a script
//! asks of the server goes through one trait, [`Host`]. This crate must not know commands, keys or
//! sessions.
//!
//! The interpreter is Lua 5.1 as the crate `lua-src` brings it, with tables that can be made
//! read-only and a bound on how deep a pattern nests (`build.rs`). What is known to be dangerous in
//! it is not reachable: compiled code is not loaded, `unpack` and the loading functions are ours,
//! and there is nothing that opens files, starts processes or loads other code.
#![deny(unsafe_code)]

use std::ffi::c_int;

use resp::{Proto, Writer};

mod api;
mod base;
mod bits;
mod debug;
mod format;
mod function;
mod interp;
mod json;
mod msgpack;
mod packed;
mod random;
mod reply;
mod sandbox;
mod stack;
mod state;
#[cfg(test)]
mod tests;

pub use api::digest;
pub use function::{Flags, Registered};
pub use interp::{Failure, Interp};

/// What an interpreter is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Role {
    /// EVAL: keys and arguments are globals.
    Scripts,
    /// FUNCTION and FCALL: libraries register functions that get keys and arguments.
    Functions,
}

/// What scripts are told about the server.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct About {
    /// `SERVER_NAME`.
    pub server: &'static str,
    /// `REDIS_VERSION`, three numbers.
    pub redis: String,
    /// `VALKEY_VERSION`, three numbers.
    pub valkey: &'static str,
    /// Whether they have `getfenv`, `setfenv` and `newproxy`, which let them change what is locked.
    pub insecure: bool,
}

/// A level of `redis.log`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Level {
    /// `redis.LOG_DEBUG`
    Debug,
    /// `redis.LOG_VERBOSE`
    Verbose,
    /// `redis.LOG_NOTICE`
    Notice,
    /// `redis.LOG_WARNING`
    Warning,
}

/// Where a script's writes go, by `redis.set_repl`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Propagation(pub u8);

impl Propagation {
    /// To the log.
    pub const AOF: Self = Self(1);
    /// To the replicas.
    pub const REPLICAS: Self = Self(2);
    /// To both.
    pub const ALL: Self = Self(3);
}

/// What whoever debugs a script says next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Next {
    /// A command of the debugger and its arguments.
    Command(Vec<Vec<u8>>),
    /// Nothing any more: the script runs to its end.
    Gone,
    /// What cannot be understood; the script fails with this error.
    Refused(&'static str),
    /// The script must end, for this reason.
    Stop(&'static str),
}

/// What a running script may ask of the server.
pub trait Host {
    /// Runs a command for the script. Its reply, an error too, is written to `reply`, which is of
    /// the protocol that the script chose.
    fn call(&mut self, args: &[&[u8]], reply: &mut Writer);

    /// Whether the user may run a command; `None` when it is no command.
    fn may_run(&mut self, args: &[&[u8]]) -> Option<bool>;

    /// Writes to the server's log.
    fn log(&mut self, level: Level, text: &[u8]);

    /// Says where what follows is propagated.
    fn set_propagation(&mut self, to: Propagation);

    /// Called every 100 000 instructions: why the script must end, if it must.
    fn interrupt(&mut self) -> Option<&'static str>;

    /// Shows lines to whoever debugs the script, and waits for what that one says.
    fn debug(&mut self, lines: &[Vec<u8>]) -> Next {
        let _ = lines;
        Next::Gone
    }
}

/// A script that was compiled; the interpreter that did it runs and forgets it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Script(c_int);

/// The protocol that every script begins with.
const FIRST_PROTO: Proto = Proto::Resp2;

/// Instructions between two looks at whether the script must end.
const INSTRUCTIONS_A_LOOK: c_int = 100_000;
