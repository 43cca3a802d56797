//! The end of a reply that repeats itself as often as the client asks.
//!
//! What such a reply takes follows from the request and not from what is stored, so nothing else
//! would end it.

use resp::{Mark, Writer};

use crate::Error;

/// Watches over one reply.
pub(crate) struct Bound {
    begin: Mark,
    /// Bytes that may be waiting when it ends.
    most: usize,
}

impl Bound {
    /// For the reply that begins here and may take so many bytes.
    pub(crate) fn new(out: &Writer, reply_max: usize) -> Self {
        Self { begin: out.mark(), most: out.len().saturating_add(reply_max) }
    }

    /// Whether the reply may become longer.
    #[inline]
    pub(crate) fn allows_more(&self, out: &Writer) -> bool {
        out.len() <= self.most
    }

    /// Takes the reply back if it has become too long.
    pub(crate) fn end(self, out: &mut Writer) -> Result<(), Error> {
        if self.allows_more(out) {
            return Ok(());
        }
        out.truncate_to(self.begin);
        Err(Error::Text("ERR the reply would be longer than the limits of this server allow"))
    }
}
