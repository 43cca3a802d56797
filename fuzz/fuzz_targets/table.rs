//! The table against a map, with hash functions from strong to useless, and a scan under way.

#![no_main]

use std::collections::{HashMap, HashSet};

use libfuzzer_sys::fuzz_target;
use table::{Item, KeyHash, Table};

#[path = "../../crates/table/src/tests/support.rs"]
#[allow(dead_code)]
mod support;

use support::{HASHERS, Hasher, Node, key, live};

/// A run of keys is handled at once, so that short inputs reach splits and merges.
const RUN: u32 = 64;

fuzz_target!(|input: &[u8]| {
    let Some((&hasher, steps)) = input.split_first() else { return };
    let mut state = State::new(HASHERS[usize::from(hasher) % HASHERS.len()]);
    for step in steps.chunks_exact(2).take(300) {
        state.apply(step[0], u32::from(step[1]) * RUN / 4);
    }
    drop(state);
    assert_eq!(live(), 0, "every item is freed once");
});

struct State {
    table: Table<Node, Hasher>,
    expected: HashMap<u32, u32>,
    cursor: u64,
    unseen: HashSet<u32>,
}

impl State {
    fn new(hasher: Hasher) -> State {
        let table = Table::new(hasher);
        State { table, expected: HashMap::new(), cursor: 0, unseen: HashSet::new() }
    }

    fn apply(&mut self, step: u8, from: u32) {
        match step % 5 {
            0 | 1 => (from..from + RUN).for_each(|number| self.put(number, u32::from(step))),
            2 => (from..from + RUN).for_each(|number| self.remove(number)),
            3 => (0..=step / 16).for_each(|_| self.scan()),
            _ if step > 240 => self.take_segment(),
            _ => self.put(from, u32::from(step)),
        }
        assert_eq!(self.table.len(), self.expected.len());
    }

    fn put(&mut self, number: u32, value: u32) {
        let hash = self.table.hasher().hash(&key(number));
        let before = self.expected.insert(number, value);
        match self.table.entry(hash, &key(number)) {
            table::Entry::Occupied(mut node) => {
                assert_eq!(Some(node.value()), before);
                node.set(value);
            }
            table::Entry::Vacant(place) => {
                assert_eq!(None, before);
                place.insert(Node::new(number, value));
            }
        }
    }

    fn remove(&mut self, number: u32) {
        let hash = self.table.hasher().hash(&key(number));
        let removed = self.table.remove(hash, &key(number)).map(|node| node.value());
        assert_eq!(removed, self.expected.remove(&number));
        self.unseen.remove(&number);
    }

    fn take_segment(&mut self) {
        for node in self.table.take_segment().into_iter().flatten() {
            assert_eq!(self.expected.remove(&node.number()), Some(node.value()));
            self.unseen.remove(&node.number());
        }
    }

    fn scan(&mut self) {
        if self.cursor == 0 {
            self.unseen = self.expected.keys().copied().collect();
        }
        let (expected, unseen) = (&self.expected, &mut self.unseen);
        let next = self.table.scan(self.cursor, &mut |node| {
            assert_eq!(expected.get(&node.number()), Some(&node.value()));
            unseen.remove(&node.number());
        });
        assert!(next == 0 || (next > self.cursor && next < 1 << 48), "a scan moves forward");
        self.cursor = next;
        assert!(next != 0 || self.unseen.is_empty(), "a full scan missed an item");
    }
}
