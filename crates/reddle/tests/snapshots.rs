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

/// A field of INFO.
fn field(client: &mut Client, name: &str) -> String {
    let info = client.text("INFO everything");
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
            client.run(&line);
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
            client.run(&format!("SET steady:{number} old:{number}"));
            client.run(&format!("SADD big member:{number}"));
        }
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            for seed in 1..4 {
                let (client, stop) = (server.client(), &stop);
                scope.spawn(move || write(client, seed, stop));
            }
            for _ in 0..3 {
                assert_eq!(client.text("BGSAVE"), "Background saving started");
                assert_eq!(client.text("BGSAVE"), "ERR Background save already in progress");
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
            let left = client.text(&format!("GET left:{pair}"));
            assert_eq!(left, client.text(&format!("GET right:{pair}")));
        }
        assert_eq!(client.text("LLEN list:left"), client.text("HLEN list:right"));
        let members: u32 = ["big", "small"]
            .map(|set| client.text(&format!("SCARD {set}")).parse::<u32>().unwrap())
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
            client.run(&format!("SET key:{number} {number}"));
            client.run(&format!("RPUSH list:{number} {number} b"));
        }
        client.run("SELECT 3");
        client.run("SET other x PXAT 32503680000000");
        let digest = client.text("DEBUG DIGEST");
        assert_eq!(client.text("BGSAVE"), "Background saving started");
        client.run("SET other y");
        assert_eq!(client.text("SWAPDB 0 3"), "OK");
        for number in 0..500 {
            client.run(&format!("RPUSH list:{number} more"));
            client.run(&format!("RENAME key:{number} list:{number}"));
            client.run(&format!("PEXPIRE key:{} 1", number + 500));
        }
        client.run("FLUSHDB");
        client.run("SET key:1 again");
        assert_eq!(field(&mut client, "rdb_bgsave_in_progress"), "1");
        assert_eq!(field(&mut client, "current_save_keys_total"), "2001");
        wait_for_end(&mut client);
        fs::copy(folder.0.join("dump.rdb"), folder.0.join("copy.rdb")).unwrap();
        let loaded = folder.start(&[("dbfilename", "copy.rdb")]);
        assert_eq!(loaded.client().text("DEBUG DIGEST"), digest);
    }
}

#[test]
fn a_save_is_given_up_when_that_is_asked_for() {
    let folder = Folder::new();
    let server = folder.start(&[("rdb-key-save-delay", "10000000"), ("save", "")]);
    let mut client = server.client();
    for number in 0..100 {
        client.run(&format!("SET key:{number} {number}"));
    }
    assert!(client.text("BGSAVE CANCEL").starts_with("ERR Background saving is currently"));
    for ends in ["BGSAVE CANCEL", "FLUSHALL"] {
        assert_eq!(client.text("BGSAVE SCHEDULE"), "Background saving started");
        assert_eq!(client.text("SAVE"), "ERR Background save already in progress");
        assert!(!client.text(ends).starts_with("ERR"));
        wait_for_end(&mut client);
        assert_eq!(field(&mut client, "rdb_last_bgsave_status"), "ok");
        wait_for("nothing to be left", || folder.names().is_empty());
    }
    assert!(field(&mut client, "rdb_changes_since_last_save").parse::<u32>().unwrap() > 100);
    client.run("MULTI");
    client.run("BGSAVE");
    let Value::Array(replies) = client.run("EXEC") else { panic!("no transaction") };
    assert_eq!(replies, [Value::Simple(b"Background saving scheduled".to_vec())]);
    wait_for("the scheduled save", || folder.names() == ["dump.rdb"]);
}

#[test]
fn the_end_of_the_server_leaves_no_draft() {
    let folder = Folder::new();
    let mut server = folder.start(&[("rdb-key-save-delay", "100000"), ("save", "900 1")]);
    let mut client = server.client();
    (0..100).for_each(|number| drop(client.run(&format!("SET key:{number} x"))));
    assert_eq!(client.text("BGSAVE"), "Background saving started");
    assert_eq!(folder.names().len(), 1);
    client.run("CONFIG SET rdb-key-save-delay 0");
    client.send(b"SHUTDOWN\r\n").unwrap();
    assert!(server.wait().success());
    assert_eq!(folder.names(), ["dump.rdb"]);
    assert_eq!(folder.start(&[]).client().text("DBSIZE"), "100");
}

#[test]
fn writes_are_refused_while_saving_fails() {
    let folder = Folder::new();
    let options = [("save", "3600 1"), ("enable-protected-configs", "yes")];
    let server = folder.start(&options);
    let mut client = server.client();
    client.run("SET key value");
    fs::remove_dir_all(&folder.0).unwrap();
    assert_eq!(client.text("BGSAVE"), "ERR");
    assert_eq!(field(&mut client, "rdb_last_bgsave_status"), "err");
    for line in ["SET key other", "PING", "FLUSHALL"] {
        assert!(client.text(line).starts_with("MISCONF"), "{line}");
    }
    assert_eq!(client.text("GET key"), "value");
    client.run("MULTI");
    assert!(client.text("SET key other").starts_with("MISCONF"));
    assert!(client.text("EXEC").starts_with("EXECABORT"));
    client.run("CONFIG SET stop-writes-on-bgsave-error no");
    assert_eq!(client.text("SET key other"), "OK");
    client.run("CONFIG SET stop-writes-on-bgsave-error yes");
    assert!(client.text("SET key other").starts_with("MISCONF"));
    let other = Folder::new();
    let dir = format!("CONFIG SET dir {}", other.0.display());
    assert_eq!(client.text(&dir), "OK");
    assert_eq!(client.text("BGSAVE"), "Background saving started");
    wait_for_end(&mut client);
    assert_eq!(client.text("SET key other"), "OK");
}

#[test]
fn save_points_save_while_the_server_runs() {
    let folder = Folder::new();
    let server = folder.start(&[("save", "1 3")]);
    let mut client = server.client();
    for line in ["SET a 1", "SET b 1", "SET c 1"] {
        assert_eq!(client.text(line), "OK");
    }
    wait_for("the save", || folder.names() == ["dump.rdb"]);
    wait_for_end(&mut client);
    assert_eq!(field(&mut client, "rdb_changes_since_last_save"), "0");
    assert_eq!(field(&mut client, "rdb_saves"), "1");
    assert_eq!(client.text("FLUSHALL"), "OK");
    let loaded = folder.start(&[]);
    assert_eq!(loaded.client().text("DBSIZE"), "0", "FLUSHALL has saved");
}

/// Elements of each large value.
const MANY: u32 = 20_000;

fn send_many(client: &mut Client, head: &str, mut each: impl FnMut(u32) -> String) {
    for first in (0..MANY).step_by(500) {
        let tail: Vec<String> = (first..first + 500).map(&mut each).collect();
        let line = format!("{head} {}", tail.join(" "));
        assert!(!matches!(client.run(&line), Value::Error(_)), "{head}");
    }
}

fn make_large(client: &mut Client) {
    send_many(client, "RPUSH list", |at| format!("element:{at}"));
    send_many(client, "SADD set", |at| format!("member:{at}"));
    send_many(client, "ZADD zset", |at| format!("{} member:{at}", at / 3));
    send_many(client, "HSET hash", |at| format!("field:{at} value:{at}"));
    send_many(client, "HSET timed", |at| format!("field:{at} {at}"));
    for at in 0..200 {
        let deadline = 32_503_680_000_000_u64 + at * 1000;
        client.run(&format!("HPEXPIREAT timed {deadline} FIELDS 1 field:{at}"));
    }
    for at in 0..5000 {
        client.run(&format!("XADD stream {}-1 field value:{at}", at + 1));
    }
    client.run("XGROUP CREATE stream group 0");
    client.run("XREADGROUP GROUP group reader COUNT 100 STREAMS stream >");
    for at in 0..4000 {
        client.run(&format!("ARSET array {} text:{at}", at * 5));
    }
    client.run("PEXPIREAT zset 32503680000000");
    for at in 0..200 {
        client.run(&format!("SET small:{at} x"));
    }
}

/// Changes every large value once, in ways that follow from the number.
fn change_large(client: &mut Client, number: u32) {
    let at = number.wrapping_mul(2_654_435_761) % MANY;
    let copy = format!("copy:{}", number % 4);
    for line in [
        format!("LSET list {at} changed:{number}"),
        format!("LPUSH list front:{number}"),
        format!("SREM set member:{at}"),
        format!("SADD set new:{number}"),
        format!("ZADD zset {number} member:{at}"),
        format!("ZREM zset member:{}", (at + 7) % MANY),
        format!("ZADD zset -1 new:{number}"),
        "ZPOPMAX zset 3".to_owned(),
        "SPOP set 2".to_owned(),
        format!("HSET hash field:{at} changed"),
        format!("HSET hash new:{number} value"),
        format!("HDEL timed field:{at}"),
        format!("HPEXPIRE timed 1 FIELDS 1 field:{}", (at + 7) % MANY),
        format!("PEXPIREAT zset {}", 32_503_680_000_000_u64 + u64::from(number)),
        format!("PEXPIRE hash {}", 1_000_000_000 + number),
        format!("XADD stream * field new:{number}"),
        format!("XDEL stream {}-1", at % 5000 + 1),
        format!("ARSET array {} changed", at % 20_000),
        format!("SET small:{} y", number % 200),
        format!("ZREMRANGEBYRANK zset {} {}", at % 1000, at % 1000 + 2),
        format!("HINCRBY hash count:{} 1", number % 50),
        format!("SADD {copy} new:{number}"),
        // Sets that were copied in an earlier round have changed a little by then.
        match number % 16 {
            0..4 => format!("COPY set {copy} REPLACE"),
            8 => format!("RENAME {copy} moved"),
            9 => format!("UNLINK {copy}"),
            10 => format!("MOVE {copy} 5"),
            11 => format!("SUNIONSTORE {copy} set moved"),
            _ => format!("SMOVE set {copy} member:{at}"),
        },
    ] {
        assert!(!matches!(client.run(&line), Value::Error(_)), "{line}");
    }
}

#[test]
fn large_values_are_of_the_moment_too() {
    for (threads, name) in [("1", "dump.rdb"), ("2", "dump.rdb"), ("2", "dump.json")] {
        let folder = Folder::new();
        let options = [("threads", threads), ("dbfilename", name), ("rdb-key-save-delay", "200")];
        let server = folder.start(&options);
        let mut client = server.client();
        make_large(&mut client);
        // The writes begin at another place of the walk each time.
        for round in 0..4 {
            let digest = client.text("DEBUG DIGEST");
            assert_eq!(client.text("BGSAVE"), "Background saving started");
            thread::sleep(Duration::from_millis(round * 7));
            let mut changes = 0;
            while field(&mut client, "rdb_bgsave_in_progress") == "1" {
                changes += 1;
                change_large(&mut client, changes);
            }
            assert_eq!(field(&mut client, "rdb_last_bgsave_status"), "ok");
            let copy = format!("copy-{name}");
            fs::copy(folder.0.join(name), folder.0.join(&copy)).unwrap();
            let loaded = folder.start(&[("dbfilename", &copy)]);
            assert_eq!(loaded.client().text("DEBUG DIGEST"), digest, "{threads} {name}");
        }
    }
}

#[test]
fn large_values_are_whole_in_a_rewritten_log() {
    for (threads, preamble) in [("1", "no"), ("2", "no"), ("2", "yes")] {
        let folder = Folder::new();
        let options = [
            ("threads", threads),
            ("appendonly", "yes"),
            ("aof-use-rdb-preamble", preamble),
            ("rdb-key-save-delay", "200"),
        ];
        let server = folder.start(&options);
        let mut client = server.client();
        make_large(&mut client);
        for _ in 0..2 {
            client.run("BGREWRITEAOF");
            let mut changes = 0;
            while field(&mut client, "aof_rewrite_in_progress") == "1" {
                changes += 1;
                change_large(&mut client, changes);
            }
            assert_eq!(field(&mut client, "aof_last_bgrewrite_status"), "ok");
        }
        // The last field that got a millisecond is over by then, and a write takes it away.
        thread::sleep(Duration::from_millis(2));
        client.run("HSET timed last value");
        let digest = client.text("DEBUG DIGEST");
        drop(client);
        drop(server);
        let loaded = folder.start(&[("appendonly", "yes")]);
        assert_eq!(loaded.client().text("DEBUG DIGEST"), digest, "{threads} {preamble}");
    }
}
