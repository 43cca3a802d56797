//! Memory an element: the growth of a fresh process over many small collections, and over a large
//! one, of each type.

use loadgen::engine::fill;

use super::options::Options;
use super::process::{Cpus, Kind, Server, settled};
use super::report::{Section, Table, ratio};

/// Elements of one small collection.
const SMALL: usize = 32;
/// Elements of one command that fills a large collection.
const BATCH: usize = 100;
const VALUE: &str = "0123456789abcdef";

struct Case {
    kind: &'static str,
    size: &'static str,
    pattern: String,
    /// Elements that one number of the pattern brings.
    elements: u64,
}

fn cases() -> Vec<Case> {
    let small = |kind, head: &str, element: &dyn Fn(usize) -> String| Case {
        kind,
        size: "small",
        pattern: (0..SMALL).fold(head.to_owned(), |text, at| text + " " + &element(at)),
        elements: SMALL as u64,
    };
    let large = |kind, head: &str, element: &str| Case {
        kind,
        size: "large",
        pattern: head.to_owned() + &format!(" {element}").repeat(BATCH),
        elements: 1,
    };
    let entries: Vec<String> = (0..SMALL)
        .map(|at| {
            format!(
                "XADD {} * temperature {}.5 place kitchen",
                ["{=s}", "{s}"][usize::from(at == 0)],
                at + 3
            )
        })
        .collect();
    vec![
        small("hash", "HSET {h}", &|at| format!("field:{at} {VALUE}")),
        large("hash", "HSET h", &format!("{{element}} {VALUE}")),
        Case {
            kind: "hash, every field expires",
            size: "large",
            pattern: format!("HSETEX h EX 100000 FIELDS {BATCH}")
                + &format!(" {{element}} {VALUE}").repeat(BATCH),
            elements: 1,
        },
        small("set", "SADD {s}", &|at| format!("element:{at:04}")),
        large("set", "SADD s", "{element}"),
        small("set of numbers", "SADD {s}", &|at| (at * 7919).to_string()),
        large("set of numbers", "SADD s", "1{#}"),
        small("sorted set", "ZADD {z}", &|at| format!("{} element:{at:04}", at * 7919)),
        large("sorted set", "ZADD z", "{~} {=element}"),
        small("list", "RPUSH {l}", &|_| VALUE.to_owned()),
        large("list", "RPUSH l", "{element}"),
        Case { kind: "stream", size: "small", pattern: entries.join(";"), elements: SMALL as u64 },
        Case {
            kind: "stream",
            size: "large",
            pattern: "XADD s * temperature {#} place kitchen".to_owned(),
            elements: 1,
        },
    ]
}

/// Growth an element.
struct Growth {
    kind: Kind,
    resident: f64,
    used: f64,
}

/// # Errors
/// A server that does not start or cannot be read; a command that a server refuses is a note.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let total: u64 = if options.quick { 200_000 } else { 1_000_000 };
    let mut table = Table::new(&[
        "type",
        "size",
        "server",
        "resident bytes",
        "used_memory bytes",
        "resident / peer",
        "used / peer",
    ]);
    let mut notes = Vec::new();
    for case in cases() {
        let mut rows = Vec::new();
        for kind in Kind::all(options, false) {
            eprintln!("elements: {} {} {}", kind.name(), case.size, case.kind);
            match growth(options, kind, &cpus, &case, total / case.elements) {
                Ok(row) => rows.push(row),
                Err(error) => notes.push(format!("{} {}: {error}", case.size, case.kind)),
            }
        }
        let peer = rows.iter().find(|row| row.kind == Kind::Peer);
        let (resident, used) = peer.map_or((0.0, 0.0), |row| (row.resident, row.used));
        for row in &rows {
            let mut cells = vec![case.kind.to_owned(), case.size.to_owned()];
            cells.push(row.kind.name().to_owned());
            cells.extend([row.resident, row.used].map(|bytes| format!("{bytes:.1}")));
            if row.kind == Kind::Ours {
                cells.extend([ratio(row.resident, resident), ratio(row.used, used)]);
            }
            table.push(cells);
        }
    }
    let intro = format!(
        "Growth of a process over {total} elements, an element: in collections of {SMALL} \
         (with their keys of 14 bytes), and in one. Values have 16 bytes, members and fields 20 in \
         large collections and 7 to 12 in small ones. Both servers were told to give back what is \
         free (MEMORY PURGE) before each look."
    );
    let mut section = Section::new("elements", "Memory an element", intro);
    section.tables.push(table);
    section.notes.extend(notes);
    Ok(section)
}

fn growth(
    options: &Options,
    kind: Kind,
    cpus: &Cpus,
    case: &Case,
    count: u64,
) -> Result<Growth, String> {
    let server = Server::start(options, kind, &cpus.server, &[])?;
    let failed = |error: String| format!("{}: {error}", kind.name());
    let mut client = server.client()?;
    // What a server takes once, at its first load, is not the elements'.
    fill(server.address, &case.pattern, count / 64, &cpus.load)
        .map_err(|error| failed(error.into()))?;
    client.call(&["FLUSHALL"]).map_err(failed)?;
    // Pages that were freed just now would be an empty server's for one, and gone for another.
    client.call(&["MEMORY", "PURGE"]).map_err(failed)?;
    let empty = (settled(server.pid())?, client.used_memory().map_err(failed)?);
    fill(server.address, &case.pattern, count, &cpus.load).map_err(|error| failed(error.into()))?;
    client.call(&["MEMORY", "PURGE"]).map_err(failed)?;
    let full = (settled(server.pid())?, client.used_memory().map_err(failed)?);
    let each =
        |full: u64, empty| full.saturating_sub(empty) as f64 / (count * case.elements) as f64;
    Ok(Growth { kind, resident: each(full.0, empty.0), used: each(full.1, empty.1) })
}
