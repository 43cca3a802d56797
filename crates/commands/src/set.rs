//! Sets. Random choice stands in `set/random.rs`, what works on several sets in `set/algebra.rs`.

use keyspace::{Class, Kind, Value};
use value::Set;
use value::set::Rules;

use crate::scan::{ElementOptions, Found, parse_cursor};
use crate::{Args, Ctx, Error, Handler, reply, typed};

mod algebra;
mod random;

pub(crate) const HANDLERS: &[(&str, Handler)] = &[
    ("sadd", sadd),
    ("scard", scard),
    ("sdiff", algebra::sdiff),
    ("sdiffcard", algebra::sdiffcard),
    ("sdiffstore", algebra::sdiffstore),
    ("sinter", algebra::sinter),
    ("sintercard", algebra::sintercard),
    ("sinterstore", algebra::sinterstore),
    ("sismember", sismember),
    ("smembers", smembers),
    ("smismember", smismember),
    ("smove", smove),
    ("spop", random::spop),
    ("srandmember", random::srandmember),
    ("srem", srem),
    ("sscan", sscan),
    ("sunion", algebra::sunion),
    ("sunioncard", algebra::sunioncard),
    ("sunionstore", algebra::sunionstore),
];

/// SADD key member [member ...] - O(1) a member.
fn sadd(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, members) = (args[1], args.from(2));
    let rules = rules(ctx);
    let added = ctx.db.change_object(key, Kind::Set, Some(new_set), |value| {
        let set = typed::set_mut(value);
        if set.is_vacant() {
            *set = Set::sized(members[0], members.len(), &rules);
        } else {
            set.make_room(members.len(), &rules);
        }
        members.iter().filter(|member| set.add(member, &rules)).count()
    })?;
    let added = added.unwrap_or(0);
    if added > 0 {
        ctx.db.note(Class::SET, "sadd", key);
        ctx.db.change.add_dirty(added as u64);
    }
    ctx.out.int(added as i64);
    Ok(())
}

/// SREM key member [member ...] - O(1) a member.
fn srem(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, members) = (args[1], args.from(2));
    let removed = ctx.db.change_object(key, Kind::Set, None, |value| {
        let set = typed::set_mut(value);
        members.iter().filter(|member| set.remove(member)).count()
    })?;
    let removed = removed.unwrap_or(0);
    if removed > 0 {
        ctx.db.note(Class::SET, "srem", key);
        ctx.db.drop_vacant(key);
        ctx.db.change.add_dirty(removed as u64);
    }
    ctx.out.int(removed as i64);
    Ok(())
}

/// SMOVE source destination member - O(1).
fn smove(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (from, to, member) = (args[1], args[2], args[3]);
    let is_member = match ctx.db.reach(from) {
        Some(entry) => typed::set(&entry)?.contains(member),
        None => {
            ctx.out.int(0);
            return Ok(());
        }
    };
    if let Some(entry) = ctx.db.reach(to) {
        typed::set(&entry)?;
    }
    if !is_member || from == to {
        ctx.out.int(is_member.into());
        return Ok(());
    }
    let rules = rules(ctx);
    ctx.db.change_object(from, Kind::Set, None, |value| typed::set_mut(value).remove(member))?;
    ctx.db.note(Class::SET, "srem", from);
    ctx.db.drop_vacant(from);
    ctx.db.change.add_dirty(1);
    let added = ctx.db.change_object(to, Kind::Set, Some(new_set), |value| {
        let set = typed::set_mut(value);
        if set.is_vacant() {
            *set = Set::sized(member, 1, &rules);
        }
        set.add(member, &rules)
    })?;
    if added == Some(true) {
        ctx.db.note(Class::SET, "sadd", to);
        ctx.db.change.add_dirty(1);
    }
    ctx.out.int(1);
    Ok(())
}

/// SCARD key - O(1).
fn scard(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let len = match ctx.db.read(args[1]) {
        Some(entry) => typed::set(&entry)?.len(),
        None => 0,
    };
    ctx.out.int(len as i64);
    Ok(())
}

/// SISMEMBER key member - O(1).
fn sismember(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let is_member = match ctx.db.read(args[1]) {
        Some(entry) => typed::set(&entry)?.contains(args[2]),
        None => false,
    };
    ctx.out.int(is_member.into());
    Ok(())
}

/// SMISMEMBER key member [member ...] - O(1) a member.
fn smismember(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let members = args.from(2);
    let entry = ctx.db.read(args[1]);
    let set = entry.as_deref().map(typed::set).transpose()?;
    ctx.out.array(members.len());
    for member in members {
        ctx.out.int(set.is_some_and(|set| set.contains(member)).into());
    }
    Ok(())
}

/// SMEMBERS key - O(N).
fn smembers(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let Some(entry) = ctx.db.read(args[1]) else {
        ctx.out.set(0);
        return Ok(());
    };
    let set = typed::set(&entry)?;
    ctx.out.set(set.len());
    set.each(|element| reply::element(ctx.out, element));
    Ok(())
}

/// SSCAN key cursor [MATCH pattern] [COUNT count] - O(1) a call, O(N) a full walk.
fn sscan(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let cursor = parse_cursor(args[2])?;
    let mut found = Found::default();
    let Some(entry) = ctx.db.read(args[1]) else { return found.write(ctx.out, 0) };
    let set = typed::set(&entry)?;
    let options = ElementOptions::read(args, None)?;
    let cursor = set.scan(cursor, options.count, |member| {
        if options.fit(member) {
            found.add_element(member);
        }
    });
    found.write(ctx.out, cursor)
}

/// A set that is made because there is none.
fn new_set() -> Value {
    Value::Set(Set::new())
}

fn rules<'a>(ctx: &Ctx<'a, '_>) -> Rules<'a> {
    Rules { limits: &ctx.settings.limits, hash: ctx.db.keyspace().key_hash() }
}
