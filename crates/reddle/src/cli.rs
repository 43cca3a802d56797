//! `reddle cli`, also under the names `redis-cli` and `valkey-cli`: commands for any
//! Redis-compatible server from a shell, a pipe or a prompt.
//!
//! What is printed for a command is what those programs print, byte for byte; what goes wrong is
//! one line on the standard error and a non-zero exit.

mod connection;
mod eval;
mod format;
mod help;
mod hint;
mod keys;
mod latency;
mod operator;
mod options;
mod out;
mod pipe;
mod repl;
mod scan;
mod secret;
mod stat;
mod transfer;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;
use std::process::ExitCode;

use operator::Operator;
use options::{Asked, Mode, Options};

/// The names that mean this program alone.
const NAMES: &[&str] = &["redis-cli", "valkey-cli", "reddle-cli"];

/// Runs the command line client when the command line asks for it.
pub(crate) fn run(arguments: &[OsString]) -> Option<ExitCode> {
    let name = arguments.first().map(Path::new).and_then(Path::file_name)?.to_string_lossy();
    let words = match (NAMES.contains(&&*name), arguments.get(1)) {
        (true, _) => &arguments[1..],
        (false, Some(word)) if word == "cli" => &arguments[2..],
        _ => return None,
    };
    let name = if NAMES.contains(&&*name) { name.into_owned() } else { "reddle cli".to_owned() };
    let words = words.iter().map(|word| word.clone().into_vec()).collect();
    let done = match Options::parse(&name, words) {
        Ok(Asked::Help) => {
            out::text(help::usage(&name));
            Ok(())
        }
        Ok(Asked::Version) => {
            out::text(format_args!("{name} {}\n", env!("CARGO_PKG_VERSION")));
            Ok(())
        }
        Ok(Asked::Work(options)) => work(*options),
        Err(text) => Err(Failure::Text(text)),
    };
    Some(match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Failure::Text(text) = failure {
                out::problem(text);
            }
            ExitCode::FAILURE
        }
    })
}

/// Why the exit is not zero.
#[derive(Debug)]
enum Failure {
    /// With this line on the standard error.
    Text(String),
    /// All was said already.
    Told,
}

type Done = Result<(), Failure>;

impl From<String> for Failure {
    fn from(text: String) -> Failure {
        Failure::Text(text)
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Failure {
        Failure::Text(text.to_owned())
    }
}

fn work(mut options: Options) -> Done {
    if options.ask_password {
        options.password = Some(secret::ask("Please input password: ")?);
    }
    if let Some(seconds) = options.intrinsic_seconds {
        return latency::intrinsic(seconds);
    }
    if let Some(file) = options.hint_file.take() {
        return hint::check_file(Operator::new(options), &file);
    }
    if let Some(line) = options.hint_line.take() {
        return hint::show(Operator::new(options), &line);
    }
    let Some(mode) = options.mode else {
        return commands(options);
    };
    let mut operator = Operator::new(options);
    operator.connect()?;
    match mode {
        Mode::Latency | Mode::LatencyHistory => latency::sample(operator, mode),
        Mode::LatencyDistribution => latency::distribution(operator),
        Mode::Replica => transfer::replica(operator),
        Mode::Rdb | Mode::FunctionsRdb => transfer::rdb(operator, mode),
        Mode::Pipe => pipe::run(operator),
        Mode::BigKeys | Mode::MemKeys => keys::largest(operator, mode),
        Mode::HotKeys => keys::hottest(operator),
        Mode::Stat => stat::run(operator),
        Mode::Scan => scan::run(operator),
        Mode::Lru => keys::cache_test(operator),
    }
}

/// A command, a script, or whatever comes in.
fn commands(options: Options) -> Done {
    let interactive = options.words.is_empty() && options.eval.is_none();
    let mut operator = Operator::new(options);
    if interactive {
        return repl::run(operator);
    }
    if operator.options.eval.is_some() {
        operator.connect()?;
        return eval::run(operator);
    }
    let mut words = std::mem::take(&mut operator.options.words);
    if operator.options.quoted_input {
        let unquoted = words.iter().map(|word| options::unquoted(word)).collect();
        words = match unquoted {
            Some(words) => words,
            None => {
                out::text("Invalid quoted string\n");
                return Err(Failure::Told);
            }
        };
    }
    operator.fill_in(&mut words)?;
    operator.run_alone(&words)
}
