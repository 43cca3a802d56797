//! BITFIELD: integers of any width inside strings.

use keyspace::Class;
use smallvec::SmallVec;
use value::bits::{self, Overflow};

use super::{bit_offset, text_of};
use crate::string::change_bytes;
use crate::{Args, Ctx, Error};

/// An integer's type.
#[derive(Clone, Copy)]
struct Type {
    signed: bool,
    width: u32,
}

#[derive(Clone, Copy)]
enum Action {
    Get,
    Set(i64, Overflow),
    IncrBy(i64, Overflow),
}

#[derive(Clone, Copy)]
struct Operation {
    of: Type,
    bit: u64,
    action: Action,
}

type Operations = SmallVec<[Operation; 4]>;

/// What an operation replies: nothing when it would overflow and must not.
type Outcome = Option<i64>;

/// BITFIELD key \[GET type offset | \[OVERFLOW WRAP|SAT|FAIL\] SET type offset value |
/// INCRBY type offset increment ...\] - O(N) of the operations.
pub(super) fn bitfield(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let operations = parse(ctx, args)?;
    let Some(len_min) = len_written(&operations) else { return get_all(ctx, args, &operations) };
    let (outcomes, changes) = change_bytes(ctx, args[1], len_min, |bytes, grown| {
        let mut changes = 0;
        let mut outcomes = SmallVec::<[Outcome; 4]>::new();
        for operation in &operations {
            let (outcome, changed) = operation.run(bytes);
            changes += u64::from(changed || grown && operation.is_write() && outcome.is_some());
            outcomes.push(outcome);
        }
        (outcomes, changes.max(grown.into()))
    })?;
    if changes > 0 {
        ctx.db.note(Class::STRING, "setbit", args[1]);
        ctx.db.change.add_dirty(changes);
    }
    ctx.out.array(outcomes.len());
    for outcome in outcomes {
        match outcome {
            Some(number) => ctx.out.int(number),
            None => ctx.out.null(),
        }
    }
    Ok(())
}

/// BITFIELD_RO key \[GET type offset ...\] - O(N) of the operations.
pub(super) fn bitfield_ro(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let operations = parse(ctx, args)?;
    if len_written(&operations).is_some() {
        return Err(Error::Text("ERR BITFIELD_RO only supports the GET subcommand"));
    }
    get_all(ctx, args, &operations)
}

/// How long the string must be for all writes; `None` when nothing is written.
fn len_written(operations: &Operations) -> Option<usize> {
    let writes = operations.iter().filter(|operation| operation.is_write());
    writes.map(|write| ((write.bit + u64::from(write.of.width) - 1) / 8) as usize + 1).max()
}

fn get_all(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, operations: &Operations) -> Result<(), Error> {
    let entry = ctx.db.read(args[1]);
    let bytes = entry.as_deref().map(text_of).transpose()?.unwrap_or_default();
    ctx.out.array(operations.len());
    operations.iter().for_each(|operation| ctx.out.int(operation.get(&bytes)));
    Ok(())
}

fn parse(ctx: &Ctx<'_, '_>, args: &Args<'_>) -> Result<Operations, Error> {
    let mut operations = Operations::new();
    let mut overflow = Overflow::Wrap;
    let mut options = args.cursor(2);
    while options.left() > 0 {
        let behind = options.left() - 1;
        if behind >= 1 && options.accept("OVERFLOW") {
            overflow = if options.accept("WRAP") {
                Overflow::Wrap
            } else if options.accept("SAT") {
                Overflow::Saturate
            } else if options.accept("FAIL") {
                Overflow::Fail
            } else {
                return Err(Error::Text("ERR Invalid OVERFLOW type specified"));
            };
            continue;
        }
        let action: fn(i64, Overflow) -> Action = if behind >= 2 && options.accept("GET") {
            |_, _| Action::Get
        } else if behind >= 3 && options.accept("SET") {
            Action::Set
        } else if behind >= 3 && options.accept("INCRBY") {
            Action::IncrBy
        } else {
            return Err(Error::Syntax);
        };
        let of = Type::parse(options.value()?)?;
        let bit = bit_offset(ctx, options.value()?, Some(of.width))?;
        let action = match action(0, overflow) {
            Action::Get => Action::Get,
            _ => action(options.int()?, overflow),
        };
        operations.push(Operation { of, bit, action });
    }
    Ok(operations)
}

impl Type {
    fn parse(word: &[u8]) -> Result<Self, Error> {
        let parsed = match word.split_first() {
            Some((b'i', width)) => Some((true, width, 64)),
            Some((b'u', width)) => Some((false, width, 63)),
            _ => None,
        };
        let parsed = parsed.and_then(|(signed, width, max)| {
            let width = resp::number::parse_i64(width).filter(|width| (1..=max).contains(width))?;
            Some(Self { signed, width: width as u32 })
        });
        parsed.ok_or(Error::Text(
            "ERR Invalid bitfield type. Use something like i16 u8. Note that u64 is not supported \
             but i64 is.",
        ))
    }

    /// `value + increment` in this type, as the bits of an integer.
    fn fit(self, value: i64, increment: i64, overflow: Overflow) -> Option<i64> {
        if self.signed {
            return bits::fit_signed(value, increment, self.width, overflow);
        }
        let fit = bits::fit_unsigned(value as u64, increment, self.width, overflow)?;
        Some(fit as i64)
    }
}

impl Operation {
    fn is_write(&self) -> bool {
        !matches!(self.action, Action::Get)
    }

    fn get(&self, bytes: &[u8]) -> i64 {
        let value = bits::read(bytes, self.bit, self.of.width);
        if self.of.signed { bits::sign_extend(value, self.of.width) } else { value as i64 }
    }

    /// Runs it on a string that is long enough; says what it replies and whether it changed it.
    fn run(&self, bytes: &mut [u8]) -> (Outcome, bool) {
        let old = self.get(bytes);
        let (new, reply) = match self.action {
            Action::Get => return (Some(old), false),
            Action::Set(value, overflow) => {
                let new = self.of.fit(value, 0, overflow);
                (new, new.map(|_| old))
            }
            Action::IncrBy(increment, overflow) => {
                let new = self.of.fit(old, increment, overflow);
                (new, new)
            }
        };
        if let Some(new) = new {
            bits::write(bytes, self.bit, self.of.width, new as u64);
        }
        (reply, new.is_some_and(|new| new != old))
    }
}
