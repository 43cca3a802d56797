//! The command line of a conversion.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use persist::form::Form;

/// How it is called.
pub(super) const USAGE: &str = "\
Usage: reddle convert [options] IN OUT
  IN, OUT              a file of RDB or JSON, a folder with an append-only log, - for a pipe
  --from, --to FORM    rdb, json or aof; without it the name's ending decides (.rdb, .json)
  --rdb-version N      10 for Redis 7.0, 11 for Redis 7.2 and Valkey 8, 12 for Redis 7.4, 80 for
                       Valkey 9; without it the oldest from 11 on that can hold the data
  --databases N        how many databases a log may speak of (16)
  --force              writes over OUT
  --quiet              says nothing but why it failed";

/// Databases that a server has unless it is told otherwise.
const DATABASES: u32 = 16;

/// What stands at either end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    /// A file.
    Form(Form),
    /// A folder with a log.
    Aof,
}

/// What is wanted.
#[derive(Debug)]
pub(super) struct Wish {
    /// None for the standard input.
    pub input: Option<PathBuf>,
    /// None for the standard output.
    pub output: Option<PathBuf>,
    pub from: Kind,
    pub to: Kind,
    pub version: u16,
    pub databases: u32,
    pub force: bool,
    pub quiet: bool,
}

impl Wish {
    /// Reads the words behind `convert`.
    pub(super) fn parse(words: &[OsString]) -> Result<Self, String> {
        let (mut from, mut to, mut version, mut databases) = (None, None, 0, DATABASES);
        let (mut force, mut quiet, mut places) = (false, false, Vec::new());
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("{} needs a value", word.display()));
            match word.to_str() {
                Some("--from") => from = Some(kind(value()?)?),
                Some("--to") => to = Some(kind(value()?)?),
                Some("--rdb-version") => version = rdb_version(value()?)?,
                Some("--databases") => databases = number(value()?)?,
                Some("--force") => force = true,
                Some("--quiet") => quiet = true,
                Some(option) if option.starts_with('-') && option != "-" => {
                    return Err(format!("{option} is not known"));
                }
                _ => places.push(word),
            }
        }
        let [input, output] = places[..] else { return Err("two names are needed".to_owned()) };
        let form = |given: Option<Kind>, name: &OsStr, option: &str| {
            let unknown = || format!("{} needs {option}", name.display());
            given.or_else(|| super::kind_of(name)).ok_or_else(unknown)
        };
        Ok(Self {
            from: form(from, input, "--from")?,
            to: form(to, output, "--to")?,
            input: place(input),
            output: place(output),
            version,
            databases,
            force,
            quiet,
        })
    }
}

fn place(name: &OsStr) -> Option<PathBuf> {
    (name != "-").then(|| name.into())
}

fn kind(word: &OsString) -> Result<Kind, String> {
    match word.to_str() {
        Some("rdb") => Ok(Kind::Form(Form::Rdb)),
        Some("json") => Ok(Kind::Form(Form::Json)),
        Some("aof") => Ok(Kind::Aof),
        _ => Err(format!("{} is neither rdb, json nor aof", word.display())),
    }
}

fn number(word: &OsString) -> Result<u32, String> {
    let number = word.to_str().and_then(|text| text.parse().ok());
    number.filter(|number| *number > 0).ok_or(format!("{} is not a number", word.display()))
}

fn rdb_version(word: &OsString) -> Result<u16, String> {
    let number = word.to_str().and_then(|text| text.parse().ok());
    let known = number.filter(|number| matches!(number, 10..=12 | 80));
    known.ok_or(format!("{} is not a version that can be written", word.display()))
}
