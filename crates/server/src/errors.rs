//! Errors by their code word, for INFO's errorstats.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// Most different code words that are counted; a script can make up any number of them.
const WORDS_MAX: usize = 128;

/// See the module's text.
#[derive(Default, Debug)]
pub struct ErrorCounts {
    counts: Mutex<BTreeMap<String, u64>>,
}

impl ErrorCounts {
    /// Counts an error line, which begins with `-`.
    pub fn count(&self, line: &[u8]) {
        let line = line.strip_prefix(b"-").unwrap_or(line);
        let end = line.iter().position(|byte| matches!(byte, b' ' | b'\r' | b'\n'));
        let word = String::from_utf8_lossy(&line[..end.unwrap_or(line.len())]).into_owned();
        let mut counts = self.counts.lock();
        if counts.len() < WORDS_MAX || counts.contains_key(&word) {
            *counts.entry(word).or_insert(0) += 1;
        }
    }

    /// All counts, in the order of the words.
    pub fn all(&self) -> Vec<(String, u64)> {
        self.counts.lock().iter().map(|(word, count)| (word.clone(), *count)).collect()
    }

    /// Forgets all.
    pub fn reset(&self) {
        self.counts.lock().clear();
    }
}
