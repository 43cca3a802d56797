//! Places on earth, kept as sorted sets whose scores are geohashes of 52 bits.
//!
//! `hash` turns coordinates into scores and back, `shape` knows which cells cover a search and
//! which places lie in it, `search` has the commands that search.

use keyspace::Wants;
use resp::Writer;
use resp::number::parse_f64;
use smallvec::SmallVec;
use value::Zset;

use crate::args::is;
use crate::zset::{self, Rules};
use crate::{Args, Ctx, Error, Handler, typed};

mod hash;
mod search;
mod shape;
#[cfg(test)]
mod tests;

use hash::{LATITUDE_MAX, LONGITUDE_MAX, Point};

pub(crate) const HANDLERS: &[(&str, Handler)] = &[
    ("geoadd", geoadd),
    ("geodist", geodist),
    ("geohash", geohash),
    ("geopos", geopos),
    ("georadius", search::georadius),
    ("georadius_ro", search::georadius_ro),
    ("georadiusbymember", search::georadiusbymember),
    ("georadiusbymember_ro", search::georadiusbymember_ro),
    ("geosearch", search::geosearch),
    ("geosearchstore", search::geosearchstore),
];

/// GEOADD key [NX|XX] [CH] longitude latitude member [longitude latitude member ...] - O(log N)
/// a member.
fn geoadd(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (mut rules, mut words) = (Rules::default(), args.cursor(2));
    loop {
        match () {
            () if words.accept("NX") => rules.nx = true,
            () if words.accept("XX") => rules.xx = true,
            () if words.accept("CH") => rules.ch = true,
            () => break,
        }
    }
    let words = words.rest();
    if !words.len().is_multiple_of(3) || (rules.nx && rules.xx) {
        return Err(Error::Syntax);
    }
    let mut pairs: SmallVec<[(f64, &[u8]); 8]> = SmallVec::new();
    for place in words.chunks_exact(3) {
        let point = read_point(ctx, place[0], place[1])?;
        pairs.push((hash::score(point), place[2]));
    }
    if pairs.is_empty() {
        return Err(Error::Syntax);
    }
    let before = ctx.db.change.dirty();
    let done = zset::add(ctx, args[1], &pairs, rules);
    if ctx.db.change.dirty() > before {
        propagate_scores(ctx, args[1], &pairs, rules);
    }
    done
}

/// Sends the scores on and not the degrees: every copy of the data has the same cells then.
fn propagate_scores(ctx: &mut Ctx<'_, '_>, key: &[u8], pairs: &[(f64, &[u8])], rules: Rules) {
    if !ctx.db.change.wants(Wants::LOG) {
        return;
    }
    let mut argv: Vec<&[u8]> = vec![b"ZADD", key];
    let options: [(bool, &[u8]); 3] = [(rules.nx, b"NX"), (rules.xx, b"XX"), (rules.ch, b"CH")];
    argv.extend(options.iter().filter(|option| option.0).map(|option| option.1));
    let scores: Vec<String> = pairs.iter().map(|(score, _)| format!("{score}")).collect();
    for ((_, name), score) in pairs.iter().zip(&scores) {
        argv.extend([score.as_bytes(), name]);
    }
    ctx.db.propagate(&argv);
}

/// GEODIST key member member [M|KM|FT|MI] - O(1).
fn geodist(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let unit = match args.from(4) {
        [] => 1.0,
        [unit] => read_unit(unit)?,
        _ => return Err(Error::Syntax),
    };
    let points = match ctx.db.read(args[1]) {
        Some(entry) => {
            let zset = typed::zset(&entry)?;
            point_of(zset, args[2]).zip(point_of(zset, args[3]))
        }
        None => None,
    };
    match points {
        Some((one, other)) => write_distance(ctx.out, hash::distance(one, other) / unit),
        None => ctx.out.null(),
    }
    Ok(())
}

/// GEOHASH key [member ...] - O(1) a member.
fn geohash(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    each_point(ctx, args, |out, point| match point {
        Some(point) => out.bulk(&hash::text(point)),
        None => out.null(),
    })
}

/// GEOPOS key [member ...] - O(1) a member.
fn geopos(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    each_point(ctx, args, |out, point| match point {
        Some(point) => write_point(out, point),
        None => out.null_array(),
    })
}

/// An array of what `write` says of each member's point; none for a member that is not there.
fn each_point(
    ctx: &mut Ctx<'_, '_>,
    args: &Args<'_>,
    write: fn(&mut Writer, Option<Point>),
) -> Result<(), Error> {
    let entry = ctx.db.read(args[1]);
    let zset = entry.as_deref().map(typed::zset).transpose()?;
    let names = args.from(2);
    ctx.out.array(names.len());
    for name in names {
        write(ctx.out, zset.and_then(|zset| point_of(zset, name)));
    }
    Ok(())
}

fn point_of(zset: &Zset, name: &[u8]) -> Option<Point> {
    zset.score(name).map(hash::point)
}

fn read_point(ctx: &mut Ctx<'_, '_>, longitude: &[u8], latitude: &[u8]) -> Result<Point, Error> {
    let longitude = parse_f64(longitude).ok_or(Error::NotFloat)?;
    let latitude = parse_f64(latitude).ok_or(Error::NotFloat)?;
    if longitude.abs() > LONGITUDE_MAX || latitude.abs() > LATITUDE_MAX {
        let pair = format!("{longitude:.6},{latitude:.6}");
        ctx.out.error(&format!("ERR invalid longitude,latitude pair {pair}"));
        return Err(Error::Written);
    }
    Ok(Point { longitude, latitude })
}

/// How many metres a unit has.
fn read_unit(unit: &[u8]) -> Result<f64, Error> {
    match () {
        () if is(unit, "m") => Ok(1.0),
        () if is(unit, "km") => Ok(1000.0),
        () if is(unit, "ft") => Ok(0.3048),
        () if is(unit, "mi") => Ok(1609.34),
        () => Err(Error::Text("ERR unsupported unit provided. please use M, KM, FT, MI")),
    }
}

/// Writes a distance with four digits behind the point, rounded to even as C's `llrint` does.
#[allow(clippy::cast_possible_truncation)]
fn write_distance(out: &mut Writer, distance: f64) {
    let scaled = (distance * 10_000.0).round_ties_even() as i64;
    let sign = if scaled < 0 { "-" } else { "" };
    let scaled = scaled.unsigned_abs();
    out.bulk(format!("{sign}{}.{:04}", scaled / 10_000, scaled % 10_000).as_bytes());
}

/// Writes coordinates as C's `%.17Lf` does, without the zeros at the end.
fn write_point(out: &mut Writer, point: Point) {
    out.array(2);
    for degrees in [point.longitude, point.latitude] {
        let text = format!("{degrees:.17}");
        let text = text.trim_end_matches('0').trim_end_matches('.');
        out.double_text(if text == "-0" { b"0" } else { text.as_bytes() });
    }
}
