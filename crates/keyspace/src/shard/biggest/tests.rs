//! The biggest keys against a count of all keys, whatever happens to them.

use value::list::{End, List};
use value::{Value, ValueMut};

use super::*;
use crate::{Big, Change, Db, KeyStats, Keyspace, Layout, NewValue, Parts, Stamp, Ttl};

const DATABASES: u32 = 2;
const KEYS: u32 = 30;

struct Model {
    keyspace: Keyspace,
    now_ms: i64,
    rng: fastrand::Rng,
}

impl Model {
    fn on<R>(&mut self, work: impl FnOnce(&mut Db<'_, '_>) -> R) -> R {
        let mut held = self.keyspace.shards().hold_walk();
        let (mut change, mut stats) = (Change::default(), KeyStats::default());
        let mut db = Db::new(Parts {
            keyspace: &self.keyspace,
            held: &mut held,
            change: &mut change,
            stats: &mut stats,
            hashed: &[],
            index: self.rng.u32(0..DATABASES),
            stamp: Stamp::at(self.now_ms),
            touch: true,
        });
        let result = work(&mut db);
        change.take_discarded().for_each(drop);
        result
    }

    fn list(&mut self, key: &[u8], elements: usize) {
        self.on(|db| {
            if db.peek(key).is_none_or(|entry| entry.kind() != Kind::List) {
                db.set(key, NewValue::Object(Value::List(List::new())), Ttl::Never);
            }
            db.edit(key, |entry| {
                let Some(ValueMut::List(list)) = entry.object_mut() else { return };
                while list.len() < elements {
                    list.push(End::Right, b"x");
                }
                while list.len() > elements.max(1) {
                    list.pop(End::Left, |_| ());
                }
            });
        });
    }

    fn step(&mut self) {
        let key = self.rng.u32(..KEYS).to_string().into_bytes();
        let size = 1_usize << self.rng.u32(0..12);
        match self.rng.u32(0..10) {
            0..3 => self.list(&key, size),
            3..6 => {
                let bytes = vec![b'v'; size * 16];
                let at = Ttl::At(self.now_ms + 50);
                let ttl = [Ttl::Keep, Ttl::Never, at][self.rng.usize(..3)];
                self.on(|db| db.set(&key, NewValue::Bytes(&bytes), ttl));
            }
            6 => drop(self.on(|db| db.take(&key))),
            7 => {
                let taken = self.on(|db| db.take(&key));
                let to = self.rng.u32(..KEYS).to_string();
                if let Some(entry) = taken {
                    self.on(|db| db.put(entry.with_key(to.as_bytes())));
                }
            }
            8 => self.now_ms += 20,
            _ => {
                let mut held = self.keyspace.shards().hold_walk();
                for shard in 0..held.count() {
                    held.shard(shard).swap(0, 1);
                }
            }
        }
    }

    fn counted(&self, kind: Kind, min: u64) -> Vec<Big> {
        let mut held = self.keyspace.shards().hold_walk();
        let mut all = Vec::new();
        for shard in 0..held.count() {
            for db in 0..DATABASES {
                let Some(part) = held.shard(shard).look(db) else { continue };
                all.extend(part.table().iter().filter(|entry| entry.kind() == kind).map(|entry| {
                    Big { db, key: entry.key_bytes().into(), size: size_of_value(&entry) }
                }));
            }
        }
        all.retain(|big| big.size >= min);
        all.sort_by(|one, other| other.size.cmp(&one.size).then_with(|| one.key.cmp(&other.key)));
        all
    }
}

#[test]
fn they_are_those_of_a_count_of_all_keys() {
    for seed in 0..8 {
        let layout =
            Layout { shards: 4, databases: DATABASES, readers: 1, lanes: 1, seed: [7; 16] };
        let rng = fastrand::Rng::with_seed(seed);
        let mut model = Model { keyspace: Keyspace::new(layout), now_ms: 1_000_000, rng };
        for _ in 0..400 {
            model.step();
            for (kind, min) in [(Kind::String, STRING_MIN), (Kind::List, ELEMENTS_MIN)] {
                let all = model.counted(kind, min);
                let sizes = |keys: &[Big]| keys.iter().map(|big| big.size).collect::<Vec<_>>();
                for count in [1, 3, 100] {
                    let mut held = model.keyspace.shards().hold_none();
                    let found = model.keyspace.biggest(&mut held, kind, count);
                    let expected = &all[..count.min(all.len())];
                    assert_eq!(sizes(&found), sizes(expected), "seed {seed}");
                    assert!(found.iter().all(|big| all.contains(big)), "seed {seed}");
                }
            }
        }
    }
}
