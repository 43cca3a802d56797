//! Start and stop: configuration, listeners, workers, signals, and their order.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::Duration;

use keyspace::{Keyspace, Layout};
use mio::{Poll, Waker};
use signal_hook::consts::{SIGINT, SIGTERM};
use spec::config::Id;

use crate::config::cli::{self, Program, Request};
use crate::config::{Config, Inputs, Notice, Severity};
use crate::mailbox::Mailbox;
use crate::rows::Rows;
use crate::server::{Parts, Server, Worker};
use crate::shutdown::{self, Wish};
use crate::stats::Stats;
use crate::{listen, version, worker};

mod banner;

/// Shards of the keyspace (see `docs/design/keyspace.md`).
const SHARDS: u32 = 256;

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
        Request::Refuse(text) => return complain(text.as_bytes()),
        Request::Start(startup) => {
            let rows = Rows::new(&[]);
            let inputs = Inputs {
                stdin: &mut std::io::stdin(),
                variables: std::env::vars_os().collect(),
                command_exists: &|name| rows.find(name).is_some(),
            };
            return match Config::load(&startup, inputs) {
                Err(error) => complain(&error.report(&startup.program.title(&build))),
                Ok((config, notices)) => serve(startup.program, config, &notices),
            };
        }
    }
    ExitCode::SUCCESS
}

/// Serves with a configuration until the server is asked to stop.
fn serve(program: Program, config: Config, notices: &[Notice]) -> ExitCode {
    if let Err(text) = enter_directory(&config) {
        return complain(text.as_bytes());
    }
    crate::log::open(&config);
    banner::introduce(program, &config);
    for notice in notices {
        match notice.severity {
            Severity::Notice => log::info!("{}", notice.text),
            Severity::Warning => log::warn!("{}", notice.text),
        }
    }
    match start(program, config) {
        Ok(status) => ExitCode::from(status as u8),
        Err(text) => {
            log::error!("{text}");
            ExitCode::FAILURE
        }
    }
}

fn start(program: Program, config: Config) -> Result<i32, String> {
    let threads = worker_count(&config);
    banner::show_logo(program, &config, threads);
    let listeners = listen::open(&config)?;
    let ways = ways_in(&config);
    let shown = |error: std::io::Error| format!("Starting the event loops: {error}");
    let polls: Vec<Poll> =
        (0..threads).map(|_| Poll::new()).collect::<Result<_, _>>().map_err(shown)?;
    let mut workers = Vec::new();
    for poll in &polls {
        let waker = Waker::new(poll.registry(), worker::WAKE).map_err(shown)?;
        workers.push(Worker {
            mailbox: Mailbox::new(waker),
            stats: Stats::new(spec::command::COUNT),
            sleeps_until_ms: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        });
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
    let server = Server::new(Parts { keyspace, rows, program, config, workers, run_id });
    run(&server, polls, listeners, &ways).map_err(shown)
}

fn run(
    server: &Arc<Server>,
    polls: Vec<Poll>,
    listeners: Vec<listen::Listener>,
    ways: &[&str],
) -> std::io::Result<i32> {
    let mut signals = signal_hook::iterator::Signals::new([SIGINT, SIGTERM])?;
    let handle = signals.handle();
    let signalled = Arc::clone(server);
    let watcher = thread::Builder::new().name("signals".into()).spawn(move || {
        let mut asked = false;
        for signal in &mut signals {
            if asked {
                log::warn!("You insist... exiting now.");
                std::process::exit(1);
            }
            asked = true;
            let name = if signal == SIGINT { "SIGINT" } else { "SIGTERM" };
            log::warn!("Received {name} scheduling shutdown...");
            shutdown::begin(&signalled, Wish::default());
        }
    })?;
    let mut listeners = Some(listeners);
    let mut threads = Vec::new();
    for (id, poll) in polls.into_iter().enumerate() {
        let listeners = listeners.take().unwrap_or_default();
        let thread = worker::Thread::new(Arc::clone(server), id, poll, listeners);
        threads.push(thread::Builder::new().name(format!("worker-{id}")).spawn(|| thread.run())?);
    }
    log::info!("Server initialized");
    while !threads.iter().any(thread::JoinHandle::is_finished)
        && server.workers.iter().any(|worker| worker.stats.cycles.get() == 0)
    {
        thread::sleep(Duration::from_millis(1));
    }
    for way in ways {
        log::info!("Ready to accept connections {way}");
    }
    for thread in threads {
        if let Ok(Err(error)) = thread.join() {
            log::error!("An event loop stopped: {error}");
        }
    }
    handle.close();
    drop(watcher.join());
    Ok(server.shutdown.status())
}

/// The kinds of sockets that are listened on.
fn ways_in(config: &Config) -> Vec<&'static str> {
    let mut ways = Vec::new();
    if config.int(Id::Port) != 0 {
        ways.push("tcp");
    }
    if config.path(Id::Unixsocket).is_some() {
        ways.push("unix");
    }
    ways
}

/// Makes `dir` the working directory.
fn enter_directory(config: &Config) -> Result<(), String> {
    let Some(path) = config.path(Id::Dir) else { return Ok(()) };
    std::env::set_current_dir(path)
        .map_err(|error| format!("Can't chdir to '{}': {error}\n", path.display()))
}

/// As many workers as configured, or as cores that the process may use.
fn worker_count(config: &Config) -> usize {
    match config.int(Id::Threads) {
        0 => thread::available_parallelism().map_or(1, usize::from).min(64),
        threads => (threads as usize).min(64),
    }
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

fn say(text: &[u8]) {
    drop(std::io::stdout().write_all(text));
}

fn complain(text: &[u8]) -> ExitCode {
    drop(std::io::stderr().write_all(text));
    ExitCode::FAILURE
}
