//! One client as far as it tracks keys, or is told of those that others track: how it does, and
//! what it is still to be told.
//!
//! It is known to the table of keys beyond the end of its connection, so it keeps little. Any
//! thread puts something into an inbox; the worker that owns the connection takes it out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use parking_lot::Mutex;

use crate::pubsub::Reader;

/// Room that an inbox keeps when it is empty, in items: many keys may have gone at once to make
/// room, and that was not made for this.
const INBOX_KEPT: usize = 4;

/// How a client tracks keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Mode(u8);

impl Mode {
    /// It does.
    pub const ON: Self = Self(1);
    /// It is told of all keys with its prefixes, whether it read them or not.
    pub const BCAST: Self = Self(2);
    /// It tracks what it reads right after CLIENT CACHING YES.
    pub const OPTIN: Self = Self(4);
    /// It tracks what it reads, but right after CLIENT CACHING NO.
    pub const OPTOUT: Self = Self(8);
    /// It is not told of its own changes.
    pub const NOLOOP: Self = Self(16);
    /// The client that it redirects to is gone.
    pub const BROKEN: Self = Self(32);

    /// Both together.
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any of the other's bits is set here.
    pub const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// What a client is told.
#[derive(Clone, Debug)]
pub enum What {
    /// A key is not valid.
    Key(Arc<[u8]>),
    /// Some keys are not valid: an array as it is sent.
    Keys(Arc<Vec<u8>>),
    /// No key is valid.
    All,
    /// The client of that number, which it redirects to, is gone.
    Broken(u64),
    /// Nothing: its command, which waited, has its answer, and what follows comes after that.
    Answered,
}

/// One thing to tell.
#[derive(Clone, Debug)]
pub struct Item {
    /// What.
    pub what: What,
    /// The number of the last published message that came before.
    pub after: u64,
    /// Whether it is told in the place of another client.
    pub redirected: bool,
    /// Whether its own command is the cause.
    pub own: bool,
}

/// See the module's text.
#[derive(Debug)]
pub struct Tracker {
    worker: usize,
    reader: Reader,
    /// Whether the inbox has something in it.
    is_noticed: AtomicBool,
    state: Mutex<Inner>,
}

#[derive(Default, Debug)]
struct Inner {
    mode: Mode,
    target: Option<Arc<Tracker>>,
    prefixes: BTreeSet<Box<[u8]>>,
    inbox: Vec<Item>,
    is_gone: bool,
}

impl Tracker {
    /// Of a client of a worker; it tracks nothing yet.
    pub fn new(worker: usize, reader: Reader) -> Self {
        Self { worker, reader, is_noticed: AtomicBool::new(false), state: Mutex::default() }
    }

    /// The worker that owns the client.
    pub fn worker(&self) -> usize {
        self.worker
    }

    /// The client, for its worker.
    pub fn reader(&self) -> Reader {
        self.reader
    }

    /// The client's number.
    pub fn id(&self) -> u64 {
        self.reader.id
    }

    /// How it tracks.
    pub fn mode(&self) -> Mode {
        self.state.lock().mode
    }

    /// Whom it redirects to.
    pub fn target(&self) -> Option<Arc<Self>> {
        self.state.lock().target.clone()
    }

    /// The number of the client that it redirects to, as clients are told: 0 for none, -1 when it
    /// tracks nothing.
    pub fn redirection(&self) -> i64 {
        let state = self.state.lock();
        match (state.mode.any(Mode::ON), &state.target) {
            (false, _) => -1,
            (true, None) => 0,
            (true, Some(target)) => target.id() as i64,
        }
    }

    /// Its prefixes, in their order.
    pub fn prefixes(&self) -> Vec<Box<[u8]>> {
        self.state.lock().prefixes.iter().cloned().collect()
    }

    /// How many prefixes it has.
    pub fn prefix_count(&self) -> usize {
        self.state.lock().prefixes.len()
    }

    /// Whether it is to be told of a key that it read, which the client of a number has changed.
    pub fn is_listed(&self, origin: u64) -> bool {
        let mode = self.mode();
        let is_own = mode.any(Mode::NOLOOP) && self.id() == origin;
        mode.any(Mode::ON) && !mode.any(Mode::BCAST) && !is_own
    }

    /// Whether its connection has ended, or is about to.
    pub fn is_gone(&self) -> bool {
        self.state.lock().is_gone
    }

    /// Says how it tracks from now on.
    pub(super) fn set(&self, mode: Mode, target: Option<Arc<Self>>) {
        let mut state = self.state.lock();
        state.mode = mode;
        state.target = target;
    }

    pub(super) fn add_prefixes(&self, names: Vec<Box<[u8]>>) {
        self.state.lock().prefixes.extend(names);
    }

    /// It tracks nothing any more; returns its prefixes.
    pub(super) fn clear(&self) -> BTreeSet<Box<[u8]>> {
        let mut state = self.state.lock();
        state.mode = Mode::default();
        state.target = None;
        // What came since its last reply may as well have come after this.
        state.inbox.retain(|item| item.redirected);
        std::mem::take(&mut state.prefixes)
    }

    /// Whom it redirects to is gone.
    pub(super) fn break_redirection(&self) {
        let mut state = self.state.lock();
        state.mode = state.mode.with(Mode::BROKEN);
    }

    /// Its connection ends: it is told nothing any more.
    pub fn leave(&self) {
        let mut state = self.state.lock();
        state.is_gone = true;
        state.target = None;
        state.inbox = Vec::new();
    }

    /// Puts something into the inbox; true when the owner is to be told that there is something.
    pub(super) fn put(&self, item: Item) -> bool {
        let mut state = self.state.lock();
        let concerns = item.redirected || state.mode.any(Mode::ON);
        if state.is_gone || !concerns {
            return false;
        }
        state.inbox.push(item);
        !self.is_noticed.swap(true, Ordering::Release)
    }

    /// Moves what is in the inbox behind `items`.
    pub(super) fn take(&self, items: &mut Vec<Item>) {
        if self.is_noticed.load(Ordering::Acquire) {
            let mut state = self.state.lock();
            self.is_noticed.store(false, Ordering::Relaxed);
            items.append(&mut state.inbox);
            state.inbox.shrink_to(INBOX_KEPT);
        }
    }
}
