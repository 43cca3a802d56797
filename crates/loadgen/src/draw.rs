//! Which number comes next: the keys of the load.
//!
//! Knows nothing of commands. Numbers stand for keys; rank 0 is the most frequent one.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use fastrand::Rng;

/// Counters that run independently of each other: one for each placeholder that a template knows.
pub const COUNTERS: usize = 10;

/// Where numbers come from.
#[derive(Clone, Debug)]
pub enum Keys {
    /// Uniform below the count.
    Random(u64),
    /// Each number once, from the first to before the second.
    Sequence(u64, u64),
    /// Each number below the count in turn, again and again, over all threads together.
    Cycle(Arc<[AtomicU64; COUNTERS]>, u64),
    /// Few numbers often, many seldom.
    Zipf(Zipf),
    /// A part of the numbers gets most of the draws.
    Hot(Hot),
}

impl Keys {
    /// All numbers below `count` in turn, shared by every clone.
    pub fn cycle(count: u64) -> Keys {
        Keys::Cycle(Arc::default(), count.max(1))
    }

    /// The next number. `counter` says for which placeholder, below [`COUNTERS`].
    #[inline]
    pub fn next(&mut self, counter: usize, random: &mut Rng) -> u64 {
        match self {
            Keys::Random(count) => random.u64(0..*count),
            Keys::Sequence(next, end) => {
                let taken = (*next).min(*end - 1);
                *next += 1;
                taken
            }
            Keys::Cycle(counters, count) => {
                counters[counter].fetch_add(1, Ordering::Relaxed) % *count
            }
            Keys::Zipf(zipf) => zipf.next(random),
            Keys::Hot(hot) => hot.next(random),
        }
    }
}

/// The first `hot` of `count` numbers get a share of the draws, the others the rest; uniform within
/// either part.
#[derive(Clone, Copy, Debug)]
pub struct Hot {
    count: u64,
    hot: u64,
    share: f64,
}

impl Hot {
    /// `part` of the numbers gets `share` of the draws, both between 0 and 1.
    pub fn new(count: u64, part: f64, share: f64) -> Hot {
        let count = count.max(1);
        let hot = ((count as f64 * part).round() as u64).clamp(1, count);
        Hot { count, hot, share }
    }

    fn next(&self, random: &mut Rng) -> u64 {
        if self.hot == self.count || random.f64() < self.share {
            random.u64(0..self.hot)
        } else {
            random.u64(self.hot..self.count)
        }
    }
}

/// The Zipf distribution over `0..count`: rank k has a weight of `1 / (k + 1)^exponent`.
///
/// By rejection-inversion, so that neither memory nor time grow with the count: W. Hörmann and
/// G. Derflinger, "Rejection-inversion to generate variates from monotone discrete distributions",
/// ACM TOMACS 6 (1996).
#[derive(Clone, Copy, Debug)]
pub struct Zipf {
    count: f64,
    exponent: f64,
    /// The integral of the hat at its left end, and at its right end.
    left: f64,
    right: f64,
    /// Draws so close to the rank need no look at the weight.
    near: f64,
}

impl Zipf {
    /// `exponent` is over 0.
    pub fn new(count: u64, exponent: f64) -> Zipf {
        let count = count.max(1) as f64;
        let mut zipf = Zipf { count, exponent, left: 0.0, right: 0.0, near: 0.0 };
        zipf.left = zipf.integral(1.5) - 1.0;
        zipf.right = zipf.integral(count + 0.5);
        zipf.near = 2.0 - zipf.inverse(zipf.integral(2.5) - zipf.weight(2.0));
        zipf
    }

    fn next(&self, random: &mut Rng) -> u64 {
        loop {
            let place = self.right + random.f64() * (self.left - self.right);
            let exact = self.inverse(place);
            let rank = exact.round().clamp(1.0, self.count);
            if rank - exact <= self.near || place >= self.integral(rank + 0.5) - self.weight(rank) {
                return rank as u64 - 1;
            }
        }
    }

    fn weight(&self, rank: f64) -> f64 {
        rank.powf(-self.exponent)
    }

    /// An antiderivative of the weight: `(x^(1-s) - 1) / (1-s)`, which is the logarithm at s = 1.
    fn integral(&self, x: f64) -> f64 {
        let log = x.ln();
        exp_ratio((1.0 - self.exponent) * log) * log
    }

    fn inverse(&self, y: f64) -> f64 {
        let t = (y * (1.0 - self.exponent)).max(-1.0);
        (log_ratio(t) * y).exp()
    }
}

/// `(e^x - 1) / x`, and its limit at 0.
fn exp_ratio(x: f64) -> f64 {
    if x.abs() > 1e-8 { x.exp_m1() / x } else { 1.0 + x / 2.0 }
}

/// `ln(1 + x) / x`, and its limit at 0.
fn log_ratio(x: f64) -> f64 {
    if x.abs() > 1e-8 { x.ln_1p() / x } else { 1.0 - x / 2.0 }
}

#[cfg(test)]
mod tests;
