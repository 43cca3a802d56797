//! The log at a start: read, run, and gone on with.
//!
//! One thread reads the base and the increments; workers take in what it has read (`feed` of
//! `persistence`, and `replay`). A file that is damaged stops the start and stays as it is; only
//! the end of the last one, which may be torn when the machine stopped, is cut off.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::{self, JoinHandle};
use std::time::Instant;

use keyspace::{Entered, Entry, Held, Stamp, Wants};
use persist::aof::{self, End, Kind, Log, Record, Tail};
use persist::disk::{self, Append, Input};
use persist::form::{Error, Form};
use persist::rdb::Peek;
use spec::config::Id;

use super::replay::{Batch, Player};
use super::{Next, Phase, base};
use crate::clock;
use crate::local::Local;
use crate::mailbox::Message;
use crate::persistence::{self, File};
use crate::server::Server;
use crate::session::State;
use crate::sys::system_text;

/// Bytes by which the two kinds of files are told apart.
const HEAD: usize = 6;

/// Takes in what a log says.
trait Target {
    /// Takes the keys of a base; gives back what follows it.
    fn read(&mut self, server: &Server, file: File) -> Result<Option<Input>, Error>;
    /// Runs commands; the batch is empty then.
    fn run(&mut self, batch: &mut Batch) -> Result<(), String>;
    /// Returns once everything is in; what follows comes from another file.
    fn settle(&mut self) -> Result<(), String>;
}

/// Begins to load the log, if there is one, or begins one. No worker runs yet. The thread ends when
/// everything is in; its error is the reason why the server must not go on.
pub fn begin(server: &Arc<Server>) -> Result<Option<JoinHandle<Result<(), String>>>, String> {
    let is_begun = begin_empty(server);
    if is_begun == Ok(true) {
        return Ok(None);
    }
    server.put_state(State::LOADING, true);
    let server = Arc::clone(server);
    let run = move || {
        let result = is_begun.and_then(|_| load_and_go_on(&server));
        // Nobody is to see the half of a log that was refused.
        server.put_state(State::LOADING, result.is_err());
        server.tell_all(|| Message::Look);
        result
    };
    let thread = thread::Builder::new().name("loader".to_owned()).spawn(run);
    thread.map(Some).map_err(|error| system_text(&error))
}

/// Begins a log where there is none; false when there is one to load.
fn begin_empty(server: &Server) -> Result<bool, String> {
    let is_empty = {
        let mut files = server.aof.files.lock();
        files.find()?;
        files.manifest.is_empty()
    };
    if is_empty {
        go_on(server)?;
    }
    Ok(is_empty)
}

fn load_and_go_on(server: &Server) -> Result<(), String> {
    let began = Instant::now();
    load(server, &mut Workers { server, keys: Vec::new() })?;
    if server.shutdown.is_complete() {
        return Ok(());
    }
    log::info!("DB loaded from append only file: {:.3} seconds", began.elapsed().as_secs_f64());
    let dirty = server.sum(|stats| stats.dirty.get());
    server.saved_dirty.store(dirty, Ordering::Relaxed);
    go_on(server)
}

/// Opens the log for what happens from now on. Clients cannot change anything yet.
fn go_on(server: &Server) -> Result<(), String> {
    let aof = &server.aof;
    let mut files = aof.files.lock();
    files.make_folder()?;
    if files.manifest.is_empty() {
        base::create_empty(server, &mut files)?;
    }
    let file: Append = files.open_increment()?;
    if !server.config.lock().bool(Id::AofDisableAutoGc) {
        files.remove_history();
    }
    let size = files.size();
    drop(files);
    aof.figures.size.store(size, Ordering::SeqCst);
    aof.figures.base_size.store(size, Ordering::SeqCst);
    aof.go_on_in(Next::File(file));
    aof.put_phase(Phase::On);
    aof.ring();
    server.wants.fetch_or(Wants::LOG.0, Ordering::SeqCst);
    super::flush(server, false);
    Ok(())
}

/// Puts the data of the log in the place of those that are there; the caller is alone and the log
/// is written out.
pub fn reload<'k>(
    server: &'k Server,
    local: &mut Local,
    held: &mut Held<'k>,
) -> Result<(), String> {
    server.aof.files.lock().find()?;
    let stamp = Stamp::new(clock::unix_ms(), &local.tunables.usage, || 1.0);
    persistence::drop_all(server, held, stamp.now_ms);
    server.persistence.libraries.replace(Vec::new());
    let wants = Wants(server.wants.load(Ordering::Relaxed));
    let player = Player::new();
    let mut target = Directly { server, local, held, player, stamp, has_doubled: false };
    let result = load(server, &mut target);
    local.change.set_wants(wants);
    result
}

fn load(server: &Server, target: &mut impl Target) -> Result<(), String> {
    let (parts, total) = {
        let files = server.aof.files.lock();
        let part = |(part, kind): (&aof::Part, Kind)| (files.path(&part.name), kind);
        (files.manifest.parts().map(part).collect::<Vec<_>>(), files.size())
    };
    server.persistence.progress.begin(total);
    let mut before = 0;
    for (at, (place, kind)) in parts.iter().enumerate() {
        let began = Instant::now();
        // Nothing gets into a file before the one in front of it is on the disk: behind an end that
        // a crash has torn there are empty files at most, those of a rewrite that had just begun.
        let is_empty = |place: &Path| disk::size(place).is_ok_and(|size| size == 0);
        let is_last = parts[at + 1..].iter().all(|(place, _)| is_empty(place));
        let reading = Reading { server, place, before, is_last };
        before += reading.load(*kind, target)?;
        target.settle()?;
        let kind = if *kind == Kind::Base { "base" } else { "incr" };
        let name = place.file_name().unwrap_or_default().display();
        log::info!(
            "DB loaded from {kind} file {name}: {:.3} seconds",
            began.elapsed().as_secs_f64()
        );
    }
    Ok(())
}

/// One file that is being read.
struct Reading<'a> {
    server: &'a Server,
    place: &'a Path,
    /// Bytes of the files before it.
    before: u64,
    is_last: bool,
}

impl Reading<'_> {
    /// Loads the file; how many bytes it has.
    fn load(&self, kind: Kind, target: &mut impl Target) -> Result<u64, String> {
        let name = self.place.display();
        let input = File::input(self.server, self.place);
        let mut input = match input {
            Ok(Some(input)) => input,
            Ok(None) => {
                return Err(format!(
                    "The append log file {name} doesn't exist: No such file or directory"
                ));
            }
            Err(error) => {
                let reason = system_text(&error);
                return Err(format!("can't open the append log file {name} for reading: {reason}"));
            }
        };
        let size = Input::size(&input);
        while input.ahead().len() < HEAD && input.more().map_err(|error| system_text(&error))? {}
        if aof::is_rdb(input.ahead()) {
            let Some(rest) = self.load_rdb(kind, input, target)? else { return Ok(size) };
            input = rest;
        }
        input.forget_sum();
        self.load_commands(Log::new(input), target)?;
        Ok(size)
    }

    fn load_rdb(
        &self,
        kind: Kind,
        input: Input,
        target: &mut impl Target,
    ) -> Result<Option<Input>, String> {
        match kind {
            Kind::Base => log::info!("Reading RDB base file on AOF loading..."),
            _ => log::info!("Reading RDB preamble from AOF file..."),
        }
        let file = File::of_base(self.server, self.place, input);
        let result = target.read(self.server, file);
        let told = |error: String| {
            let name = self.place.display();
            format!("Error reading the RDB base file {name}, AOF loading aborted: {error}")
        };
        target.settle().map_err(told)?;
        let rest = result.map_err(|error| told(error.to_string()))?;
        persistence::tell_loaded(&self.server.persistence, Form::Rdb);
        Ok(rest)
    }

    fn load_commands(&self, mut log: Log<Input>, target: &mut impl Target) -> Result<(), String> {
        let name = self.place.display();
        let progress = &self.server.persistence.progress;
        let (mut batch, mut transaction) = (Batch::default(), Batch::default());
        let end = loop {
            match log.next_record() {
                Ok(Some(Record::Command(command))) => {
                    if command.in_transaction {
                        transaction.push(command.args());
                    } else {
                        batch.push(command.args());
                    }
                    if command.name().eq_ignore_ascii_case(b"EXEC") {
                        batch.append(&mut transaction);
                    }
                }
                Ok(Some(Record::Note { .. })) => {}
                Ok(None) => break log.end(),
                Err(error) => {
                    return Err(format!(
                        "Bad file format reading the append only file {name}: {error}. Nothing of \
                         it was changed: make a backup, then use ./redis-check-aof --fix \
                         <filename.manifest>"
                    ));
                }
            }
            if batch.is_full() {
                progress.read.store(self.before + log.position(), Ordering::Relaxed);
                target.run(&mut batch)?;
            }
        };
        target.run(&mut batch)?;
        progress.read.store(self.before + log.position(), Ordering::Relaxed);
        if end.tail == Tail::Whole { Ok(()) } else { self.cut(end) }
    }

    /// Cuts off the end of the last file, if that is wanted.
    fn cut(&self, end: End) -> Result<(), String> {
        let name = self.place.display();
        let what = match end.tail {
            Tail::Whole => return Ok(()),
            Tail::Torn => "a command is cut short",
            Tail::Zeros => "it ends with zeros",
            Tail::Open => "a transaction has no end",
        };
        if end.multi.is_some() {
            log::warn!("Revert incomplete MULTI/EXEC transaction in AOF file {name}");
        }
        if !self.is_last {
            return Err(format!(
                "the truncated file is not the last file: {name}, {what} at byte {}",
                end.keep
            ));
        }
        if !self.server.config.lock().bool(Id::AofLoadTruncated) {
            return Err(format!(
                "Unexpected end of file reading the append only file {name}: {what} at byte {}. \
                 You can: 1) Make a backup of your AOF file, then use ./redis-check-aof --fix \
                 <filename.manifest>. 2) Alternatively you can set the 'aof-load-truncated' \
                 configuration option to yes and restart the server",
                end.keep
            ));
        }
        log::warn!("!!! Warning: short read while loading the AOF file {name}!!!");
        log::warn!(
            "!!! Truncating the AOF {name} at offset {}: {what}, {} bytes are cut off !!!",
            end.keep,
            end.cut()
        );
        disk::cut(self.place, end.keep).map_err(|error| {
            format!("Error truncating the AOF file {name}: {}", system_text(&error))
        })?;
        log::warn!("AOF {name} loaded anyway because aof-load-truncated is enabled");
        Ok(())
    }
}

/// The workers of a server that starts.
struct Workers<'a> {
    server: &'a Server,
    keys: persistence::Batch,
}

impl Target for Workers<'_> {
    fn read(&mut self, server: &Server, file: File) -> Result<Option<Input>, Error> {
        let feed = &server.persistence.feed;
        file.load_runs(server, |part| feed.take(server, part, &mut self.keys))
    }

    fn run(&mut self, batch: &mut Batch) -> Result<(), String> {
        self.server.aof.replay.hand_over(self.server, batch)
    }

    fn settle(&mut self) -> Result<(), String> {
        let server = self.server;
        server.persistence.feed.finish(server, &mut self.keys)?;
        server.aof.replay.settle(server)?;
        server.aof.replay.begin_file();
        Ok(())
    }
}

/// The data themselves, all held.
struct Directly<'a, 'k> {
    server: &'k Server,
    local: &'a mut Local,
    held: &'a mut Held<'k>,
    player: Player,
    stamp: Stamp,
    has_doubled: bool,
}

impl Directly<'_, '_> {
    fn enter(&mut self, db: u32, entry: Entry) -> bool {
        let keyspace = &self.server.keyspace;
        match keyspace.enter_entry(self.held, db, entry, false, self.stamp) {
            Entered::Yes(lanes) => self.local.key_stats.lanes_lowered |= lanes,
            Entered::Taken(_) => self.has_doubled = true,
        }
        !self.has_doubled
    }
}

impl Target for Directly<'_, '_> {
    fn read(&mut self, server: &Server, file: File) -> Result<Option<Input>, Error> {
        file.load(server, || (), |db, entry| self.enter(db, entry))
    }

    fn run(&mut self, batch: &mut Batch) -> Result<(), String> {
        let batch = std::mem::take(batch);
        self.player.run(self.server, self.local, self.held, &batch)
    }

    fn settle(&mut self) -> Result<(), String> {
        self.player.begin_file();
        match self.has_doubled {
            true => Err("a key stands in the base twice".to_owned()),
            false => Ok(()),
        }
    }
}
