//! The allocator's controls that have no safe face elsewhere.

/// Every arena at once (`MALLCTL_ARENAS_ALL`): all unused pages.
const PURGE: &core::ffi::CStr = c"arena.4096.purge";

/// Gives all unused pages back to the system at once.
pub fn purge() {
    let nothing = std::ptr::null_mut();
    // SAFETY: the control takes and gives no value.
    let status =
        unsafe { tikv_jemalloc_sys::mallctl(PURGE.as_ptr(), nothing, nothing.cast(), nothing, 0) };
    debug_assert_eq!(status, 0, "the allocator knows its own controls");
}
