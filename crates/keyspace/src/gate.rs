//! The gate: a big-reader lock. Workers pass its read side for every batch of commands, touching
//! only a line of their own; an exclusive command takes the write side and then is alone.
//!
//! It knows nothing of shards. Lock order: the gate comes before every shard lock.
//! Invariants: while a [`WriteGuard`] lives, no [`ReadGuard`] does; at most one `WriteGuard` lives.
//!
//! The protocol is Dekker's: a reader raises its flag, then looks for a writer; a writer raises its
//! flag, then waits for each reader's to fall. Both orders are sequentially consistent, so at least
//! one of the two sees the other.

use crossbeam_utils::CachePadded;

use crate::sync::{AtomicBool, Mutex, MutexGuard, Ordering, announce, lock_unless, relax};

/// See the module's text.
pub struct Gate {
    readers: Box<[CachePadded<AtomicBool>]>,
    writing: AtomicBool,
    writer: Mutex<()>,
}

impl Gate {
    /// A gate for so many reading threads, each with a number of its own.
    pub fn new(readers: usize) -> Self {
        Self {
            readers: (0..readers).map(|_| CachePadded::new(AtomicBool::new(false))).collect(),
            writing: AtomicBool::new(false),
            writer: Mutex::new(()),
        }
    }

    /// Passes the read side as the reader of that number, which must not hold it already. Waits
    /// while a writer is inside.
    pub fn read(&self, reader: usize) -> ReadGuard<'_> {
        loop {
            if let Some(guard) = self.read_unless(reader, || false) {
                return guard;
            }
        }
    }

    /// The same, unless `gives_up` says so while a writer has been inside for some milliseconds.
    #[inline]
    pub fn read_unless(
        &self,
        reader: usize,
        mut gives_up: impl FnMut() -> bool,
    ) -> Option<ReadGuard<'_>> {
        let flag = &*self.readers[reader];
        loop {
            announce(flag);
            if !self.writing.load(Ordering::SeqCst) {
                return Some(ReadGuard { flag });
            }
            flag.store(false, Ordering::Release);
            drop(lock_unless(&self.writer, &mut gives_up)?);
        }
    }

    /// Whether a writer waits or is inside: a reader that holds on for long lets go then.
    pub fn is_wanted(&self) -> bool {
        self.writing.load(Ordering::Relaxed)
    }

    /// Takes the write side. The calling thread must not hold the read side.
    pub fn write(&self) -> WriteGuard<'_> {
        loop {
            if let Some(guard) = self.write_unless(|| false) {
                return guard;
            }
        }
    }

    /// The same, unless `gives_up` says so while another writer has been inside for some
    /// milliseconds.
    pub fn write_unless(&self, gives_up: impl FnMut() -> bool) -> Option<WriteGuard<'_>> {
        let guard = lock_unless(&self.writer, gives_up)?;
        announce(&self.writing);
        for reader in &self.readers {
            let mut spins = 0;
            while reader.load(Ordering::SeqCst) {
                relax(spins);
                spins += 1;
            }
        }
        Some(WriteGuard { gate: self, _guard: guard })
    }
}

/// The read side, held.
pub struct ReadGuard<'a> {
    flag: &'a AtomicBool,
}

impl Drop for ReadGuard<'_> {
    fn drop(&mut self) {
        self.flag.store(false, Ordering::Release);
    }
}

/// The write side, held.
pub struct WriteGuard<'a> {
    gate: &'a Gate,
    _guard: MutexGuard<'a, ()>,
}

impl Drop for WriteGuard<'_> {
    fn drop(&mut self) {
        self.gate.writing.store(false, Ordering::Release);
    }
}
