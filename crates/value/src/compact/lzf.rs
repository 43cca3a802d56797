//! LZF, the compression of RDB strings and of the middle of a long list.
//!
//! The stream has no header; both lengths are kept outside of it. It is a sequence of
//! - `000LLLLL` and L+1 bytes as they are;
//! - `LLLooooo oooooooo`, L from 1 to 6: L+2 bytes again from o+1 bytes back;
//! - `111ooooo LLLLLLLL oooooooo`: L+9 bytes again from o+1 bytes back.
//!
//! Knows nothing of where the bytes come from. What it writes need not equal what another
//! compressor writes, as any choice of references is read back the same.

use super::Corrupt;

#[cfg(test)]
mod tests;

/// The most bytes that one literal run has.
const LITERAL_MAX: usize = 32;
/// The most bytes that a reference repeats.
const REPEAT_MAX: usize = 264;
/// How far back a reference reaches.
const DISTANCE_MAX: usize = 1 << 13;
/// The most that one byte of a stream can stand for: three bytes repeat [`REPEAT_MAX`].
const EXPANSION_MAX: usize = REPEAT_MAX / 3;

/// Twice as many slots as positions within reach of a reference.
const SLOT_BITS: u32 = 14;

/// A compressor. It keeps a table of 64 KiB, which need not be cleared between uses.
pub struct Compressor {
    /// Where three bytes with this hash stood last, plus `base`.
    slots: Box<[u32]>,
    /// Slots below it are of earlier inputs; at least 1, as an unused slot has 0.
    base: u32,
}

impl Compressor {
    /// A compressor with an empty table.
    pub fn new() -> Compressor {
        Compressor { slots: vec![0; 1 << SLOT_BITS].into(), base: 1 }
    }

    /// Appends the stream for `input` to `out` and gives its length. If that would be more than
    /// `limit` bytes, or `input` is empty or has 2 GiB, `out` stays as it was.
    pub fn compress(&mut self, input: &[u8], limit: usize, out: &mut Vec<u8>) -> Option<usize> {
        let len = u32::try_from(input.len()).ok().filter(|len| (1..1 << 31).contains(len))?;
        if self.base.checked_add(len).is_none() {
            self.slots.fill(0);
            self.base = 1;
        }
        let start = out.len();
        let fits = self.encode(input, start.saturating_add(limit), out);
        self.base += len;
        if !fits {
            out.truncate(start);
        }
        fits.then(|| out.len() - start)
    }

    /// Gives up with `false` when `out` gets longer than `end`.
    fn encode(&mut self, input: &[u8], end: usize, out: &mut Vec<u8>) -> bool {
        let (mut at, mut literal) = (0, 0);
        while let Some(next) = three(input, at) {
            let same =
                |place: &usize| at - place <= DISTANCE_MAX && three(input, *place) == Some(next);
            let Some(found) = self.swap(next, at).filter(same) else {
                at += 1;
                continue;
            };
            let longest = (input.len() - at).min(REPEAT_MAX);
            let len = common(&input[at..at + longest], &input[found..found + longest]);
            write_literal(&input[literal..at], out);
            write_reference(at - found - 1, len, out);
            if out.len() > end {
                return false;
            }
            at += len;
            literal = at;
            // The last places within the repeat are the likeliest to begin another one.
            for place in at - 2..at {
                if let Some(next) = three(input, place) {
                    self.swap(next, place);
                }
            }
        }
        // A long rest without a reference is refused before it is copied.
        let rest = &input[literal..];
        if out.len() + rest.len() + rest.len().div_ceil(LITERAL_MAX) > end {
            return false;
        }
        write_literal(rest, out);
        true
    }

    /// Notes that `next` stands at `at`, and gives where its like may have stood last, before `at`.
    #[inline]
    fn swap(&mut self, next: u32, at: usize) -> Option<usize> {
        let hash = next.wrapping_mul(0x9E37_79B1) >> (32 - SLOT_BITS);
        let slot = &mut self.slots[hash as usize];
        // Both fit: a caller keeps base and length below 2^32.
        #[allow(clippy::cast_possible_truncation)]
        let before = std::mem::replace(slot, self.base + at as u32);
        before.checked_sub(self.base).map(|place| place as usize)
    }
}

impl Default for Compressor {
    fn default() -> Compressor {
        Compressor::new()
    }
}

/// Appends to `out` the `len` bytes that `stream` stands for. On an error, `out` is as it was.
///
/// Takes no memory beyond `len` bytes, and none at all if `stream` is too short to stand for so
/// many.
pub fn decompress(stream: &[u8], len: usize, out: &mut Vec<u8>) -> Result<(), Corrupt> {
    if len > stream.len().saturating_mul(EXPANSION_MAX) {
        return Err(Corrupt { offset: 0, what: "compressed bytes too short for their length" });
    }
    let start = out.len();
    out.reserve_exact(len);
    out.resize(start + len, 0);
    let decoded = decode(stream, &mut out[start..]);
    if decoded.is_err() {
        out.truncate(start);
    }
    decoded
}

/// Fills `out`.
fn decode(stream: &[u8], out: &mut [u8]) -> Result<(), Corrupt> {
    let (mut at, mut filled) = (0, 0);
    while let Some(&control) = stream.get(at) {
        let wrong = |what| Corrupt { offset: at, what };
        let cut = || wrong("compressed bytes are cut off");
        let long = || wrong("compressed bytes stand for more than their length");
        let room = out.len() - filled;
        if control < 0x20 {
            let count = usize::from(control) + 1;
            if count > stream.len() - at - 1 {
                return Err(cut());
            }
            if count > room {
                return Err(long());
            }
            copy_literal(stream, at + 1, out, filled, count);
            filled += count;
            at += 1 + count;
            continue;
        }
        let (count, low, size) = match (control >> 5, &stream[at + 1..]) {
            (7, [more, low, ..]) => (9 + usize::from(*more), *low, 3),
            (short @ 1..=6, [low, ..]) => (2 + usize::from(short), *low, 2),
            _ => return Err(cut()),
        };
        let distance = (usize::from(control & 0x1F) << 8 | usize::from(low)) + 1;
        if count > room {
            return Err(long());
        }
        if distance > filled {
            return Err(wrong("compressed bytes refer to what is not there"));
        }
        repeat(out, filled, distance, count);
        filled += count;
        at += size;
    }
    if filled < out.len() {
        let what = "compressed bytes stand for less than their length";
        return Err(Corrupt { offset: stream.len(), what });
    }
    Ok(())
}

/// Copies `count` bytes, at most 32, from `stream` at `from` to `out` at `to`. Where there is room
/// it copies 32, as what is too much will be overwritten, and a copy of fixed length is no call.
#[inline]
fn copy_literal(stream: &[u8], from: usize, out: &mut [u8], to: usize, count: usize) {
    let wide = stream[from..].first_chunk::<LITERAL_MAX>();
    match (wide, out[to..].first_chunk_mut::<LITERAL_MAX>()) {
        (Some(wide), Some(room)) => *room = *wide,
        _ => out[to..to + count].copy_from_slice(&stream[from..from + count]),
    }
}

/// Puts at `at` the `count` bytes from `distance` back, which may be fewer: then they repeat.
#[inline]
fn repeat(out: &mut [u8], at: usize, distance: usize, count: usize) {
    /// What is copied at once; most repeats are short.
    const WIDE: usize = 16;
    let from = at - distance;
    if distance >= WIDE && count <= WIDE && at + WIDE <= out.len() {
        let mut wide = [0; WIDE];
        wide.copy_from_slice(&out[from..from + WIDE]);
        out[at..at + WIDE].copy_from_slice(&wide);
        return;
    }
    let mut done = 0;
    // Whatever is there already is a whole number of repeats and can be copied at once.
    while done < count {
        let have = (distance + done).min(count - done);
        out.copy_within(from..from + have, at + done);
        done += have;
    }
}

/// Three bytes as one number, if four are there; a fourth makes the load one instruction.
#[inline]
fn three(input: &[u8], at: usize) -> Option<u32> {
    let four = input.get(at..at + 4)?.first_chunk()?;
    Some(u32::from_le_bytes(*four) << 8)
}

/// How many bytes two slices of one length have in common at their beginning.
#[inline]
fn common(a: &[u8], b: &[u8]) -> usize {
    let ((a_words, a_rest), (b_words, b_rest)) = (a.as_chunks::<8>(), b.as_chunks::<8>());
    for (index, (a, b)) in a_words.iter().zip(b_words).enumerate() {
        let differ = u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b);
        if differ != 0 {
            return index * 8 + (differ.trailing_zeros() / 8) as usize;
        }
    }
    let rest = a_rest.iter().zip(b_rest).take_while(|(a, b)| a == b).count();
    a_words.len() * 8 + rest
}

#[inline]
#[allow(clippy::cast_possible_truncation, reason = "a run has at most 32 bytes")]
fn write_literal(literal: &[u8], out: &mut Vec<u8>) {
    for run in literal.chunks(LITERAL_MAX) {
        out.push(run.len() as u8 - 1);
        out.extend_from_slice(run);
    }
}

/// `back` is one less than the distance.
#[inline]
#[allow(clippy::cast_possible_truncation, reason = "both have the bits they are given")]
fn write_reference(back: usize, len: usize, out: &mut Vec<u8>) {
    let (high, low) = ((back >> 8) as u8, back as u8);
    if len < 9 {
        out.extend_from_slice(&[((len - 2) << 5) as u8 | high, low]);
    } else {
        out.extend_from_slice(&[7 << 5 | high, (len - 9) as u8, low]);
    }
}
