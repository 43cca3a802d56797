//! The end of the server: asked for once, gone through once.

use std::sync::atomic::{AtomicBool, AtomicI32, Ordering};

use crate::mailbox::Message;
use crate::server::Server;

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

/// See the module's text.
#[derive(Debug, Default)]
pub struct Shutdown {
    complete: AtomicBool,
    status: AtomicI32,
}

impl Shutdown {
    /// Whether the workers are to stop.
    #[inline]
    pub fn is_complete(&self) -> bool {
        self.complete.load(Ordering::Relaxed)
    }

    /// The exit status.
    pub fn status(&self) -> i32 {
        self.status.load(Ordering::SeqCst)
    }
}

/// Ends the server.
pub fn begin(server: &Server, wish: Wish) {
    log::warn!("User requested shutdown...");
    log::debug!("Shutdown with {wish:?}");
    server.shutdown.complete.store(true, Ordering::SeqCst);
    server.tell_all(|| Message::Look);
}
