//! The keyspace against plain maps, with time: random commands' worth of calls through [`Db`], with
//! one thread and with locks, and the active expiry between them.

use std::collections::HashMap;

use fastrand::Rng;

use crate::{
    Change, Class, Db, KeyStats, Keyspace, Layout, NewValue, Parts, Stamp, Ttl, ValueRef, Wants,
};

const DATABASES: u32 = 3;
const SHARDS: u32 = 8;
const LANES: u32 = 3;
const RUNS: u64 = if cfg!(miri) { 1 } else { 16 };
const STEPS: usize = if cfg!(miri) { 200 } else { 4_000 };

fn events() -> Wants {
    Wants::EVENTS
}

type Map = HashMap<Vec<u8>, (Vec<u8>, Option<i64>)>;

struct Model {
    keyspace: Keyspace,
    maps: Vec<Map>,
    change: Change,
    stats: KeyStats,
    now_ms: i64,
    /// Keys that have expired in the maps.
    expired: u64,
    turns: [u32; LANES as usize],
    rng: Rng,
}

impl Model {
    fn new(seed: u64, readers: usize) -> Self {
        let layout = Layout {
            shards: SHARDS,
            databases: DATABASES,
            readers,
            lanes: LANES,
            seed: u128::from(seed).to_le_bytes(),
        };
        let mut change = Change::default();
        change.set_wants(Wants::EVENTS);
        Self {
            keyspace: Keyspace::new(layout),
            maps: vec![Map::new(); DATABASES as usize],
            change,
            stats: KeyStats::default(),
            now_ms: 1_700_000_000_000,
            expired: 0,
            turns: [0; LANES as usize],
            rng: Rng::with_seed(seed),
        }
    }

    /// Runs `work` on a database with all shards within reach, one at a time.
    fn on<R>(&mut self, index: u32, work: impl FnOnce(&mut Db<'_, '_>) -> R) -> R {
        let mut held = self.keyspace.shards().hold_walk();
        let mut db = Db::new(Parts {
            keyspace: &self.keyspace,
            held: &mut held,
            change: &mut self.change,
            stats: &mut self.stats,
            hashed: &[],
            index,
            stamp: Stamp::at(self.now_ms),
            touch: true,
        });
        work(&mut db)
    }

    fn key(&mut self) -> Vec<u8> {
        format!("key:{}", self.rng.u32(0..200)).into_bytes()
    }

    fn deadline(&mut self) -> i64 {
        let bits = self.rng.u32(1..20);
        self.now_ms + self.rng.i64(1..1 << bits)
    }

    /// Removes from the maps what has expired.
    fn forget_expired(&mut self) {
        let now_ms = self.now_ms;
        for map in &mut self.maps {
            let before = map.len();
            map.retain(|_, (_, deadline)| deadline.is_none_or(|deadline| deadline >= now_ms));
            self.expired += (before - map.len()) as u64;
        }
    }

    fn step(&mut self) {
        let index = self.rng.u32(0..DATABASES);
        match self.rng.u32(0..200) {
            0..60 => self.set(index),
            60..80 => self.read(index),
            80..100 => self.redate(index),
            100..120 => self.take(index),
            120..135 => self.rename(index),
            135..140 => self.scan(index),
            140..145 => self.random_key(index),
            145 => self.flush(index),
            146 => self.swap(),
            147..180 => self.now_ms += self.rng.i64(0..50),
            180..183 => self.now_ms += self.rng.i64(0..100_000),
            _ => self.expire(),
        }
        self.forget_expired();
        self.check_dues();
    }

    fn set(&mut self, index: u32) {
        let (key, value) = (self.key(), vec![b'v'; self.rng.usize(0..2000)]);
        let map = &mut self.maps[index as usize];
        let present = map.get(&key).and_then(|(_, deadline)| *deadline);
        let ttl = match self.rng.u8(0..3) {
            0 => Ttl::Keep,
            1 => Ttl::Never,
            _ => Ttl::At(self.deadline()),
        };
        let deadline = match ttl {
            Ttl::Keep => present,
            Ttl::Never => None,
            Ttl::At(at) => Some(at),
        };
        self.on(index, |db| {
            // What a handler does first; it meets what has expired.
            db.exists(&key);
            db.set(&key, NewValue::Bytes(&value), ttl);
        });
        self.maps[index as usize].insert(key, (value, deadline));
    }

    fn read(&mut self, index: u32) {
        let key = self.key();
        let found = self.on(index, |db| {
            let deadline = db.deadline_ms(&key);
            let value = db.read(&key).map(|entry| match entry.value() {
                ValueRef::Inline(bytes) | ValueRef::Shared(bytes) => bytes.to_vec(),
                ValueRef::Object(_) => unreachable!("no collection was put in"),
                ValueRef::Int(_) => panic!("no integers were set"),
            });
            value.zip(deadline)
        });
        assert_eq!(found, self.maps[index as usize].get(&key).cloned());
    }

    fn redate(&mut self, index: u32) {
        let key = self.key();
        let deadline = self.rng.bool().then(|| self.deadline());
        let done = self.on(index, |db| db.set_deadline(&key, deadline));
        let present = self.maps[index as usize].get_mut(&key);
        assert_eq!(done, present.is_some());
        if let Some((_, present)) = present {
            *present = deadline;
        }
    }

    fn take(&mut self, index: u32) {
        let key = self.key();
        let taken = self.on(index, |db| db.take(&key)).map(|entry| entry.deadline_ms());
        let removed = self.maps[index as usize].remove(&key).map(|(_, deadline)| deadline);
        assert_eq!(taken, removed);
    }

    /// Renames a key, or moves it to another database under another name.
    fn rename(&mut self, index: u32) {
        let (from, to, other) = (self.key(), self.key(), self.rng.u32(0..DATABASES));
        let replaced = self.on(index, |db| {
            let entry = db.take(&from)?.with_key(&to);
            Some(db.on(other, |db| db.put(entry)).is_some())
        });
        let moved = self.maps[index as usize].remove(&from);
        let expected = moved.map(|moved| self.maps[other as usize].insert(to, moved).is_some());
        assert_eq!(replaced, expected);
    }

    fn scan(&mut self, index: u32) {
        let count = self.rng.u64(1..30);
        let (mut cursor, mut seen) = (0, Vec::new());
        loop {
            cursor = self.on(index, |db| {
                let seen = &mut seen;
                db.scan(cursor, count, &mut |_| true, &mut |entry| {
                    seen.push(entry.key_bytes().to_vec());
                })
            });
            assert!(cursor < 1 << 53);
            if cursor == 0 {
                break;
            }
        }
        let mut each = Vec::new();
        self.on(index, |db| db.each(&mut |entry| each.push(entry.key_bytes().to_vec())));
        let mut keys: Vec<_> = self.maps[index as usize].keys().cloned().collect();
        for list in [&mut keys, &mut seen, &mut each] {
            list.sort();
            list.dedup();
        }
        assert_eq!(seen, keys);
        assert_eq!(each, keys);
        assert_eq!(self.on(index, |db| db.len()), keys.len() as u64, "a walk meets what expired");
    }

    fn random_key(&mut self, index: u32) {
        let mut rng = self.rng.fork();
        let found = self.on(index, |db| db.random_key(&mut rng));
        let map = &self.maps[index as usize];
        assert_eq!(found.is_some(), !map.is_empty());
        assert!(found.is_none_or(|key| map.contains_key(&*key)));
    }

    fn flush(&mut self, index: u32) {
        // What has expired counts as expired, not as flushed.
        self.expire_all();
        let lazily = self.rng.bool();
        let removed = self.on(index, |db| db.flush(index..index + 1, lazily));
        assert_eq!(removed, self.maps[index as usize].len() as u64);
        let discarded: Vec<_> = self.change.take_discarded().collect();
        let objects: usize = discarded.iter().map(crate::Discarded::objects).sum();
        assert_eq!(objects as u64, if lazily { removed } else { 0 });
        for mut discarded in discarded {
            while discarded.free_some() > 0 {}
            assert_eq!(discarded.objects(), 0);
        }
        self.maps[index as usize].clear();
    }

    fn swap(&mut self) {
        let (one, other) = (self.rng.u32(0..DATABASES), self.rng.u32(0..DATABASES));
        self.on(0, |db| db.swap(one, other));
        self.maps.swap(one as usize, other as usize);
    }

    /// Looks after one lane with a small budget.
    fn expire(&mut self) {
        let lane = self.rng.u32(0..LANES);
        let mut budget = self.rng.u32(1..20);
        let turn = &mut self.turns[lane as usize];
        self.keyspace.expire(
            lane,
            self.now_ms,
            turn,
            &mut budget,
            &mut self.change,
            (events, |_| ()),
        );
        if budget > 0 {
            assert!(self.keyspace.lane_due_ms(lane) > self.now_ms as u64);
        }
    }

    /// Looks after all lanes until nothing is due.
    fn expire_all(&mut self) {
        for lane in 0..LANES {
            while self.keyspace.lane_due_ms(lane) <= self.now_ms as u64 {
                let turn = &mut self.turns[lane as usize];
                self.keyspace.expire(
                    lane,
                    self.now_ms,
                    turn,
                    &mut 7,
                    &mut self.change,
                    (events, |_| ()),
                );
            }
        }
        self.forget_expired();
        for index in 0..DATABASES {
            let len = self.maps[index as usize].len() as u64;
            assert_eq!(self.on(index, |db| db.len()), len);
        }
        assert_eq!(self.change.expired(), self.expired);
        let is_event = |note: &&crate::Note| note.class == Class::EXPIRED;
        let events = self.change.notes().iter().filter(is_event).count();
        assert_eq!(events as u64, self.expired);
    }

    /// Nothing expires later than its lane knows.
    fn check_dues(&self) {
        for (key, (_, deadline)) in self.maps.iter().flatten() {
            let Some(deadline) = deadline else { continue };
            let shard = self.keyspace.shard_of(self.keyspace.hash(key));
            let due = self.keyspace.lane_due_ms(self.keyspace.lane_of(shard));
            assert!(due <= *deadline as u64 + 1, "a lane sleeps past a deadline");
        }
    }
}

#[test]
fn databases_agree_with_maps() {
    for seed in 0..RUNS {
        let mut model = Model::new(seed, 1 + (seed % 2) as usize);
        for _ in 0..STEPS {
            model.step();
        }
        model.expire_all();
        for index in 0..DATABASES {
            model.scan(index);
        }
        model.now_ms += 1 << 30;
        model.expire_all();
        assert!(model.maps.iter().flatten().all(|(_, (_, deadline))| deadline.is_none()));
    }
}

#[test]
fn a_lane_gives_each_of_its_shards_a_turn() {
    let mut model = Model::new(1, 1);
    let keys = if cfg!(miri) { 100 } else { 1000 };
    let deadline = model.now_ms + 1;
    for key in 0..keys {
        let key = format!("{key}");
        model.on(0, |db| db.set(key.as_bytes(), NewValue::Int(1), Ttl::At(deadline)));
    }
    model.now_ms += 2;
    let before: Vec<u64> = shard_lens(&mut model);
    for _ in 0..SHARDS.div_ceil(LANES) {
        let (turn, change) = (&mut model.turns[0], &mut model.change);
        model.keyspace.expire(0, model.now_ms, turn, &mut 3, change, (events, |_| ()));
    }
    let after = shard_lens(&mut model);
    for shard in (0..SHARDS as usize).step_by(LANES as usize) {
        assert!(after[shard] < before[shard], "shard {shard} had no turn");
    }
}

fn shard_lens(model: &mut Model) -> Vec<u64> {
    let len = |db: &mut Db<'_, '_>, shard| db.shards().shard(shard).db(0).table().len() as u64;
    model.on(0, |db| (0..SHARDS).map(|shard| len(db, shard)).collect())
}
