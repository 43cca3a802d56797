//! One function a command, a file a group: what each data command means.
//!
//! A handler gets its context and its arguments, changes data through [`Ctx::db`] and writes its
//! reply to [`Ctx::out`], or returns an [`Error`], whose text dispatch writes. It knows no socket,
//! file, thread, clock or lock: the time is [`Ctx::now_ms`], and the shards of its keys were taken
//! before it runs. Arity was checked against the row in `spec`.
#![forbid(unsafe_code)]

mod args;
mod ctx;
mod error;

mod array;
mod bitmap;
mod bound;
mod database;
mod dump;
mod expire;
mod float80;
mod generic;
mod geo;
pub mod glob;
mod hash;
mod help;
mod hyperloglog;
mod list;
mod reply;
mod scan;
mod set;
mod sort;
mod stream;
mod string;
mod typed;
mod wait;
mod zset;

pub use args::{Args, Cursor};
pub use ctx::{Ctx, Settings};
pub use error::Error;
pub use generic::encoding_of;
pub use hash::import_hash;
pub use help::help;
pub use wait::Wait;

/// What a command's function looks like.
pub type Handler = fn(&mut Ctx<'_, '_>, &Args<'_>) -> Result<(), Error>;

/// Every handler by the name of its command's row (`parent|name` for a subcommand).
pub fn handlers() -> impl Iterator<Item = (&'static str, Handler)> {
    let groups = [
        array::HANDLERS,
        bitmap::HANDLERS,
        database::HANDLERS,
        dump::HANDLERS,
        expire::HANDLERS,
        generic::HANDLERS,
        geo::HANDLERS,
        hash::HANDLERS,
        hyperloglog::HANDLERS,
        list::HANDLERS,
        scan::HANDLERS,
        set::HANDLERS,
        sort::HANDLERS,
        stream::HANDLERS,
        string::HANDLERS,
        zset::HANDLERS,
    ];
    groups.into_iter().flatten().copied()
}

#[cfg(test)]
mod tests;
