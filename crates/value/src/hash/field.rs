//! A field of a large hash with its value, in one allocation.
//!
//! Knows nothing of the table that it lies in. Layout: flags; the lengths of name and value in a
//! byte each; those of them that need more, in four bytes; the deadline in eight bytes if there is
//! one; the name; the value. Invariant: the allocation has the size class of all that, and all of
//! it is initialised.

#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::fmt;
use std::ptr::NonNull;
use std::slice;

use crate::compact::bytes::size_class;

/// The field has a deadline.
const EXPIRES: u8 = 1;
/// The name's length takes four bytes.
const LONG_NAME: u8 = 2;
/// The value's length takes four bytes.
const LONG_VALUE: u8 = 4;

/// Flags and short lengths.
const HEAD: usize = 3;
/// Lets the table use the lowest bit of the address.
const ALIGN: usize = 8;

/// A name, its value and perhaps its deadline. Its handle is one word.
pub struct Field {
    start: NonNull<u8>,
}

// SAFETY: the allocation is owned alone, and bytes may be read from and moved to any thread.
unsafe impl Send for Field {}
// SAFETY: a shared reference only reads.
unsafe impl Sync for Field {}

/// Where the parts of a field are.
#[derive(Clone, Copy)]
struct Shape {
    flags: u8,
    time_at: usize,
    name_at: usize,
    name_len: usize,
    value_len: usize,
}

impl Shape {
    fn new(name_len: usize, value_len: usize, expires: bool) -> Self {
        let flags = if expires { EXPIRES } else { 0 }
            | if name_len > usize::from(u8::MAX) { LONG_NAME } else { 0 }
            | if value_len > usize::from(u8::MAX) { LONG_VALUE } else { 0 };
        let long = (flags & (LONG_NAME | LONG_VALUE)).count_ones() as usize;
        let time_at = HEAD + 4 * long;
        let name_at = time_at + if expires { 8 } else { 0 };
        Self { flags, time_at, name_at, name_len, value_len }
    }

    #[inline]
    fn value_at(self) -> usize {
        self.name_at + self.name_len
    }

    #[inline]
    fn len(self) -> usize {
        self.value_at() + self.value_len
    }

    fn layout(self) -> Layout {
        let size = size_class(self.len());
        Layout::from_size_align(size, ALIGN).expect("far below the largest size")
    }
}

impl Field {
    /// The most bytes that a name and its value may have together.
    pub const LEN_MAX: usize = u32::MAX as usize;

    /// A field.
    ///
    /// # Panics
    /// When name and value are longer than [`Field::LEN_MAX`].
    pub fn new(name: &[u8], value: &[u8], deadline_ms: Option<i64>) -> Self {
        assert!(name.len() + value.len() <= Self::LEN_MAX, "the caller refuses longer fields");
        let shape = Shape::new(name.len(), value.len(), deadline_ms.is_some());
        let layout = shape.layout();
        // SAFETY: a layout is never empty. All bytes are made zero before a slice of them is.
        let raw = unsafe { alloc(layout) };
        let Some(start) = NonNull::new(raw) else { handle_alloc_error(layout) };
        // SAFETY: the allocation has at least so many bytes, and nobody else knows it.
        let bytes = unsafe {
            raw.write_bytes(0, shape.name_at);
            raw.add(shape.name_at).copy_from_nonoverlapping(name.as_ptr(), name.len());
            raw.add(shape.value_at()).copy_from_nonoverlapping(value.as_ptr(), value.len());
            slice::from_raw_parts_mut(raw, shape.len())
        };
        bytes[0] = shape.flags;
        put_lengths(bytes, shape);
        if let Some(deadline_ms) = deadline_ms {
            bytes[shape.time_at..shape.name_at].copy_from_slice(&deadline_ms.to_le_bytes());
        }
        Self { start }
    }

    #[inline]
    fn shape(&self) -> Shape {
        // SAFETY: an allocation begins with so many initialised bytes.
        let [flags, name_len, value_len] = unsafe { self.start.cast::<[u8; HEAD]>().read() };
        let (mut name_len, mut value_len) = (usize::from(name_len), usize::from(value_len));
        let mut at = HEAD;
        for (flag, len) in [(LONG_NAME, &mut name_len), (LONG_VALUE, &mut value_len)] {
            if flags & flag != 0 {
                // SAFETY: the flag says that four initialised bytes stand there.
                let long = unsafe { self.start.add(at).cast::<[u8; 4]>().read() };
                *len = u32::from_le_bytes(long) as usize;
                at += 4;
            }
        }
        let name_at = at + if flags & EXPIRES != 0 { 8 } else { 0 };
        Shape { flags, time_at: at, name_at, name_len, value_len }
    }

    #[inline]
    fn part(&self, at: usize, len: usize, shape: Shape) -> &[u8] {
        debug_assert!(at + len <= shape.len(), "a part lies within the field");
        // SAFETY: the bytes are initialised; they change through `&mut self` only.
        let bytes = unsafe { slice::from_raw_parts(self.start.as_ptr(), shape.len()) };
        &bytes[at..at + len]
    }

    fn bytes_mut(&mut self, shape: Shape) -> &mut [u8] {
        // SAFETY: as in `part`, and `&mut self` is the only way to them.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), shape.len()) }
    }

    /// The name.
    #[inline]
    pub fn name(&self) -> &[u8] {
        let shape = self.shape();
        self.part(shape.name_at, shape.name_len, shape)
    }

    /// The value.
    #[inline]
    pub fn value(&self) -> &[u8] {
        let shape = self.shape();
        self.part(shape.value_at(), shape.value_len, shape)
    }

    /// When the field expires, in Unix milliseconds.
    #[inline]
    pub fn deadline_ms(&self) -> Option<i64> {
        let shape = self.shape();
        let time = self.part(shape.time_at, shape.name_at - shape.time_at, shape);
        time.first_chunk().map(|time| i64::from_le_bytes(*time))
    }

    /// Puts another value in the place of this one, in the same allocation when it fits.
    pub fn set_value(&mut self, value: &[u8]) {
        let old = self.shape();
        let new = Shape::new(old.name_len, value.len(), old.flags & EXPIRES != 0);
        if new.flags != old.flags || new.layout() != old.layout() {
            *self = Self::new(self.name(), value, self.deadline_ms());
            return;
        }
        // SAFETY: the allocation has room for so many bytes, and `value` cannot lie in a field that
        // is borrowed mutably.
        unsafe {
            let to = self.start.as_ptr().add(new.value_at());
            to.copy_from_nonoverlapping(value.as_ptr(), value.len());
        }
        put_lengths(self.bytes_mut(new), new);
    }

    /// Sets or removes the deadline.
    pub fn set_deadline(&mut self, deadline_ms: Option<i64>) {
        let shape = self.shape();
        match deadline_ms {
            Some(deadline_ms) if shape.flags & EXPIRES != 0 => {
                let time = shape.time_at..shape.name_at;
                self.bytes_mut(shape)[time].copy_from_slice(&deadline_ms.to_le_bytes());
            }
            _ => *self = Self::new(self.name(), self.value(), deadline_ms),
        }
    }

    /// Where the allocation is.
    pub(super) fn address(&self) -> *const u8 {
        self.start.as_ptr()
    }

    /// What the allocation takes, in bytes.
    #[inline]
    pub fn allocated(&self) -> usize {
        size_class(self.shape().len())
    }
}

/// Writes the lengths of name and value into the bytes of a field.
fn put_lengths(bytes: &mut [u8], shape: Shape) {
    let mut at = HEAD;
    for (number, len) in [shape.name_len, shape.value_len].into_iter().enumerate() {
        match u8::try_from(len) {
            Ok(short) => bytes[1 + number] = short,
            Err(_) => {
                let long = u32::try_from(len).expect("longer fields are refused");
                bytes[at..at + 4].copy_from_slice(&long.to_le_bytes());
                at += 4;
            }
        }
    }
}

impl Drop for Field {
    fn drop(&mut self) {
        // SAFETY: the allocation has this layout, and this is the last use of it.
        unsafe { dealloc(self.start.as_ptr(), self.shape().layout()) };
    }
}

impl Clone for Field {
    fn clone(&self) -> Self {
        Self::new(self.name(), self.value(), self.deadline_ms())
    }
}

impl fmt::Debug for Field {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, value) = (self.name().escape_ascii(), self.value().escape_ascii());
        write!(out, "{name}={value}@{:?}", self.deadline_ms())
    }
}

// SAFETY: an address is that of an allocation of its own, 8-aligned and, as every address in user
// space on the supported systems, below 2^48. A second `Field` of the same address reads through a
// `NonNull` and so is sound while the first is not changed, as the table promises. `key` does not
// change the field.
unsafe impl table::Item for Field {
    fn into_raw(self) -> NonNull<u8> {
        std::mem::ManuallyDrop::new(self).start
    }

    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        Self { start: raw }
    }

    #[inline]
    fn key(&self) -> &[u8] {
        self.name()
    }
}
