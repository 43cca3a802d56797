//! The entry: one allocation that holds header, expiry, key and short value together.
//!
//! It knows bytes and lengths, never commands or shards. Layout, little endian, every multi-byte
//! field read unaligned:
//!
//! ```text
//! 0        kind: type in the low four bits, representation in the high four
//! 1        flags
//! 2        key length, when it is below 256
//! 3        length of an inline value, when it is below 256
//! 4..7     access clock (seconds, 24 bits) or frequency (LFU: 16 bits minutes, 8 bits counter)
//! 7        the epoch in which a snapshot has no more need of it (see `door`)
//! [8 + 4]  deadline in Unix milliseconds and place in the timing wheel, with `EXPIRES`
//! [8]      word of a collection, with `OBJECT`, at a multiple of 8
//! [4]      key length, with `LONG_KEY`
//! [4]      inline value length, with `LONG_VALUE`
//! key bytes
//! value    inline bytes, or an i64, or a pointer
//! ```
//!
//! Invariants: the layout is a function of the header and the length fields alone ([`Shape`]), so
//! the size handed to the allocator on release is the size that was asked for.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, handle_alloc_error};
use std::ptr::NonNull;
use std::sync::Arc;

use value::compact::bytes::size_class;
use value::{Array, Hash, Kind, List, Set, Stream, Value, ValueMut, ValueView, Zset};

pub mod wheel;

const HEADER: usize = 8;
const EXPIRES: u8 = 1;
const LONG_KEY: u8 = 2;
const LONG_VALUE: u8 = 4;
const RAW: u8 = 8;
/// A collection's word stands between header and key, aligned.
const OBJECT: u8 = 16;
/// Deadline (8) and place in the wheel (4).
const EXPIRY_SIZE: usize = 12;
/// The same with what it takes to align a collection's word behind it.
const ALIGNED_EXPIRY_SIZE: usize = 16;

/// The longest string kept inside the entry; longer ones live apart, so that appending to them
/// copies no key and a reply can share their bytes.
pub const INLINE_MAX: usize = 1024;

/// From this length on a string is freed in the background where the configuration says so: the
/// allocator returns its pages to the system.
const HEAVY_MIN: usize = 1 << 20;
/// What a collection takes in the entry; its type stands in the header.
const WORD: usize = 8;
/// From so many allocations on a collection is.
const HEAVY_EFFORT: usize = 64;

/// How the value's bytes are kept.
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Repr {
    Inline = 0,
    Int = 1,
    Shared = 2,
    Object = 3,
}

/// A value as a reader sees it.
#[derive(Clone, Copy, Debug)]
pub enum ValueRef<'a> {
    /// A short string inside the entry.
    Inline(&'a [u8]),
    /// A string that is the decimal form of an integer.
    Int(i64),
    /// A long string that lives apart.
    Shared(&'a [u8]),
    /// A collection.
    Object(ValueView<'a>),
}

/// A value on its way into an entry.
#[derive(Clone, Debug)]
pub enum NewValue<'a> {
    /// Bytes to be copied: inline when short, apart otherwise.
    Bytes(&'a [u8]),
    /// An integer.
    Int(i64),
    /// A long string that is already in its final place.
    Shared(Arc<Vec<u8>>),
    /// A collection.
    Object(Value),
}

impl NewValue<'_> {
    /// The type that a key with it has.
    pub fn kind(&self) -> Kind {
        if let Self::Object(value) = self { value.kind() } else { Kind::String }
    }

    fn is_object(&self) -> bool {
        matches!(self, Self::Object(_))
    }

    fn inline_len(&self) -> Option<usize> {
        match self {
            Self::Bytes(bytes) if bytes.len() <= INLINE_MAX => Some(bytes.len()),
            _ => None,
        }
    }
}

/// Offsets of the parts of one entry.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Shape {
    flags: u8,
    key_len: usize,
    /// Bytes of the value part: the inline length, or 8.
    value_len: usize,
}

impl Shape {
    fn new(key_len: usize, value: &NewValue<'_>, expires: bool) -> Self {
        let inline = value.inline_len();
        let mut flags = if value.is_object() { OBJECT } else { 0 };
        if expires {
            flags |= EXPIRES;
        }
        if key_len > 255 {
            flags |= LONG_KEY;
        }
        if inline.is_some_and(|len| len > 255) {
            flags |= LONG_VALUE;
        }
        Self { flags, key_len, value_len: value_len(flags, inline) }
    }

    const fn lengths_at(self) -> usize {
        lengths_at(self.flags)
    }

    const fn key_at(self) -> usize {
        let mut at = self.lengths_at();
        if self.flags & LONG_KEY != 0 {
            at += 4;
        }
        if self.flags & LONG_VALUE != 0 {
            at += 4;
        }
        at
    }

    const fn value_at(self) -> usize {
        self.key_at() + self.key_len
    }

    /// What is asked of the allocator: rounded up to its size classes, so that a value that still
    /// fits is changed in place without a call.
    const fn size(self) -> usize {
        size_class(self.value_at() + self.value_len)
    }
}

/// Bytes behind the key.
fn value_len(flags: u8, inline: Option<usize>) -> usize {
    if flags & OBJECT != 0 { 0 } else { inline.unwrap_or(8) }
}

/// Where a collection's word stands.
const fn object_at(flags: u8) -> usize {
    HEADER + if flags & EXPIRES != 0 { ALIGNED_EXPIRY_SIZE } else { 0 }
}

/// Where the long lengths, and without them the key, begin.
const fn lengths_at(flags: u8) -> usize {
    if flags & OBJECT != 0 {
        return object_at(flags) + WORD;
    }
    HEADER + if flags & EXPIRES != 0 { EXPIRY_SIZE } else { 0 }
}

/// Every collection is one word, whichever type it has.
const WORDS: [usize; 6] = [
    size_of::<List>(),
    size_of::<Set>(),
    size_of::<Zset>(),
    size_of::<Hash>(),
    size_of::<Box<Stream>>(),
    size_of::<Box<Array>>(),
];
const _: () = {
    let mut at = 0;
    while at < WORDS.len() {
        assert!(WORDS[at] == WORD);
        at += 1;
    }
};

/// An owned entry.
#[repr(transparent)]
pub struct Entry(NonNull<u8>);

// SAFETY: an entry owns its allocation alone; what it shares (`Arc<Vec<u8>>`) is Send and Sync.
unsafe impl Send for Entry {}
// SAFETY: a shared reference to an entry only reads.
unsafe impl Sync for Entry {}

// SAFETY: `into_raw` gives the allocation's own address, which is unique, 8-aligned and below
// 2^48 (the table asserts that), and nothing here changes a key after `build`.
unsafe impl table::Item for Entry {
    fn into_raw(self) -> NonNull<u8> {
        let raw = self.0;
        std::mem::forget(self);
        raw
    }

    unsafe fn from_raw(raw: NonNull<u8>) -> Self {
        Self(raw)
    }

    fn key(&self) -> &[u8] {
        self.key_bytes()
    }
}

impl Entry {
    /// A new entry; `deadline_ms` is in Unix milliseconds.
    pub fn new(key: &[u8], value: NewValue<'_>, deadline_ms: Option<i64>, access: u32) -> Self {
        let mut entry = Self::build(key, &value, deadline_ms);
        entry.put_value(value);
        entry.set_access(access);
        entry
    }

    /// Allocates and writes everything but the value's bytes.
    fn build(key: &[u8], value: &NewValue<'_>, deadline_ms: Option<i64>) -> Self {
        assert!(key.len() <= u32::MAX as usize, "a key is longer than any protocol limit");
        let shape = Shape::new(key.len(), value, deadline_ms.is_some());
        let layout = layout_of(shape.size());
        // SAFETY: the size is never zero.
        let raw = unsafe { alloc(layout) };
        let Some(raw) = NonNull::new(raw) else { handle_alloc_error(layout) };
        let mut entry = Self(raw);
        entry.put::<8>(0, [0; 8]);
        entry.put::<1>(1, [shape.flags]);
        if shape.flags & LONG_KEY != 0 {
            entry.put(shape.lengths_at(), (key.len() as u32).to_le_bytes());
        } else {
            entry.put::<1>(2, [key.len() as u8]);
        }
        entry.put_inline_len(shape);
        if let Some(deadline) = deadline_ms {
            entry.put(HEADER, deadline.to_le_bytes());
            entry.put(HEADER + 8, u32::MAX.to_le_bytes());
        }
        entry.put_slice(shape.key_at(), key);
        entry
    }

    fn put_inline_len(&mut self, shape: Shape) {
        if shape.flags & LONG_VALUE != 0 {
            let at = shape.lengths_at() + if shape.flags & LONG_KEY != 0 { 4 } else { 0 };
            self.put(at, (shape.value_len as u32).to_le_bytes());
        } else {
            self.put::<1>(3, [shape.value_len as u8]);
        }
    }

    /// Writes the value's bytes into a place whose shape fits; the old value is not released.
    fn put_value(&mut self, value: NewValue<'_>) {
        let shape = self.shape_with(&value);
        let at = shape.value_at();
        let kind = value.kind();
        let repr = match value {
            NewValue::Bytes(bytes) if bytes.len() <= INLINE_MAX => {
                self.put_slice(at, bytes);
                Repr::Inline
            }
            NewValue::Bytes(bytes) => {
                return self.put_value(NewValue::Shared(Arc::new(bytes.to_vec())));
            }
            NewValue::Shared(bytes) => {
                let raw = Arc::into_raw(bytes).expose_provenance();
                self.put(at, raw.to_ne_bytes());
                Repr::Shared
            }
            NewValue::Int(number) => {
                self.put(at, number.to_ne_bytes());
                Repr::Int
            }
            NewValue::Object(value) => {
                self.put_object(value);
                Repr::Object
            }
        };
        self.put::<1>(0, [kind as u8 | (repr as u8) << 4]);
    }

    /// The place of a collection's word.
    fn object_slot(&self) -> *mut u8 {
        // SAFETY: the offset lies inside the allocation by `Shape`.
        unsafe { self.0.as_ptr().add(object_at(self.flags())) }
    }

    /// Writes a collection's word; what was there is not dropped.
    fn put_object(&mut self, value: Value) {
        let slot = self.object_slot();
        // SAFETY: the shape has room for a word at its place, which is aligned: the allocation is
        // 8-aligned and so is the offset. `WORDS` says that each of these is a word.
        unsafe {
            match value {
                Value::List(list) => slot.cast::<List>().write(list),
                Value::Set(set) => slot.cast::<Set>().write(set),
                Value::Zset(zset) => slot.cast::<Zset>().write(zset),
                Value::Hash(hash) => slot.cast::<Hash>().write(hash),
                Value::Stream(stream) => slot.cast::<Box<Stream>>().write(stream),
                Value::Array(array) => slot.cast::<Box<Array>>().write(array),
            }
        }
    }

    /// The collection, when the value is one.
    #[inline]
    pub fn object(&self) -> Option<ValueView<'_>> {
        if self.repr() != Repr::Object {
            return None;
        }
        let slot = self.object_slot();
        // SAFETY: with `Repr::Object` an initialised word of the header's type is in its slot.
        Some(unsafe {
            match self.kind() {
                Kind::List => ValueView::List(&*slot.cast()),
                Kind::Set => ValueView::Set(&*slot.cast()),
                Kind::Zset => ValueView::Zset(&*slot.cast()),
                Kind::Hash => ValueView::Hash(&*slot.cast()),
                Kind::Stream => ValueView::Stream(&*slot.cast::<Box<Stream>>()),
                Kind::Array => ValueView::Array(&*slot.cast::<Box<Array>>()),
                Kind::String => unreachable!("a string is no collection"),
            }
        })
    }

    /// The collection for changing it in place, when the value is one.
    #[inline]
    pub fn object_mut(&mut self) -> Option<ValueMut<'_>> {
        if self.repr() != Repr::Object {
            return None;
        }
        let slot = self.object_slot();
        // SAFETY: as in `object`; the exclusive borrow of the entry makes the word exclusive.
        Some(unsafe {
            match self.kind() {
                Kind::List => ValueMut::List(&mut *slot.cast()),
                Kind::Set => ValueMut::Set(&mut *slot.cast()),
                Kind::Zset => ValueMut::Zset(&mut *slot.cast()),
                Kind::Hash => ValueMut::Hash(&mut *slot.cast()),
                Kind::Stream => ValueMut::Stream(&mut *slot.cast()),
                Kind::Array => ValueMut::Array(&mut *slot.cast()),
                Kind::String => unreachable!("a string is no collection"),
            }
        })
    }

    /// Takes the collection out; the entry must be given another value or be dropped.
    fn take_object(&mut self) -> Option<Value> {
        if self.repr() != Repr::Object {
            return None;
        }
        let (slot, kind) = (self.object_slot(), self.kind());
        self.put::<1>(0, [Kind::String as u8 | (Repr::Int as u8) << 4]);
        // SAFETY: as in `object`; the representation was just changed, so nobody reads it again.
        Some(unsafe {
            match kind {
                Kind::List => Value::List(slot.cast::<List>().read()),
                Kind::Set => Value::Set(slot.cast::<Set>().read()),
                Kind::Zset => Value::Zset(slot.cast::<Zset>().read()),
                Kind::Hash => Value::Hash(slot.cast::<Hash>().read()),
                Kind::Stream => Value::Stream(slot.cast::<Box<Stream>>().read()),
                Kind::Array => Value::Array(slot.cast::<Box<Array>>().read()),
                Kind::String => unreachable!("a string is no collection"),
            }
        })
    }

    /// The shape this entry would have with another value.
    fn shape_with(&self, value: &NewValue<'_>) -> Shape {
        Shape::new(self.key_len(), value, self.flags() & EXPIRES != 0)
    }

    fn shape(&self) -> Shape {
        let flags = self.flags();
        let value_len = if self.repr() != Repr::Inline {
            value_len(flags, None)
        } else if flags & LONG_VALUE != 0 {
            let at = lengths_at(flags) + if flags & LONG_KEY != 0 { 4 } else { 0 };
            u32::from_le_bytes(self.get(at)) as usize
        } else {
            self.get::<1>(3)[0] as usize
        };
        Shape {
            flags: flags & (EXPIRES | LONG_KEY | LONG_VALUE | OBJECT),
            key_len: self.key_len(),
            value_len,
        }
    }

    fn flags(&self) -> u8 {
        self.get::<1>(1)[0]
    }

    fn key_len(&self) -> usize {
        let flags = self.flags();
        if flags & LONG_KEY == 0 {
            return self.get::<1>(2)[0] as usize;
        }
        u32::from_le_bytes(self.get(lengths_at(flags))) as usize
    }

    fn repr(&self) -> Repr {
        match self.get::<1>(0)[0] >> 4 {
            0 => Repr::Inline,
            1 => Repr::Int,
            2 => Repr::Shared,
            _ => Repr::Object,
        }
    }

    /// The key.
    pub fn key_bytes(&self) -> &[u8] {
        let flags = self.flags();
        let mut at = lengths_at(flags);
        let mut len = self.get::<1>(2)[0] as usize;
        if flags & LONG_KEY != 0 {
            len = u32::from_le_bytes(self.get(at)) as usize;
            at += 4;
        }
        if flags & LONG_VALUE != 0 {
            at += 4;
        }
        self.slice(at, len)
    }

    /// The value's type.
    pub fn kind(&self) -> Kind {
        match self.get::<1>(0)[0] & 15 {
            0 => Kind::String,
            1 => Kind::List,
            2 => Kind::Set,
            3 => Kind::Zset,
            4 => Kind::Hash,
            5 => Kind::Stream,
            _ => Kind::Array,
        }
    }

    /// The value.
    pub fn value(&self) -> ValueRef<'_> {
        let shape = self.shape();
        let at = shape.value_at();
        match self.repr() {
            Repr::Inline => ValueRef::Inline(self.slice(at, shape.value_len)),
            Repr::Int => ValueRef::Int(i64::from_ne_bytes(self.get(at))),
            Repr::Shared => {
                // SAFETY: with `Repr::Shared` the value part holds what `Arc::into_raw` gave, and
                // the count it stands for is released only through an exclusive borrow.
                ValueRef::Shared(unsafe { &*self.shared_at(at) })
            }
            Repr::Object => {
                ValueRef::Object(self.object().expect("the representation says that it is one"))
            }
        }
    }

    /// Whether the whole value lies in the entry: it is a short string.
    #[inline]
    pub(crate) fn is_inline(&self) -> bool {
        matches!(self.repr(), Repr::Inline | Repr::Int)
    }

    /// Whether OBJECT ENCODING calls the string `raw` whatever its length: it was changed in place.
    pub fn is_raw(&self) -> bool {
        self.flags() & RAW != 0
    }

    /// Marks a string as changed in place.
    pub fn set_raw(&mut self, raw: bool) {
        let flags = self.flags();
        self.put::<1>(1, [if raw { flags | RAW } else { flags & !RAW }]);
    }

    /// Puts another value in the place of this one; key, expiry and access clock stay.
    pub fn set_value(&mut self, value: NewValue<'_>) {
        let old = self.shape();
        let new = self.shape_with(&value);
        let release = (self.take_shared(), self.take_object());
        if new.key_at() != old.key_at() || new.size() != old.size() {
            self.reshape(new, &value);
        }
        let kept = self.flags() & !(RAW | LONG_VALUE | OBJECT);
        self.put::<1>(1, [kept | new.flags & (LONG_VALUE | OBJECT)]);
        self.put_inline_len(new);
        self.put_value(value);
        drop(release);
    }

    /// As [`Self::set_value`]; the old value is not dropped but returned, in an entry of its own.
    pub(crate) fn replace_value(&mut self, value: NewValue<'_>) -> Entry {
        let mut former = Self::build(self.key_bytes(), &value, self.deadline_ms());
        former.put::<4>(4, self.get(4));
        if former.flags() & EXPIRES != 0 {
            former.put::<4>(HEADER + 8, self.get(HEADER + 8));
        }
        former.put_value(value);
        std::mem::swap(self, &mut former);
        former
    }

    /// Moves header, expiry and key into a new allocation of the given shape.
    fn reshape(&mut self, new: Shape, value: &NewValue<'_>) {
        let mut moved = Self::build(self.key_bytes(), value, self.deadline_ms());
        moved.put::<4>(4, self.get(4));
        if new.flags & EXPIRES != 0 && self.flags() & EXPIRES != 0 {
            moved.put::<4>(HEADER + 8, self.get(HEADER + 8));
        }
        let old = std::mem::replace(self, moved);
        old.release_memory();
    }

    /// Moves the entry, and a long string's bytes, where that pays. Nothing else changes; the
    /// caller tells the timing wheel.
    pub(crate) fn relocate(&mut self, pays: value::Pays<'_>) {
        if self.repr() == Repr::Shared {
            self.relocate_shared(pays);
        }
        if !pays(self.0.as_ptr()) {
            return;
        }
        let size = self.shape().size();
        let layout = layout_of(size);
        // SAFETY: the size is never zero.
        let raw = unsafe { alloc(layout) };
        let Some(raw) = NonNull::new(raw) else { handle_alloc_error(layout) };
        // SAFETY: both allocations have the size of the entry's shape. The bytes are all there is
        // to an entry: what they own is owned by the new ones, and the old memory is given back
        // without a look at them.
        unsafe {
            raw.as_ptr().copy_from_nonoverlapping(self.0.as_ptr(), size);
            dealloc(self.0.as_ptr(), layout);
        }
        self.0 = raw;
    }

    /// Moves a long string, unless a reply shares it.
    fn relocate_shared(&mut self, pays: value::Pays<'_>) {
        let Some(mut shared) = self.take_shared() else { return };
        if let Some(bytes) = Arc::get_mut(&mut shared) {
            if pays(bytes.as_ptr()) {
                let mut moved = Vec::with_capacity(bytes.capacity());
                moved.extend_from_slice(bytes);
                *bytes = moved;
            }
            let bytes = std::mem::take(bytes);
            if pays(Arc::as_ptr(&shared).cast()) {
                shared = Arc::new(bytes);
            } else if let Some(place) = Arc::get_mut(&mut shared) {
                *place = bytes;
            }
        }
        self.put_value(NewValue::Shared(shared));
    }

    /// When the key expires, in Unix milliseconds.
    pub fn deadline_ms(&self) -> Option<i64> {
        (self.flags() & EXPIRES != 0).then(|| i64::from_le_bytes(self.get(HEADER)))
    }

    /// Whether the key's time is over. It lives through the millisecond that its deadline names.
    #[inline]
    pub fn is_over(&self, now_ms: i64) -> bool {
        self.deadline_ms().is_some_and(|deadline| deadline < now_ms)
    }

    /// Sets or removes the expiry. The caller takes the entry out of the timing wheel before and
    /// puts it back afterwards: its address may change here.
    pub fn set_deadline(&mut self, deadline_ms: Option<i64>) {
        if let (Some(deadline), true) = (deadline_ms, self.flags() & EXPIRES != 0) {
            self.put(HEADER, deadline.to_le_bytes());
            return;
        }
        if deadline_ms.is_none() && self.flags() & EXPIRES == 0 {
            return;
        }
        let (raw, epoch, access) = (self.is_raw(), self.epoch(), self.access());
        let apart = self.take_apart();
        let value = apart.unwrap_or_else(|| self.value_inside());
        let mut moved = Self::new(self.key_bytes(), value, deadline_ms, access);
        moved.set_epoch(epoch);
        *self = moved;
        self.set_raw(raw);
    }

    /// The value out of the entry, when it is not inside it; as for `take_object`.
    fn take_apart(&mut self) -> Option<NewValue<'static>> {
        match self.take_shared() {
            Some(shared) => Some(NewValue::Shared(shared)),
            None => self.take_object().map(NewValue::Object),
        }
    }

    /// The value that is inside the entry, to be copied.
    fn value_inside(&self) -> NewValue<'_> {
        match self.value() {
            ValueRef::Int(number) => NewValue::Int(number),
            ValueRef::Inline(bytes) | ValueRef::Shared(bytes) => NewValue::Bytes(bytes),
            ValueRef::Object(value) => NewValue::Object(value.to_value()),
        }
    }

    /// The same value and expiry under another key.
    pub fn with_key(mut self, key: &[u8]) -> Self {
        let (raw, deadline, access) = (self.is_raw(), self.deadline_ms(), self.access());
        let apart = self.take_apart();
        let value = apart.unwrap_or_else(|| self.value_inside());
        let mut renamed = Self::new(key, value, deadline, access);
        renamed.set_raw(raw);
        renamed
    }

    /// A copy under another key; a long string is shared until one of the two changes.
    pub fn copy_as(&self, key: &[u8], deadline_ms: Option<i64>, access: u32) -> Self {
        let value = self.shared().map_or_else(|| self.value_inside(), NewValue::Shared);
        let mut copy = Self::new(key, value, deadline_ms, access);
        copy.set_raw(self.is_raw());
        copy
    }

    /// The 24-bit access word.
    pub fn access(&self) -> u32 {
        u32::from_le_bytes(self.get(4)) & 0x00ff_ffff
    }

    /// Sets the 24-bit access word; writes only when it differs, so that reads of a hot key do
    /// not dirty its line more than once a second.
    pub fn set_access(&mut self, access: u32) {
        if self.access() != access {
            let word = u32::from_le_bytes(self.get(4)) & 0xff00_0000 | access & 0x00ff_ffff;
            self.put(4, word.to_le_bytes());
        }
    }

    /// The epoch of the last snapshot that has no more need of this entry.
    #[inline]
    pub(crate) fn epoch(&self) -> u8 {
        self.get::<1>(7)[0]
    }

    #[inline]
    pub(crate) fn set_epoch(&mut self, epoch: u8) {
        self.put(7, [epoch]);
    }

    /// The long string's bytes by shared ownership, for a reply that is sent without copying.
    pub fn shared(&self) -> Option<Arc<Vec<u8>>> {
        if self.repr() != Repr::Shared {
            return None;
        }
        let raw = self.shared_at(self.shape().value_at());
        // SAFETY: `raw` came from `Arc::into_raw` and its count is held by this entry; the new
        // count belongs to the `Arc` that is returned.
        Some(unsafe {
            Arc::increment_strong_count(raw);
            Arc::from_raw(raw)
        })
    }

    /// Changes a long string in place; it is copied first when a reply still shares it.
    pub fn edit_shared<R>(&mut self, edit: impl FnOnce(&mut Vec<u8>) -> R) -> Option<R> {
        let mut shared = self.take_shared()?;
        let result = edit(Arc::make_mut(&mut shared));
        self.put_value(NewValue::Shared(shared));
        Some(result)
    }

    /// The inline bytes for changing them in place, when the value is inline.
    pub fn inline_mut(&mut self) -> Option<&mut [u8]> {
        if self.repr() != Repr::Inline {
            return None;
        }
        let shape = self.shape();
        // SAFETY: the inline value lies inside the allocation by `Shape`, and the exclusive borrow
        // of the entry makes its bytes exclusive.
        Some(unsafe {
            std::slice::from_raw_parts_mut(self.0.as_ptr().add(shape.value_at()), shape.value_len)
        })
    }

    /// Sets an integer in place when the value already is one, without touching the allocator.
    pub fn set_int_in_place(&mut self, number: i64) -> bool {
        if self.repr() != Repr::Int {
            return false;
        }
        let at = self.shape().value_at();
        self.put(at, number.to_ne_bytes());
        true
    }

    /// Bytes asked of the allocator for this entry and what it owns alone; of a large collection
    /// an estimate from so many elements (0: all of them).
    pub fn memory(&self, samples: usize) -> usize {
        let own = self.shape().size();
        match (self.shared(), self.object()) {
            (Some(bytes), _) => {
                own + size_class(bytes.capacity()) + size_class(size_of::<Vec<u8>>() + 16)
            }
            (None, Some(value)) => own + value.memory(samples),
            (None, None) => own,
        }
    }

    /// Whether freeing it may take longer than handing it to another thread.
    pub fn is_heavy(&self) -> bool {
        match self.value() {
            ValueRef::Shared(bytes) => bytes.len() >= HEAVY_MIN,
            ValueRef::Object(value) => value.effort() >= HEAVY_EFFORT,
            ValueRef::Inline(_) | ValueRef::Int(_) => false,
        }
    }

    /// A number that no other entry has at the same time, and that stays while nobody changes it.
    pub fn identity(&self) -> usize {
        self.address().addr().get()
    }

    /// The entry's address, which names it in the timing wheel while it stays where it is.
    pub(crate) fn address(&self) -> NonNull<u8> {
        self.0
    }

    fn take_shared(&mut self) -> Option<Arc<Vec<u8>>> {
        if self.repr() != Repr::Shared {
            return None;
        }
        let at = self.shape().value_at();
        let raw = self.shared_at(at);
        self.put::<1>(0, [Kind::String as u8 | (Repr::Int as u8) << 4]);
        // SAFETY: the word came from `Arc::into_raw`, and the representation was just changed, so
        // nobody will read it as a pointer again.
        Some(unsafe { Arc::from_raw(raw) })
    }

    /// Gives the memory back without looking at the value.
    fn release_memory(self) {
        let size = self.shape().size();
        // SAFETY: the allocation was made with the layout of its shape, and `self` is forgotten.
        unsafe { dealloc(self.0.as_ptr(), layout_of(size)) };
        std::mem::forget(self);
    }

    fn get<const N: usize>(&self, at: usize) -> [u8; N] {
        // SAFETY: every offset comes from `Shape`, whose parts lie inside the allocation.
        unsafe { self.0.as_ptr().add(at).cast::<[u8; N]>().read_unaligned() }
    }

    fn put<const N: usize>(&mut self, at: usize, bytes: [u8; N]) {
        // SAFETY: as in `get`; the exclusive borrow makes the write exclusive.
        unsafe { self.0.as_ptr().add(at).cast::<[u8; N]>().write_unaligned(bytes) }
    }

    fn put_slice(&mut self, at: usize, bytes: &[u8]) {
        // SAFETY: as in `put`; `bytes` is borrowed from elsewhere, so the ranges do not overlap.
        unsafe {
            std::ptr::copy_nonoverlapping(bytes.as_ptr(), self.0.as_ptr().add(at), bytes.len());
        }
    }

    fn slice(&self, at: usize, len: usize) -> &[u8] {
        // SAFETY: as in `get`; the bytes live as long as the entry is borrowed.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(at), len) }
    }

    /// The word that `Arc::into_raw` gave, as the pointer it was.
    fn shared_at(&self, at: usize) -> *const Vec<u8> {
        std::ptr::with_exposed_provenance(usize::from_ne_bytes(self.get(at)))
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        drop(self.take_apart());
        let size = self.shape().size();
        // SAFETY: the allocation was made with the layout of its shape and dies here.
        unsafe { dealloc(self.0.as_ptr(), layout_of(size)) };
    }
}

/// The key of the entry at an address that the timing wheel held.
///
/// The wheel's invariant is what makes this sound: only addresses of live entries come from it.
pub(crate) fn key_at<'a>(address: NonNull<u8>) -> &'a [u8] {
    let entry = std::mem::ManuallyDrop::new(Entry(address));
    let key = entry.key_bytes();
    // SAFETY: the key lies in the entry's allocation, which the table keeps while the caller, who
    // borrows the shard, uses the key.
    unsafe { std::slice::from_raw_parts(key.as_ptr(), key.len()) }
}

fn layout_of(size: usize) -> Layout {
    Layout::from_size_align(size, 8).expect("entry sizes are far below isize::MAX")
}

#[cfg(test)]
mod tests;
