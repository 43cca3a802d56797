//! A folder for files that outlive a server, and are gone with the test.

use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{fs, process};

/// See the module's text. It stands for its path.
pub struct Folder(PathBuf);

impl Folder {
    /// An empty folder of its own.
    ///
    /// # Panics
    /// When there can be none.
    #[expect(clippy::new_without_default, reason = "each one is another folder")]
    pub fn new() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = std::env::temp_dir().join(format!("reddle-folder-{}-{count}", process::id()));
        fs::create_dir_all(&folder).expect("the folder for temporary files can be written to");
        Self(folder)
    }

    /// The names in it, or in a folder inside, in their order.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn names(&self, inside: &str) -> Vec<String> {
        let names = fs::read_dir(self.0.join(inside)).expect("the folder can be read");
        let name = |name: fs::DirEntry| name.file_name().to_string_lossy().into_owned();
        let mut names: Vec<_> = names.flatten().map(name).collect();
        names.sort();
        names
    }
}

impl Deref for Folder {
    type Target = Path;

    fn deref(&self) -> &Path {
        &self.0
    }
}

impl AsRef<Path> for Folder {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // What cannot be removed stays with the other temporary files.
        fs::remove_dir_all(&self.0).ok();
    }
}
