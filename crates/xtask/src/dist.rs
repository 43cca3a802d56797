//! `cargo xtask dist PROGRAM FOLDER`: manual pages, completions for shells and the licences of the
//! libraries, for packages.
//!
//! Programs are described by what they answer to `--help`, directives by their rows in `spec`;
//! nothing is written down here a second time.

mod completion;
mod manual;
mod notices;
#[cfg(test)]
mod tests;

use std::fs;
use std::path::Path;
use std::process::Command;

/// A program, which is the binary with its first words.
pub(crate) struct Program {
    /// How it is called when it has a name of its own.
    name: &'static str,
    /// Its words behind `reddle`.
    words: &'static [&'static str],
    /// What it is, in a line.
    what: &'static str,
    /// What `--help` prints.
    help: String,
}

/// Name, words, what it is.
const PROGRAMS: &[(&str, &[&str], &str)] = &[
    ("reddle", &[], "an in-memory data server that Redis clients and files work with"),
    ("reddle-cli", &["cli"], "command line client for Redis-compatible servers"),
    ("reddle-bench", &["bench"], "load generator for Redis-compatible servers"),
    ("reddle-convert", &["convert"], "converts data sets between RDB, JSON and the log"),
    ("reddle-check", &["check"], "checks RDB files and append-only logs, and repairs logs"),
];

/// The day of the newest release, which the changelog tells (a rule of `tidy` sees to it).
fn date() -> &'static str {
    let released =
        include_str!("../../../CHANGELOG.md").lines().filter(|line| line.contains("] - "));
    released.filter_map(|line| line.rsplit(' ').next()).next().unwrap_or_default()
}

/// Writes `man/`, `completions/` and `licences.txt` into the folder.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let [binary, folder] = args else {
        return Err("usage: cargo xtask dist PROGRAM FOLDER".to_owned());
    };
    let asked = |&(name, words, what): &(&'static str, &'static [&'static str], &'static str)| {
        Ok(Program { name, words, what, help: help(binary, words)? })
    };
    let programs = PROGRAMS.iter().map(asked).collect::<Result<Vec<Program>, String>>()?;
    let licences = ("licences.txt".to_owned(), notices::page(&notices::libraries()?));
    for (path, text) in files(&programs).into_iter().chain([licences]) {
        let path = Path::new(folder).join(path);
        let written = fs::create_dir_all(path.parent().unwrap_or(Path::new(".")))
            .and_then(|()| fs::write(&path, text));
        written.map_err(|error| format!("{}: {error}", path.display()))?;
    }
    Ok(())
}

/// Paths below the folder, and what is written there.
fn files(programs: &[Program]) -> Vec<(String, String)> {
    let release = (env!("CARGO_PKG_VERSION"), date());
    let mut files: Vec<(String, String)> = programs
        .iter()
        .map(|program| (format!("man/{}.1", program.name), manual::program(program, release)))
        .collect();
    files.push(("man/reddle.conf.5".to_owned(), manual::directives(release)));
    files.push(("completions/reddle.bash".to_owned(), completion::bash(programs)));
    files.push(("completions/_reddle".to_owned(), completion::zsh(programs)));
    files.push(("completions/reddle.fish".to_owned(), completion::fish(programs)));
    files
}

fn help(binary: &str, words: &[&str]) -> Result<String, String> {
    let called = || format!("{binary} {} --help", words.join(" "));
    let output = Command::new(binary).args(words).arg("--help").output();
    let output = output.map_err(|error| format!("{}: {error}", called()))?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    if !output.status.success() || text.is_empty() {
        return Err(format!("{} printed nothing", called()));
    }
    Ok(text)
}
