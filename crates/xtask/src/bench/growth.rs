//! Growth at full speed: a few connections store ever new keys in pipelines, while one connection
//! with a single GET in flight meets every stall.

use std::time::Instant;

use loadgen::draw::Keys;
use loadgen::engine::{self as load, End, Group, Outcome, Plan};
use loadgen::request::Request;

use super::options::Options;
use super::process::{Cpus, Kind, Server, settled};
use super::report::{Section, Table, median, ratio};

const KEYS: u64 = 10_000_000;
const KEYS_QUICK: u64 = 2_000_000;
const LOADERS: usize = 4;
const DEPTH: usize = 32;
/// The probe is the first group of the plan, the loaders the second.
const PROBE: usize = 0;

/// One server grown once.
struct Round {
    outcome: Outcome,
    bytes_per_key: f64,
}

/// # Errors
/// A server that does not start, refuses the keys, or cannot be read.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let keys = if options.quick { KEYS_QUICK } else { KEYS };
    let kinds = Kind::all(options, true);
    let mut rounds: Vec<Vec<Round>> = kinds.iter().map(|_| Vec::new()).collect();
    for round in 0..options.rounds {
        for turn in 0..kinds.len() {
            let at = (round + turn) % kinds.len();
            let got = grow(options, kinds[at], keys, &cpus)?;
            eprintln!(
                "growth: {} p99.99 {:.2} ms, max {:.2} ms",
                kinds[at].name(),
                quantile_ms(&got.outcome, 0.9999),
                quantile_ms(&got.outcome, 1.0)
            );
            rounds[at].push(got);
        }
    }
    let mut table = Table::new(&[
        "server",
        "keys/s",
        "p50 ms",
        "p99 ms",
        "p99.9 ms",
        "p99.99 ms",
        "max ms",
        "off core ms",
        "bytes a key",
        "p99.99 ours / peer",
    ]);
    let worst = |rounds: &[Round]| over(rounds, |round| quantile_ms(&round.outcome, 0.9999));
    let peer =
        kinds.iter().position(|kind| *kind == Kind::Peer).map_or(0.0, |at| worst(&rounds[at]));
    for (kind, rounds) in kinds.iter().zip(&rounds) {
        let mut row = vec![kind.name().to_owned()];
        row.push(format!(
            "{:.0}",
            over(rounds, |round| keys as f64 / round.outcome.elapsed.as_secs_f64())
        ));
        for quantile in [0.5, 0.99, 0.999, 0.9999, 1.0] {
            row.push(format!("{:.3}", over(rounds, |round| quantile_ms(&round.outcome, quantile))));
        }
        row.push(format!(
            "{:.0}",
            over(rounds, |round| round.outcome.usage.waited_ns as f64 / 1e6)
        ));
        row.push(format!("{:.1}", over(rounds, |round| round.bytes_per_key)));
        row.push(if *kind == Kind::Ours { ratio(worst(rounds), peer) } else { String::new() });
        table.push(row);
    }
    let intro = format!(
        "{keys} different keys of 16 bytes with values of 64 bytes, stored by {LOADERS} \
         connections with {DEPTH} SETs in flight each; the times are those of single GETs on one \
         more connection. Medians of {} rounds, each in a fresh process. Off core is how long the \
         server was ready but other programs had its core: stalls of that origin are the \
         machine's, and the floor shows them too.",
        options.rounds
    );
    let mut section = Section::new("growth", "Growth", intro);
    section.tables.push(table);
    Ok(section)
}

fn grow(options: &Options, kind: Kind, keys: u64, cpus: &Cpus) -> Result<Round, String> {
    let server = Server::start(options, kind, &cpus.server, &[])?;
    let empty = super::process::resident(server.pid())?;
    let value = "v".repeat(64);
    let probe = Group {
        connections: 1,
        request: Request::of_pattern("GET {k}", 1),
        keys: Keys::Random(keys),
    };
    let loaders = Group {
        connections: LOADERS,
        request: Request::of_pattern(&format!("SET {{k}} {value}"), DEPTH),
        keys: Keys::Sequence(0, keys),
    };
    let outcome = load::run(Plan {
        watch: Some(server.pid()),
        cpus: &cpus.load,
        ..Plan::new(server.address, vec![probe, loaders], Instant::now(), End::Exhausted)
    })
    .map_err(|error| format!("{}: {error}", kind.name()))?;
    let full = settled(server.pid())?;
    Ok(Round { outcome, bytes_per_key: full.saturating_sub(empty) as f64 / keys as f64 })
}

fn quantile_ms(outcome: &Outcome, quantile: f64) -> f64 {
    outcome.seen[PROBE].latency.value_at_quantile(quantile) as f64 / 1e6
}

fn over(rounds: &[Round], figure: impl Fn(&Round) -> f64) -> f64 {
    median(rounds.iter().map(figure).collect())
}
