//! Saves in the background: the file is of one moment, whatever clients do meanwhile.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Client, Server, Value};

/// A folder for files that outlive a server; it is removed with the value.
struct Folder(testkit::Folder);

impl Folder {
    fn new() -> Self {
        Self(testkit::Folder::new())
    }

    fn start(&self, options: &[(&str, &str)]) -> Server {
        let dir = self.0.to_str().unwrap();
        let mut all = vec![("dir", dir), ("enable-debug-command", "yes")];
        all.extend_from_slice(options);
        Server::start(&all)
    }

    fn names(&self) -> Vec<String> {
        self.0.names("")
    }
}

fn send(client: &mut Client, line: &str) -> Value {
    let words: Vec<&[u8]> = line.split(' ').map(str::as_bytes).collect();
    client.call(&words)
}

fn text(client: &mut Client, line: &str) -> String {
    match send(client, line) {
        Value::Bulk(bytes) | Value::Simple(bytes) | Value::Error(bytes) => {
            String::from_utf8(bytes).unwrap()
        }
        Value::Int(number) => number.to_string(),
        Value::Null => "(nil)".to_owned(),
        other => panic!("{line}: {other:?}"),
    }
}

/// A field of INFO.
fn field(client: &mut Client, name: &str) -> String {
    let info = text(client, "INFO everything");
    let line = info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':'));
    line.unwrap_or_else(|| panic!("INFO has no {name}")).to_owned()
}

fn wait_for(what: &str, mut is_there: impl FnMut() -> bool) {
    let until = Instant::now() + Duration::from_secs(60);
    while !is_there() {
        assert!(Instant::now() < until, "{what} did not come about");
        thread::sleep(Duration::from_millis(5));
    }
}

fn wait_for_end(client: &mut Client) {
    wait_for("the end of the save", || field(client, "rdb_bgsave_in_progress") == "0");
}

const PAIRS: u32 = 20;
const STEADY: u32 = 3000;

/// Adds one to both of a pair in a transaction, and changes and removes what else there is.
fn write(mut client: Client, seed: u32, stop: &AtomicBool) {
    let mut number = seed;
    while !stop.load(Ordering::Relaxed) {
        number = number.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (pair, steady) = ((number >> 8) % PAIRS, (number >> 8) % STEADY);
        for line in [
            "MULTI".to_owned(),
            format!("INCR left:{pair}"),
            format!("INCR right:{pair}"),
            format!("RPUSH list:left x{number}"),
            format!("HSET list:right f{number} 1"),
            "EXEC".to_owned(),
            match number >> 29 {
                0 => format!("DEL steady:{steady}"),
                1 => format!("SET steady:{steady} new EX 100"),
                2 => format!("RENAME steady:{steady} moved:{steady}"),
                3 => format!("APPEND steady:{steady} more"),
                4 => format!("SMOVE big small member:{steady}"),
                5 => format!("MOVE steady:{steady} 5"),
                _ => format!("COPY steady:{steady} copy:{steady}"),
            },
        ] {
            send(&mut client, &line);
        }
    }
}

#[test]
fn what_is_saved_is_of_one_moment() {
    for threads in ["1", "2"] {
        let folder = Folder::new();
        let server = folder.start(&[("threads", threads), ("rdb-key-save-delay", "50")]);
        let mut client = server.client();
        for number in 0..STEADY {
            send(&mut client, &format!("SET steady:{number} old:{number}"));
            send(&mut client, &format!("SADD big member:{number}"));
        }
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for seed in 1..4 {
                let (client, stop) = (server.client(), &stop);
                scope.spawn(move || write(client, seed, stop));
            }
            for _ in 0..3 {
                assert_eq!(text(&mut client, "BGSAVE"), "Background saving started");
                assert_eq!(text(&mut client, "BGSAVE"), "ERR Background save already in progress");
                wait_for_end(&mut client);
                assert_eq!(field(&mut client, "rdb_last_bgsave_status"), "ok");
            }
            stop.store(true, Ordering::Relaxed);
        });
        assert_eq!(folder.names(), ["dump.rdb"]);
        fs::copy(folder.0.join("dump.rdb"), folder.0.join("copy.rdb")).unwrap();
        let loaded = folder.start(&[("dbfilename", "copy.rdb")]);
        let mut client = loaded.client();
        for pair in 0..PAIRS {
            let left = text(&mut client, &format!("GET left:{pair}"));
            assert_eq!(left, text(&mut client, &format!("GET right:{pair}")));
        }
        assert_eq!(text(&mut client, "LLEN list:left"), text(&mut client, "HLEN list:right"));
        let members: u32 = ["big", "small"]
            .map(|set| text(&mut client, &format!("SCARD {set}")).parse::<u32>().unwrap())
            .iter()
            .sum();
        assert_eq!(members, STEADY);
    }
}

#[test]
fn the_beginning_is_what_counts() {
    for threads in ["1", "3"] {
        let folder = Folder::new();
        let server = folder.start(&[("threads", threads), ("rdb-key-save-delay", "1000")]);
        let mut client = server.client();
        for number in 0..1000 {
            send(&mut client, &format!("SET key:{number} {number}"));
            send(&mut client, &format!("RPUSH list:{number} {number} b"));
        }
        send(&mut client, "SELECT 3");
        send(&mut client, "SET other x PXAT 32503680000000");
        let digest = text(&mut client, "DEBUG DIGEST");
        assert_eq!(text(&mut client, "BGSAVE"), "Background saving started");
        send(&mut client, "SET other y");
        assert_eq!(text(&mut client, "SWAPDB 0 3"), "OK");
        for number in 0..500 {
            send(&mut client, &format!("RPUSH list:{number} more"));
            send(&mut client, &format!("RENAME key:{number} list:{number}"));
            send(&mut client, &format!("PEXPIRE key:{} 1", number + 500));
        }
        send(&mut client, "FLUSHDB");
        send(&mut client, "SET key:1 again");
        assert_eq!(field(&mut client, "rdb_bgsave_in_progress"), "1");
        assert_eq!(field(&mut client, "current_save_keys_total"), "2001");
        wait_for_end(&mut client);
        fs::copy(folder.0.join("dump.rdb"), folder.0.join("copy.rdb")).unwrap();
        let loaded = folder.start(&[("dbfilename", "copy.rdb")]);
        assert_eq!(text(&mut loaded.client(), "DEBUG DIGEST"), digest);
    }
}

#[test]
fn a_save_is_given_up_when_that_is_asked_for() {
    let folder = Folder::new();
    let server = folder.start(&[("rdb-key-save-delay", "10000000"), ("save", "")]);
    let mut client = server.client();
    for number in 0..100 {
        send(&mut client, &format!("SET key:{number} {number}"));
    }
    assert!(text(&mut client, "BGSAVE CANCEL").starts_with("ERR Background saving is currently"));
    for ends in ["BGSAVE CANCEL", "FLUSHALL"] {
        assert_eq!(text(&mut client, "BGSAVE SCHEDULE"), "Background saving started");
        assert_eq!(text(&mut client, "SAVE"), "ERR Background save already in progress");
        assert!(!text(&mut client, ends).starts_with("ERR"));
        wait_for_end(&mut client);
        assert_eq!(field(&mut client, "rdb_last_bgsave_status"), "ok");
        wait_for("nothing to be left", || folder.names().is_empty());
    }
    assert!(field(&mut client, "rdb_changes_since_last_save").parse::<u32>().unwrap() > 100);
    send(&mut client, "MULTI");
    send(&mut client, "BGSAVE");
    let Value::Array(replies) = send(&mut client, "EXEC") else { panic!("no transaction") };
    assert_eq!(replies, [Value::Simple(b"Background saving scheduled".to_vec())]);
    wait_for("the scheduled save", || folder.names() == ["dump.rdb"]);
}

#[test]
fn the_end_of_the_server_leaves_no_draft() {
    let folder = Folder::new();
    let mut server = folder.start(&[("rdb-key-save-delay", "100000"), ("save", "900 1")]);
    let mut client = server.client();
    (0..100).for_each(|number| drop(send(&mut client, &format!("SET key:{number} x"))));
    assert_eq!(text(&mut client, "BGSAVE"), "Background saving started");
    assert_eq!(folder.names().len(), 1);
    send(&mut client, "CONFIG SET rdb-key-save-delay 0");
    client.send(b"SHUTDOWN\r\n").unwrap();
    assert!(server.wait().success());
    assert_eq!(folder.names(), ["dump.rdb"]);
    assert_eq!(text(&mut folder.start(&[]).client(), "DBSIZE"), "100");
}

#[test]
fn writes_are_refused_while_saving_fails() {
    let folder = Folder::new();
    let options = [("save", "3600 1"), ("enable-protected-configs", "yes")];
    let server = folder.start(&options);
    let mut client = server.client();
    send(&mut client, "SET key value");
    fs::remove_dir_all(&folder.0).unwrap();
    assert_eq!(text(&mut client, "BGSAVE"), "ERR");
    assert_eq!(field(&mut client, "rdb_last_bgsave_status"), "err");
    for line in ["SET key other", "PING", "FLUSHALL"] {
        assert!(text(&mut client, line).starts_with("MISCONF"), "{line}");
    }
    assert_eq!(text(&mut client, "GET key"), "value");
    send(&mut client, "MULTI");
    assert!(text(&mut client, "SET key other").starts_with("MISCONF"));
    assert!(text(&mut client, "EXEC").starts_with("EXECABORT"));
    send(&mut client, "CONFIG SET stop-writes-on-bgsave-error no");
    assert_eq!(text(&mut client, "SET key other"), "OK");
    send(&mut client, "CONFIG SET stop-writes-on-bgsave-error yes");
    assert!(text(&mut client, "SET key other").starts_with("MISCONF"));
    let other = Folder::new();
    let dir = format!("CONFIG SET dir {}", other.0.display());
    assert_eq!(text(&mut client, &dir), "OK");
    assert_eq!(text(&mut client, "BGSAVE"), "Background saving started");
    wait_for_end(&mut client);
    assert_eq!(text(&mut client, "SET key other"), "OK");
}

#[test]
fn save_points_save_while_the_server_runs() {
    let folder = Folder::new();
    let server = folder.start(&[("save", "1 3")]);
    let mut client = server.client();
    for line in ["SET a 1", "SET b 1", "SET c 1"] {
        assert_eq!(text(&mut client, line), "OK");
    }
    wait_for("the save", || folder.names() == ["dump.rdb"]);
    wait_for_end(&mut client);
    assert_eq!(field(&mut client, "rdb_changes_since_last_save"), "0");
    assert_eq!(field(&mut client, "rdb_saves"), "1");
    assert_eq!(text(&mut client, "FLUSHALL"), "OK");
    let loaded = folder.start(&[]);
    assert_eq!(text(&mut loaded.client(), "DBSIZE"), "0", "FLUSHALL has saved");
}
