//! What is kept beside an interpreter: the memory it may take, who runs it, and the buffers that
//! its functions build their results in.
#![allow(unsafe_code)]

use std::alloc::{Layout, alloc, dealloc, realloc};
use std::ffi::c_void;
use std::ptr::{self, NonNull};

use resp::{Proto, Writer};

use crate::debug::Debugger;
use crate::function::Library;
use crate::json::Settings;
use crate::random::Random;
use crate::{About, Host, Role};

/// What an allocation of Lua's is aligned to: its values are numbers and pointers.
const ALIGN: usize = 8;

/// See the module's text.
pub(crate) struct State {
    /// Scripts or functions.
    pub(crate) role: Role,
    /// What scripts are told about the server.
    pub(crate) about: About,
    /// Who runs the interpreter at the moment.
    host: Option<NonNull<dyn Host>>,
    /// The protocol in which commands answer the running script.
    pub(crate) proto: Proto,
    /// The reply of the command that a script called.
    pub(crate) reply: Writer,
    /// The same in one piece when it was not.
    pub(crate) gathered: Vec<u8>,
    /// The arguments of the command that a script calls: strings on its stack.
    pub(crate) args: Vec<&'static [u8]>,
    /// The text that a function builds.
    pub(crate) text: Vec<u8>,
    /// Why the script must end; nothing in it may catch that.
    pub(crate) stopped: Option<&'static str>,
    /// Instructions that the running script may still take; `None` without a limit.
    pub(crate) budget: Option<u64>,
    /// Whether what the script returned is the error of a command, which was counted when that ran.
    pub(crate) is_counted: bool,
    /// The library that is being loaded.
    pub(crate) library: Option<Library>,
    /// Who debugs the running script.
    pub(crate) debugger: Option<Box<Debugger>>,
    /// `math.random`.
    pub(crate) random: Random,
    /// `cjson`'s settings.
    pub(crate) json: Settings,
    /// Where the function is kept that gives an error its place.
    pub(crate) handler: i32,
    /// Where the handlers of the calls of `xpcall` that are under way are kept.
    pub(crate) handlers: Vec<i32>,
    /// Where Lua's own `coroutine.resume` is kept.
    pub(crate) resume: i32,
    /// Where the tables of the two environments of libraries are kept.
    pub(crate) environments: [i32; 2],
    /// Runs since the collector was last given a turn.
    pub(crate) runs: u32,
    /// What the interpreter uses.
    memory: NonNull<Memory>,
}

/// What a buffer keeps from one run to the next, in bytes.
const KEPT_MAX: usize = 64 << 10;

impl State {
    /// # Safety
    /// `memory` outlives the value.
    pub(crate) unsafe fn new(role: Role, about: About, memory: NonNull<Memory>) -> Self {
        Self {
            role,
            about,
            host: None,
            proto: Proto::Resp2,
            reply: Writer::new(Proto::Resp2),
            gathered: Vec::new(),
            args: Vec::new(),
            text: Vec::new(),
            stopped: None,
            budget: None,
            is_counted: false,
            library: None,
            debugger: None,
            random: Random::default(),
            json: Settings::default(),
            handler: 0,
            handlers: Vec::new(),
            resume: 0,
            environments: [0; 2],
            runs: 0,
            memory,
        }
    }

    /// Bytes that a buffer may have beside what the interpreter uses.
    pub(crate) fn room(&self) -> usize {
        // SAFETY: see `new`; nobody holds a reference to it while a function runs.
        let Memory { used, max } = unsafe { self.memory.read() };
        if max == 0 { usize::MAX } else { max.saturating_sub(used) }
    }

    /// Gives back what a run has left in the buffers.
    pub(crate) fn tidy(&mut self) {
        self.reply.clear();
        for buffer in [&mut self.text, &mut self.gathered] {
            buffer.clear();
            buffer.shrink_to(KEPT_MAX);
        }
    }

    /// Whoever runs the interpreter, if it runs.
    pub(crate) fn host(&mut self) -> Option<&mut dyn Host> {
        // SAFETY: `set_host` is called with a reference that outlives the run, and undone after it.
        self.host.map(|mut host| unsafe { host.as_mut() })
    }

    /// The same with the arguments of a command and the buffer for its reply.
    pub(crate) fn host_with_buffers(
        &mut self,
    ) -> Option<(&mut dyn Host, &[&'static [u8]], &mut Writer)> {
        // SAFETY: as in `host`; the buffers are others than the host.
        let host = self.host.map(|mut host| unsafe { host.as_mut() })?;
        Some((host, &self.args, &mut self.reply))
    }

    /// Says who runs the interpreter, or that nobody does any more.
    ///
    /// # Safety
    /// The host outlives the run and is not used by anybody else meanwhile.
    pub(crate) unsafe fn set_host(&mut self, host: Option<&mut dyn Host>) {
        // SAFETY: only the lifetime changes; see above.
        self.host = host.map(|host| unsafe {
            std::mem::transmute::<NonNull<dyn Host + '_>, NonNull<dyn Host + 'static>>(
                NonNull::from(host),
            )
        });
    }
}

/// The memory of one interpreter.
#[derive(Default)]
#[repr(C)]
pub(crate) struct Memory {
    /// Bytes that it may use; 0 for no limit. The collector reads it there.
    pub(crate) max: usize,
    /// Bytes in use.
    pub(crate) used: usize,
}

/// Lua's allocator: the program's, counted and bounded. An allocation that does not fit fails, and
/// Lua raises "not enough memory".
pub(crate) unsafe extern "C" fn allocate(
    memory: *mut c_void,
    old: *mut c_void,
    old_size: usize,
    size: usize,
) -> *mut c_void {
    // SAFETY: the interpreter was made with the address of its own `Memory`, which it does not
    // outlive.
    let memory = unsafe { &mut *memory.cast::<Memory>() };
    if size > old_size && memory.max > 0 && memory.used + (size - old_size) > memory.max {
        return ptr::null_mut();
    }
    let (Ok(layout), Ok(old_layout)) =
        (Layout::from_size_align(size, ALIGN), Layout::from_size_align(old_size, ALIGN))
    else {
        return ptr::null_mut();
    };
    // SAFETY: Lua passes the size that an allocation was made with, and 0 for none.
    let new = unsafe {
        match (old_size, size) {
            (0, 0) => return ptr::null_mut(),
            (_, 0) => {
                dealloc(old.cast(), old_layout);
                ptr::null_mut()
            }
            (0, _) => alloc(layout),
            _ => realloc(old.cast(), old_layout, size),
        }
    };
    if new.is_null() && size > 0 {
        return ptr::null_mut();
    }
    memory.used = memory.used + size - old_size;
    new.cast()
}
