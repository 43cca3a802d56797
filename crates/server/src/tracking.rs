//! Client-side caching: which clients may have cached which keys, and how they learn that a key has
//! changed (`docs/design/tracking.md`).
//!
//! A read command's keys are noted in the table while their shards are held, and a write looks at
//! the table while it holds the shards of the keys it changed: so no change comes between a read
//! and its note. What a client is told enters its inbox at that time; its own worker takes it out
//! and writes it (`tracker`). Invariant: a reply that a client may cache is written before anything
//! enters its inbox that makes the reply stale. The locks here are taken last, and never together.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use commands::Args;
use crossbeam_queue::SegQueue;
use keyspace::{Changed, Hashed, Wants};
use parking_lot::{Mutex, RwLock};
use resp::{Proto, Writer};
use spec::command::Flags;

use crate::dispatch::KEYS_AHEAD;
use crate::keys;
use crate::local::Local;
use crate::pubsub::{self, Reader};
use crate::registry::Client;
use crate::rows::Row;
use crate::server::Server;
use crate::session::{Session, State};

mod prefixes;
mod table;
mod tracker;

use prefixes::Prefixes;
use table::Table;
pub use tracker::{Item, Mode, Tracker, What};

/// Keys that are dropped from a table that is too full, in one go.
const EFFORT: usize = 100;

/// Parts of the table that are given back in one go.
const PARTS_SWEPT: usize = 64;

/// The channel that clients of RESP2 hear of invalid keys on.
const CHANNEL: &[u8] = b"__redis__:invalidate";

/// See the module's text.
pub struct Tracking {
    table: Table,
    prefixes: RwLock<Prefixes>,
    prefix_count: AtomicUsize,
    /// How many clients track keys.
    clients: Mutex<u64>,
    /// By worker, the clients with something in an inbox that was empty.
    notices: Vec<SegQueue<Reader>>,
    /// By worker, whether it has taken such clients out and has not sent them all yet.
    telling: Vec<AtomicBool>,
}

/// What INFO tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Totals {
    /// Clients that track keys.
    pub clients: u64,
    /// Keys that somebody may have cached.
    pub keys: u64,
    /// The same, a key counted once for each client.
    pub items: u64,
    /// Different prefixes of those who are told of all keys.
    pub prefixes: u64,
}

/// What CLIENT TRACKING ON asks for.
pub struct Wish {
    /// With [`Mode::ON`].
    pub mode: Mode,
    /// Who is told in the client's place.
    pub redirect: Option<Arc<Client>>,
    /// With [`Mode::BCAST`]; none is the same as the empty one.
    pub prefixes: Vec<Box<[u8]>>,
}

impl Tracking {
    /// Nobody tracks anything, with so many shards and workers.
    pub fn new(shards: usize, workers: usize) -> Self {
        Self {
            table: Table::new(shards),
            prefixes: RwLock::default(),
            prefix_count: AtomicUsize::new(0),
            clients: Mutex::new(0),
            notices: (0..workers).map(|_| SegQueue::new()).collect(),
            telling: (0..workers).map(|_| AtomicBool::new(false)).collect(),
        }
    }

    /// See [`Totals`].
    pub fn totals(&self) -> Totals {
        let clients = *self.clients.lock();
        // What is left when nobody tracks any more is on its way out.
        let is_used = u64::from(clients > 0);
        Totals {
            clients,
            keys: self.table.len() as u64 * is_used,
            items: self.table.items() * is_used,
            prefixes: self.prefix_count.load(Ordering::Relaxed) as u64,
        }
    }

    /// Whether somebody is told of keys without having read them: most turns bring news then.
    pub fn broadcasts(&self) -> bool {
        self.prefix_count.load(Ordering::Relaxed) > 0
    }

    /// The next client of a worker whose inbox has something in it. The worker calls
    /// [`Self::end_telling`] when it has sent what it found there.
    pub fn next_notice(&self, worker: usize) -> Option<Reader> {
        if self.is_quiet(worker) {
            return None;
        }
        // Before the queue can be seen empty.
        self.telling[worker].store(true, Ordering::Release);
        self.notices[worker].pop()
    }

    /// A worker has sent its clients what they had to be told.
    pub fn end_telling(&self, worker: usize) {
        if self.telling[worker].load(Ordering::Relaxed) {
            self.telling[worker].store(false, Ordering::Release);
        }
    }

    /// Whether a worker's clients have nothing to be told.
    pub fn is_quiet(&self, worker: usize) -> bool {
        self.notices[worker].is_empty()
    }

    /// Whether no worker's clients have anything to be told, or are about to be sent it.
    pub fn is_all_quiet(&self) -> bool {
        let tells = |telling: &AtomicBool| telling.load(Ordering::Acquire);
        self.notices.iter().all(SegQueue::is_empty) && !self.telling.iter().any(tells)
    }

    /// Tells a client, or whom it redirects to; returns a bit for the worker to wake. `origin` is
    /// the number of the client whose command is the cause, 0 for none.
    fn tell(&self, server: &Server, tracker: &Tracker, what: &What, origin: u64) -> u64 {
        let after = server.exchange.last_number();
        let item =
            Item { what: what.clone(), after, redirected: false, own: tracker.id() == origin };
        let Some(target) = tracker.target() else { return self.put(tracker, item) };
        let own = target.id() == origin;
        let redirected = Item { what: what.clone(), after, redirected: true, own };
        if target.is_gone() {
            let id = target.id();
            tracker.break_redirection();
            return self.put(tracker, Item { what: What::Broken(id), ..item });
        }
        self.put(&target, redirected)
    }

    fn put(&self, tracker: &Tracker, item: Item) -> u64 {
        if tracker.put(item) {
            self.notices[tracker.worker()].push(tracker.reader());
        }
        1 << tracker.worker()
    }
}

/// Lets a client track keys, or changes how it does.
pub fn begin(server: &Server, session: &mut Session, wish: Wish) {
    let tracking = &server.tracking;
    let tracker = tracker_of(&session.client);
    let target = wish.redirect.as_deref().map(tracker_of);
    if !tracker.mode().any(Mode::ON) {
        let mut clients = tracking.clients.lock();
        if *clients == 0 {
            tracking.table.clear();
        }
        *clients += 1;
        server.wants.fetch_or(Wants::KEYS.0, Ordering::SeqCst);
    }
    session.put(State::TRACKS, true);
    if let Some(target) = &target {
        // Its worker learns that it gets such messages.
        tracking.notices[target.worker()].push(target.reader());
        server.workers[target.worker()].mailbox.wake();
    }
    tracker.set(wish.mode, target);
    if wish.mode.any(Mode::BCAST) {
        let names = if wish.prefixes.is_empty() { vec![Box::default()] } else { wish.prefixes };
        let mut prefixes = tracking.prefixes.write();
        names.iter().for_each(|name| prefixes.add(name, &tracker));
        tracking.prefix_count.store(prefixes.len(), Ordering::Relaxed);
        drop(prefixes);
        tracker.add_prefixes(names);
    }
}

/// Ends tracking for a client, if it tracks.
pub fn end(server: &Server, session: &mut Session) {
    session.put(State::CACHING, false);
    let Some(tracker) = session.client.tracker.get() else { return };
    if !tracker.mode().any(Mode::ON) {
        return;
    }
    let tracking = &server.tracking;
    let names = tracker.clear();
    if !names.is_empty() {
        let mut prefixes = tracking.prefixes.write();
        names.iter().for_each(|name| prefixes.remove(name, tracker));
        tracking.prefix_count.store(prefixes.len(), Ordering::Relaxed);
    }
    let mut clients = tracking.clients.lock();
    *clients -= 1;
    if *clients == 0 {
        server.wants.fetch_and(!Wants::KEYS.0, Ordering::SeqCst);
    }
}

/// Ends tracking for a client whose connection ends: who redirects to it learns that it is gone.
pub fn forget(server: &Server, session: &mut Session) {
    end(server, session);
    if let Some(tracker) = session.client.tracker.get() {
        tracker.leave();
    }
}

fn tracker_of(client: &Client) -> Arc<Tracker> {
    let make = || {
        let reader = Reader { slot: client.slot, id: client.id };
        Arc::new(Tracker::new(client.worker, reader))
    };
    Arc::clone(client.tracker.get_or_init(make))
}

/// Notes the keys that a client has just read with a command. Their shards are held. `state` is the
/// client's, `hashed` the keys as far as dispatch has hashed them.
#[cold]
pub fn remember(
    server: &Server,
    local: &mut Local,
    (client, state): (&Client, State),
    (row, args): (&Row, &Args<'_>),
    hashed: &[Hashed<'_>],
) {
    if !row.has(Flags::READONLY) || row.spec.keys.is_empty() {
        return;
    }
    let Some(tracker) = client.tracker.get() else { return };
    let mode = tracker.mode();
    let is_given = state.any(State::CACHING);
    if !mode.any(Mode::ON)
        || mode.any(Mode::BCAST)
        || mode.any(Mode::OPTIN) && !is_given
        || mode.any(Mode::OPTOUT) && is_given
    {
        return;
    }
    let (keyspace, table) = (&server.keyspace, &server.tracking.table);
    let note = |key: &[u8], hash: u64| {
        table.add(keyspace.shard_of(hash), hash, key, tracker);
    };
    if (1..KEYS_AHEAD).contains(&hashed.len()) {
        hashed.iter().for_each(|key| note(key.key, key.hash));
    } else {
        // What cannot be told of the keys, no command of Redis tells either.
        keys::positions(row.spec, args.all(), |at, _| note(args[at], keyspace.hash(args[at]))).ok();
    }
    let max = local.tunables.tracking_max_keys;
    if max > 0 && table.len() as u64 > max {
        local.told |= trim(server, max, EFFORT);
    }
}

/// Marks that the command of a client that waited has its answer. The shards of its keys are held,
/// so what makes the answer stale comes behind the mark.
pub fn answered(server: &Server, local: &mut Local, client: &Client) {
    if let Some(tracker) = client.tracker.get() {
        let item = Item { what: What::Answered, after: 0, redirected: true, own: false };
        local.told |= server.tracking.put(tracker, item);
    }
}

/// Drops keys from the table until there are at most `max`, but no more than `effort`; who may have
/// them cached is told as if they had changed. Returns a bit for each worker to wake.
fn trim(server: &Server, max: u64, effort: usize) -> u64 {
    let tracking = &server.tracking;
    let mut told = 0;
    for _ in 0..effort {
        if tracking.table.len() as u64 <= max {
            break;
        }
        let Some((key, trackers)) = tracking.table.take_random() else { break };
        let what = What::Key(Arc::from(key));
        for tracker in trackers.iter().filter(|tracker| tracker.is_listed(0)) {
            told |= tracking.tell(server, tracker, &what, 0);
        }
    }
    told
}

/// Brings the table nearer to its limit, the more the longer it is over it; `rounds` counts how
/// often it was. Returns a bit for each worker to wake.
pub fn fit(server: &Server, rounds: &mut usize) -> u64 {
    let max = server.tunables.load().tracking_max_keys;
    let is_over = max > 0 && server.tracking.table.len() as u64 > max;
    *rounds = if is_over { *rounds + 1 } else { 0 };
    trim(server, max, EFFORT * *rounds)
}

/// Gives back some of the table that nobody needs any more. Who begins to track waits meanwhile,
/// and clears what is left.
pub fn sweep(server: &Server, parts: &mut usize) {
    let clients = server.tracking.clients.lock();
    if *clients == 0 && server.tracking.table.len() > 0 {
        for _ in 0..PARTS_SWEPT {
            server.tracking.table.clear_part(*parts);
            *parts += 1;
        }
    }
}

/// Tells the clients that may have cached the keys that a command has changed. The shards of the
/// keys are held, but for those whose time has come.
#[cold]
pub fn invalidate(server: &Server, local: &mut Local, origin: Option<&Client>) {
    let origin = origin.map_or(0, |client| client.id);
    if local.change.is_overturned() {
        invalidate_all(server, local, origin);
    }
    let broadcasts = server.tracking.prefix_count.load(Ordering::Relaxed) > 0;
    let notes = local.change.take_notes();
    let mut last: Option<(Changed, &[u8])> = None;
    for note in notes.iter().filter(|note| note.changed != Changed::No) {
        let this = (note.changed, &*note.key);
        if last == Some(this) {
            continue;
        }
        last = Some(this);
        if broadcasts {
            let by = if note.changed == Changed::ByTime { 0 } else { origin };
            local.broadcast.push((note.key.clone(), by));
        }
        let hash = server.keyspace.hash(&note.key);
        let shard = server.keyspace.shard_of(hash);
        let Some(trackers) = server.tracking.table.take(shard, hash, &note.key) else { continue };
        let what = What::Key(Arc::from(&*note.key));
        for tracker in trackers.iter().filter(|tracker| tracker.is_listed(origin)) {
            local.told |= server.tracking.tell(server, tracker, &what, origin);
        }
    }
    local.change.put_notes(notes);
}

/// Tells all clients that track that nothing which they have cached is valid. The caller holds all
/// shards; `origin` is as for [`Tracking::tell`].
pub fn invalidate_all(server: &Server, local: &mut Local, origin: u64) {
    server.tracking.table.clear();
    if *server.tracking.clients.lock() == 0 {
        return;
    }
    for client in server.clients.all() {
        if let Some(tracker) = client.tracker.get()
            && tracker.mode().any(Mode::ON)
        {
            local.told |= server.tracking.tell(server, tracker, &What::All, origin);
        }
    }
}

/// Tells those who are told of all keys with their prefixes which ones have changed since the last
/// time: each prefix with one message.
#[cold]
pub fn broadcast(server: &Server, local: &mut Local) {
    let changed: BTreeMap<Box<[u8]>, u64> = local.broadcast.drain(..).collect();
    let prefixes = server.tracking.prefixes.read();
    for (trackers, keys) in prefixes.groups(&changed) {
        let all = What::Keys(list(keys.iter().map(|(key, _)| *key)));
        for tracker in trackers {
            let is_own = |by: u64| tracker.mode().any(Mode::NOLOOP) && by == tracker.id();
            let what = if keys.iter().any(|(_, by)| is_own(*by)) {
                let others: Vec<&[u8]> =
                    keys.iter().filter(|(_, by)| !is_own(*by)).map(|(key, _)| *key).collect();
                if others.is_empty() {
                    continue;
                }
                What::Keys(list(others.into_iter()))
            } else {
                all.clone()
            };
            local.told |= server.tracking.tell(server, tracker, &what, 0);
        }
    }
}

/// Keys as an array, which is the same in both protocols.
fn list<'a>(keys: impl ExactSizeIterator<Item = &'a [u8]>) -> Arc<Vec<u8>> {
    let mut out = Writer::new(Proto::Resp3);
    out.array(keys.len());
    keys.for_each(|key| out.bulk(key));
    Arc::new(out.chunks(0).flatten().copied().collect())
}

/// Writes what is in a session's inbox, between replies, with the published messages that came
/// before. For a client whose command waits, what follows the answer stays until that has come.
#[cold]
pub fn receive(server: &Server, local: &mut Local, session: &mut Session, out: &mut Writer) {
    let is_blocked = session.state.any(State::BLOCKED);
    let mut items = std::mem::take(&mut session.late);
    let mut waits = is_blocked && !items.is_empty();
    if let Some(tracker) = session.client.tracker.get() {
        tracker.take(&mut items);
    }
    for item in items {
        waits |= is_blocked && (item.own || matches!(item.what, What::Answered));
        if waits {
            session.late.push(item);
            continue;
        }
        if session.subscriptions.is_some() {
            pubsub::catch_up(server, local, session, out, item.after);
        }
        write(session, out, &item);
    }
}

fn write(session: &Session, out: &mut Writer, item: &Item) {
    let is_resp3 = out.proto() == Proto::Resp3;
    if let What::Answered = item.what {
        return;
    }
    if let What::Broken(id) = item.what {
        if is_resp3 {
            out.push(2);
            out.bulk(b"tracking-redir-broken");
            out.int(id as i64);
        }
        return;
    }
    if is_resp3 {
        out.push(2);
        out.bulk(b"invalidate");
    } else if item.redirected && session.state.any(State::SUBSCRIBED) {
        out.push(3);
        out.bulk(b"message");
        out.bulk(CHANNEL);
    } else {
        return;
    }
    match &item.what {
        What::Key(key) => {
            out.array(1);
            out.bulk(key);
        }
        What::Keys(list) => pubsub::put(out, list),
        What::All | What::Broken(_) | What::Answered => out.null(),
    }
}
