//! One word that is one of several handles, each itself one word.
//!
//! An enum of pointers takes two words, since its discriminant stands beside the pointer. Here the
//! handles tell themselves apart: every allocation is aligned to eight bytes, and each type keeps
//! the address of its allocation plus a mark of its own. The mark is a constant, so taking it off
//! again costs nothing, and a reference to the word is a reference to the handle.
//!
//! Knows nothing of what the handles are for. Invariant, on which every unsafe block here rests:
//! the word of a [`Pair`] or a [`Triple`] is a handle of the type whose mark its low bits are, and
//! it is owned alone.

#![allow(unsafe_code)]

use std::fmt;
use std::marker::PhantomData;
use std::mem::{ManuallyDrop, transmute_copy};
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;

use super::{Intset, Listpack, intset};
use crate::Pays;

#[cfg(test)]
mod tests;

/// The bits that a mark may use.
const MARKS: usize = 7;

/// A handle of one word that knows itself by its lowest bits.
///
/// # Safety
/// The type has the size, the alignment and the bits of a `NonNull<u8>`, and the lowest three bits
/// of every value of it are `MARK`.
pub unsafe trait Marked {
    /// The lowest three bits.
    const MARK: usize;
}

/// A value of its own allocation, as in a `Box`, whose handle carries a mark.
#[repr(transparent)]
pub struct Marker<T, const MARK: usize> {
    marked: NonNull<u8>,
    owns: PhantomData<T>,
}

// SAFETY: transparent over a `NonNull<u8>`, which `new` made by adding the mark to an address
// aligned to eight bytes.
unsafe impl<T, const MARK: usize> Marked for Marker<T, MARK> {
    const MARK: usize = MARK;
}

// SAFETY: it owns its value as a box does.
unsafe impl<T: Send, const MARK: usize> Send for Marker<T, MARK> {}
// SAFETY: a shared reference gives only a shared reference to the value.
unsafe impl<T: Sync, const MARK: usize> Sync for Marker<T, MARK> {}

impl<T, const MARK: usize> Marker<T, MARK> {
    /// Moves a value into an allocation.
    pub fn new(value: T) -> Self {
        const { assert!(align_of::<T>() == 8 && MARK <= MARKS && size_of::<T>() > MARKS) };
        let raw = NonNull::from(Box::leak(Box::new(value))).cast::<u8>();
        // SAFETY: the value has more bytes than the mark says.
        Self { marked: unsafe { raw.add(MARK) }, owns: PhantomData }
    }

    /// Moves the value to another allocation if that pays.
    pub(crate) fn relocate(&mut self, pays: Pays<'_>) {
        let raw = self.raw().as_ptr();
        if pays(raw.cast()) {
            // SAFETY: the allocation is a box's. The handle is written over and not dropped, and
            // nothing in between can fail but by ending the process.
            unsafe {
                let moved = Self::new(*Box::from_raw(raw));
                std::ptr::write(self, moved);
            }
        }
    }

    #[inline]
    fn raw(&self) -> NonNull<T> {
        // SAFETY: `new` added as much.
        unsafe { self.marked.sub(MARK) }.cast()
    }
}

impl<T, const MARK: usize> Deref for Marker<T, MARK> {
    type Target = T;

    #[inline]
    fn deref(&self) -> &T {
        // SAFETY: the value lives as long as its handle, which is borrowed.
        unsafe { self.raw().as_ref() }
    }
}

impl<T, const MARK: usize> DerefMut for Marker<T, MARK> {
    #[inline]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`; the handle is borrowed exclusively.
        unsafe { self.raw().as_mut() }
    }
}

impl<T, const MARK: usize> Drop for Marker<T, MARK> {
    fn drop(&mut self) {
        // SAFETY: the allocation is a box's, and this is the last use of it.
        drop(unsafe { Box::from_raw(self.raw().as_ptr()) });
    }
}

impl<T: Clone, const MARK: usize> Clone for Marker<T, MARK> {
    fn clone(&self) -> Self {
        Self::new((**self).clone())
    }
}

impl<T: fmt::Debug, const MARK: usize> fmt::Debug for Marker<T, MARK> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        (**self).fmt(out)
    }
}

// SAFETY: transparent over `Bytes<0>`, which is an address aligned to eight bytes.
unsafe impl Marked for Listpack {
    const MARK: usize = 0;
}

// SAFETY: transparent over `Bytes` with this mark, which is that much into an allocation aligned
// to eight bytes.
unsafe impl Marked for Intset {
    const MARK: usize = intset::MARK;
}

/// Defines the word, and the enum of what it can be: handles, or references to them.
macro_rules! one_of {
    (
        $(#[$text:meta])*
        $word:ident, $of:ident, $($variant:ident)+, $first:ident, $($other:ident)+
    ) => {
        /// What the word is: handles themselves, or references to them.
        #[derive(Clone, Copy, Debug)]
        #[expect(missing_docs, reason = "forms are described where they are chosen")]
        pub enum $of<$($variant),+> {
            $($variant($variant),)+
        }

        $(#[$text])*
        #[repr(transparent)]
        pub struct $word<$($variant: Marked),+> {
            word: NonNull<u8>,
            owns: PhantomData<($($variant,)+)>,
        }

        // SAFETY: it owns what one of its handles owns.
        unsafe impl<$($variant: Marked + Send),+> Send for $word<$($variant),+> {}
        // SAFETY: a shared reference gives only a shared reference to the handle.
        unsafe impl<$($variant: Marked + Sync),+> Sync for $word<$($variant),+> {}

        impl<$($variant: Marked),+> $word<$($variant),+> {
            /// The handle that it is.
            #[inline]
            pub fn view(&self) -> $of<$(&$variant),+> {
                let mark = self.mark();
                // SAFETY: the word is the handle of its mark, with the same size and bits.
                unsafe {
                    $(if mark == $other::MARK {
                        return $of::$other(&*(&raw const *self).cast::<$other>());
                    })+
                    $of::$first(&*(&raw const *self).cast::<$first>())
                }
            }

            /// The handle that it is, for changing. Another handle of the type may be put there.
            #[inline]
            pub fn view_mut(&mut self) -> $of<$(&mut $variant),+> {
                let mark = self.mark();
                // SAFETY: as in `view`; and every value of the handle's type has its mark.
                unsafe {
                    $(if mark == $other::MARK {
                        return $of::$other(&mut *(&raw mut *self).cast::<$other>());
                    })+
                    $of::$first(&mut *(&raw mut *self).cast::<$first>())
                }
            }

            #[inline]
            fn mark(&self) -> usize {
                self.word.addr().get() & MARKS
            }
        }

        impl<$($variant: Marked),+> From<$of<$($variant),+>> for $word<$($variant),+> {
            #[inline]
            fn from(handle: $of<$($variant),+>) -> Self {
                const {
                    $(assert!($other::MARK != $first::MARK, "marks tell the handles apart");)+
                    $(assert!(size_of::<$variant>() == size_of::<usize>(), "a handle is a word");)+
                }
                let word = match handle {
                    $($of::$variant(handle) => {
                        let handle = ManuallyDrop::new(handle);
                        // SAFETY: a marked handle has the size and the bits of a `NonNull<u8>`.
                        unsafe { transmute_copy::<ManuallyDrop<$variant>, NonNull<u8>>(&handle) }
                    })+
                };
                Self { word, owns: PhantomData }
            }
        }

        impl<$($variant: Marked),+> Drop for $word<$($variant),+> {
            #[inline]
            fn drop(&mut self) {
                match self.view_mut() {
                    // SAFETY: the handle is valid, and this is its last use.
                    $($of::$variant(handle) => unsafe { std::ptr::drop_in_place(handle) },)+
                }
            }
        }

        impl<$($variant: Marked + Clone),+> Clone for $word<$($variant),+> {
            fn clone(&self) -> Self {
                match self.view() {
                    $($of::$variant(handle) => $of::$variant(handle.clone()).into(),)+
                }
            }
        }

        impl<$($variant: Marked + fmt::Debug),+> fmt::Debug for $word<$($variant),+> {
            fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.view().fmt(out)
            }
        }
    };
}

one_of! {
    /// A small form or a large one.
    Pair, Form, Small Large, Small, Large
}

one_of! {
    /// Numbers alone, a small form, or a large one.
    Triple, Form3, Ints Small Large, Small, Ints Large
}
