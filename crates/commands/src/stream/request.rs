//! Requests of producers that may come twice: their bounds, and what followers are told of them.

use value::stream::Stream;

use super::{id, look, update};
use crate::{Args, Ctx, Error};

const DURATION: Error = Error::Text("ERR IDMP-DURATION must be between 1 and 86400 seconds");
const SIZE: Error = Error::Text("ERR IDMP-MAXSIZE must be between 1 and 10000 entries");

/// XCFGSET key [IDMP-DURATION seconds] [IDMP-MAXSIZE requests] - O(1), and O(N) of the requests
/// that are forgotten.
pub(super) fn xcfgset(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (mut duration_s, mut size_max) = (None, None);
    let mut options = args.cursor(2);
    while options.left() > 0 {
        if options.left() > 1 && options.accept("IDMP-DURATION") {
            duration_s = Some(options.int()?);
            if !duration_s.is_some_and(|seconds| (1..=86_400).contains(&seconds)) {
                return Err(DURATION);
            }
        } else if options.left() > 1 && options.accept("IDMP-MAXSIZE") {
            let size = usize::try_from(options.int()?).map_err(|_| SIZE)?;
            size_max = Some(size).filter(|size| (1..=10_000).contains(size));
            size_max.ok_or(SIZE)?;
        } else {
            return Err(Error::Syntax);
        }
    }
    if duration_s.is_none() && size_max.is_none() {
        return Err(Error::Text(
            "ERR At least one parameter (IDMP-DURATION or IDMP-MAXSIZE) is required",
        ));
    }
    let limits = &ctx.settings.limits;
    let configure =
        |stream: &mut Stream| stream.requests_mut(limits).configure(duration_s, size_max);
    update(ctx, args[1], |_, stream| configure(stream))?.ok_or(Error::NoSuchKey)?;
    ctx.db.change.add_dirty(1);
    ctx.out.ok();
    Ok(())
}

/// XIDMPRECORD key pid iid stream-id - O(1).
pub(super) fn xidmprecord(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (producer, request, entry) = (args[2], args[3], id(args[4])?);
    if producer.is_empty() || request.is_empty() {
        return Err(Error::Text("ERR pid and iid must be non-empty"));
    }
    let exists = look(&mut ctx.db, args[1], |stream| {
        stream.map(|stream| stream.get(entry).is_some()).ok_or(Error::NoSuchKey)
    })??;
    if !exists {
        return Err(Error::Text("ERR no such entry in the stream"));
    }
    let now_ms = ctx.now_ms();
    let limits = &ctx.settings.limits;
    let known = update(ctx, args[1], |_, stream| {
        let requests = stream.requests_mut(limits);
        let known = requests.find(producer, request, now_ms);
        if known.is_none() {
            requests.remember(producer, request, entry, now_ms);
        }
        known
    })?;
    match known.flatten() {
        Some(other) if other != entry => {
            return Err(Error::Text("ERR the request already has another entry"));
        }
        Some(_) => {}
        None => ctx.db.change.add_dirty(1),
    }
    ctx.out.ok();
    Ok(())
}
