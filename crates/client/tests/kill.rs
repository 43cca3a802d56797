//! The server is killed and started again while clients write: what was acknowledged is there,
//! nothing is there twice, and what was said not to have run did not. `REDDLE_KILLS` says how
//! often. Redis and Valkey are held to it as well where they are installed.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use client::{Address, AsyncClient, Client, Config, Error, Fate, cmd};
use testkit::{Folder, Server};

const WRITERS: usize = 4;
/// Elements that one pipeline writes; large enough for a kill to cut one in the middle.
const BATCH: usize = 40;

#[derive(Default)]
struct Seen {
    acknowledged: AtomicU64,
    may_have_run: AtomicU64,
    ran_after_all: AtomicU64,
    did_not_run: AtomicU64,
    /// Taken out again, though they were there.
    removed: AtomicU64,
}

#[test]
fn nothing_is_lost_and_nothing_runs_twice() {
    hold(&testkit::server::binary());
}

#[test]
fn so_it_is_with_other_servers() {
    for name in ["redis-server", "valkey-server"] {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let found = std::env::split_paths(&path).map(|folder| folder.join(name));
        if let Some(binary) = found.into_iter().find(|binary: &PathBuf| binary.is_file()) {
            hold(&binary);
        }
    }
}

fn hold(binary: &Path) {
    let kills = std::env::var("REDDLE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(4);
    let (folder, stop) = (Folder::new(), Arc::new(AtomicBool::new(false)));
    let seen = Seen::default();
    std::thread::scope(|scope| {
        let (folder, stop, seen) = (&*folder, &stop, &seen);
        let mut server = start(binary, folder);
        let write = |writer| scope.spawn(move || write(folder, writer, stop, seen));
        let mut writers: Vec<_> = (0..WRITERS).map(write).collect();
        writers.push(scope.spawn(move || count_up(folder, stop)));
        for kill in 0..kills {
            std::thread::sleep(Duration::from_millis(300 + 37 * kill % 100));
            drop(server);
            server = start(binary, folder);
        }
        stop.store(true, Ordering::Relaxed);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
    });
    let server = start(binary, &folder);
    let mut client = Client::with(config(&folder)).unwrap();
    let mut total = 0;
    for writer in 0..WRITERS {
        let numbers = numbers(&mut client, writer);
        assert_eq!(numbers, (0..numbers.len() as u64).collect::<Vec<u64>>(), "writer {writer}");
        total += numbers.len() as u64;
    }
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let told = (count(&seen.acknowledged), count(&seen.may_have_run), count(&seen.did_not_run));
    let there = total + count(&seen.removed);
    assert_eq!(there, told.0 + count(&seen.ran_after_all), "{told:?}");
    assert!(told.0 > 0 && told.1 > 0, "the kills met no command on its way: {told:?}");
    drop(server);
}

/// Tasks that share a connection and count, each on a counter of its own: what was counted is
/// what was acknowledged and at most what may have run besides.
fn count_up(folder: &Path, stop: &Arc<AtomicBool>) {
    const TASKS: usize = 16;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = AsyncClient::with(config(folder)).await.unwrap();
        let task = |task| tokio::spawn(count(client.clone(), task, Arc::clone(stop)));
        let tasks: Vec<_> = (0..TASKS).map(task).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

async fn count(client: AsyncClient, task: usize, stop: Arc<AtomicBool>) {
    let (key, mut least, mut most) = (format!("counter:{task}"), 0, 0);
    while !stop.load(Ordering::Relaxed) {
        match client.run(cmd::incr(&key)).await {
            Ok(value) => {
                let possible = least + 1..=most + 1;
                assert!(possible.contains(&value), "{value} of {possible:?}");
                // What was open is known now.
                (least, most) = (value, value);
            }
            Err(error) if error.fate() == Fate::MayHaveRun => most += 1,
            Err(error) => assert_eq!(error.fate(), Fate::DidNotRun, "{error}"),
        }
    }
}

fn start(binary: &Path, folder: &Path) -> Server {
    let (dir, socket) = (folder.to_str().unwrap(), folder.join("socket"));
    let options = [
        ("dir", dir),
        ("unixsocket", socket.to_str().unwrap()),
        ("appendonly", "yes"),
        ("appendfsync", "always"),
        ("save", ""),
    ];
    Server::start_exactly(binary, &options).unwrap_or_else(|log| panic!("{log}"))
}

fn config(folder: &Path) -> Config {
    let mut config = Config::new(Address::unix(folder.join("socket")));
    config.reconnect_for = Duration::from_secs(30);
    config.response_timeout = Some(Duration::from_secs(60));
    config
}

/// Appends ascending numbers to a list of its own, each exactly once: after an error the list
/// itself says where to go on, and it must not contradict the error.
fn write(folder: &Path, writer: usize, stop: &AtomicBool, seen: &Seen) {
    let mut client = Client::with(config(folder)).unwrap();
    let (list, padding) = (format!("list:{writer}"), "x".repeat(500));
    let mut next = 0;
    while !stop.load(Ordering::Relaxed) {
        let element = |number: u64| format!("{number}:{padding}");
        let batch = (next..next + BATCH as u64).map(|number| cmd::rpush(&list, [element(number)]));
        let results = client.run(batch.collect::<Vec<_>>());
        if results.iter().all(Result::is_ok) {
            seen.acknowledged.fetch_add(BATCH as u64, Ordering::Relaxed);
            next += BATCH as u64;
            continue;
        }
        // What was sent again behind a loss may be there without what was lost: begin anew there.
        let there = numbers(&mut client, writer);
        let mut expected = next;
        for (number, result) in (next..).zip(&results) {
            let found = there.iter().filter(|found| **found == number).count();
            assert!(found <= 1, "{number} of writer {writer} ran {found} times");
            match result.as_ref().map_err(Error::fate) {
                Ok(_) => {
                    assert_eq!(found, 1, "{number} of writer {writer} was acknowledged");
                    seen.acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                Err(Fate::DidNotRun) => {
                    assert_eq!(found, 0, "{number} of writer {writer} did not run, it was said");
                    seen.did_not_run.fetch_add(1, Ordering::Relaxed);
                }
                Err(_) => {
                    seen.may_have_run.fetch_add(1, Ordering::Relaxed);
                    seen.ran_after_all.fetch_add(found as u64, Ordering::Relaxed);
                }
            }
            expected += u64::from(found == 1 && expected == number);
        }
        // Holes come from losses that were told; what stands behind one is taken out again.
        let behind = there.iter().filter(|number| **number >= expected).count() as u64;
        trim(&mut client, &list, expected);
        seen.removed.fetch_add(behind, Ordering::Relaxed);
        next = expected;
    }
}

/// Cuts the list down to so many elements; setting a length twice does no harm.
fn trim(client: &mut Client, list: &str, length: u64) {
    let stop = i64::try_from(length).unwrap() - 1;
    if length == 0 {
        loaded(|| client.run(cmd::del([list]).may_repeat()));
    } else {
        loaded(|| client.run(cmd::ltrim(list, 0, stop).may_repeat()));
    }
}

/// Asks until the server has read its log: it refuses everything before that.
fn loaded<T>(mut ask: impl FnMut() -> client::Result<T>) -> T {
    loop {
        match ask() {
            Err(error) if error.server().is_some_and(|error| error.code() == "LOADING") => {
                std::thread::sleep(Duration::from_millis(10));
            }
            result => return result.unwrap(),
        }
    }
}

fn numbers(client: &mut Client, writer: usize) -> Vec<u64> {
    let items = loaded(|| client.run(cmd::lrange(format!("list:{writer}"), 0, -1)));
    let number = |item: Vec<u8>| {
        let digits = item.split(|byte| *byte == b':').next().unwrap().to_vec();
        String::from_utf8(digits).unwrap().parse().unwrap()
    };
    items.into_iter().map(number).collect()
}
