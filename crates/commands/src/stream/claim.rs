//! Taking over what another consumer has pending.

use keyspace::Class;
use resp::Writer;
use value::stream::{Id, Nack, Slot, Stream};

use super::journal::Journal;
use super::{group_of, id, need_group, start_bound, update, write_entry, write_id};
use crate::args::is;
use crate::{Args, Ctx, Error};

/// XAUTOCLAIM looks at so many entries for each that it may claim.
const LOOKED_AT: usize = 10;

/// The largest COUNT of XAUTOCLAIM.
const COUNT_MAX: i64 = i64::MAX / 16;

/// How entries are claimed.
struct Claim {
    min_idle_ms: i64,
    time_ms: i64,
    count: Option<u64>,
    force: bool,
    just_ids: bool,
    last_id: Id,
}

/// What a claim did beside its reply.
struct Done {
    journal: Journal,
    made: bool,
    changes: u64,
}

/// XCLAIM key group consumer min-idle-time id [id ...] [IDLE ms] [TIME unix-time-milliseconds]
/// [RETRYCOUNT count] [FORCE] [JUSTID] [LASTID last-id] - O(log(N)) an id.
pub(super) fn xclaim(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    need_group(ctx, args[1], args[2])?;
    let (claim, ids) = Claim::parse(ctx, args)?;
    let (now_ms, journal) = (ctx.now_ms(), Journal::new(&ctx.db));
    let done = update(ctx, args[1], |out, stream| {
        let group = group_of(stream, args[2]);
        let moved = claim.last_id > group.last_id;
        group.last_id = group.last_id.max(claim.last_id);
        let (mut turn, made) = claim.turn(stream, args, now_ms, journal);
        let later = out.array_later();
        let (mut claimed, mut changes) = (0, 0);
        for id in ids {
            match turn.one(out, id) {
                Outcome::Passed => {}
                Outcome::Gone => changes += 1,
                Outcome::Claimed => {
                    changes += 1;
                    claimed += 1;
                }
            }
        }
        out.finish(later, claimed);
        let Turn { stream, mut journal, .. } = turn;
        if moved && !journal.has_claims() {
            journal.read(group_of(stream, args[2]));
            changes += 1;
        }
        if made && claimed == 0 {
            journal.consumer(args[3]);
        }
        Done { journal, made, changes }
    })?;
    settle(ctx, args, done);
    Ok(())
}

/// XAUTOCLAIM key group consumer min-idle-time start [COUNT count] [JUSTID] - O(1) with a small
/// count.
pub(super) fn xautoclaim(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let min_idle_ms = args
        .int(4)
        .map_err(|_| Error::Text("ERR Invalid min-idle-time argument for XAUTOCLAIM"))?
        .max(0);
    let start = start_bound(args[5])?;
    let (mut count, mut just_ids) = (100, false);
    let mut options = args.cursor(6);
    while options.left() > 0 {
        if options.left() > 1 && options.accept("COUNT") {
            let wrong = Error::Text(spec::error::COUNT_NOT_POSITIVE);
            let given = options.int().map_err(|_| wrong)?;
            count =
                if (1..=COUNT_MAX).contains(&given) { given as usize } else { return Err(wrong) };
        } else if options.accept("JUSTID") {
            just_ids = true;
        } else {
            return Err(Error::Syntax);
        }
    }
    need_group(ctx, args[1], args[2])?;
    let (now_ms, journal) = (ctx.now_ms(), Journal::new(&ctx.db));
    let (time_ms, last_id) = (now_ms, Id::MIN);
    let claim = Claim { min_idle_ms, time_ms, count: None, force: false, just_ids, last_id };
    let done = update(ctx, args[1], |out, stream| {
        let (turn, made) = claim.turn(stream, args, now_ms, journal);
        let mut done = turn.search(out, start, count);
        done.made = made;
        if made && !done.journal.has_claims() {
            done.journal.consumer(args[3]);
        }
        done
    })?;
    settle(ctx, args, done);
    Ok(())
}

/// One consumer's claiming in one stream.
struct Turn<'t> {
    claim: &'t Claim,
    stream: &'t mut Stream,
    group: &'t [u8],
    to: Slot,
    now_ms: i64,
    journal: Journal,
}

/// What became of one entry.
#[derive(PartialEq, Eq)]
enum Outcome {
    Passed,
    Gone,
    Claimed,
}

impl Claim {
    /// The ids from argument 5 on, and the options behind them.
    fn parse(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(Claim, Vec<Id>), Error> {
        let number = |at: usize, text| args.int(at).map_err(|_| Error::Text(text));
        let min_idle_ms = number(4, "ERR Invalid min-idle-time argument for XCLAIM")?.max(0);
        let ids: Vec<Id> = args.from(5).iter().map_while(|text| Id::parse(text, 0)).collect();
        let now_ms = ctx.now_ms();
        let mut time_ms = -1;
        let (last_id, count) = (Id::MIN, None);
        let (force, just_ids) = (false, false);
        let mut claim = Claim { min_idle_ms, time_ms, count, force, just_ids, last_id };
        let mut at = 5 + ids.len();
        while let Some(word) = args.get(at) {
            let more = at + 1 < args.len();
            at += 2;
            if is(word, "FORCE") {
                claim.force = true;
                at -= 1;
            } else if is(word, "JUSTID") {
                claim.just_ids = true;
                at -= 1;
            } else if more && is(word, "IDLE") {
                let idle = number(at - 1, "ERR Invalid IDLE option argument for XCLAIM")?;
                time_ms = now_ms.wrapping_sub(idle);
            } else if more && is(word, "TIME") {
                time_ms = number(at - 1, "ERR Invalid TIME option argument for XCLAIM")?;
            } else if more && is(word, "RETRYCOUNT") {
                let given = number(at - 1, "ERR Invalid RETRYCOUNT option argument for XCLAIM")?;
                claim.count = u64::try_from(given).ok();
            } else if more && is(word, "LASTID") {
                claim.last_id = id(args[at - 1])?;
            } else {
                return Err(ctx.error_around(b"ERR Unrecognized XCLAIM option '", word, b"'"));
            }
        }
        claim.time_ms = if (0..=now_ms).contains(&time_ms) { time_ms } else { now_ms };
        Ok((claim, ids))
    }

    /// Begins claiming, for a consumer that is made when it is missing; true when it was.
    fn turn<'t>(
        &'t self,
        stream: &'t mut Stream,
        args: &'t Args<'_>,
        now_ms: i64,
        journal: Journal,
    ) -> (Turn<'t>, bool) {
        let group = group_of(stream, args[2]);
        let (to, made) = group.ensure(args[3], now_ms);
        group.consumer_mut(to).seen_ms = now_ms;
        (Turn { claim: self, stream, group: args[2], to, now_ms, journal }, made)
    }
}

impl Turn<'_> {
    /// Claims an entry if it may be claimed, and writes it.
    fn one(&mut self, out: &mut Writer, id: Id) -> Outcome {
        let claim = self.claim;
        if self.stream.get(id).is_none() {
            if !group_of(self.stream, self.group).ack(id) {
                return Outcome::Passed;
            }
            self.journal.gone(id);
            return Outcome::Gone;
        }
        let group = group_of(self.stream, self.group);
        let idle_ms = |nack: &Nack| nack.idle_ms(self.now_ms);
        let before = match group.nack(id) {
            None if claim.force => 1,
            Some(nack) if nack.owner().is_none() => nack.count,
            Some(nack) if claim.min_idle_ms == 0 || idle_ms(nack) >= claim.min_idle_ms => {
                nack.count
            }
            _ => return Outcome::Passed,
        };
        let more = u64::from(!claim.just_ids);
        let count = claim.count.unwrap_or(before.saturating_add(more).min(i64::MAX as u64));
        group.assign(id, Some(self.to), claim.time_ms, count);
        group.consumer_mut(self.to).active_ms = self.now_ms;
        self.journal.claim(group, id);
        match self.stream.get(id).filter(|_| !claim.just_ids) {
            Some(entry) => write_entry(out, &entry),
            None => write_id(out, id),
        }
        Outcome::Claimed
    }

    /// The first pending entry from `start` on.
    fn pending_from(&mut self, start: Option<Id>) -> Option<Id> {
        let group = group_of(self.stream, self.group);
        start.and_then(|start| group.nacks(start..).next().map(|(&id, _)| id))
    }

    /// Claims entries from `start` on, at most `count`.
    fn search(mut self, out: &mut Writer, start: Id, count: usize) -> Done {
        let (mut left, mut tries) = (count, count.saturating_mul(LOOKED_AT));
        let (mut found, mut gone) = (0, Vec::new());
        // The cursor stands in front of the entries and is known behind them.
        let mut entries = Writer::new(out.proto());
        let mut at = self.pending_from(Some(start));
        while let Some(id) = at.filter(|_| tries > 0 && left > 0) {
            tries -= 1;
            match self.one(&mut entries, id) {
                Outcome::Passed => {}
                Outcome::Gone => {
                    gone.push(id);
                    left -= 1;
                }
                Outcome::Claimed => {
                    found += 1;
                    left -= 1;
                }
            }
            at = self.pending_from(id.next());
        }
        out.array(3);
        write_id(out, at.unwrap_or(Id::MIN));
        out.array(found);
        entries.chunks(0).for_each(|chunk| out.raw(chunk));
        out.array(gone.len());
        gone.iter().for_each(|&id| write_id(out, id));
        let changes = (found + gone.len()) as u64;
        Done { journal: self.journal, made: false, changes }
    }
}

/// Records what a claim did.
fn settle(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, done: Option<Done>) {
    let Some(Done { journal, made, changes }) = done else { return };
    if made {
        ctx.db.note_beside(Class::STREAM, "xgroup-createconsumer", args[1]);
    }
    ctx.db.change.add_dirty(changes + u64::from(made));
    if changes > 0 {
        ctx.db.stir(args[1]);
    }
    journal.propagate(&mut ctx.db, args[1], args[2]);
}
