//! The data set on disk: saving it as a whole, and reading it again.
//!
//! What the bytes mean is `persist`'s. Saving holds every shard, so that the file is of one moment.

mod feed;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use keyspace::{Entry, Held, Totals};
use parking_lot::Mutex;
use persist::disk::{Draft, Input};
use persist::form::{Error, Form, Reader, Writer};
use persist::rdb::{self, Item, Key, Rules, Settings, Usage};
use spec::config::Id;

use crate::config::Config;
use crate::listen::system_text;
use crate::server::Server;
use crate::version::Told;
use crate::{allocator, clock, tunables, version};

pub use feed::{Feed, begin};

/// Keys between two looks at whether the disk still takes what is written.
const KEYS_A_LOOK: u64 = 1024;
/// Empty keys that the log names.
const EMPTY_SHOWN: u64 = 10;

/// What is known of saves and loads.
#[derive(Default)]
pub struct Persistence {
    /// When the data set was last saved, Unix seconds.
    pub last_save_s: AtomicI64,
    /// Saves that were begun.
    pub saves: AtomicU64,
    /// Keys that the last load brought.
    pub keys_loaded: AtomicU64,
    /// Keys that the last load left out because their time was over.
    pub keys_expired: AtomicU64,
    /// Libraries of functions that came with the file, for the next one.
    functions: Mutex<Vec<Vec<u8>>>,
    /// The load under way.
    pub progress: Progress,
    /// What was read and waits for the workers to take it in.
    pub feed: Feed,
}

/// How far a load is.
#[derive(Default)]
pub struct Progress {
    /// When it began, Unix seconds.
    pub began_s: AtomicI64,
    /// Bytes in all.
    pub total: AtomicU64,
    /// Bytes read.
    pub read: AtomicU64,
    /// Bytes of memory in use when the file was written, as it says.
    pub used_memory: AtomicU64,
}

impl Persistence {
    /// Nothing was saved or loaded; a server that starts counts as just saved.
    pub fn new() -> Self {
        let state = Self::default();
        state.last_save_s.store(clock::unix_ms() / 1000, Ordering::Relaxed);
        state
    }
}

/// The data set was not saved; the log says why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotSaved;

/// What the configuration says of files.
struct Plan {
    place: PathBuf,
    checksum: bool,
    relaxed: bool,
    is_lfu: bool,
    is_lru: bool,
    style: rdb::Style,
    told: Told,
}

impl Plan {
    fn of(server: &Server) -> Self {
        let config = server.config.lock();
        let config: &Config = &config;
        let policy = config.choice(Id::MaxmemoryPolicy);
        Self {
            place: config.path(Id::Dbfilename).map_or_else(PathBuf::new, Path::to_path_buf),
            checksum: config.bool(Id::Rdbchecksum),
            relaxed: config.choice(Id::RdbVersionCheck) == "relaxed",
            is_lfu: policy.ends_with("-lfu"),
            is_lru: policy.ends_with("-lru"),
            style: tunables::style(config),
            told: Told::of(server.program, config),
        }
    }

    fn form(&self) -> Form {
        Form::of(&self.place)
    }

    /// What a file says of how a key was used.
    fn usage(&self, entry: &Entry, now_s: u32) -> Option<Usage> {
        if self.is_lfu {
            return Some(Usage::Frequency(entry.access() as u8));
        }
        let idle = now_s.wrapping_sub(entry.access()) & 0x00ff_ffff;
        self.is_lru.then_some(Usage::Idle(idle))
    }
}

/// Saves the data set to its file while the caller holds every shard.
pub fn save(server: &Server, held: &mut Held<'_>) -> Result<(), NotSaved> {
    let state = &server.persistence;
    state.saves.fetch_add(1, Ordering::Relaxed);
    let dirty = server.sum(|stats| stats.dirty.get());
    let result = write_file(server, held);
    match result {
        Ok(()) => {
            log::info!("DB saved on disk");
            server.saved_dirty.store(dirty, Ordering::Relaxed);
            state.last_save_s.store(clock::unix_ms() / 1000, Ordering::Relaxed);
            Ok(())
        }
        Err(error) => {
            log::warn!("Error saving DB on disk: {}", system_text(&error));
            Err(NotSaved)
        }
    }
}

/// Removes what a save leaves that the end of the process cuts short.
pub fn abandon(server: &Server) {
    // Whoever holds the configuration may never let go, and this process is to end now.
    if let Some(config) = server.config.try_lock()
        && let Some(place) = config.path(Id::Dbfilename)
    {
        Draft::abandon(place, &mark());
    }
}

/// What tells this process's drafts from others'.
fn mark() -> String {
    std::process::id().to_string()
}

fn write_file(server: &Server, held: &mut Held<'_>) -> io::Result<()> {
    let plan = Plan::of(server);
    let keyspace = &server.keyspace;
    let totals = totals(held, keyspace.databases());
    let has_timed_fields = totals.iter().any(|totals| totals.volatile > 0);
    let version = plan.style.version_for(has_timed_fields);
    let is_rdb = plan.form() == Form::Rdb;
    if is_rdb && plan.style.version != 0 && version != plan.style.version {
        log::warn!(
            "The RDB file gets version {version}: hash fields that expire need it, whatever \
             rdb-version says"
        );
    }
    let draft = Draft::begin(&plan.place, &mark())?;
    let mut writer = Writer::new(plan.form(), draft, plan.style, plan.checksum, has_timed_fields);
    write_notes(&plan, &mut writer);
    for library in &*server.persistence.functions.lock() {
        writer.function(library);
    }
    let now_s = (clock::unix_ms() / 1000) as u32 & 0x00ff_ffff;
    for (db, totals) in totals.iter().enumerate().filter(|(_, totals)| totals.keys > 0) {
        writer.database(db as u32, totals.keys, totals.expires);
        let mut written = 0u64;
        for shard in 0..held.count() {
            for entry in held.shard(shard).db(db as u32).table().iter() {
                writer.key(&entry, plan.usage(&entry, now_s));
                written += 1;
                if written.is_multiple_of(KEYS_A_LOOK) && writer.out().has_failed() {
                    return writer.finish().finish();
                }
            }
        }
    }
    writer.finish().finish()
}

fn write_notes(plan: &Plan, writer: &mut Writer<Draft>) {
    let version = format!("{}-ver", plan.told.server);
    writer.aux(version.as_bytes(), plan.told.version.as_bytes());
    writer.aux(b"redis-bits", b"64");
    writer.aux(b"ctime", (clock::unix_ms() / 1000).to_string().as_bytes());
    writer.aux(b"used-mem", allocator::figures().allocated.to_string().as_bytes());
    writer.aux(b"reddle-ver", version::REDDLE.as_bytes());
    writer.aux(b"aof-base", b"0");
}

/// What each database holds; every shard is held.
fn totals(held: &mut Held<'_>, databases: u32) -> Vec<Totals> {
    let mut all = vec![Totals::default(); databases as usize];
    for shard in 0..held.count() {
        for (totals, part) in all.iter_mut().zip(held.shard(shard).dbs()) {
            totals.keys += part.table().len() as u64;
            totals.expires += part.expires() as u64;
            totals.volatile += part.volatile() as u64;
        }
    }
    all
}

/// A file that was opened and whose head is in order.
pub struct File {
    input: Input,
    plan: Plan,
}

impl File {
    /// Opens the data set's file, if there is one.
    pub fn open(server: &Server) -> io::Result<Option<Self>> {
        let plan = Plan::of(server);
        let input = Input::open(&plan.place, plan.checksum)?;
        Ok(input.map(|input| Self { input, plan }))
    }

    /// Reads the file. `begin` is called once its head is known to be in order, `enter` with each
    /// key and the number of its database until it says no.
    pub fn load(
        self,
        server: &Server,
        begin: impl FnOnce(),
        mut enter: impl FnMut(u32, Entry) -> bool,
    ) -> Result<(), Error> {
        let now_ms = clock::unix_ms();
        let tunables = server.tunables.load();
        let rules = Rules {
            limits: &tunables.settings.limits,
            hasher: server.keyspace.key_hash(),
            since_ms: now_ms,
        };
        let checksum = self.plan.checksum && tunables.settings.restore.checksum;
        let settings = Settings { relaxed: self.plan.relaxed, checksum };
        let state = &server.persistence;
        state.progress.total.store(self.input.size(), Ordering::Relaxed);
        state.progress.began_s.store(now_ms / 1000, Ordering::Relaxed);
        state.keys_loaded.store(0, Ordering::Relaxed);
        state.keys_expired.store(0, Ordering::Relaxed);
        let form = self.plan.form().name();
        let reader = Reader::new(self.plan.form(), self.input, settings, rules)?;
        let now_s = (now_ms / 1000) as u32 & 0x00ff_ffff;
        let mut reader = reader.with_access(now_s, self.plan.is_lfu);
        begin();
        state.functions.lock().clear();
        let (mut db, mut empty) = (0, 0);
        while let Some(item) = reader.next_item()? {
            state.progress.read.store(reader.position(), Ordering::Relaxed);
            match item {
                Item::Select(number) => db = checked_database(server, number)?,
                Item::Sizes(..) => {}
                Item::Aux(name, value) => note(state, &name, &value, now_ms),
                Item::Function(library) => state.functions.lock().push(library),
                Item::Key(Key::Faded(_)) => {}
                Item::Key(Key::Empty(key)) => {
                    empty += 1;
                    if empty <= EMPTY_SHOWN {
                        log::info!("Loading {form}: skipping empty key: {}", key.escape_ascii());
                    }
                }
                Item::Key(Key::Live(entry)) if entry.is_over(now_ms) => {
                    state.keys_expired.fetch_add(1, Ordering::Relaxed);
                }
                Item::Key(Key::Live(entry)) => {
                    state.keys_loaded.fetch_add(1, Ordering::Relaxed);
                    if !enter(db, entry) {
                        return Ok(());
                    }
                }
            }
        }
        told(state, form, empty);
        Ok(())
    }
}

fn checked_database(server: &Server, number: u64) -> Result<u32, Error> {
    let known = u32::try_from(number).ok().filter(|db| *db < server.keyspace.databases());
    known.ok_or(rdb::Error::Database(number).into())
}

/// Tells the log of what a file says about itself.
fn note(state: &Persistence, name: &[u8], value: &[u8], now_ms: i64) {
    let (name, text) = (String::from_utf8_lossy(name), String::from_utf8_lossy(value));
    let number: Option<i64> = text.parse().ok();
    match (&*name, number) {
        ("redis-ver", _) => log::info!("Loading RDB produced by Redis version {text}"),
        ("valkey-ver", _) => log::info!("Loading RDB produced by Valkey version {text}"),
        ("ctime", Some(then_s)) => {
            log::info!("RDB age {} seconds", (now_ms / 1000 - then_s).max(0));
        }
        ("used-mem", Some(bytes)) => {
            let bytes = bytes.max(0) as u64;
            state.progress.used_memory.store(bytes, Ordering::Relaxed);
            let megabytes = bytes as f64 / f64::from(1 << 20);
            log::info!("RDB memory usage when created {megabytes:.2} Mb");
        }
        _ if name.starts_with('%') => log::info!("RDB '{name}': {text}"),
        _ => log::debug!("RDB note '{name}'"),
    }
}

fn told(state: &Persistence, form: &str, empty: u64) {
    let (loaded, expired) =
        (state.keys_loaded.load(Ordering::Relaxed), state.keys_expired.load(Ordering::Relaxed));
    let skipped = if empty > 0 { format!(", empty keys skipped: {empty}") } else { String::new() };
    log::info!("Done loading {form}, keys loaded: {loaded}, keys expired: {expired}{skipped}.");
    let libraries = state.functions.lock().len();
    if libraries > 0 {
        log::warn!(
            "The file has {libraries} libraries of functions, which this version cannot run; they \
             are kept for the next file"
        );
    }
}
