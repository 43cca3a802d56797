//! Files that are to be removed: they leave the system's memory bit by bit before.
//!
//! Whoever removes a file, or renames another over it, frees in one go what the system's memory
//! holds of it: 10 ms for 150 MB, in which nobody else gets that core.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use super::record;

/// Bytes that leave at once when nothing else is done meanwhile.
const AT_ONCE: u64 = 512 << 10;

/// Lets a file that is to be removed leave the system's memory, in small bits of work with a pause
/// behind each.
pub fn let_go(path: &Path, pause: Duration) {
    let leaving = Leaving::new(path);
    leaving.into_iter().for_each(|mut file| {
        while file.go(AT_ONCE) {
            thread::sleep(pause);
        }
    });
}

/// A file that is to be removed.
pub(super) struct Leaving {
    file: File,
    gone: u64,
    size: u64,
}

impl Leaving {
    /// None when there is no file, or it has another name and stays.
    pub(super) fn new(path: &Path) -> Option<Self> {
        let file = File::open(path).ok()?;
        let metadata = file.metadata().ok()?;
        let goes = metadata.is_file() && metadata.nlink() == 1;
        goes.then(|| Self { file, gone: 0, size: metadata.len() })
    }

    /// Bytes of it that have gone.
    pub(super) fn gone(&self) -> u64 {
        self.gone
    }

    /// Lets so many more bytes of it go; false when none is left.
    pub(super) fn go(&mut self, len: u64) -> bool {
        let is_left = self.gone < self.size;
        if is_left {
            record::let_go(&self.file, self.gone, len);
            self.gone += len;
        }
        is_left
    }
}
