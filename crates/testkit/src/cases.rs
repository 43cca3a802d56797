//! Files of cases: what is sent, and what must come back.
//!
//! The format is described in `docs/design/testing.md`. [`file`](mod@file) reads it,
//! [`expected`] is the notation of replies and the comparison, [`runner`] plays a file to a
//! server. One case is written once and holds in RESP2 and in RESP3.

pub mod expected;
pub mod file;
pub mod runner;
mod show;

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

pub use self::expected::Expected;
pub use self::file::CaseFile;
pub use self::runner::{Link, Report, Target, run};
pub use self::show::show;

use crate::client::Client;
use crate::server::Server;

/// What a client sees must not depend on the number of workers.
const THREADS: [&str; 2] = ["1", "4"];

/// Runs every `*.txt` of the folder, each with one worker and with four, in RESP2 and in RESP3.
/// `REDDLE_CASES` in the environment picks the cases whose `file: title` contains it.
///
/// # Panics
/// With every failure, when there is one; or when nothing was run.
pub fn run_folder(folder: &Path, binary: &Path) {
    let filter = std::env::var("REDDLE_CASES").unwrap_or_default();
    let reports: Vec<Report> = thread::scope(|scope| {
        let filter = filter.as_str();
        let running: Vec<_> = paths(folder)
            .into_iter()
            .map(|path| scope.spawn(move || run_path(&path, binary, filter)))
            .collect();
        running.into_iter().map(|thread| thread.join().unwrap_or_else(failed_thread)).collect()
    });
    let passed: usize = reports.iter().map(|report| report.passed).sum();
    let failures: Vec<&str> =
        reports.iter().flat_map(|report| &report.failures).map(String::as_str).collect();
    assert!(failures.is_empty(), "\n{}\n{passed} passed", failures.join("\n"));
    assert!(passed > 0, "no case in {}", folder.display());
}

impl Target for &Server {
    fn connect(&mut self) -> Box<dyn Link> {
        Box::new(self.client())
    }
}

impl Link for Client {
    fn send(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        Client::send(self, bytes)
    }

    fn receive(&mut self) -> std::io::Result<resp::value::Value> {
        Client::receive(self)
    }

    fn has_unread(&self) -> bool {
        Client::has_unread(self)
    }
}

fn run_path(path: &Path, binary: &Path, filter: &str) -> Report {
    let mut file = match CaseFile::read(path) {
        Ok(file) => file,
        Err(error) => return Report { passed: 0, failures: vec![error] },
    };
    file.retain(filter);
    let mut total = Report::default();
    if file.cases.is_empty() {
        return total;
    }
    for threads in THREADS {
        let mut options: Vec<(&str, &str)> = vec![("threads", threads)];
        options.extend(file.options.iter().map(|(name, value)| (name.as_str(), value.as_str())));
        let server = Server::start_binary(binary, &options);
        for proto in [resp::Proto::Resp2, resp::Proto::Resp3] {
            let report = run(&file, &mut &server, proto);
            total.passed += report.passed;
            let place = |failure| format!("{failure}\n    (threads {threads}, {proto:?})");
            total.failures.extend(report.failures.into_iter().map(place));
        }
    }
    total
}

fn failed_thread(_: Box<dyn std::any::Any + Send>) -> Report {
    Report { passed: 0, failures: vec!["a server failed, see above".to_owned()] }
}

fn paths(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).map(|entries| {
        let all = entries.filter_map(|entry| Some(entry.ok()?.path()));
        all.filter(|path| path.extension().is_some_and(|end| end == "txt")).collect()
    });
    let mut paths: Vec<PathBuf> = entries.unwrap_or_default();
    paths.sort();
    paths
}
