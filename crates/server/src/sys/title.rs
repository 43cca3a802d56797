//! The process's title: what `ps` and `/proc/PID/cmdline` show.
//!
//! The kernel shows the memory in which it once put the command line, so a title is written over
//! it. A title longer than the command line needs the memory behind, where the environment lies;
//! the environment moves away first.

use std::ffi::{CStr, c_char};
use std::ptr;

use parking_lot::Mutex;

/// Where the title is written, once `prepare_title` has found it.
static AREA: Mutex<Option<Area>> = Mutex::new(None);

#[derive(Clone, Copy)]
struct Area {
    start: usize,
    end: usize,
}

/// The addresses that the kernel keeps of a process: its arguments and its environment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Addresses {
    arguments: (usize, usize),
    environment: (usize, usize),
}

/// Finds the memory of the command line and moves the environment out of it. To be called once,
/// when the arguments have been copied and no other thread runs yet. Where the system does not
/// tell the addresses, titles are not set.
pub fn prepare_title() {
    let Some(addresses) = std::fs::read("/proc/self/stat").ok().and_then(|s| parse_stat(&s)) else {
        return;
    };
    let (start, arguments_end) = addresses.arguments;
    let arguments = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    if arguments.len() != arguments_end - start {
        return;
    }
    let end = if addresses.environment.0 == arguments_end {
        move_environment(addresses.environment);
        addresses.environment.1
    } else {
        arguments_end
    };
    *AREA.lock() = Some(Area { start, end });
}

/// Shows `text` as the process's title; what does not fit is cut off.
pub fn set_title(text: &[u8]) {
    let guard = AREA.lock();
    let Some(Area { start, end }) = *guard else { return };
    let len = text.len().min(end - start - 1);
    let area = ptr::with_exposed_provenance_mut::<u8>(start);
    // SAFETY: the kernel gave [start, end) to this process for its arguments and, where the area
    // covers it, its environment; it stays mapped and writable. Nobody reads either there: the
    // arguments were copied and the environment was moved before the area was put down. The lock
    // keeps other writers out.
    unsafe {
        ptr::copy_nonoverlapping(text.as_ptr(), area, len);
        ptr::write_bytes(area.add(len), 0, end - start - len);
    }
}

/// Reads fields 48 to 51 of `/proc/PID/stat`. The process's name before them, in parentheses, may
/// hold anything.
pub(super) fn parse_stat(stat: &[u8]) -> Option<Addresses> {
    let name_end = stat.iter().rposition(|&byte| byte == b')')?;
    let rest = std::str::from_utf8(&stat[name_end + 1..]).ok()?;
    let fields: Vec<&str> = rest.split_ascii_whitespace().collect();
    let number = |field: usize| fields.get(field - 3)?.parse::<usize>().ok();
    let arguments = (number(48)?, number(49)?);
    let environment = (number(50)?, number(51)?);
    let in_order = arguments.0 != 0
        && arguments.0 < arguments.1
        && arguments.1 <= environment.0
        && environment.0 <= environment.1;
    in_order.then_some(Addresses { arguments, environment })
}

unsafe extern "C" {
    /// The variables of the environment, ended by a null pointer.
    static mut environ: *mut *mut c_char;
}

/// Gives each variable that lies in the area memory of its own, which is never freed.
fn move_environment((start, end): (usize, usize)) {
    // SAFETY: no other thread runs (see `prepare_title`), so nobody changes the list meanwhile; it
    // is ended by a null pointer, and each entry before that is a text ended by a zero.
    unsafe {
        let mut entry = environ;
        while !entry.is_null() && !(*entry).is_null() {
            if (start..end).contains(&(*entry).addr()) {
                let copy = CStr::from_ptr(*entry).to_owned();
                *entry = copy.into_raw();
            }
            entry = entry.add(1);
        }
    }
}
