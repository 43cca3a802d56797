//! `reddle check rdb FILE` and `reddle check aof FILE`, also under the names by which Redis and
//! Valkey have those tools.

use std::ffi::{OsStr, OsString};
use std::io::{self, BufRead, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

use persist::check::{Aof, Repair};

/// The names that mean one check alone.
const NAMES: &[(&str, What)] = &[
    ("redis-check-rdb", What::Rdb),
    ("valkey-check-rdb", What::Rdb),
    ("reddle-check-rdb", What::Rdb),
    ("redis-check-aof", What::Aof),
    ("valkey-check-aof", What::Aof),
    ("reddle-check-aof", What::Aof),
];

/// What is checked.
#[derive(Clone, Copy, PartialEq, Eq)]
enum What {
    Rdb,
    Aof,
}

/// Runs the check when the command line asks for one.
pub(crate) fn run(arguments: &[OsString]) -> Option<ExitCode> {
    let name = arguments.first().map(Path::new).and_then(Path::file_name)?;
    let words: Vec<&OsStr> = arguments.iter().skip(1).map(OsString::as_os_str).collect();
    let known = NAMES.iter().find(|(known, _)| name == *known);
    let (what, words) = match (known, &words[..]) {
        (Some((_, what)), words) => (*what, words),
        (None, [check, what, rest @ ..]) if *check == "check" && *what == "rdb" => {
            (What::Rdb, rest)
        }
        (None, [check, what, rest @ ..]) if *check == "check" && *what == "aof" => {
            (What::Aof, rest)
        }
        (None, [check, word]) if *check == "check" && is_help(word) => {
            writeln!(io::stdout(), "{}", usage(None)).ok();
            return Some(ExitCode::SUCCESS);
        }
        (None, [check, ..]) if *check == "check" => return Some(refuse(None)),
        _ => return None,
    };
    let program = match (known, what) {
        (Some((name, _)), _) => *name,
        (None, What::Rdb) => "reddle check rdb",
        (None, What::Aof) => "reddle check aof",
    };
    if let [word] = words
        && let Some(text) = answer(word, what, program)
    {
        // Where nobody listens there is nobody to tell.
        writeln!(io::stdout(), "{text}").ok();
        return Some(ExitCode::SUCCESS);
    }
    let result = match what {
        What::Rdb => check_rdb(words),
        What::Aof => check_aof(words, program),
    };
    Some(match result {
        None => refuse(Some((what, program))),
        Some(Ok(true)) => ExitCode::SUCCESS,
        Some(_) => ExitCode::FAILURE,
    })
}

/// What is said to a question that is no file to check.
fn answer(word: &OsStr, what: What, program: &str) -> Option<String> {
    match word {
        _ if word == "-v" || word == "--version" => {
            Some(format!("{program} {}", env!("CARGO_PKG_VERSION")))
        }
        _ if is_help(word) => Some(usage(Some((what, program)))),
        _ => None,
    }
}

fn is_help(word: &OsStr) -> bool {
    word == "-h" || word == "--help"
}

fn check_rdb(words: &[&OsStr]) -> Option<io::Result<bool>> {
    let [file] = words else { return None };
    Some(persist::check::rdb(Path::new(file), now_ms(), &mut io::stdout().lock()))
}

fn check_aof(words: &[&OsStr], program: &str) -> Option<io::Result<bool>> {
    let (repair, file) = match words {
        [file] => (Repair::Nothing, file),
        [fix, file] if *fix == "--fix" => (Repair::Fix, file),
        [since, moment, file] if *since == "--truncate-to-timestamp" => {
            let Some(moment) = moment.to_str().and_then(|text| text.parse().ok()) else {
                let told = writeln!(io::stdout(), "Invalid timestamp, aborting...");
                return Some(told.map(|()| false));
            };
            (Repair::Since(moment), file)
        }
        _ => return None,
    };
    let out = io::stdout().lock();
    let check = Aof { repair, now_ms: now_ms(), agrees: &mut agrees, out, program };
    Some(persist::check::aof(Path::new(file), check))
}

/// Whether the answer begins with a `y`. No answer is a no.
fn agrees() -> bool {
    let mut line = String::new();
    let read = io::stdin().lock().read_line(&mut line);
    read.is_ok() && line.starts_with(['y', 'Y'])
}

fn now_ms() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_millis() as i64
}

fn usage(tool: Option<(What, &str)>) -> String {
    let aof = "[--fix|--truncate-to-timestamp $timestamp] <file.manifest|file.aof>";
    match tool {
        Some((What::Rdb, program)) => format!("Usage: {program} <rdb-file-name>"),
        Some((What::Aof, program)) => format!("Usage: {program} {aof}"),
        None => format!("Usage: reddle check rdb <rdb-file-name>\n       reddle check aof {aof}"),
    }
}

fn refuse(tool: Option<(What, &str)>) -> ExitCode {
    // Where nobody listens there is nobody to tell.
    writeln!(io::stderr(), "{}", usage(tool)).ok();
    ExitCode::FAILURE
}
