//! The arguments of `cargo xtask bench`. Knows nothing of what the measurements do with them.

use std::path::PathBuf;
use std::time::Duration;

/// Pipeline depths that are measured unless `--pipeline` says otherwise.
pub(super) const PIPELINES: [usize; 3] = [1, 16, 100];

pub(super) const USAGE: &str = "usage: cargo xtask bench [--peer FILE] [--ours FILE] \
[--only NAME,...] [--filter COMMAND,...] [--pipeline DEPTH,...] [--rounds N] [--seconds S] \
[--keys N] [--server-cpu N] [--load-cpu N] [--out DIR] [--quick]";

/// What to run and for how long.
pub(super) struct Options {
    /// The server under test; by default the release build beside this program.
    pub(super) ours: PathBuf,
    /// The server to compare with; without one the ratios to a peer are left out.
    pub(super) peer: Option<PathBuf>,
    /// Measurements to run; empty means all.
    pub(super) only: Vec<String>,
    /// Commands to measure, in upper case; empty means all.
    pub(super) filter: Vec<String>,
    pub(super) pipelines: Vec<usize>,
    pub(super) rounds: usize,
    /// Length of one measured window, without its warm-up.
    pub(super) window: Duration,
    pub(super) warmup: Duration,
    /// Keys in the keyspace of the command measurements.
    pub(super) keys: u64,
    pub(super) server_cpu: Option<usize>,
    pub(super) load_cpu: Option<usize>,
    pub(super) out: Option<PathBuf>,
    /// Short windows and fewer keys: figures to look at while developing, not to keep.
    pub(super) quick: bool,
}

impl Options {
    /// Reads the arguments; `names` are the measurements that `--only` may name.
    ///
    /// # Errors
    /// The usage line with what is wrong in front.
    pub(super) fn parse(args: &[String], names: &[&str]) -> Result<Options, String> {
        let mut options = Options::defaults(args.iter().any(|arg| arg == "--quick"))?;
        let mut rest = args.iter();
        while let Some(name) = rest.next() {
            if name == "--quick" {
                continue;
            }
            let value = rest.next().ok_or_else(|| format!("{name} needs a value\n{USAGE}"))?;
            options.set(name, value)?;
        }
        if let Some(unknown) = options.only.iter().find(|name| !names.contains(&name.as_str())) {
            return Err(format!("no measurement '{unknown}'; there are {}", names.join(", ")));
        }
        Ok(options)
    }

    /// Whether the filter lets a command through.
    pub(super) fn wants(&self, command: &str) -> bool {
        self.filter.is_empty() || self.filter.iter().any(|name| name.eq_ignore_ascii_case(command))
    }

    fn defaults(quick: bool) -> Result<Options, String> {
        let own = std::env::current_exe().map_err(|error| format!("own path: {error}"))?;
        Ok(Options {
            ours: own.with_file_name("reddle"),
            peer: None,
            only: Vec::new(),
            filter: Vec::new(),
            pipelines: PIPELINES.to_vec(),
            rounds: if quick { 1 } else { 3 },
            window: Duration::from_millis(if quick { 250 } else { 1000 }),
            warmup: Duration::from_millis(if quick { 50 } else { 150 }),
            keys: 1_000_000,
            server_cpu: None,
            load_cpu: None,
            out: None,
            quick,
        })
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "--peer" if value.is_empty() => self.peer = None,
            "--peer" => self.peer = Some(value.into()),
            "--ours" => self.ours = value.into(),
            "--only" => self.only = list(value),
            "--filter" => self.filter = list(&value.to_ascii_uppercase()),
            "--pipeline" => {
                self.pipelines = list(value)
                    .iter()
                    .map(|depth| positive(name, depth))
                    .collect::<Result<_, _>>()?;
            }
            "--rounds" => self.rounds = positive(name, value)?,
            "--seconds" => self.window = Duration::from_secs(positive(name, value)? as u64),
            "--keys" => self.keys = positive(name, value)? as u64,
            "--server-cpu" => self.server_cpu = Some(number(name, value)?),
            "--load-cpu" => self.load_cpu = Some(number(name, value)?),
            "--out" => self.out = Some(value.into()),
            _ => return Err(format!("no option {name}\n{USAGE}")),
        }
        Ok(())
    }
}

fn list(value: &str) -> Vec<String> {
    value.split(',').filter(|item| !item.is_empty()).map(str::to_owned).collect()
}

fn number(name: &str, value: &str) -> Result<usize, String> {
    value.parse().map_err(|_| format!("{name} {value}: not a number"))
}

fn positive(name: &str, value: &str) -> Result<usize, String> {
    match number(name, value)? {
        0 => Err(format!("{name} must be at least 1")),
        count => Ok(count),
    }
}
