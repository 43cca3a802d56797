//! Groups of users.

use std::ffi::CString;
use std::ptr;

/// Most bytes that the entry of one group may take.
const ENTRY_MAX: usize = 1 << 20;

/// The number of the group of that name.
pub fn group_id(name: &[u8]) -> Option<u32> {
    let name = CString::new(name).ok()?;
    let mut buffer: Vec<libc::c_char> = vec![0; 1024];
    loop {
        // SAFETY: a `group` of zeroes (null pointers and numbers) is valid.
        let mut group: libc::group = unsafe { std::mem::zeroed() };
        let mut found = ptr::null_mut();
        // SAFETY: every pointer leads to live memory of the length that is told, and the reentrant
        // form keeps none of them.
        let status = unsafe {
            libc::getgrnam_r(
                name.as_ptr(),
                &mut group,
                buffer.as_mut_ptr(),
                buffer.len(),
                &mut found,
            )
        };
        if status == libc::ERANGE && buffer.len() < ENTRY_MAX {
            buffer.resize(buffer.len() * 2, 0);
            continue;
        }
        return (status == 0 && !found.is_null()).then_some(group.gr_gid);
    }
}
