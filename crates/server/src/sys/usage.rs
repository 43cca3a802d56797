//! What the process and its threads have used.

use std::time::Duration;

/// Whose use of the processor is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whose {
    /// All threads of the process.
    Process,
    /// The calling thread.
    Thread,
    /// Processes that this one started and that have ended.
    Children,
}

/// Time on the processor, in the kernel and outside of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CpuTimes {
    /// In the kernel.
    pub system: Duration,
    /// Outside of it.
    pub user: Duration,
}

/// How long the processor was used so far.
pub fn cpu_times(whose: Whose) -> CpuTimes {
    let who = match whose {
        Whose::Process => libc::RUSAGE_SELF,
        Whose::Thread => libc::RUSAGE_THREAD,
        Whose::Children => libc::RUSAGE_CHILDREN,
    };
    // SAFETY: all zeros are a valid value of this plain structure.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a whole structure of the right type that outlives the call.
    let status = unsafe { libc::getrusage(who, &raw mut usage) };
    if status != 0 {
        return CpuTimes::default();
    }
    let time = |time: libc::timeval| {
        Duration::new(time.tv_sec as u64, 0) + Duration::from_micros(time.tv_usec as u64)
    };
    CpuTimes { system: time(usage.ru_stime), user: time(usage.ru_utime) }
}

/// Bytes of a page of memory.
pub fn page_size() -> u64 {
    // SAFETY: the call takes a number and gives a number.
    let size = unsafe { libc::sysconf(libc::_SC_PAGESIZE) };
    u64::try_from(size).unwrap_or(4096)
}
