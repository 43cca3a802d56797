//! Tests of the drawing.

use super::*;

#[test]
fn a_drawing_fits_its_frame_and_differs_each_time() {
    let mut rng = Rng::with_seed(7);
    let one = draw(72, 20, &mut rng);
    assert_eq!(one.lines().count(), 20);
    assert!(one.lines().all(|line| line.len() <= 72));
    assert!(one.bytes().all(|byte| byte == b'\n' || SHADES.contains(&byte)));
    assert_ne!(one, draw(72, 20, &mut rng));
    assert_eq!(one, draw(72, 20, &mut Rng::with_seed(7)));
}

#[test]
fn a_hand_is_bare_and_surrounded_by_pigment() {
    let hand = Hand { x: 20.0, y: 20.0, size: 5.0, turn: 0.0, mirror: 1.0 };
    assert!(hand.distance(20.0, 20.0) < 0.0);
    assert!(hand.distance(20.0, 10.0) < 0.0, "the middle finger points up");
    assert!(hand.distance(20.0, 30.0) > 0.0);
    let hands = [hand];
    assert_eq!(pigment(&hands, 20.0, 20.0), 0.0);
    assert!(pigment(&hands, 20.0, 27.0) > pigment(&hands, 20.0, 34.0));
}

#[test]
fn any_size_can_be_drawn() {
    for (columns, rows) in [(1, 1), (1, 100), (200, 1), (200, 100)] {
        let text = draw(columns, rows, &mut Rng::with_seed(1));
        assert_eq!(text.lines().count(), rows);
    }
}
