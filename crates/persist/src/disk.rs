//! The only door to the disk: reading files, and putting whole files in their place.
//!
//! It knows nothing of what the bytes mean. A file is written beside its place, synced, renamed,
//! and then its directory is synced: whoever looks finds the old file or the new one, both whole.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek};
use std::path::Path;

use crate::rdb::{Crc64, Error, Out, Peek, Source};

mod draft;
mod leaving;
mod record;
#[cfg(test)]
mod tests;

pub use draft::Draft;
pub use leaving::let_go;

/// Bytes that are read at once: few enough to be in the processor's cache when they are looked at.
const CHUNK: usize = 256 << 10;

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
