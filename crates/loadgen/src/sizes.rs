//! How long values are.

use fastrand::Rng;

/// Longest value, in bytes: what servers take by default.
pub const SIZE_MAX: usize = 512 << 20;

/// A distribution of lengths in bytes.
#[derive(Clone, Debug, PartialEq)]
pub enum Sizes {
    /// Always the same.
    Fixed(usize),
    /// Uniform from the first to the second, both included.
    Between(usize, usize),
    /// Exponential with this mean, rounded; at least 1.
    Exponential(f64),
    /// Lengths, each with the sum of the weights up to it.
    Weighted(Vec<(usize, u64)>),
}

impl Sizes {
    /// Reads `100`, `10-1000`, `exp:200` or `64:90,4096:10`.
    ///
    /// # Errors
    /// What is wrong with the text.
    pub fn parse(text: &str) -> Result<Sizes, String> {
        let wrong = || format!("'{text}' is no size, range A-B, exp:MEAN or list SIZE:WEIGHT,...");
        let size = |text: &str| match text.parse::<usize>() {
            Ok(size) if size <= SIZE_MAX => Ok(size),
            _ => Err(wrong()),
        };
        if let Some(mean) = text.strip_prefix("exp:") {
            let mean: f64 = mean.parse().map_err(|_| wrong())?;
            let possible = mean.is_finite() && mean >= 1.0 && mean <= SIZE_MAX as f64;
            return if possible { Ok(Sizes::Exponential(mean)) } else { Err(wrong()) };
        }
        if let Some((low, high)) = text.split_once('-') {
            let (low, high) = (size(low)?, size(high)?);
            return if low <= high { Ok(Sizes::Between(low, high)) } else { Err(wrong()) };
        }
        if !text.contains(':') {
            return size(text).map(Sizes::Fixed);
        }
        let mut list = Vec::new();
        let mut sum = 0u64;
        for item in text.split(',') {
            let (length, weight) = item.split_once(':').ok_or_else(wrong)?;
            let weight: u32 = weight.parse().map_err(|_| wrong())?;
            sum += u64::from(weight);
            list.push((size(length)?, sum));
        }
        if sum == 0 { Err(wrong()) } else { Ok(Sizes::Weighted(list)) }
    }

    /// The next length.
    pub fn next(&self, random: &mut Rng) -> usize {
        match self {
            Sizes::Fixed(size) => *size,
            Sizes::Between(low, high) => random.usize(*low..=*high),
            Sizes::Exponential(mean) => {
                let drawn = -(1.0 - random.f64()).ln() * mean;
                (drawn.round() as usize).clamp(1, SIZE_MAX)
            }
            Sizes::Weighted(list) => {
                let place = random.u64(0..list.last().map_or(1, |last| last.1));
                list.iter().find(|(_, sum)| place < *sum).map_or(0, |(size, _)| *size)
            }
        }
    }

    /// The length, if it never changes.
    pub fn fixed(&self) -> Option<usize> {
        match self {
            Sizes::Fixed(size) => Some(*size),
            _ => None,
        }
    }
}

/// `size` printable bytes, the same ones each time.
pub fn data(size: usize) -> Vec<u8> {
    let mut random = Rng::with_seed(1234);
    // Sixty-four characters from the zero on, as the classic tool has them.
    (0..size).map(|_| b'0' + random.u8(0..64)).collect()
}

#[cfg(test)]
mod tests;
