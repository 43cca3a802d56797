//! The limit on memory over sockets: what MEMORY USAGE says is what a value takes, the limit holds
//! whatever the number of workers, evicted keys are told of, and what was saved at the limit is
//! loaded at the limit.

use std::path::Path;
use std::thread;

use testkit::{Client, Server, Value};

const MB: u64 = 1 << 20;

fn start(options: &[(&str, &str)]) -> Server {
    Server::start_binary(Path::new(env!("CARGO_BIN_EXE_reddle")), options)
}

fn int(value: &Value) -> i64 {
    match value {
        Value::Int(number) => *number,
        other => panic!("{other:?}"),
    }
}

/// Commands that fill one key, from its name, the number of elements and their size.
type Fill = fn(&str, usize, usize) -> Vec<Vec<String>>;

fn elements(words: &[&str], count: usize, each: impl Fn(usize) -> Vec<String>) -> Vec<Vec<String>> {
    let head: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
    let all: Vec<Vec<String>> = (0..count).map(each).collect();
    all.chunks(100).map(|some| [head.clone(), some.concat()].concat()).collect()
}

fn padded(number: usize, size: usize) -> String {
    format!("{number:0size$}")
}

const FILLS: [(&str, Fill); 6] = [
    ("string", |key, count, size| vec![vec!["SET".into(), key.into(), "x".repeat(count * size)]]),
    ("list", |key, count, size| elements(&["RPUSH", key], count, |at| vec![padded(at, size)])),
    ("set", |key, count, size| elements(&["SADD", key], count, |at| vec![padded(at, size) + "m"])),
    ("zset", |key, count, size| {
        elements(&["ZADD", key], count, |at| vec![at.to_string(), padded(at, size)])
    }),
    ("hash", |key, count, size| {
        elements(&["HSET", key], count, |at| vec![format!("field{at}"), padded(at, size)])
    }),
    ("stream", |key, count, size| {
        let add =
            |at: usize| vec!["XADD".into(), key.into(), "*".into(), "f".into(), padded(at, size)];
        (0..count).map(add).collect()
    }),
];

/// What keys take of memory by the allocator, and what MEMORY USAGE says of them, in bytes. What
/// finds the keys is no part of either.
fn measured(client: &mut Client, fill: Fill, keys: usize, count: usize, size: usize) -> (i64, i64) {
    client.run("FLUSHALL SYNC");
    let tables = |client: &mut Client| client.info::<u64>("used_memory_overhead") as i64;
    let before = (client.info::<u64>("used_memory") as i64, tables(client));
    let commands: Vec<Vec<String>> =
        (0..keys).flat_map(|key| fill(&format!("key:{key:06}"), count, size)).collect();
    client.send_all(&commands);
    drop(commands);
    let used = client.info::<u64>("used_memory") as i64 - before.0;
    let beside = tables(client) - before.1;
    let told = (0..keys).map(|key| int(&client.run(&format!("MEMORY USAGE key:{key:06}")))).sum();
    (used - beside, told)
}

#[test]
fn usage_is_what_a_value_takes() {
    let server = start(&[("threads", "1"), ("save", "")]);
    let mut client = server.client();
    let shapes = [(4000, 1, 8), (4000, 1, 200), (2000, 20, 16), (20, 5000, 24), (1, 100_000, 50)];
    let mut wrong = Vec::new();
    for (name, fill) in FILLS {
        for (keys, count, size) in shapes {
            // The first round makes what the server keeps from then on. It may make something
            // later, too, but not in every round.
            measured(&mut client, fill, keys, count, size);
            let mut rounds = (0..3).map(|_| measured(&mut client, fill, keys, count, size));
            let is_right = |(used, told): (i64, i64)| (told - used).abs() * 10 <= used;
            let mut seen = Vec::new();
            if !rounds.by_ref().inspect(|&round| seen.push(round)).any(is_right) {
                wrong.push(format!("{name} {keys} x {count} x {size}: used, told {seen:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Writes from several connections at once; the highest use of memory that was seen meanwhile.
fn crowd(server: &Server, sizes: &[usize]) -> u64 {
    thread::scope(|scope| {
        let writers: Vec<_> = (0..4)
            .map(|writer| {
                scope.spawn(move || {
                    let mut client = server.client();
                    for round in 0..60 {
                        let size = sizes[(round + writer) % sizes.len()];
                        let count = (200_000 / size).clamp(1, 500);
                        let commands: Vec<Vec<String>> = (0..count)
                            .map(|at| {
                                let key = format!("k:{writer}:{round}:{at}");
                                vec!["SET".into(), key, "v".repeat(size)]
                            })
                            .collect();
                        client.send_all(&commands);
                    }
                })
            })
            .collect();
        let mut client = server.client();
        let mut highest = 0;
        while !writers.iter().all(thread::ScopedJoinHandle::is_finished) {
            highest = highest.max(client.info::<u64>("used_memory"));
        }
        highest
    })
}

#[test]
fn the_limit_holds_with_any_number_of_workers() {
    let limit = 20 * MB;
    for threads in ["1", "3"] {
        for policy in ["allkeys-lru", "allkeys-lfu", "allkeys-random", "allkeys-s3fifo"] {
            let limit_text = limit.to_string();
            let server = start(&[
                ("threads", threads),
                ("save", ""),
                ("maxmemory", &limit_text),
                ("maxmemory-policy", policy),
            ]);
            let highest = crowd(&server, &[64, 700, 5000, 60_000]);
            let mut client = server.client();
            assert!(client.info::<u64>("evicted_keys") > 0, "{policy}");
            // Input that is being read is no key, and may come on top for a moment.
            assert!(highest < limit + limit / 50, "{threads} {policy}: {highest}");
            assert!(client.info::<u64>("used_memory") <= limit + limit / 100, "{policy}");
        }
    }
}

#[test]
fn evicted_keys_are_told_to_all_who_want_to_know() {
    for threads in ["1", "2"] {
        let server = start(&[
            ("threads", threads),
            ("appendonly", "yes"),
            ("save", ""),
            ("enable-debug-command", "yes"),
        ]);
        let mut client = server.client();
        let mut ear = server.client();
        client.run("CONFIG SET notify-keyspace-events Ee maxmemory-policy allkeys-lru");
        ear.run("SUBSCRIBE __keyevent@0__:evicted");
        let mut watcher = server.client();
        client.send_all(&(0..50).map(|at| words(&format!("SET key{at} v"))).collect::<Vec<_>>());
        watcher.run("WATCH key7");
        client.run("CONFIG SET maxmemory 1");
        client.run("PING");
        for _ in 0..50 {
            let message = ear.receive().expect("a message for each key");
            assert!(format!("{message:?}").len() > 10, "{message:?}");
        }
        assert_eq!(client.run("DBSIZE"), Value::Int(0));
        assert_eq!(client.info::<u64>("evicted_keys"), 50);
        client.run("CONFIG SET maxmemory 0");
        watcher.run("MULTI");
        watcher.run("PING");
        assert!(matches!(watcher.run("EXEC"), Value::NullArray | Value::Null));
        // The log has the deletions: what is read from it again is as empty.
        assert_eq!(client.run("DEBUG LOADAOF"), Value::Simple(b"OK".to_vec()));
        assert_eq!(client.run("DBSIZE"), Value::Int(0));
    }
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

#[test]
fn what_was_saved_at_the_limit_is_loaded_at_the_limit() {
    let limit = (20 * MB).to_string();
    let options = [
        ("threads", "2"),
        ("save", ""),
        ("maxmemory", limit.as_str()),
        ("maxmemory-policy", "allkeys-lru"),
    ];
    let full = start(&options);
    crowd(&full, &[64, 700]);
    let mut client = full.client();
    let before = int(&client.run("DBSIZE"));
    assert_eq!(client.run("SAVE"), Value::Simple(b"OK".to_vec()));
    let folder = full.folder().to_str().expect("a folder's name is text");
    let again = start(&[&options[..], &[("dir", folder)]].concat());
    let mut client = again.client();
    let after = int(&client.run("DBSIZE"));
    let used = client.info::<u64>("used_memory");
    assert!(after * 100 >= before * 97, "{after} of {before} keys, {used} bytes");
    assert!(client.info::<u64>("used_memory") < 20 * MB + 20 * MB / 100);
    assert_eq!(client.run("SET new key"), Value::Simple(b"OK".to_vec()));
}

/// A key that takes long to free by itself, and the whole turn that was spent on it, are told of.
#[test]
fn an_eviction_that_takes_long_is_told_of() {
    let server = start(&[
        ("latency-monitor-threshold", "1"),
        ("lazyfree-lazy-eviction", "no"),
        ("maxmemory-policy", "allkeys-lru"),
    ]);
    let mut client = server.client();
    // Whatever the machine, there is a size that takes it a millisecond.
    for count in std::iter::successors(Some(100_000), |count| Some(count * 2)) {
        assert!(count < 10_000_000, "freeing so many members takes no time");
        let fill = "for i = 1, ARGV[1] do redis.call('SADD', KEYS[1], 'member:' .. i) end";
        client.call(&["EVAL", fill, "1", "key", &count.to_string()]);
        client.run("CONFIG SET maxmemory 1mb");
        while client.run("EXISTS key") == Value::Int(1) {}
        client.run("CONFIG SET maxmemory 0");
        if client.run("LATENCY HISTORY eviction-del") != Value::Array(Vec::new()) {
            break;
        }
    }
    assert_ne!(client.run("LATENCY HISTORY eviction-cycle"), Value::Array(Vec::new()));
}
