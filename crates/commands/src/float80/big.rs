//! Natural numbers of any size, as far as reading and printing 80-bit numbers needs them.
//!
//! They have at most some 35 000 bits, and the common numbers never come here; so the plain
//! algorithms are good enough. Invariant: the last limb is not zero.

use std::cmp::Ordering;

/// A natural number, lowest limb first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Big(Vec<u32>);

impl From<u128> for Big {
    fn from(mut value: u128) -> Self {
        let mut limbs = Vec::new();
        while value != 0 {
            limbs.push(value as u32);
            value >>= 32;
        }
        Self(limbs)
    }
}

impl Big {
    /// From decimal digits, which are ASCII.
    pub(super) fn from_digits(digits: &[u8]) -> Self {
        let mut number = Self(Vec::with_capacity(digits.len() / 9 + 1));
        for chunk in digits.chunks(9) {
            let value = chunk.iter().fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
            number.multiply_add(10u32.pow(chunk.len() as u32), value);
        }
        number
    }

    /// How many bits it has; none for zero.
    pub(super) fn bits(&self) -> u32 {
        match self.0.last() {
            Some(top) => self.0.len() as u32 * 32 - top.leading_zeros(),
            None => 0,
        }
    }

    /// Its lowest 128 bits.
    pub(super) fn low_bits(&self) -> u128 {
        self.0.iter().take(4).rev().fold(0, |value, limb| value << 32 | u128::from(*limb))
    }

    /// Multiplies by a power of five.
    pub(super) fn multiply_by_five_to(&mut self, mut power: u32) {
        /// The largest power of five that fits into a limb.
        const STEP: u32 = 13;
        while power > 0 {
            let step = power.min(STEP);
            self.multiply_add(5u32.pow(step), 0);
            power -= step;
        }
    }

    /// Multiplies by a power of two.
    pub(super) fn shift_left(&mut self, bits: u32) {
        if self.0.is_empty() {
            return;
        }
        self.multiply_add(1 << (bits % 32), 0);
        self.0.splice(0..0, std::iter::repeat_n(0, bits as usize / 32));
    }

    /// Divides by a power of two; true when the remainder is not zero.
    pub(super) fn shift_right(&mut self, bits: u32) -> bool {
        let limbs = (bits as usize / 32).min(self.0.len());
        let mut lost = self.0.drain(..limbs).any(|limb| limb != 0);
        let bits = bits % 32;
        let mut carry = 0u32;
        for limb in self.0.iter_mut().rev() {
            let wide = u64::from(carry) << 32 | u64::from(*limb);
            carry = *limb & ((1 << bits) - 1);
            *limb = (wide >> bits) as u32;
        }
        lost |= carry != 0;
        self.trim();
        lost
    }

    /// The quotient, which must have fewer than `bits` bits (128 at most), and whether the
    /// remainder is not zero.
    pub(super) fn divide(mut self, divisor: &Self, bits: u32) -> (u128, bool) {
        let mut step = divisor.clone();
        step.shift_left(bits);
        let mut quotient = 0;
        for _ in 0..=bits {
            quotient <<= 1;
            if self.compare(&step) != Ordering::Less {
                self.subtract(&step);
                quotient |= 1;
            }
            step.shift_right(1);
        }
        (quotient, !self.0.is_empty())
    }

    /// Appends it in decimal.
    pub(super) fn write_decimal(mut self, out: &mut Vec<u8>) {
        /// The largest power of ten that fits into a limb.
        const STEP: u32 = 1_000_000_000;
        let start = out.len();
        while !self.0.is_empty() {
            let mut chunk = self.divide_small(STEP);
            for _ in 0..9 {
                out.push(b'0' + (chunk % 10) as u8);
                chunk /= 10;
            }
        }
        let zeros = out[start..].iter().rev().take_while(|digit| **digit == b'0').count();
        out.truncate(out.len() - zeros);
        if out.len() == start {
            out.push(b'0');
        }
        out[start..].reverse();
    }

    fn multiply_add(&mut self, factor: u32, summand: u32) {
        let mut carry = u64::from(summand);
        for limb in &mut self.0 {
            let wide = u64::from(*limb) * u64::from(factor) + carry;
            *limb = wide as u32;
            carry = wide >> 32;
        }
        if carry != 0 {
            self.0.push(carry as u32);
        }
    }

    /// Divides and returns the remainder.
    fn divide_small(&mut self, divisor: u32) -> u32 {
        let mut rest = 0u64;
        for limb in self.0.iter_mut().rev() {
            let wide = rest << 32 | u64::from(*limb);
            *limb = (wide / u64::from(divisor)) as u32;
            rest = wide % u64::from(divisor);
        }
        self.trim();
        rest as u32
    }

    fn compare(&self, other: &Self) -> Ordering {
        let lengths = self.0.len().cmp(&other.0.len());
        lengths.then_with(|| self.0.iter().rev().cmp(other.0.iter().rev()))
    }

    /// Subtracts what is not larger.
    fn subtract(&mut self, other: &Self) {
        let mut borrow = false;
        for (at, limb) in self.0.iter_mut().enumerate() {
            let (less, first) = limb.overflowing_sub(other.0.get(at).copied().unwrap_or(0));
            let (less, second) = less.overflowing_sub(u32::from(borrow));
            *limb = less;
            borrow = first || second;
        }
        self.trim();
    }

    fn trim(&mut self) {
        let used = self.0.iter().rposition(|limb| *limb != 0).map_or(0, |last| last + 1);
        self.0.truncate(used);
    }
}
