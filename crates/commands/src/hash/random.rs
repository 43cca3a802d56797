//! Fields picked at random.

use resp::Writer;
use value::hash::{Hash, Pair};

use super::look;
use crate::args::{is, signed};
use crate::bound::Bound;
use crate::{Args, Ctx, Error, reply};

/// HRANDFIELD key [count [WITHVALUES]] - O(1), or O(N) with a count.
pub(super) fn hrandfield(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if args.len() == 2 {
        return look(&mut ctx.db, args[1], |hash| {
            let pair = hash.and_then(|hash| hash.pick(&mut || ctx.rng.u64(..)));
            reply::element_or_null(ctx.out, pair.as_ref().map(Pair::name));
        });
    }
    let count = signed(args[2])?;
    let with_values = match args.from(3) {
        [] => false,
        [word] if is(word, "WITHVALUES") => true,
        _ => return Err(Error::Syntax),
    };
    if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(Error::Text(spec::error::OUT_OF_RANGE));
    }
    let bound = Bound::new(ctx);
    let mut several = Several { out: ctx.out, bound, with_values };
    look(&mut ctx.db, args[1], |hash| several.write(hash, count, &mut || ctx.rng.u64(..)))?;
    let Several { out, bound, .. } = several;
    bound.end(out)
}

/// The reply when there is a count.
struct Several<'a> {
    out: &'a mut Writer,
    bound: Bound,
    with_values: bool,
}

impl Several<'_> {
    /// A negative count allows repetitions.
    fn write(&mut self, hash: Option<&Hash>, count: i64, random: &mut dyn FnMut() -> u64) {
        let wanted = usize::try_from(count.unsigned_abs()).unwrap_or(usize::MAX);
        let Some(hash) = hash.filter(|_| wanted > 0) else { return self.out.array(0) };
        if count < 0 {
            self.begin(wanted);
            hash.pick_many(wanted, random, &mut |pair| {
                self.pair(pair);
                self.bound.allows_more(self.out)
            });
        } else {
            self.begin(wanted.min(hash.len()));
            hash.pick_unique(wanted, random, &mut |pair| self.pair(pair));
        }
    }

    fn begin(&mut self, count: usize) {
        if self.with_values { self.out.pairs(count) } else { self.out.array(count) }
    }

    fn pair(&mut self, pair: &Pair<'_>) {
        if self.with_values {
            self.out.pair();
        }
        reply::element(self.out, pair.name());
        if self.with_values {
            reply::element(self.out, pair.value());
        }
    }
}
