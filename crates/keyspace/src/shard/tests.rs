//! Hashes with fields that expire against maps: whatever happens to them, no field is seen or kept
//! beyond its time, and none goes before.

use std::collections::BTreeMap;

use fastrand::Rng;
use value::hash::{Hash, Rules, Time};
use value::{KeyHash, Kind, Limits, Value, ValueMut, ValueView};

use super::Shard;
use crate::{Change, Db, KeyStats, Keyspace, Layout, NewValue, Parts, Stamp, Ttl, Wants};

const KEYS: u32 = 12;

type Fields = BTreeMap<Vec<u8>, Option<i64>>;

struct Model {
    keyspace: Keyspace,
    keys: BTreeMap<Vec<u8>, Fields>,
    change: Change,
    now_ms: i64,
    expired: u64,
    /// Fields whose deletion was propagated.
    deleted: u64,
    rng: Rng,
}

impl Model {
    fn new(seed: u64) -> Self {
        let seed_bytes = u128::from(seed).to_le_bytes();
        let layout = Layout { shards: 4, databases: 1, readers: 1, lanes: 2, seed: seed_bytes };
        let mut change = Change::default();
        change.set_wants(Wants::LOG);
        let (keyspace, rng) = (Keyspace::new(layout), Rng::with_seed(seed));
        Self {
            keyspace,
            keys: BTreeMap::new(),
            change,
            now_ms: 1_000_000,
            expired: 0,
            deleted: 0,
            rng,
        }
    }

    fn on<R>(&mut self, work: impl FnOnce(&mut Db<'_, '_>) -> R) -> R {
        let mut held = self.keyspace.shards().hold_walk();
        let mut stats = KeyStats::default();
        let mut db = Db::new(Parts {
            keyspace: &self.keyspace,
            held: &mut held,
            change: &mut self.change,
            stats: &mut stats,
            hashed: &[],
            index: 0,
            stamp: Stamp::at(self.now_ms),
            touch: true,
        });
        work(&mut db)
    }

    fn key(&mut self) -> Vec<u8> {
        format!("key{}", self.rng.u32(0..KEYS)).into_bytes()
    }

    fn deadline(&mut self) -> Option<i64> {
        let later = self.rng.i64(1..200);
        self.rng.bool().then(|| self.now_ms + later)
    }

    fn step(&mut self) {
        let key = self.key();
        match self.rng.u32(0..100) {
            0..40 => self.set_field(&key),
            40..55 => self.remove_field(&key),
            55..60 => {
                self.keys.remove(&key);
                self.on(|db| db.take(&key));
            }
            60..64 => {
                self.keys.remove(&key);
                self.on(|db| db.set(&key, NewValue::Bytes(b"text"), Ttl::Never));
                self.on(|db| db.take(&key));
            }
            64..72 => self.rename(&key),
            72..76 => {
                let deadline_ms = self.deadline().map(|deadline_ms| deadline_ms + 10_000);
                self.on(|db| db.set_deadline(&key, deadline_ms));
                self.on(|db| db.set_deadline(&key, None));
            }
            76..90 => self.now_ms += self.rng.i64(0..60),
            _ => self.expire(),
        }
        self.forget();
    }

    fn set_field(&mut self, key: &[u8]) {
        let field = format!("field{}", self.rng.u32(0..20)).into_bytes();
        let deadline_ms = self.deadline();
        let (limits, hasher) = (Limits::default(), self.keyspace.key_hash());
        let make: fn() -> Value = || Value::Hash(Hash::new());
        let time = deadline_ms.map_or(Time::Never, Time::At);
        self.on(|db| {
            let set = db.change_object(key, Kind::Hash, Some(make), |value| {
                let ValueMut::Hash(hash) = value else { unreachable!("its kind was checked") };
                hash.set(&field, b"value", time, Rules { limits: &limits, hasher })
            });
            set.expect("a hash or nothing").expect("it is made")
        });
        self.keys.entry(key.to_vec()).or_default().insert(field, deadline_ms);
    }

    fn remove_field(&mut self, key: &[u8]) {
        let Some((field, _)) = self.keys.get(key).and_then(|fields| fields.first_key_value())
        else {
            return;
        };
        let field = field.clone();
        self.on(|db| {
            let removed = db.change_object(key, Kind::Hash, None, |value| {
                let ValueMut::Hash(hash) = value else { unreachable!("its kind was checked") };
                hash.remove(&field)
            });
            assert_eq!(removed, Ok(Some(true)));
            db.drop_vacant(key);
        });
        self.keys.get_mut(key).expect("it was found").remove(&field);
    }

    fn rename(&mut self, key: &[u8]) {
        let to = self.key();
        let moved = self.on(|db| match db.take(key) {
            Some(entry) => {
                db.put(entry.with_key(&to));
                true
            }
            None => false,
        });
        assert_eq!(moved, self.keys.contains_key(key));
        if let Some(fields) = self.keys.remove(key) {
            self.keys.insert(to, fields);
        }
    }

    /// Active expiry with small budgets, as often as it asks for.
    fn expire(&mut self) {
        let mut turn = 0;
        for lane in 0..2 {
            while self.keyspace.lane_due_ms(lane) <= self.now_ms as u64 {
                let (now_ms, change, deleted) = (self.now_ms, &mut self.change, &mut self.deleted);
                let propagate = |change: &mut Change| *deleted += fields_of(change);
                let wants = || Wants::LOG;
                self.keyspace.expire(lane, now_ms, &mut turn, &mut 3, change, (wants, propagate));
            }
        }
        let shards = self.keyspace.shards().len() as u32;
        let mut held = self.keyspace.shards().hold_walk();
        for shard in 0..shards {
            let due_ms = held.shard(shard).db(0).fields_due_ms();
            assert!(due_ms.is_none_or(|due_ms| due_ms >= self.now_ms), "a field stayed");
        }
    }

    /// Removes from the maps what has expired, and looks whether the keyspace agrees.
    fn forget(&mut self) {
        let now_ms = self.now_ms;
        for fields in self.keys.values_mut() {
            let before = fields.len();
            fields.retain(|_, time| time.is_none_or(|time| time >= now_ms));
            self.expired += (before - fields.len()) as u64;
        }
        self.keys.retain(|_, fields| !fields.is_empty());
        let mut seen = 0;
        self.on(|db| db.each(&mut |_| seen += 1));
        assert_eq!(seen, self.keys.len());
    }

    fn check(&mut self) {
        for number in 0..KEYS {
            let key = format!("key{number}").into_bytes();
            let found = self.on(|db| {
                let entry = db.peek(&key)?;
                let Some(ValueView::Hash(hash)) = entry.object() else { return None };
                let pairs = hash.iter().map(|pair| {
                    let mut name = Vec::new();
                    pair.name().write_to(&mut name);
                    (name, pair.deadline_ms())
                });
                Some(pairs.collect::<Fields>())
            });
            assert_eq!(found.as_ref(), self.keys.get(&key));
        }
        assert_eq!(self.change.expired_fields(), self.expired);
    }
}

#[test]
fn fields_expire_as_in_maps() {
    let runs = if cfg!(miri) { 1 } else { 30 };
    let steps = if cfg!(miri) { 150 } else { 1500 };
    for seed in 0..runs {
        let mut model = Model::new(seed);
        for step in 0..steps {
            model.step();
            if step % 5 == 0 {
                model.check();
            }
        }
        model.now_ms += 1000;
        model.expire();
        model.forget();
        model.check();
        assert!(model.expired > 0);
        let deleted = model.deleted + fields_of(&model.change);
        assert_eq!(deleted, model.expired, "the log names every field that expired");
    }
}

/// Databases that nobody has used take nothing, and are empty for whoever looks.
#[test]
fn other_databases_are_made_when_one_is_used() {
    let hash = KeyHash::new(7u128.to_le_bytes());
    let mut shard = Shard::new(4, hash);
    assert_eq!(shard.dbs().count(), 1);
    shard.swap(0, 2);
    shard.swap(1, 2);
    assert!(shard.look(3).is_none() && shard.made(1).is_none());
    assert_eq!(shard.dbs().count(), 1);
    let stamp = Stamp::at(5000);
    shard.db(0).set(hash.of(b"a"), b"a", NewValue::Int(1), Ttl::Never, stamp);
    shard.swap(2, 0);
    let made: Vec<u32> = shard.dbs().map(|(db, _)| db).collect();
    assert_eq!(made, [0, 2]);
    assert!(shard.db(0).table().is_empty());
    assert!(shard.look(2).is_some_and(|db| db.get(hash.of(b"a"), b"a").is_some()));
}

/// The fields that are to be propagated as deleted.
fn fields_of(change: &Change) -> u64 {
    change.records().iter().map(|record| record.argv.len() as u64 - 2).sum()
}
