//! What other clients feel while a value of very many elements is removed.
//!
//! Server and probe are not pinned: the question is what a thread that frees costs the others, and
//! a server has more than one core.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use loadgen::draw::Keys;
use loadgen::engine::{self as load, End, Group, Outcome, Plan};
use loadgen::request::Request;

use super::options::Options;
use super::process::{Cpus, Kind, Server};
use super::report::{Section, Table};

const BATCH: usize = 500;
/// How long the probe goes on after the reply, because freeing does.
const AFTER: Duration = Duration::from_millis(700);
const BEFORE: Duration = Duration::from_millis(300);

/// Names and patterns that store elements, one for each number.
fn cases() -> [(&'static str, String); 5] {
    let many = |head: &str, element: &str| head.to_owned() + &format!(" {element}").repeat(BATCH);
    [
        ("list", many("RPUSH big", "{element}")),
        ("set", many("SADD big", "{element}")),
        ("hash", many("HSET big", "{element} 0123456789abcdef")),
        ("sorted set", many("ZADD big", "{~} {=element}")),
        ("stream", "XADD big * temperature {#} place kitchen".to_owned()),
    ]
}

/// # Errors
/// A server that does not start, refuses a command, or cannot be read.
pub(super) fn measure(options: &Options) -> Result<Section, String> {
    let cpus = Cpus::choose(options);
    let elements: u64 = if options.quick { 1_000_000 } else { 10_000_000 };
    let mut table = Table::new(&[
        "type",
        "command",
        "server",
        "reply ms",
        "p99.9 ms",
        "max ms",
        "over 1 ms",
        "max ms before",
        "over 1 ms before",
        "off core ms",
    ]);
    for (name, pattern) in cases() {
        for kind in Kind::all(options, false) {
            let server = Server::start(options, kind, &cpus.all, &[])?;
            load::fill(server.address, "SET {k} v", 1_000, &cpus.all)?;
            // To the peer, as it comes, both are the same.
            let commands = if kind == Kind::Ours { &["DEL", "UNLINK"][..] } else { &["UNLINK"] };
            for &command in commands {
                eprintln!("freeing: {} {name} {command}", kind.name());
                load::fill(server.address, &pattern, elements, &cpus.all)?;
                let quiet = probe(&server, &cpus, None)?.1;
                let (took, busy) = probe(&server, &cpus, Some(command))?;
                let ms = |outcome: &Outcome, quantile| {
                    outcome.seen[0].latency.value_at_quantile(quantile) as f64 / 1e6
                };
                let mut row = [name, command, kind.name()].map(str::to_owned).to_vec();
                let waited = busy.usage.waited_ns as f64 / 1e6;
                row.push(format!("{:.2}", took.as_secs_f64() * 1e3));
                row.push(format!("{:.2}", ms(&busy, 0.999)));
                for outcome in [&busy, &quiet] {
                    row.push(format!("{:.2}", ms(outcome, 1.0)));
                    row.push(stalls(outcome).to_string());
                }
                row.push(format!("{waited:.2}"));
                table.push(row);
            }
        }
    }
    let intro = format!(
        "One connection sends single GETs while another removes a value of {elements} elements, \
         and for {} ms after the reply. Nothing is pinned. Off core is how long threads of the \
         server were ready and had no core.",
        AFTER.as_millis()
    );
    let mut section = Section::new("freeing", "Removing large values", intro);
    section.tables.push(table);
    Ok(section)
}

/// Replies that took more than a millisecond. A virtual machine makes some by itself, so only more
/// of them than in the same time before are the server's.
fn stalls(outcome: &Outcome) -> u64 {
    let latency = &outcome.seen[0].latency;
    latency.count_between(1_000_001, latency.high())
}

/// GETs in a closed loop around the command, if there is one; how long its reply took.
fn probe(
    server: &Server,
    cpus: &Cpus,
    command: Option<&str>,
) -> Result<(Duration, Outcome), String> {
    let over = AtomicBool::new(false);
    let start = Instant::now() + BEFORE;
    let group = Group {
        connections: 1,
        request: Request::of_pattern("GET {k}", 1),
        keys: Keys::Random(1_000),
    };
    let plan = Plan {
        watch: Some(server.pid()),
        cpus: &cpus.all,
        ..Plan::new(
            server.address,
            vec![group],
            start,
            End::Flag(&over, start + Duration::from_secs(60)),
        )
    };
    std::thread::scope(|scope| {
        let generator = scope.spawn(|| load::run(plan));
        std::thread::sleep(start.saturating_duration_since(Instant::now()) + BEFORE / 3);
        let sent = Instant::now();
        let reply = server.client().and_then(|mut client| match command {
            Some(command) => client.call(&[command, "big"]).map(drop),
            None => Ok(()),
        });
        let took = sent.elapsed();
        std::thread::sleep(AFTER);
        over.store(true, Ordering::Relaxed);
        let outcome = generator.join().map_err(|_| "the probe panicked".to_owned())??;
        reply.map(|()| (took, outcome))
    })
}
