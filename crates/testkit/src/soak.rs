//! A server under everything at once for as long as one likes, and whether it is then as it was:
//! the same data, the same memory, no descriptor more, no slower.
//!
//! - [`model`] knows what some clients' keys hold, [`load`] is what the threads do.
//!
//! Invariant: only keys with deadlines may be evicted, so what the models hold must be there.

mod load;
mod model;
#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use self::load::{CACHE, Load, VISITS, Work, wait_for_saves};
use self::model::Model;
use crate::{Client, Folder, Server, Value};

/// Clients whose keys a model knows.
const OWNERS: u64 = 4;
/// Time between two measured commands.
const PROBE_INTERVAL: Duration = Duration::from_millis(1);
/// Fewer windows than this say nothing about what grows.
const WINDOWS_TO_COMPARE: usize = 12;

/// How long, and with what.
#[derive(Clone, Debug)]
pub struct Options {
    pub time: Duration,
    /// How long one line of figures takes.
    pub window: Duration,
    /// Time from the end of a snapshot or rewrite to the next.
    pub save_every: Duration,
    pub threads: u32,
    /// The limit on memory, in megabytes.
    pub limit: u32,
    pub seed: u64,
}

/// Figures of one window.
#[derive(Clone, Debug)]
pub struct Window {
    /// Since the start.
    pub at: Duration,
    /// Commands answered a second.
    pub rate: u64,
    /// Latency of a GET: median, 99 %, 99.9 %, longest.
    pub latency: [Duration; 4],
    /// Bytes.
    pub used: u64,
    /// Bytes.
    pub resident: u64,
    /// Open files and sockets.
    pub descriptors: usize,
    pub evicted: u64,
    pub expired: u64,
}

/// What was found.
#[derive(Debug)]
pub struct Outcome {
    pub windows: Vec<Window>,
    /// Open files and sockets with one client, before and after.
    pub descriptors: (usize, usize),
    /// Of the data at the end, of the models, and after a kill and a start.
    pub digests: [String; 3],
}

impl Outcome {
    /// What is not as it should be, a sentence each.
    #[must_use]
    pub fn faults(&self) -> Vec<String> {
        let mut faults = Vec::new();
        let [ours, models, again] = &self.digests;
        if ours != models {
            faults.push(format!("the digest is {ours}, that of the models {models}"));
        }
        if ours != again {
            faults.push(format!("the digest is {ours}, after kill and start {again}"));
        }
        let (before, after) = self.descriptors;
        if after > before {
            faults.push(format!("{before} descriptors before, {after} after"));
        }
        if self.windows.len() >= WINDOWS_TO_COMPARE {
            self.growth(&mut faults);
        }
        faults
    }

    /// The last quarter beside the second: the first is spent filling up.
    fn growth(&self, faults: &mut Vec<String>) {
        let quarter = self.windows.len() / 4;
        let early = &self.windows[quarter..2 * quarter];
        let late = &self.windows[self.windows.len() - quarter..];
        let resident = |part: &[Window]| part.iter().map(|it| it.resident).max().unwrap_or(0);
        if resident(late) > resident(early) / 100 * 110 {
            let (early, late) = (resident(early), resident(late));
            faults.push(format!("resident memory grew from {early} to {late} bytes"));
        }
        let slow = |part: &[Window]| {
            let mut all: Vec<_> = part.iter().map(|it| it.latency[1]).collect();
            all.sort_unstable();
            all[all.len() / 2]
        };
        if slow(late) > slow(early) * 3 / 2 + Duration::from_micros(200) {
            faults.push(format!("p99 grew from {:?} to {:?}", slow(early), slow(late)));
        }
    }
}

/// Starts a server and runs the load on it; `on_window` gets each line of figures as it is there.
///
/// # Errors
/// The first reply that is not what a model says, or what else made a thread stop.
///
/// # Panics
/// When the server does not start or no longer answers.
pub fn run(options: &Options, mut on_window: impl FnMut(&Window)) -> Result<Outcome, String> {
    let folder = Folder::new();
    let server = start(options, &folder);
    let mut client = server.client();
    client.set_reply_limit(Duration::from_secs(60));
    // Its own connection is open on both sides when it was answered.
    client.run("PING");
    let before = descriptors(&server);
    let load = Load {
        port: server.port(),
        is_over: AtomicBool::new(false),
        operations: AtomicU64::new(0),
    };
    let mut models: Vec<Model> =
        (0..OWNERS).map(|it| Model::new(format!("owner:{it}:"), options.seed + it)).collect();
    let windows = under_load(&server, &mut client, &load, &mut models, options, &mut on_window)?;
    for prefix in [CACHE, VISITS] {
        remove_all(&mut client, prefix);
    }
    wait_for_saves(&mut client);
    wait_for_guests(&mut client);
    let after = descriptors(&server);
    let ours = client.text("DEBUG DIGEST");
    assert_eq!(client.run("WAITAOF 1 0 0"), Value::Array(vec![Value::Int(1), Value::Int(0)]));
    drop((client, server));
    let again = start(options, &folder).client().text("DEBUG DIGEST");
    let digests = [ours, digest_of(&models), again];
    Ok(Outcome { windows, descriptors: (before, after), digests })
}

/// Runs all threads until the time is over, or one of them cannot go on.
fn under_load(
    server: &Server,
    client: &mut Client,
    load: &Load,
    models: &mut [Model],
    options: &Options,
    on_window: &mut dyn FnMut(&Window),
) -> Result<Vec<Window>, String> {
    let owners = models.iter_mut().zip(options.seed + 100..);
    let mut works: Vec<_> = owners.map(|(model, seed)| Work::Own(model, seed)).collect();
    works.push(Work::Cache(options.seed + 200));
    works.push(Work::Visit(options.seed + 300));
    works.push(Work::Save(options.save_every));
    thread::scope(|scope| {
        let begin = |work| {
            scope.spawn(move || {
                let _stop = StopOnDrop(&load.is_over);
                load.run(work)
            })
        };
        let threads: Vec<_> = works.into_iter().map(begin).collect();
        let windows = {
            let _stop = StopOnDrop(&load.is_over);
            watch(server, client, load, options, on_window)
        };
        for thread in threads {
            thread.join().map_err(|_| "a thread of the load panicked".to_owned())??;
        }
        Ok(windows)
    })
}

/// The digest of a server that holds what the models hold.
fn digest_of(models: &[Model]) -> String {
    let server = Server::start(&[("save", ""), ("enable-debug-command", "local")]);
    let mut client = server.client();
    for model in models {
        client.send_all(&model.rebuild());
    }
    client.text("DEBUG DIGEST")
}

/// Ends the load also when its thread panics.
struct StopOnDrop<'a>(&'a AtomicBool);

impl Drop for StopOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn start(options: &Options, folder: &Folder) -> Server {
    Server::start(&[
        ("dir", folder.to_str().expect("a folder with a plain name")),
        ("threads", &options.threads.to_string()),
        ("appendonly", "yes"),
        ("save", ""),
        ("maxmemory", &format!("{}mb", options.limit)),
        ("maxmemory-policy", "volatile-lru"),
        ("enable-debug-command", "local"),
    ])
}

/// Measures until the time is over or a thread has stopped the load.
fn watch(
    server: &Server,
    client: &mut Client,
    load: &Load,
    options: &Options,
    on_window: &mut dyn FnMut(&Window),
) -> Vec<Window> {
    let (started, mut windows) = (Instant::now(), Vec::new());
    client.run("SET probe value");
    while started.elapsed() < options.time && !load.is_over.load(Ordering::Relaxed) {
        let (begin, answered) = (Instant::now(), load.operations.load(Ordering::Relaxed));
        let mut times = Vec::new();
        while begin.elapsed() < options.window && !load.is_over.load(Ordering::Relaxed) {
            let sent = Instant::now();
            client.run("GET probe");
            times.push(sent.elapsed());
            thread::sleep(PROBE_INTERVAL);
        }
        times.sort_unstable();
        let per_mille = |part: usize| times[(times.len() - 1) * part / 1000];
        let done = load.operations.load(Ordering::Relaxed) - answered;
        let window = Window {
            at: started.elapsed(),
            rate: done * 1000 / (begin.elapsed().as_millis() as u64).max(1),
            latency: [500, 990, 999, 1000].map(per_mille),
            used: client.info("used_memory"),
            resident: client.info("used_memory_rss"),
            descriptors: descriptors(server),
            evicted: client.info("evicted_keys"),
            expired: client.info("expired_keys"),
        };
        on_window(&window);
        windows.push(window);
    }
    client.run("DEL probe");
    windows
}

fn descriptors(server: &Server) -> usize {
    let folder = format!("/proc/{}/fd", server.pid());
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

fn remove_all(client: &mut Client, prefix: &str) {
    let pattern = format!("{prefix}*");
    let mut cursor = "0".to_owned();
    loop {
        let reply = client.call(&["SCAN", &cursor, "MATCH", &pattern, "COUNT", "1000"]);
        let Value::Array(parts) = reply else { panic!("SCAN: {reply:?}") };
        let [Value::Bulk(next), Value::Array(keys)] = &parts[..] else { panic!("SCAN: {parts:?}") };
        for key in keys {
            let Value::Bulk(key) = key else { panic!("SCAN: {key:?}") };
            client.call(&[b"UNLINK", &key[..]]);
        }
        cursor = String::from_utf8_lossy(next).into_owned();
        if cursor == "0" {
            return;
        }
    }
}

/// Waits until only this client is left: the server has yet to see that the others are gone.
fn wait_for_guests(client: &mut Client) {
    while client.info::<u32>("connected_clients") > 1 {
        thread::sleep(Duration::from_millis(10));
    }
}
