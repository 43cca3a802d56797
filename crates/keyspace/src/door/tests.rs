//! Snapshots against copies: whatever happens while one is walked in slices of any size, it shows
//! every entry of its beginning once, as it was then.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use fastrand::Rng;
use parking_lot::Mutex;
use value::hash::{Field, Hash, Pair, Rules, Time};
use value::{Claim, Kind, Limits, Value, ValueMut, ValueView};

use super::{Origin, Recorder};
use crate::{
    Change, Db, Discarded, Entry, KeyStats, Keyspace, Layout, NewValue, Parts, Stamp, Ttl, Wants,
};

const DATABASES: u32 = 3;
const LANES: u32 = 2;

/// A key, with its database, and all that it holds as text.
type Seen = ((u32, Vec<u8>), String);

#[derive(Default)]
struct Notes {
    seen: Mutex<Vec<Seen>>,
    /// What is taken down bit by bit, as it was at the first one, and how many bits it still has.
    begun: Mutex<BTreeMap<usize, (Seen, usize)>>,
    /// What hashes were that remember it while they change, by their claims.
    claimed: Mutex<BTreeMap<usize, (Claim, Seen)>>,
    is_over: AtomicBool,
}

impl Recorder for Notes {
    fn record(&self, origin: Origin, entry: &Entry) {
        if self.is_over() {
            return;
        }
        if let Some(seen) = self.end_claim(entry) {
            return self.seen.lock().push(seen);
        }
        let now = described(origin.db, entry);
        if let Some((before, _)) = self.begun.lock().remove(&entry.identity()) {
            assert_eq!(before, now, "the rest is shown before it changes");
        }
        self.seen.lock().push(now);
    }

    fn record_bit(&self, origin: Origin, entry: &mut Entry) -> bool {
        if self.is_over() {
            return true;
        }
        if let Some(seen) = self.end_claim(entry) {
            self.seen.lock().push(seen);
            return true;
        }
        let now = described(origin.db, entry);
        let bits = now.1.len() % 7;
        let mut begun = self.begun.lock();
        let (before, left) = begun.entry(entry.identity()).or_insert((now.clone(), bits));
        assert_eq!(*before, now, "it stays as it is until it is whole");
        let is_last = *left == 0;
        *left = left.saturating_sub(1);
        if is_last {
            begun.remove(&entry.identity());
            self.seen.lock().push(now);
        }
        is_last
    }

    fn keep(&self, origin: Origin, entry: &mut Entry) -> bool {
        if self.is_over() || self.begun.lock().contains_key(&entry.identity()) {
            return false;
        }
        let mut claimed = self.claimed.lock();
        if claim_id(entry).is_some_and(|id| claimed.contains_key(&id)) {
            return true;
        }
        let (claim, now) = (Claim::default(), described(origin.db, entry));
        let Some(ValueMut::Hash(hash)) = entry.object_mut() else { return false };
        let is_kept = hash.claim(&claim, 0);
        if is_kept {
            claimed.insert(claim.id(), (claim, now));
        }
        is_kept
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Relaxed)
    }
}

impl Notes {
    /// What a hash was that was claimed, after a look whether it remembers that.
    fn end_claim(&self, entry: &Entry) -> Option<Seen> {
        let (_, seen) = self.claimed.lock().remove(&claim_id(entry)?)?;
        let Some(ValueView::Hash(hash)) = entry.object() else { panic!("hashes are claimed") };
        let mut fields = Vec::new();
        assert_eq!(hash.scan_left(0, u64::MAX, &mut |field| fields.push(told(field))), 0);
        assert_eq!(hash.show_kept(None, usize::MAX, |field| fields.push(told(field))), None);
        fields.sort();
        assert!(seen.1.starts_with(&format!("{fields:?}")), "{fields:?} of {}", seen.1);
        Some(seen)
    }
}

fn claim_id(entry: &Entry) -> Option<usize> {
    entry.object().and_then(ValueView::claim_id)
}

fn told(field: &Field) -> String {
    let (name, value) = (field.name().escape_ascii(), field.value().escape_ascii());
    format!("{name} {value} {:?}", field.deadline_ms())
}

fn described(db: u32, entry: &Entry) -> Seen {
    let value = match entry.object() {
        Some(ValueView::Hash(hash)) if hash.listpack().is_none() => {
            let mut fields = Vec::new();
            hash.iter().for_each(|pair| {
                let Pair::Large(field) = pair else { panic!("a field of a table") };
                fields.push(told(&field));
            });
            fields.sort();
            format!("{fields:?}")
        }
        _ => format!("{:?}", entry.value()),
    };
    let content = format!("{value} until {:?}", entry.deadline_ms());
    ((db, entry.key_bytes().to_vec()), content)
}

struct Model {
    keyspace: Keyspace,
    change: Change,
    now_ms: i64,
    rng: Rng,
    keys: u32,
}

impl Model {
    fn new(seed: u64, keys: u32) -> Self {
        let seed_bytes = u128::from(seed).to_le_bytes();
        let layout =
            Layout { shards: 4, databases: DATABASES, readers: 1, lanes: LANES, seed: seed_bytes };
        let mut change = Change::default();
        change.set_wants(Wants::LOG);
        let (keyspace, rng) = (Keyspace::new(layout), Rng::with_seed(seed));
        Self { keyspace, change, now_ms: 1_000_000, rng, keys }
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
            index: self.rng.u32(0..DATABASES),
            stamp: Stamp::at(self.now_ms),
            touch: true,
        });
        let result = work(&mut db);
        self.change.take_discarded().for_each(drop);
        self.change.clear();
        result
    }

    fn state(&self) -> BTreeMap<(u32, Vec<u8>), String> {
        let mut held = self.keyspace.shards().hold_walk();
        let mut all = BTreeMap::new();
        for shard in 0..held.count() {
            for (db, part) in held.shard(shard).dbs() {
                all.extend(part.table().iter().map(|entry| described(db, &entry)));
            }
        }
        all
    }

    fn begin(&mut self) -> Arc<Notes> {
        let notes = Arc::new(Notes::default());
        let recorder: Arc<dyn Recorder> = Arc::<Notes>::clone(&notes);
        let mut held = self.keyspace.shards().hold_walk();
        drop::<Vec<Discarded>>(self.keyspace.begin_epoch(&mut held, &recorder));
        notes
    }

    /// Goes on with a lane for up to so many steps; whether it is at its end.
    fn walk(&self, lane: u32, mut steps: u32) -> bool {
        self.keyspace.walk(lane, &mut |_| {
            steps = steps.saturating_sub(1);
            steps > 0
        })
    }

    fn key(&mut self) -> Vec<u8> {
        format!("key{}", self.rng.u32(0..self.keys)).into_bytes()
    }

    fn text(&mut self) -> Vec<u8> {
        let len = [3, 40, 700, 3000][self.rng.usize(0..4)];
        vec![self.rng.alphanumeric() as u8; len]
    }

    fn ttl(&mut self) -> Ttl {
        match self.rng.u32(0..3) {
            0 => Ttl::Keep,
            1 => Ttl::Never,
            _ => Ttl::At(self.now_ms + self.rng.i64(0..500)),
        }
    }

    fn step(&mut self) {
        let (key, other, text, ttl) = (self.key(), self.key(), self.text(), self.ttl());
        let (now_ms, to) = (self.now_ms, self.rng.u32(0..DATABASES));
        match self.rng.u32(0..1000) {
            0..250 => self.on(|db| db.set(&key, NewValue::Bytes(&text), ttl)),
            250..400 => self.edit(&key, &text),
            400..550 => self.set_field(&key),
            550..650 => drop(self.on(|db| db.take(&key))),
            650..700 => self.on(|db| {
                if let Some(entry) = db.take(&key) {
                    db.put(entry.with_key(&other));
                }
            }),
            700..750 => self.on(|db| {
                if let Some(entry) = db.take(&key) {
                    db.on(to, |db| db.put(entry));
                }
            }),
            750..800 => self.on(|db| {
                let copy = db.read(&key).map(|entry| entry.copy_as(&other, Some(now_ms + 100), 7));
                copy.map(|copy| db.on(to, |db| db.put(copy)));
            }),
            800..900 => {
                let deadline_ms = self.rng.bool().then_some(now_ms + 50);
                self.on(|db| db.set_deadline(&key, deadline_ms));
            }
            900..950 => drop(self.on(|db| db.read(&key).map(|entry| entry.kind()))),
            950..990 => self.pass_time(),
            990..995 => drop(self.on(|db| db.flush(to..to + 1, key.len() % 2 == 0))),
            _ => self.on(|db| db.swap(db.index(), to)),
        }
    }

    /// Changes in place whatever is there.
    fn edit(&mut self, key: &[u8], text: &[u8]) {
        self.on(|db| {
            db.edit(key, |entry| {
                if entry.edit_shared(|bytes| bytes.extend_from_slice(text)).is_none()
                    && entry.kind() == Kind::String
                {
                    entry.set_value(NewValue::Bytes(text));
                }
            })
        });
    }

    fn set_field(&mut self, key: &[u8]) {
        let field = format!("field{}", self.rng.u32(0..20)).into_bytes();
        let (later_ms, removes) = (self.rng.i64(0..300), self.rng.u32(0..4) == 0);
        let text = self.rng.u32(0..9).to_string().into_bytes();
        let time = if self.rng.bool() { Time::At(self.now_ms + later_ms) } else { Time::Never };
        let (limits, hasher) = (Limits::default(), self.keyspace.key_hash());
        let make: fn() -> Value = || Value::Hash(Hash::new());
        self.on(|db| {
            let set = db.change_object(key, Kind::Hash, Some(make), |value| {
                let ValueMut::Hash(hash) = value else { unreachable!("its kind was checked") };
                match removes {
                    true => drop(hash.remove(&field)),
                    false => drop(hash.set(&field, &text, time, Rules { limits: &limits, hasher })),
                }
            });
            db.drop_vacant(key);
            // A key of another kind stays what it is.
            set.is_ok()
        });
    }

    fn pass_time(&mut self) {
        self.now_ms += self.rng.i64(0..100);
        for lane in 0..LANES {
            let (mut turn, mut budget) = (0, self.rng.u32(1..50));
            let (change, record) = (&mut self.change, (|| Wants::LOG, |_: &mut Change| ()));
            self.keyspace.expire(lane, self.now_ms, &mut turn, &mut budget, change, record);
            self.change.take_discarded().for_each(drop);
            self.change.clear();
        }
    }

    /// Works on while a snapshot is walked; whether it came to its end.
    fn snapshot(&mut self, steps_max: u32) -> bool {
        let expected = self.state();
        let notes = self.begin();
        let cancels = self.rng.u32(0..4) == 0;
        let mut done = [false; LANES as usize];
        while !done.iter().all(|done| *done) {
            for _ in 0..self.rng.u32(0..20) {
                self.step();
            }
            if cancels && self.rng.u32(0..10) == 0 {
                notes.is_over.store(true, Ordering::Relaxed);
                return false;
            }
            let lane = self.rng.u32(0..LANES);
            let steps = self.rng.u32(1..steps_max);
            done[lane as usize] = self.walk(lane, steps);
        }
        let seen = notes.seen.lock();
        let unique: BTreeMap<_, _> = seen.iter().cloned().collect();
        assert_eq!(unique.len(), seen.len(), "an entry is shown once");
        assert_eq!(unique, expected, "what is shown is what there was");
        assert!(notes.begun.lock().is_empty(), "nothing is left half shown");
        assert!(notes.claimed.lock().is_empty(), "nothing claimed is left");
        true
    }
}

#[test]
fn a_snapshot_is_of_its_beginning() {
    for seed in 0..60 {
        let mut model = Model::new(seed, [20, 300, 3000][seed as usize % 3]);
        let mut whole = 0;
        for _ in 0..6 {
            (0..2000).for_each(|_| model.step());
            whole += u32::from(model.snapshot(if seed % 2 == 0 { 3 } else { 30 }));
        }
        assert!(whole > 0, "some come to their end");
    }
}

#[test]
fn epochs_come_round_while_no_walk_gets_anywhere() {
    let mut model = Model::new(1, 500);
    (0..2000).for_each(|_| model.step());
    for round in 0..700 {
        drop(model.begin());
        model.step();
        if round % 97 == 0 {
            while !model.snapshot(3) {}
        }
    }
}

#[test]
fn what_nobody_wants_any_more_is_let_go() {
    let mut model = Model::new(2, 300);
    (0..1000).for_each(|_| model.step());
    let notes = model.begin();
    model.on(|db| db.flush(0..DATABASES, false));
    notes.is_over.store(true, Ordering::Relaxed);
    for lane in 0..LANES {
        assert!(model.walk(lane, u32::MAX));
    }
    assert!(notes.seen.lock().is_empty());
    assert_eq!(Arc::strong_count(&notes), 1, "no table knows of it any more");
}
