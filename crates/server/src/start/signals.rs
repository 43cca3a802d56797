//! What signals do: SIGTERM and SIGINT end the server in order, a second one at once; SIGHUP, which
//! a closing terminal sends, does nothing; SIGALRM shows the stacks of all threads in the log.
//!
//! Who stops a group of processes, as `timeout` does, often signals both the process and its group:
//! that is one wish in two signals, and must not cost the last save.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use signal_hook::consts::{SIGALRM, SIGHUP, SIGINT, SIGTERM};
use signal_hook::iterator::{Handle, Signals};
use spec::config::Id;

use crate::crash::trace;
use crate::persistence;
use crate::server::Server;
use crate::shutdown::Wish;

/// How close behind the first a second signal still is the same wish.
const ECHO: Duration = Duration::from_millis(100);

/// The thread that waits for signals.
pub(super) struct Watch {
    handle: Handle,
    thread: JoinHandle<()>,
}

/// Begins to wait for signals.
pub(super) fn watch(server: &Arc<Server>) -> io::Result<Watch> {
    let mut signals = Signals::new([SIGINT, SIGTERM, SIGHUP, SIGALRM])?;
    let handle = signals.handle();
    let server = Arc::clone(server);
    let thread = thread::Builder::new().name("signals".into()).spawn(move || {
        let mut first: Option<Instant> = None;
        for signal in signals.forever().filter(|signal| *signal != SIGHUP) {
            if signal == SIGALRM {
                show_stacks(&server);
                continue;
            }
            match first.filter(|_| server.shutdown.is_under_way()) {
                Some(at) if at.elapsed() < ECHO => {}
                Some(_) => insist(&server),
                None => {
                    first = Some(Instant::now());
                    end(&server, signal);
                }
            }
        }
    })?;
    Ok(Watch { handle, thread })
}

/// SIGALRM asks what the threads are doing, as it does in Redis.
fn show_stacks(server: &Server) {
    log::warn!("Received SIGALRM");
    let first = server.workers[0].thread.load(Ordering::Relaxed);
    log::warn!("{}", trace::all(first, None));
}

fn insist(server: &Server) -> ! {
    log::warn!("You insist... exiting now.");
    persistence::abandon(server);
    std::process::exit(1)
}

fn end(server: &Server, signal: i32) {
    let (name, directive) = match signal {
        SIGINT => ("SIGINT", Id::ShutdownOnSigint),
        _ => ("SIGTERM", Id::ShutdownOnSigterm),
    };
    log::warn!("Received {name} scheduling shutdown...");
    let wish = {
        let config = server.config.lock();
        let has = |word| config.has_flag(directive, word);
        Wish { save: has("save"), nosave: has("nosave"), now: has("now"), force: has("force") }
    };
    server.shutdown.schedule(wish);
}

impl Watch {
    /// Ends the waiting.
    pub(super) fn end(self) {
        self.handle.close();
        // The thread has nothing to give back, and a panic in it was reported.
        self.thread.join().ok();
    }
}
