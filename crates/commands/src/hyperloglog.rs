//! HyperLogLog counters, which are strings: what each command does; the bytes are `value::hll`'s.

use keyspace::{Class, Entry, Kind};
use value::hll::{self, Corrupt, Encoding, Registers, Run};

use crate::args::is;
use crate::string::{change_text, store, with_text};
use crate::{Args, Ctx, Error, Handler};

mod selftest;

pub(crate) const HANDLERS: &[(&str, Handler)] = &[
    ("pfadd", pfadd),
    ("pfcount", pfcount),
    ("pfdebug", pfdebug),
    ("pfmerge", pfmerge),
    ("pfselftest", selftest::pfselftest),
];

const NO_COUNTER: Error = Error::Text("WRONGTYPE Key is not a valid HyperLogLog string value.");

impl From<Corrupt> for Error {
    fn from(_: Corrupt) -> Self {
        Self::Text("INVALIDOBJ Corrupted HLL object detected")
    }
}

/// PFADD key \[element ...\] - O(1) for each element.
fn pfadd(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (key, elements) = (args[1], args.from(2));
    let sparse_max = ctx.settings.limits.hll_sparse_bytes;
    let add = |bytes: &mut Vec<u8>| add_all(bytes, elements, sparse_max);
    let found = ctx.db.edit(key, |entry| {
        check(entry)?;
        Ok::<u64, Error>(change_text(entry, add)??)
    });
    let updated = match found {
        Some(updated) => updated?,
        None => {
            let mut bytes = hll::empty();
            let updated = add_all(&mut bytes, elements, sparse_max)?;
            hll::invalidate(&mut bytes);
            store(ctx, key, bytes);
            updated + 1
        }
    };
    if updated > 0 {
        ctx.db.note(Class::STRING, "pfadd", key);
        ctx.db.change.add_dirty(updated);
    }
    ctx.out.int((updated > 0).into());
    Ok(())
}

/// Counts elements; how many of them changed a register.
fn add_all(bytes: &mut Vec<u8>, elements: &[&[u8]], sparse_max: usize) -> Result<u64, Corrupt> {
    let mut updated = 0;
    for element in elements {
        updated += u64::from(hll::add(bytes, element, sparse_max)?);
    }
    if updated > 0 {
        hll::invalidate(bytes);
    }
    Ok(updated)
}

/// PFCOUNT key \[key ...\] - O(1) for one key whose estimate is stored, O(N) of the keys.
fn pfcount(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if args.len() > 2 {
        let (registers, _) = merged(ctx, args.from(1))?;
        ctx.out.int(registers.count() as i64);
        return Ok(());
    }
    let key = args[1];
    let Some(entry) = ctx.db.read(key) else {
        ctx.out.int(0);
        return Ok(());
    };
    check(&entry)?;
    if let Some(estimate) = with_text(&entry, hll::cached)? {
        ctx.out.int(estimate as i64);
        return Ok(());
    }
    let estimate = with_text(&entry, hll::count)??;
    let stored =
        ctx.db.edit(key, |entry| change_text(entry, |bytes| hll::set_cached(bytes, estimate)));
    if let Some(stored) = stored {
        stored?;
    }
    ctx.db.touched(key);
    ctx.db.change.add_dirty(1);
    ctx.out.int(estimate as i64);
    Ok(())
}

/// PFMERGE destkey \[sourcekey ...\] - O(N) of the keys.
fn pfmerge(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let key = args[1];
    let (registers, dense) = merged(ctx, args.from(1))?;
    let sparse_max = ctx.settings.limits.hll_sparse_bytes;
    let change = |bytes: &mut Vec<u8>| fill(bytes, &registers, dense, sparse_max);
    match ctx.db.edit(key, |entry| change_text(entry, change)) {
        Some(filled) => filled??,
        None => {
            let mut bytes = hll::empty();
            fill(&mut bytes, &registers, dense, sparse_max)?;
            store(ctx, key, bytes);
        }
    }
    ctx.db.note(Class::STRING, "pfadd", key);
    ctx.db.change.add_dirty(1);
    ctx.out.ok();
    Ok(())
}

/// The largest registers of several counters, and whether any of them is dense.
fn merged(ctx: &mut Ctx<'_, '_>, keys: &[&[u8]]) -> Result<(Registers, bool), Error> {
    let (mut registers, mut dense) = (Registers::default(), false);
    for key in keys {
        let Some(entry) = ctx.db.read(key) else { continue };
        dense |= check(&entry)? == Encoding::Dense;
        with_text(&entry, |bytes| registers.merge(bytes))??;
    }
    Ok((registers, dense))
}

/// Raises a counter to the registers, which it was merged into.
fn fill(
    bytes: &mut Vec<u8>,
    registers: &Registers,
    dense: bool,
    sparse_max: usize,
) -> Result<(), Corrupt> {
    if dense {
        hll::to_dense(bytes)?;
        registers.write_dense(bytes);
    } else {
        for (register, &value) in registers.values().iter().enumerate() {
            if value > 0 {
                hll::raise(bytes, register, value, sparse_max)?;
            }
        }
    }
    hll::invalidate(bytes);
    Ok(())
}

/// PFDEBUG GETREG|DECODE|ENCODING|TODENSE key, PFDEBUG SIMD ON|OFF - O(N) of the registers.
fn pfdebug(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let (word, key) = (args[1], args[2]);
    if is(word, "SIMD") {
        return simd(ctx, key);
    }
    let Some(entry) = ctx.db.reach(key) else {
        return Err(Error::Text("ERR The specified key does not exist"));
    };
    let encoding = check(&entry)?;
    if is(word, "ENCODING") {
        let name = if encoding == Encoding::Dense { "dense" } else { "sparse" };
        ctx.out.simple(name);
    } else if is(word, "DECODE") {
        if encoding == Encoding::Dense {
            return Err(Error::Text("ERR HLL encoding is not sparse"));
        }
        let decoded = with_text(&entry, decode)?;
        ctx.out.bulk(decoded.as_bytes());
    } else if is(word, "TODENSE") {
        let converted = to_dense(ctx, key)?;
        ctx.out.int(converted.into());
    } else if is(word, "GETREG") {
        to_dense(ctx, key)?;
        let (registers, _) = merged(ctx, &[key])?;
        ctx.out.array(hll::REGISTERS);
        registers.values().iter().for_each(|&value| ctx.out.int(value.into()));
    } else {
        return Err(ctx.error_around(b"ERR Unknown PFDEBUG subcommand '", word, b"'"));
    }
    Ok(())
}

/// Vector instructions are the compiler's choice here: the switch is accepted for tests, which
/// want the same counts either way.
fn simd(ctx: &mut Ctx<'_, '_>, switch: &[u8]) -> Result<(), Error> {
    if is(switch, "ON") {
        ctx.out.simple("enabled");
    } else if is(switch, "OFF") {
        ctx.out.simple("disabled");
    } else {
        return Err(Error::Text("ERR Argument must be ON or OFF"));
    }
    Ok(())
}

fn to_dense(ctx: &mut Ctx<'_, '_>, key: &[u8]) -> Result<bool, Error> {
    let converted = ctx.db.edit(key, |entry| change_text(entry, hll::to_dense));
    let converted = converted.ok_or(Error::NoSuchKey)???;
    ctx.db.change.add_dirty(converted.into());
    Ok(converted)
}

/// The runs of a sparse counter as text.
fn decode(bytes: &[u8]) -> String {
    let texts = hll::runs(bytes).map(|run| match run {
        Run::Zeros { len } => format!("z:{len}"),
        Run::ManyZeros { len } => format!("Z:{len}"),
        Run::Values { value, len } => format!("v:{value},{len}"),
    });
    texts.collect::<Vec<_>>().join(" ")
}

/// Refuses what is no counter.
fn check(entry: &Entry) -> Result<Encoding, Error> {
    if entry.kind() != Kind::String {
        return Err(Error::WrongType);
    }
    with_text(entry, hll::encoding)?.ok_or(NO_COUNTER)
}
