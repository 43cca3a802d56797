//! The allocator's controls that have no safe face elsewhere.

/// Every arena at once (`MALLCTL_ARENAS_ALL`): pages that were unused for the decay time.
const RELEASE: &core::ffi::CStr = c"arena.4096.decay";

/// The same for all unused pages.
const PURGE: &core::ffi::CStr = c"arena.4096.purge";

/// Gives pages that have been unused for the allocator's decay time back to the system. jemalloc
/// does so by itself only while memory is asked for, so a server that falls idle would keep them.
pub fn release_unused() {
    act(RELEASE);
}

/// Gives all unused pages back to the system at once.
pub fn purge() {
    act(PURGE);
}

fn act(control: &core::ffi::CStr) {
    let nothing = std::ptr::null_mut();
    // SAFETY: the controls that are passed take and give no value.
    let status = unsafe {
        tikv_jemalloc_sys::mallctl(control.as_ptr(), nothing, nothing.cast(), nothing, 0)
    };
    debug_assert_eq!(status, 0, "the allocator knows its own controls");
}
