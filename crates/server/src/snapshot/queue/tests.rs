//! The queue of pieces: parts stay together, bounds hold, and nobody waits for ever at the end.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;

use super::Queue;

/// A piece of a track: its track, the number of the part, and how many pieces of it follow.
fn piece(track: usize, part: u32, left: u32) -> Vec<u8> {
    let mut piece = vec![0; 300_000];
    piece[..9]
        .copy_from_slice(&[&[track as u8], &part.to_le_bytes()[..], &left.to_le_bytes()].concat());
    piece
}

fn number(bytes: &[u8]) -> u32 {
    u32::from_le_bytes(bytes.try_into().expect("four bytes"))
}

#[test]
fn parts_of_several_tracks_stay_together_and_in_order() {
    const PARTS: u32 = 60;
    let queue = Arc::new(Queue::new(3, Arc::default()));
    let tracks: Vec<_> = (0..6)
        .map(|track| {
            let queue = Arc::clone(&queue);
            thread::spawn(move || {
                for part in 0..PARTS {
                    let pieces = part % 7;
                    for left in (0..=pieces).rev() {
                        let piece = piece(track, part, left);
                        queue.put(track / 2, track % 2 == 1, piece, left == 0);
                    }
                }
            })
        })
        .collect();
    let closer = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || {
            tracks.into_iter().for_each(|track| track.join().expect("it ends"));
            queue.close();
        })
    };
    let (mut next, mut open) = ([0; 6], None);
    while let Some(piece) = queue.take() {
        let (track, part, left) = (piece[0] as usize, number(&piece[1..5]), number(&piece[5..9]));
        assert_eq!(part, next[track]);
        assert!(open.is_none_or(|open| open == (track, part, left)), "a part stays together");
        open = (left > 0).then(|| (track, part, left.wrapping_sub(1)));
        next[track] += u32::from(left == 0);
        let waiting: usize = queue.bytes.iter().map(|bytes| bytes.load(Ordering::Relaxed)).sum();
        assert!(waiting <= 2 * super::BYTES_MAX + 6 * 300_000);
    }
    closer.join().expect("it ends");
    assert_eq!(next, [PARTS; 6]);
}

#[test]
fn whoever_waits_goes_on_when_it_is_given_up() {
    let queue = Arc::new(Queue::new(1, Arc::default()));
    let putting = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || {
            (0..200).for_each(|part| drop(queue.put(0, false, piece(0, part, 0), true)));
        })
    };
    while queue.has_room(0) {
        thread::yield_now();
    }
    queue.give_up();
    putting.join().expect("it does not wait any more");
    assert!(queue.is_given_up());
    assert_eq!(queue.take(), None);
}

#[test]
fn nobody_waits_while_a_value_is_begun() {
    let queue = Arc::new(Queue::new(2, Arc::default()));
    let putting = {
        let queue = Arc::clone(&queue);
        thread::spawn(move || {
            (0..200).for_each(|part| drop(queue.put(0, false, piece(0, part, 0), true)));
        })
    };
    while queue.bytes[0].load(Ordering::Relaxed) < queue.lane_max {
        thread::yield_now();
    }
    assert!(!queue.has_room(0));
    queue.set_begun(1, true);
    putting.join().expect("it does not wait any more");
    assert!(!queue.has_room(0), "the other lane's walk waits all the same");
    queue.set_begun(0, true);
    assert!(queue.has_room(0), "a value that is begun goes on");
    assert!(!queue.is_far_from_full());
}

#[test]
fn what_waits_or_is_spare_is_counted() {
    let held = Arc::default();
    let (queue, bytes) = (Queue::new(2, Arc::clone(&held)), || held.load(Ordering::Relaxed));
    let put = |lane| queue.put(lane, false, Vec::with_capacity(1000), true).capacity();
    assert_eq!([put(0), put(1), put(1)], [0; 3], "nothing is spare yet");
    assert_eq!(bytes(), 3000);
    let taken = queue.take().expect("there are three");
    assert_eq!(bytes(), 2000);
    queue.give_back([&taken[..], b"old"].concat());
    assert_eq!(bytes(), 2003);
    assert_eq!(queue.put(0, false, Vec::with_capacity(500), true), b"", "what it held is gone");
    assert_eq!(bytes(), 2500);
    queue.give_back(taken);
    queue.give_up();
    assert_eq!(bytes(), 0);
}

#[test]
fn spares_go_when_nothing_more_comes() {
    let held = Arc::default();
    let queue = Queue::new(1, Arc::clone(&held));
    queue.give_back(Vec::with_capacity(1000));
    queue.close();
    queue.give_back(Vec::with_capacity(1000));
    assert_eq!(queue.take(), None);
    assert_eq!(held.load(Ordering::Relaxed), 0);
}
