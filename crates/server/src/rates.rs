//! Rates a second, as INFO's `instantaneous_*` fields give them: the mean of the last samples.

use parking_lot::Mutex;

use crate::server::Server;

const SAMPLES: usize = 16;
const SAMPLE_US: i64 = 100_000;

/// What is sampled, in the order of [`Rates::all`].
const COUNTERS: usize = 5;

/// The rates.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    /// Commands a second.
    pub commands: u64,
    /// Bytes read a second.
    pub bytes_in: u64,
    /// Bytes written a second.
    pub bytes_out: u64,
    /// Turns a second of all event loops together.
    pub cycles: u64,
    /// Microseconds a turn takes.
    pub cycle_us: u64,
}

#[derive(Debug, Default)]
struct Series {
    last_us: i64,
    last: [u64; COUNTERS],
    samples: [[u64; COUNTERS]; SAMPLES],
    next: usize,
}

/// See the module's text.
#[derive(Debug, Default)]
pub struct Rates(Mutex<Series>);

impl Rates {
    /// Takes a sample when the last one is old enough; says whether it did.
    pub fn sample(&self, server: &Server, now_us: i64) -> bool {
        let mut series = self.0.lock();
        let passed = now_us - series.last_us;
        if passed < SAMPLE_US {
            return false;
        }
        let now = [
            server.sum(|stats| stats.processed.get()),
            server.sum(|stats| stats.bytes_in.get()),
            server.sum(|stats| stats.bytes_out.get()),
            server.sum(|stats| stats.cycles.get()),
            server.sum(|stats| stats.cycles_ns.get()) / 1000,
        ];
        let since: [u64; COUNTERS] =
            std::array::from_fn(|at| now[at].saturating_sub(series.last[at]));
        let per_second = |count: u64| count.saturating_mul(1_000_000) / passed.max(1) as u64;
        let mut sample = since.map(per_second);
        sample[4] = since[4] / since[3].max(1);
        if series.last_us != 0 {
            let next = series.next;
            series.samples[next] = sample;
            series.next = (next + 1) % SAMPLES;
        }
        series.last_us = now_us;
        series.last = now;
        true
    }

    /// The present rates.
    pub fn get(&self) -> Rate {
        let series = self.0.lock();
        let mean = |at: usize| series.samples.iter().map(|s| s[at]).sum::<u64>() / SAMPLES as u64;
        Rate {
            commands: mean(0),
            bytes_in: mean(1),
            bytes_out: mean(2),
            cycles: mean(3),
            cycle_us: mean(4),
        }
    }

    /// Forgets all samples.
    pub fn reset(&self) {
        *self.0.lock() = Series::default();
    }
}
