//! What a log costs: SETs with each policy of `appendfsync` and without a log, by processor time.
//!
//! All servers are up at once, filled alike, and all but one are stopped, so windows that are
//! compared lie seconds apart. The time is that of all threads of a server, so that of a thread
//! that waits for the disk counts too; what the kernel does for the disk in threads of its own
//! does not.

use std::time::Instant;

use loadgen::draw::Keys;
use loadgen::engine::{self as load, End, Group, Plan};
use loadgen::request::Request;

use super::options::Options;
use super::process::{Cpus, Kind, Server};
use super::report::{Section, Table, median, micros, ratio};

const KEYS: u64 = 100_000;
const CONNECTIONS: usize = 50;
const DEPTHS: [usize; 2] = [1, 16];
const NO_REWRITE: [&str; 2] = ["--auto-aof-rewrite-percentage", "0"];

/// Names of the policies, and the settings that make them.
const POLICIES: [(&str, &[&str]); 4] = [
    ("no log", &[]),
    ("no", &["--appendonly", "yes", "--appendfsync", "no"]),
    ("everysec", &["--appendonly", "yes", "--appendfsync", "everysec"]),
    ("always", &["--appendonly", "yes", "--appendfsync", "always"]),
];

/// One server with one policy.
struct Cell {
    kind: Kind,
    policy: &'static str,
    server: Server,
}

/// One window.
struct Round {
    per_second: f64,
    cpu_us: f64,
    p99_ms: f64,
}

/// # Errors
/// A server that does not start, refuses the keys, or cannot be read.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let mut cells = Vec::new();
    for (policy, settings) in POLICIES {
        for kind in Kind::all(options, false) {
            let settings = [settings, &NO_REWRITE].concat();
            let server = Server::start(options, kind, &cpus.server, &settings)?;
            load::fill(server.address, &set(), KEYS, &cpus.load)?;
            server.pause();
            cells.push(Cell { kind, policy, server });
        }
    }
    let mut table = Table::new(&[
        "pipeline",
        "appendfsync",
        "server",
        "kops/s",
        "p99 ms",
        "CPU µs",
        "of no log",
        "ours / peer",
    ]);
    for depth in DEPTHS {
        let rounds = measure_depth(options, depth, &cells, &cpus)?;
        add_rows(&mut table, depth, &cells, &rounds);
    }
    let intro = format!(
        "SETs of 64 bytes to {KEYS} keys over {CONNECTIONS} connections; medians of {} rounds of \
         {} ms. The log of a server is a file on this machine's disk, and grows without a rewrite.",
        options.rounds,
        options.window.as_millis()
    );
    let mut section = Section::new("log", "The log", intro);
    section.tables.push(table);
    Ok(section)
}

fn set() -> String {
    format!("SET {{k}} {}", "v".repeat(64))
}

/// The rounds of each cell, in the order of the cells.
fn measure_depth(
    options: &Options,
    depth: usize,
    cells: &[Cell],
    cpus: &Cpus,
) -> Result<Vec<Vec<Round>>, String> {
    let mut rounds: Vec<Vec<Round>> = cells.iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds {
        eprintln!("log: {depth}, round {}", round + 1);
        for turn in 0..cells.len() {
            let at = (round + turn) % cells.len();
            cells[at].server.resume();
            let got = window(options, depth, &cells[at], cpus);
            cells[at].server.pause();
            rounds[at].push(got.map_err(|error| format!("{}: {error}", cells[at].policy))?);
        }
    }
    Ok(rounds)
}

fn window(options: &Options, depth: usize, cell: &Cell, cpus: &Cpus) -> Result<Round, String> {
    let start = Instant::now() + options.warmup;
    let group = Group {
        connections: CONNECTIONS,
        request: Request::of_pattern(&set(), depth),
        keys: Keys::Random(KEYS),
    };
    let end = End::At(start + options.window);
    let outcome = load::run(Plan {
        watch: Some(cell.server.pid()),
        cpus: &cpus.load,
        ..Plan::new(cell.server.address, vec![group], start, end)
    })?;
    let operations = outcome.seen[0].operations.max(1) as f64;
    Ok(Round {
        per_second: operations / outcome.elapsed.as_secs_f64(),
        cpu_us: outcome.usage.busy_ns as f64 / 1e3 / operations,
        p99_ms: outcome.seen[0].latency.value_at_quantile(0.99) as f64 / 1e6,
    })
}

fn add_rows(table: &mut Table, depth: usize, cells: &[Cell], rounds: &[Vec<Round>]) {
    let over =
        |at: usize, figure: fn(&Round) -> f64| median(rounds[at].iter().map(figure).collect());
    let cpu = |policy, kind| {
        let at = cells.iter().position(|cell| cell.policy == policy && cell.kind == kind);
        at.map(|at| over(at, |round| round.cpu_us))
    };
    for (at, cell) in cells.iter().enumerate() {
        let own = over(at, |round| round.cpu_us);
        let against = |other: Option<f64>| other.map_or(String::new(), |other| ratio(own, other));
        let mut row = vec![depth.to_string(), cell.policy.to_owned(), cell.kind.name().to_owned()];
        row.push(format!("{:.0}", over(at, |round| round.per_second) / 1e3));
        row.push(format!("{:.3}", over(at, |round| round.p99_ms)));
        row.push(micros(own));
        row.push(against(cpu(POLICIES[0].0, cell.kind)));
        let is_ours = cell.kind == Kind::Ours;
        row.push(if is_ours { against(cpu(cell.policy, Kind::Peer)) } else { String::new() });
        table.push(row);
    }
}
