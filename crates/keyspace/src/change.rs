//! What a command did to the data, for the one place that performs the duties of a write.
//!
//! A handler (through [`crate::Db`]) records here what is to be propagated, which keys it touched
//! and which events it made; `commit` in the server reads it once the handler has returned. No
//! duty is performed here.

/// Classes of keyspace events, with the letter of `notify-keyspace-events` in the comment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Class(pub u32);

impl Class {
    /// `g`: DEL, EXPIRE, RENAME and the like.
    pub const GENERIC: Self = Self(1 << 2);
    /// `$`
    pub const STRING: Self = Self(1 << 3);
    /// `x`
    pub const EXPIRED: Self = Self(1 << 8);
    /// `n`: a key that was not there before.
    pub const NEW: Self = Self(1 << 14);
}

/// Who wants to know of changes; when nobody does, a change is a counter and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wants(pub u8);

impl Wants {
    /// Somebody listens to keyspace events.
    pub const EVENTS: Self = Self(1);
    /// Somebody watches keys or caches them.
    pub const KEYS: Self = Self(2);
    /// A log or a replica follows.
    pub const LOG: Self = Self(4);

    /// Whether any of the other's bits is set here.
    pub const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// One event on one key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// The event's class.
    pub class: Class,
    /// The event's name, such as `set`.
    pub event: &'static str,
    /// The database's number.
    pub db: u32,
    /// The key.
    pub key: Box<[u8]>,
}

/// What to propagate in place of the command as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The database's number.
    pub db: u32,
    /// The command and its arguments.
    pub argv: Vec<Box<[u8]>>,
}

/// See the module's text. One is kept by each worker and emptied after each command.
#[derive(Default)]
pub struct Change {
    wants: Wants,
    dirty: u64,
    expired: u64,
    notes: Vec<Note>,
    records: Vec<Record>,
    replaced: bool,
}

impl Change {
    /// What is recorded from now on.
    pub fn set_wants(&mut self, wants: Wants) {
        self.wants = wants;
    }

    /// Whether anybody wants to know of any of these.
    pub fn wants(&self, wants: Wants) -> bool {
        self.wants.any(wants)
    }

    /// Counts changes to the data, as `rdb_changes_since_last_save` does.
    #[inline]
    pub fn add_dirty(&mut self, count: u64) {
        self.dirty += count;
    }

    /// Changes so far.
    pub fn dirty(&self) -> u64 {
        self.dirty
    }

    /// Keys that were found expired and removed.
    pub fn expired(&self) -> u64 {
        self.expired
    }

    /// Records an event on a key.
    #[inline]
    pub fn note(&mut self, class: Class, event: &'static str, db: u32, key: &[u8]) {
        if self.wants.0 != 0 {
            self.notes.push(Note { class, event, db, key: key.into() });
        }
    }

    /// Records a key that expired: an event, and a DEL for the log.
    pub(crate) fn note_expired(&mut self, db: u32, key: &[u8]) {
        self.expired += 1;
        if self.wants.0 == 0 {
            return;
        }
        self.note(Class::EXPIRED, "expired", db, key);
        self.push_record(db, &[b"DEL", key]);
    }

    /// Propagates this in place of the command as it came.
    pub fn propagate(&mut self, db: u32, argv: &[&[u8]]) {
        self.replaced = true;
        self.push_record(db, argv);
    }

    /// Propagates nothing of the command itself.
    pub fn propagate_nothing(&mut self) {
        self.replaced = true;
    }

    /// Whether the command as it came is to be propagated when it changed anything.
    pub fn is_verbatim(&self) -> bool {
        !self.replaced
    }

    /// The events, in order.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    /// What to propagate besides, in order.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Whether there is nothing for `commit` to do.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.dirty == 0 && self.expired == 0
    }

    /// Empties it for the next command.
    pub fn clear(&mut self) {
        self.dirty = 0;
        self.expired = 0;
        self.replaced = false;
        self.notes.clear();
        self.records.clear();
    }

    fn push_record(&mut self, db: u32, argv: &[&[u8]]) {
        if self.wants.any(Wants::LOG) {
            let argv = argv.iter().map(|&arg| arg.into()).collect();
            self.records.push(Record { db, argv });
        }
    }
}
