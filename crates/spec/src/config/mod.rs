//! The configuration directives: one row each, pure data.
//!
//! A row says how a directive is spelled, which values it takes, what it starts with, who may
//! change it, which server family knows it and what it does here. Parsing, formatting, loading
//! and rewriting belong to `server::config`; nothing here decides anything.
//!
//! Invariant: `DIRECTIVES[id as usize].id == id`, and the rows are sorted by name.

mod choices;
mod rows;

pub use choices::{
    EVENT_BY_FIELD, EVENT_BY_KEY, EVENT_BY_NAME, EVENT_CLASSES, EVENT_FIELDS, EVENT_FIELDS_BY_BOTH,
    EVENT_FIELDS_BY_KEY, EVENT_FIELDS_BY_NAME, EVENTS_ALL, EVENTS_NAME,
};
pub use rows::{DIRECTIVES, Id};

/// A directive's row.
#[derive(Debug)]
pub struct Directive {
    pub id: Id,
    /// The name that CONFIG REWRITE writes: one that both server families read, if there is one.
    pub name: &'static str,
    /// Other names for the same value; CONFIG GET lists each of them.
    pub aliases: &'static [&'static str],
    pub kind: Kind,
    pub flags: Flags,
    pub dialect: Dialect,
    pub effect: Effect,
}

/// What values a directive takes, with its range and its default.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// `yes` or `no`.
    Bool { default: bool },
    /// A decimal integer; the bounds belong to the range.
    Int { min: i64, max: i64, default: i64 },
    /// Bytes, with a unit if wanted (`k`, `kb`, `m`, `mb`, `g`, `gb`).
    Memory { min: u64, max: u64, default: u64 },
    /// Bytes, or a percentage of `maxmemory` up to 100; the default is 0 bytes.
    MemoryOrPercent,
    /// Bytes, or a negative number with a meaning of its own.
    SignedMemory { min: i64, default: i64 },
    /// An octal number from 0, a file mode.
    Octal { max: i64, default: i64 },
    /// One of several words; words with the same number mean the same.
    Choice { choices: Choices, default: &'static str },
    /// Several words at once; each number is a bit, 0 stands alone.
    Flags { choices: Choices, default: &'static str },
    /// Any bytes. `None` is "not set", and then the empty text also means "not set".
    Text { default: Option<&'static str>, check: Check },
    /// An existing directory, kept as an absolute path; the default is the working directory.
    Dir,
    /// Pairs of seconds and changes.
    Save,
    /// Class, hard limit, soft limit and seconds, for the classes normal, replica and pubsub.
    BufferLimits,
    /// Three numbers from -2000 to 2000: primary, replica, background child.
    OomScores,
    /// Letters of `EVENT_CLASSES`.
    Events,
    /// Up to sixteen addresses; a leading `-` marks one that may be missing.
    Addresses { default: &'static [&'static str] },
    /// Host and port of the primary, or `no one`.
    ReplicaOf,
    /// Numbers from 0 to 100.
    Percentiles,
    /// Understood in configuration files only, where it may stand many times; has no value.
    Line,
    /// An obsolete name that takes one value and forgets it; has no value.
    Ignored,
}

/// The words of an enumeration with their numbers, in the order in which errors list them.
pub type Choices = &'static [(&'static str, u32)];

/// What a text must satisfy beyond being a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Check {
    Any,
    /// Not empty and without a path separator.
    FileName,
    /// As `FileName`, said of a directory.
    DirName,
    NotEmpty,
    /// A process title template with known variables that does not come out empty.
    Title,
    AnnouncedIp,
    NodeName,
    HostName,
    Ipv4,
    Ipv6,
    /// At most 256 bytes.
    HashSeed,
    /// Three numbers with dots between.
    Version,
}

bitflags::bitflags! {
    /// Who may set a directive, and how it is shown and kept.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct Flags: u16 {
        /// Chosen at start; CONFIG SET refuses it.
        const IMMUTABLE = 1 << 0;
        /// Chosen at start; CONFIG SET accepts only the value it already has.
        const FIXED = 1 << 1;
        /// The value is a secret: keep it out of logs.
        const SENSITIVE = 1 << 2;
        /// CONFIG GET shows it only when asked for by its exact name.
        const HIDDEN = 1 << 3;
        /// Takes several arguments.
        const MULTI_ARG = 1 << 4;
        /// CONFIG SET needs `enable-protected-configs`.
        const PROTECTED = 1 << 5;
        /// CONFIG SET is refused while the data set is loading.
        const DENY_LOADING = 1 << 6;
        /// Names something outside (a file): setting the same value again applies it again.
        const VOLATILE = 1 << 7;
    }
}

/// Which server family knows the directive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Both,
    Redis,
    Valkey,
    /// Only this server.
    Reddle,
}

/// What setting the directive does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    Works,
    /// Accepted and shown, but nothing depends on it. The reason completes the sentence
    /// "'name' has no effect: ...".
    NoEffect(&'static str),
    /// Accepted and shown; the named capability will use it.
    Planned(&'static str),
}

impl Directive {
    /// The row of `id`.
    pub fn of(id: Id) -> &'static Directive {
        &DIRECTIVES[id as usize]
    }
}

#[cfg(test)]
mod tests;
