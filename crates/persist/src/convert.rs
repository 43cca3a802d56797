//! From one form of a data set's file to the other, key by key.
//!
//! Nothing is left out but collections without an element, which no server would load: keys whose
//! time is over are kept, with notes, libraries of functions and what is known of accesses.

use std::collections::BTreeMap;

use keyspace::{ValueRef, ValueView};
use value::{KeyHash, Limits};

use crate::disk::Input;
use crate::form::{Error, Form, Reader, Writer};
use crate::rdb::{self, Item, Key, Out, Rules, Settings};

/// Says what the base of a log is; every file gets a new one.
const AOF_BASE: &[u8] = b"aof-base";
/// Databases up to this number are taken: a server has no more.
const DATABASE_MAX: u64 = i32::MAX as u64;

/// What a file holds, counted before it is converted: the head of RDB needs to know.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Census {
    /// Keys of each database, and how many of them expire.
    pub databases: BTreeMap<u32, (u64, u64)>,
    /// Whether some hash has fields that expire.
    pub has_timed_fields: bool,
}

/// What was converted.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Counts {
    /// Keys.
    pub keys: u64,
    /// Libraries of functions.
    pub functions: u64,
    /// Keys that were left out because they hold nothing.
    pub empty: u64,
}

/// Reads a file of one form.
pub struct Source<'r> {
    reader: Reader<'r>,
}

/// The limits that values are kept by on their way.
pub fn limits() -> Limits {
    Limits::default()
}

impl<'r> Source<'r> {
    /// Looks at the head of a file.
    pub fn open(form: Form, input: Input, limits: &'r Limits) -> Result<Self, Error> {
        let rules = Rules { limits, hasher: KeyHash::new([0; 16]), since_ms: 0 };
        Ok(Self { reader: Reader::new(form, input, Settings::default(), rules)? })
    }

    /// Counts what there is. `progress` learns how many bytes were read.
    pub fn survey(mut self, mut progress: impl FnMut(u64)) -> Result<Census, Error> {
        let (mut census, mut db) = (Census::default(), 0);
        while let Some(item) = self.reader.next_item()? {
            progress(self.reader.position());
            match item {
                Item::Select(number) => db = checked(number)?,
                Item::Key(Key::Live(entry)) => {
                    let (keys, expires) = census.databases.entry(db).or_default();
                    *keys += 1;
                    *expires += u64::from(entry.deadline_ms().is_some());
                    if let ValueRef::Object(ValueView::Hash(hash)) = entry.value() {
                        census.has_timed_fields |= hash.next_due_ms().is_some();
                    }
                }
                _ => {}
            }
        }
        Ok(census)
    }

    /// Writes all of it, and stops once the output has failed.
    pub fn convert<O: Out>(
        mut self,
        census: &Census,
        writer: &mut Writer<O>,
        has_failed: impl Fn(&O) -> bool,
        mut progress: impl FnMut(u64),
    ) -> Result<Counts, Error> {
        let (mut counts, mut untold) = (Counts::default(), census.databases.clone());
        while let Some(item) = self.reader.next_item()? {
            progress(self.reader.position());
            match item {
                Item::Select(number) => {
                    let db = checked(number)?;
                    match untold.remove(&db) {
                        Some((keys, expires)) => writer.database(db, keys, expires),
                        None => writer.select(db),
                    }
                }
                Item::Sizes(..) => {}
                Item::Aux(name, _) if name == AOF_BASE => {}
                Item::Aux(name, value) => writer.aux(&name, &value),
                Item::Function(library) => {
                    counts.functions += 1;
                    writer.function(&library);
                }
                Item::Key(Key::Live(entry)) => {
                    counts.keys += 1;
                    writer.key(&entry, self.reader.usage());
                    if has_failed(writer.out()) {
                        break;
                    }
                }
                Item::Key(Key::Empty(_) | Key::Faded(_)) => counts.empty += 1,
            }
        }
        Ok(counts)
    }
}

fn checked(number: u64) -> Result<u32, Error> {
    match number {
        0..=DATABASE_MAX => Ok(number as u32),
        _ => Err(rdb::Error::Database(number).into()),
    }
}
