//! What a crash of the machine could leave of the data, at any moment: the server writes down what
//! it does to the disk, the disk is rebuilt as it may have been, and a server starts from it.
//! `REDDLE_CRASH_IMAGES` says how many images each test tries.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

mod crash;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crash::{Disk, Step, steps};
use fastrand::Rng;
use testkit::{Client, Server, Value};

/// The program with the journal, which another build of it need not have.
const PROGRAM: &str = env!("CARGO_BIN_EXE_reddle");

fn images() -> usize {
    let asked = std::env::var("REDDLE_CRASH_IMAGES").ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(30)
}

/// A server that keeps a journal of what it does to the disk.
struct Recorded {
    folder: PathBuf,
    child: Child,
    port: u16,
}

impl Recorded {
    fn start(options: &[&str]) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("reddle-crash-{}-{count}", std::process::id());
        let folder = std::env::temp_dir().canonicalize().unwrap().join(name);
        fs::create_dir_all(folder.join("data")).unwrap();
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = socket.local_addr().unwrap().port();
        drop(socket);
        let child = Command::new(PROGRAM)
            .args(["--port", &port.to_string(), "--save", "", "--loglevel", "warning", "--dir"])
            .arg(folder.join("data"))
            .args(options)
            .env("REDDLE_DISK_JOURNAL", folder.join("journal"))
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        let recorded = Self { folder, child, port };
        recorded.client();
        recorded
    }

    fn client(&self) -> Client {
        Client::when_ready(self.port, Duration::from_secs(20)).expect("the server starts")
    }

    /// How much is written in the journal by now.
    fn place(&self) -> usize {
        fs::metadata(self.folder.join("journal")).map_or(0, |metadata| metadata.len() as usize)
    }

    /// Stops the server; what it did.
    fn steps(&mut self) -> Vec<(usize, Step)> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let journal = fs::read(self.folder.join("journal")).expect("the feature `record` is on");
        steps(&journal)
    }

    /// Starts servers from what crashes could have left, and hands each with its moment to `check`.
    /// Every other crash is right behind a change of names, where the least is durable.
    fn crash(&mut self, options: &[(&str, &str)], check: impl Fn(usize, &mut Client)) {
        let steps = self.steps();
        let is_naming = |step: &Step| !matches!(step, Step::Write { .. } | Step::Sync { .. });
        let namings: Vec<usize> = (0..steps.len()).filter(|at| is_naming(&steps[*at].1)).collect();
        for image in 0..images() {
            let mut rng = Rng::with_seed(image as u64);
            let last = match image % 2 {
                0 => rng.usize(..steps.len()),
                _ => namings[rng.usize(..namings.len())],
            };
            let mut disk = Disk::default();
            steps[..=last].iter().for_each(|(_, step)| disk.take(step));
            let left = self.folder.join(format!("image-{image}"));
            disk.crash(&self.folder.join("data"), &left, &mut rng);
            let mut all = vec![("dir", left.to_str().unwrap()), ("save", "")];
            all.extend_from_slice(options);
            let server = Server::start_exactly(Path::new(PROGRAM), &all).unwrap_or_else(|log| {
                panic!("image {image}, {} does not open: {log}", left.display())
            });
            check(steps[last].0, &mut server.client());
            drop(server);
            fs::remove_dir_all(left).unwrap();
        }
    }
}

impl Drop for Recorded {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
        if !thread::panicking() {
            fs::remove_dir_all(&self.folder).ok();
        }
    }
}

fn send(client: &mut Client, line: &str) -> Value {
    let words: Vec<&str> = line.split(' ').collect();
    let reply = client.call(&words);
    assert!(!matches!(reply, Value::Error(_)), "{line}: {reply:?}");
    reply
}

fn text(client: &mut Client, line: &str) -> String {
    match send(client, line) {
        Value::Bulk(bytes) => String::from_utf8(bytes).unwrap(),
        other => panic!("{line}: {other:?}"),
    }
}

fn number(client: &mut Client, line: &str) -> Option<usize> {
    match send(client, line) {
        Value::Bulk(bytes) => Some(std::str::from_utf8(&bytes).unwrap().parse().unwrap()),
        Value::Int(number) => Some(number as usize),
        _ => None,
    }
}

#[test]
fn a_saved_file_is_the_old_one_or_the_new_one() {
    let mut server = Recorded::start(&["--appendonly", "no"]);
    let mut client = server.client();
    let mut saved = vec![(0, 0)];
    for generation in 1..=4 {
        for key in 0..50 {
            send(&mut client, &format!("SET key:{key} {generation}"));
        }
        if generation % 2 == 0 {
            send(&mut client, "SAVE");
        } else {
            send(&mut client, "BGSAVE");
            while !text(&mut client, "INFO persistence").contains("rdb_bgsave_in_progress:0") {
                thread::sleep(Duration::from_millis(5));
            }
        }
        saved.push((server.place(), generation));
    }
    server.crash(&[("appendonly", "no")], |place, client| {
        let least = saved.iter().rfind(|(then, _)| *then <= place).unwrap().1;
        let found = number(client, "GET key:0");
        assert!(found.unwrap_or(0) >= least, "saved {least}, found {found:?}");
        for key in 1..50 {
            assert_eq!(
                number(client, &format!("GET key:{key}")),
                found,
                "the file is of one moment"
            );
        }
    });
}

/// Several clients write; what was acknowledged by which place in the journal.
fn write(server: &Recorded, clients: usize, count: usize) -> Vec<(usize, String)> {
    let acknowledged = Mutex::new(Vec::new());
    thread::scope(|scope| {
        for writer in 0..clients {
            let (server, acknowledged) = (&*server, &acknowledged);
            scope.spawn(move || {
                let mut client = server.client();
                for step in 0..count {
                    let key = format!("{writer}:{step}");
                    send(&mut client, &format!("SET {key} {step}"));
                    acknowledged.lock().unwrap().push((server.place(), key));
                    if step % 10 == 5 {
                        send(&mut client, "MULTI");
                        send(&mut client, &format!("INCR one:{writer}"));
                        send(&mut client, &format!("INCR other:{writer}"));
                        send(&mut client, "EXEC");
                    }
                    if writer == 0 && step % 20 == 13 {
                        // One may be under way already.
                        client.call(&["BGREWRITEAOF"]);
                    }
                }
            });
        }
    });
    acknowledged.into_inner().unwrap()
}

#[test]
fn with_always_nothing_acknowledged_is_lost() {
    for threads in ["1", "2"] {
        let options = ["--appendonly", "yes", "--appendfsync", "always", "--threads", threads];
        let mut server = Recorded::start(&options);
        let acknowledged = write(&server, 2, 60);
        let options = [("appendonly", "yes"), ("appendfsync", "always"), ("threads", threads)];
        server.crash(&options, |place, client| {
            for (_, key) in acknowledged.iter().filter(|(then, _)| *then <= place) {
                assert!(
                    number(client, &format!("GET {key}")).is_some(),
                    "{key} is lost at {place}"
                );
            }
            for writer in 0..2 {
                let one = number(client, &format!("GET one:{writer}"));
                assert_eq!(
                    one,
                    number(client, &format!("GET other:{writer}")),
                    "half a transaction"
                );
            }
        });
    }
}

#[test]
fn with_everysec_the_log_opens_and_has_no_gap() {
    let options = ["--appendonly", "yes", "--appendfsync", "everysec", "--threads", "2"];
    let mut server = Recorded::start(&options);
    let mut client = server.client();
    let mut synced = Vec::new();
    let began = Instant::now();
    for step in 0..2000 {
        send(&mut client, &format!("RPUSH list {step}"));
        synced.push((server.place(), step, began.elapsed()));
        if step % 500 == 250 {
            client.call(&["BGREWRITEAOF"]);
        }
        thread::sleep(Duration::from_micros(1000));
    }
    let lists = Mutex::new(BTreeSet::new());
    let options = [("appendonly", "yes"), ("appendfsync", "everysec")];
    server.crash(&options, |place, client| {
        let Value::Array(list) = client.call(&["LRANGE", "list", "0", "-1"]) else { panic!() };
        for (at, item) in list.iter().enumerate() {
            assert_eq!(*item, Value::Bulk(at.to_string().into_bytes()), "a gap");
        }
        let last = synced.iter().rfind(|(then, ..)| *then <= place).map(|(_, _, when)| *when);
        let due = last.unwrap_or_default().saturating_sub(Duration::from_secs(2));
        let least = synced.iter().filter(|(.., when)| *when < due).count();
        assert!(list.len() >= least, "{} of at least {least}", list.len());
        lists.lock().unwrap().insert(list.len());
    });
    assert!(lists.into_inner().unwrap().len() > 1, "the images differ");
}
