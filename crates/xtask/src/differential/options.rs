//! The arguments of `cargo xtask differential`. Knows nothing of what they do.

use std::path::PathBuf;

use super::rows::GROUPS;

pub(super) const USAGE: &str = "usage: cargo xtask differential --peer FILE [--ours FILE] \
[--commands N] [--seed N] [--group NAME,...] [--threads N] [--resp 2|3] [--differences N] \
[--out DIR] [--replay FILE]";

/// What to compare and for how long.
#[derive(Debug)]
pub(super) struct Options {
    /// The server under test; by default the build beside this program.
    pub(super) ours: PathBuf,
    pub(super) peer: PathBuf,
    /// Commands for each version of the protocol.
    pub(super) commands: u64,
    pub(super) seed: u64,
    /// Indices in the list of groups; empty means all.
    pub(super) groups: Vec<usize>,
    /// Workers of our server.
    pub(super) threads: String,
    /// Versions of the protocol.
    pub(super) protocols: Vec<u8>,
    /// Different differences after which the run ends.
    pub(super) differences_max: usize,
    /// Where the scripts of differences go.
    pub(super) out: PathBuf,
    /// A script to run in place of generated commands.
    pub(super) replay: Option<PathBuf>,
}

impl Options {
    /// # Errors
    /// The usage line with what is wrong in front.
    pub(super) fn parse(args: &[String]) -> Result<Options, String> {
        let own = std::env::current_exe().map_err(|error| format!("own path: {error}"))?;
        let mut options = Options {
            ours: own.with_file_name("reddle"),
            peer: PathBuf::new(),
            commands: 1_000_000,
            seed: 1,
            groups: Vec::new(),
            threads: "1".to_owned(),
            protocols: vec![2, 3],
            differences_max: 20,
            out: own.with_file_name("differential"),
            replay: None,
        };
        let mut rest = args.iter();
        while let Some(name) = rest.next() {
            let value = rest.next().ok_or_else(|| format!("{name} needs a value\n{USAGE}"))?;
            options.set(name, value)?;
        }
        if options.peer.as_os_str().is_empty() {
            return Err(format!("--peer is missing\n{USAGE}"));
        }
        Ok(options)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "--ours" => self.ours = value.into(),
            "--peer" => self.peer = value.into(),
            "--commands" => self.commands = number(name, value)?,
            "--seed" => self.seed = number(name, value)?,
            "--group" => {
                self.groups = value.split(',').map(group).collect::<Result<_, _>>()?;
            }
            "--threads" => self.threads = number(name, value)?.to_string(),
            "--resp" if value == "2" => self.protocols = vec![2],
            "--resp" if value == "3" => self.protocols = vec![3],
            "--differences" => {
                self.differences_max = usize::try_from(number(name, value)?).unwrap_or(usize::MAX);
            }
            "--out" => self.out = value.into(),
            "--replay" => self.replay = Some(value.into()),
            _ => return Err(format!("no option {name} {value}\n{USAGE}")),
        }
        Ok(())
    }
}

fn number(name: &str, value: &str) -> Result<u64, String> {
    value.parse().map_err(|_| format!("{name} {value}: not a number"))
}

fn group(name: &str) -> Result<usize, String> {
    GROUPS.iter().position(|group| group.name == name).ok_or_else(|| {
        let names: Vec<&str> = GROUPS.iter().map(|group| group.name).collect();
        format!("no group {name}; there are {}", names.join(", "))
    })
}
