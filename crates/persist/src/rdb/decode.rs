//! From bytes to values.

use std::collections::BTreeMap;

use keyspace::{NewValue, Value};
use value::compact::lzf::decompress;
use value::compact::{Corrupt, Intset, Listpack};
use value::number::{Text, parse_i64};
use value::set::Set;
use value::{KeyHash, Limits};

use super::Error;
use super::code::{kind, length, string};
use super::source::Source;

mod array;
mod hash;
mod list;
mod module;
mod old;
mod stream;
mod template;
mod zset;

pub(super) use module::module_name;
use template::Names;

/// What the nodes of streams are called in messages.
const STREAM_PACK: &str = "Stream listpack";
/// The longest string that is taken.
const STRING_MAX: u64 = u32::MAX as u64 / 2;

/// What values are made by.
#[derive(Clone, Copy)]
pub struct Rules<'a> {
    /// Where small forms end.
    pub limits: &'a Limits,
    /// The hash function of tables.
    pub hasher: KeyHash,
    /// Fields whose time was over by then are left out; 0 keeps all. Unix milliseconds.
    pub since_ms: i64,
}

impl<'a> Rules<'a> {
    pub(crate) fn of_set(&self) -> value::set::Rules<'a> {
        value::set::Rules { limits: self.limits, hash: self.hasher }
    }

    pub(crate) fn of_hash(&self) -> value::hash::Rules<'a> {
        value::hash::Rules { limits: self.limits, hasher: self.hasher }
    }

    pub(crate) fn of_zset(&self) -> value::zset::Form<'_> {
        value::zset::Form { limits: self.limits, hash: &self.hasher }
    }
}

/// What stood in the place of a value.
#[derive(Debug)]
pub enum Loaded<'a> {
    /// A value.
    Value(NewValue<'a>),
    /// A collection without an element, which some servers wrote by mistake.
    Empty,
    /// A hash whose fields have all expired.
    Faded,
}

/// Reads values.
pub struct Decoder<'r, S> {
    source: S,
    rules: Rules<'r>,
    is_valkey: bool,
    /// The compact form that is being read, for messages.
    of: &'static str,
    /// What a compressed string stands for.
    unpacked: Vec<u8>,
    /// The first string of a pair.
    first: Vec<u8>,
    number: Text,
    /// The templates of hashes that the file has told of.
    templates: BTreeMap<u64, Names>,
}

/// Where a string that was read stands.
#[derive(Clone, Copy)]
enum Place {
    /// It is the text of a number.
    Int(i64),
    /// Where it came from.
    Source,
    /// Where it was unpacked.
    Unpacked,
}

impl<'r, S: Source> Decoder<'r, S> {
    /// A reader of what `source` gives.
    pub fn new(source: S, rules: Rules<'r>) -> Self {
        Self {
            source,
            rules,
            is_valkey: false,
            of: "",
            unpacked: Vec::new(),
            first: Vec::new(),
            number: Text::new(),
            templates: BTreeMap::new(),
        }
    }

    /// Valkey's dialect and Redis's have another meaning for the same type.
    pub(super) fn set_dialect(&mut self, is_valkey: bool) {
        self.is_valkey = is_valkey;
    }

    /// Where the bytes come from.
    pub(super) fn source(&self) -> &S {
        &self.source
    }

    pub(super) fn into_source(self) -> S {
        self.source
    }

    pub(super) fn source_mut(&mut self) -> &mut S {
        &mut self.source
    }

    pub(super) fn corrupt<T>(&self, what: &'static str) -> Result<T, Error> {
        // Most of a stream stands beside its listpacks.
        let of = if self.of == STREAM_PACK { "" } else { self.of };
        Err(Error::Corrupt { at: self.source.position(), of, what })
    }

    fn refuse<T>(&self, corrupt: Corrupt) -> Result<T, Error> {
        Err(Error::Corrupt { at: self.source.position(), of: self.of, what: corrupt.what })
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.source.take(N)?;
        Ok(self.source.taken().try_into().expect("as many bytes as were asked for"))
    }

    pub(super) fn byte(&mut self) -> Result<u8, Error> {
        Ok(self.array::<1>()?[0])
    }

    pub(super) fn time_ms(&mut self) -> Result<i64, Error> {
        Ok(i64::from_le_bytes(self.array()?))
    }

    /// A length, or the encoding of a string.
    fn length_or_encoding(&mut self) -> Result<Result<u64, u8>, Error> {
        let first = self.byte()?;
        let low = first & 0x3f;
        Ok(Ok(match first >> 6 {
            length::SHORT => low.into(),
            length::MIDDLE => u64::from(low) << 8 | u64::from(self.byte()?),
            length::SPECIAL => return Ok(Err(low)),
            _ if first == length::FOUR => u32::from_be_bytes(self.array()?).into(),
            _ if first == length::EIGHT => u64::from_be_bytes(self.array()?),
            _ => return self.corrupt("unknown form of a length"),
        }))
    }

    pub(super) fn length(&mut self) -> Result<u64, Error> {
        match self.length_or_encoding()? {
            Ok(len) => Ok(len),
            Err(_) => self.corrupt("encoded string in the place of a length"),
        }
    }

    fn string_length(&mut self) -> Result<usize, Error> {
        let len = self.length()?;
        self.as_string_length(len)
    }

    fn as_string_length(&self, len: u64) -> Result<usize, Error> {
        if len > STRING_MAX { self.corrupt("string too long") } else { Ok(len as usize) }
    }

    /// Reads a string and says where it stands.
    fn read_string(&mut self) -> Result<Place, Error> {
        let number: i64 = match self.length_or_encoding()? {
            Ok(len) => {
                let len = self.as_string_length(len)?;
                self.source.take(len)?;
                return Ok(Place::Source);
            }
            Err(string::INT_8) => i8::from_le_bytes(self.array()?).into(),
            Err(string::INT_16) => i16::from_le_bytes(self.array()?).into(),
            Err(string::INT_32) => i32::from_le_bytes(self.array()?).into(),
            Err(string::LZF) => {
                let (packed, len) = (self.string_length()?, self.string_length()?);
                self.unpacked.clear();
                self.source.take(packed)?;
                return match decompress(self.source.taken(), len, &mut self.unpacked) {
                    Ok(()) => Ok(Place::Unpacked),
                    Err(corrupt) => self.refuse(corrupt),
                };
            }
            Err(_) => return self.corrupt("unknown encoding of a string"),
        };
        Ok(Place::Int(number))
    }

    /// The bytes of the string that was read last.
    fn at(&mut self, place: Place) -> &[u8] {
        match place {
            Place::Int(number) => self.number.of(number),
            Place::Source => self.source.taken(),
            Place::Unpacked => &self.unpacked,
        }
    }

    /// A string.
    pub(super) fn string(&mut self) -> Result<&[u8], Error> {
        let place = self.read_string()?;
        Ok(self.at(place))
    }

    /// A string that stays while the next one is read, in `self.first`.
    fn first_string(&mut self) -> Result<(), Error> {
        let mut first = std::mem::take(&mut self.first);
        first.clear();
        first.extend_from_slice(self.string()?);
        self.first = first;
        Ok(())
    }

    /// A value of a type.
    pub fn value(&mut self, kind: u8) -> Result<Loaded<'_>, Error> {
        self.of = compact_form(kind);
        let value = match kind {
            kind::STRING => return self.text(),
            kind::LIST | kind::LIST_QUICKLIST | kind::LIST_QUICKLIST_2 | kind::LIST_ZIPLIST => {
                self.list(kind)?.map(Value::List)
            }
            kind::SET => self.set()?.map(Value::Set),
            kind::SET_INTSET => Some(Value::Set(self.set_of_ints()?)),
            kind::SET_LISTPACK => self.set_of_pack()?.map(Value::Set),
            kind::ZSET | kind::ZSET_2 => self.zset(kind)?.map(Value::Zset),
            kind::ZSET_ZIPLIST | kind::ZSET_LISTPACK => self.zset_of_pack(kind)?.map(Value::Zset),
            kind::HASH
            | kind::HASH_ZIPMAP
            | kind::HASH_ZIPLIST
            | kind::HASH_LISTPACK
            | kind::HASH_2
            | kind::HASH_EXPIRES_LISTPACK_OLD
            | kind::HASH_EXPIRES
            | kind::HASH_EXPIRES_LISTPACK => return self.hash(kind),
            kind::STREAM | kind::STREAM_2 | kind::STREAM_3 | kind::STREAM_4 | kind::STREAM_5 => {
                Some(Value::Stream(Box::new(self.stream(kind)?)))
            }
            kind::ARRAY => self.array_value()?.map(|array| Value::Array(Box::new(array))),
            kind::HASH_TEMPLATE_LISTPACK..=kind::HASH_TEMPLATE_ARRAY_REF if !self.is_valkey => {
                return self.hash_of_template(kind);
            }
            kind::GCRA if !self.is_valkey => {
                return self.corrupt("a rate limit (GCRA) of a preview of Redis 8.8");
            }
            kind::MODULE_OLD => return self.corrupt("module value of a release candidate"),
            kind::MODULE => {
                let id = self.length()?;
                return Err(Error::Module { name: module_name(id) });
            }
            code => return Err(Error::Unknown { at: self.source.position(), code }),
        };
        Ok(value.map_or(Loaded::Empty, |value| Loaded::Value(NewValue::Object(value))))
    }

    fn text(&mut self) -> Result<Loaded<'_>, Error> {
        let place = self.read_string()?;
        let value = match place {
            Place::Int(number) => NewValue::Int(number),
            place => {
                let bytes = self.at(place);
                parse_i64(bytes).map_or(NewValue::Bytes(bytes), NewValue::Int)
            }
        };
        Ok(Loaded::Value(value))
    }

    /// A string that is a listpack.
    fn pack(&mut self) -> Result<Listpack, Error> {
        match Listpack::from_bytes(self.string()?) {
            Ok(pack) => Ok(pack),
            Err(corrupt) => self.refuse(corrupt),
        }
    }

    fn set(&mut self) -> Result<Option<Set>, Error> {
        let len = self.length()?;
        let rules = self.rules.of_set();
        let mut set = Set::new();
        set.make_room(usize::try_from(len).unwrap_or(usize::MAX), &rules);
        for _ in 0..len {
            if !set.add(self.string()?, &rules) {
                return self.corrupt("set with a member twice");
            }
        }
        Ok((len > 0).then_some(set))
    }

    fn set_of_ints(&mut self) -> Result<Set, Error> {
        match Intset::from_bytes(self.string()?) {
            Ok(ints) => Ok(Set::from_ints(ints, &self.rules.of_set())),
            Err(corrupt) => self.refuse(corrupt),
        }
    }

    fn set_of_pack(&mut self) -> Result<Option<Set>, Error> {
        let pack = self.pack()?;
        if pack.is_empty() {
            return Ok(None);
        }
        match Set::from_pack(pack, &self.rules.of_set()) {
            Some(set) => Ok(Some(set)),
            None => self.corrupt("set with a member twice"),
        }
    }
}

/// What servers call the compact form of a type in their messages.
fn compact_form(kind: u8) -> &'static str {
    match kind {
        kind::HASH_ZIPMAP => "Zipmap",
        kind::LIST_ZIPLIST => "List ziplist",
        kind::SET_INTSET => "Intset",
        kind::ZSET_ZIPLIST => "Zset ziplist",
        kind::HASH_ZIPLIST => "Hash ziplist",
        kind::LIST_QUICKLIST => "Ziplist",
        kind::LIST_QUICKLIST_2 => "Quicklist listpack",
        kind::ZSET_LISTPACK => "Zset listpack",
        kind::SET_LISTPACK => "Set listpack",
        kind::HASH_LISTPACK | kind::HASH_EXPIRES_LISTPACK_OLD | kind::HASH_EXPIRES_LISTPACK => {
            "Hash listpack"
        }
        kind::STREAM | kind::STREAM_2 | kind::STREAM_3 | kind::STREAM_4 | kind::STREAM_5 => {
            STREAM_PACK
        }
        _ => "",
    }
}
