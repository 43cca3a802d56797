//! Tests of the sketch and of its windows.

use super::*;

fn add(sketch: &mut Sketch, room: usize, key: &str, count: u64) {
    let hash = key.bytes().fold(7u64, |hash, byte| hash.wrapping_mul(31) + u64::from(byte));
    sketch.add(room, (0, hash, key.as_bytes()), count);
}

fn names(entries: &[Entry]) -> Vec<(String, u64)> {
    entries.iter().map(|one| (String::from_utf8_lossy(&one.key).into_owned(), one.count)).collect()
}

#[test]
fn counts_add_up_over_workers() {
    let (mut one, mut other) = (Sketch::default(), Sketch::default());
    add(&mut one, 4, "a", 3);
    add(&mut one, 4, "b", 5);
    add(&mut other, 4, "a", 4);
    let top = Sketch::top([one.clone(), other.clone()], 2);
    assert_eq!(names(&top), [("a".to_owned(), 7), ("b".to_owned(), 5)]);
    assert_eq!(Sketch::top([one, other], 1).len(), 1);
}

#[test]
fn a_key_that_is_used_more_than_its_share_is_found() {
    let mut rng = fastrand::Rng::with_seed(3);
    let mut sketch = Sketch::default();
    let mut hot = 0;
    for _ in 0..100_000 {
        if rng.u32(0..10) == 0 {
            hot += 1;
            add(&mut sketch, 64, "hot", 1);
        } else {
            add(&mut sketch, 64, &rng.u32(..).to_string(), 1);
        }
    }
    let top = Sketch::top([sketch], 1);
    assert_eq!(&*top[0].key, b"hot");
    // At most the total by the number of keys is added to a count, and nothing is taken away.
    assert!((hot..=hot + 100_000 / 64).contains(&top[0].count), "{} of {hot}", top[0].count);
}

#[test]
fn a_window_is_shown_when_it_is_over_and_until_the_next_one_is() {
    let mut heat = Heat::default();
    heat.turn_to(10);
    add(&mut heat.live, 4, "a", 1);
    assert!(heat.frozen.counts.is_empty());
    heat.turn_to(11);
    assert_eq!(heat.frozen.counts.len(), 1);
    assert!(heat.live.counts.is_empty());
    add(&mut heat.live, 4, "b", 1);
    heat.turn_to(13);
    assert!(heat.frozen.counts.is_empty(), "the window before had no command");
}
