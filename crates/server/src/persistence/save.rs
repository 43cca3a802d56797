//! Saving: when, how it is told, and the form of the file.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::time::Instant;

use keyspace::{Held, Totals};
use persist::disk::Draft;
use persist::form::{self, Writer};
use persist::snapshot::{HandOver, Sheet, Sink, Spell};
use spec::config::Id;

use super::Plan;
use crate::config::Config;
use crate::local::Local;
use crate::server::Server;
use crate::session::State;
use crate::snapshot::{self, Failure, Form, Order, Purpose};
use crate::sys::system_text;
use crate::{allocator, clock, standby, version};

/// Seconds before a save in the background is tried again after one that has failed.
const RETRY_S: i64 = 5;

/// What is known of saves.
pub struct Saves {
    /// When the data set was last saved, Unix seconds.
    pub last_s: AtomicI64,
    /// Saves that were begun.
    pub count: AtomicU64,
    /// Whether a save in the background is to begin when that is possible.
    pub is_scheduled: AtomicBool,
    /// Whether the last one in the background has failed.
    pub has_failed: AtomicBool,
    /// How many seconds the last one took; -1 before the first.
    pub took_s: AtomicI64,
    /// When one was last tried, Unix seconds.
    tried_s: AtomicI64,
}

impl Saves {
    /// Nothing was saved in the background yet; the data set counts as saved now.
    pub fn new(now_s: i64) -> Self {
        Self {
            last_s: AtomicI64::new(now_s),
            count: AtomicU64::new(0),
            is_scheduled: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
            took_s: AtomicI64::new(-1),
            tried_s: AtomicI64::new(0),
        }
    }
}

impl Default for Saves {
    fn default() -> Self {
        Self::new(0)
    }
}

/// The data set was not saved; the log says why.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NotSaved;

/// A file of the data set, as `snapshot` writes it.
pub struct FileForm {
    plan: Plan,
    mark: String,
    is_base: bool,
    has_timed_fields: bool,
}

impl FileForm {
    /// The data set's file, by the configuration.
    fn data_set(server: &Server, mark: String) -> Self {
        Self { plan: Plan::of(server), mark, is_base: false, has_timed_fields: false }
    }

    /// The base of a log of commands, at this place.
    pub fn base(server: &Server, place: PathBuf) -> Self {
        let syncs = server.config.lock().bool(Id::AofRewriteIncrementalFsync);
        let plan = Plan { place, syncs, ..Plan::of(server) };
        Self { plan, mark: background_mark(), is_base: true, has_timed_fields: false }
    }
}

impl Form for FileForm {
    fn open(&mut self, server: &Server, totals: &[Totals]) -> io::Result<Box<dyn Sink>> {
        let plan = &self.plan;
        self.has_timed_fields = totals.iter().any(|totals| totals.volatile > 0);
        let version = plan.style.version_for(self.has_timed_fields);
        let is_rdb = plan.form() == form::Form::Rdb;
        if is_rdb && plan.style.version != 0 && version != plan.style.version {
            log::warn!(
                "The RDB file gets version {version}: hash fields that expire need it, whatever \
                 rdb-version says"
            );
        }
        let draft = Draft::begin(&plan.place, &self.mark)?.with_syncs(plan.syncs);
        let (style, checksum) = (plan.style, plan.checksum);
        let mut writer = Writer::new(plan.form(), draft, style, checksum, self.has_timed_fields);
        write_notes(plan, &mut writer, self.is_base);
        for code in &server.persistence.libraries.all().codes {
            writer.function(code);
        }
        for (db, totals) in totals.iter().enumerate().filter(|(_, totals)| totals.keys > 0) {
            writer.database(db as u32, totals.keys, totals.expires);
        }
        writer.expect_keys(totals.iter().map(|totals| totals.keys).sum());
        Ok(Box::new(writer))
    }

    fn spell(&self, hand_over: HandOver) -> Box<dyn Spell> {
        let (plan, sheet) = (&self.plan, Sheet::new(hand_over));
        plan.form().pieces(plan.style, self.has_timed_fields, plan.usages(), sheet)
    }
}

fn write_notes(plan: &Plan, writer: &mut Writer<Draft>, is_base: bool) {
    let version = format!("{}-ver", plan.told.server);
    writer.aux(version.as_bytes(), plan.told.version.as_bytes());
    writer.aux(b"redis-bits", b"64");
    writer.aux(b"ctime", (clock::unix_ms() / 1000).to_string().as_bytes());
    writer.aux(b"used-mem", allocator::figures().allocated.to_string().as_bytes());
    writer.aux(b"reddle-ver", version::REDDLE.as_bytes());
    writer.aux(b"aof-base", if is_base { b"1" } else { b"0" });
}

/// Saves the data set to its file while the caller holds every shard.
pub fn save(server: &Server, held: &mut Held<'_>) -> Result<(), NotSaved> {
    let saves = &server.persistence.saves;
    saves.count.fetch_add(1, Ordering::Relaxed);
    let dirty = server.sum(|stats| stats.dirty.get());
    let mut form = FileForm::data_set(server, mark());
    match snapshot::write_all(server, held, &mut form) {
        Ok(()) => {
            log::info!("DB saved on disk");
            has_saved(server, dirty);
            Ok(())
        }
        Err(error) => {
            log::warn!("Error saving DB on disk: {}", system_text(&error));
            Err(NotSaved)
        }
    }
}

fn has_saved(server: &Server, dirty: u64) {
    let saves = &server.persistence.saves;
    server.saved_dirty.store(dirty, Ordering::Relaxed);
    saves.last_s.store(clock::unix_ms() / 1000, Ordering::Relaxed);
    saves.has_failed.store(false, Ordering::Relaxed);
    judge(server);
}

/// What follows when all keys were removed: a save under way is given up, and with save points the
/// file is to be as empty as the data set.
pub fn save_emptied(server: &Server, held: &mut Held<'_>) {
    server.persistence.snapshots.cancel(Purpose::Save);
    if server.state().any(State::LOADING) {
        return;
    }
    if !server.config.lock().save_points().is_empty() {
        // The log has said why, and nobody waits for it.
        save(server, held).ok();
    }
}

/// Begins to save in the background; the caller holds every shard, and no snapshot is under way.
pub fn background(server: &Server, held: &mut Held<'_>) -> Result<(), NotSaved> {
    let saves = &server.persistence.saves;
    saves.count.fetch_add(1, Ordering::Relaxed);
    saves.tried_s.store(clock::unix_ms() / 1000, Ordering::Relaxed);
    let dirty = server.sum(|stats| stats.dirty.get());
    let began = Instant::now();
    let order = Order {
        purpose: Purpose::Save,
        form: Box::new(FileForm::data_set(server, background_mark())),
        on_end: Box::new(move |server, result| ended(server, result, dirty, began)),
    };
    if let Err(error) = snapshot::begin(server, held, order, || Ok(())) {
        log::warn!("Can't save in background: {}", system_text(&error));
        saves.has_failed.store(true, Ordering::Relaxed);
        judge(server);
        return Err(NotSaved);
    }
    log::info!("Background saving started");
    Ok(())
}

fn ended(server: &Server, result: Result<(), Failure>, dirty: u64, began: Instant) {
    let saves = &server.persistence.saves;
    saves.took_s.store(began.elapsed().as_secs() as i64, Ordering::Relaxed);
    match result {
        Ok(()) => {
            log::info!("DB saved on disk");
            log::info!("Background saving terminated with success");
            has_saved(server, dirty);
        }
        Err(Failure::Cancelled) => log::warn!("Background saving was given up"),
        Err(Failure::Io(error)) => {
            log::warn!("Error saving DB on disk: {}", system_text(&error));
            log::warn!("Background saving error");
            saves.has_failed.store(true, Ordering::Relaxed);
            judge(server);
        }
    }
}

fn judge(server: &Server) {
    judge_by(server, &server.config.lock());
}

/// Refuses writes from now on, or no longer, by the last save and by the configuration.
pub fn judge_by(server: &Server, config: &Config) {
    let has_failed = server.persistence.saves.has_failed.load(Ordering::Relaxed);
    let refuses = config.bool(Id::StopWritesOnBgsaveError) && !config.save_points().is_empty();
    server.put_state(State::UNSAVED, has_failed && refuses);
}

/// Begins what is due by the save points, or was scheduled; periodic work of one worker.
pub fn tick(server: &Server, local: &mut Local) {
    let state = &server.persistence;
    if state.snapshots.is_active() || server.state().any(State::LOADING) {
        return;
    }
    let (saves, now_s) = (&state.saves, clock::unix_ms() / 1000);
    let is_rested = now_s - saves.tried_s.load(Ordering::Relaxed) > RETRY_S;
    if !is_rested && saves.has_failed.load(Ordering::Relaxed) {
        return;
    }
    let (dirty, age_s) = (server.dirty(), now_s - saves.last_s.load(Ordering::Relaxed));
    let reached = server
        .config
        .lock()
        .save_points()
        .iter()
        .copied()
        .find(|point| dirty >= point.changes as u64 && age_s > point.seconds);
    if let Some(point) = reached {
        log::info!("{} changes in {} seconds. Saving...", point.changes, point.seconds);
    } else if !saves.is_scheduled.load(Ordering::Relaxed) {
        return;
    }
    let alone = standby::alone(server, local);
    let mut held = server.keyspace.shards().hold_all(&alone);
    if !state.snapshots.is_active() && background(server, &mut held).is_ok() {
        saves.is_scheduled.store(false, Ordering::Relaxed);
    }
}

/// Removes what a save leaves that the end of the process cuts short.
pub fn abandon(server: &Server) {
    // Whoever holds the configuration may never let go, and this process is to end now.
    if let Some(config) = server.config.try_lock()
        && let Some(place) = config.path(Id::Dbfilename)
    {
        let place: &Path = place;
        Draft::abandon(place, &mark());
        Draft::abandon(place, &background_mark());
    }
}

/// What tells this process's drafts from others'.
fn mark() -> String {
    std::process::id().to_string()
}

/// The same for one that is written in the background: beside it the data set may be saved.
fn background_mark() -> String {
    format!("{}-background", mark())
}
