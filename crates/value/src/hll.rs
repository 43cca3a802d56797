//! HyperLogLog: how many different elements were counted, in the very bytes that Redis keeps.
//!
//! ```text
//! 0        "HYLL"
//! 4        encoding: 0 dense, 1 sparse
//! 5..8     unused
//! 8..16    the last estimate, little endian; the top bit says that it is out of date
//! 16..     dense: 16384 registers of 6 bits, the lowest bits first
//!          sparse: runs of equal registers (see [`Run`])
//! ```
//!
//! Functions work on a whole string, which may come from anywhere: what is not well formed is
//! reported as [`Corrupt`] and never read beyond its end. The estimate is the one of Otmar Ertl,
//! "New cardinality estimation algorithms for HyperLogLog sketches", arXiv:1702.01284.

mod sparse;

pub use sparse::Run;

const HEADER: usize = 16;
const MAGIC: &[u8; 4] = b"HYLL";
const ENCODING_AT: usize = 4;
const STALE_AT: usize = 15;
const STALE: u8 = 0x80;
const REGISTER_BITS: usize = 14;
/// Bits of a hash that are left when the register is chosen.
const RANK_BITS: usize = 64 - REGISTER_BITS;
/// How many registers a counter has.
pub const REGISTERS: usize = 1 << REGISTER_BITS;
/// Bytes of a dense counter.
pub const DENSE_LEN: usize = HEADER + REGISTERS * 6 / 8;
const HASH_SEED: u64 = 0xadc8_3b19;
/// 0.5 / ln 2.
const ALPHA: f64 = 0.721_347_520_444_481_7;

/// The runs of a sparse counter do not make up its registers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Corrupt;

/// How the registers are kept.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Encoding {
    /// Six bits each.
    Dense,
    /// As runs of equal ones.
    Sparse,
}

/// A counter that has counted nothing.
pub fn empty() -> Vec<u8> {
    let mut bytes = vec![0; HEADER];
    bytes[..MAGIC.len()].copy_from_slice(MAGIC);
    bytes[ENCODING_AT] = 1;
    bytes.extend_from_slice(Run::ManyZeros { len: REGISTERS }.bytes().as_slice());
    bytes
}

/// The encoding of a counter; `None` when the bytes are none by their header and length.
pub fn encoding(bytes: &[u8]) -> Option<Encoding> {
    if bytes.len() < HEADER || !bytes.starts_with(MAGIC) {
        return None;
    }
    match bytes[ENCODING_AT] {
        0 if bytes.len() == DENSE_LEN => Some(Encoding::Dense),
        1 => Some(Encoding::Sparse),
        _ => None,
    }
}

/// Counts an element and says whether a register changed. A sparse counter becomes dense when it
/// would exceed `sparse_max` bytes or a register does not fit; the cached estimate is the
/// caller's to invalidate.
pub fn add(bytes: &mut Vec<u8>, element: &[u8], sparse_max: usize) -> Result<bool, Corrupt> {
    let (register, rank) = place(element);
    raise(bytes, register, rank, sparse_max)
}

/// Sets a register to a value when it is smaller; as [`add`].
pub fn raise(
    bytes: &mut Vec<u8>,
    register: usize,
    rank: u8,
    sparse_max: usize,
) -> Result<bool, Corrupt> {
    if bytes[ENCODING_AT] == 0 {
        return Ok(raise_dense(&mut bytes[HEADER..], register, rank));
    }
    sparse::raise(bytes, register, rank, sparse_max)
}

/// The estimate that was stored, unless it is out of date.
pub fn cached(bytes: &[u8]) -> Option<u64> {
    let (estimate, _) = bytes.get(8..HEADER)?.as_chunks::<8>();
    (bytes[STALE_AT] & STALE == 0).then(|| u64::from_le_bytes(estimate[0]))
}

/// Stores an estimate.
pub fn set_cached(bytes: &mut [u8], estimate: u64) {
    bytes[8..HEADER].copy_from_slice(&estimate.to_le_bytes());
}

/// Marks the stored estimate as out of date.
pub fn invalidate(bytes: &mut [u8]) {
    bytes[STALE_AT] |= STALE;
}

/// Estimates how many different elements were counted, from the registers.
pub fn count(bytes: &[u8]) -> Result<u64, Corrupt> {
    let mut histogram = [0; 64];
    if bytes[ENCODING_AT] == 0 {
        for quad in bytes[HEADER..].as_chunks().0 {
            unpack(quad).into_iter().for_each(|value| histogram[value as usize] += 1);
        }
        return Ok(estimate(&histogram));
    }
    sparse::visit(bytes, |_, run| histogram[run.value() as usize] += run.len() as u32)?;
    Ok(estimate(&histogram))
}

/// Makes a counter dense; says whether it was not.
pub fn to_dense(bytes: &mut Vec<u8>) -> Result<bool, Corrupt> {
    if bytes[ENCODING_AT] == 0 {
        return Ok(false);
    }
    let mut dense = vec![0; DENSE_LEN];
    dense[..HEADER].copy_from_slice(&bytes[..HEADER]);
    dense[ENCODING_AT] = 0;
    sparse::visit(bytes, |first, run| {
        for register in first..first + run.len() {
            set_dense(&mut dense[HEADER..], register, run.value());
        }
    })?;
    *bytes = dense;
    Ok(true)
}

/// The runs of a sparse counter, as far as there are bytes.
pub fn runs(bytes: &[u8]) -> impl Iterator<Item = Run> + '_ {
    let mut at = HEADER;
    std::iter::from_fn(move || {
        let run = Run::at(bytes, at)?;
        at += run.size();
        Some(run)
    })
}

/// The registers of one counter or several, a byte each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Registers(Vec<u8>);

impl Default for Registers {
    fn default() -> Self {
        Self(vec![0; REGISTERS])
    }
}

impl Registers {
    /// Takes in a counter: each register becomes the larger one.
    pub fn merge(&mut self, bytes: &[u8]) -> Result<(), Corrupt> {
        if bytes[ENCODING_AT] == 1 {
            return sparse::visit(bytes, |first, run| {
                let value = run.value();
                let registers = &mut self.0[first..first + run.len()];
                registers.iter_mut().for_each(|own| *own = value.max(*own));
            });
        }
        let own = self.0.as_chunks_mut::<4>().0;
        for (own, packed) in own.iter_mut().zip(bytes[HEADER..].as_chunks().0) {
            let other = unpack(packed);
            own.iter_mut().zip(other).for_each(|(own, other)| *own = other.max(*own));
        }
        Ok(())
    }

    /// Estimates how many different elements were counted.
    pub fn count(&self) -> u64 {
        let mut histogram = [0; 64];
        self.0.iter().for_each(|&value| histogram[value as usize & 63] += 1);
        estimate(&histogram)
    }

    /// Writes all registers into a dense counter.
    pub fn write_dense(&self, bytes: &mut [u8]) {
        let packed = bytes[HEADER..].as_chunks_mut::<3>().0;
        for (packed, own) in packed.iter_mut().zip(self.0.as_chunks::<4>().0) {
            let word = own.iter().rev().fold(0_u32, |word, &value| word << 6 | u32::from(value));
            packed.copy_from_slice(&word.to_le_bytes()[..3]);
        }
    }

    /// The registers by number.
    pub fn values(&self) -> &[u8] {
        &self.0
    }
}

/// Three bytes are four registers.
fn unpack(packed: &[u8; 3]) -> [u8; 4] {
    let word = u32::from_le_bytes([packed[0], packed[1], packed[2], 0]);
    std::array::from_fn(|at| (word >> (6 * at)) as u8 & 63)
}

fn raise_dense(registers: &mut [u8], register: usize, rank: u8) -> bool {
    let packed = &mut registers.as_chunks_mut::<3>().0[register / 4];
    let raised = unpack(packed)[register % 4] < rank;
    if raised {
        set_dense(registers, register, rank);
    }
    raised
}

fn set_dense(registers: &mut [u8], register: usize, rank: u8) {
    let packed = &mut registers.as_chunks_mut::<3>().0[register / 4];
    let shift = 6 * (register % 4);
    let word = u32::from_le_bytes([packed[0], packed[1], packed[2], 0]);
    let word = word & !(63 << shift) | u32::from(rank) << shift;
    packed.copy_from_slice(&word.to_le_bytes()[..3]);
}

/// The register that an element falls to, and how long its hash's run of zeros is, plus one.
fn place(element: &[u8]) -> (usize, u8) {
    let hash = murmur64a(element);
    let rest = hash >> REGISTER_BITS | 1 << RANK_BITS;
    (hash as usize & (REGISTERS - 1), rest.trailing_zeros() as u8 + 1)
}

/// MurmurHash64A (Austin Appleby's, in the public domain), read as little endian everywhere.
fn murmur64a(data: &[u8]) -> u64 {
    const MULTIPLIER: u64 = 0xc6a4_a793_5bd1_e995;
    let mut hash = HASH_SEED ^ (data.len() as u64).wrapping_mul(MULTIPLIER);
    let (words, rest) = data.as_chunks::<8>();
    for word in words {
        let mut word = u64::from_le_bytes(*word).wrapping_mul(MULTIPLIER);
        word ^= word >> 47;
        hash = (hash ^ word.wrapping_mul(MULTIPLIER)).wrapping_mul(MULTIPLIER);
    }
    if !rest.is_empty() {
        let word = rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte));
        hash = (hash ^ word).wrapping_mul(MULTIPLIER);
    }
    hash ^= hash >> 47;
    hash = hash.wrapping_mul(MULTIPLIER);
    hash ^ hash >> 47
}

/// The estimate from how many registers have each value; values that no hash makes do not count.
fn estimate(histogram: &[u32; 64]) -> u64 {
    let m = REGISTERS as f64;
    let full = f64::from(histogram[RANK_BITS + 1]);
    let mut z = m * tau((m - full) / m);
    for &registers in histogram[1..=RANK_BITS].iter().rev() {
        z = (z + f64::from(registers)) * 0.5;
    }
    z += m * sigma(f64::from(histogram[0]) / m);
    (ALPHA * m * m / z).round() as u64
}

/// The paper's function for registers that nothing fell to.
fn sigma(mut x: f64) -> f64 {
    if x == 1.0 {
        return f64::INFINITY;
    }
    let (mut y, mut z) = (1.0, x);
    loop {
        x *= x;
        let before = z;
        z += x * y;
        y += y;
        if before == z {
            return z;
        }
    }
}

/// The paper's function for registers that are at their largest value.
fn tau(mut x: f64) -> f64 {
    if x == 0.0 || x == 1.0 {
        return 0.0;
    }
    let (mut y, mut z) = (1.0, 1.0 - x);
    loop {
        x = x.sqrt();
        let before = z;
        y *= 0.5;
        z -= (1.0 - x) * (1.0 - x) * y;
        if before == z {
            return z / 3.0;
        }
    }
}

#[cfg(test)]
mod tests;
