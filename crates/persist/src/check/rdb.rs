//! The check of an RDB file: every byte is looked at as loading would do it.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::Path;

use value::{KeyHash, Limits};

use super::system_text;
use crate::disk::Input;
use crate::rdb::code::kind_name;
use crate::rdb::{Error, Item, Key, Reader, Rules, Settings, Source};

#[cfg(test)]
mod tests;

/// What was counted.
#[derive(Default)]
struct Counts {
    keys: u64,
    expires: u64,
    expired: u64,
    functions: u64,
    kinds: BTreeMap<&'static str, Kind>,
}

/// What was counted of one form of values. Bytes are those in the file, with key and expiry.
#[derive(Default)]
struct Kind {
    keys: u64,
    bytes: u64,
    /// The largest: its bytes, where it begins, and its key.
    largest: (u64, u64, Vec<u8>),
}

impl Kind {
    fn add(&mut self, from: u64, to: u64, key: &[u8]) {
        let bytes = to - from;
        self.keys += 1;
        self.bytes += bytes;
        if bytes > self.largest.0 {
            self.largest = (bytes, from, key.to_vec());
        }
    }
}

/// Checks an RDB file and tells of it; whether all is well. `now_ms` is the time in Unix
/// milliseconds, by which keys count as expired.
pub fn rdb(path: &Path, now_ms: i64, out: &mut impl Write) -> io::Result<bool> {
    writeln!(out, "[offset 0] Checking RDB file {}", path.display())?;
    let input = match Input::open(path, true) {
        Ok(Some(input)) => input,
        Ok(None) => return cannot_open(out, "No such file or directory"),
        Err(error) => return cannot_open(out, &system_text(&error)),
    };
    let limits = Limits::default();
    let rules = Rules { limits: &limits, hasher: KeyHash::new([0; 16]), since_ms: 0 };
    let mut reader = match Reader::new(input, Settings::default(), rules) {
        Ok(reader) => reader,
        Err(error) => {
            writeln!(out, "--- RDB ERROR DETECTED ---\n[offset 0] {error}")?;
            return Ok(false);
        }
    };
    let failed = look(&mut reader, now_ms, out)?;
    Ok(failed.is_none())
}

/// Reads to the end of the data set and tells of it; what is wrong with it.
pub(super) fn look<S: Source>(
    reader: &mut Reader<'_, S>,
    now_ms: i64,
    out: &mut impl Write,
) -> io::Result<Option<Error>> {
    let mut counts = Counts::default();
    let failed = loop {
        let from = reader.position();
        match reader.next_item() {
            Ok(Some(item)) => {
                if let (Item::Key(_), Some((key, kind))) = (&item, reader.last_key()) {
                    let kind = kind_name(kind, reader.version().1);
                    counts.kinds.entry(kind).or_default().add(from, reader.position(), key);
                }
                tell(&item, reader.position(), now_ms, &mut counts, out)?;
            }
            Ok(None) => break None,
            Err(error) => break Some(error),
        }
    };
    match &failed {
        None => {
            let end = reader.position();
            writeln!(out, "[offset {end}] Checksum OK")?;
            writeln!(out, "[offset {end}] \\o/ RDB looks OK! \\o/")?;
        }
        Some(error) => {
            let (key, is_valkey) = (reader.last_key(), reader.version().1);
            tell_of_error(error, reader.position(), key, is_valkey, out)?;
        }
    }
    counts.tell(out)?;
    Ok(failed)
}

fn cannot_open(out: &mut impl Write, text: &str) -> io::Result<bool> {
    writeln!(out, "Cannot open file: {text}")?;
    Ok(false)
}

fn tell(
    item: &Item,
    offset: u64,
    now_ms: i64,
    counts: &mut Counts,
    out: &mut impl Write,
) -> io::Result<()> {
    match item {
        Item::Aux(name, value) => {
            let (name, value) = (name.escape_ascii(), value.escape_ascii());
            writeln!(out, "[offset {offset}] AUX FIELD {name} = '{value}'")?;
        }
        Item::Select(db) => writeln!(out, "[offset {offset}] Selecting DB ID {db}")?,
        Item::Sizes(..) => {}
        Item::Function(_) => counts.functions += 1,
        Item::Key(key) => {
            counts.keys += 1;
            if let Key::Live(entry) = key {
                counts.expires += u64::from(entry.deadline_ms().is_some());
                counts.expired += u64::from(entry.is_over(now_ms));
            }
        }
    }
    Ok(())
}

fn tell_of_error(
    error: &Error,
    offset: u64,
    key: Option<(&[u8], u8)>,
    is_valkey: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "--- RDB ERROR DETECTED ---\n[offset {offset}] {error}")?;
    if let Some((key, kind)) = key {
        let name = kind_name(kind, is_valkey);
        writeln!(out, "[additional info] Reading key '{}'", key.escape_ascii())?;
        writeln!(out, "[additional info] Reading type {kind} ({name})")?;
    }
    Ok(())
}

impl Counts {
    fn tell(&self, out: &mut impl Write) -> io::Result<()> {
        writeln!(out, "[info] {} keys read", self.keys)?;
        writeln!(out, "[info] {} expires", self.expires)?;
        writeln!(out, "[info] {} already expired", self.expired)?;
        writeln!(out, "[info] {} functions", self.functions)?;
        for (name, kind) in &self.kinds {
            let (keys, bytes, (largest, at, key)) = (kind.keys, kind.bytes, &kind.largest);
            let key = key.escape_ascii();
            writeln!(
                out,
                "[info] {keys} of type {name}, {bytes} bytes; the largest has {largest}, at offset \
                 {at}: '{key}'"
            )?;
        }
        Ok(())
    }
}
