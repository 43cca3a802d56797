//! Moments in which the server was slow, by the event that made it so, for LATENCY.
//!
//! Nothing is kept of what took less than `latency-monitor-threshold`. Whoever measures something
//! that can hold clients up calls [`Monitor::note`], which is one comparison until it was too long.
//! Invariant: the samples of a series are in the order of their seconds, one a second.

mod graph;

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

use crate::clock;

/// Seconds that are remembered of an event.
const SAMPLES_MAX: usize = 160;

/// The worst delay of an event within one second.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// Unix seconds.
    pub seconds: i64,
    /// Milliseconds.
    pub ms: u64,
}

/// What is known of one event.
#[derive(Clone, Default, PartialEq, Eq, Debug)]
pub struct Series {
    /// The last seconds in which it happened, oldest first.
    pub samples: VecDeque<Sample>,
    /// The worst delay since the last reset, milliseconds.
    pub max: u64,
    /// All delays since then.
    pub sum: u64,
    /// How many there were.
    pub count: u64,
}

/// What a series comes to.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Summary {
    /// Mean of the samples, milliseconds.
    pub mean: u64,
    /// Mean distance of the samples from that, milliseconds.
    pub deviation: u64,
    /// Seconds between two samples.
    pub period: f64,
}

impl Series {
    fn add(&mut self, now_s: i64, ms: u64) {
        self.max = self.max.max(ms);
        self.sum += ms;
        self.count += 1;
        match self.samples.back_mut().filter(|last| last.seconds >= now_s) {
            Some(last) => last.ms = last.ms.max(ms),
            None => {
                if self.samples.len() == SAMPLES_MAX {
                    self.samples.pop_front();
                }
                self.samples.push_back(Sample { seconds: now_s, ms });
            }
        }
    }

    /// What the samples come to at a time.
    pub fn summary(&self, now_s: i64) -> Summary {
        let count = self.samples.len().max(1) as u64;
        let mean = self.samples.iter().map(|sample| sample.ms).sum::<u64>() / count;
        let distance = self.samples.iter().map(|sample| sample.ms.abs_diff(mean)).sum::<u64>();
        let since = self.samples.front().map_or(0, |oldest| (now_s - oldest.seconds).max(1));
        Summary { mean, deviation: distance / count, period: since as f64 / count as f64 }
    }

    /// The samples as a picture in text.
    pub fn graph(&self, event: &str, now_s: i64) -> String {
        graph::draw(event, self, now_s)
    }
}

/// See the module's text.
#[derive(Debug)]
pub struct Monitor {
    /// From which delay on something is kept, nanoseconds; as large as can be when nothing is.
    from_ns: AtomicU64,
    events: Mutex<BTreeMap<&'static str, Series>>,
}

impl Default for Monitor {
    fn default() -> Self {
        Self { from_ns: AtomicU64::new(u64::MAX), events: Mutex::default() }
    }
}

impl Monitor {
    /// Follows the configuration: from how many milliseconds on something is kept; 0 is never.
    pub fn set_threshold(&self, ms: u64) {
        self.from_ns.store(threshold_ns(ms), Ordering::Relaxed);
    }

    /// Whether anything is kept at all.
    #[inline]
    pub fn is_on(&self) -> bool {
        self.from_ns.load(Ordering::Relaxed) != u64::MAX
    }

    /// Keeps what something took if that was long.
    #[inline]
    pub fn note(&self, event: &'static str, took: Duration) {
        let nanoseconds = u64::try_from(took.as_nanos()).unwrap_or(u64::MAX - 1);
        if nanoseconds >= self.from_ns.load(Ordering::Relaxed) {
            self.add(event, clock::unix_ms() / 1000, nanoseconds / 1_000_000);
        }
    }

    #[cold]
    fn add(&self, event: &'static str, now_s: i64, ms: u64) {
        self.events.lock().entry(event).or_default().add(now_s, ms);
    }

    /// All events that were too long, by name.
    pub fn all(&self) -> Vec<(&'static str, Series)> {
        self.events.lock().iter().map(|(event, series)| (*event, series.clone())).collect()
    }

    /// One of them, with its name as it is spelled.
    pub fn get(&self, event: &[u8]) -> Option<(&'static str, Series)> {
        let events = self.events.lock();
        let found = events.iter().find(|(name, _)| name.as_bytes() == event)?;
        Some((*found.0, found.1.clone()))
    }

    /// Forgets the events that are meant; tells how many there were.
    pub fn reset(&self, is_meant: impl Fn(&str) -> bool) -> usize {
        let mut events = self.events.lock();
        let before = events.len();
        events.retain(|event, _| !is_meant(event));
        before - events.len()
    }
}

/// Nanoseconds of `latency-monitor-threshold`; as many as can be when it is off.
pub fn threshold_ns(ms: u64) -> u64 {
    if ms == 0 { u64::MAX } else { ms.saturating_mul(1_000_000) }
}

#[cfg(test)]
mod tests;
