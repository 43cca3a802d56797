//! `cargo xtask conformance`: Valkey's own test suite, unmodified, run against our binary.
//!
//! The suite is somebody else's code and is never kept in the repository: [`source`] obtains the
//! released package, [`scratch`] lays out a throw-away tree in which our binary stands where
//! theirs would, [`run`](mod@run) starts one unit of it, [`parse`] reads what it printed, and
//! [`report`] compares that with the lists in `tests/conformance/` ([`lists`]).
//!
//! Invariants: a test that is expected to pass and does not is always a failure of the task,
//! also when its unit stopped before reaching it; the expected list only grows.

mod discover;
mod lists;
mod options;
mod parse;
mod ports;
mod preflight;
mod report;
mod run;
mod scratch;
mod source;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use lists::Lists;
use options::{Mode, Options};
use report::{Report, Verdict};
use run::{Plan, UnitRun};

/// Runs the task; the last line printed is always the summary.
///
/// # Errors
/// A text for the user when an expected test did not pass, or when nothing could be run.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    if args.iter().any(|arg| arg == "--help") {
        println!("{}", options::HELP);
        return Ok(());
    }
    let options = Options::parse(args)?;
    let workspace = workspace_dir()?;
    let lists = Lists::load(&workspace.join("tests/conformance"))?;
    match options.mode {
        Mode::ListExpected => {
            lists.print_expected();
            return Ok(());
        }
        Mode::ListSkipped => {
            lists.print_skipped();
            return Ok(());
        }
        Mode::Run | Mode::Discover => {}
    }
    let cache = target_dir(&workspace).join("conformance");
    let source = match source::obtain(&cache) {
        Ok(source) => source,
        Err(reason) => return unavailable(&reason, options.require),
    };
    if let Err(reason) = source::tclsh() {
        return unavailable(&reason, options.require);
    }
    let binary = binary_under_test(&workspace)?;
    let units = chosen_units(&options, &lists, &source.dir)?;
    let plan = Plan::new(&options, source, binary, cache, units);
    run::preflight(&plan)?;
    match options.mode {
        Mode::Discover => discover::run(&plan, &lists),
        _ => run_and_compare(&plan, &options, lists),
    }
}

/// Runs the units in parallel, compares, and settles what the exit code says.
fn run_and_compare(plan: &Plan, options: &Options, mut lists: Lists) -> Result<(), String> {
    let started = Instant::now();
    let mut runs = run::units(plan, &lists)?;
    if options.retry {
        run::again_alone(plan, &lists, &mut runs)?;
    }
    let report = Report::compare(&lists, &runs, plan.only.as_deref());
    report.print_details();
    if options.accept {
        let added = lists.accept(&report.newly_passing)?;
        println!("accepted: {added} tests added to the expected list");
    }
    println!("{} units in {} s", runs.len(), started.elapsed().as_secs());
    println!("{}", report.summary());
    match report.verdict() {
        Verdict::Good => Ok(()),
        Verdict::Bad(text) => Err(text),
    }
}

/// Says why nothing ran, once as a line and once as the summary.
fn unavailable(reason: &str, require: bool) -> Result<(), String> {
    println!("SKIPPED: conformance: the suite cannot be had here: {reason}");
    println!("0 passed, 0 failed, 0 skipped (suite not available)");
    if require { Err("the suite is required".to_owned()) } else { Ok(()) }
}

/// The units that were asked for, or those in which the asked-for test stands.
fn chosen_units(options: &Options, lists: &Lists, source: &Path) -> Result<Vec<String>, String> {
    let all = run::all_units(source)?;
    if options.all {
        return Ok(all);
    }
    if options.units.is_empty() {
        return match &options.test {
            Some(name) => run::units_holding(source, &all, name),
            None => match lists.unnamed(&all)[..] {
                [] => Ok(lists.units.clone()),
                ref units => Err(format!("in no list of tests/conformance: {}", units.join(", "))),
            },
        };
    }
    options.units.iter().map(|unit| run::full_unit_name(&all, unit)).collect()
}

/// The binary that takes the place of the suite's own: `REDDLE_BIN`, or a fresh build.
fn binary_under_test(workspace: &Path) -> Result<PathBuf, String> {
    if let Some(path) = std::env::var_os("REDDLE_BIN") {
        let path = PathBuf::from(path);
        return path.canonicalize().map_err(|error| format!("{}: {error}", path.display()));
    }
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--profile", "checked", "-p", "reddle"])
        .current_dir(workspace)
        .status()
        .map_err(|error| format!("cargo build: {error}"))?;
    if !status.success() {
        return Err("the binary does not build".to_owned());
    }
    Ok(target_dir(workspace).join("checked/reddle"))
}

fn workspace_dir() -> Result<PathBuf, String> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    here.canonicalize().map_err(|error| format!("{}: {error}", here.display()))
}

fn target_dir(workspace: &Path) -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => workspace.join(dir),
        None => workspace.join("target"),
    }
}

/// What a run of one unit is filed under in logs: `unit/type/string` becomes `unit-type-string`.
fn file_stem(unit: &str) -> String {
    unit.replace('/', "-")
}

/// Units whose run ended before their last test.
fn stopped_early(runs: &[UnitRun]) -> impl Iterator<Item = &UnitRun> {
    runs.iter().filter(|run| run.log.end.is_some())
}
