//! Logs that real servers wrote: they are loaded, and hold what those servers said they hold.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::fs;
use std::path::Path;

use testkit::{Folder, Server, Value};

fn digest(server: &Server) -> String {
    let Value::Simple(digest) = server.client().call(&["DEBUG", "DIGEST"]) else {
        panic!("DEBUG DIGEST is a line");
    };
    String::from_utf8(digest).unwrap()
}

#[test]
fn logs_of_real_servers_are_loaded() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/aof");
    let digests = fs::read_to_string(samples.join("digests.txt")).unwrap();
    assert_eq!(digests.lines().count(), 8);
    for line in digests.lines() {
        let (name, expected) = line.split_once(' ').unwrap();
        let folder = Folder::new();
        let parts = folder.join(if name.starts_with("old-") { "" } else { "appendonlydir" });
        fs::create_dir_all(&parts).unwrap();
        for file in fs::read_dir(samples.join(name)).unwrap() {
            let file = file.unwrap();
            fs::copy(file.path(), parts.join(file.file_name())).unwrap();
        }
        let dir = folder.to_str().unwrap();
        let options =
            [("dir", dir), ("appendonly", "yes"), ("save", ""), ("enable-debug-command", "yes")];
        for start in ["first", "second"] {
            let server = Server::start(&options);
            assert_eq!(digest(&server), expected, "{name}, {start} start");
        }
    }
}
