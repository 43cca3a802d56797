//! Rests between the keys of a load, as `key-load-delay` says: so that tests can look at a server
//! that loads.

use std::thread;
use std::time::Duration;

/// So much is rested at once: shorter sleeps take longer than they say.
const REST_MIN: Duration = Duration::from_millis(1);

/// What is still to be rested.
#[derive(Default)]
pub struct Rest {
    owed: Duration,
}

impl Rest {
    /// After a key. `delay` is in microseconds, or when it is negative, the number of keys that
    /// share one.
    pub fn after_key(&mut self, delay: i64) {
        self.owed += match u64::try_from(delay) {
            Ok(delay_us) => Duration::from_micros(delay_us),
            Err(_) => Duration::from_nanos(1000 / delay.unsigned_abs()),
        };
        if self.owed >= REST_MIN {
            thread::sleep(std::mem::take(&mut self.owed));
        }
    }
}
