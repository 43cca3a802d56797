//! Logs with commands: only a server can say what has become of the data.
//!
//! One is started on links and copies of the log, in a folder of its own and with a socket there as
//! its only door; it loads the log and saves the data set. Nothing writes to the log itself.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use indicatif::ProgressBar;
use persist::aof::{Manifest, Names};

use super::Failure;

/// What the server saves.
const SAVED: &str = "saved.rdb";
const SOCKET: &str = "socket";
/// What its log is called there.
const LOG: &str = "server.log";
const FOLDER: &str = "appendonlydir";
/// How often it is asked how far it is.
const PAUSE: Duration = Duration::from_millis(20);

/// A folder with the data set of a log as RDB; it is removed with the value.
pub(super) struct Replayed(PathBuf);

impl Replayed {
    /// Loads the log whose manifest stands at `manifest`, or that consists of that one file.
    pub(super) fn new(manifest: &Path, databases: u32, bar: &ProgressBar) -> Result<Self, Failure> {
        let name = format!("reddle-convert-{}-log", std::process::id());
        let folder = Self(std::env::temp_dir().join(name));
        fs::create_dir(&folder.0).map_err(|error| super::cannot_write(&folder.0, &error))?;
        let log = folder.bring(manifest)?;
        let mut server = Server::start(&folder.0, &log, databases)?;
        let mut door = server.wait(bar)?;
        door.call("SAVE")?;
        Ok(folder)
    }

    /// Where the data set stands.
    pub(super) fn path(&self) -> PathBuf {
        self.0.join(SAVED)
    }

    /// Brings the files of the log here; its name.
    fn bring(&self, place: &Path) -> Result<OsString, Failure> {
        let name = place.file_name().unwrap_or_default();
        let Some(name) = name.as_encoded_bytes().strip_suffix(b".manifest") else {
            copy(place, &self.0.join(name))?;
            return Ok(name.to_owned());
        };
        let name = String::from_utf8_lossy(name).into_owned();
        let (from, to) = (place.parent().unwrap_or(Path::new(".")), self.0.join(FOLDER));
        fs::create_dir(&to).map_err(|error| super::cannot_write(&to, &error))?;
        let text = fs::read(place).map_err(|error| cannot_read(place, &error))?;
        let manifest = Manifest::parse(&text).map_err(|error| format!("{error}"))?;
        let last = manifest.increments.last().map(|part| part.name.clone());
        for (part, _) in manifest.parts() {
            let (source, target) = (from.join(&part.name), to.join(&part.name));
            // The last one alone is written to: it is gone on with, or cut where it is torn.
            let is_written = last.as_ref() == Some(&part.name);
            if is_written || fs::hard_link(&source, &target).is_err() {
                copy(&source, &target)?;
            }
        }
        copy(place, &to.join(Names::new(&*name).manifest()))?;
        Ok(name.into())
    }
}

impl Drop for Replayed {
    fn drop(&mut self) {
        // Nobody can be told, and the folder is one for what may be lost.
        fs::remove_dir_all(&self.0).ok();
    }
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::copy(from, to).map(drop).map_err(|error| cannot_read(from, &error))
}

fn cannot_read(place: &Path, error: &io::Error) -> Failure {
    format!("reading {} failed: {error}", place.display())
}

/// A server that works for this process alone.
struct Server {
    child: Child,
    folder: PathBuf,
}

impl Server {
    fn start(folder: &Path, log: &OsString, databases: u32) -> Result<Self, Failure> {
        let failed = |error: io::Error| format!("starting a server on the log failed: {error}");
        let output = File::create(folder.join(LOG)).map_err(failed)?;
        let child = std::env::current_exe().and_then(|program| {
            Command::new(program)
                .args(["--port", "0", "--unixsocket", SOCKET, "--unixsocketperm", "700"])
                .args(["--appendonly", "yes", "--appenddirname", FOLDER, "--appendfilename"])
                .arg(log)
                .args(["--save", "", "--appendfsync", "no", "--dbfilename", SAVED])
                .args(["--databases", &databases.to_string(), "--daemonize", "no", "--dir"])
                .arg(folder)
                .stdin(Stdio::null())
                .stdout(output)
                .spawn()
        });
        Ok(Self { child: child.map_err(failed)?, folder: folder.to_owned() })
    }

    /// Waits until the log is loaded.
    fn wait(&mut self, bar: &ProgressBar) -> Result<Door, Failure> {
        loop {
            if let Ok(mut door) = Door::open(&self.folder.join(SOCKET)) {
                let info = door.call("INFO persistence")?;
                let number = |name: &str| {
                    let line = info.lines().find_map(|line| line.strip_prefix(name));
                    line.and_then(|text| text.parse::<u64>().ok())
                };
                if number("loading:") == Some(0) {
                    return Ok(door);
                }
                bar.set_position(number("loading_loaded_bytes:").unwrap_or(0));
            }
            if let Ok(Some(_)) = self.child.try_wait() {
                return Err(self.last_words());
            }
            thread::sleep(PAUSE);
        }
    }

    /// Why it has ended.
    fn last_words(&self) -> Failure {
        let log = fs::read(self.folder.join(LOG)).unwrap_or_default();
        let log = String::from_utf8_lossy(&log);
        let reasons = log.lines().filter_map(|line| line.split_once(" # ").map(|(_, text)| text));
        let reasons: Vec<&str> = reasons.collect();
        let reason = reasons.iter().find(|reason| reason.contains("Fatal"));
        let reason = reason.or(reasons.last()).unwrap_or(&"it does not say why");
        format!("the log cannot be loaded: {reason}")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has done what it was for; when it is gone already there is nothing to end.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// A connection to it.
struct Door(BufReader<UnixStream>);

impl Door {
    fn open(socket: &Path) -> io::Result<Self> {
        UnixStream::connect(socket).map(|stream| Self(BufReader::new(stream)))
    }

    /// The reply to a command, as text.
    fn call(&mut self, command: &str) -> Result<String, Failure> {
        self.exchange(command).map_err(|error| format!("{command}: {error}"))
    }

    fn exchange(&mut self, command: &str) -> io::Result<String> {
        self.0.get_mut().write_all(format!("{command}\r\n").as_bytes())?;
        let mut line = String::new();
        self.0.read_line(&mut line)?;
        let (kind, text) = line.split_at_checked(1).ok_or(io::ErrorKind::UnexpectedEof)?;
        let text = text.trim_end();
        match (kind, text.parse()) {
            ("$", Ok(len)) => {
                let mut bytes = vec![0; len];
                self.0.read_exact(&mut bytes)?;
                self.0.read_line(&mut line)?;
                Ok(String::from_utf8_lossy(&bytes).into_owned())
            }
            ("-", _) => Err(io::Error::other(text.to_owned())),
            _ => Ok(text.to_owned()),
        }
    }
}
