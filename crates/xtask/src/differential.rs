//! `cargo xtask differential`: the same random commands to this server and to a peer, and every
//! reply compared.
//!
//! `rows` holds the tables in the notation of `grammar`; `generate` makes commands of them with
//! the arguments of `words`; `pair` sends them through `wire`; `compare` judges replies, `dataset`
//! what was stored; `shrink` makes the history of a difference short, `script` writes it down, and
//! `report` prints it. What is not compared, and why, stands in `exceptions`. The method is
//! described in `docs/design/testing.md`.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "findings go to stdout and the progress to stderr"
)]

mod compare;
mod dataset;
mod exceptions;
mod generate;
mod grammar;
mod options;
mod pair;
mod programs;
mod report;
mod rows;
mod script;
mod shrink;
mod wire;
mod words;

use compare::{Rule, same};
use exceptions::{Answered, KNOWN};
use generate::{Argv, Generated, Generator};
use options::Options;
use pair::{Pair, Replies, Side};
use report::Report;
use rows::Row;
use script::Script;

/// Commands that are sent at once; the dataset is compared behind them.
const BATCH: u64 = 1000;

/// Batches between two empty databases: the longest history that is shrunk.
const BATCHES_AN_EPOCH: u64 = 3;

/// Compares for as many commands as the arguments say, in each version of the protocol.
///
/// # Errors
/// A wrong argument, a server that does not start, or that there was a difference.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let options = Options::parse(args)?;
    if let Some(path) = &options.replay {
        let text = std::fs::read_to_string(path)
            .map_err(|error| format!("{}: {error}", path.display()))?;
        return replay(&options, &Script::parse(&text)?);
    }
    let mut report = Report::default();
    for &protocol in &options.protocols {
        Run::start(&options, protocol, &mut report)?.run()?;
    }
    report.print();
    match report.differences() {
        0 => Ok(()),
        count => Err(format!("{count} differences")),
    }
}

/// Runs a saved history and compares the last replies.
fn replay(options: &Options, script: &Script) -> Result<(), String> {
    let mut pair = start(options, script.protocol)?;
    pair.reset()?;
    let replies = pair.exchange(&script.commands).map_err(|broken| broken.text())?;
    for (command, replies) in script.commands.iter().zip(&replies) {
        println!("> {}", script::line(command));
        println!("  ours:   {}", replies.ours.escape_ascii());
        if replies.ours != replies.theirs {
            println!("  theirs: {}", replies.theirs.escape_ascii());
        }
    }
    match replies.last() {
        Some(last) if !same(script.rule, &last.ours, &last.theirs) => {
            Err("the last replies differ".to_owned())
        }
        _ => Ok(()),
    }
}

fn start(options: &Options, protocol: u8) -> Result<Pair, String> {
    Pair::start(options.ours.clone(), options.peer.clone(), &options.threads, protocol)
}

/// A run in one version of the protocol.
struct Run<'a> {
    options: &'a Options,
    protocol: u8,
    pair: Pair,
    generator: Generator,
    report: &'a mut Report,
}

/// What is to be done about two replies.
enum Verdict {
    Same,
    Unlike,
    Diverged,
}

/// Why an epoch ended early.
enum Found {
    /// The replies to the last command of the history differ.
    Difference(Rule, Replies),
    /// They differ as is known, and the datasets may from then on.
    Known,
    /// A server broke on one of the commands of the history.
    Broken(Side),
}

impl<'a> Run<'a> {
    fn start(options: &'a Options, protocol: u8, report: &'a mut Report) -> Result<Self, String> {
        let mut pair = start(options, protocol)?;
        pair.reset()?;
        let mut generator = Generator::new(options.seed + u64::from(protocol), &options.groups);
        let missing = leave_out_unknown(&mut pair, &mut generator)?;
        report.missing = missing;
        Ok(Run { options, protocol, pair, generator, report })
    }

    fn run(&mut self) -> Result<(), String> {
        let mut sent = 0;
        let mut shown = 0;
        while sent < self.options.commands {
            if self.report.differences() >= self.options.differences_max {
                eprintln!("enough differences");
                break;
            }
            self.epoch(&mut sent)?;
            if sent / 100_000 > shown {
                shown = sent / 100_000;
                eprintln!("RESP{}: {sent} commands", self.protocol);
            }
        }
        Ok(())
    }

    /// From empty databases on, until the epoch is long enough or something differs.
    fn epoch(&mut self, sent: &mut u64) -> Result<(), String> {
        self.pair.reset()?;
        let mut history: Vec<Argv> = Vec::new();
        for batch in 0..BATCHES_AN_EPOCH {
            let before = self.report.sent();
            let mut commands = Vec::new();
            if batch == 0 {
                commands = self.generator.begin_epoch();
            }
            commands.push(generate::words(&["SELECT", "0"]));
            let leading = commands.len();
            let count = BATCH.min(self.options.commands.saturating_sub(*sent));
            let generated: Vec<Generated> =
                (0..count).map(|_| self.generator.next_command()).collect();
            commands.extend(generated.iter().map(|one| one.argv.clone()));
            commands.push(generate::words(&["DISCARD"]));
            let found = self.batch(&commands, leading, &generated, &mut history);
            *sent += self.report.sent() - before;
            if let Some(found) = found {
                return self.found(found, history);
            }
        }
        Ok(())
    }

    /// Sends a batch and compares. When something is found, `history` ends with its command.
    fn batch(
        &mut self,
        commands: &[Argv],
        leading: usize,
        generated: &[Generated],
        history: &mut Vec<Argv>,
    ) -> Option<Found> {
        let replies = match self.pair.exchange(commands) {
            Ok(replies) => replies,
            Err(broken) => {
                history.extend_from_slice(commands);
                return Some(Found::Broken(broken.side));
            }
        };
        for (at, (one, replies)) in
            generated.iter().zip(replies.into_iter().skip(leading)).enumerate()
        {
            let entry = self.generator.entry(one.row);
            let count = self.report.counts.entry(entry.group).or_default();
            count.sent += 1;
            count.refused += u64::from(replies.ours.starts_with(b"-"));
            let rule = entry.row.rule.of(&one.argv);
            match self.judge(rule, &one.argv, &replies) {
                Verdict::Same => {}
                Verdict::Diverged => return Some(Found::Known),
                Verdict::Unlike => {
                    history.extend_from_slice(&commands[..=leading + at]);
                    return Some(Found::Difference(rule, replies));
                }
            }
        }
        history.extend_from_slice(commands);
        self.report.datasets += 1;
        match dataset::compare(&mut self.pair) {
            Ok(None) => None,
            Ok(Some(unlike)) => {
                // The reading command stands in the history like any other.
                history.extend(unlike.commands);
                Some(Found::Difference(unlike.rule, unlike.replies))
            }
            Err(broken) => Some(Found::Broken(broken.side)),
        }
    }

    fn judge(&mut self, rule: Rule, argv: &Argv, replies: &Replies) -> Verdict {
        if same(rule, &replies.ours, &replies.theirs) {
            return Verdict::Same;
        }
        let answered =
            Answered { argv, history: &[], ours: &replies.ours, theirs: &replies.theirs };
        match exceptions::known(&answered) {
            Some(row) => {
                self.report.count_known(row);
                if KNOWN[row].diverges { Verdict::Diverged } else { Verdict::Same }
            }
            None => Verdict::Unlike,
        }
    }

    /// Shrinks the history and shows it, unless something like it was shown before.
    fn found(&mut self, found: Found, history: Vec<Argv>) -> Result<(), String> {
        let (rule, replies) = match found {
            Found::Difference(rule, replies) => (rule, replies),
            Found::Known => return Ok(()),
            Found::Broken(side) => {
                let text = |of| if of == side { b"-BROKEN".to_vec() } else { Vec::new() };
                let replies = Replies { ours: text(Side::Ours), theirs: text(Side::Theirs) };
                let name = vec![b"A SERVER".to_vec()];
                let is_new = !self.report.was_met(&name, &replies);
                self.report.count(&name, &replies);
                return if is_new { self.show_broken(history, &replies) } else { Ok(()) };
            }
        };
        let Some(last) = history.last().cloned() else { return Ok(()) };
        if self.report.was_met(&last, &replies) {
            self.report.count(&last, &replies);
            return Ok(());
        }
        let mut shown = replies.clone();
        let commands = shrink::shrink(history, |candidate| {
            Ok::<bool, String>(match self.last_replies(candidate)? {
                Some(replies) if is_unlike(rule, candidate, &replies) => {
                    shown = replies;
                    true
                }
                _ => false,
            })
        })?;
        if let Some(row) = known_by_history(&commands, &shown) {
            self.report.count_known(row);
            return Ok(());
        }
        self.report.count(&last, &replies);
        let script = Script { protocol: self.protocol, rule, commands };
        let number = self.report.differences();
        report::show(&script, &shown.ours, &shown.theirs, &self.options.out, number);
        Ok(())
    }

    fn show_broken(&mut self, history: Vec<Argv>, replies: &Replies) -> Result<(), String> {
        let commands = shrink::shrink(history, |candidate| {
            self.pair.reset()?;
            Ok::<bool, String>(self.pair.exchange(candidate).is_err())
        })?;
        let script = Script { protocol: self.protocol, rule: Rule::Exact, commands };
        let number = self.report.differences();
        report::show(&script, &replies.ours, &replies.theirs, &self.options.out, number);
        Ok(())
    }

    /// Both replies to the last command of a history from empty databases on; nothing when the
    /// history holds what is never sent, or breaks a server.
    fn last_replies(&mut self, history: &[Argv]) -> Result<Option<Replies>, String> {
        if history.iter().any(exceptions::is_left_out) {
            return Ok(None);
        }
        self.pair.reset()?;
        Ok(self.pair.exchange(history).ok().and_then(|mut replies| replies.pop()))
    }
}

fn is_unlike(rule: Rule, history: &[Argv], replies: &Replies) -> bool {
    let Some(argv) = history.last() else { return false };
    let answered = Answered { argv, history: &[], ours: &replies.ours, theirs: &replies.theirs };
    !same(rule, &replies.ours, &replies.theirs) && exceptions::known(&answered).is_none()
}

/// The row that explains a difference once its history is short.
fn known_by_history(commands: &[Argv], replies: &Replies) -> Option<usize> {
    let (argv, history) = commands.split_last()?;
    let answered = Answered { argv, history, ours: &replies.ours, theirs: &replies.theirs };
    exceptions::known(&answered)
}

/// Takes the forms of commands out that one of the servers does not know; returns which.
fn leave_out_unknown(pair: &mut Pair, generator: &mut Generator) -> Result<Vec<String>, String> {
    let mut names: Vec<String> = Vec::new();
    for entry in generator.entries() {
        let own = entry.row.form.split(' ').next().unwrap_or_default();
        for name in [Some(own), entry.row.needs].into_iter().flatten() {
            let name = name.to_ascii_lowercase();
            if !name.starts_with('<') && !names.contains(&name) {
                names.push(name);
            }
        }
    }
    let questions: Vec<Argv> =
        names.iter().map(|name| generate::words(&["COMMAND", "INFO", name])).collect();
    let replies = pair.exchange(&questions).map_err(|broken| broken.text())?;
    let mut unknown: Vec<(String, &str)> = Vec::new();
    for (name, replies) in names.into_iter().zip(&replies) {
        let is_null =
            |reply: &[u8]| matches!(reply, b"*1\r\n_\r\n" | b"*1\r\n*-1\r\n" | b"*1\r\n$-1\r\n");
        if is_null(&replies.theirs) {
            unknown.push((name, "the peer does not know it"));
        } else if is_null(&replies.ours) {
            unknown.push((name, "our server does not know it"));
        }
    }
    let is_unknown = |name: &str| unknown.iter().any(|(other, _)| other.eq_ignore_ascii_case(name));
    generator.retain(|row: &Row| {
        let own = row.form.split(' ').next().unwrap_or_default();
        !is_unknown(own) && !row.needs.is_some_and(is_unknown)
    });
    Ok(unknown.iter().map(|(name, reason)| format!("{name}: {reason}")).collect())
}
