//! One worker against two, neither pinned, with generators that share the cores: what sharing the
//! keyspace costs, and whether any command gets slower by it.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use loadgen::draw::Keys;
use loadgen::engine::{End, Group, Plan, fill};
use loadgen::fleet::run_all;
use loadgen::request::Request;
use loadgen::usage::Usage;

use super::options::Options;
use super::process::{Cpus, Kind, Server, is_foreign};
use super::report::{Section, Table, median, micros, ratio};

const GENERATORS: usize = 2;
/// For each generator.
const CONNECTIONS: usize = 25;
const VALUE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
const WORKERS: [&str; 2] = ["1", "2"];

/// One window.
struct Round {
    per_second: f64,
    cpu_us: f64,
    p99_us: f64,
}

/// # Errors
/// A server that does not start, refuses a command, or cannot be read.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let mut section = Section::new("threads", "Workers", intro(options));
    if is_foreign(options) {
        section.notes.push("The server under test has no option --threads: left out.".to_owned());
        return Ok(section);
    }
    let mut servers = Vec::new();
    for workers in WORKERS {
        let server = Server::start(options, Kind::Ours, &cpus.all, &["--threads", workers])?;
        for pattern in [format!("SET {{k}} {VALUE}"), "SET {n} 1000".to_owned()] {
            fill(server.address, &pattern, options.keys, &cpus.all)?;
        }
        server.pause();
        servers.push(server);
    }
    let mut table = Table::new(&[
        "command",
        "pipeline",
        "workers",
        "kops/s",
        "CPU µs",
        "p99 µs",
        "CPU two / one",
        "kops/s two / one",
    ]);
    for (name, pattern) in patterns() {
        if !options.filter.is_empty() && !options.filter.iter().any(|wanted| wanted == name) {
            continue;
        }
        for &depth in &options.pipelines {
            let rounds = measure_cell(options, &pattern, depth, &servers, &cpus)
                .map_err(|error| format!("{name}: {error}"))?;
            eprintln!("threads: {name} {depth}");
            add_rows(&mut table, name, depth, &rounds);
        }
    }
    section.tables.push(table);
    Ok(section)
}

fn intro(options: &Options) -> String {
    format!(
        "{GENERATORS} generators with {CONNECTIONS} connections each and the server share all \
         cores, nothing is pinned; {} keys; medians of {} rounds of {} ms. On two cores the \
         generators take much of them, so kops/s says only whether more workers hurt.",
        options.keys,
        options.rounds,
        options.window.as_millis()
    )
}

fn patterns() -> [(&'static str, String); 4] {
    [
        ("GET", "GET {k}".to_owned()),
        ("SET", format!("SET {{k}} {VALUE}")),
        ("INCR", "INCR {n}".to_owned()),
        ("MSET", format!("MSET{}", format!(" {{k}} {VALUE}").repeat(10))),
    ]
}

/// The rounds of each server, in the order of the servers.
fn measure_cell(
    options: &Options,
    pattern: &str,
    depth: usize,
    servers: &[Server],
    cpus: &Cpus,
) -> Result<Vec<Vec<Round>>, String> {
    let mut rounds: Vec<Vec<Round>> = servers.iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds {
        for turn in 0..servers.len() {
            let at = (round + turn) % servers.len();
            servers[at].resume();
            let got = window(options, pattern, depth, &servers[at], cpus);
            servers[at].pause();
            rounds[at].push(got?);
        }
    }
    Ok(rounds)
}

fn window(
    options: &Options,
    pattern: &str,
    depth: usize,
    server: &Server,
    cpus: &Cpus,
) -> Result<Round, String> {
    let start = Instant::now() + options.warmup;
    let group = Group {
        connections: CONNECTIONS,
        request: Request::of_pattern(pattern, depth),
        keys: Keys::Random(options.keys),
    };
    let end = End::At(start + options.window);
    let plan = Plan { cpus: &cpus.all, ..Plan::new(server.address, vec![group], start, end) };
    let (halt, mut usage) = (AtomicBool::new(false), Err(String::new()));
    let outcome = run_all(vec![plan; GENERATORS], &halt, |_| {
        usage = usage_between(server.pid(), start, options.window);
    })?;
    let (seen, usage) = (&outcome.seen[0], usage?);
    Ok(Round {
        per_second: seen.operations as f64 / options.window.as_secs_f64(),
        cpu_us: usage.busy_ns as f64 / 1e3 / seen.operations.max(1) as f64,
        p99_us: seen.latency.value_at_quantile(0.99) as f64 / 1e3,
    })
}

fn usage_between(pid: u32, start: Instant, window: Duration) -> Result<Usage, String> {
    std::thread::sleep(start.saturating_duration_since(Instant::now()));
    let before = Usage::of(pid)?;
    std::thread::sleep((start + window).saturating_duration_since(Instant::now()));
    Ok(Usage::of(pid)?.since(before))
}

fn add_rows(table: &mut Table, name: &str, depth: usize, rounds: &[Vec<Round>]) {
    let over =
        |at: usize, figure: fn(&Round) -> f64| median(rounds[at].iter().map(figure).collect());
    for (at, workers) in WORKERS.into_iter().enumerate() {
        let cpu = over(at, |round| round.cpu_us);
        let speed = over(at, |round| round.per_second);
        let mut row = vec![name.to_owned(), depth.to_string(), workers.to_owned()];
        row.push(format!("{:.0}", speed / 1e3));
        row.push(micros(cpu));
        row.push(format!("{:.0}", over(at, |round| round.p99_us)));
        if at > 0 {
            row.push(ratio(cpu, over(0, |round| round.cpu_us)));
            row.push(ratio(speed, over(0, |round| round.per_second)));
        }
        table.push(row);
    }
}
