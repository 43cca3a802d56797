//! How much goes into a listpack of a list, by `list-max-listpack-size`.

use super::node::Node;

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
pub(super) enum Fill {
    /// At most so many elements, and 8 KiB.
    Count(usize),
    /// At most so many bytes.
    Size(usize),
}

impl Fill {
    /// From the directive: a count when it is not negative (0 means 1), -1 to -5 for 4 to 64 KiB.
    pub(super) fn new(list_size: i32) -> Self {
        match usize::try_from(list_size) {
            Ok(count) => Self::Count(count.max(1)),
            Err(_) => {
                let level = list_size.unsigned_abs() as usize - 1;
                Self::Size(SIZES[level.min(SIZES.len() - 1)])
            }
        }
    }

    /// Whether a listpack of so many bytes and elements is too large.
    #[inline]
    pub(super) fn is_exceeded(self, size: usize, count: usize) -> bool {
        match self {
            Self::Size(size_max) => size > size_max,
            Self::Count(count_max) => size > COUNTED_SIZE_MAX || count > count_max,
        }
    }

    /// Whether a listpack is so far below the bounds that a large list may become a small one.
    pub(super) fn is_half_empty(self, size: usize, count: usize) -> bool {
        match self {
            Self::Size(size_max) => size <= size_max / 2,
            Self::Count(count_max) => count <= count_max / 2,
        }
    }

    /// Whether an element of so many bytes gets a node for itself.
    #[inline]
    pub(super) fn is_huge(self, len: usize) -> bool {
        match self {
            Self::Size(size_max) => len > size_max,
            Self::Count(_) => len > COUNTED_SIZE_MAX,
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
