//! The one door to the interpreter's C functions.
//!
//! Lua raises errors by jumping over the frames between the one that fails and the one that
//! protects. Rust allows that for frames that hold nothing to be dropped, and so:
//!
//! Invariant: whoever holds a [`Stack`] holds no value with a destructor across a call of one of
//! its functions. What must outlive a call lives in [`State`], which is dropped with the
//! interpreter.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_int, c_void};
use std::ops::Deref;

use mlua_sys as lua;
use mlua_sys::lua_State;

use crate::state::State;
use crate::{format, reply};

unsafe extern "C-unwind" {
    fn reddle_set_readonly(lua: *mut lua_State, index: c_int, on: c_int);
    fn reddle_spend(lua: *mut lua_State, steps: usize);
    fn reddle_is_readonly(lua: *mut lua_State, index: c_int) -> c_int;
    // Declared here because the bindings put their own wrappers around these.
    fn lua_pushlstring(lua: *mut lua_State, bytes: *const u8, len: usize);
    fn lua_rawget(lua: *mut lua_State, index: c_int);
    fn lua_rawgeti(lua: *mut lua_State, index: c_int, n: c_int);
    fn lua_rawseti(lua: *mut lua_State, index: c_int, n: c_int);
    fn luaL_loadbuffer(
        lua: *mut lua_State,
        code: *const u8,
        len: usize,
        name: *const std::ffi::c_char,
    ) -> c_int;
}

/// An error was raised: its value is on top of the stack.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Raised;

/// How many results a function left on top of the stack.
pub(crate) type Outcome = Result<c_int, Raised>;

/// A function that scripts can call.
pub(crate) type Function = fn(&mut Stack) -> Outcome;

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    None,
    Nil,
    Boolean,
    Light,
    Number,
    String,
    Table,
    Function,
    Userdata,
    Thread,
}

/// The bytes of a string that stays where it is on the stack while they are looked at, or of a
/// buffer in [`State`] that does not change meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Pinned {
    at: *const u8,
    len: usize,
}

impl Pinned {
    /// Bytes that stay where they are.
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { at: bytes.as_ptr(), len: bytes.len() }
    }

    /// The same bytes for as long as the caller needs them.
    pub(crate) fn get<'a>(self) -> &'a [u8] {
        // SAFETY: whoever made it says that the bytes stay; a string that is on the stack is not
        // collected, and Lua never moves or changes one.
        unsafe { std::slice::from_raw_parts(self.at, self.len) }
    }
}

impl Deref for Pinned {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        self.get()
    }
}

/// A function that is running.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    /// The line that it is at.
    pub(crate) line: i64,
    /// Whether it is the script's own code.
    pub(crate) is_script: bool,
    /// What it is called by, if that is known. The name lives as long as the function runs.
    pub(crate) name: Option<Pinned>,
}

/// The stack of a running function (or of whoever set one running).
pub(crate) struct Stack {
    lua: *mut lua_State,
    state: *mut State,
}

/// Lua's side of [`Stack::push_function`].
unsafe extern "C-unwind" fn enter(lua: *mut lua_State) -> c_int {
    // SAFETY: `push_function` alone makes closures of this function, with these two upvalues.
    let (state, function) = unsafe {
        let state = lua::lua_touserdata(lua, lua::lua_upvalueindex(1)).cast::<State>();
        let function = lua::lua_touserdata(lua, lua::lua_upvalueindex(2));
        (state, std::mem::transmute::<*mut c_void, Function>(function))
    };
    let mut stack = Stack { lua, state };
    match function(&mut stack) {
        Ok(results) => results,
        // SAFETY: nothing here has a destructor, and the value is on top of the stack.
        Err(Raised) => unsafe { lua::lua_error(lua) },
    }
}

/// Longest source text that is compiled.
pub(crate) const CODE_MAX: usize = 256 << 20;
/// Bytes that Lua has for the text of a number, its zero byte included.
const NUMBER_MAX: usize = 32;

/// Writes a number as Lua shows it, with a zero byte behind it; 0 when C's library must do that.
///
/// # Safety
/// There is room for [`NUMBER_MAX`] bytes.
#[unsafe(no_mangle)]
unsafe extern "C" fn reddle_number_text(number: f64, out: *mut u8) -> c_int {
    let mut text = [0; NUMBER_MAX];
    let is_shown = format::shown(number, &mut text);
    // SAFETY: see above.
    unsafe { out.copy_from_nonoverlapping(text.as_ptr(), NUMBER_MAX) };
    c_int::from(is_shown)
}

/// Reads a number that is written in decimals; 0 when it is longer or of another kind.
///
/// # Safety
/// A zero byte ends the text; the number is written to.
#[unsafe(no_mangle)]
unsafe extern "C" fn reddle_text_number(text: *const std::ffi::c_char, number: *mut f64) -> c_int {
    // SAFETY: see above.
    let text = unsafe { CStr::from_ptr(text) };
    let Some(read) = format::plain(text.to_bytes()) else { return 0 };
    // SAFETY: see above.
    unsafe { *number = read };
    1
}

// Every function below calls into Lua with a state that is alive as long as `Stack` is, with
// indices that its own callers keep on the stack, and under the invariant of the module's text.
impl Stack {
    /// The stack of a state.
    ///
    /// # Safety
    /// Both outlive the value; only its holder uses them meanwhile.
    pub(crate) unsafe fn new(lua: *mut lua_State, state: *mut State) -> Self {
        Self { lua, state }
    }

    /// What is kept beside the interpreter. Not to be held across a call of another function.
    pub(crate) fn state(&mut self) -> &mut State {
        // SAFETY: the state outlives the interpreter, and nobody else reaches it while a function
        // runs: the reference is as short as the borrow of the stack.
        unsafe { &mut *self.state }
    }

    pub(crate) fn raw(&self) -> *mut lua_State {
        self.lua
    }

    pub(crate) fn top(&self) -> c_int {
        // SAFETY: see above.
        unsafe { lua::lua_gettop(self.lua) }
    }

    pub(crate) fn set_top(&mut self, index: c_int) {
        // SAFETY: see above.
        unsafe { lua::lua_settop(self.lua, index) }
    }

    pub(crate) fn pop(&mut self, n: c_int) {
        self.set_top(-n - 1);
    }

    /// Makes room for `n` more values; false when the stack is at its limit.
    #[must_use]
    pub(crate) fn reserve(&mut self, n: c_int) -> bool {
        // SAFETY: see above.
        unsafe { lua::lua_checkstack(self.lua, n) != 0 }
    }

    pub(crate) fn kind(&self, index: c_int) -> Kind {
        // SAFETY: see above.
        match unsafe { lua::lua_type(self.lua, index) } {
            lua::LUA_TNIL => Kind::Nil,
            lua::LUA_TBOOLEAN => Kind::Boolean,
            lua::LUA_TLIGHTUSERDATA => Kind::Light,
            lua::LUA_TNUMBER => Kind::Number,
            lua::LUA_TSTRING => Kind::String,
            lua::LUA_TTABLE => Kind::Table,
            lua::LUA_TFUNCTION => Kind::Function,
            lua::LUA_TUSERDATA => Kind::Userdata,
            lua::LUA_TTHREAD => Kind::Thread,
            _ => Kind::None,
        }
    }

    pub(crate) fn is_string_or_number(&self, index: c_int) -> bool {
        matches!(self.kind(index), Kind::String | Kind::Number)
    }

    /// The name of a value's type, as scripts know it.
    pub(crate) fn type_name(&self, index: c_int) -> &'static str {
        match self.kind(index) {
            Kind::None => "no value",
            Kind::Nil => "nil",
            Kind::Boolean => "boolean",
            Kind::Light | Kind::Userdata => "userdata",
            Kind::Number => "number",
            Kind::String => "string",
            Kind::Table => "table",
            Kind::Function => "function",
            Kind::Thread => "thread",
        }
    }

    pub(crate) fn number(&self, index: c_int) -> f64 {
        // SAFETY: see above.
        unsafe { lua::lua_tonumber(self.lua, index) }
    }

    pub(crate) fn boolean(&self, index: c_int) -> bool {
        // SAFETY: see above.
        unsafe { lua::lua_toboolean(self.lua, index) != 0 }
    }

    /// Whether it is the light userdata that stands for JSON's null and the like.
    pub(crate) fn is_null_pointer(&self, index: c_int) -> bool {
        // SAFETY: see above.
        self.kind(index) == Kind::Light && unsafe { lua::lua_touserdata(self.lua, index).is_null() }
    }

    /// The bytes of a string; a number becomes one in its place. The value stays on the stack while
    /// they are looked at. `None` for anything else.
    pub(crate) fn bytes(&mut self, index: c_int) -> Option<Pinned> {
        let mut len = 0;
        // SAFETY: see above.
        let at = unsafe { lua::lua_tolstring(self.lua, index, &raw mut len) };
        (!at.is_null()).then_some(Pinned { at: at.cast(), len })
    }

    /// Elements by the length operator, or bytes.
    pub(crate) fn len(&self, index: c_int) -> usize {
        // SAFETY: see above.
        unsafe { lua::lua_objlen(self.lua, index) }
    }

    pub(crate) fn push_nil(&mut self) {
        // SAFETY: see above.
        unsafe { lua::lua_pushnil(self.lua) }
    }

    pub(crate) fn push_bool(&mut self, value: bool) {
        // SAFETY: see above.
        unsafe { lua::lua_pushboolean(self.lua, c_int::from(value)) }
    }

    pub(crate) fn push_number(&mut self, value: f64) {
        // SAFETY: see above.
        unsafe { lua::lua_pushnumber(self.lua, value) }
    }

    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        // SAFETY: see above; Lua copies the bytes.
        unsafe { lua_pushlstring(self.lua, bytes.as_ptr(), bytes.len()) }
    }

    /// Pushes what has been put together in [`State::text`].
    pub(crate) fn push_text(&mut self) {
        let text = Pinned::of(&self.state().text);
        self.push_bytes(&text);
    }

    pub(crate) fn push_null_pointer(&mut self) {
        // SAFETY: see above.
        unsafe { lua::lua_pushlightuserdata(self.lua, std::ptr::null_mut()) }
    }

    pub(crate) fn push_function(&mut self, function: Function) {
        // SAFETY: see above; `enter` reads these two.
        unsafe {
            lua::lua_pushlightuserdata(self.lua, self.state.cast());
            lua::lua_pushlightuserdata(self.lua, function as *mut c_void);
            lua::lua_pushcclosure(self.lua, enter, 2);
        }
    }

    pub(crate) fn push_copy(&mut self, index: c_int) {
        // SAFETY: see above.
        unsafe { lua::lua_pushvalue(self.lua, index) }
    }

    pub(crate) fn push_globals(&mut self) {
        self.push_copy(lua::LUA_GLOBALSINDEX);
    }

    pub(crate) fn insert(&mut self, index: c_int) {
        // SAFETY: see above.
        unsafe { lua::lua_insert(self.lua, index) }
    }

    pub(crate) fn replace(&mut self, index: c_int) {
        // SAFETY: see above.
        unsafe { lua::lua_replace(self.lua, index) }
    }

    /// Makes the table on top of the stack, which is taken, the globals.
    pub(crate) fn replace_globals(&mut self) {
        self.replace(lua::LUA_GLOBALSINDEX);
    }

    pub(crate) fn remove(&mut self, index: c_int) {
        // SAFETY: see above.
        unsafe { lua::lua_remove(self.lua, index) }
    }

    /// Joins the `n` strings on top of the stack.
    pub(crate) fn concat(&mut self, n: c_int) {
        // SAFETY: see above.
        unsafe { lua::lua_concat(self.lua, n) }
    }

    pub(crate) fn new_table(&mut self, elements: usize, fields: usize) {
        let bounded = |n: usize| c_int::try_from(n).unwrap_or(c_int::MAX);
        // SAFETY: see above.
        unsafe { lua::lua_createtable(self.lua, bounded(elements), bounded(fields)) }
    }

    /// Sets a field of the table at `index` to the value on top of the stack, which is taken.
    pub(crate) fn set_field(&mut self, index: c_int, name: &CStr) {
        // SAFETY: see above.
        unsafe { lua::lua_setfield(self.lua, index, name.as_ptr()) }
    }

    pub(crate) fn set_function(&mut self, name: &CStr, function: Function) {
        self.push_function(function);
        self.set_field(-2, name);
    }

    pub(crate) fn set_global(&mut self, name: &CStr) {
        self.set_field(lua::LUA_GLOBALSINDEX, name);
    }

    pub(crate) fn get_global(&mut self, name: &CStr) {
        // SAFETY: see above.
        unsafe { lua::lua_getfield_(self.lua, lua::LUA_GLOBALSINDEX, name.as_ptr()) }
    }

    /// `t[k] = v` of the table at `index`, key and value on top of the stack, as a script does.
    pub(crate) fn set_table(&mut self, index: c_int) {
        // SAFETY: see above.
        unsafe { lua::lua_settable(self.lua, index) }
    }

    /// The same without metamethods.
    pub(crate) fn raw_set(&mut self, index: c_int) {
        // SAFETY: see above.
        unsafe { lua::lua_rawset(self.lua, index) }
    }

    /// `t[n] = v` without metamethods, with the value on top of the stack.
    pub(crate) fn raw_set_at(&mut self, index: c_int, n: usize) {
        // SAFETY: see above.
        unsafe { lua_rawseti(self.lua, index, n as c_int) }
    }

    /// `t[k]` without metamethods, in the place of the key on top of the stack.
    pub(crate) fn raw_get(&mut self, index: c_int) {
        // SAFETY: see above.
        unsafe { lua_rawget(self.lua, index) }
    }

    /// Pushes `t[n]` without metamethods.
    pub(crate) fn raw_get_at(&mut self, index: c_int, n: c_int) {
        // SAFETY: see above.
        unsafe { lua_rawgeti(self.lua, index, n) }
    }

    /// Pushes a field of the table at `index`, without metamethods.
    pub(crate) fn raw_field(&mut self, index: c_int, name: &[u8]) {
        self.push_bytes(name);
        self.raw_get(if index < 0 { index - 1 } else { index });
    }

    /// The next pair of the table at `index` behind the key on top of the stack, in its place.
    pub(crate) fn next(&mut self, index: c_int) -> bool {
        // SAFETY: see above.
        unsafe { lua::lua_next(self.lua, index) != 0 }
    }

    /// Gives the value at `index` the metatable on top of the stack, which is taken.
    pub(crate) fn set_metatable(&mut self, index: c_int) {
        // SAFETY: see above.
        unsafe { lua::lua_setmetatable(self.lua, index) };
    }

    /// Pushes the metatable of the value at `index`, if it has one.
    pub(crate) fn metatable(&mut self, index: c_int) -> bool {
        // SAFETY: see above.
        unsafe { lua::lua_getmetatable(self.lua, index) != 0 }
    }

    pub(crate) fn set_readonly(&mut self, index: c_int, on: bool) {
        // SAFETY: see above; callers name tables only.
        unsafe { reddle_set_readonly(self.lua, index, c_int::from(on)) }
    }

    pub(crate) fn is_readonly(&self, index: c_int) -> bool {
        // SAFETY: see above; callers name tables only.
        unsafe { reddle_is_readonly(self.lua, index) != 0 }
    }

    /// Where a value lies, for those that have no other name.
    pub(crate) fn address(&self, index: c_int) -> usize {
        // SAFETY: see above.
        unsafe { lua::lua_topointer(self.lua, index) }.addr()
    }

    /// What Lua knows of a level of the running functions.
    fn about(&self, level: c_int) -> Option<lua::lua_Debug> {
        // SAFETY: zeroes are a valid value; Lua fills in what it is asked for.
        let mut about: lua::lua_Debug = unsafe { std::mem::zeroed() };
        // SAFETY: see above; a level that is not there is refused.
        let is_there = unsafe { lua::lua_getstack(self.lua, level, &raw mut about) != 0 };
        is_there.then_some(about)
    }

    /// A level of the running functions, 0 for the innermost.
    pub(crate) fn frame(&self, level: c_int) -> Option<Frame> {
        let mut about = self.about(level)?;
        // SAFETY: `about` is that of a running function; the texts that Lua gives end in 0.
        unsafe {
            lua::lua_getinfo(self.lua, c"Snl".as_ptr(), &raw mut about);
            let text = |text| CStr::from_ptr(text).to_bytes();
            Some(Frame {
                line: i64::from(about.currentline),
                is_script: text(about.source) == b"@user_script",
                name: (!about.name.is_null()).then(|| Pinned::of(text(about.name))),
            })
        }
    }

    /// Pushes the n-th local variable of a level, counted from 1, and tells its name. There is room
    /// for it.
    pub(crate) fn local(&mut self, level: c_int, n: c_int) -> Option<Pinned> {
        let about = self.about(level)?;
        // SAFETY: `about` is that of a running function; Lua gives nothing when there is no such
        // variable, and a name that lives as long as the function otherwise.
        unsafe {
            let name = lua::lua_getlocal(self.lua, &raw const about, n);
            (!name.is_null()).then(|| Pinned::of(CStr::from_ptr(name).to_bytes()))
        }
    }

    pub(crate) fn set_globals_readonly(&mut self, on: bool) {
        self.set_readonly(lua::LUA_GLOBALSINDEX, on);
    }

    /// Keeps the value on top of the stack, which is taken, under a number.
    pub(crate) fn keep(&mut self) -> c_int {
        // SAFETY: see above.
        unsafe { lua::luaL_ref(self.lua, lua::LUA_REGISTRYINDEX) }
    }

    /// Pushes what is kept under a number.
    pub(crate) fn push_kept(&mut self, number: c_int) {
        self.raw_get_at(lua::LUA_REGISTRYINDEX, number);
    }

    /// Lets go of what is kept under a number.
    pub(crate) fn let_go(&mut self, number: c_int) {
        // SAFETY: see above.
        unsafe { lua::luaL_unref(self.lua, lua::LUA_REGISTRYINDEX, number) }
    }

    /// Calls a function, which stands below its arguments, under protection: whether it came to its
    /// end. `handler` is the index of what makes an error's value, 0 for none.
    #[must_use]
    pub(crate) fn call(&mut self, args: c_int, results: c_int, handler: c_int) -> bool {
        // SAFETY: see above.
        unsafe { lua::lua_pcall(self.lua, args, results, handler) == lua::LUA_OK }
    }

    /// The same without protection.
    pub(crate) fn call_open(&mut self, args: c_int, results: c_int) {
        // SAFETY: see above.
        unsafe { lua::lua_call(self.lua, args, results) }
    }

    /// Runs `work` under protection; false when it raised, with the value on top of the stack. It
    /// gets a stack of its own.
    #[must_use]
    pub(crate) fn protect<T>(
        &mut self,
        work: fn(&mut Stack, &mut T) -> Outcome,
        with: &mut T,
    ) -> bool {
        struct Job<T> {
            state: *mut State,
            work: fn(&mut Stack, &mut T) -> Outcome,
            with: *mut T,
        }
        unsafe extern "C-unwind" fn run<T>(lua: *mut lua_State) -> c_int {
            // SAFETY: `protect` passes the address of a job that outlives the call.
            let job = unsafe { &mut *lua::lua_touserdata(lua, 1).cast::<Job<T>>() };
            let mut stack = Stack { lua, state: job.state };
            stack.set_top(0);
            // SAFETY: the reference that `protect` was given, which it does not use meanwhile.
            match (job.work)(&mut stack, unsafe { &mut *job.with }) {
                // A protected call of this kind has no results.
                Ok(_) => 0,
                // SAFETY: nothing here has a destructor.
                Err(Raised) => unsafe { lua::lua_error(lua) },
            }
        }
        let mut job = Job { state: self.state, work, with };
        let job: *mut Job<T> = &raw mut job;
        // SAFETY: see above.
        unsafe { lua::lua_cpcall(self.lua, run::<T>, job.cast()) == lua::LUA_OK }
    }

    /// Compiles source text; what it leaves on top of the stack is the function, or the reason when
    /// it says false. Compiled code is no text and is refused as such.
    #[must_use]
    pub(crate) fn load(&mut self, code: &[u8], name: &CStr) -> bool {
        let refusal: &[u8] = match code {
            [first, ..] if *first == lua::LUA_SIGNATURE[0] => b"compiled code is not loaded",
            // The lexer of 5.1 counts in 32 bits.
            _ if code.len() > CODE_MAX => b"the code is too long",
            _ => b"",
        };
        if !refusal.is_empty() {
            self.push_bytes(refusal);
            return false;
        }
        // The collector rests meanwhile: the parser of 5.1 holds the name of the chunk where the
        // collector does not look.
        // SAFETY: see above.
        unsafe {
            lua::lua_gc(self.lua, lua::LUA_GCSTOP, 0);
            let status = luaL_loadbuffer(self.lua, code.as_ptr(), code.len(), name.as_ptr());
            lua::lua_gc(self.lua, lua::LUA_GCRESTART, 0);
            status == lua::LUA_OK
        }
    }

    /// The same with the name that is the string at an index, which holds no zero byte.
    #[must_use]
    pub(crate) fn load_named(&mut self, code: &[u8], name: c_int) -> bool {
        let name = self.check_bytes(name).get();
        // SAFETY: Lua ends every string with a zero byte, and this one holds no other; it stays on
        // the stack, below what is compiled.
        let name = unsafe { CStr::from_ptr(name.as_ptr().cast()) };
        self.load(code, name)
    }

    /// Opens those of Lua's own libraries that scripts may have parts of.
    pub(crate) fn open_libraries(&mut self) {
        let libraries: [(lua::lua_CFunction, &[u8]); 4] = [
            (lua::luaopen_base, b""),
            (lua::luaopen_table, b"table"),
            (lua::luaopen_string, b"string"),
            (lua::luaopen_math, b"math"),
        ];
        for (open, name) in libraries {
            // SAFETY: these are functions that Lua may call.
            unsafe { lua::lua_pushcclosure(self.lua, open, 0) };
            self.push_bytes(name);
            self.call_open(1, 0);
        }
    }

    /// One step of the collector, or a whole cycle.
    pub(crate) fn collect(&mut self, whole: bool) {
        let (what, data) = if whole { (lua::LUA_GCCOLLECT, 0) } else { (lua::LUA_GCSTEP, 50) };
        // SAFETY: see above. A script may have stopped it.
        unsafe {
            lua::lua_gc(self.lua, lua::LUA_GCRESTART, 0);
            lua::lua_gc(self.lua, what, data);
        }
    }

    /// Counts work that no instruction stands for, with the bytes that it has made in a buffer of
    /// the program's: raises when the script must end, or when the buffer is more than the
    /// interpreter may use.
    pub(crate) fn spend(&mut self, bytes: usize, buffered: usize) -> Result<(), Raised> {
        // SAFETY: see above; it raises by itself.
        unsafe { reddle_spend(self.lua, 1 + bytes / 64) };
        if buffered <= self.state().room() {
            return Ok(());
        }
        self.push_bytes(b"not enough memory");
        Err(Raised)
    }

    /// Raises a message with the place of the running line before it.
    pub(crate) fn fail(&mut self, message: &[u8]) -> Outcome {
        // SAFETY: see above.
        unsafe { lua::luaL_where(self.lua, 1) };
        self.push_bytes(message);
        self.concat(2);
        Err(Raised)
    }

    /// Raises what is wrong with an argument, as Lua's own libraries say it.
    pub(crate) fn fail_argument(&mut self, index: c_int, message: &CStr) -> Outcome {
        // SAFETY: see above; it raises by itself.
        unsafe { lua::luaL_argerror(self.lua, index, message.as_ptr()) };
        Err(Raised)
    }

    /// The string at an index, or the error that Lua's own libraries raise.
    pub(crate) fn check_bytes(&mut self, index: c_int) -> Pinned {
        let mut len = 0;
        // SAFETY: see above.
        let at = unsafe { lua::luaL_checklstring(self.lua, index, &raw mut len) };
        Pinned { at: at.cast(), len }
    }

    /// The number at an index, likewise.
    pub(crate) fn check_number(&mut self, index: c_int) -> f64 {
        // SAFETY: see above.
        unsafe { lua::luaL_checknumber(self.lua, index) }
    }

    /// The number at an index as an integer, likewise: its whole part, or what x86 makes of one
    /// that does not fit, which is the lowest integer.
    pub(crate) fn check_int(&mut self, index: c_int) -> i64 {
        reply::integer(self.check_number(index))
    }

    /// The same with a value for an argument that is not there.
    pub(crate) fn optional_int(&mut self, index: c_int, otherwise: i64) -> i64 {
        match self.kind(index) {
            Kind::None | Kind::Nil => otherwise,
            _ => self.check_int(index),
        }
    }

    /// Raises unless there is a table at an index.
    pub(crate) fn check_table(&mut self, index: c_int) {
        // SAFETY: see above.
        unsafe { lua::luaL_checktype(self.lua, index, lua::LUA_TTABLE) }
    }

    /// Raises unless there is a value at an index.
    pub(crate) fn check_any(&mut self, index: c_int) {
        // SAFETY: see above.
        unsafe { lua::luaL_checkany(self.lua, index) }
    }
}
