//! The process is killed while clients write, again and again on the same log: what was
//! acknowledged is there after every start, in order and without gaps; with `everysec` what was
//! acknowledged two seconds before. `REDDLE_KILLS` says how often each test kills; 200 is the
//! proof.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use fastrand::Rng;
use testkit::{Client, Server, Value};

const WRITERS: usize = 4;
/// What was written so recently may be lost with `everysec`.
const UNSAFE: Duration = Duration::from_secs(2);

fn kills() -> usize {
    let asked = std::env::var("REDDLE_KILLS").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(5)
}

/// A folder that is removed unless the test fails.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        if !thread::panicking() {
            fs::remove_dir_all(&self.0).ok();
        }
    }
}

/// Writes until the server is gone; each writer has a list of ascending numbers, and two counters
/// that a transaction keeps the same. `done` is how many numbers were acknowledged.
fn write(mut client: Client, writer: usize, done: &AtomicUsize, seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let mut try_call = |words: &[&str]| match client.try_call(words) {
        Ok(Value::Error(text)) => panic!("{words:?}: {}", text.escape_ascii()),
        Ok(_) => true,
        Err(_) => false,
    };
    let (list, one, other) =
        (format!("list:{writer}"), format!("one:{writer}"), format!("other:{writer}"));
    loop {
        let number = done.load(Ordering::SeqCst).to_string();
        let padding = "x".repeat(rng.usize(..2000));
        if !try_call(&["RPUSH", &list, &number]) {
            return;
        }
        done.fetch_add(1, Ordering::SeqCst);
        let alive = match rng.u8(..8) {
            0 => [&["MULTI"][..], &["INCR", &one], &["INCR", &other], &["EXEC"]]
                .iter()
                .all(|words| try_call(words)),
            1 => try_call(&["SET", "padding", &padding, "EX", "100"]),
            2 => try_call(&["DEL", "padding"]),
            _ => true,
        };
        if !alive {
            return;
        }
    }
}

/// Looks at what a server has, at least so much of each writer, and goes on from there.
fn check(client: &mut Client, done: &[AtomicUsize], least: &[usize]) {
    for (writer, (done, least)) in done.iter().zip(least).enumerate() {
        let Value::Array(list) = client.call(&["LRANGE", &format!("list:{writer}"), "0", "-1"])
        else {
            panic!("a list");
        };
        for (at, item) in list.iter().enumerate() {
            assert_eq!(*item, Value::Bulk(at.to_string().into_bytes()), "writer {writer}");
        }
        let acknowledged = done.swap(list.len(), Ordering::SeqCst);
        assert!(list.len() >= *least, "{} of {least}", list.len());
        assert!(list.len() <= acknowledged + 1, "nobody sent so much");
        let counters =
            ["one", "other"].map(|name| client.call(&["GET", &format!("{name}:{writer}")]));
        assert_eq!(counters[0], counters[1], "half a transaction");
    }
}

/// Has the log written anew.
fn rewrite(client: &mut Client) {
    client.call(&["BGREWRITEAOF"]);
    let goes_on = |client: &mut Client| match client.call(&["INFO", "persistence"]) {
        Value::Bulk(text) => {
            let text = String::from_utf8_lossy(&text).into_owned();
            text.contains("aof_rewrite_in_progress:1") || text.contains("aof_rewrite_scheduled:1")
        }
        other => panic!("{other:?}"),
    };
    while goes_on(client) {
        thread::sleep(Duration::from_millis(5));
    }
}

fn kill_again_and_again(threads: &str, policy: &str) {
    let name = format!("reddle-kill-{}-{threads}-{policy}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    fs::create_dir_all(&folder.0).unwrap();
    let options = [
        ("dir", folder.0.to_str().unwrap()),
        ("save", ""),
        ("appendonly", "yes"),
        ("appendfsync", policy),
        ("threads", threads),
        // Rewrites come and are killed, too.
        ("auto-aof-rewrite-min-size", "64kb"),
        ("auto-aof-rewrite-percentage", "50"),
    ];
    let done: Vec<AtomicUsize> = (0..WRITERS).map(|_| AtomicUsize::new(0)).collect();
    let mut rng = Rng::with_seed(7);
    let (mut written, mut busy) = (0, 0);
    let counts = || done.iter().map(|done| done.load(Ordering::SeqCst)).collect::<Vec<usize>>();
    let mut least = counts();
    for round in 0..=kills() {
        let server = Server::start(&options);
        check(&mut server.client(), &done, &least);
        least = counts();
        let now = least.iter().sum();
        busy += usize::from(now > written);
        written = now;
        let clients: Vec<Client> = (0..WRITERS).map(|_| server.client()).collect();
        thread::scope(|scope| {
            for (writer, (client, done)) in clients.into_iter().zip(&done).enumerate() {
                let seed = rng.u64(..);
                scope.spawn(move || write(client, writer, done, seed));
            }
            thread::sleep(Duration::from_micros(rng.u64(30_000..250_000)));
            if round % 10 == 3 {
                least = counts();
                thread::sleep(if policy == "always" { Duration::ZERO } else { UNSAFE });
            }
            // This is kill -9.
            drop(server);
        });
        if policy == "always" {
            least = counts();
        }
        // Lists and a log that grow without an end would make every start slower than the last.
        if round % 20 == 19 {
            let server = Server::start(&options);
            check(&mut server.client(), &done, &least);
            server.client().call(&["FLUSHALL"]);
            rewrite(&mut server.client());
            done.iter().for_each(|done| done.store(0, Ordering::SeqCst));
            (written, least) = (0, counts());
            // With `everysec` it may be lost as well.
            thread::sleep(if policy == "always" { Duration::ZERO } else { UNSAFE });
        }
    }
    let server = Server::start(&options);
    check(&mut server.client(), &done, &least);
    // On a busy machine there may be rounds in which nothing gets done.
    assert!(busy > kills() / 2, "something was written in {busy} rounds only");
}

#[test]
fn one_worker_with_always() {
    kill_again_and_again("1", "always");
}

#[test]
fn two_workers_with_always() {
    kill_again_and_again("2", "always");
}

#[test]
fn two_workers_with_everysec() {
    kill_again_and_again("2", "everysec");
}

#[test]
fn one_worker_with_everysec() {
    kill_again_and_again("1", "everysec");
}
