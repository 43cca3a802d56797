//! When the next batch is due in an open loop. Knows no clock: moments are nanoseconds since the
//! start.
//!
//! What is due while every connection waits is sent late, and its latency counts from when it was
//! due. So a server that stands still for a moment is charged for everybody who would have come
//! meanwhile, and not for the one who happened to be there (G. Tene calls the opposite coordinated
//! omission).

/// From when the latency of a batch counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Since {
    /// From the moment at which it was due.
    Due,
    /// From the moment at which it was sent.
    Sent,
}

/// Batches at even distances.
#[derive(Clone, Debug)]
pub struct Schedule {
    interval_ns: f64,
    /// Batches that have been taken.
    taken: u64,
    since: Since,
}

impl Schedule {
    /// So many batches a second, which must be over 0.
    pub fn new(per_second: f64, since: Since) -> Schedule {
        Schedule { interval_ns: 1e9 / per_second, taken: 0, since }
    }

    /// When the next batch is due.
    pub fn due(&self) -> u64 {
        (self.taken as f64 * self.interval_ns) as u64
    }

    /// Takes the next batch if it is due; returns from when its latency counts.
    pub fn take(&mut self, now: u64) -> Option<u64> {
        let due = self.due();
        if due > now {
            return None;
        }
        self.taken += 1;
        match self.since {
            Since::Due => Some(due),
            Since::Sent => {
                // Who only limits the rate does not catch up on what a slow server kept back.
                let behind = ((now - due) as f64 / self.interval_ns) as u64;
                self.taken += behind.saturating_sub(SLACK);
                Some(now)
            }
        }
    }
}

/// Batches that may be sent at once after a delay where the rate is a limit alone.
const SLACK: u64 = 16;

#[cfg(test)]
mod tests;
