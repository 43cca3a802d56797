//! Whether entries of a listpack from outside are all different.

use std::collections::HashSet;

use super::Listpack;

#[cfg(test)]
mod tests;

/// So few entries are compared one by one.
const FEW: usize = 16;

/// Whether every `step`th entry differs from all others of them. As each stands in the only way
/// that it may be spelled, its bytes tell.
pub(crate) fn are_distinct(pack: &Listpack, step: usize) -> bool {
    let (mut few, mut words, mut count) = ([&[][..]; FEW], [0; FEW], 0);
    for entry in pack.spelled().step_by(step) {
        if count == FEW {
            let mut seen = HashSet::new();
            return pack.spelled().step_by(step).all(|entry| seen.insert(entry));
        }
        let word = word_of(entry);
        let is_same = |(other, before): (&u64, &&[u8])| *other == word && *before == entry;
        if words[..count].iter().zip(&few[..count]).any(is_same) {
            return false;
        }
        (few[count], words[count]) = (entry, word);
        count += 1;
    }
    true
}

/// Equal entries have equal words, and those of others mostly differ. Entries have two bytes at
/// least.
#[inline]
fn word_of(entry: &[u8]) -> u64 {
    if let Some(bytes) = entry.first_chunk::<8>() {
        return u64::from_le_bytes(*bytes);
    }
    match (entry.first_chunk::<4>(), entry.last_chunk::<4>()) {
        (Some(first), Some(last)) => {
            u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last))
        }
        _ => u64::from(entry[0]) << 8 | u64::from(entry[entry.len() / 2]),
    }
}
