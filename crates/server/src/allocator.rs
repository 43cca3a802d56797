//! What the process's memory amounts to: the allocator's own figures, what the system sees, and
//! the highest amount so far.
//!
//! It knows nothing of keys. The figures are those of jemalloc whether or not the program made it
//! the allocator of everything; the binary does.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use tikv_jemalloc_ctl::stats_print::{Options, stats_print};
use tikv_jemalloc_ctl::{Access, AsName, epoch, stats};

use crate::sys;
use crate::sys::balance::Balances;
pub use crate::sys::balance::balance;

/// How much the balances may change while the allocator is asked, in bytes, and how often it is
/// asked for an answer that fits them.
const RECKON_SLACK: u64 = 64 << 10;
const RECKON_TRIES: u32 = 4;

/// Bytes, as the allocator counts them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Figures {
    /// Asked for and not given back, rounded up to the allocator's sizes.
    pub used: u64,
    /// The same with what threads keep for themselves of what was given back.
    pub allocated: u64,
    /// In pages that hold something that is allocated.
    pub active: u64,
    /// In pages that the system has given and not got back.
    pub resident: u64,
    /// In pages that the system may take back when it wants to.
    pub muzzy: u64,
}

/// The present figures.
pub fn figures() -> Figures {
    // The epoch's number is of no interest, only that the figures are taken anew.
    epoch::advance().ok();
    let number = |read: Result<usize, _>| read.unwrap_or(0) as u64;
    let muzzy_pages: Result<usize, _> = "stats.arenas.4096.pmuzzy\0".name().read();
    let page: Result<usize, _> = "arenas.page\0".name().read();
    let kept: Result<usize, _> = "stats.arenas.4096.tcache_bytes\0".name().read();
    let allocated = number(stats::allocated::read());
    Figures {
        used: allocated.saturating_sub(number(kept)),
        allocated,
        active: number(stats::active::read()),
        resident: number(stats::resident::read()),
        muzzy: number(muzzy_pages) * number(page),
    }
}

/// The allocator's report on itself, some pages of text.
pub fn report() -> Vec<u8> {
    let mut text = Vec::new();
    if let Err(error) = stats_print(&mut text, Options::default()) {
        log::warn!("The allocator's report: {error}");
    }
    text
}

/// Lets a thread of the allocator give unused pages back to the system. Else every thread that asks
/// for memory or gives it back does so in between: a worker for milliseconds, while its clients
/// wait. The new thread has the priority of the calling one.
pub fn release_apart() {
    if let Err(error) = "background_thread\0".name().write(true) {
        log::warn!("The allocator has no thread of its own: {error}");
    }
}

/// Bytes of this process that are in memory; 0 where the system does not tell.
pub fn resident_set() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text.split(' ').nth(1).and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * sys::page_size()
}

/// Bytes of memory that the machine has.
pub fn system_memory() -> u64 {
    let info = rustix::system::sysinfo();
    info.totalram as u64 * u64::from(info.mem_unit)
}

/// What memory was in use at the start, and at most.
#[derive(Debug, Default)]
pub struct Gauge {
    /// The balances of the threads that ask for most.
    balances: Arc<Balances>,
    /// What was in use beyond these at the last look.
    base: AtomicI64,
    startup: AtomicU64,
    peak: AtomicU64,
    peak_ms: AtomicI64,
}

impl Gauge {
    /// Looks at what is in use now, at a time in Unix milliseconds. The first look is taken for
    /// what the server needs without data.
    pub fn look(&self, now_ms: i64) -> Figures {
        let figures = self.reckon();
        if self.startup.load(Ordering::Relaxed) == 0 {
            self.startup.store(figures.used, Ordering::Relaxed);
        }
        if self.peak.fetch_max(figures.used, Ordering::Relaxed) < figures.used {
            self.peak_ms.store(now_ms, Ordering::Relaxed);
        }
        figures
    }

    /// Asks the allocator, and reckons what of its answer does not stand in the balances.
    fn reckon(&self) -> Figures {
        let mut before = self.balances.sum();
        let mut tries = 0;
        loop {
            let figures = figures();
            let after = self.balances.sum();
            tries += 1;
            // The workers go on meanwhile, and this thread may have been off its core in between.
            // What they gave back is not to be taken for the others', or as much would be evicted
            // once more.
            if tries == RECKON_TRIES || after.abs_diff(before) <= RECKON_SLACK {
                let base = figures.used as i64 - before.max(after);
                self.base.store(base, Ordering::Relaxed);
                return figures;
            }
            before = after;
        }
    }

    /// Bytes in use: those of the last look, and what the threads that sit among the balances have
    /// taken since.
    pub fn used(&self) -> u64 {
        (self.base.load(Ordering::Relaxed) + self.balances.sum()).max(0) as u64
    }

    /// The balances that it knows of.
    pub fn balances(&self) -> Arc<Balances> {
        Arc::clone(&self.balances)
    }

    /// Bytes that were in use when the server had started.
    pub fn startup(&self) -> u64 {
        self.startup.load(Ordering::Relaxed)
    }

    /// Most bytes that a look found in use.
    pub fn peak(&self) -> u64 {
        self.peak.load(Ordering::Relaxed)
    }

    /// When that was, Unix milliseconds.
    pub fn peak_ms(&self) -> i64 {
        self.peak_ms.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests;
