//! A shard's lock: one flag.
//!
//! It knows nothing of what it guards. Invariant: between a successful [`Lock::take`] or
//! [`Lock::try_take`] and [`Lock::release`], no other thread's attempt succeeds.
//!
//! Letting go is a plain store, with nobody to wake: a command holds a shard for about a
//! microsecond, and every lookup of every command pays for what letting go costs. Who meets a
//! holder looks again, ever less often: at once, after giving way, and at last after sleeping,
//! because a holder that the system has taken off its core is gone for milliseconds.

use crate::sync::{AtomicBool, Ordering, pause};

/// See the module's text.
pub struct Lock(AtomicBool);

impl Lock {
    /// A lock that nobody holds.
    pub fn new() -> Self {
        Self(AtomicBool::new(false))
    }

    /// Takes it, waiting for whoever holds it. Not reentrant.
    #[inline]
    pub fn take(&self) {
        if !self.try_take() {
            self.wait();
        }
    }

    /// Takes it if nobody holds it.
    #[inline]
    pub fn try_take(&self) -> bool {
        !self.0.swap(true, Ordering::Acquire)
    }

    #[cold]
    fn wait(&self) {
        let mut rounds = 0;
        while !self.looks_free() || !self.try_take() {
            pause(rounds);
            rounds += 1;
        }
    }

    /// Asked before each further attempt, which would take the line away from the holder.
    fn looks_free(&self) -> bool {
        !self.0.load(Ordering::Relaxed)
    }

    /// Lets it go. Only who has taken it calls this.
    #[inline]
    pub fn release(&self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Default for Lock {
    fn default() -> Self {
        Self::new()
    }
}
