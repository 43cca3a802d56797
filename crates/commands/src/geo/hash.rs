//! Geohashes: where a place is, as one number in which near places are mostly near.
//!
//! Longitude and latitude are cut into 2^step parts each, and the bits of the two numbers are
//! interleaved, longitude first. With 26 steps that is an integer of 52 bits, which a score holds
//! exactly. Latitudes reach to the edge of the Mercator projection only.

/// The largest longitude, in degrees.
pub(super) const LONGITUDE_MAX: f64 = 180.0;
/// The largest latitude, in degrees (EPSG:900913).
pub(super) const LATITUDE_MAX: f64 = 85.051_128_78;
/// Steps of a score.
pub(super) const STEPS: u32 = 26;
/// The quadratic mean radius of the earth in metres (WGS 84).
pub(super) const EARTH_RADIUS: f64 = 6_372_797.560_856;
/// The letters of the text form.
const LETTERS: &[u8; 32] = b"0123456789bcdefghjkmnpqrstuvwxyz";

/// A place, in degrees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Point {
    pub(super) longitude: f64,
    pub(super) latitude: f64,
}

/// A cell of the grid of so many steps.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Cell {
    pub(super) bits: u64,
    pub(super) steps: u32,
}

/// What a cell covers, in degrees.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Area {
    pub(super) min: Point,
    pub(super) max: Point,
}

/// The score that stands for a place.
#[allow(clippy::cast_precision_loss)]
pub(super) fn score(point: Point) -> f64 {
    Cell::around(point, STEPS).bits as f64
}

/// The place that a score stands for: the middle of its cell.
pub(super) fn point(score: f64) -> Point {
    let area = Cell { bits: bits_of(score), steps: STEPS }.area();
    let middle = |min: f64, max: f64, limit: f64| ((min + max) / 2.0).clamp(-limit, limit);
    Point {
        longitude: middle(area.min.longitude, area.max.longitude, LONGITUDE_MAX),
        latitude: middle(area.min.latitude, area.max.latitude, LATITUDE_MAX),
    }
}

/// The standard text form: eleven letters, the last always `0`, over latitudes up to the poles.
pub(super) fn text(point: Point) -> [u8; 11] {
    let bits = encode(point, 90.0, STEPS);
    let mut text = [LETTERS[0]; 11];
    for (index, letter) in text.iter_mut().take(10).enumerate() {
        *letter = LETTERS[(bits >> (52 - (index + 1) * 5)) as usize & 31];
    }
    text
}

/// Metres between two places, by the haversine formula.
pub(super) fn distance(one: Point, other: Point) -> f64 {
    /// Below it (6 nanometres on earth) two longitudes are the same.
    const SAME: f64 = 1e-15;
    let v = ((radians(other.longitude) - radians(one.longitude)) / 2.0).sin();
    if v.abs() <= SAME {
        return latitude_distance(one.latitude, other.latitude);
    }
    let (from, to) = (radians(one.latitude), radians(other.latitude));
    let u = ((to - from) / 2.0).sin();
    let a = u * u + from.cos() * to.cos() * v * v;
    2.0 * EARTH_RADIUS * a.sqrt().asin()
}

/// Metres between two places of the same longitude.
pub(super) fn latitude_distance(one: f64, other: f64) -> f64 {
    EARTH_RADIUS * (radians(other) - radians(one)).abs()
}

pub(super) fn radians(degrees: f64) -> f64 {
    degrees * (std::f64::consts::PI / 180.0)
}

pub(super) fn degrees(radians: f64) -> f64 {
    radians / (std::f64::consts::PI / 180.0)
}

impl Cell {
    /// The cell that a place lies in.
    pub(super) fn around(point: Point, steps: u32) -> Cell {
        Cell { bits: encode(point, LATITUDE_MAX, steps), steps }
    }

    /// What it covers.
    pub(super) fn area(self) -> Area {
        let parts = (1u64 << self.steps) as f64;
        let span = |part: u32, limit: f64| {
            let part = f64::from(part);
            let at = |part: f64| -limit + (part / parts) * (limit - -limit);
            (at(part), at(part + 1.0))
        };
        let (west, east) = span(every_other(self.bits >> 1), LONGITUDE_MAX);
        let (south, north) = span(every_other(self.bits), LATITUDE_MAX);
        Area {
            min: Point { longitude: west, latitude: south },
            max: Point { longitude: east, latitude: north },
        }
    }

    /// The neighbour so many cells to the east and to the north, each -1, 0 or 1; it wraps around.
    pub(super) fn neighbour(self, east: i32, north: i32) -> Cell {
        let mask = u32::MAX >> (32 - self.steps);
        // The part of a place at the very edge has one bit more, which stays if it is not moved.
        let moved = |part: u32, by: i32| match by {
            0 => part,
            _ => part.wrapping_add_signed(by) & mask,
        };
        let longitude = moved(every_other(self.bits >> 1), east);
        let latitude = moved(every_other(self.bits), north);
        Cell { bits: spread(latitude) | spread(longitude) << 1, steps: self.steps }
    }

    /// The scores of the places in it: from the first, up to but without the second.
    #[allow(clippy::cast_precision_loss)]
    pub(super) fn scores(self) -> (f64, f64) {
        let shift = 52 - self.steps * 2;
        ((self.bits << shift) as f64, ((self.bits + 1) << shift) as f64)
    }
}

/// The bits of a score. One that no place gave becomes what C's conversion makes of it.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn bits_of(score: f64) -> u64 {
    const TOO_LARGE: f64 = 18_446_744_073_709_551_616.0;
    match score {
        _ if score < 0.0 => score as i64 as u64,
        _ if score >= TOO_LARGE => 0,
        _ => score as u64,
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn encode(point: Point, latitude_max: f64, steps: u32) -> u64 {
    let part = |degrees: f64, limit: f64| {
        let offset = (degrees - -limit) / (limit - -limit);
        (offset * (1u64 << steps) as f64) as u32
    };
    let longitude = part(point.longitude, LONGITUDE_MAX);
    let latitude = part(point.latitude, latitude_max);
    spread(latitude) | spread(longitude) << 1
}

/// Puts a zero in front of every bit.
fn spread(bits: u32) -> u64 {
    let mut bits = u64::from(bits);
    for (shift, mask) in [
        (16, 0x0000_FFFF_0000_FFFF),
        (8, 0x00FF_00FF_00FF_00FF),
        (4, 0x0F0F_0F0F_0F0F_0F0F),
        (2, 0x3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555),
    ] {
        bits = (bits | bits << shift) & mask;
    }
    bits
}

/// Takes every other bit, from the lowest on.
#[allow(clippy::cast_possible_truncation)]
fn every_other(bits: u64) -> u32 {
    let mut bits = bits & 0x5555_5555_5555_5555;
    for (shift, mask) in [
        (1, 0x3333_3333_3333_3333),
        (2, 0x0F0F_0F0F_0F0F_0F0F),
        (4, 0x00FF_00FF_00FF_00FF),
        (8, 0x0000_FFFF_0000_FFFF),
        (16, 0x0000_0000_FFFF_FFFF),
    ] {
        bits = (bits | bits >> shift) & mask;
    }
    bits as u32
}
