//! The replay against the code that chooses keys in the server: the same shards, entries and
//! evictor, a clock that is driven by the trace, and a limit on the number of keys.

use keyspace::evict::{Evictor, Order, Plan, Scope};
use keyspace::usage::{Terms, Usage};
use keyspace::{Change, Db, KeyStats, Keyspace, Layout, NewValue, Parts, Stamp, Ttl, Wants};

/// Keys that are drawn each time, as `maxmemory-samples` has it.
const SAMPLES: usize = 5;
/// A shard should hold enough keys for what is kept for each to mean something.
const SHARDS: u32 = 16;

/// The share of requests that find their key in a cache of so many keys, at so many requests a
/// second of the trace's clock.
pub(super) fn hit_ratio(policy: &str, capacity: usize, rate: f64, keys: &[u32]) -> f64 {
    let (usage, order) = match policy {
        "allkeys-lfu" => (Usage::Frequency, Order::Frequency),
        "allkeys-s3fifo" => (Usage::Recurrence, Order::Recurrence),
        _ => (Usage::Clock, Order::Idle),
    };
    let layout = Layout { shards: SHARDS, databases: 1, readers: 1, lanes: 1, seed: [9; 16] };
    let mut cache = Cache {
        keyspace: Keyspace::new(layout),
        change: Change::default(),
        evictor: Evictor::with_seed(1),
        rng: fastrand::Rng::with_seed(2),
        terms: Terms { usage, ..Terms::default() },
        order,
        left: capacity,
    };
    let hit = |(at, key): &(usize, &u32)| {
        let elapsed_ms = *at as f64 * 1000.0 / rate;
        cache.meets(1_700_000_000_000 + elapsed_ms as i64, **key)
    };
    let hits = keys.iter().enumerate().filter(hit).count();
    hits as f64 / keys.len().max(1) as f64
}

struct Cache {
    keyspace: Keyspace,
    change: Change,
    evictor: Evictor,
    rng: fastrand::Rng,
    terms: Terms,
    order: Order,
    /// Keys that still fit.
    left: usize,
}

impl Cache {
    /// Reads a key and stores it if it is missing; whether it was there.
    fn meets(&mut self, now_ms: i64, key: u32) -> bool {
        let stamp = Stamp::new(now_ms, &self.terms, || self.rng.f64());
        let name = key.to_le_bytes();
        let mut held = self.keyspace.shards().hold_walk();
        let mut stats = KeyStats::default();
        let mut db = Db::new(Parts {
            keyspace: &self.keyspace,
            held: &mut held,
            change: &mut self.change,
            stats: &mut stats,
            hashed: &[],
            index: 0,
            stamp,
            touch: true,
        });
        if db.read(&name).is_some() {
            return true;
        }
        db.set(&name, NewValue::Bytes(b""), Ttl::Never);
        drop(held);
        match self.left.checked_sub(1) {
            Some(left) => self.left = left,
            None => self.evict(stamp),
        }
        self.change.clear();
        false
    }

    fn evict(&mut self, stamp: Stamp) {
        let (scope, order) = (Scope::All, self.order);
        let plan = Plan { scope, order, samples: SAMPLES, stamp, lazily: false };
        let doors = (Wants::default, |_: &mut Change| {});
        let found = self.keyspace.evict(&mut self.evictor, (&plan, 1), &mut self.change, doors);
        assert!(found, "a full cache has a key that may go");
    }
}
