//! Load for any Redis-compatible server, and what came of it.
//!
//! - [`request`] makes commands as bytes in which only digits and values change, [`draw`] says
//!   which numbers those are, [`sizes`] how long the values; [`replies`] counts what comes back.
//! - [`engine`] is one thread with many connections, in a closed loop or by a [`schedule`];
//!   [`fleet`] is several of them; [`address`] is what they connect to,
//!   [`encrypted`] how.
//! - [`program`] is `reddle bench`: options, the classic tests, reports.
//!
//! It must cost less than any server that it measures: replies are counted and not kept, the clock
//! is read once a batch, and nothing is allocated while load is made.

#![forbid(unsafe_code)]
#![cfg_attr(
    not(feature = "tls"),
    allow(unreachable_code, reason = "there is no value of an encrypted connection then")
)]

pub mod address;
pub mod affinity;
pub mod draw;
pub mod encrypted;
pub mod engine;
pub mod error;
pub mod fleet;
pub mod program;
pub mod replies;
pub mod request;
pub mod schedule;
pub mod sizes;
mod timer;
pub mod usage;
