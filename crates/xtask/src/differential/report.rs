//! What a run has found: differences, once each, and counts by group.

use std::collections::BTreeMap;
use std::path::Path;

use super::exceptions::{KNOWN, LEFT_OUT};
use super::generate::Argv;
use super::pair::Replies;
use super::rows::GROUPS;
use super::script::{Script, line};

/// Bytes of a reply that are shown.
const SHOWN_MAX: usize = 400;

/// Commands of a shrunk history that are shown; the script has all.
const COMMANDS_SHOWN_MAX: usize = 40;

/// Counts of one group.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Count {
    pub(super) sent: u64,
    /// Commands that our server refused; so did the peer, unless a difference was found.
    pub(super) refused: u64,
}

/// See the module's text.
#[derive(Default)]
pub(super) struct Report {
    pub(super) counts: BTreeMap<usize, Count>,
    /// Differences that were met, by what they look like, and how often.
    seen: BTreeMap<String, u64>,
    /// How often each row of the known ones applied.
    known: BTreeMap<usize, u64>,
    pub(super) datasets: u64,
    pub(super) missing: Vec<String>,
}

impl Report {
    /// Whether a difference like this one was met before.
    pub(super) fn was_met(&self, argv: &Argv, replies: &Replies) -> bool {
        self.seen.contains_key(&looks(argv, replies))
    }

    /// Counts a difference.
    pub(super) fn count(&mut self, argv: &Argv, replies: &Replies) {
        *self.seen.entry(looks(argv, replies)).or_default() += 1;
    }

    pub(super) fn count_known(&mut self, row: usize) {
        *self.known.entry(row).or_default() += 1;
    }

    /// Commands so far.
    pub(super) fn sent(&self) -> u64 {
        self.counts.values().map(|count| count.sent).sum()
    }

    /// Different differences so far.
    pub(super) fn differences(&self) -> usize {
        self.seen.len()
    }

    /// Prints the summary.
    pub(super) fn print(&self) {
        println!("\n{:<14} {:>10} {:>10}", "group", "commands", "refused");
        let mut all = Count::default();
        for (index, count) in &self.counts {
            println!("{:<14} {:>10} {:>10}", GROUPS[*index].name, count.sent, count.refused);
            all.sent += count.sent;
            all.refused += count.refused;
        }
        println!("{:<14} {:>10} {:>10}", "all", all.sent, all.refused);
        println!("datasets compared: {}", self.datasets);
        for missing in &self.missing {
            println!("not compared: {missing}");
        }
        for row in LEFT_OUT {
            println!("never sent: {}: {}", row.what, row.reason);
        }
        for (index, row) in KNOWN.iter().enumerate() {
            let times = self.known.get(&index).copied().unwrap_or_default();
            println!("known, {times} times: {}: {}", row.what, row.reason);
        }
        for (looks, times) in &self.seen {
            println!("DIFFERENCE, {times} times: {looks}");
        }
        println!("differences: {}", self.seen.len());
    }
}

/// Prints a shrunk difference and saves its script; returns the path, where that worked.
pub(super) fn show(script: &Script, ours: &[u8], theirs: &[u8], out: &Path, number: usize) {
    println!("\n== difference {number}, RESP{}", script.protocol);
    let hidden = script.commands.len().saturating_sub(COMMANDS_SHOWN_MAX);
    if hidden > 0 {
        println!("({hidden} commands in front)");
    }
    for command in &script.commands[hidden..] {
        println!("> {}", cut(&line(command)));
    }
    println!("ours:   {}", cut(&ours.escape_ascii().to_string()));
    println!("theirs: {}", cut(&theirs.escape_ascii().to_string()));
    let path = out.join(format!("difference-{number}.txt"));
    match std::fs::create_dir_all(out).and_then(|()| std::fs::write(&path, script.text())) {
        Ok(()) => println!("replay: {}", path.display()),
        Err(error) => eprintln!("{}: {error}", path.display()),
    }
}

fn cut(text: &str) -> String {
    if text.len() <= SHOWN_MAX {
        return text.to_owned();
    }
    let end = (0..=SHOWN_MAX).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
    format!("{}... ({} bytes)", &text[..end], text.len())
}

/// Two differences that look alike have the same command and the same kinds of replies.
fn looks(argv: &Argv, replies: &Replies) -> String {
    let upper = |at: usize| {
        let word = argv.get(at).map_or(&b""[..], |word| word);
        word.escape_ascii().to_string().to_ascii_uppercase()
    };
    let name = match upper(0).as_str() {
        name @ ("XGROUP" | "XINFO" | "OBJECT" | "CLIENT" | "COMMAND" | "CONFIG") => {
            format!("{name} {}", upper(1))
        }
        name => name.to_owned(),
    };
    format!("{name}: {} / {}", head(&replies.ours), head(&replies.theirs))
}

/// The kind of a reply; of an error its first words.
fn head(reply: &[u8]) -> String {
    let line = reply.split(|&byte| byte == b'\r').next().unwrap_or_default();
    if line.first() == Some(&b'-') {
        let text = line.escape_ascii().to_string();
        return text.split(' ').take(5).collect::<Vec<_>>().join(" ");
    }
    if reply.len() < 24 && reply.starts_with(b"$") {
        return reply.escape_ascii().to_string();
    }
    line.iter().take(1).copied().map(char::from).collect()
}
