//! Commands that wait: who is served, in what order and when, with one worker and with several.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use fastrand::Rng;
use testkit::{Client, Server, Value};

const LIMIT: Duration = Duration::from_secs(20);
/// What a timer may add to a timeout; on a busy machine one of several tries shows it.
const LATE_MAX: Duration = Duration::from_millis(8);
const TRIES: usize = 20;

fn each(test: impl Fn(&Server)) {
    for threads in ["1", "4"] {
        test(&start(threads));
    }
}

fn start(threads: &str) -> Server {
    Server::start_binary(Path::new(env!("CARGO_BIN_EXE_reddle")), &[("threads", threads)])
}

/// A reply as one line of text.
fn show(value: &Value) -> String {
    let list = |values: &[Value]| values.iter().map(show).collect::<Vec<_>>().join(" ");
    match value {
        Value::Bulk(bytes) | Value::Simple(bytes) | Value::Error(bytes) => {
            String::from_utf8_lossy(bytes).into_owned()
        }
        Value::Verbatim { data, .. } => String::from_utf8_lossy(data).into_owned(),
        Value::Int(number) => number.to_string(),
        Value::Array(values) => format!("[{}]", list(values)),
        Value::Null | Value::NullArray => "nil".to_owned(),
        other => format!("{other:?}"),
    }
}

fn run(client: &mut Client, line: &str) -> String {
    show(&client.run(line))
}

fn info(client: &mut Client, field: &str) -> u64 {
    let text = run(client, "INFO clients");
    let line = text.lines().find_map(|line| line.strip_prefix(&format!("{field}:")));
    line.and_then(|number| number.trim().parse().ok()).unwrap_or_else(|| panic!("no {field}"))
}

fn wait_for_blocked(client: &mut Client, count: u64) {
    let end = Instant::now() + LIMIT;
    while info(client, "blocked_clients") != count {
        assert!(Instant::now() < end, "not {count} clients wait");
        thread::sleep(Duration::from_millis(1));
    }
}

/// A client that waits with a command, behind all that wait already.
fn waiting(server: &Server, line: &str) -> Client {
    let mut other = server.client();
    let before = info(&mut other, "blocked_clients");
    let mut client = server.client();
    client.send(format!("{line}\r\n").as_bytes()).expect("a server that reads");
    wait_for_blocked(&mut other, before + 1);
    client
}

fn answer(client: &mut Client) -> String {
    show(&client.receive().expect("an answer"))
}

/// That nothing has come yet: what was asked before has been answered.
fn still_waits(client: &mut Client) {
    client.set_reply_limit(Duration::from_millis(30));
    let got = client.receive();
    assert!(got.is_err(), "served: {got:?}");
    client.set_reply_limit(LIMIT);
}

#[test]
fn who_came_first_is_served_first() {
    each(|server| {
        let mut pusher = server.client();
        let lines = ["BLPOP k 0", "BRPOP other k 0", "BLMPOP 0 2 x k LEFT", "BLPOP k k 0"];
        let mut clients: Vec<Client> = lines.iter().map(|line| waiting(server, line)).collect();
        assert_eq!(run(&mut pusher, "RPUSH k a b c"), "3");
        assert_eq!(answer(&mut clients[0]), "[k a]");
        assert_eq!(answer(&mut clients[1]), "[k c]");
        assert_eq!(answer(&mut clients[2]), "[k [b]]");
        still_waits(&mut clients[3]);
        assert_eq!(run(&mut pusher, "EXISTS k"), "0");
        assert_eq!(run(&mut pusher, "LPUSH k d"), "1");
        assert_eq!(answer(&mut clients[3]), "[k d]");
        wait_for_blocked(&mut pusher, 0);
    });
}

#[test]
fn the_first_key_that_has_something_wins() {
    each(|server| {
        let mut other = server.client();
        run(&mut other, "RPUSH two b");
        run(&mut other, "RPUSH three c");
        assert_eq!(run(&mut other, "BLPOP one two three 0"), "[two b]");
        assert_eq!(run(&mut other, "BLPOP one two three 0"), "[three c]");
        let mut client = waiting(server, "BLPOP one two three 0");
        run(&mut other, "RPUSH three d");
        assert_eq!(answer(&mut client), "[three d]");
    });
}

/// Every command that can make a key appear, with what a client that waits for it gets.
const WAKERS: &[(&str, &str, &str, &str)] = &[
    ("", "BLPOP {k} 0", "LPUSH {k} a", "[{k} a]"),
    ("", "BLPOP {k} 0", "RPUSH {k} a", "[{k} a]"),
    ("", "BLPOP {k} 0", "LINSERT {k} BEFORE a b;RPUSHX {k} b;RPUSH {k} a", "[{k} a]"),
    ("RPUSH {s} a", "BLPOP {k} 0", "RENAME {s} {k}", "[{k} a]"),
    ("RPUSH {s} a", "BLPOP {k} 0", "RENAMENX {s} {k}", "[{k} a]"),
    ("RPUSH {s} a", "BLPOP {k} 0", "COPY {s} {k}", "[{k} a]"),
    ("SELECT 1;RPUSH {k} a;SELECT 0", "BLPOP {k} 0", "SELECT 1;MOVE {k} 0;SELECT 0", "[{k} a]"),
    ("SELECT 1;RPUSH {k} a;SELECT 0", "BLPOP {k} 0", "SWAPDB 0 1", "[{k} a]"),
    ("SELECT 1;RPUSH {s} a", "BLPOP {k} 0", "COPY {s} {k} DB 0;SELECT 0", "[{k} a]"),
    ("RPUSH {s} a", "BLPOP {k} 0", "RPOPLPUSH {s} {k}", "[{k} a]"),
    ("RPUSH {s} a", "BLPOP {k} 0", "LMOVE {s} {k} LEFT LEFT", "[{k} a]"),
    ("RPUSH {s} a", "BLPOP {k} 0", "LMOVEM {s} {k} LEFT LEFT", "[{k} a]"),
    ("RPUSH {s} a", "BLPOP {k} 0", "BLMOVE {s} {k} LEFT LEFT 0", "[{k} a]"),
    ("RPUSH {s} 2 1", "BLPOP {k} 0", "SORT {s} STORE {k}", "[{k} 1]"),
    ("", "BRPOPLPUSH {k} {s} 0", "LPUSH {k} a", "a"),
    ("", "BLMOVE {k} {s} LEFT RIGHT 0", "LPUSH {k} a", "a"),
    ("", "BLMOVEM {k} {s} LEFT RIGHT 0 COUNT 2 BULK", "RPUSH {k} a b c", "[a b]"),
    ("", "BLMOVEM {k} {s} LEFT RIGHT 0 EXACTLY 2 OBO", "RPUSH {k} a;RPUSH {k} b", "[a b]"),
    ("", "BZPOPMIN {k} 0", "ZADD {k} 1 a 2 b", "[{k} a 1]"),
    ("", "BZPOPMAX {k} 0", "ZADD {k} 1 a 2 b", "[{k} b 2]"),
    ("", "BZMPOP 0 1 {k} MAX COUNT 2", "ZINCRBY {k} 1 a", "[{k} [[a 1]]]"),
    ("ZADD {s} 1 a", "BZPOPMIN {k} 0", "ZUNIONSTORE {k} 1 {s}", "[{k} a 1]"),
    ("ZADD {s} 1 a", "BZPOPMIN {k} 0", "ZINTERSTORE {k} 1 {s}", "[{k} a 1]"),
    ("ZADD {s} 1 a", "BZPOPMIN {k} 0", "ZDIFFSTORE {k} 1 {s}", "[{k} a 1]"),
    ("ZADD {s} 1 a", "BZPOPMIN {k} 0", "ZRANGESTORE {k} {s} 0 -1", "[{k} a 1]"),
    ("ZADD {s} 1 a", "BZPOPMIN {k} 0", "RENAME {s} {k}", "[{k} a 1]"),
    (
        "GEOADD {s} 0 0 a",
        "BZPOPMIN {k} 0",
        "GEOSEARCHSTORE {k} {s} FROMMEMBER a BYRADIUS 1 m \
     STOREDIST",
        "[{k} a 0]",
    ),
    (
        "GEOADD {s} 0 0 a",
        "BZPOPMIN {k} 0",
        "GEORADIUSBYMEMBER {s} a 1 m STOREDIST {k}",
        "[{k} a 0]",
    ),
    ("", "XREAD BLOCK 0 STREAMS {k} $", "XADD {k} 1-1 f v", "[[{k} [[1-1 [f v]]]]]"),
    ("XADD {s} 1-1 f v", "XREAD BLOCK 0 STREAMS {k} $", "COPY {s} {k}", "[[{k} [[1-1 [f v]]]]]"),
    (
        "XGROUP CREATE {k} g $ MKSTREAM",
        "XREADGROUP GROUP g c BLOCK 0 STREAMS {k} >",
        "XADD {k} 1-1 f v",
        "[[{k} [[1-1 [f v]]]]]",
    ),
];

#[test]
fn every_command_that_makes_a_key_wakes() {
    each(|server| {
        for (at, (setup, line, wakers, want)) in WAKERS.iter().enumerate() {
            let with_keys = |text: &str| {
                text.replace("{k}", &format!("k{at}")).replace("{s}", &format!("s{at}"))
            };
            let mut other = server.client();
            for line in with_keys(setup).split(';').filter(|line| !line.is_empty()) {
                run(&mut other, line);
            }
            let mut client = waiting(server, &with_keys(line));
            for line in with_keys(wakers).split(';') {
                let reply = run(&mut other, line);
                assert!(!reply.starts_with("ERR"), "{line}: {reply}");
            }
            assert_eq!(answer(&mut client), with_keys(want), "{wakers}");
            run(&mut other, "FLUSHALL");
        }
    });
}

#[test]
fn a_restored_key_wakes() {
    each(|server| {
        let mut other = server.client();
        run(&mut other, "RPUSH source a b");
        let Value::Bulk(payload) = other.run("DUMP source") else { panic!("no payload") };
        let mut client = waiting(server, "BLPOP k 0");
        let restored: [&[u8]; 4] = [b"RESTORE", b"k", b"0", &payload];
        assert_eq!(show(&other.call(&restored)), "OK");
        assert_eq!(answer(&mut client), "[k a]");
    });
}

#[test]
fn events_of_what_is_served_follow_those_of_the_push() {
    each(|server| {
        let mut other = server.client();
        run(&mut other, "CONFIG SET notify-keyspace-events KA");
        let mut listener = server.client();
        listener.run("PSUBSCRIBE __keyspace@0__:*");
        let mut one = waiting(server, "BLMOVE k d LEFT RIGHT 0");
        let mut two = waiting(server, "BRPOP d 0");
        run(&mut other, "RPUSH k a b");
        assert_eq!((answer(&mut one), answer(&mut two)), ("a".to_owned(), "[d a]".to_owned()));
        for want in ["k rpush", "d rpush", "k lpop", "d rpop", "d del"] {
            let (key, event) = want.split_once(' ').expect("two words");
            let message = format!("[pmessage __keyspace@0__:* __keyspace@0__:{key} {event}]");
            assert_eq!(answer(&mut listener), message);
        }
    });
}

#[test]
fn a_key_of_another_type_wakes_nobody() {
    each(|server| {
        let mut other = server.client();
        let mut list = waiting(server, "BLPOP k 0");
        let mut zset = waiting(server, "BZPOPMIN k 0");
        let mut stream = waiting(server, "XREAD BLOCK 0 STREAMS k $");
        run(&mut other, "SET k v");
        run(&mut other, "DEL k");
        run(&mut other, "SADD k v");
        run(&mut other, "DEL k");
        run(&mut other, "ZADD k 1 a");
        assert_eq!(answer(&mut zset), "[k a 1]");
        run(&mut other, "XADD k 5-5 f v");
        assert_eq!(answer(&mut stream), "[[k [[5-5 [f v]]]]]");
        run(&mut other, "DEL k");
        still_waits(&mut list);
        run(&mut other, "RPUSH k a");
        assert_eq!(answer(&mut list), "[k a]");
    });
}

#[test]
fn a_group_that_is_lost_wakes_its_readers() {
    let nogroup = "NOGROUP No such key 'k' or consumer group 'g' in XREADGROUP with GROUP option";
    let wrong = "WRONGTYPE Operation against a key holding the wrong kind of value";
    let losses = [
        ("DEL k", nogroup),
        ("UNLINK k", nogroup),
        ("SET k v", wrong),
        ("RENAME k other", nogroup),
        ("MOVE k 3", nogroup),
        ("SWAPDB 0 1", nogroup),
        ("FLUSHDB", nogroup),
        ("FLUSHALL ASYNC", nogroup),
        ("XGROUP DESTROY k g", nogroup),
        ("PEXPIRE k 20", nogroup),
        ("PEXPIREAT k 1", nogroup),
        ("ZADD z 1 a;RENAME z k", wrong),
    ];
    each(|server| {
        for (lines, want) in losses {
            let mut other = server.client();
            run(&mut other, "FLUSHALL");
            run(&mut other, "XGROUP CREATE k g $ MKSTREAM");
            run(&mut other, "XGROUP CREATE elsewhere g $ MKSTREAM");
            let mut one = waiting(server, "XREADGROUP GROUP g c BLOCK 0 STREAMS k >");
            let mut two = waiting(server, "XREADGROUP GROUP g d BLOCK 0 STREAMS elsewhere k > >");
            let mut reader = waiting(server, "XREAD BLOCK 0 STREAMS k $");
            assert_eq!(info(&mut other, "total_blocking_keys"), 2);
            assert_eq!(info(&mut other, "total_blocking_keys_on_nokey"), 2);
            lines.split(';').for_each(|line| drop(run(&mut other, line)));
            assert_eq!(answer(&mut one), want, "{lines}");
            assert_eq!(answer(&mut two).replace("elsewhere", "k"), want, "{lines}");
            still_waits(&mut reader);
            assert_eq!(info(&mut other, "total_blocking_keys"), 1);
            assert_eq!(info(&mut other, "total_blocking_keys_on_nokey"), 0);
            drop(reader);
            wait_for_blocked(&mut other, 0);
        }
    });
}

#[test]
fn moves_wake_along_chains_and_rings() {
    each(|server| {
        let mut other = server.client();
        let mut chain: Vec<Client> = (0..9)
            .map(|at| waiting(server, &format!("BLMOVE k{at} k{} LEFT RIGHT 0", at + 1)))
            .collect();
        let mut last = waiting(server, "BLPOP k9 0");
        assert_eq!(run(&mut other, "RPUSH k0 x"), "1");
        chain.iter_mut().for_each(|client| assert_eq!(answer(client), "x"));
        assert_eq!(answer(&mut last), "[k9 x]");
        let mut ring: Vec<Client> = [("a", "b"), ("b", "c"), ("c", "a")]
            .iter()
            .map(|(from, to)| waiting(server, &format!("BLMOVE {from} {to} LEFT RIGHT 0")))
            .collect();
        assert_eq!(run(&mut other, "RPUSH b x"), "1");
        ring.iter_mut().for_each(|client| assert_eq!(answer(client), "x"));
        assert_eq!(run(&mut other, "LRANGE b 0 -1"), "[x]");
        assert_eq!(run(&mut other, "EXISTS a c"), "0");
        let mut own = waiting(server, "BRPOPLPUSH self self 0");
        let mut behind = waiting(server, "BLPOP self 0");
        assert_eq!(run(&mut other, "RPUSH self x"), "1");
        assert_eq!(answer(&mut own), "x");
        assert_eq!(answer(&mut behind), "[self x]");
    });
}

/// More shards than are taken one by one: then the push runs alone.
#[test]
fn who_reaches_far_is_served_too() {
    each(|server| {
        let mut other = server.client();
        let keys: Vec<String> = (0..80).map(|at| format!("k{at}")).collect();
        let line = format!("BLPOP {} 0", keys.join(" "));
        let mut clients: Vec<Client> = (0..3).map(|_| waiting(server, &line)).collect();
        assert_eq!(run(&mut other, "RPUSH k40 a b"), "2");
        assert_eq!(answer(&mut clients[0]), "[k40 a]");
        assert_eq!(answer(&mut clients[1]), "[k40 b]");
        run(&mut other, "MULTI");
        run(&mut other, "RPUSH k79 d");
        run(&mut other, "RPUSH k1 c");
        assert_eq!(run(&mut other, "EXEC"), "[1 1]");
        assert_eq!(answer(&mut clients[2]), "[k1 c]");
        assert_eq!(run(&mut other, "LPOP k79"), "d");
        let mut chain: Vec<Client> =
            (0..60).map(|at| waiting(server, &format!("BRPOPLPUSH k{at} k{} 0", at + 1))).collect();
        run(&mut other, "RPUSH k0 x");
        chain.iter_mut().for_each(|client| assert_eq!(answer(client), "x"));
        assert_eq!(run(&mut other, "LPOP k60"), "x");
        assert_eq!(run(&mut other, "DBSIZE"), "0");
    });
}

#[test]
fn a_destination_of_another_type_is_an_error_then() {
    each(|server| {
        let mut other = server.client();
        run(&mut other, "SET to v");
        let mut client = waiting(server, "BLMOVE from to LEFT LEFT 0");
        let mut next = waiting(server, "BLPOP from 0");
        run(&mut other, "RPUSH from a");
        assert!(answer(&mut client).starts_with("WRONGTYPE"));
        assert_eq!(answer(&mut next), "[from a]");
        let stats = run(&mut other, "INFO commandstats");
        let line = stats.lines().find(|line| line.starts_with("cmdstat_blmove:"));
        let line = line.expect("the command was counted");
        assert!(line.contains("calls=1,") && line.contains("failed_calls=1"), "{line}");
    });
}

#[test]
fn time_runs_out_as_exactly_as_it_was_asked() {
    each(|server| {
        let mut client = server.client();
        for (line, ms) in [
            ("BLPOP k 0.05", 50),
            ("BLMOVE k d LEFT LEFT 0.123", 123),
            ("BZPOPMIN k 1.0e-1", 100),
            ("BZMPOP 0.0005 1 k MIN", 1),
            ("XREAD BLOCK 77 STREAMS k $", 77),
        ] {
            let times = (0..TRIES).map(|_| {
                let began = Instant::now();
                assert_eq!(run(&mut client, line), "nil", "{line}");
                began.elapsed()
            });
            let wanted = Duration::from_millis(ms);
            let early = Duration::from_millis(1);
            let in_time = |took: &Duration| {
                assert!(*took + early >= wanted, "{line} took {took:?}");
                *took < wanted + LATE_MAX
            };
            assert!(times.into_iter().any(|took| in_time(&took)), "{line} is always late");
        }
        client.send(b"*3\r\n$5\r\nBLPOP\r\n$1\r\nk\r\n$4\r\n0.01\r\n").expect("an open socket");
        assert_eq!(client.receive_bytes(5).expect("an answer"), b"*-1\r\n");
        assert_eq!(info(&mut client, "blocked_clients"), 0);
        assert_eq!(info(&mut client, "total_blocking_keys"), 0);
        client.run("CONFIG RESETSTAT");
        run(&mut client, "BLPOP k 0.01");
        let stats = run(&mut client, "INFO commandstats");
        assert!(stats.contains("cmdstat_blpop:calls=1,"), "{stats}");
    });
}

#[test]
fn unblock_answers_once() {
    each(|server| {
        let mut other = server.client();
        let mut client = server.client();
        let id = run(&mut client, "CLIENT ID");
        assert_eq!(run(&mut other, &format!("CLIENT UNBLOCK {id}")), "0");
        for (how, want) in [
            ("", "nil"),
            ("TIMEOUT", "nil"),
            ("ERROR", "UNBLOCKED client unblocked via CLIENT UNBLOCK"),
        ] {
            client.send(b"BLPOP k 0\r\n").expect("a server that reads");
            wait_for_blocked(&mut other, 1);
            assert!(run(&mut other, "CLIENT LIST").contains(" flags=b "));
            assert_eq!(run(&mut other, &format!("CLIENT UNBLOCK {id} {how}")), "1");
            assert_eq!(run(&mut other, &format!("CLIENT UNBLOCK {id} {how}")), "0");
            assert_eq!(info(&mut other, "blocked_clients"), 0);
            assert_eq!(run(&mut other, "RPUSH k a"), "1");
            assert_eq!(run(&mut other, "LPOP k"), "a");
            assert_eq!(answer(&mut client), want);
            assert_eq!(run(&mut client, "PING"), "PONG");
        }
        // A second reply would be taken for that of PING (garnet#2030).
        client.send(b"BLMPOP 0 1 k LEFT\r\n").expect("a server that reads");
        wait_for_blocked(&mut other, 1);
        assert_eq!(run(&mut other, &format!("CLIENT UNBLOCK {id}")), "1");
        assert_eq!(answer(&mut client), "nil");
        assert_eq!(run(&mut client, "PING"), "PONG");
        let stats = run(&mut other, "INFO commandstats");
        let counts = stats.lines().find(|line| line.starts_with("cmdstat_blpop:calls=3,"));
        let refused = |line: &str| line.ends_with(",rejected_calls=1,failed_calls=0");
        assert!(counts.is_some_and(refused), "{counts:?}");
    });
}

/// Waits until the system knows that the client which waits with BLMOVE has closed its connection:
/// under load it may hand that over late.
fn wait_for_end(list: &str) {
    let line = list.lines().find(|line| line.contains(" cmd=blmove ")).expect("the client");
    let addr = line.split(' ').find_map(|word| word.strip_prefix("addr=")).expect("an address");
    let (_, port) = addr.rsplit_once(':').expect("a port");
    let port: u16 = port.parse().expect("a number");
    // The remote port of the server's socket, and the state of a connection that is open.
    let open = format!(":{port:04X} 01 ");
    let sockets = || fs::read_to_string("/proc/net/tcp").expect("the system's sockets");
    let end = Instant::now() + LIMIT;
    while sockets().contains(&open) {
        assert!(Instant::now() < end, "the connection does not end");
        thread::yield_now();
    }
}

#[test]
fn nothing_is_taken_for_who_is_gone() {
    each(|server| {
        for round in 0..30 {
            let mut other = server.client();
            let mut one = waiting(server, "CLIENT SETNAME gone\r\nBLPOP k 0");
            let two = waiting(server, "BLMOVE k d LEFT LEFT 0");
            let mut three = waiting(server, "BLPOP k 0");
            let list = run(&mut other, "CLIENT LIST");
            let line = list.lines().find(|line| line.contains("name=gone")).expect("the client");
            let id = line.strip_prefix("id=").and_then(|rest| rest.split(' ').next());
            run(&mut other, &format!("CLIENT KILL ID {}", id.expect("a number")));
            drop(two);
            // The system has the end of the connection before the push is sent.
            wait_for_end(&list);
            run(&mut other, "RPUSH k a");
            assert_eq!(answer(&mut three), "[k a]", "in round {round}");
            assert_eq!(one.receive_to_end().expect("its end"), b"+OK\r\n");
            assert_eq!(run(&mut other, "EXISTS k d"), "0");
            wait_for_blocked(&mut other, 0);
            assert_eq!(info(&mut other, "total_blocking_keys"), 0);
        }
    });
}

#[test]
fn what_was_sent_behind_a_wait_runs_after_it() {
    each(|server| {
        let mut other = server.client();
        let mut client = waiting(server, "BLPOP k 0\r\nPING\r\nBLPOP k 0\r\nECHO end");
        client.send(b"ECHO later\r\n").expect("a server that reads");
        still_waits(&mut client);
        run(&mut other, "RPUSH k a");
        assert_eq!(answer(&mut client), "[k a]");
        assert_eq!(answer(&mut client), "PONG");
        wait_for_blocked(&mut other, 1);
        let large = "v".repeat(100_000);
        other.call(&["RPUSH", "k", &large]);
        assert_eq!(answer(&mut client), format!("[k {large}]"));
        assert_eq!(answer(&mut client), "end");
        assert_eq!(answer(&mut client), "later");
        let mut muted = waiting(server, "CLIENT REPLY SKIP\r\nBLPOP k 0\r\nPING");
        run(&mut other, "RPUSH k a");
        assert_eq!(answer(&mut muted), "PONG");
    });
}

#[test]
fn a_pause_holds_back_who_would_wake_and_not_the_timeout() {
    each(|server| {
        let mut other = server.client();
        let mut soon = waiting(server, "BLPOP k 0.1");
        let mut client = waiting(server, "BLPOP k 0");
        run(&mut other, "CLIENT PAUSE 60000 WRITE");
        let mut pusher = server.client();
        pusher.send(b"RPUSH k a\r\n").expect("a server that reads");
        assert_eq!(answer(&mut soon), "nil");
        still_waits(&mut client);
        run(&mut other, "CLIENT UNPAUSE");
        assert_eq!(answer(&mut client), "[k a]");
        assert_eq!(answer(&mut pusher), "1");
    });
}

#[test]
fn a_transaction_serves_at_its_end_and_does_not_wait() {
    each(|server| {
        let mut other = server.client();
        let transact = |other: &mut Client, lines: &str| {
            run(other, "MULTI");
            lines.split(';').for_each(|line| assert_eq!(run(other, line), "QUEUED"));
            run(other, "EXEC")
        };
        let mut client = waiting(server, "BLPOP one two 0");
        assert_eq!(transact(&mut other, "RPUSH two x;DEL two;SET two v;DEL two"), "[1 1 OK 1]");
        still_waits(&mut client);
        let mut moving = waiting(server, "BLMOVE three one LEFT LEFT 0");
        assert_eq!(transact(&mut other, "RPUSH two b;RPUSH three c;RPUSH one a"), "[1 1 1]");
        assert_eq!(answer(&mut client), "[one a]");
        assert_eq!(answer(&mut moving), "c");
        assert_eq!(run(&mut other, "LRANGE one 0 -1"), "[c]");
        let lines = "BLPOP no 0;BLMOVE no d LEFT LEFT 0;BZPOPMIN no 0;XREAD BLOCK 0 STREAMS no $";
        assert_eq!(transact(&mut other, lines), "[nil nil nil nil]");
        let lines = "BRPOPLPUSH one d 0;BLPOP d 0;DBSIZE";
        assert_eq!(transact(&mut other, lines), "[c [d c] 1]");
        assert_eq!(info(&mut other, "blocked_clients"), 0);
    });
}

#[test]
fn resp3_is_spoken_to_who_speaks_it() {
    each(|server| {
        let mut other = server.client();
        let mut client = server.client();
        client.run("HELLO 3");
        client.send(b"BZPOPMIN z 0\r\n").expect("a server that reads");
        wait_for_blocked(&mut other, 1);
        run(&mut other, "ZADD z 1.5 a");
        let score = client.receive_bytes(24).expect("an answer");
        assert_eq!(score, b"*3\r\n$1\r\nz\r\n$1\r\na\r\n,1.5\r\n");
        client.send(b"XREAD BLOCK 0 STREAMS s $\r\n").expect("a server that reads");
        wait_for_blocked(&mut other, 1);
        run(&mut other, "XADD s 1-1 f v");
        assert!(client.receive_bytes(11).expect("an answer").starts_with(b"%1\r\n$1\r\ns\r\n"));
    });
}

#[test]
fn a_reader_claims_what_has_been_idle_long_enough() {
    each(|server| {
        let mut other = server.client();
        run(&mut other, "XGROUP CREATE s g 0 MKSTREAM");
        run(&mut other, "XADD s 1-1 f v");
        let mut claimer = waiting_for_claim(server, &mut other);
        // What was delivered while it waits becomes its own when it has been idle.
        run(&mut other, "XACK s g 1-1");
        run(&mut other, "XADD s 2-1 f v");
        assert_eq!(answer(&mut claimer), "[[s [[2-1 [f v] 0 0]]]]");
        run(&mut other, "XACK s g 2-1");
        let mut second = waiting(server, "XREADGROUP GROUP g d BLOCK 0 CLAIM 100 STREAMS s >");
        run(&mut other, "XACK s g 1-1");
        run(&mut other, "XADD t 1-1 f v");
        still_waits(&mut second);
        drop(second);
        wait_for_blocked(&mut other, 0);
        run(&mut other, "XADD s 3-1 f v");
        run(&mut other, "XREADGROUP GROUP g a STREAMS s >");
        let got = run(&mut other, "XREADGROUP GROUP g b BLOCK 0 CLAIM 100 STREAMS s >");
        let idle_ms = got.strip_prefix("[[s [[3-1 [f v] ").and_then(|t| t.strip_suffix(" 1]]]]"));
        let idle_ms: u64 = idle_ms.and_then(|idle_ms| idle_ms.parse().ok()).expect("idle time");
        assert!(idle_ms >= 100, "{got}");
        // On a busy machine it may find the entry idle for long enough, and not wait.
        let got = run(&mut other, "XREADGROUP GROUP g d BLOCK 0 CLAIM 50 STREAMS s >");
        assert!(got.ends_with(" 2]]]]"), "{got}");
    });
}

/// A client that waits although another consumer has an entry that is not idle for long enough.
fn waiting_for_claim(server: &Server, other: &mut Client) -> Client {
    run(other, "XREADGROUP GROUP g a STREAMS s >");
    waiting(server, "XREADGROUP GROUP g b BLOCK 0 CLAIM 60000 STREAMS s >")
}

#[test]
fn the_server_ends_while_clients_wait() {
    for threads in ["1", "4"] {
        let mut server = start(threads);
        let mut clients: Vec<Client> =
            (0..8).map(|at| waiting(&server, &format!("BLPOP k{at} 0"))).collect();
        let mut other = server.client();
        other.send(b"SHUTDOWN NOSAVE\r\n").expect("a server that reads");
        assert!(server.wait().success());
        for client in &mut clients {
            assert_eq!(client.receive_to_end().expect("its end"), b"");
        }
    }
}

/// What the workers of a stress share.
struct Stress {
    port: u16,
    ended: AtomicBool,
    got: Mutex<HashMap<String, usize>>,
    /// Numbers of the consumers' connections, for those who kill and unblock.
    ids: Mutex<Vec<String>>,
}

impl Stress {
    fn connect(&self) -> Client {
        Client::connect(self.port).expect("a connection")
    }

    /// Takes elements until the end, through lists and chains of them; reconnects when killed.
    fn consume(&self, seed: u64) {
        let mut rng = Rng::with_seed(seed);
        while !self.ended.load(Ordering::SeqCst) {
            let mut client = self.connect();
            let id = run(&mut client, "CLIENT ID");
            self.ids.lock().expect("no panic").push(id.clone());
            while !self.ended.load(Ordering::SeqCst) {
                let (one, two) = (rng.u32(0..4), rng.u32(0..4));
                let line = match rng.u32(0..5) {
                    0 => format!("BLPOP k{one} 0.05"),
                    1 => format!("BRPOP k{one} k{two} mid 0.05"),
                    2 => format!("BLMPOP 0.05 2 k{one} mid LEFT"),
                    3 => format!("BLMOVE k{one} mid LEFT RIGHT 0.05"),
                    _ => format!("BLPOP k0 k1 k2 k3 mid {}", rng.u32(1..20) as f64 / 1000.0),
                };
                client.send(format!("{line}\r\n").as_bytes()).ok();
                let Ok(reply) = client.receive() else { break };
                self.note(&line, &reply);
            }
            self.ids.lock().expect("no panic").retain(|known| *known != id);
        }
    }

    fn note(&self, line: &str, reply: &Value) {
        let Value::Array(values) = reply else {
            let is_known = matches!(reply, Value::Null | Value::NullArray | Value::Error(_));
            assert!(is_known || line.starts_with("BLMOVE"), "{line}: {reply:?}");
            return;
        };
        let element = match &values[1] {
            Value::Array(elements) => show(&elements[0]),
            element => show(element),
        };
        *self.got.lock().expect("no panic").entry(element).or_default() += 1;
    }

    fn produce(&self, producer: u64, count: usize) {
        let mut rng = Rng::with_seed(producer);
        let mut client = self.connect();
        let mut at = 0;
        while at < count {
            let some = rng.usize(1..4).min(count - at);
            let mut line = format!("RPUSH k{}", rng.u32(0..4));
            (at..at + some).for_each(|number| line += &format!(" {producer}-{number}"));
            run(&mut client, &line);
            at += some;
            if rng.u32(0..4) == 0 {
                thread::sleep(Duration::from_micros(rng.u64(0..2000)));
            }
        }
    }

    /// Kills and unblocks consumers at random.
    fn disturb(&self, seed: u64) {
        let mut rng = Rng::with_seed(seed);
        let mut client = self.connect();
        while !self.ended.load(Ordering::SeqCst) {
            let id = rng.choice(&*self.ids.lock().expect("no panic")).cloned();
            if let Some(id) = id {
                match rng.u32(0..3) {
                    0 => run(&mut client, &format!("CLIENT KILL ID {id}")),
                    1 => run(&mut client, &format!("CLIENT UNBLOCK {id} ERROR")),
                    _ => run(&mut client, &format!("CLIENT UNBLOCK {id}")),
                };
            }
            thread::sleep(Duration::from_micros(rng.u64(0..3000)));
        }
    }
}

/// Everything that is pushed comes out once, whoever is killed or unblocked meanwhile.
#[test]
fn every_element_is_delivered_once() {
    const PRODUCERS: u64 = 3;
    const COUNT: usize = 2000;
    for threads in ["1", "4"] {
        let server = start(threads);
        let stress = Arc::new(Stress {
            port: server.port(),
            ended: AtomicBool::new(false),
            got: Mutex::default(),
            ids: Mutex::default(),
        });
        let spawn = |work: Box<dyn FnOnce(&Stress) + Send>| {
            let stress = Arc::clone(&stress);
            thread::spawn(move || work(&stress))
        };
        let consumers: Vec<_> =
            (0..8).map(|seed| spawn(Box::new(move |s| s.consume(100 + seed)))).collect();
        let disturber = spawn(Box::new(|s| s.disturb(7)));
        let producers: Vec<_> =
            (0..PRODUCERS).map(|seed| spawn(Box::new(move |s| s.produce(seed, COUNT)))).collect();
        producers.into_iter().for_each(|one| one.join().expect("a producer"));
        let mut other = server.client();
        let end = Instant::now() + LIMIT;
        while run(&mut other, "EXISTS k0 k1 k2 k3 mid") != "0" {
            assert!(Instant::now() < end, "something is left over");
            thread::sleep(Duration::from_millis(5));
        }
        stress.ended.store(true, Ordering::SeqCst);
        consumers.into_iter().for_each(|one| one.join().expect("a consumer"));
        disturber.join().expect("the one who disturbs");
        let got = stress.got.lock().expect("no panic");
        let twice: Vec<_> = got.iter().filter(|(_, count)| **count != 1).collect();
        assert!(twice.is_empty(), "with {threads} threads delivered twice: {twice:?}");
        let wanted = PRODUCERS as usize * COUNT;
        assert_eq!(got.len(), wanted, "with {threads} threads elements were lost");
        assert_eq!(info(&mut other, "blocked_clients"), 0);
        assert_eq!(info(&mut other, "total_blocking_keys"), 0);
    }
}
