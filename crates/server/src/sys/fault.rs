//! Signals that end the process, the stacks of its threads, and the last words in its log.
//!
//! What runs in a signal's handler here allocates nothing, takes no lock and writes with one system
//! call each; everything that needs more is asked of a thread that waits for it (see
//! [`hand_over`]). Invariant: one thread at a time owns the report (`OWNER`); whoever crashes
//! besides it stops where it is.

use std::cell::Cell;
use std::ffi::CString;
use std::fmt::{self, Write};
use std::io::{PipeWriter, Write as _};
use std::ptr;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use parking_lot::Mutex;

/// The most frames of a stack that are looked at.
pub const DEPTH: usize = 100;

/// How long the thread that crashed waits for the report.
const REPORT_TIME_MAX: Duration = Duration::from_secs(20);

/// How long a thread is given to show its stack.
const ANSWER_TIME_MAX: Duration = Duration::from_millis(200);

const TICK: Duration = Duration::from_millis(1);

/// Bytes of the stack that handlers run on: unwinding takes more than the system's minimum.
const HANDLER_STACK: usize = 64 << 10;

/// The signals of a process that cannot go on.
const FATAL: [i32; 5] = [libc::SIGSEGV, libc::SIGBUS, libc::SIGFPE, libc::SIGILL, libc::SIGABRT];

/// The signal by which a thread is asked for its stack.
const ASK: i32 = libc::SIGUSR2;

/// No worker.
pub const NO_WORKER: usize = usize::MAX;

/// The thread whose crash is reported; 0 while all is well.
static OWNER: AtomicI32 = AtomicI32::new(0);
static OWNER_WORKER: AtomicUsize = AtomicUsize::new(NO_WORKER);
/// `use-exit-on-panic`.
static EXITS: AtomicBool = AtomicBool::new(false);
static IS_REPORTED: AtomicBool = AtomicBool::new(false);
static CAUSE: Cause = Cause {
    signal: AtomicI32::new(0),
    code: AtomicI32::new(0),
    sender: AtomicI32::new(0),
    address: AtomicUsize::new(0),
    registers: [const { AtomicU64::new(0) }; REGISTERS.len()],
};
static OWN_TRACE: Trace = Trace::new();

/// The thread that is asked for its stack, the last one that has answered, and the answer.
static ASKED: AtomicI32 = AtomicI32::new(0);
static ANSWERED: AtomicI32 = AtomicI32::new(0);
static ANSWER: Trace = Trace::new();
static ASKING: Mutex<()> = Mutex::new(());

/// Wakes the thread that reports.
static REPORTER: OnceLock<PipeWriter> = OnceLock::new();
/// The log file; the standard output without one.
static LOG: OnceLock<Option<CString>> = OnceLock::new();

thread_local! {
    /// The worker that this thread is. Constant and without a destructor, so that a handler may
    /// look at it.
    static WORKER: Cell<usize> = const { Cell::new(NO_WORKER) };
}

struct Cause {
    /// 0 for a panic.
    signal: AtomicI32,
    code: AtomicI32,
    /// The process that sent the signal, if one did.
    sender: AtomicI32,
    address: AtomicUsize,
    registers: [AtomicU64; REGISTERS.len()],
}

struct Trace {
    len: AtomicUsize,
    frames: [AtomicUsize; DEPTH],
}

impl Trace {
    const fn new() -> Self {
        Self { len: AtomicUsize::new(0), frames: [const { AtomicUsize::new(0) }; DEPTH] }
    }

    /// Notes the stack of the thread that calls.
    fn fill(&self) {
        let mut len = 0;
        let note = |frame: &backtrace::Frame| {
            self.frames[len].store(frame.ip() as usize, Ordering::Relaxed);
            len += 1;
            len < DEPTH
        };
        // SAFETY: the unwinder keeps no state of its own besides the loader's, whose lock the same
        // thread may take again; nothing is resolved to names here.
        unsafe { backtrace::trace_unsynchronized(note) };
        self.len.store(len, Ordering::Release);
    }

    fn addresses(&self) -> Vec<usize> {
        let len = self.len.load(Ordering::Acquire);
        self.frames[..len].iter().map(|frame| frame.load(Ordering::Relaxed)).collect()
    }
}

/// What a report begins with.
#[derive(Debug)]
pub struct Crash {
    /// The signal; 0 for a panic.
    pub signal: i32,
    /// The thread's number in the system.
    pub thread: i32,
    /// The worker that it is, or [`NO_WORKER`].
    pub worker: usize,
    /// The addresses of its stack, the innermost first.
    pub stack: Vec<usize>,
    /// The processor's registers, by name.
    pub registers: Vec<(&'static str, u64)>,
}

/// Where last words go: a file, or the standard output.
pub fn write_to(file: Option<CString>) {
    // Only a second call fails, and the log's place does not change.
    LOG.set(file).ok();
}

/// From now on `waker` is written a byte when there is a crash to report.
pub fn report_through(waker: PipeWriter) {
    REPORTER.set(waker).ok();
}

/// Tells handlers which worker this thread is.
pub fn begin_worker(id: usize) {
    WORKER.set(id);
    make_room();
}

/// Gives handlers of fatal signals a stack in this thread: its own may have no room left, and what
/// the standard library gives them is just enough.
pub fn make_room() {
    // SAFETY: the call asks for fresh memory and passes none.
    let memory = unsafe {
        libc::mmap(
            ptr::null_mut(),
            HANDLER_STACK,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    if memory == libc::MAP_FAILED {
        return;
    }
    let stack = libc::stack_t { ss_sp: memory, ss_flags: 0, ss_size: HANDLER_STACK };
    // SAFETY: the memory is mapped, of that size, used for nothing else and never given back.
    unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) };
}

/// Lets fatal signals end in a report, or in the system's own way. Always answers questions for
/// stacks.
pub fn catch(on: bool) {
    let plain = libc::SIG_DFL;
    let (fatal, asked) = (on_fatal as *const () as usize, on_ask as *const () as usize);
    for signal in FATAL {
        handle(signal, if on { fatal } else { plain }, libc::SA_SIGINFO | libc::SA_ONSTACK);
    }
    handle(ASK, asked, libc::SA_SIGINFO | libc::SA_RESTART);
}

fn handle(signal: i32, handler: usize, flags: i32) {
    // SAFETY: all zeros are a valid value of this plain structure: no flags, an empty mask.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    action.sa_sigaction = handler;
    action.sa_flags = flags;
    // SAFETY: the structure is whole, and the handler is a function of the right form, or the
    // number for the system's own.
    unsafe { libc::sigaction(signal, &raw const action, ptr::null_mut()) };
}

extern "C" fn on_fatal(signal: i32, info: *mut libc::siginfo_t, context: *mut libc::c_void) {
    if !claim() {
        stay(signal);
    }
    CAUSE.signal.store(signal, Ordering::Relaxed);
    // SAFETY: the kernel passes the description of the signal, whole and for as long as this runs.
    let (code, address, sender) = unsafe {
        let is_sent = matches!((*info).si_code, libc::SI_USER | libc::SI_TKILL);
        let sender = if is_sent { (*info).si_pid() } else { 0 };
        ((*info).si_code, (*info).si_addr() as usize, sender)
    };
    CAUSE.code.store(code, Ordering::Relaxed);
    CAUSE.sender.store(sender, Ordering::Relaxed);
    CAUSE.address.store(if sender == 0 { address } else { 0 }, Ordering::Relaxed);
    // SAFETY: the kernel passes the state of the interrupted thread, whole.
    unsafe { save_registers(context) };
    OWN_TRACE.fill();
    write_first_words();
    hand_over();
    die(signal)
}

extern "C" fn on_ask(_: i32, _: *mut libc::siginfo_t, _: *mut libc::c_void) {
    let me = thread_number();
    if ASKED.load(Ordering::Acquire) == me {
        ANSWER.fill();
        ANSWERED.store(me, Ordering::Release);
    }
}

/// Makes the calling thread's crash the one that is reported; false when there is one already.
pub fn claim() -> bool {
    let me = thread_number();
    if OWNER.compare_exchange(0, me, Ordering::SeqCst, Ordering::SeqCst).is_err() {
        return false;
    }
    OWNER_WORKER.store(WORKER.get(), Ordering::Relaxed);
    true
}

/// Claims the report for a panic of the calling thread, and notes its stack.
pub fn claim_panic() -> bool {
    let first = claim();
    if first {
        OWN_TRACE.fill();
    }
    first
}

/// What became of a second crash: the owner's own ends the process at once, any other waits for
/// the end of it.
fn stay(signal: i32) -> ! {
    if OWNER.load(Ordering::SeqCst) == thread_number() {
        die(signal);
    }
    loop {
        nap();
    }
}

/// Waits until the crash is reported, for some time; false when there is nobody to report it.
pub fn hand_over() -> bool {
    let Some(mut reporter) = REPORTER.get() else { return false };
    if reporter.write(&[1]).is_err() {
        return false;
    }
    for _ in 0..REPORT_TIME_MAX.as_millis() {
        if IS_REPORTED.load(Ordering::Acquire) {
            break;
        }
        nap();
    }
    true
}

/// Waits for the end of the process, which another thread's crash brings; the own one's at once.
pub fn wait_for_the_end() -> ! {
    stay(libc::SIGABRT)
}

/// Lets a panic end with status 1, or as `abort` does.
pub fn exit_on_panic(on: bool) {
    EXITS.store(on, Ordering::Relaxed);
}

/// Ends the process at once, in the way that panics do.
pub fn die_of_panic() -> ! {
    if EXITS.load(Ordering::Relaxed) {
        // SAFETY: the call takes a number and does not come back.
        unsafe { libc::_exit(1) }
    }
    die(libc::SIGABRT)
}

/// The report is written; the thread that crashed ends the process.
pub fn reported() {
    IS_REPORTED.store(true, Ordering::Release);
}

/// The crash that is to be reported.
pub fn crash() -> Crash {
    let registers = REGISTERS.iter().zip(&CAUSE.registers);
    Crash {
        signal: CAUSE.signal.load(Ordering::Relaxed),
        thread: OWNER.load(Ordering::Relaxed),
        worker: OWNER_WORKER.load(Ordering::Relaxed),
        stack: OWN_TRACE.addresses(),
        registers: registers.map(|(name, it)| (*name, it.load(Ordering::Relaxed))).collect(),
    }
}

/// Ends the process by a signal, in the system's own way.
pub fn die(signal: i32) -> ! {
    handle(signal, libc::SIG_DFL, 0);
    // SAFETY: a set of signals is filled before it is used, and the calls take nothing else.
    unsafe {
        let mut only: libc::sigset_t = std::mem::zeroed();
        libc::sigemptyset(&raw mut only);
        libc::sigaddset(&raw mut only, signal);
        libc::pthread_sigmask(libc::SIG_UNBLOCK, &raw const only, ptr::null_mut());
        libc::raise(signal);
        libc::_exit(128 + signal)
    }
}

/// The stack of another thread, if it answers in time; the innermost address first.
pub fn stack_of(thread: i32) -> Option<Vec<usize>> {
    let _one = ASKING.lock();
    ANSWERED.store(0, Ordering::SeqCst);
    ASKED.store(thread, Ordering::SeqCst);
    // SAFETY: the call takes numbers; a thread that is gone is an error.
    let sent = unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, ASK) };
    if sent != 0 {
        return None;
    }
    for _ in 0..ANSWER_TIME_MAX.as_millis() {
        if ANSWERED.load(Ordering::Acquire) == thread {
            return Some(ANSWER.addresses());
        }
        nap();
    }
    ASKED.store(0, Ordering::SeqCst);
    None
}

/// Whether a mask of blocked signals, as the system shows it, keeps a thread from answering.
pub fn blocks_questions(mask: u64) -> bool {
    mask & (1 << (ASK - 1)) != 0
}

/// The calling thread's number in the system.
pub fn thread_number() -> i32 {
    // SAFETY: the call takes nothing and gives a number.
    unsafe { libc::syscall(libc::SYS_gettid) as i32 }
}

/// Appends to the log without a lock and without the log's own code.
pub fn write_log(bytes: &[u8]) {
    const FLAGS: i32 = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC;
    let file = LOG.get().and_then(Option::as_ref);
    // SAFETY: the path ends with a zero and lives as long as the process; the bytes are live; a
    // descriptor that could not be opened is only an error.
    unsafe {
        let fd = file.map_or(libc::STDOUT_FILENO, |path| libc::open(path.as_ptr(), FLAGS, 0o644));
        let mut rest = bytes;
        while let Ok(count @ 1..) =
            usize::try_from(libc::write(fd, rest.as_ptr().cast(), rest.len()))
        {
            rest = &rest[count..];
        }
        if fd != libc::STDOUT_FILENO {
            libc::close(fd);
        }
    }
}

/// Writes where no page may be written.
pub fn segfault() {
    // SAFETY: that this is not allowed is what it is for; the page belongs to nobody.
    unsafe {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let page = libc::mmap(ptr::null_mut(), 4096, libc::PROT_READ, flags, -1, 0);
        page.cast::<u8>().write_volatile(b'x');
    }
}

fn nap() {
    let mut left = libc::timespec { tv_sec: 0, tv_nsec: TICK.subsec_nanos().into() };
    // SAFETY: both structures are whole and outlive the call.
    unsafe { libc::nanosleep(&raw const left, &raw mut left) };
}

/// What must be in the log even if nothing else comes to it.
fn write_first_words() {
    // The owner of the report comes here once. Handlers' stacks may be too small for the text.
    static WORDS: Mutex<Words> = Mutex::new(Words { bytes: [0; 2048], len: 0 });
    let Some(mut text) = WORDS.try_lock() else { return };
    // What does not fit is cut off.
    first_words(&mut text).ok();
    write_log(&text.bytes[..text.len]);
}

fn first_words(text: &mut Words) -> fmt::Result {
    let number = |from: &AtomicI32| from.load(Ordering::Relaxed);
    writeln!(text, "\n\n=== REDDLE BUG REPORT START: Cut & paste starting from here ===")?;
    let version = env!("CARGO_PKG_VERSION");
    let (signal, code) = (number(&CAUSE.signal), number(&CAUSE.code));
    writeln!(text, "Reddle {version} crashed by signal: {signal}, si_code: {code}")?;
    match number(&CAUSE.sender) {
        0 => writeln!(text, "Accessing address: {:#x}", CAUSE.address.load(Ordering::Relaxed))?,
        sender => writeln!(text, "Killed by PID: {sender}")?,
    }
    write!(text, "Addresses of the stack:")?;
    for frame in &OWN_TRACE.frames[..OWN_TRACE.len.load(Ordering::Relaxed)] {
        write!(text, " {:#x}", frame.load(Ordering::Relaxed))?;
    }
    writeln!(text)
}

/// Text in a place of its own, cut off where that ends.
struct Words {
    bytes: [u8; 2048],
    len: usize,
}

impl Write for Words {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = &mut self.bytes[self.len..];
        let count = text.len().min(room.len());
        room[..count].copy_from_slice(&text.as_bytes()[..count]);
        self.len += count;
        Ok(())
    }
}

#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
const REGISTERS: [&str; 18] = [
    "R8", "R9", "R10", "R11", "R12", "R13", "R14", "R15", "RDI", "RSI", "RBP", "RBX", "RDX", "RAX",
    "RCX", "RSP", "RIP", "EFL",
];

/// # Safety
/// `context` is what the kernel passed to a handler that is still running.
#[cfg(all(target_os = "linux", target_arch = "x86_64"))]
unsafe fn save_registers(context: *mut libc::c_void) {
    // SAFETY: by the contract of this function.
    let all = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    for (place, value) in CAUSE.registers.iter().zip(all) {
        place.store(*value as u64, Ordering::Relaxed);
    }
}

#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
const REGISTERS: [&str; 34] = [
    "X0", "X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8", "X9", "X10", "X11", "X12", "X13", "X14",
    "X15", "X16", "X17", "X18", "X19", "X20", "X21", "X22", "X23", "X24", "X25", "X26", "X27",
    "X28", "X29", "X30", "SP", "PC", "PSTATE",
];

/// # Safety
/// `context` is what the kernel passed to a handler that is still running.
#[cfg(all(target_os = "linux", target_arch = "aarch64"))]
unsafe fn save_registers(context: *mut libc::c_void) {
    // SAFETY: by the contract of this function.
    let all = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
    let rest = [all.sp, all.pc, all.pstate];
    for (place, value) in CAUSE.registers.iter().zip(all.regs.iter().chain(&rest)) {
        place.store(*value, Ordering::Relaxed);
    }
}

#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
const REGISTERS: [&str; 0] = [];

/// # Safety
/// None: there is nothing known of this system's registers.
#[cfg(not(all(target_os = "linux", any(target_arch = "x86_64", target_arch = "aarch64"))))]
unsafe fn save_registers(_: *mut libc::c_void) {}
