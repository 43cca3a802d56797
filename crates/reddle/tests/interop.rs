//! Real servers load what we write, and we load what they write, RDB and logs: every type in each
//! of its forms, read back the same. The servers are those that `REDDLE_PEERS` names, paths with
//! colons between them; without it redis-server and valkey-server of this machine.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]
#![allow(clippy::print_stdout, reason = "whoever runs it sees what was tried")]

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use testkit::{Client, Folder, Server, Value};

/// A real server.
struct Peer {
    program: PathBuf,
    name: String,
    is_valkey: bool,
    version: (u32, u32),
}

impl Peer {
    /// The version of RDB that it reads.
    fn rdb_version(&self) -> &'static str {
        match (self.is_valkey, self.version) {
            (false, (..7, _)) => panic!("{} is too old", self.name),
            (false, (7, 0 | 1)) => "10",
            (false, (7, 2 | 3)) => "11",
            (false, _) => "12",
            (true, (..9, _)) => "11",
            (true, _) => "80",
        }
    }

    fn has_timed_fields(&self) -> bool {
        if self.is_valkey { self.version >= (9, 0) } else { self.version >= (7, 4) }
    }

    fn start(&self, folder: &Folder, log: Option<&str>) -> Server {
        start(&self.program, folder, log, &[]).unwrap_or_else(|log| panic!("{}: {log}", self.name))
    }
}

/// Starts a server on a folder, with a log whose base is RDB (`yes`) or commands (`no`) if it is to
/// have one.
fn start(
    program: &std::path::Path,
    folder: &Folder,
    log: Option<&str>,
    more: &[(&str, &str)],
) -> Result<Server, String> {
    let mut options = vec![
        ("dir", folder.to_str().unwrap()),
        ("save", ""),
        ("enable-debug-command", "yes"),
        ("appendonly", if log.is_some() { "yes" } else { "no" }),
        ("list-max-listpack-size", "8"),
        ("list-compress-depth", "1"),
    ];
    options.extend(log.map(|base| ("aof-use-rdb-preamble", base)));
    options.extend_from_slice(more);
    Server::start_exactly(program, &options)
}

fn ours(folder: &Folder, log: Option<&str>, peer: &Peer) -> Server {
    let version = [("rdb-version", peer.rdb_version())];
    start(&testkit::server::binary(), folder, log, &version).unwrap_or_else(|log| panic!("{log}"))
}

/// The servers there are; none is no failure, because whoever builds this need not have one.
fn peers() -> Vec<Peer> {
    let programs = testkit::server::peers();
    if programs.is_empty() {
        println!("SKIPPED: files in real servers: neither redis-server nor valkey-server is here");
    }
    programs.into_iter().map(look_at).collect()
}

fn look_at(program: PathBuf) -> Peer {
    let folder = Folder::new();
    let server = start(&program, &folder, None, &[]).unwrap();
    let all = server.client().text("INFO server");
    let field = |name: &str| {
        all.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::to_owned)
    };
    let valkey = field("valkey_version");
    let told = valkey.clone().or_else(|| field("redis_version")).unwrap();
    let mut parts = told.split('.').map(|part| part.parse().unwrap());
    let version = (parts.next().unwrap(), parts.next().unwrap());
    let is_valkey = valkey.is_some();
    let name = format!("{} {told}", if is_valkey { "Valkey" } else { "Redis" });
    Peer { program, name, is_valkey, version }
}

fn all(client: &mut Client, lines: &[&str]) {
    for line in lines {
        let reply = client.run(line);
        assert!(!matches!(reply, Value::Error(_)), "{line}: {reply:?}");
    }
}

/// Every type in its small and its large form, two databases, times, groups, a library.
fn fill(client: &mut Client, peer: &Peer) {
    all(
        client,
        &[
            "SET string text",
            "SET number 12345678901",
            "SET small -7",
            "SET timed x PXAT 32503680000000",
            "SETBIT bits 1000 1",
            "PFADD hll a b c",
            "PFCOUNT hll",
            "RPUSH list a b c 1 2 3 -100000 99999999999",
            "SADD numbers 1 2 3 70000 5000000000",
            "SADD words a b c",
            "ZADD zset 1 a 2.5 b -inf c inf d 1e300 e",
            "HSET hash a 1 b 2",
            "GEOADD geo 13.361389 38.115556 Palermo 15.087269 37.502669 Catania",
            "XADD stream 1-1 a 1",
            "XADD stream 2-1 a 2 b 3",
            "XADD stream 3-1 a 2 b 3",
            "XADD stream 3-2 other fields here too",
            "XDEL stream 2-1",
            "XGROUP CREATE stream group 0",
            "XGROUP CREATE stream idle $",
            "XGROUP CREATECONSUMER stream idle nobody",
            "XREADGROUP GROUP group me COUNT 2 STREAMS stream >",
            "XACK stream group 1-1",
            "XADD emptied 5-5 a 1",
            "XDEL emptied 5-5",
            "SELECT 3",
            "SET other database",
            "EXPIREAT other 32503680000",
            "SELECT 0",
        ],
    );
    let long = "abcdefgh".repeat(100);
    for number in 0..700 {
        all(
            client,
            &[
                &format!("RPUSH biglist element:{number}:of:the:list"),
                &format!("SADD bigset member:{number}"),
                &format!("SADD bigints {}", number * 1_000_003),
                &format!("ZADD bigzset {number}.25 member:{number}"),
                &format!("HSET bighash field:{number} value:{number}"),
                &format!("XADD bigstream {}-1 n {number}", number + 1),
            ],
        );
    }
    all(client, &[&format!("SET long {long}"), &format!("HSET longhash f {long}")]);
    all(client, &[&format!("RPUSH plain {}", "x".repeat(20_000)), "RPUSH plain y"]);
    client.call(&[&b"SET"[..], b"\0bin\r\nary\xff", b"\xff\xfe\0"]);
    if peer.has_timed_fields() {
        all(client, &["HSET faded a 1 b 2 c 3", "HPEXPIREAT faded 32503680000000 FIELDS 2 a c"]);
    }
    let library = "#!lua name=l\nredis.register_function('one', function() return 1 end)";
    client.call(&["FUNCTION", "LOAD", library]);
}

/// Commands behind the base of a log, of every kind.
fn go_on(client: &mut Client) {
    all(
        client,
        &[
            "APPEND string more",
            "INCRBYFLOAT float 1.5",
            "LPOP biglist 3",
            "LSET list 0 z",
            "SPOP words",
            "SMOVE numbers bigints 3",
            "ZPOPMIN bigzset 2",
            "HINCRBY hash a 5",
            "XADD stream 9-9 after base",
            "XREADGROUP GROUP group you COUNT 1 STREAMS stream >",
            "XCLAIM stream group you 0 3-1",
            "XTRIM bigstream MAXLEN 500",
            "RENAME long longer",
            "COPY zset twin",
            "EXPIRE string 100000000",
            "MULTI",
            "INCR counter",
            "LMOVE list other LEFT RIGHT",
            "EXEC",
            "SELECT 5",
            "SET fifth 1",
            "MOVE fifth 6",
            "SELECT 0",
        ],
    );
}

/// What a server holds: all keys, and of streams what is no part of their digests.
fn held(server: &Server) -> Vec<Value> {
    let mut client = server.client();
    let mut found = Vec::new();
    for db in [0, 3, 5, 6] {
        client.text(&format!("SELECT {db}"));
        found.push(contents(&mut client));
    }
    client.text("SELECT 0");
    for line in [
        "DBSIZE",
        "XPENDING stream group",
        "XPENDING stream group - + 10 me",
        "XRANGE bigstream - + COUNT 3",
        "XINFO STREAM emptied",
        "PFCOUNT hll",
        "FCALL one 0",
    ] {
        let reply = match (line, client.run(line)) {
            // How the entries are kept is told as well.
            ("XINFO STREAM emptied", Value::Array(fields)) => {
                Value::Array(fields.into_iter().take(2).collect())
            }
            // How long ago an entry was delivered is told as well.
            ("XPENDING stream group - + 10 me", Value::Array(entries)) => {
                let ids = entries.into_iter().map(|entry| match entry {
                    Value::Array(mut fields) => fields.swap_remove(0),
                    other => other,
                });
                Value::Array(ids.collect())
            }
            (_, reply) => reply,
        };
        found.push(reply);
    }
    found
}

/// What each key of a database holds, by name: the digest, but for sorted sets their elements,
/// because Redis up to 7.0 spells the scores in digests in another way.
fn contents(client: &mut Client) -> Value {
    let Value::Array(mut keys) = client.run("KEYS *") else { panic!("KEYS gives keys") };
    keys.sort_by_key(|key| format!("{key:?}"));
    let each = keys.into_iter().map(|key| {
        let Value::Bulk(name) = &key else { panic!("a key is a string") };
        let is_zset = client.call(&[&b"TYPE"[..], name]) == Value::Simple(b"zset".to_vec());
        let held = match is_zset {
            true => scores(client.call(&[&b"ZRANGE"[..], name, b"0", b"-1", b"WITHSCORES"])),
            false => client.call(&[&b"DEBUG"[..], b"DIGEST-VALUE", name]),
        };
        Value::Array(vec![key.clone(), held, client.call(&[&b"PEXPIRETIME"[..], name])])
    });
    Value::Array(each.collect())
}

/// Members and scores, with the scores as numbers.
fn scores(reply: Value) -> Value {
    let Value::Array(parts) = reply else { panic!("ZRANGE gives elements") };
    let part = |(at, part): (usize, Value)| match part {
        Value::Bulk(text) if at % 2 == 1 => {
            Value::Double(String::from_utf8(text).unwrap().parse().unwrap())
        }
        other => other,
    };
    Value::Array(parts.into_iter().enumerate().map(part).collect())
}

/// Two servers hold the same.
fn compare(found: &[Value], expected: &[Value], what: &str) {
    for (found, expected) in found.iter().zip(expected) {
        if let (Value::Array(found), Value::Array(expected)) = (found, expected) {
            for (found, expected) in found.iter().zip(expected) {
                assert_eq!(found, expected, "{what}");
            }
        }
        assert_eq!(found, expected, "{what}");
    }
}

fn wait_for_rewrite(client: &mut Client) {
    let until = Instant::now() + Duration::from_secs(20);
    let goes_on = |all: &str| {
        ["aof_rewrite_in_progress:1", "aof_rewrite_scheduled:1"].iter().any(|it| all.contains(it))
    };
    while goes_on(&client.text("INFO persistence")) {
        assert!(Instant::now() < until, "the rewrite has no end");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Whoever is `first` writes the file, `second` reads it.
fn through_rdb(
    peer: &Peer,
    first: impl Fn(&Folder) -> Server,
    second: impl Fn(&Folder) -> Server,
    what: &str,
) {
    let folder = Folder::new();
    let server = first(&folder);
    let mut client = server.client();
    fill(&mut client, peer);
    assert_eq!(client.text("SAVE"), "OK");
    let expected = held(&server);
    drop(server);
    let server = second(&folder);
    compare(&held(&server), &expected, &format!("{what}, {}", peer.name));
    println!("{what}, {}: RDB is read back the same", peer.name);
}

/// The same with a log: its base, and commands behind it.
fn through_log(
    peer: &Peer,
    base: &str,
    first: impl Fn(&Folder) -> Server,
    second: impl Fn(&Folder) -> Server,
    what: &str,
) {
    let folder = Folder::new();
    let server = first(&folder);
    let mut client = server.client();
    fill(&mut client, peer);
    client.text("BGREWRITEAOF");
    wait_for_rewrite(&mut client);
    go_on(&mut client);
    let expected = held(&server);
    // The commands are in the file by the second after.
    thread::sleep(Duration::from_millis(1200));
    drop(server);
    let server = second(&folder);
    compare(&held(&server), &expected, &format!("{what}, {}, base {base}", peer.name));
    println!("{what}, {}: a log is read back the same, base as RDB: {base}", peer.name);
}

#[test]
fn real_servers_read_what_we_write() {
    for peer in peers() {
        let what = "ours in theirs";
        let (we, they) = (
            |folder: &Folder| ours(folder, None, &peer),
            |folder: &Folder| peer.start(folder, None),
        );
        through_rdb(&peer, we, they, what);
        for base in ["yes", "no"] {
            let we = |folder: &Folder| ours(folder, Some(base), &peer);
            let they = |folder: &Folder| peer.start(folder, Some(base));
            through_log(&peer, base, we, they, what);
        }
    }
}

#[test]
fn we_read_what_real_servers_write() {
    for peer in peers() {
        let what = "theirs in ours";
        let (we, they) = (
            |folder: &Folder| ours(folder, None, &peer),
            |folder: &Folder| peer.start(folder, None),
        );
        through_rdb(&peer, they, we, what);
        for base in ["yes", "no"] {
            let we = |folder: &Folder| ours(folder, Some(base), &peer);
            let they = |folder: &Folder| peer.start(folder, Some(base));
            through_log(&peer, base, they, we, what);
        }
    }
}
