//! A save in the background under full write load: what it takes of memory, of the clients' time,
//! and how long it lasts.
//!
//! A server that forks has a child, whose pages count as far as the two do not share them: memory
//! is the proportional share that the kernel accounts to the process and its children together.

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use loadgen::draw::Keys;
use loadgen::engine::{self as load, End, Group, Outcome, Plan};
use loadgen::request::Request;

use super::client::{Client, Reply};
use super::options::Options;
use super::process::{Cpus, Kind, Server, settled};
use super::report::{Section, Table, ratio};

const KEYS: u64 = 5_000_000;
const KEYS_QUICK: u64 = 300_000;
const LOADERS: usize = 8;
const DEPTH: usize = 16;
/// The probe is the first group of the plan, the loaders the second.
const PROBE: usize = 0;
/// Asking the kernel for the share of pages takes the process's time, so it is asked seldom.
const SAMPLE_EVERY: Duration = Duration::from_millis(250);
const LIMIT: Duration = Duration::from_secs(180);

/// What one server did.
struct Found {
    without: Outcome,
    during: Outcome,
    before: u64,
    peak: u64,
    took: Duration,
}

/// # Errors
/// A server that does not start, refuses the keys or the save, or cannot be read.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let keys = if options.quick { KEYS_QUICK } else { KEYS };
    let mut found = Vec::new();
    for kind in Kind::all(options, false) {
        eprintln!("snapshot: {}", kind.name());
        let got = save(options, kind, keys, &cpus)
            .map_err(|error| format!("{}: {error}", kind.name()))?;
        found.push((kind, got));
    }
    let mut table = Table::new(&[
        "server",
        "when",
        "SET/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
        "memory MB",
        "of before",
        "save s",
        "save ours / peer",
    ]);
    let seconds = |kind| {
        let took = found.iter().find(|row| row.0 == kind).map(|row| row.1.took);
        took.map_or(0.0, |took: Duration| took.as_secs_f64())
    };
    for (kind, got) in &found {
        let mut row = figures(*kind, "without", &got.without);
        row.push(format!("{:.0}", got.before as f64 / 1e6));
        table.push(row);
        let mut row = figures(*kind, "during", &got.during);
        row.push(format!("{:.0}", got.peak as f64 / 1e6));
        row.push(format!("{:.2}", got.peak as f64 / got.before as f64));
        row.push(format!("{:.1}", got.took.as_secs_f64()));
        let own = *kind == Kind::Ours;
        row.push(if own { ratio(seconds(*kind), seconds(Kind::Peer)) } else { String::new() });
        table.push(row);
    }
    let intro = format!(
        "{keys} keys of 16 bytes with values of 64, {LOADERS} connections with {DEPTH} SETs of \
         random keys in flight each, and one with a single GET, whose times these are: without a \
         save, and during a BGSAVE. Memory is the peak of the proportional share of the server \
         and its children; both have the server's one core, and so has a child."
    );
    let mut section = Section::new("snapshot", "Saving in the background", intro);
    section.tables.push(table);
    Ok(section)
}

fn figures(kind: Kind, when: &str, outcome: &Outcome) -> Vec<String> {
    let per_second = outcome.seen[PROBE + 1].operations as f64 / outcome.elapsed.as_secs_f64();
    let mut row = vec![kind.name().to_owned(), when.to_owned(), format!("{per_second:.0}")];
    let latency = &outcome.seen[PROBE].latency;
    let ms = |quantile| format!("{:.3}", latency.value_at_quantile(quantile) as f64 / 1e6);
    row.extend([0.5, 0.99, 0.999, 1.0].map(ms));
    row
}

fn save(options: &Options, kind: Kind, keys: u64, cpus: &Cpus) -> Result<Found, String> {
    let server = Server::start(options, kind, &cpus.server, &[])?;
    let value = "v".repeat(64);
    let set = format!("SET {{k}} {value}");
    load::fill(server.address, &set, keys, &cpus.load)?;
    settled(server.pid())?;
    let before = share(server.pid())?;
    let plan = |end| Plan {
        cpus: &cpus.load,
        ..Plan::new(
            server.address,
            vec![
                Group {
                    connections: 1,
                    request: Request::of_pattern("GET {k}", 1),
                    keys: Keys::Random(keys),
                },
                Group {
                    connections: LOADERS,
                    request: Request::of_pattern(&set, DEPTH),
                    keys: Keys::Random(keys),
                },
            ],
            Instant::now(),
            end,
        )
    };
    let window = Duration::from_secs(if options.quick { 2 } else { 10 });
    let without = load::run(plan(End::At(Instant::now() + window)))?;
    let done = AtomicBool::new(false);
    let limit = Instant::now() + LIMIT;
    let (during, watched) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let watched = watch(&server, limit);
            done.store(true, Ordering::Relaxed);
            watched
        });
        let during = load::run(plan(End::Flag(&done, limit)));
        (during, watcher.join())
    });
    let (took, peak) = watched.map_err(|_| "the watcher panicked".to_owned())??;
    Ok(Found { without, during: during?, before, peak: peak.max(before), took })
}

/// Begins a save, and tells how long it took and the most memory there was meanwhile.
fn watch(server: &Server, limit: Instant) -> Result<(Duration, u64), String> {
    let mut client = server.client()?;
    let began = Instant::now();
    client.call(&["BGSAVE"])?;
    let (mut peak, mut sampled) = (0, None);
    while in_progress(&mut client)? {
        if Instant::now() > limit {
            return Err("the save has not ended in time".to_owned());
        }
        if sampled.is_none_or(|at: Instant| at.elapsed() >= SAMPLE_EVERY) {
            peak = peak.max(share(server.pid())?);
            sampled = Some(Instant::now());
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok((began.elapsed(), peak))
}

fn in_progress(client: &mut Client) -> Result<bool, String> {
    let Reply::Text(text) = client.call(&["INFO", "persistence"])? else {
        return Err("INFO gave no text".to_owned());
    };
    Ok(text.contains("rdb_bgsave_in_progress:1"))
}

/// Bytes that the kernel accounts to a process and its children, shared pages in equal parts.
fn share(pid: u32) -> Result<u64, String> {
    let of = |pid: u32| -> Option<u64> {
        let text = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
        let line = text.lines().find_map(|line| line.strip_prefix("Pss:"))?;
        line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib * 1024)
    };
    let own = of(pid).ok_or_else(|| format!("/proc/{pid}/smaps_rollup has no Pss"))?;
    // A child that has just ended has no pages any more.
    Ok(own + children(pid).into_iter().filter_map(of).sum::<u64>())
}

fn children(pid: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let lists = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    lists
        .flat_map(|list| list.split(' ').filter_map(|id| id.parse().ok()).collect::<Vec<_>>())
        .collect()
}
