//! Throughput, CPU an operation and latency of single commands at several pipeline depths, with all
//! servers up at once on the same core.

use super::cells::{CONNECTIONS, Cell, Figures, Task, disturbance, errors, rounds, start};
use super::chart::{self, Bar};
use super::options::Options;
use super::process::{Cpus, Kind, Server};
use super::report::{Section, Table, micros, ratio};

/// Keys in one MSET or MGET.
const MSET_KEYS: usize = 10;
/// 64 bytes, none of which the null responder counts.
const VALUE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What a server must hold before a command makes sense.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fixture {
    Strings,
    Numbers,
}

struct Case {
    name: &'static str,
    pattern: String,
    fixture: Fixture,
}

/// Servers that are up with a fixture; each is paused unless it is being measured.
type Running = (Fixture, Vec<Server>);

/// The commands in the order of the table. A fixture is loaded when it differs from the one before;
/// what changes expiries or removes keys therefore comes last of its fixture.
fn cases() -> Vec<Case> {
    let case = |name, fixture, pattern: &str| Case {
        name,
        pattern: pattern.replace("{v}", VALUE),
        fixture,
    };
    vec![
        case("GET", Fixture::Strings, "GET {k}"),
        case("SET", Fixture::Strings, "SET {k} {v}"),
        case("MSET", Fixture::Strings, &format!("MSET{}", " {k} {v}".repeat(MSET_KEYS))),
        case("MGET", Fixture::Strings, &format!("MGET{}", " {k}".repeat(MSET_KEYS))),
        case("PING", Fixture::Strings, "PING"),
        case("GETRANGE", Fixture::Strings, "GETRANGE {k} 8 23"),
        case("EXISTS", Fixture::Strings, "EXISTS {k}"),
        case("TTL", Fixture::Strings, "TTL {k}"),
        case("APPEND", Fixture::Strings, "APPEND {k} x"),
        case("SETEX", Fixture::Strings, "SET {k} {v} EX 100000"),
        case("EXPIRE", Fixture::Strings, "EXPIRE {k} 100000"),
        case("SET+DEL", Fixture::Strings, "SET {k} {v};DEL {=}"),
        case("INCR", Fixture::Numbers, "INCR {n}"),
    ]
}

/// Measures every command that the options do not filter out.
///
/// # Errors
/// A server that does not start or cannot be read; a command that fails is a note instead.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let mut table = Table::new(&[
        "command",
        "pipeline",
        "server",
        "kops/s",
        "user µs",
        "system µs",
        "total µs",
        "p50 µs",
        "p99 µs",
        "p99.9 µs",
        "server busy",
        "user / peer",
        "total / peer",
        "total / floor",
    ]);
    let mut bars = Vec::new();
    let mut notes = Vec::new();
    let mut waits = Vec::new();
    let mut running: Option<Running> = None;
    for case in cases() {
        if !options.wants(case.name) {
            continue;
        }
        if running.as_ref().is_none_or(|(fixture, _)| *fixture != case.fixture) {
            // The old servers go first, so that two sets are never in memory together.
            drop(running.take());
            let (name, filling) = (format!("{:?}", case.fixture), filling(case.fixture, options));
            running = Some((case.fixture, start(options, true, &name, &[filling], &cpus)?));
        }
        let Some((_, servers)) = &running else { continue };
        for &depth in &options.pipelines {
            let (name, pattern) = (case.name, case.pattern.as_str());
            let task = Task { name, pattern, depth, prepare: Vec::new() };
            let cells = rounds(options, &task, servers, &cpus);
            waits.extend(cells.iter().flat_map(Cell::waits));
            notes.extend(errors(case.name, depth, &cells));
            add_rows(&mut table, &mut bars, (case.name, depth), &cells);
        }
    }
    let mut section = Section::new("commands", "Commands", intro(options));
    section.tables.push(table);
    section.notes.extend(notes);
    section.notes.push(disturbance(&waits));
    let names: Vec<_> =
        Kind::all(options, true).iter().map(|kind| (kind.name(), kind.label(options))).collect();
    section.chart = Some(chart::render(&bars, &names));
    Ok(section)
}

fn intro(options: &Options) -> String {
    format!(
        "{CONNECTIONS} connections, {} keys of 16 bytes chosen uniformly, values of 64 bytes; \
         server on one core, generator on another; medians of {} rounds of {} ms. CPU is that of \
         the server for one operation (MSET and MGET: ten keys each), its split an estimate from \
         counted ticks; latency is from sending a batch to its last reply. Busy is the share of \
         the time in which the server had its core for itself: well below 100 % the generator is \
         the limit, and then CPU stands, kops/s does not.",
        options.keys,
        options.rounds,
        options.window.as_millis()
    )
}

fn filling(fixture: Fixture, options: &Options) -> (String, u64) {
    let pattern = match fixture {
        Fixture::Strings => format!("SET {{k}} {VALUE}"),
        Fixture::Numbers => "SET {n} 1000".to_owned(),
    };
    (pattern, options.keys)
}

fn add_rows(
    table: &mut Table,
    bars: &mut Vec<Bar>,
    (name, depth): (&'static str, usize),
    cells: &[Cell],
) {
    let of = |kind| cells.iter().find(|cell| cell.kind == kind).and_then(Cell::figures);
    let (peer, floor) = (of(Kind::Peer), of(Kind::Floor));
    for cell in cells {
        let server = cell.kind.name();
        let mut row = vec![name.to_owned(), depth.to_string(), server.to_owned()];
        let Some(got) = cell.figures() else {
            table.push(row);
            continue;
        };
        row.push(format!("{:.0}", got.per_second / 1e3));
        row.extend([got.user_us, got.system_us, got.total_us()].map(micros));
        row.extend(got.latency_us.map(|value| format!("{value:.0}")));
        row.push(format!("{:.0} %", got.busy * 100.0));
        let ours = cell.kind == Kind::Ours;
        let against = |other: &Option<Figures>, part: fn(&Figures) -> f64| {
            other
                .as_ref()
                .filter(|_| ours)
                .map_or(String::new(), |other| ratio(part(&got), part(other)))
        };
        row.push(against(&peer, |figures| figures.user_us));
        row.push(against(&peer, Figures::total_us));
        row.push(against(&floor, Figures::total_us));
        table.push(row);
        let (user_us, system_us) = (got.user_us, got.system_us);
        let keys = if name == "MSET" { MSET_KEYS } else { 1 };
        bars.push(Bar { command: name, depth, keys, server, user_us, system_us });
    }
}
