//! The payload of DUMP and RESTORE: a type, a value, the version and a checksum.

use keyspace::{NewValue, ValueRef, ValueView};

use super::crc64::crc64;
use super::decode::{Decoder, Loaded, Rules};
use super::encode::{Encoder, Style};
use super::source::{Slice, Source};
use super::{Error, code, read};

/// Bytes of the version and the checksum.
const FOOTER: usize = 10;

/// What came of a payload.
pub enum Restored<'a> {
    /// A value.
    Value(NewValue<'a>),
    /// The version is not known, or the checksum does not fit.
    Unchecked,
    /// The value makes no sense.
    Bad(Error),
    /// A type that this version gives another meaning, or none.
    Foreign(u8),
}

/// The payload of a value.
pub fn dump(value: &ValueRef<'_>, style: Style) -> Vec<u8> {
    let has_timed_fields = matches!(
        value,
        ValueRef::Object(ValueView::Hash(hash)) if hash.next_due_ms().is_some()
    );
    let version = style.version_for(has_timed_fields);
    let mut encoder = Encoder::new(Vec::new(), version, style.compress);
    let kind = encoder.kind_of(value);
    encoder.byte(kind);
    encoder.value(kind, value);
    let mut payload = encoder.out;
    payload.extend_from_slice(&version.to_le_bytes());
    let checksum = crc64(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// Reads a payload and hands `work` what came of it.
pub fn restore<R>(
    payload: &[u8],
    settings: read::Settings,
    rules: Rules<'_>,
    work: impl FnOnce(Restored<'_>) -> R,
) -> R {
    let Some((body, footer)) = payload.split_last_chunk::<FOOTER>() else {
        return work(Restored::Unchecked);
    };
    let [low, high, checksum @ ..] = *footer;
    let version = u16::from_le_bytes([low, high]);
    let is_intact = || crc64(&payload[..payload.len() - 8]) == u64::from_le_bytes(checksum);
    if !read::is_known(version.into(), settings.relaxed) || settings.checksum && !is_intact() {
        return work(Restored::Unchecked);
    }
    let Some((&kind, value)) = body.split_first() else {
        return work(Restored::Bad(Error::Short { at: 0 }));
    };
    if is_foreign(kind, version) {
        return work(Restored::Foreign(kind));
    }
    let mut decoder = Decoder::new(Slice::new(value), rules);
    decoder.set_dialect(version > code::REDIS_END);
    let result = match decoder.value(kind) {
        Ok(Loaded::Value(value)) => Restored::Value(value),
        Ok(Loaded::Empty | Loaded::Faded) => {
            Restored::Bad(Error::Corrupt { at: 1, of: "", what: "empty collection" })
        }
        Err(error) => Restored::Bad(error),
    };
    work(result)
}

/// Whether a type does not exist in a dialect.
fn is_foreign(kind: u8, version: u16) -> bool {
    let is_redis = (code::REDIS_MIN..=code::REDIS_END).contains(&version);
    is_redis && kind > code::kind::ARRAY
}

impl Decoder<'_, Slice<'_>> {
    /// How many bytes were read.
    pub fn position(&self) -> u64 {
        self.source().position()
    }
}
