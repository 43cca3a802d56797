//! The clients of all workers, as others see them.
//!
//! A connection belongs to its worker; what CLIENT LIST, CLIENT KILL and INFO need of it is kept
//! here, moved by the owner with plain stores and read by everybody.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};

use keyspace::Watcher;
use parking_lot::Mutex;

use crate::blocked::Waiter;
use crate::session::State;
use crate::sys;
use crate::tracking::Tracker;

/// What others may know of one client.
#[derive(Default, Debug)]
pub struct Client {
    /// Its number, never used twice.
    pub id: u64,
    /// The worker that serves it.
    pub worker: usize,
    /// Its place among that worker's connections.
    pub slot: usize,
    /// The peer's address, or the path of the unix socket.
    pub addr: String,
    /// The address it is connected to.
    pub laddr: String,
    /// Whether it came through a unix socket.
    pub unix: bool,
    /// Its file descriptor.
    pub fd: i64,
    /// When it connected, Unix milliseconds.
    pub since_ms: i64,
    /// Whether it was struck off: none of its commands runs any more.
    pub killed: AtomicBool,
    /// What it says of itself.
    pub profile: Mutex<Profile>,
    /// When it last sent something, Unix milliseconds.
    pub active_ms: AtomicI64,
    /// Its state flags (see [`crate::session::State`]).
    pub state: AtomicU32,
    /// The selected database.
    pub db: AtomicU32,
    /// 2 or 3.
    pub resp: AtomicU32,
    /// The number of its last command, plus one.
    pub command: AtomicU32,
    /// Bytes waiting in its query buffer, and how many more fit without growing.
    pub query: AtomicU64,
    /// See `query`.
    pub query_free: AtomicU64,
    /// Bytes of the arguments of an incomplete command.
    pub argv: AtomicU64,
    /// Bytes of the field sets it has prepared.
    pub prepared: AtomicU64,
    /// Bytes of replies waiting to be sent.
    pub output: AtomicU64,
    /// Bytes that their buffer takes beyond these.
    pub output_free: AtomicU64,
    /// Size of the reply buffer it gets while it is served, and its recent peak.
    pub reply_buffer: AtomicU64,
    /// See `reply_buffer`.
    pub reply_peak: AtomicU64,
    /// Bytes that it takes in all, as of the last account; 0 while there is no limit.
    pub accounted: AtomicU64,
    /// Bytes read from it.
    pub bytes_in: AtomicU64,
    /// Bytes sent to it.
    pub bytes_out: AtomicU64,
    /// Commands it ran.
    pub commands: AtomicU64,
    /// Whether commands of it have run whose replies its worker has not written yet.
    pub replying: AtomicBool,
    /// What its command waits for, until the answer has come to its worker.
    pub waiting: Mutex<Option<Arc<Waiter>>>,
    /// Whether a key that it watches has changed.
    pub watcher: Arc<Watcher>,
    /// How many keys it watches.
    pub watching: AtomicU64,
    /// Commands queued since MULTI, plus one; 0 outside a transaction.
    pub queued: AtomicU64,
    /// Bytes that they take.
    pub queued_bytes: AtomicU64,
    /// What it tracks, and is told of keys that are not valid; from the first time on.
    pub tracker: OnceLock<Arc<Tracker>>,
    /// Its subscriptions to channels, patterns and shard channels.
    pub subscriptions: [AtomicU64; 4],
}

impl Client {
    /// Adds to a counter of this client; only from the thread that serves it.
    #[inline]
    pub fn count(counter: &AtomicU64, more: u64) {
        counter.store(counter.load(Ordering::Relaxed).wrapping_add(more), Ordering::Relaxed);
    }

    /// Its states.
    pub fn state(&self) -> State {
        State(self.state.load(Ordering::Relaxed))
    }

    /// Whole seconds since it last sent something, by the seconds of the clock.
    pub fn idle_seconds(&self, now_ms: i64) -> i64 {
        (now_ms / 1000 - self.active_ms.load(Ordering::Relaxed) / 1000).max(0)
    }

    /// Whether its command waits, and nobody has an answer yet.
    pub fn is_waiting(&self) -> bool {
        self.waiting.lock().as_ref().is_some_and(|waiter| !waiter.is_over())
    }

    /// Whether its commands have run and their replies are not written yet, or its command waited
    /// and the answer is on its way to its worker.
    fn is_owed_reply(&self) -> bool {
        // The answer's worker says that it is replying before it forgets what was waited for.
        self.waiting.lock().as_ref().is_some_and(|waiter| waiter.is_over())
            || self.replying.load(Ordering::Acquire)
    }

    /// Whether it was struck off.
    #[inline]
    pub fn is_killed(&self) -> bool {
        self.killed.load(Ordering::Relaxed)
    }
}

/// What a client says of itself.
#[derive(Clone, Default, Debug)]
pub struct Profile {
    /// CLIENT SETNAME.
    pub name: Vec<u8>,
    /// The user it is authenticated as.
    pub user: String,
    /// CLIENT SETINFO LIB-NAME.
    pub lib_name: Vec<u8>,
    /// CLIENT SETINFO LIB-VER.
    pub lib_ver: Vec<u8>,
    /// CLIENT CAPA, as CLIENT LIST shows it.
    pub capa: String,
}

/// See the module's text.
#[derive(Default, Debug)]
pub struct Registry {
    clients: Mutex<BTreeMap<u64, Arc<Client>>>,
    next_id: AtomicU64,
    count: AtomicU64,
}

impl Registry {
    /// The number of the next client.
    pub fn next_id(&self) -> u64 {
        self.next_id.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Takes a client up.
    pub fn add(&self, client: Arc<Client>) {
        self.clients.lock().insert(client.id, client);
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Strikes a client off.
    pub fn remove(&self, id: u64) {
        if self.clients.lock().remove(&id).is_some() {
            self.count.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Strikes a client off for good: nobody sees it any more, it runs nothing any more, and its
    /// peer sees the connection end at once. Its worker is still to close the socket; it strikes
    /// the client off before it does, so a client that is found here has its socket open. False
    /// when somebody else did it before. The caller holds the gate's write side, or is that worker.
    ///
    /// What was taken from a list for a client must come to it: while a reply is on its way, its
    /// worker closes the socket once it has written it.
    pub fn kill(&self, client: &Client) -> bool {
        let first = !client.killed.swap(true, Ordering::SeqCst);
        if let Some(tracker) = client.tracker.get() {
            tracker.leave();
        }
        let mut clients = self.clients.lock();
        if clients.remove(&client.id).is_some() {
            self.count.fetch_sub(1, Ordering::Relaxed);
            if !client.is_owed_reply() {
                sys::hang_up(client.fd as i32);
            }
        }
        first
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.count.load(Ordering::Relaxed)
    }

    /// One client.
    pub fn get(&self, id: u64) -> Option<Arc<Client>> {
        self.clients.lock().get(&id).cloned()
    }

    /// Looks at each client in the order of their numbers. Nobody connects meanwhile, so a look
    /// must be short.
    pub fn each(&self, look: impl FnMut(&Client)) {
        self.clients.lock().values().map(|client| &**client).for_each(look);
    }

    /// All clients, in the order of their numbers.
    pub fn all(&self) -> Vec<Arc<Client>> {
        self.clients.lock().values().cloned().collect()
    }
}
