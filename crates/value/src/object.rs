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

/// What looking for an element waits for, in this order: each step reads what the one before it
/// names.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Step {
    /// What stands behind the head.
    Content,
    /// In a large collection, the bucket of members with this hash.
    Bucket(u64),
    /// The member in it.
    Member(u64),
}

/// A collection: one word that an entry holds, with the elements apart, and which type it is.
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

/// A collection for looking at, wherever its word stands.
#[derive(Clone, Copy, Debug)]
pub enum ValueView<'a> {
    /// A list.
    List(&'a List),
    /// A set.
    Set(&'a Set),
    /// A sorted set.
    Zset(&'a Zset),
    /// A hash.
    Hash(&'a Hash),
    /// A stream.
    Stream(&'a Stream),
    /// An array.
    Array(&'a Array),
}

/// A collection for changing, wherever its word stands.
#[derive(Debug)]
pub enum ValueMut<'a> {
    /// A list.
    List(&'a mut List),
    /// A set.
    Set(&'a mut Set),
    /// A sorted set.
    Zset(&'a mut Zset),
    /// A hash.
    Hash(&'a mut Hash),
    /// A stream.
    Stream(&'a mut Box<Stream>),
    /// An array.
    Array(&'a mut Box<Array>),
}

/// Calls the same method of whichever type it is.
macro_rules! each {
    ($value:expr, $inner:ident => $call:expr) => {
        match $value {
            Self::List($inner) => $call,
            Self::Set($inner) => $call,
            Self::Zset($inner) => $call,
            Self::Hash($inner) => $call,
            Self::Stream($inner) => $call,
            Self::Array($inner) => $call,
        }
    };
}

/// Tells the type of whichever it is.
macro_rules! kind_of {
    ($value:expr) => {
        match $value {
            Self::List(_) => Kind::List,
            Self::Set(_) => Kind::Set,
            Self::Zset(_) => Kind::Zset,
            Self::Hash(_) => Kind::Hash,
            Self::Stream(_) => Kind::Stream,
            Self::Array(_) => Kind::Array,
        }
    };
}

impl Value {
    /// Its type.
    pub fn kind(&self) -> Kind {
        kind_of!(self)
    }

    /// For looking at.
    pub fn view(&self) -> ValueView<'_> {
        match self {
            Self::List(list) => ValueView::List(list),
            Self::Set(set) => ValueView::Set(set),
            Self::Zset(zset) => ValueView::Zset(zset),
            Self::Hash(hash) => ValueView::Hash(hash),
            Self::Stream(stream) => ValueView::Stream(stream),
            Self::Array(array) => ValueView::Array(array),
        }
    }

    /// For changing.
    pub fn view_mut(&mut self) -> ValueMut<'_> {
        match self {
            Self::List(list) => ValueMut::List(list),
            Self::Set(set) => ValueMut::Set(set),
            Self::Zset(zset) => ValueMut::Zset(zset),
            Self::Hash(hash) => ValueMut::Hash(hash),
            Self::Stream(stream) => ValueMut::Stream(stream),
            Self::Array(array) => ValueMut::Array(array),
        }
    }
}

impl ValueMut<'_> {
    /// Its type.
    pub fn kind(&self) -> Kind {
        kind_of!(self)
    }
}

impl ValueView<'_> {
    /// Its type.
    pub fn kind(self) -> Kind {
        kind_of!(self)
    }

    /// The line that a step reads first, and mostly the one behind it: to be prefetched, not read.
    /// `None` when the step reads nothing.
    #[inline]
    pub fn line(self, step: Step) -> Option<*const u8> {
        match self {
            Self::Hash(hash) => hash.line(step),
            Self::Set(set) => set.line(step),
            Self::Zset(zset) => zset.line(step),
            Self::List(list) => list.line(step),
            Self::Stream(stream) => first_line(stream, step),
            Self::Array(array) => first_line(array, step),
        }
    }

    /// Whether its members are found by their hash.
    #[inline]
    pub fn is_hashed(self) -> bool {
        match self {
            Self::Hash(hash) => hash.is_hashed(),
            Self::Set(set) => set.is_hashed(),
            Self::Zset(zset) => zset.is_hashed(),
            Self::List(_) | Self::Stream(_) | Self::Array(_) => false,
        }
    }

    /// What OBJECT ENCODING replies.
    pub fn encoding(self) -> &'static str {
        each!(self, inner => inner.encoding())
    }

    /// Whether a key that holds it ceases to exist: it is empty, and not a stream.
    pub fn is_vacant(self) -> bool {
        each!(self, inner => inner.is_vacant())
    }

    /// How many elements, members, fields or entries it has.
    pub fn elements(self) -> u64 {
        match self {
            Self::List(list) => list.len() as u64,
            Self::Set(set) => set.len() as u64,
            Self::Zset(zset) => zset.len() as u64,
            Self::Hash(hash) => hash.len() as u64,
            Self::Stream(stream) => stream.len(),
            Self::Array(array) => array.count(),
        }
    }

    /// Bytes asked of the allocator beside the word; for large ones an estimate from `samples`
    /// elements (0: all of them).
    pub fn memory(self, samples: usize) -> usize {
        each!(self, inner => inner.memory(samples))
    }

    /// How many allocations freeing it takes, roughly: what decides whether another thread does it.
    pub fn effort(self) -> usize {
        each!(self, inner => inner.effort())
    }

    /// A copy of it.
    pub fn to_value(self) -> Value {
        match self {
            Self::List(list) => Value::List(list.clone()),
            Self::Set(set) => Value::Set(set.clone()),
            Self::Zset(zset) => Value::Zset(zset.clone()),
            Self::Hash(hash) => Value::Hash(hash.clone()),
            Self::Stream(stream) => Value::Stream(Box::new(stream.clone())),
            Self::Array(array) => Value::Array(Box::new(array.clone())),
        }
    }
}

/// The line of what is reached by one pointer and has no members to be looked for.
#[inline]
pub(crate) fn first_line<T>(content: &T, step: Step) -> Option<*const u8> {
    (step == Step::Content).then(|| std::ptr::from_ref(content).cast())
}

/// The line of a step towards a member of a table, which lies within `content`.
#[inline]
pub(crate) fn table_line<T, M: table::Item>(
    content: &T,
    table: &table::Table<M, crate::KeyHash>,
    step: Step,
) -> Option<*const u8> {
    match step {
        Step::Content => Some(std::ptr::from_ref(content).cast()),
        Step::Bucket(hash) => Some(table.bucket_line(hash)),
        Step::Member(hash) => table.item_line(hash),
    }
}

#[cfg(test)]
mod tests;
