//! The only door to the disk: reading files, and putting whole files in their place.
//!
//! It knows nothing of what the bytes mean. A file is written beside its place, synced, renamed,
//! and then its directory is synced: whoever looks finds the old file or the new one, both whole.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use crate::rdb::{Crc64, Error, Out, Peek, Source};

#[cfg(test)]
mod tests;

/// Bytes that are read or written at once.
const CHUNK: usize = 1 << 20;

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

/// Cuts a file off behind its first `len` bytes, for good.
pub fn cut(path: &Path, len: u64) -> io::Result<()> {
    let file = OpenOptions::new().write(true).open(path)?;
    file.set_len(len)?;
    file.sync_all()
}

/// A file that is not in its place yet. Unless it gets there, it is removed.
pub struct Draft {
    file: File,
    beside: PathBuf,
    place: PathBuf,
    buffer: Vec<u8>,
    failed: Option<io::Error>,
    done: bool,
}

impl Draft {
    /// Begins a file that is to be at `place`. `mark` tells drafts of one place apart.
    pub fn begin(place: &Path, mark: &str) -> io::Result<Self> {
        let beside = beside(place, mark);
        let file = OpenOptions::new().write(true).create(true).truncate(true).open(&beside)?;
        let (buffer, place) = (Vec::with_capacity(CHUNK), place.to_owned());
        Ok(Self { file, beside, place, buffer, failed: None, done: false })
    }

    /// Removes the draft of a process that ends in the middle of it.
    pub fn abandon(place: &Path, mark: &str) {
        // There may be none, and nobody can be told.
        fs::remove_file(beside(place, mark)).ok();
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
            None => self.file.sync_all()?,
        }
        fs::rename(&self.beside, &self.place)?;
        self.done = true;
        let folder = self.place.parent().filter(|folder| !folder.as_os_str().is_empty());
        File::open(folder.unwrap_or(Path::new(".")))?.sync_all()
    }

    fn write_out(&mut self) {
        if self.failed.is_none() {
            self.failed = self.file.write_all(&self.buffer).err();
        }
        self.buffer.clear();
    }
}

impl Out for Draft {
    fn put(&mut self, bytes: &[u8]) {
        if self.buffer.len() + bytes.len() > CHUNK {
            self.write_out();
        }
        if bytes.len() < CHUNK {
            self.buffer.extend_from_slice(bytes);
        } else if self.failed.is_none() {
            self.failed = self.file.write_all(bytes).err();
        }
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.done {
            // Nobody can be told, and the next save takes the same name.
            fs::remove_file(&self.beside).ok();
        }
    }
}

/// Where the draft of a file that is to be at `place` stands.
fn beside(place: &Path, mark: &str) -> PathBuf {
    let mut name = OsString::from(format!("temp-{mark}."));
    name.push(place.extension().or(place.file_name()).unwrap_or_default());
    place.with_file_name(name)
}
