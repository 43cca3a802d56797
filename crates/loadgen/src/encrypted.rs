//! Encrypted connections: how they are made, one that waits, and one that a poller watches.
//! Without the feature `tls` there can be none.

#[cfg(not(feature = "tls"))]
mod absent;
#[cfg(feature = "tls")]
mod present;

#[cfg(not(feature = "tls"))]
pub use absent::{Encryption, Polled, Waiting};
#[cfg(feature = "tls")]
pub use present::{Encryption, Polled, Waiting};
