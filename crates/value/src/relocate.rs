//! Moving what collections have allocated, without changing what is in them.
//!
//! An allocator cannot move what it has given; who holds it can, by asking for as much again. Where
//! that pays is for the caller to say: it knows addresses, and this knows which address is whose.
//! Collections with many allocations are walked over in bits, from a cursor on.

use crate::ValueMut;

/// Whether it pays to move the allocation at an address.
pub type Pays<'a> = &'a mut dyn FnMut(*const u8) -> bool;

/// Items of a table that are looked at together.
pub(crate) const TOGETHER: usize = 32;

impl ValueMut<'_> {
    /// Moves the allocations for which that pays, from a cursor on: 0 starts, and 0 is returned at
    /// the end. About `count` of them are looked at, or all of a small collection. What it leaves
    /// where it is: tables, nodes above leaves, and what a stream knows of its groups.
    pub fn relocate(self, cursor: u64, count: usize, pays: Pays<'_>) -> u64 {
        match self {
            Self::List(list) => list.relocate(cursor, count, pays),
            Self::Set(set) => set.relocate(cursor, count, pays),
            Self::Zset(zset) => zset.relocate(cursor, count, pays),
            Self::Hash(hash) => hash.relocate(cursor, count, pays),
            Self::Stream(stream) => stream.relocate(cursor, count, pays),
            Self::Array(array) => array.relocate(cursor, count, pays),
        }
    }
}

#[cfg(test)]
mod tests;
