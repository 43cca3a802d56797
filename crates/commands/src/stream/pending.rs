//! XPENDING: what a group has delivered and nobody has acknowledged.

use resp::Writer;
use value::stream::{Group, Id, Nack, Slot};

use super::{end_bound, look, no_group, start_bound, write_id};
use crate::args::is;
use crate::{Args, Ctx, Error};

/// Which of the pending entries are asked for.
struct Filter<'a> {
    min_idle_ms: i64,
    start: Id,
    end: Id,
    count: usize,
    consumer: Option<&'a [u8]>,
}

/// XPENDING key group [[IDLE min-idle-time] start end count [consumer]] - O(N) of the entries
/// looked at, or of the consumers.
pub(super) fn xpending(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let filter = match args.len() {
        3 => None,
        6..=9 => Some(Filter::parse(args)?),
        _ => return Err(Error::Syntax),
    };
    let (now_ms, out) = (ctx.now_ms(), &mut *ctx.out);
    look(&mut ctx.db, args[1], |stream| {
        let group = stream.and_then(|stream| stream.group(args[2]));
        let Some(group) = group else { return Err(no_group(out, args[1], args[2], b"")) };
        match filter {
            None => summary(out, group),
            Some(filter) => filter.write(out, group, now_ms),
        }
        Ok(())
    })?
}

fn summary(out: &mut Writer, group: &Group) {
    out.array(4);
    out.int(group.pending() as i64);
    let Some((first, last)) = group.edges() else {
        out.null();
        out.null();
        out.null_array();
        return;
    };
    write_id(out, first);
    write_id(out, last);
    let later = out.array_later();
    let mut consumers = 0;
    for consumer in group.consumers().filter(|consumer| consumer.pending() > 0) {
        out.array(2);
        out.bulk(consumer.name());
        out.bulk_int(consumer.pending() as i64);
        consumers += 1;
    }
    out.finish(later, consumers);
}

impl<'a> Filter<'a> {
    fn parse(args: &Args<'a>) -> Result<Filter<'a>, Error> {
        let (mut at, mut min_idle_ms) = (3, 0);
        if is(args[3], "IDLE") {
            min_idle_ms = args.int(4)?;
            if args.len() < 8 {
                return Err(Error::Syntax);
            }
            at = 5;
        }
        let count = args.int(at + 2)?.max(0) as usize;
        let (start, end) = (start_bound(args[at])?, end_bound(args[at + 1])?);
        Ok(Filter { min_idle_ms, start, end, count, consumer: args.get(at + 3) })
    }

    fn write(&self, out: &mut Writer, group: &Group, now_ms: i64) {
        let consumer = match self.consumer.map(|name| group.find(name)) {
            Some(None) => return out.array(0),
            Some(Some(slot)) => Some(slot),
            None => None,
        };
        let later = out.array_later();
        let mut written = 0;
        self.visit(group, consumer, now_ms, |id, nack| {
            written += 1;
            out.array(4);
            write_id(out, id);
            out.bulk(group.owner_name(nack));
            // Nobody has had it since it was given back.
            out.int(nack.owner().map_or(-1, |_| nack.idle_ms(now_ms).max(0)));
            out.int(nack.count.cast_signed());
        });
        out.finish(later, written);
    }

    fn visit(
        &self,
        group: &Group,
        consumer: Option<Slot>,
        now_ms: i64,
        mut work: impl FnMut(Id, &Nack),
    ) {
        if self.start > self.end {
            return;
        }
        let range = self.start..=self.end;
        let idle = |nack: &Nack| self.min_idle_ms == 0 || nack.idle_ms(now_ms) >= self.min_idle_ms;
        match consumer {
            None => {
                let nacks = group.nacks(range).filter(|(_, nack)| idle(nack));
                nacks.take(self.count).for_each(|(&id, nack)| work(id, nack));
            }
            Some(slot) => {
                let ids = group.consumer(slot).ids(range);
                let nacks = ids.filter_map(|&id| Some((id, group.nack(id)?)));
                let idle = nacks.filter(|(_, nack)| idle(nack));
                idle.take(self.count).for_each(|(id, nack)| work(id, nack));
            }
        }
    }
}
