//! The shards, their locks, and the right to touch them.
//!
//! It knows nothing of commands. Lock order: gate, then shards in ascending order. Invariants: a
//! shard is reached only through a [`Held`] that holds it, and a `Held` holds a shard either by its
//! lock, or because the gate's write side is held, or because there is one thread only.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::marker::PhantomData;

use crossbeam_utils::CachePadded;
use smallvec::SmallVec;

use crate::gate::WriteGuard;
use crate::lock::Lock;
use crate::shard::Shard;

/// The lock and what a lookup reads of the first database share a cache line.
#[repr(C)]
struct Cell {
    lock: Lock,
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

/// The shards a command runs on. They are let go when it is dropped.
pub struct Held<'k> {
    shards: &'k Shards,
    set: Set,
    /// The one of them that was asked for last: most commands ask for one several times.
    last: u32,
    /// Locks are let go by the thread that took them.
    _thread: PhantomData<*const ()>,
}

enum Set {
    /// Everything: one thread only, or the gate's write side.
    All,
    One(u32),
    /// In ascending order, each once.
    Many(SmallVec<[u32; 16]>),
    /// Whichever was asked for last.
    Walk(Option<u32>),
}

/// No shard's number.
const NONE: u32 = u32::MAX;

impl Shards {
    /// With `single`, one thread alone may use the shards, and no lock is ever taken.
    pub(crate) fn new(shards: Vec<Shard>, single: bool) -> Self {
        let cell = |shard| CachePadded::new(Cell { lock: Lock::new(), shard });
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
            return self.held(Set::All);
        }
        self.cells[shard as usize].lock.take();
        self.held(Set::One(shard))
    }

    /// Takes one shard if nobody has it.
    #[inline]
    pub fn try_hold_one(&self, shard: u32) -> Option<Held<'_>> {
        if self.single {
            return Some(self.held(Set::All));
        }
        self.cells[shard as usize].lock.try_take().then(|| self.held(Set::One(shard)))
    }

    /// Takes several shards, in ascending order whatever the order of `wanted`. The caller holds
    /// the gate's read side.
    pub fn hold_many(&self, wanted: impl IntoIterator<Item = u32>) -> Held<'_> {
        if self.single {
            return self.held(Set::All);
        }
        let mut wanted: SmallVec<[u32; 16]> = wanted.into_iter().collect();
        wanted.sort_unstable();
        wanted.dedup();
        for shard in &wanted {
            self.cells[*shard as usize].lock.take();
        }
        self.held(Set::Many(wanted))
    }

    /// The right to take one shard after another, each for as long as no other one is asked for:
    /// for walks that need not see all shards at the same moment. The caller holds the gate's read
    /// side.
    pub fn hold_walk(&self) -> Held<'_> {
        self.held(if self.single { Set::All } else { Set::Walk(None) })
    }

    /// Every shard, by the gate's write side, or because there is one thread only.
    pub fn hold_all<'k>(&'k self, _proof: &'k Alone<'_>) -> Held<'k> {
        self.held(Set::All)
    }

    #[inline]
    fn held(&self, set: Set) -> Held<'_> {
        Held { shards: self, set, last: NONE, _thread: PhantomData }
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
        if index != self.last {
            self.turn_to(index);
        }
        // SAFETY: the shard is held (`turn_to` asserts it before it sets `last`), which excludes
        // every other thread, and the exclusive borrow of `self` excludes a second borrow in this
        // one: a thread has one `Held` over a shard at a time, since the locks are not reentrant
        // and `hold_all` borrows the proof of being alone.
        unsafe { &mut *self.shards.cells[index as usize].shard.get() }
    }

    #[inline]
    fn turn_to(&mut self, index: u32) {
        if let Set::Walk(at) = &self.set
            && *at != Some(index)
        {
            self.walk_to(index);
        }
        assert!(self.holds(index), "a command reached for a shard that was not taken for it");
        self.last = index;
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
        self.let_go();
        self.set = Set::Walk(None);
        self.shards.cells[index as usize].lock.take();
        self.set = Set::Walk(Some(index));
    }

    #[inline]
    fn let_go(&mut self) {
        let release = |shard: &u32| self.shards.cells[*shard as usize].lock.release();
        match &self.set {
            Set::All => {}
            Set::One(shard) => release(shard),
            Set::Many(set) => set.iter().for_each(release),
            Set::Walk(at) => at.iter().for_each(release),
        }
    }

    /// Whether a shard is held.
    pub fn holds(&self, index: u32) -> bool {
        match &self.set {
            Set::All => true,
            Set::One(shard) => *shard == index,
            Set::Many(set) => set.binary_search(&index).is_ok(),
            Set::Walk(at) => *at == Some(index),
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

impl Drop for Held<'_> {
    #[inline]
    fn drop(&mut self) {
        self.let_go();
    }
}
