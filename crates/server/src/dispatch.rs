//! From whole requests to replies: the row, the shards, the handler, the duties after a write.
//!
//! The common request passes one mask test; what is rare is in `refuse`. A batch of one
//! connection's requests is parsed, then the tables' lines for all its keys are asked for, then the
//! commands run in order. The gate's read side is held for one batch.

use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use commands::{Args, Error};
use keyspace::{Alone, Db, Hashed, Held, ReadGuard, Wants};
use resp::{Limits, ProtocolError, Span, Step, Writer, inline};
use smallvec::SmallVec;
use spec::command::{Flags, Id};

use crate::call::{Call, DataCall, Flow};
use crate::clock::Ticks;
use crate::commandlog::Cost;
use crate::conn::Conn;
use crate::keys::{self, KeysError};
use crate::local::Local;
use crate::registry::Client;
use crate::rows::{Inner, KeyPlan, Row, Run};
use crate::server::Server;
use crate::session::{Session, State};
use crate::{
    blocked, commandlog, commit, evict, hotkeys, monitor, multi, persistence, prefetch, pubsub,
    refuse, scripting, tracking,
};

/// Most requests that are parsed, prefetched and run under one pass of the gate.
const BATCH_MAX: usize = 64;

/// The number of no row.
const UNKNOWN: Id = Id::MAX;

/// Keys whose entries are asked for before the first of them is looked up.
const ITEMS_AHEAD: usize = 16;

/// Most keys of one command that are hashed ahead.
pub const KEYS_AHEAD: usize = 64;

/// One request of a batch.
struct Request {
    /// The number of its row; `UNKNOWN` when there is none.
    row: Id,
    /// Where it begins in the query buffer, and where it ends.
    begins: usize,
    ends: usize,
    spans: (u32, u32),
    keys: (u32, u32),
}

/// The requests parsed from one connection's input, with the storage that is used again.
#[derive(Default)]
pub struct Batch {
    spans: Vec<Span>,
    requests: Vec<Request>,
    /// Position among the arguments and hash of each key.
    keys: Vec<(u32, u64)>,
    /// What is looked for in collections, in the order of their keys.
    inner: Vec<InnerOf>,
}

/// Something that is looked for in a collection.
#[derive(Clone, Copy)]
struct InnerOf {
    /// The key's place in the batch.
    key: u32,
    /// The span of the member, if it is one.
    member: Option<Span>,
}

/// Why parsing stopped.
enum Stop {
    /// The batch is full.
    Full,
    /// The rest is not there yet.
    Incomplete,
    /// A big argument follows.
    Big(usize),
    /// The input is no request.
    Broken(ProtocolError),
}

/// What became of the input.
pub struct Fed {
    /// The part of the input that is still needed.
    pub keep: Range<usize>,
    /// What becomes of the connection.
    pub flow: Flow,
}

/// A connection's first batch, parsed before it runs, so that the lines of several connections'
/// keys can be asked for together.
pub struct Ahead {
    batch: Batch,
    begin: usize,
    cursor: usize,
    stop: Stop,
    is_prefetched: bool,
}

impl Ahead {
    /// Whether one of the requests runs a script, or may do so.
    pub fn may_last(&self, server: &Server) -> bool {
        let rows = self.batch.requests.iter().filter_map(|one| server.rows.by_id(one.row));
        rows.into_iter().any(|row| matches!(row.run, Run::Script(_) | Run::Exec))
    }
}

/// Parses the first requests in `buf`, which begins where the connection's incomplete request does.
pub fn look_ahead(server: &Server, local: &mut Local, conn: &mut Conn, buf: &[u8]) -> Ahead {
    let mut batch = local.batches.pop().unwrap_or_default();
    batch.spans.append(&mut conn.partial);
    let mut cursor = std::mem::take(&mut conn.cursor);
    let mut begin = 0;
    let stop = parse(server, local, conn, &mut batch, buf, &mut begin, &mut cursor);
    Ahead { batch, begin, cursor, stop, is_prefetched: false }
}

/// Asks for the lines of all keys of several connections' first batches, each with its database.
/// `reads` are their connections and inputs, in the same order.
pub fn prefetch_all(
    server: &Server,
    local: &Local,
    all: &mut [(u32, Ahead)],
    reads: &[(usize, Box<Conn>, &[u8])],
) {
    let keys = all.iter().map(|(_, ahead)| ahead.batch.keys.len()).sum::<usize>();
    if keys < 2 || local.stands_in {
        return;
    }
    // Who waits long for the gate may as well wait for the memory later.
    let Some(_gate) = server.keyspace.enter_unless(local.id, || true) else { return };
    for (db, ahead) in all.iter_mut() {
        prefetch::buckets(server, *db, &ahead.batch.keys);
        ahead.is_prefetched = true;
    }
    let first = |ahead: &Ahead| 0..ahead.batch.keys.len().min(ITEMS_AHEAD);
    for (db, ahead) in all.iter() {
        prefetch::items(server, *db, &ahead.batch.keys[first(ahead)]);
    }
    let mut paths = prefetch::Paths::new();
    for ((db, ahead), (_, conn, buf)) in all.iter().zip(reads) {
        let sought = ahead.batch.sought(first(ahead), buf, &conn.apart);
        prefetch::contents(server, *db, sought, &mut paths);
    }
    prefetch::members(server, &paths);
}

/// Runs the requests in `buf`, which begins where the connection's incomplete request does.
pub fn feed(server: &Server, local: &mut Local, conn: &mut Conn, buf: &[u8]) -> Fed {
    let ahead = look_ahead(server, local, conn, buf);
    run_all(server, local, conn, buf, ahead)
}

/// Runs the requests in `buf`, of which the first have been parsed.
pub fn run_all(
    server: &Server,
    local: &mut Local,
    conn: &mut Conn,
    buf: &[u8],
    ahead: Ahead,
) -> Fed {
    let Ahead { mut batch, mut begin, mut cursor, mut stop, mut is_prefetched } = ahead;
    let mut end = buf.len();
    let flow = loop {
        let (flow, done) = run(server, local, conn, &batch, buf, is_prefetched);
        if flow != Flow::Continue {
            if matches!(flow, Flow::Hold | Flow::Block) {
                if flow == Flow::Hold {
                    keep_whole(conn, &mut batch, done);
                }
                begin = batch.requests.get(done).map_or(begin, |request| request.begins);
                cursor = begin;
                conn.parser = resp::Parser::new();
                batch.spans.clear();
            }
            break flow;
        }
        match stop {
            Stop::Full => batch.next(),
            Stop::Incomplete => break Flow::Continue,
            Stop::Big(len) => {
                conn.begin_big(len, &buf[cursor..]);
                end = cursor;
                break Flow::Continue;
            }
            Stop::Broken(error) => {
                refuse::protocol_error(server, conn, &error, buf);
                break Flow::Close;
            }
        }
        stop = parse(server, local, conn, &mut batch, buf, &mut begin, &mut cursor);
        is_prefetched = false;
    };
    keep_partial(conn, &mut batch, begin, cursor);
    local.batches.push(batch);
    Fed { keep: begin..end, flow }
}

/// Leaves a held request with the connection as it was parsed when it has arguments apart: those
/// are not in the input any more, so it cannot be parsed again.
fn keep_whole(conn: &mut Conn, batch: &mut Batch, at: usize) {
    let Some(request) = batch.requests.get(at) else { return };
    let spans = &mut batch.spans[request.spans.0 as usize..request.spans.1 as usize];
    if spans.iter().any(|span| span.as_owned().is_some()) {
        resp::rebase(spans, request.begins as u32);
        conn.partial.extend_from_slice(spans);
        conn.waits = Some(request.ends - request.begins);
    }
}

/// Leaves what belongs to the incomplete request with the connection.
fn keep_partial(conn: &mut Conn, batch: &mut Batch, begin: usize, cursor: usize) {
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
    batch.spans.clear();
    batch.keys.clear();
    batch.inner.clear();
    batch.requests.clear();
}

impl Batch {
    /// Makes room for the next requests; spans of the incomplete one stay in front.
    fn next(&mut self) {
        let done = self.requests.last().map_or(0, |request| request.spans.1 as usize);
        self.spans.drain(..done);
        self.keys.clear();
        self.inner.clear();
        self.requests.clear();
    }

    /// What is looked for in the collections under some of the keys.
    fn sought<'b>(
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
    fn fetch(&self, server: &Server, conn: &Conn, keys: Range<usize>, buf: &[u8]) {
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

fn parse(
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

/// Runs the request in the first `len` bytes of the input, whose arguments are all in
/// `conn.partial`.
pub fn feed_whole(server: &Server, local: &mut Local, conn: &mut Conn, len: usize) -> Flow {
    let spans = std::mem::take(&mut conn.partial);
    let mut input = std::mem::take(&mut conn.input);
    let mut batch = Batch { spans, ..Batch::default() };
    batch.push(server, &input, &conn.apart, 0, len);
    conn.cursor = 0;
    let (flow, _) = run(server, local, conn, &batch, &input, false);
    if flow == Flow::Hold {
        conn.partial = batch.spans;
        conn.waits = Some(len);
    } else {
        conn.apart.clear();
        input.drain(..len);
    }
    conn.input = input;
    flow
}

impl Batch {
    /// Takes up a whole request: finds its row and hashes its keys.
    #[inline]
    fn push(
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

/// Runs a batch in order; returns how many requests ran.
fn run(
    server: &Server,
    local: &mut Local,
    conn: &mut Conn,
    batch: &Batch,
    buf: &[u8],
    is_prefetched: bool,
) -> (Flow, usize) {
    if batch.requests.is_empty() {
        return (Flow::Continue, 0);
    }
    local.look_at_clock();
    let mut gate = pass(server, local);
    local.follow_config(server);
    if conn.client().is_killed() {
        return (Flow::Close, 0);
    }
    let is_busy = local.busy == State::BUSY;
    let ahead = if is_prefetched { ITEMS_AHEAD } else { 0 };
    let mut fetched = batch.keys.len().min(if is_busy { usize::MAX } else { ahead });
    conn.client().replying.store(true, Ordering::Relaxed);
    // Before its commands run: one of them may ask how long this client has been idle.
    conn.client().active_ms.store(local.now_ms(), Ordering::Relaxed);
    if fetched == 0 && batch.keys.len() > 1 {
        prefetch::buckets(server, conn.session.db, &batch.keys);
    }
    local.outlet.begin_batch();
    let mut ticks = Ticks::now();
    let mut flow = Flow::Continue;
    let mut done = 0;
    for request in &batch.requests {
        let reached = request.keys.1 as usize;
        if fetched < batch.keys.len().min(reached + ITEMS_AHEAD / 2) && batch.keys.len() > 1 {
            let until = batch.keys.len().min(reached + ITEMS_AHEAD);
            batch.fetch(server, conn, fetched..until, buf);
            fetched = until;
        }
        let spans = &batch.spans[request.spans.0 as usize..request.spans.1 as usize];
        // Filled where it stands: collecting would copy the whole of it once more.
        let mut argv = Argv::new();
        argv.extend(spans.iter().map(|span| bytes(*span, buf, &conn.apart)));
        let keys = &batch.keys[request.keys.0 as usize..request.keys.1 as usize];
        if local.room.is_due() && local.busy != State::BUSY {
            evict::settle(server, local, &mut gate);
        }
        let mut turn = Turn {
            server,
            local,
            session: &mut conn.session,
            out: &mut conn.out,
            gate: &mut gate,
            ticks: &mut ticks,
        };
        flow = turn.run(request, &Args::new(&argv, &conn.apart), keys);
        if flow == Flow::Hold {
            break;
        }
        done += 1;
        if flow != Flow::Continue {
            break;
        }
    }
    drop(gate);
    conn.session.logged = local.outlet.reached(conn.session.logged);
    local.wake_workers(server);
    let answered = done - usize::from(flow == Flow::Block);
    finish(server, local, &conn.session, answered as u64);
    (flow, done)
}

/// Passes the gate's read side, or notes that a script keeps it closed.
#[inline]
fn pass<'k>(server: &'k Server, local: &mut Local) -> Option<ReadGuard<'k>> {
    local.busy = State::default();
    if !local.stands_in
        && let Some(passed) = server.keyspace.enter_unless(local.id, || server.is_busy())
    {
        return passed;
    }
    local.busy = State::BUSY;
    None
}

/// Adds up what a batch did.
fn finish(server: &Server, local: &mut Local, session: &Session, done: u64) {
    let stats = server.stats(local.id);
    let nested = std::mem::take(&mut local.nested_commands);
    let done = done + nested - std::mem::take(&mut local.unrun_commands);
    stats.processed.add(done);
    stats.batches.add(1);
    local.turn_commands += done;
    Client::count(&session.client.commands, done);
    let keys = std::mem::take(&mut local.key_stats);
    if keys.hits > 0 {
        stats.hits.add(keys.hits);
    }
    if keys.misses > 0 {
        stats.misses.add(keys.misses);
    }
    if keys.lanes_lowered != 0 {
        server.wake_lanes(local.id, keys.lanes_lowered);
    }
}

/// One command's turn.
pub struct Turn<'a, 'k> {
    /// The server.
    pub server: &'k Server,
    /// The worker's own state.
    pub local: &'a mut Local,
    /// The connection's session.
    pub session: &'a mut Session,
    /// Where replies go.
    pub out: &'a mut Writer,
    gate: &'a mut Option<ReadGuard<'k>>,
    /// When the command before ended.
    pub ticks: &'a mut u64,
}

impl<'a, 'k> Turn<'a, 'k> {
    /// The turn of a session that no connection has; the caller holds every shard and passes no
    /// gate.
    pub fn alone(
        server: &'k Server,
        local: &'a mut Local,
        session: &'a mut Session,
        out: &'a mut Writer,
        (gate, ticks): (&'a mut Option<ReadGuard<'k>>, &'a mut u64),
    ) -> Self {
        debug_assert!(gate.is_none());
        Self { server, local, session, out, gate, ticks }
    }
}

impl<'k> Turn<'_, 'k> {
    #[inline]
    fn run(&mut self, request: &Request, args: &Args<'_>, keys: &[(u32, u64)]) -> Flow {
        let state = self.session.state.with(self.server.state()).with(self.local.busy);
        if !state.any(State::COLD) {
            return self.attempt(request, args, keys, state);
        }
        if state.any(State::GETS_PUSHES) {
            pubsub::catch_up_all(self.server, self.local, self.session, self.out);
        }
        let mark = self.out.mark();
        refuse::begin_reply(self.session);
        let flow = self.attempt(request, args, keys, state);
        if flow == Flow::Hold {
            return flow;
        }
        let row = self.server.rows.by_id(request.row);
        refuse::end_reply(self.session, self.out, mark, row.is_some_and(|row| row.pushes));
        refuse::end_caching(self.session, row);
        if self.session.state.any(State::GETS_PUSHES) || !self.session.deferred.is_empty() {
            pubsub::catch_up_all(self.server, self.local, self.session, self.out);
        }
        flow
    }

    #[inline]
    fn attempt(
        &mut self,
        request: &Request,
        args: &Args<'_>,
        keys: &[(u32, u64)],
        state: State,
    ) -> Flow {
        let Some(row) = self.server.rows.by_id(request.row) else {
            self.local.unrun_commands += 1;
            return refuse::unknown_command(self.server, self.local, self.session, self.out, args);
        };
        if !row.takes(args.len()) || row.lacks_subcommand(args.len()) {
            self.local.unrun_commands += 1;
            refuse::wrong_form(self.server, self.local, self.session, self.out, row, args);
            return Flow::Continue;
        }
        let (mark, len) = (self.out.mark(), self.out.len());
        if state.any(State::JUDGED) {
            match refuse::look_closer(self, row, args, state) {
                refuse::Verdict::Run => {}
                refuse::Verdict::Queue => {
                    multi::enqueue(self.server, self.session, row, args, keys);
                    self.local.unrun_commands += 1;
                    self.out.simple("QUEUED");
                    return Flow::Continue;
                }
                refuse::Verdict::Done => {
                    self.local.unrun_commands += 1;
                    return Flow::Continue;
                }
                refuse::Verdict::Hold => return Flow::Hold,
            }
        }
        self.session.client.command.store(u32::from(row.id) + 1, Ordering::Relaxed);
        let running = &self.server.workers[self.local.id].running;
        running.begin(self.session.client.id, args.all());
        let (result, flow) = self.call(row, args, keys);
        running.end();
        if let Err(error) = result {
            error.write(row.name, self.out);
        }
        if flow == Flow::Block {
            self.put_off_count();
        } else {
            let nanoseconds = self.count(row, mark);
            let request = request.ends - request.begins + args.bytes_apart();
            self.judge(
                row,
                args,
                [nanoseconds, request as u64, self.out.len().saturating_sub(len) as u64],
            );
        }
        flow
    }

    /// Takes the shards and runs the handler.
    #[inline]
    fn call(
        &mut self,
        row: &'k Row,
        args: &Args<'_>,
        keys: &[(u32, u64)],
    ) -> (Result<(), Error>, Flow) {
        if row.exclusive {
            return self.call_alone(row, args);
        }
        if let Run::Exec = row.run {
            return multi::exec(self, row, args);
        }
        let shards = self.server.keyspace.shards();
        let shard = |hash: u64| self.server.keyspace.shard_of(hash);
        // Both are filled where they stand, because copying them costs more than filling them.
        let mut hashed = SmallVec::<[Hashed<'_>; 4]>::new();
        let some = keys.iter().take(KEYS_AHEAD);
        hashed.extend(some.map(|(at, hash)| Hashed { key: args[*at as usize], hash: *hash }));
        let mut held = shards.hold_none();
        match keys {
            [one] => held.take_one(shard(one.1)),
            [] if row.keys == KeyPlan::Walk => return self.call_walking(row, args),
            many => held.take_many(many.iter().map(|key| shard(key.1))),
        }
        // Who waits for a key has said so under the lock of its shard, which is held now.
        let wants = self.look_at_wants();
        if wants.any(Wants::WAITERS) && row.has(Flags::WRITE) {
            match self.widen(held, keys.iter().map(|key| shard(key.1))) {
                Some(wider) => held = wider,
                None => return self.call_alone(row, args),
            }
        }
        let result = self.perform(row, args, &hashed, &mut held);
        drop(held);
        if wants.any(Wants::WAITERS) { self.after_serving(result) } else { result }
    }

    /// Runs a command that takes one shard after another. What it finds expired may be waited for
    /// or cached by who came in between.
    fn call_walking(&mut self, row: &'k Row, args: &Args<'_>) -> (Result<(), Error>, Flow) {
        let mut held = self.server.keyspace.shards().hold_walk();
        let wants = self.look_at_wants().with(Wants::WAITERS).with(Wants::KEYS);
        self.local.change.set_wants(wants);
        self.local.leaves_overdue = self.must_leave_overdue(wants);
        let result = self.perform(row, args, &[], &mut held);
        self.local.leaves_overdue = false;
        drop(held);
        self.after_serving(result)
    }

    /// Whether a walk over all shards leaves keys alone whose time is over: it does not hold their
    /// shards any more when it could tell the log of them.
    #[cold]
    fn must_leave_overdue(&self, wants: Wants) -> bool {
        wants.any(Wants::LOG) && self.server.workers.len() > 1
    }

    /// Runs a command's handler on the shards that were taken, performs what follows a write, and
    /// serves those whom it has woken: in a transaction at its end.
    #[inline]
    pub fn perform<'h>(
        &mut self,
        row: &'h Row,
        args: &Args<'_>,
        hashed: &[Hashed<'_>],
        held: &mut Held<'h>,
    ) -> (Result<(), Error>, Flow)
    where
        'k: 'h,
    {
        let (result, mut flow) = match row.run {
            Run::Data(handler) => {
                let (server, local) = (self.server, &mut *self.local);
                let (db, state) = (self.session.db, self.session.state);
                let out = &mut *self.out;
                let call = DataCall { server, local, db, state, out, row, held, hashed };
                let result = call.run(handler, args);
                if !self.local.change.is_empty() {
                    let is_emptied = self.local.change.is_emptied();
                    commit::after(self.server, self.local, self.session, row, args);
                    if is_emptied {
                        persistence::save_emptied(self.server, held);
                    }
                }
                (result, Flow::Continue)
            }
            Run::Session(handler) | Run::Container(Some(handler)) => {
                self.call_session(row, handler, args, held)
            }
            Run::Script(form) => {
                let result = scripting::perform(self, (row, form), args, held);
                let closes = self.session.state.any(State::CLOSING);
                (result, if closes { Flow::Close } else { Flow::Continue })
            }
            Run::Container(None) | Run::Exec => (Ok(()), Flow::Continue),
        };
        if self.session.state.with(self.server.state()).any(State::OBSERVED) {
            self.observe(row, args, hashed);
        }
        if self.local.wait.is_some() {
            flow = self.wait(row, args);
        }
        if !self.local.ready.is_empty() && !self.session.state.any(State::DENY_BLOCKING) {
            self.serve_ready(held);
        }
        (result, flow)
    }

    /// The same client's turn with another place for its replies.
    pub fn answering<'t>(&'t mut self, out: &'t mut Writer) -> Turn<'t, 'k> {
        let Turn { server, local, session, gate, ticks, .. } = self;
        Turn { server, local, session, out, gate, ticks }
    }

    /// Shows a command that has run to who wants to see it, and notes the keys that it has read.
    #[cold]
    fn observe(&mut self, row: &Row, args: &Args<'_>, hashed: &[Hashed<'_>]) {
        if self.server.state().any(State::MONITORED) {
            monitor::show(self.server, self.local, self.session, row, args);
        }
        let session = &*self.session;
        let is_script = matches!(row.run, Run::Script(_));
        if session.state.any(State::TRACKS) && !is_script {
            let client = (&*session.client, session.state);
            tracking::remember(self.server, self.local, client, (row, args), hashed);
        }
    }

    /// Lets the client wait for what its command has just not found.
    #[cold]
    fn wait(&mut self, row: &Row, args: &Args<'_>) -> Flow {
        let Some(wait) = self.local.wait.take() else { return Flow::Continue };
        blocked::wait(self.server, self.session, self.out, row, args, wait);
        Flow::Block
    }

    /// Serves those who wait for the keys that have become ready.
    #[cold]
    pub fn serve_ready<'h>(&mut self, held: &mut Held<'h>)
    where
        'k: 'h,
    {
        blocked::serve(self.server, self.local, held);
    }

    /// Looks at what changes are recorded for, with the shards held that are about to change.
    #[inline]
    pub fn look_at_wants(&mut self) -> Wants {
        let wants = Wants(self.server.wants.load(Ordering::Relaxed));
        self.local.change.set_wants(wants);
        wants
    }

    /// Takes the shards that serving those takes who wait for keys in some shards, together with
    /// these; `None` when one has to be alone for that.
    #[cold]
    pub fn widen<'h>(
        &mut self,
        held: Held<'h>,
        shards: impl Iterator<Item = u32>,
    ) -> Option<Held<'h>>
    where
        'k: 'h,
    {
        if held.is_all() {
            return Some(held);
        }
        let mut wider: blocked::ShardSet = shards.collect();
        wider.sort_unstable();
        wider.dedup();
        let own = wider.len();
        if self.server.blocked.cover(&mut wider) && wider.len() == own {
            return Some(held);
        }
        drop(held);
        blocked::take(self.server, wider)
    }

    /// What is left to do for those who wait when no shard is held any more.
    #[cold]
    pub fn after_serving(
        &mut self,
        (result, flow): (Result<(), Error>, Flow),
    ) -> (Result<(), Error>, Flow) {
        self.local.wake_workers(self.server);
        if self.local.late.is_empty() {
            return (result, flow);
        }
        blocked::serve_late(self.server, self.local, self.gate);
        // It may have been killed while the gate was left.
        let is_killed = self.session.client.is_killed();
        (result, if is_killed { Flow::Close } else { flow })
    }

    /// Runs a handler with everything held.
    #[cold]
    fn call_alone(&mut self, row: &'k Row, args: &Args<'_>) -> (Result<(), Error>, Flow) {
        let server = self.server;
        let Some(alone) = self.begin_alone() else { return self.call_kept_out(row, args) };
        let mut held = server.keyspace.shards().hold_all(&alone);
        self.look_at_wants();
        let (result, flow) = self.perform(row, args, &[], &mut held);
        drop(held);
        (result, self.end_alone(alone, flow))
    }

    /// Answers a command that could not be alone: its client was killed meanwhile, or a script
    /// takes too long to be waited for.
    #[cold]
    fn call_kept_out(&mut self, row: &'k Row, args: &Args<'_>) -> (Result<(), Error>, Flow) {
        if self.local.busy != State::BUSY {
            return (Ok(()), Flow::Close);
        }
        match row.run {
            Run::Session(handler) if row.has(Flags::ALLOW_BUSY) => {
                let mut held = self.server.keyspace.shards().hold_none();
                self.call_session(row, handler, args, &mut held)
            }
            _ => (Err(Error::Text(self.server.busy_text())), Flow::Continue),
        }
    }

    /// Takes the gate's write side in place of the read side; not for a client that was killed
    /// meanwhile, which does nothing more, and not while a script takes long: then nothing is held
    /// afterwards, and `busy` says so.
    pub fn begin_alone(&mut self) -> Option<Alone<'k>> {
        drop(self.gate.take());
        let server = self.server;
        let passed = match self.local.stands_in {
            true => None,
            false => server.keyspace.alone_unless(|| server.is_busy()),
        };
        let Some(alone) = passed else {
            self.local.busy = State::BUSY;
            return None;
        };
        self.local.follow_config(self.server);
        (!self.session.client.is_killed()).then_some(alone)
    }

    /// Goes back to the gate's read side; tells what becomes of the connection.
    pub fn end_alone(&mut self, alone: Alone<'k>, flow: Flow) -> Flow {
        drop(alone);
        *self.gate = pass(self.server, self.local);
        self.local.follow_config(self.server);
        self.local.wake_workers(self.server);
        if self.session.client.is_killed() { Flow::Close } else { flow }
    }

    /// A database, for looking at keys whose shards are held.
    pub fn db_of<'d, 'h>(&'d mut self, index: u32, held: &'d mut Held<'h>) -> Db<'d, 'h>
    where
        'k: 'h,
    {
        crate::call::db(self.server, self.local, self.session, index, held)
    }

    fn call_session<'h>(
        &mut self,
        row: &'h Row,
        handler: crate::rows::SessionHandler,
        args: &Args<'_>,
        held: &mut Held<'h>,
    ) -> (Result<(), Error>, Flow)
    where
        'k: 'h,
    {
        let mut call = Call {
            server: self.server,
            local: self.local,
            session: self.session,
            out: self.out,
            row,
            held,
            flow: Flow::Continue,
        };
        let result = handler(&mut call, args);
        let flow = call.flow;
        if !self.local.change.is_empty() {
            commit::after(self.server, self.local, self.session, row, args);
        }
        self.local.look_at_clock();
        (result, flow)
    }

    /// Leaves what a command took so far with what it waits for: it is counted when that is over.
    fn put_off_count(&mut self) {
        let ticks = Ticks::now();
        let nanoseconds = self.server.ticks.nanoseconds(ticks.wrapping_sub(*self.ticks));
        *self.ticks = ticks;
        self.local.turn_nanoseconds += nanoseconds;
        if let Some(waiter) = &*self.session.client.waiting.lock() {
            waiter.spent_ns.fetch_add(nanoseconds, Ordering::Relaxed);
        }
    }

    /// Logs a command that was out of the ordinary, and looks at the keys of some. The cost is in
    /// nanoseconds, bytes of the request and bytes of the reply.
    #[inline]
    pub fn judge(&mut self, row: &Row, args: &Args<'_>, [nanoseconds, request, reply]: Cost) {
        let client = &self.session.client;
        let cost = [nanoseconds / 1000, request, reply];
        commandlog::judge(self.server, self.local, client, row, args, cost);
        self.local.hot_left = self.local.hot_left.wrapping_sub(1);
        if self.local.hot_left == 0 || self.server.state().any(State::PROFILED) {
            let cost = [nanoseconds, request + reply];
            hotkeys::look(self.server, self.local, row, args, self.session.db, cost);
        }
    }

    /// Counts a call and how long it took, in nanoseconds.
    #[inline]
    pub fn count(&mut self, row: &Row, mark: resp::Mark) -> u64 {
        let ticks = Ticks::now();
        let nanoseconds = self.server.ticks.nanoseconds(ticks.wrapping_sub(*self.ticks));
        *self.ticks = ticks;
        let stats = &self.server.stats(self.local.id).commands[usize::from(row.id)];
        stats.calls.add(1);
        stats.nanoseconds.add(nanoseconds);
        self.local.turn_nanoseconds += nanoseconds;
        if self.local.tunables.latency_tracking {
            stats.latency.record(nanoseconds);
        }
        if self.out.since(mark).first() == Some(&b'-') {
            stats.failed.add(1);
            if !std::mem::take(&mut self.local.error_is_counted) {
                refuse::count_error(self.server, self.local, self.out.since(mark));
            }
        }
        nanoseconds
    }
}
