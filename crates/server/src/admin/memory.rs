//! MEMORY: what the process's memory is used for.

use commands::{Args, Error};
use keyspace::{Held, Overhead, Totals};

use super::help::help as help_of;
use crate::allocator::{self, Figures};
use crate::call::Call;
use crate::footprint;
use crate::rows::SessionHandler;
use crate::server::Server;
use crate::sys;

pub(crate) const HANDLERS: &[(&str, SessionHandler)] = &[
    ("memory|doctor", doctor),
    ("memory|help", help),
    ("memory|malloc-stats", malloc_stats),
    ("memory|purge", purge),
    ("memory|stats", stats),
];

/// Below so many bytes in use no ratio says anything.
const TOO_LITTLE: u64 = 5 << 20;

/// A difference below so many bytes is not worth a remark, whatever the ratio.
const NEGLIGIBLE: i64 = 10 << 20;

/// Memory at one moment, in bytes.
pub(super) struct Picture {
    /// The allocator's figures; `allocated` is what is in use.
    pub(super) allocator: Figures,
    /// In memory, as the system sees it.
    pub(super) resident: u64,
    /// Most in use so far, and when, in Unix milliseconds.
    pub(super) peak: u64,
    pub(super) peak_ms: i64,
    /// In use after the start.
    pub(super) startup: u64,
    /// For connections.
    pub(super) clients: u64,
    /// For what waits to be written to the log.
    pub(super) log: u64,
    /// For the scripts and for the libraries of functions that are known.
    pub(super) scripts: u64,
    pub(super) libraries: u64,
    /// Contents and cost of each database, by its number.
    pub(super) databases: Vec<(Totals, Overhead)>,
}

impl Picture {
    /// Takes the picture. Shards that are not held are taken in turn.
    pub(super) fn take<'k>(server: &'k Server, held: &mut Held<'k>, allocator: Figures) -> Self {
        let totals = server.keyspace.totals(held);
        let overheads = server.keyspace.overheads(held);
        let mut clients = 0;
        server.clients.each(|client| clients += footprint::of(client));
        let scripting = server.scripting.figures();
        Self {
            allocator,
            resident: allocator::resident_set(),
            peak: server.memory.peak(),
            peak_ms: server.memory.peak_ms(),
            startup: server.memory.startup(),
            clients,
            log: server.aof.waiting(),
            scripts: scripting.scripts_memory,
            libraries: scripting.libraries_memory,
            databases: totals.into_iter().zip(overheads).collect(),
        }
    }

    /// In use.
    pub(super) fn used(&self) -> u64 {
        self.allocator.used
    }

    /// In use for something other than keys and values.
    pub(super) fn overhead(&self) -> u64 {
        self.startup + self.clients + self.log + self.scripts + self.libraries + self.tables()
    }

    /// In use for finding keys and deadlines.
    pub(super) fn tables(&self) -> u64 {
        self.databases.iter().map(|(_, overhead)| overhead.table + overhead.wheel).sum()
    }

    /// In use for keys and values.
    pub(super) fn dataset(&self) -> u64 {
        self.used().saturating_sub(self.overhead())
    }

    /// The share of keys and values in what came since the start, in percent.
    pub(super) fn dataset_percent(&self) -> f64 {
        let since_start = self.used().saturating_sub(self.startup).max(1);
        self.dataset() as f64 * 100.0 / since_start as f64
    }

    /// What is in use, in percent of the peak.
    pub(super) fn peak_percent(&self) -> f64 {
        ratio(self.used(), self.peak) * 100.0
    }

    /// Keys in all databases.
    pub(super) fn keys(&self) -> u64 {
        self.databases.iter().map(|(totals, _)| totals.keys).sum()
    }
}

/// One amount in proportion to another, 0 when there is no other.
pub(super) fn ratio(one: u64, other: u64) -> f64 {
    if other == 0 { 0.0 } else { one as f64 / other as f64 }
}

/// How much more one amount is than another.
pub(super) fn excess(one: u64, other: u64) -> i64 {
    one as i64 - other as i64
}

/// MEMORY STATS - O(shards). Databases that take nothing are left out, but for the selected one.
fn stats(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let figures = call.server.memory.look(call.local.now_ms());
    let picture = Picture::take(call.server, call.held, figures);
    let out = &mut *call.out;
    let map = out.map_later();
    let mut pairs = 0;
    let mut int = |out: &mut resp::Writer, name: &str, value: i64| {
        pairs += 1;
        out.bulk(name.as_bytes());
        out.int(value);
    };
    int(out, "peak.allocated", picture.peak as i64);
    int(out, "total.allocated", picture.used() as i64);
    int(out, "startup.allocated", picture.startup as i64);
    int(out, "replication.backlog", 0);
    int(out, "replicas.repl.buffer", 0);
    int(out, "clients.slaves", 0);
    int(out, "clients.normal", picture.clients as i64);
    int(out, "cluster.links", 0);
    int(out, "cluster.slot_import", 0);
    int(out, "cluster.slot_export", 0);
    int(out, "aof.buffer", picture.log as i64);
    int(out, "lua.caches", picture.scripts as i64);
    int(out, "functions.caches", picture.libraries as i64);
    let selected = call.session.db as usize;
    for (db, (totals, overhead)) in picture.databases.iter().enumerate() {
        if totals.keys == 0 && *overhead == Overhead::default() && db != selected {
            continue;
        }
        pairs += 1;
        out.bulk(format!("db.{db}").as_bytes());
        out.map(2);
        out.bulk(b"overhead.hashtable.main");
        out.int(overhead.table as i64);
        out.bulk(b"overhead.hashtable.expires");
        out.int(overhead.wheel as i64);
    }
    pairs += tail_of_stats(&picture, out);
    call.out.finish(map, pairs);
    Ok(())
}

/// The part of MEMORY STATS behind the databases; tells how many pairs it has.
fn tail_of_stats(picture: &Picture, out: &mut resp::Writer) -> usize {
    enum Is {
        Int(i64),
        Double(f64),
    }
    use Is::{Double, Int};
    let Figures { used, allocated, active, resident, muzzy } = picture.allocator;
    let keys = picture.keys();
    let pairs = [
        ("overhead.db.hashtable.lut", Int(picture.tables() as i64)),
        ("overhead.db.hashtable.rehashing", Int(0)),
        ("overhead.total", Int(picture.overhead() as i64)),
        ("db.dict.rehashing.count", Int(0)),
        ("keys.count", Int(keys as i64)),
        ("keys.bytes-per-key", Int(picture.dataset().checked_div(keys).unwrap_or(0) as i64)),
        ("dataset.bytes", Int(picture.dataset() as i64)),
        ("dataset.percentage", Double(picture.dataset_percent())),
        ("peak.percentage", Double(picture.peak_percent())),
        ("allocator.allocated", Int(allocated as i64)),
        ("allocator.active", Int(active as i64)),
        ("allocator.resident", Int(resident as i64)),
        ("allocator.muzzy", Int(muzzy as i64)),
        ("allocator-fragmentation.ratio", Double(ratio(active, allocated))),
        ("allocator-fragmentation.bytes", Int(excess(active, allocated))),
        ("allocator-rss.ratio", Double(ratio(resident, active))),
        ("allocator-rss.bytes", Int(excess(resident, active))),
        ("rss-overhead.ratio", Double(ratio(picture.resident, resident))),
        ("rss-overhead.bytes", Int(excess(picture.resident, resident))),
        ("fragmentation", Double(ratio(picture.resident, used))),
        ("fragmentation.bytes", Int(excess(picture.resident, used))),
    ];
    let count = pairs.len();
    for (name, value) in pairs {
        out.bulk(name.as_bytes());
        match value {
            Int(value) => out.int(value),
            Double(value) => out.double(value),
        }
    }
    count
}

/// MEMORY DOCTOR - O(shards).
fn doctor(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let figures = call.server.memory.look(call.local.now_ms());
    let picture = Picture::take(call.server, call.held, figures);
    let clients = call.server.clients.count();
    call.out.verbatim("txt", diagnosis(&picture, clients).as_bytes());
    Ok(())
}

/// In words, what is unusual about a picture.
fn diagnosis(picture: &Picture, clients: u64) -> String {
    if picture.used() < TOO_LITTLE {
        return "There is so little data here that nothing can be said about its memory.\n".into();
    }
    let Figures { allocated, active, resident, .. } = picture.allocator;
    let is_high = |one: u64, other: u64, bound: f64| {
        ratio(one, other) > bound && excess(one, other) > NEGLIGIBLE
    };
    let mut found = Vec::new();
    if ratio(picture.peak, allocated) > 1.5 {
        found.push(
            "Peak: at some time more than 1.5 times the present amount was in use. Pages that \
             were needed then may still be resident. MEMORY PURGE gives back what is free.",
        );
    }
    if is_high(picture.resident, allocated, 1.4) {
        found.push(
            "Fragmentation: more than 1.4 times what is in use is resident. The next lines, if \
             any, tell where.",
        );
    }
    if is_high(active, allocated, 1.1) {
        found.push(
            "Allocator, inside of pages: many pages are in use only partly, as it happens when \
             values of other sizes replace the old ones.",
        );
    }
    if is_high(resident, active, 1.1) {
        found.push(
            "Allocator, whole pages: it keeps pages that nothing is in. They are given back \
             after some seconds without use, and at once by MEMORY PURGE.",
        );
    }
    if is_high(picture.resident, resident, 1.1) {
        found.push(
            "Outside of the allocator: the process has resident memory that the allocator does \
             not know of, such as stacks and the program itself.",
        );
    }
    if clients > 0 && picture.clients / clients > 200 << 10 {
        found.push(
            "Clients: they take more than 200 kilobytes each on average. Look at omem and \
             tot-mem in CLIENT LIST, and at client-output-buffer-limit.",
        );
    }
    if found.is_empty() {
        return "Nothing is unusual about the use of memory.\n".into();
    }
    found.iter().map(|line| format!(" * {line}\n")).collect()
}

/// MEMORY MALLOC-STATS - O(allocator's tables).
fn malloc_stats(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    call.out.verbatim("txt", &allocator::report());
    Ok(())
}

/// MEMORY PURGE - O(unused pages).
fn purge(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    sys::allocator::purge();
    call.out.ok();
    Ok(())
}

/// MEMORY HELP - O(1).
fn help(call: &mut Call<'_, '_>, _: &Args<'_>) -> Result<(), Error> {
    let lines = [
        "DOCTOR",
        "    Explain in words what is unusual about the use of memory.",
        "MALLOC-STATS",
        "    Show the allocator's report on itself.",
        "PURGE",
        "    Give memory that is not in use back to the system.",
        "STATS",
        "    Show what memory is used for.",
        "USAGE <key> [SAMPLES <count>]",
        "    Show how many bytes a key and its value take. Of a collection, <count>",
        "    elements are looked at and the rest is estimated (default 5, 0 for all).",
    ];
    help_of(call, &lines)
}

#[cfg(test)]
mod tests;
