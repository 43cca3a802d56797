//! References into a table: [`Ref`], [`RefMut`] and [`Entry`].
//!
//! Invariant: a `RefMut` that has given out `&mut T` has marked its slot as on loan, because the
//! item may move by it. A forgotten `RefMut` thus loses its item, but leaves no stale address.

use std::marker::PhantomData;
use std::mem::{self, ManuallyDrop};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use crate::bucket::{ADDRESS, LOANED};
use crate::directory::{Directory, Position};
use crate::{Item, KeyHash, Table, address, peek};

/// A shared reference to an item in a table.
pub struct Ref<'a, T: Item> {
    item: ManuallyDrop<T>,
    table: PhantomData<&'a T>,
}

impl<T: Item> Ref<'_, T> {
    #[inline]
    pub(crate) fn new(item: NonNull<u8>) -> Self {
        Ref { item: peek(item), table: PhantomData }
    }
}

impl<T: Item> Deref for Ref<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.item
    }
}

/// An exclusive reference to an item in a table. The item may be exchanged or moved through it.
pub struct RefMut<'a, T: Item> {
    directory: &'a mut Directory,
    position: Position,
    on_loan: bool,
    item: ManuallyDrop<T>,
}

impl<'a, T: Item> RefMut<'a, T> {
    #[inline]
    pub(crate) fn new(
        directory: &'a mut Directory,
        position: Position,
        item: NonNull<u8>,
    ) -> RefMut<'a, T> {
        RefMut { directory, position, on_loan: false, item: peek(item) }
    }

    /// Takes the item out of the table.
    pub fn remove(self) -> T {
        let mut this = ManuallyDrop::new(self);
        let position = this.position;
        this.directory.remove(position);
        // SAFETY: the slot, the owner so far, is gone, and `this` is not used or dropped again.
        unsafe { ManuallyDrop::take(&mut this.item) }
    }

    /// Gives up the right to change the item.
    #[inline]
    pub fn into_ref(self) -> Ref<'a, T> {
        let mut this = ManuallyDrop::new(self);
        // SAFETY: `this` is not used or dropped again, and the item goes back to being an address:
        // of its slot when that still owns it, or in its slot when it was on loan.
        let raw = unsafe { ManuallyDrop::take(&mut this.item) }.into_raw();
        if this.on_loan {
            let (address, position) = (address(raw), this.position);
            let slot = this.directory.slot_mut(position);
            *slot = *slot & !ADDRESS | address;
        }
        Ref::new(raw)
    }

    /// Puts another item with the same key in its place and returns the old one.
    pub fn replace(&mut self, item: T) -> T {
        mem::replace(&mut **self, item)
    }
}

impl<T: Item> Deref for RefMut<'_, T> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        &self.item
    }
}

impl<T: Item> DerefMut for RefMut<'_, T> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        if !self.on_loan {
            let slot = self.directory.slot_mut(self.position);
            *slot = *slot & !ADDRESS | LOANED;
            self.on_loan = true;
        }
        &mut self.item
    }
}

impl<T: Item> Drop for RefMut<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if self.on_loan {
            // SAFETY: `self` goes out of use; while on loan it is the item's only owner.
            let item = unsafe { ManuallyDrop::take(&mut self.item) };
            let address = address(item.into_raw());
            let slot = self.directory.slot_mut(self.position);
            *slot = *slot & !ADDRESS | address;
        }
    }
}

/// The place of a key in a table.
pub enum Entry<'a, T: Item, H: KeyHash> {
    /// The key is there.
    Occupied(RefMut<'a, T>),
    /// It is not.
    Vacant(VacantEntry<'a, T, H>),
}

/// The place where an absent key belongs.
pub struct VacantEntry<'a, T: Item, H: KeyHash> {
    pub(crate) table: &'a mut Table<T, H>,
    pub(crate) hash: u64,
}

impl<'a, T: Item, H: KeyHash> VacantEntry<'a, T, H> {
    /// Puts in an item with the key that the entry was asked for.
    pub fn insert(self, item: T) -> RefMut<'a, T> {
        self.table.insert_new(self.hash, item)
    }
}
