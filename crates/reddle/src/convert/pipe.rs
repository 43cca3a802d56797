//! Data sets through pipes.

use std::fs::{self, File};
use std::io::{self, BufWriter, Stdout, Write};
use std::path::{Path, PathBuf};

use persist::rdb::Out;

/// The standard input as a file.
pub(super) const INPUT: &str = "/dev/stdin";
/// Bytes that are written at once.
const CHUNK: usize = 1 << 18;

/// The standard output.
pub(super) struct Pipe {
    out: BufWriter<Stdout>,
    failed: Option<io::Error>,
}

impl Pipe {
    pub(super) fn new() -> Self {
        Self { out: BufWriter::with_capacity(CHUNK, io::stdout()), failed: None }
    }

    /// Whether nobody takes what is written.
    pub(super) fn has_failed(&self) -> bool {
        self.failed.is_some()
    }

    /// Writes what waits.
    pub(super) fn finish(mut self) -> io::Result<()> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => self.out.flush(),
        }
    }
}

impl Out for Pipe {
    fn put(&mut self, bytes: &[u8]) {
        if self.failed.is_none() {
            self.failed = self.out.write_all(bytes).err();
        }
    }
}

/// What came through a pipe, as a file: RDB says at its beginning what it holds, so the input is
/// read twice. It is removed with the value.
pub(super) struct Spool(PathBuf);

impl Spool {
    /// Takes all of the standard input.
    pub(super) fn fill() -> Result<Self, String> {
        let name = format!("reddle-convert-{}", std::process::id());
        let spool = Self(std::env::temp_dir().join(name));
        let mut options = File::options();
        let copied = options
            .write(true)
            .create_new(true)
            .open(&spool.0)
            .and_then(|mut file| io::copy(&mut io::stdin().lock(), &mut file));
        match copied {
            Ok(_) => Ok(spool),
            Err(error) => Err(format!("keeping the input in {}: {error}", spool.0.display())),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Spool {
    fn drop(&mut self) {
        // Nobody can be told, and the folder is one for what may be lost.
        fs::remove_file(&self.0).ok();
    }
}
