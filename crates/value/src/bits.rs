//! Bits inside strings: counting, searching and combining them, and integers of any width.
//!
//! Bit 0 is the highest bit of byte 0. Pure functions on bytes, written as loops over whole
//! chunks, which compilers turn into vector instructions; the longest loops are compiled for
//! several processors, of which the one at hand is found out at run time.

use std::ops::Range;

use multiversion::multiversion;

/// How many bits are one.
#[multiversion(targets(
    "x86_64+avx512f+avx512vl+avx512bw+avx512vpopcntdq",
    "x86_64+avx2+bmi1+popcnt",
    "x86_64+popcnt",
))]
pub fn count(bytes: &[u8]) -> u64 {
    let (words, rest) = bytes.as_chunks::<8>();
    let whole: u64 =
        words.iter().map(|word| u64::from(u64::from_ne_bytes(*word).count_ones())).sum();
    whole + rest.iter().map(|byte| u64::from(byte.count_ones())).sum::<u64>()
}

/// How many bits of a range, which lies inside the bytes, are one.
pub fn count_in(bytes: &[u8], bits: Range<u64>) -> u64 {
    let Some(edges) = Edges::of(&bits) else { return 0 };
    let one = |at: usize, mask: u8| u64::from((bytes[at] & mask).count_ones());
    if edges.first == edges.last {
        return one(edges.first, edges.head & edges.tail);
    }
    one(edges.first, edges.head)
        + count(&bytes[edges.first + 1..edges.last])
        + one(edges.last, edges.tail)
}

/// The first bit of a range, which lies inside the bytes, that has this value.
pub fn find_in(bytes: &[u8], value: bool, bits: Range<u64>) -> Option<u64> {
    let edges = Edges::of(&bits)?;
    let skipped = if value { 0 } else { 0xff };
    let inside = |at: usize, mask: u8| {
        let wanted = (bytes[at] ^ skipped) & mask;
        (wanted != 0).then(|| at as u64 * 8 + u64::from(wanted.leading_zeros()))
    };
    if edges.first == edges.last {
        return inside(edges.first, edges.head & edges.tail);
    }
    let middle = || {
        let start = edges.first + 1;
        let at = start + find_other(&bytes[start..edges.last], skipped)?;
        inside(at, 0xff)
    };
    inside(edges.first, edges.head).or_else(middle).or_else(|| inside(edges.last, edges.tail))
}

/// The first byte that differs from `skipped`.
fn find_other(bytes: &[u8], skipped: u8) -> Option<usize> {
    const CHUNK: usize = 32;
    let chunks = bytes.as_chunks::<CHUNK>().0;
    let start = chunks.iter().position(|chunk| *chunk != [skipped; CHUNK]);
    let start = start.unwrap_or(chunks.len()) * CHUNK;
    Some(start + bytes[start..].iter().position(|&byte| byte != skipped)?)
}

/// The bytes at both ends of a range of bits, and which of their bits belong to it.
struct Edges {
    first: usize,
    last: usize,
    head: u8,
    tail: u8,
}

impl Edges {
    fn of(bits: &Range<u64>) -> Option<Self> {
        if bits.is_empty() {
            return None;
        }
        let last = bits.end - 1;
        Some(Self {
            first: (bits.start / 8) as usize,
            last: (last / 8) as usize,
            head: 0xff >> (bits.start % 8),
            tail: 0xff << (7 - last % 8),
        })
    }
}

/// How strings are combined bit by bit. `X` is the first one and `Y` any of the others.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Combine {
    /// In all.
    And,
    /// In any.
    Or,
    /// In an odd number.
    Xor,
    /// Not in X, the only one.
    Not,
    /// In X and in no Y.
    Diff,
    /// In a Y and not in X.
    Diff1,
    /// In X and in a Y.
    AndOr,
    /// In exactly one.
    One,
}

/// Combines strings; shorter ones count as padded with zeros to the length of the longest.
pub fn combine(how: Combine, sources: &[&[u8]]) -> Vec<u8> {
    /// What one piece of all sources takes of the fastest cache.
    const PIECE: usize = 4096;
    let len = sources.iter().map(|source| source.len()).max().unwrap_or(0);
    let mut result = vec![0; len];
    for (number, piece) in result.chunks_mut(PIECE).enumerate() {
        let from = number * PIECE;
        let to = from + piece.len();
        let parts = sources.iter().map(|bytes| &bytes[from.min(bytes.len())..to.min(bytes.len())]);
        combine_piece(how, piece, parts);
    }
    result
}

fn combine_piece<'a>(how: Combine, piece: &mut [u8], mut parts: impl Iterator<Item = &'a [u8]>) {
    let first = parts.next().unwrap_or_default();
    let or = |piece: &mut [u8], part: &[u8]| each(piece, part, |own, other| *own |= other);
    match how {
        Combine::And => {
            piece[..first.len()].copy_from_slice(first);
            for part in parts {
                each(piece, part, |own, other| *own &= other);
                piece[part.len()..].fill(0);
            }
        }
        Combine::Or => std::iter::once(first).chain(parts).for_each(|part| or(piece, part)),
        Combine::Xor => std::iter::once(first)
            .chain(parts)
            .for_each(|part| each(piece, part, |own, other| *own ^= other)),
        Combine::Not => {
            piece.fill(0xff);
            each(piece, first, |own, other| *own = !other);
        }
        Combine::Diff => {
            parts.for_each(|part| or(piece, part));
            each(piece, first, |own, x| *own = x & !*own);
            piece[first.len()..].fill(0);
        }
        Combine::Diff1 => {
            parts.for_each(|part| or(piece, part));
            each(piece, first, |own, x| *own &= !x);
        }
        Combine::AndOr => {
            parts.for_each(|part| or(piece, part));
            each(piece, first, |own, x| *own &= x);
            piece[first.len()..].fill(0);
        }
        Combine::One => one(piece, std::iter::once(first).chain(parts)),
    }
}

fn one<'a>(piece: &mut [u8], parts: impl Iterator<Item = &'a [u8]>) {
    let mut repeated = vec![0; piece.len()];
    for part in parts {
        for ((own, repeated), other) in piece.iter_mut().zip(&mut repeated).zip(part) {
            *repeated |= *own & other;
            *own |= other;
        }
    }
    each(piece, &repeated, |own, other| *own &= !other);
}

#[inline(always)]
fn each(piece: &mut [u8], part: &[u8], work: impl Fn(&mut u8, u8)) {
    piece.iter_mut().zip(part).for_each(|(own, &other)| work(own, other));
}

/// The unsigned integer of `width` bits (1 to 64) at a bit; what is beyond the end is zero.
pub fn read(bytes: &[u8], bit: u64, width: u32) -> u64 {
    let rest = bytes.get((bit / 8) as usize..).unwrap_or_default();
    let mut window = [0; 16];
    let len = rest.len().min(9);
    window[..len].copy_from_slice(&rest[..len]);
    (u128::from_be_bytes(window) << (bit % 8) >> (128 - width)) as u64
}

/// Writes the low `width` bits (1 to 64) of an integer at a bit; the bytes reach so far.
pub fn write(bytes: &mut [u8], bit: u64, width: u32, value: u64) {
    let (at, shift) = ((bit / 8) as usize, (bit % 8) as u32);
    let len = (shift + width).div_ceil(8) as usize;
    let place = 128 - width - shift;
    let mask = (u128::MAX >> (128 - width)) << place;
    let mut window = [0; 16];
    window[..len].copy_from_slice(&bytes[at..at + len]);
    let word = u128::from_be_bytes(window) & !mask | u128::from(value) << place & mask;
    bytes[at..at + len].copy_from_slice(&word.to_be_bytes()[..len]);
}

/// The value of the low `width` bits as a signed integer.
pub fn sign_extend(value: u64, width: u32) -> i64 {
    (value << (64 - width)) as i64 >> (64 - width)
}

/// What happens to a value that does not fit.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Overflow {
    /// The high bits are lost.
    Wrap,
    /// The nearest value that fits takes its place.
    Saturate,
    /// Nothing is written.
    Fail,
}

/// `value + increment` as a signed integer of `width` bits (1 to 64).
///
/// A `value` that itself does not fit is judged with the wrapping differences that Redis uses, so
/// that one far below the range saturates to the same end.
pub fn fit_signed(value: i64, increment: i64, width: u32, overflow: Overflow) -> Option<i64> {
    let max = i64::MAX >> (64 - width);
    let min = -max - 1;
    let (up, down) = (max.wrapping_sub(value), min.wrapping_sub(value));
    let narrow = width != 64;
    let limit =
        if value > max || narrow && increment > up || value >= 0 && increment > 0 && increment > up
        {
            max
        } else if value < min
            || narrow && increment < down
            || value < 0 && increment < 0 && increment < down
        {
            min
        } else {
            return Some(value.wrapping_add(increment));
        };
    match overflow {
        Overflow::Wrap => Some(sign_extend(value.wrapping_add(increment) as u64, width)),
        Overflow::Saturate => Some(limit),
        Overflow::Fail => None,
    }
}

/// `value + increment` as an unsigned integer of `width` bits (1 to 63).
pub fn fit_unsigned(value: u64, increment: i64, width: u32, overflow: Overflow) -> Option<u64> {
    let max = u64::MAX >> (64 - width);
    let limit = if value > max || increment > 0 && increment as u64 > max - value {
        max
    } else if increment < 0 && increment.unsigned_abs() > value {
        0
    } else {
        return Some(value.wrapping_add_signed(increment));
    };
    match overflow {
        Overflow::Wrap => Some(value.wrapping_add_signed(increment) & max),
        Overflow::Saturate => Some(limit),
        Overflow::Fail => None,
    }
}

#[cfg(test)]
mod tests;
