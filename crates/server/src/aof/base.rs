//! The base of a log: the data at one moment, as RDB or as commands.

use persist::disk;
use spec::config::Id;

use super::Files;
use crate::listen::system_text;
use crate::persistence;
use crate::server::Server;

/// Makes a base for a log that begins with nothing.
pub fn create_empty(server: &Server, files: &mut Files) -> Result<(), String> {
    let is_rdb = server.config.lock().bool(Id::AofUseRdbPreamble);
    let mut manifest = files.manifest.clone();
    let name = manifest.next_base(&files.names, is_rdb).name.clone();
    let place = files.path(&name);
    let made = if is_rdb {
        persistence::write_empty_base(server, &place)
    } else {
        disk::replace(&place, &files.path(&files.draft_base()), &[])
    };
    log::info!("Creating AOF base file {} on server start", name.display());
    made.and_then(|()| files.put(manifest)).map_err(|error| {
        let (name, reason) = (name.display(), system_text(&error));
        format!("Can't create the append-only file {name}: {reason}")
    })
}
