//! Development tasks: `cargo xtask <task>`.
//!
//! Each task is a module with `pub fn run(args: &[String]) -> Result<(), String>`.

#![forbid(unsafe_code)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod bench;
mod cachesim;
mod conformance;
mod differential;
mod dist;
mod docs;
mod linearize;
mod soak;
mod tidy;

use std::process::ExitCode;

type Task = fn(&[String]) -> Result<(), String>;

/// Name, function, one line of help.
const TASKS: &[(&str, Task, &str)] = &[
    ("bench", bench::run, "measures this server, a peer and a null responder"),
    ("cachesim", cachesim::run, "replays traces against the eviction policies"),
    ("conformance", conformance::run, "runs the upstream test suite"),
    ("differential", differential::run, "compares replies with those of a peer"),
    ("dist", dist::run, "writes what packages need beside the program"),
    ("docs", docs::run, "writes docs/commands.md from the command table"),
    ("linearize", linearize::run, "asks whether concurrent replies have an order"),
    ("soak", soak::run, "keeps a server under load for an hour"),
    ("tidy", tidy::run, "checks the rules of the house"),
];

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(task) = args.first().and_then(|name| TASKS.iter().find(|row| row.0 == name)) else {
        for (name, _, help) in TASKS {
            println!("cargo xtask {name:<12} {help}");
        }
        return ExitCode::FAILURE;
    };
    match (task.1)(&args[1..]) {
        Ok(()) => ExitCode::SUCCESS,
        Err(text) => {
            eprintln!("xtask {}: {text}", task.0);
            ExitCode::FAILURE
        }
    }
}
