//! What the process keeps of the system beyond what it uses, after keys of changing sizes have come
//! and gone for a long time, with active defragmentation on.
//!
//! Both servers get the same commands at the same time. The run is [`PHASES`] windows long, so
//! `--seconds 360` makes it an hour; each has sizes of its own, around the same bytes in all.

use std::time::{Duration, Instant};

use super::client::Client;
use super::options::Options;
use super::process::{Cpus, Kind, Server, resident};
use super::report::{Section, Table};

/// The mean bytes of a value in each window: a change in either direction, near and far.
const MEANS: [f64; 10] = [64.0, 900.0, 200.0, 4000.0, 120.0, 1500.0, 48.0, 600.0, 2500.0, 100.0];
const PHASES: u32 = MEANS.len() as u32;
/// Bytes of keys and values that are kept, about.
const KEPT: usize = 150 << 20;
/// What a key takes beside its value, about.
const BESIDE: usize = 64;
const BATCH: usize = 100;
const ASK_EVERY: Duration = Duration::from_millis(500);
const SETTINGS: [&str; 8] = [
    "--activedefrag",
    "yes",
    "--active-defrag-ignore-bytes",
    "5mb",
    "--active-defrag-threshold-lower",
    "5",
    "--maxmemory-policy",
    "noeviction",
];

/// The keys that are there, and what they take.
struct Model {
    rng: fastrand::Rng,
    /// Number and size of each.
    keys: Vec<(u64, usize)>,
    next: u64,
    bytes: usize,
}

/// A server, and how its memory did.
struct Side {
    kind: Kind,
    server: Server,
    client: Client,
    /// RSS over used memory, in order.
    ratios: Vec<f64>,
}

/// # Errors
/// A server that does not start, refuses a command, or cannot be read.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let mut sides = Vec::new();
    for kind in Kind::all(options, false) {
        let server = Server::start(options, kind, &cpus.all, &SETTINGS)?;
        let client = server.client()?;
        sides.push(Side { kind, server, client, ratios: Vec::new() });
    }
    let commands = churn(options, &mut sides)?;
    let mut table = Table::new(&["server", "mean", "highest", "at the end"]);
    for side in &mut sides {
        let ratios = &side.ratios;
        let mean = ratios.iter().sum::<f64>() / ratios.len().max(1) as f64;
        let highest = ratios.iter().copied().fold(0.0, f64::max);
        let last = ratios.last().copied().unwrap_or(f64::NAN);
        let mut row = vec![side.kind.name().to_owned()];
        row.extend([mean, highest, last].map(|ratio| format!("{ratio:.3}")));
        table.push(row);
    }
    let intro = format!(
        "RSS over used memory while {} M commands set, lengthen, replace and delete about {} MB of \
         strings for {} s, asked every {} ms from the second tenth on. Sizes are exponentially \
         distributed around a mean that changes with each tenth, from 48 bytes to 4 KB. Both \
         servers get the same commands and have activedefrag on from 5 MB and 5 % on.",
        commands / 1_000_000,
        KEPT >> 20,
        (options.window * PHASES).as_secs(),
        ASK_EVERY.as_millis()
    );
    let mut section = Section::new("churn", "Keys of changing sizes", intro);
    section.tables.push(table);
    Ok(section)
}

/// Runs all windows; how many commands each server got.
fn churn(options: &Options, sides: &mut [Side]) -> Result<u64, String> {
    let rng = fastrand::Rng::with_seed(7);
    let mut model = Model { rng, keys: Vec::new(), next: 0, bytes: 0 };
    let (began, mut asked, mut count) = (Instant::now(), Instant::now(), 0);
    loop {
        let phase = (began.elapsed().as_secs_f64() / options.window.as_secs_f64()) as usize;
        let Some(mean) = MEANS.get(phase) else { return Ok(count) };
        let mut bytes = Vec::new();
        (0..BATCH).for_each(|_| model.step(*mean, &mut bytes));
        for side in &mut *sides {
            side.client.pipeline(&bytes, BATCH)?;
        }
        count += BATCH as u64;
        if asked.elapsed() >= ASK_EVERY {
            asked = Instant::now();
            for side in &mut *sides {
                let (rss, used) = (resident(side.server.pid())?, side.client.used_memory()?);
                if phase > 0 {
                    side.ratios.push(rss as f64 / used as f64);
                }
            }
        }
    }
}

impl Model {
    /// One command: keys come until there are enough, then as many go.
    fn step(&mut self, mean: f64, out: &mut Vec<u8>) {
        let size = (-mean * (1.0 - self.rng.f64()).ln()) as usize + 1;
        let is_full = self.bytes >= KEPT;
        match self.rng.u8(0..10) {
            0..=3 if is_full => self.delete(out),
            4..=5 if !self.keys.is_empty() => {
                let at = self.rng.usize(0..self.keys.len());
                let (key, old) = self.keys[at];
                // Replaced, or lengthened by a quarter.
                let (word, added, kept) =
                    if self.rng.bool() { ("SET", size, 0) } else { ("APPEND", old / 4 + 1, old) };
                self.keys[at].1 = kept + added;
                self.bytes = self.bytes + kept + added - old;
                resp::encode_command(out, &[word, &key.to_string(), &"v".repeat(added)]);
            }
            _ if self.bytes >= KEPT + (KEPT >> 5) => self.delete(out),
            _ => {
                self.keys.push((self.next, size));
                self.bytes += size + BESIDE;
                let key = self.next.to_string();
                self.next += 1;
                resp::encode_command(out, &["SET", &key, &"v".repeat(size)]);
            }
        }
    }

    fn delete(&mut self, out: &mut Vec<u8>) {
        let at = self.rng.usize(0..self.keys.len());
        let (key, size) = self.keys.swap_remove(at);
        self.bytes -= size + BESIDE;
        resp::encode_command(out, &["DEL", &key.to_string()]);
    }
}
