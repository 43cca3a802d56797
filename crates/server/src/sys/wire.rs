//! A socket that a worker has handed to what it is in the middle of.

use std::io;
use std::time::Duration;

/// Reads what has come, for which it waits so long at most; nothing at the end.
pub fn receive(fd: i32, buf: &mut [u8], patience: Duration) -> io::Result<usize> {
    wait(fd, libc::POLLIN, patience)?;
    // SAFETY: the buffer is as long as is said; a descriptor that is no socket is only an error.
    let got = unsafe { libc::recv(fd, buf.as_mut_ptr().cast(), buf.len(), libc::MSG_DONTWAIT) };
    usize::try_from(got).map_err(|_| io::Error::last_os_error())
}

/// Writes everything; gives up when the peer takes nothing for so long.
pub fn send(fd: i32, mut bytes: &[u8], patience: Duration) -> io::Result<()> {
    const FLAGS: libc::c_int = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
    while !bytes.is_empty() {
        wait(fd, libc::POLLOUT, patience)?;
        // SAFETY: as in `receive`.
        let sent = unsafe { libc::send(fd, bytes.as_ptr().cast(), bytes.len(), FLAGS) };
        match usize::try_from(sent) {
            Ok(sent) => bytes = &bytes[sent..],
            Err(_) => return Err(io::Error::last_os_error()),
        }
    }
    Ok(())
}

fn wait(fd: i32, events: libc::c_short, patience: Duration) -> io::Result<()> {
    let mut asked = libc::pollfd { fd, events, revents: 0 };
    // SAFETY: the call reads and writes the one structure that it is given.
    match unsafe { libc::poll(&raw mut asked, 1, patience.as_millis() as libc::c_int) } {
        0 => Err(io::ErrorKind::WouldBlock.into()),
        1 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
