//! What every command that writes propagates and which events it makes, against what a real server
//! was seen to do: `testdata/changes.txt`.

use keyspace::Class;
use resp::inline;

pub(crate) mod bench;

use bench::{Bench, NOW_MS};

use crate::{Args, Handler, handlers};

/// Classes that the observed server has, by their letter in the file.
const CLASSES: &[(char, Class)] = &[
    ('g', Class::GENERIC),
    ('$', Class::STRING),
    ('l', Class::LIST),
    ('s', Class::SET),
    ('h', Class::HASH),
    ('z', Class::ZSET),
    ('x', Class::EXPIRED),
    ('t', Class::STREAM),
    ('m', Class::MISS),
    ('n', Class::NEW),
];

#[test]
fn changes_are_those_of_a_real_server() {
    let text = include_str!("../testdata/changes.txt");
    let mut bench = Bench::lazy();
    let mut title = "";
    let mut wrong = Vec::new();
    let mut lines = text.lines().filter(|line| !line.starts_with('#')).peekable();
    while let Some(line) = lines.next() {
        if let Some(name) = line.strip_prefix("== ") {
            (title, bench) = (name, Bench::lazy());
        } else if let Some(command) = line.strip_prefix("> ") {
            let is_effect = |line: &&str| line.starts_with("event ") || line.starts_with("log ");
            let mut expected = Vec::new();
            while let Some(effect) = lines.next_if(is_effect) {
                expected.push(with_times(effect));
            }
            let got = effects(&mut bench, command);
            if got != expected {
                wrong.push(format!("{title}: {command}\n  is  {got:#?}\n  not {expected:#?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}\n{} differ", wrong.join("\n"), wrong.len());
}

/// An expectation with its moments in place of `NOW`.
fn with_times(line: &str) -> String {
    let word = |word: &str| match word.strip_prefix("NOW") {
        Some("") => NOW_MS.to_string(),
        Some(rest) if rest.starts_with('-') => format!("{NOW_MS}{rest}"),
        Some(rest) => match rest[1..].parse::<i64>() {
            Ok(ms) => (NOW_MS + ms).to_string(),
            Err(error) => panic!("{line}: {error}"),
        },
        None => word.to_owned(),
    };
    line.split(' ').map(word).collect::<Vec<_>>().join(" ")
}

/// Runs a command; returns its events, then what it propagates, as the file spells them.
fn effects(bench: &mut Bench, line: &str) -> Vec<String> {
    let words = inline::split(line.as_bytes()).expect("a quoted line");
    let argv: Vec<&[u8]> = words.iter().map(|word| &word[..]).collect();
    let (command, handler) = find(&argv);
    let args = Args::new(&argv, &[]);
    let reply = bench.with(command, |ctx| handler(ctx, &args));
    assert!(!reply.starts_with('-'), "{line}: {reply}");
    let change = bench.change();
    let mut effects = Vec::new();
    for note in change.notes() {
        let Some((letter, _)) = CLASSES.iter().find(|(_, class)| *class == note.class) else {
            continue;
        };
        effects.push(format!("event {letter} {} {}", note.event, spelled(&note.key)));
    }
    let mut log = |argv: &[&[u8]]| {
        let words: Vec<String> = argv.iter().map(|arg| spelled(arg)).collect();
        effects.push(format!("log {}", words.join(" ")));
    };
    for record in change.records() {
        log(&record.argv.iter().map(|arg| &arg[..]).collect::<Vec<_>>());
    }
    if change.is_verbatim() && (change.dirty() > 0 || change.is_forced()) {
        log(&argv);
    }
    effects
}

/// The handler of a command or of a subcommand.
fn find(argv: &[&[u8]]) -> (&'static str, Handler) {
    let name = String::from_utf8_lossy(argv[0]).to_lowercase();
    let sub = argv.get(1).map(|word| String::from_utf8_lossy(word).to_lowercase());
    let full = format!("{name}|{}", sub.unwrap_or_default());
    let found = handlers().find(|(command, _)| *command == full || *command == name);
    found.unwrap_or_else(|| panic!("no handler of {name}"))
}

fn spelled(arg: &[u8]) -> String {
    let is_plain = |byte: &u8| byte.is_ascii_graphic() && !b"\"'".contains(byte);
    let text = String::from_utf8_lossy(arg).into_owned();
    if !arg.is_empty() && arg.iter().all(is_plain) { text } else { format!("\"{text}\"") }
}
