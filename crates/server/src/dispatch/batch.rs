//! The requests of one connection's input: parsed, their rows found, their keys hashed.
//!
//! It runs nothing. Invariant: the spans of an incomplete request stand behind those of the whole
//! ones, or in front when those are done.

use std::ops::Range;
use std::sync::Arc;

use resp::{Limits, ProtocolError, Span, Step, inline};
use smallvec::SmallVec;
use spec::command::Id;

use crate::conn::Conn;
use crate::keys::{self, KeysError};
use crate::local::Local;
use crate::prefetch;
use crate::rows::{Inner, KeyPlan, Row, Run};
use crate::server::Server;

/// Most requests that are parsed, prefetched and run under one pass of the gate.
const BATCH_MAX: usize = 64;

/// The number of no row.
const UNKNOWN: Id = Id::MAX;

/// One request of a batch.
pub(super) struct Request {
    /// The number of its row; `UNKNOWN` when there is none.
    pub(super) row: Id,
    /// Where it begins in the query buffer, and where it ends.
    pub(super) begins: usize,
    pub(super) ends: usize,
    pub(super) spans: (u32, u32),
    pub(super) keys: (u32, u32),
}

/// Places for arguments that are kept for the next requests.
const KEPT_SPANS: usize = 8192;

/// The requests parsed from one connection's input, with the storage that is used again.
#[derive(Default)]
pub struct Batch {
    pub(super) spans: Vec<Span>,
    pub(super) requests: Vec<Request>,
    /// Position among the arguments and hash of each key.
    pub(super) keys: Vec<(u32, u64)>,
    /// What is looked for in collections, in the order of their keys.
    pub(super) inner: Vec<InnerOf>,
}

/// Something that is looked for in a collection.
#[derive(Clone, Copy)]
pub(super) struct InnerOf {
    /// The key's place in the batch.
    key: u32,
    /// The span of the member, if it is one.
    member: Option<Span>,
}

/// Why parsing stopped.
pub(super) enum Stop {
    /// The batch is full.
    Full,
    /// The rest is not there yet.
    Incomplete,
    /// A big argument follows.
    Big(usize),
    /// The input is no request.
    Broken(ProtocolError),
}

/// The arguments of a command.
pub type Argv<'a> = SmallVec<[&'a [u8]; 8]>;

/// The bytes of an argument.
#[inline]
pub fn bytes<'a>(span: Span, buf: &'a [u8], apart: &'a [Arc<Vec<u8>>]) -> &'a [u8] {
    match span.as_owned() {
        None => &buf[span.range()],
        Some(index) => &apart[index as usize],
    }
}

impl Batch {
    /// Makes room for the next requests; spans of the incomplete one stay in front.
    pub(super) fn next(&mut self) {
        let done = self.requests.last().map_or(0, |request| request.spans.1 as usize);
        self.spans.drain(..done);
        self.keys.clear();
        self.inner.clear();
        self.requests.clear();
    }

    /// Keeps nothing but some of the storage: a single request of very many arguments must not cost
    /// memory for ever.
    fn empty(&mut self) {
        self.spans.clear();
        self.keys.clear();
        self.inner.clear();
        self.requests.clear();
        if self.spans.capacity() > KEPT_SPANS {
            self.spans.shrink_to(KEPT_SPANS);
            self.keys.shrink_to(KEPT_SPANS);
            self.inner.shrink_to(KEPT_SPANS);
        }
    }

    /// What is looked for in the collections under some of the keys.
    pub(super) fn sought<'b>(
        &'b self,
        keys: Range<usize>,
        buf: &'b [u8],
        apart: &'b [Arc<Vec<u8>>],
    ) -> impl Iterator<Item = prefetch::Sought<'b>> {
        let before = |key: usize| self.inner.partition_point(|inner| (inner.key as usize) < key);
        self.inner[before(keys.start)..before(keys.end)].iter().map(move |inner| {
            let member = inner.member.map(|span| bytes(span, buf, apart));
            prefetch::Sought { key: self.keys[inner.key as usize].1, member }
        })
    }

    /// Asks for the entries of some of the keys, and for what is looked for in them.
    #[inline]
    pub(super) fn fetch(&self, server: &Server, conn: &Conn, keys: Range<usize>, buf: &[u8]) {
        let db = conn.session.db;
        prefetch::items(server, db, &self.keys[keys.clone()]);
        if !self.inner.is_empty() {
            let mut paths = prefetch::Paths::new();
            let sought = self.sought(keys, buf, &conn.apart);
            prefetch::contents(server, db, sought, &mut paths);
            prefetch::members(server, &paths);
        }
    }
}

impl Batch {
    /// Takes up a whole request: finds its row and hashes its keys.
    #[inline]
    pub(super) fn push(
        &mut self,
        server: &Server,
        buf: &[u8],
        apart: &[Arc<Vec<u8>>],
        begins: usize,
        ends: usize,
    ) {
        let first = self.requests.last().map_or(0, |request| request.spans.1);
        let last = self.spans.len() as u32;
        let spans = &self.spans[first as usize..];
        let name = bytes(spans[0], buf, apart);
        let mut row = server.rows.find(name);
        if let Some(found) = row
            && let Run::Container(_) = found.run
            && spans.len() > 1
        {
            row = server.rows.subcommand(found, bytes(spans[1], buf, apart)).or(row);
        }
        let first_key = self.keys.len() as u32;
        if let Some(row) = row
            && row.takes(spans.len())
        {
            match row.keys {
                KeyPlan::None | KeyPlan::Walk => {}
                KeyPlan::First => {
                    self.keys.push((1, server.keyspace.hash(bytes(spans[1], buf, apart))));
                    if row.inner != Inner::Nothing {
                        let member = row.inner.argument().and_then(|at| spans.get(at)).copied();
                        self.inner.push(InnerOf { key: first_key, member });
                    }
                }
                KeyPlan::Specs => {
                    hash_keys(server, row, spans, buf, apart, &mut self.keys);
                }
            }
        }
        let keys = (first_key, self.keys.len() as u32);
        let row = row.map_or(UNKNOWN, |row| row.id);
        self.requests.push(Request { row, begins, ends, spans: (first, last), keys });
    }
}

/// Hashes the keys that a row's specs find; none when only the command's own parser finds them
/// all. Arguments may be too few for the last spec (`PFMERGE key` has no sources): what the others
/// find is what the handler reaches for.
fn hash_keys(
    server: &Server,
    row: &Row,
    spans: &[Span],
    buf: &[u8],
    apart: &[Arc<Vec<u8>>],
    hashed: &mut Vec<(u32, u64)>,
) {
    let argv: Argv<'_> = spans.iter().map(|span| bytes(*span, buf, apart)).collect();
    let first = hashed.len();
    let told = keys::positions(row.spec, &argv, |at, _| {
        hashed.push((at as u32, server.keyspace.hash(argv[at])));
    });
    if told == Err(KeysError::Unknown) {
        hashed.truncate(first);
    }
}

pub(super) fn parse(
    server: &Server,
    local: &Local,
    conn: &mut Conn,
    batch: &mut Batch,
    buf: &[u8],
    begin: &mut usize,
    cursor: &mut usize,
) -> Stop {
    let unauthenticated = conn.session.must_authenticate(&local.tunables);
    let limits = Limits { unauthenticated, ..local.tunables.limits };
    let most = if unauthenticated { 1 } else { BATCH_MAX };
    while batch.requests.len() < most {
        match conn.parser.next(buf, cursor, &mut batch.spans, &limits) {
            Ok(Step::Command) => batch.push(server, buf, &conn.apart, *begin, *cursor),
            Ok(Step::Empty) => {}
            Ok(Step::Inline { start, end }) => match inline::split(&buf[start..end]) {
                Err(error) => return Stop::Broken(error),
                Ok(words) if words.is_empty() => {}
                Ok(words) => {
                    for word in words {
                        batch.spans.push(Span::owned(conn.apart.len() as u32));
                        conn.apart.push(Arc::new(word));
                    }
                    batch.push(server, buf, &conn.apart, *begin, *cursor);
                }
            },
            Ok(Step::Incomplete) => return Stop::Incomplete,
            Ok(Step::Big { len }) => return Stop::Big(len),
            Err(error) => return Stop::Broken(error),
        }
        *begin = *cursor;
    }
    Stop::Full
}

/// Leaves a held request with the connection as it was parsed when it has arguments apart: those
/// are not in the input any more, so it cannot be parsed again.
pub(super) fn keep_whole(conn: &mut Conn, batch: &mut Batch, at: usize) {
    let Some(request) = batch.requests.get(at) else { return };
    let spans = &mut batch.spans[request.spans.0 as usize..request.spans.1 as usize];
    if spans.iter().any(|span| span.as_owned().is_some()) {
        resp::rebase(spans, request.begins as u32);
        conn.partial.extend_from_slice(spans);
        conn.waits = Some(request.ends - request.begins);
    }
}

/// Leaves what belongs to the incomplete request with the connection.
pub(super) fn keep_partial(conn: &mut Conn, batch: &mut Batch, begin: usize, cursor: usize) {
    let first = batch.requests.last().map_or(0, |request| request.spans.1 as usize);
    let rest = batch.spans.get_mut(first..).unwrap_or_default();
    let owned = |span: &Span| span.as_owned().is_some();
    if !rest.iter().any(owned) && conn.big.is_none() && conn.waits.is_none() {
        conn.apart.clear();
    }
    if !rest.is_empty() {
        resp::rebase(rest, begin as u32);
        conn.partial.extend_from_slice(rest);
    }
    conn.cursor = cursor - begin;
    if conn.partial.capacity() > KEPT_SPANS.max(conn.partial.len()) {
        conn.partial.shrink_to(KEPT_SPANS);
    }
    batch.empty();
}
