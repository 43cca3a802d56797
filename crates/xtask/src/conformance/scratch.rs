//! A throw-away tree in which one unit runs: the suite's `tests/` and `runtest`, and a `src/`
//! whose programs are links to the binary under test.
//!
//! It lies in the system's directory for temporary files because the suite makes unix sockets
//! below it, and a socket's path has room for about a hundred bytes only.

use std::fs;
use std::io;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const PROGRAMS: &[&str] = &[
    "valkey-server",
    "valkey-cli",
    "valkey-benchmark",
    "valkey-check-rdb",
    "valkey-check-aof",
    "valkey-sentinel",
];

/// Parts of `tests/` that no unit reads.
const NOT_COPIED: &[&str] = &["tmp", "modules", "cluster", "sentinel", "rdma"];

/// One tree; removed when it goes out of scope, unless it is to be kept.
#[derive(Debug)]
pub(super) struct Scratch {
    pub(super) dir: PathBuf,
    keep: bool,
}

impl Scratch {
    /// Lays the tree out for the runner's place `slot`.
    ///
    /// # Errors
    /// The path that could not be written.
    pub(super) fn new(
        source: &Path,
        binary: &Path,
        slot: usize,
        keep: bool,
    ) -> Result<Scratch, String> {
        let name = format!("reddle-conformance-{}-{slot}", std::process::id());
        let dir = std::env::temp_dir().join(name);
        let scratch = Scratch { dir, keep };
        let laid_out = scratch.lay_out(source, binary);
        laid_out.map_err(|error| format!("{}: {error}", scratch.dir.display()))?;
        Ok(scratch)
    }

    fn lay_out(&self, source: &Path, binary: &Path) -> io::Result<()> {
        fs::create_dir_all(self.dir.join("src"))?;
        copy_tree(&source.join("tests"), &self.dir.join("tests"))?;
        fs::create_dir_all(self.dir.join("tests/tmp"))?;
        fs::copy(source.join("runtest"), self.dir.join("runtest"))?;
        for name in ["utils", "valkey.conf"] {
            if source.join(name).exists() {
                symlink(source.join(name), self.dir.join(name))?;
            }
        }
        for program in PROGRAMS {
            symlink(stand_in(binary, program), self.dir.join("src").join(program))?;
        }
        Ok(())
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        if !self.keep {
            let _ = fs::remove_dir_all(&self.dir);
        }
    }
}

/// Our one binary is every program; a server that has its programs beside it keeps them.
fn stand_in(binary: &Path, program: &str) -> PathBuf {
    let sibling = binary.with_file_name(program);
    if sibling.is_file() { sibling } else { binary.to_owned() }
}

fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if NOT_COPIED.iter().any(|name| entry.file_name() == *name) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
