//! GEOSEARCH and its older forms: which members lie within a shape.

use keyspace::Db;
use resp::number::parse_f64;
use value::Zset;
use value::compact::Element;
use value::number::Text;
use value::zset::ScoreRange;

use super::hash::{self, Point};
use super::shape::{Search, Shape};
use super::{point_of, read_point, read_unit, write_distance, write_point};
use crate::zset::{self, Scored};
use crate::{Args, Ctx, Cursor, Error, reply, typed};

/// What a command's name says.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// GEORADIUS and GEORADIUSBYMEMBER; whether they may store.
    Radius { may_store: bool },
    /// GEOSEARCH.
    Search,
    /// GEOSEARCHSTORE.
    SearchStore,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Ascending,
    Descending,
}

/// What is asked for.
#[derive(Default)]
struct Query<'a> {
    center: Option<Point>,
    shape: Option<Shape>,
    /// Metres in the unit of distances.
    unit: f64,
    with_distance: bool,
    with_hash: bool,
    with_point: bool,
    order: Option<Order>,
    /// 0: all.
    count: usize,
    any: bool,
    store: Option<&'a [u8]>,
    store_distance: bool,
    /// A member to search around was named, though there is no key that could have it.
    has_center: bool,
}

/// One member that was found.
struct Found<'a> {
    name: Element<'a>,
    score: f64,
    point: Point,
    distance: f64,
}

/// GEORADIUS key longitude latitude radius unit [options] - O(N + log M).
pub(super) fn georadius(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    around_point(ctx, args, true)
}

/// GEORADIUS_RO key longitude latitude radius unit [options] - O(N + log M).
pub(super) fn georadius_ro(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    around_point(ctx, args, false)
}

/// GEORADIUSBYMEMBER key member radius unit [options] - O(N + log M).
pub(super) fn georadiusbymember(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    around_member(ctx, args, true)
}

/// GEORADIUSBYMEMBER_RO key member radius unit [options] - O(N + log M).
pub(super) fn georadiusbymember_ro(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    around_member(ctx, args, false)
}

/// GEOSEARCH key FROMMEMBER member|FROMLONLAT longitude latitude BYRADIUS radius unit|BYBOX width
/// height unit|BYPOLYGON count longitude latitude ... [options] - O(N + log M).
pub(super) fn geosearch(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let is_there = check(ctx, args[1])?;
    let mut query = Query::new();
    query.read(ctx, args, 1, 2, Kind::Search, is_there)?;
    answer(ctx, args, args[1], query, Kind::Search)
}

/// GEOSEARCHSTORE destination source FROMMEMBER ... BYRADIUS ... [options] [STOREDIST]
/// - O(N + log M).
pub(super) fn geosearchstore(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let is_there = check(ctx, args[2])?;
    let mut query = Query::new();
    query.store = Some(args[1]);
    query.read(ctx, args, 2, 3, Kind::SearchStore, is_there)?;
    answer(ctx, args, args[2], query, Kind::SearchStore)
}

fn around_point(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, may_store: bool) -> Result<(), Error> {
    let is_there = check(ctx, args[1])?;
    let mut query = Query::new();
    query.center = Some(read_point(ctx, args[2], args[3])?);
    query.read_radius(args[4], args[5])?;
    let kind = Kind::Radius { may_store };
    query.read(ctx, args, 1, 6, kind, is_there)?;
    answer(ctx, args, args[1], query, kind)
}

fn around_member(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, may_store: bool) -> Result<(), Error> {
    let is_there = check(ctx, args[1])?;
    let mut query = Query::new();
    if is_there {
        query.center = Some(member(ctx, args[1], args[2])?);
        query.read_radius(args[3], args[4])?;
    }
    let kind = Kind::Radius { may_store };
    query.read(ctx, args, 1, 5, kind, is_there)?;
    answer(ctx, args, args[1], query, kind)
}

/// Whether there is a sorted set under the key; anything else there is an error.
fn check(ctx: &mut Ctx<'_, '_>, key: &[u8]) -> Result<bool, Error> {
    match ctx.db.read(key) {
        Some(entry) => typed::zset(&entry).map(|_| true),
        None => Ok(false),
    }
}

/// Where a member of an existing key is.
fn member(ctx: &mut Ctx<'_, '_>, key: &[u8], name: &[u8]) -> Result<Point, Error> {
    let point = match ctx.db.peek(key) {
        Some(entry) => point_of(typed::zset(&entry)?, name),
        None => None,
    };
    point.ok_or_else(|| ctx.error_around(b"ERR member ", name, b" does not exist"))
}

fn answer(
    ctx: &mut Ctx<'_, '_>,
    args: &Args<'_>,
    key: &[u8],
    query: Query<'_>,
    kind: Kind,
) -> Result<(), Error> {
    query.check(ctx, args, kind)?;
    let Some(search) = query.search() else {
        return answer_nothing(ctx, &query);
    };
    let Some(destination) = query.store else {
        let Some(entry) = ctx.db.peek(key) else { return answer_nothing(ctx, &query) };
        let found = query.find(typed::zset(&entry)?, &search);
        write(ctx.out, &query, &found);
        return Ok(());
    };
    let mut members = match results(&mut ctx.db, key, &query, &search)? {
        Some(members) => members,
        None => return answer_nothing(ctx, &query),
    };
    zset::sort(&mut members);
    // On the coarsest grids a cell can be looked at twice.
    members.dedup();
    let count = members.len();
    ctx.out.int(count as i64);
    let event = match kind {
        Kind::SearchStore => "geosearchstore",
        _ => "georadiusstore",
    };
    zset::store(ctx, destination, members, event, count as u64);
    Ok(())
}

/// What a search that stores finds; `None` without the key.
fn results(
    db: &mut Db<'_, '_>,
    key: &[u8],
    query: &Query<'_>,
    search: &Search,
) -> Result<Option<Vec<Scored>>, Error> {
    let Some(entry) = db.peek(key) else { return Ok(None) };
    let mut room = Text::new();
    let found = query.find(typed::zset(&entry)?, search);
    let members = found.iter().map(|found| {
        let distance = found.distance / query.unit;
        let score = if query.store_distance { distance } else { found.score };
        (score, found.name.text(&mut room).into())
    });
    Ok(Some(members.collect()))
}

/// The reply when there is no key to search.
fn answer_nothing(ctx: &mut Ctx<'_, '_>, query: &Query<'_>) -> Result<(), Error> {
    match query.store {
        Some(destination) => {
            ctx.vacate(destination);
            ctx.out.int(0);
        }
        None => ctx.out.array(0),
    }
    Ok(())
}

fn write(out: &mut resp::Writer, query: &Query<'_>, found: &[Found<'_>]) {
    let parts = [query.with_distance, query.with_hash, query.with_point];
    let parts = parts.into_iter().filter(|wanted| *wanted).count();
    out.array(found.len());
    for found in found {
        if parts > 0 {
            out.array(parts + 1);
        }
        reply::element(out, found.name);
        if query.with_distance {
            write_distance(out, found.distance / query.unit);
        }
        if query.with_hash {
            #[allow(clippy::cast_possible_truncation)]
            out.int(found.score as i64);
        }
        if query.with_point {
            write_point(out, found.point);
        }
    }
}

impl<'a> Query<'a> {
    fn new() -> Self {
        Self { unit: 1.0, ..Self::default() }
    }

    /// Reads the options behind `index`; the source key stands at `key`.
    fn read(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        args: &Args<'a>,
        key: usize,
        index: usize,
        kind: Kind,
        is_there: bool,
    ) -> Result<(), Error> {
        let mut words = args.cursor(index);
        let key = is_there.then(|| args[key]);
        while words.left() > 0 {
            let is_read = self.read_output(&mut words)?
                || match kind {
                    Kind::Radius { may_store } => may_store && self.read_store(&mut words)?,
                    Kind::Search => self.read_search(ctx, &mut words, key)?,
                    Kind::SearchStore if words.accept("STOREDIST") => {
                        self.store_distance = true;
                        true
                    }
                    Kind::SearchStore => self.read_search(ctx, &mut words, key)?,
                };
            if !is_read {
                return Err(Error::Syntax);
            }
        }
        Ok(())
    }

    /// Reads an option on what is replied, if the next word is one.
    fn read_output(&mut self, words: &mut Cursor<'a>) -> Result<bool, Error> {
        match () {
            () if words.accept("WITHDIST") => self.with_distance = true,
            () if words.accept("WITHHASH") => self.with_hash = true,
            () if words.accept("WITHCOORD") => self.with_point = true,
            () if words.accept("ANY") => self.any = true,
            () if words.accept("ASC") => self.order = Some(Order::Ascending),
            () if words.accept("DESC") => self.order = Some(Order::Descending),
            () if words.left() > 1 && words.accept("COUNT") => {
                self.count = usize::try_from(words.int()?)
                    .ok()
                    .filter(|count| *count > 0)
                    .ok_or(Error::Text(spec::error::COUNT_NOT_POSITIVE))?;
            }
            () => return Ok(false),
        }
        Ok(true)
    }

    fn read_store(&mut self, words: &mut Cursor<'a>) -> Result<bool, Error> {
        if words.left() < 2 {
            return Ok(false);
        }
        let with_distance = words.accept("STOREDIST");
        if !with_distance && !words.accept("STORE") {
            return Ok(false);
        }
        self.store = Some(words.value()?);
        self.store_distance = with_distance;
        Ok(true)
    }

    /// Reads an option on what is searched, if the next word is one. Those that exclude each other
    /// are not read after one another.
    fn read_search(
        &mut self,
        ctx: &mut Ctx<'_, '_>,
        words: &mut Cursor<'a>,
        key: Option<&[u8]>,
    ) -> Result<bool, Error> {
        let left = words.left() - 1;
        let is_polygon = matches!(self.shape, Some(Shape::Polygon(_)));
        let is_circle = matches!(self.shape, Some(Shape::Circle { .. }));
        let is_box = matches!(self.shape, Some(Shape::Box { .. }));
        let from_member = self.has_center;
        let from_point = self.center.is_some() && !from_member;
        if left > 0 && !from_point && !is_polygon && words.accept("FROMMEMBER") {
            let name = words.value()?;
            if let Some(key) = key {
                self.center = Some(member(ctx, key, name)?);
            }
            self.has_center = true;
        } else if left > 1 && !from_member && !is_polygon && words.accept("FROMLONLAT") {
            self.center = Some(read_point(ctx, words.value()?, words.value()?)?);
        } else if left > 1 && !is_box && !is_polygon && words.accept("BYRADIUS") {
            self.read_radius(words.value()?, words.value()?)?;
        } else if left > 2 && !is_circle && !is_polygon && words.accept("BYBOX") {
            self.read_box(words)?;
        } else if left > 1
            && !is_circle
            && !is_box
            && !from_member
            && !from_point
            && words.accept("BYPOLYGON")
        {
            self.read_polygon(ctx, words)?;
        } else {
            return Ok(false);
        }
        Ok(true)
    }

    fn read_radius(&mut self, radius: &[u8], unit: &[u8]) -> Result<(), Error> {
        let radius = parse_f64(radius).ok_or(Error::Text("ERR need numeric radius"))?;
        if radius < 0.0 {
            return Err(Error::Text("ERR radius cannot be negative"));
        }
        self.unit = read_unit(unit)?;
        self.shape = Some(Shape::Circle { radius: radius * self.unit });
        Ok(())
    }

    fn read_box(&mut self, words: &mut Cursor<'a>) -> Result<(), Error> {
        let width = parse_f64(words.value()?).ok_or(Error::Text("ERR need numeric width"))?;
        let height = parse_f64(words.value()?).ok_or(Error::Text("ERR need numeric height"))?;
        if width < 0.0 || height < 0.0 {
            return Err(Error::Text("ERR height or width cannot be negative"));
        }
        self.unit = read_unit(words.value()?)?;
        self.shape = Some(Shape::Box { width: width * self.unit, height: height * self.unit });
        Ok(())
    }

    fn read_polygon(&mut self, ctx: &mut Ctx<'_, '_>, words: &mut Cursor<'a>) -> Result<(), Error> {
        let count = resp::number::parse_i64(words.value()?)
            .filter(|count| i32::try_from(*count).is_ok())
            .ok_or(Error::Text("ERR invalid number of vertices"))?;
        let count = usize::try_from(count).unwrap_or(0);
        if count < 3 || words.left() / 2 < count {
            return Err(Error::Text("ERR GEOSEARCH BYPOLYGON must have at least 3 vertices"));
        }
        self.unit = 1.0;
        let mut corners = Vec::with_capacity(count);
        for _ in 0..count {
            corners.push(read_point(ctx, words.value()?, words.value()?)?);
        }
        self.shape = Some(Shape::Polygon(corners));
        Ok(())
    }

    /// Whether the options go together.
    fn check(&self, ctx: &mut Ctx<'_, '_>, args: &Args<'_>, kind: Kind) -> Result<(), Error> {
        if self.store.is_some() && (self.with_distance || self.with_hash || self.with_point) {
            return Err(Error::Text(match kind {
                Kind::SearchStore => {
                    "ERR GEOSEARCHSTORE is not compatible with WITHDIST, WITHHASH and WITHCOORD \
                     options"
                }
                _ => {
                    "ERR STORE option in GEORADIUS is not compatible with WITHDIST, WITHHASH and \
                     WITHCOORD options"
                }
            }));
        }
        let is_search = !matches!(kind, Kind::Radius { .. });
        let is_polygon = matches!(self.shape, Some(Shape::Polygon(_)));
        if is_search && self.center.is_none() && !self.has_center && !is_polygon {
            let text = b"ERR exactly one of FROMMEMBER or FROMLONLAT can be specified for ";
            return Err(ctx.error_around(text, args[0], b""));
        }
        if is_search && self.shape.is_none() {
            let text = b"ERR exactly one of BYRADIUS, BYBOX and BYPOLYGON can be specified for ";
            return Err(ctx.error_around(text, args[0], b""));
        }
        if self.any && self.count == 0 {
            return Err(Error::Text("ERR the ANY argument requires COUNT argument"));
        }
        Ok(())
    }

    /// What to search, unless there is nothing to search in.
    fn search(&self) -> Option<Search> {
        match self.shape.clone()? {
            Shape::Polygon(corners) => Some(Search::polygon(corners)),
            shape => Some(Search { center: self.center?, shape }),
        }
    }

    /// The members that lie in the shape, sorted and cut off as asked for.
    fn find<'z>(&self, zset: &'z Zset, search: &Search) -> Vec<Found<'z>> {
        let enough = if self.any { self.count } else { usize::MAX };
        let mut found = Vec::new();
        for cell in search.cells() {
            let (min, max) = cell.scores();
            let range = ScoreRange { min, max, min_open: false, max_open: true };
            for (name, score) in zset.iter(zset.ranks_of_scores(&range), false) {
                if found.len() >= enough {
                    break;
                }
                let point = hash::point(score);
                if let Some(distance) = search.distance(point) {
                    found.push(Found { name, score, point, distance });
                }
            }
        }
        let wanted = if self.count == 0 { found.len() } else { self.count.min(found.len()) };
        let nearest_first = self.count != 0 && !self.any;
        let order = self.order.or(nearest_first.then_some(Order::Ascending));
        if let Some(order) = order {
            let by_distance = |one: &Found<'_>, other: &Found<'_>| {
                let ordering = one.distance.total_cmp(&other.distance);
                if order == Order::Descending { ordering.reverse() } else { ordering }
            };
            if wanted > 0 && wanted < found.len() {
                found.select_nth_unstable_by(wanted - 1, by_distance);
                found.truncate(wanted);
            }
            found.sort_by(by_distance);
        }
        found.truncate(wanted);
        found
    }
}
