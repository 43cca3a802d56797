//! The files of `tests/conformance/`: which units run, what passes, what is left out and why.
//!
//! - `units.txt`: the units that apply so far, one a line, `unit/type/string`.
//! - `expected/<unit>.txt`: the names of the tests that pass, one a line, sorted.
//! - `skipped.tsv`: unit, test, reason, separated by tabs. The test is a name, a `/regex`,
//!   `tag:NAME` (everything the suite marks so), or `*` (the whole unit); the unit may be `*`, or
//!   `folder/*` for every unit in a folder.
//!
//! In all of them, lines that begin with `#` and empty lines say nothing. Invariant: nothing here
//! takes a test off the expected list; a person who must do that edits the file.

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// One line of `skipped.tsv`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Skip {
    pub(super) unit: String,
    pub(super) test: String,
    pub(super) reason: String,
}

impl Skip {
    pub(super) fn applies_to(&self, unit: &str) -> bool {
        match self.unit.strip_suffix('*') {
            Some(folder) => unit.starts_with(folder),
            None => self.unit == unit,
        }
    }
}

/// All the lists, and where they are kept.
#[derive(Debug)]
pub(super) struct Lists {
    dir: PathBuf,
    pub(super) units: Vec<String>,
    pub(super) expected: BTreeMap<String, BTreeSet<String>>,
    pub(super) skipped: Vec<Skip>,
}

impl Lists {
    /// Reads `dir`; a list that is not there is empty.
    ///
    /// # Errors
    /// A file that cannot be read, or a line of `skipped.tsv` without its three fields.
    pub(super) fn load(dir: &Path) -> Result<Lists, String> {
        let mut lists = Lists {
            dir: dir.to_owned(),
            units: lines_of(&dir.join("units.txt"))?,
            expected: BTreeMap::new(),
            skipped: Vec::new(),
        };
        for line in lines_of(&dir.join("skipped.tsv"))? {
            lists.skipped.push(skip_from(&line)?);
        }
        lists.load_expected(&dir.join("expected"))?;
        Ok(lists)
    }

    fn load_expected(&mut self, dir: &Path) -> Result<(), String> {
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(format!("{}: {error}", dir.display())),
        };
        for entry in entries {
            let path = entry.map_err(|error| format!("{}: {error}", dir.display()))?.path();
            if path.is_dir() {
                self.load_expected(&path)?;
            } else if let Some(unit) = self.unit_of(&path) {
                self.expected.insert(unit, lines_of(&path)?.into_iter().collect());
            }
        }
        Ok(())
    }

    /// `expected/unit/type/string.txt` holds the unit `unit/type/string`.
    fn unit_of(&self, path: &Path) -> Option<String> {
        let relative = path.strip_prefix(self.dir.join("expected")).ok()?;
        Some(relative.to_str()?.strip_suffix(".txt")?.to_owned())
    }

    pub(super) fn is_expected(&self, unit: &str, test: &str) -> bool {
        self.expected.get(unit).is_some_and(|names| names.contains(test))
    }

    /// The reason for which the whole unit is left out.
    pub(super) fn unit_skip(&self, unit: &str) -> Option<&Skip> {
        self.skipped.iter().find(|skip| skip.test == "*" && skip.applies_to(unit))
    }

    /// The units of the suite of which the lists say nothing: neither that they apply, nor why not.
    pub(super) fn unnamed<'a>(&self, suite: &'a [String]) -> Vec<&'a str> {
        let is_named = |unit: &str| {
            self.units.iter().any(|listed| listed == unit) || self.unit_skip(unit).is_some()
        };
        suite.iter().map(String::as_str).filter(|unit| !is_named(unit)).collect()
    }

    /// Names and patterns for the runner's skip file.
    pub(super) fn skipped_tests(&self, unit: &str) -> Vec<&str> {
        let of_unit = self.skipped.iter().filter(|skip| skip.applies_to(unit));
        let tests = of_unit.map(|skip| skip.test.as_str());
        tests.filter(|test| *test != "*" && !test.starts_with("tag:")).collect()
    }

    /// Tags that the runner is told to deny.
    pub(super) fn denied_tags(&self, unit: &str) -> Vec<&str> {
        let of_unit = self.skipped.iter().filter(|skip| skip.applies_to(unit));
        of_unit.filter_map(|skip| skip.test.strip_prefix("tag:")).collect()
    }

    /// Adds tests to the expected list and writes the files that changed; says how many were new.
    ///
    /// # Errors
    /// A file that cannot be written.
    pub(super) fn accept(&mut self, passing: &[(String, String)]) -> Result<usize, String> {
        let mut changed = BTreeSet::new();
        let mut added = 0;
        for (unit, test) in passing {
            if self.expected.entry(unit.clone()).or_default().insert(test.clone()) {
                changed.insert(unit.clone());
                added += 1;
            }
        }
        for unit in &changed {
            let path = self.dir.join("expected").join(format!("{unit}.txt"));
            write_lines(&path, &self.expected[unit])?;
        }
        Ok(added)
    }

    pub(super) fn print_expected(&self) {
        for (unit, names) in &self.expected {
            for name in names {
                println!("{unit}\t{name}");
            }
        }
    }

    pub(super) fn print_skipped(&self) {
        for skip in &self.skipped {
            println!("{}\t{}\t{}", skip.unit, skip.test, skip.reason);
        }
    }
}

fn skip_from(line: &str) -> Result<Skip, String> {
    let mut fields = line.split('\t');
    let mut field = || fields.next().filter(|text| !text.is_empty()).map(str::to_owned);
    match (field(), field(), field(), field()) {
        (Some(unit), Some(test), Some(reason), None) => Ok(Skip { unit, test, reason }),
        _ => Err(format!("skipped.tsv: not unit, test and reason between tabs: {line:?}")),
    }
}

fn lines_of(path: &Path) -> Result<Vec<String>, String> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(format!("{}: {error}", path.display())),
    };
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    Ok(lines.map(str::to_owned).collect())
}

fn write_lines(path: &Path, lines: &BTreeSet<String>) -> Result<(), String> {
    let mut text = String::new();
    for line in lines {
        text.push_str(line);
        text.push('\n');
    }
    let written = match path.parent() {
        Some(parent) => fs::create_dir_all(parent).and_then(|()| fs::write(path, text)),
        None => fs::write(path, text),
    };
    written.map_err(|error| format!("{}: {error}", path.display()))
}
