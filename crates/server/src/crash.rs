//! The end of a process that cannot go on: by a signal that means so, or because a thread has
//! panicked.
//!
//! A worker that is gone leaves its connections unserved and its locks in an unknown state, so
//! nothing is tried any more but to say what happened: the log gets a report, and the process ends
//! in the way of its crash, for a supervisor to start it anew. The thread that crashed writes the
//! first words itself (`sys::fault`); the rest comes from a thread that waits for this all the
//! time, as it needs memory and locks that the other may hold.

pub(crate) mod report;
pub(crate) mod trace;
pub(crate) mod watchdog;

use std::ffi::CString;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::panic::{self, PanicHookInfo};
use std::path::Path;
use std::sync::Arc;
use std::thread;

use spec::config::Id;

use crate::config::Config;
use crate::server::Server;
use crate::sys::fault;
use crate::version;

/// The thread that reports, and the beginning of the names of those that help it: a panic there is
/// the end of a section only.
const REPORTER: &str = "crash";

/// Makes every panic the end of the process from now on, and the signals of a crash as well if the
/// configuration wants a report of them. The log's place is that of the configuration.
pub fn catch(config: &Config) {
    let file = config.path(Id::Logfile).and_then(|path| std::path::absolute(path).ok());
    let name = |path: &Path| CString::new(path.as_os_str().as_bytes()).ok();
    fault::write_to(file.as_deref().and_then(name));
    fault::make_room();
    follow(config);
    panic::set_hook(Box::new(on_panic));
}

/// Takes over what can change at run time.
pub fn follow(config: &Config) {
    fault::exit_on_panic(config.bool(Id::UseExitOnPanic));
    fault::catch(config.bool(Id::CrashLogEnabled));
}

/// Starts the thread that reports.
pub fn watch(server: &Arc<Server>) -> io::Result<()> {
    let (mut wake, waker) = io::pipe()?;
    let server = Arc::clone(server);
    thread::Builder::new().name(REPORTER.into()).spawn(move || {
        if matches!(wake.read(&mut [0]), Ok(1)) {
            report::write(&server);
            fault::reported();
        }
    })?;
    fault::report_through(waker);
    Ok(())
}

fn on_panic(info: &PanicHookInfo<'_>) {
    let thread = thread::current();
    if thread.name().is_some_and(|name| name.starts_with(REPORTER)) {
        return;
    }
    if !fault::claim_panic() {
        fault::wait_for_the_end();
    }
    let place =
        info.location().map_or_else(String::new, |at| format!("{}:{}", at.file(), at.line()));
    let text = info.payload_as_str().unwrap_or("no text");
    let title = if text.starts_with("assertion") { "ASSERTION FAILED" } else { "PANIC" };
    let name = thread.name().unwrap_or("without a name").to_owned();
    fault::write_log(
        format!(
            "\n\n=== REDDLE BUG REPORT START: Cut & paste starting from here ===\n\
             Reddle {} crashed by panic: {text}\n\
             === {title} ===\n\
             ==> {place} '{text}', in thread {name}\n",
            version::REDDLE
        )
        .as_bytes(),
    );
    if !fault::hand_over() {
        fault::write_log(trace::names(&fault::crash().stack).as_bytes());
        fault::write_log(report::END.as_bytes());
    }
    fault::die_of_panic()
}
