//! An interpreter, and one run of it.
#![allow(unsafe_code)]

use std::ffi::{c_char, c_int};
use std::ptr::NonNull;

use mlua_sys as lua;
use mlua_sys::lua_State;
use resp::Writer;

use crate::debug::Debugger;
use crate::function::{Library, Registered};
use crate::stack::{Kind, Outcome, Pinned, Stack};
use crate::state::{Memory, State, allocate};
use crate::{
    About, FIRST_PROTO, Host, INSTRUCTIONS_A_LOOK, Role, Script, function, json, reply, sandbox,
};

/// Runs between two turns of the collector.
const RUNS_A_COLLECTION: u32 = 50;

/// The address under which the registry keeps the state for the hook, which has no upvalues.
static STATE_KEY: u8 = 0;

/// Why a script did not come to its end.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Failure {
    /// The error with its code word, without line ends.
    pub text: Vec<u8>,
    /// The chunk and the line that raised it, where that is known.
    pub place: Option<(Vec<u8>, Vec<u8>)>,
    /// Whether it is the error of a command, which was counted when that ran.
    pub counted: bool,
    /// Whether the script was made to end: by the host, or because its budget was used up.
    pub stopped: bool,
}

/// See the crate's text. An interpreter is used by one thread at a time.
pub struct Interp {
    lua: *mut lua_State,
    state: *mut State,
    memory: *mut Memory,
}

// SAFETY: the interpreter and what is beside it are reached through this value alone, and Lua does
// not know threads.
unsafe impl Send for Interp {}

impl Drop for Interp {
    fn drop(&mut self) {
        // SAFETY: all three were made by `new` and are used by nobody else.
        unsafe {
            lua::lua_close(self.lua);
            drop(Box::from_raw(self.state));
            drop(Box::from_raw(self.memory));
        }
    }
}

impl Interp {
    /// A fresh interpreter with its sandbox.
    pub fn new(role: Role, about: About) -> Self {
        let memory = Box::into_raw(Box::<Memory>::default());
        // SAFETY: `memory` outlives the state (see `drop`), and a box is no null pointer.
        let state = unsafe { State::new(role, about, NonNull::new_unchecked(memory)) };
        let state = Box::into_raw(Box::new(state));
        // SAFETY: `memory` outlives the interpreter (see `drop`).
        let lua = unsafe { lua::lua_newstate(allocate, memory.cast()) };
        assert!(!lua.is_null(), "there is no memory for an interpreter");
        let mut interp = Self { lua, state, memory };
        // SAFETY: a light userdata under an address of our own; nothing was pushed before.
        unsafe {
            lua::lua_pushlightuserdata(lua, (&raw const STATE_KEY).cast_mut().cast());
            lua::lua_pushlightuserdata(lua, state.cast());
            lua::lua_rawset(lua, lua::LUA_REGISTRYINDEX);
        }
        let opened = interp.stack().protect(|stack, ()| sandbox::open(stack), &mut ());
        assert!(opened, "the sandbox cannot be set up");
        interp
    }

    fn stack(&mut self) -> Stack {
        // SAFETY: both live as long as this value, which is borrowed exclusively.
        unsafe { Stack::new(self.lua, self.state) }
    }

    fn state(&mut self) -> &mut State {
        // SAFETY: as in `stack`.
        unsafe { &mut *self.state }
    }

    /// Bytes that the interpreter uses.
    pub fn used(&self) -> usize {
        // SAFETY: it lives as long as this value.
        unsafe { (*self.memory).used }
    }

    /// Sets the bytes that the interpreter may use; 0 for no limit. It never keeps it from using
    /// what it uses already.
    pub fn set_memory_max(&mut self, bytes: usize) {
        // SAFETY: as in `used`; nobody else looks at it while nothing runs.
        unsafe { (*self.memory).max = bytes };
    }

    /// Sets the instructions that one run may take, in steps of 100 000; `None` for no limit.
    pub fn set_budget(&mut self, instructions: Option<u64>) {
        self.state().budget = instructions;
    }

    /// Compiles a script. The error is the compiler's message.
    pub fn compile(&mut self, code: &[u8]) -> Result<Script, Vec<u8>> {
        struct Job<'a> {
            code: &'a [u8],
            kept: c_int,
            error: Vec<u8>,
        }
        fn work(stack: &mut Stack, job: &mut Job<'_>) -> Outcome {
            if stack.load(job.code, c"@user_script") {
                job.kept = stack.keep();
            } else {
                job.error.extend_from_slice(&message(stack));
            }
            Ok(0)
        }
        let mut job = Job { code, kept: 0, error: Vec::new() };
        let mut stack = self.stack();
        if !stack.protect(work, &mut job) {
            job.error.extend_from_slice(&message(&mut stack));
            stack.pop(1);
        }
        if job.error.is_empty() { Ok(Script(job.kept)) } else { Err(job.error) }
    }

    /// Forgets a script that was compiled here.
    pub fn forget(&mut self, script: Script) {
        self.stack().let_go(script.0);
    }

    /// Runs a script, or a function of a library, and writes what it returns to `out`.
    pub fn run(
        &mut self,
        script: Script,
        keys: &[&[u8]],
        args: &[&[u8]],
        host: &mut dyn Host,
        out: &mut Writer,
    ) -> Result<(), Failure> {
        let mut job = Job { script, keys, args, out, failure: Failure::default(), failed: false };
        let state = self.state();
        state.proto = FIRST_PROTO;
        state.stopped = None;
        state.is_counted = false;
        state.json = json::Settings::default();
        let budget = state.budget;
        // SAFETY: the host is borrowed for longer than the run, which ends below.
        unsafe { state.set_host(Some(host)) };
        self.set_hook(true);
        let mut stack = self.stack();
        if !stack.protect(start, &mut job) {
            failure(&mut stack, &mut job.failure);
            stack.pop(1);
            job.failed = true;
        }
        self.set_hook(false);
        let state = self.state();
        // SAFETY: nobody is named.
        unsafe { state.set_host(None) };
        state.budget = budget;
        state.tidy();
        // What a run leaves must not keep the next one from what it may use.
        let is_crowded = state.room() < self.used();
        let state = self.state();
        job.failure.stopped = state.stopped.take().is_some();
        let is_whole = job.failure.stopped || is_crowded;
        state.runs += 1;
        if state.runs >= RUNS_A_COLLECTION || is_whole || job.failed {
            state.runs = 0;
            self.stack().collect(is_whole);
        }
        if job.failed { Err(job.failure) } else { Ok(()) }
    }

    /// Whether the last run replied with the error of a command, which was counted when that ran.
    pub fn reply_is_counted(&mut self) -> bool {
        self.state().is_counted
    }

    /// Runs the code of a library, which registers its functions. The error is a message.
    pub fn load(&mut self, code: &[u8], host: &mut dyn Host) -> Result<Vec<Registered>, Vec<u8>> {
        let state = self.state();
        state.library = Some(Library::default());
        state.stopped = None;
        // SAFETY: as in `run`.
        unsafe { state.set_host(Some(host)) };
        self.set_hook(true);
        let loaded = function::load(&mut self.stack(), code);
        self.set_hook(false);
        let state = self.state();
        // SAFETY: nobody is named.
        unsafe { state.set_host(None) };
        state.stopped = None;
        let library = state.library.take().unwrap_or_default();
        match loaded {
            Ok(()) => Ok(library.functions),
            Err(error) => {
                for function in library.functions {
                    self.forget(function.callback);
                }
                Err(error)
            }
        }
    }

    /// The next run is debugged; `source` is its code as its user knows it.
    pub fn begin_debug(&mut self, source: &[u8]) {
        self.state().debugger = Some(Box::new(Debugger::new(source)));
    }

    /// Ends [`Self::begin_debug`]: the lines that were not shown yet.
    pub fn end_debug(&mut self) -> Vec<Vec<u8>> {
        self.state().debugger.take().map_or_else(Vec::new, |mut debugger| debugger.take_log())
    }

    fn set_hook(&mut self, on: bool) {
        let lines = if self.state().debugger.is_some() { lua::LUA_MASKLINE } else { 0 };
        let (hook, mask) = match on {
            true => (Some(hook as lua::lua_Hook), lua::LUA_MASKCOUNT | lines),
            false => (None, 0),
        };
        // SAFETY: the hook is a function of the program.
        unsafe { lua::lua_sethook(self.lua, hook, mask, INSTRUCTIONS_A_LOOK) };
    }
}

/// What a run is made of.
struct Job<'a> {
    script: Script,
    keys: &'a [&'a [u8]],
    args: &'a [&'a [u8]],
    out: &'a mut Writer,
    failure: Failure,
    failed: bool,
}

/// A run under protection: the arguments, the call, and what it returned.
fn start(stack: &mut Stack, job: &mut Job<'_>) -> Outcome {
    let is_script = stack.state().role == Role::Scripts;
    let handler = stack.state().handler;
    stack.push_kept(handler);
    stack.push_kept(job.script.0);
    push_list(stack, job.keys);
    if is_script {
        set_locked_global(stack, c"KEYS");
    }
    push_list(stack, job.args);
    if is_script {
        set_locked_global(stack, c"ARGV");
    }
    if stack.call(if is_script { 0 } else { 2 }, 1, 1) {
        reply::write(stack, job.out)?;
    } else {
        failure(stack, &mut job.failure);
        job.failed = true;
    }
    Ok(0)
}

fn set_locked_global(stack: &mut Stack, name: &std::ffi::CStr) {
    stack.set_globals_readonly(false);
    stack.set_global(name);
    stack.set_globals_readonly(true);
}

fn push_list(stack: &mut Stack, items: &[&[u8]]) {
    stack.new_table(items.len(), 0);
    for (n, item) in items.iter().enumerate() {
        stack.push_bytes(item);
        stack.raw_set_at(-2, n + 1);
    }
}

/// The message on top of the stack.
fn message(stack: &mut Stack) -> Pinned {
    stack.bytes(-1).unwrap_or(Pinned::of(b"unknown error"))
}

/// Reads the error on top of the stack.
fn failure(stack: &mut Stack, failure: &mut Failure) {
    if stack.kind(-1) != Kind::Table {
        let text = stack.bytes(-1).unwrap_or(Pinned::of(b"execution failure"));
        failure.text.extend_from_slice(b"ERR Error running script, ");
        failure.text.extend_from_slice(&text[..text.len().min(100)]);
        return;
    }
    let text = error_text(stack);
    stack.raw_field(-2, b"source");
    let source = stack.bytes(-1);
    stack.raw_field(-3, b"line");
    let line = stack.bytes(-1);
    stack.raw_field(-4, b"ignore_error_stats_update");
    failure.counted = stack.kind(-1) == Kind::Boolean && stack.boolean(-1);
    failure.text.extend_from_slice(&text);
    if let (Some(source), Some(line)) = (source, line) {
        failure.place = Some((source.to_vec(), line.to_vec()));
    }
    stack.pop(4);
}

/// Pushes the text of the error table on top of the stack and says what it is.
fn error_text(stack: &mut Stack) -> Pinned {
    stack.raw_field(-1, b"err");
    stack.bytes(-1).unwrap_or(Pinned::of(b"ERR unknown error"))
}

/// Makes the value of an error: a table with its text, its chunk and its line. What a C function
/// raises is put down to who called it.
pub(crate) fn on_error(stack: &mut Stack) -> Outcome {
    if stack.kind(1) != Kind::Table {
        let text = match stack.kind(1) {
            Kind::Nil | Kind::None => Pinned::of(b"nil"),
            Kind::Boolean if stack.boolean(1) => Pinned::of(b"true"),
            Kind::Boolean => Pinned::of(b"false"),
            _ => stack.bytes(1).unwrap_or(Pinned::of(b"(error object is not a string)")),
        };
        stack.new_table(0, 3);
        stack.push_bytes(b"ERR ");
        stack.push_bytes(&text);
        stack.concat(2);
        stack.set_field(-2, c"err");
        stack.replace(1);
    }
    stack.set_top(1);
    if let Some((source, line)) = place(stack, 1).or_else(|| place(stack, 2)) {
        stack.push_bytes(&source);
        stack.set_field(1, c"source");
        stack.push_number(f64::from(line));
        stack.set_field(1, c"line");
    }
    Ok(1)
}

/// The chunk and the current line of a level of the running functions, unless it is C's.
fn place(stack: &mut Stack, level: c_int) -> Option<(Pinned, c_int)> {
    // SAFETY: zeroes are a valid value; Lua fills in what it is asked for.
    let mut about: lua::lua_Debug = unsafe { std::mem::zeroed() };
    // SAFETY: a level that is not there is refused before the second call.
    let is_there = unsafe {
        lua::lua_getstack(stack.raw(), level, &raw mut about) != 0
            && lua::lua_getinfo(stack.raw(), c"Sl".as_ptr(), &raw mut about) != 0
    };
    if !is_there || about.currentline < 0 {
        return None;
    }
    // SAFETY: Lua gives strings that end in 0 and live as long as the function.
    let source = unsafe { std::ffi::CStr::from_ptr(about.source.cast::<c_char>()) };
    Some((Pinned::of(source.to_bytes()), about.currentline))
}

/// Called between instructions, and between lines of a script that is debugged: ends a script that
/// must end.
unsafe extern "C-unwind" fn hook(lua: *mut lua_State, about: *mut lua::lua_Debug) {
    // SAFETY: Lua gives what it is about.
    let is_line = unsafe { (*about).event } == lua::LUA_HOOKLINE;
    // SAFETY: `new` put the state there; the hook is set only while it lives.
    let mut stack = unsafe {
        lua::lua_pushlightuserdata(lua, (&raw const STATE_KEY).cast_mut().cast());
        lua::lua_rawget(lua, lua::LUA_REGISTRYINDEX);
        let state = lua::lua_touserdata(lua, -1).cast::<State>();
        lua::lua_settop(lua, -2);
        Stack::new(lua, state)
    };
    if is_line {
        if crate::debug::at_line(&mut stack).is_err() {
            // SAFETY: nothing here has a destructor, and the value is on top of the stack.
            unsafe { lua::lua_error(lua) };
        }
        return;
    }
    let state = stack.state();
    if state.stopped.is_none() {
        state.stopped = state.host().and_then(Host::interrupt);
    }
    if let Some(left) = &mut state.budget {
        *left = left.saturating_sub(INSTRUCTIONS_A_LOOK as u64);
        if *left == 0 && state.stopped.is_none() {
            state.stopped = Some("Script reached the instruction limit");
        }
    }
    let Some(reason) = state.stopped else { return };
    crate::api::push_error(&mut stack, reason.as_bytes());
    // SAFETY: nothing here has a destructor, and the value is on top of the stack. A coroutine ends
    // here and not who resumed it, who gets its count: its next instruction is the last one then.
    unsafe {
        lua::lua_sethook(lua, Some(hook), lua::LUA_MASKCOUNT, 1);
        lua::lua_error(lua)
    };
}
