//! What is done to the disk, written down in its order, so that a test can rebuild what a crash
//! would have left (`docs/design/persistence.md`). Only with the feature `record`, which tests turn
//! on, and only for a process that is told a file for it; everybody else pays nothing.
//!
//! Invariant: an entry stands in the journal once what it tells of has happened, and before anybody
//! can learn of that.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The variable of the environment that names the journal.
const JOURNAL: &str = "REDDLE_DISK_JOURNAL";

/// Does something and writes it down: a line, and bytes behind it.
fn step<R>(
    work: impl FnOnce() -> io::Result<R>,
    told: impl FnOnce(&R) -> (String, Vec<u8>),
) -> io::Result<R> {
    if !cfg!(feature = "record") {
        return work();
    }
    let Some(path) = std::env::var_os(JOURNAL) else { return work() };
    let mut journal = OpenOptions::new().append(true).create(true).open(path)?;
    // Until it is closed nobody else does anything to the disk, so the order is the true one.
    journal.lock()?;
    let result = work()?;
    let (line, bytes) = told(&result);
    journal.write_all(&[line.as_bytes(), b"\n", &bytes].concat())?;
    Ok(result)
}

/// What tells files apart, whatever they are called.
fn number(file: &File) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.ino())
}

/// A path that means the same to everybody.
fn whole(path: &Path) -> String {
    let path = if path.as_os_str().is_empty() { Path::new(".") } else { path };
    let whole = path.canonicalize().or_else(|_| {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new(".")).canonicalize()?;
        Ok::<PathBuf, io::Error>(folder.join(path.file_name().unwrap_or_default()))
    });
    whole.unwrap_or_else(|_| path.to_owned()).display().to_string()
}

pub(super) fn open(path: &Path, options: &OpenOptions) -> io::Result<File> {
    let was_there = cfg!(feature = "record") && path.exists();
    step(
        || options.open(path),
        |file| {
            let len = file.metadata().map_or(0, |metadata| metadata.len());
            let path = whole(path);
            (format!("open {} {len} {} {path}", number(file), u8::from(was_there)), Vec::new())
        },
    )
}

pub(super) fn write(file: &mut File, bytes: &[u8]) -> io::Result<usize> {
    let id = if cfg!(feature = "record") { number(file) } else { 0 };
    step(|| file.write(bytes), |count| (format!("write {id} {count}"), bytes[..*count].to_vec()))
}

pub(super) fn set_len(file: &File, len: u64) -> io::Result<()> {
    step(|| file.set_len(len), |()| (format!("cut {} {len}", number(file)), Vec::new()))
}

pub(super) fn sync(file: &File, with_metadata: bool) -> io::Result<()> {
    let work = || if with_metadata { file.sync_all() } else { file.sync_data() };
    step(work, |()| (format!("sync {}", number(file)), Vec::new()))
}

/// Lets the disk begin with a part of a file, and waits for nothing: it promises
/// nothing, so it is not written down.
pub(super) fn start(file: &File, offset: u64, len: u64) {
    #[cfg(target_os = "linux")]
    if let Some(len) = std::num::NonZeroU64::new(len) {
        // Advice may be ignored, so a refusal of it is no failure.
        rustix::fs::fadvise(file, offset, Some(len), rustix::fs::Advice::DontNeed).ok();
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, offset, len);
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    let from_whole = if cfg!(feature = "record") { whole(from) } else { String::new() };
    step(
        || std::fs::rename(from, to),
        |()| (format!("rename {from_whole} {}", whole(to)), Vec::new()),
    )
}

pub(super) fn remove(path: &Path) -> io::Result<()> {
    let name = if cfg!(feature = "record") { whole(path) } else { String::new() };
    step(|| std::fs::remove_file(path), |()| (format!("remove {name}"), Vec::new()))
}

pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    step(|| std::fs::create_dir(path), |()| (format!("folder {}", whole(path)), Vec::new()))
}

pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    step(|| File::open(path)?.sync_all(), |()| (format!("settle {}", whole(path)), Vec::new()))
}
