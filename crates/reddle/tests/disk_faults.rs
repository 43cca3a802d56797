//! A disk that fails: writes and syncs of the log and of the data set's file that do not come
//! about, for a while or for good. Nothing that was acknowledged is lost, and nobody is told
//! otherwise.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]
#![cfg(target_os = "linux")]

use std::fs;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Client, Folder, Value};

/// The program whose disk can be told to fail, which another build of it need not have.
const PROGRAM: &str = env!("CARGO_BIN_EXE_reddle");
/// No space left on the device; an error of input or output.
const FULL: &str = "28";
const BROKEN: &str = "5";

/// What fails: a deed, a part of the path of what it is done to, and how.
type Fault<'f> = (&'f str, &'f str, &'f str);

/// A server on a disk that fails as it is told.
struct Faulty {
    folder: Folder,
    child: Child,
    port: u16,
    options: Vec<String>,
}

impl Faulty {
    fn start(options: &[&str]) -> Self {
        let folder = Folder::new();
        let options: Vec<String> = options.iter().map(|option| (*option).to_owned()).collect();
        let (child, port) = spawn(&folder, &options);
        let faulty = Self { folder, child, port, options };
        faulty.client();
        faulty
    }

    fn client(&self) -> Client {
        Client::when_ready(self.port, Duration::from_secs(20))
            .unwrap_or_else(|| panic!("the server does not start: {}", self.log()))
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log")).unwrap_or_default()
    }

    /// From now on these deeds fail, each on files whose path holds a text.
    fn fails(&self, faults: &[Fault<'_>]) {
        let lines: Vec<String> =
            faults.iter().map(|(deed, part, error)| format!("{deed} {part} {error}\n")).collect();
        let draft = self.folder.join("faults.draft");
        fs::write(&draft, lines.concat()).unwrap();
        fs::rename(draft, self.folder.join("faults")).unwrap();
    }

    /// Waits until the server has ended by itself.
    fn end(&mut self) -> ExitStatus {
        let until = Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < until, "the server goes on");
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills the server and starts another one on what is left, with a disk that is whole.
    fn again(&mut self) -> Client {
        self.child.kill().ok();
        self.child.wait().unwrap();
        self.fails(&[]);
        (self.child, self.port) = spawn(&self.folder, &self.options);
        self.client()
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn spawn(folder: &Folder, options: &[String]) -> (Child, u16) {
    let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    drop(socket);
    let log = fs::File::create(folder.join("log")).unwrap();
    let child = Command::new(PROGRAM)
        .args(["--port", &port.to_string(), "--dir"])
        .arg(&**folder)
        .args(options)
        .env("REDDLE_DISK_FAULTS", folder.join("faults"))
        .stdout(log)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    (child, port)
}

fn text(client: &mut Client, line: &str) -> String {
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    match client.call(&words) {
        Value::Bulk(bytes) | Value::Simple(bytes) | Value::Error(bytes) => {
            String::from_utf8(bytes).unwrap()
        }
        Value::Int(number) => number.to_string(),
        Value::Null => "(nil)".to_owned(),
        other => panic!("{line}: {other:?}"),
    }
}

fn info(client: &mut Client, field: &str) -> String {
    let all = text(client, "INFO persistence");
    let line = all.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap().to_owned()
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < until, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

const LOG: [&str; 4] = ["--save", "", "--appendonly", "yes"];

fn log_with(policy: &'static str) -> Vec<&'static str> {
    [&LOG[..], &["--appendfsync", policy]].concat()
}

/// Counts up until that is refused; how far it got.
fn count_until_refused(client: &mut Client) -> (i64, String) {
    let mut reached = 0;
    loop {
        match client.call(&["INCR", "count"]) {
            Value::Int(number) => reached = number,
            Value::Error(text) => return (reached, String::from_utf8(text).unwrap()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_full_disk_refuses_writes_until_there_is_room() {
    for policy in ["everysec", "no"] {
        let mut server = Faulty::start(&log_with(policy));
        let mut client = server.client();
        text(&mut client, "INCR count");
        server.fails(&[("write", ".incr.aof", FULL)]);
        let (reached, refusal) = count_until_refused(&mut client);
        let expected = "MISCONF Errors writing to the AOF file: No space left on device";
        assert_eq!(refusal, expected);
        assert_eq!(text(&mut client, "GET count"), reached.to_string());
        assert_eq!(info(&mut client, "aof_last_write_status"), "err");
        server.fails(&[]);
        wait_for("there is room again", || text(&mut client, "PING") == "PONG");
        assert_eq!(info(&mut client, "aof_last_write_status"), "ok");
        let next = (reached + 1).to_string();
        assert_eq!(text(&mut client, "INCR count"), next);
        let mut client = server.again();
        assert_eq!(text(&mut client, "GET count"), next, "{policy}: {}", server.log());
        assert!(!server.log().contains("Truncating"), "{}", server.log());
    }
}

/// What could not be taken back from the file stays there, and is not written again.
#[test]
fn what_a_full_disk_has_taken_stands_there_once() {
    let mut server = Faulty::start(&log_with("everysec"));
    let mut client = server.client();
    text(&mut client, "INCR count");
    server.fails(&[("write", ".incr.aof", FULL), ("cut", ".incr.aof", BROKEN)]);
    let (reached, _) = count_until_refused(&mut client);
    server.fails(&[]);
    wait_for("there is room again", || text(&mut client, "PING") == "PONG");
    let mut client = server.again();
    assert_eq!(text(&mut client, "GET count"), reached.to_string(), "{}", server.log());
}

/// Nobody sees what is not on the disk: the server ends before it replies.
#[test]
fn with_always_a_disk_that_fails_ends_the_server() {
    for (deed, error) in [("write", FULL), ("write", BROKEN), ("sync", BROKEN), ("sync", FULL)] {
        for threads in ["1", "2"] {
            let options = [&log_with("always")[..], &["--threads", threads]].concat();
            let mut server = Faulty::start(&options);
            let mut client = server.client();
            for _ in 0..10 {
                text(&mut client, "INCR count");
            }
            server.fails(&[(deed, ".incr.aof", error)]);
            assert!(client.try_call(&["INCR", "count"]).is_err(), "{deed} {error}");
            assert_eq!(server.end().code(), Some(1));
            assert!(server.log().contains("Can't recover from AOF write error"));
            let mut client = server.again();
            let found: i64 = text(&mut client, "GET count").parse().unwrap();
            assert!(found == 10 || deed == "sync" && found == 11, "{deed}: {found}");
        }
    }
}

/// What the system has dropped when a sync fails does not come back with the next one.
#[test]
fn a_sync_that_fails_refuses_writes_until_there_is_another_log() {
    let mut server = Faulty::start(&log_with("everysec"));
    let mut client = server.client();
    server.fails(&[("sync", ".incr.aof", BROKEN)]);
    let (mut reached, mut refusal) = (0, String::new());
    wait_for("the sync fails", || {
        match client.call(&["INCR", "count"]) {
            Value::Int(number) => reached = number,
            Value::Error(text) => refusal = String::from_utf8(text).unwrap(),
            other => panic!("{other:?}"),
        }
        !refusal.is_empty()
    });
    assert_eq!(refusal, "MISCONF Errors writing to the AOF file: Input/output error");
    server.fails(&[]);
    thread::sleep(Duration::from_millis(1500));
    assert_eq!(text(&mut client, "INCR count"), refusal);
    text(&mut client, "BGREWRITEAOF");
    wait_for("another log", || text(&mut client, "PING") == "PONG");
    reached += 1;
    assert_eq!(text(&mut client, "INCR count"), reached.to_string());
    let mut client = server.again();
    assert_eq!(text(&mut client, "GET count"), reached.to_string());
}

/// A rewrite at any of whose steps the disk fails leaves a log that is whole.
#[test]
fn a_rewrite_on_a_disk_that_fails_leaves_a_log_that_is_whole() {
    for fault in [
        ("write", "temp-", FULL),
        ("sync", "temp-", BROKEN),
        ("rename", ".base.rdb", BROKEN),
        ("rename", ".manifest", BROKEN),
        ("open", ".incr.aof", FULL),
        ("settle", "appendonlydir", BROKEN),
    ] {
        let mut server = Faulty::start(&log_with("everysec"));
        let mut client = server.client();
        text(&mut client, "SET before 1");
        server.fails(&[fault]);
        text(&mut client, "BGREWRITEAOF");
        wait_for("the rewrite has ended", || {
            info(&mut client, "aof_rewrite_in_progress") == "0"
                && info(&mut client, "aof_rewrite_scheduled") == "0"
        });
        assert_eq!(info(&mut client, "aof_last_bgrewrite_status"), "err", "{fault:?}");
        assert_eq!(text(&mut client, "SET meanwhile 2"), "OK", "{fault:?}");
        let mut client = server.again();
        for (key, value) in [("before", "1"), ("meanwhile", "2")] {
            assert_eq!(text(&mut client, &format!("GET {key}")), value, "{fault:?}");
        }
        text(&mut client, "BGREWRITEAOF");
        wait_for("the next one comes about", || {
            info(&mut client, "aof_rewrite_in_progress") == "0"
                && info(&mut client, "aof_rewrite_scheduled") == "0"
        });
        assert_eq!(info(&mut client, "aof_last_bgrewrite_status"), "ok", "{fault:?}");
        let mut client = server.again();
        assert_eq!(text(&mut client, "GET meanwhile"), "2", "{fault:?}");
    }
}

/// However long the disk takes for what a rewrite puts on it, clients are answered, and nothing of
/// what they did is lost.
#[test]
fn nobody_waits_for_the_disk_while_the_log_is_rewritten() {
    for threads in ["1", "2"] {
        let options = [&log_with("everysec")[..], &["--threads", threads]].concat();
        let mut server = Faulty::start(&options);
        let mut clients = [server.client(), server.client(), server.client()];
        text(&mut clients[0], "SET before 1");
        let waits = "waits";
        server.fails(&[("sync", "appendonly", waits), ("settle", "appendonly", waits)]);
        let began = "Background append only file rewriting started";
        assert_eq!(text(&mut clients[0], "BGREWRITEAOF"), began);
        for count in 1..=200 {
            for (name, client) in clients.iter_mut().enumerate() {
                let line = format!("SET client:{name} {count}");
                assert_eq!(text(client, &line), "OK");
                assert_eq!(text(client, "GET before"), "1");
            }
        }
        assert_eq!(info(&mut clients[0], "aof_rewrite_in_progress"), "1");
        server.fails(&[]);
        wait_for("the rewrite ends", || info(&mut clients[0], "aof_rewrite_in_progress") == "0");
        assert_eq!(info(&mut clients[0], "aof_last_bgrewrite_status"), "ok");
        clients[0].call(&["WAITAOF", "1", "0", "20000"]);
        let mut client = server.again();
        for name in 0..3 {
            assert_eq!(text(&mut client, &format!("GET client:{name}")), "200");
        }
    }
}

#[test]
fn a_save_on_a_full_disk_leaves_the_old_file() {
    for (deed, error) in [("write", FULL), ("sync", BROKEN), ("open", FULL), ("rename", BROKEN)] {
        let mut server = Faulty::start(&["--save", "3600 1000000"]);
        let mut client = server.client();
        text(&mut client, "SET key old");
        assert_eq!(text(&mut client, "SAVE"), "OK");
        text(&mut client, "SET key new");
        server.fails(&[(deed, ".rdb", error)]);
        assert!(text(&mut client, "SAVE").starts_with("ERR"), "{deed}");
        text(&mut client, "BGSAVE");
        wait_for("it has failed", || info(&mut client, "rdb_last_bgsave_status") == "err");
        let refusal = text(&mut client, "SET key newer");
        assert!(refusal.starts_with("MISCONF"), "{deed}: {refusal}");
        let names = fs::read_dir(&*server.folder).unwrap();
        let drafts = names.filter(|name| {
            name.as_ref().unwrap().file_name().to_string_lossy().starts_with("temp-")
        });
        assert_eq!(drafts.count(), 0, "{deed}");
        let mut client = server.again();
        assert_eq!(text(&mut client, "GET key"), "old", "{deed}");
        assert_eq!(text(&mut client, "BGSAVE"), "Background saving started");
    }
}

/// Runs a command while the disk keeps it waiting with something, until the monitor tells of it.
fn hold_up(server: &Faulty, others: &[Fault<'_>], fault: (&str, &str), line: &str, event: &str) {
    let mut client = server.client();
    let request = format!("{line}\r\n");
    wait_for(event, || {
        server.fails(&[others, &[(fault.0, fault.1, "waits")]].concat());
        client.send(request.as_bytes()).unwrap();
        thread::sleep(Duration::from_millis(20));
        server.fails(others);
        client.receive().unwrap();
        client.call(&["LATENCY", "HISTORY", event]) != Value::Array(Vec::new())
    });
}

/// The monitor tells by its event what a slow disk has held up.
#[test]
fn a_slow_disk_is_told_of_by_what_it_holds_up() {
    let options = [&log_with("always")[..], &["--latency-monitor-threshold", "1"]].concat();
    let server = Faulty::start(&options);
    let increment = ".incr.aof";
    hold_up(&server, &[], ("sync", increment), "INCR count", "aof-fsync-always");
    hold_up(&server, &[], ("write", increment), "INCR count", "aof-write-alone");
    hold_up(&server, &[], ("open", "temp-"), "BGSAVE", "snapshot");
    let mut client = server.client();
    wait_for("the saves are over", || info(&mut client, "rdb_bgsave_in_progress") == "0");
    let lasts = [("sync", "temp-", "waits")];
    server.fails(&lasts);
    assert_eq!(text(&mut client, "BGSAVE"), "Background saving started");
    hold_up(&server, &lasts, ("write", increment), "INCR count", "aof-write-active-child");
    server.fails(&[]);
    let Value::Array(all) = client.call(&["LATENCY", "HISTORY", "aof-write"]) else { panic!() };
    assert!(!all.is_empty(), "writes of either kind are writes");
}
