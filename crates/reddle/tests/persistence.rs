//! The data set on disk: saved, loaded again, and what happens when that goes wrong.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Client, Server, Value};

/// The server to test.
fn program() -> PathBuf {
    let built = || env!("CARGO_BIN_EXE_reddle").into();
    std::env::var_os("REDDLE_BIN").unwrap_or_else(built).into()
}

/// A folder for files that outlive a server; it is removed with the value.
struct Folder(testkit::Folder);

impl Folder {
    fn new() -> Self {
        Self(testkit::Folder::new())
    }

    fn text(&self) -> &str {
        self.0.to_str().unwrap()
    }

    fn start(&self, options: &[(&str, &str)]) -> Server {
        let mut all =
            vec![("dir", self.text()), ("enable-debug-command", "yes"), ("loglevel", "debug")];
        all.extend_from_slice(options);
        Server::start(&all)
    }

    fn names(&self) -> Vec<String> {
        self.0.names("")
    }
}

/// Some of every type, small and large, in two databases, with times.
fn fill(client: &mut Client) {
    for line in [
        "SET string text",
        "SET number 12345678901",
        "SET timed x PXAT 32503680000000",
        "RPUSH list a b c 1 2 3",
        "SADD numbers 1 2 3 70000",
        "SADD words a b c",
        "ZADD zset 1 a 2.5 b -inf c",
        "HSET hash a 1 b 2",
        "HSET faded a 1 b 2",
        "HPEXPIREAT faded 32503680000000 FIELDS 1 a",
        "XADD stream 1-1 a 1",
        "XADD stream 2-1 a 2 b 3",
        "XADD stream 3-1 a 2 b 3",
        "XDEL stream 2-1",
        "XGROUP CREATE stream group 0",
        "XREADGROUP GROUP group me COUNT 1 STREAMS stream >",
        "PFADD hll a b c",
        "SELECT 3",
        "SET other database",
        "SELECT 0",
    ] {
        assert!(!matches!(client.run(line), Value::Error(_)), "{line}");
    }
    for number in 0..1500 {
        client.run(&format!("RPUSH biglist element:{number}:of:the:list"));
        client.run(&format!("SADD bigset member:{number}"));
        client.run(&format!("ZADD bigzset {number}.25 member:{number}"));
        client.run(&format!("HSET bighash field:{number} value:{number}"));
        client.run(&format!("XADD bigstream {}-1 n {number}", number + 1));
    }
}

#[test]
fn what_was_saved_is_there_after_a_start() {
    for (threads, name) in
        [("1", "dump.rdb"), ("3", "dump.rdb"), ("1", "dump.json"), ("3", "dump.json")]
    {
        let folder = Folder::new();
        let options = [("threads", threads), ("dbfilename", name)];
        let server = folder.start(&options);
        let mut client = server.client();
        fill(&mut client);
        let digest = client.text("DEBUG DIGEST");
        assert_eq!(client.text("SAVE"), "OK");
        assert!(client.text("INFO persistence").contains("rdb_changes_since_last_save:0\r\n"));
        client.run("SET later 1");
        drop(server);
        assert_eq!(folder.names(), [name], "nothing but the file is left");
        let server = folder.start(&options);
        let mut client = server.client();
        assert_eq!(client.text("DEBUG DIGEST"), digest);
        assert_eq!(client.text("PEXPIRETIME timed"), "32503680000000");
        assert_eq!(client.text("XLEN stream"), "2");
        assert_eq!(client.text("DEBUG RELOAD"), "OK");
        assert_eq!(client.text("DEBUG DIGEST"), digest);
        let info = client.text("INFO persistence");
        assert!(info.contains("rdb_last_load_keys_loaded:17\r\n"), "{info}");
        assert!(info.contains("loading:0\r\n"), "{info}");
    }
}

#[test]
fn a_save_in_the_background_writes_json_too() {
    let folder = Folder::new();
    let options = [("threads", "2"), ("dbfilename", "dump.json")];
    let server = folder.start(&options);
    let mut client = server.client();
    fill(&mut client);
    let digest = client.text("DEBUG DIGEST");
    assert_eq!(client.text("BGSAVE"), "Background saving started");
    client.run("SET later 1");
    client.run("DEL biglist");
    let end = Instant::now() + Duration::from_secs(60);
    while !folder.0.join("dump.json").exists() {
        assert!(Instant::now() < end, "{}", server.log());
        thread::sleep(Duration::from_millis(5));
    }
    drop(server);
    let server = folder.start(&options);
    assert_eq!(server.client().text("DEBUG DIGEST"), digest);
}

#[test]
fn shutdown_saves_when_there_are_save_points() {
    let folder = Folder::new();
    let cases: [(&str, &str, bool); 4] = [
        ("3600 1", "SHUTDOWN", true),
        ("", "SHUTDOWN", false),
        ("", "SHUTDOWN SAVE", true),
        ("3600 1", "SHUTDOWN NOSAVE", false),
    ];
    for (points, command, is_saved) in cases {
        let mut server = folder.start(&[("save", points)]);
        let mut client = server.client();
        client.run("SET key value");
        let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
        client.try_call(&words).ok();
        assert!(server.wait().success());
        assert_eq!(folder.0.join("dump.rdb").exists(), is_saved, "{points:?} {command}");
        fs::remove_file(folder.0.join("dump.rdb")).ok();
    }
}

/// Adds to a counter until the server is gone; the last value that it acknowledged.
fn count_up(mut client: Client, key: &str) -> i64 {
    /// Commands that are on their way together.
    const PIPELINE: usize = 50;
    let all = format!("INCR {key}\r\n").repeat(PIPELINE);
    let mut last = 0;
    while client.send(all.as_bytes()).is_ok() {
        for _ in 0..PIPELINE {
            match client.receive() {
                Ok(Value::Int(value)) => last = value,
                _ => return last,
            }
        }
    }
    last
}

#[test]
fn what_is_acknowledged_while_the_server_ends_was_saved() {
    let folder = Folder::new();
    let mut server = folder.start(&[("save", ""), ("threads", "2")]);
    server.client().run("DEBUG POPULATE 20000 key 100");
    let keys = ["one", "two", "three", "four"];
    let counts = keys.map(|key| {
        let client = server.client();
        thread::spawn(move || count_up(client, key))
    });
    let mut client = server.client();
    while keys.iter().any(|key| client.text(&format!("EXISTS {key}")) == "0") {}
    client.try_call(&["SHUTDOWN", "SAVE"]).ok();
    assert!(server.wait().success());
    let acknowledged = counts.map(|count| count.join().unwrap());
    let server = folder.start(&[]);
    let mut client = server.client();
    for (key, last) in keys.into_iter().zip(acknowledged) {
        let saved: i64 = client.text(&format!("GET {key}")).parse().unwrap();
        assert!(saved >= last, "{key}: {last} was acknowledged, {saved} saved");
    }
}

#[test]
fn a_signal_saves_as_shutdown_does() {
    let folder = Folder::new();
    let mut server = folder.start(&[("save", "3600 1")]);
    server.client().run("SET key value");
    let pid = server.pid().to_string();
    assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
    assert!(server.wait().success());
    let server = folder.start(&[]);
    assert_eq!(server.client().text("GET key"), "value");
}

#[test]
fn a_shutdown_that_cannot_save_does_not_happen() {
    let folder = Folder::new();
    let mut server = folder.start(&[("save", "3600 1")]);
    let mut client = server.client();
    client.run("SET key value");
    // A folder in the file's place: it can be neither opened nor replaced.
    fs::create_dir(folder.0.join("dump.rdb")).unwrap();
    fs::write(folder.0.join("dump.rdb").join("x"), b"").unwrap();
    assert_eq!(client.text("SAVE"), "ERR");
    assert_eq!(client.text("SHUTDOWN"), "ERR Errors trying to SHUTDOWN. Check logs.");
    assert_eq!(client.text("GET key"), "value");
    client.try_call(&["SHUTDOWN", "FORCE"]).ok();
    assert!(server.wait().success());
    assert_eq!(folder.names(), ["dump.rdb"], "no draft is left");
}

#[test]
fn a_damaged_file_stops_the_start_and_stays() {
    let folder = Folder::new();
    let server = folder.start(&[]);
    let mut client = server.client();
    fill(&mut client);
    client.run("SAVE");
    drop(server);
    let place = folder.0.join("dump.rdb");
    let whole = fs::read(&place).unwrap();
    let mut damaged = whole.clone();
    damaged[whole.len() / 2] ^= 0x55;
    for bytes in [&damaged[..], &whole[..whole.len() / 2], b"something else"] {
        fs::write(&place, bytes).unwrap();
        let output = Command::new(program())
            .args(["--port", "0", "--unixsocket", "socket", "--dir", folder.text(), "--save", ""])
            .output()
            .unwrap();
        assert!(!output.status.success());
        let log = String::from_utf8_lossy(&output.stdout);
        assert!(log.contains("Fatal error loading the DB"), "{log}");
        assert_eq!(fs::read(&place).unwrap(), bytes, "nothing touches the file");
    }
}

#[test]
fn a_damaged_json_file_is_refused_with_its_line() {
    let folder = Folder::new();
    let server = folder.start(&[("dbfilename", "dump.json")]);
    let mut client = server.client();
    fill(&mut client);
    client.run("SAVE");
    drop(server);
    let place = folder.0.join("dump.json");
    let whole = fs::read_to_string(&place).unwrap();
    let cut = whole.lines().take(9).collect::<Vec<_>>().join("\n");
    fs::write(&place, &cut).unwrap();
    let output = Command::new(program())
        .args(["--port", "0", "--unixsocket", "socket", "--dir", folder.text(), "--save", ""])
        .args(["--dbfilename", "dump.json"])
        .output()
        .unwrap();
    assert!(!output.status.success());
    let log = String::from_utf8_lossy(&output.stdout);
    let column = cut.lines().last().unwrap().len() + 1;
    let expected = format!("Fatal error loading the DB: line 9, column {column}: expected");
    assert!(log.contains(&expected), "{log}");
    assert_eq!(fs::read_to_string(&place).unwrap(), cut, "nothing touches the file");
}

/// The first line of the reply to an inline command over a unix socket.
fn ask(socket: &Path, line: &str) -> Option<String> {
    let mut stream = std::os::unix::net::UnixStream::connect(socket).ok()?;
    stream.write_all(format!("{line}\r\nQUIT\r\n").as_bytes()).ok()?;
    let mut reply = String::new();
    stream.read_to_string(&mut reply).ok()?;
    Some(reply)
}

#[test]
fn clients_are_answered_while_a_file_is_loaded() {
    let folder = Folder::new();
    let server = folder.start(&[]);
    let mut client = server.client();
    assert_eq!(client.text("DEBUG POPULATE 20000"), "OK");
    assert_eq!(client.text("SAVE"), "OK");
    drop(server);
    let socket = folder.0.join("socket");
    let mut child = Command::new(program())
        .args(["--port", "0", "--unixsocket", socket.to_str().unwrap(), "--dir", folder.text()])
        .args(["--save", "", "--threads", "2", "--key-load-delay", "1000"])
        .stdout(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    let wait_for = |line: &str, expected: &str| {
        while !ask(&socket, line).is_some_and(|reply| reply.starts_with(expected)) {
            assert!(Instant::now() < end, "{line}: {:?}", ask(&socket, line));
            thread::sleep(Duration::from_millis(5));
        }
    };
    // Clients know the error by its first word (dragonfly#2617).
    wait_for("GET key:1", "-LOADING");
    let info = ask(&socket, "INFO persistence").unwrap();
    assert!(info.contains("loading:1\r\n"), "{info}");
    assert!(info.contains("loading_total_bytes:"), "{info}");
    assert!(ask(&socket, "CONFIG SET key-load-delay 0").unwrap().starts_with("+OK"));
    wait_for("PING", "+PONG");
    assert!(ask(&socket, "DBSIZE").unwrap().starts_with(":20000\r\n"));
    ask(&socket, "SHUTDOWN NOSAVE");
    assert!(child.wait().unwrap().success());
}

#[test]
fn keys_whose_time_is_over_are_not_loaded() {
    let folder = Folder::new();
    let server = folder.start(&[]);
    let mut client = server.client();
    client.run("SET gone 1 PX 300");
    client.run("SET stays 1 PX 1000000");
    client.run("HSET hash a 1 b 2");
    client.run("HPEXPIRE hash 300 FIELDS 1 a");
    client.run("SAVE");
    drop(server);
    thread::sleep(Duration::from_millis(310));
    let server = folder.start(&[]);
    let mut client = server.client();
    assert_eq!(client.text("DBSIZE"), "2");
    assert_eq!(client.text("HLEN hash"), "1");
    let info = client.text("INFO persistence");
    assert!(info.contains("rdb_last_load_keys_expired:1\r\n"), "{info}");
}

#[test]
fn reload_takes_its_options() {
    let folder = Folder::new();
    let server = folder.start(&[]);
    let mut client = server.client();
    client.run("SET a old");
    client.run("SAVE");
    client.run("SET a new");
    client.run("SET b new");
    assert!(client.text("DEBUG RELOAD NOSAVE NOFLUSH").starts_with("ERR Error trying"));
    assert_eq!(client.text("DEBUG RELOAD NOSAVE NOFLUSH MERGE"), "OK");
    assert_eq!(client.text("GET a"), "old");
    assert_eq!(client.text("GET b"), "new");
    assert_eq!(client.text("DEBUG RELOAD NOSAVE"), "OK");
    assert_eq!(client.text("EXISTS b"), "0");
    assert!(client.text("DEBUG RELOAD OTHER").starts_with("ERR DEBUG RELOAD only supports"));
    fs::remove_file(folder.0.join("dump.rdb")).unwrap();
    assert!(client.text("DEBUG RELOAD NOSAVE").starts_with("ERR Error trying"));
    assert_eq!(client.text("GET a"), "old", "without a file nothing is dropped");
}

#[test]
fn the_time_of_the_last_save_moves() {
    let folder = Folder::new();
    let server = folder.start(&[]);
    let mut client = server.client();
    let first: i64 = client.text("LASTSAVE").parse().unwrap();
    let end = Instant::now() + Duration::from_secs(5);
    let mut last = first;
    while last == first && Instant::now() < end {
        client.run("SAVE");
        last = client.text("LASTSAVE").parse().unwrap();
    }
    assert!(last > first);
}

#[test]
fn files_of_real_servers_hold_what_they_held_there() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/rdb");
    let digests = fs::read_to_string(samples.join("digests.txt")).unwrap();
    for line in digests.lines() {
        let (name, digest) = line.split_once(' ').unwrap();
        let folder = Folder::new();
        fs::copy(samples.join(format!("{name}.rdb")), folder.0.join("dump.rdb")).unwrap();
        let server = folder.start(&[]);
        let mut client = server.client();
        assert_eq!(client.text("DEBUG DIGEST"), digest, "{name}");
        // Groups are no part of the digest.
        assert_eq!(client.run("XPENDING stream first"), pending(), "{name}");
        for version in ["auto", "10", "12", "80"] {
            assert_eq!(client.text(&format!("CONFIG SET rdb-version {version}")), "OK");
            assert_eq!(client.text("DEBUG RELOAD"), "OK");
            assert_eq!(client.text("DEBUG DIGEST"), digest, "{name} in version {version}");
            assert_eq!(client.run("XPENDING stream first"), pending(), "{name}");
        }
    }
}

#[test]
fn files_of_old_servers_hold_what_they_held_there() {
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/rdb/old");
    let lines = fs::read_to_string(samples.join("digests.txt")).unwrap();
    for line in lines.lines() {
        let [name, digest, deadline_ms] = line.split(' ').collect::<Vec<_>>()[..] else {
            panic!("{line}");
        };
        let folder = Folder::new();
        fs::copy(samples.join(format!("{name}.rdb")), folder.0.join("dump.rdb")).unwrap();
        let server = folder.start(&[]);
        let mut client = server.client();
        for command in ["DEBUG RELOAD", "PING"] {
            assert_eq!(client.text("DEBUG DIGEST"), digest, "{name}");
            let deadline = client.call(&["PEXPIRETIME", "expires too"]);
            assert_eq!(deadline, Value::Int(deadline_ms.parse().unwrap()), "{name}");
            if client.text("EXISTS stream") == "1" {
                let bulk = |text: &str| Value::Bulk(text.into());
                let of = |name, count| Value::Array(vec![bulk(name), bulk(count)]);
                let consumers = Value::Array(vec![of("alice", "2"), of("bob", "3")]);
                let pending = vec![Value::Int(5), bulk("1-1"), bulk("7-1"), consumers];
                let found = client.run("XPENDING stream first");
                assert_eq!(found, Value::Array(pending), "{name}");
            }
            let fields = ["HPEXPIRETIME", "hash 40", "FIELDS", "2", "field 2", "field 3"];
            let field_ms = if name == "redis-7.4.0" { 32_503_680_000_009 } else { -1 };
            let expected = Value::Array(vec![Value::Int(field_ms), Value::Int(-1)]);
            assert_eq!(client.call(&fields), expected, "{name}");
            client.text(command);
        }
    }
}

/// What XPENDING says of the group in the files of real servers.
fn pending() -> Value {
    let bulk = |text: &str| Value::Bulk(text.into());
    let of = |name, count| Value::Array(vec![bulk(name), bulk(count)]);
    let consumers = Value::Array(vec![of("alice", "3"), of("bob", "3")]);
    Value::Array(vec![Value::Int(6), bulk("4-1"), bulk("12-1"), consumers])
}

#[test]
fn files_are_checked_under_every_name() {
    let folder = Folder::new();
    let sample =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/rdb/valkey-9.1.2.rdb");
    let damaged = folder.0.join("damaged.rdb");
    fs::write(&damaged, &fs::read(&sample).unwrap()[..5000]).unwrap();
    let named = folder.0.join("redis-check-rdb");
    std::os::unix::fs::symlink(program(), &named).unwrap();
    let (own, program) = (["check", "rdb"], program());
    for (program, words) in [(&program, &own[..]), (&named, &[][..])] {
        let run = |file: &Path| Command::new(program).args(words).arg(file).output().unwrap();
        let output = run(&sample);
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains("RDB looks OK!"));
        let output = run(&damaged);
        assert!(!output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).contains("--- RDB ERROR DETECTED ---"));
        let output = run(Path::new("--help"));
        assert!(output.status.success());
        assert!(String::from_utf8_lossy(&output.stdout).starts_with("Usage: re"));
    }
    let output = Command::new(&program).args(["check", "--help"]).output().unwrap();
    assert!(output.status.success());
    let output = Command::new(&program).arg("check").output().unwrap();
    assert!(!output.status.success() && output.stdout.is_empty());
}
