//! Transactions: MULTI, EXEC, DISCARD, WATCH and UNWATCH.
//!
//! Between MULTI and EXEC a connection's commands are kept as they came, with the hashes of their
//! keys. EXEC takes the shards of all of them and of the watched keys together, or the gate's write
//! side when one of the commands needs it, and runs them one after the other. Invariant: whether a
//! watched key has changed is looked at while its shard is held and stays held until the end.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use commands::{Args, Error};
use keyspace::{Hashed, Held, Wants};
use resp::Span;
use smallvec::SmallVec;
use spec::command::{Flags, Id};

use crate::call::{Call, Flow};
use crate::dispatch::{Argv, Turn, bytes};
use crate::rows::{KeyPlan, Row, Run, SessionHandler};
use crate::server::Server;
use crate::session::{Session, State};
use crate::{blocked, commit, monitor, scripting};

pub(crate) const HANDLERS: &[(&str, SessionHandler)] =
    &[("discard", discard), ("multi", multi), ("unwatch", unwatch), ("watch", watch)];

/// Bytes from which on an argument that was read apart is shared and not copied.
const SHARED_MIN: usize = 32 << 10;
/// Bytes of arguments that are kept in one piece: what a span can tell.
const BYTES_MAX: usize = u32::MAX as usize / 2;
/// Transactions whose storage a worker keeps for others, and how much of each.
const KEPT: usize = 8;
const KEPT_BYTES: usize = 64 << 10;

/// One command that waits for EXEC.
struct Queued {
    row: Id,
    spans: (u32, u32),
    keys: (u32, u32),
}

/// The commands between MULTI and EXEC.
#[derive(Default)]
pub struct Transaction {
    queue: Vec<Queued>,
    spans: Vec<Span>,
    /// Position among the arguments and hash of each key.
    keys: Vec<(u32, u64)>,
    bytes: Vec<u8>,
    apart: Vec<Arc<Vec<u8>>>,
    apart_bytes: usize,
    /// What any of the commands has.
    flags: Together,
    /// A command could not be queued, so none will run.
    is_spoiled: bool,
    /// One of the commands needs everything.
    is_alone: bool,
}

/// The flags that any of the commands has, and those that each has.
#[derive(Clone, Copy)]
struct Together {
    any: Flags,
    all: Flags,
}

impl Default for Together {
    fn default() -> Self {
        Self { any: Flags::empty(), all: Flags::all() }
    }
}

/// What a connection watches.
#[derive(Default)]
pub struct Watched(Vec<WatchedKey>);

struct WatchedKey {
    db: u32,
    shard: u32,
    key: Box<[u8]>,
}

impl Transaction {
    /// Whether one of the commands has one of these flags.
    pub fn has_any(&self, flags: Flags) -> bool {
        self.flags.any.intersects(flags)
    }

    /// Whether each of the commands has this flag.
    pub fn all_have(&self, flag: Flags) -> bool {
        self.flags.all.contains(flag)
    }

    /// Bytes of the arguments that it keeps.
    pub fn bytes(&self) -> usize {
        self.bytes.len() + self.apart_bytes
    }

    fn memory(&self) -> usize {
        self.bytes()
            + self.spans.len() * size_of::<Span>()
            + self.keys.len() * size_of::<(u32, u64)>()
            + self.queue.len() * size_of::<Queued>()
    }

    fn push(&mut self, row: &Row, flags: Flags, args: &Args<'_>, keys: &[(u32, u64)]) {
        let (first_span, first_key) = (self.spans.len() as u32, self.keys.len() as u32);
        for (at, arg) in args.all().iter().enumerate() {
            let shared = if arg.len() >= SHARED_MIN { args.shared(at) } else { None };
            let crowded = self.bytes.len() + arg.len() > BYTES_MAX;
            let shared = shared.or_else(|| crowded.then(|| Arc::new(arg.to_vec())));
            self.spans.push(match shared {
                Some(shared) => {
                    self.apart_bytes += shared.len();
                    self.apart.push(shared);
                    Span::owned(self.apart.len() as u32 - 1)
                }
                None => {
                    let start = self.bytes.len() as u32;
                    self.bytes.extend_from_slice(arg);
                    Span { start, len: arg.len() as u32 }
                }
            });
        }
        self.keys.extend_from_slice(keys);
        self.flags.any |= flags;
        self.flags.all &= flags;
        self.is_alone |= needs_all(row);
        self.queue.push(Queued {
            row: row.id,
            spans: (first_span, self.spans.len() as u32),
            keys: (first_key, self.keys.len() as u32),
        });
    }

    fn clear(&mut self) {
        self.queue.clear();
        self.spans.clear();
        self.keys.clear();
        self.bytes.clear();
        self.bytes.shrink_to(KEPT_BYTES);
        self.apart.clear();
        self.apart_bytes = 0;
        self.flags = Together::default();
        (self.is_spoiled, self.is_alone) = (false, false);
    }
}

/// Whether a command in a transaction needs everything held: alone it would run under the gate's
/// write side, or walk over all shards, or it may look at any of them. Session commands that are
/// cheap look at none.
fn needs_all(row: &Row) -> bool {
    match row.keys {
        KeyPlan::Walk => true,
        KeyPlan::None if matches!(row.run, Run::Session(_) | Run::Container(_)) => {
            row.exclusive || !row.has(Flags::FAST)
        }
        _ => row.exclusive,
    }
}

/// MULTI - O(1).
fn multi(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.session.multi = Some(call.local.transactions.pop().unwrap_or_default());
    call.session.put(State::MULTI, true);
    publish(call.session);
    call.out.ok();
    Ok(())
}

/// DISCARD - O(N) where N is the number of watched keys.
fn discard(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    if call.session.multi.is_none() {
        return Err(Error::Text(spec::error::DISCARD_WITHOUT_MULTI));
    }
    forget(call.server, call.session);
    call.out.ok();
    Ok(())
}

/// WATCH key \[key ...\] - O(1) for each key.
fn watch(call: &mut Call<'_, '_>, args: &Args<'_>) -> Result<(), Error> {
    let watcher = Arc::clone(&call.session.client.watcher);
    // Once a key has changed the transaction fails; more watching would be in vain.
    if !watcher.is_touched() {
        for key in args.from(1) {
            let mut db = call.db();
            if db.watch(key, &watcher) {
                let keyspace = &call.server.keyspace;
                let shard = keyspace.shard_of(keyspace.hash(key));
                let watched = WatchedKey { db: call.session.db, shard, key: (*key).into() };
                call.session.watched.0.push(watched);
            }
        }
    }
    publish(call.session);
    call.out.ok();
    Ok(())
}

/// UNWATCH - O(N) where N is the number of watched keys.
fn unwatch(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    end_watching(call.server, call.session);
    publish(call.session);
    call.out.ok();
    Ok(())
}

/// Keeps a command for EXEC.
pub fn enqueue(
    server: &Server,
    session: &mut Session,
    row: &Row,
    args: &Args<'_>,
    keys: &[(u32, u64)],
) {
    if let Some(transaction) = &mut session.multi
        && !transaction.is_spoiled
    {
        let mut flags = row.spec.flags;
        if scripting::only_reads(server, row, args) {
            flags.remove(Flags::MAY_REPLICATE);
        }
        transaction.push(row, flags, args, keys);
        publish(session);
    }
}

/// Notes that a command could not be queued: EXEC will refuse. What was queued is not needed any
/// more.
pub fn spoil(session: &mut Session) {
    if let Some(transaction) = &mut session.multi {
        let (any, all) = (transaction.flags.any, transaction.flags.all);
        transaction.clear();
        transaction.flags = Together { any, all };
        transaction.is_spoiled = true;
        publish(session);
    }
}

/// Ends the transaction that was begun, if any, and watches nothing any more. No lock is needed.
pub fn forget(server: &Server, session: &mut Session) {
    session.multi = None;
    session.put(State::MULTI, false);
    end_watching(server, session);
    publish(session);
}

fn end_watching(server: &Server, session: &mut Session) {
    let watcher = &session.client.watcher;
    for watched in session.watched.0.drain(..) {
        server.keyspace.watches().remove(watched.shard, watched.db, &watched.key, watcher);
    }
    watcher.reset();
    session.client.watching.store(0, Ordering::Relaxed);
}

/// Tells others how the transaction stands.
fn publish(session: &Session) {
    let client = &session.client;
    let queued = session.multi.as_ref().map_or(0, |transaction| transaction.queue.len() + 1);
    let memory = session.multi.as_ref().map_or(0, |transaction| transaction.memory());
    client.queued.store(queued as u64, Ordering::Relaxed);
    client.queued_bytes.store(memory as u64, Ordering::Relaxed);
    client.watching.store(session.watched.0.len() as u64, Ordering::Relaxed);
}

/// Runs EXEC.
pub fn exec(turn: &mut Turn<'_, '_>, row: &Row, args: &Args<'_>) -> (Result<(), Error>, Flow) {
    let done = run_all(turn);
    if turn.server.state().any(State::MONITORED) {
        monitor::show(turn.server, turn.local, turn.session, row, args);
    }
    done
}

fn run_all(turn: &mut Turn<'_, '_>) -> (Result<(), Error>, Flow) {
    let Some(mut transaction) = turn.session.multi.take() else {
        return (Err(Error::Text(spec::error::EXEC_WITHOUT_MULTI)), Flow::Continue);
    };
    if transaction.is_spoiled {
        forget(turn.server, turn.session);
        return (Err(Error::Text(spec::error::EXEC_ABORT)), Flow::Continue);
    }
    let flow = turn.as_a_whole(|turn| {
        if transaction.is_alone {
            return run_alone(turn, &transaction);
        }
        let keyspace = &turn.server.keyspace;
        let queued = transaction.keys.iter().map(|(_, hash)| keyspace.shard_of(*hash));
        let watched = turn.session.watched.0.iter().map(|watched| watched.shard);
        let shards: blocked::ShardSet = queued.chain(watched).collect();
        let held = keyspace.shards().hold_many(shards.iter().copied());
        run_held(turn, &transaction, held, shards)
    });
    forget(turn.server, turn.session);
    if turn.local.transactions.len() < KEPT {
        transaction.clear();
        turn.local.transactions.push(transaction);
    }
    (Ok(()), flow)
}

/// Runs a transaction on its shards, and on those that serving those takes whom it wakes.
fn run_held<'k>(
    turn: &mut Turn<'_, 'k>,
    transaction: &Transaction,
    mut held: Held<'k>,
    shards: blocked::ShardSet,
) -> Flow {
    let wants = turn.look_at_wants();
    if !wants.any(Wants::WAITERS) {
        return turn.run_queued(transaction, &mut held);
    }
    if transaction.has_any(Flags::WRITE) {
        match turn.widen(held, shards.into_iter()) {
            Some(wider) => held = wider,
            None => return run_alone(turn, transaction),
        }
    }
    let flow = turn.run_queued(transaction, &mut held);
    drop(held);
    turn.after_serving((Ok(()), flow)).1
}

fn run_alone(turn: &mut Turn<'_, '_>, transaction: &Transaction) -> Flow {
    let server = turn.server;
    let Some(alone) = turn.begin_alone() else {
        if turn.local.busy != State::BUSY {
            return Flow::Close;
        }
        let reason = turn.server.busy_text();
        turn.out.error(&[spec::error::EXEC_ABORT_HEAD, reason].concat());
        return Flow::Continue;
    };
    let mut held = server.keyspace.shards().hold_all(&alone);
    turn.look_at_wants();
    let flow = turn.run_queued(transaction, &mut held);
    drop(held);
    turn.end_alone(alone, flow)
}

impl<'k> Turn<'_, 'k> {
    /// Runs the commands of a transaction, unless a watched key has changed.
    fn run_queued<'h>(&mut self, transaction: &Transaction, held: &mut Held<'h>) -> Flow
    where
        'k: 'h,
    {
        if self.has_changed(held) {
            self.out.null_array();
            return Flow::Continue;
        }
        end_watching(self.server, self.session);
        let now_us = self.local.now_us;
        self.session.put(State::DENY_BLOCKING, true);
        self.local.change.begin_transaction();
        self.out.array(transaction.queue.len());
        let mut flow = Flow::Continue;
        for queued in &transaction.queue {
            if self.run_one(transaction, queued, held) == Flow::Close {
                flow = Flow::Close;
            }
            // All commands of a transaction run at the same moment.
            self.local.now_us = now_us;
        }
        commit::end_transaction(self.server, self.local);
        self.session.put(State::DENY_BLOCKING, false);
        if !self.local.ready.is_empty() {
            self.serve_ready(held);
        }
        self.local.nested_commands += transaction.queue.len() as u64;
        flow
    }

    fn run_one<'h>(
        &mut self,
        transaction: &Transaction,
        queued: &Queued,
        held: &mut Held<'h>,
    ) -> Flow
    where
        'k: 'h,
    {
        let Some(row) = self.server.rows.by_id(queued.row) else { return Flow::Continue };
        let spans = &transaction.spans[queued.spans.0 as usize..queued.spans.1 as usize];
        let argv: Argv<'_> =
            spans.iter().map(|span| bytes(*span, &transaction.bytes, &transaction.apart)).collect();
        let args = Args::new(&argv, &transaction.apart);
        let keys = &transaction.keys[queued.keys.0 as usize..queued.keys.1 as usize];
        let hashed: SmallVec<[Hashed<'_>; 4]> =
            keys.iter().map(|(at, hash)| Hashed { key: argv[*at as usize], hash: *hash }).collect();
        let (mark, len) = (self.out.mark(), self.out.len());
        let (result, flow) = self.perform(row, &args, &hashed, held);
        if let Err(error) = result {
            error.write(row.name, self.out);
        }
        let nanoseconds = self.count(row, mark);
        let request = argv.iter().map(|arg| arg.len() as u64).sum();
        self.judge(row, &args, [nanoseconds, request, self.out.len().saturating_sub(len) as u64]);
        flow
    }

    /// Whether a watched key has changed; the shards of all are held.
    fn has_changed<'h>(&mut self, held: &mut Held<'h>) -> bool
    where
        'k: 'h,
    {
        let watcher = Arc::clone(&self.session.client.watcher);
        if watcher.is_touched() {
            return true;
        }
        let watched = std::mem::take(&mut self.session.watched);
        let changed = watched.0.iter().any(|watched| {
            let mut db = self.db_of(watched.db, held);
            db.has_lapsed(&watched.key, &watcher)
        });
        self.session.watched = watched;
        changed
    }
}
