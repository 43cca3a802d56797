//! What tests need around a server: start it, talk to it, and run files of cases against it.
//!
//! - [`server`] starts the built binary and stops it again, [`client`] speaks to it, [`cases`]
//!   reads and runs the files that say `command -> reply`;
//! - [`folder`] is a place for files that outlive a server;
//! - `terminator`, with the feature `tls`, lets clients come to a server encrypted;
//! - [`linear`] asks whether what concurrent clients saw is what one after another could see.
//!
//! A development crate: it knows the wire protocol and nothing of the server's inside, so that
//! the same tests could be pointed at any server that speaks the protocol. Failures panic with
//! what was expected and what came, since its only callers are tests.

#![forbid(unsafe_code)]

pub mod cases;
pub mod client;
pub mod folder;
pub mod linear;
pub mod server;
pub mod soak;
#[cfg(feature = "tls")]
pub mod terminator;

pub use client::Client;
pub use folder::Folder;
pub use resp::value::Value;
pub use server::Server;
#[cfg(feature = "tls")]
pub use terminator::Terminator;
