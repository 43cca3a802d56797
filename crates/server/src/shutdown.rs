//! The end of the server: asked for by a command or a signal, gone through once.
//!
//! A signal only notes the wish; worker 0 goes through with it in its periodic work, so that until
//! then SHUTDOWN ABORT can take it back. Afterwards the workers stop by themselves, and `main`
//! does what is left once they have.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};
use std::time::Duration;

use keyspace::Held;
use parking_lot::Mutex;

use crate::aof::{self, Phase};
use crate::local::Local;
use crate::mailbox::Message;
use crate::persistence;
use crate::server::Server;
use crate::session::State;
use crate::snapshot::Purpose;
use crate::standby;

/// How a shutdown goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wish {
    /// Save even without save points.
    pub save: bool,
    /// Do not save.
    pub nosave: bool,
    /// Do not wait for replicas.
    pub now: bool,
    /// Go on in spite of errors.
    pub force: bool,
}

/// The shutdown did not come about; the log says why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Failed;

/// See the module's text.
#[derive(Debug, Default)]
pub struct Shutdown {
    scheduled: Mutex<Option<Wish>>,
    /// What comes before the end is being done: to wait until all shards are free, to save.
    begun: AtomicBool,
    complete: AtomicBool,
    status: AtomicI32,
    /// After how long the program starts anew behind the end, if it does.
    restart: Mutex<Option<Duration>>,
}

impl Shutdown {
    /// Whether the workers are to stop.
    #[inline]
    pub fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Relaxed)
    }

    /// Whether the server ends, or is about to.
    pub fn is_under_way(&self) -> bool {
        self.is_complete() || self.begun.load(Ordering::SeqCst) || self.scheduled.lock().is_some()
    }

    /// The exit status.
    pub fn status(&self) -> i32 {
        self.status.load(Ordering::SeqCst)
    }

    /// Notes that the server is to end soon.
    pub fn schedule(&self, wish: Wish) {
        *self.scheduled.lock() = Some(wish);
    }

    /// The program starts anew so long behind the end, or does not.
    pub fn restart_after(&self, delay: Option<Duration>) {
        *self.restart.lock() = delay;
    }

    /// After how long the program starts anew, if it does.
    pub fn restart(&self) -> Option<Duration> {
        *self.restart.lock()
    }

    /// Ends the server because it cannot go on.
    pub fn give_up(&self, server: &Server) {
        self.status.store(1, Ordering::SeqCst);
        self.complete.store(true, Ordering::SeqCst);
        server.tell_all(|| Message::Look);
    }

    /// Takes back what was scheduled; false when nothing was.
    pub fn abort(&self) -> bool {
        let was_scheduled = self.scheduled.lock().take().is_some();
        if was_scheduled {
            log::info!("Shutdown manually aborted.");
        }
        was_scheduled
    }
}

/// Goes through with what was scheduled; periodic work of one worker.
pub fn tick(server: &Server, local: &mut Local) {
    let wish = {
        let mut scheduled = server.shutdown.scheduled.lock();
        server.shutdown.begun.fetch_or(scheduled.is_some(), Ordering::SeqCst);
        scheduled.take()
    };
    if let Some(wish) = wish {
        let alone = standby::alone(server, local);
        let mut held = server.keyspace.shards().hold_all(&alone);
        // The script that was waited for may have ended the server with it.
        if server.shutdown.is_complete() || begin(server, &mut held, wish, "").is_ok() {
            return;
        }
        log::warn!("Errors trying to shut down the server. Check the logs for more information.");
    }
}

/// Ends the server; the caller holds every shard. `who` says for the log who wants it, if a user
/// does.
pub fn begin(server: &Server, held: &mut Held<'_>, wish: Wish, who: &str) -> Result<(), Failed> {
    log::info!("User requested shutdown...{who}");
    server.shutdown.begun.store(true, Ordering::SeqCst);
    if server.aof.phase() == Phase::Waits && !wish.force && !wish.nosave {
        log::warn!("Writing initial AOF, can't exit.");
        server.shutdown.begun.store(false, Ordering::SeqCst);
        return Err(Failed);
    }
    if server.aof.phase() != Phase::Off {
        log::info!("Calling fsync() on the AOF file.");
        if !aof::flush(server, true) && !wish.force && !wish.nosave {
            log::warn!("Error trying to write the AOF, can't exit.");
            server.shutdown.begun.store(false, Ordering::SeqCst);
            return Err(Failed);
        }
    }
    let saved = save(server, held, wish);
    if saved.is_err() {
        server.shutdown.begun.store(false, Ordering::SeqCst);
        return saved;
    }
    // A draft does not outlive the process.
    server.persistence.snapshots.end_all(server);
    server.shutdown.complete.store(true, Ordering::SeqCst);
    server.listening.shut();
    server.tell_all(|| Message::Look);
    Ok(())
}

/// Saves the data when that is wanted, or when there are save points and nobody says otherwise. A
/// data set that is still being loaded is on the disk already.
fn save(server: &Server, held: &mut Held<'_>, wish: Wish) -> Result<(), Failed> {
    let has_points = !server.config.lock().save_points().is_empty();
    let is_loading = server.state().any(State::LOADING);
    if is_loading || wish.nosave || !(wish.save || has_points) {
        return Ok(());
    }
    log::info!("Saving the final RDB snapshot before exiting.");
    server.persistence.snapshots.cancel(Purpose::Save);
    if persistence::save(server, held).is_ok() {
        return Ok(());
    }
    if wish.force {
        log::warn!("Error trying to save the DB. Exit anyway.");
        return Ok(());
    }
    log::warn!("Error trying to save the DB, can't exit.");
    Err(Failed)
}
