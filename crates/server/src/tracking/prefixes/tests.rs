//! Prefixes of keys that are broadcast.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Prefixes, Tracker};
use crate::pubsub::Reader;

fn tracker(id: u64) -> Arc<Tracker> {
    Arc::new(Tracker::new(0, Reader { slot: 0, id }))
}

/// Each group as the numbers of its clients and its keys.
fn groups(prefixes: &Prefixes, keys: &[&str]) -> Vec<(Vec<u64>, Vec<String>)> {
    let changed: BTreeMap<Box<[u8]>, u64> =
        keys.iter().map(|key| (key.as_bytes().into(), 0)).collect();
    let text = |key: &[u8]| String::from_utf8_lossy(key).into_owned();
    prefixes
        .groups(&changed)
        .map(|(trackers, keys)| {
            let ids = trackers.iter().map(|tracker| tracker.id()).collect();
            (ids, keys.iter().map(|(key, _)| text(key)).collect())
        })
        .collect()
}

#[test]
fn a_key_belongs_to_every_prefix_that_it_begins_with() {
    let (one, other) = (tracker(1), tracker(2));
    let mut prefixes = Prefixes::default();
    prefixes.add(b"", &other);
    prefixes.add(b"a:", &one);
    prefixes.add(b"a:", &other);
    prefixes.add(b"a:", &one);
    prefixes.add(b"b", &one);
    assert_eq!(prefixes.len(), 3);
    let keys = |keys: &[&str]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
    let found = groups(&prefixes, &["c", "a:2", "a", "a:1"]);
    let expected =
        [(vec![2], keys(&["a", "a:1", "a:2", "c"])), (vec![1, 2], keys(&["a:1", "a:2"]))];
    assert_eq!(found, expected);
}

#[test]
fn a_prefix_goes_with_its_last_client() {
    let (one, other) = (tracker(1), tracker(2));
    let mut prefixes = Prefixes::default();
    prefixes.add(b"ab", &one);
    prefixes.add(b"ab", &other);
    prefixes.remove(b"ab", &one);
    assert_eq!(groups(&prefixes, &["abc"]), [(vec![2], vec!["abc".to_owned()])]);
    prefixes.remove(b"ab", &other);
    prefixes.remove(b"ab", &other);
    assert_eq!((prefixes.len(), groups(&prefixes, &["abc"])), (0, Vec::new()));
}
