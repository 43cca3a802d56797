//! The hash table: extendible hashing over small segments, ordered by hash prefix.
//!
//! A table owns pointer-sized items ([`Item`]) and is told every hash: it neither chooses the
//! hash function nor knows what an item holds beside its key. It grows and shrinks one small
//! segment at a time, and [`Table::scan`] walks it in hash order whatever happens in between.
//! `docs/design/table.md` has the layout and the measurements behind its constants.
//!
//! Invariant of the whole crate: a word in a bucket is either free, on loan to the one [`RefMut`]
//! there can be, or owns the item at its address; so every reference to an item that this
//! module hands out lives no longer than a borrow of the table.

use std::marker::PhantomData;
use std::mem::ManuallyDrop;
use std::ptr::NonNull;

mod bucket;
mod directory;
mod guard;
mod iter;
mod prefetch;
mod segment;
mod stats;

pub use directory::Spot;
pub use guard::{Entry, Ref, RefMut, VacantEntry};
pub use iter::{Batch, Iter};
pub use prefetch::{prefetch, prefetch_two};
pub use stats::Stats;

use directory::Directory;

/// An owning pointer to a value that has a key.
///
/// # Safety
/// - `into_raw` gives a pointer that is 2-aligned and below 2^48, and that no other live item
///   gives; `from_raw` makes the same item of it.
/// - `from_raw` may be called again while the item is in a table, to look at it: such a second
///   `Self` is never dropped, never lives beside a mutable reference to the first, and reading
///   through it must be sound (so `Self` may wrap a `NonNull`, but not a `Box`).
/// - A panic of `key` must leave the item as it was.
///
/// The key should stay the same while the item is in a table; an item whose key changes may no
/// longer be found, but nothing worse happens.
pub unsafe trait Item: Sized {
    /// Gives the ownership to a raw pointer.
    fn into_raw(self) -> NonNull<u8>;
    /// Takes it back.
    ///
    /// # Safety
    /// `raw` came from `into_raw`, and the item is used as the trait says.
    unsafe fn from_raw(raw: NonNull<u8>) -> Self;
    /// The key that the item is found by.
    fn key(&self) -> &[u8];
}

/// The hash function that the caller passes hashes of; the table needs it when a segment splits.
pub trait KeyHash {
    /// All 64 bits matter, the most significant first.
    fn hash(&self, key: &[u8]) -> u64;
}

/// A hash table of items. Every `hash` argument is `KeyHash::hash` of the key in question.
#[repr(C)]
pub struct Table<T: Item, H: KeyHash> {
    directory: Directory,
    hasher: H,
    items: PhantomData<T>,
}

impl<T: Item, H: KeyHash> Table<T, H> {
    /// An empty table; it allocates nothing before the first insertion.
    pub fn new(hasher: H) -> Self {
        Table { directory: Directory::new(), hasher, items: PhantomData }
    }

    /// The hash function that the table was made with.
    pub fn hasher(&self) -> &H {
        &self.hasher
    }

    /// The number of items.
    #[inline]
    pub fn len(&self) -> usize {
        self.directory.len()
    }

    /// Whether there are none.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The item with this key.
    #[inline]
    pub fn get(&self, hash: u64, key: &[u8]) -> Option<Ref<'_, T>> {
        let (_, item) = self.directory.find(hash, has_key::<T>(key))?;
        Some(Ref::new(item))
    }

    /// The item with this key, to change, replace or remove it.
    #[inline]
    pub fn get_mut(&mut self, hash: u64, key: &[u8]) -> Option<RefMut<'_, T>> {
        let (position, item) = self.directory.find(hash, has_key::<T>(key))?;
        Some(RefMut::new(&mut self.directory, position, item))
    }

    /// The place of this key, taken or not.
    #[inline]
    pub fn entry(&mut self, hash: u64, key: &[u8]) -> Entry<'_, T, H> {
        match self.directory.find(hash, has_key::<T>(key)) {
            Some((position, item)) => {
                Entry::Occupied(RefMut::new(&mut self.directory, position, item))
            }
            None => Entry::Vacant(VacantEntry { table: self, hash }),
        }
    }

    /// Puts in an item whose key is known to be absent.
    pub fn insert_new(&mut self, hash: u64, item: T) -> RefMut<'_, T> {
        debug_assert!(self.get(hash, item.key()).is_none(), "the key is already there");
        let hasher = &self.hasher;
        self.directory.make_room(hash, &mut |item| hasher.hash(peek::<T>(item).key()));
        let raw = item.into_raw();
        let position = self.directory.insert(hash, address(raw));
        RefMut::new(&mut self.directory, position, raw)
    }

    /// Takes the item with this key out.
    pub fn remove(&mut self, hash: u64, key: &[u8]) -> Option<T> {
        self.get_mut(hash, key).map(RefMut::remove)
    }

    /// The item at this very address, which may no longer be one: it is compared, not read.
    pub fn find_by_pointer(&mut self, hash: u64, raw: NonNull<u8>) -> Option<RefMut<'_, T>> {
        let (position, item) = self.directory.find(hash, |item| item == raw)?;
        Some(RefMut::new(&mut self.directory, position, item))
    }

    /// The item under this hash that is `wanted`; others that merely resemble it may be offered.
    pub fn find_where(
        &mut self,
        hash: u64,
        mut wanted: impl FnMut(&T) -> bool,
    ) -> Option<RefMut<'_, T>> {
        let (position, item) = self.directory.find(hash, |item| wanted(&peek::<T>(item)))?;
        Some(RefMut::new(&mut self.directory, position, item))
    }

    /// Takes the item at this very address out.
    pub fn remove_item(&mut self, hash: u64, raw: NonNull<u8>) -> Option<T> {
        self.find_by_pointer(hash, raw).map(RefMut::remove)
    }

    /// Calls `f` with the items from a cursor to the end of its home bucket (often eight or
    /// fewer, sometimes none) and returns the next cursor. A cursor is a position in hash order
    /// below 2^48; 0 starts, and 0 is returned at the end. Every item that is in the table from
    /// the first to the last call of a full scan is seen at least once.
    pub fn scan(&self, cursor: u64, f: &mut dyn FnMut(&T)) -> u64 {
        self.directory.scan(cursor, &mut |_, item| f(&peek::<T>(item)))
    }

    /// [`Table::scan`] for changing the items, over as many home buckets as it takes to meet
    /// `want` of them. The lines of all are asked for before the first is looked at.
    pub fn scan_mut(&mut self, mut cursor: u64, want: usize, f: &mut dyn FnMut(&mut T)) -> u64 {
        let mut met = Vec::with_capacity(want + bucket::SLOTS);
        loop {
            cursor = self.directory.scan(cursor, &mut |position, item| {
                prefetch_two(item.as_ptr());
                met.push((position, item));
            });
            if cursor == 0 || met.len() >= want {
                break;
            }
        }
        // A position stays good: through `&mut T` an item may move, but not its slot.
        for (position, item) in met {
            f(&mut RefMut::new(&mut self.directory, position, item));
        }
        cursor
    }

    /// A random item, each as likely as another if `rng` gives evenly spread 64-bit numbers.
    pub fn random(&self, rng: &mut dyn FnMut() -> u64) -> Option<Ref<'_, T>> {
        self.directory.random(rng).map(Ref::new)
    }

    /// The line that [`Table::spot`] reads for a random number, to be prefetched, not read.
    #[inline]
    pub fn spot_line(&self, random: u64) -> *const u8 {
        self.directory.spot_line(random)
    }

    /// The bucket that a random number means, and its line, to be prefetched; `None` for the
    /// numbers that mean no bucket. Evenly spread numbers make every item as likely to be in the
    /// bucket as another.
    #[inline]
    pub fn spot(&self, random: u64) -> Option<(Spot, *const u8)> {
        self.directory.spot(random)
    }

    /// Asks for the first line of each item in a bucket. Reads the bucket.
    #[inline]
    pub fn prefetch_at(&self, spot: Spot) {
        self.directory.items_at(spot).for_each(|(_, item)| prefetch(item.as_ptr()));
    }

    /// The items in a bucket of this table, which has not changed since the bucket was named: each
    /// with as many upper bits of its hash as [`Table::find_by_pointer`] needs while the table does
    /// not grow; the other bits are zero.
    #[inline]
    pub fn items_at(&self, spot: Spot) -> impl Iterator<Item = (u64, Ref<'_, T>)> {
        self.directory.items_at(spot).map(|(hash, item)| (hash, Ref::new(item)))
    }

    /// All items, in hash order of their segments.
    pub fn iter(&self) -> Iter<'_, T> {
        Iter::new(&self.directory)
    }

    /// Takes one segment's items out at once (at most about a thousand unless the hash is weak),
    /// for freeing a table piece by piece; `None` when the table is empty.
    pub fn take_segment(&mut self) -> Option<Batch<T>> {
        self.directory.take_array().map(Batch::new)
    }

    /// Frees all items.
    pub fn clear(&mut self) {
        while let Some(batch) = self.take_segment() {
            drop(batch);
        }
    }

    /// The line that a lookup reads first, and half of all lookups the one behind it: to be
    /// prefetched, not read. Reads only the directory.
    #[inline]
    pub fn bucket_line(&self, hash: u64) -> *const u8 {
        self.directory.bucket_line(hash)
    }

    /// The first line of the item that a lookup will compare, to be prefetched, not read. Reads
    /// the bucket, so it comes some time after the prefetch of [`Table::bucket_line`].
    #[inline]
    pub fn item_line(&self, hash: u64) -> Option<*const u8> {
        self.directory.item_line(hash)
    }

    /// The item whose line [`Table::item_line`] names: nearly always the one under this hash, and
    /// sometimes another or none. Its key is not compared.
    #[inline]
    pub fn likely(&self, hash: u64) -> Option<Ref<'_, T>> {
        self.directory.likely(hash).map(Ref::new)
    }

    /// Bytes that the table itself has allocated, items excluded.
    pub fn memory(&self) -> usize {
        self.directory.memory()
    }

    /// Figures about the table's shape; walks all buckets, but no items.
    pub fn stats(&self) -> Stats {
        Stats::of(&self.directory)
    }
}

impl<T: Item, H: KeyHash> Drop for Table<T, H> {
    fn drop(&mut self) {
        self.clear();
    }
}

impl<'a, T: Item, H: KeyHash> IntoIterator for &'a Table<T, H> {
    type Item = Ref<'a, T>;
    type IntoIter = Iter<'a, T>;

    fn into_iter(self) -> Iter<'a, T> {
        self.iter()
    }
}

/// An item for looking at, while its owner stays the slot.
#[inline]
fn peek<T: Item>(item: NonNull<u8>) -> ManuallyDrop<T> {
    // SAFETY: addresses in slots came from `into_raw` (see `address`), a slot that is not on loan
    // owns its item, and the result is not dropped.
    ManuallyDrop::new(unsafe { T::from_raw(item) })
}

#[inline]
fn has_key<T: Item>(key: &[u8]) -> impl FnMut(NonNull<u8>) -> bool {
    move |item| peek::<T>(item).key() == key
}

/// The address that a slot stores; checks what [`Item`] promises about it.
#[inline]
fn address(raw: NonNull<u8>) -> u64 {
    let address = raw.as_ptr().expose_provenance() as u64;
    assert!(address & !bucket::ADDRESS == 0 && address & 1 == 0, "an item's address fits a slot");
    address
}

#[cfg(test)]
mod tests;
