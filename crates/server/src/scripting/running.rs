//! The script that is running: since when, whether it takes too long, and whether it is to end.
//!
//! One script runs at a time. Whoever runs it says so here; whoever waits for the gate looks here
//! whether to go on waiting.

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock::Ticks;

/// It is in the middle of a change, and nobody knows yet whether that can be changed back.
const CHANGES: u8 = 1;
/// It is to end.
const TO_END: u8 = 2;
/// It has changed what cannot be changed back.
const UNKILLABLE: u8 = 4;
/// How long whoever wants to end it waits each time for the change under way.
const NAP: Duration = Duration::from_micros(200);

/// What FUNCTION STATS shows of a script that takes long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Shown {
    /// The function, or the digest of the script.
    pub name: Vec<u8>,
    /// The command that runs it.
    pub command: Vec<Vec<u8>>,
}

/// See the module's text.
#[derive(Debug, Default)]
pub struct Running {
    /// The processor's counter when it began; 0 when none runs.
    since: AtomicU64,
    is_function: AtomicBool,
    /// The server ends with it, so it does not matter what it leaves behind.
    is_last: AtomicBool,
    /// `CHANGES`, `TO_END` or `UNKILLABLE`, or none of them.
    fate: AtomicU8,
    /// Nanoseconds after which it is one that takes long; 0 is never.
    threshold_ns: AtomicU64,
    shown: Mutex<Option<Shown>>,
}

impl Running {
    /// Says how many milliseconds a script may take before clients are told that it runs; 0 for
    /// any number.
    pub fn set_threshold(&self, ms: u64) {
        self.threshold_ns.store(ms.saturating_mul(1_000_000), Ordering::Relaxed);
    }

    /// A script begins.
    #[inline]
    pub fn begin(&self, is_function: bool) {
        self.is_function.store(is_function, Ordering::Relaxed);
        // It was meant for one that was over by then.
        self.is_last.store(false, Ordering::Relaxed);
        self.fate.store(0, Ordering::Relaxed);
        self.since.store(Ticks::now().max(1), Ordering::Release);
    }

    /// The script is over.
    #[inline]
    pub fn end(&self) {
        self.since.store(0, Ordering::Release);
    }

    /// How many nanoseconds after the script's beginning the processor's counter stood there.
    #[inline]
    pub fn passed_ns(&self, ticks: Ticks, at: u64) -> u64 {
        ticks.nanoseconds(at.saturating_sub(self.since.load(Ordering::Relaxed)))
    }

    /// How many nanoseconds a script has been running that takes long.
    pub fn overdue_ns(&self, ticks: Ticks) -> Option<u64> {
        let since = self.since.load(Ordering::Acquire);
        let threshold_ns = self.threshold_ns.load(Ordering::Relaxed);
        if since == 0 || threshold_ns == 0 {
            return None;
        }
        let passed_ns = ticks.nanoseconds(Ticks::now().saturating_sub(since));
        (passed_ns >= threshold_ns).then_some(passed_ns)
    }

    /// Whether a script is running that takes long.
    pub fn is_overdue(&self, ticks: Ticks) -> bool {
        self.overdue_ns(ticks).is_some()
    }

    /// Whether what runs is a function.
    pub fn is_function(&self) -> bool {
        self.is_function.load(Ordering::Relaxed)
    }

    /// Asks the script to end; false if it has changed what cannot be changed back. Waits until
    /// that is known, as the script is in the middle of a command then.
    pub fn kill(&self) -> bool {
        loop {
            let free = self.fate.compare_exchange(0, TO_END, Ordering::AcqRel, Ordering::Acquire);
            match free {
                Ok(_) | Err(TO_END) => return true,
                Err(UNKILLABLE) => return false,
                Err(_) => std::thread::sleep(NAP),
            }
        }
    }

    /// Asks the script to end, and the server with it.
    pub fn kill_last(&self) {
        self.is_last.store(true, Ordering::Release);
    }

    /// Takes that back, if the script has not met it yet.
    pub fn spare(&self) {
        self.is_last.store(false, Ordering::Release);
    }

    /// The script begins to change something; false if it must not, as it is to end.
    #[inline]
    pub fn begin_change(&self) -> bool {
        let was = self.fate.swap(CHANGES, Ordering::AcqRel);
        if was == TO_END {
            self.fate.store(TO_END, Ordering::Release);
        }
        was != TO_END
    }

    /// The change is made; tells whether everything so far can be changed back.
    #[inline]
    pub fn end_change(&self, is_lost: bool) {
        self.fate.store(if is_lost { UNKILLABLE } else { 0 }, Ordering::Release);
    }

    /// Whether the script must end now.
    pub fn is_to_end(&self) -> bool {
        self.is_last() || self.fate.load(Ordering::Acquire) == TO_END
    }

    /// Whether the server ends with the script.
    pub fn is_last(&self) -> bool {
        self.is_last.load(Ordering::Acquire)
    }

    /// Says what is running, or that it is over.
    pub fn show(&self, shown: Option<Shown>) {
        *self.shown.lock() = shown;
    }

    /// What is running, if it takes long.
    pub fn shown(&self) -> Option<Shown> {
        self.shown.lock().clone()
    }
}
