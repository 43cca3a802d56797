//! What a key can hold, of whatever type.

use crate::{Array, Hash, List, Set, Stream, Zset};

/// The type of a value, as TYPE names it. The numbers stay in memory only.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Kind {
    /// A string.
    String = 0,
    /// A list.
    List = 1,
    /// A set.
    Set = 2,
    /// A sorted set.
    Zset = 3,
    /// A hash.
    Hash = 4,
    /// A stream.
    Stream = 5,
    /// An array.
    Array = 6,
}

impl Kind {
    /// What TYPE replies.
    pub const fn name(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::List => "list",
            Self::Set => "set",
            Self::Zset => "zset",
            Self::Hash => "hash",
            Self::Stream => "stream",
            Self::Array => "array",
        }
    }
}

/// A collection: a few words that an entry holds, with the elements apart.
#[derive(Clone, Debug)]
pub enum Value {
    /// A list.
    List(List),
    /// A set.
    Set(Set),
    /// A sorted set.
    Zset(Zset),
    /// A hash.
    Hash(Hash),
    /// A stream.
    Stream(Box<Stream>),
    /// An array.
    Array(Box<Array>),
}

const _: () = assert!(size_of::<Value>() <= 24, "a value's head must stay small");

/// Calls the same method of whichever type it is.
macro_rules! each {
    ($value:expr, $inner:ident => $call:expr) => {
        match $value {
            Value::List($inner) => $call,
            Value::Set($inner) => $call,
            Value::Zset($inner) => $call,
            Value::Hash($inner) => $call,
            Value::Stream($inner) => $call,
            Value::Array($inner) => $call,
        }
    };
}

impl Value {
    /// Its type.
    pub fn kind(&self) -> Kind {
        match self {
            Self::List(_) => Kind::List,
            Self::Set(_) => Kind::Set,
            Self::Zset(_) => Kind::Zset,
            Self::Hash(_) => Kind::Hash,
            Self::Stream(_) => Kind::Stream,
            Self::Array(_) => Kind::Array,
        }
    }

    /// What OBJECT ENCODING replies.
    pub fn encoding(&self) -> &'static str {
        each!(self, inner => inner.encoding())
    }

    /// Whether a key that holds it ceases to exist: it is empty, and not a stream.
    pub fn is_vacant(&self) -> bool {
        each!(self, inner => inner.is_vacant())
    }

    /// Bytes asked of the allocator beside the head; for large ones an estimate from `samples`
    /// elements (0: all of them).
    pub fn memory(&self, samples: usize) -> usize {
        each!(self, inner => inner.memory(samples))
    }

    /// How many allocations freeing it takes, roughly: what decides whether another thread does it.
    pub fn effort(&self) -> usize {
        each!(self, inner => inner.effort())
    }
}
