//! Where the keys of a command are among its arguments, and what happens to them.
//!
//! Positions count from the command's name, which is 0, also for subcommands (whose container's
//! name is then 0 and whose own name is 1).

use bitflags::bitflags;

/// One rule that finds some of a command's keys.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeySpec {
    /// Why the rule is as it is, where that needs saying; otherwise empty.
    pub notes: &'static str,
    /// What happens to the keys.
    pub flags: KeyFlags,
    /// Where the search starts.
    pub begin: Begin,
    /// How the keys lie behind the start.
    pub find: Find,
}

impl KeySpec {
    /// The same rule with a remark.
    pub(super) const fn noting(mut self, notes: &'static str) -> KeySpec {
        self.notes = notes;
        self
    }
}

/// Where the search for keys starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begin {
    /// At a fixed position.
    Index(u8),
    /// Behind a word, in any case of letters.
    Keyword {
        /// The word, in upper case.
        word: &'static str,
        /// Where the search for the word begins; negative counts from the end and searches
        /// backwards.
        from: i16,
    },
    /// Only the command's own parser can tell.
    Unknown,
}

/// How the keys lie behind the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Find {
    /// From the start on.
    Range {
        /// The last key, relative to the first; negative counts from the last argument, -1.
        last: i16,
        /// Distance from one key to the next.
        step: u8,
        /// With `last` -1: which part of the remaining arguments is looked at, 2 for the first
        /// half, 3 for a third; 0 and 1 for all.
        limit: u8,
    },
    /// As many as an argument says.
    KeyNum {
        /// Position of that argument, relative to the start.
        idx: u8,
        /// Position of the first key, relative to the start.
        first: u8,
        /// Distance from one key to the next.
        step: u8,
    },
    /// Only the command's own parser can tell.
    Unknown,
}

bitflags! {
    /// What a command does with the keys of one rule.
    ///
    /// One of the first four speaks of the key as a whole, the next four of the data in it.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
    pub struct KeyFlags: u16 {
        /// Reads the value, changes nothing.
        const RO = 1 << 0;
        /// Changes the value or what belongs to it.
        const RW = 1 << 1;
        /// Replaces the value without looking at it.
        const OW = 1 << 2;
        /// Removes the key.
        const RM = 1 << 3;
        /// Returns, copies or uses the user's data.
        const ACCESS = 1 << 4;
        /// May change data that is there.
        const UPDATE = 1 << 5;
        /// Adds data and changes none that is there.
        const INSERT = 1 << 6;
        /// Removes data from the value.
        const DELETE = 1 << 7;
        /// No key, but routed as one.
        const NOT_KEY = 1 << 8;
        /// The rule may miss keys.
        const INCOMPLETE = 1 << 9;
        /// The marks depend on other arguments.
        const VARIABLE_FLAGS = 1 << 10;
    }
}

impl KeyFlags {
    /// The names that COMMAND prints, in its order.
    pub const PRINTED: &'static [(KeyFlags, &'static str)] = &[
        (KeyFlags::RO, "RO"),
        (KeyFlags::RW, "RW"),
        (KeyFlags::OW, "OW"),
        (KeyFlags::RM, "RM"),
        (KeyFlags::ACCESS, "access"),
        (KeyFlags::UPDATE, "update"),
        (KeyFlags::INSERT, "insert"),
        (KeyFlags::DELETE, "delete"),
        (KeyFlags::NOT_KEY, "not_key"),
        (KeyFlags::INCOMPLETE, "incomplete"),
        (KeyFlags::VARIABLE_FLAGS, "variable_flags"),
    ];
}

/// One key at a position.
pub(super) const fn key_at(index: u8, flags: KeyFlags) -> KeySpec {
    keys_from(index, 0, 1, flags)
}

/// Keys from a position on, up to `last`, every `step` arguments.
pub(super) const fn keys_from(index: u8, last: i16, step: u8, flags: KeyFlags) -> KeySpec {
    let find = Find::Range { last, step, limit: 0 };
    KeySpec { notes: "", flags, begin: Begin::Index(index), find }
}

/// The number of keys at a position, the keys directly behind it.
pub(super) const fn counted_keys(index: u8, flags: KeyFlags) -> KeySpec {
    let find = Find::KeyNum { idx: 0, first: 1, step: 1 };
    KeySpec { notes: "", flags, begin: Begin::Index(index), find }
}

/// One key behind a word that is looked for from a position on.
pub(super) const fn key_after(word: &'static str, from: i16, flags: KeyFlags) -> KeySpec {
    let find = Find::Range { last: 0, step: 1, limit: 0 };
    KeySpec { notes: "", flags, begin: Begin::Keyword { word, from }, find }
}

/// The union of key flags, as a constant.
macro_rules! access {
    ($($name:ident),* $(,)?) => {
        $crate::command::KeyFlags::empty()$(.union($crate::command::KeyFlags::$name))*
    };
}

pub(super) use access;
