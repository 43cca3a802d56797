//! How much goes into a listpack of a list, by `list-max-listpack-size`.

use super::node::Node;
use crate::Limits;

/// Bytes of a node for -1 to -5.
const SIZES: [usize; 5] = [4096, 8192, 16384, 32768, 65536];
/// The most bytes of a node whose elements are counted.
const COUNTED_SIZE_MAX: usize = 8192;
/// More than an element takes beside its bytes in a listpack, for all but the longest.
const OVERHEAD: usize = 8;
/// Bytes that a listpack has without any element.
const FRAME: usize = 7;

/// The bounds of one node.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Fill {
    bound: Bound,
    /// From so many bytes on an element gets a node for itself; 0 leaves that to the bound.
    huge: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Bound {
    /// At most so many elements, and 8 KiB.
    Count(usize),
    /// At most so many bytes.
    Size(usize),
}

impl Fill {
    /// From the directive: a count when it is not negative (0 means 1), -1 to -5 for 4 to 64 KiB.
    pub(super) fn new(limits: &Limits) -> Self {
        let bound = match usize::try_from(limits.list_size) {
            Ok(count) => Bound::Count(count.max(1)),
            Err(_) => {
                let level = limits.list_size.unsigned_abs() as usize - 1;
                Bound::Size(SIZES[level.min(SIZES.len() - 1)])
            }
        };
        Self { bound, huge: limits.list_packed }
    }

    /// With so many elements at most, if they are counted.
    pub(super) fn at_most(mut self, elements: usize) -> Self {
        if let Bound::Count(count) = &mut self.bound {
            *count = elements.min(*count);
        }
        self
    }

    /// Whether a listpack of so many bytes and elements is too large.
    #[inline]
    pub(super) fn is_exceeded(self, size: usize, count: usize) -> bool {
        match self.bound {
            Bound::Size(size_max) => size > size_max,
            Bound::Count(count_max) => size > COUNTED_SIZE_MAX || count > count_max,
        }
    }

    /// Whether a listpack is so far below the bounds that a large list may become a small one.
    pub(super) fn is_half_empty(self, size: usize, count: usize) -> bool {
        match self.bound {
            Bound::Size(size_max) => size <= size_max / 2,
            Bound::Count(count_max) => count <= count_max / 2,
        }
    }

    /// Whether an element of so many bytes gets a node for itself.
    #[inline]
    pub(super) fn is_huge(self, len: usize) -> bool {
        match self.bound {
            _ if self.huge > 0 => len >= self.huge,
            Bound::Size(size_max) => len > size_max,
            Bound::Count(_) => len > COUNTED_SIZE_MAX,
        }
    }

    /// Whether an element of so many bytes may join a node.
    #[inline]
    pub(super) fn allows(self, node: &Node, len: usize) -> bool {
        !node.is_plain()
            && !self.is_huge(len)
            && !self.is_exceeded(node.size() + len + OVERHEAD, node.count() + 1)
    }

    /// Whether two neighbours may become one node.
    pub(super) fn allows_merge(self, a: &Node, b: &Node) -> bool {
        !a.is_plain()
            && !b.is_plain()
            && !self.is_exceeded(a.size() + b.size() - FRAME, a.count() + b.count())
    }
}
