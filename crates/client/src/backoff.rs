//! How long to wait before the next attempt to connect.
//!
//! Must not know clocks: it gives durations, and its caller waits.

#[cfg(test)]
mod tests;

use std::time::Duration;

/// Doubling waits, each spread over its upper half, so that many clients of a server that comes
/// back do not arrive at once.
#[derive(Clone, Debug)]
pub(crate) struct Backoff {
    first: Duration,
    longest: Duration,
    next: Duration,
}

impl Backoff {
    pub(crate) fn new(first: Duration, longest: Duration) -> Backoff {
        Backoff { first, longest, next: first }
    }

    /// The wait before the next attempt.
    pub(crate) fn wait(&mut self) -> Duration {
        let whole = self.next.min(self.longest);
        self.next = (whole * 2).min(self.longest);
        whole.mul_f64(0.5 + fastrand::f64() / 2.0)
    }

    /// The last attempt worked.
    pub(crate) fn reset(&mut self) {
        self.next = self.first;
    }
}
