//! What needs a system call or an instruction that the standard library does not offer.
#![allow(unsafe_code)]

pub mod allocator;
pub mod arrival;
pub mod balance;
mod daemon;
mod error;
pub mod fault;
mod group;
pub mod running;
pub mod slabs;
mod time;
mod title;
mod usage;
pub mod wire;

pub use daemon::daemonize;
pub use error::system_text;
pub use group::group_id;
pub use time::{LocalTime, local_time};
pub use title::{prepare_title, set_title};
pub use usage::{CpuTimes, Whose, cpu_times, page_size};

/// The processor's time-stamp counter, constant in rate on every processor of the last decade.
#[cfg(target_arch = "x86_64")]
#[inline]
pub fn ticks() -> u64 {
    // SAFETY: the instruction exists on every x86-64 processor and touches no memory.
    unsafe { core::arch::x86_64::_rdtsc() }
}

/// The monotonic clock in nanoseconds, where there is no cheaper counter.
#[cfg(not(target_arch = "x86_64"))]
pub fn ticks() -> u64 {
    use std::sync::OnceLock;
    use std::time::Instant;
    static START: OnceLock<Instant> = OnceLock::new();
    START.get_or_init(Instant::now).elapsed().as_nanos() as u64
}

#[cfg(test)]
mod tests;

/// Whether the peer of a connection has closed its side, or the connection is broken; asked without
/// waiting. The caller knows the descriptor to be open.
pub fn has_hung_up(fd: i64) -> bool {
    #[cfg(target_os = "linux")]
    const CLOSED: libc::c_short = libc::POLLRDHUP;
    #[cfg(not(target_os = "linux"))]
    const CLOSED: libc::c_short = 0;
    let mut asked = libc::pollfd { fd: fd as i32, events: CLOSED, revents: 0 };
    // SAFETY: the call reads and writes the one structure that it is given.
    let ready = unsafe { libc::poll(&raw mut asked, 1, 0) };
    ready == 1 && asked.revents != 0
}

/// Ends a connection in both directions without closing its descriptor, which the caller knows to
/// be open.
pub fn hang_up(fd: i32) {
    // SAFETY: the call takes no memory, and a descriptor that is no socket is only an error.
    let status = unsafe { libc::shutdown(fd, libc::SHUT_RDWR) };
    if status != 0 {
        log::debug!("Ending a connection: {}", std::io::Error::last_os_error());
    }
}
