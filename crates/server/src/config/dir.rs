//! Paths.
//!
//! The process changes its working directory in one place, at start; here `dir` is a value, and
//! relative paths are joined to it.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::sys::system_text;

/// The working directory, or `/` if it has been removed.
pub(super) fn current() -> Vec<u8> {
    let path = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
    path.into_os_string().into_vec()
}

/// The directory that `name` means when one stands in `base`: absolute, without links.
pub(super) fn resolve(base: &[u8], name: &[u8]) -> Result<Vec<u8>, String> {
    if name.is_empty() {
        return Err("dir can't be empty".into());
    }
    let path = join(base, name).canonicalize().map_err(|error| system_text(&error))?;
    if !path.is_dir() {
        return Err(system_text(&io::Error::from_raw_os_error(libc::ENOTDIR)));
    }
    rustix::fs::access(&path, rustix::fs::Access::EXEC_OK)
        .map_err(|error| system_text(&error.into()))?;
    Ok(path.into_os_string().into_vec())
}

/// `name` seen from `base`.
pub(super) fn join(base: &[u8], name: &[u8]) -> PathBuf {
    Path::new(OsStr::from_bytes(base)).join(OsStr::from_bytes(name))
}
