//! A save in the background, and a rewrite of the log, under full write load: what each takes of
//! memory, of the clients' time, and how long it lasts.
//!
//! A server that forks has a child, whose pages count as far as the two do not share them: memory
//! is the proportional share that the kernel accounts to the process and its children together.
//! Reading that takes a core for milliseconds, so a pass of its own does it, whose times of replies
//! do not count.

use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
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
/// Passes with a job and windows without, in turn.
const ROUNDS: usize = 3;
const WINDOW: Duration = Duration::from_secs(3);
const SAMPLE_EVERY: Duration = Duration::from_millis(250);
const ASK_EVERY: Duration = Duration::from_millis(20);
const LIMIT: Duration = Duration::from_secs(180);

/// What is measured: its name, what begins it, the field of INFO that tells of it, and the
/// settings of both servers.
struct Job {
    name: &'static str,
    command: &'static str,
    field: &'static str,
    settings: &'static [&'static str],
}

const JOBS: [Job; 2] = [
    Job { name: "save", command: "BGSAVE", field: "rdb_bgsave_in_progress:1", settings: &[] },
    Job {
        name: "rewrite",
        command: "BGREWRITEAOF",
        field: "aof_rewrite_in_progress:1",
        settings: &["--appendonly", "yes", "--auto-aof-rewrite-percentage", "0"],
    },
];

/// What one server did.
struct Found {
    without: Seen,
    during: Seen,
    before: u64,
    peak: u64,
    /// Mean seconds of a pass.
    took_s: f64,
}

/// What clients saw in several windows together.
struct Seen {
    probe: Histogram<u64>,
    sets: u64,
    elapsed: Duration,
}

impl Seen {
    fn nothing() -> Self {
        Self { probe: load::histogram(), sets: 0, elapsed: Duration::ZERO }
    }

    fn add(&mut self, outcome: &Outcome) -> Result<(), String> {
        let added = self.probe.add(&outcome.seen[PROBE].latency);
        self.sets += outcome.seen[PROBE + 1].operations;
        self.elapsed += outcome.elapsed;
        added.map_err(|error| error.to_string())
    }
}

/// # Errors
/// A server that does not start, refuses the keys or the job, or cannot be read.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let keys = if options.quick { KEYS_QUICK } else { KEYS };
    let mut table = Table::new(&[
        "job",
        "server",
        "when",
        "SET/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "of without",
        "max ms",
        "memory MB",
        "of before",
        "seconds",
        "ours / peer",
    ]);
    for job in &JOBS {
        let mut ours_s = 0.0;
        for kind in Kind::all(options, false) {
            eprintln!("snapshot: {} {}", job.name, kind.name());
            let got = run(options, kind, job, keys, &cpus)
                .map_err(|error| format!("{} {}: {error}", job.name, kind.name()))?;
            let ratio = if kind == Kind::Ours {
                ours_s = got.took_s;
                String::new()
            } else {
                ratio(ours_s, got.took_s)
            };
            push(&mut table, job, kind, &got, ratio);
        }
    }
    let intro = format!(
        "{keys} keys of 16 bytes with values of 64, {LOADERS} connections with {DEPTH} SETs of \
         random keys in flight each, and one with a single GET, whose times these are: without, \
         and during {ROUNDS} BGSAVEs, or {ROUNDS} BGREWRITEAOFs of a log that is on in both \
         cases. Memory is the peak of the proportional share of the server and its children in one \
         more pass; both have the server's one core, and so has a child."
    );
    let mut section = Section::new("snapshot", "Saving in the background", intro);
    section.tables.push(table);
    Ok(section)
}

fn push(table: &mut Table, job: &Job, kind: Kind, got: &Found, ratio: String) {
    let mut row = figures(job, kind, "without", &got.without, None);
    row.push(format!("{:.0}", got.before as f64 / 1e6));
    table.push(row);
    let mut row = figures(job, kind, "during", &got.during, Some(&got.without));
    row.push(format!("{:.0}", got.peak as f64 / 1e6));
    row.push(format!("{:.2}", got.peak as f64 / got.before as f64));
    row.push(format!("{:.1}", got.took_s));
    row.push(ratio);
    table.push(row);
}

fn figures(job: &Job, kind: Kind, when: &str, seen: &Seen, without: Option<&Seen>) -> Vec<String> {
    let per_second = seen.sets as f64 / seen.elapsed.as_secs_f64();
    let mut row = vec![job.name.to_owned(), kind.name().to_owned(), when.to_owned()];
    row.push(format!("{per_second:.0}"));
    let at = |seen: &Seen, quantile| seen.probe.value_at_quantile(quantile) as f64 / 1e6;
    row.extend([0.5, 0.99, 0.999].map(|quantile| format!("{:.3}", at(seen, quantile))));
    row.push(without.map_or(String::new(), |without| ratio(at(seen, 0.999), at(without, 0.999))));
    row.push(format!("{:.3}", at(seen, 1.0)));
    row
}

fn run(options: &Options, kind: Kind, job: &Job, keys: u64, cpus: &Cpus) -> Result<Found, String> {
    let server = Server::start(options, kind, &cpus.server, job.settings)?;
    let target = Target { address: server.address, keys, cpus: &cpus.load };
    load::fill(server.address, &target.set(), keys, &cpus.load)?;
    settled(server.pid())?;
    let before = share(server.pid())?;
    let window = if options.quick { WINDOW / 6 } else { WINDOW };
    let (mut without, mut during, mut took) = (Seen::nothing(), Seen::nothing(), Duration::ZERO);
    let pass = |samples| -> Result<(Outcome, Duration, u64), String> {
        let done = AtomicBool::new(false);
        let limit = Instant::now() + LIMIT;
        let (outcome, watched) = std::thread::scope(|scope| {
            let watcher = scope.spawn(|| {
                let watched = watch(&server, job, samples, limit);
                done.store(true, Ordering::Relaxed);
                watched
            });
            (load::run(target.plan(End::Flag(&done, limit))), watcher.join())
        });
        let (took, peak) = watched.map_err(|_| "the watcher panicked".to_owned())??;
        Ok((outcome?, took, peak))
    };
    for _ in 0..ROUNDS {
        without.add(&load::run(target.plan(End::At(Instant::now() + window)))?)?;
        let (outcome, lasted, _) = pass(false)?;
        during.add(&outcome)?;
        took += lasted;
    }
    let (_, _, peak) = pass(true)?;
    let took_s = took.as_secs_f64() / ROUNDS as f64;
    Ok(Found { without, during, before, peak: peak.max(before), took_s })
}

/// What load goes to.
struct Target<'a> {
    address: SocketAddr,
    keys: u64,
    cpus: &'a [usize],
}

impl Target<'_> {
    fn set(&self) -> String {
        format!("SET {{k}} {}", "v".repeat(64))
    }

    fn plan<'a>(&'a self, end: End<'a>) -> Plan<'a> {
        let group =
            |connections, request| Group { connections, request, keys: Keys::Random(self.keys) };
        let groups = vec![
            group(1, Request::of_pattern("GET {k}", 1)),
            group(LOADERS, Request::of_pattern(&self.set(), DEPTH)),
        ];
        Plan { cpus: self.cpus, ..Plan::new(self.address, groups, Instant::now(), end) }
    }
}

/// Begins a job, and tells how long it took and, if that is sampled, the most memory there was
/// meanwhile.
fn watch(
    server: &Server,
    job: &Job,
    samples: bool,
    limit: Instant,
) -> Result<(Duration, u64), String> {
    let mut client = server.client()?;
    let began = Instant::now();
    client.call(&[job.command])?;
    let (mut peak, mut sampled) = (0, None);
    while in_progress(&mut client, job)? {
        if Instant::now() > limit {
            return Err("it has not ended in time".to_owned());
        }
        if samples && sampled.is_none_or(|at: Instant| at.elapsed() >= SAMPLE_EVERY) {
            peak = peak.max(share(server.pid())?);
            sampled = Some(Instant::now());
        }
        std::thread::sleep(ASK_EVERY);
    }
    Ok((began.elapsed(), peak))
}

fn in_progress(client: &mut Client, job: &Job) -> Result<bool, String> {
    let Reply::Text(text) = client.call(&["INFO", "persistence"])? else {
        return Err("INFO gave no text".to_owned());
    };
    Ok(text.contains(job.field))
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
