//! How long a server takes to load its file at the start, on one core and on two.
//!
//! Both servers load the same file, which the peer has written where there is one. The time that
//! counts is that from the start of the process to its first answer; the processor's time is of the
//! whole process, threads that have ended included.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

use loadgen::engine::fill;
use loadgen::usage::Usage;

use super::options::Options;
use super::process::{Cpus, Kind, Server, resident};
use super::report::{Section, Table, median, ratio};

const KEYS: u64 = 5_000_000;
const KEYS_QUICK: u64 = 500_000;
/// Seconds that a tick of the processor's time stands for.
const TICK_S: f64 = 0.01;

/// A folder with a file to load, removed when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        // Nobody needs to know that something in the temporary folder stayed.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// What one load took.
struct Load {
    took_s: f64,
    busy_s: f64,
    resident: u64,
}

fn cases() -> [(&'static str, String); 5] {
    [
        ("strings of 64 bytes", format!("SET {{k}} {}", "v".repeat(64))),
        ("hashes of three fields", "HSET {k} name someone mail someone@example.com age 42".into()),
        ("sets of three members", "SADD {k} red green blue".into()),
        ("sorted sets of three members", "ZADD {k} 1 one 2.5 two 42 three".into()),
        ("lists of three elements", "RPUSH {k} one two 42".into()),
    ]
}

/// # Errors
/// A server that does not start, refuses a command, or cannot be read.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let keys = if options.quick { KEYS_QUICK } else { KEYS };
    let head = ["keys", "cores", "server", "seconds", "CPU s", "resident MiB", "time", "CPU"];
    let mut table = Table::new(&head);
    for (name, pattern) in cases() {
        let folder = write(options, &cpus, &pattern, keys)?;
        for cores in [&cpus.server[..], &cpus.all[..cpus.all.len().min(2)]] {
            let mut loads: Vec<(Kind, Vec<Load>)> =
                Kind::all(options, false).into_iter().map(|kind| (kind, Vec::new())).collect();
            for round in 0..options.rounds {
                eprintln!("loading: {name}, {} cores, round {}", cores.len(), round + 1);
                for (kind, loads) in &mut loads {
                    loads.push(load(options, *kind, cores, &folder.0, keys)?);
                }
            }
            add_rows(&mut table, name, cores.len(), &loads);
        }
    }
    let intro = format!(
        "From the start of the process to its first answer, with a file of {keys} keys that both \
         read; ours with as many workers as cores. The last columns are ours divided by the peer. \
         The file has been read before, so the disk does not count. Medians of {} rounds.",
        options.rounds
    );
    let mut section = Section::new("loading", "Loading a file", intro);
    section.tables.push(table);
    Ok(section)
}

/// Has a server write the file that all of them load.
fn write(options: &Options, cpus: &Cpus, pattern: &str, keys: u64) -> Result<Folder, String> {
    let name = format!("reddle-bench-loading-{}", std::process::id());
    let folder = Folder(std::env::temp_dir().join(name));
    fs::create_dir_all(&folder.0).map_err(|error| format!("temporary directory: {error}"))?;
    let writer = if options.peer.is_some() { Kind::Peer } else { Kind::Ours };
    eprintln!("loading: {} writes the file", writer.name());
    // Where a file goes is a setting that a server protects unless it is told otherwise.
    let server = Server::start(options, writer, &cpus.all, &["--enable-protected-configs", "yes"])?;
    fill(server.address, pattern, keys, &cpus.all)?;
    let mut client = server.client()?;
    client.call(&["CONFIG", "SET", "dir", &folder.0.display().to_string()])?;
    client.call(&["SAVE"])?;
    Ok(folder)
}

fn load(
    options: &Options,
    kind: Kind,
    cores: &[usize],
    folder: &Path,
    keys: u64,
) -> Result<Load, String> {
    let (dir, threads) = (folder.display().to_string(), cores.len().to_string());
    let mut extra = vec!["--dir", &dir];
    if kind == Kind::Ours {
        extra.extend(["--threads", &threads]);
    }
    let began = Instant::now();
    let server = Server::start(options, kind, cores, &extra)?;
    let took_s = began.elapsed().as_secs_f64();
    let usage = Usage::of(server.pid())?;
    let held = server.client()?.dbsize()?;
    if held != keys {
        return Err(format!("{} holds {held} keys instead of {keys}", kind.name()));
    }
    let busy_s = (usage.user_ticks + usage.system_ticks) as f64 * TICK_S;
    Ok(Load { took_s, busy_s, resident: resident(server.pid())? })
}

fn add_rows(table: &mut Table, name: &str, cores: usize, loads: &[(Kind, Vec<Load>)]) {
    let over =
        |loads: &[Load], figure: fn(&Load) -> f64| median(loads.iter().map(figure).collect());
    let peer = loads.iter().find(|(kind, _)| *kind == Kind::Peer);
    let times = |loads: &[Load]| (over(loads, |load| load.took_s), over(loads, |load| load.busy_s));
    for (kind, of) in loads {
        let (took_s, busy_s) = times(of);
        let mebibytes = over(of, |load| load.resident as f64 / f64::from(1 << 20));
        let mut row = vec![name.to_owned(), cores.to_string(), kind.name().to_owned()];
        row.extend([format!("{took_s:.2}"), format!("{busy_s:.2}"), format!("{mebibytes:.0}")]);
        if let (Kind::Ours, Some((_, peer))) = (kind, peer) {
            let (peer_took_s, peer_busy_s) = times(peer);
            row.extend([ratio(took_s, peer_took_s), ratio(busy_s, peer_busy_s)]);
        }
        table.push(row);
    }
}
