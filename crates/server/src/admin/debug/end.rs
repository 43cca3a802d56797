//! Subcommands that end the process, by a crash or to start it anew.

use std::ffi::OsString;
use std::os::unix::process::CommandExt;
use std::process::Command;
use std::time::Duration;

use commands::{Args, Error};

use crate::call::{Call, Flow};
use crate::server::Server;
use crate::shutdown::{self, Wish};
use crate::sys::fault;

const NOT_RESTARTED: &str = "ERR failed to restart the server. Check server logs.";

/// DEBUG SEGFAULT.
pub(super) fn segfault(_: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    fault::segfault();
    Err(Error::Text("ERR the system let a page be written that may not be"))
}

/// DEBUG ASSERT.
pub(super) fn assert(_: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let (one, two) = std::hint::black_box((1, 2));
    assert_eq!(one, two, "called by DEBUG ASSERT");
    Ok(())
}

/// DEBUG PANIC.
pub(super) fn panic(_: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    panic!("called by DEBUG PANIC")
}

/// DEBUG OOM: what happens when the allocator has nothing.
pub(super) fn oom(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    log::warn!("Out of memory allocating {} bytes, as DEBUG OOM wants it", isize::MAX);
    let all = Vec::<u8>::with_capacity(std::hint::black_box(isize::MAX as usize));
    call.out.int(all.capacity() as i64);
    Ok(())
}

/// DEBUG LEAK text.
pub(super) fn leak(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    std::hint::black_box(args[2].to_vec().leak());
    call.out.ok();
    Ok(())
}

/// DEBUG RESTART \[milliseconds\]: the configuration is written and the data is saved, as at the
/// end of the process; then it starts anew under the same number.
pub(super) fn restart(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let delay = delay(args)?;
    let server = call.server;
    {
        let config = server.config.lock();
        if config.file().is_some() && config.rewrite_file(false).is_err() {
            return Err(Error::Text(NOT_RESTARTED));
        }
    }
    server.shutdown.restart_after(Some(delay));
    if shutdown::begin(server, call.held, Wish::default(), " (DEBUG RESTART)").is_err() {
        server.shutdown.restart_after(None);
        return Err(Error::Text(NOT_RESTARTED));
    }
    call.flow = Flow::Close;
    Ok(())
}

/// DEBUG CRASH-AND-RECOVER \[milliseconds\]: nothing is saved and nothing is ended in order.
pub(super) fn crash_and_recover(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let delay = delay(args)?;
    log::warn!("Crashing and starting anew, as DEBUG CRASH-AND-RECOVER wants it");
    again(call.server, delay);
    Err(Error::Text(NOT_RESTARTED))
}

/// A negative delay is none.
fn delay(args: &Args<'_>) -> Result<Duration, Error> {
    let ms = if args.len() > 2 { args.int(2)? } else { 0 };
    Ok(Duration::from_millis(ms.max(0) as u64))
}

/// Starts the program anew in this process with the arguments that it was given; comes back only
/// if that fails. Every file of this run is closed by it, the listening sockets too.
pub(crate) fn again(server: &Server, delay: Duration) {
    std::thread::sleep(delay);
    let arguments: &[OsString] = server.process.arguments();
    let Ok(program) = std::env::current_exe() else {
        log::warn!("Can't restart: the system does not tell where this program is");
        return;
    };
    let mut command = Command::new(program);
    if let Some((name, rest)) = arguments.split_first() {
        command.arg0(name).args(rest);
    }
    log::warn!("Can't restart: {}", command.exec());
}
