//! The data set on disk: saving it as a whole, and reading it again.
//!
//! What the bytes mean is `persist`'s, and how keys get from the shards to the disk `snapshot`'s.

mod feed;
mod libraries;
mod rest;
mod save;
mod spread;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use keyspace::{Entry, Held};
use persist::disk::Input;
use persist::form::{Error, Form, Reader};
use persist::rdb::{self, Item, Key, Piece, Rules, Run, Settings, Usages};
use spec::config::Id;
use value::Limits;

use crate::config::Config;
use crate::server::Server;
use crate::snapshot::Snapshots;
use crate::version::Told;
use crate::{clock, tunables};

use rest::Rest;

pub use feed::{Batch, Feed, begin};
pub use libraries::Clash;
pub use save::{FileForm, Saves, abandon, background, judge_by, save, save_emptied, tick};

/// The log is told how loading goes when a file has so many bytes.
const TOLD_MIN: u64 = 64 << 20;
/// Empty keys that the log names.
const EMPTY_SHOWN: u64 = 10;

/// What is known of saves and loads.
#[derive(Default)]
pub struct Persistence {
    /// Saves.
    pub saves: Saves,
    /// The snapshot under way.
    pub snapshots: Snapshots,
    /// Keys that the last load brought.
    pub keys_loaded: AtomicU64,
    /// Keys that the last load left out because their time was over.
    pub keys_expired: AtomicU64,
    /// Keys that the last load left out because they held nothing.
    keys_empty: AtomicU64,
    /// Libraries of functions: they are a part of the data set.
    pub libraries: libraries::Kept,
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
    /// The tenth of the file that the log has told of.
    tenth: AtomicU64,
}

impl Progress {
    /// A load of so many bytes begins.
    pub fn begin(&self, total: u64) {
        self.total.store(total, Ordering::Relaxed);
        self.read.store(0, Ordering::Relaxed);
        self.tenth.store(0, Ordering::Relaxed);
        self.began_s.store(clock::unix_ms() / 1000, Ordering::Relaxed);
    }

    /// So many bytes are read; the log learns of every tenth of a large file.
    pub fn reach(&self, position: u64) {
        self.read.store(position, Ordering::Relaxed);
        let total = self.total.load(Ordering::Relaxed);
        if total < TOLD_MIN {
            return;
        }
        let tenth = position.saturating_mul(10) / total;
        if tenth > self.tenth.load(Ordering::Relaxed) && tenth < 10 {
            self.tenth.store(tenth, Ordering::Relaxed);
            log::info!("Loading: {}0% of {total} bytes read", tenth);
        }
    }
}

impl Persistence {
    /// Nothing was saved or loaded; a server that starts counts as just saved.
    pub fn new() -> Self {
        Self { saves: Saves::new(clock::unix_ms() / 1000), ..Self::default() }
    }
}

/// Removes all keys, whose place others take. Who watches one learns of it.
pub fn drop_all(server: &Server, held: &mut Held<'_>, now_ms: i64) {
    for shard in 0..held.count() {
        for db in 0..server.keyspace.databases() {
            server.keyspace.judge_watches(held, shard, (db, None), now_ms);
            drop(held.shard(shard).take(db));
        }
    }
}

/// What the configuration says of files.
struct Plan {
    place: PathBuf,
    checksum: bool,
    relaxed: bool,
    syncs: bool,
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
            syncs: config.bool(Id::RdbSaveIncrementalFsync),
            is_lfu: policy.ends_with("-lfu"),
            is_lru: policy.ends_with("-lru"),
            style: tunables::style(config),
            told: Told::of(server.program, config),
        }
    }

    fn form(&self) -> Form {
        Form::of(&self.place)
    }

    /// What a file that is written now says of how keys are used.
    fn usages(&self) -> Usages {
        match () {
            () if self.is_lfu => Usages::Frequency,
            () if self.is_lru => Usages::Idle((clock::unix_ms() / 1000) as u32 & 0x00ff_ffff),
            () => Usages::None,
        }
    }
}

/// A file that was opened and whose head is in order.
pub struct File {
    input: Input,
    plan: Plan,
    is_base: bool,
    clash: Clash,
}

impl File {
    /// Opens the data set's file, if there is one.
    pub fn open(server: &Server) -> io::Result<Option<Self>> {
        let plan = Plan::of(server);
        let input = Input::open(&plan.place, plan.checksum)?;
        Ok(input.map(|input| Self { input, plan, is_base: false, clash: Clash::Clear }))
    }

    /// The base of a log, which says itself what expires and when.
    pub fn of_base(server: &Server, place: &Path, input: Input) -> Self {
        let plan = Plan { place: place.to_owned(), ..Plan::of(server) };
        Self { input, plan, is_base: true, clash: Clash::Clear }
    }

    /// Opens another file as this server reads its own; none when it does not exist.
    pub fn input(server: &Server, place: &Path) -> io::Result<Option<Input>> {
        Input::open(place, Plan::of(server).checksum)
    }

    /// Says what becomes of libraries of functions that are there already.
    pub fn with_clash(mut self, clash: Clash) -> Self {
        self.clash = clash;
        self
    }

    /// Its form.
    pub fn form(&self) -> Form {
        self.plan.form()
    }

    /// Reads the file. `begin` is called once its head is known to be in order, `enter` with each
    /// key and the number of its database until it says no. Gives back what may go on behind the
    /// data set, unless that is JSON. With several workers the other cores decode meanwhile.
    pub fn load(
        self,
        server: &Server,
        begin: impl FnOnce(),
        mut enter: impl FnMut(u32, Entry) -> bool,
    ) -> Result<Option<Input>, Error> {
        let helpers = server.workers.len() - 1;
        if helpers > 0 {
            return spread::load((self, helpers), server, begin, enter);
        }
        let enter = |part| match part {
            Part::Key(db, entry) => enter(db, entry),
            Part::Run(..) => unreachable!("nobody asked for runs"),
        };
        self.read(server, begin, enter, false)
    }

    /// As [`Self::load`], but whoever is given a run of keys decodes it.
    pub fn load_runs(
        self,
        server: &Server,
        enter: impl FnMut(Part) -> bool,
    ) -> Result<Option<Input>, Error> {
        self.read(server, || (), enter, true)
    }

    fn read(
        self,
        server: &Server,
        begin: impl FnOnce(),
        mut enter: impl FnMut(Part) -> bool,
        in_runs: bool,
    ) -> Result<Option<Input>, Error> {
        let state = &server.persistence;
        let form = self.plan.form();
        let terms = Terms::now(&self.plan, self.is_base);
        let tunables = server.tunables.load();
        let checksum = self.plan.checksum && tunables.settings.restore.checksum;
        let settings = Settings { relaxed: self.plan.relaxed, checksum };
        if !self.is_base {
            state.progress.begin(self.input.size());
        }
        for count in [&state.keys_loaded, &state.keys_expired, &state.keys_empty] {
            count.store(0, Ordering::Relaxed);
        }
        let rules = terms.rules(server, &tunables.settings.limits);
        let reader = Reader::new(form, self.input, settings, rules)?;
        let mut reader = reader.with_access(terms.now_s, terms.is_lfu);
        begin();
        if self.clash == Clash::Clear {
            state.libraries.replace(Vec::new());
        }
        let (mut db, mut rest) = (0, Rest::default());
        loop {
            let delay = server.tunables.load().key_load_delay;
            let piece = match in_runs && delay == 0 {
                true => reader.next_piece()?,
                false => reader.next_item()?.map(Piece::Item),
            };
            state.progress.reach(reader.position());
            let part = match piece {
                None => return Ok(reader.into_source()),
                Some(Piece::Run(run)) => Part::Run(db, run, terms),
                Some(Piece::Item(Item::Key(key))) => {
                    rest.after_key(delay);
                    match terms.admit(state, key) {
                        Some(entry) => Part::Key(db, entry),
                        None => continue,
                    }
                }
                Some(Piece::Item(mark)) => {
                    match mark {
                        Item::Select(number) => db = checked_database(server, number)?,
                        Item::Aux(name, value) => note(state, &name, &value, clock::unix_ms()),
                        Item::Function(code) => {
                            let replaces = self.clash != Clash::Refuse;
                            let at = reader.position();
                            state
                                .libraries
                                .take_up(code, replaces)
                                .map_err(|what| rdb::Error::Corrupt { at, of: "", what })?;
                        }
                        Item::Sizes(..) | Item::Key(_) => {}
                    }
                    continue;
                }
            };
            if !enter(part) || delay != 0 && server.shutdown.is_complete() {
                return Ok(reader.into_source());
            }
        }
    }
}

/// A part of a file that is being loaded.
pub enum Part {
    /// A key and its database.
    Key(u32, Entry),
    /// Keys of a database that are still to be decoded.
    Run(u32, Run, Terms),
}

/// By what the keys of a file are judged.
#[derive(Clone, Copy)]
pub struct Terms {
    /// What was over by then is left out, Unix milliseconds. The least number for the base of a
    /// log, whose commands say what expires and when.
    since_ms: i64,
    /// The clock of accesses, in seconds.
    now_s: u32,
    is_lfu: bool,
    form: Form,
}

impl Terms {
    fn now(plan: &Plan, is_base: bool) -> Self {
        let now_ms = clock::unix_ms();
        let now_s = (now_ms / 1000) as u32 & 0x00ff_ffff;
        let since_ms = if is_base { i64::MIN } else { now_ms };
        Self { since_ms, now_s, is_lfu: plan.is_lfu, form: plan.form() }
    }

    fn rules<'l>(&self, server: &Server, limits: &'l Limits) -> Rules<'l> {
        Rules { limits, hasher: server.keyspace.key_hash(), since_ms: self.since_ms }
    }

    /// Counts a key; gives its entry unless it is left out.
    fn admit(&self, state: &Persistence, key: Key) -> Option<Entry> {
        let count = match key {
            Key::Faded(_) => return None,
            Key::Empty(key) => {
                if state.keys_empty.fetch_add(1, Ordering::Relaxed) < EMPTY_SHOWN {
                    let (form, key) = (self.form.name(), key.escape_ascii());
                    log::info!("Loading {form}: skipping empty key: {key}");
                }
                return None;
            }
            Key::Live(entry) if !entry.is_over(self.since_ms) => {
                state.keys_loaded.fetch_add(1, Ordering::Relaxed);
                return Some(entry);
            }
            Key::Live(_) => &state.keys_expired,
        };
        count.fetch_add(1, Ordering::Relaxed);
        None
    }

    /// Decodes the keys of a run.
    pub fn decode(
        &self,
        server: &Server,
        run: &Run,
        mut enter: impl FnMut(Entry),
    ) -> Result<(), rdb::Error> {
        let tunables = server.tunables.load();
        let rules = self.rules(server, &tunables.settings.limits);
        run.each_key(rules, (self.now_s, self.is_lfu), |key| {
            if let Some(entry) = self.admit(&server.persistence, key) {
                enter(entry);
            }
        })
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

/// Tells the log what a load has brought.
pub fn tell_loaded(state: &Persistence, form: Form) {
    let empty = state.keys_empty.load(Ordering::Relaxed);
    let form = form.name();
    let (loaded, expired) =
        (state.keys_loaded.load(Ordering::Relaxed), state.keys_expired.load(Ordering::Relaxed));
    let skipped = if empty > 0 { format!(", empty keys skipped: {empty}") } else { String::new() };
    log::info!("Done loading {form}, keys loaded: {loaded}, keys expired: {expired}{skipped}.");
}
