//! The row of a command: its type, its group and its dialect.
//!
//! Invariant: a subcommand has no subcommands of its own.

use super::{Arg, DocFlags, Flags, KeySpec};
use crate::acl::Acl;

/// All there is to know about a command before it runs.
#[derive(Clone, Copy, Debug)]
pub struct Command {
    /// Lower case; of a subcommand only its own word (`kill`, not `client kill`).
    pub name: &'static str,
    /// The container's name, of a subcommand.
    pub parent: Option<&'static str>,
    /// One imperative phrase without a full stop.
    pub summary: &'static str,
    /// Release that brought the command, in the numbering of its dialect.
    pub since: &'static str,
    /// The family whose file holds the row.
    pub group: Group,
    /// Cost in big-O notation; empty where no formula says anything.
    pub complexity: &'static str,
    /// Number of arguments, the command's own words included; `-n` means `n` or more.
    pub arity: i16,
    /// What dispatch must know.
    pub flags: Flags,
    /// The ACL categories, implied ones included.
    pub acl: Acl,
    /// Where the keys are; empty when the command has none.
    pub keys: &'static [KeySpec],
    /// Hints for clients and proxies, as COMMAND prints them.
    pub tips: &'static [&'static str],
    /// Release and change, oldest first.
    pub history: &'static [(&'static str, &'static str)],
    /// The arguments behind the command's name.
    pub args: &'static [Arg],
    /// Release since which something else should be used.
    pub deprecated_since: Option<&'static str>,
    /// What should be used instead.
    pub replaced_by: Option<&'static str>,
    /// Marks of COMMAND DOCS.
    pub doc_flags: DocFlags,
    /// The rows of a container's subcommands.
    pub subcommands: &'static [Command],
    /// True when the command needs the whole keyspace or the whole process, and so runs under the
    /// write side of the gate.
    pub exclusive: bool,
    /// Which servers have the command.
    pub dialect: Dialect,
    /// Server and release, of commands that are not in `data/upstream-commands.tsv` because they
    /// are newer than it or exist in one server only.
    pub newer: Option<&'static str>,
}

impl Command {
    /// What a row says when it says nothing.
    pub(super) const BLANK: Command = Command {
        name: "",
        parent: None,
        summary: "",
        since: "",
        group: Group::Generic,
        complexity: "",
        arity: 0,
        flags: Flags::empty(),
        acl: Acl::empty(),
        keys: &[],
        tips: &[],
        history: &[],
        args: &[],
        deprecated_since: None,
        replaced_by: None,
        doc_flags: DocFlags::empty(),
        subcommands: &[],
        exclusive: false,
        dialect: Dialect::Both,
        newer: None,
    };
}

/// The family of a command; one file of rows each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[allow(missing_docs)]
pub enum Group {
    String,
    Generic,
    List,
    Set,
    SortedSet,
    Hash,
    Stream,
    Bitmap,
    HyperLogLog,
    Geo,
    Array,
    PubSub,
    Transactions,
    Scripting,
    Connection,
    Server,
    Cluster,
    Sentinel,
}

impl Group {
    /// The name that COMMAND DOCS prints.
    pub const fn name(self) -> &'static str {
        match self {
            Group::String => "string",
            Group::Generic => "generic",
            Group::List => "list",
            Group::Set => "set",
            Group::SortedSet => "sorted-set",
            Group::Hash => "hash",
            Group::Stream => "stream",
            Group::Bitmap => "bitmap",
            Group::HyperLogLog => "hyperloglog",
            Group::Geo => "geo",
            Group::Array => "array",
            Group::PubSub => "pubsub",
            Group::Transactions => "transactions",
            Group::Scripting => "scripting",
            Group::Connection => "connection",
            Group::Server => "server",
            Group::Cluster => "cluster",
            Group::Sentinel => "sentinel",
        }
    }
}

/// The servers in which a command exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// Redis and Valkey.
    Both,
    /// Redis alone.
    Redis,
    /// Valkey alone.
    Valkey,
    /// Reddle alone.
    Reddle,
}
