//! Files on their way to their place: written beside it, and renamed when they are whole.
//!
//! One that is to get to the disk while it is written goes past the system's memory (`O_DIRECT`)
//! where the filesystem lets it. What the system would do for it otherwise is copy each byte, and
//! then write it at a time and on a core of its own choice: 20 times the work of the core, in bits
//! of milliseconds, and memory that nobody reads again.

use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::leaving::Leaving;
use super::record;
use crate::form::Writer;
use crate::rdb::Out;
use crate::snapshot::Sink;

/// Bytes that are handed to the system at once. Past its memory this takes the core for 50 us, and
/// is enough for a disk that answers after milliseconds.
pub(super) const BLOCK: usize = 256 << 10;
/// What goes past the system's memory is whole pages that begin at a page.
const PAGE: usize = 4096;
/// Through the system's memory, the disk is waited for after so many bytes, as Redis does.
const SYNC_EVERY: usize = 4 << 20;
/// Bytes of the old file that leave the system's memory at once, and for how many of the new one.
const LET_GO: u64 = 128 << 10;
const LET_GO_EVERY: u64 = 64 << 10;

/// A file that is not in its place yet. Unless it gets there, it is removed.
pub struct Draft {
    pub(super) file: File,
    beside: PathBuf,
    place: PathBuf,
    block: Block,
    failed: Option<io::Error>,
    done: bool,
    /// Whether what is written goes to the disk at once, and whether past the system's memory.
    syncs: bool,
    is_direct: bool,
    /// Bytes that were put, and those that went into the system's memory since the last sync.
    put: u64,
    unsynced: usize,
    /// The file that is there now.
    old: Option<Leaving>,
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
        let (block, place) = (Block::new(), place.to_owned());
        Ok(Self {
            file,
            beside,
            place,
            block,
            failed: None,
            done: false,
            syncs: false,
            is_direct: false,
            put: 0,
            unsynced: 0,
            old: None,
        })
    }

    /// Says whether the file gets to the disk while it is written, and not at its end alone.
    #[must_use]
    pub fn with_syncs(mut self, syncs: bool) -> Self {
        self.syncs = syncs;
        self.is_direct = syncs && set_direct(&self.file, true);
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
            return true;
        }
        // As far as the new one is written.
        let end = self.put / LET_GO_EVERY * LET_GO;
        self.old.as_mut().is_some_and(|old| old.gone() < end && old.go(LET_GO))
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
        if self.failed.is_none() {
            self.failed = self.write_block().err();
        }
        self.block.clear();
    }

    fn write_block(&mut self) -> io::Result<()> {
        let mut bytes = self.block.bytes();
        while !bytes.is_empty() {
            // The last part of a file need not be whole pages.
            let direct = if self.is_direct { bytes.len() - bytes.len() % PAGE } else { 0 };
            if self.is_direct && direct == 0 {
                self.is_direct = false;
                set_direct(&self.file, false);
            }
            let len = if self.is_direct { direct } else { bytes.len() };
            match record::write(&mut self.file, &bytes[..len]) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(count) => {
                    bytes = &bytes[count..];
                    self.unsynced += if self.is_direct { 0 } else { count };
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                // A filesystem that takes larger units only, or has taken a part of one.
                Err(error) if self.is_direct && error.kind() == io::ErrorKind::InvalidInput => {
                    self.is_direct = false;
                    set_direct(&self.file, false);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

impl Out for Draft {
    fn put(&mut self, mut bytes: &[u8]) {
        self.put += bytes.len() as u64;
        while !bytes.is_empty() {
            bytes = &bytes[self.block.fill(bytes)..];
            if self.block.is_full() {
                self.write_out();
            }
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

/// Bytes that wait to be written. They begin at a page.
struct Block {
    room: Vec<u8>,
    begin: usize,
    filled: usize,
}

impl Block {
    fn new() -> Self {
        let room = vec![0; BLOCK + PAGE];
        let begin = room.as_ptr().addr().wrapping_neg() % PAGE;
        Self { room, begin, filled: 0 }
    }

    fn bytes(&self) -> &[u8] {
        &self.room[self.begin..self.begin + self.filled]
    }

    fn is_full(&self) -> bool {
        self.filled == BLOCK
    }

    /// Takes as many bytes as there is room for.
    fn fill(&mut self, bytes: &[u8]) -> usize {
        let taken = bytes.len().min(BLOCK - self.filled);
        let at = self.begin + self.filled;
        self.room[at..at + taken].copy_from_slice(&bytes[..taken]);
        self.filled += taken;
        taken
    }

    fn clear(&mut self) {
        self.filled = 0;
    }
}

/// Says whether writes go past the system's memory; whether they do then.
#[cfg(target_os = "linux")]
fn set_direct(file: &File, is_direct: bool) -> bool {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    let Ok(mut flags) = fcntl_getfl(file) else { return false };
    flags.set(OFlags::DIRECT, is_direct);
    // Some filesystems have no such way.
    fcntl_setfl(file, flags).is_ok() && is_direct
}

#[cfg(not(target_os = "linux"))]
fn set_direct(_: &File, _: bool) -> bool {
    false
}

/// Where the draft of a file that is to be at `place` stands.
fn beside(place: &Path, mark: &str) -> PathBuf {
    let mut name = OsString::from(format!("temp-{mark}."));
    name.push(place.extension().or(place.file_name()).unwrap_or_default());
    place.with_file_name(name)
}
