//! Writes of new keys at `maxmemory`, beside the same writes with room for all of them.
//!
//! At the limit every write makes another key go, so the question is what that costs, whether some
//! client waits for it, and how far above the limit memory gets.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use loadgen::draw::Keys;
use loadgen::engine::{self as load, End, Group, Outcome, Plan, Seen};
use loadgen::request::Request;

use super::options::Options;
use super::process::{Cpus, Kind, Server};
use super::report::{Section, Table, ratio};

const LIMIT: u64 = 100 << 20;
const CONNECTIONS: usize = 8;
const DEPTH: usize = 4;
/// Bytes of values.
const SIZES: [usize; 4] = [64, 1024, 8 << 10, 64 << 10];
const ASK_EVERY: Duration = Duration::from_millis(5);

/// What one server did under one condition, in all turns.
#[derive(Default)]
struct Side {
    seen: Seen,
    elapsed_s: f64,
    /// The processor's time that it took.
    busy_s: f64,
    /// The most bytes that it said were in use.
    peak: u64,
}

impl Side {
    fn add(&mut self, outcome: &Outcome, peak: u64) {
        self.seen.add(&outcome.seen[0]);
        self.elapsed_s += outcome.elapsed.as_secs_f64();
        self.busy_s += outcome.usage.busy_ns as f64 / 1e9;
        self.peak = self.peak.max(peak);
    }

    fn per_second(&self) -> f64 {
        self.seen.operations as f64 / self.elapsed_s
    }

    fn per_busy_second(&self) -> f64 {
        self.seen.operations as f64 / self.busy_s
    }

    fn p999_ms(&self) -> f64 {
        self.seen.latency.value_at_quantile(0.999) as f64 / 1e6
    }
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
            let found = run(options, kind, size, &cpus)
                .map_err(|error| format!("{} {size}: {error}", kind.name()))?;
            table.push(row(size, kind, &found));
        }
    }
    let intro = format!(
        "SET of new keys over {CONNECTIONS} connections with {DEPTH} in flight each: to a server \
         without a limit, and to one with maxmemory {} MB that is full, policy allkeys-lru, in {} \
         turns. The ratio of CPU compares writes for each second of processor time, \
         which other work on the machine disturbs less than the clock. The most that was used is \
         of INFO, asked every {} ms.",
        LIMIT >> 20,
        options.rounds,
        ASK_EVERY.as_millis()
    );
    let mut section = Section::new("limit", "Writing at the limit", intro);
    section.tables.push(table);
    Ok(section)
}

fn row(size: usize, kind: Kind, [roomy, tight]: &[Side; 2]) -> Vec<String> {
    vec![
        size.to_string(),
        kind.name().to_owned(),
        format!("{:.0}", roomy.per_second()),
        format!("{:.0}", tight.per_second()),
        ratio(tight.per_second(), roomy.per_second()),
        ratio(tight.per_busy_second(), roomy.per_busy_second()),
        format!("{:.2}", roomy.p999_ms()),
        format!("{:.2}", tight.p999_ms()),
        format!("{:.4}", tight.peak as f64 / LIMIT as f64),
    ]
}

/// With room, and at the limit.
fn run(options: &Options, kind: Kind, size: usize, cpus: &Cpus) -> Result<[Side; 2], String> {
    let volume = if options.quick { LIMIT / 2 } else { LIMIT * 2 };
    let fits = LIMIT / (size as u64 + 64);
    let count = volume / (size as u64 + 64);
    let limit = LIMIT.to_string();
    let full = ["--maxmemory", &limit, "--maxmemory-policy", "allkeys-lru"];
    let tight = Server::start(options, kind, &cpus.server, &full)?;
    let pattern = format!("SET {{k}} {}", "v".repeat(size));
    load::fill(tight.address, &pattern, 2 * fits, &cpus.load)?;
    let mut found = <[Side; 2]>::default();
    for turn in 0..options.rounds as u64 {
        let keys = Keys::Sequence(2 * fits + turn * count, 2 * fits + (turn + 1) * count);
        // A fresh one each time, so that it has the same room.
        let roomy = Server::start(options, kind, &cpus.server, &[])?;
        load::fill(roomy.address, &pattern, fits, &cpus.load)?;
        for (side, server) in found.iter_mut().zip([&roomy, &tight]) {
            let (outcome, peak) = watched(server, || writes(server, &pattern, &keys, cpus))?;
            side.add(&outcome, peak);
        }
    }
    Ok(found)
}

fn writes(server: &Server, pattern: &str, keys: &Keys, cpus: &Cpus) -> Result<Outcome, String> {
    let group = Group {
        connections: CONNECTIONS,
        request: Request::of_pattern(pattern, DEPTH),
        keys: keys.clone(),
    };
    let plan = Plan::new(server.address, vec![group], Instant::now(), End::Exhausted);
    Ok(load::run(Plan { watch: Some(server.pid()), cpus: &cpus.load, ..plan })?)
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
