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

use trace::Trace;

/// Policies that are compared.
const POLICIES: [&str; 3] = ["allkeys-lru", "allkeys-lfu", "allkeys-s3fifo"];

/// What the arguments ask for.
struct Options {
    requests: usize,
    /// Keys that fit where only their number is limited.
    capacity: usize,
    ours: Option<PathBuf>,
    peer: Option<PathBuf>,
    /// Traces whose names begin so; all when empty.
    only: Vec<String>,
}

const HELP: &str = "\
usage: cargo xtask cachesim [--requests N] [--capacity KEYS] [--only TRACE]...
                            [--ours BINARY] [--peer BINARY]
Prints the share of requests that find their key, in percent: by the policy code, and with --ours
and --peer by real servers.";

/// # Errors
/// A wrong argument, or a server that does not start.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let options = parse(args)?;
    let traces = trace::all(options.capacity);
    println!("| trace | replayed by | {} |\n|---|---|---:|---:|---:|", POLICIES.join(" | "));
    for trace in traces.iter().filter(|trace| options.wants(trace)) {
        let keys = trace.keys(options.requests);
        let ratios = POLICIES.map(|policy| policy::hit_ratio(policy, options.capacity, &keys));
        show(trace, "policy code", &ratios);
        for (name, binary) in [("ours", &options.ours), ("peer", &options.peer)] {
            let Some(binary) = binary else { continue };
            let mut ratios = Vec::new();
            for policy in POLICIES {
                let known = name == "ours" || policy != "allkeys-s3fifo";
                let replay = || server::hit_ratio(binary, policy, options.capacity, &keys);
                ratios.push(if known { replay()? } else { f64::NAN });
            }
            show(trace, name, &ratios);
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
    let mut options =
        Options { requests: 1_000_000, capacity: 20_000, ours: None, peer: None, only: Vec::new() };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut value = || args.next().ok_or_else(|| format!("{arg} needs a value\n{HELP}"));
        let number = |text: &String| text.parse().map_err(|_| format!("{text} is no number"));
        match arg.as_str() {
            "--requests" => options.requests = number(value()?)?,
            "--capacity" => options.capacity = number(value()?)?,
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
