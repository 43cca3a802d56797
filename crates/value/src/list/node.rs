//! A node of a large list: a listpack, one huge element, or either of them compressed.
//!
//! The count of elements stands in the node itself, so that looking for an index reads nothing
//! else. Invariant: a node of a list is never empty.

use std::borrow::Cow;
use std::cell::RefCell;

use super::{End, Part, equal_positions};
use crate::Pays;
use crate::compact::lzf::{Compressor, decompress};
use crate::compact::{Element, Listpack};

/// Less than this is not worth compressing.
const SIZE_MIN: usize = 48;
/// Compression has to save more than this.
const GAIN_MIN: usize = 8;

thread_local! {
    /// Room for compressing, which costs more to make than to use.
    static COMPRESSOR: RefCell<Compressor> = RefCell::new(Compressor::new());
}

/// See the module's text.
#[derive(Clone, Debug)]
pub(super) enum Node {
    /// A listpack.
    Packed {
        /// Compression was tried, to no avail.
        stubborn: bool,
        /// Elements.
        count: u32,
        /// The elements.
        pack: Listpack,
    },
    /// One element that is too long for a listpack.
    Plain {
        /// Compression was tried, to no avail.
        stubborn: bool,
        /// The element.
        element: Box<Box<[u8]>>,
    },
    /// A listpack, compressed.
    PackedLzf {
        /// Elements.
        count: u32,
        /// The stream.
        lzf: Box<Lzf>,
    },
    /// A huge element, compressed.
    PlainLzf(Box<Lzf>),
}

const _: () = assert!(size_of::<Node>() <= 16, "many nodes are looked through for an index");

/// Compressed bytes.
#[derive(Clone, Debug)]
pub(super) struct Lzf {
    /// Bytes that the stream stands for.
    len: usize,
    stream: Box<[u8]>,
}

impl Node {
    /// A node for one element.
    pub(super) fn of(element: &[u8], huge: bool) -> Self {
        if huge {
            return Self::Plain { stubborn: false, element: Box::new(element.into()) };
        }
        Self::packed(Listpack::of(&[Element::Str(element)]))
    }

    /// A node of a listpack.
    pub(super) fn packed(pack: Listpack) -> Self {
        Self::Packed { stubborn: false, count: count_of(&pack), pack }
    }

    /// The number of elements.
    #[inline]
    pub(super) fn count(&self) -> usize {
        match self {
            Self::Packed { count, .. } | Self::PackedLzf { count, .. } => *count as usize,
            Self::Plain { .. } | Self::PlainLzf(_) => 1,
        }
    }

    /// Bytes of the listpack or the element, when it is not compressed.
    #[inline]
    pub(super) fn size(&self) -> usize {
        match self {
            Self::Packed { pack, .. } => pack.bytes_len(),
            Self::Plain { element, .. } => element.len(),
            Self::PackedLzf { lzf, .. } | Self::PlainLzf(lzf) => lzf.len,
        }
    }

    /// Whether it is one huge element.
    #[inline]
    pub(super) fn is_plain(&self) -> bool {
        matches!(self, Self::Plain { .. } | Self::PlainLzf(_))
    }

    /// Whether it is compressed.
    pub(super) fn is_compressed(&self) -> bool {
        matches!(self, Self::PackedLzf { .. } | Self::PlainLzf(_))
    }

    /// Bytes asked of the allocator.
    pub(super) fn memory(&self) -> usize {
        match self {
            Self::Packed { pack, .. } => pack.allocated(),
            Self::Plain { element, .. } => size_of::<Box<[u8]>>() + element.len(),
            Self::PackedLzf { lzf, .. } | Self::PlainLzf(lzf) => {
                size_of::<Lzf>() + lzf.stream.len()
            }
        }
    }

    /// Moves the contents where that pays.
    pub(super) fn relocate(&mut self, pays: Pays<'_>) {
        match self {
            Self::Packed { pack, .. } => pack.relocate(pays),
            Self::Plain { element, .. } => {
                if pays(element.as_ptr()) {
                    **element = (**element).clone();
                }
            }
            Self::PackedLzf { lzf, .. } | Self::PlainLzf(lzf) => {
                if pays((&raw const **lzf).cast()) {
                    let nothing = Lzf { len: 0, stream: Box::default() };
                    let moved = Box::new(std::mem::replace(&mut **lzf, nothing));
                    *lzf = moved;
                }
                if pays(lzf.stream.as_ptr()) {
                    lzf.stream = lzf.stream.clone();
                }
            }
        }
    }

    /// The contents as they are saved.
    pub(super) fn part(&self) -> Part<'_> {
        match self {
            Self::Packed { pack, .. } => Part::Pack(pack.as_bytes()),
            Self::Plain { element, .. } => Part::Plain(element),
            Self::PackedLzf { lzf, .. } => Part::PackLzf(lzf.len, &lzf.stream),
            Self::PlainLzf(lzf) => Part::PlainLzf(lzf.len, &lzf.stream),
        }
    }

    /// Whether every server can read it (see [`Listpack::is_portable`]).
    pub(super) fn is_portable(&self) -> bool {
        match self.view() {
            View::Packed(pack) => pack.is_portable(),
            View::Plain(_) => true,
        }
    }

    /// The contents for reading, decompressed apart if need be.
    #[inline]
    pub(super) fn view(&self) -> View<'_> {
        match self {
            Self::Packed { pack, .. } => View::Packed(Cow::Borrowed(pack)),
            Self::Plain { element, .. } => View::Plain(Cow::Borrowed(element)),
            Self::PackedLzf { lzf, .. } => View::Packed(Cow::Owned(lzf.to_pack())),
            Self::PlainLzf(lzf) => View::Plain(Cow::Owned(lzf.to_bytes())),
        }
    }

    /// Changes the listpack; `None` for a huge element. What was compressed no longer is.
    #[inline]
    pub(super) fn change<R>(&mut self, work: impl FnOnce(&mut Listpack) -> R) -> Option<R> {
        self.decompress();
        let Self::Packed { stubborn, count, pack } = self else { return None };
        let result = work(pack);
        *stubborn = false;
        *count = count_of(pack);
        Some(result)
    }

    /// Removes the first `count` elements, seen from an end, that equal `element`; how many. The
    /// node may be empty then, which is the caller's to mend.
    pub(super) fn remove_equal(&mut self, from: End, element: &[u8], count: usize) -> usize {
        let found = match self.view() {
            View::Packed(pack) => equal_positions(&pack, from, element, count),
            View::Plain(plain) if *plain != *element => return 0,
            View::Plain(_) => Vec::new(),
        };
        if self.is_plain() {
            *self = Self::packed(Listpack::new());
            return 1;
        }
        if !found.is_empty() {
            self.change(|pack| pack.delete_all(&found));
        }
        found.len()
    }

    /// Makes it the opposite of compressed.
    #[inline]
    pub(super) fn decompress(&mut self) {
        match self {
            Self::PackedLzf { count, lzf } => {
                *self = Self::Packed { stubborn: false, count: *count, pack: lzf.to_pack() };
            }
            Self::PlainLzf(lzf) => {
                let element = Box::new(lzf.to_bytes().into_boxed_slice());
                *self = Self::Plain { stubborn: false, element };
            }
            _ => {}
        }
    }

    /// Compresses it if that was not tried before and saves enough.
    pub(super) fn compress(&mut self) {
        match self {
            Self::Packed { stubborn, count, pack } if !*stubborn => {
                match Lzf::of(pack.as_bytes()) {
                    Some(lzf) => *self = Self::PackedLzf { count: *count, lzf: Box::new(lzf) },
                    None => *stubborn = true,
                }
            }
            Self::Plain { stubborn, element } if !*stubborn => match Lzf::of(element) {
                Some(lzf) => *self = Self::PlainLzf(Box::new(lzf)),
                None => *stubborn = true,
            },
            _ => {}
        }
    }
}

/// What a node holds.
pub enum View<'a> {
    /// A listpack.
    Packed(Cow<'a, Listpack>),
    /// One huge element.
    Plain(Cow<'a, [u8]>),
}

/// The elements of a listpack.
#[inline]
fn count_of(pack: &Listpack) -> u32 {
    u32::try_from(pack.len()).expect("a listpack has fewer bytes")
}

impl Lzf {
    fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < SIZE_MIN {
            return None;
        }
        let mut stream = Vec::new();
        COMPRESSOR.with_borrow_mut(|compressor| {
            compressor.compress(bytes, bytes.len() - GAIN_MIN - 1, &mut stream)
        })?;
        Some(Self { len: bytes.len(), stream: stream.into_boxed_slice() })
    }

    fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        decompress(&self.stream, self.len, &mut bytes).expect("the stream was made from bytes");
        bytes
    }

    fn to_pack(&self) -> Listpack {
        Listpack::from_bytes(&self.to_bytes()).expect("the stream was made from a listpack")
    }
}
