//! From whole requests to replies: the row, the shards, the handler, the duties after a write.
//!
//! The common request passes one mask test; what is rare is in `refuse`. A batch of one
//! connection's requests is parsed, then the tables' lines for all its keys are asked for, then the
//! commands run in order. The gate's read side is held for one batch.

use std::ops::Range;
use std::sync::atomic::Ordering;

use commands::Args;
use keyspace::ReadGuard;

use crate::call::Flow;
use crate::clock::Ticks;
use crate::conn::Conn;
use crate::local::Local;
use crate::registry::Client;
use crate::rows::Run;
use crate::server::Server;
use crate::session::{Session, State};
use crate::{evict, prefetch, refuse};

mod batch;
mod turn;

pub use batch::{Argv, Batch, bytes};
use batch::{Stop, keep_partial, keep_whole, parse};
pub use turn::Turn;

/// Keys whose entries are asked for before the first of them is looked up.
const ITEMS_AHEAD: usize = 16;

/// Most keys of one command that are hashed ahead.
pub const KEYS_AHEAD: usize = 64;

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
    pub fn may_take_long(&self, server: &Server) -> bool {
        let mut rows = self.batch.requests.iter().filter_map(|one| server.rows.by_id(one.row));
        rows.any(|row| matches!(row.run, Run::Script(_) | Run::Exec))
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
    // What would run behind the last save would be acknowledged and lost.
    if conn.client().is_killed() || server.shutdown.is_complete() {
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
