//! The end of a process in which a thread has panicked.
//!
//! A worker that is gone leaves its connections unserved and its locks in an unknown state, so
//! nothing is tried any more: the log says what happened and where, and the process aborts, for a
//! supervisor to start it anew.

use std::backtrace::Backtrace;
use std::panic::{self, PanicHookInfo};
use std::process;
use std::thread;

/// Makes every panic the end of the process from now on.
pub fn end_on_panic() {
    panic::set_hook(Box::new(report));
}

fn report(info: &PanicHookInfo<'_>) {
    let thread = thread::current();
    let place = info.location().map_or_else(String::new, |place| format!(" at {place}"));
    let text = info.payload_as_str().unwrap_or("no text");
    log::error!("=== REDDLE BUG REPORT START: Cut & paste starting from here ===");
    log::error!("Reddle {} crashed by panic: {text}", env!("CARGO_PKG_VERSION"));
    log::error!("In thread {}{place}", thread.name().unwrap_or("without a name"));
    for line in Backtrace::force_capture().to_string().lines() {
        log::error!("{line}");
    }
    log::error!("=== REDDLE BUG REPORT END ===");
    process::abort();
}
