//! What scripts cost: EVALSHA of a one-line GET, of a limiter as services write it, and of loops
//! that call a thousand commands.

use super::cells::{Cell, Task, disturbance, errors, rounds, start};
use super::client::{Client, Reply};
use super::options::Options;
use super::process::{Cpus, Kind, Server};
use super::report::{Section, Table, micros, ratio};

const DEPTHS: [usize; 2] = [1, 16];
/// 64 bytes.
const VALUE: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

/// A script, and what follows its digest in EVALSHA.
struct Case {
    name: &'static str,
    script: &'static str,
    arguments: &'static str,
}

const CASES: [Case; 4] = [
    Case { name: "a GET", script: "return redis.call('GET', KEYS[1])", arguments: "1 {k}" },
    Case { name: "a limiter", script: LIMITER, arguments: "1 {bucket<10000} 1000 100 1" },
    Case {
        name: "1 000 GETs",
        script: "local key = KEYS[1] for i = 1, 1000 do redis.call('GET', key) end return 1",
        arguments: "1 {k}",
    },
    Case {
        name: "1 000 INCRs",
        script: "local key = KEYS[1] for i = 1, 1000 do redis.call('INCR', key) end return 1",
        arguments: "1 {counter<10000}",
    },
];

/// A bucket of tokens that fills at a rate; a request takes some, or waits.
const LIMITER: &str = "\
local bucket = KEYS[1]
local capacity = tonumber(ARGV[1])
local rate = tonumber(ARGV[2])
local wanted = tonumber(ARGV[3])
local clock = redis.call('TIME')
local now = tonumber(clock[1]) + tonumber(clock[2]) / 1000000
local stored = redis.call('HMGET', bucket, 'tokens', 'at')
local tokens = tonumber(stored[1])
local at = tonumber(stored[2])
if tokens == nil or at == nil then
  tokens = capacity
  at = now
end
tokens = math.min(capacity, tokens + math.max(0, now - at) * rate)
local allowed = tokens >= wanted
local wait = 0
if allowed then tokens = tokens - wanted else wait = (wanted - tokens) / rate end
redis.call('HSET', bucket, 'tokens', tostring(tokens), 'at', tostring(now))
redis.call('EXPIRE', bucket, math.ceil(capacity / rate) * 2)
return {allowed and 1 or 0, math.floor(tokens), tostring(wait)}
";

/// # Errors
/// A server that does not start or does not take a script.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let fillings = [(format!("SET {{k}} {VALUE}"), options.keys)];
    let servers = start(options, false, "strings", &fillings, &cpus)?;
    let mut section = Section::new("scripts", "Scripts", intro(options));
    let mut table = Table::new(&[
        "script",
        "pipeline",
        "server",
        "runs/s",
        "user µs",
        "total µs",
        "user / peer",
        "total / peer",
    ]);
    let mut waits = Vec::new();
    for case in CASES {
        if !options.wants(case.name) {
            continue;
        }
        let digest = load(&servers, case.script)?;
        let pattern = format!("EVALSHA {digest} {}", case.arguments);
        for depth in DEPTHS {
            let task = Task { name: case.name, pattern: &pattern, depth, prepare: Vec::new() };
            let cells = rounds(options, &task, &servers, &cpus);
            waits.extend(cells.iter().flat_map(Cell::waits));
            section.notes.extend(errors(case.name, depth, &cells));
            add_rows(&mut table, (case.name, depth), &cells);
        }
    }
    section.tables.push(table);
    section.notes.push(disturbance(&waits));
    Ok(section)
}

fn intro(options: &Options) -> String {
    format!(
        "EVALSHA of a script of one line that gets a value of {} bytes, of a limiter of {} lines \
         (TIME, HMGET, HSET and EXPIRE over 10 000 buckets), and of loops of a thousand commands; \
         {} connections. Server on one core, generator on another; medians of {} rounds of {} ms. \
         CPU is that of one run.",
        VALUE.len(),
        LIMITER.lines().count(),
        super::cells::CONNECTIONS,
        options.rounds,
        options.window.as_millis()
    )
}

/// Makes a script known to all servers, which are paused before and after; its digest.
fn load(servers: &[Server], script: &str) -> Result<String, String> {
    let mut digest = String::new();
    for server in servers {
        server.resume();
        let answer = Client::connect(server.address)?.call(&["SCRIPT", "LOAD", script]);
        server.pause();
        match answer? {
            Reply::Text(text) => digest = text,
            other => return Err(format!("SCRIPT LOAD answered {other:?}")),
        }
    }
    Ok(digest)
}

fn add_rows(table: &mut Table, (name, depth): (&str, usize), cells: &[Cell]) {
    let peer = cells.iter().find(|cell| cell.kind == Kind::Peer).and_then(Cell::figures);
    for cell in cells {
        let mut row = vec![name.to_owned(), depth.to_string(), cell.kind.name().to_owned()];
        if let Some(got) = cell.figures() {
            row.push(format!("{:.0}", got.per_second));
            row.extend([got.user_us, got.total_us()].map(micros));
            if let Some(peer) = peer.as_ref().filter(|_| cell.kind == Kind::Ours) {
                row.push(ratio(got.user_us, peer.user_us));
                row.push(ratio(got.total_us(), peer.total_us()));
            }
        }
        table.push(row);
    }
}
