//! Starting and stopping, with shell scripts in the server's place.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::thread;

use super::{Server, free_port};

/// A program that ignores its arguments and does this.
fn program(name: &str, body: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("testkit-{}-{name}", std::process::id()));
    fs::write(&path, format!("#!/bin/sh\n{body}\n")).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path
}

/// Starts a program that was written just now: a child that another test's thread is about to start
/// may have it open for writing for a moment.
fn try_start(path: &Path, options: &[(&str, &str)]) -> Result<Server, String> {
    loop {
        match Server::try_start(path, options) {
            Err(text) if text.contains("Text file busy") => thread::yield_now(),
            result => return result,
        }
    }
}

#[test]
fn a_started_server_is_stopped_and_its_folder_removed() {
    let path = program("ready", "echo '* Ready to accept connections tcp'\nexec sleep 600");
    let server = try_start(&path, &[]).unwrap();
    let (folder, pid) = (server.folder().to_owned(), server.pid());
    assert!(folder.join("log").is_file());
    drop(server);
    assert!(!folder.exists());
    assert!(!PathBuf::from(format!("/proc/{pid}")).exists(), "the process is gone");
    fs::remove_file(path).unwrap();
}

#[test]
fn options_become_arguments() {
    let path =
        program("options", "echo \"$@\"\necho 'Ready to accept connections'\nexec sleep 600");
    let server = try_start(&path, &[("threads", "2"), ("save", "60 1")]).unwrap();
    let line = format!("--bind 127.0.0.1 --port {} --threads 2 --save 60 1", server.port());
    assert_eq!(server.log().lines().next(), Some(line.as_str()));
    fs::remove_file(path).unwrap();
}

#[test]
fn a_server_that_gives_up_shows_its_log() {
    let path = program("broken", "echo 'Bad directive' >&2\nexit 1");
    assert_eq!(try_start(&path, &[]).unwrap_err(), "Bad directive\n");
    fs::remove_file(path).unwrap();
}

#[test]
fn a_free_port_can_be_bound() {
    let port = free_port().unwrap();
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
}
