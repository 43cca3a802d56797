//! The one binary: the server, the command line client, the load generator, the check of files, and
//! their conversion.
#![deny(unsafe_code)]

mod bench;
mod check;
mod cli;
mod convert;

use std::ffi::OsString;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    check::run(&arguments)
        .or_else(|| convert::run(&arguments))
        .or_else(|| cli::run(&arguments))
        .or_else(|| bench::run(&arguments))
        .unwrap_or_else(|| server::main(&arguments))
}

/// What jemalloc reads at start: unused pages go back to the system after half a second, by one
/// thread of its own once the server has asked for that. See `docs/design/workers.md` for the
/// figures.
#[expect(unsafe_code, reason = "a symbol that the allocator looks for")]
// SAFETY: jemalloc defines the symbol weakly as a pointer to a string that ends with a NUL.
#[unsafe(export_name = "_rjem_malloc_conf")]
static ALLOCATOR_SETTINGS: Option<&'static core::ffi::c_char> = Some(
    // SAFETY: the bytes are static and end with a NUL.
    unsafe { &*c"dirty_decay_ms:500,muzzy_decay_ms:0,max_background_threads:1".as_ptr() },
);
