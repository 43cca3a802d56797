//! The payload of DUMP and RESTORE: a type, a value, the version and a checksum.

use keyspace::{NewValue, ValueRef, ValueView};

use super::code::{kind, opcode};
use super::crc64::crc64;
use super::decode::{Decoder, Loaded, Rules};
use super::encode::{Encoder, Style};
use super::source::{Slice, Source};
use super::{Error, code, read};
use crate::snapshot::Place;

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
    let mut place = Place::of_value(value);
    place.kind = encoder.kind_of(value, &place);
    encoder.byte(place.kind);
    encoder.value(value, &mut place);
    sealed(encoder.out, version)
}

/// The payload of libraries of functions, each by its code.
pub fn dump_functions<'c>(codes: impl Iterator<Item = &'c [u8]>, style: Style) -> Vec<u8> {
    let version = style.version_for(false);
    let mut encoder = Encoder::new(Vec::new(), version, style.compress);
    for code in codes {
        encoder.byte(opcode::FUNCTION);
        encoder.string(code);
    }
    sealed(encoder.out, version)
}

fn sealed(mut payload: Vec<u8>, version: u16) -> Vec<u8> {
    payload.extend_from_slice(&version.to_le_bytes());
    let checksum = crc64(&payload);
    payload.extend_from_slice(&checksum.to_le_bytes());
    payload
}

/// The codes of the libraries in a payload. The error is what a client is told.
pub fn restore_functions(
    payload: &[u8],
    settings: read::Settings,
    rules: Rules<'_>,
) -> Result<Vec<Vec<u8>>, &'static str> {
    let body = checked(payload, settings).ok_or("DUMP payload version or checksum are wrong")?.0;
    let mut decoder = Decoder::new(Slice::new(body), rules);
    let mut codes = Vec::new();
    while decoder.position() < body.len() as u64 {
        match decoder.byte() {
            Ok(opcode::FUNCTION) => {}
            Ok(opcode::FUNCTION_OLD) => return Err("Pre-GA function format not supported"),
            Ok(_) => return Err("given type is not a function"),
            Err(_) => return Err("can not read data type"),
        }
        let code = decoder.string().map_err(|_| "failed loading the given functions payload")?;
        codes.push(code.to_vec());
    }
    Ok(codes)
}

/// What stands before the footer of a payload that is intact, and the version.
fn checked(payload: &[u8], settings: read::Settings) -> Option<(&[u8], u16)> {
    let (body, footer) = payload.split_last_chunk::<FOOTER>()?;
    let [low, high, checksum @ ..] = *footer;
    let version = u16::from_le_bytes([low, high]);
    let said = u64::from_le_bytes(checksum);
    // Redis 8.10 logs hashes that it imports in payloads without a checksum.
    let is_left_out = said == 0 && (code::REDIS_RAW_MIN..=code::REDIS_END).contains(&version);
    let is_intact = || is_left_out || crc64(&payload[..payload.len() - 8]) == said;
    let is_good =
        read::is_known(version.into(), settings.relaxed) && (!settings.checksum || is_intact());
    is_good.then_some((body, version))
}

/// Reads a payload and hands `work` what came of it.
pub fn restore<R>(
    payload: &[u8],
    settings: read::Settings,
    rules: Rules<'_>,
    work: impl FnOnce(Restored<'_>) -> R,
) -> R {
    let Some((body, version)) = checked(payload, settings) else {
        return work(Restored::Unchecked);
    };
    let mut decoder = Decoder::new(Slice::new(body), rules);
    let is_valkey = version > code::REDIS_END;
    decoder.set_dialect(is_valkey);
    let kind = match decoder.kind_behind_metadata(is_valkey) {
        Ok(kind) => kind,
        Err(error) => return work(Restored::Bad(error)),
    };
    if is_foreign(kind, version) {
        return work(Restored::Foreign(kind));
    }
    if !is_valkey && is_of_file(kind) {
        let what = "hash of a template that only a file can tell of";
        return work(Restored::Bad(Error::Corrupt { at: 1, of: "", what }));
    }
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
    is_redis && kind > kind::HASH_TEMPLATE_ARRAY_REF
}

/// Whether values of a type lean on what stands elsewhere in a file.
fn is_of_file(kind: u8) -> bool {
    matches!(kind, kind::HASH_TEMPLATE_LISTPACK_REF | kind::HASH_TEMPLATE_ARRAY_REF)
}

impl Decoder<'_, Slice<'_>> {
    /// The type of a value, in front of which modules may have said something of the key.
    fn kind_behind_metadata(&mut self, is_valkey: bool) -> Result<u8, Error> {
        match self.byte()? {
            opcode::KEY_META if !is_valkey => {
                self.metadata()?;
                self.byte()
            }
            kind => Ok(kind),
        }
    }

    /// How many bytes were read.
    pub fn position(&self) -> u64 {
        self.source().position()
    }
}
