//! Whether concurrent clients saw a server that does one thing after another.
//!
//! - [`check`] decides whether a history is linearizable, [`store`] says what the commands mean,
//!   and [`record`] makes histories with many connections to a server.
//!
//! Invariant: everything that one connection does is in its history in the order of its times.

pub mod check;
pub mod record;
pub mod store;

pub use check::{Operation, Refusal, check};
pub use record::{Options, Totals, run};

#[cfg(test)]
mod tests;
