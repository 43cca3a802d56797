//! Strings.

use keyspace::{Class, NewValue, Ttl, ValueRef};

use crate::{Args, Ctx, Error, Handler};

pub(crate) const HANDLERS: &[(&str, Handler)] = &[("get", get), ("set", set)];

/// GET key - O(1).
fn get(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let Some(entry) = ctx.db.read(args[1]) else {
        ctx.out.null();
        return Ok(());
    };
    match entry.value() {
        ValueRef::Inline(bytes) => ctx.out.bulk(bytes),
        ValueRef::Int(number) => ctx.out.bulk_int(number),
        ValueRef::Shared(bytes) => match entry.shared() {
            Some(shared) => ctx.out.bulk_shared(&shared),
            None => ctx.out.bulk(bytes),
        },
    }
    Ok(())
}

/// SET key value - O(1).
fn set(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let value = match args.shared(2) {
        Some(shared) => NewValue::Shared(shared),
        None => NewValue::Bytes(args[2]),
    };
    ctx.db.set(args[1], value, Ttl::Never);
    ctx.db.change.add_dirty(1);
    ctx.db.note(Class::STRING, "set", args[1]);
    ctx.out.ok();
    Ok(())
}
