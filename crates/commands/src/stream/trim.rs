//! Dropping the oldest entries, by XTRIM and with XADD, and the options that both take.

use value::stream::{Id, IdText, Keep, NewId, Refs, Stream, Trim};

use super::{INVALID_ID, id, update};
use crate::args::is;
use crate::{Args, Ctx, Error};
use keyspace::Class;

/// Drops without a LIMIT are bounded to so many nodes.
const NODES_MAX: i64 = 100;

const BOTH: Error =
    Error::Text("ERR syntax error, MAXLEN and MINID options at the same time are not compatible");
const LIMIT_ALONE: Error =
    Error::Text("ERR syntax error, LIMIT cannot be used without specifying a trimming strategy");
const LIMIT_EXACT: Error =
    Error::Text("ERR syntax error, LIMIT cannot be used without the special ~ option");
const NO_STRATEGY: Error =
    Error::Text("ERR syntax error, XTRIM must be called with a trimming strategy");

/// The producer's names of a request that may come twice.
#[derive(Clone, Copy)]
pub(super) struct Request<'a> {
    pub producer: &'a [u8],
    /// The request's name; none when its fields are to name it.
    pub name: Option<&'a [u8]>,
    /// Where the options stand that say so.
    pub at: usize,
}

/// The options of XADD and XTRIM.
pub(super) struct Options<'a> {
    keep: Option<Keep>,
    approx: bool,
    limit: Option<i64>,
    refs: Option<Refs>,
    /// Where the threshold stands.
    threshold_at: usize,
    /// Where LIMIT stands.
    limit_at: Option<usize>,
    pub no_stream: bool,
    pub request: Option<Request<'a>>,
    /// The new entry's id.
    pub id: NewId,
    /// Where it stands; behind all arguments when it is missing.
    pub id_at: usize,
}

/// What was dropped, and what a follower needs to drop the same.
#[derive(Clone, Copy)]
pub(super) struct Dropped {
    pub count: u64,
    left: u64,
    first: Id,
}

/// XTRIM key <MAXLEN | MINID> [= | ~] threshold [LIMIT count] [KEEPREF | DELREF | ACKED] - O(N)
/// of the entries dropped.
pub(super) fn xtrim(ctx: &mut Ctx<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let options = Options::parse(args, false)?;
    let trim = options.trim(ctx)?.ok_or(NO_STRATEGY)?;
    let dropped = update(ctx, args[1], |_, stream| drop_oldest(stream, &trim))?;
    if let Some(dropped) = dropped.filter(|dropped| dropped.count > 0) {
        ctx.db.note(Class::STREAM, "xtrim", args[1]);
        ctx.db.change.add_dirty(dropped.count);
        if options.is_approx() && ctx.db.change.wants(keyspace::Wants::LOG) {
            let mut room = (itoa::Buffer::new(), IdText::new());
            ctx.db.propagate(&options.exact(args, None, Some(&dropped), &mut room));
        }
    }
    ctx.out.int(dropped.map_or(0, |dropped| dropped.count as i64));
    Ok(())
}

/// Drops the oldest entries of a stream.
pub(super) fn drop_oldest(stream: &mut Stream, trim: &Trim) -> Dropped {
    let count = stream.trim(trim);
    let first = if stream.is_empty() { Id::MAX } else { stream.first_id() };
    Dropped { count, left: stream.len(), first }
}

impl<'a> Options<'a> {
    /// Reads the options from argument 2 on, up to the id for XADD.
    pub fn parse(args: &Args<'a>, adds: bool) -> Result<Options<'a>, Error> {
        let mut options = Options {
            keep: None,
            approx: false,
            limit: None,
            refs: None,
            threshold_at: 0,
            limit_at: None,
            no_stream: false,
            request: None,
            id: NewId::Auto,
            id_at: args.len(),
        };
        let mut at = 2;
        while at < args.len() {
            if adds && args[at] == b"*" {
                options.id_at = at;
                break;
            }
            match options.option(args, at, adds)? {
                0 if adds => {
                    options.id = NewId::parse(args[at]).ok_or(INVALID_ID)?;
                    options.id_at = at;
                    break;
                }
                0 => return Err(Error::Syntax),
                taken => at += taken,
            }
        }
        Ok(options)
    }

    /// Reads one option; says how many arguments it took, none if there is no option.
    fn option(&mut self, args: &Args<'a>, at: usize, adds: bool) -> Result<usize, Error> {
        let (word, more) = (args[at], args.len() - 1 - at);
        if more > 0 && (is(word, "MAXLEN") || is(word, "MINID")) {
            return self.strategy(args, at);
        }
        if more > 0 && is(word, "LIMIT") {
            let limit = args.int(at + 1)?;
            if limit < 0 {
                return Err(Error::Text("ERR The LIMIT argument must be >= 0."));
            }
            (self.limit, self.limit_at) = (Some(limit), Some(at));
            return Ok(2);
        }
        if adds && is(word, "NOMKSTREAM") {
            self.no_stream = true;
            return Ok(1);
        }
        if adds && ((more > 1 && is(word, "IDMP")) || (more > 0 && is(word, "IDMPAUTO"))) {
            return self.request(args, at);
        }
        match refs(word) {
            Some(refs) if self.refs.is_none() => {
                self.refs = Some(refs);
                Ok(1)
            }
            _ => Ok(0),
        }
    }

    fn strategy(&mut self, args: &Args<'a>, at: usize) -> Result<usize, Error> {
        if self.keep.is_some() {
            return Err(BOTH);
        }
        let operator = args.len() - 1 - at >= 2 && matches!(args[at + 1], b"~" | b"=");
        self.approx = operator && args[at + 1] == b"~";
        self.threshold_at = at + 1 + usize::from(operator);
        self.keep = Some(if is(args[at], "MAXLEN") {
            let most = u64::try_from(args.int(self.threshold_at)?)
                .map_err(|_| Error::Text("ERR The MAXLEN argument must be >= 0."))?;
            Keep::Newest(most)
        } else {
            Keep::From(id(args[self.threshold_at])?)
        });
        Ok(self.threshold_at + 1 - at)
    }

    fn request(&mut self, args: &Args<'a>, at: usize) -> Result<usize, Error> {
        let auto = is(args[at], "IDMPAUTO");
        if self.request.is_some() {
            return Err(Error::Text("ERR IDMP/IDMPAUTO specified multiple times"));
        }
        let (producer, name) = (args[at + 1], if auto { None } else { Some(args[at + 2]) });
        if producer.is_empty() {
            return Err(Error::Text(match auto {
                true => "ERR IDMPAUTO requires a non-empty producer ID",
                false => "ERR IDMP requires a non-empty producer ID",
            }));
        }
        if name.is_some_and(<[u8]>::is_empty) {
            return Err(Error::Text("ERR IDMP requires a non-empty idempotent ID"));
        }
        self.request = Some(Request { producer, name, at });
        Ok(if auto { 2 } else { 3 })
    }

    /// What is to be dropped, if anything.
    pub fn trim(&self, ctx: &Ctx<'_, '_>) -> Result<Option<Trim>, Error> {
        let Some(keep) = self.keep else {
            return if self.limit.is_some_and(|limit| limit > 0) {
                Err(LIMIT_ALONE)
            } else {
                Ok(None)
            };
        };
        let limit = match self.limit {
            Some(_) if !self.approx => return Err(LIMIT_EXACT),
            Some(limit) => limit,
            None if self.approx => {
                let entries = ctx.settings.limits.stream_node_entries as i64;
                match entries.saturating_mul(NODES_MAX) {
                    0 => 10_000,
                    some => some.min(1_000_000),
                }
            }
            None => 0,
        };
        let (limit, refs) = (limit as u64, self.refs.unwrap_or_default());
        Ok(Some(Trim { keep, approx: self.approx, limit, refs }))
    }

    /// Whether what is dropped depends on more than the threshold.
    pub fn is_approx(&self) -> bool {
        self.approx
    }

    /// The command as followers are to run it: adding the entry `id`, dropping exactly what was
    /// dropped here, and without a request.
    pub fn exact<'b>(
        &self,
        args: &Args<'b>,
        id: Option<&'b [u8]>,
        dropped: Option<&Dropped>,
        room: &'b mut (itoa::Buffer, IdText),
    ) -> Vec<&'b [u8]> {
        let mut argv = args.all().to_vec();
        if let Some(id) = id {
            argv[self.id_at] = id;
        }
        let mut left_out = [0..0, 0..0];
        if let Some(dropped) = dropped.filter(|_| self.approx) {
            argv[self.threshold_at - 1] = b"=";
            argv[self.threshold_at] = match self.keep {
                Some(Keep::Newest(_)) => room.0.format(dropped.left).as_bytes(),
                _ => room.1.of(dropped.first),
            };
            left_out[0] = self.limit_at.map_or(0..0, |at| at..at + 2);
        }
        if let Some(request) = self.request {
            left_out[1] = request.at..request.at + if request.name.is_some() { 3 } else { 2 };
        }
        let stays = |at: &usize| !left_out.iter().any(|range| range.contains(at));
        (0..argv.len()).filter(stays).map(|at| argv[at]).collect()
    }
}

/// What becomes of groups' deliveries, in a word.
pub(super) fn refs(word: &[u8]) -> Option<Refs> {
    [("KEEPREF", Refs::Keep), ("DELREF", Refs::Drop), ("ACKED", Refs::Acked)]
        .into_iter()
        .find_map(|(name, refs)| is(word, name).then_some(refs))
}
