//! HSETEX and HGETEX: values and deadlines in one command.

use keyspace::{Class, Wants};
use value::hash::{Rules, Time};
use value::number::Text;

use super::expire::{deadline_of, expired, propagate_deadline, propagate_removal};
use super::{
    Fields, WRONG_NUMFIELDS, check_pairs, find_fields, is_over, update, upsert, write_nulls,
    write_value,
};
use crate::args::is;
use crate::expire::Unit;
use crate::{Args, Ctx, Error, typed};

/// HSETEX key [NX | XX] [FNX | FXX] [EX s | PX ms | EXAT time | PXAT time | KEEPTTL]
/// FIELDS numfields field value [field value ...] - O(N).
pub(super) fn hsetex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let at = find_fields(args, 2).ok_or(WRONG_NUMFIELDS)?;
    let options = Options::read(&args.from(2)[..at - 2], true)?;
    let (key, count, pairs) = (args[1], args.int(at + 1)?, args.from(at + 2));
    if count <= 0 || count.checked_mul(2) != Some(pairs.len() as i64) {
        return Err(WRONG_NUMFIELDS);
    }
    check_pairs(pairs)?;
    let present = state(ctx, key)?;
    if options.nx && present || options.xx && !present {
        ctx.out.int(0);
        return Ok(());
    }
    let deadline_ms = options.deadline_ms(ctx.now_ms())?;
    if !options.fields_fit(ctx, key, pairs)? {
        ctx.out.int(0);
        return Ok(());
    }
    if deadline_ms.is_some_and(|deadline_ms| ctx.is_past(deadline_ms)) {
        remove_instead(ctx, key, pairs)?;
    } else {
        set(ctx, key, pairs, &options, deadline_ms)?;
    }
    ctx.out.int(1);
    Ok(())
}

/// Whether there is a hash under the key.
fn state(ctx: &mut Ctx<'_, '_>, key: &[u8]) -> Result<bool, Error> {
    match ctx.db.reach(key) {
        Some(entry) => typed::hash(&entry).map(|_| true),
        None => Ok(false),
    }
}

/// Sets all fields.
fn set(
    ctx: &mut Ctx<'_, '_>,
    key: &[u8],
    pairs: &[&[u8]],
    options: &Options<'_>,
    deadline_ms: Option<i64>,
) -> Result<(), Error> {
    let time = match deadline_ms {
        Some(deadline_ms) => Time::At(deadline_ms),
        None if options.keep => Time::Keep,
        None => Time::Never,
    };
    upsert(ctx, key, |hash, rules| {
        for pair in pairs.chunks_exact(2) {
            hash.set(pair[0], pair[1], time, rules);
        }
    })?;
    let names = pairs.iter().copied().step_by(2);
    ctx.db.note_fields("hset", key, names.clone());
    if deadline_ms.is_some() {
        ctx.db.note_fields("hexpire", key, names);
    }
    ctx.db.change.add_dirty(pairs.len() as u64 / 2);
    if ctx.db.change.wants(Wants::LOG) {
        let (mut time, mut count) = (Text::new(), Text::new());
        let mut argv: Vec<&[u8]> = vec![b"HSETEX", key];
        if let Some(deadline_ms) = deadline_ms {
            argv.extend([b"PXAT", time.of(deadline_ms)]);
        } else if options.keep {
            argv.push(b"KEEPTTL");
        }
        argv.extend([b"FIELDS", count.of(pairs.len() as i64 / 2)]);
        argv.extend(pairs);
        ctx.db.propagate(&argv);
    }
    Ok(())
}

/// What HSETEX does when its time has passed already: the fields count as set and expired, whether
/// or not they were there.
fn remove_instead(ctx: &mut Ctx<'_, '_>, key: &[u8], pairs: &[&[u8]]) -> Result<(), Error> {
    let removed = update(ctx, key, |_, hash, _| {
        let names = pairs.chunks_exact(2).map(|pair| pair[0]);
        names.filter(|name| hash.remove(name)).collect::<Vec<&[u8]>>()
    })?;
    if removed.is_none() {
        ctx.db.note(Class::NEW, "new", key);
    }
    for event in ["hset", "hexpire", "hexpired"] {
        ctx.db.note_fields(event, key, pairs.iter().copied().step_by(2));
    }
    ctx.db.change.add_expired_fields(pairs.len() as u64 / 2);
    let Some(removed) = removed else {
        // As if the hash had been made, which is empty then.
        ctx.db.note(Class::GENERIC, "del", key);
        return Ok(());
    };
    ctx.db.drop_vacant(key);
    ctx.db.change.add_dirty(removed.len() as u64);
    if !removed.is_empty() {
        propagate_removal(ctx, key, &removed);
    }
    Ok(())
}

/// HGETEX key [EX s | PX ms | EXAT time | PXAT time | PERSIST]
/// FIELDS numfields field [field ...] - O(N).
pub(super) fn hgetex(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let at = find_fields(args, 2).ok_or(WRONG_NUMFIELDS)?;
    let options = Options::read(&args.from(2)[..at - 2], false)?;
    let (key, names) = (args[1], args.from(at + 2));
    if args.int(at + 1)? != names.len() as i64 || names.is_empty() {
        return Err(WRONG_NUMFIELDS);
    }
    if ctx.db.read(key).map(|entry| typed::hash(&entry).map(|_| ())).transpose()?.is_none() {
        options.deadline_ms(ctx.now_ms())?;
        write_nulls(ctx.out, names.len());
        return Ok(());
    }
    let now_ms = ctx.now_ms();
    let effect = match options.deadline_ms(now_ms)? {
        _ if options.persist => Effect::Persist,
        None => Effect::Nothing,
        Some(deadline_ms) if ctx.is_past(deadline_ms) => Effect::Remove,
        Some(deadline_ms) => Effect::Expire(deadline_ms),
    };
    let changed = update(ctx, key, |out, hash, rules| {
        out.array(names.len());
        let touched = names.iter().copied().filter(|name| {
            write_value(out, hash.get(name));
            effect.apply(hash, name, rules)
        });
        touched.collect::<Vec<&[u8]>>()
    })?;
    if let Some(changed) = changed.filter(|changed| !changed.is_empty()) {
        record(ctx, key, effect, &changed);
    }
    Ok(())
}

/// What HGETEX does to fields beside reading them.
#[derive(Clone, Copy)]
enum Effect {
    Nothing,
    Persist,
    Remove,
    Expire(i64),
}

impl Effect {
    /// Says whether it changed anything.
    fn apply(self, hash: &mut Fields<'_>, name: &[u8], rules: Rules<'_>) -> bool {
        match self {
            Self::Nothing => false,
            Self::Remove => hash.remove(name),
            Self::Expire(deadline_ms) => hash.set_deadline(name, Some(deadline_ms), rules),
            Self::Persist => {
                let expires = hash.get(name).is_some_and(|pair| pair.deadline_ms().is_some());
                expires && hash.set_deadline(name, None, rules)
            }
        }
    }
}

/// What follows HGETEX when it changed these fields.
fn record(ctx: &mut Ctx<'_, '_>, key: &[u8], effect: Effect, names: &[&[u8]]) {
    ctx.db.change.add_dirty(names.len() as u64);
    let log = ctx.db.change.wants(Wants::LOG);
    match effect {
        Effect::Nothing => {}
        Effect::Remove => expired(ctx, key, names),
        Effect::Expire(deadline_ms) => {
            ctx.db.note_fields("hexpire", key, names.iter().copied());
            if log {
                propagate_deadline(ctx, key, deadline_ms, names);
            }
        }
        Effect::Persist => {
            ctx.db.note_fields("hpersist", key, names.iter().copied());
            if log {
                let mut count = Text::new();
                let count = count.of(names.len() as i64);
                let argv: Vec<&[u8]> = [&[b"HPERSIST", key, b"FIELDS", count], names].concat();
                ctx.db.propagate(&argv);
            }
        }
    }
}

/// The words in front of FIELDS.
#[derive(Default)]
struct Options<'a> {
    nx: bool,
    xx: bool,
    fnx: bool,
    fxx: bool,
    keep: bool,
    persist: bool,
    /// A time, as it was written.
    time: Option<(Unit, &'a [u8])>,
}

impl<'a> Options<'a> {
    /// Reads the options of a command that sets values, or of one that only reads them.
    fn read(words: &[&'a [u8]], sets: bool) -> Result<Self, Error> {
        let mut options = Self::default();
        let mut words = words.iter().copied();
        while let Some(word) = words.next() {
            if let Some(unit) = Unit::of(word) {
                let other = options.time.is_some_and(|(present, _)| present != unit);
                if options.keep || options.persist || other {
                    return Err(Error::Syntax);
                }
                options.time = Some((unit, words.next().ok_or(Error::Syntax)?));
                continue;
            }
            let (flag, conflict) = match word {
                word if sets && is(word, "NX") => (&mut options.nx, options.xx),
                word if sets && is(word, "XX") => (&mut options.xx, options.nx),
                word if sets && is(word, "FNX") => (&mut options.fnx, options.fxx),
                word if sets && is(word, "FXX") => (&mut options.fxx, options.fnx),
                word if sets && is(word, "KEEPTTL") => (&mut options.keep, options.time.is_some()),
                word if !sets && is(word, "PERSIST") => {
                    (&mut options.persist, options.time.is_some())
                }
                _ => return Err(Error::Syntax),
            };
            if conflict {
                return Err(Error::Syntax);
            }
            *flag = true;
        }
        Ok(options)
    }

    /// The deadline that was asked for, in Unix milliseconds.
    fn deadline_ms(&self, now_ms: i64) -> Result<Option<i64>, Error> {
        let Some((unit, text)) = self.time else { return Ok(None) };
        let count = resp::number::parse_i64(text).ok_or(Error::NotInteger)?;
        deadline_of(unit, count, now_ms).map(Some)
    }

    /// Whether FNX and FXX find none of the fields, or all of them.
    fn fields_fit(
        &self,
        ctx: &mut Ctx<'_, '_>,
        key: &[u8],
        pairs: &[&[u8]],
    ) -> Result<bool, Error> {
        if !self.fnx && !self.fxx {
            return Ok(true);
        }
        let since_ms = ctx.db.over_since();
        let Some(entry) = ctx.db.peek(key) else { return Ok(self.fnx) };
        let hash = typed::hash(&entry)?;
        let is_there = |name| hash.get(name).is_some_and(|pair| !is_over(&pair, since_ms));
        Ok(pairs.chunks_exact(2).all(|pair| is_there(pair[0]) == self.fxx))
    }
}
