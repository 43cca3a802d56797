//! Requests as bytes in which only the digits of the keys and the values change. Knows nothing of
//! sockets.
//!
//! A template whose length never changes is laid out once for a whole batch, and filling it in
//! touches the digits alone; any other is written anew for each sending.

use crate::draw::{COUNTERS, Keys};
use crate::sizes::{Sizes, data};

mod classic;
mod pattern;

pub use classic::{Invalid, arguments, sequence};
pub use pattern::pattern;

/// Bytes of every key that a pattern makes: a four-byte prefix and twelve digits.
pub const KEY_SIZE: usize = 16;

/// Where the number of a place comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum From {
    /// A new one, of this placeholder.
    Next(u8),
    /// The one that this placeholder has already in this unit.
    Again(u8),
    /// A new one, scattered over the whole range of eight digits.
    Scattered,
    /// Uniform below the count, whatever the others come from.
    Below(u64),
}

/// A piece of an argument.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Part {
    /// Bytes that stay.
    Bytes(Vec<u8>),
    /// So many digits of a number.
    Number(u8, From),
    /// A value.
    Data,
}

/// One command: its arguments, or a line of text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// An array of strings.
    Words(Vec<Vec<Part>>),
    /// Sent as it is, with a line end.
    Line(Vec<u8>),
}

/// Where changing digits stand.
#[derive(Clone, Copy)]
struct Slot {
    at: usize,
    width: u8,
    from: From,
}

/// Commands that are always sent together, in this order.
#[derive(Clone)]
struct Unit {
    commands: Vec<Command>,
    /// The sum of the weights up to this unit.
    weight: u64,
}

/// What one connection sends, again and again.
#[derive(Clone)]
pub struct Request {
    units: Vec<Unit>,
    depth: usize,
    sizes: Sizes,
    /// Values are the beginning of this.
    data: Vec<u8>,
    bytes: Vec<u8>,
    slots: Vec<Slot>,
    /// Bytes and places of one unit if these never change; then `bytes` holds a whole batch.
    fixed: Option<(usize, usize)>,
    /// Which unit stands at each place of the batch that was filled in last, if there are several.
    picks: Vec<u32>,
    /// What a connection sends first of all.
    opening: Vec<u8>,
    openings: usize,
}

impl Request {
    /// Units with their weights, `depth` of them a batch.
    pub fn new(units: Vec<(u32, Vec<Command>)>, depth: usize, sizes: Sizes) -> Request {
        let mut sum = 0;
        let units: Vec<Unit> = units
            .into_iter()
            .map(|(weight, commands)| {
                sum += u64::from(weight);
                Unit { commands, weight: sum }
            })
            .collect();
        let mut request = Request {
            data: data(longest(&sizes)),
            units,
            depth,
            sizes,
            bytes: Vec::new(),
            slots: Vec::new(),
            fixed: None,
            picks: Vec::new(),
            opening: Vec::new(),
            openings: 0,
        };
        request.lay_out();
        request
    }

    /// The commands of a [`pattern`], `depth` times.
    pub fn of_pattern(text: &str, depth: usize) -> Request {
        Request::new(vec![(1, pattern(text))], depth, Sizes::Fixed(0))
    }

    /// The same on connections that send these commands first of all.
    #[must_use]
    pub fn opened_by<A: AsRef<[u8]>>(mut self, commands: &[Vec<A>]) -> Request {
        for command in commands {
            resp::encode_command(&mut self.opening, command);
        }
        self.openings = commands.len();
        self
    }

    /// What a connection sends first of all, and how many replies that brings.
    pub fn opening(&self) -> (&[u8], usize) {
        (&self.opening, self.openings)
    }

    /// Units of a full batch.
    pub fn depth(&self) -> usize {
        self.depth
    }

    /// How many different units there are.
    pub fn kinds(&self) -> usize {
        self.units.len()
    }

    /// Bytes of one unit, if they are always as many.
    pub fn unit_size(&self) -> Option<usize> {
        self.fixed.map(|(size, _)| size)
    }

    /// Replies that each unit brings. Units of one mix are single commands or alike.
    pub fn replies(&self) -> usize {
        self.units.first().map_or(0, |unit| unit.commands.len())
    }

    /// Which units the last batch holds; empty if there is one kind only.
    pub fn picks(&self) -> &[u32] {
        &self.picks
    }

    /// Fills in a batch of `count` units, at most a full one; `None` when the keys are used up. A
    /// sequence that ends inside a batch repeats its last key for the rest of it.
    pub fn fill(
        &mut self,
        count: usize,
        keys: &mut Keys,
        random: &mut fastrand::Rng,
    ) -> Option<&[u8]> {
        if matches!(&*keys, Keys::Sequence(next, end) if next >= end) {
            return None;
        }
        let count = count.min(self.depth);
        let (size, places) = match self.fixed {
            Some((size, places)) => (size * count, places * count),
            None => {
                self.write_anew(count, random);
                (self.bytes.len(), self.slots.len())
            }
        };
        let taken_from = |slot: &Slot| matches!(slot.from, From::Next(_) | From::Scattered);
        if let Keys::Sequence(next, _) = keys
            && !self.slots.iter().any(taken_from)
        {
            // A template without numbers of its own takes one for each command.
            *next += (self.replies() * count) as u64;
        }
        let mut numbers = [0; COUNTERS];
        for &Slot { at, width, from } in &self.slots[..places] {
            let number = match from {
                From::Again(place) => numbers[usize::from(place)],
                From::Below(count) => random.u64(0..count),
                From::Scattered => keys.next(0, random),
                From::Next(place) => keys.next(usize::from(place), random),
            };
            if let From::Next(place) = from {
                numbers[usize::from(place)] = number;
            } else {
                numbers[0] = number;
            }
            let shown = if from == From::Scattered { scatter(number) } else { number };
            write_digits(&mut self.bytes[at..at + usize::from(width)], shown);
        }
        Some(&self.bytes[..size])
    }

    /// Lays a whole batch out if no unit can differ in length from another.
    fn lay_out(&mut self) {
        let has_data = |command: &Command| match command {
            Command::Words(words) => words.iter().flatten().any(|part| *part == Part::Data),
            Command::Line(_) => false,
        };
        let varies = self.sizes.fixed().is_none()
            && self.units.iter().flat_map(|unit| &unit.commands).any(has_data);
        if self.units.len() > 1 || varies {
            return;
        }
        let mut random = fastrand::Rng::with_seed(0);
        for _ in 0..self.depth {
            self.write_unit(0, &mut random);
        }
        let depth = self.depth.max(1);
        self.fixed = Some((self.bytes.len() / depth, self.slots.len() / depth));
    }

    fn write_anew(&mut self, count: usize, random: &mut fastrand::Rng) {
        self.bytes.clear();
        self.slots.clear();
        self.picks.clear();
        for _ in 0..count {
            let place = if self.units.len() > 1 {
                let drawn = random.u64(0..self.units.last().map_or(1, |unit| unit.weight));
                let place = self.units.partition_point(|unit| unit.weight <= drawn);
                self.picks.push(place as u32);
                place
            } else {
                0
            };
            self.write_unit(place, random);
        }
    }

    fn write_unit(&mut self, place: usize, random: &mut fastrand::Rng) {
        for command in &self.units[place].commands {
            match command {
                Command::Line(line) => {
                    self.bytes.extend_from_slice(line);
                    self.bytes.extend_from_slice(b"\r\n");
                }
                Command::Words(words) => {
                    header(&mut self.bytes, b'*', words.len());
                    for word in words {
                        let data = if word.contains(&Part::Data) {
                            &self.data[..self.sizes.next(random)]
                        } else {
                            &[]
                        };
                        write_word(&mut self.bytes, &mut self.slots, word, data);
                    }
                }
            }
        }
    }
}

fn longest(sizes: &Sizes) -> usize {
    match sizes {
        Sizes::Fixed(size) | Sizes::Between(_, size) => *size,
        // Longer ones are seldom enough to be cut: one in ten million.
        Sizes::Exponential(mean) => ((mean * 16.0) as usize).min(crate::sizes::SIZE_MAX),
        Sizes::Weighted(list) => list.iter().map(|(size, _)| *size).max().unwrap_or(0),
    }
}

fn write_word(out: &mut Vec<u8>, slots: &mut Vec<Slot>, word: &[Part], data: &[u8]) {
    let size = |part: &Part| match part {
        Part::Bytes(bytes) => bytes.len(),
        Part::Number(width, _) => usize::from(*width),
        Part::Data => data.len(),
    };
    header(out, b'$', word.iter().map(size).sum());
    for part in word {
        match part {
            Part::Bytes(bytes) => out.extend_from_slice(bytes),
            Part::Number(width, from) => {
                slots.push(Slot { at: out.len(), width: *width, from: *from });
                out.resize(out.len() + usize::from(*width), b'0');
            }
            Part::Data => out.extend_from_slice(data),
        }
    }
    out.extend_from_slice(b"\r\n");
}

fn header(out: &mut Vec<u8>, lead: u8, length: usize) {
    out.push(lead);
    resp::number::write_i64(out, i64::try_from(length).unwrap_or(i64::MAX));
    out.extend_from_slice(b"\r\n");
}

/// Another number of at most eight digits for each number of at most eight digits.
fn scatter(number: u64) -> u64 {
    // A factor without a common divisor with the modulus makes it a permutation.
    number.wrapping_mul(61_803_399) % 100_000_000
}

/// The key of a pattern that stands for `number`.
pub fn key_name(prefix: &str, number: u64) -> String {
    format!("{prefix}{number:012}")
}

#[inline]
fn write_digits(place: &mut [u8], mut number: u64) {
    let whole = place.len() / 8 * 8;
    let (front, chunks) = place.split_at_mut(place.len() - whole);
    for chunk in chunks.chunks_exact_mut(8).rev() {
        chunk.copy_from_slice(&eight_digits((number % 100_000_000) as u32));
        number /= 100_000_000;
    }
    for digit in front.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
    }
}

/// The digits of a number below 10^8, found side by side in one word: halves, then pairs, then
/// single digits, each a division by a multiplication that is exact for so small numbers.
#[inline]
fn eight_digits(number: u32) -> [u8; 8] {
    let halves = u64::from(number / 10_000) | u64::from(number % 10_000) << 32;
    let hundreds = ((halves * 10_486) >> 20) & 0x0000_007f_0000_007f;
    let pairs = hundreds | (halves - 100 * hundreds) << 16;
    let tens = ((pairs * 103) >> 10) & 0x000f_000f_000f_000f;
    let digits = tens | (pairs - 10 * tens) << 8;
    (digits | 0x3030_3030_3030_3030).to_le_bytes()
}

#[cfg(test)]
mod tests;
