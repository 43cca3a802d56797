//! The table of tracked keys.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::{Table, Tracker};
use crate::pubsub::Reader;

const SHARDS: u64 = 4;

fn trackers() -> Vec<Arc<Tracker>> {
    (0..4).map(|id| Arc::new(Tracker::new(0, Reader { slot: 0, id }))).collect()
}

/// Hashes that meet in shards and among themselves.
fn hash(key: u8) -> u64 {
    (u64::from(key) % SHARDS) + ((u64::from(key) / 16) << 40)
}

#[derive(Clone, Debug)]
enum Step {
    Add(u8, usize),
    Take(u8),
    TakeRandom,
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (any::<u8>(), 0..4usize).prop_map(|(key, by)| Step::Add(key, by)),
        4 => any::<u8>().prop_map(Step::Take),
        2 => Just(Step::TakeRandom),
        1 => Just(Step::Clear),
    ]
}

fn ids(trackers: &[Arc<Tracker>]) -> BTreeSet<u64> {
    trackers.iter().map(|tracker| tracker.id()).collect()
}

proptest! {
    #[test]
    fn does_what_a_map_does(steps in prop::collection::vec(step(), 1..400)) {
        let (table, trackers) = (Table::new(SHARDS as usize), trackers());
        let mut model: BTreeMap<u8, BTreeSet<u64>> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Add(key, by) => {
                    let shard = (hash(key) % SHARDS) as u32;
                    table.add(shard, hash(key), &[key], &trackers[by]);
                    model.entry(key).or_default().insert(by as u64);
                }
                Step::Take(key) => {
                    let shard = (hash(key) % SHARDS) as u32;
                    let taken = table.take(shard, hash(key), &[key]).map(|taken| ids(&taken));
                    prop_assert_eq!(taken, model.remove(&key));
                }
                Step::TakeRandom => {
                    let taken = table.take_random();
                    prop_assert_eq!(taken.is_none(), model.is_empty());
                    if let Some((key, by)) = taken {
                        prop_assert_eq!(Some(ids(&by)), model.remove(&key[0]));
                    }
                }
                Step::Clear => {
                    table.clear();
                    model.clear();
                }
            }
            prop_assert_eq!(table.len(), model.len());
        }
        let items: usize = model.values().map(BTreeSet::len).sum();
        prop_assert_eq!(table.items(), items as u64);
    }
}
