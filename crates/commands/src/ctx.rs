//! What a handler is given.

use keyspace::usage::Usage;
use keyspace::{Class, Db, Limits};
use resp::Writer;

use crate::args::c_text;
use crate::{Error, Wait};

/// The values of the configuration that data commands look at; copied after each change of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The longest string a command may make, in bytes.
    pub proto_max_bulk_len: u64,
    /// Bytes of a reply that repeats what is stored, at most: as many as of the longest string.
    pub reply_max: usize,
    /// Where small forms of collections end.
    pub limits: Limits,
    /// How DUMP writes values.
    pub dump: persist::rdb::Style,
    /// How RESTORE looks at them.
    pub restore: persist::rdb::Settings,
    /// Whether DEL frees big values in the background.
    pub lazyfree_user_del: bool,
    /// Whether FLUSHALL and FLUSHDB do when they do not say.
    pub lazyfree_user_flush: bool,
    /// What keys remember of their use, as the eviction policy wants it.
    pub usage: Usage,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            proto_max_bulk_len: 512 << 20,
            reply_max: 512 << 20,
            limits: Limits::default(),
            dump: persist::rdb::Style::default(),
            restore: persist::rdb::Settings::default(),
            lazyfree_user_del: false,
            lazyfree_user_flush: false,
            usage: Usage::Clock,
        }
    }
}

/// See the module's text.
pub struct Ctx<'a, 'k> {
    /// The selected database.
    pub db: Db<'a, 'k>,
    /// Where the reply goes.
    pub out: &'a mut Writer,
    /// The configuration.
    pub settings: &'a Settings,
    /// The command's full name as error texts give it, such as `set` or `object|freq`.
    pub command: &'static str,
    /// A source of random numbers.
    pub rng: &'a mut fastrand::Rng,
    /// Bytes of output above which the client is closed in place of being answered.
    pub output_max: usize,
    /// Whether the command may wait for what it does not find; else it answers at once.
    pub may_wait: bool,
    /// Whether a script runs the command: what has no order of its own gets one then.
    pub in_script: bool,
    /// What the command waits for; then it wrote no reply.
    pub wait: Option<Wait>,
}

impl Ctx<'_, '_> {
    /// The command's time in Unix milliseconds.
    pub fn now_ms(&self) -> i64 {
        self.db.now_ms()
    }

    /// Lets the command wait, if it may; otherwise its answer is that there is nothing.
    pub(crate) fn waits(&mut self, wait: Wait) -> bool {
        self.wait = self.may_wait.then_some(wait);
        self.may_wait
    }

    /// Lets the command wait, or answers with a null array.
    pub(crate) fn wait_or_null_array(&mut self, wait: Wait) {
        if !self.waits(wait) {
            self.out.null_array();
        }
    }

    /// Whether a key that is to have this deadline is deleted at once instead.
    pub fn is_past(&self, deadline_ms: i64) -> bool {
        deadline_ms <= self.now_ms() && !self.db.keeps_overdue()
    }

    /// Removes whatever is under a key, because the result that was to stand there is empty.
    pub(crate) fn vacate(&mut self, key: &[u8]) {
        if let Some(entry) = self.db.take(key) {
            self.db.change.discard_replaced(entry);
            self.db.note(Class::GENERIC, "del", key);
            self.db.change.add_dirty(1);
        }
    }

    /// Writes an error line around an argument; the argument ends at its first zero byte, as it
    /// does in C.
    pub fn error_around(&mut self, before: &[u8], arg: &[u8], after: &[u8]) -> Error {
        self.out.error_bytes(&[before, c_text(arg), after].concat());
        Error::Written
    }

    /// Refuses a string that would be longer than the configuration allows.
    pub fn check_length(&self, len: u64) -> Result<(), Error> {
        if len > self.settings.proto_max_bulk_len { Err(Error::TooLong) } else { Ok(()) }
    }
}
