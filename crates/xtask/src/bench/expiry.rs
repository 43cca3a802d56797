//! How late keys disappear among a million other volatile ones, and what other clients feel when a
//! million keys expire within one second.
//!
//! Deadlines are absolute and on this machine's clock, so that a lag needs no synchronisation.
//! DBSIZE is how disappearance is seen on every server; where the server sends expired events,
//! their arrival is measured in a pass of its own, in which nobody asks the server anything.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use loadgen::draw::Keys;
use loadgen::engine::{self as load, End, Group, Outcome, Plan, histogram};
use loadgen::request::{Request, key_name};
use resp::encode_command;

use super::client::{Client, Reply};
use super::options::Options;
use super::process::{Cpus, Kind, Server};
use super::report::{Section, Table, ratio};

const OTHERS: u64 = 1_000_000;
const PIPELINE: usize = 500;
const PROBES: usize = 8;

/// How many keys are timed, over how long their deadlines are spread, and how long to wait for the
/// last.
struct Scale {
    timed: u64,
    spread_ms: u64,
    limit_ms: u64,
}

impl Scale {
    fn of(options: &Options) -> Scale {
        if options.quick {
            return Scale { timed: 2_000, spread_ms: 2_000, limit_ms: 5_000 };
        }
        Scale { timed: 10_000, spread_ms: 10_000, limit_ms: 120_000 }
    }
}

/// Lags in nanoseconds, and how many of them were cut off at the limit.
struct Lags {
    seen: hdrhistogram::Histogram<u64>,
    missing: u64,
}

impl Lags {
    /// Counts the keys with these deadlines as gone only now, which is less than their true lag.
    fn give_up(&mut self, deadlines: &[u64]) {
        let now = unix_ns();
        for deadline in deadlines {
            self.seen.saturating_record(now.saturating_sub(deadline * 1_000_000));
        }
        self.missing += deadlines.len() as u64;
    }
}

/// Measures the lag between a key's deadline and its disappearance.
///
/// # Errors
/// A server that does not start or refuses what the measurement rests on.
pub(super) fn measure_lag(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let scale = Scale::of(options);
    let mut table = Table::new(&[
        "seen by",
        "server",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
        "not gone in time",
        "p99 ours / peer",
    ]);
    let mut notes = Vec::new();
    let mut found = Vec::new();
    for kind in Kind::all(options, false) {
        eprintln!("expiry: {}", kind.name());
        let server = Server::start(options, kind, &cpus.server, &[])?;
        let failed = |error: String| format!("{}: {error}", kind.name());
        let others = format!("SET {{k}} {} EX 7200", "v".repeat(16));
        load::fill(server.address, &others, OTHERS, &cpus.load)
            .map_err(|error| failed(error.into()))?;
        found.push(("DBSIZE", kind, lag_by_dbsize(&server, &scale).map_err(failed)?));
        match lag_by_events(&server, &scale) {
            Ok(lags) => found.push(("event", kind, lags)),
            Err(error) => notes.push(format!("{}: no expired events: {error}", kind.name())),
        }
    }
    found.sort_by_key(|row| row.0);
    for (way, kind, lags) in &found {
        let ms = |lags: &Lags, quantile| lags.seen.value_at_quantile(quantile) as f64 / 1e6;
        let mut row = vec![(*way).to_owned(), kind.name().to_owned()];
        row.extend([0.5, 0.99, 0.999, 1.0].map(|quantile| format!("{:.2}", ms(lags, quantile))));
        row.push(lags.missing.to_string());
        let peer =
            found.iter().find(|row| row.0 == *way && row.1 == Kind::Peer && *kind == Kind::Ours);
        row.push(peer.map_or(String::new(), |peer| ratio(ms(lags, 0.99), ms(&peer.2, 0.99))));
        table.push(row);
    }
    let intro = format!(
        "{} keys with deadlines spread over {} ms among {OTHERS} other keys that expire much \
         later. The lag is from a key's deadline to its disappearance from DBSIZE (asked every \
         millisecond) or to the arrival of its expired event. Waiting ends {} s after the last \
         deadline; keys that are still there count with the time waited so far.",
        scale.timed,
        scale.spread_ms,
        scale.limit_ms / 1000
    );
    let mut section = Section::new("expiry", "Expiry lag", intro);
    section.tables.push(table);
    section.notes.extend(notes);
    Ok(section)
}

/// The deadlines in Unix milliseconds, in rising order; key `i` has the i-th. Each pass needs a
/// prefix of its own: a key of an earlier pass that is still there would be expired by being set
/// again.
fn store_timed(client: &mut Client, prefix: &str, scale: &Scale) -> Result<Vec<u64>, String> {
    let first = unix_ms() + 1_000;
    let deadlines: Vec<u64> =
        (0..scale.timed).map(|at| first + at * scale.spread_ms / scale.timed).collect();
    store_with_deadlines(client, prefix, &deadlines)?;
    if unix_ms() >= first {
        return Err("the first key was due before the last was stored".to_owned());
    }
    Ok(deadlines)
}

fn store_with_deadlines(
    client: &mut Client,
    prefix: &str,
    deadlines: &[u64],
) -> Result<(), String> {
    let mut bytes = Vec::new();
    for (batch, chunk) in deadlines.chunks(PIPELINE).enumerate() {
        bytes.clear();
        for (at, deadline) in chunk.iter().enumerate() {
            let key = key_name(prefix, (batch * PIPELINE + at) as u64);
            encode_command(
                &mut bytes,
                &["SET", &key, "0123456789abcdef", "PXAT", &deadline.to_string()],
            );
        }
        client.pipeline(&bytes, chunk.len())?;
    }
    Ok(())
}

/// The k-th key is taken to be gone when k keys are: keys of equal age are not told apart, which
/// leaves the mean as it is.
fn lag_by_dbsize(server: &Server, scale: &Scale) -> Result<Lags, String> {
    let mut client = server.client()?;
    let before = client.dbsize()?;
    let deadlines = store_timed(&mut client, "exp:", scale)?;
    let limit = deadlines[deadlines.len() - 1] + scale.limit_ms;
    let mut lags = Lags { seen: histogram(), missing: 0 };
    let mut gone = 0;
    while gone < deadlines.len() && unix_ms() < limit {
        std::thread::sleep(Duration::from_millis(1));
        let left = client.dbsize()?.saturating_sub(before);
        let now = unix_ns();
        while (gone as u64) < scale.timed.saturating_sub(left) {
            lags.seen.saturating_record(now.saturating_sub(deadlines[gone] * 1_000_000));
            gone += 1;
        }
    }
    lags.give_up(&deadlines[gone..]);
    Ok(lags)
}

fn lag_by_events(server: &Server, scale: &Scale) -> Result<Lags, String> {
    let mut client = server.client()?;
    client.call(&["CONFIG", "SET", "notify-keyspace-events", "Ex"])?;
    let mut subscriber = server.client()?;
    subscriber.call(&["SUBSCRIBE", "__keyevent@0__:expired"])?;
    subscriber.set_timeout(Duration::from_millis(scale.limit_ms))?;
    let deadlines = store_timed(&mut client, "evt:", scale)?;
    let limit = deadlines[deadlines.len() - 1] + scale.limit_ms;
    let mut lags = Lags { seen: histogram(), missing: 0 };
    let mut waiting = deadlines.clone();
    let mut left = waiting.len();
    while left > 0 && unix_ms() < limit {
        let Ok(Reply::List(message)) = subscriber.receive() else { break };
        let now = unix_ns();
        let Some(Reply::Text(key)) = message.get(2) else { continue };
        let number = key.strip_prefix("evt:").and_then(|digits| digits.parse::<usize>().ok());
        if let Some(deadline) = number.and_then(|at| waiting.get_mut(at))
            && *deadline > 0
        {
            lags.seen.saturating_record(now.saturating_sub(*deadline * 1_000_000));
            *deadline = 0;
            left -= 1;
        }
    }
    waiting.retain(|deadline| *deadline > 0);
    lags.give_up(&waiting);
    Ok(lags)
}

/// What the other clients saw before the deadlines and while the keys went.
struct Burst {
    quiet: Outcome,
    busy: Outcome,
    /// From the first deadline until all were gone, if they went before the limit.
    gone_after: Option<Duration>,
}

/// Measures other clients' latency while a million keys expire in the same second.
///
/// # Errors
/// A server that does not start or refuses what the measurement rests on.
pub(super) fn measure_burst(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let mut table = Table::new(&[
        "server",
        "when",
        "requests/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "max ms",
        "all gone after s",
        "p99.9 ours / peer",
    ]);
    let mut found = Vec::new();
    for kind in Kind::all(options, false) {
        eprintln!("burst: {}", kind.name());
        let burst =
            burst(options, kind, &cpus).map_err(|error| format!("{}: {error}", kind.name()))?;
        found.push((kind, burst));
    }
    let ms = |outcome: &Outcome, quantile| {
        outcome.seen[0].latency.value_at_quantile(quantile) as f64 / 1e6
    };
    let peer =
        found.iter().find(|row| row.0 == Kind::Peer).map_or(0.0, |row| ms(&row.1.busy, 0.999));
    for (kind, burst) in &found {
        for (when, outcome) in [("before", &burst.quiet), ("meanwhile", &burst.busy)] {
            let per_second = outcome.seen[0].operations as f64 / outcome.elapsed.as_secs_f64();
            let mut row = vec![kind.name().to_owned(), when.to_owned(), format!("{per_second:.0}")];
            row.extend(
                [0.5, 0.99, 0.999, 1.0].map(|quantile| format!("{:.3}", ms(outcome, quantile))),
            );
            if when == "meanwhile" {
                row.push(
                    burst
                        .gone_after
                        .map_or("not".to_owned(), |time| format!("{:.2}", time.as_secs_f64())),
                );
                let own = *kind == Kind::Ours;
                row.push(if own { ratio(ms(outcome, 0.999), peer) } else { String::new() });
            }
            table.push(row);
        }
    }
    let intro = format!(
        "{OTHERS} keys whose deadlines fall into the same second, and {PROBES} clients with a \
         single GET in flight each: what they see before the deadlines, and from the first \
         deadline until the last key is gone."
    );
    let mut section = Section::new("burst", "A million keys expire at once", intro);
    section.tables.push(table);
    Ok(section)
}

fn burst(options: &Options, kind: Kind, cpus: &Cpus) -> Result<Burst, String> {
    let server = Server::start(options, kind, &cpus.server, &[])?;
    let stay = 100_000;
    load::fill(server.address, "SET {k} 0123456789abcdef", stay, &cpus.load)?;
    let mut client = server.client()?;
    // Storing takes some seconds; the deadlines lie well behind it and the quiet window.
    let first = unix_ms() + 20_000;
    let mut random = fastrand::Rng::with_seed(7);
    let deadlines: Vec<u64> = (0..OTHERS).map(|_| first + random.u64(0..1_000)).collect();
    store_with_deadlines(&mut client, "exp:", &deadlines)?;
    let probe = |start, end| Plan {
        watch: Some(server.pid()),
        cpus: &cpus.load,
        ..Plan::new(
            server.address,
            vec![Group {
                connections: PROBES,
                request: Request::of_pattern("GET {k}", 1),
                keys: Keys::Random(stay),
            }],
            start,
            end,
        )
    };
    let now = Instant::now();
    let due = now + Duration::from_millis(first.saturating_sub(unix_ms()));
    let quiet_end = now + Duration::from_secs(3);
    if quiet_end > due {
        return Err("storing the keys took until their deadlines".to_owned());
    }
    let quiet = load::run(probe(now, End::At(quiet_end)))?;
    std::thread::sleep(due.saturating_duration_since(Instant::now() + Duration::from_millis(200)));
    let done = AtomicBool::new(false);
    let limit = due + Duration::from_secs(if options.quick { 15 } else { 60 });
    let (busy, gone) = std::thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let gone = await_gone(&mut client, stay, limit);
            done.store(true, Ordering::Relaxed);
            gone
        });
        let busy = load::run(probe(due, End::Flag(&done, limit)));
        (busy, watcher.join())
    });
    let gone = gone.map_err(|_| "the watcher panicked".to_owned())??;
    Ok(Burst { quiet, busy: busy?, gone_after: gone.map(|at| at.saturating_duration_since(due)) })
}

/// When only `stay` keys were left.
fn await_gone(client: &mut Client, stay: u64, limit: Instant) -> Result<Option<Instant>, String> {
    while Instant::now() < limit {
        if client.dbsize()? <= stay {
            return Ok(Some(Instant::now()));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(None)
}

fn unix_ms() -> u64 {
    unix_ns() / 1_000_000
}

fn unix_ns() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
