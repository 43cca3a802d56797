//! The keyspace: databases split into shards, the entries in them, their expiry, the locks that
//! guard them, and the record of what a command changed.
//!
//! It formats no reply, opens no file, reads no clock. Everything a handler does to data goes
//! through [`Db`].
#![deny(unsafe_code)]

mod change;
mod db;
mod discarded;
mod door;
pub mod entry;
pub mod evict;
mod gate;
mod keyspace;
mod load;
mod lock;
mod relocate;
mod shard;
mod shards;
mod sync;
mod undo;
pub mod usage;
mod watch;
mod young;

pub use change::{Change, Changed, Class, Lazy, Note, Record, Wants};
pub use db::{Db, Entries, Hashed, KeyStats, Overdue, Parts, WrongKind};
pub use discarded::Discarded;
pub use door::{Origin, Recorder, Slot};
pub use entry::{Entry, INLINE_MAX, NewValue, ValueRef};
pub use gate::{Gate, ReadGuard, WriteGuard};
pub use keyspace::{Big, Keyspace, Layout, Overhead, Totals};
pub use load::Entered;
pub use lock::Lock;
pub use relocate::{Walk, Walked};
pub use shard::{Edit, Faded, Lookup, Shard, ShardDb, Ttl};
pub use shards::{Alone, Held, Shards};

pub use undo::Undo;
pub use usage::Stamp;
pub use value::{KeyHash, Kind, Limits, Step, Value, ValueMut, ValueView};
pub use watch::{Watcher, Watches};

#[cfg(test)]
mod tests;
