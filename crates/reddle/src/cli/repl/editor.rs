//! The prompt: editing, history, completion and hints. The library puts the terminal back after
//! every line, and [`each_key`] when its value goes.

use std::borrow::Cow;
use std::cell::RefCell;
use std::env;
use std::io;
use std::path::PathBuf;

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{Config, Context};

use super::lines::Typed;
use crate::cli::Failure;
use crate::cli::hint::docs::Docs;
use crate::cli::hint::hint;
use crate::cli::operator::Operator;
use crate::cli::scan::Walk;

/// The prompt and its history.
pub(super) struct Editor {
    lines: rustyline::Editor<Assistant, FileHistory>,
    history: Option<PathBuf>,
}

impl Editor {
    /// With the history of earlier sessions and the server's descriptions of its commands.
    pub(super) fn open(operator: &mut Operator) -> Result<Editor, Failure> {
        let docs = if operator.connection.is_some() { Docs::load(operator) } else { Docs::own() };
        let failed = |error: ReadlineError| Failure::Text(format!("The terminal: {error}"));
        let config = Config::builder().history_ignore_dups(true).map_err(failed)?;
        let config = config.max_history_size(1000).map_err(failed)?.build();
        let mut lines = rustyline::Editor::with_config(config).map_err(failed)?;
        let colours = env::var_os("NO_COLOR").is_none() && env::var("TERM").is_ok_and(is_coloured);
        let keys = RefCell::new(Operator::new(operator.options.clone()));
        lines.set_helper(Some(Assistant { docs, hints: true, colours, keys }));
        let history = history_file();
        if let Some(file) = &history {
            // The first session has no history yet.
            lines.load_history(file).ok();
        }
        Ok(Editor { lines, history })
    }

    /// The next line.
    pub(super) fn line(&mut self, operator: &Operator) -> Typed {
        if let Some(assistant) = self.lines.helper_mut() {
            assistant.look_where(operator);
        }
        match self.lines.readline(&operator.prompt()) {
            Ok(line) => Typed::Line(line.into_bytes()),
            Err(_) => Typed::End,
        }
    }

    /// Puts a line into the history and its file.
    pub(super) fn remember(&mut self, line: &[u8]) {
        // A history that cannot be kept is no reason to stop.
        self.lines.add_history_entry(String::from_utf8_lossy(line)).ok();
        if let Some(file) = &self.history {
            self.lines.save_history(file).ok();
        }
    }

    pub(super) fn show_hints(&mut self, on: bool) {
        if let Some(assistant) = self.lines.helper_mut() {
            assistant.hints = on;
        }
    }
}

fn is_coloured(term: String) -> bool {
    term != "dumb" && !term.is_empty()
}

/// The file of the history; none if it is turned off by `/dev/null` or there is no home.
fn history_file() -> Option<PathBuf> {
    let names = ["REDDLECLI_HISTFILE", "VALKEYCLI_HISTFILE", "REDISCLI_HISTFILE"];
    let named = names.into_iter().find_map(env::var_os).map(PathBuf::from);
    let home = || Some(PathBuf::from(env::var_os("HOME")?).join(".reddlecli_history"));
    named.or_else(home).filter(|path| path.as_os_str() != "/dev/null")
}

/// Completes and hints.
#[derive(rustyline::Helper)]
struct Assistant {
    docs: Docs,
    hints: bool,
    colours: bool,
    /// Asks for keys, with a connection of its own that is made when it is needed.
    keys: RefCell<Operator>,
}

impl Completer for Assistant {
    type Candidate = Pair;

    /// Names of commands at the beginning, then the fixed words of the command's options; groups
    /// and commands behind `help`.
    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let typed = &line[..position];
        let (lead, asked) = match typed.strip_prefix("help ") {
            Some(asked) => (5, asked),
            None => (0, typed),
        };
        let upper = asked.to_uppercase();
        let mut names: Vec<String> = self
            .docs
            .commands
            .iter()
            .map(|doc| doc.name.clone())
            .filter(|name| name.starts_with(&upper))
            .collect();
        if lead > 0 {
            let groups = self.docs.commands.iter().map(|doc| format!("@{}", doc.group));
            names.extend(groups.filter(|group| group.to_uppercase().starts_with(&upper)));
            names.sort();
            names.dedup();
        }
        if !names.is_empty() || lead > 0 {
            return Ok((lead, names.into_iter().map(|name| pair(name, asked)).collect()));
        }
        let start = typed.rfind(' ').map_or(0, |blank| blank + 1);
        let word = &typed[start..];
        let mut candidates = self.options(typed, word);
        candidates.extend(self.keys(word));
        Ok((start, candidates))
    }
}

/// Candidates that are shown, and steps of SCAN that are made for them.
const KEYS_MAX: usize = 100;
const STEPS_MAX: u64 = 20;

impl Assistant {
    /// Keys are those of the database in which commands run.
    fn look_where(&mut self, operator: &Operator) {
        let (own, theirs) = (self.keys.get_mut(), &operator.options);
        if own.options.endpoint != theirs.endpoint || own.options.database != theirs.database {
            own.options = theirs.clone();
            own.connection = None;
        }
    }

    /// Keys that begin with `word`; none where they cannot be had, or need quotes.
    fn keys(&self, word: &str) -> Vec<Pair> {
        let mut operator = self.keys.borrow_mut();
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-.:/{}@".contains(c);
        if word.is_empty() || !word.chars().all(plain) {
            return Vec::new();
        }
        if operator.connection.is_none() && operator.connect().is_err() {
            return Vec::new();
        }
        operator.options.pattern = Some(format!("{word}*").into_bytes());
        operator.options.count = 1000;
        let (mut walk, mut found) = (Walk::default(), Vec::new());
        while walk.steps < STEPS_MAX && found.len() < KEYS_MAX {
            let Ok(Some(keys)) = walk.next(&mut operator) else { break };
            let keys = keys.into_iter().filter_map(|key| String::from_utf8(key).ok());
            found.extend(keys.filter(|key| key.chars().all(plain)));
        }
        found.sort();
        found.dedup();
        found.truncate(KEYS_MAX);
        found.into_iter().map(|key| Pair { display: key.clone(), replacement: key }).collect()
    }

    /// The fixed words of a command that begin with `word`.
    fn options(&self, typed: &str, word: &str) -> Vec<Pair> {
        let words: Vec<Vec<u8>> =
            typed.split_whitespace().map(|word| word.as_bytes().to_vec()).collect();
        let Some((doc, _)) = self.docs.find(&words) else { return Vec::new() };
        let mut tokens = Vec::new();
        doc.arguments.iter().for_each(|argument| argument.tokens(&mut tokens));
        tokens.sort();
        tokens.dedup();
        tokens.retain(|token| token.starts_with(&word.to_uppercase()));
        tokens.into_iter().map(|token| pair(token, word)).collect()
    }
}

/// A candidate in the case in which its beginning was typed.
fn pair(name: String, typed: &str) -> Pair {
    let lower = typed.chars().any(char::is_lowercase);
    let name = if lower { name.to_lowercase() } else { name };
    Pair { display: name.clone(), replacement: name }
}

impl Hinter for Assistant {
    type Hint = String;

    fn hint(&self, line: &str, position: usize, _: &Context<'_>) -> Option<String> {
        let shown = self.hints && position == line.len() && !line.trim().is_empty();
        let text = shown.then(|| hint(&self.docs, line.as_bytes())).flatten()?;
        (!text.trim().is_empty()).then_some(text)
    }
}

impl Highlighter for Assistant {
    fn highlight_hint<'h>(&self, hint: &'h str) -> Cow<'h, str> {
        if self.colours { Cow::Owned(format!("\x1b[90m{hint}\x1b[0m")) } else { hint.into() }
    }
}

impl Validator for Assistant {}

/// The terminal as it was, when this goes out of scope.
pub(super) struct EachKey(Termios);

impl Drop for EachKey {
    fn drop(&mut self) {
        // A terminal that is gone needs nothing.
        tcsetattr(io::stdin(), OptionalActions::Now, &self.0).ok();
    }
}

/// Lets every key be told at once, and not be shown.
pub(super) fn each_key() -> Option<EachKey> {
    let before = tcgetattr(io::stdin()).ok()?;
    let mut each = before.clone();
    each.local_modes.remove(LocalModes::ICANON | LocalModes::ECHO);
    tcsetattr(io::stdin(), OptionalActions::Now, &each).ok()?;
    Some(EachKey(before))
}
