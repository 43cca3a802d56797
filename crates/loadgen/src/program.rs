//! `reddle bench`, which takes the options of redis-benchmark and valkey-benchmark and lays its
//! results out as they do, so that scripts for them go on working.
//!
//! Beyond these: open loops, mixes, distributions of keys and sizes, results as JSON, Markdown and
//! charts, two servers in one run. What goes wrong is one line on the standard error.

mod beside;
mod classic;
mod document;
mod live;
mod measure;
mod options;
mod suite;
mod svg;
mod table;
mod uri;

use std::ffi::OsString;
use std::io::{self, Read, Write};
use std::path::Path;
use std::process::ExitCode;

use crate::engine::idle;
use crate::request::Request;
use crate::sizes::Sizes;
use measure::{Measured, Target};
use options::{Options, Wish};
use suite::Test;

const USAGE: &str = include_str!("program/usage.txt");

/// Why a run ended early.
enum Failure {
    /// In words for the user.
    Told(String),
    /// Nobody reads the output any more.
    Unheard,
}

impl<E: Into<String>> From<E> for Failure {
    fn from(error: E) -> Failure {
        Failure::Told(error.into())
    }
}

/// Runs the program under the name `program` with the words behind it.
pub fn main(program: &str, words: &[OsString]) -> ExitCode {
    let options = match Wish::parse(words) {
        Ok(Wish::Run(options)) => options,
        Ok(Wish::Help) => return said(&USAGE.replace("PROGRAM", program)),
        Ok(Wish::Version) => return said(&format!("{program} {}\n", env!("CARGO_PKG_VERSION"))),
        Err(why) => return failed(&format!("{program}: {why}")),
    };
    match run(&options, program) {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure::Told(why)) => failed(&why),
        Err(Failure::Unheard) => ExitCode::FAILURE,
    }
}

fn said(text: &str) -> ExitCode {
    if say(text).is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Writes to the standard output at once.
fn say(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|_| Failure::Unheard)
}

/// One line on the standard error, whatever a server put into its own words.
fn failed(text: &str) -> ExitCode {
    let line: String =
        text.chars().map(|each| if each.is_control() { ' ' } else { each }).collect();
    // Where nobody listens there is nobody to tell.
    writeln!(io::stderr(), "{}", line.trim_end()).ok();
    ExitCode::FAILURE
}

fn run(options: &Options, program: &str) -> Result<(), Failure> {
    let last = if options.stdin { Some(standard_input()?) } else { None };
    let tests = suite::tests(options, last).map_err(|why| format!("{program}: {}", why.0))?;
    if tests.is_empty() {
        let names = suite::names().join(", ");
        return Err(format!("{program}: -t names no test of: {names}").into());
    }
    let target = Target::reach(&options.address, options)?;
    if options.idle {
        return wait_idle(options, &target);
    }
    let peer = match &options.peer {
        Some(address) => Some(Target::reach(address, options)?),
        None => None,
    };
    if !options.keep_alive {
        warn("every batch has a connection of its own, which leaves many ports in TIME_WAIT");
    }
    match peer {
        Some(peer) => beside::run(options, program, &tests, &[target, peer]),
        None => alone(options, program, &tests, &target),
    }
}

fn alone(options: &Options, program: &str, tests: &[Test], target: &Target) -> Result<(), Failure> {
    let shown = !options.is_piped();
    if options.csv && shown {
        say(classic::CSV_HEADER)?;
    }
    loop {
        let mut results = Vec::new();
        for test in tests {
            let measured = measure::measure(options, test, target, 1)?;
            if shown {
                say(&classic::report(&measured, options, target))?;
            }
            results.push(measured);
        }
        if shown && !options.csv && options.command.is_empty() {
            say("\n")?;
        }
        write_results(options, program, &[&results])?;
        if !options.looped {
            return Ok(());
        }
    }
}

/// The files that were asked for: a list of results for each server.
fn write_results(options: &Options, program: &str, servers: &[&[Measured]]) -> Result<(), Failure> {
    let texts = [
        (&options.json, document::json as fn(&Options, &str, &[&[Measured]]) -> String),
        (&options.markdown, document::markdown),
        (&options.svg, svg::chart),
    ];
    for (path, make) in texts {
        let Some(path) = path else { continue };
        let text = make(options, program, servers);
        if path == Path::new("-") {
            say(&text)?;
        } else {
            std::fs::write(path, text)
                .map_err(|error| format!("{program}: {}: {error}", path.display()))?;
        }
    }
    Ok(())
}

fn wait_idle(options: &Options, target: &Target) -> Result<(), Failure> {
    let request = Request::new(Vec::new(), 0, Sizes::Fixed(0)).opened_by(&options.opening());
    let clients = options.clients;
    say(&format!("Creating {clients} idle connections and waiting forever (Ctrl+C when done)\n"))?;
    Ok(idle(&target.address, &request, clients)?)
}

fn standard_input() -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = io::stdin().lock().read_to_end(&mut bytes);
    read.map_err(|error| format!("Reading standard input: {error}"))?;
    Ok(bytes)
}

fn warn(text: &str) {
    // Where nobody listens there is nobody to tell.
    writeln!(io::stderr(), "WARNING: {text}").ok();
}
