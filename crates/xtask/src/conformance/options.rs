//! The command line of `cargo xtask conformance`.
//!
//! Knows the spelling of the options and nothing of what they do.

use std::time::Duration;

pub(super) const HELP: &str = "\
cargo xtask conformance [options]
  --unit NAME...     run these units (type/string, integration/aof, ...)
  --test NAME        run one test (a name, or /regex with --unit)
  --all              run every unit of the suite
  --ci               the units of tests/conformance/units.txt, with one retry and a time limit
  --discover         run until every unit reached its end, setting aside what stops it
  --try-skipped      run the skipped tests too (to see which of them pass by now)
  --accept           add newly passing tests to the expected list
  --list WHAT        print the lists: expected or skipped
  --clients N        units that run at the same time
  --time-limit S     seconds for the whole run
  --unit-limit S     seconds for one unit
  --stall-limit S    seconds without any progress after which a unit is given up
  --keep             leave the scratch trees, with the servers' logs, where they are
  --require          fail when the suite cannot be had
Without options: the units of tests/conformance/units.txt.
Environment: VALKEY_SRC (a source tree), REDDLE_BIN (the binary to test).";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Run,
    Discover,
    ListExpected,
    ListSkipped,
}

/// Everything that the command line can say.
#[derive(Debug)]
pub(super) struct Options {
    pub(super) mode: Mode,
    pub(super) units: Vec<String>,
    pub(super) test: Option<String>,
    pub(super) all: bool,
    pub(super) retry: bool,
    pub(super) try_skipped: bool,
    pub(super) accept: bool,
    pub(super) keep: bool,
    pub(super) require: bool,
    pub(super) clients: usize,
    pub(super) time_limit: Duration,
    pub(super) unit_limit: Duration,
    pub(super) stall_limit: Duration,
}

impl Options {
    /// Reads the arguments after the task's name.
    ///
    /// # Errors
    /// A text that names the argument nobody understands.
    pub(super) fn parse(args: &[String]) -> Result<Options, String> {
        let mut options = Options::standard();
        let mut args = args.iter().peekable();
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--unit" => {
                    while let Some(unit) = args.next_if(|next| !next.starts_with("--")) {
                        options.units.push(unit.clone());
                    }
                }
                "--test" => options.test = Some(value(arg, args.next())?),
                "--discover" => {
                    options.mode = Mode::Discover;
                    while let Some(unit) = args.next_if(|next| !next.starts_with("--")) {
                        options.units.push(unit.clone());
                    }
                }
                "--all" => options.all = true,
                "--ci" => {
                    options.retry = true;
                    options.time_limit = Duration::from_secs(24 * 60);
                }
                "--try-skipped" => options.try_skipped = true,
                "--accept" => options.accept = true,
                "--keep" => options.keep = true,
                "--require" => options.require = true,
                "--list" => options.mode = list_mode(&value(arg, args.next())?)?,
                "--clients" => options.clients = number(arg, args.next())?.clamp(1, 16) as usize,
                "--time-limit" => options.time_limit = seconds(arg, args.next())?,
                "--unit-limit" => options.unit_limit = seconds(arg, args.next())?,
                "--stall-limit" => options.stall_limit = seconds(arg, args.next())?,
                _ => return Err(format!("unknown option {arg:?}; see --help")),
            }
        }
        Ok(options)
    }

    fn standard() -> Options {
        // Most of a unit's time is spent waiting for timers, so two of them share a core well;
        // more of them make the suite's own timing checks fail.
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Options {
            mode: Mode::Run,
            units: Vec::new(),
            test: None,
            all: false,
            retry: false,
            try_skipped: false,
            accept: false,
            keep: false,
            require: false,
            clients: cores.clamp(1, 8),
            time_limit: Duration::from_secs(3 * 3600),
            unit_limit: Duration::from_secs(15 * 60),
            stall_limit: Duration::from_secs(90),
        }
    }
}

fn list_mode(what: &str) -> Result<Mode, String> {
    match what {
        "expected" => Ok(Mode::ListExpected),
        "skipped" => Ok(Mode::ListSkipped),
        _ => Err(format!("--list takes expected or skipped, not {what:?}")),
    }
}

fn value(option: &str, given: Option<&String>) -> Result<String, String> {
    given.cloned().ok_or_else(|| format!("{option} needs a value"))
}

fn number(option: &str, given: Option<&String>) -> Result<u32, String> {
    let text = value(option, given)?;
    text.parse().map_err(|_| format!("{option} takes a number, not {text:?}"))
}

fn seconds(option: &str, given: Option<&String>) -> Result<Duration, String> {
    Ok(Duration::from_secs(u64::from(number(option, given)?)))
}
