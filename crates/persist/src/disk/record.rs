//! What is done to the disk, written down in its order, so that a test can rebuild what a crash
//! would have left (`docs/design/persistence.md`). Only with the feature `record`, which tests turn
//! on, and only for a process that is told a file for it; everybody else pays nothing. Such a
//! process can also be told that the disk fails.
//!
//! Invariant: an entry stands in the journal once what it tells of has happened, and before anybody
//! can learn of that.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The variable of the environment that names the journal.
const JOURNAL: &str = "REDDLE_DISK_JOURNAL";

/// The variable of the environment that names what fails: lines of what is done, a part of the path
/// of what it is done to, and the number of the system's error, or `waits`: then it is not done
/// before that line is gone. Without the file nothing fails.
const FAULTS: &str = "REDDLE_DISK_FAULTS";

/// What a file is called at present.
#[cfg(target_os = "linux")]
fn name_of(file: &File) -> Option<PathBuf> {
    use std::os::fd::AsRawFd;
    std::fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd())).ok()
}

#[cfg(not(target_os = "linux"))]
fn name_of(_: &File) -> Option<PathBuf> {
    None
}

/// Fails if that is what the disk is to do.
fn may_fail(deed: &str, path: impl FnOnce() -> Option<PathBuf>) -> io::Result<()> {
    if !cfg!(feature = "record") {
        return Ok(());
    }
    let Some(faults) = std::env::var_os(FAULTS) else { return Ok(()) };
    let path = path().unwrap_or_default();
    loop {
        let Ok(faults) = std::fs::read_to_string(&faults) else { return Ok(()) };
        let Some(fate) = fate_of(&faults, deed, &path) else { return Ok(()) };
        if fate != "waits" {
            let code = fate.parse().map_err(io::Error::other)?;
            return Err(io::Error::from_raw_os_error(code));
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What is to become of a deed.
fn fate_of<'f>(faults: &'f str, deed: &str, path: &Path) -> Option<&'f str> {
    faults.lines().find_map(|line| {
        let mut words = line.split(' ');
        let is_meant = words.next() == Some(deed)
            && words.next().is_some_and(|part| path.to_string_lossy().contains(part));
        words.next().filter(|_| is_meant)
    })
}

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
    may_fail("open", || Some(path.to_owned()))?;
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
    let bytes = match may_fail("write", || name_of(file)) {
        Ok(()) => bytes,
        // A disk that becomes full takes a part of what it is given.
        Err(error) if error.kind() == io::ErrorKind::StorageFull && bytes.len() > 1 => {
            &bytes[..bytes.len() / 2]
        }
        Err(error) => return Err(error),
    };
    let id = if cfg!(feature = "record") { number(file) } else { 0 };
    step(|| file.write(bytes), |count| (format!("write {id} {count}"), bytes[..*count].to_vec()))
}

pub(super) fn set_len(file: &File, len: u64) -> io::Result<()> {
    may_fail("cut", || name_of(file))?;
    step(|| file.set_len(len), |()| (format!("cut {} {len}", number(file)), Vec::new()))
}

pub(super) fn sync(file: &File, with_metadata: bool) -> io::Result<()> {
    may_fail("sync", || name_of(file))?;
    let work = || if with_metadata { file.sync_all() } else { file.sync_data() };
    step(work, |()| (format!("sync {}", number(file)), Vec::new()))
}

/// Lets a part of a file leave the system's memory: it promises nothing, so it is not written down.
pub(super) fn let_go(file: &File, offset: u64, len: u64) {
    #[cfg(target_os = "linux")]
    if let Some(len) = std::num::NonZeroU64::new(len) {
        // Advice may be ignored, so a refusal of it is no failure.
        rustix::fs::fadvise(file, offset, Some(len), rustix::fs::Advice::DontNeed).ok();
    }
    #[cfg(not(target_os = "linux"))]
    let _ = (file, offset, len);
}

pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    may_fail("rename", || Some(to.to_owned()))?;
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
    may_fail("settle", || Some(whole(path).into()))?;
    step(|| File::open(path)?.sync_all(), |()| (format!("settle {}", whole(path)), Vec::new()))
}
