//! The short notation in which measurements of our own are written.

use super::{Command, From, Part, key_name};

/// Digits of a number that stands without a name.
const DIGITS: u8 = 8;
/// Digits of a key.
const KEY_DIGITS: u8 = 12;

/// Commands out of a pattern.
///
/// Words are separated by blanks and commands by `;`. A word may end in a placeholder: `{name}`
/// becomes `name:` and twelve digits of a new number, `{k}` and `{n}` are short for the prefixes
/// `key:` and `ctr:`. `{=name}` and `{=}` repeat the number before, `{#}` is eight digits of a new
/// number, `{~}` the digits of one that is scattered over their whole range. `{name<100}` takes the
/// number from below 100, whatever the others come from. A command that begins with `!` is sent as
/// a line of text.
///
/// # Panics
/// If a count behind `<` is no number: patterns are part of the program.
pub fn pattern(text: &str) -> Vec<Command> {
    text.split(';')
        .map(|command| {
            let words: Vec<&str> = command.split_whitespace().collect();
            match words.first().and_then(|first| first.strip_prefix('!')) {
                Some(first) => {
                    let line = std::iter::once(first).chain(words[1..].iter().copied());
                    Command::Line(line.collect::<Vec<_>>().join(" ").into_bytes())
                }
                None => Command::Words(words.iter().map(|word| parts(word)).collect()),
            }
        })
        .collect()
}

fn parts(word: &str) -> Vec<Part> {
    let Some((front, name)) = word.strip_suffix('}').and_then(|word| word.split_once('{')) else {
        return vec![Part::Bytes(word.as_bytes().to_vec())];
    };
    let (name, below) = match name.split_once('<') {
        Some((name, count)) => (name, Some(count.parse().expect("a pattern has a count"))),
        None => (name, None),
    };
    let (name, from) = match name.strip_prefix('=') {
        Some(name) => (name, From::Again(0)),
        None if name == "~" => (name, From::Scattered),
        None => (name, From::Next(0)),
    };
    let (prefix, width) = match name {
        "#" | "~" => (String::new(), DIGITS),
        "" | "k" => (prefix("key"), KEY_DIGITS),
        "n" => (prefix("ctr"), KEY_DIGITS),
        name => (prefix(name), KEY_DIGITS),
    };
    let mut parts = vec![Part::Bytes((front.to_owned() + &prefix).into_bytes())];
    parts.push(Part::Number(width, below.map_or(from, From::Below)));
    parts
}

/// What stands before the digits of [`key_name`].
fn prefix(name: &str) -> String {
    let whole = key_name(&format!("{name}:"), 0);
    whole[..whole.len() - usize::from(KEY_DIGITS)].to_owned()
}
