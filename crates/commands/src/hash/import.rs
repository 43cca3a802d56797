//! HIMPORT SET: a whole hash from the names of a field set and one value each.

use keyspace::{Kind, NewValue, Ttl, Value, Wants};
use value::Hash;
use value::hash::Time;

use super::{check_pairs, rules};
use crate::{Ctx, Error};

/// Sets a key to a hash of these pairs, in which no name comes twice; only a hash is replaced.
/// What is propagated does not depend on the field sets of this connection.
pub fn import_hash(ctx: &mut Ctx<'_, '_>, key: &[u8], pairs: &[&[u8]]) -> Result<(), Error> {
    check_pairs(pairs)?;
    let former = ctx.db.reach(key).map(|entry| entry.kind());
    if former.is_some_and(|kind| kind != Kind::Hash) {
        return Err(Error::WrongType);
    }
    let rules = rules(ctx);
    let mut hash = Hash::new();
    hash.make_room(pairs, rules);
    for pair in pairs.chunks_exact(2) {
        hash.set(pair[0], pair[1], Time::Never, rules);
    }
    ctx.db.set(key, NewValue::Object(Value::Hash(hash)), Ttl::Never);
    ctx.db.note_fields("hset", key, pairs.iter().copied().step_by(2));
    ctx.db.change.add_dirty(pairs.len() as u64 / 2);
    if former.is_some() {
        ctx.db.propagate(&[b"DEL", key]);
    }
    if ctx.db.change.wants(Wants::LOG) {
        let mut argv: Vec<&[u8]> = vec![b"HSET", key];
        argv.extend_from_slice(pairs);
        ctx.db.propagate(&argv);
    }
    ctx.out.ok();
    Ok(())
}

#[cfg(test)]
mod tests;
