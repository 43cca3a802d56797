//! Data sets from one form into another, and what a server makes of them.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use testkit::{Server, Value};

/// A folder that is removed with the value.
struct Folder(testkit::Folder);

impl Folder {
    fn new() -> Self {
        Self(testkit::Folder::new())
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    fn names(&self) -> Vec<String> {
        self.0.names("")
    }

    /// What DEBUG DIGEST says once a server has loaded a file of the folder.
    fn digest(&self, name: &str) -> String {
        let dir = self.0.to_str().unwrap();
        let server =
            Server::start(&[("dir", dir), ("dbfilename", name), ("enable-debug-command", "yes")]);
        match server.client().call(&["DEBUG", "DIGEST"]) {
            Value::Simple(digest) | Value::Bulk(digest) => String::from_utf8(digest).unwrap(),
            other => panic!("{other:?}"),
        }
    }
}

fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data")
}

fn command(words: &[&str]) -> Command {
    let built = || env!("CARGO_BIN_EXE_reddle").into();
    let mut command = Command::new(std::env::var_os("REDDLE_BIN").unwrap_or_else(built));
    command.arg("convert").args(words);
    command
}

fn convert(words: &[&str]) -> Output {
    command(words).output().unwrap()
}

/// Converts what comes through a pipe.
fn pipe(words: &[&str], input: &[u8]) -> Output {
    let mut command = command(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    let feeder = std::thread::spawn(move || stdin.write_all(&input));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap().ok();
    output
}

#[track_caller]
fn assert_done(output: &Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[track_caller]
fn assert_refused(output: &Output, status: i32, reason: &str) {
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(status), "{said}");
    assert!(said.contains(reason), "{said}");
}

#[test]
fn files_of_real_servers_go_there_and_back() {
    let digests = fs::read_to_string(samples().join("rdb/digests.txt")).unwrap();
    for (name, digest) in digests.lines().filter_map(|line| line.split_once(' ')) {
        let folder = Folder::new();
        let original = samples().join(format!("rdb/{name}.rdb"));
        let original = original.to_str().unwrap();
        let (json, back) = (folder.path("a.json"), folder.path("b.rdb"));
        assert_done(&convert(&[original, &json]));
        assert_done(&convert(&[&json, &back]));
        assert_eq!(folder.digest("a.json"), digest, "{name}");
        assert_eq!(folder.digest("b.rdb"), digest, "{name}");
        let piped =
            pipe(&["-", "-", "--from", "rdb", "--to", "json"], &fs::read(original).unwrap());
        assert_done(&piped);
        assert_eq!(piped.stdout, fs::read(&json).unwrap());
        let piped = pipe(&["-", "-", "--from", "json", "--to", "rdb"], &piped.stdout);
        assert_done(&piped);
        assert_eq!(piped.stdout, fs::read(&back).unwrap());
        assert_eq!(folder.names(), ["a.json", "b.rdb"], "nothing else is left");
    }
}

#[test]
fn the_frozen_file_reads_as_ever() {
    let folder = Folder::new();
    fs::copy(samples().join("json/valkey-9.1.2.json"), folder.path("a.json")).unwrap();
    let digests = fs::read_to_string(samples().join("rdb/digests.txt")).unwrap();
    let digest = digests.lines().find_map(|line| line.strip_prefix("valkey-9.1.2 "));
    assert_eq!(Some(&*folder.digest("a.json")), digest);
}

#[test]
fn a_log_is_a_base_and_a_manifest() {
    let folder = Folder::new();
    let original = samples().join("rdb/redis-7.0.15.rdb");
    let (log, back) = (folder.path("log"), folder.path("back.json"));
    assert_done(&convert(&[original.to_str().unwrap(), &log, "--to", "aof"]));
    assert_eq!(folder.names(), ["log"]);
    let manifest = fs::read_to_string(Path::new(&log).join("appendonly.aof.manifest")).unwrap();
    assert_eq!(manifest, "file appendonly.aof.1.base.rdb seq 1 type b\n");
    assert_done(&convert(&[&log, &back]));
    assert_eq!(folder.digest("back.json"), "74b67cee276520a4bcbe9d3f39eb77e237acd5ed");
    let again = convert(&[original.to_str().unwrap(), &log, "--to", "aof", "--force"]);
    assert_refused(&again, 1, "exists");
}

#[test]
fn commands_of_a_log_are_run() {
    let folder = Folder::new();
    let dir = folder.0.to_str().unwrap();
    let options = [("dir", dir), ("appendonly", "yes"), ("save", "")];
    let server = Server::start(&options);
    let mut client = server.client();
    for number in 0..100 {
        let number = number.to_string();
        client.call(&["RPUSH", "list", &number]);
        client.call(&["SET", &number, "x"]);
        client.call(&["DEL", &number]);
    }
    client.call(&["SELECT", "3"]);
    client.call(&["HSET", "hash", "field", "value"]);
    drop(server);
    let log = folder.path("appendonlydir");
    let increment = Path::new(&log).join("appendonly.aof.1.incr.aof");
    let before = fs::read(&increment).unwrap();
    assert!(!before.is_empty());
    assert_done(&convert(&[&log, &folder.path("a.json")]));
    assert_eq!(fs::read(&increment).unwrap(), before, "nothing touches the log");
    let json = fs::read_to_string(folder.path("a.json")).unwrap();
    let list: Vec<String> = (0..100).map(|number| format!("\"{number}\"")).collect();
    let list = format!("\"key\":\"list\",\"type\":\"list\",\"value\":[{}]", list.join(","));
    assert!(json.contains(&list), "{json}");
    let hash = "{\"db\":3,\"key\":\"hash\",\"type\":\"hash\",\"value\":[[\"field\",\"value\"]]}";
    assert!(json.contains(hash), "{json}");
    assert!(json.ends_with("{\"end\":true,\"keys\":2}\n]\n"), "{json}");
    fs::write(&increment, b"*1\r\n$7\r\nNOTHING\r\n").unwrap();
    assert_refused(&convert(&[&log, &folder.path("b.json")]), 1, "the log cannot be loaded: ");
    fs::write(folder.path("old.aof"), b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\nb\r\n").unwrap();
    let old = pipe(&[&folder.path("old.aof"), "-", "--to", "json"], b"");
    assert_done(&old);
    assert!(String::from_utf8_lossy(&old.stdout).contains("\"key\":\"a\""));
}

#[test]
fn what_is_there_stays_unless_it_is_forced() {
    let folder = Folder::new();
    let (from, to) = (folder.path("a.json"), folder.path("b.rdb"));
    fs::write(&from, "[{\"format\":\"reddle\",\"version\":1},{\"end\":true}]").unwrap();
    fs::write(&to, "precious").unwrap();
    assert_refused(&convert(&[&from, &to]), 1, "exists; --force writes over it");
    assert_eq!(fs::read(&to).unwrap(), b"precious");
    assert_done(&convert(&["--force", "--quiet", &from, &to]));
    assert!(fs::read(&to).unwrap().starts_with(b"REDIS0011"));
}

#[test]
fn a_failure_leaves_nothing() {
    let folder = Folder::new();
    let (from, to) = (folder.path("a.json"), folder.path("b.rdb"));
    let text = "[{\"format\":\"reddle\",\"version\":1},\n\
                {\"db\":0,\"key\":\"a\",\"type\":\"list\",\"value\":[\"a\"]},\n\
                {\"db\":0,\"key\":\"b\",\"type\":\"list\",\"value\":{}}]";
    fs::write(&from, text).unwrap();
    let reason = "a.json: line 3, column 41: expected an array of elements, found '{'";
    assert_refused(&convert(&[&from, &to]), 1, reason);
    assert_refused(&convert(&[&from, &folder.path("c.json")]), 1, reason);
    assert_refused(&convert(&[&folder.path("none.rdb"), &to]), 1, "none.rdb does not exist");
    assert_eq!(folder.names(), ["a.json"]);
}

#[test]
fn command_lines_that_make_no_sense_are_refused() {
    for (words, reason) in [
        (&["a.rdb"][..], "two names are needed"),
        (&["a.rdb", "b"], "b needs --to"),
        (&["-", "b.json"], "- needs --from"),
        (&["a.rdb", "b.json", "--fast"], "--fast is not known"),
        (&["a.rdb", "b.json", "--to", "xml"], "xml is neither rdb, json nor aof"),
        (&["a.json", "b.rdb", "--rdb-version", "9"], "9 is not a version that can be written"),
        (&["a.json", "b.rdb", "--rdb-version"], "--rdb-version needs a value"),
    ] {
        assert_refused(&convert(words), 2, reason);
    }
    assert_done(&convert(&["--help"]));
}
