//! What a connection is to the commands it sends: its database, its protocol, its rights.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use resp::Proto;

use crate::admin::FieldSets;
use crate::multi::{Transaction, Watched};
use crate::pubsub::Subscriptions;
use crate::registry::Client;
use crate::tracking;
use crate::tunables::Tunables;

/// Rare states of a session or of the server. While none of them holds, a command pays one test.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct State(pub u32);

impl State {
    /// The client has not authenticated and must.
    pub const NEEDS_AUTH: Self = Self(1);
    /// CLIENT REPLY OFF.
    pub const REPLY_OFF: Self = Self(1 << 1);
    /// CLIENT REPLY SKIP: the next command's reply is dropped.
    pub const REPLY_SKIP_NEXT: Self = Self(1 << 2);
    /// The running command's reply is dropped.
    pub const REPLY_SKIP: Self = Self(1 << 3);
    /// CLIENT NO-TOUCH.
    pub const NO_TOUCH: Self = Self(1 << 4);
    /// CLIENT NO-EVICT.
    pub const NO_EVICT: Self = Self(1 << 5);
    /// The client's input waits (CLIENT PAUSE).
    pub const HELD: Self = Self(1 << 6);
    /// The client's command waits for something.
    pub const BLOCKED: Self = Self(1 << 7);
    /// The connection ends once its replies are sent.
    pub const CLOSING: Self = Self(1 << 8);
    /// CLIENT IMPORT-SOURCE ON.
    pub const IMPORT_SOURCE: Self = Self(1 << 9);
    /// The client has shown a password, or needed none, at some time.
    pub const KNOWN: Self = Self(1 << 10);
    /// Between MULTI and EXEC.
    pub const MULTI: Self = Self(1 << 11);
    /// Commands that would wait answer at once: in a transaction or a script, and from a primary.
    pub const DENY_BLOCKING: Self = Self(1 << 12);
    /// The client subscribes to something.
    pub const SUBSCRIBED: Self = Self(1 << 13);
    /// The client sees what all others do.
    pub const MONITOR: Self = Self(1 << 14);
    /// Either of them.
    pub const GETS_MESSAGES: Self = Self(Self::SUBSCRIBED.0 | Self::MONITOR.0);
    /// The client tracks keys, or has done so, or is told of those that others track.
    pub const TRACKS: Self = Self(1 << 15);
    /// What may come between replies: messages, and the news of keys that are not valid.
    pub const GETS_PUSHES: Self = Self(Self::GETS_MESSAGES.0 | Self::TRACKS.0);
    /// CLIENT CACHING: the next command is the exception from what is tracked.
    pub const CACHING: Self = Self(1 << 31);
    /// Server-wide: CLIENT PAUSE WRITE.
    pub const PAUSED_WRITE: Self = Self(1 << 16);
    /// Server-wide: CLIENT PAUSE ALL.
    pub const PAUSED_ALL: Self = Self(1 << 17);
    /// Either of them.
    pub const PAUSED: Self = Self(Self::PAUSED_WRITE.0 | Self::PAUSED_ALL.0);
    /// Server-wide: the data set is being loaded.
    pub const LOADING: Self = Self(1 << 18);
    /// Server-wide: more memory is in use than `maxmemory` allows.
    pub const OVER_MEMORY: Self = Self(1 << 19);

    /// Server-wide: messages to subscribers pile up, so who publishes waits.
    pub const CROWDED: Self = Self(1 << 20);

    /// Server-wide: somebody sees what all clients do.
    pub const MONITORED: Self = Self(1 << 21);

    /// Server-wide: the log cannot be written.
    pub const LOG_FAILS: Self = Self(1 << 22);

    /// The commands come from a log: nothing expires but as it says.
    pub const REPLAYS: Self = Self(1 << 23);

    /// Server-wide: the data set could not be saved, and writes are refused until it can.
    pub const UNSAVED: Self = Self(1 << 24);

    /// A script takes long, so only what may run beside it does.
    pub const BUSY: Self = Self(1 << 25);

    /// SCRIPT DEBUG SYNC: scripts of EVAL stop at their lines. Not a cold state either.
    pub const DEBUGS: Self = Self(1 << 26);

    /// Server-wide: a session measures what commands of each key take. Not a cold state: it
    /// changes nothing for the command.
    pub const PROFILED: Self = Self(1 << 30);

    /// The states in which commands that have run are of interest to others than their client.
    pub const OBSERVED: Self = Self(Self::MONITORED.0 | Self::TRACKS.0);

    /// The states in which a command may be refused, held back or answered differently, or in which
    /// something else may stand between replies.
    pub const COLD: Self = Self(
        Self::JUDGED.0
            | Self::REPLY_OFF.0
            | Self::REPLY_SKIP_NEXT.0
            | Self::REPLY_SKIP.0
            | Self::TRACKS.0,
    );

    /// The states in which a command may not run, or not now.
    pub const JUDGED: Self = Self(
        Self::NEEDS_AUTH.0
            | Self::MULTI.0
            | Self::GETS_MESSAGES.0
            | Self::CROWDED.0
            | Self::PAUSED.0
            | Self::LOADING.0
            | Self::OVER_MEMORY.0
            | Self::UNSAVED.0
            | Self::LOG_FAILS.0
            | Self::BUSY.0,
    );

    /// Whether any of the other's bits is set here.
    pub const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Both together.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Sets or clears the other's bits.
    pub fn put(&mut self, other: Self, on: bool) {
        self.0 = if on { self.0 | other.0 } else { self.0 & !other.0 };
    }
}

/// See the module's text. What is looked at the most comes first, as in [`crate::conn::Conn`].
#[repr(C)]
pub struct Session {
    id: u64,
    /// What others may know of it.
    pub client: Arc<Client>,
    /// The number of the last published message that it got, or that came before it could get any.
    pub seen: u64,
    /// The selected database.
    pub db: u32,
    /// Rare states.
    pub state: State,
    /// The commands since MULTI.
    pub multi: Option<Box<Transaction>>,
    /// The keys given to WATCH.
    pub watched: Watched,
    /// What it subscribes to, when it does.
    pub subscriptions: Option<Box<Subscriptions>>,
    /// Messages that follow the reply of EXEC, as they are sent.
    pub deferred: Vec<u8>,
    /// What it is to be told behind the answer that its command waits for.
    pub late: Vec<tracking::Item>,
    /// What HIMPORT PREPARE has named.
    pub field_sets: Option<Box<FieldSets>>,
    /// The position in the log behind what it has written.
    pub logged: u64,
}

impl Session {
    /// A fresh session.
    pub fn new(client: Arc<Client>, needs_auth: bool) -> Self {
        let mut session = Self {
            id: client.id,
            client,
            db: 0,
            state: State::default(),
            multi: None,
            watched: Watched::default(),
            seen: 0,
            subscriptions: None,
            deferred: Vec::new(),
            late: Vec::new(),
            field_sets: None,
            logged: 0,
        };
        session.put(State::NEEDS_AUTH, needs_auth);
        session.put(State::KNOWN, !needs_auth);
        session.set_proto(Proto::Resp2);
        session
    }

    /// The client's number.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Selects a database.
    pub fn select(&mut self, db: u32) {
        self.db = db;
        self.client.db.store(db, Ordering::Relaxed);
    }

    /// Tells others which protocol the client speaks.
    pub fn set_proto(&self, proto: Proto) {
        let number = if proto == Proto::Resp3 { 3 } else { 2 };
        self.client.resp.store(number, Ordering::Relaxed);
    }

    /// Whether the client has to authenticate first. Nobody has to without a password, even who
    /// connected while there was one.
    pub fn must_authenticate(&self, tunables: &Tunables) -> bool {
        self.state.any(State::NEEDS_AUTH) && !tunables.password.is_empty()
    }

    /// Sets or clears states, also where others see them.
    pub fn put(&mut self, state: State, on: bool) {
        self.state.put(state, on);
        self.client.state.store(self.state.0, Ordering::Relaxed);
    }
}
