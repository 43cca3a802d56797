//! A server process that lives as long as the value that started it.
//!
//! The port is free when it is looked for, and may be taken when the server binds; then another
//! one is tried. Every server has a folder of its own below the system's temporary folder.

#[cfg(test)]
mod tests;

use std::env;
use std::fs::{self, File};
use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::Client;

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(30);
const POLL_INTERVAL: Duration = Duration::from_millis(5);
const PORT_TRIES: u32 = 5;

/// The line that a server logs once its port answers.
const READY: &str = "Ready to accept connections";
const PORT_TAKEN: &str = "Address already in use";

/// A running server; it is killed and its folder removed when the value goes out of scope.
#[derive(Debug)]
pub struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Server {
    /// Starts the server with these options (`("threads", "4")` becomes `--threads 4`; a value is
    /// split at blanks) and waits until it answers.
    ///
    /// # Panics
    /// When there is no binary (see [`binary`]), or the server does not come up: with its log.
    #[must_use]
    pub fn start(options: &[(&str, &str)]) -> Server {
        Server::start_binary(&binary(), options)
    }

    /// As [`Server::start`], with the binary named by the caller; `REDDLE_BIN` goes before it.
    ///
    /// # Panics
    /// As [`Server::start`].
    #[must_use]
    pub fn start_binary(binary: &Path, options: &[(&str, &str)]) -> Server {
        let binary = env::var_os("REDDLE_BIN").map_or(binary.to_owned(), PathBuf::from);
        Server::start_exactly(&binary, options).unwrap_or_else(|text| panic!("{text}"))
    }

    /// As [`Server::start`], with this program whatever `REDDLE_BIN` says: any server that logs
    /// when it is ready, so that a peer can be started beside ours.
    ///
    /// # Errors
    /// Why the server does not come up, with its log.
    pub fn start_exactly(binary: &Path, options: &[(&str, &str)]) -> Result<Server, String> {
        for _ in 0..PORT_TRIES {
            match Server::try_start(binary, options) {
                Ok(server) => return Ok(server),
                Err(log) if log.contains(PORT_TAKEN) => {}
                Err(log) => return Err(format!("{} did not start:\n{log}", binary.display())),
            }
        }
        Err(format!("no free port found in {PORT_TRIES} tries"))
    }

    /// A new connection that speaks RESP2.
    ///
    /// # Panics
    /// When the server does not accept it.
    #[must_use]
    pub fn client(&self) -> Client {
        Client::connect(self.port)
            .unwrap_or_else(|error| panic!("no connection: {error}\n{}", self.log()))
    }

    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder that the server works in, where its files appear.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The process, for signals and the kernel's accounting.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Everything that the server has printed so far.
    #[must_use]
    pub fn log(&self) -> String {
        read_log(&self.folder)
    }

    /// Waits until the process has ended by itself, after SHUTDOWN or a signal.
    ///
    /// # Panics
    /// When it still runs after half a minute.
    pub fn wait(&mut self) -> ExitStatus {
        let end = Instant::now() + STOP_LIMIT;
        loop {
            match self.child.try_wait() {
                Ok(Some(status)) => return status,
                Ok(None) if Instant::now() < end => thread::sleep(POLL_INTERVAL),
                Ok(None) => panic!("still running:\n{}", self.log()),
                Err(error) => panic!("cannot wait for the server: {error}"),
            }
        }
    }

    /// The error is the log of a server that gave up, or that never got ready.
    fn try_start(binary: &Path, options: &[(&str, &str)]) -> Result<Server, String> {
        let port = free_port().map_err(|error| format!("no free port: {error}"))?;
        let folder = new_folder(port).map_err(|error| format!("no folder: {error}"))?;
        let child = spawn(binary, port, &folder, options)
            .map_err(|error| format!("cannot run {}: {error}", binary.display()))?;
        let mut server = Server { child, port, folder };
        let end = Instant::now() + START_LIMIT;
        while !server.log().contains(READY) {
            let ended = !matches!(server.child.try_wait(), Ok(None));
            if ended || Instant::now() > end {
                return Err(server.log());
            }
            thread::sleep(POLL_INTERVAL);
        }
        Ok(server)
    }
}

#[expect(clippy::print_stderr, reason = "the log explains the failure that is being reported")]
impl Drop for Server {
    fn drop(&mut self) {
        // Nothing can be done about a failure here: the process or the folder is gone already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if thread::panicking() {
            eprintln!("the log of the server on port {}:\n{}", self.port, self.log());
        }
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Servers of others to compare with: those that `REDDLE_PEERS` lists, or else those that are
/// installed.
#[must_use]
pub fn peers() -> Vec<PathBuf> {
    if let Some(named) = env::var_os("REDDLE_PEERS") {
        return env::split_paths(&named).collect();
    }
    let path = env::var_os("PATH").unwrap_or_default();
    let find = |name: &str| {
        let mut places = env::split_paths(&path).map(|folder| folder.join(name));
        places.find(|place| place.is_file())
    };
    ["redis-server", "valkey-server"].into_iter().filter_map(find).collect()
}

/// The server to test: `REDDLE_BIN`, or else what was built beside the running test.
///
/// # Panics
/// When there is neither.
#[must_use]
pub fn binary() -> PathBuf {
    if let Some(path) = env::var_os("REDDLE_BIN") {
        return path.into();
    }
    let Ok(test) = env::current_exe() else { panic!("the test does not know its own path") };
    let profile = test.ancestors().skip(1).find(|folder| !folder.ends_with("deps"));
    let target = profile.and_then(Path::parent).unwrap_or(Path::new("target"));
    let beside = profile.map(|folder| folder.join("reddle"));
    let others = ["checked", "release", "debug"].map(|name| target.join(name).join("reddle"));
    let found = beside.into_iter().chain(others).find(|path| path.is_file());
    let Some(found) = found else {
        panic!("no server in {}: build it, or set REDDLE_BIN", target.display())
    };
    found
}

fn spawn(binary: &Path, port: u16, folder: &Path, options: &[(&str, &str)]) -> io::Result<Child> {
    let log = File::create(folder.join("log"))?;
    let mut command = Command::new(binary);
    command.current_dir(folder).stdin(Stdio::null());
    command.stdout(log.try_clone()?).stderr(log);
    command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
    for (name, value) in options {
        command.arg(format!("--{name}"));
        match *value {
            "" => command.arg(""),
            value => command.args(value.split(' ')),
        };
    }
    command.spawn()
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

/// A folder for one server. Two may be given the same port, of which one finds it taken: its log
/// must not come over that of the other.
fn new_folder(port: u16) -> io::Result<PathBuf> {
    static STARTED: AtomicUsize = AtomicUsize::new(0);
    let (process, number) = (std::process::id(), STARTED.fetch_add(1, Ordering::Relaxed));
    let folder = env::temp_dir().join(format!("reddle-test-{process}-{port}-{number}"));
    fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn read_log(folder: &Path) -> String {
    fs::read(folder.join("log"))
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .unwrap_or_default()
}
