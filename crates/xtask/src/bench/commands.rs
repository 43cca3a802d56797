//! Throughput, CPU an operation and latency of single commands at several pipeline depths.
//!
//! All servers are up at once on the same core, but only the one whose turn it is runs: the others
//! are stopped. So the rounds of one cell lie seconds apart, and a machine that gets slower
//! meanwhile slows all of them alike.

use std::time::Instant;

use super::chart::{self, Bar};
use super::load::{self, End, Group, Outcome, Plan};
use super::options::Options;
use super::process::{Cpus, Kind, Server};
use super::report::{Section, Table, median, micros, ratio};
use super::request::{Keys, Request};

const CONNECTIONS: usize = 50;
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

/// The rounds of one command, depth and server.
struct Cell {
    kind: Kind,
    rounds: Vec<Outcome>,
    error: Option<String>,
}

/// Medians over the rounds; the split into user and system over all rounds together, because it
/// rests on counted ticks.
struct Figures {
    per_second: f64,
    user_us: f64,
    system_us: f64,
    busy: f64,
    latency_us: [f64; 3],
}

impl Figures {
    fn total_us(&self) -> f64 {
        self.user_us + self.system_us
    }
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
        if !options.filter.is_empty() && !options.filter.iter().any(|name| name == case.name) {
            continue;
        }
        if running.as_ref().is_none_or(|(fixture, _)| *fixture != case.fixture) {
            // The old servers go first, so that two sets are never in memory together.
            drop(running.take());
            running = Some((case.fixture, start(options, case.fixture, &cpus)?));
        }
        let Some((_, servers)) = &running else { continue };
        for &depth in &options.pipelines {
            let cells = rounds(options, &case, depth, servers, &cpus);
            waits.extend(
                cells.iter().flat_map(|cell| &cell.rounds).map(|outcome| {
                    outcome.usage.waited_ns as f64 / outcome.elapsed.as_nanos() as f64
                }),
            );
            add_rows(&mut table, &mut bars, &mut notes, (case.name, depth), &cells);
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

fn start(options: &Options, fixture: Fixture, cpus: &Cpus) -> Result<Vec<Server>, String> {
    let mut servers = Vec::new();
    for kind in Kind::all(options, true) {
        eprintln!("{}: start and load {fixture:?}", kind.name());
        let server = Server::start(options, kind, &cpus.server, &[])?;
        let pattern = match fixture {
            Fixture::Strings => format!("SET {{k}} {VALUE}"),
            Fixture::Numbers => "SET {n} 1000".to_owned(),
        };
        load::fill(server.address, &pattern, options.keys, &cpus.load)
            .map_err(|error| format!("{}: load: {error}", kind.name()))?;
        server.pause();
        servers.push(server);
    }
    Ok(servers)
}

/// Each round starts with another server, so that none is always first.
fn rounds(
    options: &Options,
    case: &Case,
    depth: usize,
    servers: &[Server],
    cpus: &Cpus,
) -> Vec<Cell> {
    let mut cells: Vec<Cell> = servers
        .iter()
        .map(|server| Cell { kind: server.kind, rounds: Vec::new(), error: None })
        .collect();
    for round in 0..options.rounds {
        for turn in 0..servers.len() {
            let at = (round + turn) % servers.len();
            if cells[at].error.is_some() {
                continue;
            }
            servers[at].resume();
            match window(options, case, depth, &servers[at], cpus) {
                Ok(outcome) => cells[at].rounds.push(outcome),
                Err(error) => cells[at].error = Some(error),
            }
            servers[at].pause();
        }
    }
    let line: Vec<String> = cells.iter().map(progress).collect();
    eprintln!("{:<9} {depth:>3}  {}", case.name, line.join("  "));
    cells
}

fn progress(cell: &Cell) -> String {
    cell.figures().map_or_else(
        || format!("{} failed", cell.kind.name()),
        |got| {
            let (name, kops) = (cell.kind.name(), got.per_second / 1e3);
            format!("{name} {kops:.0}k/s {:.3}+{:.3} µs", got.user_us, got.system_us)
        },
    )
}

fn window(
    options: &Options,
    case: &Case,
    depth: usize,
    server: &Server,
    cpus: &Cpus,
) -> Result<Outcome, String> {
    let group = Group {
        connections: CONNECTIONS,
        request: Request::new(&case.pattern, depth),
        keys: Keys::Random(options.keys),
    };
    let start = Instant::now() + options.warmup;
    load::run(Plan {
        address: server.address,
        groups: vec![group],
        start,
        end: End::At(start + options.window),
        watch: Some(server.pid()),
        cpus: &cpus.load,
    })
}

impl Cell {
    fn figures(&self) -> Option<Figures> {
        if self.rounds.is_empty() || self.error.is_some() {
            return None;
        }
        let over =
            |figure: &dyn Fn(&Outcome) -> f64| median(self.rounds.iter().map(figure).collect());
        let operations = |outcome: &Outcome| outcome.seen[0].operations.max(1) as f64;
        let total = over(&|outcome| outcome.usage.busy_ns as f64 / 1e3 / operations(outcome));
        let user: u64 = self.rounds.iter().map(|outcome| outcome.usage.user_ticks).sum();
        let system: u64 = self.rounds.iter().map(|outcome| outcome.usage.system_ticks).sum();
        let share = user as f64 / (user + system).max(1) as f64;
        let latency = |quantile: f64| {
            over(&|outcome| outcome.seen[0].latency.value_at_quantile(quantile) as f64 / 1e3)
        };
        Some(Figures {
            per_second: over(&|outcome| operations(outcome) / outcome.elapsed.as_secs_f64()),
            user_us: total * share,
            system_us: total * (1.0 - share),
            busy: over(&|outcome| outcome.usage.busy_ns as f64 / could_run(outcome)),
            latency_us: [latency(0.5), latency(0.99), latency(0.999)],
        })
    }
}

/// Nanoseconds of the window in which other programs left the server its core.
fn could_run(outcome: &Outcome) -> f64 {
    let elapsed = outcome.elapsed.as_nanos() as f64;
    (elapsed - outcome.usage.waited_ns as f64).max(outcome.usage.busy_ns as f64).max(1.0)
}

/// What says whether the machine was quiet enough for the latencies to mean anything.
fn disturbance(waits: &[f64]) -> String {
    format!(
        "The server that was measured was ready but had to leave its core to other programs for \
         {:.1} % of the time (median of all cells); latencies contain that.",
        median(waits.to_vec()) * 100.0
    )
}

fn add_rows(
    table: &mut Table,
    bars: &mut Vec<Bar>,
    notes: &mut Vec<String>,
    (name, depth): (&'static str, usize),
    cells: &[Cell],
) {
    let of = |kind| cells.iter().find(|cell| cell.kind == kind).and_then(Cell::figures);
    let (peer, floor) = (of(Kind::Peer), of(Kind::Floor));
    for cell in cells {
        let server = cell.kind.name();
        if let Some(error) = &cell.error {
            // A server may quote the whole request, and the start says what is wrong.
            let short: String = error.chars().take(80).collect();
            notes.push(format!("{name}, pipeline {depth}, {server}: {short}"));
        }
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
