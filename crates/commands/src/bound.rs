//! The end of a reply that repeats itself as often as the client asks.
//!
//! What such a reply takes follows from the request and not from what is stored, so nothing else
//! would end it. There are two ends: a reply that nobody may ask for is taken back, and one that is
//! over the limit of its client's output stops where it is, because nobody sees it: the client is
//! closed for it.

use resp::{Mark, Writer};

use crate::{Ctx, Error};

/// Watches over one reply.
pub(crate) struct Bound {
    begin: Mark,
    /// Bytes that may be waiting when it ends, and above which there is no use in more.
    most: usize,
    enough: usize,
}

impl Bound {
    /// For the reply that begins here.
    pub(crate) fn new(ctx: &Ctx<'_, '_>) -> Self {
        let most = ctx.out.len().saturating_add(ctx.settings.reply_max);
        Self { begin: ctx.out.mark(), most, enough: most.min(ctx.output_max) }
    }

    /// Whether the reply may become longer.
    #[inline]
    pub(crate) fn allows_more(&self, out: &Writer) -> bool {
        out.len() <= self.enough
    }

    /// Takes the reply back if it has become too long.
    pub(crate) fn end(self, out: &mut Writer) -> Result<(), Error> {
        if out.len() <= self.most {
            return Ok(());
        }
        out.truncate_to(self.begin);
        Err(Error::Text("ERR the reply would be longer than the limits of this server allow"))
    }
}
