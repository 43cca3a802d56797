//! Keys, whatever the type of their values.

mod object;

use keyspace::{Class, Db, Entry, Kind};

pub use object::encoding_of;

use crate::database::db_number;
use crate::{Args, Ctx, Error, Handler};

pub(crate) const HANDLERS: &[(&str, Handler)] = &[
    ("copy", copy),
    ("del", del),
    ("exists", exists),
    ("move", r#move),
    ("object|encoding", object::encoding),
    ("object|freq", object::freq),
    ("object|help", object::help),
    ("object|idletime", object::idletime),
    ("object|refcount", object::refcount),
    ("rename", rename),
    ("renamenx", renamenx),
    ("touch", touch),
    ("type", r#type),
    ("unlink", unlink),
];

/// DEL key [key ...] - O(N).
fn del(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    delete(ctx, args, ctx.settings.lazyfree_user_del)
}

/// UNLINK key [key ...] - O(N); memory is freed in the background.
fn unlink(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    delete(ctx, args, true)
}

fn delete(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, lazily: bool) -> Result<(), Error> {
    let mut deleted = 0;
    for key in args.from(1) {
        if let Some(entry) = ctx.db.take(key) {
            ctx.db.change.discard(entry, lazily);
            ctx.db.note(Class::GENERIC, "del", key);
            deleted += 1;
        }
    }
    ctx.db.change.add_dirty(deleted);
    ctx.out.int(deleted as i64);
    Ok(())
}

/// EXISTS key [key ...] - O(N).
fn exists(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let count = args.from(1).iter().filter(|key| ctx.db.inspect(key).is_some()).count();
    ctx.out.int(count as i64);
    Ok(())
}

/// TOUCH key [key ...] - O(N).
fn touch(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let count = args.from(1).iter().filter(|key| ctx.db.touch(key)).count();
    ctx.out.int(count as i64);
    Ok(())
}

/// TYPE key - O(1).
fn r#type(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let kind = ctx.db.inspect(args[1]).map_or("none", |entry| entry.kind().name());
    ctx.out.simple(kind);
    Ok(())
}

/// RENAME key newkey - O(1).
fn rename(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    rename_unless(ctx, args, false)?;
    ctx.out.ok();
    Ok(())
}

/// RENAMENX key newkey - O(1).
fn renamenx(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let renamed = rename_unless(ctx, args, true)?;
    ctx.out.int(renamed.into());
    Ok(())
}

/// Renames a key, unless `taken_stays` and the new name is taken; says whether it did.
fn rename_unless(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, taken_stays: bool) -> Result<bool, Error> {
    let (from, to) = (args[1], args[2]);
    if ctx.db.reach(from).is_none() {
        return Err(Error::NoSuchKey);
    }
    if from == to || taken_stays && ctx.db.reach(to).is_some() {
        return Ok(false);
    }
    let Some(entry) = ctx.db.take(from) else { return Err(Error::NoSuchKey) };
    let kind = entry.kind();
    let replaced = ctx.db.put(entry.with_key(to));
    ctx.db.note(Class::GENERIC, "rename_from", from);
    ctx.db.note(Class::GENERIC, "rename_to", to);
    if let Some(replaced) = replaced {
        note_replaced(&mut ctx.db, to, replaced, kind);
    }
    ctx.db.change.add_dirty(1);
    Ok(true)
}

/// What follows when an entry has taken the place of another one.
fn note_replaced(db: &mut Db<'_, '_>, key: &[u8], replaced: Entry, kind: Kind) {
    db.note_replaced(key, replaced.kind(), kind);
    db.change.discard_replaced(replaced);
}

/// MOVE key db - O(1).
fn r#move(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let key = args[1];
    let to = db_number(ctx, args[2])?;
    if to == ctx.db.index() {
        return Err(Error::Text(spec::error::SAME_OBJECT));
    }
    if ctx.db.reach(key).is_none() || ctx.db.on(to, |db| db.reach(key).is_some()) {
        ctx.out.int(0);
        return Ok(());
    }
    if let Some(entry) = ctx.db.take(key) {
        ctx.db.on(to, |db| db.put(entry));
    }
    ctx.db.note(Class::GENERIC, "move_from", key);
    ctx.db.on(to, |db| db.note(Class::GENERIC, "move_to", key));
    ctx.db.change.add_dirty(1);
    ctx.out.int(1);
    Ok(())
}

/// COPY source destination [DB destination-db] [REPLACE] - O(1) for strings, O(N) for collections.
fn copy(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (from, to) = (args[1], args[2]);
    let (mut index, mut replace) = (ctx.db.index(), false);
    let mut options = args.cursor(3);
    while options.left() > 0 {
        if options.accept("REPLACE") {
            replace = true;
        } else if options.accept("DB") {
            index = db_number(ctx, options.value()?)?;
        } else {
            return Err(Error::Syntax);
        }
    }
    if index == ctx.db.index() && from == to {
        return Err(Error::Text(spec::error::SAME_OBJECT));
    }
    let access = ctx.db.stamp().access;
    let refused =
        ctx.db.read(from).is_none() || ctx.db.on(index, |db| db.reach(to).is_some()) && !replace;
    let copied = match ctx.db.peek(from) {
        Some(entry) if !refused => entry.copy_as(to, entry.deadline_ms(), access),
        _ => {
            ctx.out.int(0);
            return Ok(());
        }
    };
    ctx.db.on(index, |db| {
        let kind = copied.kind();
        let replaced = db.put(copied);
        db.note(Class::GENERIC, "copy_to", to);
        if let Some(replaced) = replaced {
            note_replaced(db, to, replaced, kind);
        }
    });
    ctx.db.change.add_dirty(1);
    ctx.out.int(1);
    Ok(())
}
