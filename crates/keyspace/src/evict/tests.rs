//! Tests of which key goes.

use super::*;
use crate::usage::{Terms, Usage};
use crate::{Db, KeyStats, Layout, NewValue, Parts, Ttl};

struct Store {
    keyspace: Keyspace,
    evictor: Evictor,
    change: Change,
    terms: Terms,
    now_ms: i64,
    rng: fastrand::Rng,
}

impl Store {
    fn new(shards: u32, usage: Usage) -> Self {
        let layout = Layout { shards, databases: 4, readers: 1, lanes: 1, seed: [7; 16] };
        Self {
            keyspace: Keyspace::new(layout),
            evictor: Evictor::with_seed(3),
            change: Change::default(),
            terms: Terms { usage, ..Terms::default() },
            now_ms: 1_700_000_000_000,
            rng: fastrand::Rng::with_seed(5),
        }
    }

    fn on<R>(&mut self, index: u32, work: impl FnOnce(&mut Db<'_, '_>) -> R) -> R {
        let mut held = self.keyspace.shards().hold_walk();
        let mut stats = KeyStats::default();
        let stamp = Stamp::new(self.now_ms, &self.terms, || self.rng.f64());
        let mut db = Db::new(Parts {
            keyspace: &self.keyspace,
            held: &mut held,
            change: &mut self.change,
            stats: &mut stats,
            hashed: &[],
            index,
            stamp,
            touch: true,
        });
        work(&mut db)
    }

    fn set(&mut self, key: &str, ttl: Ttl) {
        self.on(0, |db| db.set(key.as_bytes(), NewValue::Bytes(b"value"), ttl));
    }

    fn has(&mut self, key: &str) -> bool {
        self.on(0, |db| db.exists(key.as_bytes()))
    }

    fn read(&mut self, key: &str) {
        let found = self.on(0, |db| db.read(key.as_bytes()).is_some());
        assert!(found, "{key}");
    }

    fn evict(&mut self, scope: Scope, order: Order) -> bool {
        let stamp = Stamp::new(self.now_ms, &self.terms, || 1.0);
        let plan = Plan { scope, order, samples: 5, stamp, lazily: false };
        let doors = (|| Wants::EVENTS.with(Wants::LOG), |_: &mut Change| {});
        self.keyspace.evict(&mut self.evictor, (&plan, 1), &mut self.change, doors)
    }
}

const ORDERS: [Order; 5] =
    [Order::Idle, Order::Frequency, Order::Deadline, Order::Random, Order::Recurrence];

#[test]
fn every_policy_empties_every_database() {
    for order in ORDERS {
        let usage = if order == Order::Recurrence { Usage::Recurrence } else { Usage::Clock };
        let mut store = Store::new(64, usage);
        for number in 0..300 {
            let key = format!("key{number}");
            store.on(number % 4, |db| {
                db.set(key.as_bytes(), NewValue::Bytes(b"value"), Ttl::Never);
            });
        }
        let mut count = 0;
        while store.evict(Scope::All, order) {
            count += 1;
        }
        assert_eq!(count, 300, "{order:?}");
        assert_eq!(store.change.evicted(), 300);
    }
}

#[test]
fn volatile_policies_leave_the_others() {
    for order in ORDERS {
        let mut store = Store::new(16, Usage::Clock);
        for number in 0..100 {
            let ttl = if number % 2 == 0 { Ttl::Never } else { Ttl::At(store.now_ms + 90_000) };
            store.set(&format!("key{number}"), ttl);
        }
        let count = (0..1000).take_while(|_| store.evict(Scope::Volatile, order)).count();
        assert_eq!(count, 50, "{order:?}");
        assert!((0..100).step_by(2).all(|number| store.has(&format!("key{number}"))));
    }
}

#[test]
fn what_was_used_last_goes_last() {
    let mut store = Store::new(16, Usage::Clock);
    (0..1000).for_each(|number| store.set(&format!("key{number}"), Ttl::Never));
    store.now_ms += 60_000;
    (0..500).for_each(|number| store.read(&format!("key{number}")));
    (0..350).for_each(|_| assert!(store.evict(Scope::All, Order::Idle)));
    let left = (0..500).filter(|number| store.has(&format!("key{number}"))).count();
    assert!(left >= 498, "{left}");
}

#[test]
fn a_candidate_that_is_used_meanwhile_stays() {
    let mut store = Store::new(1, Usage::Clock);
    (0..16).for_each(|number| store.set(&format!("key{number}"), Ttl::Never));
    store.now_ms += 10_000;
    assert!(store.evict(Scope::All, Order::Idle));
    // By now many of the others are in the pool.
    store.now_ms += 10_000;
    let used: Vec<String> = (0..16).map(|number| format!("key{number}")).collect();
    let used: Vec<_> = used.into_iter().filter(|key| store.has(key)).take(14).collect();
    used.iter().for_each(|key| store.read(key));
    assert!(store.evict(Scope::All, Order::Idle));
    assert!(used.iter().filter(|key| store.has(key)).count() >= 13);
}

#[test]
fn what_expires_next_goes_first() {
    let mut store = Store::new(4, Usage::Clock);
    for number in 0..400 {
        let ttl = Ttl::At(store.now_ms + 1000 + number * 1000);
        store.set(&format!("key{number}"), ttl);
    }
    (0..100).for_each(|_| assert!(store.evict(Scope::Volatile, Order::Deadline)));
    let left = (200..400).filter(|number| store.has(&format!("key{number}"))).count();
    assert!(left >= 195, "{left}");
}

#[test]
fn what_is_used_often_stays() {
    let mut store = Store::new(4, Usage::Frequency);
    (0..400).for_each(|number| store.set(&format!("key{number}"), Ttl::Never));
    for _ in 0..20 {
        (0..100).for_each(|number| store.read(&format!("key{number}")));
    }
    (0..250).for_each(|_| assert!(store.evict(Scope::All, Order::Frequency)));
    let left = (0..100).filter(|number| store.has(&format!("key{number}"))).count();
    assert!(left >= 99, "{left}");
}

#[test]
fn a_scan_pushes_nothing_out() {
    let mut store = Store::new(4, Usage::Recurrence);
    (0..1000).for_each(|number| store.set(&format!("key{number}"), Ttl::Never));
    for number in 0..5000 {
        if number % 500 == 0 {
            (0..500).for_each(|number| store.read(&format!("key{number}")));
        }
        store.set(&format!("once{number}"), Ttl::Never);
        assert!(store.evict(Scope::All, Order::Recurrence));
    }
    let left = (0..500).filter(|number| store.has(&format!("key{number}"))).count();
    assert!(left >= 490, "{left}");
}

#[test]
fn the_event_and_the_deletion_are_recorded() {
    let mut store = Store::new(4, Usage::Clock);
    store.set("key", Ttl::Never);
    store.change.clear();
    let stamp = Stamp::at(store.now_ms);
    let plan = Plan { scope: Scope::All, order: Order::Idle, samples: 5, stamp, lazily: true };
    let mut records = Vec::new();
    let doors = (
        || Wants::EVENTS.with(Wants::LOG),
        |change: &mut Change| records.extend_from_slice(change.records()),
    );
    assert!(store.keyspace.evict(&mut store.evictor, (&plan, 1), &mut store.change, doors));
    assert_eq!(records[0].argv, [b"UNLINK".as_slice().into(), b"key".as_slice().into()]);
    assert_eq!(store.change.notes()[0].event, "evicted");
    assert!(!store.evict(Scope::All, Order::Idle));
}
