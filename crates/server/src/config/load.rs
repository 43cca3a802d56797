//! Reading the configuration at start: the file, then the standard input, then the environment,
//! then the command line. What comes later wins.
//!
//! Must not change the process: relative names are resolved against the value of `dir` as it
//! stands where they are read. The only file that is touched is the log file, which is opened once
//! so that a start without a log is refused.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use resp::inline;
use spec::config::{DIRECTIVES, Directive, Effect, Flags, Id, Kind};

use super::cli::Startup;
use super::value::Save;
use super::{Config, Rename, dir, find, glob, has_value, names};
use crate::sys::system_text;

const VARIABLE_PREFIX: &[u8] = b"REDDLE_";
const SECRET_SUFFIX: &[u8] = b"_FILE";

/// What `load` reads beside files.
pub struct Inputs<'a> {
    /// Read to its end when the command line says `-`.
    pub stdin: &'a mut dyn Read,
    /// The environment. Variables that do not start with `REDDLE_` are passed over.
    pub variables: Vec<(OsString, OsString)>,
    /// Whether a command has this name; `rename-command` asks.
    pub command_exists: &'a dyn Fn(&[u8]) -> bool,
}

/// A line for the log, to be written once the log is open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    pub severity: Severity,
    pub text: String,
}

/// How loud a notice is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is lost.
    Notice,
    /// Something that was asked for does not happen.
    Warning,
}

/// Where a directive was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    File(PathBuf),
    Stdin,
    /// A variable of the environment.
    Variable(String),
    CommandLine,
}

/// Why the server does not start. The process ends with status 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StartError {
    /// A directive is wrong. Lines count from 1; secrets of the environment are not in `text`.
    Line { source: Source, line: usize, text: Vec<u8>, reason: String },
    /// A file that must be there cannot be read.
    Unreadable { path: PathBuf, reason: String },
    /// Each directive is right, but they cannot be used together or now.
    Unusable { reason: String },
}

impl StartError {
    /// What goes to the standard error. `title` names the program and its version.
    pub fn report(&self, title: &str) -> Vec<u8> {
        let head = format!("\n*** FATAL CONFIG FILE ERROR ({title}) ***\n");
        match self {
            StartError::Unreadable { path, reason } => {
                let path = path.display();
                format!("Fatal error, can't open config file '{path}': {reason}\n").into()
            }
            StartError::Unusable { reason } => format!("{head}{reason}\n").into(),
            StartError::Line { source, line, text, reason } => {
                let place = match source {
                    Source::File(path) => format!("at line {line} of {}", path.display()),
                    Source::Stdin => format!("at line {line} of the standard input"),
                    Source::Variable(name) => format!("at the environment variable {name}"),
                    Source::CommandLine => format!("at option {line} of the command line"),
                };
                let place = format!("Reading the configuration file, {place}\n>>> '");
                let rest = format!("'\n{reason}\n");
                [head.as_bytes(), place.as_bytes(), text, rest.as_bytes()].concat()
            }
        }
    }
}

impl Config {
    /// Reads everything that `startup` and `inputs` name. The notices are for the log.
    pub fn load(
        startup: &Startup,
        inputs: Inputs<'_>,
    ) -> Result<(Config, Vec<Notice>), StartError> {
        let mut loader = Loader {
            config: Config { file: startup.file.clone(), ..Config::default() },
            explicit: vec![false; DIRECTIVES.len()],
            notices: Vec::new(),
            open: Vec::new(),
            command_exists: inputs.command_exists,
        };
        if let Some(path) = &startup.file {
            loader.read_files(path)?;
        }
        if startup.read_stdin {
            let mut content = Vec::new();
            inputs.stdin.read_to_end(&mut content).map_err(|error| StartError::Unreadable {
                path: PathBuf::from("-"),
                reason: system_text(&error),
            })?;
            loader.read_lines(&Source::Stdin, &content)?;
        }
        loader.read_variables(inputs.variables)?;
        loader.read_lines(&Source::CommandLine, &startup.options)?;
        loader.finish()
    }
}

/// A directive's line went wrong: here, or in a file that it includes.
enum Fault {
    Here(String),
    Included(StartError),
}

impl<T: Into<String>> From<T> for Fault {
    fn from(reason: T) -> Fault {
        Fault::Here(reason.into())
    }
}

struct Loader<'a> {
    config: Config,
    /// By `Id`: somebody has set this directive.
    explicit: Vec<bool>,
    notices: Vec<Notice>,
    /// The files being read, the outermost first; one that includes itself would never end.
    open: Vec<PathBuf>,
    command_exists: &'a dyn Fn(&[u8]) -> bool,
}

impl Loader<'_> {
    /// Reads the file `path`, or every file that matches it if it is a pattern.
    fn read_files(&mut self, path: &Path) -> Result<(), StartError> {
        if glob::is_pattern(path.as_os_str().as_bytes()) {
            let files = glob::paths(path).into_iter().filter(|path| !path.is_dir());
            return files.collect::<Vec<_>>().iter().try_for_each(|path| self.read_file(path));
        }
        self.read_file(path)
    }

    fn read_file(&mut self, path: &Path) -> Result<(), StartError> {
        let unreadable =
            |reason: String| StartError::Unreadable { path: path.to_path_buf(), reason };
        let real = path.canonicalize().map_err(|error| unreadable(system_text(&error)))?;
        if self.open.contains(&real) {
            return Err(unreadable("The file includes itself".into()));
        }
        let content = fs::read(&real).map_err(|error| unreadable(system_text(&error)))?;
        self.open.push(real);
        self.read_lines(&Source::File(path.to_path_buf()), &content)?;
        self.open.pop();
        Ok(())
    }

    fn read_lines(&mut self, source: &Source, content: &[u8]) -> Result<(), StartError> {
        for (at, line) in content.split(|&byte| byte == b'\n').enumerate() {
            let line = line.trim_ascii();
            if line.is_empty() || line[0] == b'#' {
                continue;
            }
            let fault = match inline::split_touching(line) {
                Err(_) => Fault::from("Unbalanced quotes in configuration line"),
                Ok(words) => match self.apply(&words) {
                    Ok(()) => continue,
                    Err(fault) => fault,
                },
            };
            return Err(match fault {
                Fault::Included(error) => error,
                Fault::Here(reason) => StartError::Line {
                    source: source.clone(),
                    line: at + 1,
                    text: line.to_vec(),
                    reason,
                },
            });
        }
        Ok(())
    }

    /// Applies one directive: its name and its arguments.
    fn apply(&mut self, words: &[Vec<u8>]) -> Result<(), Fault> {
        let Some((name, arguments)) = words.split_first() else { return Ok(()) };
        let Some(row) = find(name) else {
            return self.apply_unknown(name, arguments);
        };
        match row.kind {
            Kind::Line => self.apply_line(row, arguments)?,
            Kind::Ignored if arguments.len() != 1 => {
                return Err("Bad directive or wrong number of arguments".into());
            }
            Kind::Ignored => {}
            _ => self.apply_value(row, arguments)?,
        }
        self.explicit[row.id as usize] = true;
        Ok(())
    }

    fn apply_value(&mut self, row: &Directive, arguments: &[Vec<u8>]) -> Result<(), Fault> {
        let split;
        let arguments = match arguments {
            [one] if row.flags.contains(Flags::MULTI_ARG) && !one.is_empty() => {
                split = inline::split_touching(one)
                    .map_err(|_| "Unbalanced quotes in configuration line")?;
                &split
            }
            _ => arguments,
        };
        if !row.flags.contains(Flags::MULTI_ARG) && arguments.len() != 1 {
            return Err("wrong number of arguments".into());
        }
        // The first `save` of a configuration replaces the defaults, the others add to it.
        let save = if self.explicit[row.id as usize] { Save::Extend } else { Save::Replace };
        let value = self.config.value(row.id).read(row, arguments, save)?;
        self.config.put(row.id, value);
        Ok(())
    }

    fn apply_line(&mut self, row: &Directive, arguments: &[Vec<u8>]) -> Result<(), Fault> {
        match (row.id, arguments) {
            (Id::Include, [name]) => {
                let path = dir::join(self.config.text(Id::Dir), name);
                self.read_files(&path).map_err(Fault::Included)
            }
            (Id::RenameCommand, [command, name]) => self.rename(command, name),
            (Id::User | Id::Loadmodule, [_, ..]) => Ok(()),
            (Id::Sentinel, []) => Ok(()),
            (Id::Sentinel, _) => Err("sentinel directive while not in sentinel mode".into()),
            _ => Err("Bad directive or wrong number of arguments".into()),
        }
    }

    fn rename(&mut self, command: &[u8], name: &[u8]) -> Result<(), Fault> {
        if !self.is_command(command) {
            return Err("No such command in rename-command".into());
        }
        let renames = &mut self.config.renames;
        renames.push(Rename { command: command.to_vec(), name: Vec::new() });
        if name.is_empty() {
            return Ok(());
        }
        if self.is_command(name) {
            return Err("Target command name already exists".into());
        }
        if let Some(last) = self.config.renames.last_mut() {
            last.name = name.to_vec();
        }
        Ok(())
    }

    /// Whether `name` is a command after the renames so far.
    fn is_command(&self, name: &[u8]) -> bool {
        let mut exists = (self.command_exists)(name);
        for rename in &self.config.renames {
            if rename.command.eq_ignore_ascii_case(name) {
                exists = false;
            }
            if rename.name.eq_ignore_ascii_case(name) {
                exists = true;
            }
        }
        exists
    }

    /// A name with a dot belongs to a module.
    fn apply_unknown(&mut self, name: &[u8], arguments: &[Vec<u8>]) -> Result<(), Fault> {
        if !name.contains(&b'.') {
            return Err("Bad directive or wrong number of arguments".into());
        }
        if arguments.is_empty() {
            return Err("Module config specified without value".into());
        }
        let name = String::from_utf8_lossy(name);
        self.warn(format!("'{name}' has no effect: native modules cannot be loaded"));
        Ok(())
    }

    /// Applies `REDDLE_PORT=7000` as `port 7000`, and `REDDLE_REQUIREPASS_FILE=/run/secret` as
    /// `requirepass` with the content of that file.
    fn read_variables(&mut self, variables: Vec<(OsString, OsString)>) -> Result<(), StartError> {
        let ours =
            variables.into_iter().filter(|(name, _)| name.as_bytes().starts_with(VARIABLE_PREFIX));
        let mut ours: Vec<(OsString, OsString)> = ours.collect();
        ours.sort();
        for (name, value) in &ours {
            let option = &name.as_bytes()[VARIABLE_PREFIX.len()..];
            let shown = name.to_string_lossy().into_owned();
            if let Some(row) = find_by_variable(option) {
                // Container platforms describe a service called "reddle" with such variables.
                if row.id == Id::Port && value.as_bytes().starts_with(b"tcp://") {
                    self.warn(format!("{shown} is ignored: it holds the address of a service"));
                    continue;
                }
                self.apply_variable(row, shown, value.as_bytes())?;
            } else if let Some(row) = find_secret(option) {
                let base = [VARIABLE_PREFIX, &option[..option.len() - SECRET_SUFFIX.len()]];
                if ours.iter().any(|(other, _)| other.as_bytes() == base.concat()) {
                    let both = String::from_utf8_lossy(&base.concat()).into_owned();
                    let reason = format!("{both} and {shown} are both set");
                    return Err(StartError::Unusable { reason });
                }
                let secret = read_secret(&shown, value)?;
                self.apply_variable(row, shown, &secret)?;
            } else {
                self.warn(format!("{shown} is ignored: no option has this name"));
            }
        }
        Ok(())
    }

    fn apply_variable(
        &mut self,
        row: &Directive,
        variable: String,
        value: &[u8],
    ) -> Result<(), StartError> {
        match self.apply(&[row.name.into(), value.to_vec()]) {
            Ok(()) => Ok(()),
            Err(Fault::Included(error)) => Err(error),
            Err(Fault::Here(reason)) => {
                let secret = row.flags.contains(Flags::SENSITIVE);
                let value = if secret { b"(secret)" } else { value };
                let text = [row.name.as_bytes(), b" ", value].concat();
                Err(StartError::Line { source: Source::Variable(variable), line: 1, text, reason })
            }
        }
    }

    fn finish(mut self) -> Result<(Config, Vec<Notice>), StartError> {
        let unusable = |reason: String| Err(StartError::Unusable { reason });
        if let Some(name) = self.config.text_if_set(Id::Logfile).filter(|name| !name.is_empty()) {
            let path = dir::join(self.config.text(Id::Dir), name);
            if let Err(error) = fs::OpenOptions::new().append(true).create(true).open(path) {
                let reason = system_text(&error);
                return unusable(format!("Can't open the log file: {reason}"));
            }
        }
        if self.config.bool(Id::ClusterEnabled) && self.config.primary().is_some() {
            return unusable("replicaof directive not allowed in cluster mode".into());
        }
        for row in DIRECTIVES.iter().filter(|row| self.explicit[row.id as usize]) {
            let same = has_value(row) && self.config.is_initial(row.id);
            match row.effect {
                Effect::Works => {}
                Effect::NoEffect(why) => self.notices.push(Notice {
                    severity: Severity::Notice,
                    text: format!("'{}' has no effect: {why}", row.name),
                }),
                // Whoever writes the default asks for nothing that is missing.
                Effect::Planned(_) if same => {}
                Effect::Planned(capability) => self.notices.push(Notice {
                    severity: Severity::Warning,
                    text: format!(
                        "'{}' has no effect: this version does not have {capability} yet",
                        row.name
                    ),
                }),
            }
        }
        Ok((self.config, self.notices))
    }

    fn warn(&mut self, text: String) {
        self.notices.push(Notice { severity: Severity::Warning, text });
    }
}

/// `TCP_KEEPALIVE` means `tcp-keepalive`; only directives with a value are options.
fn find_by_variable(option: &[u8]) -> Option<&'static Directive> {
    let same = |name: &str| {
        let bytes = name.bytes().map(|byte| if byte == b'-' { b'_' } else { byte });
        bytes.map(|byte| byte.to_ascii_uppercase()).eq(option.iter().copied())
    };
    DIRECTIVES.iter().find(|row| has_value(row) && names(row).any(same))
}

fn find_secret(option: &[u8]) -> Option<&'static Directive> {
    let row = find_by_variable(option.strip_suffix(SECRET_SUFFIX)?)?;
    row.flags.contains(Flags::SENSITIVE).then_some(row)
}

/// The content of a secret's file without the line end that editors leave.
fn read_secret(variable: &str, path: &OsStr) -> Result<Vec<u8>, StartError> {
    let mut secret = fs::read(path).map_err(|error| StartError::Unusable {
        reason: format!(
            "Can't read the file '{}' that {variable} names: {}",
            path.display(),
            system_text(&error)
        ),
    })?;
    if secret.ends_with(b"\n") {
        secret.pop();
    }
    if secret.ends_with(b"\r") {
        secret.pop();
    }
    Ok(secret)
}

#[cfg(test)]
mod tests;
