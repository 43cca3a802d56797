//! The server is killed and started again while clients write: what was acknowledged is there,
//! nothing is there twice, and what was said not to have run did not. `REDDLE_KILLS` says how
//! often at least; then it goes on until a kill has met a command on its way. Redis and Valkey are
//! held to it as well where they are installed, or where `REDDLE_PEERS` says.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails where it stands")]
#![allow(clippy::print_stdout, reason = "how much was lost and kept is worth knowing")]

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use client::{Address, AsyncClient, Client, Config, Error, Fate, cmd};
use testkit::{Folder, Server};

const WRITERS: usize = 4;
/// Elements that one pipeline writes; large enough for a kill to cut one in the middle.
const BATCH: usize = 40;

/// Kills beyond those that were asked for, until one has met a command.
const KILLS_MORE: u64 = 100;
/// After so long without an acknowledgement something hangs.
const PATIENCE: Duration = Duration::from_secs(120);

#[derive(Default)]
struct Seen {
    acknowledged: AtomicU64,
    may_have_run: AtomicU64,
    ran_after_all: AtomicU64,
    did_not_run: AtomicU64,
    /// Taken out again, though they were there.
    removed: AtomicU64,
}

impl Seen {
    /// Until so many more batches were acknowledged, however long that takes.
    fn wait_for_batches(&self, batches: u64) {
        let goal = count(&self.acknowledged) + batches * BATCH as u64;
        let end = Instant::now() + PATIENCE;
        while count(&self.acknowledged) < goal {
            assert!(Instant::now() < end, "writers have stopped");
            std::thread::sleep(Duration::from_millis(1));
        }
    }
}

fn count(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Ends the writers when it goes out of scope, so that a test that fails does not wait for them.
struct Ending<'a>(&'a AtomicBool);

impl Drop for Ending<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn nothing_is_lost_and_nothing_runs_twice() {
    hold(&testkit::server::binary());
}

#[test]
fn so_it_is_with_other_servers() {
    let peers = testkit::server::peers();
    if peers.is_empty() {
        println!("SKIPPED: kills of other servers: neither redis-server nor valkey-server is here");
    }
    peers.iter().for_each(|binary| hold(binary));
}

fn hold(binary: &Path) {
    let kills = std::env::var("REDDLE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(4);
    let (folder, stop) = (Folder::new(), Arc::new(AtomicBool::new(false)));
    let seen = Seen::default();
    std::thread::scope(|scope| {
        let (folder, stop, seen) = (&*folder, &stop, &seen);
        let ending = Ending(stop);
        let mut server = start(binary, folder);
        let write = |writer| scope.spawn(move || write(folder, writer, stop, seen));
        let mut writers: Vec<_> = (0..WRITERS).map(write).collect();
        writers.push(scope.spawn(move || count_up(folder, stop)));
        let mut kill = 0;
        while kill < kills || count(&seen.may_have_run) == 0 {
            assert!(kill < kills + KILLS_MORE, "no kill met a command on its way");
            seen.wait_for_batches(3 + kill % 5);
            drop(server);
            server = start(binary, folder);
            kill += 1;
        }
        drop(ending);
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
    let told = (count(&seen.acknowledged), count(&seen.may_have_run), count(&seen.did_not_run));
    let there = total + count(&seen.removed);
    assert_eq!(there, told.0 + count(&seen.ran_after_all), "{told:?}");
    let name = binary.display();
    println!("acknowledged, may have run, did not run: {told:?}; there: {there}; {name}");
    drop(server);
}

/// Tasks that share a connection and count, each on a counter of its own: what was counted is
/// what was acknowledged and at most what may have run besides.
fn count_up(folder: &Path, stop: &Arc<AtomicBool>) {
    const TASKS: usize = 16;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = AsyncClient::with(config(folder)).await.unwrap();
        let task = |task| tokio::spawn(increment(client.clone(), task, Arc::clone(stop)));
        let tasks: Vec<_> = (0..TASKS).map(task).collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
}

async fn increment(client: AsyncClient, task: usize, stop: Arc<AtomicBool>) {
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
