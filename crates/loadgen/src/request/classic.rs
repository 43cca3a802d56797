//! Templates as redis-benchmark and valkey-benchmark take them on their command line.
//!
//! `__rand_int__` is a new number each time; `__rand_1st__` to `__rand_9th__` are one number each
//! within a unit; `__data__` is a value. A `;` between commands makes them one unit, a number in
//! front of a command repeats it.

use super::{Command, From, Part};

/// Length of every placeholder for a number, and digits that take its place.
const WIDTH: usize = 12;
const NUMBERS: [&[u8; WIDTH]; 10] = [
    b"__rand_int__",
    b"__rand_1st__",
    b"__rand_2nd__",
    b"__rand_3rd__",
    b"__rand_4th__",
    b"__rand_5th__",
    b"__rand_6th__",
    b"__rand_7th__",
    b"__rand_8th__",
    b"__rand_9th__",
];
const DATA: &[u8] = b"__data__";
/// More repetitions than this are a mistake.
const REPEAT_MAX: usize = 1_000_000;

/// Why words are no command.
#[derive(Debug, PartialEq, Eq)]
pub struct Invalid(pub &'static str);

/// The commands that `words` spell. Without `numbers`, placeholders of numbers stay as they are, as
/// the classic tools leave them where no range is given.
///
/// # Errors
/// No command at all, or one that is repeated without end.
pub fn sequence(words: &[Vec<u8>], numbers: bool) -> Result<Vec<Command>, Invalid> {
    let mut commands = Vec::new();
    let mut met = [false; NUMBERS.len()];
    for command in words.split(|word| word == b";") {
        let (repeat, command) = match command {
            [count, rest @ ..]
                if count.first().is_some_and(|byte| (b'1'..=b'9').contains(byte)) =>
            {
                (leading_number(count), rest)
            }
            whole => (1, whole),
        };
        if repeat > REPEAT_MAX {
            return Err(Invalid("too many repetitions of a command"));
        }
        if command.is_empty() {
            continue;
        }
        for _ in 0..repeat {
            commands.push(words_of(command, numbers, &mut met));
        }
    }
    if commands.is_empty() { Err(Invalid("no command is given")) } else { Ok(commands) }
}

/// One command of these arguments, which may hold placeholders.
pub fn arguments<A: AsRef<[u8]>>(words: &[A], numbers: bool) -> Command {
    words_of(words, numbers, &mut [false; NUMBERS.len()])
}

fn words_of<A: AsRef<[u8]>>(words: &[A], numbers: bool, met: &mut [bool]) -> Command {
    Command::Words(words.iter().map(|word| parts(word.as_ref(), numbers, met)).collect())
}

/// `met` says which placeholders have their number in this unit already.
fn parts(word: &[u8], numbers: bool, met: &mut [bool]) -> Vec<Part> {
    let mut parts = Vec::new();
    let mut plain = Vec::new();
    let mut rest = word;
    while let Some(first) = rest.first() {
        let number = NUMBERS.iter().position(|name| numbers && rest.starts_with(*name));
        let (part, taken) = if let Some(place) = number {
            // The first placeholder is a new number wherever it stands.
            let again = place > 0 && std::mem::replace(&mut met[place], true);
            let from = if again { From::Again(place as u8) } else { From::Next(place as u8) };
            (Part::Number(WIDTH as u8, from), WIDTH)
        } else if rest.starts_with(DATA) {
            (Part::Data, DATA.len())
        } else {
            plain.push(*first);
            rest = &rest[1..];
            continue;
        };
        if !plain.is_empty() {
            parts.push(Part::Bytes(std::mem::take(&mut plain)));
        }
        parts.push(part);
        rest = &rest[taken..];
    }
    if !plain.is_empty() || parts.is_empty() {
        parts.push(Part::Bytes(plain));
    }
    parts
}

/// The digits at the beginning, whatever stands behind them, as the classic tools read them.
fn leading_number(word: &[u8]) -> usize {
    word.iter()
        .take_while(|byte| byte.is_ascii_digit())
        .fold(0usize, |sum, byte| sum.saturating_mul(10).saturating_add(usize::from(byte - b'0')))
}
