//! Going to the background.

use std::fs::OpenOptions;
use std::io;
use std::os::fd::AsRawFd;

/// Goes on in a child process, in a session of its own and with nothing on its standard streams;
/// the present process ends with status 0. To be called before any thread is started: only the
/// calling thread goes on in the child.
pub fn daemonize() -> io::Result<()> {
    // SAFETY: no other thread runs, so the child finds every lock free and may do what it likes.
    match unsafe { libc::fork() } {
        -1 => return Err(io::Error::last_os_error()),
        0 => {}
        // SAFETY: ends the process without running what the child still needs (buffers, at-exit
        // functions).
        _ => unsafe { libc::_exit(0) },
    }
    rustix::process::setsid()?;
    let null = OpenOptions::new().read(true).write(true).open("/dev/null")?;
    for stream in 0..=2 {
        // SAFETY: both numbers are open descriptors, and nobody owns the standard ones.
        if unsafe { libc::dup2(null.as_raw_fd(), stream) } == -1 {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
