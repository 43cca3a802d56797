//! `cargo xtask bench`: this server, a peer and a null responder, measured in one run.
//!
//! A file each for what is run (`process`, `floor`), how load is made (`request`, `load`,
//! `client`, `cells`), what is measured (`MEASUREMENTS` names them) and how it is shown (`report`,
//! `chart`). Nothing here asserts on time: the figures are printed and judged by a reader. The
//! method and its limits stand in `docs/design/benchmarks.md`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "the table goes to stdout and the progress to stderr"
)]

mod cells;
mod chart;
mod churn;
mod client;
mod commands;
mod elements;
mod expiry;
mod fan_floor;
mod floor;
mod freeing;
mod growth;
mod idle;
mod limit;
mod loading;
mod log;
mod memory;
mod options;
mod process;
mod report;
mod scripts;
mod sessions;
mod snapshot;
mod threads;
mod tracking;
mod types;

use std::path::{Path, PathBuf};
use std::process::Command;

use options::Options;
use report::Section;

type Measurement = fn(&Options) -> Result<Section, String>;

/// Name as `--only` spells it, and the function that measures it.
const MEASUREMENTS: &[(&str, Measurement)] = &[
    ("commands", commands::measure),
    ("types", types::measure),
    ("memory", memory::measure),
    ("elements", elements::measure),
    ("growth", growth::measure),
    ("idle", idle::measure),
    ("expiry", expiry::measure_lag),
    ("burst", expiry::measure_burst),
    ("freeing", freeing::measure),
    ("loading", loading::measure),
    ("snapshot", snapshot::measure),
    ("limit", limit::measure),
    ("churn", churn::measure),
    ("log", log::measure),
    ("threads", threads::measure),
    ("sessions", sessions::measure),
    ("tracking", tracking::measure),
    ("scripts", scripts::measure),
];

/// Runs the measurements that the arguments ask for, prints their tables, and writes the complete
/// ones to `docs/bench/`. One that fails leaves the others as they are.
///
/// # Errors
/// A wrong argument, a server that does not start, or files that cannot be written. A command that
/// a server does not know becomes a note in the table instead.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    if let [mode, address] = args
        && mode == "--floor"
    {
        return floor::serve(address);
    }
    let options = Options::parse(args, &MEASUREMENTS.iter().map(|row| row.0).collect::<Vec<_>>())?;
    if cfg!(debug_assertions) {
        return run_optimised(args);
    }
    let mut failed = Vec::new();
    for (name, measure) in MEASUREMENTS {
        if !options.only.is_empty() && !options.only.iter().any(|wanted| wanted == name) {
            continue;
        }
        let before = process::load_average();
        let mut section = match measure(&options) {
            Ok(section) => section,
            Err(error) => {
                eprintln!("{name}: {error}");
                failed.push(*name);
                continue;
            }
        };
        section.notes.push(format!(
            "Load average of the machine before and after: {before} and {}.",
            process::load_average()
        ));
        println!("{}", section.to_terminal());
        if let Some(dir) = folder(&options) {
            section.write(&dir, &process::machine(&options))?;
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("not measured: {}", failed.join(", "))) }
}

/// The generator and the null responder must be far cheaper than the servers, so a build without
/// optimisation hands over to one with it.
fn run_optimised(args: &[String]) -> Result<(), String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["run", "--quiet", "--release", "--package", "xtask", "--", "bench"])
        .args(args)
        .status()
        .map_err(|error| format!("cannot run cargo: {error}"))?;
    if status.success() { Ok(()) } else { Err(format!("the optimised build: {status}")) }
}

/// Where results go: a partial or hurried run leaves the committed figures alone unless told.
fn folder(options: &Options) -> Option<PathBuf> {
    if let Some(dir) = &options.out {
        return Some(dir.clone());
    }
    let whole = !options.quick && options.filter.is_empty() && options.peer.is_some();
    (whole && options.pipelines == options::PIPELINES)
        .then(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/bench"))
}
