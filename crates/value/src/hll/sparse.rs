//! The sparse encoding: registers as runs of equal ones.
//!
//! Changing one register splits its run and joins equal neighbours in the same order as Redis
//! does, so that the same commands give the same bytes.

use super::{Corrupt, HEADER, REGISTERS, invalidate, raise_dense, to_dense};

/// The largest value that a run can hold.
const VALUE_MAX: u8 = 32;
/// The longest run of values.
const VALUES_MAX: usize = 4;
/// The longest run of zeros in one byte.
const ZEROS_MAX: usize = 64;
/// How many runs from the changed one's neighbour on are tried for joining.
const JOIN_STEPS: usize = 5;

/// Equal registers in a row.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Run {
    /// `00llllll`: up to 64 zeros.
    Zeros {
        /// How many.
        len: usize,
    },
    /// `01llllll llllllll`: up to 16384 zeros.
    ManyZeros {
        /// How many.
        len: usize,
    },
    /// `1vvvvvll`: up to 4 registers of a value from 1 to 32.
    Values {
        /// The value of each.
        value: u8,
        /// How many.
        len: usize,
    },
}

/// The bytes of one run or a few.
#[derive(Clone, Copy, Default)]
pub(super) struct RunBytes {
    bytes: [u8; 5],
    len: usize,
}

impl RunBytes {
    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn push(&mut self, run: Run) {
        for &byte in run.bytes().as_slice() {
            self.bytes[self.len] = byte;
            self.len += 1;
        }
    }
}

impl Run {
    /// The run whose bytes begin at `at`; a second byte that is missing reads as zero.
    pub(super) fn at(bytes: &[u8], at: usize) -> Option<Self> {
        let first = *bytes.get(at)?;
        let low = usize::from(first & 0x3f);
        Some(match first >> 6 {
            0 => Self::Zeros { len: low + 1 },
            1 => {
                let second = bytes.get(at + 1).copied().unwrap_or(0);
                Self::ManyZeros { len: (low << 8 | usize::from(second)) + 1 }
            }
            _ => Self::Values { value: (first >> 2 & 0x1f) + 1, len: usize::from(first & 3) + 1 },
        })
    }

    /// How many registers it stands for.
    pub fn len(self) -> usize {
        match self {
            Self::Zeros { len } | Self::ManyZeros { len } | Self::Values { len, .. } => len,
        }
    }

    /// Never: a run has at least one register.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    /// The value of its registers.
    pub fn value(self) -> u8 {
        if let Self::Values { value, .. } = self { value } else { 0 }
    }

    /// Bytes it takes.
    pub fn size(self) -> usize {
        if matches!(self, Self::ManyZeros { .. }) { 2 } else { 1 }
    }

    pub(super) fn bytes(self) -> RunBytes {
        let (first, second) = match self {
            Self::Zeros { len } => (len as u8 - 1, 0),
            Self::ManyZeros { len } => (0x40 | ((len - 1) >> 8) as u8, (len - 1) as u8),
            Self::Values { value, len } => (0x80 | (value - 1) << 2 | (len as u8 - 1), 0),
        };
        RunBytes { bytes: [first, second, 0, 0, 0], len: self.size() }
    }

    /// Fewer registers of the same value.
    fn of_len(self, len: usize) -> Self {
        match self {
            Self::Values { value, .. } => Self::Values { value, len },
            _ if len > ZEROS_MAX => Self::ManyZeros { len },
            _ => Self::Zeros { len },
        }
    }
}

/// Hands out each run with the number of its first register; corrupt unless the runs make up
/// exactly all registers.
pub(super) fn visit(bytes: &[u8], mut visit: impl FnMut(usize, Run)) -> Result<(), Corrupt> {
    let (mut at, mut first) = (HEADER, 0);
    while let Some(run) = Run::at(bytes, at) {
        if first + run.len() > REGISTERS {
            return Err(Corrupt);
        }
        visit(first, run);
        first += run.len();
        at += run.size();
    }
    if first == REGISTERS { Ok(()) } else { Err(Corrupt) }
}

/// Sets a register to a value when it is smaller, and says whether it was.
pub(super) fn raise(
    bytes: &mut Vec<u8>,
    register: usize,
    rank: u8,
    size_max: usize,
) -> Result<bool, Corrupt> {
    if rank > VALUE_MAX {
        return raise_as_dense(bytes, register, rank);
    }
    let (mut at, mut first, mut previous) = (HEADER, 0, HEADER);
    let run = loop {
        let run = Run::at(bytes, at).ok_or(Corrupt)?;
        if register < first + run.len() {
            break run;
        }
        previous = at;
        at += run.size();
        first += run.len();
    };
    if at + run.size() > bytes.len() {
        return Err(Corrupt);
    }
    if run.value() >= rank {
        return Ok(false);
    }
    let raised = Run::Values { value: rank, len: 1 };
    if run.len() == 1 && run.size() == 1 {
        bytes[at] = raised.bytes().as_slice()[0];
    } else {
        let mut split = RunBytes::default();
        let (before, behind) = (register - first, first + run.len() - 1 - register);
        if before > 0 {
            split.push(run.of_len(before));
        }
        split.push(raised);
        if behind > 0 {
            split.push(run.of_len(behind));
        }
        if split.len > run.size() && bytes.len() + split.len - run.size() > size_max {
            return raise_as_dense(bytes, register, rank);
        }
        bytes.splice(at..at + run.size(), split.as_slice().iter().copied());
    }
    join(bytes, previous);
    invalidate(bytes);
    Ok(true)
}

fn raise_as_dense(bytes: &mut Vec<u8>, register: usize, rank: u8) -> Result<bool, Corrupt> {
    to_dense(bytes)?;
    Ok(raise_dense(&mut bytes[HEADER..], register, rank))
}

/// Joins runs of the same value around a change, as far as one run can be long.
fn join(bytes: &mut Vec<u8>, mut at: usize) {
    for _ in 0..JOIN_STEPS {
        let Some(run) = Run::at(bytes, at) else { return };
        if let (Run::Values { value, len }, Some(Run::Values { value: next, len: next_len })) =
            (run, Run::at(bytes, at + 1))
            && value == next
            && len + next_len <= VALUES_MAX
        {
            let joined = Run::Values { value, len: len + next_len };
            bytes[at + 1] = joined.bytes().as_slice()[0];
            bytes.remove(at);
            continue;
        }
        at += run.size();
    }
}
