//! A client of Redis-compatible servers: blocking, and asynchronous with the feature `tokio`.
//!
//! ```no_run
//! use client::{Client, cmd};
//!
//! # fn main() -> client::Result<()> {
//! let mut client = Client::open("redis://127.0.0.1:6379/0")?;
//! client.run(cmd::set("greeting", "hello"))?;
//! let greeting: Option<String> = client.run(cmd::get("greeting").reading())?;
//! let (visits, left) = client.run((cmd::incr("visits"), cmd::ttl("visits")));
//! # let _ = (greeting, visits?, left?);
//! # Ok(())
//! # }
//! ```
//!
//! - [`cmd`] has typed commands, [`Command`] any other; tuples and `Vec`s of them are pipelines,
//!   [`Transaction`] runs them between `MULTI` and `EXEC`, [`Script`] by digest.
//! - [`Client`] is the blocking client, `AsyncClient` the one on tokio. Both stand on [`Session`],
//!   which speaks the protocol and does no I/O.
//! - A connection that breaks is made anew, with its authentication, database, name, subscriptions
//!   and tracking. A command that was on its way then is not repeated unless it only reads or
//!   [`Command::may_repeat`] allows it: it fails, and [`Error::fate`] says whether it may have run.
//!
//! `examples/` has a tour of each client.
//!
//! This crate must not know what a server stores, and nothing of Reddle but the protocol.

#![forbid(unsafe_code)]

mod address;
#[cfg(feature = "tokio")]
mod asynchronous;
mod backoff;
mod blocking;
mod cache;
pub mod cmd;
mod command;
mod config;
mod error;
mod push;
mod reply;
mod request;
mod session;
mod setup;
mod stream;
#[cfg(feature = "tls")]
mod tls;

pub use address::{Address, AddressError, Endpoint};
#[cfg(feature = "tokio")]
pub use asynchronous::{AsyncClient, Messages};
pub use blocking::{Client, Link};
pub use command::{Argument, Command, Unit};
pub use config::{Config, Tls};
pub use error::{Error, Fate, Redirect, Result, ServerError};
pub use push::{Message, Push};
pub use reply::FromReply;
pub use request::{Request, Script, Transaction, Typed};
pub use resp::{DecodeError, Decoder, Proto, Value, inline};
pub use session::{Event, Session, Ticket};
pub use setup::{Setup, Tracking};
