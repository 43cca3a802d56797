//! The files of the log: what the manifest names, how a new one begins, which are to be removed.
//!
//! Invariant: what the manifest on the disk names is there. A file is made before it is named, and
//! removed when it is named no more.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use persist::aof::{self, Found, Manifest, Names};
use persist::disk::{self, Append};
use spec::config::Id;

use crate::config::Config;
use crate::sys::system_text;

/// See the module's text.
pub struct Files {
    /// The folder, seen from the data's, which is the working directory.
    pub folder: PathBuf,
    /// How the files are called.
    pub names: Names,
    /// What stands on the disk.
    pub manifest: Manifest,
    /// The increments that the stream is to go on in, and that the manifest does not name yet.
    pub upcoming: VecDeque<OsString>,
    /// The last increment that could not be named.
    pub lost: Option<OsString>,
}

impl Files {
    /// No files yet, with the names that the configuration gives.
    pub fn new(config: &Config) -> Self {
        let single = OsStr::from_bytes(config.text(Id::Appendfilename));
        let folder = config.path(Id::Appenddirname).map_or_else(PathBuf::new, Path::to_path_buf);
        let names = Names::new(single);
        let (manifest, upcoming) = (Manifest::default(), VecDeque::new());
        Self { folder, names, manifest, upcoming, lost: None }
    }

    /// Looks what is there. The file of an older server is moved to where the others stand.
    pub fn find(&mut self) -> Result<(), String> {
        let found = aof::find(Path::new("."), &self.folder, &self.names);
        match found.map_err(|error| error.to_string())? {
            Found::Nothing => self.manifest = Manifest::default(),
            Found::Parts(manifest) => self.manifest = manifest,
            Found::Single(place, manifest) => {
                self.make_folder()?;
                self.put(manifest).map_err(|error| system_text(&error))?;
                let moved = disk::rename(&place, &self.path(self.names.single()));
                moved.and_then(|()| disk::sync_folder(&self.folder)).map_err(|error| {
                    let name = self.names.single().display();
                    let folder = self.folder.display();
                    let reason = system_text(&error);
                    format!(
                        "Error trying to move the old AOF file {name} into dir {folder}: {reason}"
                    )
                })?;
                log::info!(
                    "Successfully migrated an old-style AOF file ({}) into the AOF directory ({}).",
                    self.names.single().display(),
                    self.folder.display(),
                );
            }
        }
        Ok(())
    }

    /// Makes the folder if there is none.
    pub fn make_folder(&self) -> Result<(), String> {
        disk::make_folder(&self.folder).map_err(|error| {
            let (folder, reason) = (self.folder.display(), system_text(&error));
            format!("Can't open or create append-only dir {folder}: {reason}")
        })
    }

    /// Where a file stands.
    pub fn path(&self, name: &OsStr) -> PathBuf {
        self.folder.join(name)
    }

    /// Bytes of all files that are read at a start.
    pub fn size(&self) -> u64 {
        let sizes = self.manifest.parts().map(|(part, _)| disk::size(&self.path(&part.name)));
        sizes.map(|size| size.unwrap_or(0)).sum()
    }

    /// Takes the files of another manifest as those of the log, once it stands on the disk. When
    /// it got to its place and may not stay there, the error is told, and its files are those of
    /// the log all the same: what it names must not be removed, nor what the one before it names.
    pub fn put(&mut self, manifest: Manifest) -> io::Result<()> {
        let place = self.path(&self.names.manifest());
        let draft = self.path(&self.names.draft_manifest());
        let bytes = manifest.to_bytes();
        let result = disk::replace(&place, &draft, &bytes);
        if result.is_ok() || disk::read(&place).is_ok_and(|found| found == Some(bytes)) {
            self.manifest = manifest;
        }
        result
    }

    /// Goes on in the last increment, or in a first one.
    pub fn open_increment(&mut self) -> Result<Append, String> {
        let cannot = |name: &OsStr, error: &io::Error| {
            let reason = system_text(error);
            format!("Can't open the append-only file {}: {reason}", name.display())
        };
        if let Some(last) = self.manifest.increments.last() {
            let file = Append::open(&self.path(&last.name));
            let file = file.map_err(|error| cannot(&last.name, &error))?;
            log::info!("Opening AOF incr file {} on server start", last.name.display());
            return Ok(file);
        }
        let mut manifest = self.manifest.clone();
        let name = manifest.next_increment(&self.names).name.clone();
        let file = Append::create(&self.path(&name)).map_err(|error| cannot(&name, &error))?;
        log::info!("Creating AOF incr file {} on server start", name.display());
        self.put(manifest).map_err(|error| cannot(&name, &error))?;
        Ok(file)
    }

    /// Makes the increment that the stream goes on in next, and that is still to be named.
    pub fn create_upcoming(&mut self) -> io::Result<(OsString, Append)> {
        let mut manifest = self.manifest.clone();
        self.upcoming.iter().for_each(|_| manifest.pass_increment());
        let name = manifest.next_increment(&self.names).name.clone();
        let file = Append::create(&self.path(&name))?;
        self.upcoming.push_back(name.clone());
        Ok((name, file))
    }

    /// Names an increment that the stream has reached; whether it may go on in it. One that is not
    /// upcoming was named with a base, or is not needed since there is a later base.
    pub fn name_upcoming(&mut self, name: &OsStr) -> io::Result<bool> {
        if self.upcoming.front().is_none_or(|front| front != name) {
            return Ok(self.is_named(name));
        }
        self.upcoming.pop_front();
        let mut manifest = self.manifest.clone();
        manifest.next_increment(&self.names);
        let result = self.put(manifest);
        if result.is_err() {
            self.lost = Some(name.to_owned());
            if !self.is_named(name) {
                self.manifest.pass_increment();
                remove(&self.path(name));
            }
        }
        result.map(|()| true)
    }

    /// Takes what is upcoming into a manifest with a base that was begun with the last of it.
    pub fn take_upcoming(&self, manifest: &mut Manifest) {
        for _ in 1..self.upcoming.len() {
            manifest.pass_increment();
        }
        if !self.upcoming.is_empty() {
            manifest.next_increment(&self.names);
        }
    }

    /// Forgets what was upcoming, if the manifest names the last of it now.
    pub fn settle_upcoming(&mut self) {
        if self.upcoming.back().is_some_and(|last| self.is_named(last)) {
            self.upcoming.pop_back();
            for name in std::mem::take(&mut self.upcoming) {
                remove(&self.path(&name));
            }
        }
    }

    fn is_named(&self, name: &OsStr) -> bool {
        self.manifest.increments.iter().any(|part| part.name == name)
    }

    /// Removes the files that are history, and forgets them.
    pub fn remove_history(&mut self) {
        if self.manifest.history.is_empty() {
            return;
        }
        for part in &self.manifest.history {
            log::info!("Removing the history file {} in the background", part.name.display());
            remove(&self.path(&part.name));
        }
        let mut manifest = self.manifest.clone();
        manifest.history.clear();
        if let Err(error) = self.put(manifest) {
            log::warn!("Writing the AOF manifest: {}", system_text(&error));
        }
    }

    /// The name of the base that is written next, and of its draft.
    pub fn draft_base(&self) -> OsString {
        OsString::from(format!("temp-rewriteaof-bg-{}.aof", std::process::id()))
    }
}

/// Removes a file that nobody needs; it may be gone already.
pub fn remove(path: &Path) {
    if let Err(error) = disk::remove(path)
        && error.kind() != io::ErrorKind::NotFound
    {
        log::warn!("Removing {}: {}", path.display(), system_text(&error));
    }
}
