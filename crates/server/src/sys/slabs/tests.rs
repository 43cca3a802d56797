//! What the allocator tells, and which slabs are worth emptying.

use super::*;

const LIKE: Utilization = Utilization {
    current: 0x20000,
    free: 50,
    all: 100,
    size: 0x4000,
    supply_free: 400,
    supply_all: 1000,
};

#[test]
fn slabs_emptier_than_their_like_are_sparse() {
    let cases = [
        (LIKE, true),
        (Utilization { free: 33, ..LIKE }, true),
        (Utilization { free: 32, ..LIKE }, false),
        (Utilization { free: 0, ..LIKE }, false),
        (Utilization { supply_free: 99, ..LIKE }, false),
        (Utilization { free: 0, all: 1, supply_free: 0, supply_all: 0, ..LIKE }, false),
        (Utilization { current: 0x10000, size: 0x4000, ..LIKE }, false),
        (Utilization { free: 40, supply_free: 40, supply_all: 100, all: 40, ..LIKE }, true),
    ];
    for (number, (told, want)) in cases.into_iter().enumerate() {
        assert_eq!(told.is_sparse(0x12345), want, "case {number}");
    }
}

#[test]
fn the_allocator_has_the_controls() {
    let sizes = bins();
    assert!(sizes.len() > 20, "{}", sizes.len());
    assert!(sizes.iter().all(|bin| bin.size > 0 && bin.places > 0));
    assert!(Query::new().0.is_some());
    assert!(!Query::new().is_sparse(ptr::from_ref(&sizes).cast()), "the stack is no slab");
}

#[test]
fn the_cache_is_back_afterwards() {
    let was = switch_cache(true);
    assert!(!without_cache(|| switch_cache(false)));
    assert!(switch_cache(was));
}
