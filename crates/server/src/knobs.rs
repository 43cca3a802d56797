//! What DEBUG turns for tests: nothing that a user has a use for.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicUsize};

/// How long the largest reply of a client is remembered, in milliseconds.
pub(crate) const REPLY_PEAK_RESET_MS: i64 = 5000;

/// See the module's text.
#[derive(Debug)]
pub(crate) struct Knobs {
    /// Whether periodic work rests.
    pub(crate) cron_paused: AtomicBool,
    /// After how many milliseconds the peak of a client's reply buffer is taken anew; -1 is never.
    pub(crate) reply_peak_reset_ms: AtomicI64,
    /// Bytes from which on an element of a large list gets a node for itself; 0 is by the
    /// configuration.
    pub(crate) list_packed: AtomicUsize,
    /// Whether scripts may call what they otherwise must not.
    pub(crate) scripts_may_all: AtomicBool,
    /// Whether files and payloads are read whatever their checksum says.
    pub(crate) skips_checksums: AtomicBool,
    /// Whether reply buffers grow and shrink with what they are used for.
    pub(crate) reply_resizing: AtomicBool,
    /// Whether limits of output count all of it, as if no reply buffer held any.
    pub(crate) reply_list_only: AtomicBool,
}

impl Default for Knobs {
    fn default() -> Self {
        Self {
            cron_paused: AtomicBool::new(false),
            reply_peak_reset_ms: AtomicI64::new(REPLY_PEAK_RESET_MS),
            list_packed: AtomicUsize::new(0),
            scripts_may_all: AtomicBool::new(false),
            skips_checksums: AtomicBool::new(false),
            reply_resizing: AtomicBool::new(true),
            reply_list_only: AtomicBool::new(false),
        }
    }
}
