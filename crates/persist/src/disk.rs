//! The only door to the disk: reading files, and putting whole files in their place.
//!
//! It knows nothing of what the bytes mean. A file is written beside its place, synced, renamed,
//! and then its directory is synced: whoever looks finds the old file or the new one, both whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use crate::form::Writer;
use crate::rdb::{Crc64, Error, Out, Peek, Source};
use crate::snapshot::Sink;

mod record;
#[cfg(test)]
mod tests;

/// Bytes that are read at once: few enough to be in the processor's cache when they are looked at.
const CHUNK: usize = 256 << 10;
/// Bytes of a file that are handed to the system at once while it is written: small enough that
/// whoever wants the core waits some tens of microseconds.
const WRITE: usize = 64 << 10;
/// After so many bytes the disk is told to begin with them: the system works on that at once, and
/// keeps the core from others for half a microsecond a KiB.
const START_EVERY: u64 = 64 << 10;
/// Bytes of a file that leave the system's memory with each [`START_EVERY`] of the one that takes
/// its place. What is left is freed in one go by the rename, which took 10 ms for 150 MB.
const LET_GO: u64 = 2 * START_EVERY;
/// Bytes that leave it at once when nothing is written meanwhile.
const LET_GO_MAX: u64 = 512 << 10;
/// What the disk is told of are whole pages.
const PAGE: u64 = 4096;
/// After so many bytes the disk is waited for: nearly all of them are there by then. Asking for it
/// takes the core for a millisecond, however few of them are missing.
const SYNC_EVERY: usize = 64 << 20;

/// A file that is read from its beginning to its end.
pub struct Input {
    file: File,
    buffer: Vec<u8>,
    /// The part of the buffer that was taken last, and where what was read ends.
    taken: (usize, usize),
    filled: usize,
    position: u64,
    size: u64,
    sum: Option<Crc64>,
}

impl Input {
    /// Opens a file; none when it does not exist. `sums` says whether checksums are computed.
    pub fn open(path: &Path, sums: bool) -> io::Result<Option<Self>> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let size = file.metadata()?.len();
        Ok(Some(Self {
            file,
            buffer: Vec::new(),
            taken: (0, 0),
            filled: 0,
            position: 0,
            size,
            sum: sums.then(Crc64::default),
        }))
    }

    /// The bytes of the file.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of the file from its beginning on, for readers that have a buffer of their own.
    pub fn into_bytes(self) -> impl Read {
        self.file
    }

    /// Computes no checksum of what follows.
    pub fn forget_sum(&mut self) {
        self.sum = None;
    }

    /// Makes at least `len` bytes available behind the taken ones. Room grows with what is read.
    fn fill(&mut self, len: usize) -> io::Result<bool> {
        self.buffer.copy_within(self.taken.1..self.filled, 0);
        self.filled -= self.taken.1;
        self.taken = (0, 0);
        while self.filled < len {
            let room = self.filled + CHUNK.max(self.filled);
            self.buffer.resize(room.max(self.buffer.len()), 0);
            match self.file.read(&mut self.buffer[self.filled..]) {
                Ok(0) => return Ok(false),
                Ok(count) => self.filled += count,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        // A long string is rare: its room is not kept for ever.
        if len <= CHUNK && self.buffer.len() > 4 * CHUNK && self.filled <= CHUNK {
            self.buffer.truncate(CHUNK);
            self.buffer.shrink_to_fit();
        }
        Ok(true)
    }
}

impl Source for Input {
    fn take(&mut self, len: usize) -> Result<(), Error> {
        if len > self.filled - self.taken.1 && !self.fill(len)? {
            return Err(Error::Short { at: self.position });
        }
        self.taken = (self.taken.1, self.taken.1 + len);
        self.position += len as u64;
        if let Some(sum) = &mut self.sum {
            sum.add(&self.buffer[self.taken.0..self.taken.1]);
        }
        Ok(())
    }

    fn taken(&self) -> &[u8] {
        &self.buffer[self.taken.0..self.taken.1]
    }

    fn position(&self) -> u64 {
        self.position
    }

    fn checksum(&self) -> Option<u64> {
        self.sum.map(Crc64::get)
    }
}

impl Peek for Input {
    fn ahead(&self) -> &[u8] {
        &self.buffer[self.taken.1..self.filled]
    }

    fn more(&mut self) -> io::Result<bool> {
        self.fill(self.filled - self.taken.1 + 1)
    }

    fn size(&self) -> u64 {
        self.size
    }
}

/// The bytes of a small file; none when it does not exist.
pub fn read(path: &Path) -> io::Result<Option<Vec<u8>>> {
    match fs::read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Whether there is something at `path`.
pub fn exists(path: &Path) -> bool {
    fs::metadata(path).is_ok()
}

/// The bytes of a file.
pub fn size(path: &Path) -> io::Result<u64> {
    Ok(fs::metadata(path)?.len())
}

/// Makes a folder unless there is one. A new one is there for good when this returns.
pub fn make_folder(path: &Path) -> io::Result<()> {
    match record::make_folder(path) {
        Ok(()) => {
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            record::sync_folder(parent.unwrap_or(Path::new(".")))
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Gives a file another name. Its folder is still to be synced.
pub fn rename(from: &Path, to: &Path) -> io::Result<()> {
    record::rename(from, to)
}

/// Lets a file that is to be removed leave the system's memory, in small bits of work with a pause
/// behind each.
pub fn let_go(path: &Path, pause: Duration) {
    let leaving = Leaving::new(path);
    leaving.into_iter().for_each(|mut file| {
        while file.go(LET_GO_MAX) {
            thread::sleep(pause);
        }
    });
}

/// Removes a file.
pub fn remove(path: &Path) -> io::Result<()> {
    record::remove(path)
}

/// Puts a small file in its place: it is written beside it, at `draft`, first.
pub fn replace(place: &Path, draft: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut draft = Draft::begin_at(place, draft.to_owned())?;
    draft.put(bytes);
    draft.finish()
}

/// Cuts a file off behind its first `len` bytes, for good.
pub fn cut(path: &Path, len: u64) -> io::Result<()> {
    let file = record::open(path, OpenOptions::new().write(true))?;
    record::set_len(&file, len)?;
    record::sync(&file, true)
}

/// A file that is not in its place yet. Unless it gets there, it is removed.
pub struct Draft {
    file: File,
    beside: PathBuf,
    place: PathBuf,
    buffer: Vec<u8>,
    failed: Option<io::Error>,
    done: bool,
    /// Whether what is written goes to the disk at once, and how much has not got there.
    syncs: bool,
    unsynced: usize,
    /// Bytes that were written, and how many of them the disk was told to begin with.
    written: u64,
    started: u64,
    /// The file that is there now.
    old: Option<Leaving>,
}

/// A file that is to be removed, and leaves the system's memory bit by bit before: whoever removes
/// it frees in one go what is left of it there.
struct Leaving {
    file: File,
    gone: u64,
    size: u64,
}

impl Leaving {
    /// None when there is no file, or it has another name and stays.
    fn new(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let metadata = file.metadata().ok()?;
        let goes = metadata.is_file() && metadata.nlink() == 1;
        goes.then(|| Self { file, gone: 0, size: metadata.len() })
    }

    /// Lets so many more bytes of it go; false when none is left.
    fn go(&mut self, len: u64) -> bool {
        let is_left = self.gone < self.size;
        if is_left {
            record::start(&self.file, self.gone, len);
            self.gone += len;
        }
        is_left
    }
}

impl Draft {
    /// Begins a file that is to be at `place`. `mark` tells drafts of one place apart.
    pub fn begin(place: &Path, mark: &str) -> io::Result<Self> {
        Self::begin_at(place, beside(place, mark))
    }

    /// Begins a file that is to be at `place`, and stands at `beside` until then.
    pub fn begin_at(place: &Path, beside: PathBuf) -> io::Result<Self> {
        let options = OpenOptions::new().write(true).create(true).truncate(true).clone();
        let file = record::open(&beside, &options)?;
        let (buffer, place) = (Vec::with_capacity(WRITE), place.to_owned());
        Ok(Self {
            file,
            beside,
            place,
            buffer,
            failed: None,
            done: false,
            syncs: false,
            unsynced: 0,
            written: 0,
            started: 0,
            old: None,
        })
    }

    /// Says whether the disk gets to work while the file is written, and not at its end alone:
    /// whenever [`Self::forward`] is called.
    #[must_use]
    pub fn with_syncs(mut self, syncs: bool) -> Self {
        self.syncs = syncs;
        self.old = Leaving::new(&self.place).filter(|_| syncs);
        self
    }

    /// Lets the disk get on with what was written, by a bit of work; whether there was any to do.
    pub fn forward(&mut self) -> bool {
        if !self.syncs || self.failed.is_some() {
            return false;
        }
        if self.unsynced >= SYNC_EVERY {
            self.failed = record::sync(&self.file, false).err();
            self.unsynced = 0;
            self.started = self.written;
        } else if self.written - self.started >= START_EVERY {
            let end = self.written - self.written % PAGE;
            record::start(&self.file, self.started, end - self.started);
            self.started = end;
        } else {
            // As far as the new one is written.
            let end = self.started / START_EVERY * LET_GO;
            return self.old.as_mut().is_some_and(|old| old.gone < end && old.go(LET_GO));
        }
        true
    }

    /// Removes the draft of a process that ends in the middle of it.
    pub fn abandon(place: &Path, mark: &str) {
        // There may be none, and nobody can be told.
        record::remove(&beside(place, mark)).ok();
    }

    /// Whether something went wrong already.
    pub fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Puts the file in its place once its bytes are on the disk.
    pub fn finish(mut self) -> io::Result<()> {
        self.write_out();
        match self.failed.take() {
            Some(error) => return Err(error),
            None => record::sync(&self.file, true)?,
        }
        record::rename(&self.beside, &self.place)?;
        self.done = true;
        let folder = self.place.parent().filter(|folder| !folder.as_os_str().is_empty());
        record::sync_folder(folder.unwrap_or(Path::new(".")))
    }

    fn write_out(&mut self) {
        let buffer = std::mem::take(&mut self.buffer);
        self.write(&buffer);
        self.buffer = buffer;
        self.buffer.clear();
    }

    fn write(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.unsynced += bytes.len();
        self.written += bytes.len() as u64;
        self.failed = write_all(&mut self.file, bytes).err();
    }
}

impl Out for Draft {
    fn put(&mut self, bytes: &[u8]) {
        let is_large = bytes.len() >= WRITE / 4;
        if is_large || self.buffer.len() + bytes.len() > WRITE {
            self.write_out();
        }
        if is_large {
            self.write(bytes);
        } else {
            self.buffer.extend_from_slice(bytes);
        }
    }
}

impl Sink for Writer<Draft> {
    fn put(&mut self, piece: &[u8]) {
        self.piece(piece);
    }

    fn forward(&mut self) -> bool {
        self.out_mut().forward()
    }

    fn has_failed(&self) -> bool {
        self.out().has_failed()
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Writer::finish(*self).finish()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.done {
            // Nobody can be told, and the next save takes the same name.
            record::remove(&self.beside).ok();
        }
    }
}

/// A file that only grows. What cannot be written whole is cut off again, so that the file ends
/// where a write ended.
pub struct Append {
    file: File,
    size: u64,
}

/// A write that did not come about.
#[derive(Debug)]
pub struct Unwritten {
    /// Why.
    pub error: io::Error,
    /// Bytes that got into the file all the same, because they could not be cut off.
    pub kept: usize,
}

impl Append {
    /// An empty file in a place where there is none that matters.
    pub fn create(place: &Path) -> io::Result<Self> {
        let options = OpenOptions::new().write(true).create(true).truncate(true).clone();
        Ok(Self { file: record::open(place, &options)?, size: 0 })
    }

    /// A file that may be there already, to go on behind its end.
    pub fn open(place: &Path) -> io::Result<Self> {
        let file = record::open(place, OpenOptions::new().append(true).create(true))?;
        let size = file.metadata()?.len();
        Ok(Self { file, size })
    }

    /// Writes behind the end.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Unwritten> {
        let mut done = 0;
        while done < bytes.len() {
            let error = match record::write(&mut self.file, &bytes[done..]) {
                Ok(0) => io::ErrorKind::WriteZero.into(),
                Ok(count) => {
                    done += count;
                    continue;
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => error,
            };
            let is_cut = done == 0 || self.cut().is_ok();
            let kept = if is_cut { 0 } else { done };
            self.size += kept as u64;
            return Err(Unwritten { error, kept });
        }
        self.size += done as u64;
        Ok(())
    }

    /// Takes back what stands behind the last whole write.
    fn cut(&mut self) -> io::Result<()> {
        record::set_len(&self.file, self.size)?;
        self.file.seek(io::SeekFrom::Start(self.size)).map(|_| ())
    }

    /// Returns once everything that was written is on the disk.
    pub fn sync(&self) -> io::Result<()> {
        record::sync(&self.file, false)
    }

    /// The bytes of the file.
    pub fn size(&self) -> u64 {
        self.size
    }
}

/// Returns once a folder's entries are on the disk.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    record::sync_folder(folder)
}

fn write_all(file: &mut File, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match record::write(file, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(count) => bytes = &bytes[count..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Where the draft of a file that is to be at `place` stands.
fn beside(place: &Path, mark: &str) -> PathBuf {
    let mut name = OsString::from(format!("temp-{mark}."));
    name.push(place.extension().or(place.file_name()).unwrap_or_default());
    place.with_file_name(name)
}
