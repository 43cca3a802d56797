//! Resident memory a key: the growth of the process over a million keys, with short and longer
//! values, with and without an expiry.

use loadgen::engine::fill;
use loadgen::request::KEY_SIZE;

use super::options::Options;
use super::process::{Cpus, Kind, Server, resident, settled};
use super::report::{Section, Table, ratio};

const VALUE_SIZES: [usize; 2] = [16, 64];

/// # Errors
/// A server that does not start, refuses the keys, or cannot be read.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let mut table = Table::new(&[
        "value",
        "expiry",
        "server",
        "bytes a key",
        "of that overhead",
        "empty process MiB",
        "ours / peer",
    ]);
    for size in VALUE_SIZES {
        for expiry in [false, true] {
            let mut rows = Vec::new();
            for kind in Kind::all(options, false) {
                eprintln!("memory: {} value {size} expiry {expiry}", kind.name());
                let (empty, per_key) = bytes_per_key(options, kind, &cpus, size, expiry)?;
                rows.push((kind, empty, per_key));
            }
            let peer = rows.iter().find(|row| row.0 == Kind::Peer).map_or(0.0, |row| row.2);
            for (kind, empty, per_key) in rows {
                table.push(vec![
                    size.to_string(),
                    if expiry { "yes" } else { "no" }.to_owned(),
                    kind.name().to_owned(),
                    format!("{per_key:.1}"),
                    format!("{:.1}", per_key - (KEY_SIZE + size) as f64),
                    format!("{:.1}", empty as f64 / (1 << 20) as f64),
                    if kind == Kind::Ours { ratio(per_key, peer) } else { String::new() },
                ]);
            }
        }
    }
    let intro = format!(
        "Growth of the resident memory of a fresh process over {} SETs of different keys of \
         {KEY_SIZE} bytes, once it no longer moves. Overhead is what goes beyond key and value.",
        options.keys
    );
    let mut section = Section::new("memory", "Memory a key", intro);
    section.tables.push(table);
    Ok(section)
}

/// Resident bytes of the empty process, and of each key in the full one.
fn bytes_per_key(
    options: &Options,
    kind: Kind,
    cpus: &Cpus,
    size: usize,
    expiry: bool,
) -> Result<(u64, f64), String> {
    let server = Server::start(options, kind, &cpus.server, &[])?;
    let empty = resident(server.pid())?;
    let value = "v".repeat(size);
    let pattern = format!("SET {{k}} {value}{}", if expiry { " EX 100000" } else { "" });
    fill(server.address, &pattern, options.keys, &cpus.load)
        .map_err(|error| format!("{}: {error}", kind.name()))?;
    let full = settled(server.pid())?;
    let held = server.client()?.dbsize()?;
    if held != options.keys {
        return Err(format!("{} holds {held} keys instead of {}", kind.name(), options.keys));
    }
    Ok((empty, full.saturating_sub(empty) as f64 / options.keys as f64))
}
