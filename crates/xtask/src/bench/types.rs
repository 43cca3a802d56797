//! The tests of redis-benchmark, and the commands of collections that it lacks, over prepared data:
//! CPU an operation against a peer, and the mean of the ratios.
//!
//! What a command takes away is put back before each window, so that it never meets nothing.

use std::time::Duration;

use super::cells::{CONNECTIONS, Cell, Task, disturbance, errors, rounds, start};
use super::options::Options;
use super::process::{Cpus, Kind, Server};
use super::report::{Section, Table, micros, ratio};

const DEPTH_MAX: usize = 16;
const VALUE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const SHORT: &str = "0123456789abcdef";
/// Elements of one command that prepares data.
const BATCH: usize = 100;

/// What must be there before a command makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Data {
    Strings,
    Lists,
    Sets,
    Hashes,
    Zsets,
    Streams,
    Others,
}

/// What is put back before a window, as much as the command can take away in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Supply {
    Nothing,
    List,
    Set,
    Zset,
}

struct Case {
    name: &'static str,
    data: Data,
    supply: Supply,
    pattern: String,
}

fn cases(options: &Options) -> Vec<Case> {
    let big = big(options);
    let case = |data, name, pattern: &str| Case {
        name,
        data,
        supply: Supply::Nothing,
        pattern: pattern
            .replace("{v}", VALUE)
            .replace("{s}", SHORT)
            .replace("{m}", &format!("{{element<{big}}}"))
            .replace("{score}", &format!("{{#<{big}}}")),
    };
    let taking = |data, supply, name, pattern| Case { supply, ..case(data, name, pattern) };
    vec![
        case(Data::Strings, "PING_INLINE", "!PING"),
        case(Data::Strings, "PING_MBULK", "PING"),
        case(Data::Strings, "SET", "SET {k} {v}"),
        case(Data::Strings, "GET", "GET {k}"),
        case(Data::Strings, "INCR", "INCR {n}"),
        case(Data::Strings, "MSET", &format!("MSET{}", " {k} {v}".repeat(10))),
        case(Data::Lists, "LPUSH", "LPUSH mylist {s}"),
        case(Data::Lists, "RPUSH", "RPUSH mylist {s}"),
        taking(Data::Lists, Supply::List, "LPOP", "LPOP mylist"),
        taking(Data::Lists, Supply::List, "RPOP", "RPOP mylist"),
        case(Data::Lists, "LRANGE_100", "LRANGE range 0 99"),
        case(Data::Lists, "LRANGE_300", "LRANGE range 0 299"),
        case(Data::Lists, "LRANGE_500", "LRANGE range 0 499"),
        case(Data::Lists, "LRANGE_600", "LRANGE range 0 599"),
        case(Data::Sets, "SADD", "SADD myset {m}"),
        case(Data::Sets, "SISMEMBER", "SISMEMBER myset {m}"),
        taking(Data::Sets, Supply::Set, "SPOP", "SPOP taken"),
        case(Data::Hashes, "HSET", "HSET myhash {m} {s}"),
        case(Data::Hashes, "HGET", "HGET myhash {m}"),
        case(Data::Hashes, "HGET small", "HGET {h<50000} field:7"),
        case(Data::Hashes, "HGETALL", "HGETALL {h<50000}"),
        case(Data::Zsets, "ZADD", "ZADD myzset {score} {m}"),
        case(Data::Zsets, "ZINCRBY", "ZINCRBY myzset 1 {m}"),
        case(Data::Zsets, "ZRANK", "ZRANK myzset {m}"),
        case(Data::Zsets, "ZRANGE_100", "ZRANGE {z<2000} 100 199"),
        case(Data::Zsets, "ZADD small", "ZADD {t<50000} {#<1000} element:17"),
        taking(Data::Zsets, Supply::Zset, "ZPOPMIN", "ZPOPMIN taken"),
        case(Data::Streams, "XADD", "XADD mystream * myfield {s}"),
        case(Data::Streams, "XRANGE_100", "XRANGE range - + COUNT 100"),
        case(Data::Others, "PFADD", "PFADD {p<100} {m}"),
        case(Data::Others, "GEOSEARCH", "GEOSEARCH geo FROMLONLAT 13.5 38.5 BYRADIUS 500 m ASC"),
        case(Data::Others, "BITCOUNT", "BITCOUNT {b<1000}"),
    ]
}

/// Elements of the one large collection of each type.
fn big(options: &Options) -> u64 {
    if options.quick { 100_000 } else { 1_000_000 }
}

/// Patterns that store the data, and how many numbers each takes.
fn fillings(data: Data, options: &Options) -> Vec<(String, u64)> {
    let big = big(options);
    let anywhere = "{#<100000000}";
    let listed = |head: &str, count, element: fn(usize) -> String| {
        (0..count).fold(head.to_owned(), |text, at| text + " " + &element(at))
    };
    match data {
        Data::Strings => {
            vec![
                (format!("SET {{k}} {VALUE}"), options.keys),
                ("SET {n} 1000".into(), options.keys),
            ]
        }
        Data::Lists => vec![(format!("RPUSH range {SHORT}"), 1000)],
        Data::Sets => vec![(format!("SADD myset{}", " {element}".repeat(BATCH)), big)],
        Data::Hashes => vec![
            (format!("HSET myhash{}", format!(" {{element}} {SHORT}").repeat(BATCH)), big),
            (listed("HSET {h}", 10, |at| format!("field:{at} value:{at}{at}{at}")), 50_000),
        ],
        Data::Zsets => vec![
            (format!("ZADD myzset{}", " {~} {=element}".repeat(BATCH)), big),
            (listed("ZADD {z}", 200, |at| format!("{} element:{at:012}", at * 37)), 2_000),
            (listed("ZADD {t}", 40, |at| format!("{} element:{at}", at * 25)), 50_000),
        ],
        Data::Streams => {
            vec![(format!("XADD range * temperature 2{{#}} place {SHORT}"), 5_000)]
        }
        Data::Others => vec![
            (listed("PFADD {p}", 3_000, |at| at.to_string()), 100),
            (
                format!(
                    "GEOADD geo{}",
                    format!(" 13.{anywhere} 38.{anywhere} {{place}}").repeat(BATCH)
                ),
                big,
            ),
            (format!("SET {{b}} {}", VALUE.repeat(16)), 1_000),
        ],
    }
}

/// What a window of this depth takes away at the most.
fn supplies(supply: Supply, depth: usize, options: &Options) -> Vec<(String, u64)> {
    let per_second = if depth == 1 { 250_000.0 } else { 1_600_000.0 };
    let span: Duration = options.window + options.warmup;
    let count = (span.as_secs_f64() * per_second) as u64;
    let pattern = match supply {
        Supply::Nothing => return Vec::new(),
        Supply::List => format!("RPUSH mylist{}", format!(" {SHORT}").repeat(BATCH)),
        Supply::Set => format!("SADD taken{}", " {element}".repeat(BATCH)),
        Supply::Zset => format!("ZADD taken{}", " {~} {=element}".repeat(BATCH)),
    };
    let count = if supply == Supply::List { count / BATCH as u64 } else { count };
    vec![(pattern, count)]
}

/// The user time of one command and depth on each server, as the summary needs it.
struct Measured {
    depth: usize,
    name: &'static str,
    ratio: f64,
}

/// Measures every command that the options do not filter out, at depths up to sixteen.
///
/// # Errors
/// A server that does not start or does not take the data; a command that fails is a note instead.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let mut table = Table::new(&[
        "command",
        "pipeline",
        "server",
        "kops/s",
        "user µs",
        "total µs",
        "p99 µs",
        "server busy",
        "user / peer",
        "total / peer",
    ]);
    let mut section = Section::new("types", "Types", intro(options));
    let (mut measured, mut waits) = (Vec::new(), Vec::new());
    let mut running: Option<(Data, Vec<Server>)> = None;
    for case in cases(options) {
        if !options.wants(case.name) {
            continue;
        }
        if running.as_ref().is_none_or(|(data, _)| *data != case.data) {
            drop(running.take());
            let (name, fillings) = (format!("{:?}", case.data), fillings(case.data, options));
            running = Some((case.data, start(options, false, &name, &fillings, &cpus)?));
        }
        let Some((_, servers)) = &running else { continue };
        for &depth in options.pipelines.iter().filter(|&&depth| depth <= DEPTH_MAX) {
            let prepare = supplies(case.supply, depth, options);
            let task = Task { name: case.name, pattern: &case.pattern, depth, prepare };
            let cells = rounds(options, &task, servers, &cpus);
            waits.extend(cells.iter().flat_map(Cell::waits));
            section.notes.extend(errors(case.name, depth, &cells));
            measured.extend(add_rows(&mut table, case.name, depth, &cells));
        }
    }
    section.tables.extend(summary(&measured));
    section.tables.push(table);
    section.notes.push(disturbance(&waits));
    Ok(section)
}

fn intro(options: &Options) -> String {
    format!(
        "{CONNECTIONS} connections; the tests of redis-benchmark with random keys and members, and \
         commands on other collections. One large collection of each type has {} elements; \
         small ones lie in 50 000 keys (hashes of 10 fields, sorted sets of 40 members), ZRANGE \
         reads 100 of 200 members in 2 000 keys. Server on one core, generator on another; medians \
         of {} rounds of {} ms. CPU is that of the server for one operation, its split an \
         estimate from counted ticks.",
        big(options),
        options.rounds,
        options.window.as_millis()
    )
}

/// A row for each server; the ratio of user time, if both servers answered.
fn add_rows(
    table: &mut Table,
    name: &'static str,
    depth: usize,
    cells: &[Cell],
) -> Option<Measured> {
    let of = |kind| cells.iter().find(|cell| cell.kind == kind).and_then(Cell::figures);
    let (ours, peer) = (of(Kind::Ours), of(Kind::Peer));
    for cell in cells {
        let mut row = vec![name.to_owned(), depth.to_string(), cell.kind.name().to_owned()];
        if let Some(got) = cell.figures() {
            row.push(format!("{:.0}", got.per_second / 1e3));
            row.extend([got.user_us, got.total_us()].map(micros));
            row.push(format!("{:.0}", got.latency_us[1]));
            row.push(format!("{:.0} %", got.busy * 100.0));
            if let (Kind::Ours, Some(peer)) = (cell.kind, &peer) {
                row.push(ratio(got.user_us, peer.user_us));
                row.push(ratio(got.total_us(), peer.total_us()));
            }
        }
        table.push(row);
    }
    let (ours, peer) = (ours?, peer?);
    (peer.user_us > 0.0).then(|| Measured { depth, name, ratio: ours.user_us / peer.user_us })
}

/// The geometric mean of the ratios at each depth, and the dearest command.
fn summary(measured: &[Measured]) -> Option<Table> {
    let mut depths: Vec<usize> = measured.iter().map(|row| row.depth).collect();
    depths.sort_unstable();
    depths.dedup();
    let mut table = Table::new(&[
        "pipeline",
        "commands",
        "user / peer, geometric mean",
        "dearest",
        "its ratio",
    ]);
    for &depth in &depths {
        let of: Vec<&Measured> = measured.iter().filter(|row| row.depth == depth).collect();
        let logs: f64 = of.iter().map(|row| row.ratio.max(1e-3).ln()).sum();
        let worst = of.iter().max_by(|a, b| a.ratio.total_cmp(&b.ratio))?;
        table.push(vec![
            depth.to_string(),
            of.len().to_string(),
            format!("{:.2}", (logs / of.len() as f64).exp()),
            worst.name.to_owned(),
            format!("{:.2}", worst.ratio),
        ]);
    }
    (!depths.is_empty()).then_some(table)
}
