//! An item that counts how many of it are alive, and hash functions from strong to useless.
//! The fuzz target uses this file too.

use std::cell::Cell;
use std::ptr::NonNull;

use crate::{Item, KeyHash};

thread_local! {
    static LIVE: Cell<usize> = const { Cell::new(0) };
}

/// How many nodes this thread has not freed.
pub(super) fn live() -> usize {
    LIVE.get()
}

struct Inner {
    key: [u8; 4],
    value: u32,
}

pub(super) struct Node(NonNull<Inner>);

impl Node {
    pub(super) fn new(number: u32, value: u32) -> Node {
        LIVE.set(LIVE.get() + 1);
        Node(NonNull::from(Box::leak(Box::new(Inner { key: key(number), value }))))
    }

    pub(super) fn number(&self) -> u32 {
        u32::from_be_bytes(self.inner().key)
    }

    pub(super) fn value(&self) -> u32 {
        self.inner().value
    }

    /// Changes the value by moving to another address, as an item that grows does.
    pub(super) fn set(&mut self, value: u32) {
        *self = Node::new(self.number(), value);
    }

    pub(super) fn raw(&self) -> NonNull<u8> {
        self.0.cast()
    }

    fn inner(&self) -> &Inner {
        // SAFETY: the box is alive until `drop`, and changed by nobody.
        unsafe { self.0.as_ref() }
    }
}

impl Drop for Node {
    fn drop(&mut self) {
        LIVE.set(LIVE.get() - 1);
        // SAFETY: the pointer came from a box in `new`, and this is its only owner.
        drop(unsafe { Box::from_raw(self.0.as_ptr()) });
    }
}

// SAFETY: the pointer is that of a box of its own, 4-aligned and in user space, and a second
// `Node` made of it reads through a `NonNull` only.
unsafe impl Item for Node {
    fn into_raw(self) -> NonNull<u8> {
        std::mem::ManuallyDrop::new(self).raw()
    }

    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        Node(raw.cast())
    }

    fn key(&self) -> &[u8] {
        &self.inner().key
    }
}

pub(super) fn key(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Hasher {
    Strong,
    /// The low bits are always the same.
    HighOnly,
    /// The high bits are always the same, so that the directory can part nothing.
    LowOnly,
    /// All keys share a prefix of 12 bits.
    Clustered,
    /// One bit in eight is set, so that splits are lopsided and ask for a deep directory.
    Skewed,
    /// Sixteen hashes for all keys.
    FewBits,
    Constant,
    /// Strong, but panics for one key in a hundred.
    Panicking(Option<u32>),
}

pub(super) const HASHERS: [Hasher; 7] = [
    Hasher::Strong,
    Hasher::HighOnly,
    Hasher::LowOnly,
    Hasher::Clustered,
    Hasher::Skewed,
    Hasher::FewBits,
    Hasher::Constant,
];

impl KeyHash for Hasher {
    fn hash(&self, key: &[u8]) -> u64 {
        let number = u32::from_be_bytes(key.try_into().expect("four bytes"));
        let strong = mix(u64::from(number) + 1);
        match self {
            Hasher::Strong | Hasher::Panicking(None) => strong,
            Hasher::HighOnly => strong << 40,
            Hasher::LowOnly => u64::from(number),
            Hasher::Clustered => strong >> 12 | 0xABC0_0000_0000_0000,
            Hasher::Skewed => strong & mix(!strong) & mix(strong + 1),
            Hasher::FewBits => (strong & 15) << 60 | 0x1234,
            Hasher::Constant => 0x5555_5555_5555_5555,
            Hasher::Panicking(Some(left)) => {
                assert!(number % 100 != *left, "a hash function that fails");
                strong
            }
        }
    }
}

pub(super) fn mix(x: u64) -> u64 {
    let x = (x ^ (x >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let x = (x ^ (x >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    x ^ (x >> 31)
}
