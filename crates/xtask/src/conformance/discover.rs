//! `--discover`: every test's outcome, also behind tests that stop a unit.
//!
//! A unit runs again and again; each time, the test that stopped it is set aside, until the unit
//! reaches its end or stops at a place that no test can be blamed for.

use std::collections::BTreeMap;

use super::lists::Lists;
use super::parse::{EarlyEnd, Outcome, UnitLog};
use super::report::cause;
use super::run::{self, Plan};

const ROUNDS_MAX: usize = 30;

/// One test in the table: name, outcome.
type Row = (String, Outcome);

/// Runs the units of the plan to their ends and prints the table, tab-separated: unit, test,
/// outcome, cause. It is also written to the cache as `discovered.tsv`.
///
/// # Errors
/// As for [`run::one`], or a table that cannot be written.
pub(super) fn run(plan: &Plan, lists: &Lists) -> Result<(), String> {
    let mut table = String::new();
    let mut causes: BTreeMap<String, usize> = BTreeMap::new();
    let mut counts = [0_usize; 3];
    for unit in &plan.units {
        for (test, outcome) in to_the_end(plan, lists, unit)? {
            let (word, index) = match &outcome {
                Outcome::Passed => ("passed", 0),
                Outcome::Failed(_) => ("failed", 1),
                Outcome::Hung => ("hung", 1),
                Outcome::Skipped | Outcome::Ignored(_) => ("skipped", 2),
            };
            counts[index] += 1;
            let why = if index == 1 { cause(Some(&outcome)) } else { String::new() };
            if index == 1 {
                *causes.entry(why.clone()).or_default() += 1;
            }
            let line = format!("{unit}\t{test}\t{word}\t{why}\n");
            print!("{line}");
            table.push_str(&line);
        }
    }
    plan.write_table("discovered.tsv", &table)?;
    let mut causes: Vec<_> = causes.into_iter().collect();
    causes.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (cause, count) in causes {
        println!("{count:>5}  {cause}");
    }
    println!("{} passed, {} failed, {} skipped", counts[0], counts[1], counts[2]);
    Ok(())
}

fn to_the_end(plan: &Plan, lists: &Lists, unit: &str) -> Result<Vec<Row>, String> {
    let mut rows: Vec<Row> = Vec::new();
    let mut set_aside: Vec<String> = Vec::new();
    for _ in 0..ROUNDS_MAX {
        let run = run::one(plan, lists, unit, 0, &set_aside)?;
        if let Some(reason) = &run.not_run {
            println!("# {unit}: not run: {reason}");
            return Ok(rows);
        }
        merge(&mut rows, &run.log, &set_aside);
        for error in &run.log.loose_errors {
            println!("# {unit}: error outside a test: {error}");
        }
        if let Some(test) = run.log.cut_short.iter().find(|test| !set_aside.contains(test)) {
            set_aside.push(test.clone());
            continue;
        }
        match run.log.end {
            None => return Ok(rows),
            Some(EarlyEnd::Stall(Some(test))) if !set_aside.contains(&test) => {
                set_aside.push(test);
            }
            Some(end) => {
                println!("# {unit}: stopped where no test can be blamed: {end:?}");
                return Ok(rows);
            }
        }
    }
    println!("# {unit}: still stopped after {ROUNDS_MAX} rounds");
    Ok(rows)
}

/// The last run's outcomes win, but for the tests that were set aside in it.
fn merge(rows: &mut Vec<Row>, log: &UnitLog, set_aside: &[String]) {
    for name in log.names() {
        if set_aside.iter().any(|test| test == name) {
            continue;
        }
        let Some(outcome) = log.outcome(name) else { continue };
        match rows.iter_mut().find(|(test, _)| test == name) {
            Some(row) => row.1 = outcome.clone(),
            None => rows.push((name.to_owned(), outcome.clone())),
        }
    }
}
