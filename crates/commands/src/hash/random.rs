//! Fields picked at random.

use resp::{Proto, Writer};
use value::hash::{Hash, Pair};

use super::{look, write};
use crate::args::is;
use crate::bound::Bound;
use crate::{Args, Ctx, Error};

/// HRANDFIELD key [count [WITHVALUES]] - O(1), or O(N) with a count.
pub(super) fn hrandfield(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    if args.len() == 2 {
        return look(&mut ctx.db, args[1], |hash| {
            let pair = hash.and_then(|hash| hash.pick(&mut || ctx.rng.u64(..)));
            match pair {
                Some(pair) => write(ctx.out, pair.name()),
                None => ctx.out.null(),
            }
        });
    }
    let count = args.int(2)?;
    if count == i64::MIN {
        return Err(Error::Text(
            "ERR value is out of range, value must between -9223372036854775807 and \
             9223372036854775807",
        ));
    }
    let with_values = match args.from(3) {
        [] => false,
        [word] if is(word, "WITHVALUES") => true,
        _ => return Err(Error::Syntax),
    };
    if with_values && count.unsigned_abs() > i64::MAX as u64 / 2 {
        return Err(Error::Text(spec::error::OUT_OF_RANGE));
    }
    let bound = Bound::new(ctx);
    let mut reply = Reply { out: ctx.out, bound, with_values };
    look(&mut ctx.db, args[1], |hash| reply.several(hash, count, &mut || ctx.rng.u64(..)))?;
    let Reply { out, bound, .. } = reply;
    bound.end(out)
}

struct Reply<'a> {
    out: &'a mut Writer,
    bound: Bound,
    with_values: bool,
}

impl Reply<'_> {
    /// A negative count allows repetitions.
    fn several(&mut self, hash: Option<&Hash>, count: i64, random: &mut dyn FnMut() -> u64) {
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
        let flat = self.with_values && self.out.proto() == Proto::Resp2;
        self.out.array(if flat { count * 2 } else { count });
    }

    fn pair(&mut self, pair: &Pair<'_>) {
        if self.with_values && self.out.proto() != Proto::Resp2 {
            self.out.array(2);
        }
        write(self.out, pair.name());
        if self.with_values {
            write(self.out, pair.value());
        }
    }
}
