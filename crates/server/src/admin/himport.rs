//! HIMPORT: hashes that share their fields, whose names a connection sends once.
//!
//! A field set belongs to the connection that prepared it and goes with it, or at RESET. Setting
//! the hash is a matter of the `commands` crate; here the names are put beside the values.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::Ordering;

use commands::{Args, Error};

use crate::call::Call;
use crate::rows::SessionHandler;
use crate::session::Session;

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[
    ("himport|discard", discard),
    ("himport|discardall", discardall),
    ("himport|prepare", prepare),
    ("himport|set", set),
];

/// Bytes that the field sets of one connection may take.
const BYTES_MAX: usize = 64 << 20;
/// Bytes that a field set and each of its names take beside the text, about.
const EXTRA: usize = 32;

type Name = Box<[u8]>;

/// The field sets of a connection, by name.
#[derive(Default)]
pub(crate) struct FieldSets {
    sets: BTreeMap<Box<[u8]>, Box<[Name]>>,
    bytes: usize,
}

impl FieldSets {
    /// Puts one in, also in the place of another; `false` when there is too much of them then.
    fn put(&mut self, name: &[u8], fields: &[&[u8]]) -> bool {
        let former = self.sets.get(name).map_or(0, |fields| cost(name, fields));
        let bytes = self.bytes - former + cost(name, fields);
        if bytes > BYTES_MAX {
            return false;
        }
        self.bytes = bytes;
        self.sets.insert(name.into(), fields.iter().map(|field| (*field).into()).collect());
        true
    }

    fn remove(&mut self, name: &[u8]) -> bool {
        let removed = self.sets.remove(name);
        self.bytes -= removed.as_ref().map_or(0, |fields| cost(name, fields));
        removed.is_some()
    }
}

fn cost(name: &[u8], fields: &[impl AsRef<[u8]>]) -> usize {
    let texts: usize = fields.iter().map(|field| field.as_ref().len() + EXTRA).sum();
    name.len() + EXTRA + texts
}

/// HIMPORT PREPARE fieldset-name field [field ...] - O(N).
fn prepare(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (name, fields) = (args[2], args.from(3));
    let mut seen = HashSet::with_capacity(fields.len());
    if !fields.iter().all(|field| seen.insert(*field)) {
        return Err(Error::Text("ERR duplicate field name in fieldset"));
    }
    if !call.session.field_sets.get_or_insert_default().put(name, fields) {
        return Err(Error::Text("ERR too many fields are prepared on this connection"));
    }
    tell(call.session);
    call.out.ok();
    Ok(())
}

/// HIMPORT SET key fieldset-name value [value ...] - O(N).
fn set(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, name, values) = (args[2], args[3], args.from(4));
    let field_sets = call.session.field_sets.take();
    let fields = field_sets.as_ref().and_then(|all| all.sets.get(name));
    let result = match fields {
        None => Err(Error::Text("ERR no such fieldset")),
        Some(fields) if fields.len() != values.len() => {
            Err(Error::Text("ERR value count does not match fieldset field count"))
        }
        Some(fields) => {
            let names = fields.iter().map(|name| &**name);
            let pairs: Vec<&[u8]> =
                names.zip(values).flat_map(|(name, value)| [name, *value]).collect();
            call.run_data(|ctx| commands::import_hash(ctx, key, &pairs))
        }
    };
    call.session.field_sets = field_sets;
    result
}

/// HIMPORT DISCARD fieldset-name - O(N) of the fields.
fn discard(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let removed = call.session.field_sets.as_mut().is_some_and(|all| all.remove(args[2]));
    tell(call.session);
    call.out.int(removed.into());
    Ok(())
}

/// HIMPORT DISCARDALL - O(N) of the fields.
fn discardall(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let count = call.session.field_sets.as_ref().map_or(0, |all| all.sets.len());
    forget(call.session);
    call.out.int(count as i64);
    Ok(())
}

/// Drops all field sets of a connection.
pub(super) fn forget(session: &mut Session) {
    session.field_sets = None;
    tell(session);
}

/// Shows others what the field sets take.
fn tell(session: &Session) {
    let bytes = session.field_sets.as_ref().map_or(0, |all| all.bytes);
    session.client.prepared.store(bytes as u64, Ordering::Relaxed);
}

#[cfg(test)]
mod tests;
