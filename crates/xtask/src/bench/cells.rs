//! One command at one pipeline depth on every server in turn: the windows, and what comes of them.
//!
//! Only the server whose turn it is runs, the others are stopped. So the rounds of one cell lie
//! seconds apart, and a machine that gets slower meanwhile slows all of them alike.

use std::time::Instant;

use loadgen::draw::Keys;
use loadgen::engine::{self as load, End, Group, Outcome, Plan};
use loadgen::request::Request;

use super::options::Options;
use super::process::{Cpus, Kind, Server};
use super::report::median;

pub(super) const CONNECTIONS: usize = 50;

/// What is sent.
pub(super) struct Task<'a> {
    pub(super) name: &'a str,
    pub(super) pattern: &'a str,
    pub(super) depth: usize,
    /// Patterns and how many numbers of each are sent before every window, without being measured.
    pub(super) prepare: Vec<(String, u64)>,
}

/// The rounds of one command, depth and server.
pub(super) struct Cell {
    pub(super) kind: Kind,
    pub(super) rounds: Vec<Outcome>,
    pub(super) error: Option<String>,
}

/// Medians over the rounds; the split into user and system over all rounds together, because it
/// rests on counted ticks.
pub(super) struct Figures {
    pub(super) per_second: f64,
    pub(super) user_us: f64,
    pub(super) system_us: f64,
    pub(super) busy: f64,
    pub(super) latency_us: [f64; 3],
}

impl Figures {
    pub(super) fn total_us(&self) -> f64 {
        self.user_us + self.system_us
    }
}

/// Starts the servers and fills them alike with numbers of patterns; all are paused then.
pub(super) fn start(
    options: &Options,
    with_floor: bool,
    name: &str,
    fillings: &[(String, u64)],
    cpus: &Cpus,
) -> Result<Vec<Server>, String> {
    let mut servers = Vec::new();
    for kind in Kind::all(options, with_floor) {
        eprintln!("{}: start and load {name}", kind.name());
        let server = Server::start(options, kind, &cpus.server, &[])?;
        for (pattern, count) in fillings {
            load::fill(server.address, pattern, *count, &cpus.load)
                .map_err(|error| format!("{}: load: {error}", kind.name()))?;
        }
        server.pause();
        servers.push(server);
    }
    Ok(servers)
}

/// What ended a measurement early, a line for each server. A server may quote the whole request,
/// and the start says what is wrong.
pub(super) fn errors(name: &str, depth: usize, cells: &[Cell]) -> Vec<String> {
    let of = |cell: &Cell| {
        let short: String = cell.error.as_ref()?.chars().take(80).collect();
        Some(format!("{name}, pipeline {depth}, {}: {short}", cell.kind.name()))
    };
    cells.iter().filter_map(of).collect()
}

/// Each round starts with another server, so that none is always first.
pub(super) fn rounds(
    options: &Options,
    task: &Task<'_>,
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
            match window(options, task, &servers[at], cpus) {
                Ok(outcome) => cells[at].rounds.push(outcome),
                Err(error) => cells[at].error = Some(error),
            }
            servers[at].pause();
        }
    }
    let line: Vec<String> = cells.iter().map(progress).collect();
    eprintln!("{:<12} {:>3}  {}", task.name, task.depth, line.join("  "));
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
    task: &Task<'_>,
    server: &Server,
    cpus: &Cpus,
) -> Result<Outcome, String> {
    for (pattern, count) in &task.prepare {
        load::fill(server.address, pattern, *count, &cpus.load)?;
    }
    let group = Group {
        connections: CONNECTIONS,
        request: Request::of_pattern(task.pattern, task.depth),
        keys: Keys::Random(options.keys),
    };
    let start = Instant::now() + options.warmup;
    let outcome = load::run(Plan {
        watch: Some(server.pid()),
        cpus: &cpus.load,
        ..Plan::new(server.address, vec![group], start, End::At(start + options.window))
    })?;
    Ok(outcome)
}

impl Cell {
    /// The share of each window in which the server was ready and had no core.
    pub(super) fn waits(&self) -> impl Iterator<Item = f64> + '_ {
        self.rounds
            .iter()
            .map(|outcome| outcome.usage.waited_ns as f64 / outcome.elapsed.as_nanos() as f64)
    }

    pub(super) fn figures(&self) -> Option<Figures> {
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
pub(super) fn disturbance(waits: &[f64]) -> String {
    format!(
        "The server that was measured was ready but had to leave its core to other programs for \
         {:.1} % of the time (median of all cells); latencies contain that.",
        median(waits.to_vec()) * 100.0
    )
}
