//! The log: lines in the format of Redis on the standard output, in a file or to syslog, or as
//! JSON or logfmt on request.
//!
//! Everybody writes through the macros of the `log` crate: `trace!` is Redis's debug, `debug!` its
//! verbose, `info!` its notice, `warn!` and `error!` its warning. Before `open`, lines go to the
//! standard output. Whether a line could be written is nobody's concern: there is no better place
//! to complain.
//!
//! A log file is opened for every line, so that it can be renamed or cut short at any time; lines
//! are rare.

mod line;
mod syslog;

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU8, Ordering};

use log::{Level, LevelFilter, Log, Metadata, Record};
use spec::config::Id;

use self::line::{Format, Line, Timestamp};
use self::syslog::{SOCKET, Syslog};
use crate::clock;
use crate::config::Config;

/// The process's one log.
static SINK: Sink =
    Sink { format: AtomicU8::new(0), timestamp: AtomicU8::new(0), target: OnceLock::new() };

struct Sink {
    /// See `Format`.
    format: AtomicU8,
    /// See `Timestamp`.
    timestamp: AtomicU8,
    /// None before `open`.
    target: OnceLock<Target>,
}

struct Target {
    /// The standard output when there is none.
    file: Option<PathBuf>,
    syslog: Option<Syslog>,
}

/// Begins to log as the configuration says. A relative `logfile` lies in the present working
/// directory, wherever that is later.
pub fn open(config: &Config) {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let target = Target {
        file: config.path(Id::Logfile).map(absolute),
        syslog: config.bool(Id::SyslogEnabled).then(|| {
            let ident = String::from_utf8_lossy(config.text(Id::SyslogIdent)).into_owned();
            Syslog::new(SOCKET, ident, config.choice_number(Id::SyslogFacility))
        }),
    };
    configure(config);
    // Only a second call fails, and then the log is open already.
    SINK.target.set(target).ok();
    log::set_logger(&SINK).ok();
}

/// Takes over what can change at run time: level, format, time stamps.
pub fn configure(config: &Config) {
    log::set_max_level(match config.choice(Id::Loglevel) {
        "debug" => LevelFilter::Trace,
        "verbose" => LevelFilter::Debug,
        "notice" => LevelFilter::Info,
        "warning" => LevelFilter::Warn,
        _ => LevelFilter::Off,
    });
    let format = Format::of(config.choice(Id::LogFormat));
    SINK.format.store(format as u8, Ordering::Relaxed);
    let timestamp = Timestamp::of(config.choice(Id::LogTimestampFormat));
    SINK.timestamp.store(timestamp as u8, Ordering::Relaxed);
}

/// Whether lines go to the standard output and nowhere else.
pub fn is_on_terminal() -> bool {
    let is_plain = |target: &Target| target.file.is_none() && target.syslog.is_none();
    SINK.target.get().is_none_or(is_plain) && io::IsTerminal::is_terminal(&io::stdout())
}

/// Writes several lines as they are, at the level notice.
pub fn raw(text: &str) {
    if log::max_level() >= LevelFilter::Info {
        SINK.write(Level::Info, text, text);
    }
}

impl Log for Sink {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        // The details of libraries would drown the server's own.
        let is_ours = !["mio", "polling", "rustls"].iter().any(|name| {
            metadata
                .target()
                .strip_prefix(name)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
        });
        metadata.level() <= log::max_level() && (is_ours || metadata.level() <= Level::Warn)
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        let text = record.args().to_string();
        let line = Line {
            pid: std::process::id(),
            unix_us: clock::unix_us(),
            level: record.level(),
            text: &text,
        };
        let format = Format::from_number(self.format.load(Ordering::Relaxed));
        let timestamp = Timestamp::from_number(self.timestamp.load(Ordering::Relaxed));
        let shown = line.show(format, timestamp);
        self.write(record.level(), &text, &shown);
    }

    fn flush(&self) {}
}

impl Sink {
    /// Writes `line` with its line end, and `text` to syslog, which has a format of its own.
    fn write(&self, level: Level, text: &str, line: &str) {
        let target = self.target.get();
        let written = match target.and_then(|target| target.file.as_ref()) {
            None => {
                let mut stdout = io::stdout().lock();
                stdout.write_all(line.as_bytes()).and_then(|()| stdout.flush())
            }
            Some(path) => append(path, line),
        };
        // See the module's text.
        written.ok();
        if let Some(syslog) = target.and_then(|target| target.syslog.as_ref()) {
            syslog.write(level, text);
        }
    }
}

fn append(path: &Path, line: &str) -> io::Result<()> {
    OpenOptions::new().append(true).create(true).open(path)?.write_all(line.as_bytes())
}

#[cfg(test)]
mod tests;
