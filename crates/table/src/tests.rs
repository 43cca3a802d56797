//! The table against a model under random operations, with strong and weak hash functions.

mod support;

use std::collections::HashMap;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind};

use proptest::prelude::*;
use support::{HASHERS, Hasher, Node, key, live};

use crate::directory::Directory;
use crate::{Entry, Item, KeyHash, Table, prefetch, prefetch_two};

type Nodes = Table<Node, Hasher>;

const SIZE: u32 = if cfg!(miri) { 300 } else { 20_000 };

fn filled(hasher: Hasher, numbers: impl IntoIterator<Item = u32>) -> Nodes {
    let mut table = Table::new(hasher);
    for number in numbers {
        insert(&mut table, number);
    }
    table
}

fn insert(table: &mut Nodes, number: u32) {
    let hash = table.hasher().hash(&key(number));
    table.insert_new(hash, Node::new(number, number));
}

fn remove(table: &mut Nodes, number: u32) -> Option<u32> {
    let hash = table.hasher().hash(&key(number));
    table.remove(hash, &key(number)).map(|node| node.value())
}

fn get(table: &Nodes, number: u32) -> Option<u32> {
    let hash = table.hasher().hash(&key(number));
    table.get(hash, &key(number)).map(|node| node.value())
}

#[derive(Clone, Debug)]
enum Step {
    Insert(u32, u32),
    Remove(u32, u32),
    Replace(u32),
    TakeSegment,
    Scan(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (numbers, run) = if cfg!(miri) { (60, 20) } else { (3000_u32, 600_u32) };
    let step = prop_oneof![
        4 => (0..numbers, 1..run).prop_map(|(from, count)| Step::Insert(from, count)),
        3 => (0..numbers, 1..run).prop_map(|(from, count)| Step::Remove(from, count)),
        1 => (0..numbers).prop_map(Step::Replace),
        1 => Just(Step::TakeSegment),
        3 => (1..40_u8).prop_map(Step::Scan),
    ];
    let most: usize = if cfg!(miri) { 12 } else { 60 };
    prop::collection::vec(step, 1..most)
}

/// A table, what must be in it, and a scan under way.
struct Model {
    table: Nodes,
    expected: HashMap<u32, u32>,
    cursor: u64,
    /// Present since the scan began, and not yet seen by it.
    unseen: HashMap<u32, ()>,
}

impl Model {
    fn new(hasher: Hasher) -> Model {
        let table = Table::new(hasher);
        Model { table, expected: HashMap::new(), cursor: 0, unseen: HashMap::new() }
    }

    fn apply(&mut self, step: Step) {
        match step {
            Step::Insert(from, count) => (from..from + count).for_each(|n| self.put(n, n)),
            Step::Remove(from, count) => {
                for number in from..from + count {
                    assert_eq!(remove(&mut self.table, number), self.expected.remove(&number));
                    self.unseen.remove(&number);
                }
            }
            Step::Replace(number) => self.put(number, number + 1),
            Step::TakeSegment => {
                for node in self.table.take_segment().into_iter().flatten() {
                    assert_eq!(self.expected.remove(&node.number()), Some(node.value()));
                    self.unseen.remove(&node.number());
                }
            }
            Step::Scan(calls) => (0..calls).for_each(|_| self.scan()),
        }
        self.table.directory.check();
        assert_eq!(self.table.len(), self.expected.len());
    }

    fn put(&mut self, number: u32, value: u32) {
        let hash = self.table.hasher().hash(&key(number));
        match self.table.entry(hash, &key(number)) {
            Entry::Occupied(mut node) => {
                assert_eq!(Some(node.value()), self.expected.insert(number, value));
                node.set(value);
            }
            Entry::Vacant(place) => {
                assert_eq!(None, self.expected.insert(number, value));
                assert_eq!(place.insert(Node::new(number, value)).value(), value);
            }
        }
    }

    fn scan(&mut self) {
        if self.cursor == 0 {
            self.unseen = self.expected.keys().map(|&number| (number, ())).collect();
        }
        let (expected, unseen) = (&self.expected, &mut self.unseen);
        let mut see = |node: &Node| {
            assert_eq!(expected.get(&node.number()), Some(&node.value()));
            unseen.remove(&node.number());
        };
        let next = if expected.len() % 2 == 0 {
            self.table.scan(self.cursor, &mut see)
        } else {
            // The items move: each is replaced by one like it.
            self.table.scan_mut(self.cursor, 1 + expected.len() % 50, &mut |node| {
                see(node);
                *node = Node::new(node.number(), node.value());
            })
        };
        assert!(next == 0 || (next > self.cursor && next < 1 << 48), "a scan moves forward");
        self.cursor = next;
        if next == 0 {
            assert!(self.unseen.is_empty(), "a full scan missed items that were there throughout");
        }
    }

    fn finish(mut self) {
        while self.cursor != 0 {
            self.scan();
        }
        for (&number, &value) in &self.expected {
            assert_eq!(get(&self.table, number), Some(value));
        }
        let mut seen: Vec<u32> = self.table.iter().map(|node| node.number()).collect();
        seen.sort_unstable();
        let mut numbers: Vec<u32> = self.expected.into_keys().collect();
        numbers.sort_unstable();
        assert_eq!(seen, numbers);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: if cfg!(miri) { 2 } else { 32 },
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn behaves_like_a_map(steps in steps(), hasher in prop::sample::select(&HASHERS[..])) {
        let before = live();
        let mut model = Model::new(hasher);
        steps.into_iter().for_each(|step| model.apply(step));
        model.finish();
        prop_assert_eq!(live(), before, "every item is freed once");
    }
}

#[test]
fn weak_hashes_degrade_but_hold() {
    let count = if cfg!(miri) { 100 } else { 3000 };
    for hasher in HASHERS {
        let mut table = filled(hasher, 0..count);
        table.directory.check();
        assert!((0..count).all(|number| get(&table, number) == Some(number)));
        assert!((count..count + 50).all(|number| get(&table, number).is_none()));
        let stats = table.stats();
        assert!(stats.directory <= 16.max(8 * stats.segments), "{hasher:?}: {stats:?}");
        assert!(stats.memory <= 40 * count as usize, "{hasher:?}: {stats:?}");
        assert!((0..count).rev().all(|number| remove(&mut table, number) == Some(number)));
        assert_eq!(table.memory(), 0, "{hasher:?}");
    }
}

#[test]
fn small_tables_are_tiny() {
    let mut table = filled(Hasher::Strong, []);
    assert_eq!(table.memory(), 0);
    for (items, bytes) in [(1, 64), (8, 64), (14, 128), (28, 256)] {
        (table.len() as u32..items).for_each(|number| insert(&mut table, number));
        assert!(table.memory() <= bytes, "{items} items take {} bytes", table.memory());
    }
    assert!(size_of::<Directory>() <= 72);
}

#[test]
fn memory_follows_the_items() {
    let mut table = filled(Hasher::Strong, []);
    let mut peak: f64 = 0.0;
    for number in 0..SIZE {
        insert(&mut table, number);
        if number >= SIZE / 5 {
            peak = peak.max(table.memory() as f64 / f64::from(number + 1));
        }
    }
    assert!(cfg!(miri) || peak < 11.5, "{peak} bytes a key while growing");
    for number in 0..SIZE {
        assert_eq!(remove(&mut table, number), Some(number));
        let left = (SIZE - 1 - number) as usize;
        assert!(table.memory() <= 20 * left + 128, "{} bytes for {left}", table.memory());
    }
    assert_eq!(table.memory(), 0);
    assert_eq!(table.stats(), filled(Hasher::Strong, []).stats());
}

#[test]
fn a_step_touches_one_segment() {
    let table = filled(Hasher::Strong, 0..SIZE);
    let stats = table.stats();
    assert!(stats.largest_segment <= 128, "{stats:?}");
    assert_eq!(stats.probes.iter().sum::<usize>(), SIZE as usize);
    assert_eq!(stats.items, SIZE as usize);
    assert!(cfg!(miri) || stats.load() > 0.7);
}

#[test]
fn freed_piece_by_piece() {
    let before = live();
    let mut table = filled(Hasher::Strong, 0..SIZE);
    let mut left = SIZE as usize;
    while let Some(mut batch) = table.take_segment() {
        let unread = batch.next().is_some();
        assert!(unread && table.len() < left && left - table.len() <= 1024);
        left = table.len();
        drop(batch);
        assert_eq!(live() - before, left);
        table.directory.check();
    }
    assert_eq!((left, table.memory()), (0, 0));
    insert(&mut table, 1);
    assert_eq!(get(&table, 1), Some(1));
    table.clear();
    assert_eq!(live(), before);
}

#[test]
fn items_are_found_by_address() {
    let mut table = filled(Hasher::Strong, 0..100);
    let hash = Hasher::Strong.hash(&key(7));
    let raw = table.get(hash, &key(7)).map(|node| node.raw()).expect("it was inserted");
    assert_eq!(table.find_by_pointer(hash, raw).map(|node| node.number()), Some(7));
    assert_eq!(table.remove_item(hash, raw).map(|node| node.number()), Some(7));
    assert!(table.find_by_pointer(hash, raw).is_none());
    assert_eq!(table.len(), 99);
}

#[test]
fn replaced_items_come_back() {
    let before = live();
    let mut table = filled(Hasher::Strong, 0..10);
    let hash = Hasher::Strong.hash(&key(3));
    let mut node = table.get_mut(hash, &key(3)).expect("it was inserted");
    assert_eq!(node.replace(Node::new(3, 33)).value(), 3);
    node.set(34);
    let node = node.remove();
    assert_eq!((node.value(), table.len()), (34, 9));
    drop((node, table));
    assert_eq!(live(), before);
}

#[test]
fn a_forgotten_loan_loses_one_item_and_no_more() {
    let before = live();
    let mut table = filled(Hasher::Strong, 0..SIZE / 10);
    let hash = Hasher::Strong.hash(&key(3));
    let mut node = table.get_mut(hash, &key(3)).expect("it was inserted");
    node.set(33);
    let lost = node.raw();
    mem::forget(node);
    assert_eq!(get(&table, 3), None);
    (SIZE / 10..SIZE).for_each(|number| insert(&mut table, number));
    table.directory.check();
    assert_eq!(table.iter().count(), SIZE as usize - 1);
    (4..SIZE).for_each(|number| assert_eq!(remove(&mut table, number), Some(number)));
    drop(table);
    assert_eq!(live() - before, 1);
    // SAFETY: the table has lost the node, so that the address is its only owner.
    drop(unsafe { Node::from_raw(lost) });
}

#[test]
fn a_panicking_hash_leaves_the_table_whole() {
    let before = live();
    let mut table = filled(Hasher::Panicking(None), []);
    let full = if cfg!(miri) { 300 } else { 5000 };
    let panics_at = full / 2;
    (0..panics_at).for_each(|number| insert(&mut table, number));
    table.hasher = Hasher::Panicking(Some(3));
    let mut lost = 0;
    for number in panics_at..full {
        let hash = Hasher::Strong.hash(&key(number));
        let inserted = catch_unwind(AssertUnwindSafe(|| {
            table.insert_new(hash, Node::new(number, number));
        }));
        lost += usize::from(inserted.is_err());
        if inserted.is_err() {
            table.directory.check();
            table.hasher = Hasher::Panicking(None);
            insert(&mut table, number);
        }
    }
    table.hasher = Hasher::Panicking(None);
    assert!(lost > 0, "a segment was split");
    assert!((0..full).all(|number| get(&table, number) == Some(number)));
    drop(table);
    assert_eq!(live(), before, "an item that could not be inserted is freed");
}

#[test]
fn buckets_are_drawn_fairly_and_lead_to_their_items() {
    if cfg!(miri) {
        return;
    }
    let mut table = filled(Hasher::Strong, 0..1500);
    let mut seen = vec![0_u32; 1500];
    let mut state = 1_u64;
    let mut rng = || {
        state = support::mix(state + 1);
        state
    };
    let mut found = 0;
    while found < 1500 * 200 {
        let random = rng();
        let Some((spot, _)) = table.spot(random) else { continue };
        table.items_at(spot).for_each(|(_, node)| {
            seen[node.number() as usize] += 1;
            found += 1;
        });
    }
    assert!(seen.iter().all(|&n| (115..=285).contains(&n)), "{seen:?}");
    // The hash that comes with an item finds it.
    for _ in 0..500 {
        let Some((spot, _)) = table.spot(rng()) else { continue };
        let named: Vec<_> = table.items_at(spot).map(|(hash, node)| (hash, node.raw())).collect();
        for (hash, raw) in named {
            assert!(table.remove_item(hash, raw).is_some());
        }
    }
    let empty = filled(Hasher::Strong, 0..0);
    assert!(empty.spot(rng()).is_none());
}

#[test]
fn random_is_fair() {
    if cfg!(miri) {
        return;
    }
    // Three segments in four cells: one is twice as deep as another.
    let mut table = filled(Hasher::Strong, 0..1000);
    while table.stats().segments < 3 {
        let next = table.len() as u32;
        insert(&mut table, next);
    }
    assert_eq!(table.stats().directory, 4);
    let count = table.len() as u32;
    let mut seen = vec![0_u32; count as usize];
    let mut state = 1_u64;
    let mut rng = || {
        state = support::mix(state + 1);
        state
    };
    for _ in 0..count * 200 {
        let node = table.random(&mut rng).expect("the table is not empty");
        seen[node.number() as usize] += 1;
    }
    // 200 expected, with a standard deviation of 14: six of those on either side.
    assert!(seen.iter().all(|&n| (115..=285).contains(&n)), "{seen:?}");
    for hasher in HASHERS {
        let table = filled(hasher, 0..100);
        assert!(table.random(&mut rng).is_some(), "{hasher:?}");
        assert!(filled(hasher, []).random(&mut rng).is_none());
    }
}

#[test]
fn the_likely_item_is_the_one_with_a_good_hash() {
    let table = filled(HASHERS[0], 0..1000);
    let is_it = |number: u32| {
        let likely = table.likely(HASHERS[0].hash(&key(number)));
        likely.is_some_and(|item| item.key() == key(number))
    };
    assert!((0..1000).filter(|number| is_it(*number)).count() > 900);
    assert!((1000..2000).filter(|number| is_it(*number)).count() == 0);
    assert!(filled(HASHERS[0], []).likely(0).is_none(), "a free slot looks like a hash of zeros");
}

#[test]
fn prefetches_change_nothing() {
    for hasher in HASHERS {
        for count in [0, 1, 9, SIZE / 20] {
            let table = filled(hasher, 0..count);
            for number in 0..50 {
                let hash = hasher.hash(&key(number));
                prefetch_two(table.bucket_line(hash));
                table.item_line(hash).inspect(|line| prefetch(*line));
            }
            assert_eq!(table.len(), count as usize);
        }
    }
}

#[test]
fn any_cursor_is_harmless() {
    let table = filled(Hasher::Strong, 0..SIZE);
    for cursor in [1, 77, (1 << 48) - 1, 1 << 48, u64::MAX] {
        let next = table.scan(cursor, &mut |_| {});
        assert!(next < 1 << 48);
    }
}

#[test]
fn table_moves_between_threads_with_its_items() {
    fn is_send<T: Send>() {}
    struct Sent(Node);
    // SAFETY: a node owns its memory and has no thread-bound state; this type is never used.
    unsafe impl Send for Sent {}
    // SAFETY: passed on to the node.
    unsafe impl Item for Sent {
        fn into_raw(self) -> std::ptr::NonNull<u8> {
            self.0.into_raw()
        }
        unsafe fn from_raw(raw: std::ptr::NonNull<u8>) -> Self {
            // SAFETY: the caller's promise, passed on.
            Sent(unsafe { Node::from_raw(raw) })
        }
        fn key(&self) -> &[u8] {
            self.0.key()
        }
    }
    is_send::<Table<Sent, Hasher>>();
}
