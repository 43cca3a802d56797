//! The rewrite: a new base, taken as a snapshot while clients go on, and an increment that begins
//! at the same moment.
//!
//! Invariant: what the manifest names is whole at every moment. The new increment is named once the
//! one before it is on the disk, and before anything is written to it; the new base once it is on
//! the disk; only then what both replace becomes history. Syncs are waited for by the sink and by
//! the snapshot's thread, never while shards are held and not by workers (but with `appendfsync
//! always`). A log that is turned on while the server runs begins with a rewrite, and its files are
//! named when that has come to its end.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use keyspace::{Held, Totals, Wants};
use parking_lot::Mutex;
use persist::disk::{self, Append};
use persist::snapshot::{HandOver, Sink, Spell};
use spec::config::Id;

use super::{Files, Next, Phase, base, files, heal, sink, wait};
use crate::local::Local;
use crate::server::Server;
use crate::session::State;
use crate::snapshot::{self, Failure, Form, Order, Purpose};
use crate::standby;
use crate::sys::system_text;

/// Rewrites that may fail one after the other before the next one waits.
const FAILURES_MAX: u32 = 3;
/// Between two bits of the old files that leave memory.
const LET_GO_PAUSE: Duration = Duration::from_micros(40);
/// Minutes that it waits at most.
const MINUTES_MAX: u64 = 60;

/// What is known of rewrites.
pub struct Rewrites {
    /// Whether one is to begin when that is possible.
    pub is_scheduled: AtomicBool,
    /// Whether the last one has failed.
    pub has_failed: AtomicBool,
    /// Rewrites that were begun.
    pub count: AtomicU64,
    /// How many have failed since the last one that did not.
    pub failures: AtomicU32,
    /// How many seconds the last one took; -1 before the first.
    pub took_s: AtomicI64,
    limit: Mutex<Limit>,
}

impl Default for Rewrites {
    fn default() -> Self {
        Self {
            is_scheduled: AtomicBool::new(false),
            has_failed: AtomicBool::new(false),
            count: AtomicU64::new(0),
            failures: AtomicU32::new(0),
            took_s: AtomicI64::new(-1),
            limit: Mutex::default(),
        }
    }
}

/// Until when the next one waits after several that have failed.
#[derive(Default)]
struct Limit {
    minutes: u64,
    until: Option<Instant>,
}

impl Rewrites {
    /// Whether so many have failed that the next one waits.
    fn must_wait(&self) -> bool {
        let mut limit = self.limit.lock();
        if self.failures.load(Ordering::Relaxed) < FAILURES_MAX {
            *limit = Limit::default();
            return false;
        }
        match limit.until {
            Some(until) if Instant::now() < until => true,
            Some(_) => {
                limit.until = None;
                false
            }
            None => {
                limit.minutes = (limit.minutes * 2).clamp(1, MINUTES_MAX);
                limit.until = Some(Instant::now() + Duration::from_secs(60 * limit.minutes));
                log::warn!(
                    "Background AOF rewrite has repeatedly failed and triggered the limit, will \
                     retry in {} minutes",
                    limit.minutes
                );
                true
            }
        }
    }
}

/// Whether one is under way.
pub fn is_under_way(server: &Server) -> bool {
    server.persistence.snapshots.purpose() == Some(Purpose::Rewrite)
}

/// Begins one; every shard is held and no snapshot is under way. The log says why it failed.
pub fn begin(server: &Server, held: &mut Held<'_>) -> io::Result<()> {
    let rewrites = &server.aof.rewrites;
    rewrites.is_scheduled.store(false, Ordering::Relaxed);
    rewrites.count.fetch_add(1, Ordering::Relaxed);
    let (phase, began) = (server.aof.phase(), Instant::now());
    let result = base::order(server).and_then(|(form, is_rdb)| {
        let adoption = Arc::new(Adoption::new(server, phase, is_rdb));
        let order = Order {
            purpose: Purpose::Rewrite,
            form: Box::new(Adopted { form, adoption: Arc::clone(&adoption) }),
            on_end: Box::new(move |server, result| ended(server, result, phase, began)),
        };
        snapshot::begin(server, held, order, || at_epoch(server, phase, &adoption))
    });
    match &result {
        Ok(()) => {
            server.aof.is_rewriting.store(true, Ordering::SeqCst);
            log::info!("Background append only file rewriting started");
        }
        Err(error) => {
            log::warn!("Can't rewrite append only file in background: {}", system_text(error));
            has_failed(server);
        }
    }
    result
}

/// From this moment on the log goes on in a new increment.
fn at_epoch(server: &Server, phase: Phase, adoption: &Adoption) -> io::Result<()> {
    let aof = &server.aof;
    let mut files = aof.files.lock();
    let next = match phase {
        Phase::Off => return Ok(()),
        Phase::On => {
            let (name, file) = files.create_upcoming()?;
            log::info!("Creating AOF incr file {} on background rewrite", name.display());
            *adoption.increment.lock() = Some(name.clone());
            Next::Increment(name, file)
        }
        Phase::Waits => {
            let name = files.names.draft_increment();
            let file = Append::create(&files.path(&name))?;
            log::info!("Creating AOF incr file {} on background rewrite", name.display());
            Next::File(file)
        }
    };
    aof.go_on_in(next);
    server.wants.fetch_or(Wants::LOG.0, Ordering::SeqCst);
    aof.ring();
    Ok(())
}

/// Names the increment that the stream has reached; whether it may go on in it. When that fails
/// the stream stays where it is, and the rewrite comes to nothing.
pub(super) fn name_increment(server: &Server, name: &OsStr) -> bool {
    let named = server.aof.files.lock().name_upcoming(name);
    named.unwrap_or_else(|error| {
        log::warn!("Can't rewrite append only file in background: {}", system_text(&error));
        has_failed(server);
        server.persistence.snapshots.cancel(Purpose::Rewrite);
        false
    })
}

fn ended(server: &Server, result: Result<(), Failure>, phase: Phase, began: Instant) {
    let aof = &server.aof;
    aof.is_rewriting.store(false, Ordering::SeqCst);
    aof.rewrites.took_s.store(began.elapsed().as_secs() as i64, Ordering::Relaxed);
    // What the log was turned off in the middle of is not wanted any more.
    let is_wanted = phase == aof.phase();
    match result {
        Ok(()) if is_wanted => {
            log::info!("Background AOF rewrite terminated with success");
            log::info!("Background AOF rewrite finished successfully");
            aof.rewrites.has_failed.store(false, Ordering::Relaxed);
            aof.rewrites.failures.store(0, Ordering::Relaxed);
            if phase == Phase::Waits {
                aof.put_phase(Phase::On);
            }
            let size = aof.files.lock().size();
            aof.figures.size.store(size, Ordering::SeqCst);
            aof.figures.base_size.store(size, Ordering::SeqCst);
            wait::look(server);
            if aof.trouble().is_some() {
                sink::skip(server);
            }
            return;
        }
        Ok(()) | Err(Failure::Cancelled) => log::info!("Background AOF rewrite was given up"),
        Err(Failure::Io(error)) => {
            log::warn!("Background AOF rewrite terminated with error: {}", system_text(&error));
            has_failed(server);
        }
    }
    give_up(server, phase, is_wanted);
}

/// Leaves nothing of a rewrite that has failed.
fn give_up(server: &Server, phase: Phase, is_wanted: bool) {
    let aof = &server.aof;
    base::forget(server);
    if phase == Phase::Waits {
        if is_wanted {
            server.wants.fetch_and(!Wants::LOG.0, Ordering::SeqCst);
            aof.go_on_in(Next::Nothing);
            sink::flush(server, false);
            aof.rewrites.is_scheduled.store(true, Ordering::Relaxed);
        }
        let files = aof.files.lock();
        let name = files.names.draft_increment();
        log::info!("Removing the temp incr aof file {} in the background", name.display());
        files::remove(&files.path(&name));
    }
}

fn has_failed(server: &Server) {
    let rewrites = &server.aof.rewrites;
    rewrites.has_failed.store(true, Ordering::Relaxed);
    rewrites.failures.fetch_add(1, Ordering::Relaxed);
    if server.aof.phase() == Phase::Waits {
        rewrites.is_scheduled.store(true, Ordering::Relaxed);
    }
}

/// What makes the new base, and the increment that began with it, the files of the log.
struct Adoption {
    files: Arc<Mutex<Files>>,
    /// The increment that began with the base, unless it has a name for the time being.
    increment: Mutex<Option<OsString>>,
    is_first: bool,
    is_rdb: bool,
    collects: bool,
}

impl Adoption {
    fn new(server: &Server, phase: Phase, is_rdb: bool) -> Self {
        Self {
            files: Arc::clone(&server.aof.files),
            increment: Mutex::new(None),
            is_first: phase == Phase::Waits,
            is_rdb,
            collects: !server.config.lock().bool(Id::AofDisableAutoGc),
        }
    }

    /// Lets the files that are to be removed leave memory.
    fn let_go(&self) {
        if self.collects {
            let files = self.files.lock();
            let paths = files.manifest.parts().map(|(part, _)| files.path(&part.name));
            let paths: Vec<PathBuf> = paths.collect();
            drop(files);
            paths.iter().for_each(|path| disk::let_go(path, LET_GO_PAUSE));
        }
    }

    fn run(&self) -> io::Result<()> {
        let mut files = self.files.lock();
        let increment = self.increment.lock();
        if increment.is_some() && *increment == files.lost {
            return Err(io::Error::other("its increment could not be named"));
        }
        let mut manifest = files.manifest.clone();
        manifest.next_base(&files.names, self.is_rdb);
        files.take_upcoming(&mut manifest);
        manifest.retire_increments(usize::from(increment.is_some()));
        if self.is_first {
            let draft = files.names.draft_increment();
            let name = manifest.next_increment(&files.names).name.clone();
            disk::rename(&files.path(&draft), &files.path(&name))?;
            disk::sync_folder(&files.folder)?;
            log::info!(
                "Successfully renamed the temporary AOF incr file {} into {}",
                draft.display(),
                name.display()
            );
        }
        let result = files.put(manifest);
        files.settle_upcoming();
        result?;
        if self.collects {
            files.remove_history();
        }
        Ok(())
    }
}

/// A base that becomes one of the log's files as soon as it is written, on the same thread.
struct Adopted {
    form: Box<dyn Form>,
    adoption: Arc<Adoption>,
}

impl Form for Adopted {
    fn open(&mut self, server: &Server, totals: &[Totals]) -> io::Result<Box<dyn Sink>> {
        let sink = self.form.open(server, totals)?;
        Ok(Box::new(Adopting { sink, adoption: Arc::clone(&self.adoption) }))
    }

    fn spell(&self, hand_over: HandOver) -> Box<dyn Spell> {
        self.form.spell(hand_over)
    }
}

struct Adopting {
    sink: Box<dyn Sink>,
    adoption: Arc<Adoption>,
}

impl Sink for Adopting {
    fn put(&mut self, piece: &[u8]) {
        self.sink.put(piece);
    }

    fn forward(&mut self) -> bool {
        self.sink.forward()
    }

    fn has_failed(&self) -> bool {
        self.sink.has_failed()
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.sink.finish()?;
        self.adoption.let_go();
        self.adoption.run()
    }
}

/// Begins what is due because the log has grown, or was scheduled; periodic work of one worker.
pub fn tick(server: &Server, local: &mut Local) {
    let (aof, snapshots) = (&server.aof, &server.persistence.snapshots);
    if snapshots.is_active() || server.state().any(State::LOADING) {
        return;
    }
    let is_scheduled = aof.rewrites.is_scheduled.load(Ordering::Relaxed);
    let growth = if is_scheduled { None } else { growth(server) };
    if !is_scheduled && growth.is_none() || aof.rewrites.must_wait() {
        return;
    }
    if let Some(percent) = growth {
        log::info!("Starting automatic rewriting of AOF on {percent}% growth");
    }
    let alone = standby::alone(server, local);
    let mut held = server.keyspace.shards().hold_all(&alone);
    if !snapshots.is_active() {
        // The log has said why it failed, and it is tried again.
        begin(server, &mut held).ok();
    }
}

/// By how many percent the log has grown, if that is a reason to rewrite it.
fn growth(server: &Server) -> Option<u64> {
    let aof = &server.aof;
    if aof.phase() != Phase::On {
        return None;
    }
    let config = server.config.lock();
    let (enough, least) = (
        config.int(Id::AutoAofRewritePercentage).max(0) as u64,
        config.memory(Id::AutoAofRewriteMinSize),
    );
    let size = aof.figures.size.load(Ordering::Relaxed);
    let base = aof.figures.base_size.load(Ordering::Relaxed).max(1);
    let percent = (size.saturating_mul(100) / base).saturating_sub(100);
    (enough > 0 && size > least && percent >= enough).then_some(percent)
}

/// Turns the log on while the server runs: it begins with a rewrite. Every shard is held. In the
/// middle of a transaction the rewrite is left for later: what the transaction has done so far
/// would be in the base, and in the log again.
pub fn turn_on(server: &Server, held: &mut Held<'_>, in_transaction: bool) -> Result<(), String> {
    let aof = &server.aof;
    aof.files.lock().make_folder()?;
    aof.put_phase(Phase::Waits);
    let snapshots = &server.persistence.snapshots;
    if is_under_way(server) {
        log::info!(
            "AOF was enabled but there is already an AOF rewriting in background. Stopping \
             background AOF and starting a rewrite now."
        );
        snapshots.cancel(Purpose::Rewrite);
        aof.rewrites.is_scheduled.store(true, Ordering::Relaxed);
        return Ok(());
    }
    if snapshots.is_active() || in_transaction {
        log::info!(
            "AOF was enabled but there is already another background operation. An AOF background \
             was scheduled to start when possible."
        );
        aof.rewrites.is_scheduled.store(true, Ordering::Relaxed);
        return Ok(());
    }
    begin(server, held).map_err(|error| {
        aof.put_phase(Phase::Off);
        aof.rewrites.is_scheduled.store(false, Ordering::Relaxed);
        system_text(&error)
    })
}

/// Turns the log off; every shard is held. What was written stays where it is.
pub fn turn_off(server: &Server) {
    let aof = &server.aof;
    if aof.rewrites.is_scheduled.swap(false, Ordering::Relaxed) {
        log::info!("AOF was disabled but there is a scheduled AOF background, cancel it.");
    }
    if server.persistence.snapshots.cancel(Purpose::Rewrite) {
        log::info!("Killing running AOF rewrite");
    }
    server.wants.fetch_and(!Wants::LOG.0, Ordering::SeqCst);
    aof.put_phase(Phase::Off);
    aof.go_on_in(Next::Nothing);
    sink::flush(server, true);
    heal(server);
    wait::look(server);
}
