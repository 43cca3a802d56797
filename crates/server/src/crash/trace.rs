//! What the threads of this process are doing, as text: a name and an address a frame.

use std::ffi::c_void;
use std::fmt::Write;
use std::fs;

use crate::sys::fault;

/// The stacks of all threads, that of `first` before the others; `known` is its stack, if that was
/// noted before.
pub(crate) fn all(first: i32, known: Option<&[usize]>) -> String {
    let mut text = String::from("\n------ STACK TRACE ------\n");
    let mut threads = threads();
    threads.sort_by_key(|thread| (*thread != first, *thread));
    let (total, mut shown) = (threads.len(), 0);
    for thread in threads {
        let is_self = thread == fault::thread_number();
        let stack = match known.filter(|_| thread == first) {
            Some(known) => Some(known.to_vec()),
            // It is busy with this text, and its own stack tells nothing.
            None if is_self => Some(Vec::new()),
            None if blocks_signals(thread) => None,
            None => fault::stack_of(thread),
        };
        let sign = if thread == first { " *" } else { "" };
        text.push_str(&format!("\n{thread} {}{sign}\n", name_of(thread)));
        shown += usize::from(stack.is_some());
        match stack {
            Some(stack) => text.push_str(&names(&stack)),
            None => text.push_str("(takes no signals, or does not answer)\n"),
        }
    }
    text.push_str(&format!(
        "\n{shown}/{total} expected stacktraces.\n\n------ STACK TRACE DONE ------\n"
    ));
    text
}

/// Addresses of a stack with what stands there, the innermost first, a line each.
pub(crate) fn names(stack: &[usize]) -> String {
    let mut text = String::new();
    for (depth, address) in stack.iter().enumerate() {
        // A caller's address is that of the instruction behind its call.
        let at = address - usize::from(depth > 0 && *address > 0);
        let mut known = false;
        backtrace::resolve(at as *mut c_void, |symbol| {
            known = true;
            let name = symbol.name().map_or_else(|| "?".to_owned(), |name| format!("{name:#}"));
            let place = symbol.filename().zip(symbol.lineno());
            let place = place
                .map_or_else(String::new, |(file, line)| format!(" at {}:{line}", file.display()));
            // Writing into memory does not fail.
            writeln!(text, "{name}{place} [{address:#x}]").ok();
        });
        if !known {
            writeln!(text, "? [{address:#x}]").ok();
        }
    }
    text
}

/// The numbers of all threads of this process.
fn threads() -> Vec<i32> {
    let tasks = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    tasks.filter_map(|task| task.file_name().to_str()?.parse().ok()).collect()
}

/// Whether a thread, such as the allocator's own, leaves all signals to others.
fn blocks_signals(thread: i32) -> bool {
    let status = fs::read_to_string(format!("/proc/self/task/{thread}/status"));
    let status = status.unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigBlk:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(fault::blocks_questions)
}

fn name_of(thread: i32) -> String {
    let name = fs::read_to_string(format!("/proc/self/task/{thread}/comm"));
    name.map_or_else(|_| "?".to_owned(), |name| name.trim_end().to_owned())
}

#[cfg(test)]
mod tests;
