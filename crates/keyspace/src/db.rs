//! One database as a command sees it: the selected database's keys in the shards that were taken.
//!
//! Every read finds expired keys gone, every write keeps the timing wheel and the change record in
//! line. It performs no duty that follows a write; those are `commit`'s, from the [`Change`].

use std::sync::Arc;

use table::Ref;
use value::Kind;

mod object;
mod whole;

pub use object::{Entries, WrongKind};

use crate::Keyspace;
use crate::change::{Change, Changed, Class, Wants};
use crate::door::Extent;
use crate::entry::{Entry, NewValue};
use crate::shard::{Edit, Former, Lookup, Ttl, is_gone};
use crate::shards::Held;
use crate::undo::Was;
use crate::usage::{Stamp, Usage};
use crate::watch::Watcher;

/// A time at which no key's time is over.
const NEVER_OVER: i64 = i64::MIN;

/// Counters that looking up keys moves.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct KeyStats {
    /// Reads that found their key.
    pub hits: u64,
    /// Reads that did not.
    pub misses: u64,
    /// A bit for each lane whose next expiry became earlier (see [`Keyspace::lane_of`]).
    pub lanes_lowered: u64,
}

/// A key's bytes and its hash, when dispatch has hashed it already.
#[derive(Clone, Copy, Debug)]
pub struct Hashed<'a> {
    /// The key.
    pub key: &'a [u8],
    /// Its hash.
    pub hash: u64,
}

/// What becomes of keys that are met after their time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Overdue {
    /// They are removed.
    #[default]
    Remove,
    /// They are removed, but the fields of a hash stay in place when their time is over.
    KeepFields,
    /// They are as good as gone, but stay in place until somebody writes to them.
    Hide,
    /// They are keys like all others: for whoever fills this server from another one.
    Show,
}

/// See the module's text.
pub struct Db<'a, 'k> {
    /// What the command changed.
    pub change: &'a mut Change,
    held: &'a mut Held<'k>,
    keyspace: &'k Keyspace,
    stats: &'a mut KeyStats,
    hashed: &'a [Hashed<'a>],
    next_hashed: usize,
    index: u32,
    stamp: Stamp,
    touch: bool,
    overdue: Overdue,
}

/// What a [`Db`] is made of.
pub struct Parts<'a, 'k> {
    /// The engine.
    pub keyspace: &'k Keyspace,
    /// The shards that were taken.
    pub held: &'a mut Held<'k>,
    /// Where changes are recorded.
    pub change: &'a mut Change,
    /// Where lookups are counted.
    pub stats: &'a mut KeyStats,
    /// The keys that dispatch has hashed, in the order of the arguments.
    pub hashed: &'a [Hashed<'a>],
    /// The selected database.
    pub index: u32,
    /// The command's time.
    pub stamp: Stamp,
    /// Whether a lookup counts as an access (not under CLIENT NO-TOUCH).
    pub touch: bool,
}

impl<'a, 'k> Db<'a, 'k> {
    /// A view for one command.
    #[inline]
    pub fn new(parts: Parts<'a, 'k>) -> Self {
        let Parts { keyspace, held, change, stats, hashed, index, stamp, touch } = parts;
        let (next_hashed, overdue) = (0, Overdue::Remove);
        Self { change, held, keyspace, stats, hashed, next_hashed, index, stamp, touch, overdue }
    }

    /// Says what becomes of keys that are met after their time.
    #[must_use]
    #[inline]
    pub fn with_overdue(mut self, overdue: Overdue) -> Self {
        self.overdue = overdue;
        self
    }

    /// Whether a key may be given a deadline that has passed already.
    pub fn keeps_overdue(&self) -> bool {
        matches!(self.overdue, Overdue::Hide | Overdue::Show)
    }

    /// The selected database's number.
    pub fn index(&self) -> u32 {
        self.index
    }

    /// How many databases there are.
    pub fn databases(&self) -> u32 {
        self.keyspace.databases()
    }

    /// The command's time in Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.stamp.now_ms
    }

    /// The command's time and access word.
    pub fn stamp(&self) -> Stamp {
        self.stamp
    }

    /// Runs `work` on another database; the same shards are held.
    ///
    /// # Panics
    /// When there is no such database: the handler checks the number first.
    pub fn on<R>(&mut self, index: u32, work: impl FnOnce(&mut Self) -> R) -> R {
        assert!(index < self.databases());
        let selected = std::mem::replace(&mut self.index, index);
        let result = work(self);
        self.index = selected;
        result
    }

    /// A key's hash; free when dispatch has computed it.
    #[inline]
    fn hash(&mut self, key: &[u8]) -> u64 {
        if let Some(hashed) = self.hashed.get(self.next_hashed)
            && std::ptr::eq(hashed.key, key)
        {
            self.next_hashed = (self.next_hashed + 1) % self.hashed.len();
            return hashed.hash;
        }
        self.keyspace.hash(key)
    }

    /// The entry of a key for a read: counted as hit or miss, and as an access.
    #[inline]
    pub fn read(&mut self, key: &[u8]) -> Option<Ref<'_, Entry>> {
        self.look(key, true, self.touch, false)
    }

    /// The entry of a key for looking at what is not its value: counted as hit or miss, but no
    /// access.
    pub fn inspect(&mut self, key: &[u8]) -> Option<Ref<'_, Entry>> {
        self.look(key, true, false, false)
    }

    /// [`Self::inspect`] without the event of a key that is not there.
    pub fn examine(&mut self, key: &[u8]) -> Option<Ref<'_, Entry>> {
        let found = self.peek(key).is_some();
        self.stats.hits += u64::from(found);
        self.stats.misses += u64::from(!found);
        self.peek(key)
    }

    /// The entry of a key that a command is about to change: an access, but not counted.
    pub fn reach(&mut self, key: &[u8]) -> Option<Ref<'_, Entry>> {
        self.look(key, false, self.touch, true)
    }

    /// The entry of a key as it is, neither counted nor an access.
    #[inline]
    pub fn peek(&mut self, key: &[u8]) -> Option<Ref<'_, Entry>> {
        self.look(key, false, false, false)
    }

    /// Counts a key as accessed, also under CLIENT NO-TOUCH; whether it exists.
    pub fn touch(&mut self, key: &[u8]) -> bool {
        self.look(key, true, true, false).is_some()
    }

    #[inline(always)]
    fn look(
        &mut self,
        key: &[u8],
        counted: bool,
        access: bool,
        writes: bool,
    ) -> Option<Ref<'_, Entry>> {
        let hash = self.hash(key);
        let shard = self.keyspace.shard_of(hash);
        if writes || self.overdue == Overdue::Remove {
            self.fade(shard, hash, key);
        }
        let db = self.held.shard(shard).db(self.index);
        let found = match self.overdue {
            Overdue::Remove | Overdue::KeepFields => db.lookup(hash, key, self.stamp.now_ms),
            Overdue::Hide if writes => db.lookup(hash, key, self.stamp.now_ms),
            Overdue::Hide => db.find(hash, key, self.stamp.now_ms),
            Overdue::Show => db.find(hash, key, NEVER_OVER),
        };
        match found {
            Lookup::Live(mut entry) => {
                self.stats.hits += u64::from(counted);
                if access {
                    let word = self.stamp.used(entry.access());
                    entry.touch(word);
                }
                return Some(entry.into_ref());
            }
            Lookup::Missing => {}
            Lookup::Expired(entry) => lapse(self.keyspace, self.change, self.index, shard, entry),
        }
        if counted {
            self.stats.misses += 1;
            self.change.note_miss(self.index, key);
        }
        None
    }

    /// Whether a key exists; neither counted nor an access.
    pub fn exists(&mut self, key: &[u8]) -> bool {
        self.peek(key).is_some()
    }

    /// Changes the value of an existing key in place (an access, not counted as hit or miss).
    /// `None` when there is no such key.
    pub fn edit<R>(&mut self, key: &[u8], change: impl FnOnce(&mut Entry) -> R) -> Option<R> {
        self.edit_by(key, Extent::Whole, change)
    }

    /// As [`Self::edit`], for who puts no other value in the place of this one.
    pub(crate) fn edit_part<R>(
        &mut self,
        key: &[u8],
        change: impl FnOnce(&mut Entry) -> R,
    ) -> Option<R> {
        self.edit_by(key, Extent::Parts, change)
    }

    #[inline]
    fn edit_by<R>(
        &mut self,
        key: &[u8],
        extent: Extent,
        change: impl FnOnce(&mut Entry) -> R,
    ) -> Option<R> {
        let (hash, stamp) = (self.hash(key), self.edit_stamp());
        let (shard, since_ms) = (self.begin_change(hash, key), self.over_since());
        let db = self.held.shard(shard).db(self.index);
        let edited = db.edit(hash, key, since_ms, extent, |entry| {
            if let Some(stamp) = stamp {
                entry.set_access(stamp.changed(entry.access()));
            }
            change(entry)
        });
        if let Some(deadline_ms) = db.fields_due_ms() {
            self.lower_due(shard, deadline_ms);
        }
        match edited {
            Edit::Done(result) => Some(result),
            Edit::Missing => None,
            Edit::Expired(entry) => {
                lapse(self.keyspace, self.change, self.index, shard, entry);
                None
            }
        }
    }

    /// What a change leaves in an entry. Under CLIENT NO-TOUCH it is no use, but still a change.
    #[inline]
    fn edit_stamp(&self) -> Option<Stamp> {
        (self.touch || self.stamp.usage() == Usage::Modified).then_some(self.stamp)
    }

    /// Sets a key to a value, whatever was there. The events of a new key and of a replaced value
    /// are recorded here; the command's own event and the dirty count are the handler's.
    #[inline]
    pub fn set(&mut self, key: &[u8], value: NewValue<'_>, ttl: Ttl) {
        if !self.change.wants(Wants::EVENTS) {
            return self.rewrite(key, value, ttl);
        }
        let (before, after) = (self.peek(key).map(|entry| entry.kind()), value.kind());
        self.rewrite(key, value, ttl);
        if let Some(before) = before {
            self.note_replaced(key, before, after);
        }
    }

    /// Records that the value of a key was replaced as a whole.
    pub fn note_replaced(&mut self, key: &[u8], before: Kind, after: Kind) {
        self.note_beside(Class::OVERWRITTEN, "overwritten", key);
        if before != after {
            self.note_beside(Class::TYPE_CHANGED, "type_changed", key);
        }
    }

    /// [`Self::set`] for a value that was made from the one before: nothing is replaced as a whole.
    #[inline]
    pub fn rewrite(&mut self, key: &[u8], value: NewValue<'_>, ttl: Ttl) {
        let hash = self.hash(key);
        let (shard, since_ms) = (self.begin_change(hash, key), self.over_since());
        let db = self.held.shard(shard).db(self.index);
        if ttl == Ttl::Keep
            && let Lookup::Expired(entry) = db.lookup(hash, key, since_ms)
        {
            lapse(self.keyspace, self.change, self.index, shard, entry);
        }
        let former = db.set(hash, key, value, ttl, self.stamp);
        let fields_due = db.fields_due_ms();
        match former {
            Former::Nothing => self.note(Class::NEW, "new", key),
            Former::Dropped => {}
            Former::Heavy(entry) => self.change.discard_replaced(entry),
        }
        if let Some(deadline_ms) = fields_due {
            self.lower_due(shard, deadline_ms);
        }
        if let Ttl::At(deadline_ms) = ttl {
            self.lower_due(shard, deadline_ms);
        }
    }

    /// Takes a key out, to be dropped or put elsewhere.
    pub fn take(&mut self, key: &[u8]) -> Option<Entry> {
        let hash = self.hash(key);
        let (shard, since_ms) = (self.begin_change(hash, key), self.over_since());
        let entry = self.held.shard(shard).db(self.index).remove(hash, key)?;
        if entry.is_over(since_ms) {
            lapse(self.keyspace, self.change, self.index, shard, entry);
            return None;
        }
        Some(entry)
    }

    /// Takes out a key whose new deadline has passed already, as if it had expired by itself: the
    /// event, the statistics and what is propagated in place of the command are recorded here.
    pub fn expire_now(&mut self, key: &[u8]) -> bool {
        let Some(entry) = self.take(key) else { return false };
        let shard = self.keyspace.shard_of(self.keyspace.hash(key));
        lapse(self.keyspace, self.change, self.index, shard, entry);
        self.change.propagate_nothing();
        true
    }

    /// Puts an entry in; whatever was under its key is returned.
    pub fn put(&mut self, entry: Entry) -> Option<Entry> {
        let hash = self.keyspace.hash(entry.key_bytes());
        let deadline_ms = entry.deadline_ms();
        let since_ms = self.over_since();
        let shard = self.begin_change(hash, entry.key_bytes());
        let db = self.held.shard(shard).db(self.index);
        let mut old = db.remove(hash, entry.key_bytes());
        if let Some(expired) = old.take_if(|old| old.is_over(since_ms)) {
            lapse(self.keyspace, self.change, self.index, shard, expired);
        }
        // Whoever puts an entry in the place of another one deletes that one first, as Redis does.
        let (changed, class) = (Changed::ByCommand, Class::NEW);
        self.change.note(changed, class, "new", self.index, entry.key_bytes());
        db.insert(hash, entry, self.stamp);
        let fields_due = db.fields_due_ms();
        for deadline_ms in deadline_ms.into_iter().chain(fields_due) {
            self.lower_due(shard, deadline_ms);
        }
        old
    }

    /// When a key expires: `None` without such a key, `Some(None)` when it does not expire.
    pub fn deadline_ms(&mut self, key: &[u8]) -> Option<Option<i64>> {
        self.peek(key).map(|entry| entry.deadline_ms())
    }

    /// Sets or removes the expiry of an existing key; false when there is no such key.
    pub fn set_deadline(&mut self, key: &[u8], deadline_ms: Option<i64>) -> bool {
        let hash = self.hash(key);
        let (shard, since_ms) = (self.begin_change(hash, key), self.over_since());
        let db = self.held.shard(shard).db(self.index);
        match db.set_deadline(hash, key, deadline_ms, self.stamp, since_ms) {
            Edit::Missing => return false,
            Edit::Expired(entry) => {
                lapse(self.keyspace, self.change, self.index, shard, entry);
                return false;
            }
            Edit::Done(()) => {}
        }
        if let Some(deadline_ms) = deadline_ms {
            self.lower_due(shard, deadline_ms);
        }
        true
    }

    /// Records an event on a key of the selected database, and tells who watches it. Every change
    /// of a value has its event; a change without one that anybody may see is [`Self::touched`].
    #[inline]
    pub fn note(&mut self, class: Class, event: &'static str, key: &[u8]) {
        self.change.note(Changed::ByCommand, class, event, self.index, key);
        self.tell_watchers(key);
    }

    /// [`Self::note`] for an event of some fields of a hash.
    #[inline]
    pub fn note_fields<'f>(
        &mut self,
        event: &'static str,
        key: &[u8],
        names: impl IntoIterator<Item = &'f [u8]>,
    ) {
        self.note(Class::HASH, event, key);
        self.change.note_fields(names);
    }

    /// Records an event of what belongs to a key but not to its value, such as a stream's groups:
    /// for who watches the key nothing has changed.
    pub fn note_beside(&mut self, class: Class, event: &'static str, key: &[u8]) {
        self.change.note(Changed::No, class, event, self.index, key);
    }

    /// Records that a key of the selected database has changed, without an event that anybody may
    /// see, and tells who watches it.
    #[inline]
    pub fn touched(&mut self, key: &[u8]) {
        if self.change.wants(Wants::KEYS) {
            self.change.note(Changed::ByCommand, Class::SILENT, "", self.index, key);
        }
        self.tell_watchers(key);
    }

    #[inline]
    fn tell_watchers(&mut self, key: &[u8]) {
        if !self.keyspace.watches().is_empty() {
            let shard = self.keyspace.shard_of(self.keyspace.hash(key));
            self.keyspace.watches().touch(shard, self.index, key);
        }
    }

    /// Watches a key of the selected database from now on; false when that watcher does already. A
    /// key whose time is over is none, whether it is still there or not.
    pub fn watch(&mut self, key: &[u8], watcher: &Arc<Watcher>) -> bool {
        let stale = self.is_overdue(key);
        let shard = self.keyspace.shard_of(self.keyspace.hash(key));
        self.keyspace.watches().add(shard, self.index, key, watcher, stale)
    }

    /// Whether the time of a watched key came after it was watched and nobody has removed it yet.
    pub fn has_lapsed(&mut self, key: &[u8], watcher: &Arc<Watcher>) -> bool {
        let shard = self.keyspace.shard_of(self.keyspace.hash(key));
        self.is_overdue(key) && !self.keyspace.watches().is_stale(shard, self.index, key, watcher)
    }

    fn is_overdue(&mut self, key: &[u8]) -> bool {
        let hash = self.keyspace.hash(key);
        let since_ms = self.over_since();
        let db = self.held.shard(self.keyspace.shard_of(hash)).db(self.index);
        db.get(hash, key).is_some_and(|entry| is_gone(&entry, since_ms))
    }

    /// Records that who waits for what is pending in a stream of the selected database may go on.
    pub fn stir(&mut self, key: &[u8]) {
        self.change.stir(self.index, key);
    }

    /// Propagates this in place of the command as it came.
    pub fn propagate(&mut self, argv: &[&[u8]]) {
        self.change.propagate(self.index, argv);
    }

    /// The shards, for commands that hold all of them.
    pub fn shards(&mut self) -> &mut Held<'k> {
        self.held
    }

    /// The engine.
    pub fn keyspace(&self) -> &'k Keyspace {
        self.keyspace
    }

    /// What a command finds expired had its deadline before this.
    #[inline]
    pub fn over_since(&self) -> i64 {
        if self.overdue == Overdue::Show { NEVER_OVER } else { self.stamp.now_ms }
    }

    /// What is due before a key changes: it is kept as it is, if that may have to be undone, and
    /// fields whose time is over are gone. Returns the key's shard.
    #[inline(always)]
    fn begin_change(&mut self, hash: u64, key: &[u8]) -> u32 {
        let shard = self.keyspace.shard_of(hash);
        self.keep(shard, hash, key);
        self.fade(shard, hash, key);
        shard
    }

    /// Removes the fields of a hash whose time is over before a command sees it.
    #[inline(always)]
    fn fade(&mut self, shard: u32, hash: u64, key: &[u8]) {
        let due_ms = self.held.shard(shard).db(self.index).fields_due_ms();
        if due_ms.is_some_and(|due_ms| due_ms < self.over_since()) {
            self.fade_now(shard, hash, key);
        }
    }

    #[cold]
    fn fade_now(&mut self, shard: u32, hash: u64, key: &[u8]) {
        if self.overdue == Overdue::KeepFields {
            return;
        }
        let since_ms = self.over_since();
        self.keep(shard, hash, key);
        let db = self.held.shard(shard).db(self.index);
        if let Some(faded) = db.fade(hash, key, since_ms, usize::MAX) {
            self.keyspace.watches().touch(shard, self.index, key);
            self.change.note_faded(self.index, key, faded);
        }
    }

    /// Keeps a key as it is before it changes, while that may have to be undone.
    #[inline(always)]
    fn keep(&mut self, shard: u32, hash: u64, key: &[u8]) {
        if self.change.undo().is_some() {
            self.keep_now(shard, hash, key);
        }
    }

    #[cold]
    fn keep_now(&mut self, shard: u32, hash: u64, key: &[u8]) {
        let index = self.index;
        if let Some(undo) = self.change.undo()
            && undo.lacks(index, hash, key)
        {
            let part = self.held.shard(shard).db(index);
            undo.keep(index, hash, key, part.get(hash, key).as_deref());
        }
    }

    /// Undoes what has changed since [`Change::begin_undo`]; false when that cannot be done. All
    /// shards are held. Nobody is told: who watches one of the keys, or waits for it, was told of
    /// the change, and who looks again finds that nothing has come of it.
    pub fn roll_back(&mut self) -> bool {
        let Some(undo) = self.change.take_undo() else { return true };
        if undo.is_lost() {
            return false;
        }
        for kept in undo.into_kept() {
            let shard = self.keyspace.shard_of(kept.hash);
            let db = self.held.shard(shard).db(kept.db);
            if let Some(changed) = db.remove(kept.hash, kept.key()) {
                self.change.discard(changed, true);
            }
            let Was::Entry(entry) = kept.was else { continue };
            let deadline_ms = entry.deadline_ms();
            db.insert(kept.hash, entry, self.stamp);
            let fields_due = db.fields_due_ms();
            for deadline_ms in deadline_ms.into_iter().chain(fields_due) {
                self.lower_due(shard, deadline_ms);
            }
        }
        true
    }

    fn lower_due(&mut self, shard: u32, deadline_ms: i64) {
        self.stats.lanes_lowered |= self.keyspace.lower_due(shard, deadline_ms);
    }
}

/// Removes a key whose time is over: its watchers learn of it, and the change is recorded.
fn lapse(keyspace: &Keyspace, change: &mut Change, db: u32, shard: u32, entry: Entry) {
    if let Some(undo) = change.undo() {
        let key = entry.key_bytes();
        let hash = keyspace.hash(key);
        if undo.lacks(db, hash, key) {
            undo.keep(db, hash, key, Some(&entry));
        }
    }
    keyspace.watches().lapse(shard, db, entry.key_bytes());
    change.note_expired(db, entry);
}
