//! MIGRATE: keys that move between servers, targets that fall silent, and keys that change on the
//! way.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Client, Folder, Server, Value};

const THREADS: [&str; 2] = ["1", "4"];

fn start(threads: &str) -> Server {
    let built = || env!("CARGO_BIN_EXE_reddle").into();
    let binary: PathBuf = std::env::var_os("REDDLE_BIN").unwrap_or_else(built).into();
    Server::start_binary(&binary, &[("threads", threads), ("save", "")])
}

fn text(client: &mut Client, line: &str) -> String {
    let words: Vec<&str> =
        line.split(' ').map(|word| if word == "\"\"" { "" } else { word }).collect();
    match client.call(&words) {
        Value::Bulk(bytes) | Value::Simple(bytes) | Value::Error(bytes) => {
            String::from_utf8(bytes).unwrap()
        }
        Value::Int(number) => number.to_string(),
        Value::Null => "nil".to_owned(),
        other => panic!("{line}: {other:?}"),
    }
}

#[test]
fn keys_move_and_are_gone_here() {
    for threads in THREADS {
        let (from, to) = (start(threads), start(threads));
        let (mut here, mut there) = (from.client(), to.client());
        let port = to.port();
        for line in ["SET a 1", "RPUSH list 1 2 3", "SET timed x PX 100000", "SET KEYS named"] {
            text(&mut here, line);
        }
        let migrate = |rest: &str| format!("MIGRATE 127.0.0.1 {port} {rest}");
        assert_eq!(text(&mut here, &migrate("missing 0 1000")), "NOKEY");
        assert_eq!(text(&mut here, &migrate("a 0 1000")), "OK");
        assert_eq!(
            (text(&mut here, "EXISTS a"), text(&mut there, "GET a")),
            ("0".into(), "1".into())
        );
        let copy = migrate("\"\" 2 1000 COPY KEYS list timed KEYS missing");
        assert_eq!(text(&mut here, &copy), "OK");
        assert_eq!(
            (text(&mut here, "DBSIZE"), text(&mut there, "DBSIZE")),
            ("3".into(), "1".into())
        );
        let error = text(&mut here, &migrate("\"\" 2 1000 KEYS list timed KEYS"));
        assert!(error.contains("Target instance replied with error: BUSYKEY"), "{error}");
        assert_eq!(text(&mut here, "DBSIZE"), "3");
        text(&mut there, "SELECT 2");
        text(&mut there, "DEL timed");
        let error = text(&mut here, &migrate("\"\" 2 1000 KEYS list timed KEYS"));
        assert!(error.contains("BUSYKEY"), "{error}");
        assert_eq!(text(&mut here, "EXISTS list timed KEYS"), "2", "what was taken is gone here");
        let left: i64 = text(&mut there, "PTTL timed").parse().unwrap();
        assert!((90_000..=100_000).contains(&left), "{left}");
        assert_eq!(text(&mut here, &migrate("\"\" 2 1000 REPLACE KEYS list KEYS")), "OK");
        assert_eq!(
            (text(&mut here, "DBSIZE"), text(&mut there, "LLEN list")),
            ("0".into(), "3".into())
        );
        let cached = text(&mut here, "INFO stats");
        assert!(cached.contains("migrate_cached_sockets:1\r\n"), "{cached}");
    }
}

#[test]
fn a_transaction_moves_keys_at_once() {
    let (from, to) = (start("2"), start("1"));
    let mut here = from.client();
    text(&mut here, "SET a 1");
    text(&mut here, "MULTI");
    text(&mut here, &format!("MIGRATE 127.0.0.1 {} a 0 1000", to.port()));
    text(&mut here, "EXISTS a");
    let Value::Array(replies) = here.call(&["EXEC"]) else { panic!("a transaction runs") };
    assert_eq!(replies, [Value::Simple(b"OK".to_vec()), Value::Int(0)]);
    assert_eq!(text(&mut to.client(), "GET a"), "1");
}

#[test]
fn a_password_is_sent_and_shown_nowhere() {
    let (from, to) = (start("1"), start("1"));
    let (mut here, mut there) = (from.client(), to.client());
    text(&mut there, "CONFIG SET requirepass secret");
    text(&mut here, "CONFIG SET slowlog-log-slower-than 0");
    text(&mut here, "SET a 1");
    let migrate = |rest: &str| format!("MIGRATE 127.0.0.1 {} a 0 1000 {rest}", to.port());
    for refused in ["COPY", "AUTH wrong", "AUTH2 nobody secret"] {
        let error = text(&mut here, &migrate(refused));
        assert!(error.starts_with("ERR Target instance replied with error: "), "{error}");
    }
    assert_eq!(text(&mut here, &migrate("COPY AUTH secret")), "OK");
    assert_eq!(text(&mut here, &migrate("AUTH2 default secret REPLACE")), "OK");
    let shown = format!("{:?}", here.call(&["SLOWLOG", "GET", "100"]));
    let spelled = |word: &str| format!("{:?}", Value::Bulk(word.into()));
    assert!(
        shown.contains(&spelled("(redacted)")) && !shown.contains(&spelled("secret")),
        "{shown}"
    );
}

#[test]
fn nobody_waits_for_a_silent_target() {
    for threads in THREADS {
        let from = start(threads);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (mut here, mut other) = (from.client(), from.client());
        text(&mut here, "SET a 1");
        let line = format!("MIGRATE 127.0.0.1 {port} a 0 800");
        let began = Instant::now();
        let waits = thread::spawn(move || text(&mut here, &line));
        let (silent, _) = listener.accept().unwrap();
        let mut longest = Duration::ZERO;
        while !waits.is_finished() {
            let asked = Instant::now();
            assert_eq!(text(&mut other, "GET a"), "1");
            longest = longest.max(asked.elapsed());
        }
        let error = waits.join().unwrap();
        assert_eq!(error, "IOERR error or timeout reading to target instance");
        assert!(began.elapsed() >= Duration::from_millis(800));
        assert!(longest < Duration::from_millis(400), "another client waited {longest:?}");
        assert_eq!(text(&mut other, "EXISTS a"), "1");
        drop((silent, listener));
        let line = format!("MIGRATE 127.0.0.1 {port} a 0 800");
        let error = text(&mut other, &line);
        assert_eq!(error, "IOERR error or timeout connecting to the client");
    }
}

/// A target that takes everything. Whenever it was sent something, and before it says that it has
/// taken it, `change` is called with the number of times that happened.
fn obedient(mut change: impl FnMut(usize) + Send + 'static) -> (u16, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let target = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
        let (mut seen, mut room) = (String::new(), [0; 65_536]);
        for count in 0.. {
            let len = match stream.read(&mut room) {
                Ok(len) if len > 0 => len,
                _ => break,
            };
            let part = String::from_utf8_lossy(&room[..len]).replace("\r\n", " ");
            change(count);
            let replies = ["SELECT", "RESTORE", "DEL"].map(|word| part.matches(word).count());
            let ok = "+OK\r\n".repeat(replies[0] + replies[1]) + &":1\r\n".repeat(replies[2]);
            stream.write_all(ok.as_bytes()).unwrap();
            seen.push_str(&part);
        }
        seen
    });
    (port, target)
}

#[test]
fn a_key_that_changes_on_the_way_is_sent_again() {
    for threads in THREADS {
        let from = start(threads);
        let (mut here, mut other) = (from.client(), from.client());
        text(&mut here, "SET a first");
        text(&mut here, "XADD stream 1-1 a b");
        text(&mut here, "XGROUP CREATE stream group 0");
        text(&mut here, "SET gone soon");
        let (port, target) = obedient(move |count| {
            if count == 0 {
                text(&mut other, "SET a second");
                other.call(&["XREADGROUP", "GROUP", "group", "me", "STREAMS", "stream", ">"]);
                text(&mut other, "DEL gone");
            }
        });
        let line = format!("MIGRATE 127.0.0.1 {port} \"\" 0 1000 KEYS a stream gone");
        assert_eq!(text(&mut here, &line), "OK");
        assert_eq!(text(&mut here, "DBSIZE"), "0");
        drop(from);
        let seen = target.join().unwrap();
        assert_eq!(seen.matches("RESTORE $1 a ").count(), 2, "{seen}");
        assert_eq!(seen.matches("RESTORE $6 stream ").count(), 2, "{seen}");
        assert!(seen.contains("second") && seen.contains("DEL $4 gone "), "{seen}");
        assert_eq!(seen.matches("REPLACE").count(), 2, "only what is there already is replaced");
    }
}

#[test]
fn a_key_that_always_changes_arrives_all_the_same() {
    let from = start("1");
    let (mut here, mut other) = (from.client(), from.client());
    text(&mut here, "SET n 0");
    let (port, target) = obedient(move |count| {
        // The fourth time it is sent with its shard held, so nobody can change it.
        if count < 3 {
            text(&mut other, "INCR n");
        }
    });
    assert_eq!(text(&mut here, &format!("MIGRATE 127.0.0.1 {port} n 0 1000")), "OK");
    assert_eq!(text(&mut here, "EXISTS n"), "0");
    drop(from);
    assert_eq!(target.join().unwrap().matches("RESTORE").count(), 4);
}

#[test]
fn a_client_that_goes_leaves_its_keys_to_the_target() {
    let (from, to) = (start("1"), start("1"));
    let mut here = from.client();
    text(&mut here, "SET a 1");
    let id = text(&mut here, "CLIENT ID");
    let (port, target) = obedient({
        let mut other = from.client();
        move |_| {
            assert_eq!(text(&mut other, &format!("CLIENT UNBLOCK {id}")), "0");
            assert_eq!(text(&mut other, &format!("CLIENT KILL ID {id}")), "1");
        }
    });
    let line = format!("MIGRATE 127.0.0.1 {port} a 0 1000");
    assert!(here.try_call(&line.split(' ').collect::<Vec<_>>()).is_err());
    let mut other = from.client();
    let until = Instant::now() + Duration::from_secs(5);
    while text(&mut other, "EXISTS a") == "1" {
        assert!(Instant::now() < until, "the target has it, so it goes here");
    }
    drop((from, to));
    target.join().unwrap();
}

#[test]
fn the_log_tells_of_what_has_moved() {
    let folder = Folder::new();
    let dir = folder.to_str().unwrap();
    let options = [("dir", dir), ("appendonly", "yes"), ("save", ""), ("threads", "2")];
    let to = start("1");
    let from = Server::start(&options);
    let mut here = from.client();
    for key in ["a", "b", "c", "d", "e"] {
        text(&mut here, &format!("SET {key} 1"));
    }
    let migrate = |rest: &str| format!("MIGRATE 127.0.0.1 {} {rest}", to.port());
    assert_eq!(text(&mut here, &migrate("a 0 1000")), "OK");
    assert_eq!(text(&mut here, &migrate("\"\" 0 1000 KEYS b missing c")), "OK");
    assert_eq!(text(&mut here, &migrate("d 0 1000 COPY")), "OK");
    text(&mut here, "MULTI");
    text(&mut here, &migrate("e 0 1000"));
    assert_eq!(here.call(&["EXEC"]), Value::Array(vec![Value::Simple(b"OK".to_vec())]));
    drop(from);
    let log = std::fs::read(folder.join("appendonlydir/appendonly.aof.1.incr.aof")).unwrap();
    let log = String::from_utf8(log).unwrap().replace("\r\n", " ");
    assert!(log.contains("*2 $3 DEL $1 a ") && log.contains("*3 $3 DEL $1 b $1 c "), "{log}");
    assert!(log.contains("*2 $3 DEL $1 e ") && !log.contains("MIGRATE"), "{log}");
    let again = Server::start(&options);
    assert_eq!(text(&mut again.client(), "EXISTS a b c d e"), "1");
}
