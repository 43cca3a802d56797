//! `reddle check rdb FILE`, also under the names by which Redis and Valkey have that tool.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;
use std::time::{SystemTime, UNIX_EPOCH};

/// The names that mean the check alone.
const NAMES: &[&str] = &["redis-check-rdb", "valkey-check-rdb", "reddle-check-rdb"];

/// Runs the check when the command line asks for one.
pub(crate) fn run(arguments: &[OsString]) -> Option<ExitCode> {
    let name = arguments.first().map(Path::new).and_then(Path::file_name)?;
    let words: Vec<_> = arguments.iter().skip(1).collect();
    let file = match words[..] {
        [file] if NAMES.iter().any(|known| name == *known) => file,
        [check, what, file] if check == "check" && what == "rdb" => file,
        [check, ..] if check == "check" => return Some(usage()),
        _ if NAMES.iter().any(|known| name == *known) => return Some(usage()),
        _ => return None,
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let mut out = io::stdout().lock();
    let is_well = persist::check::rdb(Path::new(file), now.as_millis() as i64, &mut out);
    Some(if matches!(is_well, Ok(true)) { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn usage() -> ExitCode {
    // Where nobody listens there is nobody to tell.
    writeln!(io::stderr(), "Usage: reddle check rdb <rdb-file-name>").ok();
    ExitCode::FAILURE
}
