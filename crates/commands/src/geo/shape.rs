//! What a search looks for: a circle, a box or a polygon, and the cells that cover it.

use super::hash::{
    self, Area, Cell, EARTH_RADIUS, LATITUDE_MAX, LONGITUDE_MAX, Point, STEPS, degrees, radians,
};

/// Half the width of the Mercator projection, in metres.
const MERCATOR_MAX: f64 = 20_037_726.37;
/// What lies farther away than so much of a radius by its latitude alone is outside, whatever the
/// rounding.
const SURELY: f64 = 1.0 + 1e-9;
/// A latitude within the outermost cells of any grid that is searched around a pole.
const OUTERMOST: f64 = 85.0;

/// A shape; lengths in metres.
#[derive(Clone, PartialEq, Debug)]
pub(super) enum Shape {
    Circle { radius: f64 },
    Box { width: f64, height: f64 },
    Polygon(Vec<Point>),
}

/// A shape at its place.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Search {
    pub(super) center: Point,
    pub(super) shape: Shape,
}

impl Search {
    /// A polygon, whose centre is that of its corners on the globe.
    pub(super) fn polygon(corners: Vec<Point>) -> Search {
        let (mut x, mut y, mut z) = (0.0, 0.0, 0.0);
        for corner in &corners {
            let (longitude, latitude) = (radians(corner.longitude), radians(corner.latitude));
            x += latitude.cos() * longitude.cos();
            y += latitude.cos() * longitude.sin();
            z += latitude.sin();
        }
        let center = Point {
            longitude: degrees(f64::atan2(y, x)),
            latitude: degrees(f64::atan2(z, (x * x + y * y).sqrt())),
        };
        Search { center, shape: Shape::Polygon(corners) }
    }

    /// The distance of a place from the centre, if it lies in the shape.
    pub(super) fn distance(&self, place: Point) -> Option<f64> {
        let distance = || hash::distance(self.center, place);
        match &self.shape {
            Shape::Circle { radius } => {
                let up = hash::latitude_distance(place.latitude, self.center.latitude);
                if up > radius * SURELY {
                    return None;
                }
                Some(distance()).filter(|distance| distance <= radius)
            }
            Shape::Box { width, height } => {
                let up = hash::latitude_distance(place.latitude, self.center.latitude);
                if up > height / 2.0 {
                    return None;
                }
                let beside = Point { latitude: place.latitude, ..self.center };
                (hash::distance(place, beside) <= width / 2.0).then(distance)
            }
            Shape::Polygon(corners) => is_inside(corners, place).then(distance),
        }
    }

    /// The cells to look in, in the order in which Redis does: the middle one, then its neighbours
    /// as far as the shape reaches them.
    pub(super) fn cells(&self) -> Vec<Cell> {
        let bounds = self.bounds();
        let mut steps = steps_for(self.reach(&bounds), self.center.latitude);
        let mut center = self.center;
        if center.latitude.abs() > LATITUDE_MAX {
            // The centre of a polygon around a pole: no cell holds it, the outermost is nearest.
            center.latitude = center.latitude.clamp(-OUTERMOST, OUTERMOST);
        }
        let mut middle = Cell::around(center, steps);
        if steps > 1 && !covers(middle, &bounds) {
            steps -= 1;
            middle = Cell::around(center, steps);
        }
        let area = middle.area();
        let is_useless = |east: i32, north: i32| {
            steps >= 2
                && ((north < 0 && area.min.latitude < bounds.min.latitude)
                    || (north > 0 && area.max.latitude > bounds.max.latitude)
                    || (east < 0 && area.min.longitude < bounds.min.longitude)
                    || (east > 0 && area.max.longitude > bounds.max.longitude))
        };
        let mut cells = vec![middle];
        for (east, north) in [(0, 1), (0, -1), (1, 0), (-1, 0), (1, 1), (-1, 1), (1, -1), (-1, -1)]
        {
            let cell = middle.neighbour(east, north);
            // On a coarse grid neighbours on both sides are the same cell.
            let is_last = cells.len() > 1 && cells.last() == Some(&cell);
            if !is_useless(east, north) && !is_last {
                cells.push(cell);
            }
        }
        cells
    }

    fn bounds(&self) -> Area {
        let (height, width) = match &self.shape {
            Shape::Circle { radius } => (*radius, *radius),
            Shape::Box { width, height } => (height / 2.0, width / 2.0),
            Shape::Polygon(corners) => return bounds_of(corners),
        };
        let Point { longitude, latitude } = self.center;
        let up = degrees(height / EARTH_RADIUS);
        // The side nearer to the pole is the wider one in degrees.
        let wide = if latitude < 0.0 { latitude - up } else { latitude + up };
        let aside = degrees(width / EARTH_RADIUS / radians(wide).cos());
        Area {
            min: Point { longitude: longitude - aside, latitude: latitude - up },
            max: Point { longitude: longitude + aside, latitude: latitude + up },
        }
    }

    /// How far from the centre the shape reaches, in metres.
    fn reach(&self, bounds: &Area) -> f64 {
        match &self.shape {
            Shape::Circle { radius } => *radius,
            Shape::Box { width, height } => {
                ((width / 2.0) * (width / 2.0) + (height / 2.0) * (height / 2.0)).sqrt()
            }
            Shape::Polygon(_) => {
                let Area { min, max } = *bounds;
                let corner = |longitude, latitude| Point { longitude, latitude };
                [
                    corner(min.longitude, max.latitude),
                    corner(max.longitude, max.latitude),
                    corner(min.longitude, min.latitude),
                    corner(max.longitude, min.latitude),
                ]
                .into_iter()
                .map(|corner| hash::distance(self.center, corner))
                .fold(0.0, f64::max)
            }
        }
    }
}

/// Whether the neighbours of a cell reach to the ends of the bounds.
fn covers(cell: Cell, bounds: &Area) -> bool {
    let area = |east, north| cell.neighbour(east, north).area();
    area(0, 1).max.latitude >= bounds.max.latitude
        && area(0, -1).min.latitude <= bounds.min.latitude
        && area(1, 0).max.longitude >= bounds.max.longitude
        && area(-1, 0).min.longitude <= bounds.min.longitude
}

/// Steps with which a cell and its neighbours cover a radius, mostly.
fn steps_for(mut radius: f64, latitude: f64) -> u32 {
    if radius == 0.0 {
        return STEPS;
    }
    let mut steps = 1i32;
    while radius < MERCATOR_MAX {
        radius *= 2.0;
        steps += 1;
    }
    steps -= 2;
    // Towards the poles the cells are narrower.
    steps -= i32::from(latitude.abs() > 66.0) + i32::from(latitude.abs() > 80.0);
    steps.clamp(1, STEPS as i32) as u32
}

fn bounds_of(corners: &[Point]) -> Area {
    let mut area = Area {
        min: Point { longitude: LONGITUDE_MAX, latitude: LATITUDE_MAX },
        max: Point { longitude: -LONGITUDE_MAX, latitude: -LATITUDE_MAX },
    };
    for corner in corners {
        area.min.longitude = area.min.longitude.min(corner.longitude);
        area.min.latitude = area.min.latitude.min(corner.latitude);
        area.max.longitude = area.max.longitude.max(corner.longitude);
        area.max.latitude = area.max.latitude.max(corner.latitude);
    }
    area
}

/// Whether a line from the place to the east crosses the sides an odd number of times.
fn is_inside(corners: &[Point], place: Point) -> bool {
    let mut inside = false;
    let mut previous = corners[corners.len() - 1];
    for corner in corners {
        let spans = (corner.latitude > place.latitude) != (previous.latitude > place.latitude);
        if spans
            && place.longitude
                < (previous.longitude - corner.longitude) * (place.latitude - corner.latitude)
                    / (previous.latitude - corner.latitude)
                    + corner.longitude
        {
            inside = !inside;
        }
        previous = *corner;
    }
    inside
}
