//! The allocator's controls that have no safe face elsewhere.

use std::ffi::CStr;
use std::ptr;

/// Every arena at once (`MALLCTL_ARENAS_ALL`): all unused pages.
const PURGE: &CStr = c"arena.4096.purge";

/// Gives all unused pages back to the system at once.
pub fn purge() {
    let nothing = ptr::null_mut();
    // SAFETY: the control takes and gives no value.
    let status =
        unsafe { tikv_jemalloc_sys::mallctl(PURGE.as_ptr(), nothing, nothing.cast(), nothing, 0) };
    debug_assert_eq!(status, 0, "the allocator knows its own controls");
}

/// A number among the controls, of four or eight bytes or a truth value, which is given a new value
/// if there is one. The error is the system's word for it.
pub fn number(name: &CStr, new: Option<u64>) -> Result<u64, String> {
    let mut refused = libc::EINVAL;
    for width in [8, 4, 1] {
        let mut old = [0_u8; 8];
        let mut len = width;
        let mut given = new.unwrap_or(0).to_le_bytes();
        let (pointer, size) = match new {
            Some(_) => (given.as_mut_ptr().cast(), width),
            None => (ptr::null_mut(), 0),
        };
        // SAFETY: both places hold eight live bytes, of which at most `width` are told; the
        // allocator refuses a width that is not the control's own.
        let status = unsafe {
            tikv_jemalloc_sys::mallctl(
                name.as_ptr(),
                old.as_mut_ptr().cast(),
                &raw mut len,
                pointer,
                size,
            )
        };
        match status {
            0 => return Ok(u64::from_le_bytes(old)),
            // Another width may be the right one.
            libc::EINVAL => {}
            other => refused = other,
        }
    }
    Err(reason(refused))
}

/// A text among the controls.
pub fn text(name: &CStr) -> Result<Vec<u8>, String> {
    let mut old: *const libc::c_char = ptr::null();
    let mut len = size_of_val(&old);
    // SAFETY: the place holds a live pointer and its size is told; the control takes no value.
    let status = unsafe {
        tikv_jemalloc_sys::mallctl(
            name.as_ptr(),
            (&raw mut old).cast(),
            &raw mut len,
            ptr::null_mut(),
            0,
        )
    };
    if status != 0 || old.is_null() || !is_text(name) {
        return Err(reason(if status == 0 { libc::ENOENT } else { status }));
    }
    // SAFETY: the controls that `is_text` knows give a string that ends with a NUL and lives as
    // long as the process.
    Ok(unsafe { CStr::from_ptr(old) }.to_bytes().to_vec())
}

/// Whether a control's value is a text: a number of the same width would be taken for an address.
fn is_text(name: &CStr) -> bool {
    const TEXTS: [&str; 10] = [
        "version",
        "config.malloc_conf",
        "opt.metadata_thp",
        "opt.dss",
        "opt.percpu_arena",
        "opt.junk",
        "opt.thp",
        "opt.zero_realloc",
        "opt.stats_print_opts",
        "opt.stats_interval_opts",
    ];
    name.to_str().is_ok_and(|name| TEXTS.contains(&name))
}

fn reason(status: i32) -> String {
    super::system_text(&std::io::Error::from_raw_os_error(status))
}
