//! Watching keys: who is told of what.

use std::sync::Arc;

use super::*;

fn watched(watches: &Watches, key: &[u8], stale: bool) -> Arc<Watcher> {
    let watcher = Arc::new(Watcher::default());
    assert!(watches.add(0, 0, key, &watcher, stale));
    watcher
}

#[test]
fn a_change_marks_the_watchers_of_its_key_in_its_database() {
    let watches = Watches::new(1);
    let (first, second) = (watched(&watches, b"key", false), watched(&watches, b"key", false));
    let other = watched(&watches, b"other", false);
    watches.touch(0, 1, b"key");
    assert!(!first.is_touched() && !second.is_touched());
    watches.touch(0, 0, b"key");
    assert!(first.is_touched() && second.is_touched() && !other.is_touched());
    assert_eq!(watches.len(), 1);
}

#[test]
fn a_key_is_watched_once_by_each_and_no_more_after_removal() {
    let watches = Watches::new(1);
    let watcher = watched(&watches, b"key", false);
    assert!(!watches.add(0, 0, b"key", &watcher, false));
    watches.remove(0, 0, b"key", &watcher);
    assert!(watches.is_empty());
    watches.touch(0, 0, b"key");
    assert!(!watcher.is_touched());
}

#[test]
fn the_removal_of_a_key_that_was_over_before_changes_nothing() {
    let watches = Watches::new(1);
    let (early, late) = (watched(&watches, b"key", true), watched(&watches, b"key", false));
    watches.lapse(0, 0, b"key");
    assert!(!early.is_touched() && late.is_touched());
    watches.touch(0, 0, b"key");
    assert!(early.is_touched());
}
