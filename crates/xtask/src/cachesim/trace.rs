//! Sequences of keys like those that caches meet: skewed choice, scans, loops, hot sets that
//! change.
//!
//! A trace is made from its name and a seed alone, so that every replay meets the same keys.

use fastrand::Rng;

/// A sequence of keys, as numbers.
pub(super) struct Trace {
    pub(super) name: &'static str,
    shape: Shape,
}

enum Shape {
    /// The k-th of `keys` keys with a probability in proportion to `1 / k^skew`.
    Zipf { keys: usize, skew: f64 },
    /// The same, and now and then a run over keys that are never met again.
    Scan { keys: usize, skew: f64, every: usize, run: usize },
    /// All keys in turn, again and again.
    Loop { keys: usize },
    /// A loop beside a skewed choice, request by request.
    Beside { keys: usize, skew: f64, round: usize },
    /// A skewed choice whose ranks belong to other keys after so many requests.
    Shift { keys: usize, skew: f64, every: usize, by: usize },
}

/// All traces, for a cache of so many keys.
pub(super) fn all(capacity: usize) -> Vec<Trace> {
    let keys = capacity * 10;
    let zipf = |skew| Shape::Zipf { keys, skew };
    let (skew, every) = (0.9, capacity * 5);
    [
        ("zipf 0.7", zipf(0.7)),
        ("zipf 0.8", zipf(0.8)),
        ("zipf 0.9", zipf(0.9)),
        ("zipf 1.0", zipf(1.0)),
        ("zipf 1.1", zipf(1.1)),
        ("zipf 1.2", zipf(1.2)),
        ("scans over zipf 0.9", Shape::Scan { keys, skew, every, run: capacity * 2 }),
        ("scans over zipf 1.1", Shape::Scan { keys, skew: 1.1, every, run: capacity * 2 }),
        ("loop of 1.2 caches", Shape::Loop { keys: capacity * 6 / 5 }),
        ("loop of 3 caches", Shape::Loop { keys: capacity * 3 }),
        ("loop beside zipf 0.9", Shape::Beside { keys, skew, round: capacity * 2 }),
        ("shifting zipf 0.9", Shape::Shift { keys, skew, every, by: capacity / 20 }),
        ("shifting zipf 1.1", Shape::Shift { keys, skew: 1.1, every, by: capacity / 20 }),
    ]
    .map(|(name, shape)| Trace { name, shape })
    .into()
}

impl Trace {
    /// The first so many keys.
    pub(super) fn keys(&self, requests: usize) -> Vec<u32> {
        let mut rng = Rng::with_seed(0x5eed);
        match self.shape {
            Shape::Zipf { keys, skew } => {
                let zipf = Zipf::new(keys, skew);
                (0..requests).map(|_| zipf.draw(&mut rng) as u32).collect()
            }
            Shape::Scan { keys, skew, every, run } => {
                let zipf = Zipf::new(keys, skew);
                let mut fresh = keys as u32..;
                let key = |at: usize| match at % (every + run) < every {
                    true => zipf.draw(&mut rng) as u32,
                    false => fresh.next().unwrap_or(0),
                };
                (0..requests).map(key).collect()
            }
            Shape::Loop { keys } => (0..requests).map(|at| (at % keys) as u32).collect(),
            Shape::Beside { keys, skew, round } => {
                let zipf = Zipf::new(keys, skew);
                let key = |at: usize| match at % 2 {
                    0 => zipf.draw(&mut rng) as u32,
                    _ => (keys + at / 2 % round) as u32,
                };
                (0..requests).map(key).collect()
            }
            Shape::Shift { keys, skew, every, by } => {
                let zipf = Zipf::new(keys, skew);
                let key = |at: usize| ((zipf.draw(&mut rng) + at / every * by) % keys) as u32;
                (0..requests).map(key).collect()
            }
        }
    }
}

/// Draws ranks by their sums of probabilities.
struct Zipf(Vec<f64>);

impl Zipf {
    fn new(keys: usize, skew: f64) -> Self {
        let mut sum = 0.0;
        let add = |rank: usize| {
            sum += 1.0 / (rank as f64).powf(skew);
            sum
        };
        Self((1..=keys).map(add).collect())
    }

    fn draw(&self, rng: &mut Rng) -> usize {
        let total = self.0.last().copied().unwrap_or(0.0);
        let at = rng.f64() * total;
        self.0.partition_point(|sum| *sum <= at).min(self.0.len() - 1)
    }
}
