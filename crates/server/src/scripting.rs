//! EVAL, EVALSHA and FCALL with their kin, SCRIPT and FUNCTION.
//!
//! A script runs alone, under the gate's write side: which keys it will touch is known only once it
//! has. Each worker has an interpreter for scripts and compiles what it is asked to run; others
//! reach it only to drop it. Libraries of functions may keep state of their own, so all workers
//! share one interpreter for them.
//! What scripts are, and which of them are known, is in `cache`; libraries are in `libraries`; what
//! a running script may do is in `host`.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use commands::{Args, Error};
use keyspace::Held;
use parking_lot::Mutex;
use resp::Writer;
use script::{Failure, Flags, Host, Interp, Role};

use crate::dispatch::Turn;
use crate::rows::Row;
use crate::session::State;
use crate::{commit, monitor};

mod cache;
mod container;
mod function;
mod host;
mod libraries;

pub use cache::{Cache, Compiled};
pub use libraries::{Libraries, name as library_name};

pub(crate) use container::HANDLERS as SCRIPT_HANDLERS;
pub(crate) use function::HANDLERS as FUNCTION_HANDLERS;

use cache::{Digest, Found};
use host::ScriptHost;

/// How a command names what it runs, and whether that may write.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Form {
    naming: Naming,
    read_only: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Naming {
    /// By the script itself.
    Body,
    /// By the digest of a script that is known.
    Digest,
    /// By the name of a function.
    Function,
}

const fn form(naming: Naming, read_only: bool) -> Form {
    Form { naming, read_only }
}

/// Answers what needs the libraries while one of their functions runs.
const NESTED: &str = "ERR a function is running";

/// The commands, each `name script|sha1|function numkeys [key ...] [arg ...]`; what they cost
/// depends on the script.
pub(crate) const HANDLERS: &[(&str, Form)] = &[
    ("eval", form(Naming::Body, false)),
    ("eval_ro", form(Naming::Body, true)),
    ("evalsha", form(Naming::Digest, false)),
    ("evalsha_ro", form(Naming::Digest, true)),
    ("fcall", form(Naming::Function, false)),
    ("fcall_ro", form(Naming::Function, true)),
];

/// What all workers share.
pub struct Scripting {
    /// The scripts that are known.
    pub scripts: Mutex<Cache>,
    /// How often all scripts were forgotten: the interpreters are made anew then.
    pub flushes: AtomicU64,
    /// What each worker has compiled. A worker holds its own while a script runs.
    pub compiled: Vec<Mutex<Compiled>>,
    /// The libraries of functions. Who runs one of them holds it.
    pub libraries: Mutex<Libraries>,
    /// What the libraries came to when they last changed or ran.
    pub told: Mutex<Told>,
    /// Bytes that the workers' interpreters use.
    pub memory: Vec<AtomicU64>,
}

impl Scripting {
    /// Nothing is known yet.
    pub fn new(workers: usize) -> Self {
        Self {
            scripts: Mutex::default(),
            flushes: AtomicU64::new(0),
            compiled: (0..workers).map(|_| Mutex::default()).collect(),
            libraries: Mutex::default(),
            told: Mutex::default(),
            memory: (0..workers).map(|_| AtomicU64::new(0)).collect(),
        }
    }
}

impl Scripting {
    /// Forgets all scripts and drops the interpreters with what was compiled of them. One that is
    /// running is dropped when its worker next looks.
    pub fn flush(&self) {
        self.scripts.lock().clear();
        self.flushes.fetch_add(1, Ordering::Relaxed);
        for (compiled, memory) in self.compiled.iter().zip(&self.memory) {
            if let Some(mut compiled) = compiled.try_lock() {
                let dropped = std::mem::take(&mut *compiled);
                memory.store(0, Ordering::Relaxed);
                drop((compiled, dropped));
            }
        }
    }

    /// What there is, and the bytes that it takes. A script may ask, too.
    pub fn figures(&self) -> Figures {
        let scripts = self.scripts.lock();
        let told = *self.told.lock();
        let used = |memory: &AtomicU64| memory.load(Ordering::Relaxed);
        Figures {
            scripts: scripts.len() as u64,
            scripts_memory: scripts.memory() as u64,
            scripts_interpreters: self.memory.iter().map(used).sum(),
            libraries: told.libraries,
            functions: told.functions,
            libraries_memory: told.memory,
            functions_interpreter: told.interpreter,
            evicted: scripts.evicted,
        }
    }
}

/// What the libraries come to. Memory is in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Told {
    /// Libraries.
    pub libraries: u64,
    /// Their functions.
    pub functions: u64,
    /// What their code takes.
    pub memory: u64,
    /// What their interpreter uses.
    pub interpreter: u64,
}

/// See [`Scripting::figures`]. Memory is in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Figures {
    /// Scripts that are known.
    pub scripts: u64,
    /// What they take.
    pub scripts_memory: u64,
    /// What the workers' interpreters use.
    pub scripts_interpreters: u64,
    /// Libraries.
    pub libraries: u64,
    /// Their functions.
    pub functions: u64,
    /// What their code takes.
    pub libraries_memory: u64,
    /// What the interpreter of functions uses.
    pub functions_interpreter: u64,
    /// Scripts that were forgotten for newer ones.
    pub evicted: u64,
}

impl Figures {
    /// What all interpreters use.
    pub fn interpreters(&self) -> u64 {
        self.scripts_interpreters + self.functions_interpreter
    }
}

/// What a script or a function says of itself.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Nature {
    /// Its flags.
    pub flags: Flags,
    /// It says nothing: a script without a first line that names its engine. What it may do shows
    /// with each command.
    pub is_silent: bool,
}

/// One run: the name that errors show, and what is allowed.
struct Plan<'p> {
    name: &'p [u8],
    nature: Nature,
    read_only: bool,
}

/// Runs a command that names a script or a function; all shards are held.
pub fn perform<'k: 'h, 'h>(
    turn: &mut Turn<'_, 'k>,
    (row, form): (&Row, Form),
    args: &Args<'_>,
    held: &mut Held<'h>,
) -> Result<(), Error> {
    monitor::show_script(turn.server, turn.local, turn.session, row, args);
    match form.naming {
        Naming::Function => run_function(turn, args, held, form.read_only),
        _ => run_script(turn, args, held, form),
    }
}

fn run_script<'k: 'h, 'h>(
    turn: &mut Turn<'_, 'k>,
    args: &Args<'_>,
    held: &mut Held<'h>,
    Form { naming, read_only }: Form,
) -> Result<(), Error> {
    let keys = key_count(args, || args.int(2))?;
    let body = (naming == Naming::Body).then_some(args[1]);
    let digest = match body {
        Some(body) => script::digest(body),
        None => cache::given(args[1]).ok_or(Error::Text(spec::error::NO_SCRIPT))?,
    };
    let server = turn.server;
    // It is taken while DEBUG lets a script run another one.
    let mut own = server.scripting.compiled[turn.local.id].try_lock();
    let mut fresh = Compiled::default();
    let compiled = own.as_deref_mut().unwrap_or(&mut fresh);
    compiled.follow(server);
    let result = match find(turn, compiled, &digest, body) {
        Ok(found) => {
            let plan = Plan { name: &digest, nature: found.nature, read_only };
            let (keys, rest) = args.from(3).split_at(keys);
            let interp = compiled.interp(server);
            run(turn, &plan, held, |host, out| interp.run(found.script, keys, rest, host, out))
        }
        Err(error) => Err(error),
    };
    // The script itself may have flushed them all.
    compiled.follow(server);
    compiled.tell(server, turn.local.id);
    result
}

/// The script of a digest, compiled by this worker; a body that is not known yet becomes known.
fn find(
    turn: &mut Turn<'_, '_>,
    compiled: &mut Compiled,
    digest: &Digest,
    body: Option<&[u8]>,
) -> Result<Found, Error> {
    if let Some(found) = compiled.find(digest) {
        return Ok(found);
    }
    let known = turn.server.scripting.scripts.lock().get(digest);
    let stored = match (known, body) {
        (Some(stored), _) => stored,
        (None, None) => return Err(Error::Text(spec::error::NO_SCRIPT)),
        (None, Some(body)) => match cache::read(digest, body) {
            Ok(stored) => Arc::new(stored),
            Err(text) => return fail(turn.out, text.as_bytes()),
        },
    };
    match compiled.compile(turn.server, &stored) {
        Ok(found) => {
            turn.server.scripting.scripts.lock().add(stored, false);
            Ok(found)
        }
        Err(text) => fail(turn.out, &text),
    }
}

fn fail<T>(out: &mut Writer, text: &[u8]) -> Result<T, Error> {
    out.error_bytes(&[b"ERR ", text].concat());
    Err(Error::Written)
}

/// How many of the arguments from the third on are keys.
fn key_count(args: &Args<'_>, read: impl Fn() -> Result<i64, Error>) -> Result<usize, Error> {
    match usize::try_from(read()?) {
        Err(_) => Err(Error::Text("ERR Number of keys can't be negative")),
        Ok(keys) if keys > args.len() - 3 => {
            Err(Error::Text("ERR Number of keys can't be greater than number of args"))
        }
        Ok(keys) => Ok(keys),
    }
}

fn run_function<'k: 'h, 'h>(
    turn: &mut Turn<'_, 'k>,
    args: &Args<'_>,
    held: &mut Held<'h>,
    read_only: bool,
) -> Result<(), Error> {
    let server = turn.server;
    // Whoever takes this lock has passed the gate, and this command is alone behind it: only a
    // function that DEBUG lets call another one finds it taken.
    let Some(mut libraries) = server.scripting.libraries.try_lock() else {
        return Err(Error::Text(NESTED));
    };
    libraries.follow(server);
    let Some((script, flags)) = libraries.function(args[1]) else {
        return Err(Error::Text("ERR Function not found"));
    };
    let bad = Error::Text("ERR Bad number of keys provided");
    let keys = key_count(args, || args.int(2).map_err(|_| bad))?;
    let nature = Nature { flags, is_silent: false };
    let plan = Plan { name: args[1], nature, read_only };
    let (keys, rest) = args.from(3).split_at(keys);
    let interp = libraries.interp(server);
    let result = run(turn, &plan, held, |host, out| interp.run(script, keys, rest, host, out));
    libraries.tell(server);
    result
}

/// The reason why a script must not even begin.
fn reason_against(turn: &Turn<'_, '_>, plan: &Plan<'_>) -> Option<&'static str> {
    if plan.nature.is_silent {
        return None;
    }
    let flags = plan.nature.flags;
    if plan.read_only && !flags.any(Flags::NO_WRITES) {
        return Some("ERR Can not execute a script with write flag using *_ro command.");
    }
    let may_grow = !flags.any(Flags::ALLOW_OOM.with(Flags::NO_WRITES));
    (may_grow && turn.server.state().any(State::OVER_MEMORY)).then_some(
        "OOM allow-oom flag is not set on the script, can not run it when used memory > \
         'maxmemory'",
    )
}

/// Runs a script as one command: at one moment, in one transaction, without waiting for anything.
fn run<'k: 'h, 'h>(
    turn: &mut Turn<'_, 'k>,
    plan: &Plan<'_>,
    held: &mut Held<'h>,
    script: impl FnOnce(&mut dyn Host, &mut Writer) -> Result<(), Failure>,
) -> Result<(), Error> {
    if let Some(text) = reason_against(turn, plan) {
        return Err(Error::Text(text));
    }
    let (db, now_us) = (turn.session.db, turn.local.now_us);
    let is_outer = !turn.session.state.any(State::DENY_BLOCKING);
    turn.session.put(State::DENY_BLOCKING, true);
    let begins = !turn.local.change.is_in_transaction();
    if begins {
        turn.local.change.begin_transaction();
    }
    let proto = turn.out.proto();
    let mut out = std::mem::replace(turn.out, Writer::new(proto));
    let mark = out.mark();
    turn.local.in_script = true;
    let result = script(&mut ScriptHost::new(turn, held, plan), &mut out);
    turn.local.in_script = false;
    if result.is_err() {
        out.truncate_to(mark);
    }
    *turn.out = out;
    if begins {
        commit::end_transaction(turn.server, turn.local);
    }
    if is_outer {
        turn.session.put(State::DENY_BLOCKING, false);
    }
    (turn.session.db, turn.local.now_us) = (db, now_us);
    if is_outer && !turn.local.ready.is_empty() {
        turn.serve_ready(held);
    }
    let Err(failure) = result else { return Ok(()) };
    turn.local.error_is_counted = failure.counted;
    turn.out.error_bytes(&described(&failure, plan.name));
    Err(Error::Written)
}

/// The error line of a script that failed.
fn described(failure: &Failure, name: &[u8]) -> Vec<u8> {
    let mut text = failure.text.clone();
    if let Some((source, line)) = &failure.place {
        let parts: [&[u8]; 7] = [b" script: ", name, b", on ", source, b":", line, b"."];
        parts.iter().for_each(|part| text.extend_from_slice(part));
    }
    text
}

/// A fresh interpreter that may use as much memory as the configuration says.
fn interpreter(server: &crate::server::Server, role: Role) -> Interp {
    Interp::new(role, crate::version::about(server.program, &server.config.lock()))
}
