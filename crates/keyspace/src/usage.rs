//! What an entry remembers of its use: 24 bits of its header, whose meaning the eviction policy
//! chooses.
//!
//! ```text
//! clock, modified   24 bits: seconds of the last use, or of the last change
//! frequency         16 bits: minutes of the last use | 8 bits: logarithmic counter
//! recurrence        1 bit: young | 2 bits: uses
//! ```
//!
//! A word that was written under another policy is read as if it were this one's: it is wrong until
//! the key is used again, and nothing worse. The logarithmic counter is that of Redis ("Using Redis
//! as an LRU cache", 2016), so that OBJECT FREQ and `lfu-*` mean what they mean there.

/// Bits of the word.
pub const MASK: u32 = 0x00ff_ffff;
/// What the counter of a new key begins with, so that it is not the next one to go.
const COUNTER_FIRST: u32 = 5;
/// Most uses that are told apart.
const USES_MAX: u32 = 3;
const YOUNG: u32 = 1 << 2;

/// What the word of an entry means.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[repr(u8)]
pub enum Usage {
    /// When it was used last.
    #[default]
    Clock,
    /// When it was changed last.
    Modified,
    /// How often it is used: a counter that grows with the logarithm of the uses and fades with
    /// time.
    Frequency,
    /// How often it was used since it was looked at last, up to a few times, and whether it is
    /// young.
    Recurrence,
}

/// What the configuration says of how uses are remembered.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Terms {
    /// The meaning of the word.
    pub usage: Usage,
    /// `lfu-log-factor`: how much harder every step of the counter is than the one before.
    pub log_factor: u32,
    /// `lfu-decay-time`: minutes after which the counter loses one; 0 is never.
    pub decay_minutes: u32,
}

impl Default for Terms {
    fn default() -> Self {
        Self { usage: Usage::Clock, log_factor: 10, decay_minutes: 1 }
    }
}

/// The time of a command, and what a use at that time leaves in an entry.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Stamp {
    /// Unix milliseconds.
    pub now_ms: i64,
    /// The word of a new entry.
    pub access: u32,
    /// Minutes after which a counter loses one; 0 is never.
    decay_minutes: u16,
    /// Counters below this grow by a use.
    ceiling: u8,
    usage: Usage,
}

impl Stamp {
    /// The stamp of a moment in Unix milliseconds, where the word is a clock.
    pub const fn at(now_ms: i64) -> Self {
        let access = (now_ms / 1000) as u32 & MASK;
        Self { now_ms, access, decay_minutes: 0, ceiling: 0, usage: Usage::Clock }
    }

    /// The stamp of a moment in Unix milliseconds; `draw` gives a random number.
    #[inline]
    pub fn new(now_ms: i64, terms: &Terms, draw: impl FnOnce() -> f64) -> Self {
        if matches!(terms.usage, Usage::Clock | Usage::Modified) {
            return Self { usage: terms.usage, ..Self::at(now_ms) };
        }
        Self::counting(now_ms, terms, draw())
    }

    #[cold]
    fn counting(now_ms: i64, terms: &Terms, draw: f64) -> Self {
        let plain = Self { usage: terms.usage, ..Self::at(now_ms) };
        if terms.usage == Usage::Recurrence {
            return Self { access: YOUNG, ..plain };
        }
        // A counter c grows with the probability 1 / ((c - 5) * factor + 1): it does for all c
        // below a bound that the random number gives.
        let above = (1.0 / draw.max(1e-12) - 1.0) / f64::from(terms.log_factor.max(1));
        let bound = f64::from(COUNTER_FIRST) + above.ceil().max(1.0);
        let ceiling = if terms.log_factor == 0 { 255 } else { bound.min(255.0) as u8 };
        Self {
            access: counter_word(now_ms, COUNTER_FIRST as u8),
            decay_minutes: terms.decay_minutes.min(u32::from(u16::MAX)) as u16,
            ceiling,
            ..plain
        }
    }

    /// The meaning of words.
    #[inline]
    pub fn usage(&self) -> Usage {
        self.usage
    }

    /// The word after a use, from the one before.
    #[inline]
    pub fn used(&self, word: u32) -> u32 {
        if self.usage == Usage::Clock { self.access } else { self.used_otherwise(word) }
    }

    /// The word after a change, from the one before.
    #[inline]
    pub fn changed(&self, word: u32) -> u32 {
        if self.usage == Usage::Clock { self.access } else { self.changed_otherwise(word) }
    }

    #[cold]
    fn changed_otherwise(&self, word: u32) -> u32 {
        if self.usage == Usage::Modified { self.access } else { self.used_otherwise(word) }
    }

    #[cold]
    fn used_otherwise(&self, word: u32) -> u32 {
        match self.usage {
            Usage::Clock => self.access,
            Usage::Modified => word,
            Usage::Frequency => {
                let counter = self.counter(word);
                counter_word(self.now_ms, counter + u8::from(counter < self.ceiling))
            }
            Usage::Recurrence => {
                let uses = (word & USES_MAX) + 1;
                word & !USES_MAX | uses.min(USES_MAX)
            }
        }
    }

    /// Seconds since the use, or the change, that a clock word tells of.
    pub fn idle_s(&self, word: u32) -> u32 {
        ((self.now_ms / 1000) as u32).wrapping_sub(word) & MASK
    }

    /// The logarithmic counter of a word, faded to the present.
    pub fn counter(&self, word: u32) -> u8 {
        let elapsed = (minutes_of(self.now_ms)).wrapping_sub(word >> 8) & 0xffff;
        let periods = elapsed.checked_div(u32::from(self.decay_minutes)).unwrap_or(0);
        (word & 0xff).saturating_sub(periods) as u8
    }
}

/// The uses that a word tells of.
pub(crate) fn uses(word: u32) -> u32 {
    word & USES_MAX
}

/// The word of a key that is not young any more.
pub(crate) fn grown(word: u32) -> u32 {
    word & USES_MAX
}

/// The word of a key that is not young and was here not long ago.
pub(crate) const KNOWN: u32 = 1;

/// The word of a key that was looked at and stays, with one use less, or as if it were not young;
/// `None` when the key is to go.
pub(crate) fn spared(word: u32) -> Option<u32> {
    if word & YOUNG != 0 { Some(grown(word)) } else { uses(word).checked_sub(1) }
}

/// The word of an entry whose counter is known, at a time in Unix milliseconds.
pub fn counter_word(now_ms: i64, counter: u8) -> u32 {
    minutes_of(now_ms) << 8 | u32::from(counter)
}

fn minutes_of(now_ms: i64) -> u32 {
    (now_ms / 60_000) as u32 & 0xffff
}

#[cfg(test)]
mod tests;
