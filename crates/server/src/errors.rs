//! Errors by their code word, for INFO's errorstats.

use std::collections::BTreeMap;

use parking_lot::Mutex;

/// Most different code words that are counted apart; a script can make up any number of them.
const WORDS_MAX: usize = 128;

/// What further words are counted under.
const OVERFLOW: &str = "ERRORSTATS_OVERFLOW";

/// The words that the server itself uses: these are counted apart however many others there are.
const OWN: &[&str] = &[
    "ASK",
    "BUSY",
    "BUSYGROUP",
    "BUSYKEY",
    "CLUSTERDOWN",
    "CROSSSLOT",
    "DENIED",
    "ERR",
    "EXECABORT",
    "INPROG",
    "INVALIDOBJ",
    "IOERR",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "MOVED",
    "NOADDR",
    "NOAUTH",
    "NOGOODSLAVE",
    "NOGROUP",
    "NOMASTERLINK",
    "NOPERM",
    "NOPROTO",
    "NOREPLICAS",
    "NOSCRIPT",
    "NOTBUSY",
    "NOTREADY",
    "OOM",
    "READONLY",
    "TRYAGAIN",
    "UNBLOCKED",
    "UNKILLABLE",
    "WRONGPASS",
    "WRONGTYPE",
];

/// See the module's text.
#[derive(Default, Debug)]
pub struct ErrorCounts {
    counts: Mutex<BTreeMap<String, u64>>,
}

impl ErrorCounts {
    /// Counts an error line, which begins with `-`.
    pub fn count(&self, line: &[u8]) {
        let word = code_word(line);
        let mut counts = self.counts.lock();
        if let Some(count) = counts.get_mut(&*word) {
            *count += 1;
        } else if counts.len() < WORDS_MAX || OWN.contains(&&*word) {
            counts.insert(word.into_owned(), 1);
        } else {
            *counts.entry(OVERFLOW.to_owned()).or_insert(0) += 1;
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

/// The first word of an error line; what would break INFO's format is replaced in it.
fn code_word(line: &[u8]) -> std::borrow::Cow<'_, str> {
    let line = line.strip_prefix(b"-").unwrap_or(line);
    let end = line.iter().position(|byte| matches!(byte, b' ' | b'\r' | b'\n'));
    let word = String::from_utf8_lossy(&line[..end.unwrap_or(line.len())]);
    if word.contains(['#', ':']) { word.replace(['#', ':'], "_").into() } else { word }
}

#[cfg(test)]
mod tests;
