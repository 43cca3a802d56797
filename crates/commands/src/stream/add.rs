//! Adding entries, and setting what a stream knows of them.

use keyspace::{Class, Kind, Wants};
use value::stream::{Id, IdText, NewId, Refused, Trim, request_of};

use super::trim::{Dropped, Options, Request, drop_oldest};
use super::{id, look, make, update, write_id};
use crate::{Args, Ctx, Error, typed};

const IDS_OF_REQUESTS: Error =
    Error::Text("ERR IDMP/IDMPAUTO can be used only with auto-generated IDs");
const ZERO: Error = Error::Text("ERR The ID specified in XADD must be greater than 0-0");

/// What XADD came to.
enum Added {
    New(Id, Option<Dropped>),
    Known(Id),
}

/// XADD key [NOMKSTREAM] [KEEPREF | DELREF | ACKED] [IDMPAUTO pid | IDMP pid iid] [<MAXLEN |
/// MINID> [= | ~] threshold [LIMIT count]] <* | id> field value [field value ...] - O(1), and O(N)
/// of the entries dropped.
pub(super) fn xadd(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let options = Options::parse(args, true)?;
    let trim = options.trim(ctx)?;
    let pairs = args.from(options.id_at + 1);
    if pairs.is_empty() || pairs.len() % 2 == 1 {
        return Err(Error::Arity);
    }
    if options.id == NewId::Given(Id::MIN) {
        return Err(ZERO);
    }
    if options.request.is_some() && options.id != NewId::Auto {
        return Err(IDS_OF_REQUESTS);
    }
    let Some(added) = add(ctx, args[1], &options, pairs, trim.as_ref())? else {
        ctx.out.null();
        return Ok(());
    };
    let (id, dropped) = match added.map_err(refusal)? {
        Added::New(id, dropped) => (id, dropped),
        Added::Known(id) => {
            ctx.db.change.propagate_nothing();
            write_id(ctx.out, id);
            return Ok(());
        }
    };
    ctx.db.note(Class::STREAM, "xadd", args[1]);
    ctx.db.change.add_dirty(1);
    if dropped.is_some_and(|dropped| dropped.count > 0) {
        ctx.db.note(Class::STREAM, "xtrim", args[1]);
    }
    write_id(ctx.out, id);
    propagate(ctx, args, &options, id, dropped.as_ref());
    Ok(())
}

/// Adds the entry, or finds the one that the same request has added before.
fn add(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    options: &Options<'_>,
    pairs: &[&[u8]],
    trim: Option<&Trim>,
) -> Result<Option<Result<Added, Refused>>, Error> {
    let (now_ms, limits) = (ctx.now_ms(), &ctx.settings.limits);
    let make: Option<fn() -> keyspace::Value> = if options.no_stream { None } else { Some(make) };
    let done = ctx.db.change_object(key, Kind::Stream, make, |value| {
        let stream = typed::stream_mut(value);
        let name = options.request.map(|request| named(&request, pairs));
        if let (Some(request), Some(name)) = (&options.request, &name)
            && let Some(id) = stream.requests_mut(limits).find(request.producer, name, now_ms)
        {
            stream.requests_mut(limits).count_duplicate();
            return Ok(Added::Known(id));
        }
        let id = stream.add(options.id, pairs, limits, now_ms)?;
        if let (Some(request), Some(name)) = (&options.request, &name) {
            stream.requests_mut(limits).remember(request.producer, name, id, now_ms);
        }
        Ok(Added::New(id, trim.map(|trim| drop_oldest(stream, trim))))
    })?;
    Ok(done)
}

/// The name of a request: the one given, or one made of its fields.
fn named(request: &Request<'_>, pairs: &[&[u8]]) -> Vec<u8> {
    request.name.map_or_else(|| request_of(pairs).to_vec(), <[u8]>::to_vec)
}

fn refusal(refused: Refused) -> Error {
    Error::Text(match refused {
        Refused::Exhausted => {
            "ERR The stream has exhausted the last possible ID, unable to add more items"
        }
        Refused::Small => {
            "ERR The ID specified in XADD is equal or smaller than the target stream top item"
        }
        Refused::Large => "ERR Elements are too large to be stored",
    })
}

/// Followers add the entry under its id and drop what was dropped; a request is told apart.
fn propagate(
    ctx: &mut Ctx<'_, '_>,
    args: &Args<'_>,
    options: &Options<'_>,
    id: Id,
    dropped: Option<&Dropped>,
) {
    let given = matches!(options.id, NewId::Given(_));
    if !ctx.db.change.wants(Wants::LOG) || (given && !options.is_approx()) {
        return;
    }
    let (mut room, mut text) = ((itoa::Buffer::new(), IdText::new()), IdText::new());
    let text = text.of(id);
    ctx.db.propagate(&options.exact(args, Some(text), dropped, &mut room));
    if let Some(request) = options.request {
        let name = named(&request, args.from(options.id_at + 1));
        ctx.db.propagate(&[b"XIDMPRECORD", args[1], request.producer, &name, text]);
    }
}

/// XSETID key last-id [ENTRIESADDED entries-added] [MAXDELETEDID max-deleted-id] - O(1).
pub(super) fn xsetid(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let last_id = id(args[2])?;
    let (mut added, mut max_deleted) = (None, None);
    let mut options = args.cursor(3);
    while options.left() > 0 {
        if options.left() > 1 && options.accept("ENTRIESADDED") {
            let count = u64::try_from(options.int()?);
            added = Some(count.map_err(|_| Error::Text("ERR entries_added must be positive"))?);
        } else if options.left() > 1 && options.accept("MAXDELETEDID") {
            let deleted = id(options.value()?)?;
            if last_id < deleted {
                return Err(Error::Text(
                    "ERR The ID specified in XSETID is smaller than the provided \
                     max_deleted_entry_id",
                ));
            }
            max_deleted = Some(deleted).filter(|id| !id.is_zero());
        } else {
            return Err(Error::Syntax);
        }
    }
    check_ids(ctx, args[1], last_id, added)?;
    update(ctx, args[1], |_, stream| stream.set_ids(last_id, added, max_deleted))?;
    ctx.db.change.add_dirty(1);
    ctx.db.note_beside(Class::STREAM, "xsetid", args[1]);
    ctx.out.ok();
    Ok(())
}

fn check_ids(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    last_id: Id,
    added: Option<u64>,
) -> Result<(), Error> {
    look(&mut ctx.db, key, |stream| {
        let stream = stream.ok_or(Error::NoSuchKey)?;
        if last_id < stream.max_deleted_id() {
            return Err(Error::Text(
                "ERR The ID specified in XSETID is smaller than current max_deleted_entry_id",
            ));
        }
        if stream.last_entry_id().is_some_and(|last| last_id < last) {
            return Err(Error::Text(
                "ERR The ID specified in XSETID is smaller than the target stream top item",
            ));
        }
        if !stream.is_empty() && added.is_some_and(|added| stream.len() > added) {
            return Err(Error::Text(
                "ERR The entries_added specified in XSETID is smaller than the target stream \
                 length",
            ));
        }
        Ok(())
    })?
}
