//! Fields that count.

use keyspace::Wants;
use value::compact::Element;
use value::hash::{Rules, Time};
use value::number::Text;

use super::{Fields, check_pairs, upsert};
use crate::float80::Float80;
use crate::{Args, Ctx, Error};

/// HINCRBY key field increment - O(1).
pub(super) fn hincrby(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, name, increment) = (args[1], args[2], args.int(3)?);
    check_pairs(&[name])?;
    let counted = upsert(ctx, key, |hash, rules| {
        let former = hash.get(name).map_or(Ok(0), |pair| int_of(pair.value()))?;
        let sum = former.checked_add(increment).ok_or(Error::Overflow)?;
        let done = Counted::put(hash, name, Text::new().of(sum), rules);
        Ok::<_, Error>((sum, done))
    })?;
    let (sum, counted) = counted?;
    ctx.db.note_fields("hincrby", key, [name]);
    ctx.db.change.add_dirty(1);
    ctx.out.int(sum);
    if counted.volatile {
        counted.propagate(ctx, key, name, Text::new().of(sum));
    }
    Ok(())
}

/// HINCRBYFLOAT key field increment - O(1).
pub(super) fn hincrbyfloat(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, name) = (args[1], args[2]);
    let increment = Float80::parse(args[3]).ok_or(Error::NotFloat)?;
    if increment.is_infinite() {
        return Err(Error::Text("ERR value is NaN or Infinity"));
    }
    check_pairs(&[name])?;
    let mut text = Vec::with_capacity(32);
    let counted = upsert(ctx, key, |hash, rules| {
        let former = hash.get(name).map_or(Ok(Float80::ZERO), |pair| float_of(pair.value()))?;
        let sum = former.add(increment).filter(|sum| !sum.is_infinite());
        sum.ok_or(Error::Text(spec::error::NAN_OR_INFINITY))?.write(&mut text);
        Ok::<_, Error>(Counted::put(hash, name, &text, rules))
    })??;
    ctx.db.note_fields("hincrbyfloat", key, [name]);
    ctx.db.change.add_dirty(1);
    ctx.out.bulk(&text);
    // Always its result, so that no difference of formats arises elsewhere.
    counted.propagate(ctx, key, name, &text);
    Ok(())
}

/// What is to be known of a field that was given its new value.
struct Counted {
    /// Some field of the hash expires.
    volatile: bool,
    deadline_ms: Option<i64>,
}

impl Counted {
    fn put(hash: &mut Fields<'_>, name: &[u8], text: &[u8], rules: Rules<'_>) -> Self {
        let volatile = hash.next_due_ms().is_some();
        hash.set(name, text, Time::Keep, rules);
        let deadline_ms = match volatile {
            true => hash.get(name).and_then(|pair| pair.deadline_ms()),
            false => None,
        };
        Self { volatile, deadline_ms }
    }

    /// Propagates the result: where a field expires, the command may meet another value.
    fn propagate(&self, ctx: &mut Ctx<'_, '_>, key: &[u8], name: &[u8], text: &[u8]) {
        if !ctx.db.change.wants(Wants::LOG) {
            return;
        }
        match self.deadline_ms {
            None => ctx.db.propagate(&[b"HSET", key, name, text]),
            Some(deadline_ms) => {
                let mut time = Text::new();
                let time = time.of(deadline_ms);
                let argv = [b"HSETEX", key, b"PXAT", time, b"FIELDS", b"1", name, text];
                ctx.db.propagate(&argv);
            }
        }
    }
}

fn int_of(value: Element<'_>) -> Result<i64, Error> {
    match value.recognised() {
        Element::Int(value) => Ok(value),
        Element::Str(_) => Err(Error::Text("ERR hash value is not an integer")),
    }
}

fn float_of(value: Element<'_>) -> Result<Float80, Error> {
    match value {
        Element::Int(value) => Ok(Float80::from_i64(value)),
        Element::Str(text) => {
            Float80::parse(text).ok_or(Error::Text("ERR hash value is not a float"))
        }
    }
}
