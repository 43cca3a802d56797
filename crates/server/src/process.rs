//! The process as the system sees it: its title, its limits, its score with the out-of-memory
//! killer, its pid file and its supervisor.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::{Path, PathBuf};

use parking_lot::Mutex;
use rustix::process::{Resource, Rlimit, Signal};
use spec::config::Id;

use crate::config::{Config, expand_title};
use crate::sys::{self, system_text};

/// File descriptors beside those of clients: listeners, log, data files, pollers.
const RESERVED_FILES: u64 = 32;

const OOM_FILE: &str = "/proc/self/oom_score_adj";
const OOM_SCORES: std::ops::RangeInclusive<i32> = -1000..=1000;

/// See the module's text.
#[derive(Debug, Default)]
pub(crate) struct Process {
    /// The command line.
    arguments: Vec<OsString>,
    /// The score that the process had before it was changed; none while it is not.
    oom_base: Mutex<Option<i32>>,
    /// Written at start, removed at the end.
    pid_file: Option<PathBuf>,
    supervisor: Option<Supervisor>,
}

/// Who wants to hear that the server is ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Supervisor {
    /// It waits until the process stops itself.
    Upstart,
    /// It has a socket for messages.
    Systemd,
}

impl Process {
    /// For a process with that command line.
    pub(crate) fn new(arguments: &[OsString], supervisor: Option<Supervisor>) -> Self {
        Self { arguments: arguments.to_vec(), supervisor, ..Self::default() }
    }

    /// The command line.
    pub(crate) fn arguments(&self) -> &[OsString] {
        &self.arguments
    }

    /// Writes the title that `proc-title-template` makes.
    pub(crate) fn show_title(&self, config: &Config) {
        if !config.bool(Id::SetProcTitle) {
            return;
        }
        let title =
            expand_title(config.text(Id::ProcTitleTemplate), |name| self.title_part(config, name));
        if let Some(title) = title {
            sys::set_title(&title);
        }
    }

    fn title_part(&self, config: &Config, name: &str) -> Vec<u8> {
        let port = config.int(Id::Port);
        let socket = config.text(Id::Unixsocket);
        match name {
            "title" => {
                self.arguments.first().map_or_else(Vec::new, |name| name.as_bytes().to_vec())
            }
            "listen-addr" if port == 0 => [b"unixsocket:", socket].concat(),
            "listen-addr" => {
                let first = config.list(Id::Bind).first().map_or(&b"*"[..], Vec::as_slice);
                [first, b":", port.to_string().as_bytes()].concat()
            }
            "config-file" => match config.file() {
                Some(path) => path.as_os_str().as_bytes().to_vec(),
                None => b"-".to_vec(),
            },
            "port" => port.to_string().into_bytes(),
            "tls-port" => config.int(Id::TlsPort).to_string().into_bytes(),
            "unixsocket" => socket.to_vec(),
            _ => Vec::new(),
        }
    }

    /// Sets the process's score with the out-of-memory killer as `oom-score-adj` says, or back to
    /// what it was.
    pub(crate) fn adjust_oom_score(&self, config: &Config) -> io::Result<()> {
        let mut base = self.oom_base.lock();
        let mode = config.choice(Id::OomScoreAdj);
        let wanted = config.oom_scores()[0];
        let score = match (mode, *base) {
            ("no", None) => return Ok(()),
            ("no", Some(base)) => base,
            (_, Some(base)) if mode != "absolute" => base + wanted,
            (_, None) => {
                let now = fs::read_to_string(OOM_FILE)?.trim().parse().unwrap_or(0);
                *base = Some(now);
                if mode == "absolute" { wanted } else { now + wanted }
            }
            _ => wanted,
        };
        let score = score.clamp(*OOM_SCORES.start(), *OOM_SCORES.end());
        fs::write(OOM_FILE, format!("{score}\n"))?;
        if mode == "no" {
            *base = None;
        }
        Ok(())
    }

    /// Writes the pid file; a server without one is a server all the same.
    pub(crate) fn write_pid_file(&mut self, path: &Path) {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        match fs::write(&path, format!("{}\n", std::process::id())) {
            Ok(()) => self.pid_file = Some(path),
            Err(error) => log::warn!("Failed to write PID file: {}", system_text(&error)),
        }
    }

    /// Who supervises it, as INFO says it.
    pub(crate) fn supervisor_name(&self) -> &'static str {
        match self.supervisor {
            Some(Supervisor::Upstart) => "upstart",
            Some(Supervisor::Systemd) => "systemd",
            None => "no",
        }
    }

    /// Tells the supervisor, if it listens.
    pub(crate) fn notify(&self, message: &str) {
        if self.supervisor != Some(Supervisor::Systemd) {
            return;
        }
        if let Err(error) = notify_systemd(message) {
            log::warn!("Telling systemd: {}", system_text(&error));
        }
    }

    /// Removes what the process has left outside of its data. Where that is not to be told, the
    /// reason why the process ends stays the last line of the log.
    pub(crate) fn clean_up(&self, config: &Config, tells: bool) {
        let remove = |what: &str, path: &Path| {
            if tells {
                log::info!("Removing the {what} file.");
            }
            if let Err(error) = fs::remove_file(path) {
                log::warn!("Removing {}: {}", path.display(), system_text(&error));
            }
        };
        if let Some(path) = &self.pid_file {
            remove("pid", path);
        }
        if let Some(path) = config.path(Id::Unixsocket) {
            remove("unix socket", path);
        }
    }
}

/// Finds out who supervises the process, and tells upstart that it has started.
pub(crate) fn supervised(config: &Config) -> Option<Supervisor> {
    let has = |variable| std::env::var_os(variable).is_some();
    match config.choice(Id::Supervised) {
        "auto" if has("UPSTART_JOB") => stop_for_upstart(),
        "auto" if has("NOTIFY_SOCKET") => greet_systemd(),
        "upstart" if has("UPSTART_JOB") => stop_for_upstart(),
        "upstart" => {
            log::warn!("upstart supervision requested, but UPSTART_JOB not found!");
            None
        }
        "systemd" if has("NOTIFY_SOCKET") => greet_systemd(),
        "systemd" => {
            log::warn!("systemd supervision requested, but NOTIFY_SOCKET not found!");
            None
        }
        _ => None,
    }
}

fn stop_for_upstart() -> Option<Supervisor> {
    log::info!("supervised by upstart, will stop to signal readiness.");
    if let Err(error) = rustix::process::kill_process(rustix::process::getpid(), Signal::STOP) {
        log::warn!("Stopping for upstart: {}", system_text(&error.into()));
    }
    Some(Supervisor::Upstart)
}

fn greet_systemd() -> Option<Supervisor> {
    match notify_systemd("STATUS=Reddle is loading...\n") {
        Ok(()) => Some(Supervisor::Systemd),
        Err(error) => {
            log::warn!("Telling systemd: {}", system_text(&error));
            None
        }
    }
}

/// Sends one message to the socket that systemd named; `@` stands for an abstract name.
fn notify_systemd(message: &str) -> io::Result<()> {
    let name = std::env::var_os("NOTIFY_SOCKET").unwrap_or_default().into_vec();
    let address = match name.strip_prefix(b"@") {
        Some(name) => abstract_address(name)?,
        None => SocketAddr::from_pathname(std::ffi::OsStr::from_bytes(&name))?,
    };
    UnixDatagram::unbound()?.send_to_addr(message.as_bytes(), &address)?;
    Ok(())
}

#[cfg(target_os = "linux")]
fn abstract_address(name: &[u8]) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn abstract_address(_: &[u8]) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

/// How many clients the process may have when it wants `maxclients`: raises the limit of open
/// files as far as needed and allowed. The error is a line for the log, when not even one client
/// could be served.
pub(crate) fn make_room_for_clients(maxclients: u64) -> Result<u64, String> {
    let needed = maxclients.saturating_add(RESERVED_FILES);
    let limit = rustix::process::getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    if current >= needed {
        return Ok(maxclients);
    }
    let raise = |to: u64, maximum: Option<u64>| {
        let limit = Rlimit { current: Some(to), maximum };
        rustix::process::setrlimit(Resource::Nofile, limit)
    };
    let allowed = limit.maximum.unwrap_or(u64::MAX);
    // Only a privileged process gets past the hard limit.
    let result = raise(needed, limit.maximum.map(|maximum| maximum.max(needed)));
    let Err(error) = result else {
        log::info!(
            "Increased maximum number of open files to {needed} (it was originally set to \
             {current})."
        );
        return Ok(maxclients);
    };
    let best = match raise(allowed, limit.maximum) {
        Ok(()) => allowed,
        Err(_) => current,
    };
    if best <= RESERVED_FILES {
        return Err(format!(
            "Your current 'ulimit -n' of {current} is not enough for the server to start. Please \
             increase your open file limit to at least {needed}. Exiting."
        ));
    }
    let possible = best - RESERVED_FILES;
    log::warn!(
        "You requested maxclients of {maxclients} requiring at least {needed} max file descriptors."
    );
    log::warn!(
        "Server can't set maximum open files to {needed} because of OS error: {}.",
        system_text(&error.into())
    );
    log::warn!(
        "Current maximum open files is {best}. maxclients has been reduced to {possible} to \
         compensate for low ulimit. If you need higher maxclients increase 'ulimit -n'."
    );
    Ok(possible)
}

/// Says so when the system shortens the queue of connections that `tcp-backlog` asks for.
pub(crate) fn check_backlog(config: &Config) {
    let wanted = config.int(Id::TcpBacklog);
    let text = fs::read_to_string("/proc/sys/net/core/somaxconn").unwrap_or_default();
    if let Ok(limit) = text.trim().parse::<i64>()
        && limit < wanted
    {
        log::warn!(
            "WARNING: The TCP backlog setting of {wanted} cannot be enforced because \
             /proc/sys/net/core/somaxconn is set to the lower value of {limit}."
        );
    }
}

/// Prints lines that are not the log's: answers on the standard output.
pub(crate) fn say(text: &[u8]) {
    // Whoever closed the other end does not want to know.
    io::stdout().write_all(text).ok();
}

/// As `say`, on the standard error.
pub(crate) fn complain(text: &[u8]) {
    // See `say`.
    io::stderr().write_all(text).ok();
}
