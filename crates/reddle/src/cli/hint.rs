//! What may follow the words that were typed, from the description of the command.
//!
//! Must not know terminals. The last word counts only once a blank stands behind it.

pub(super) mod docs;

use std::fs;
use std::path::Path;

use client::inline;

use super::operator::{Operator, plain};
use super::{Done, Failure, out};
use docs::{Argument, Docs, Kind};

/// What may follow; `None` if there is nothing to say.
pub(super) fn hint(docs: &Docs, line: &[u8]) -> Option<String> {
    let mut words = inline::split(line).ok()?;
    let ended = line.last().is_some_and(u8::is_ascii_whitespace);
    let typed = docs.find(&words).filter(|(_, used)| words.len() == *used);
    if let (false, Some((command, _))) = (ended, typed) {
        return Some(format!(" {}", syntax(&command.arguments)));
    }
    if !ended {
        words.pop();
    }
    let (command, used) = docs.find(&words)?;
    let text: Vec<String> =
        words[used..].iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect();
    let matched = list(&command.arguments, &text)?;
    (matched.used == text.len()).then_some(matched.rest)
}

/// All arguments as they are written in a manual.
pub(super) fn syntax(arguments: &[Argument]) -> String {
    join(arguments.iter().map(whole))
}

/// How far words follow an argument or a list of them.
#[derive(Debug)]
struct Matched {
    used: usize,
    /// What may or must follow.
    rest: String,
    /// Nothing that must follow is missing.
    complete: bool,
}

/// Words against arguments in their order; optional ones that stand together come in any order.
fn list(arguments: &[Argument], words: &[String]) -> Option<Matched> {
    let (mut at, mut next) = (0, 0);
    // What may still follow the last argument that was there.
    let mut tail = String::new();
    while next < arguments.len() {
        let run = arguments[next..].iter().take_while(|argument| argument.optional).count();
        if run > 0 {
            let options: Vec<&Argument> = arguments[next..next + run].iter().collect();
            let (used, found, left) = any_order(options, &words[at..]);
            at += used;
            next += run;
            let behind = found.as_ref().map_or(&tail, |(rest, _)| rest).clone();
            let complete = found.is_none_or(|(_, complete)| complete);
            if at == words.len() {
                let options = left.into_iter().map(whole);
                let rest = std::iter::once(behind)
                    .chain(options)
                    .chain(arguments[next..].iter().map(whole));
                let needed = arguments[next..].iter().all(|argument| argument.optional);
                return Some(Matched { used: at, rest: join(rest), complete: complete && needed });
            }
            tail = String::new();
            continue;
        }
        if at == words.len() {
            let rest = std::iter::once(tail).chain(arguments[next..].iter().map(whole));
            return Some(Matched { used: at, rest: join(rest), complete: false });
        }
        let matched = one(&arguments[next], &words[at..])?;
        at += matched.used;
        next += 1;
        if !matched.complete {
            let rest = std::iter::once(matched.rest).chain(arguments[next..].iter().map(whole));
            return Some(Matched { used: at, rest: join(rest), complete: false });
        }
        tail = matched.rest;
    }
    Some(Matched { used: at, rest: tail, complete: true })
}

/// What follows the last of the options that were there, and whether that one is whole.
type Last = Option<(String, bool)>;

/// Words against options in any order: how many words, the last option, and those not there.
fn any_order<'a>(options: Vec<&'a Argument>, words: &[String]) -> (usize, Last, Vec<&'a Argument>) {
    let (mut left, mut at, mut last) = (options, 0, None);
    while at < words.len() {
        // Words that are fixed go before those that may be anything.
        let found = [true, false].into_iter().find_map(|fixed| {
            left.iter().enumerate().find_map(|(index, option)| {
                let matched = (option.is_fixed() == fixed).then(|| one(option, &words[at..]))?;
                matched.filter(|matched| matched.used > 0).map(|matched| (index, matched))
            })
        });
        let Some((index, matched)) = found else { break };
        left.remove(index);
        at += matched.used;
        let whole = matched.complete;
        last = Some((matched.rest, whole));
        if !whole {
            break;
        }
    }
    (at, last, left)
}

/// Words against one argument, as often as it may stand there.
fn one(argument: &Argument, words: &[String]) -> Option<Matched> {
    let first = once(argument, words, true)?;
    if !argument.multiple {
        return Some(first);
    }
    let again = repetition(argument);
    let close = if argument.optional { "]" } else { "" };
    let (mut used, mut part) = (first.used, first);
    while part.complete && used < words.len() {
        match once(argument, &words[used..], argument.multiple_token) {
            Some(next) if next.used > 0 => {
                used += next.used;
                part = next;
            }
            _ => break,
        }
    }
    let rest = join([part.rest, again + close]);
    Some(Matched { used, rest, complete: part.complete })
}

fn once(argument: &Argument, words: &[String], with_token: bool) -> Option<Matched> {
    let mut at = 0;
    if let (Some(token), true) = (&argument.token, with_token) {
        if !words.first()?.eq_ignore_ascii_case(token) {
            return None;
        }
        at = 1;
    }
    let done = |used| Some(Matched { used, rest: String::new(), complete: true });
    if argument.kind == Kind::Token {
        return done(at);
    }
    if at == words.len() {
        return Some(Matched { used: at, rest: value(argument), complete: false });
    }
    match argument.kind {
        Kind::OneOf => {
            let tries = argument.arguments.iter().filter_map(|part| one(part, &words[at..]));
            let best = tries.max_by_key(|matched| matched.used)?;
            Some(Matched { used: best.used + at, ..best })
        }
        Kind::Block => {
            let matched = list(&argument.arguments, &words[at..])?;
            (matched.used > 0).then_some(Matched { used: matched.used + at, ..matched })
        }
        Kind::Integer => words[at].parse::<i64>().ok().and_then(|_| done(at + 1)),
        Kind::Double => words[at].parse::<f64>().ok().and_then(|_| done(at + 1)),
        Kind::Text | Kind::Token => done(at + 1),
    }
}

/// The argument without its token.
fn value(argument: &Argument) -> String {
    match argument.kind {
        Kind::OneOf => argument.arguments.iter().map(whole).collect::<Vec<String>>().join("|"),
        Kind::Block => syntax(&argument.arguments),
        Kind::Token => String::new(),
        Kind::Text | Kind::Integer | Kind::Double => argument.name.clone(),
    }
}

/// The argument as it is written in a manual.
fn whole(argument: &Argument) -> String {
    let token = match argument.token.as_deref() {
        Some("") => "\"\"".to_owned(),
        token => token.unwrap_or("").to_owned(),
    };
    let mut text = join([token, value(argument)]);
    if argument.multiple {
        text = join([text, repetition(argument)]);
    }
    if argument.optional { format!("[{text}]") } else { text }
}

fn repetition(argument: &Argument) -> String {
    let token = argument.token.clone().filter(|_| argument.multiple_token);
    format!("[{} ...]", join([token.unwrap_or_default(), value(argument)]))
}

fn join(parts: impl IntoIterator<Item = String>) -> String {
    let parts: Vec<String> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    parts.join(" ")
}

/// Prints what may follow one line.
pub(super) fn show(mut operator: Operator, line: &[u8]) -> Done {
    let docs = Docs::load(&mut operator);
    out::text(hint(&docs, line).unwrap_or_default() + "\n");
    Ok(())
}

/// Checks hints against a file of lines `"typed" "hint"`.
pub(super) fn check_file(mut operator: Operator, file: &Path) -> Done {
    let text = fs::read_to_string(file)
        .map_err(|error| format!("Can't open file '{}': {}", file.display(), plain(&error)))?;
    let docs = Docs::load(&mut operator);
    let (mut passed, mut failed) = (0, 0);
    for line in text.lines().filter(|line| !line.starts_with('#')) {
        let words = inline::split(line.as_bytes()).unwrap_or_default();
        let [typed, expected, ..] = words.as_slice() else { continue };
        let (typed, expected) = (typed.as_slice(), String::from_utf8_lossy(expected));
        let got = hint(&docs, typed).unwrap_or_default();
        if got.trim_end() == expected {
            passed += 1;
        } else {
            failed += 1;
            let typed = String::from_utf8_lossy(typed);
            out::problem(format_args!(
                "Test case '{typed}' FAILED: expected '{expected}', got '{got}'"
            ));
        }
    }
    let word = if failed == 0 { "SUCCESS" } else { "FAILURE" };
    out::text(format_args!("{word}: {passed}/{} passed\n", passed + failed));
    if failed == 0 { Ok(()) } else { Err(Failure::Told) }
}
