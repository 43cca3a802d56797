//! Client-side caching: a hundred connections that track what they read, while one request in a
//! hundred is a write; CPU an operation against a peer, and against connections that track nothing.
//!
//! Every connection is in flight all the time, so one writer among ninety-nine readers makes one
//! request in a hundred. The keys are few: after the warm-up each is known to many clients by the
//! time it is written, and the write tells them all.

use std::time::Instant;

use loadgen::draw::Keys;
use loadgen::engine::{self as load, End, Group, Plan};
use loadgen::request::Request;

use super::options::Options;
use super::process::{Cpus, Kind, Server};
use super::report::{Section, Table, median, micros, ratio};

const READERS: usize = 99;
const WRITERS: usize = 1;
const KEYS: u64 = 10_000;
const DEPTHS: [usize; 2] = [1, 16];
const VALUE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// What each connection says first, by name.
const WAYS: [(&str, &[&str]); 3] = [
    ("off", &["HELLO 3"]),
    ("on", &["HELLO 3", "CLIENT TRACKING ON"]),
    ("broadcast", &["HELLO 3", "CLIENT TRACKING ON BCAST"]),
];

/// One window.
struct Round {
    operations_per_second: f64,
    user_us: f64,
    total_us: f64,
}

/// # Errors
/// A server that does not start, refuses a command, or cannot be read.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let kinds = Kind::all(options, false);
    let mut servers = Vec::new();
    for kind in &kinds {
        let server = Server::start(options, *kind, &cpus.server, &[])?;
        load::fill(server.address, &format!("SET {{k}} {VALUE}"), KEYS, &cpus.load)?;
        server.pause();
        servers.push(server);
    }
    let mut table = Table::new(&[
        "tracking",
        "pipeline",
        "server",
        "kops/s",
        "user µs",
        "CPU µs",
        "user ours / peer",
        "CPU ours / peer",
    ]);
    let peer = kinds.iter().position(|kind| *kind == Kind::Peer);
    for (name, opening) in WAYS {
        for depth in DEPTHS {
            let mut rounds: Vec<Vec<Round>> = kinds.iter().map(|_| Vec::new()).collect();
            for round in 0..options.rounds {
                for turn in 0..kinds.len() {
                    let at = (round + turn) % kinds.len();
                    servers[at].resume();
                    let got = window(options, &servers[at], &cpus, opening, depth);
                    servers[at].pause();
                    rounds[at].push(got.map_err(|error| format!("{}: {error}", kinds[at].name()))?);
                }
            }
            eprintln!("tracking: {name} {depth}");
            for (at, kind) in kinds.iter().enumerate() {
                let beside = peer.filter(|_| *kind == Kind::Ours).map(|peer| &rounds[peer]);
                table.push(row(name, depth, kind.name(), &rounds[at], beside));
            }
        }
    }
    let mut section = Section::new("tracking", "Client-side caching", intro(options));
    section.tables.push(table);
    Ok(section)
}

fn intro(options: &Options) -> String {
    format!(
        "{READERS} connections with GETs and {WRITERS} with SETs in flight, over {KEYS} keys with \
         values of 64 bytes; all of them track what they read (`on`), are told of every change \
         (`broadcast`), or neither (`off`). CPU an operation, the news included; medians of {} \
         rounds of {} ms.",
        options.rounds,
        options.window.as_millis()
    )
}

fn row(
    name: &str,
    depth: usize,
    server: &str,
    rounds: &[Round],
    peer: Option<&Vec<Round>>,
) -> Vec<String> {
    let over =
        |rounds: &[Round], figure: fn(&Round) -> f64| median(rounds.iter().map(figure).collect());
    let mut row = vec![name.to_owned(), depth.to_string(), server.to_owned()];
    row.push(format!("{:.0}", over(rounds, |round| round.operations_per_second) / 1e3));
    row.push(micros(over(rounds, |round| round.user_us)));
    row.push(micros(over(rounds, |round| round.total_us)));
    let figures: [fn(&Round) -> f64; 2] = [|round| round.user_us, |round| round.total_us];
    for figure in figures {
        row.push(
            peer.map_or_else(String::new, |peer| ratio(over(rounds, figure), over(peer, figure))),
        );
    }
    row
}

fn window(
    options: &Options,
    server: &Server,
    cpus: &Cpus,
    opening: &[&str],
    depth: usize,
) -> Result<Round, String> {
    let group = |connections: usize, pattern: &str| Group {
        connections,
        request: Request::of_pattern(pattern, depth).opened_by(
            &opening.iter().map(|words| words.split(' ').collect()).collect::<Vec<Vec<_>>>(),
        ),
        keys: Keys::Random(KEYS),
    };
    let start = Instant::now() + options.warmup;
    let outcome = load::run(Plan {
        watch: Some(server.pid()),
        cpus: &cpus.load,
        ..Plan::new(
            server.address,
            vec![group(READERS, "GET {k}"), group(WRITERS, &format!("SET {{k}} {VALUE}"))],
            start,
            End::At(start + options.window),
        )
    })?;
    let operations: u64 = outcome.seen.iter().map(|seen| seen.operations).sum();
    let usage = outcome.usage;
    let total_us = usage.busy_ns as f64 / 1e3 / operations.max(1) as f64;
    let ticks = (usage.user_ticks + usage.system_ticks).max(1);
    Ok(Round {
        operations_per_second: operations as f64 / outcome.elapsed.as_secs_f64(),
        user_us: total_us * usage.user_ticks as f64 / ticks as f64,
        total_us,
    })
}
