//! The background thread: it frees what may take long to free and nobody waits for.
//!
//! The pages that this leaves are given back to the system by a thread of the allocator, which the
//! background thread starts because it inherits its low priority.
//!
//! It knows nothing of commands. What it is given belongs to it alone.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, Sender};
use std::thread;

use keyspace::Discarded;

use crate::allocator;
use crate::sys::balance::Balances;

/// See the module's text.
pub struct Background {
    queue: Sender<Discarded>,
    counts: Arc<Counts>,
}

#[derive(Default)]
struct Counts {
    pending: AtomicU64,
    freed: AtomicU64,
    /// About how many bytes wait.
    bytes: AtomicU64,
}

impl Background {
    /// Starts the thread; it ends with the process, or when this value is dropped.
    pub fn start(balances: Arc<Balances>) -> io::Result<Self> {
        let (queue, receiver) = mpsc::channel();
        let counts = Arc::new(Counts::default());
        let shared = Arc::clone(&counts);
        let name = "background".to_owned();
        thread::Builder::new().name(name).spawn(move || run(&receiver, &shared, &balances))?;
        Ok(Self { queue, counts })
    }

    /// Leaves something to the thread. It is freed here if the thread is gone, or if that takes no
    /// longer: whoever flushes little data finds its memory free then.
    pub fn free(&self, mut discarded: Discarded) {
        if discarded.is_light() {
            while let freed @ 1.. = discarded.free_some() {
                self.counts.freed.fetch_add(freed as u64, Ordering::Relaxed);
            }
            return;
        }
        self.counts.pending.fetch_add(discarded.objects() as u64, Ordering::Relaxed);
        self.counts.bytes.fetch_add(discarded.bytes() as u64, Ordering::Relaxed);
        drop(self.queue.send(discarded));
    }

    /// Keys that wait to be freed.
    pub fn pending(&self) -> u64 {
        self.counts.pending.load(Ordering::Acquire)
    }

    /// About how many bytes they take.
    pub fn pending_bytes(&self) -> u64 {
        self.counts.bytes.load(Ordering::Relaxed)
    }

    /// Keys that were freed since the start or [`Self::reset`].
    pub fn freed(&self) -> u64 {
        self.counts.freed.load(Ordering::Relaxed)
    }

    /// Begins to count what is freed anew.
    pub fn reset(&self) {
        self.counts.freed.store(0, Ordering::Relaxed);
    }
}

fn run(queue: &Receiver<Discarded>, counts: &Counts, balances: &Balances) {
    step_back();
    allocator::release_apart();
    let _seat = balances.sit();
    for mut discarded in queue {
        let (mut bytes, mut objects) = (discarded.bytes() as u64, discarded.objects() as u64);
        loop {
            let freed = discarded.free_some() as u64;
            if freed == 0 {
                break;
            }
            counts.freed.fetch_add(freed, Ordering::Relaxed);
            counts.pending.fetch_sub(freed, Ordering::Release);
            let part = (bytes * freed).checked_div(objects).unwrap_or(0);
            counts.bytes.fetch_sub(part, Ordering::Relaxed);
            (bytes, objects) = (bytes - part, objects.saturating_sub(freed));
        }
        counts.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// Lets workers have the cores first: a thread that is woken by a worker would otherwise often run
/// at once in its place, and the worker's clients would wait.
#[cfg(target_os = "linux")]
fn step_back() {
    const NICE: i32 = 5;
    // Without a process named it is the calling thread's; at the usual priority it works as well.
    if let Err(error) = rustix::process::setpriority_process(None, NICE) {
        log::debug!("the background thread keeps its priority: {error}");
    }
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}
