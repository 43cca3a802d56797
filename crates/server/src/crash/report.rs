//! What stands in a crash report behind its first words.
//!
//! The thread that crashed may hold any lock, and memory may be damaged. So each section is put
//! together by a thread of its own, and left out when that does not come to an end. Nothing here
//! takes a shard: the keyspace is not asked.

use std::fmt::Write;
use std::sync::{Arc, mpsc};
use std::thread;
use std::time::Duration;

use spec::config::Kind;

use super::trace;
use crate::admin::{describe, info_without_shards};
use crate::secrets;
use crate::server::Server;
use crate::sys::fault::{self, Crash, NO_WORKER};
use crate::{allocator, clock};

/// How long a section may take.
const SECTION_TIME_MAX: Duration = Duration::from_secs(2);

/// How much of an argument is shown, and how many of them.
const SHOWN_MAX: usize = 128;
const ARGUMENTS_MAX: usize = 32;

/// The last words.
pub(super) const END: &str = "\n=== REDDLE BUG REPORT END. Make sure to include from START to END. \
===\n\n       Please report the crash, with the lines above, where this program comes from.\n\n";

/// Puts a section together.
type Compose = fn(&Server, &Crash) -> String;

const SECTIONS: &[(&str, Compose)] = &[
    ("REGISTERS", registers),
    ("INFO OUTPUT", |server, _| info_without_shards(server)),
    ("MEMORY", memory),
    ("CLIENT LIST OUTPUT", clients),
    ("CURRENT CLIENT INFO", current_client),
    ("MODULES INFO OUTPUT", |_, _| "There are no modules.\n".to_owned()),
    ("CONFIG DEBUG OUTPUT", settings),
    ("FAST MEMORY TEST", |_, _| {
        "Not done: the other threads of the process still use its memory.\n".to_owned()
    }),
];

/// Writes the report of the crash that was claimed.
pub(super) fn write(server: &Arc<Server>) {
    let stacks = compose(server, |_, crash| trace::all(crash.thread, Some(&crash.stack)));
    let missing = || {
        // The addresses at least stand in the first words.
        "\n------ STACK TRACE ------\n(cannot be had)\n------ STACK TRACE DONE ------\n".to_owned()
    };
    fault::write_log(stacks.unwrap_or_else(missing).as_bytes());
    for (title, section) in SECTIONS {
        let text = compose(server, *section).unwrap_or_else(|| "(cannot be had)\n".to_owned());
        fault::write_log(format!("\n------ {title} ------\n{text}").as_bytes());
    }
    fault::write_log(END.as_bytes());
}

fn compose(server: &Arc<Server>, section: Compose) -> Option<String> {
    let (done, text) = mpsc::channel();
    let server = Arc::clone(server);
    let work = move || {
        // Who waited for it may have gone on.
        done.send(section(&server, &fault::crash())).ok();
    };
    thread::Builder::new().name("crash-section".into()).spawn(work).ok()?;
    text.recv_timeout(SECTION_TIME_MAX).ok()
}

fn registers(_: &Server, crash: &Crash) -> String {
    if crash.signal == 0 {
        return "None: no signal was the cause.\n".to_owned();
    }
    let mut text = String::new();
    for row in crash.registers.chunks(2) {
        let shown: Vec<String> =
            row.iter().map(|(name, value)| format!("{name:<3}:{value:016x}")).collect();
        // Writing into memory does not fail.
        writeln!(text, "{}", shown.join(" ")).ok();
    }
    text
}

fn memory(_: &Server, _: &Crash) -> String {
    let figures = allocator::figures();
    format!(
        "allocated:{}\nactive:{}\nresident:{}\n",
        figures.allocated, figures.active, figures.resident
    )
}

fn clients(server: &Server, _: &Crash) -> String {
    let now_ms = clock::unix_ms();
    let lines = server.clients.all();
    lines.iter().map(|client| describe(server, client, now_ms) + "\n").collect()
}

/// The client whose command the thread that crashed was running, and the command.
fn current_client(server: &Server, crash: &Crash) -> String {
    let worker = server.workers.get(crash.worker);
    let Some((id, argv)) = worker.and_then(|worker| worker.running.under(crash)) else {
        let who =
            if crash.worker == NO_WORKER { "no worker" } else { "a worker without a command" };
        return format!("None: the thread was {who}.\n");
    };
    let client = server.clients.get(id);
    let mut text = client.map_or_else(
        || format!("id={id}\n"),
        |client| describe(server, &client, clock::unix_ms()) + "\n",
    );
    let words: Vec<&[u8]> = argv.iter().map(Vec::as_slice).collect();
    let args = commands::Args::new(&words, &[]);
    let row = server.rows.resolve(&words);
    let shown = row.map_or_else(|| words.clone(), |row| secrets::hidden(row, &args));
    let hides = server.tunables.load().hide_user_data;
    // Writing into memory does not fail.
    writeln!(text, "argc: {}", words.len()).ok();
    for (at, word) in shown.iter().enumerate().take(ARGUMENTS_MAX) {
        if hides && at > 0 {
            writeln!(text, "argv[{at}]: {} bytes", words[at].len()).ok();
        } else {
            let word = &word[..word.len().min(SHOWN_MAX)];
            writeln!(text, "argv[{at}]: {}", resp::inline::quoted(word)).ok();
        }
    }
    text
}

/// The settings that are not at their defaults, but for those that may tell something of the user.
fn settings(server: &Server, _: &Crash) -> String {
    let config = server.config.lock();
    let mut text = String::new();
    for (row, value) in config.changed() {
        let tells_nothing = matches!(
            row.kind,
            Kind::Bool { .. }
                | Kind::Int { .. }
                | Kind::Memory { .. }
                | Kind::MemoryOrPercent
                | Kind::SignedMemory { .. }
                | Kind::Octal { .. }
                | Kind::Choice { .. }
                | Kind::Flags { .. }
                | Kind::Save
                | Kind::BufferLimits
                | Kind::OomScores
                | Kind::Events
                | Kind::Percentiles
        );
        let value = String::from_utf8_lossy(&value).into_owned();
        let value = if tells_nothing { value } else { "*redacted*".to_owned() };
        // Writing into memory does not fail.
        writeln!(text, "{} {value}", row.name).ok();
    }
    text
}
