//! The configuration: what every directive of `spec::config` is set to.
//!
//! Files, the standard input, the environment and the command line are read into a `Config` by
//! `load`; CONFIG SET, GET and REWRITE work on it afterwards. A `Config` is plain data: whoever
//! owns it applies changes (opens sockets, changes the working directory), and for that clones it
//! before a change and puts the clone back if applying fails.
//!
//! Invariant: each value has the shape that its row's kind asks for, so the accessors panic only
//! when they are called for a directive of another kind.

mod dir;
mod glob;
mod load;
mod number;
mod rewrite;
mod set;
mod system;
mod title;
mod value;

pub mod cli;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use spec::config::{Choices, DIRECTIVES, Directive, Flags, Id, Kind};

pub use load::{Inputs, Notice, Severity, StartError};
pub use set::{Caller, SetError};
pub use title::expand_title;
pub use value::{BufferLimit, MemoryLimit, Primary, SavePoint};

use value::Value;

const HZ_MAX: i64 = 500;
const SAMPLES_MAX: i64 = 64;
const BACKLOG_MIN: u64 = 16 << 10;

/// The classes of clients that there are, by their places among those of
/// `client-output-buffer-limit`; between them stands that of replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClientClass {
    Normal = 0,
    Pubsub = 2,
}

/// A `rename-command` line. An empty new name removes the command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rename {
    pub command: Vec<u8>,
    pub name: Vec<u8>,
}

/// The value of every directive, and the lines that are not values.
#[derive(Clone, Debug)]
pub struct Config {
    values: Vec<Value>,
    renames: Vec<Rename>,
    file: Option<PathBuf>,
}

impl Default for Config {
    fn default() -> Config {
        let values = DIRECTIVES.iter().map(|row| Value::initial(&row.kind)).collect();
        Config { values, renames: Vec::new(), file: None }
    }
}

impl Config {
    /// A `yes` or `no` directive.
    pub fn bool(&self, id: Id) -> bool {
        match self.value(id) {
            Value::Bool(on) => *on,
            _ => wrong_kind(id),
        }
    }

    /// An integer, an octal number, or a memory value that may be negative.
    pub fn int(&self, id: Id) -> i64 {
        match self.value(id) {
            Value::Int(value) => *value,
            _ => wrong_kind(id),
        }
    }

    /// A memory value, in bytes.
    pub fn memory(&self, id: Id) -> u64 {
        match self.value(id) {
            Value::Memory(bytes) => *bytes,
            _ => wrong_kind(id),
        }
    }

    /// A memory value that may also be a percentage of `maxmemory`.
    pub fn memory_limit(&self, id: Id) -> MemoryLimit {
        match self.value(id) {
            Value::Limit(limit) => *limit,
            _ => wrong_kind(id),
        }
    }

    /// A text; the empty one where nothing is set.
    pub fn text(&self, id: Id) -> &[u8] {
        self.text_if_set(id).unwrap_or_default()
    }

    /// A text, if it is set.
    pub fn text_if_set(&self, id: Id) -> Option<&[u8]> {
        match self.value(id) {
            Value::Text(text) => text.as_deref(),
            _ => wrong_kind(id),
        }
    }

    /// A text that names a file or directory, if it is set and not empty.
    pub fn path(&self, id: Id) -> Option<&Path> {
        let text = self.text_if_set(id).filter(|text| !text.is_empty())?;
        Some(Path::new(OsStr::from_bytes(text)))
    }

    /// The word an enumeration is set to; where words mean the same, the first of them.
    pub fn choice(&self, id: Id) -> &'static str {
        let (value, choices) = (self.choice_number(id), choices_of(id));
        choices.iter().find(|(_, number)| *number == value).map_or("", |(name, _)| name)
    }

    /// The number of the word an enumeration is set to, or the bits of all its words.
    pub fn choice_number(&self, id: Id) -> u32 {
        match self.value(id) {
            Value::Choice(value) => *value,
            _ => wrong_kind(id),
        }
    }

    /// Whether `word` is among the words a directive such as `shutdown-on-sigterm` is set to.
    pub fn has_flag(&self, id: Id, word: &str) -> bool {
        let bits = self.choice_number(id);
        choices_of(id).iter().any(|(name, bit)| *name == word && bits & bit != 0)
    }

    /// A list of addresses; those with a leading `-` may be missing on this machine.
    pub fn list(&self, id: Id) -> &[Vec<u8>] {
        match self.value(id) {
            Value::Words(list) => list,
            _ => wrong_kind(id),
        }
    }

    /// The points of `save`; none means that nothing is saved by itself.
    pub fn save_points(&self) -> &[SavePoint] {
        match self.value(Id::Save) {
            Value::Save(points) => points,
            _ => wrong_kind(Id::Save),
        }
    }

    /// The limit on the unsent replies of clients of `class`.
    pub fn output_buffer_limit(&self, class: ClientClass) -> BufferLimit {
        match self.value(Id::ClientOutputBufferLimit) {
            Value::Buffers(limits) => limits[class as usize],
            _ => wrong_kind(Id::ClientOutputBufferLimit),
        }
    }

    /// `oom-score-adj-values`: for a primary, a replica and a background child.
    pub fn oom_scores(&self) -> [i32; 3] {
        match self.value(Id::OomScoreAdjValues) {
            Value::Scores(scores) => *scores,
            _ => wrong_kind(Id::OomScoreAdjValues),
        }
    }

    /// `notify-keyspace-events` as bits of `spec::config::EVENT_CLASSES`.
    pub fn events(&self) -> u32 {
        match self.value(Id::NotifyKeyspaceEvents) {
            Value::Events(bits) => *bits,
            _ => wrong_kind(Id::NotifyKeyspaceEvents),
        }
    }

    /// `latency-tracking-info-percentiles`, each from 0 to 100.
    pub fn percentiles(&self) -> &[f64] {
        match self.value(Id::LatencyTrackingInfoPercentiles) {
            Value::Percentiles(list) => list,
            _ => wrong_kind(Id::LatencyTrackingInfoPercentiles),
        }
    }

    /// The primary that `replicaof` names.
    pub fn primary(&self) -> Option<&Primary> {
        match self.value(Id::Replicaof) {
            Value::Primary(primary) => primary.as_ref(),
            _ => wrong_kind(Id::Replicaof),
        }
    }

    /// The `rename-command` lines in their order.
    pub fn renames(&self) -> &[Rename] {
        &self.renames
    }

    /// The settings that are not as they are by themselves, with their values as CONFIG GET shows
    /// them; secrets are left out.
    pub fn changed(&self) -> Vec<(&'static Directive, Vec<u8>)> {
        let has_changed = |row: &&Directive| {
            let is_value = !matches!(row.kind, Kind::Line | Kind::Ignored);
            is_value && !row.flags.contains(Flags::SENSITIVE) && !self.is_initial(row.id)
        };
        let shown = |row: &'static Directive| (row, self.value(row.id).show(&row.kind));
        DIRECTIVES.iter().filter(has_changed).map(shown).collect()
    }

    /// The configuration file that was read, as an absolute path.
    pub fn file(&self) -> Option<&Path> {
        self.file.as_deref()
    }

    /// Puts a value in without CONFIG SET's refusals, for what other commands change (REPLICAOF)
    /// and for tests. `words` are the directive's arguments. The error is the reason alone.
    pub fn assign(&mut self, id: Id, words: &[Vec<u8>]) -> Result<(), String> {
        let value = self.value(id).read(Directive::of(id), words, value::Save::Replace)?;
        self.put(id, value);
        Ok(())
    }

    fn value(&self, id: Id) -> &Value {
        &self.values[id as usize]
    }

    /// Stores a value. Some are wishes that are brought into their useful range.
    fn put(&mut self, id: Id, value: Value) {
        self.values[id as usize] = match (id, value) {
            (Id::Hz, Value::Int(hz)) => Value::Int(hz.clamp(1, HZ_MAX)),
            (Id::WatchdogPeriod, Value::Int(ms @ 1..)) => {
                Value::Int(ms.max(2000 / self.int(Id::Hz).max(1)))
            }
            (Id::MaxmemorySamples, Value::Int(keys)) => Value::Int(keys.min(SAMPLES_MAX)),
            (Id::ReplBacklogSize, Value::Memory(bytes)) => Value::Memory(bytes.max(BACKLOG_MIN)),
            (_, value) => value,
        };
    }
}

/// Bytes as directives take them: a number, with or without a unit.
pub fn memory_size(text: &[u8]) -> Option<u64> {
    number::memory(text)
}

/// The row that `name` means, in any case, by its name or an alias.
pub fn find(name: &[u8]) -> Option<&'static Directive> {
    DIRECTIVES.iter().find(|row| names(row).any(|n| name.eq_ignore_ascii_case(n.as_bytes())))
}

/// Whether the value of the directive `name` must stay out of logs (slow log, MONITOR, errors).
pub fn is_sensitive(name: &[u8]) -> bool {
    find(name).is_some_and(|row| row.flags.contains(Flags::SENSITIVE))
}

fn names(row: &Directive) -> impl Iterator<Item = &'static str> {
    std::iter::once(row.name).chain(row.aliases.iter().copied())
}

fn has_value(row: &Directive) -> bool {
    !matches!(row.kind, Kind::Line | Kind::Ignored)
}

fn choices_of(id: Id) -> Choices {
    match Directive::of(id).kind {
        Kind::Choice { choices, .. } | Kind::Flags { choices, .. } => choices,
        _ => wrong_kind(id),
    }
}

#[track_caller]
fn wrong_kind(id: Id) -> ! {
    panic!("{} was asked for as another kind of value", Directive::of(id).name)
}

#[cfg(test)]
mod tests;
