//! Servers as child processes: started in a directory of their own, pinned, paused, and their CPU
//! time and memory read from `/proc`.
//!
//! The settings are the same for both servers but for `--threads`, which only ours knows.

use std::fs::{self, File};
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use loadgen::affinity;
use rustix::process::{Pid, Signal, kill_process};

use super::client::{Client, Reply};
use super::options::Options;

const START_LIMIT: Duration = Duration::from_secs(20);

/// Which of the programs a figure belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Ours,
    Peer,
    Floor,
}

impl Kind {
    /// The servers that this run compares, and the null responder where it makes sense.
    pub(super) fn all(options: &Options, with_floor: bool) -> Vec<Kind> {
        let mut kinds = vec![Kind::Ours];
        kinds.extend(options.peer.is_some().then_some(Kind::Peer));
        kinds.extend(with_floor.then_some(Kind::Floor));
        kinds
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Kind::Ours => "ours",
            Kind::Peer => "peer",
            Kind::Floor => "floor",
        }
    }

    /// What a reader who has not seen the command line calls it.
    pub(super) fn label(self, options: &Options) -> String {
        match (self, &options.peer) {
            (Kind::Peer, Some(peer)) => program_name(&version(peer)),
            (Kind::Ours, _) => program_name(&version(&options.ours)),
            _ => "null responder".to_owned(),
        }
    }
}

/// The cores of this process, and which of them a server and the generator get.
#[derive(Clone)]
pub(super) struct Cpus {
    pub(super) server: Vec<usize>,
    pub(super) load: Vec<usize>,
    pub(super) all: Vec<usize>,
}

impl Cpus {
    /// The first core for the server and the second for the generator, unless the options differ.
    pub(super) fn choose(options: &Options) -> Cpus {
        let all = affinity::get();
        let first = all.first().copied().unwrap_or(0);
        let server = options.server_cpu.unwrap_or(first);
        let other = all.iter().copied().find(|&cpu| cpu != server).unwrap_or(server);
        Cpus { server: vec![server], load: vec![options.load_cpu.unwrap_or(other)], all }
    }
}

/// Restricts the calling thread, and what it starts from now on, to these cores.
fn pin(cpus: &[usize]) {
    if !affinity::pin(cpus) {
        eprintln!("cannot pin to {cpus:?}");
    }
}

/// A running server; killed, and its directory removed, when dropped.
pub(super) struct Server {
    pub(super) kind: Kind,
    pub(super) address: SocketAddr,
    child: Child,
    dir: PathBuf,
}

impl Server {
    /// Starts one on `cpus` and waits until it answers. `extra` goes to the servers' command line,
    /// not to the null responder's.
    ///
    /// # Errors
    /// A program that cannot be started, exits at once, or does not answer; its log is in the text.
    pub(super) fn start(
        options: &Options,
        kind: Kind,
        cpus: &[usize],
        extra: &[&str],
    ) -> Result<Server, String> {
        let port = free_port().map_err(|error| format!("free port: {error}"))?;
        let dir = fresh_directory(port).map_err(|error| format!("temporary directory: {error}"))?;
        let address = SocketAddr::from(([127, 0, 0, 1], port));
        let mut command = command(options, kind, address, &dir, extra)?;
        let log = File::create(dir.join("log")).map_err(|error| format!("log: {error}"))?;
        let errors = log.try_clone().map_err(|error| format!("log: {error}"))?;
        command.current_dir(&dir).stdin(Stdio::null()).stdout(log).stderr(errors);
        let before = affinity::get();
        pin(cpus);
        let child = command.spawn();
        pin(&before);
        let child = child.map_err(|error| format!("{}: cannot start: {error}", kind.name()))?;
        let mut server = Server { kind, address, child, dir };
        server.await_answer()?;
        Ok(server)
    }

    pub(super) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Stops the process in place, so that a server that waits for its turn costs nothing.
    pub(super) fn pause(&self) {
        self.signal(Signal::STOP);
    }

    pub(super) fn resume(&self) {
        self.signal(Signal::CONT);
    }

    pub(super) fn client(&self) -> Result<Client, String> {
        Client::connect(self.address).map_err(|text| format!("{}: {text}", self.kind.name()))
    }

    fn signal(&self, signal: Signal) {
        if let Some(pid) = i32::try_from(self.pid()).ok().and_then(Pid::from_raw) {
            // A process that is gone shows itself at the next request.
            let _ = kill_process(pid, signal);
        }
    }

    fn await_answer(&mut self) -> Result<(), String> {
        let started = Instant::now();
        loop {
            if let Ok(mut client) = Client::connect(self.address)
                && let Ok(Reply::Text(_)) = client.call(&["PING"])
            {
                return Ok(());
            }
            let gone = self.child.try_wait().map_err(|error| error.to_string())?;
            if gone.is_some() || started.elapsed() > START_LIMIT {
                let log = fs::read_to_string(self.dir.join("log")).unwrap_or_default();
                let tail: Vec<&str> = log.lines().rev().take(10).collect();
                let tail: Vec<&str> = tail.into_iter().rev().collect();
                return Err(format!("{} does not answer:\n{}", self.kind.name(), tail.join("\n")));
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Killing a child that has exited by itself fails, and that is fine.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.dir);
    }
}

fn command(
    options: &Options,
    kind: Kind,
    address: SocketAddr,
    dir: &Path,
    extra: &[&str],
) -> Result<Command, String> {
    let program = match (kind, &options.peer) {
        (Kind::Floor, _) => {
            let own = std::env::current_exe().map_err(|error| format!("own path: {error}"))?;
            let mut command = Command::new(own);
            command.args(["bench", "--floor", &address.to_string()]);
            return Ok(command);
        }
        (Kind::Ours, _) => &options.ours,
        (Kind::Peer, Some(peer)) => peer,
        (Kind::Peer, None) => return Err("no peer was given".to_owned()),
    };
    let program = program
        .canonicalize()
        .map_err(|error| format!("{} ({}): {error}", kind.name(), program.display()))?;
    let port = address.port().to_string();
    let mut command = Command::new(program);
    command.args(["--port", &port, "--bind", "127.0.0.1", "--save", "", "--appendonly", "no"]);
    command.args(["--daemonize", "no", "--maxclients", "20000"]).arg("--dir").arg(dir);
    if kind == Kind::Ours && !extra.contains(&"--threads") && !is_foreign(options) {
        command.args(["--threads", "1"]);
    }
    command.args(extra);
    Ok(command)
}

/// True if the server under test is itself a Redis or Valkey, as when the bench is checked.
pub(super) fn is_foreign(options: &Options) -> bool {
    let name = options.ours.file_name().map(|name| name.to_string_lossy().into_owned());
    name.is_some_and(|name| name.starts_with("redis") || name.starts_with("valkey"))
}

/// The port is this server's alone, which makes the name so too.
fn fresh_directory(port: u16) -> std::io::Result<PathBuf> {
    let dir = std::env::temp_dir().join(format!("reddle-bench-{}-{port}", std::process::id()));
    fs::create_dir_all(&dir)?;
    Ok(dir)
}

fn free_port() -> std::io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}

/// Resident bytes of a process.
pub(super) fn resident(pid: u32) -> Result<u64, String> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))
        .map_err(|error| format!("/proc/{pid}/status: {error}"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))
        .and_then(|text| text.trim().trim_end_matches("kB").trim().parse::<u64>().ok())
        .map(|kib| kib * 1024)
        .ok_or_else(|| format!("/proc/{pid}/status has no VmRSS"))
}

/// Resident bytes once they have not moved for a second (tables may still be growing), waiting at
/// most ten.
pub(super) fn settled(pid: u32) -> Result<u64, String> {
    let mut last = resident(pid)?;
    let mut quiet = 0;
    for _ in 0..50 {
        std::thread::sleep(Duration::from_millis(200));
        let now = resident(pid)?;
        quiet = if now.abs_diff(last) < 64 * 1024 { quiet + 1 } else { 0 };
        last = now;
        if quiet == 5 {
            break;
        }
    }
    Ok(last)
}

/// The one-minute load average, as text.
pub(super) fn load_average() -> String {
    let text = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split_whitespace().next().unwrap_or("unknown").to_owned()
}

/// Lines for the head of a results file: processor, kernel, and both programs' own words.
pub(super) fn machine(options: &Options) -> Vec<String> {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("unknown", |rest| rest.trim_start_matches([' ', '\t', ':']));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut lines = vec![format!(
        "Machine: {model}, {} cores for the run, Linux {}.",
        affinity::get().len(),
        kernel.trim()
    )];
    lines.push(format!("Ours: {}.", version(&options.ours)));
    if let Some(peer) = &options.peer {
        lines.push(format!("Peer: {}.", version(peer)));
    }
    lines
}

fn version(program: &Path) -> String {
    let output = Command::new(program).arg("--version").output();
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let text = text.unwrap_or_default();
    let line = text.lines().next().unwrap_or("unknown version");
    // What follows the version names one build, not the program.
    line.split(" sha=").next().unwrap_or(line).trim().to_owned()
}

/// `Valkey 9.1.2` from `Valkey server v=9.1.2 malloc=...`, and likewise where no `v=` stands.
fn program_name(version: &str) -> String {
    let mut words = version.split_whitespace();
    let name = words.next().unwrap_or("unknown").to_owned();
    let is_number = |word: &&str| word.starts_with(|first: char| first.is_ascii_digit());
    match words.map(|word| word.trim_start_matches("v=")).find(is_number) {
        Some(number) => format!("{name} {number}"),
        None => name,
    }
}

#[cfg(test)]
mod tests;
