//! EVAL, EVALSHA and FCALL with their kin, SCRIPT and FUNCTION.
//!
//! A script runs alone, under the gate's write side: which keys it will touch is known only once it
//! has. Each worker has an interpreter for scripts and compiles what it is asked to run; others
//! reach it only to drop it. Libraries of functions may keep state of their own, so all workers
//! share one interpreter for them.
//! What scripts are, and which of them are known, is in `cache`; libraries are in `libraries`; what
//! a running script may do is in `host`.

use std::cell::RefCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use commands::{Args, Error};
use keyspace::Held;
use parking_lot::Mutex;
use resp::Writer;
use script::{Failure, Flags, Host, Interp, Role};

use crate::aof::Mark;
use crate::dispatch::Turn;
use crate::mailbox::Message;
use crate::rows::{Row, Run};
use crate::server::Server;
use crate::session::State;
use crate::shutdown::Wish;
use crate::{commit, monitor, pubsub, shutdown};

mod cache;
mod container;
mod debugger;
mod function;
mod host;
mod libraries;
mod running;

pub use cache::{Cache, Compiled, Digest, FIRST_DIGEST};
pub use libraries::{Libraries, name as library_name};

pub(crate) use container::HANDLERS as SCRIPT_HANDLERS;
pub(crate) use function::HANDLERS as FUNCTION_HANDLERS;

use cache::Found;
use debugger::Wire;
use host::ScriptHost;
use running::Running;

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
    /// What is running.
    pub running: Running,
    /// The libraries of functions. Who runs one of them holds it.
    pub libraries: Mutex<Libraries>,
    /// What the libraries came to when they last changed or ran.
    pub told: Mutex<Told>,
    /// Bytes that the workers' interpreters use.
    pub memory: Vec<AtomicU64>,
}

impl Scripting {
    /// Nothing is known yet.
    pub fn new(workers: usize, busy_threshold_ms: u64) -> Self {
        let running = Running::default();
        running.set_threshold(busy_threshold_ms);
        Self {
            running,
            scripts: Mutex::default(),
            flushes: AtomicU64::new(0),
            compiled: (0..workers).map(|_| Mutex::default()).collect(),
            libraries: Mutex::default(),
            told: Mutex::default(),
            memory: (0..workers).map(|_| AtomicU64::new(0)).collect(),
        }
    }

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
    command: &'p [&'p [u8]],
    is_function: bool,
    nature: Nature,
    read_only: bool,
    /// Where somebody debugs it.
    wire: Option<&'p RefCell<Wire>>,
}

/// Whether a command runs a script or a function that says that it does not write.
pub fn only_reads(server: &Server, row: &Row, args: &Args<'_>) -> bool {
    let Run::Script(form) = row.run else { return false };
    let flags = match form.naming {
        Naming::Body => cache::flags(args[1]),
        Naming::Digest => {
            let digest = cache::given(args[1]);
            let stored = digest.and_then(|digest| server.scripting.scripts.lock().get(&digest));
            stored.map(|stored| stored.nature.flags)
        }
        Naming::Function => {
            // Who has it runs a function, and this command waits for that anyway.
            let libraries = server.scripting.libraries.try_lock();
            libraries.and_then(|libraries| libraries.function(args[1])).map(|(_, flags)| flags)
        }
    };
    flags.is_some_and(|flags| flags.any(Flags::NO_WRITES))
}

/// Runs a command that names a script or a function; all shards are held.
pub fn perform<'k: 'h, 'h>(
    turn: &mut Turn<'_, 'k>,
    (row, form): (&Row, Form),
    args: &Args<'_>,
    held: &mut Held<'h>,
) -> Result<(), Error> {
    monitor::show_script(turn.server, turn.local, turn.session, row, args);
    turn.as_a_whole(|turn| match form.naming {
        Naming::Function => run_function(turn, args, held, form.read_only),
        _ => run_script(turn, args, held, form),
    })
}

fn run_script<'k: 'h, 'h>(
    turn: &mut Turn<'_, 'k>,
    args: &Args<'_>,
    held: &mut Held<'h>,
    Form { naming, read_only }: Form,
) -> Result<(), Error> {
    if naming == Naming::Digest && cache::given(args[1]).is_none() {
        return Err(Error::Text(spec::error::NO_SCRIPT));
    }
    let keys = key_count(args, || args.int(2))?;
    let body = (naming == Naming::Body).then_some(args[1]);
    let digest = match body {
        Some(body) => script::digest(body),
        None => cache::given(args[1]).ok_or(Error::Text(spec::error::NO_SCRIPT))?,
    };
    let server = turn.server;
    let is_debugged = turn.session.state.any(State::DEBUGS) && !turn.local.in_script;
    if is_debugged && body.is_none() {
        return Err(Error::Text("ERR Please use EVAL instead of EVALSHA for debugging"));
    }
    // The replies of a transaction follow each other, so nothing can be asked between them.
    let is_debugged = is_debugged && !turn.session.state.any(State::DENY_BLOCKING);
    let wire = is_debugged.then(|| RefCell::new(debugger::begin(turn)));
    // It is taken while DEBUG lets a script run another one.
    let mut own = server.scripting.compiled[turn.local.id].try_lock();
    let mut fresh = Compiled::default();
    let compiled = own.as_deref_mut().unwrap_or(&mut fresh);
    compiled.follow(server);
    let result = match find(turn, compiled, &digest, body) {
        Ok(found) => {
            let plan = Plan {
                name: &digest,
                command: args.all(),
                is_function: false,
                nature: found.nature,
                read_only,
                wire: wire.as_ref(),
            };
            let (keys, rest) = args.from(3).split_at(keys);
            let interp = compiled.interp(server);
            limit(interp, turn);
            if wire.is_some() {
                interp.begin_debug(args[1]);
            }
            let result =
                run(turn, &plan, held, |host, out| interp.run(found.script, keys, rest, host, out));
            turn.local.error_is_counted |= result.is_ok() && interp.reply_is_counted();
            result
        }
        Err(error) => Err(error),
    };
    if let Some(wire) = wire {
        debugger::end(turn, &wire.into_inner(), compiled.interp(server).end_debug());
    }
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
    if let Some(found) = compiled.find(digest, *turn.ticks) {
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
    stored.touch(*turn.ticks);
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
        Ok(keys) if keys > args.len() - 3 => Err(Error::Text(spec::error::NUMKEYS_TOO_LARGE)),
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
    let plan = Plan {
        name: args[1],
        command: args.all(),
        is_function: true,
        nature,
        read_only,
        wire: None,
    };
    let (keys, rest) = args.from(3).split_at(keys);
    let interp = libraries.interp(server);
    limit(interp, turn);
    let result = run(turn, &plan, held, |host, out| interp.run(script, keys, rest, host, out));
    turn.local.error_is_counted |= result.is_ok() && interp.reply_is_counted();
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
    let was_in_script = std::mem::replace(&mut turn.local.in_script, true);
    let server = turn.server;
    let running = &server.scripting.running;
    let writes = !plan.read_only && !plan.nature.flags.any(Flags::NO_WRITES);
    let before = (!was_in_script && writes).then(|| Before::take(turn));
    if !was_in_script {
        running.begin(plan.is_function);
    }
    let mut host = ScriptHost::new(turn, held, plan);
    let result = script(&mut host, &mut out);
    let was_long = host.is_long;
    turn.local.in_script = was_in_script;
    if !was_in_script {
        running.end();
    }
    if let Some(before) = before {
        let is_ended = result.as_ref().is_err_and(|failure| failure.stopped);
        before.settle(turn, held, is_ended);
    }
    if was_long {
        running.show(None);
        // Clients that were held back because only this script is in their way.
        server.tell_all(|| Message::Resume);
    }
    if result.is_err() {
        out.truncate_to(mark);
    }
    *turn.out = out;
    if was_long && running.is_last() {
        turn.local.outlet.unit.forget();
        let wish = Wish { nosave: true, force: true, ..Wish::default() };
        // It cannot fail when it need not save.
        shutdown::begin(server, held, wish, "").ok();
    }
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

/// What a script that is ended must not have changed.
struct Before {
    log: Mark,
    dirty: u64,
}

impl Before {
    /// Takes it down, and has each key kept before the script changes it.
    fn take(turn: &mut Turn<'_, '_>) -> Self {
        turn.local.change.begin_undo();
        turn.local.kept_back = Some(Vec::new());
        Self {
            log: turn.local.outlet.unit.mark(),
            dirty: turn.server.stats(turn.local.id).dirty.get(),
        }
    }

    /// Changes everything back if the script was ended, unless it has changed too much for that.
    fn settle<'k: 'h, 'h>(self, turn: &mut Turn<'_, 'k>, held: &mut Held<'h>, is_ended: bool) {
        let db = turn.session.db;
        let mut messages = turn.local.kept_back.take().unwrap_or_default();
        if is_ended && turn.db_of(db, held).roll_back() {
            let (server, local) = (turn.server, &mut *turn.local);
            local.change.take_discarded().for_each(|discarded| server.background.free(discarded));
            local.outlet.unit.truncate_to(&self.log);
            let dirty = &server.stats(local.id).dirty;
            dirty.take_back(dirty.get().wrapping_sub(self.dirty));
            messages.clear();
        }
        pubsub::send_all(turn.server, turn.local, messages);
        turn.local.change.end_undo();
    }
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

/// Lets an interpreter use as much memory, and take as many instructions, as the configuration
/// says.
fn limit(interp: &mut Interp, turn: &Turn<'_, '_>) {
    let tunables = &turn.local.tunables;
    interp.set_memory_max(tunables.lua_memory_max as usize);
    interp.set_budget((tunables.lua_instructions_max > 0).then_some(tunables.lua_instructions_max));
}

/// A fresh interpreter.
fn interpreter(server: &Server, role: Role) -> Interp {
    Interp::new(role, crate::version::about(server.program, &server.config.lock()))
}
