//! What the allocator counts for each thread: the bytes that it has asked for and given back.

use std::cell::Cell;
use std::ptr::with_exposed_provenance;
use std::sync::atomic::{AtomicU64, Ordering};

use parking_lot::Mutex;
use tikv_jemalloc_ctl::raw;

/// Where the allocator counts what a thread has asked for and given back.
type Counts = [*mut u64; 2];

thread_local! {
    static COUNTS: Cell<Option<Counts>> = const { Cell::new(None) };
}

/// Bytes that the calling thread has asked for less those that it has given back, whoever asked for
/// them: negative for a thread that frees what others make.
#[inline]
pub fn balance() -> i64 {
    let [taken, given] = COUNTS.get().unwrap_or_else(find_counts);
    // SAFETY: these are the counters of the calling thread, which live as long as it does.
    unsafe { taken.read().wrapping_sub(given.read()) as i64 }
}

#[cold]
fn find_counts() -> Counts {
    // SAFETY: the controls give the addresses of counters of 64 bits.
    let counts = [&b"thread.allocatedp\0"[..], b"thread.deallocatedp\0"]
        .map(|name| unsafe { raw::read(name) }.expect("the allocator keeps statistics"));
    COUNTS.set(Some(counts));
    counts
}

/// The balances of several threads, each in a place of its own: addresses, 0 for none.
#[derive(Default, Debug)]
pub struct Balances(Mutex<Vec<[usize; 2]>>);

/// A thread's place among the balances; it is left when this is dropped.
pub struct Seat<'b>(&'b Balances, usize);

impl Balances {
    /// Gives the calling thread a place until the seat is dropped, which is to happen before the
    /// thread ends.
    pub fn sit(&self) -> Seat<'_> {
        let mut all = self.0.lock();
        all.push(find_counts().map(|count| count.expose_provenance()));
        Seat(self, all.len() - 1)
    }

    /// What the balances of all threads that have a place come to.
    pub fn sum(&self) -> i64 {
        let read = |address: usize| {
            let count = with_exposed_provenance::<u64>(address).cast_mut();
            // SAFETY: the counter belongs to a thread that has a place, and it cannot leave that
            // while the lock is held. The allocator writes the counter as a whole.
            unsafe { AtomicU64::from_ptr(count) }.load(Ordering::Relaxed)
        };
        let all = self.0.lock();
        let taken = all.iter().filter(|seat| seat[0] != 0);
        taken.map(|&[taken, given]| read(taken).wrapping_sub(read(given)) as i64).sum()
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.0.lock()[self.1] = [0; 2];
    }
}
