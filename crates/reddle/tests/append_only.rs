//! The append-only file: what was acknowledged is there after a start, whatever stopped the server
//! and however its last bytes look.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Client, Server, Value};

/// A folder for files that outlive a server; it is removed with the value.
struct Folder(testkit::Folder);

impl Folder {
    fn new() -> Self {
        Self(testkit::Folder::new())
    }

    fn all<'a>(&'a self, options: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
        let mut all = vec![
            ("dir", self.0.to_str().unwrap()),
            ("enable-debug-command", "yes"),
            ("save", ""),
            ("appendonly", "yes"),
        ];
        all.extend_from_slice(options);
        all
    }

    fn start(&self, options: &[(&str, &str)]) -> Server {
        Server::start(&self.all(options))
    }

    /// The log of a server that must not start.
    fn refusal(&self, options: &[(&str, &str)]) -> String {
        match Server::start_exactly(&testkit::server::binary(), &self.all(options)) {
            Ok(_) => panic!("the server has started"),
            Err(log) => log,
        }
    }

    /// A file of the log.
    fn part(&self, name: &str) -> PathBuf {
        self.0.join("appendonlydir").join(name)
    }

    fn increment(&self) -> PathBuf {
        self.part("appendonly.aof.1.incr.aof")
    }

    fn names(&self) -> Vec<String> {
        self.0.names("appendonlydir")
    }

    /// Puts a log there that some server has left.
    fn leave(&self, increment: &[u8]) {
        fs::create_dir_all(self.0.join("appendonlydir")).unwrap();
        fs::write(self.increment(), increment).unwrap();
        let manifest = "file appendonly.aof.1.incr.aof seq 1 type i\n";
        fs::write(self.part("appendonly.aof.manifest"), manifest).unwrap();
    }
}

fn digest(client: &mut Client) -> String {
    client.text("DEBUG DIGEST")
}

/// Commands as they stand in a log.
fn commands(lines: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for line in lines {
        let words: Vec<&str> = line.split(' ').collect();
        bytes.extend(format!("*{}\r\n", words.len()).bytes());
        for word in words {
            bytes.extend(format!("${}\r\n{word}\r\n", word.len()).bytes());
        }
    }
    bytes
}

/// Some of everything: every type, two databases, times, a transaction, random choices.
fn fill(client: &mut Client) {
    for line in [
        "SET string text",
        "SET timed x PX 100000000",
        "SETEX seconds 100000 x",
        "INCRBYFLOAT float 1.5",
        "RPUSH list a b c 1 2 3",
        "LPOP list 2",
        "SADD numbers 1 2 3 70000",
        "SADD words a b c d e f",
        "SPOP words",
        "SPOP words 2",
        "ZADD zset 1 a 2.5 b -inf c",
        "ZPOPMIN zset",
        "HSET hash a 1 b 2",
        "HEXPIRE hash 100000 FIELDS 1 a",
        "XADD stream * a 1",
        "XADD stream MAXLEN 1 * a 2",
        "XGROUP CREATE stream group 0",
        "XREADGROUP GROUP group me COUNT 1 STREAMS stream >",
        "PFADD hll a b c",
        "SET gone x PX 1",
        "SELECT 3",
        "SET other database",
        "MULTI",
        "INCR counter",
        "INCR counter",
        "EXEC",
        "SELECT 0",
        "MOVE float 5",
        "COPY list twin",
    ] {
        assert!(!matches!(client.run(line), Value::Error(_)), "{line}");
    }
}

fn wait_for(what: &str, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < end, "{what}");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn what_was_done_is_there_after_a_start() {
    for threads in ["1", "3"] {
        for fsync in ["always", "everysec", "no"] {
            let folder = Folder::new();
            let options = [("threads", threads), ("appendfsync", fsync)];
            let server = folder.start(&options);
            let mut client = server.client();
            fill(&mut client);
            wait_for("the key expires", || client.text("EXISTS gone") == "0");
            let before = digest(&mut client);
            assert_eq!(client.text("DEBUG LOADAOF"), "OK");
            assert_eq!(digest(&mut client), before);
            let info = client.text("INFO persistence");
            assert!(info.contains("aof_enabled:1\r\n"), "{info}");
            drop(server);
            let server = folder.start(&options);
            let mut client = server.client();
            assert_eq!(digest(&mut client), before, "{threads} workers, {fsync}");
            let ttl: u64 = client.text("PTTL timed").parse().unwrap();
            assert!((90_000_000..=100_000_000).contains(&ttl));
            let info = client.text("INFO persistence");
            assert!(info.contains("rdb_changes_since_last_save:0\r\n"), "{info}");
        }
    }
}

#[test]
fn a_log_begins_with_a_base_and_an_increment() {
    let folder = Folder::new();
    let server = folder.start(&[]);
    let expected = ["appendonly.aof.1.base.rdb", "appendonly.aof.1.incr.aof"];
    let manifest = "appendonly.aof.manifest";
    assert_eq!(folder.names(), [&expected[..], &[manifest]].concat());
    assert_eq!(
        fs::read_to_string(folder.part(manifest)).unwrap(),
        "file appendonly.aof.1.base.rdb seq 1 type b\n\
         file appendonly.aof.1.incr.aof seq 1 type i\n"
    );
    let mut client = server.client();
    client.text("SET a 1");
    client.text("GET a");
    client.text("SET b 2 EX 100");
    let log = String::from_utf8(fs::read(folder.increment()).unwrap()).unwrap();
    assert!(log.starts_with(
        "*2\r\n$6\r\nSELECT\r\n$1\r\n0\r\n*3\r\n$3\r\nSET\r\n$1\r\na\r\n$1\r\n1\r\n*"
    ));
    assert!(log.contains("PXAT") && !log.contains("GET\r\n"), "{log}");
}

#[test]
fn times_that_are_over_count_as_the_log_says() {
    let folder = Folder::new();
    folder.leave(&commands(&[
        "SELECT 0",
        "SET kept 1 PXAT 1000",
        "PERSIST kept",
        "SET counter 5 PXAT 1000",
        "INCR counter",
        "SET counter 7 KEEPTTL",
        "PERSIST counter",
        "SET over 1 PXAT 1000",
    ]));
    for threads in ["1", "2"] {
        let server = folder.start(&[("threads", threads)]);
        let mut client = server.client();
        assert_eq!(client.text("GET kept"), "1");
        assert_eq!(client.text("GET counter"), "7");
        assert_eq!(client.text("EXISTS over"), "0");
    }
}

/// A log whose last bytes are missing in every possible way keeps what is whole before them.
#[test]
fn a_torn_end_is_cut_off() {
    let whole = commands(&["SELECT 0", "SET a 1", "SET b 2"]);
    let last = commands(&["SET c 333"]);
    for cut in [1, 2, 5, last.len() / 2, last.len() - 1] {
        let folder = Folder::new();
        folder.leave(&[&whole[..], &last[..cut]].concat());
        let server = folder.start(&[]);
        let mut client = server.client();
        assert_eq!(client.text("DBSIZE"), "2", "{cut} bytes of the last command");
        assert!(server.log().contains(&format!("{cut} bytes are cut off")), "{}", server.log());
        client.text("SET d 4");
        drop(server);
        let server = folder.start(&[("aof-load-truncated", "no")]);
        assert_eq!(server.client().text("DBSIZE"), "3");
    }
}

#[test]
fn zeros_at_the_end_are_cut_off() {
    let folder = Folder::new();
    let whole = commands(&["SELECT 0", "SET a 1"]);
    let torn = commands(&["SET b 2"]);
    folder.leave(&[&whole[..], &torn[..9], &[0; 5000]].concat());
    let server = folder.start(&[]);
    assert_eq!(server.client().text("DBSIZE"), "1");
    assert!(server.log().contains("5009 bytes are cut off"), "{}", server.log());
    assert_eq!(fs::read(folder.increment()).unwrap(), whole);
}

#[test]
fn a_transaction_without_end_did_not_happen() {
    let folder = Folder::new();
    let whole = commands(&["SELECT 0", "SET a 1"]);
    let open = commands(&["MULTI", "INCR a", "INCR a"]);
    folder.leave(&[&whole[..], &open[..]].concat());
    let refusal = folder.refusal(&[("aof-load-truncated", "no")]);
    assert!(refusal.contains("Unexpected end of file reading the append only file"), "{refusal}");
    let server = folder.start(&[]);
    assert_eq!(server.client().text("GET a"), "1");
    assert_eq!(fs::read(folder.increment()).unwrap(), whole);
}

#[test]
fn damage_in_the_middle_stops_the_start_and_changes_nothing() {
    let folder = Folder::new();
    let first = commands(&["SELECT 0", "SET a 1"]);
    let bytes = [&first[..], b"!!!", &commands(&["SET b 2"])].concat();
    folder.leave(&bytes);
    let refusal = folder.refusal(&[]);
    assert!(refusal.contains("Bad file format reading the append only file"), "{refusal}");
    assert!(refusal.contains("appendonly.aof.1.incr.aof"), "{refusal}");
    assert!(refusal.contains(&format!("at byte {}", first.len())), "{refusal}");
    assert_eq!(fs::read(folder.increment()).unwrap(), bytes);
    assert_eq!(folder.names().len(), 2);
}

#[test]
fn a_command_that_is_none_stops_the_start() {
    let folder = Folder::new();
    folder.leave(&commands(&["SET a 1", "BLA foo", "SET b 1"]));
    let refusal = folder.refusal(&[]);
    assert!(refusal.contains("unknown command 'BLA'"), "{refusal}");
}

#[test]
fn the_file_of_an_older_server_is_taken_over() {
    let folder = Folder::new();
    fs::write(folder.0.join("appendonly.aof"), commands(&["SELECT 2", "SET a 1"])).unwrap();
    let server = folder.start(&[]);
    let mut client = server.client();
    client.text("SET b 1");
    drop(server);
    let expected = ["appendonly.aof", "appendonly.aof.1.incr.aof", "appendonly.aof.manifest"];
    assert_eq!(folder.names(), expected);
    let server = folder.start(&[]);
    let mut client = server.client();
    assert_eq!(client.text("DBSIZE"), "1");
    client.text("SELECT 2");
    assert_eq!(client.text("GET a"), "1");
}

#[test]
fn annotations_tell_the_time() {
    let folder = Folder::new();
    let server = folder.start(&[("aof-timestamp-enabled", "yes")]);
    server.client().text("SET a 1");
    assert!(fs::read(folder.increment()).unwrap().starts_with(b"#TS:1"));
    drop(server);
    let server = folder.start(&[]);
    assert_eq!(server.client().text("GET a"), "1");
}

/// Kills a server under load again and again; whatever it acknowledged must be there.
fn killed_under_load(threads: &str, fsync: &str, rounds: u32) {
    const CLIENTS: usize = 4;
    let folder = Folder::new();
    let options = [("threads", threads), ("appendfsync", fsync)];
    let mut acknowledged = [0u64; CLIENTS];
    for round in 0..rounds {
        let server = folder.start(&options);
        let port = server.port();
        let writers: Vec<_> = acknowledged
            .iter()
            .copied()
            .enumerate()
            .map(|(at, from)| thread::spawn(move || write_until_killed(port, at, from)))
            .collect();
        thread::sleep(Duration::from_millis(u64::from(30 + round * 7 % 50)));
        // Dropping a server kills it.
        drop(server);
        for (at, writer) in writers.into_iter().enumerate() {
            acknowledged[at] = writer.join().unwrap();
        }
        let server = folder.start(&options);
        let mut client = server.client();
        for (at, count) in acknowledged.iter_mut().enumerate() {
            let found = client.text(&format!("GET count:{at}")).parse().unwrap_or(0);
            assert!(found >= *count, "round {round}: {found} of {count} are there");
            let listed: u64 = client.text(&format!("LLEN list:{at}")).parse().unwrap();
            assert_eq!(listed, found, "round {round}: a transaction was cut in half");
            *count = found;
        }
    }
}

/// Counts up until the server is gone; the last number that it acknowledged.
fn write_until_killed(port: u16, at: usize, from: u64) -> u64 {
    let Ok(mut client) = Client::connect(port) else { return from };
    let (count, list) = (format!("count:{at}"), format!("list:{at}"));
    for number in from + 1.. {
        let number_text = number.to_string();
        let steps: [&[&str]; 4] =
            [&["MULTI"], &["SET", &count, &number_text], &["RPUSH", &list, "x"], &["EXEC"]];
        for step in steps {
            if client.try_call(step).is_err() {
                return number - 1;
            }
        }
    }
    unreachable!("it counts until the server is gone")
}

#[test]
fn nothing_acknowledged_is_lost_when_the_server_is_killed() {
    for threads in ["1", "2"] {
        killed_under_load(threads, "always", 5);
        killed_under_load(threads, "everysec", 3);
    }
}

/// Many kills, for a quiet machine: `cargo test -p reddle --test append_only -- --ignored`.
#[test]
#[ignore = "takes minutes"]
fn nothing_acknowledged_is_lost_in_many_kills() {
    for threads in ["1", "2"] {
        killed_under_load(threads, "always", 100);
        killed_under_load(threads, "everysec", 50);
    }
}

#[test]
fn paths_are_seen_from_the_datas_folder() {
    let folder = Folder::new();
    let options = [("appenddirname", "logs"), ("appendfilename", "mine.aof")];
    let server = folder.start(&options);
    server.client().text("SET a 1");
    drop(server);
    assert!(folder.0.join("logs/mine.aof.1.incr.aof").is_file());
    let server = folder.start(&options);
    assert_eq!(server.client().text("GET a"), "1");
}

/// More of everything than small forms hold, and what only a RESTORE can make.
fn fill_large(client: &mut Client) {
    for number in 0..300 {
        for line in [
            format!("RPUSH biglist element:{number}:of:the:list"),
            format!("SADD bigset member:{number}"),
            format!("ZADD bigzset {number}.25 member:{number}"),
            format!("HSET bighash field:{number} value:{number}"),
            format!("XADD bigstream {}-1 n {number}", number + 1),
        ] {
            client.run(&line);
        }
    }
    for line in [
        "HPEXPIREAT bighash 32503680000000 FIELDS 2 field:1 field:2",
        "PEXPIREAT bigset 32503680000000",
        "XGROUP CREATE bigstream readers 0",
        "XREADGROUP GROUP readers one COUNT 3 STREAMS bigstream >",
        "XGROUP CREATECONSUMER bigstream readers idle",
        "XDEL bigstream 2-1",
        "XGROUP CREATE empty group 0 MKSTREAM",
        "ARSET array 5 a b c",
        "SETRANGE large 300000 x",
    ] {
        assert!(!matches!(client.run(line), Value::Error(_)), "{line}");
    }
}

fn info(client: &mut Client, field: &str) -> String {
    let info = client.text("INFO persistence");
    let line = info.lines().find(|line| line.starts_with(&format!("{field}:")));
    line.unwrap_or_else(|| panic!("no {field} in {info}"))[field.len() + 1..].to_owned()
}

fn wait_for_rewrite(client: &mut Client) {
    wait_for("the rewrite ends", || {
        info(client, "aof_rewrite_in_progress") == "0"
            && info(client, "aof_rewrite_scheduled") == "0"
    });
    assert_eq!(info(client, "aof_last_bgrewrite_status"), "ok");
}

#[test]
fn a_rewrite_puts_a_new_base_in_place() {
    for (threads, preamble) in [("1", "yes"), ("1", "no"), ("3", "yes"), ("3", "no")] {
        let folder = Folder::new();
        let options = [("threads", threads), ("aof-use-rdb-preamble", preamble)];
        let server = folder.start(&options);
        let mut client = server.client();
        fill(&mut client);
        fill_large(&mut client);
        wait_for("the key expires", || client.text("EXISTS gone") == "0");
        let reply = client.text("BGREWRITEAOF");
        assert_eq!(reply, "Background append only file rewriting started");
        wait_for_rewrite(&mut client);
        client.text("SET after rewrite");
        let end = if preamble == "yes" { "rdb" } else { "aof" };
        let base = format!("appendonly.aof.2.base.{end}");
        let expected = [&base, "appendonly.aof.2.incr.aof", "appendonly.aof.manifest"];
        assert_eq!(folder.names(), expected);
        let before = digest(&mut client);
        assert_eq!(client.text("DEBUG LOADAOF"), "OK");
        assert_eq!(digest(&mut client), before, "{threads} workers, preamble {preamble}");
        drop(server);
        let server = folder.start(&options);
        assert_eq!(digest(&mut server.client()), before);
        assert!(!server.log().contains("fails"), "{}", server.log());
    }
}

#[test]
fn a_log_is_turned_on_and_off_while_clients_write() {
    for threads in ["1", "2"] {
        let folder = Folder::new();
        let options = [("threads", threads), ("appendonly", "no")];
        let server = folder.start(&options);
        let mut client = server.client();
        fill(&mut client);
        let port = server.port();
        let writer = thread::spawn(move || write_until_killed(port, 9, 0));
        for _ in 0..3 {
            assert_eq!(client.text("CONFIG SET appendonly yes"), "OK");
            wait_for_rewrite(&mut client);
            assert_eq!(info(&mut client, "aof_enabled"), "1");
            thread::sleep(Duration::from_millis(20));
            assert_eq!(client.text("CONFIG SET appendonly no"), "OK");
            assert_eq!(info(&mut client, "aof_enabled"), "0");
        }
        assert_eq!(client.text("CONFIG SET appendonly yes"), "OK");
        wait_for_rewrite(&mut client);
        drop(server);
        let acknowledged = writer.join().unwrap();
        assert_eq!(folder.names().len(), 3);
        let server = folder.start(&[("threads", threads)]);
        let mut client = server.client();
        let found: u64 = client.text("GET count:9").parse().unwrap();
        assert!(found >= acknowledged, "{found} of {acknowledged}");
        assert_eq!(client.text("LLEN list:9"), found.to_string());
        assert_eq!(client.text("GET string"), "text");
    }
}

#[test]
fn a_log_that_is_turned_on_in_a_transaction_has_it_once() {
    let folder = Folder::new();
    let server = folder.start(&[("appendonly", "no")]);
    let mut client = server.client();
    for line in ["MULTI", "INCR a", "CONFIG SET appendonly yes", "INCR a"] {
        client.text(line);
    }
    client.run("EXEC");
    wait_for("the log begins", || info(&mut client, "aof_rewrites") == "1");
    wait_for_rewrite(&mut client);
    for line in ["MULTI", "INCR a", "BGREWRITEAOF", "INCR a"] {
        client.text(line);
    }
    client.run("EXEC");
    wait_for("the log is rewritten", || info(&mut client, "aof_rewrites") == "2");
    wait_for_rewrite(&mut client);
    drop(server);
    assert_eq!(folder.start(&[]).client().text("GET a"), "4");
}

/// WAITAOF is answered when somebody has put the log on the disk.
#[test]
fn a_log_that_is_turned_on_later_is_synced_each_second() {
    let folder = Folder::new();
    let server = folder.start(&[("appendonly", "no"), ("appendfsync", "everysec")]);
    let mut client = server.client();
    assert_eq!(client.text("CONFIG SET appendonly yes"), "OK");
    wait_for_rewrite(&mut client);
    for value in 0..3 {
        client.text(&format!("SET key {value}"));
        assert_eq!(
            client.run("WAITAOF 1 0 20000"),
            Value::Array(vec![Value::Int(1), Value::Int(0)])
        );
    }
}

#[test]
fn a_log_that_grows_is_rewritten() {
    let folder = Folder::new();
    let options = [("auto-aof-rewrite-min-size", "50000"), ("auto-aof-rewrite-percentage", "100")];
    let server = folder.start(&options);
    let mut client = server.client();
    let value = "x".repeat(1000);
    (0..100).for_each(|_| drop(client.text(&format!("SET key {value}"))));
    wait_for("the log is rewritten", || info(&mut client, "aof_rewrites") != "0");
    wait_for_rewrite(&mut client);
    assert!(server.log().contains("Starting automatic rewriting of AOF on"));
    // What came behind the first 50 000 bytes, some 53 000, may stand in the new increment.
    let size: u64 = info(&mut client, "aof_current_size").parse().unwrap();
    assert!(size < 60_000, "{size}");
    drop(server);
    let server = folder.start(&options);
    assert_eq!(server.client().text("GET key"), value);
}

/// A disk that is full refuses writes until a rewrite has put the log elsewhere; nothing that was
/// acknowledged is lost.
#[test]
#[cfg(target_os = "linux")]
fn a_log_that_cannot_be_written_refuses_writes() {
    let folder = Folder::new();
    let server = folder.start(&[]);
    let mut client = server.client();
    client.text("SET a 1");
    std::os::unix::fs::symlink("/dev/full", folder.part("appendonly.aof.2.incr.aof")).unwrap();
    client.text("BGREWRITEAOF");
    wait_for_rewrite(&mut client);
    // The first one is in memory only; with it the server learns that the disk is full.
    assert_eq!(client.text("SET b 2"), "OK");
    let refusal = "MISCONF Errors writing to the AOF file: No space left on device";
    assert_eq!(client.text("SET c 3"), refusal);
    assert_eq!(client.text("PING"), refusal);
    assert_eq!(client.text("GET b"), "2");
    assert_eq!(info(&mut client, "aof_last_write_status"), "err");
    client.text("BGREWRITEAOF");
    wait_for_rewrite(&mut client);
    wait_for("the log is in order", || client.text("PING") == "PONG");
    assert_eq!(info(&mut client, "aof_last_write_status"), "ok");
    assert_eq!(client.text("SET d 4"), "OK");
    drop(server);
    let server = folder.start(&[]);
    let mut client = server.client();
    for (key, value) in [("a", "1"), ("b", "2"), ("c", "(nil)"), ("d", "4")] {
        assert_eq!(client.text(&format!("GET {key}")), value);
    }
}

/// With `always` nobody sees what the log does not have: the server ends.
#[test]
#[cfg(target_os = "linux")]
fn with_always_a_log_that_cannot_be_written_ends_the_server() {
    let folder = Folder::new();
    let mut server = folder.start(&[("appendfsync", "always")]);
    let mut client = server.client();
    client.text("SET a 1");
    std::os::unix::fs::symlink("/dev/full", folder.part("appendonly.aof.2.incr.aof")).unwrap();
    client.text("BGREWRITEAOF");
    wait_for_rewrite(&mut client);
    assert!(client.try_call(&["SET", "a", "2"]).is_err());
    assert_eq!(server.wait().code(), Some(1));
    assert!(server.log().contains("Can't recover from AOF write error"), "{}", server.log());
}

/// Writers go on through many rewrites, and the server is killed in the middle of one.
#[test]
fn a_server_killed_during_a_rewrite_has_lost_nothing() {
    for threads in ["1", "2"] {
        let folder = Folder::new();
        let options = [("threads", threads), ("appendfsync", "always")];
        let mut acknowledged = 0;
        for round in 0..6 {
            let server = folder.start(&options);
            let mut client = server.client();
            let port = server.port();
            let writer = thread::spawn(move || write_until_killed(port, 1, acknowledged));
            for _ in 0..3 {
                client.run("BGREWRITEAOF");
                thread::sleep(Duration::from_millis(3 + round * 2));
            }
            drop(server);
            let reached = writer.join().unwrap();
            let server = folder.start(&options);
            let mut client = server.client();
            let found: u64 = client.text("GET count:1").parse().unwrap_or(0);
            assert!(found >= reached, "round {round}: {found} of {reached}");
            assert_eq!(client.text("LLEN list:1"), found.to_string());
            acknowledged = found;
        }
    }
}

/// A script is one whole in the log, which has it before its client is answered; a library and what
/// its functions write are there as well.
#[test]
fn what_scripts_have_written_is_there_after_a_kill() {
    for threads in ["1", "2"] {
        let folder = Folder::new();
        let options = [("appendfsync", "always"), ("threads", threads)];
        let server = folder.start(&options);
        let mut client = server.client();
        let script = "redis.call('set', 'a', 1) redis.call('select', 3) redis.call('set', 'b', 2)";
        client.call(&["EVAL", script, "0"]);
        let library = "#!lua name=l\nredis.register_function('add', function(keys) \
                       redis.call('set', keys[1], 1) return redis.call('incr', keys[1]) end)";
        assert_eq!(client.call(&["FUNCTION", "LOAD", library]), Value::Bulk(b"l".to_vec()));
        assert_eq!(client.call(&["FCALL", "add", "1", "n"]), Value::Int(2));
        let log = String::from_utf8(fs::read(folder.increment()).unwrap()).unwrap();
        assert_eq!(log.matches("MULTI").count(), 2, "{log}");
        assert_eq!(log.matches("EXEC").count(), 2, "{log}");
        assert!(log.ends_with("EXEC\r\n"), "{log}");
        drop(server);
        let server = folder.start(&options);
        let mut client = server.client();
        assert_eq!(client.text("GET a"), "1");
        assert_eq!(client.text("GET n"), "2");
        assert_eq!(client.call(&["FCALL", "add", "1", "n"]), Value::Int(2));
        client.text("SELECT 3");
        assert_eq!(client.text("GET b"), "2");
    }
}

/// Servers before Redis 7 wrote scripts themselves into their logs, and those before Redis 5 knew
/// nothing else: by their text, and by the digest of one that is known.
#[test]
fn scripts_in_the_logs_of_older_servers_are_run() {
    fn spelled(all: &[&[&str]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for command in all {
            bytes.extend(format!("*{}\r\n", command.len()).bytes());
            for word in *command {
                bytes.extend(format!("${}\r\n{word}\r\n", word.len()).bytes());
            }
        }
        bytes
    }
    let body = "redis.call('set', KEYS[1], ARGV[1]) redis.call('incr', 'runs') return 1";
    let known = "5943ee4581c10f3f8872b3f8718ccb27c394c5bf";
    let other = "redis.call('set', 'in', 3) redis.call('select', 5) redis.call('set', 'b', 2)";
    let library = "#!lua name=l\nredis.register_function('add', function(keys) \
                   return redis.call('incr', keys[1]) end)";
    let log = spelled(&[
        &["SELECT", "0"],
        &["EVAL", body, "1", "first", "1"],
        &["SCRIPT", "LOAD", "return redis.call('incr', 'loaded')"],
        &["EVALSHA", known, "0"],
        &["SELECT", "3"],
        &["MULTI"],
        &["EVAL", other, "0"],
        &["EXEC"],
        &["SET", "after", "1"],
        &["EVAL", "return redis.call('nonsense')", "0"],
        &["FUNCTION", "LOAD", library],
        &["FCALL", "add", "1", "called"],
    ]);
    for threads in ["1", "2"] {
        let folder = Folder::new();
        folder.leave(&log);
        let server = folder.start(&[("threads", threads)]);
        let mut client = server.client();
        for (key, value) in [("first", "1"), ("runs", "1"), ("loaded", "1")] {
            assert_eq!(client.text(&format!("GET {key}")), value, "{}", server.log());
        }
        client.text("SELECT 3");
        for (key, value) in [("in", "3"), ("after", "1"), ("called", "1"), ("b", "(nil)")] {
            assert_eq!(client.text(&format!("GET {key}")), value);
        }
        client.text("SELECT 5");
        assert_eq!(client.text("GET b"), "2");
        assert_eq!(fs::read(folder.increment()).unwrap(), log, "nothing is logged again");
        client.text("SET later 1");
        let before = digest(&mut client);
        assert_eq!(client.text("DEBUG LOADAOF"), "OK");
        assert_eq!(digest(&mut client), before);
        assert_eq!(client.call(&["FCALL", "add", "1", "called"]), Value::Int(1));
    }
}

/// A base of commands has the libraries of functions.
#[test]
fn a_base_of_commands_has_the_libraries() {
    let folder = Folder::new();
    let options = [("aof-use-rdb-preamble", "no")];
    let server = folder.start(&options);
    let mut client = server.client();
    let library = "#!lua name=l\nredis.register_function('one', function() return 1 end)";
    assert_eq!(client.call(&["FUNCTION", "LOAD", library]), Value::Bulk(b"l".to_vec()));
    client.text("BGREWRITEAOF");
    wait_for_rewrite(&mut client);
    assert!(folder.names().iter().any(|name| name.ends_with(".2.base.aof")));
    drop(server);
    let server = folder.start(&options);
    assert_eq!(server.client().call(&["FCALL", "one", "0"]), Value::Int(1));
}

/// Turning the log off gives up the rewrite that is under way, and leaves nothing of it.
#[test]
fn a_log_that_is_turned_off_gives_up_its_rewrite() {
    let folder = Folder::new();
    let server = folder.start(&[]);
    let mut client = server.client();
    client.text("SET key value");
    client.text("CONFIG SET rdb-key-save-delay 10000000");
    client.text("BGREWRITEAOF");
    assert_eq!(info(&mut client, "aof_rewrite_in_progress"), "1");
    client.text("CONFIG SET appendonly no");
    wait_for("the rewrite is given up", || info(&mut client, "aof_rewrite_in_progress") == "0");
    assert!(folder.names().iter().all(|name| !name.contains("temp")), "{:?}", folder.names());
    drop(server);
    let server = folder.start(&[]);
    assert_eq!(server.client().text("GET key"), "value");
}

/// WAITAOF comes back when what its client wrote is on the disk, or when its time is over.
#[test]
fn clients_wait_for_the_disk() {
    let pair = |local| Value::Array(vec![Value::Int(local), Value::Int(0)]);
    let no_log = "ERR WAITAOF cannot be used when numlocal is set but appendonly is disabled.";
    for threads in ["1", "2"] {
        let folder = Folder::new();
        let server = folder.start(&[("appendfsync", "no"), ("threads", threads)]);
        let (mut client, mut other) = (server.client(), server.client());
        assert_eq!(client.run("WAITAOF 1 0 0"), pair(1), "it has written nothing");
        client.text("INCR count");
        assert_eq!(client.run("WAITAOF 1 0 50"), pair(0));
        assert_eq!(other.run("WAITAOF 1 0 0"), pair(1), "that was somebody else");
        client.text("CONFIG SET appendfsync everysec");
        client.text("INCR count");
        assert_eq!(client.run("WAITAOF 1 0 0"), pair(1));
        assert_eq!(client.run("WAITAOF 0 1 30"), pair(1));
        assert_eq!(client.run("WAITAOF 1 1 30"), pair(1));
        client.text("CONFIG SET appendfsync always");
        client.text("INCR count");
        assert_eq!(client.run("WAITAOF 1 0 0"), pair(1));
        // One that waits learns that there is no log any more.
        client.text("CONFIG SET appendfsync no");
        let port = server.port();
        let waiting = thread::spawn(move || {
            let mut client = Client::connect(port).unwrap();
            client.text("INCR count");
            client.text("WAITAOF 1 0 0")
        });
        let blocked =
            |client: &mut Client| client.text("INFO clients").contains("blocked_clients:1");
        wait_for("somebody waits", || blocked(&mut client));
        client.text("CONFIG SET appendonly no");
        assert_eq!(waiting.join().unwrap(), no_log);
        assert_eq!(client.text("WAITAOF 1 0 0"), no_log);
        assert_eq!(client.run("WAITAOF 0 0 0"), pair(0));
        // A log that is being turned on is there once its base is.
        client.text("CONFIG SET appendfsync everysec");
        client.text("CONFIG SET rdb-key-save-delay 300000");
        client.text("CONFIG SET appendonly yes");
        client.text("INCR count");
        assert_eq!(client.run("WAITAOF 1 0 20000"), pair(1));
        assert_eq!(info(&mut client, "aof_pending_rewrite"), "0");
        let count = client.text("GET count");
        drop(server);
        let server = folder.start(&[]);
        assert_eq!(server.client().text("GET count"), count);
    }
}

#[test]
fn a_client_that_waits_for_the_disk_can_be_told_to_stop() {
    let folder = Folder::new();
    let server = folder.start(&[("appendfsync", "no")]);
    let (mut client, port) = (server.client(), server.port());
    for (word, expected) in [("TIMEOUT", "[0 0]"), ("ERROR", "UNBLOCKED")] {
        for wait in ["WAITAOF 1 0 0", "WAIT 1 0"] {
            let (sender, receiver) = std::sync::mpsc::channel();
            let waiting = thread::spawn(move || {
                let mut client = Client::connect(port).unwrap();
                sender.send(client.text("CLIENT ID")).unwrap();
                client.text("INCR count");
                client.run(wait)
            });
            let id = receiver.recv().unwrap();
            let unblock = format!("CLIENT UNBLOCK {id} {word}");
            wait_for("it waits", || client.text(&unblock) == "1");
            match (waiting.join().unwrap(), wait) {
                (Value::Error(text), _) => assert!(text.starts_with(expected.as_bytes())),
                (Value::Int(copies), "WAIT 1 0") => assert_eq!(copies, 0),
                (reply, _) => {
                    assert_eq!(reply, Value::Array(vec![Value::Int(0), Value::Int(0)]));
                }
            }
        }
    }
    for (line, expected) in [
        ("WAITAOF 2 0 0", "ERR value is out of range, value must between 0 and 1"),
        ("WAITAOF x 0 0", "ERR value is not an integer or out of range"),
        ("WAITAOF 0 -1 0", "ERR value is out of range, must be positive"),
        ("WAITAOF 0 x 0", "ERR value is out of range, must be positive"),
        ("WAITAOF 0 0 -1", "ERR timeout is negative"),
        ("WAITAOF 0 0 x", "ERR timeout is not an integer or out of range"),
        ("WAIT x 0", "ERR value is not an integer or out of range"),
        ("WAIT 1 -1", "ERR timeout is negative"),
        ("WAIT 1 x", "ERR timeout is not an integer or out of range"),
        ("WAIT 1 20", "0"),
        ("WAIT 0 0", "0"),
        ("WAIT -1 0", "0"),
    ] {
        assert_eq!(client.text(line), expected, "{line}");
    }
}
