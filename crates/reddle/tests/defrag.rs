//! Moving what lies scattered, over sockets: free places in slabs become few again, and the data
//! are what they were, read and written by clients meanwhile.

use std::path::Path;
use std::thread;
use std::time::Duration;

use testkit::{Client, Server, Value};

/// Far longer than it takes on a machine that has much else to do.
const PATIENCE: usize = 1200;
const PAUSE: Duration = Duration::from_millis(100);

fn start(options: &[(&str, &str)]) -> Server {
    let mut all = vec![
        ("save", ""),
        ("enable-debug-command", "yes"),
        ("active-defrag-ignore-bytes", "500kb"),
        ("active-defrag-threshold-lower", "5"),
        ("active-defrag-cycle-min", "50"),
        ("active-defrag-cycle-max", "75"),
    ];
    all.extend_from_slice(options);
    Server::start_binary(Path::new(env!("CARGO_BIN_EXE_reddle")), &all)
}

fn words(line: &str) -> Vec<String> {
    line.split(' ').map(str::to_owned).collect()
}

/// Keys of all types, of which three of four elements go again.
fn scatter(client: &mut Client) {
    let (mut all, mut gone) = (Vec::new(), Vec::new());
    for at in 0..30_000_usize {
        let text = "x".repeat(30 + at * 7 % 200);
        let ttl = if at % 3 == 0 { " EX 100000" } else { "" };
        all.push(words(&format!("SET k{at} {text}{ttl}")));
        let few = at % 12;
        all.push(words(&format!("HSET h{few} f{at} {text}")));
        all.push(words(&format!("SADD s{few} {at}{text}")));
        all.push(words(&format!("ZADD z{few} {at} {at}{text}")));
        if at % 10 == 0 {
            all.push(words(&format!("RPUSH l{few} {text}{text}{text}")));
            all.push(words(&format!("XADD x{few} * f {text}")));
            all.push(words(&format!("SET long{at} {}", text.repeat(20))));
        }
        if at % 4 > 0 {
            gone.push(words(&format!("DEL k{at} long{at}")));
            gone.push(words(&format!("HDEL h{few} f{at}")));
            gone.push(words(&format!("SREM s{few} {at}{text}")));
            gone.push(words(&format!("ZREM z{few} {at}{text}")));
        }
    }
    client.send_all(&all);
    client.send_all(&gone);
}

fn await_that(client: &mut Client, what: &str, holds: impl Fn(&mut Client) -> bool) {
    for _ in 0..PATIENCE {
        if holds(client) {
            return;
        }
        thread::sleep(PAUSE);
    }
    panic!("{what} has not come: {:?}", client.run("INFO all"));
}

#[test]
fn what_lies_scattered_is_moved_and_stays_what_it_is() {
    for threads in ["1", "2"] {
        let server = start(&[
            ("threads", threads),
            ("active-defrag-ignore-bytes", "1mb"),
            ("active-defrag-threshold-lower", "10"),
        ]);
        let mut client = server.client();
        scatter(&mut client);
        let digest = client.run("DEBUG DIGEST");
        let lost = client.info::<f64>("allocator_frag_ratio");
        assert!(lost > 1.5, "there is something to do: {lost}");
        assert_eq!(client.info::<f64>("active_defrag_hits"), 0.0);
        assert_eq!(client.run("CONFIG SET activedefrag yes"), Value::Simple(b"OK".into()));
        // What cannot be moved, and a slab of each size that is not full, remain.
        await_that(&mut client, "the end", |client| {
            client.info::<f64>("active_defrag_key_hits") > 1_000.0
                && client.info::<f64>("allocator_frag_ratio") < 1.0 + (lost - 1.0) / 2.0
        });
        assert!(client.info::<f64>("active_defrag_hits") > 1_000.0);
        assert_eq!(client.run("DEBUG DIGEST"), digest);
        // What the wheel knows has moved with the keys.
        client.send_all(&[words("PEXPIRE k0 1"), words("EXPIRE k12 200000")]);
        await_that(&mut client, "the end of a key", |client| {
            client.run("EXISTS k0") == Value::Int(0)
        });
        assert_eq!(client.run("MEMORY PURGE"), Value::Simple(b"OK".into()));
        let rest = client.info::<f64>("allocator_frag_ratio");
        assert!(rest < lost, "{rest} after {lost}");
        assert_eq!(client.run("CONFIG SET activedefrag no"), Value::Simple(b"OK".into()));
    }
}

/// Has next to nothing lie scattered in the end, where much does.
fn gather(client: &mut Client) {
    let lost = client.info::<f64>("allocator_frag_ratio");
    assert!(lost > 1.3, "there is something to do: {lost}");
    assert_eq!(client.run("CONFIG SET activedefrag yes"), Value::Simple(b"OK".into()));
    await_that(client, "the end", |client| client.info::<f64>("allocator_frag_ratio") < 1.1);
}

#[test]
fn streams_and_their_groups_are_moved() {
    let server = start(&[("threads", "2")]);
    let mut client = server.client();
    let (mut all, mut gone) = (Vec::new(), Vec::new());
    for at in 0..6000 {
        let text = "x".repeat(40 + at % 30);
        all.push(words(&format!("XADD x{at} * f {text}")));
        all.push(words(&format!("XGROUP CREATE x{at} group-of-some-readers 0")));
        let reader = format!("GROUP group-of-some-readers reader-{at}");
        all.push(words(&format!("XREADGROUP {reader} STREAMS x{at} >")));
        if at % 2 == 0 {
            gone.push(words(&format!("DEL x{at}")));
        }
    }
    client.send_all(&all);
    client.send_all(&gone);
    let digest = client.run("DEBUG DIGEST");
    gather(&mut client);
    assert_eq!(client.run("DEBUG DIGEST"), digest);
    let pending = client.run("XPENDING x1 group-of-some-readers - + 10 reader-1");
    assert!(matches!(&pending, Value::Array(entries) if entries.len() == 1), "{pending:?}");
}

#[test]
fn texts_of_scripts_are_moved() {
    let server = start(&[("threads", "2")]);
    let mut client = server.client();
    let script = |at: usize| format!("--{}\nreturn({at})", "x".repeat(450));
    let of = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let (mut all, mut gone) = (Vec::new(), Vec::new());
    for at in 0..12_000 {
        all.push(of(&["SCRIPT", "LOAD", &script(at)]));
        all.push(of(&["SET", &format!("k{at}"), &script(at)]));
        gone.push(of(&["DEL", &format!("k{at}")]));
    }
    client.send_all(&all);
    client.send_all(&gone);
    gather(&mut client);
    let mut others: Vec<Client> = (0..4).map(|_| server.client()).collect();
    for at in (0..12_000).step_by(500) {
        let Value::Bulk(digest) = client.call(&["SCRIPT", "LOAD", &script(at)]) else {
            panic!("no digest")
        };
        let shown = client.call(&[b"SCRIPT", &b"SHOW"[..], &digest]);
        assert_eq!(shown, Value::Bulk(script(at).into_bytes()));
        for other in &mut others {
            let found = other.call(&[b"EVALSHA", &digest[..], b"0"]);
            assert_eq!(found, Value::Int(at as i64));
        }
    }
}
