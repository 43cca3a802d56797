//! Time: the wall clock, and a cheap counter for measuring how long commands take.

use std::sync::OnceLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::sys;

/// Nanoseconds since 1970.
pub fn unix_ns() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64)
}

/// Microseconds since 1970.
pub fn unix_us() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_micros() as i64)
}

/// Milliseconds since 1970.
pub fn unix_ms() -> i64 {
    unix_us() / 1000
}

/// Turns the processor's counter into nanoseconds.
#[derive(Clone, Copy, Debug)]
pub struct Ticks {
    /// Nanoseconds a tick, as a fixed-point number with 32 fractional bits.
    scale: u64,
}

impl Ticks {
    /// Measures the counter against the monotonic clock for a few milliseconds, once a process.
    pub fn calibrated() -> Self {
        static SCALE: OnceLock<u64> = OnceLock::new();
        Self { scale: *SCALE.get_or_init(measure) }
    }

    /// The counter now.
    #[inline]
    pub fn now() -> u64 {
        sys::ticks()
    }

    /// How many ticks a microsecond has.
    pub fn per_us(self) -> f64 {
        1000.0 * (1u64 << 32) as f64 / self.scale as f64
    }

    /// How many nanoseconds so many ticks are.
    #[inline]
    pub fn nanoseconds(self, ticks: u64) -> u64 {
        ((u128::from(ticks) * u128::from(self.scale)) >> 32) as u64
    }
}

fn measure() -> u64 {
    let (start, ticks) = (Instant::now(), sys::ticks());
    while start.elapsed().as_millis() < 5 {
        std::hint::spin_loop();
    }
    let passed = sys::ticks().wrapping_sub(ticks).max(1);
    ((start.elapsed().as_nanos() << 32) / u128::from(passed)) as u64
}
