//! Compares what ran with what is expected, and says so.

use std::collections::BTreeSet;

use super::lists::Lists;
use super::parse::{Counts, EarlyEnd, Outcome};
use super::run::UnitRun;

/// What the comparison came to.
#[derive(Debug, Default)]
pub(super) struct Report {
    counts: Counts,
    /// Unit, test, cause: expected to pass, and did not.
    missed: Vec<(String, String, String)>,
    /// Unit, test, cause: failed, and nobody expected otherwise.
    failing: Vec<(String, String, String)>,
    pub(super) newly_passing: Vec<(String, String)>,
    /// Unit and text: stops, loose errors, second tries.
    notes: Vec<(String, String)>,
}

/// What the exit code says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Good,
    Bad(String),
}

impl Report {
    /// Compares runs with lists; with `only`, tests that were left out for it are not missed.
    pub(super) fn compare(lists: &Lists, runs: &[UnitRun], only: Option<&str>) -> Report {
        let mut report = Report::default();
        for run in runs {
            report.add_unit(lists, run, only.is_some());
        }
        report
    }

    fn add_unit(&mut self, lists: &Lists, run: &UnitRun, selected: bool) {
        let unit = &run.unit;
        let counts = run.log.counts();
        self.counts.passed += counts.passed;
        self.counts.failed += counts.failed;
        self.counts.skipped += counts.skipped;
        self.add_notes(run);
        for name in run.log.names() {
            let expected = lists.is_expected(unit, name);
            let outcome = run.log.outcome(name);
            match outcome {
                Some(Outcome::Passed) if !expected => {
                    self.newly_passing.push((unit.clone(), name.to_owned()));
                }
                Some(Outcome::Failed(_) | Outcome::Hung) if !expected => {
                    self.failing.push((unit.clone(), name.to_owned(), cause(outcome)));
                }
                _ => {}
            }
        }
        let none = BTreeSet::new();
        for name in lists.expected.get(unit).unwrap_or(&none) {
            match run.log.outcome(name) {
                Some(Outcome::Passed) => continue,
                None | Some(Outcome::Skipped) if selected => continue,
                None => self.counts.failed += 1,
                // The test was counted as skipped, and the lists contradict each other.
                Some(Outcome::Skipped | Outcome::Ignored(_)) => {
                    self.counts.skipped -= 1;
                    self.counts.failed += 1;
                }
                Some(Outcome::Failed(_) | Outcome::Hung) => {}
            }
            self.missed.push((unit.clone(), name.clone(), cause(run.log.outcome(name))));
        }
    }

    fn add_notes(&mut self, run: &UnitRun) {
        let mut note = |text: String| self.notes.push((run.unit.clone(), text));
        if let Some(reason) = &run.not_run {
            note(format!("not run: {reason}"));
        }
        match &run.log.end {
            Some(EarlyEnd::Exception(text)) => note(format!("stopped by an error: {text}")),
            Some(EarlyEnd::Stall(Some(test))) => note(format!("stopped: no progress in {test:?}")),
            Some(EarlyEnd::Stall(None)) => note("stopped: no progress outside a test".to_owned()),
            Some(EarlyEnd::Silence(last)) => {
                note(format!("stopped: the runner ended after {last:?}"))
            }
            None => {}
        }
        for error in &run.log.loose_errors {
            note(format!("error outside a test: {error}"));
        }
        for test in &run.log.second_try {
            note(format!("passed only when run again, alone: {test}"));
        }
    }

    pub(super) fn print_details(&self) {
        for (unit, note) in &self.notes {
            println!("note     {unit}: {note}");
        }
        for (unit, test, cause) in &self.failing {
            println!("failing  {unit}: {test}: {cause}");
        }
        for (unit, test) in &self.newly_passing {
            println!("new      {unit}: {test}");
        }
        for (unit, test, cause) in &self.missed {
            println!("MISSED   {unit}: {test}: {cause}");
        }
        if !self.newly_passing.is_empty() {
            println!("{} tests pass that nobody expected yet", self.newly_passing.len());
        }
        if !self.missed.is_empty() {
            println!("{} expected tests did not pass", self.missed.len());
        }
    }

    /// `N passed, M failed, K skipped`.
    pub(super) fn summary(&self) -> String {
        let Counts { passed, failed, skipped } = self.counts;
        format!("{passed} passed, {failed} failed, {skipped} skipped")
    }

    pub(super) fn verdict(&self) -> Verdict {
        match self.missed.len() {
            0 => Verdict::Good,
            count => Verdict::Bad(format!("{count} expected tests did not pass")),
        }
    }
}

/// The first line of why a test did not pass.
pub(super) fn cause(outcome: Option<&Outcome>) -> String {
    match outcome {
        Some(Outcome::Failed(text)) => text.clone(),
        Some(Outcome::Hung) => "no progress".to_owned(),
        Some(Outcome::Skipped) => "expected to pass, and skipped".to_owned(),
        Some(Outcome::Ignored(reason)) => format!("left out by the suite: {reason}"),
        Some(Outcome::Passed) => "passed".to_owned(),
        None => "did not run".to_owned(),
    }
}
