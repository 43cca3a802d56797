//! The queue of pieces: parts stay together, bounds hold, and nobody waits for ever at the end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use super::Queue;

/// A piece of a lane: its lane, the number of the part, and how many pieces of it follow.
fn piece(lane: usize, part: u32, left: u32) -> Vec<u8> {
    let mut piece = vec![0; 300_000];
    piece[..9]
        .copy_from_slice(&[&[lane as u8], &part.to_le_bytes()[..], &left.to_le_bytes()].concat());
    piece
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("four bytes"))
}

#[test]
fn parts_of_several_lanes_stay_together_and_in_order() {
    const PARTS: u32 = 60;
    let queue = Arc::new(Queue::new(3));
    let lanes: Vec<_> = (0..3)
        .map(|lane| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                for part in 0..PARTS {
                    let pieces = part % 7;
                    for left in (0..=pieces).rev() {
                        queue.put(lane, piece(lane, part, left), left == 0);
                    }
                }
            })
        })
        .collect();
    let closer = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || {
            lanes.into_iter().for_each(|lane| lane.join().expect("it ends"));
            queue.close();
        })
    };
    let (mut next, mut open) = ([0; 3], None);
    while let Some(piece) = queue.take() {
        let (lane, part, left) = (piece[0] as usize, number(&piece[1..5]), number(&piece[5..9]));
        assert_eq!(part, next[lane]);
        assert!(open.is_none_or(|open| open == (lane, part, left)), "a part stays together");
        open = (left > 0).then(|| (lane, part, left.wrapping_sub(1)));
        next[lane] += u32::from(left == 0);
        let waiting: usize = queue.bytes.iter().map(|bytes| bytes.load(Ordering::Relaxed)).sum();
        assert!(waiting <= super::BYTES_MAX + 3 * 300_000);
    }
    closer.join().expect("it ends");
    assert_eq!(next, [PARTS; 3]);
}

#[test]
fn whoever_waits_goes_on_when_it_is_given_up() {
    let queue = Arc::new(Queue::new(1));
    let putting = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || (0..200).for_each(|part| queue.put(0, piece(0, part, 0), true)))
    };
    while queue.has_room(0) {
        thread::yield_now();
    }
    queue.give_up();
    putting.join().expect("it does not wait any more");
    assert!(queue.is_given_up());
    assert_eq!(queue.take(), None);
}
