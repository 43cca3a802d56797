//! Geohashes and shapes, with published figures.

use super::hash::{Cell, Point, distance, point, score, text};
use super::shape::{Search, Shape};

const PALERMO: Point = Point { longitude: 13.361389, latitude: 38.115556 };
const CATANIA: Point = Point { longitude: 15.087269, latitude: 37.502669 };

#[test]
fn scores_are_those_that_are_published() {
    assert_eq!(score(PALERMO), 3_479_099_956_230_698.0);
    assert_eq!(score(CATANIA), 3_479_447_370_796_909.0);
    assert_eq!(&text(point(score(PALERMO))), b"sqc8b49rny0");
    assert_eq!(&text(point(score(CATANIA))), b"sqdtr74hyu0");
    let metres = distance(point(score(PALERMO)), point(score(CATANIA)));
    assert!((metres - 166_274.151_6).abs() < 0.0001);
}

#[test]
fn a_place_comes_back_within_half_a_metre() {
    let mut rng = fastrand::Rng::with_seed(3);
    for _ in 0..10_000 {
        let place =
            Point { longitude: rng.f64() * 360.0 - 180.0, latitude: rng.f64() * 170.0 - 85.0 };
        assert!(distance(place, point(score(place))) < 0.5);
    }
}

#[test]
fn neighbours_touch_and_wrap_around() {
    let cell = Cell::around(PALERMO, 10);
    let (area, east) = (cell.area(), cell.neighbour(1, 0).area());
    assert_eq!(area.max.longitude, east.min.longitude);
    assert_eq!(area.min.latitude, east.min.latitude);
    let edge = Cell::around(Point { longitude: 179.999, latitude: 0.0 }, 10);
    assert_eq!(edge.neighbour(1, 0).area().min.longitude, -180.0);
}

/// The cells of a search hold every place within its shape, away from the poles and the edge.
#[test]
fn cells_cover_their_shape() {
    let mut rng = fastrand::Rng::with_seed(5);
    for _ in 0..2_000 {
        let center =
            Point { longitude: rng.f64() * 200.0 - 100.0, latitude: rng.f64() * 120.0 - 60.0 };
        let radius = 10f64.powf(rng.f64() * 5.5);
        let search = Search { center, shape: Shape::Circle { radius } };
        let cells = search.cells();
        for _ in 0..20 {
            let degrees = radius / 111_000.0;
            let place = Point {
                longitude: center.longitude + (rng.f64() * 2.0 - 1.0) * degrees,
                latitude: center.latitude + (rng.f64() * 2.0 - 1.0) * degrees,
            };
            let place = point(score(place));
            if search.distance(place).is_some() {
                let inside = cells.iter().any(|cell| {
                    let (min, max) = cell.scores();
                    (min..max).contains(&score(place))
                });
                assert!(inside, "{search:?} {place:?}");
            }
        }
    }
}
