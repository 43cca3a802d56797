//! `cargo xtask cachesim`: how many requests find their key when memory is short.
//!
//! Traces are replayed, each key read and, when it is missing, stored: against the code that
//! chooses keys in the server (`policy`), where only the number of keys is limited, and against
//! real servers at the same `maxmemory` (`server`). The figures are printed and judged by a reader;
//! those of one run stand in `docs/design/memory.md`.

mod policy;
mod server;
mod trace;

use std::path::PathBuf;

use server::Contender;
use trace::Trace;

/// Policies that are compared.
const POLICIES: [&str; 3] = ["allkeys-lru", "allkeys-lfu", "allkeys-s3fifo"];

/// What the arguments ask for.
struct Options {
    requests: usize,
    /// Requests a second, by the clock that the policies see.
    rate: f64,
    /// Keys that fit where only their number is limited.
    capacity: usize,
    ours: Option<PathBuf>,
    peer: Option<PathBuf>,
    /// Traces whose names begin so; all when empty.
    only: Vec<String>,
}

const HELP: &str = "\
usage: cargo xtask cachesim [--requests N] [--capacity KEYS] [--only TRACE]...
                            [--ours BINARY] [--peer BINARY] [--rate REQUESTS-A-SECOND]
Prints the share of requests that find their key, in percent: by the policy code, and with --ours
and --peer by real servers, which get the requests at the same time.";

/// # Errors
/// A wrong argument, or a server that does not start.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let options = parse(args)?;
    let traces = trace::all(options.capacity);
    println!("| trace | replayed by | {} |\n|---|---|---:|---:|---:|", POLICIES.join(" | "));
    for trace in traces.iter().filter(|trace| options.wants(trace)) {
        let keys = trace.keys(options.requests);
        let replay = |policy| policy::hit_ratio(policy, options.capacity, options.rate, &keys);
        let ratios = POLICIES.map(replay);
        show(trace, "policy code", &ratios);
        replay_servers(&options, trace, &keys)?;
    }
    Ok(())
}

/// All servers together, so that they have the same time and the same machine.
fn replay_servers(options: &Options, trace: &Trace, keys: &[u32]) -> Result<(), String> {
    let mut contenders = Vec::new();
    let sides = [("ours", &options.ours, &POLICIES[..]), ("peer", &options.peer, &POLICIES[..2])];
    for (_, binary, policies) in sides {
        let Some(binary) = binary else { continue };
        for policy in policies {
            contenders.push(Contender::start(binary, policy, options.capacity)?);
        }
    }
    let ratios = server::hit_ratios(&mut contenders, keys, options.rate)?;
    let held: Vec<String> = contenders.iter_mut().map(Contender::keys).collect();
    eprintln!("{}: keys held at the end: {}", trace.name, held.join(" "));
    let mut ratios = ratios.into_iter();
    for (name, binary, policies) in sides {
        if binary.is_some() {
            let mut cells: Vec<f64> = ratios.by_ref().take(policies.len()).collect();
            cells.resize(POLICIES.len(), f64::NAN);
            show(trace, name, &cells);
        }
    }
    Ok(())
}

fn show(trace: &Trace, by: &str, ratios: &[f64]) {
    let cell = |ratio: &f64| match ratio.is_nan() {
        true => "-".to_owned(),
        false => format!("{:.2}", ratio * 100.0),
    };
    let cells: Vec<String> = ratios.iter().map(cell).collect();
    println!("| {} | {by} | {} |", trace.name, cells.join(" | "));
}

impl Options {
    fn wants(&self, trace: &Trace) -> bool {
        self.only.is_empty() || self.only.iter().any(|wanted| trace.name.starts_with(wanted))
    }
}

fn parse(args: &[String]) -> Result<Options, String> {
    let mut options = Options {
        requests: 1_000_000,
        rate: 25_000.0,
        capacity: 20_000,
        ours: None,
        peer: None,
        only: Vec::new(),
    };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value\n{HELP}"));
        let number = |text: &String| text.parse().map_err(|_| format!("{text} is no number"));
        match arg.as_str() {
            "--requests" => options.requests = number(value()?)?,
            "--capacity" => options.capacity = number(value()?)?,
            "--rate" => options.rate = number(value()?)? as f64,
            "--ours" => options.ours = Some(value()?.into()),
            "--peer" => options.peer = Some(value()?.into()),
            "--only" => options.only.push(value()?.clone()),
            _ => return Err(format!("unknown option {arg}\n{HELP}")),
        }
    }
    Ok(options)
}

#[cfg(test)]
mod tests;
