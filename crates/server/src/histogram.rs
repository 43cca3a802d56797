//! A histogram of durations: log-linear buckets as HdrHistogram has them, 32 to a doubling, so that
//! a percentile is at most 3 % off; one thread records, all may read.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

const SUB_BITS: u32 = 5;
const SUBS: usize = 1 << SUB_BITS;
/// Up to 2^40 ns, a good quarter of an hour; longer ones count as that.
const EXPONENTS: usize = 36;
const BUCKETS: usize = EXPONENTS * SUBS;

/// See the module's text. It takes memory once something is recorded.
#[derive(Default, Debug)]
pub struct Histogram {
    buckets: OnceLock<Box<[AtomicU32]>>,
}

impl Histogram {
    /// Records a duration in nanoseconds; only from the thread that owns the histogram.
    #[inline]
    pub fn record(&self, nanoseconds: u64) {
        let buckets =
            self.buckets.get_or_init(|| (0..BUCKETS).map(|_| AtomicU32::new(0)).collect());
        let bucket = &buckets[bucket_of(nanoseconds)];
        bucket.store(bucket.load(Ordering::Relaxed).saturating_add(1), Ordering::Relaxed);
    }

    /// Forgets everything.
    pub fn reset(&self) {
        for bucket in self.buckets.get().into_iter().flatten() {
            bucket.store(0, Ordering::Relaxed);
        }
    }
}

/// The sum of several histograms.
pub struct Totals(Vec<u64>);

impl Totals {
    /// Adds histograms up; `None` when nothing was recorded in any of them.
    pub fn of<'h>(histograms: impl Iterator<Item = &'h Histogram>) -> Option<Self> {
        let mut totals = Vec::new();
        for buckets in histograms.filter_map(|histogram| histogram.buckets.get()) {
            totals.resize(BUCKETS, 0);
            for (total, bucket) in totals.iter_mut().zip(buckets) {
                *total += u64::from(bucket.load(Ordering::Relaxed));
            }
        }
        totals.iter().any(|number| *number > 0).then_some(Self(totals))
    }

    /// How many durations were recorded.
    pub fn count(&self) -> u64 {
        self.0.iter().sum()
    }

    /// How many durations were below `nanoseconds`, a power of two from 64 on.
    pub fn up_to(&self, nanoseconds: u64) -> u64 {
        self.0[..bucket_of(nanoseconds)].iter().sum()
    }

    /// The duration in nanoseconds that a share of the recorded ones (0 to 100 percent) does not
    /// exceed; the highest value of its bucket, as HdrHistogram gives it.
    pub fn percentile(&self, percent: f64) -> u64 {
        let count = self.count();
        let wanted = ((percent / 100.0 * count as f64).ceil() as u64).clamp(1, count.max(1));
        let mut seen = 0;
        for (bucket, number) in self.0.iter().enumerate() {
            seen += number;
            if seen >= wanted {
                return highest_of(bucket);
            }
        }
        0
    }
}

fn bucket_of(value: u64) -> usize {
    if value < SUBS as u64 {
        return value as usize;
    }
    let exponent = 63 - value.leading_zeros() - SUB_BITS;
    let sub = (value >> exponent) as usize & (SUBS - 1);
    ((exponent as usize + 1) * SUBS + sub).min(BUCKETS - 1)
}

fn highest_of(bucket: usize) -> u64 {
    let (exponent, sub) = (bucket / SUBS, (bucket % SUBS) as u64);
    if exponent == 0 {
        return sub;
    }
    let width = 1u64 << (exponent - 1);
    (SUBS as u64 + sub) * width + width - 1
}

#[cfg(test)]
mod tests;
