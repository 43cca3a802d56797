//! Serving clients that wait: their command is run again for them, on the worker whose write woke
//! them, while the shards are held; the reply goes to the worker that owns the connection.
//!
//! A command whose keys are waited for takes the shards that serving reaches into together with its
//! own (`take`), so that nobody comes between the write and those whom it serves. Who cannot be
//! reached all the same, because a key went without a command that names it, is served late, when
//! the shards are free.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use commands::{Args, Wait};
use keyspace::{Class, Held, Kind, Lookup, Note, ReadGuard, Wants};
use parking_lot::Mutex;
use resp::Writer;
use smallvec::SmallVec;

use super::{Lapse, ShardSet, Sought, Stage, Waiter, moment};
use crate::call::DataCall;
use crate::clock::Ticks;
use crate::local::Local;
use crate::mailbox::{Answer, Message};
use crate::rows::{Row, Run};
use crate::server::Server;
use crate::session::{Session, State};
use crate::{commandlog, commit, keys, refuse, standby, sys, tracking};

/// How often shards are taken anew because more clients came to wait meanwhile.
const TRIES: usize = 3;

/// A key whose waiters have an attempt due.
#[derive(PartialEq, Eq, Debug)]
pub struct Ready {
    db: u32,
    key: Box<[u8]>,
    /// Only those who may wait for time to pass.
    timed: bool,
}

/// Lets a client wait whose command has just found nothing. Its shards are held.
pub fn wait(
    server: &Server,
    session: &mut Session,
    out: &Writer,
    row: &Row,
    args: &Args<'_>,
    wait: Wait,
) {
    let keyspace = &server.keyspace;
    let shard_of = |key: &[u8]| keyspace.shard_of(keyspace.hash(key));
    let keys: Vec<Box<[u8]>> = args.all()[wait.keys].iter().map(|key| (*key).into()).collect();
    let mut shards: ShardSet = keys.iter().map(|key| shard_of(key)).collect();
    let all = keys::positions(row.spec, args.all(), |at, _| shards.push(shard_of(args[at])));
    debug_assert!(all.is_ok(), "{} ran with keys that cannot be told", row.name);
    shards.sort_unstable();
    shards.dedup();
    let mut argv: Vec<Box<[u8]>> = args.all().iter().map(|arg| (*arg).into()).collect();
    for (at, text) in wait.fixed {
        argv[at] = text;
    }
    let waiter = Arc::new(Waiter {
        argv,
        keys,
        kind: wait.kind,
        on_loss: wait.on_loss,
        is_timed: wait.again_ms.is_some(),
        shards,
        until: wait.until_ms.map(moment),
        again_ms: AtomicI64::new(wait.again_ms.unwrap_or(i64::MAX)),
        ..waiter_for_nothing(server, session, out, row)
    });
    server.blocked.enter(&waiter, &server.wants, shard_of);
    session.put(State::BLOCKED, true);
    *session.client.waiting.lock() = Some(waiter);
}

/// Lets a client wait for something that no key brings: whoever has its answer ends the wait.
pub fn park(
    server: &Server,
    session: &mut Session,
    out: &Writer,
    row: &Row,
    args: &Args<'_>,
) -> Arc<Waiter> {
    park_until(server, session, out, row, args, (None, Lapse::Nothing))
}

/// The same, up to a moment at which the client is told something else.
pub fn park_until(
    server: &Server,
    session: &mut Session,
    out: &Writer,
    row: &Row,
    args: &Args<'_>,
    (until, lapse): (Option<Instant>, Lapse),
) -> Arc<Waiter> {
    let argv = args.all().iter().map(|arg| (*arg).into()).collect();
    let nothing = waiter_for_nothing(server, session, out, row);
    let waiter = Arc::new(Waiter { argv, until, lapse, ..nothing });
    server.blocked.enter(&waiter, &server.wants, |_| 0);
    session.put(State::BLOCKED, true);
    *session.client.waiting.lock() = Some(Arc::clone(&waiter));
    waiter
}

/// A client that waits with a command, for ever and for no key.
fn waiter_for_nothing(server: &Server, session: &Session, out: &Writer, row: &Row) -> Waiter {
    Waiter {
        ticket: server.blocked.next_ticket.fetch_add(1, Ordering::Relaxed),
        client: Arc::clone(&session.client),
        row: row.id,
        db: session.db,
        state: session.state,
        proto: out.proto(),
        argv: Vec::new(),
        keys: Vec::new(),
        kind: Kind::String,
        on_loss: false,
        is_timed: false,
        shards: ShardSet::new(),
        until: None,
        lapse: Lapse::Nothing,
        again_ms: AtomicI64::new(i64::MAX),
        spent_ns: AtomicU64::new(0),
        stage: Mutex::new(Stage::Waiting),
    }
}

/// Notes which keys that are waited for a command has changed, before its change is forgotten.
pub fn collect(server: &Server, local: &mut Local) {
    let Local { change, ready, .. } = local;
    for note in change.notes().iter().filter(|note| wakes(note)) {
        note_ready(server, ready, note.db, &note.key, false);
    }
    for (db, key) in change.stirred() {
        note_ready(server, ready, *db, key, true);
    }
    for db in change.stirred_dbs() {
        for key in server.blocked.awaited_keys(*db) {
            note_ready(server, ready, *db, &key, false);
        }
    }
}

/// Whether an event may be what somebody waits for. Most of what happens to a stream cannot be.
fn wakes(note: &Note) -> bool {
    note.class != Class::SILENT && note.class != Class::STREAM
        || matches!(note.event, "xadd" | "xgroup-destroy")
}

fn note_ready(
    server: &Server,
    ready: &mut std::collections::VecDeque<Ready>,
    db: u32,
    key: &[u8],
    timed: bool,
) {
    let shard = server.keyspace.shard_of(server.keyspace.hash(key));
    let is_known = |known: &Ready| known.db == db && *known.key == *key && known.timed == timed;
    if server.blocked.is_awaited(shard, db, key) && !ready.iter().any(is_known) {
        ready.push_back(Ready { db, key: key.into(), timed });
    }
}

/// Serves those who wait for the keys that have become ready, and for those that become ready by
/// serving them, in that order. What cannot be done with the shards that are held is left for
/// [`serve_late`]. What a slow command left behind may have expired since it began.
pub fn serve<'k>(server: &'k Server, local: &mut Local, held: &mut Held<'k>) {
    local.look_at_clock();
    while let Some(ready) = local.ready.pop_front() {
        let hash = server.keyspace.hash(&ready.key);
        let shard = server.keyspace.shard_of(hash);
        let mut behind = 0;
        let all_tried = loop {
            if !held.holds(shard) {
                break false;
            }
            let (db, key, timed) = (ready.db, &*ready.key, ready.timed);
            let kind = kind_of(local, held, shard, db, hash, key);
            let sought = Sought { db, key, kind, timed };
            let Some(waiter) = server.blocked.next(shard, behind, &sought) else { break true };
            if !waiter.shards.iter().all(|shard| held.holds(*shard)) {
                break false;
            }
            behind = waiter.ticket;
            attempt(server, local, held, &waiter);
        };
        if !all_tried {
            local.late.push(ready);
        }
    }
}

fn kind_of(
    local: &Local,
    held: &mut Held<'_>,
    shard: u32,
    db: u32,
    hash: u64,
    key: &[u8],
) -> Option<Kind> {
    match held.shard(shard).db(db).find(hash, key, local.now_ms()) {
        Lookup::Live(entry) => Some(entry.kind()),
        _ => None,
    }
}

/// Serves those whose shards were not held. The caller passes the gate and holds no shard; for a
/// moment it may be outside of the gate.
#[cold]
pub fn serve_late<'k>(server: &'k Server, local: &mut Local, gate: &mut Option<ReadGuard<'k>>) {
    while let Some(ready) = local.late.pop() {
        let shard = server.keyspace.shard_of(server.keyspace.hash(&ready.key));
        local.ready.push_back(ready);
        with_shards(server, local, gate, ShardSet::from_slice(&[shard]), |_, _, _| {});
    }
}

/// Runs a waiter's command again because time has passed. The caller passes the gate and holds no
/// shard.
pub fn retry<'k>(
    server: &'k Server,
    local: &mut Local,
    gate: &mut Option<ReadGuard<'k>>,
    waiter: &Arc<Waiter>,
) {
    with_shards(server, local, gate, waiter.shards.clone(), |server, local, held| {
        attempt(server, local, held, waiter);
    });
    serve_late(server, local, gate);
}

/// Works with some shards and those that serving takes, then serves those who wait for the keys
/// that are ready. The caller passes the gate and holds no shard; for a moment it may be outside of
/// the gate.
pub fn with_shards<'k>(
    server: &'k Server,
    local: &mut Local,
    gate: &mut Option<ReadGuard<'k>>,
    shards: ShardSet,
    work: impl for<'h> FnOnce(&'h Server, &mut Local, &mut Held<'h>),
) {
    if let Some(mut held) = take(server, shards) {
        work_and_serve(server, local, &mut held, work);
    } else {
        drop(gate.take());
        let alone = standby::alone(server, local);
        work_and_serve(server, local, &mut server.keyspace.shards().hold_all(&alone), work);
        drop(alone);
        *gate = standby::enter(server, local);
        local.follow_config(server);
    }
    local.wake_workers(server);
}

fn work_and_serve<'k>(
    server: &'k Server,
    local: &mut Local,
    held: &mut Held<'k>,
    work: impl for<'h> FnOnce(&'h Server, &mut Local, &mut Held<'h>),
) {
    local.change.set_wants(Wants(server.wants.load(Ordering::Relaxed)));
    work(server, local, held);
    serve(server, local, held);
}

/// Takes shards together with those that serving the waiters for their keys reaches into; `None`
/// when that takes being alone.
pub fn take<'k>(server: &'k Server, mut shards: ShardSet) -> Option<Held<'k>> {
    for _ in 0..TRIES {
        if !server.blocked.cover(&mut shards) {
            return None;
        }
        let held = server.keyspace.shards().hold_many(shards.iter().copied());
        let count = shards.len();
        if held.is_all() || server.blocked.cover(&mut shards) && shards.len() == count {
            return Some(held);
        }
    }
    None
}

/// Runs a waiter's command for it, unless somebody else has an answer for it already or the client
/// is gone: then nothing is taken in its name. All its shards are held. The reply and the end of
/// the wait are decided together, under the lock of its stage.
fn attempt<'k>(server: &'k Server, local: &mut Local, held: &mut Held<'k>, waiter: &Arc<Waiter>) {
    let mut stage = waiter.stage.lock();
    if *stage == Stage::Over || waiter.client.is_killed() || sys::has_hung_up(waiter.client.fd) {
        return;
    }
    let Some(row) = server.rows.by_id(waiter.row) else { return };
    let Run::Data(handler) = row.run else { return };
    let argv: SmallVec<[&[u8]; 8]> = waiter.argv.iter().map(|arg| &**arg).collect();
    let args = Args::new(&argv, &[]);
    let began = Ticks::now();
    let mut out = Writer::new(waiter.proto);
    let mark = out.mark();
    let (db, state) = (waiter.db, waiter.state);
    let call = DataCall { server, local, db, state, out: &mut out, row, held, hashed: &[] };
    let result = call.run(handler, &args);
    if !local.change.is_empty() {
        commit::served(server, local, Some(&waiter.client));
    }
    if waiter.state.any(State::TRACKS) {
        let client = (&*waiter.client, waiter.state);
        tracking::remember(server, local, client, (row, &args), &[]);
    }
    let spent_ns = server.ticks.nanoseconds(Ticks::now().wrapping_sub(began));
    if let Some(wait) = local.wait.take() {
        waiter.spent_ns.fetch_add(spent_ns, Ordering::Relaxed);
        wait_on(server, local, waiter, &wait);
        return;
    }
    if let Err(error) = result {
        error.write(row.name, &mut out);
    }
    *stage = Stage::Over;
    drop(stage);
    if waiter.state.any(State::TRACKS) {
        tracking::answered(server, local, &waiter.client);
    }
    server.leave_queues(waiter);
    count(server, local, waiter, Some(spent_ns), out.since(mark));
    local.tell(server, &waiter.client, Answer::Reply(Box::new(out)));
}

/// Goes on waiting; tells the owner when the time of the next attempt has changed.
fn wait_on(server: &Server, local: &mut Local, waiter: &Arc<Waiter>, wait: &Wait) {
    let again_ms = wait.again_ms.unwrap_or(i64::MAX);
    if waiter.again_ms.swap(again_ms, Ordering::SeqCst) != again_ms {
        local.put(server, waiter.client.worker, Message::Again(Arc::clone(&waiter.client)));
    }
}

/// Counts a command that waited, once, now that it has its reply: the time that running it took at
/// last, `None` when the reply is not its own; an error then counts as a refusal. The caller passes
/// the gate.
pub fn count(server: &Server, local: &Local, waiter: &Waiter, ran_ns: Option<u64>, reply: &[u8]) {
    let spent_ns = waiter.spent_ns.load(Ordering::Relaxed) + ran_ns.unwrap_or(0);
    let stats = server.stats(local.id);
    stats.processed.add(1);
    let command = &stats.commands[usize::from(waiter.row)];
    command.calls.add(1);
    command.nanoseconds.add(spent_ns);
    if local.tunables.latency_tracking {
        command.latency.record(spent_ns);
    }
    if let Some(ran_ns) = ran_ns {
        server.latency.note("command-unblocking", Duration::from_nanos(ran_ns));
    }
    if reply.first() == Some(&b'-') {
        let kind = if ran_ns.is_some() { &command.failed } else { &command.rejected };
        kind.add(1);
        refuse::count_error(server, local, reply);
    }
    if let Some(row) = server.rows.by_id(waiter.row) {
        let argv: SmallVec<[&[u8]; 8]> = waiter.argv.iter().map(|arg| &**arg).collect();
        let request = argv.iter().map(|arg| arg.len() as u64).sum();
        let cost = [spent_ns / 1000, request, reply.len() as u64];
        commandlog::judge(server, local, &waiter.client, row, &Args::new(&argv, &[]), cost);
    }
}
