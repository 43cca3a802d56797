//! XREAD and XREADGROUP: the entries behind given ids of several streams.
//!
//! [`Read::attempt`] is one try; it changes nothing and writes nothing when there is nothing to
//! read, so that it can be repeated.

use keyspace::{Class, Kind};
use resp::Writer;
use value::stream::{Group, Id, IdText, Stream};

use super::journal::Journal;
use super::{group_of, id, look, no_group, update, write_entry, write_fields, write_id};
use crate::args::is;
use crate::{Args, Ctx, Error, Wait};

const NOT_XREAD_GROUP: Error =
    Error::Text("ERR The GROUP option is only supported by XREADGROUP. You called XREAD instead.");
const NOT_XREAD_NOACK: Error =
    Error::Text("ERR The NOACK option is only supported by XREADGROUP. You called XREAD instead.");
const NOT_XREAD_CLAIM: Error =
    Error::Text("ERR The CLAIM option is only supported by XREADGROUP. You called XREAD instead.");
const NO_GROUP_OPTION: Error = Error::Text("ERR Missing GROUP option for XREADGROUP");
const NEW_ALONE: Error = Error::Text(
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> \
     <consumer> option.",
);
const DOLLAR: Error = Error::Text(
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of \
     this consumer by specifying a proper ID, or use the > ID to get new messages. The $ ID would \
     just return an empty result set.",
);
const PLUS: Error = Error::Text(
    "ERR The + ID is meaningless in the context of XREADGROUP: you want to read the history of \
     this consumer by specifying a proper ID, or use the > ID to get new messages. The + ID would \
     just return an empty result set.",
);

/// XREAD [COUNT count] [MAXCOUNT count] [MAXSIZE bytes] [BLOCK milliseconds] STREAMS key [key ...]
/// id [id ...] - O(N) of the entries.
pub(super) fn xread(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    run(ctx, args, false)
}

/// XREADGROUP GROUP group consumer [COUNT count] [MAXCOUNT count] [MAXSIZE bytes] [BLOCK
/// milliseconds] [CLAIM min-idle-time] [NOACK] STREAMS key [key ...] id [id ...] - O(N) of the
/// entries.
pub(super) fn xreadgroup(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    ctx.db.change.propagate_nothing();
    run(ctx, args, true)
}

fn run(ctx: &mut Ctx<'_, '_>, args: &Args<'_>, grouped: bool) -> Result<(), Error> {
    let mut read = Read::parse(ctx, args, grouped)?;
    read.resolve(ctx)?;
    if read.attempt(ctx)? {
        return Ok(());
    }
    match read.wait(ctx) {
        Some(wait) => ctx.wait_or_null_array(wait),
        None => ctx.out.null_array(),
    }
    Ok(())
}

/// A group's name and a consumer's.
#[derive(Clone, Copy)]
struct Reader<'a> {
    group: &'a [u8],
    consumer: &'a [u8],
}

/// From where on a stream is read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum From {
    /// Behind this entry; for a consumer, of what it has pending.
    Behind(Id),
    /// What the group has not read.
    New,
}

/// When waiting ends, Unix milliseconds; `None` for never.
type Until = Option<i64>;

/// What is to be read.
struct Read<'a> {
    reader: Option<Reader<'a>>,
    count: usize,
    no_ack: bool,
    min_idle_ms: Option<i64>,
    /// When the time is up, if it waits at all.
    until_ms: Option<Until>,
    total_max: usize,
    size_max: usize,
    /// Where the keys begin among the arguments.
    first_key: usize,
    keys: &'a [&'a [u8]],
    texts: &'a [&'a [u8]],
    from: Vec<From>,
}

/// What may still be written.
struct Budget {
    entries: usize,
    size: usize,
    /// Bytes of the reply before this command's.
    before: usize,
}

impl Budget {
    fn is_spent(&self, out: &Writer) -> bool {
        self.entries == 0 || out.len() - self.before >= self.size
    }
}

impl<'a> Read<'a> {
    fn parse(ctx: &Ctx<'_, '_>, args: &Args<'a>, grouped: bool) -> Result<Read<'a>, Error> {
        let mut read = Read {
            reader: None,
            count: 0,
            no_ack: false,
            min_idle_ms: None,
            until_ms: None,
            total_max: usize::MAX,
            size_max: usize::MAX,
            first_key: 0,
            keys: &[],
            texts: &[],
            from: Vec::new(),
        };
        let mut at = 1;
        while read.keys.is_empty() {
            let Some(word) = args.get(at) else { return Err(Error::Syntax) };
            let more = args.len() - 1 - at;
            at += match () {
                () if more > 0 && is(word, "BLOCK") => {
                    read.until_ms = Some(timeout(ctx, args, at + 1)?);
                    2
                }
                () if more > 0 && is(word, "COUNT") => {
                    read.count = args.int(at + 1)?.max(0) as usize;
                    2
                }
                () if more > 0 && is(word, "MAXCOUNT") => {
                    read.total_max = positive(args.int(at + 1)?)?;
                    2
                }
                () if more > 0 && is(word, "MAXSIZE") => {
                    read.size_max = positive(args.int(at + 1)?)?;
                    2
                }
                () if more > 0 && is(word, "STREAMS") => {
                    read.streams(args.from(at + 1), grouped)?;
                    read.first_key = at + 1;
                    0
                }
                () => read.group_option(args, at, grouped)?,
            };
        }
        match read.reader {
            None if grouped => Err(NO_GROUP_OPTION),
            _ => Ok(read),
        }
    }

    /// Reads an option that only XREADGROUP has; says how many arguments it took.
    fn group_option(&mut self, args: &Args<'a>, at: usize, grouped: bool) -> Result<usize, Error> {
        let (word, more) = (args[at], args.len() - 1 - at);
        if more > 1 && is(word, "GROUP") {
            self.reader = Some(Reader { group: args[at + 1], consumer: args[at + 2] });
            return if grouped { Ok(3) } else { Err(NOT_XREAD_GROUP) };
        }
        if is(word, "NOACK") {
            self.no_ack = true;
            return if grouped { Ok(1) } else { Err(NOT_XREAD_NOACK) };
        }
        if more > 0 && is(word, "CLAIM") {
            if !grouped {
                return Err(NOT_XREAD_CLAIM);
            }
            let min_idle_ms = args
                .int(at + 1)
                .map_err(|_| Error::Text("ERR min-idle-time is not an integer or out of range"))?;
            if min_idle_ms < 0 {
                return Err(Error::Text("ERR min-idle-time must be a positive integer"));
            }
            self.min_idle_ms = Some(min_idle_ms);
            return Ok(2);
        }
        Err(Error::Syntax)
    }

    fn streams(&mut self, rest: &'a [&'a [u8]], grouped: bool) -> Result<(), Error> {
        if rest.len() % 2 == 1 {
            return Err(Error::Text(match grouped {
                true => {
                    "ERR Unbalanced 'xreadgroup' list of streams: for each stream key an ID or '>' \
                     must be specified."
                }
                false => {
                    "ERR Unbalanced 'xread' list of streams: for each stream key an ID or '$' \
                     must be specified."
                }
            }));
        }
        (self.keys, self.texts) = rest.split_at(rest.len() / 2);
        Ok(())
    }

    /// Checks the streams and finds where to read each from.
    fn resolve(&mut self, ctx: &mut Ctx<'_, '_>) -> Result<(), Error> {
        self.from.reserve(self.keys.len());
        for (&key, &text) in self.keys.iter().zip(self.texts) {
            let (out, reader) = (&mut *ctx.out, self.reader);
            let from = look(&mut ctx.db, key, |stream| match reader {
                None => place(stream, text),
                Some(reader) if stream.and_then(|s| s.group(reader.group)).is_none() => {
                    let more = b" in XREADGROUP with GROUP option";
                    Err(no_group(out, key, reader.group, more))
                }
                Some(_) => group_place(text),
            })??;
            self.from.push(from);
        }
        Ok(())
    }

    /// Writes what there is to read; false when there is nothing.
    fn attempt(&self, ctx: &mut Ctx<'_, '_>) -> Result<bool, Error> {
        let before = ctx.out.len();
        let mut budget = Budget { entries: self.total_max, size: self.size_max, before };
        let mark = ctx.out.mark();
        let later = ctx.out.keyed_later();
        let mut served = 0;
        for (&key, &from) in self.keys.iter().zip(&self.from) {
            if budget.is_spent(ctx.out) {
                break;
            }
            let some = match self.reader {
                Some(reader) => self.read_as(ctx, key, from, reader, &mut budget)?,
                None => self.read_one(ctx, key, from, &mut budget)?,
            };
            served += usize::from(some);
        }
        if served == 0 {
            drop(later);
            ctx.out.truncate_to(mark);
            return Ok(false);
        }
        ctx.out.finish(later, served);
        Ok(true)
    }

    /// What to wait for when there is nothing to read. `$` becomes the id that it stood for: what
    /// arrives from now on is wanted, and not what arrives after the next attempt.
    fn wait(&self, ctx: &mut Ctx<'_, '_>) -> Option<Wait> {
        let keys = self.first_key..self.first_key + self.keys.len();
        let mut wait = Wait::new(keys.clone(), Kind::Stream, self.until_ms?);
        wait.on_loss = self.reader.is_some();
        for (at, (&text, &from)) in self.texts.iter().zip(&self.from).enumerate() {
            if let (b"$", From::Behind(last)) = (text, from) {
                wait.fixed.push((keys.end + at, IdText::new().of(last).into()));
            }
        }
        if let Some((reader, min_idle_ms)) = self.reader.zip(self.min_idle_ms) {
            wait.again_ms = Some(self.next_claim_ms(ctx, reader, min_idle_ms));
        }
        Some(wait)
    }

    /// When the first of the pending entries will have been idle for long enough.
    fn next_claim_ms(&self, ctx: &mut Ctx<'_, '_>, reader: Reader<'_>, min_idle_ms: i64) -> i64 {
        let mut next_ms = i64::MAX;
        for &key in self.keys {
            let Some(entry) = ctx.db.peek(key) else { continue };
            let group = crate::typed::stream(&entry).ok().and_then(|s| s.group(reader.group));
            if let Some(oldest_ms) = group.and_then(Group::oldest_ms) {
                next_ms = next_ms.min(oldest_ms.saturating_add(min_idle_ms));
            }
        }
        next_ms.max(ctx.now_ms() + 1)
    }

    /// How many entries of one stream may be written.
    fn count(&self, budget: &Budget) -> usize {
        let count = if self.count == 0 { usize::MAX } else { self.count };
        count.min(budget.entries)
    }

    fn read_one(
        &self,
        ctx: &mut Ctx<'_, '_>,
        key: &[u8],
        from: From,
        budget: &mut Budget,
    ) -> Result<bool, Error> {
        let (out, count) = (&mut *ctx.out, self.count(budget));
        let Some(entry) = ctx.db.peek(key) else { return Ok(false) };
        let stream = crate::typed::stream(&entry)?;
        let From::Behind(last) = from else { return Ok(false) };
        let Some(start) = last.next().filter(|&start| start <= stream.last_id()) else {
            return Ok(false);
        };
        let mut entries = stream.range(start, Id::MAX).take(count).peekable();
        if entries.peek().is_none() {
            return Ok(false);
        }
        out.keyed();
        out.bulk(key);
        let later = out.array_later();
        let mut written = 0;
        for entry in entries {
            write_entry(out, &entry);
            (written, budget.entries) = (written + 1, budget.entries - 1);
            if budget.is_spent(out) {
                break;
            }
        }
        out.finish(later, written);
        Ok(true)
    }

    fn read_as(
        &self,
        ctx: &mut Ctx<'_, '_>,
        key: &[u8],
        from: From,
        reader: Reader<'_>,
        budget: &mut Budget,
    ) -> Result<bool, Error> {
        let (now_ms, mut journal) = (ctx.now_ms(), Journal::new(&ctx.db));
        let done = update(ctx, key, |out, stream| {
            let (slot, made) = group_of(stream, reader.group).ensure(reader.consumer, now_ms);
            group_of(stream, reader.group).consumer_mut(slot).seen_ms = now_ms;
            let mut turn = Turn { read: self, out, stream, reader, slot, now_ms, budget };
            let some = match from {
                From::Behind(last) => turn.history(key, last),
                From::New => turn.fresh(key, &mut journal),
            };
            if made && !journal.has_claims() {
                journal.consumer(reader.consumer);
            }
            (some, made)
        })?;
        let (some, made) = done.unwrap_or((false, false));
        if made {
            ctx.db.note_beside(Class::STREAM, "xgroup-createconsumer", key);
        }
        ctx.db.change.add_dirty(u64::from(made) + u64::from(some));
        if some {
            ctx.db.stir(key);
        }
        journal.propagate(&mut ctx.db, key, reader.group);
        Ok(some)
    }
}

/// One consumer's reading of one stream.
struct Turn<'t, 'a> {
    read: &'t Read<'a>,
    out: &'t mut Writer,
    stream: &'t mut Stream,
    reader: Reader<'t>,
    slot: value::stream::Slot,
    now_ms: i64,
    budget: &'t mut Budget,
}

impl Turn<'_, '_> {
    /// What the consumer has pending behind `last`, which counts as delivered once more.
    fn history(&mut self, key: &[u8], last: Id) -> bool {
        let count = self.read.count(self.budget);
        self.out.keyed();
        self.out.bulk(key);
        let later = self.out.array_later();
        let consumer = group_of(self.stream, self.reader.group).consumer(self.slot);
        let ids: Vec<Id> = match last.next() {
            Some(start) => consumer.ids(start..).take(count).copied().collect(),
            None => Vec::new(),
        };
        let mut written = 0;
        for id in ids {
            match self.stream.get(id) {
                Some(entry) => {
                    write_entry(self.out, &entry);
                    self.deliver_again(id);
                }
                None => {
                    self.out.array(2);
                    write_id(self.out, id);
                    self.out.null_array();
                }
            }
            written += 1;
            self.budget.entries -= 1;
            if self.budget.is_spent(self.out) {
                break;
            }
        }
        self.out.finish(later, written);
        true
    }

    /// Idle entries of any consumer, if they are asked for, and then what the group has not read.
    fn fresh(&mut self, key: &[u8], journal: &mut Journal) -> bool {
        let mark = self.out.mark();
        self.out.keyed();
        self.out.bulk(key);
        let later = self.out.array_later();
        let mut count = self.read.count(self.budget);
        let mut written = 0;
        if let Some(min_idle_ms) = self.read.min_idle_ms {
            written += self.claim(min_idle_ms, count, journal);
            count -= written;
        }
        // The stream's name alone may pass MAXSIZE; one entry is read all the same.
        if count > 0 && (written == 0 || !self.budget.is_spent(self.out)) {
            written += self.unread(count, journal);
        }
        if written == 0 {
            drop(later);
            self.out.truncate_to(mark);
            return false;
        }
        self.out.finish(later, written);
        true
    }

    fn claim(&mut self, min_idle_ms: i64, count: usize, journal: &mut Journal) -> usize {
        let group = group_of(self.stream, self.reader.group);
        let mut written = 0;
        for id in group.idle(self.now_ms, min_idle_ms, count) {
            let Some(entry) = self.stream.get(id) else {
                group_of(self.stream, self.reader.group).ack(id);
                journal.gone(id);
                continue;
            };
            self.out.array(4);
            write_id(self.out, id);
            write_fields(self.out, &entry);
            let nack = self.deliver_again(id);
            self.out.int(nack.0);
            self.out.int(nack.1);
            journal.claim(group_of(self.stream, self.reader.group), id);
            written += 1;
            self.budget.entries -= 1;
            if self.budget.is_spent(self.out) {
                break;
            }
        }
        written
    }

    /// Gives a pending entry to the consumer; how long it was idle and how often it had been
    /// delivered before.
    fn deliver_again(&mut self, id: Id) -> (i64, i64) {
        let group = group_of(self.stream, self.reader.group);
        let Some(nack) = group.nack(id).copied() else { return (0, 0) };
        let count = nack.count.saturating_add(1).min(i64::MAX as u64);
        group.assign(id, Some(self.slot), self.now_ms, count);
        (nack.idle_ms(self.now_ms).max(0), nack.count.cast_signed())
    }

    fn unread(&mut self, count: usize, journal: &mut Journal) -> usize {
        let last = group_of(self.stream, self.reader.group).last_id;
        let Some(start) = last.next().filter(|&start| start <= self.stream.last_id()) else {
            return 0;
        };
        let mut ids = Vec::new();
        for entry in self.stream.range(start, Id::MAX).take(count) {
            if self.read.min_idle_ms.is_some() {
                self.out.array(4);
                write_id(self.out, entry.id());
                write_fields(self.out, &entry);
                self.out.int(0);
                self.out.int(0);
            } else {
                write_entry(self.out, &entry);
            }
            ids.push(entry.id());
            self.budget.entries -= 1;
            if self.budget.is_spent(self.out) {
                break;
            }
        }
        if ids.is_empty() {
            return 0;
        }
        let to = (!self.read.no_ack).then_some(self.slot);
        self.stream.deliver(self.reader.group, &ids, to, self.now_ms);
        let group = group_of(self.stream, self.reader.group);
        if to.is_some() {
            ids.iter().for_each(|&id| journal.deliver(group, id));
        }
        journal.read(group);
        ids.len()
    }
}

/// Where XREAD begins.
fn place(stream: Option<&Stream>, text: &[u8]) -> Result<From, Error> {
    let last = match text {
        b"$" => stream.map_or(Id::MIN, Stream::last_id),
        b"+" if stream.is_some_and(|stream| !stream.is_empty()) => stream
            .map_or(Id::MIN, Stream::last_id)
            .prev()
            .ok_or(Error::Text("ERR the stream last element ID is 0-0"))?,
        b"+" => Id::MIN,
        b">" => return Err(NEW_ALONE),
        text => id(text)?,
    };
    Ok(From::Behind(last))
}

/// Where XREADGROUP begins.
fn group_place(text: &[u8]) -> Result<From, Error> {
    match text {
        b"$" => Err(DOLLAR),
        b"+" => Err(PLUS),
        b">" => Ok(From::New),
        text => match id(text)? {
            Id::MAX => Ok(From::New),
            id => Ok(From::Behind(id)),
        },
    }
}

fn positive(number: i64) -> Result<usize, Error> {
    usize::try_from(number).ok().filter(|&number| number > 0).ok_or(Error::NotInteger)
}

/// Reads a timeout in milliseconds.
fn timeout(ctx: &Ctx<'_, '_>, args: &Args<'_>, at: usize) -> Result<Until, Error> {
    let not_integer = Error::Text(spec::error::TIMEOUT_NOT_AN_INTEGER);
    let timeout_ms = args.int(at).map_err(|_| not_integer)?;
    if timeout_ms < 0 {
        return Err(Error::Text(spec::error::NEGATIVE_TIMEOUT));
    }
    match timeout_ms.checked_add(ctx.now_ms()) {
        Some(_) if timeout_ms == 0 => Ok(None),
        Some(until_ms) => Ok(Some(until_ms)),
        None => Err(Error::Text(spec::error::TIMEOUT_OUT_OF_RANGE)),
    }
}
