//! `reddle bench`, also under the names by which Redis and Valkey have their load generators.

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;

/// The names that mean it.
const NAMES: &[&str] = &["redis-benchmark", "valkey-benchmark", "reddle-benchmark"];

/// Makes load when the command line asks for it.
pub(crate) fn run(arguments: &[OsString]) -> Option<ExitCode> {
    let name = arguments.first().map(Path::new).and_then(Path::file_name)?;
    if let Some(name) = NAMES.iter().find(|known| name == **known) {
        return Some(loadgen::program::main(name, &arguments[1..]));
    }
    match arguments {
        [_, bench, words @ ..] if bench == "bench" => {
            Some(loadgen::program::main("reddle bench", words))
        }
        _ => None,
    }
}
