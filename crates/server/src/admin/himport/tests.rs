//! What the field sets of a connection take.

use super::{BYTES_MAX, FieldSets};

#[test]
fn what_is_removed_no_longer_counts() {
    let mut all = FieldSets::default();
    assert!(all.put(b"one", &[b"a", b"b"]));
    let one = all.bytes;
    assert!(all.put(b"two", &[b"c"]));
    assert!(all.bytes > one);
    assert!(all.put(b"two", &[b"c", b"d", b"e"]));
    assert!(all.remove(b"two") && !all.remove(b"two"));
    assert_eq!(all.bytes, one);
    assert!(all.remove(b"one"));
    assert_eq!(all.bytes, 0);
}

#[test]
fn there_is_an_end_to_them() {
    let mut all = FieldSets::default();
    let large = vec![b'x'; BYTES_MAX / 2];
    assert!(all.put(b"one", &[&large]));
    assert!(!all.put(b"two", &[&large]), "together they are too much");
    assert!(all.put(b"one", &[&large, b"more"]), "it takes the place of the former one");
    assert!(all.sets.contains_key(&b"one"[..]) && !all.sets.contains_key(&b"two"[..]));
}
