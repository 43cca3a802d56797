//! What connections that do nothing cost: CPU time while idle, and resident bytes each.

use std::time::{Duration, Instant};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use loadgen::usage::Usage;

use super::client::Client;
use super::options::Options;
use super::process::{Cpus, Kind, Server, settled};
use super::report::{Section, Table, ratio};

const CONNECTIONS: usize = 10_000;
/// Files this program and the servers need beside the connections.
const FILES_SPARE: u64 = 200;

struct Idle {
    /// Share of one core, without any connection and with all of them.
    alone: f64,
    crowded: f64,
    bytes_per_connection: f64,
}

/// # Errors
/// A server that does not start, closes a connection, or cannot be read.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let connections = raise_file_limit();
    let length = Duration::from_secs(if options.quick { 2 } else { 10 });
    let mut rows = Vec::new();
    for kind in Kind::all(options, true) {
        eprintln!("idle: {} with {connections} connections", kind.name());
        rows.push((kind, watch(options, kind, connections, length, &cpus)?));
    }
    let mut table = Table::new(&[
        "server",
        "CPU without connections",
        "CPU with connections",
        "bytes a connection",
        "ours / peer",
    ]);
    let peer =
        rows.iter().find(|row| row.0 == Kind::Peer).map_or(0.0, |row| row.1.bytes_per_connection);
    for (kind, idle) in &rows {
        table.push(vec![
            kind.name().to_owned(),
            format!("{:.3} %", idle.alone * 100.0),
            format!("{:.3} %", idle.crowded * 100.0),
            format!("{:.0}", idle.bytes_per_connection),
            if *kind == Kind::Ours {
                ratio(idle.bytes_per_connection, peer)
            } else {
                String::new()
            },
        ]);
    }
    let intro = format!(
        "{connections} connections, each of which has sent one PING and then stays silent; CPU as \
         a share of one core over {} s, memory as growth of the resident size (the kernel's own \
         buffers are not in it).",
        length.as_secs()
    );
    let mut section = Section::new("idle", "Idle connections", intro);
    section.tables.push(table);
    Ok(section)
}

/// Raises the soft limit on open files to the hard one; returns how many connections fit.
pub(super) fn raise_file_limit() -> usize {
    let limit = getrlimit(Resource::Nofile);
    // Where the limit stays, the number of connections follows it.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    match getrlimit(Resource::Nofile).current {
        Some(files) => CONNECTIONS.min(files.saturating_sub(FILES_SPARE) as usize),
        None => CONNECTIONS,
    }
}

fn watch(
    options: &Options,
    kind: Kind,
    connections: usize,
    length: Duration,
    cpus: &Cpus,
) -> Result<Idle, String> {
    let server = Server::start(options, kind, &cpus.server, &[])?;
    let empty = settled(server.pid())?;
    let alone = share(server.pid(), length)?;
    let mut clients = Vec::with_capacity(connections);
    for _ in 0..connections {
        let mut client = Client::connect(server.address)?;
        client.call(&["PING"]).map_err(|error| format!("{}: {error}", kind.name()))?;
        clients.push(client);
    }
    let full = settled(server.pid())?;
    let crowded = share(server.pid(), length)?;
    let bytes_per_connection = full.saturating_sub(empty) as f64 / connections.max(1) as f64;
    Ok(Idle { alone, crowded, bytes_per_connection })
}

fn share(pid: u32, length: Duration) -> Result<f64, String> {
    let before = Usage::of(pid)?;
    let started = Instant::now();
    std::thread::sleep(length);
    let used = Usage::of(pid)?.since(before);
    Ok(used.busy_ns as f64 / started.elapsed().as_nanos() as f64)
}
