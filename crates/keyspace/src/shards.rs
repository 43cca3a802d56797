//! The shards, their locks, and the right to touch them.
//!
//! It knows nothing of commands. Lock order: gate, then shards in ascending order. Invariants: a
//! shard is reached only through a [`Held`] that holds it, and a `Held` holds a shard either by its
//! lock, or because the gate's write side is held, or because there is one thread only.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;

use crossbeam_utils::CachePadded;
use parking_lot::{Mutex, MutexGuard};
use smallvec::SmallVec;

use crate::gate::WriteGuard;
use crate::shard::Shard;

/// The lock and what a lookup reads of the first database share a cache line.
#[repr(C)]
struct Cell {
    lock: Mutex<()>,
    shard: UnsafeCell<Shard>,
}

/// All shards of the engine.
pub struct Shards {
    cells: Box<[CachePadded<Cell>]>,
    single: bool,
}

// SAFETY: a shard is reached only through `Held`, which stands for mutual exclusion (see the
// module's text), and `Shard` is Send.
unsafe impl Sync for Shards {}

/// The shards a command runs on.
pub struct Held<'k> {
    shards: &'k Shards,
    set: Set<'k>,
}

type Guard<'k> = MutexGuard<'k, ()>;

enum Set<'k> {
    /// Everything: one thread only, or the gate's write side.
    All,
    One(u32, #[expect(dead_code, reason = "held for its drop")] Guard<'k>),
    Many(SmallVec<[(u32, Guard<'k>); 8]>),
    /// Whichever was asked for last.
    Walk(Option<(u32, Guard<'k>)>),
}

impl Shards {
    /// With `single`, one thread alone may use the shards, and no lock is ever taken.
    pub(crate) fn new(shards: Vec<Shard>, single: bool) -> Self {
        let cell = |shard| CachePadded::new(Cell { lock: Mutex::new(()), shard });
        let cells = shards.into_iter().map(UnsafeCell::new).map(cell).collect();
        Self { cells, single }
    }

    /// How many shards there are.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Never: an engine has shards.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Takes one shard. The caller holds the gate's read side.
    #[inline]
    pub fn hold_one(&self, shard: u32) -> Held<'_> {
        if self.single {
            return Held { shards: self, set: Set::All };
        }
        Held { shards: self, set: Set::One(shard, self.lock(shard)) }
    }

    /// Takes one shard if nobody has it.
    #[inline]
    pub fn try_hold_one(&self, shard: u32) -> Option<Held<'_>> {
        if self.single {
            return Some(Held { shards: self, set: Set::All });
        }
        let guard = self.cells[shard as usize].lock.try_lock()?;
        Some(Held { shards: self, set: Set::One(shard, guard) })
    }

    /// Takes several shards, in ascending order whatever the order of `wanted`. The caller holds
    /// the gate's read side.
    pub fn hold_many(&self, wanted: impl IntoIterator<Item = u32>) -> Held<'_> {
        if self.single {
            return Held { shards: self, set: Set::All };
        }
        let mut wanted: SmallVec<[u32; 16]> = wanted.into_iter().collect();
        wanted.sort_unstable();
        wanted.dedup();
        let set = wanted.into_iter().map(|shard| (shard, self.lock(shard))).collect();
        Held { shards: self, set: Set::Many(set) }
    }

    /// The right to take one shard after another, each for as long as no other one is asked for:
    /// for walks that need not see all shards at the same moment. The caller holds the gate's read
    /// side.
    pub fn hold_walk(&self) -> Held<'_> {
        Held { shards: self, set: if self.single { Set::All } else { Set::Walk(None) } }
    }

    /// Every shard, by the gate's write side, or because there is one thread only.
    pub fn hold_all<'k>(&'k self, _proof: &'k Alone<'_>) -> Held<'k> {
        Held { shards: self, set: Set::All }
    }

    #[inline]
    fn lock(&self, shard: u32) -> Guard<'_> {
        self.cells[shard as usize].lock.lock()
    }

    pub(crate) fn is_single(&self) -> bool {
        self.single
    }
}

/// Proof that the calling thread is alone.
pub struct Alone<'g> {
    _gate: Option<WriteGuard<'g>>,
}

impl<'g> Alone<'g> {
    /// By the gate's write side, or because there is one thread only.
    pub(crate) fn new(gate: Option<WriteGuard<'g>>) -> Self {
        Self { _gate: gate }
    }
}

impl Held<'_> {
    /// One of the shards that are held.
    ///
    /// # Panics
    /// When the shard is not held: dispatch took too little.
    #[inline]
    pub fn shard(&mut self, index: u32) -> &mut Shard {
        let held = match &self.set {
            Set::All => true,
            Set::One(shard, _) => *shard == index,
            Set::Many(set) => set.binary_search_by_key(&index, |held| held.0).is_ok(),
            Set::Walk(at) => {
                if at.as_ref().is_none_or(|held| held.0 != index) {
                    self.walk_to(index);
                }
                true
            }
        };
        assert!(held, "a command reached for a shard that was not taken for it");
        // SAFETY: the shard is held (just asserted), which excludes every other thread, and the
        // exclusive borrow of `self` excludes a second borrow in this one: a thread has one
        // `Held` over a shard at a time, since the locks are not reentrant and `hold_all` borrows
        // the proof of being alone.
        unsafe { &mut *self.shards.cells[index as usize].shard.get() }
    }

    /// One of the shards that are held, for reading, beside others.
    ///
    /// # Panics
    /// When the shard is not held: dispatch took too little.
    pub fn look(&self, index: u32) -> &Shard {
        assert!(self.holds(index), "a command reached for a shard that was not taken for it");
        // SAFETY: as in `shard`; the shared borrow of `self` excludes exclusive ones.
        unsafe { &*self.shards.cells[index as usize].shard.get() }
    }

    /// Lets the present shard go, then takes another one: never two at a time.
    #[cold]
    fn walk_to(&mut self, index: u32) {
        self.set = Set::Walk(None);
        let shards: &Shards = self.shards;
        self.set = Set::Walk(Some((index, shards.lock(index))));
    }

    /// Whether a shard is held.
    pub fn holds(&self, index: u32) -> bool {
        match &self.set {
            Set::All => true,
            Set::One(shard, _) => *shard == index,
            Set::Many(set) => set.binary_search_by_key(&index, |held| held.0).is_ok(),
            Set::Walk(at) => at.as_ref().is_some_and(|held| held.0 == index),
        }
    }

    /// Whether every shard is held.
    pub fn is_all(&self) -> bool {
        matches!(self.set, Set::All)
    }

    /// Whether no shard is held.
    pub fn is_none(&self) -> bool {
        matches!(&self.set, Set::Many(set) if set.is_empty())
    }

    /// How many shards there are in all.
    pub fn count(&self) -> u32 {
        self.shards.cells.len() as u32
    }
}
