//! Obtains the released source of Valkey 8.1.1, whose test suite we run.
//!
//! It comes as Debian's source package of the suite trixie, through apt's own verification, but
//! with an apt state of its own inside the cache directory: the machine's package lists and
//! sources are read for the mirror's address and never changed. No address is written down here.
//!
//! Invariant: what [`obtain`] returns is a complete tree; a download that broke leaves nothing
//! that a later run would take for one.

#[cfg(test)]
mod tests;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const VERSION: &str = "8.1.1";
const SUITE: &str = "trixie";

/// A source tree of the suite.
#[derive(Debug)]
pub(super) struct Source {
    pub(super) dir: PathBuf,
}

/// The tree named by `VALKEY_SRC`, the one in the cache, or a fresh one.
///
/// # Errors
/// One line that says why the source cannot be had.
pub(super) fn obtain(cache: &Path) -> Result<Source, String> {
    if let Some(dir) = std::env::var_os("VALKEY_SRC") {
        let dir = PathBuf::from(dir);
        return match dir.canonicalize() {
            Ok(dir) if is_source(&dir) => {
                if is_patched(&dir) {
                    println!(
                        "# VALKEY_SRC has a distribution's patches, which add tests of their own"
                    );
                }
                Ok(Source { dir })
            }
            _ => Err(format!("VALKEY_SRC={}: no runtest and tests/ there", dir.display())),
        };
    }
    let dir = cache.join(format!("valkey-{VERSION}"));
    if !is_source(&dir) {
        download(cache, &dir)?;
    }
    Ok(Source { dir })
}

/// Sees to it that a Tcl shell the runner accepts is installed.
///
/// # Errors
/// One line that says that there is none.
pub(super) fn tclsh() -> Result<(), String> {
    if has_tclsh() {
        return Ok(());
    }
    let installed = quiet(Command::new("apt-get").args(["install", "-y", "tcl"]));
    if installed.is_ok() && has_tclsh() {
        return Ok(());
    }
    Err("no tclsh 8.5 to 8.7 (package tcl)".to_owned())
}

fn has_tclsh() -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let names = ["tclsh8.5", "tclsh8.6", "tclsh8.7"];
    std::env::split_paths(&path).any(|dir| names.iter().any(|name| dir.join(name).is_file()))
}

/// A tree as `apt-get source` leaves it. A test that only such a tree has must not be accepted into
/// the lists: the upstream archive, which is what gets downloaded, never runs it.
fn is_patched(dir: &Path) -> bool {
    dir.join(".pc/applied-patches").is_file()
}

fn is_source(dir: &Path) -> bool {
    dir.join("runtest").is_file() && dir.join("tests/test_helper.tcl").is_file()
}

fn download(cache: &Path, dir: &Path) -> Result<(), String> {
    let mirrors = mirrors(&machine_sources());
    if mirrors.is_empty() {
        return Err("apt on this machine knows no Debian mirror; set VALKEY_SRC".to_owned());
    }
    let mut reasons = Vec::new();
    for mirror in &mirrors {
        match fetch(cache, mirror).and_then(|archive| unpack(&archive, dir)) {
            Ok(()) => return Ok(()),
            Err(reason) => reasons.push(reason),
        }
    }
    Err(reasons.join("; "))
}

/// Downloads the package with apt and returns the path of the upstream archive in it.
fn fetch(cache: &Path, mirror: &str) -> Result<PathBuf, String> {
    let apt = cache.join("apt");
    let made = ["lists/partial", "cache/archives/partial", "download"];
    for dir in made {
        let dir = apt.join(dir);
        fs::create_dir_all(&dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    }
    let list = apt.join("sources.list");
    let line = format!("deb-src {mirror} {SUITE} main\n");
    fs::write(&list, line).map_err(|error| format!("{}: {error}", list.display()))?;
    let options = [
        format!("Dir::Etc::sourcelist={}", list.display()),
        "Dir::Etc::sourceparts=-".to_owned(),
        format!("Dir::State::lists={}", apt.join("lists").display()),
        format!("Dir::Cache={}", apt.join("cache").display()),
    ];
    let apt_get = |args: &[&str]| {
        let mut command = Command::new("apt-get");
        for option in &options {
            command.args(["-o", option]);
        }
        quiet(command.args(args).current_dir(apt.join("download")))
    };
    apt_get(&["update"])?;
    apt_get(&["source", "--download-only", "valkey"])?;
    archive_in(&apt.join("download"))
}

fn archive_in(dir: &Path) -> Result<PathBuf, String> {
    let entries = fs::read_dir(dir).map_err(|error| format!("{}: {error}", dir.display()))?;
    for path in entries.filter_map(|entry| Some(entry.ok()?.path())) {
        let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
        let name = name.unwrap_or_default();
        if name.starts_with(&format!("valkey_{VERSION}")) && name.contains(".orig.tar.") {
            return Ok(path);
        }
    }
    Err(format!("the source package in {SUITE} is not version {VERSION}"))
}

/// Unpacks beside the final place and renames, so that half a tree is never found there.
fn unpack(archive: &Path, dir: &Path) -> Result<(), String> {
    let partial = dir.with_extension("partial");
    let _ = fs::remove_dir_all(&partial);
    fs::create_dir_all(&partial).map_err(|error| format!("{}: {error}", partial.display()))?;
    let mut tar = Command::new("tar");
    tar.arg("--strip-components=1").arg("-xf").arg(archive).arg("-C").arg(&partial);
    quiet(&mut tar)?;
    if !is_source(&partial) {
        return Err(format!("{}: not the source of the suite", archive.display()));
    }
    let _ = fs::remove_dir_all(dir);
    fs::rename(&partial, dir).map_err(|error| format!("{}: {error}", dir.display()))
}

/// The text of the machine's own apt sources.
fn machine_sources() -> String {
    let mut paths = vec![PathBuf::from("/etc/apt/sources.list")];
    if let Ok(entries) = fs::read_dir("/etc/apt/sources.list.d") {
        paths.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
    }
    paths.sort();
    let texts = paths.iter().filter_map(|path| fs::read_to_string(path).ok());
    texts.collect::<Vec<_>>().join("\n\n")
}

/// The addresses in apt sources, of either format, that look like a mirror of Debian itself.
fn mirrors(sources: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in sources.lines().map(str::trim) {
        let words: Vec<&str> = match line.split_once(char::is_whitespace) {
            Some(("deb" | "deb-src" | "URIs:", rest)) => rest.split_whitespace().collect(),
            _ => continue,
        };
        for word in words {
            let address = word.trim_end_matches('/');
            let known = found.iter().any(|other| other == address);
            if address.contains(":/") && address.ends_with("/debian") && !known {
                found.push(address.to_owned());
            }
        }
    }
    found
}

/// Runs a command without its output; an error holds the last line that it wrote.
fn quiet(command: &mut Command) -> Result<(), String> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{program}: {error}"))?;
    if output.status.success() {
        return Ok(());
    }
    let text = String::from_utf8_lossy(&output.stderr);
    let last = text.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("failed");
    Err(format!("{program}: {}", last.trim()))
}
