//! What a command did to the data, for the one place that performs the duties of a write.
//!
//! A handler (through [`crate::Db`]) records here what is to be propagated, which keys it touched
//! and which events it made; `commit` in the server reads it once the handler has returned. No
//! duty is performed here.

use crate::discarded::{Discarded, SAMPLES};
use crate::entry::Entry;
use crate::shard::Faded;
use crate::undo::Undo;

/// Expired fields that one deletion in the log names.
const FIELDS_A_RECORD: usize = 1024;

/// Classes of keyspace events, with the letter of `notify-keyspace-events` in the comment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Class(pub u32);

impl Class {
    /// Of no event that anybody may see.
    pub const SILENT: Self = Self(0);
    /// `g`: DEL, EXPIRE, RENAME and the like.
    pub const GENERIC: Self = Self(1 << 2);
    /// `$`
    pub const STRING: Self = Self(1 << 3);
    /// `l`
    pub const LIST: Self = Self(1 << 4);
    /// `s`
    pub const SET: Self = Self(1 << 5);
    /// `h`
    pub const HASH: Self = Self(1 << 6);
    /// `z`
    pub const ZSET: Self = Self(1 << 7);
    /// `x`
    pub const EXPIRED: Self = Self(1 << 8);
    /// `e`
    pub const EVICTED: Self = Self(1 << 9);
    /// `t`
    pub const STREAM: Self = Self(1 << 10);
    /// `m`: a key that was asked for and is not there.
    pub const MISS: Self = Self(1 << 11);
    /// `n`: a key that was not there before.
    pub const NEW: Self = Self(1 << 14);
    /// `o`: a key whose value was replaced as a whole.
    pub const OVERWRITTEN: Self = Self(1 << 15);
    /// `c`: a key whose new value has another type.
    pub const TYPE_CHANGED: Self = Self(1 << 16);
    /// `a`
    pub const ARRAY: Self = Self(1 << 17);
}

/// Who wants to know of changes; when nobody does, a change is a counter and nothing else.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wants(pub u8);

impl Wants {
    /// Somebody listens to keyspace events.
    pub const EVENTS: Self = Self(1);
    /// Somebody caches keys.
    pub const KEYS: Self = Self(2);
    /// A log or a replica follows.
    pub const LOG: Self = Self(4);
    /// Somebody's command waits for keys.
    pub const WAITERS: Self = Self(8);
    /// Who listens to events wants to know of which fields they are.
    pub const FIELDS: Self = Self(16);

    /// All who want to know which keys were touched and how.
    pub const HEARS: Self = Self::EVENTS.with(Self::KEYS).with(Self::WAITERS);

    /// Both together.
    #[must_use]
    pub const fn with(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether any of the other's bits is set here.
    pub const fn any(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }
}

/// Which values that nobody asked to delete are freed in the background.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Lazy {
    /// Those of keys whose time has come.
    pub expire: bool,
    /// Those that another value takes the place of.
    pub replace: bool,
}

/// Whether the value of a key changed with an event, and by what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Changed {
    /// It did not: the event is about what belongs to the key but not to its value.
    No,
    /// By a command.
    ByCommand,
    /// By the passing of time.
    ByTime,
}

/// One event on one key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Note {
    /// Whether the key's value changed.
    pub changed: Changed,
    /// The event's class; [`Class::SILENT`] for a change without an event.
    pub class: Class,
    /// The event's name, such as `set`.
    pub event: &'static str,
    /// The database's number.
    pub db: u32,
    /// The key.
    pub key: Box<[u8]>,
    /// The fields of a hash that it is about, if somebody wants to know them.
    pub fields: Vec<Box<[u8]>>,
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
    expired_fields: u64,
    evicted: u64,
    evicted_bytes: u64,
    notes: Vec<Note>,
    records: Vec<Record>,
    replaced: bool,
    forced: bool,
    emptied: bool,
    lazy: Lazy,
    discarded: Vec<Discarded>,
    in_transaction: bool,
    stirred: Vec<(u32, Box<[u8]>)>,
    stirred_dbs: Vec<u32>,
    overturned: bool,
    /// What is kept of keys before they change, if anything is.
    undo: Option<Box<Undo>>,
    /// The storage of the last one.
    spare_undo: Option<Box<Undo>>,
}

impl Change {
    /// Keeps each key from now on as it is before it first changes.
    pub fn begin_undo(&mut self) {
        self.undo = Some(self.spare_undo.take().unwrap_or_default());
    }

    /// What is kept, if anything is.
    #[inline]
    pub fn undo(&mut self) -> Option<&mut Undo> {
        self.undo.as_deref_mut()
    }

    /// Keeps nothing any more and forgets what was kept.
    pub fn end_undo(&mut self) {
        if let Some(mut undo) = self.undo.take() {
            undo.clear();
            self.spare_undo = Some(undo);
        }
    }

    pub(crate) fn take_undo(&mut self) -> Option<Undo> {
        self.undo.take().map(|undo| *undo)
    }

    /// What is recorded from now on.
    pub fn set_wants(&mut self, wants: Wants) {
        self.wants = wants;
    }

    /// What is freed in the background from now on.
    pub fn set_lazy(&mut self, lazy: Lazy) {
        self.lazy = lazy;
    }

    /// What is freed in the background.
    pub fn lazy(&self) -> Lazy {
        self.lazy
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

    /// Fields of hashes that were found expired and removed.
    pub fn expired_fields(&self) -> u64 {
        self.expired_fields
    }

    /// Counts fields that were removed because their new deadline had passed already.
    pub fn add_expired_fields(&mut self, count: u64) {
        self.expired_fields += count;
    }

    /// Records an event on a key, and whether its value changed.
    #[inline]
    pub fn note(
        &mut self,
        changed: Changed,
        class: Class,
        event: &'static str,
        db: u32,
        key: &[u8],
    ) {
        if self.wants.any(Wants::HEARS) {
            let (key, fields) = (key.into(), Vec::new());
            self.notes.push(Note { changed, class, event, db, key, fields });
        }
    }

    /// Tells which fields the event is about that was recorded last.
    #[inline]
    pub fn note_fields<'f>(&mut self, names: impl IntoIterator<Item = &'f [u8]>) {
        if self.wants.any(Wants::FIELDS)
            && let Some(note) = self.notes.last_mut()
        {
            note.fields = names.into_iter().map(Box::from).collect();
        }
    }

    /// Records a key that expired: an event, and its deletion for the log.
    pub(crate) fn note_expired(&mut self, db: u32, entry: Entry) {
        self.expired += 1;
        if self.wants.0 != 0 {
            let deletion: &[u8] = if self.lazy.expire { b"UNLINK" } else { b"DEL" };
            self.note(Changed::ByTime, Class::EXPIRED, "expired", db, entry.key_bytes());
            self.push_record(db, &[deletion, entry.key_bytes()]);
        }
        self.discard(entry, self.lazy.expire);
    }

    /// Records a key that has to go because memory is short: an event, and its deletion for the
    /// log.
    pub(crate) fn note_evicted(&mut self, db: u32, entry: Entry, lazily: bool) {
        self.evicted += 1;
        self.evicted_bytes += entry.memory(SAMPLES) as u64;
        if self.wants.0 != 0 {
            let deletion: &[u8] = if lazily { b"UNLINK" } else { b"DEL" };
            self.note(Changed::ByCommand, Class::EVICTED, "evicted", db, entry.key_bytes());
            self.push_record(db, &[deletion, entry.key_bytes()]);
        }
        self.discard(entry, lazily);
    }

    /// Keys that had to go because memory is short.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// About how many bytes they took.
    pub fn evicted_bytes(&self) -> u64 {
        self.evicted_bytes
    }

    /// Records fields of a hash whose time was over, and the key when none is left: the events, and
    /// the deletion of the fields for the log.
    pub(crate) fn note_faded(&mut self, db: u32, key: &[u8], faded: Faded) {
        self.expired_fields += faded.names.len() as u64;
        if self.wants.0 != 0 {
            for names in faded.names.chunks(FIELDS_A_RECORD) {
                let mut argv: Vec<&[u8]> = vec![b"HDEL", key];
                argv.extend(names.iter().map(|name| &**name));
                self.push_record(db, &argv);
            }
            self.note(Changed::ByTime, Class::HASH, "hexpired", db, key);
            self.note_fields(faded.names.iter().map(|name| &**name));
            if faded.gone.is_some() {
                self.note(Changed::ByTime, Class::GENERIC, "del", db, key);
            }
        }
        if let Some(entry) = faded.gone {
            self.discard(entry, self.lazy.expire);
        }
    }

    /// Records a key that a read did not find.
    #[inline]
    pub(crate) fn note_miss(&mut self, db: u32, key: &[u8]) {
        if self.wants.any(Wants::EVENTS) {
            self.note(Changed::No, Class::MISS, "keymiss", db, key);
        }
    }

    /// Frees an entry that was taken out: here, or in the background when it is heavy.
    pub fn discard(&mut self, entry: Entry, lazily: bool) {
        if lazily && entry.is_heavy() {
            self.discarded.push(Discarded::entry(entry));
        }
    }

    /// Frees an entry whose place another one has taken.
    pub fn discard_replaced(&mut self, entry: Entry) {
        self.discard(entry, self.lazy.replace);
    }

    /// Leaves something to the background.
    pub(crate) fn hand_over(&mut self, discarded: Discarded) {
        self.discarded.push(discarded);
    }

    /// What is to be freed in the background.
    pub fn take_discarded(&mut self) -> impl Iterator<Item = Discarded> + '_ {
        self.discarded.drain(..)
    }

    /// What follows, until [`Self::end_transaction`], belongs together: a log or a replica takes
    /// all of it or nothing. Clearing does not end it.
    pub fn begin_transaction(&mut self) {
        self.in_transaction = true;
    }

    /// See [`Self::begin_transaction`].
    pub fn end_transaction(&mut self) {
        self.in_transaction = false;
    }

    /// Whether what is recorded is a part of a transaction.
    pub fn is_in_transaction(&self) -> bool {
        self.in_transaction
    }

    /// Propagates the command even though it changed nothing.
    pub fn force(&mut self) {
        self.forced = true;
    }

    /// Whether the command is to be propagated even though it changed nothing.
    pub fn is_forced(&self) -> bool {
        self.forced
    }

    /// Notes that all keys of all databases were removed.
    pub fn note_emptied(&mut self) {
        self.emptied = true;
    }

    /// Whether all keys of all databases were removed.
    pub fn is_emptied(&self) -> bool {
        self.emptied
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

    /// Lends the events to who performs what follows; [`Self::put_notes`] takes them back.
    pub fn take_notes(&mut self) -> Vec<Note> {
        std::mem::take(&mut self.notes)
    }

    /// See [`Self::take_notes`].
    pub fn put_notes(&mut self, notes: Vec<Note>) {
        self.notes = notes;
    }

    /// What to propagate besides, in order.
    pub fn records(&self) -> &[Record] {
        &self.records
    }

    /// Forgets what is to be propagated, because it was.
    pub fn forget_records(&mut self) {
        self.records.clear();
    }

    /// Records that who waits for a key may go on, where no event tells it. The command counts as a
    /// change by something else.
    pub fn stir(&mut self, db: u32, key: &[u8]) {
        if self.wants.any(Wants::WAITERS) {
            self.stirred.push((db, key.into()));
        }
    }

    /// Records that every key of a database may have come or gone.
    pub fn stir_all(&mut self, db: u32) {
        self.overturned = true;
        if self.wants.any(Wants::WAITERS) {
            self.stirred_dbs.push(db);
        }
    }

    /// The keys of [`Self::stir`].
    pub fn stirred(&self) -> &[(u32, Box<[u8]>)] {
        &self.stirred
    }

    /// The databases of [`Self::stir_all`].
    pub fn stirred_dbs(&self) -> &[u32] {
        &self.stirred_dbs
    }

    /// Whether whole databases were emptied or exchanged.
    pub fn is_overturned(&self) -> bool {
        self.overturned
    }

    /// Whether there is nothing for `commit` to do.
    #[inline]
    pub fn is_empty(&self) -> bool {
        self.dirty == 0
            && self.expired == 0
            && self.expired_fields == 0
            && self.evicted == 0
            && self.notes.is_empty()
            && !self.forced
    }

    /// Empties it for the next command.
    pub fn clear(&mut self) {
        self.dirty = 0;
        self.expired = 0;
        self.expired_fields = 0;
        self.evicted = 0;
        self.evicted_bytes = 0;
        self.replaced = false;
        self.forced = false;
        self.emptied = false;
        self.discarded.clear();
        self.notes.clear();
        self.records.clear();
        self.stirred.clear();
        self.stirred_dbs.clear();
        self.overturned = false;
    }

    fn push_record(&mut self, db: u32, argv: &[&[u8]]) {
        if self.wants.any(Wants::LOG) {
            let argv = argv.iter().map(|&arg| arg.into()).collect();
            self.records.push(Record { db, argv });
        }
    }
}
