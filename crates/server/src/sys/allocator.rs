//! The allocator's controls that have no safe face elsewhere.

/// jemalloc's number for "every arena" (`MALLCTL_ARENAS_ALL`).
const RELEASE: &core::ffi::CStr = c"arena.4096.decay";

/// Gives pages that have been unused for the allocator's decay time back to the system. jemalloc
/// does so by itself only while memory is asked for, so a server that falls idle would keep them.
pub fn release_unused() {
    // SAFETY: the name is a valid control that takes and gives no value.
    let status = unsafe {
        tikv_jemalloc_sys::mallctl(
            RELEASE.as_ptr(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            std::ptr::null_mut(),
            0,
        )
    };
    debug_assert_eq!(status, 0, "the allocator knows its own controls");
}
