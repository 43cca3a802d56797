//! The command table: one row a command, a file a group, and the types of a row.
//!
//! Everything that dispatch, COMMAND, ACL and the documentation say about a command is read from
//! its row. The rows know nothing of handlers, and no row decides whether its command works: the
//! server shows the rows for which it has a handler.
//!
//! Invariants, checked by the tests: names are lower case and sorted within a group, subcommands
//! within their container; summaries are unique; every key argument points to a key spec.

mod arg;
mod array;
mod bitmap;
mod cluster;
mod connection;
mod flags;
mod generic;
mod geo;
mod hash;
mod hyperloglog;
mod key;
mod list;
mod pubsub;
mod row;
mod scripting;
mod sentinel;
mod server;
mod set;
mod sorted_set;
mod stream;
mod string;
#[cfg(test)]
mod tests;
mod transactions;

pub use arg::{Arg, ArgKind};
pub use flags::{DocFlags, Flags};
pub use key::{Begin, Find, KeyFlags, KeySpec};
pub use row::{Command, Dialect, Group};

/// What a file of rows needs in scope.
mod rows {
    pub(super) use super::arg::{
        block, double, integer, key, one_of, pattern, string, token, unix_time,
    };
    pub(super) use super::flags::{acl, flags};
    pub(super) use super::key::{access, counted_keys, key_after, key_at, keys_from};
    pub(super) use super::{Arg, Begin, Command, Dialect, DocFlags, Find, Group, KeySpec};
}

/// Every command, one slice a group.
pub static COMMANDS: &[&[Command]] = &[
    string::ROWS,
    generic::ROWS,
    list::ROWS,
    set::ROWS,
    sorted_set::ROWS,
    hash::ROWS,
    stream::ROWS,
    bitmap::ROWS,
    hyperloglog::ROWS,
    geo::ROWS,
    array::ROWS,
    pubsub::ROWS,
    transactions::ROWS,
    scripting::ROWS,
    connection::ROWS,
    server::ROWS,
    cluster::ROWS,
    sentinel::ROWS,
];

/// Position of a command or subcommand in the flat order: group by group, a container directly
/// before its subcommands, so that the subcommand at index `i` has the container's id + 1 + `i`.
///
/// An id lives as long as the process; it never reaches disk or a peer.
pub type Id = u16;

/// How many commands and subcommands there are; every id is below it.
pub const COUNT: usize = count();

static FLAT: [&Command; COUNT] = flatten();

/// The row of an id, or nothing when there is no such id.
pub fn by_id(id: Id) -> Option<&'static Command> {
    FLAT.get(usize::from(id)).copied()
}

/// Every command and subcommand with its id, in the order of the ids.
pub fn iter() -> impl ExactSizeIterator<Item = (Id, &'static Command)> {
    FLAT.iter().enumerate().map(|(at, row)| (at as Id, *row))
}

const fn count() -> usize {
    let mut total = 0;
    let mut group = 0;
    while group < COMMANDS.len() {
        let rows = COMMANDS[group];
        let mut at = 0;
        while at < rows.len() {
            total += 1 + rows[at].subcommands.len();
            at += 1;
        }
        group += 1;
    }
    assert!(total <= Id::MAX as usize);
    total
}

const fn flatten() -> [&'static Command; COUNT] {
    let mut flat = [&COMMANDS[0][0]; COUNT];
    let mut next = 0;
    let mut group = 0;
    while group < COMMANDS.len() {
        let rows = COMMANDS[group];
        let mut at = 0;
        while at < rows.len() {
            flat[next] = &rows[at];
            next += 1;
            let mut sub = 0;
            while sub < rows[at].subcommands.len() {
                flat[next] = &rows[at].subcommands[sub];
                next += 1;
                sub += 1;
            }
            at += 1;
        }
        group += 1;
    }
    flat
}
