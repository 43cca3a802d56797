//! How the files of a log are called, and what stands in a folder.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use super::{Manifest, ManifestError};
use crate::disk;

#[cfg(test)]
mod tests;

/// The names of the files of one log, all made of `appendfilename`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Names {
    single: OsString,
}

impl Names {
    /// The names that belong to `appendfilename`.
    pub fn new(single: impl Into<OsString>) -> Self {
        Self { single: single.into() }
    }

    /// The one file of servers before Redis 7.
    pub fn single(&self) -> &OsStr {
        &self.single
    }

    /// The manifest.
    pub fn manifest(&self) -> OsString {
        self.with("", ".manifest")
    }

    /// The manifest before it is in its place.
    pub fn draft_manifest(&self) -> OsString {
        self.with("temp-", ".manifest")
    }

    /// An increment before the manifest names it.
    pub fn draft_increment(&self) -> OsString {
        self.with("temp-", ".incr")
    }

    /// The base of this number, as RDB or as commands.
    pub fn base(&self, seq: i64, is_rdb: bool) -> OsString {
        let format = if is_rdb { "rdb" } else { "aof" };
        self.with("", &format!(".{seq}.base.{format}"))
    }

    /// The increment of this number.
    pub fn increment(&self, seq: i64) -> OsString {
        self.with("", &format!(".{seq}.incr.aof"))
    }

    fn with(&self, front: &str, back: &str) -> OsString {
        let mut name = OsString::from(front);
        name.push(&self.single);
        name.push(back);
        name
    }
}

/// What stands in a folder.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Found {
    /// No log.
    Nothing,
    /// A log of several files; its manifest may name none that is to be read.
    Parts(Manifest),
    /// The one file of an older server stands in the data's folder, at this place. It is to be
    /// moved into the log's folder once this manifest, which names it as its base, stands there.
    Single(PathBuf, Manifest),
}

/// Why it cannot be said what stands in a folder.
#[derive(Debug)]
pub enum FindError {
    /// The manifest was refused.
    Manifest(ManifestError),
    /// Reading it failed.
    Io(io::Error),
}

impl fmt::Display for FindError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Manifest(error) => error.fmt(out),
            Self::Io(error) => write!(out, "reading the AOF manifest failed: {error}"),
        }
    }
}

impl std::error::Error for FindError {}

/// Looks for a log: its manifest in `folder`, which stands in `data`, or the file of an older
/// server in `data`. A move of that file that was cut short counts as not begun.
pub fn find(data: &Path, folder: &Path, names: &Names) -> Result<Found, FindError> {
    let folder = data.join(folder);
    let text = disk::read(&folder.join(names.manifest())).map_err(FindError::Io)?;
    let manifest = match text {
        Some(text) => Some(Manifest::parse(&text).map_err(FindError::Manifest)?),
        None => None,
    };
    let single = data.join(names.single());
    let is_to_move = match &manifest {
        Some(manifest) => {
            let is_begun = *manifest == Manifest::of_single(names);
            manifest.is_empty() || is_begun && !disk::exists(&folder.join(names.single()))
        }
        None => true,
    };
    if is_to_move && disk::exists(&single) {
        return Ok(Found::Single(single, Manifest::of_single(names)));
    }
    Ok(manifest.map_or(Found::Nothing, Found::Parts))
}

/// Whether a file that begins with these bytes begins with an RDB file: a base, or the front of an
/// older server's log.
pub fn is_rdb(head: &[u8]) -> bool {
    head.starts_with(b"REDIS0") || head.starts_with(b"VALKEY")
}
