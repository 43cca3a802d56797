//! Writes of new keys at `maxmemory`, beside the same writes with room for all of them.
//!
//! At the limit every write makes another key go, so the question is what that costs, whether some
//! client waits for it, and how far above the limit memory gets.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::load::{self, End, Group, Outcome, Plan};
use super::options::Options;
use super::process::{Cpus, Kind, Server};
use super::report::{Section, Table, ratio};
use super::request::{Keys, Request};

const LIMIT: u64 = 100 << 20;
const CONNECTIONS: usize = 8;
const DEPTH: usize = 4;
/// Bytes of values.
const SIZES: [usize; 4] = [64, 1024, 8 << 10, 64 << 10];
const ASK_EVERY: Duration = Duration::from_millis(5);
const ROUNDS: usize = 3;

/// What one server did with values of one size.
#[derive(Default)]
struct Found {
    /// Writes and the processor's microseconds, with room and at the limit.
    roomy: (u64, f64, f64),
    tight: (u64, f64, f64),
    p999_ms: [f64; 2],
    peak: u64,
}

/// # Errors
/// A server that does not start, refuses a write, or cannot be read.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let mut table = Table::new(&[
        "value",
        "server",
        "SET/s with room",
        "at the limit",
        "ratio",
        "ratio of CPU",
        "p99.9 ms with room",
        "at the limit",
        "most used, of the limit",
    ]);
    for size in SIZES {
        for kind in Kind::all(options, false) {
            eprintln!("limit: {size} {}", kind.name());
            let found = run(options, kind, size, &cpus)?;
            table.push(row(size, kind, &found));
        }
    }
    let intro = format!(
        "SET of new keys over {CONNECTIONS} connections with {DEPTH} in flight each: to a server \
         without a limit, and to one with maxmemory {} MB that is full, policy allkeys-lru, in \
         {ROUNDS} turns. The ratio of CPU compares writes for each second of processor time, \
         which other work on the machine disturbs less than the clock. The most that was used is \
         of INFO, asked every {} ms.",
        LIMIT >> 20,
        ASK_EVERY.as_millis()
    );
    let mut section = Section::new("limit", "Writing at the limit", intro);
    section.tables.push(table);
    Ok(section)
}

fn row(size: usize, kind: Kind, found: &Found) -> Vec<String> {
    let per_second = |(count, elapsed, _): (u64, f64, f64)| count as f64 / elapsed;
    let per_cpu = |(count, _, cpu): (u64, f64, f64)| count as f64 / cpu;
    let (roomy, tight) = (found.roomy, found.tight);
    vec![
        size.to_string(),
        kind.name().to_owned(),
        format!("{:.0}", per_second(roomy)),
        format!("{:.0}", per_second(tight)),
        ratio(per_second(tight), per_second(roomy)),
        ratio(per_cpu(tight), per_cpu(roomy)),
        format!("{:.2}", found.p999_ms[0]),
        format!("{:.2}", found.p999_ms[1]),
        format!("{:.4}", found.peak as f64 / LIMIT as f64),
    ]
}

fn run(options: &Options, kind: Kind, size: usize, cpus: &Cpus) -> Result<Found, String> {
    let volume = if options.quick { LIMIT / 2 } else { LIMIT * 2 };
    let count = volume / (size as u64 + 64);
    let limit = LIMIT.to_string();
    let full = ["--maxmemory", &limit, "--maxmemory-policy", "allkeys-lru"];
    let tight = Server::start(options, kind, &cpus.server, &full)?;
    let pattern = format!("SET {{k}} {}", "v".repeat(size));
    let fill = 2 * LIMIT / (size as u64 + 64);
    load::fill(tight.address, &pattern, fill, &cpus.load)?;
    let mut found = Found::default();
    let mut latencies = [load::histogram(), load::histogram()];
    for round in 0..ROUNDS as u64 {
        let keys = Keys::Sequence(fill + round * count, fill + (round + 1) * count);
        // A fresh one each time, so that it has the same room.
        let roomy = Server::start(options, kind, &cpus.server, &[])?;
        load::fill(roomy.address, &pattern, LIMIT / (size as u64 + 64), &cpus.load)?;
        let seen = writes(&roomy, &pattern, keys.clone(), cpus)?;
        add(&mut found.roomy, &seen);
        latencies[0].add(&seen.seen[0].latency).map_err(|error| error.to_string())?;
        drop(roomy);
        let (seen, peak) = watched(&tight, || writes(&tight, &pattern, keys, cpus))?;
        add(&mut found.tight, &seen);
        latencies[1].add(&seen.seen[0].latency).map_err(|error| error.to_string())?;
        found.peak = found.peak.max(peak);
    }
    found.p999_ms = latencies.map(|latency| latency.value_at_quantile(0.999) as f64 / 1e6);
    Ok(found)
}

fn add(sum: &mut (u64, f64, f64), outcome: &Outcome) {
    sum.0 += outcome.seen[0].operations;
    sum.1 += outcome.elapsed.as_secs_f64();
    sum.2 += outcome.usage.busy_ns as f64 / 1e9;
}

fn writes(server: &Server, pattern: &str, keys: Keys, cpus: &Cpus) -> Result<Outcome, String> {
    let group = Group { connections: CONNECTIONS, request: Request::new(pattern, DEPTH), keys };
    load::run(Plan {
        address: server.address,
        groups: vec![group],
        start: Instant::now(),
        end: End::Exhausted,
        watch: Some(server.pid()),
        cpus: &cpus.load,
    })
}

/// Asks what is used while something runs; its result and the most that was used.
fn watched<R>(
    server: &Server,
    work: impl FnOnce() -> Result<R, String>,
) -> Result<(R, u64), String> {
    let is_done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut client = server.client()?;
            let mut peak = 0;
            while !is_done.load(Ordering::Relaxed) {
                peak = peak.max(client.used_memory()?);
                std::thread::sleep(ASK_EVERY);
            }
            Ok::<u64, String>(peak)
        });
        let result = work();
        is_done.store(true, Ordering::Relaxed);
        let peak = watcher.join().map_err(|_| "the watcher panicked".to_owned())??;
        Ok((result?, peak))
    })
}
