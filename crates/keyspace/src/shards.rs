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
        let mut held = self.hold_none();
        held.take_one(shard);
        held
    }

    /// No shard yet: for [`Held::take_one`] and the like, which fill in what is there. What they
    /// fill is long, and to be given it by another function would be to copy it.
    #[inline]
    pub fn hold_none(&self) -> Held<'_> {
        self.held(Set::Many(SmallVec::new()))
    }

    /// Runs `look` on one shard if nobody has it; the calling thread has none.
    #[inline]
    pub fn look_if_free<R>(&self, shard: u32, look: impl FnOnce(&Shard) -> R) -> Option<R> {
        let cell = &self.cells[shard as usize];
        if !self.single && !cell.lock.try_take() {
            return None;
        }
        let _taken = (!self.single).then(|| Taken(&cell.lock));
        // SAFETY: the shard's lock is held until the end of this function, or there is one thread
        // only; in this thread nobody has it, as the caller says.
        Some(look(unsafe { &*cell.shard.get() }))
    }

    /// Takes several shards, in ascending order whatever the order of `wanted`. The caller holds
    /// the gate's read side.
    pub fn hold_many(&self, wanted: impl IntoIterator<Item = u32>) -> Held<'_> {
        let mut held = self.hold_none();
        held.take_many(wanted);
        held
    }

    /// The right to take one shard after another, each for as long as no other one is asked for:
    /// for walks that need not see all shards at the same moment. The caller holds the gate's read
    /// side.
    pub fn hold_walk(&self) -> Held<'_> {
        let mut held = self.hold_none();
        held.take_walk();
        held
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

/// A lock that is let go when this is dropped.
struct Taken<'l>(&'l Lock);

impl Drop for Taken<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.release();
    }
}

impl Held<'_> {
    /// [`Shards::hold_one`] for who holds none.
    #[inline]
    pub fn take_one(&mut self, shard: u32) {
        debug_assert!(self.is_none(), "shards are taken together and in order");
        if self.shards.single {
            self.set = Set::All;
        } else {
            self.shards.cells[shard as usize].lock.take();
            self.set = Set::One(shard);
        }
    }

    /// [`Shards::hold_many`] for who holds none.
    pub fn take_many(&mut self, wanted: impl IntoIterator<Item = u32>) {
        debug_assert!(self.is_none(), "shards are taken together and in order");
        if self.shards.single {
            self.set = Set::All;
            return;
        }
        let Set::Many(set) = &mut self.set else { return };
        set.extend(wanted);
        set.sort_unstable();
        set.dedup();
        for shard in &*set {
            self.shards.cells[*shard as usize].lock.take();
        }
    }

    /// [`Shards::hold_walk`] for who holds none.
    pub fn take_walk(&mut self) {
        debug_assert!(self.is_none(), "shards are taken together and in order");
        self.set = if self.shards.single { Set::All } else { Set::Walk(None) };
    }

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
