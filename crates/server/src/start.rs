//! Start and stop: configuration, process, listeners, workers, signals, and their order.
//!
//! Invariant: no thread is started before the process has gone to the background, because only
//! the calling thread survives that.

mod banner;
mod signals;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use keyspace::{Keyspace, Layout};
use mio::{Poll, Waker};
use spec::config::Id;

use crate::allocator::{Gauge, system_memory};
use crate::background::Background;
use crate::config::cli::{self, Program, Request, Startup};
use crate::config::{Config, Inputs, Notice, Severity};
use crate::listen::{self, Listener};
use crate::persistence;
use crate::process::{self, Process, complain, say};
use crate::rows::Rows;
use crate::server::{Parts, Server, Worker};
use crate::{admin, cgroup, crash, log as sink, sys, version, worker};

/// Shards of the keyspace (see `docs/design/keyspace.md`).
const SHARDS: u32 = 1024;

/// The most workers: a set of lanes of shards is kept in 64 bits.
const THREADS_MAX: usize = 64;

/// Less `maxmemory` than this is hardly meant.
const MAXMEMORY_DOUBTFUL: u64 = 1 << 20;

/// Runs the server program with the arguments of its command line; returns when it has stopped.
pub fn main(arguments: &[OsString]) -> ExitCode {
    let allocator = version::allocator();
    let build = version::build(&allocator);
    match cli::parse(arguments) {
        Request::Version(program) => say(program.version_line(&build).as_bytes()),
        Request::Help(program) => say(program.help().as_bytes()),
        Request::CheckSystem => {
            let (text, well) = cli::check_system();
            say(text.as_bytes());
            return if well { ExitCode::SUCCESS } else { ExitCode::FAILURE };
        }
        Request::Refuse(text) => return refuse(text.as_bytes()),
        Request::Start(startup) => {
            return match load(&startup) {
                Err(error) => refuse(&error.report(&startup.program.title(&build))),
                Ok((config, notices)) => serve(startup.program, arguments, config, &notices),
            };
        }
    }
    ExitCode::SUCCESS
}

fn load(startup: &Startup) -> Result<(Config, Vec<Notice>), crate::config::StartError> {
    let rows = Rows::new(&[]);
    let inputs = Inputs {
        stdin: &mut std::io::stdin(),
        variables: std::env::vars_os().collect(),
        command_exists: &|name| rows.find(name).is_some(),
    };
    Config::load(startup, inputs)
}

/// Serves with a configuration until the server is asked to stop.
fn serve(program: Program, arguments: &[OsString], config: Config, notices: &[Notice]) -> ExitCode {
    if let Err(text) = enter_directory(&config) {
        return refuse(text.as_bytes());
    }
    sink::open(&config);
    crash::catch(&config);
    let process = match settle_process(program, arguments, &config) {
        Ok(process) => process,
        Err(text) => return refuse(text.as_bytes()),
    };
    banner::introduce(program, &config);
    for notice in notices {
        match notice.severity {
            Severity::Notice => log::info!("{}", notice.text),
            Severity::Warning => log::warn!("{}", notice.text),
        }
    }
    match start(program, process, config) {
        Ok(status) => ExitCode::from(status as u8),
        Err(text) => {
            log::error!("{text}");
            ExitCode::FAILURE
        }
    }
}

/// Makes `dir` the working directory.
fn enter_directory(config: &Config) -> Result<(), String> {
    let Some(path) = config.path(Id::Dir) else { return Ok(()) };
    std::env::set_current_dir(path).map_err(|error| {
        format!("Can't chdir to '{}': {}\n", path.display(), sys::system_text(&error))
    })
}

/// Finds the supervisor, or goes to the background; then writes the pid file and the title.
fn settle_process(
    program: Program,
    arguments: &[OsString],
    config: &Config,
) -> Result<Process, String> {
    let supervisor = process::supervised(config);
    let in_background = config.bool(Id::Daemonize) && supervisor.is_none();
    if in_background {
        sys::daemonize().map_err(|error| format!("Can't go to the background: {error}\n"))?;
    }
    sys::prepare_title();
    let mut process = Process::new(arguments, supervisor);
    let default = in_background.then(|| PathBuf::from(default_pid_file(program)));
    if let Some(path) = config.path(Id::Pidfile).map(Path::to_path_buf).or(default) {
        process.write_pid_file(&path);
    }
    process.show_title(config);
    Ok(process)
}

fn default_pid_file(program: Program) -> &'static str {
    match program {
        Program::Reddle => "/var/run/reddle.pid",
        Program::RedisServer => "/var/run/redis.pid",
        Program::ValkeyServer => "/var/run/valkey.pid",
    }
}

fn start(program: Program, process: Process, mut config: Config) -> Result<i32, String> {
    let threads = worker_count(&config);
    banner::show_logo(program, &config, threads);
    limit_clients(&mut config)?;
    process::check_backlog(&config);
    let listeners = listen::open(&config)?;
    let shown = |error: std::io::Error| format!("Starting the event loops: {error}");
    let listening = listen::Handles::of(&listeners).map_err(shown)?;
    let polls: Vec<Poll> =
        (0..threads).map(|_| Poll::new()).collect::<Result<_, _>>().map_err(shown)?;
    let mut workers = Vec::new();
    for poll in &polls {
        let waker = Waker::new(poll.registry(), worker::WAKE).map_err(shown)?;
        workers.push(Worker::new(waker));
    }
    let layout = Layout {
        shards: SHARDS,
        databases: config.int(Id::Databases) as u32,
        readers: threads,
        lanes: threads as u32,
        seed: random_seed()?,
    };
    let renames = config.renames().iter().map(|rename| {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (text(&rename.command), text(&rename.name))
    });
    let rows = Rows::new(&renames.collect::<Vec<_>>());
    let keyspace = Keyspace::new(layout);
    let run_id = run_id()?;
    let memory = Gauge::default();
    let background = Background::start(memory.balances())
        .map_err(|error| format!("Starting a thread: {error}"))?;
    let server = Server::new(Parts {
        keyspace,
        background,
        memory,
        rows,
        program,
        process,
        listening,
        config,
        workers,
        run_id,
    });
    let status = run(&server, polls, listeners).map_err(shown)?;
    server.process.clean_up(&server.config.lock(), status == 0);
    if let Some(delay) = server.shutdown.restart() {
        admin::again(&server, delay);
        return Ok(1);
    }
    if status == 0 {
        log::warn!("Reddle is now ready to exit, bye bye...");
    }
    Ok(status)
}

/// Runs the workers until they end.
fn run(server: &Arc<Server>, polls: Vec<Poll>, listeners: Vec<Listener>) -> std::io::Result<i32> {
    let loader = persistence::begin(server)?;
    let watch = signals::watch(server)?;
    crash::watch(server)?;
    crash::watchdog::start(server)?;
    server.watchdog.set_period(server.config.lock().int(Id::WatchdogPeriod).max(0) as u64);
    let mut listeners = Some(listeners);
    let mut threads = Vec::new();
    for (id, poll) in polls.into_iter().enumerate() {
        let listeners = listeners.take().unwrap_or_default();
        let thread = worker::Thread::new(Arc::clone(server), id, poll, listeners);
        let work = move || {
            // The others cannot take its connections over.
            thread.run().unwrap_or_else(|error| panic!("an event loop stopped: {error}"));
        };
        threads.push(thread::Builder::new().name(format!("worker-{id}")).spawn(work)?);
    }
    log::info!("Server initialized");
    while !threads.iter().any(thread::JoinHandle::is_finished)
        && server.workers.iter().any(|worker| worker.stats.cycles.get() == 0)
    {
        thread::sleep(Duration::from_millis(1));
    }
    let loaded = loader.map_or(Ok(Ok(())), thread::JoinHandle::join);
    match loaded.unwrap_or_else(|_| Err("the loader has panicked".to_owned())) {
        Ok(()) if server.shutdown.is_complete() => {}
        Ok(()) => announce(server),
        Err(reason) => {
            log::error!("Fatal error loading the DB: {reason}. Exiting.");
            server.shutdown.give_up(server);
        }
    }
    for thread in threads {
        // A panic has ended the process.
        thread.join().ok();
    }
    server.process.notify("STOPPING=1\n");
    watch.end();
    Ok(server.shutdown.status())
}

/// Tells everybody that the server answers.
fn announce(server: &Server) {
    let config = server.config.lock();
    if config.int(Id::Port) != 0 {
        log::info!("Ready to accept connections tcp");
    }
    if config.path(Id::Unixsocket).is_some() {
        log::info!("Ready to accept connections unix");
    }
    server.process.notify("STATUS=Ready to accept connections\n");
    server.process.notify("READY=1\n");
    let maxmemory = config.memory(Id::Maxmemory);
    if maxmemory > 0 && maxmemory < MAXMEMORY_DOUBTFUL {
        log::warn!(
            "WARNING: You specified a maxmemory value that is less than 1MB (current value is \
             {maxmemory} bytes). Are you sure this is what you really want?"
        );
    }
    if let Some(limit) = cgroup::memory_limit().filter(|limit| *limit < system_memory()) {
        log::info!("A control group limits the memory of this process to {limit} bytes");
        if maxmemory > limit {
            log::warn!(
                "WARNING: maxmemory is {maxmemory} bytes, which is more than the control group \
                 allows. The system will end the process when it uses more than {limit} bytes."
            );
        }
    }
    if let Err(error) = server.process.adjust_oom_score(&config) {
        log::warn!("Unable to write oom_score_adj: {}", sys::system_text(&error));
    }
}

/// Lowers `maxclients` to what the system lets the process open.
fn limit_clients(config: &mut Config) -> Result<(), String> {
    let wanted = config.int(Id::Maxclients).max(1) as u64;
    let possible = process::make_room_for_clients(wanted)?;
    if possible == wanted {
        return Ok(());
    }
    config.assign(Id::Maxclients, &[possible.to_string().into_bytes()])
}

/// As many workers as configured, or as cores that the process may use: those of its affinity, as
/// far as the quota of its cgroup gives time for them.
fn worker_count(config: &Config) -> usize {
    let wanted = match config.int(Id::Threads) {
        0 => thread::available_parallelism().map_or(1, usize::from),
        threads => threads as usize,
    };
    if wanted > THREADS_MAX {
        log::warn!("{wanted} threads would be more than the limit; there are {THREADS_MAX}");
    }
    wanted.min(THREADS_MAX)
}

fn random_seed() -> Result<[u8; 16], String> {
    let mut seed = [0; 16];
    getrandom::fill(&mut seed).map_err(|error| format!("No random numbers: {error}"))?;
    Ok(seed)
}

fn run_id() -> Result<String, String> {
    let mut bytes = [0; 20];
    getrandom::fill(&mut bytes).map_err(|error| format!("No random numbers: {error}"))?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Says on the standard error why there is no server.
fn refuse(text: &[u8]) -> ExitCode {
    complain(text);
    ExitCode::FAILURE
}
