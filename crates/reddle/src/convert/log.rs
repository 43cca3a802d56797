//! Append-only logs at either end of a conversion: a folder with a base and a manifest.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::path::{Path, PathBuf};

use persist::aof::{Manifest, Names};
use persist::disk::{self, Draft};
use persist::rdb::Out;

/// What servers call their logs unless they are told otherwise.
const NAME: &str = "appendonly.aof";

/// What a log holds.
pub(super) enum Held {
    /// A base alone, at this place.
    Base(PathBuf),
    /// Commands; with the place of the manifest, or of the only file of an older log.
    Commands(PathBuf),
}

/// Looks at the log in a folder, or at a manifest, or at the one file of a server before Redis 7.
pub(super) fn look(folder: &Path) -> Result<Held, String> {
    let shown = folder.display();
    let place = manifest_in(folder)?;
    if place.extension() != Some(OsStr::new("manifest")) {
        return Ok(Held::Commands(place));
    }
    let text = disk::read(&place).map_err(|error| format!("reading {shown} failed: {error}"))?;
    let text = text.ok_or(format!("{shown} does not exist"))?;
    let manifest = Manifest::parse(&text).map_err(|error| format!("{shown}: {error}"))?;
    let parent = place.parent().unwrap_or(Path::new("."));
    let has_commands =
        |name: &OsStr| fs::metadata(parent.join(name)).is_ok_and(|found| found.len() > 0);
    let has_commands = manifest.increments.iter().any(|part| has_commands(&part.name));
    match manifest.base {
        Some(base) if !has_commands && base.name.as_encoded_bytes().ends_with(b".rdb") => {
            Ok(Held::Base(parent.join(base.name)))
        }
        _ => Ok(Held::Commands(place)),
    }
}

/// How many bytes a log has, roughly: what stands beside its manifest, or the one file.
pub(super) fn size(place: &Path) -> u64 {
    let len = |path: &Path| fs::metadata(path).map_or(0, |found| found.len());
    if place.extension() != Some(OsStr::new("manifest")) {
        return len(place);
    }
    let beside = place.parent().map(fs::read_dir).and_then(Result::ok);
    beside.into_iter().flatten().flatten().map(|file| len(&file.path())).sum()
}

/// The manifest in a folder, or the file itself when it is one.
fn manifest_in(folder: &Path) -> Result<PathBuf, String> {
    if !folder.is_dir() {
        return Ok(folder.to_owned());
    }
    let shown = folder.display();
    let files = fs::read_dir(folder).map_err(|error| format!("reading {shown} failed: {error}"))?;
    let mut names: Vec<OsString> = files
        .filter_map(|file| file.ok().map(|file| file.file_name()))
        .filter(|name| name.as_encoded_bytes().ends_with(b".manifest"))
        .filter(|name| !name.as_encoded_bytes().starts_with(b"temp-"))
        .collect();
    match (names.pop(), names.is_empty()) {
        (Some(name), true) => Ok(folder.join(name)),
        (Some(_), false) => Err(format!("{shown} holds more than one manifest")),
        (None, _) => Err(format!("{shown} holds no manifest of a log")),
    }
}

/// A folder that is to hold a log, under another name until all is in it.
pub(super) struct Log {
    folder: PathBuf,
    draft: PathBuf,
}

impl Log {
    /// Makes the folder.
    pub(super) fn begin(folder: &Path) -> Result<Self, String> {
        let mut name = folder.file_name().ok_or("a folder needs a name")?.to_owned();
        name.push(format!(".temp-{}", std::process::id()));
        let draft = folder.with_file_name(name);
        match fs::create_dir(&draft) {
            Ok(()) => Ok(Self { folder: folder.to_owned(), draft }),
            Err(error) => Err(super::cannot_write(&draft, &error)),
        }
    }

    /// Where the base is to be.
    pub(super) fn base(&self) -> PathBuf {
        self.draft.join(Names::new(NAME).base(1, true))
    }

    /// Writes the manifest, and puts the folder in its place.
    pub(super) fn finish(self) -> Result<(), String> {
        let names = Names::new(NAME);
        let mut manifest = Manifest::default();
        manifest.next_base(&names, true);
        let place = self.draft.join(names.manifest());
        let written = Draft::begin(&place, "manifest").and_then(|mut draft| {
            draft.put(&manifest.to_bytes());
            draft.finish()
        });
        let moved = written.and_then(|()| fs::rename(&self.draft, &self.folder));
        moved.map_err(|error| super::cannot_write(&self.folder, &error))
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // When it is in its place there is nothing of this name.
        fs::remove_dir_all(&self.draft).ok();
    }
}
