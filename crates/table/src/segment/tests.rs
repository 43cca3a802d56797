//! The packed word, and the ladder of bucket counts.

use super::*;

#[test]
fn word_keeps_address_count_and_depth() {
    for count in [0, 1, 2, 80, 128, 4095, 4096, 8192] {
        let buckets = vec![Bucket::EMPTY; count].into_boxed_slice();
        let address = buckets.as_ptr();
        let segment = Segment::from_box(buckets, 17);
        assert_eq!(segment.bucket_count(), count);
        assert_eq!(segment.depth(), 17);
        assert_eq!(segment.as_ptr().cast_const().addr(), address.addr());
        // SAFETY: made by `from_box` above and not used again.
        drop(unsafe { segment.into_box() });
    }
}

#[test]
fn fragment_lies_behind_the_prefix() {
    let hash = 0xABCD_EF01_2345_6789;
    assert_eq!(Segment::empty(0).fragment(hash), 0xABCD);
    assert_eq!(Segment::empty(4).fragment(hash), 0xBCDE);
    assert_eq!(Segment::empty(DEPTH_MAX).fragment(hash), 0x2345);
}

#[test]
fn counts_leave_room_to_grow_and_to_shrink() {
    assert_eq!(fitting(0), 0);
    for items in 1..5000 {
        let count = fitting(items);
        assert!(items < limit(count), "{items} items in {count} buckets grow at once");
    }
    assert_eq!(limit(1), 8);
    assert_eq!(grown(0), 1);
    assert_eq!(grown(64), 80);
    assert_eq!(grown(128), 256);
}
