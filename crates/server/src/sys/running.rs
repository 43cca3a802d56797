//! The arguments of the command that a worker is running, where a report finds them when the
//! process crashes under it.

use std::ptr;
use std::sync::atomic::{AtomicPtr, AtomicU64, AtomicUsize, Ordering};

use super::fault::Crash;

/// See the module's text. Plain stores by one thread; nobody reads them but after a crash.
#[derive(Debug, Default)]
pub struct Running {
    argv: AtomicPtr<&'static [u8]>,
    /// 0 between commands.
    count: AtomicUsize,
    client: AtomicU64,
}

impl Running {
    /// A client's command begins; the arguments stay where they are until `end`.
    #[inline]
    pub fn begin(&self, client: u64, argv: &[&[u8]]) {
        self.argv.store(ptr::from_ref(argv).cast_mut().cast(), Ordering::Relaxed);
        self.client.store(client, Ordering::Relaxed);
        self.count.store(argv.len(), Ordering::Release);
    }

    /// The command is over.
    #[inline]
    pub fn end(&self) {
        self.count.store(0, Ordering::Relaxed);
    }

    /// The client, and copies of the arguments. For the worker of that crash, which waits for the
    /// report and goes no further.
    pub fn under(&self, _: &Crash) -> Option<(u64, Vec<Vec<u8>>)> {
        let count = self.count.load(Ordering::Acquire);
        if count == 0 {
            return None;
        }
        // SAFETY: `begin` was given this slice, `end` was not reached, and the thread that would
        // reach it waits in the crash; it ends the process without leaving that frame.
        let argv: &[&[u8]] =
            unsafe { std::slice::from_raw_parts(self.argv.load(Ordering::Relaxed), count) };
        let copies = argv.iter().map(|argument| argument.to_vec()).collect();
        Some((self.client.load(Ordering::Relaxed), copies))
    }
}
