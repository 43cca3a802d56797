//! When bytes arrived at a socket, as the kernel knows it.

use std::io;
use std::os::fd::RawFd;

/// Asks the kernel to remember when what a socket receives arrived. The caller knows the descriptor
/// to be open. Where there is no such thing, nothing is remembered.
#[cfg(target_os = "linux")]
pub fn remember(fd: RawFd) {
    let on: libc::c_int = 1;
    let size = size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: the pointer is to a whole integer that outlives the call.
    let status = unsafe {
        libc::setsockopt(fd, libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, (&raw const on).cast(), size)
    };
    if status != 0 {
        log::debug!("Asking for times of arrival: {}", io::Error::last_os_error());
    }
}

/// Reads once, as `read` does, and tells in Unix nanoseconds when the last bytes of it arrived, if
/// the kernel was asked to remember that. The caller knows the descriptor to be open.
#[cfg(target_os = "linux")]
pub fn read(fd: RawFd, buf: &mut [u8]) -> (io::Result<usize>, Option<i64>) {
    /// Room for one time, with the head of the message; aligned as the head is.
    const WORDS: usize = 16;
    let mut control = [0u64; WORDS];
    let mut part = libc::iovec { iov_base: buf.as_mut_ptr().cast(), iov_len: buf.len() };
    // SAFETY: all zeros are a valid value of this plain structure.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &raw mut part;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control) as _;
    // SAFETY: the message leads to `buf` and `control`, both with their lengths, which outlive the
    // call and which nobody else uses meanwhile.
    let count = unsafe { libc::recvmsg(fd, &raw mut message, 0) };
    if count < 0 {
        return (Err(io::Error::last_os_error()), None);
    }
    // SAFETY: the kernel has set the length of the control data to what it wrote, and the macro
    // gives a pointer only when a whole head fits into that.
    let head = unsafe { libc::CMSG_FIRSTHDR(&raw const message).as_ref() };
    let arrived = head
        .filter(|head| {
            head.cmsg_level == libc::SOL_SOCKET && head.cmsg_type == libc::SCM_TIMESTAMPNS
        })
        .map(|head| {
            // SAFETY: data of this kind is one `timespec`, behind its head; it need not be aligned.
            let time: libc::timespec =
                unsafe { libc::CMSG_DATA(head).cast::<libc::timespec>().read_unaligned() };
            time.tv_sec * 1_000_000_000 + time.tv_nsec
        });
    (Ok(count as usize), arrived)
}

/// See the other form.
#[cfg(not(target_os = "linux"))]
pub fn remember(_: RawFd) {}

/// See the other form; the time is never known.
#[cfg(not(target_os = "linux"))]
pub fn read(fd: RawFd, buf: &mut [u8]) -> (io::Result<usize>, Option<i64>) {
    // SAFETY: the pointer and the length are those of the slice.
    let count = unsafe { libc::read(fd, buf.as_mut_ptr().cast(), buf.len()) };
    let result = if count < 0 { Err(io::Error::last_os_error()) } else { Ok(count as usize) };
    (result, None)
}
