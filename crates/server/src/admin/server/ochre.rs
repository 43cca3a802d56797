//! A drawing for LOLWUT: hands left on the wall of a cave by blowing pigment around them.
//!
//! The pigment is densest around a hand and thins out with the distance; the rock shows through
//! where its grain, a sum of waves, is rough. It knows nothing of the server.

use fastrand::Rng;

/// From bare rock to solid pigment.
const SHADES: &[u8] = b"  ..,:;+*%#@";

/// A character cell is about twice as high as it is wide.
const ASPECT: f64 = 2.0;

/// One hand: where its palm is, how large, how turned, and whether it is a left one.
struct Hand {
    x: f64,
    y: f64,
    size: f64,
    turn: f64,
    mirror: f64,
}

/// Fingers from the thumb on: direction in radians from straight up, length and width in palms.
const FINGERS: [(f64, f64, f64); 5] = [
    (1.05, 1.55, 0.30),
    (0.42, 2.05, 0.26),
    (0.08, 2.25, 0.27),
    (-0.26, 2.10, 0.26),
    (-0.62, 1.70, 0.23),
];

/// Draws `rows` lines of `columns` characters.
pub(super) fn draw(columns: usize, rows: usize, rng: &mut Rng) -> String {
    let (width, height) = (columns as f64, rows as f64 * ASPECT);
    let hands = hands(width, height, rng);
    let grain: [f64; 4] = std::array::from_fn(|_| rng.f64() * std::f64::consts::TAU);
    let mut text = String::with_capacity((columns + 1) * rows);
    for row in 0..rows {
        let mut line = String::with_capacity(columns);
        for column in 0..columns {
            let (x, y) = (column as f64 + 0.5, (row as f64 + 0.5) * ASPECT);
            let pigment = pigment(&hands, x, y) - roughness(&grain, x, y) - 0.12 * rng.f64();
            let shade = (pigment.clamp(0.0, 0.999) * SHADES.len() as f64) as usize;
            line.push(char::from(SHADES[shade]));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

/// As many hands as the wall has room for, beside each other.
fn hands(width: f64, height: f64, rng: &mut Rng) -> Vec<Hand> {
    let size = (height / 8.0).min(width / 5.0).max(0.5);
    let count = ((width / (size * 6.5)) as usize).max(1);
    let room = width / count as f64;
    let place = |at: usize, rng: &mut Rng| Hand {
        x: (at as f64 + 0.5) * room + (rng.f64() - 0.5) * (room - size * 5.0).max(0.0),
        y: height * 0.68 + (rng.f64() - 0.5) * size,
        size: size * (0.85 + 0.15 * rng.f64()),
        turn: (rng.f64() - 0.5) * 0.7,
        mirror: if rng.bool() { 1.0 } else { -1.0 },
    };
    (0..count).map(|at| place(at, rng)).collect()
}

/// How much pigment lies at a point: none under a hand, much right beside one.
fn pigment(hands: &[Hand], x: f64, y: f64) -> f64 {
    let distances = hands.iter().map(|hand| hand.distance(x, y) / hand.size);
    let nearest = distances.fold(f64::INFINITY, f64::min);
    if nearest <= 0.0 { 0.0 } else { 1.15 * (-nearest * nearest / 1.1).exp() }
}

fn roughness(grain: &[f64; 4], x: f64, y: f64) -> f64 {
    let waves = (x * 0.31 + grain[0]).sin() * (y * 0.23 + grain[1]).sin()
        + (x * 0.11 - y * 0.17 + grain[2]).sin()
        + (x * 0.07 + y * 0.29 + grain[3]).sin();
    0.06 * waves.abs()
}

impl Hand {
    /// How far a point is from the hand's edge; negative inside.
    fn distance(&self, x: f64, y: f64) -> f64 {
        let (sin, cos) = self.turn.sin_cos();
        let (dx, dy) = ((x - self.x) * self.mirror, self.y - y);
        let (x, y) = (dx * cos - dy * sin, dx * sin + dy * cos);
        let palm = x.hypot(y * 0.85) - self.size;
        let fingers = FINGERS.iter().map(|(angle, length, width)| {
            let (end_x, end_y) =
                (angle.sin() * length * self.size, angle.cos() * length * self.size);
            to_segment(x, y, end_x, end_y) - width * self.size
        });
        fingers.fold(palm, f64::min)
    }
}

/// How far a point is from the line between the origin and another point.
fn to_segment(x: f64, y: f64, end_x: f64, end_y: f64) -> f64 {
    let along = ((x * end_x + y * end_y) / (end_x * end_x + end_y * end_y)).clamp(0.0, 1.0);
    (x - along * end_x).hypot(y - along * end_y)
}

#[cfg(test)]
mod tests;
