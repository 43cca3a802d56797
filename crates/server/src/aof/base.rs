//! The base of a log: the data at one moment, as RDB or as commands.

use std::io;
use std::path::PathBuf;

use keyspace::Totals;
use persist::aof::Spelling;
use persist::disk::{self, Draft};
use persist::snapshot::{HandOver, Sheet, Sink, Spell};
use resp::value::encode_command;
use spec::config::Id;

use super::{Files, files};
use crate::clock;
use crate::persistence::FileForm;
use crate::server::Server;
use crate::snapshot::{self, Form};
use crate::sys::system_text;

/// Makes a base for a log that begins with nothing.
pub fn create_empty(server: &Server, files: &mut Files) -> Result<(), String> {
    let is_rdb = server.config.lock().bool(Id::AofUseRdbPreamble);
    let mut manifest = files.manifest.clone();
    let name = manifest.next_base(&files.names, is_rdb).name.clone();
    let place = files.path(&name);
    let made = if is_rdb {
        let alone = server.keyspace.alone();
        let mut held = server.keyspace.shards().hold_all(&alone);
        snapshot::write_all(server, &mut held, &mut FileForm::base(server, place))
    } else {
        disk::replace(&place, &files.path(&files.draft_base()), &[])
    };
    log::info!("Creating AOF base file {} on server start", name.display());
    made.and_then(|()| files.put(manifest)).map_err(|error| {
        let (name, reason) = (name.display(), system_text(&error));
        format!("Can't create the append-only file {name}: {reason}")
    })
}

/// The form of the next base, and whether it is RDB. It gets its name at once; the manifest names
/// it when it is whole.
pub fn order(server: &Server) -> io::Result<(Box<dyn Form>, bool)> {
    let (is_rdb, annotates, syncs) = {
        let config = server.config.lock();
        let is = |id| config.bool(id);
        let is_rdb = is(Id::AofUseRdbPreamble);
        (is_rdb, is(Id::AofTimestampEnabled), is(Id::AofRewriteIncrementalFsync))
    };
    let files = server.aof.files.lock();
    files.make_folder().map_err(io::Error::other)?;
    let name = files.manifest.clone().next_base(&files.names, is_rdb).name.clone();
    let place = files.path(&name);
    let form: Box<dyn Form> = match is_rdb {
        true => Box::new(FileForm::base(server, place)),
        false => Box::new(Commands { place, annotates, syncs }),
    };
    Ok((form, is_rdb))
}

/// Removes a base that was written and is not wanted.
pub fn forget(server: &Server) {
    let files = server.aof.files.lock();
    for is_rdb in [true, false] {
        let name = files.manifest.clone().next_base(&files.names, is_rdb).name.clone();
        files::remove(&files.path(&name));
    }
}

/// A base as commands.
struct Commands {
    place: PathBuf,
    annotates: bool,
    syncs: bool,
}

impl Form for Commands {
    fn open(&mut self, server: &Server, _: &[Totals]) -> io::Result<Box<dyn Sink>> {
        let mark = format!("rewriteaof-bg-{}", std::process::id());
        let mut draft = Draft::begin(&self.place, &mark)?.with_syncs(self.syncs);
        if self.annotates {
            let now_s = clock::unix_ms() / 1000;
            persist::rdb::Out::put(&mut draft, format!("#TS:{now_s}\r\n").as_bytes());
        }
        for code in &server.persistence.libraries.all().codes {
            let mut command = Vec::new();
            encode_command(&mut command, &[&b"FUNCTION"[..], b"LOAD", code]);
            persist::rdb::Out::put(&mut draft, &command);
        }
        Ok(Box::new(Output(draft)))
    }

    fn spell(&self, hand_over: HandOver) -> Box<dyn Spell> {
        Box::new(Spelling::new(Sheet::new(hand_over)))
    }
}

/// The file that the commands go to.
struct Output(Draft);

impl Sink for Output {
    fn put(&mut self, piece: &[u8]) {
        persist::rdb::Out::put(&mut self.0, piece);
    }

    fn forward(&mut self) -> bool {
        self.0.forward()
    }

    fn has_failed(&self) -> bool {
        self.0.has_failed()
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.0.finish()
    }
}
