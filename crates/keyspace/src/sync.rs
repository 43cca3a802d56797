//! The primitives that the lock protocol stands on, in one place, so that a model checker can put
//! its own in their place (`--cfg loom`).

#[cfg(not(loom))]
use std::time::Duration;

#[cfg(not(loom))]
pub(crate) use parking_lot::{Mutex, MutexGuard};
#[cfg(not(loom))]
pub(crate) use std::sync::atomic::{AtomicBool, Ordering};

#[cfg(loom)]
pub(crate) use loom::sync::MutexGuard;
#[cfg(loom)]
pub(crate) use loom::sync::atomic::{AtomicBool, Ordering};

/// A mutex whose `lock` does not speak of poisoning, as parking_lot's.
#[cfg(loom)]
pub(crate) struct Mutex<T>(loom::sync::Mutex<T>);

#[cfg(loom)]
impl<T> Mutex<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(loom::sync::Mutex::new(value))
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().expect("no thread panics while it holds the gate")
    }
}

/// How long a lock is waited for before it is asked whether to go on waiting.
#[cfg(not(loom))]
const PATIENCE: Duration = Duration::from_millis(5);

/// Takes a lock, unless `gives_up` says after some time that it is not worth waiting for.
pub(crate) fn lock_unless<'m, T>(
    mutex: &'m Mutex<T>,
    mut gives_up: impl FnMut() -> bool,
) -> Option<MutexGuard<'m, T>> {
    #[cfg(loom)]
    {
        let _ = &mut gives_up;
        Some(mutex.lock())
    }
    #[cfg(not(loom))]
    {
        let mut guard = mutex.try_lock();
        while guard.is_none() && !gives_up() {
            guard = mutex.try_lock_for(PATIENCE);
        }
        guard
    }
}

/// Sets a flag before every later load of this thread, in the one order that all sequentially
/// consistent operations have. loom takes such a store for a releasing one and knows that order
/// only of fences, so there it gets the fence.
#[inline]
pub(crate) fn announce(flag: &AtomicBool) {
    flag.store(true, Ordering::SeqCst);
    #[cfg(loom)]
    loom::sync::atomic::fence(Ordering::SeqCst);
}

/// Lets another thread run while waiting for it.
pub(crate) fn relax(spins: u32) {
    #[cfg(loom)]
    {
        let _ = spins;
        loom::thread::yield_now();
    }
    #[cfg(not(loom))]
    if spins < 64 {
        std::hint::spin_loop();
    } else {
        std::thread::yield_now();
    }
}

/// Waits for a lock's holder, the longer the more rounds were in vain.
pub(crate) fn pause(rounds: u32) {
    #[cfg(loom)]
    {
        let _ = rounds;
        loom::thread::yield_now();
    }
    #[cfg(not(loom))]
    match rounds {
        0..64 => std::hint::spin_loop(),
        64..72 => std::thread::yield_now(),
        _ => std::thread::sleep(Duration::from_micros(20 << (rounds - 72).min(4))),
    }
}
