//! Runs units of the suite, several at a time, each in a scratch tree with a port range and a
//! process group of its own.
//!
//! Invariants: whatever a unit started is gone when its run is over, and no run outlives its
//! limit. A unit's output is kept as a file in the cache, named after the unit.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};

use super::lists::Lists;
use super::options::Options;
use super::parse::{EarlyEnd, UnitLog};
use super::ports::Ports;
use super::scratch::Scratch;
use super::source::Source;
use super::{file_stem, preflight, stopped_early};

/// What is to be run, and how.
#[derive(Debug)]
pub(super) struct Plan {
    source: Source,
    binary: PathBuf,
    cache: PathBuf,
    pub(super) units: Vec<String>,
    pub(super) only: Option<String>,
    try_skipped: bool,
    keep: bool,
    clients: usize,
    deadline: Instant,
    unit_limit: Duration,
    stall_limit: Duration,
}

/// One unit's run.
#[derive(Debug)]
pub(super) struct UnitRun {
    pub(super) unit: String,
    pub(super) log: UnitLog,
    pub(super) elapsed: Duration,
    /// The reason for which it was not started at all.
    pub(super) not_run: Option<String>,
}

impl Plan {
    pub(super) fn new(
        options: &Options,
        source: Source,
        binary: PathBuf,
        cache: PathBuf,
        units: Vec<String>,
    ) -> Plan {
        Plan {
            source,
            binary,
            cache,
            units,
            only: options.test.clone(),
            try_skipped: options.try_skipped,
            keep: options.keep,
            clients: options.clients,
            deadline: Instant::now() + options.time_limit,
            unit_limit: options.unit_limit,
            stall_limit: options.stall_limit,
        }
    }

    /// Writes a table into the cache and says where.
    ///
    /// # Errors
    /// The path that could not be written.
    pub(super) fn write_table(&self, name: &str, text: &str) -> Result<(), String> {
        let path = self.cache.join(name);
        fs::write(&path, text).map_err(|error| format!("{}: {error}", path.display()))?;
        println!("# written to {}", path.display());
        Ok(())
    }

    fn log_path(&self, unit: &str) -> PathBuf {
        self.cache.join("logs").join(format!("{}.log", file_stem(unit)))
    }
}

/// Sees to it that the binary can serve the suite at all.
///
/// # Errors
/// As for [`preflight::check`].
pub(super) fn preflight(plan: &Plan) -> Result<(), String> {
    let scratch = Scratch::new(&plan.source.dir, &plan.binary, 0, false)?;
    preflight::check(&scratch.dir)
}

/// Runs every unit of the plan and returns the runs in the plan's order.
///
/// # Errors
/// A scratch tree or log that could not be written.
pub(super) fn units(plan: &Plan, lists: &Lists) -> Result<Vec<UnitRun>, String> {
    let queue: Mutex<VecDeque<&String>> = Mutex::new(plan.units.iter().collect());
    let next = || queue.lock().ok().and_then(|mut queue| queue.pop_front());
    let runners = plan.clients.min(plan.units.len()).max(1);
    let mut runs = std::thread::scope(|scope| {
        let work = |slot| {
            move || -> Result<Vec<UnitRun>, String> {
                let mut runs = Vec::new();
                while let Some(unit) = next() {
                    let run = one(plan, lists, unit, slot, &[])?;
                    println!("{}", progress(&run));
                    runs.push(run);
                }
                Ok(runs)
            }
        };
        let threads: Vec<_> = (0..runners).map(|slot| scope.spawn(work(slot))).collect();
        let mut runs = Vec::new();
        for thread in threads {
            let part = thread.join().map_err(|_| "a runner panicked".to_owned())?;
            runs.extend(part?);
        }
        Ok::<_, String>(runs)
    })?;
    runs.sort_by_key(|run| plan.units.iter().position(|unit| *unit == run.unit));
    Ok(runs)
}

/// Runs units in which an expected test did not pass once more, one after the other: some of the
/// suite's tests measure time, and fail when several units share the cores.
///
/// # Errors
/// As for [`units`].
pub(super) fn again_alone(plan: &Plan, lists: &Lists, runs: &mut [UnitRun]) -> Result<(), String> {
    for run in runs.iter_mut() {
        let expected = lists.expected.get(&run.unit);
        let misses = |name: &&String| run.log.outcome(name) != Some(&super::parse::Outcome::Passed);
        let missing = expected.map_or(0, |names| names.iter().filter(misses).count());
        if missing == 0 || run.not_run.is_some() || Instant::now() >= plan.deadline {
            continue;
        }
        println!("{}: {missing} expected tests did not pass; again, alone", run.unit);
        let second = one(plan, lists, &run.unit, 0, &[])?;
        println!("{}", progress(&second));
        run.log.adopt(second.log);
        run.elapsed += second.elapsed;
    }
    Ok(())
}

/// Runs one unit in the place `slot`, leaving out `set_aside` as well as what the lists say.
///
/// # Errors
/// As for [`units`].
pub(super) fn one(
    plan: &Plan,
    lists: &Lists,
    unit: &str,
    slot: usize,
    set_aside: &[String],
) -> Result<UnitRun, String> {
    let run = |log, elapsed, not_run| UnitRun { unit: unit.to_owned(), log, elapsed, not_run };
    if let Some(skip) = lists.unit_skip(unit).filter(|_| !plan.try_skipped) {
        return Ok(run(UnitLog::default(), Duration::ZERO, Some(skip.reason.clone())));
    }
    let limit = plan.unit_limit.min(plan.deadline.saturating_duration_since(Instant::now()));
    if limit.is_zero() {
        let reason = "the time for the whole run was over".to_owned();
        return Ok(run(UnitLog::default(), Duration::ZERO, Some(reason)));
    }
    let started = Instant::now();
    let scratch = Scratch::new(&plan.source.dir, &plan.binary, slot, plan.keep)?;
    let ports = Ports::claim()?;
    let log_path = plan.log_path(unit);
    let mut command = runtest(plan, lists, unit, &ports, &scratch, set_aside)?;
    let output = log_file(&log_path)?;
    let errors = output.try_clone().map_err(|error| format!("{}: {error}", log_path.display()))?;
    command.stdout(output).stderr(errors);
    let child = command.spawn().map_err(|error| format!("runtest: {error}"))?;
    wait_or_kill(child, limit);
    let output = fs::read(&log_path).map_err(|error| format!("{}: {error}", log_path.display()))?;
    let mut log = UnitLog::read(unit, &String::from_utf8_lossy(&output));
    if matches!(log.end, Some(EarlyEnd::Silence(_))) {
        log.end_in(last_test_started(&scratch.dir.join("tests/tmp"), unit));
    }
    Ok(run(log, started.elapsed(), None))
}

/// The runner's command line.
fn runtest(
    plan: &Plan,
    lists: &Lists,
    unit: &str,
    ports: &Ports,
    scratch: &Scratch,
    set_aside: &[String],
) -> Result<Command, String> {
    let stall = plan.stall_limit.as_secs().to_string();
    let (first, count) = (ports.first.to_string(), Ports::COUNT.to_string());
    // Through the shell: a copy that was just written cannot always be started itself, because a
    // process that another runner forked meanwhile may still hold it open for writing.
    let mut command = Command::new("sh");
    command
        .arg("./runtest")
        .args(["--single", unit, "--clients", "1", "--durable", "--dont-clean"])
        .args(["--timeout", &stall, "--baseport", &first, "--portcount", &count])
        .current_dir(&scratch.dir)
        .env("TERM", "dumb")
        .stdin(Stdio::null())
        .process_group(0);
    if let Some(test) = &plan.only {
        command.args(["--only", test]);
    }
    for tag in lists.denied_tags(unit) {
        command.args(["--tags", &format!("-{tag}")]);
    }
    let skip_path = scratch.dir.join("skipped");
    let listed = if plan.try_skipped { Vec::new() } else { lists.skipped_tests(unit) };
    let names = listed.into_iter().chain(set_aside.iter().map(String::as_str));
    let text: String = names.flat_map(|name| [name, "\n"]).collect();
    fs::write(&skip_path, text).map_err(|error| format!("{}: {error}", skip_path.display()))?;
    command.arg("--skipfile").arg(skip_path);
    Ok(command)
}

fn log_file(path: &Path) -> Result<File, String> {
    let made = match path.parent() {
        Some(parent) => fs::create_dir_all(parent).and_then(|()| File::create(path)),
        None => File::create(path),
    };
    made.map_err(|error| format!("{}: {error}", path.display()))
}

/// Waits until the runner ends or `limit` passes, then ends whatever is left of its group.
fn wait_or_kill(mut child: Child, limit: Duration) {
    let deadline = Instant::now() + limit;
    while Instant::now() < deadline {
        match child.try_wait() {
            Ok(None) => std::thread::sleep(Duration::from_millis(50)),
            Ok(Some(_)) | Err(_) => break,
        }
    }
    let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    if let Some(group) = group {
        // It fails when the whole group is gone, which is what it is for.
        let _ = kill_process_group(group, Signal::KILL);
    }
    let _ = child.wait();
}

/// The test that a killed run was in, from the marks that the suite leaves in the servers' logs.
fn last_test_started(tmp: &Path, unit: &str) -> Option<String> {
    let entries = fs::read_dir(tmp).ok()?;
    let logs = entries.filter_map(|entry| Some(entry.ok()?.path().join("stdout")));
    let newest = logs.max_by_key(|log| fs::metadata(log).and_then(|meta| meta.modified()).ok())?;
    let text = String::from_utf8_lossy(&fs::read(newest).ok()?).into_owned();
    let place = format!(" in tests/{unit}.tcl");
    let marks = ["### Starting test ", "### Starting server for test "];
    text.lines().rev().find_map(|line| {
        let name = marks.iter().find_map(|mark| line.strip_prefix(mark))?;
        Some(name.strip_suffix(place.as_str())?.to_owned())
    })
}

fn progress(run: &UnitRun) -> String {
    if let Some(reason) = &run.not_run {
        return format!("{:<28} not run: {reason}", run.unit);
    }
    let counts = run.log.counts();
    let early = stopped_early(std::slice::from_ref(run)).count();
    format!(
        "{:<28} {:>4} passed {:>4} failed {:>4} skipped {:>5} s{}",
        run.unit,
        counts.passed,
        counts.failed,
        counts.skipped,
        run.elapsed.as_secs(),
        if early > 0 { "  (stopped early)" } else { "" },
    )
}

/// Every unit of the suite that its runner would run, sorted.
///
/// # Errors
/// A directory of the source that cannot be read.
pub(super) fn all_units(source: &Path) -> Result<Vec<String>, String> {
    let mut units = Vec::new();
    for dir in ["unit", "unit/type", "unit/cluster", "integration"] {
        let path = source.join("tests").join(dir);
        let entries =
            fs::read_dir(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            if let Some(stem) = name.to_string_lossy().strip_suffix(".tcl") {
                units.push(format!("{dir}/{stem}"));
            }
        }
    }
    units.sort();
    Ok(units)
}

/// `type/string` and `unit/type/string` are the same unit.
///
/// # Errors
/// A name that no unit has.
pub(super) fn full_unit_name(all: &[String], name: &str) -> Result<String, String> {
    let found = [name.to_owned(), format!("unit/{name}")].into_iter().find(|it| all.contains(it));
    found.ok_or_else(|| format!("the suite has no unit {name:?}"))
}

/// The units whose text holds `name`.
///
/// # Errors
/// A name that none of them holds.
pub(super) fn units_holding(
    source: &Path,
    all: &[String],
    name: &str,
) -> Result<Vec<String>, String> {
    let holds = |unit: &&String| {
        let text = fs::read(source.join("tests").join(format!("{unit}.tcl"))).unwrap_or_default();
        String::from_utf8_lossy(&text).contains(name)
    };
    let units: Vec<String> = all.iter().filter(holds).cloned().collect();
    if units.is_empty() {
        return Err(format!("no unit names the test {name:?}; say which with --unit"));
    }
    Ok(units)
}
