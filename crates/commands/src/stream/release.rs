//! Acknowledging deliveries, and giving them back.

use value::stream::{Id, Stream};

use super::{group_of, id, ids, look, need_group, update};
use crate::args::is;
use crate::{Args, Ctx, Error};

/// The count of a delivery that is not to be tried again.
const FATAL: u64 = i64::MAX as u64;

/// What becomes of the count of a delivery that is given back.
#[derive(Clone, Copy)]
enum Mode {
    Silent,
    Fail,
    Fatal,
}

/// How XNACK gives entries back.
struct Release {
    mode: Mode,
    ids: Vec<Id>,
    count: Option<u64>,
    force: bool,
}

/// XACK key group id [id ...] - O(1) an id.
pub(super) fn xack(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let found = look(&mut ctx.db, args[1], |stream| {
        stream.is_some_and(|stream| stream.group(args[2]).is_some())
    })?;
    if !found {
        ctx.out.int(0);
        return Ok(());
    }
    let ids = ids(args.from(3))?;
    let acked = update(ctx, args[1], |_, stream| {
        let group = group_of(stream, args[2]);
        ids.iter().filter(|&&id| group.ack(id)).count()
    })?;
    let acked = acked.unwrap_or(0);
    ctx.db.change.add_dirty(acked as u64);
    ctx.out.int(acked as i64);
    Ok(())
}

/// XNACK key group <SILENT | FAIL | FATAL> IDS numids id [id ...] [RETRYCOUNT count] [FORCE] -
/// O(N) of the ids.
pub(super) fn xnack(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    need_group(ctx, args[1], args[2])?;
    let release = Release::parse(ctx, args)?;
    let released = update(ctx, args[1], |_, stream| {
        release.ids.iter().filter(|&&id| release.apply(stream, args[2], id)).count()
    })?;
    let released = released.unwrap_or(0);
    ctx.db.change.add_dirty(released as u64);
    if released > 0 {
        ctx.db.stir(args[1]);
    }
    ctx.out.int(released as i64);
    Ok(())
}

impl Release {
    fn parse(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<Release, Error> {
        let mode = match args[3] {
            word if is(word, "SILENT") => Mode::Silent,
            word if is(word, "FAIL") => Mode::Fail,
            word if is(word, "FATAL") => Mode::Fatal,
            _ => return Err(Error::Text("ERR mode must be SILENT, FAIL, or FATAL")),
        };
        if !is(args[4], "IDS") {
            return Err(Error::Text("ERR syntax error, expected IDS keyword"));
        }
        let number = args.int(5).ok().and_then(|number| usize::try_from(number).ok());
        let number = number
            .filter(|&number| number > 0)
            .ok_or(Error::Text("ERR numids must be a positive integer"))?;
        let texts = args
            .from(6)
            .get(..number)
            .ok_or(Error::Text("ERR number of IDs doesn't match numids"))?;
        let (mut count, mut force) = (None, false);
        let mut options = args.cursor(6 + number);
        while options.left() > 0 {
            if options.left() > 1 && options.accept("RETRYCOUNT") {
                let given = options.int().ok().and_then(|given| u64::try_from(given).ok());
                let wrong = Error::Text("ERR Invalid RETRYCOUNT value, must be >= 0");
                count = Some(given.ok_or(wrong)?);
            } else if options.accept("FORCE") {
                force = true;
            } else {
                let word = options.value()?;
                return Err(ctx.error_around(b"ERR Unrecognized XNACK option '", word, b"'"));
            }
        }
        let ids = texts.iter().map(|text| id(text)).collect::<Result<Vec<Id>, Error>>()?;
        Ok(Release { mode, ids, count, force })
    }

    /// Gives an entry back; whether it was pending or is now.
    fn apply(&self, stream: &mut Stream, group: &[u8], id: Id) -> bool {
        let exists = stream.get(id).is_some();
        let group = group_of(stream, group);
        let before = match group.nack(id) {
            Some(nack) => nack.count,
            None if self.force => 0,
            None => return false,
        };
        if !exists {
            return false;
        }
        let count = self.count.unwrap_or(match self.mode {
            Mode::Silent => before.saturating_sub(1),
            Mode::Fail => before,
            Mode::Fatal => FATAL,
        });
        group.assign(id, None, 0, count);
        true
    }
}
