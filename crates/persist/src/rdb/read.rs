//! A whole file, item by item.

use keyspace::Entry;

use super::Error;
use super::code::{self, opcode};
use super::decode::{Decoder, Loaded, Rules, module_name};
use super::source::Source;
use super::write::Usage;

mod run;

pub use run::{Piece, Run};

/// What every Redis file begins with, in front of two more digits of its version; then Valkey's.
const REDIS: &[u8] = b"REDIS0";
const VALKEY: &[u8] = b"VALKEY";

/// How files and payloads are looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Settings {
    /// Whether versions that are not known are read as far as they can be.
    pub relaxed: bool,
    /// Whether the checksum is compared.
    pub checksum: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self { relaxed: false, checksum: true }
    }
}

/// Whether a version is known.
pub(super) fn is_known(version: u32, relaxed: bool) -> bool {
    let is_redis = (1..=u32::from(code::REDIS_MAX)).contains(&version);
    is_redis || version == u32::from(code::VALKEY) || relaxed && version > 0
}

/// What stands in a file.
pub enum Item {
    /// A note: name and value.
    Aux(Vec<u8>, Vec<u8>),
    /// The keys that follow belong to this database.
    Select(u64),
    /// How many keys the database has, and how many of them expire.
    Sizes(u64, u64),
    /// A library of functions.
    Function(Vec<u8>),
    /// A key.
    Key(Key),
}

/// A key as it was read.
pub enum Key {
    /// With its value.
    Live(Entry),
    /// With an empty collection.
    Empty(Vec<u8>),
    /// With a hash whose fields have all expired.
    Faded(Vec<u8>),
}

/// Reads a file.
pub struct Reader<'r, S> {
    decoder: Decoder<'r, S>,
    settings: Settings,
    version: u32,
    is_valkey: bool,
    /// The clock of accesses, in seconds.
    now_s: u32,
    is_lfu: bool,
    last_kind: Option<u8>,
    last_key: Vec<u8>,
    usage: Option<Usage>,
}

/// What is said of the next key in front of it.
#[derive(Default)]
struct Ahead {
    deadline_ms: Option<i64>,
    usage: Option<Usage>,
}

impl<'r, S: Source> Reader<'r, S> {
    /// Looks at the first bytes.
    pub fn new(source: S, settings: Settings, rules: Rules<'r>) -> Result<Self, Error> {
        let mut decoder = Decoder::new(source, rules);
        let magic: [u8; 9] = decoder.array()?;
        let is_valkey = magic.starts_with(VALKEY);
        if !is_valkey && !magic.starts_with(REDIS) {
            return Err(Error::Magic(magic.escape_ascii().to_string()));
        }
        let digits = std::str::from_utf8(&magic[6..]).ok();
        let version = digits.and_then(|digits| digits.parse().ok()).unwrap_or(0);
        let is_valkeys = version > u32::from(code::REDIS_END);
        let is_foreign = is_valkey != is_valkeys && !settings.relaxed;
        if !is_known(version, settings.relaxed) || is_foreign {
            return Err(Error::Version(version));
        }
        decoder.set_dialect(is_valkey);
        Ok(Self::of(decoder, settings, version, is_valkey))
    }

    fn of(decoder: Decoder<'r, S>, settings: Settings, version: u32, is_valkey: bool) -> Self {
        Self {
            decoder,
            settings,
            version,
            is_valkey,
            now_s: 0,
            is_lfu: false,
            last_kind: None,
            last_key: Vec::new(),
            usage: None,
        }
    }

    /// What the notes on the use of keys are told by: the clock of accesses in seconds, or whether
    /// accesses are counted.
    #[must_use]
    pub fn with_access(mut self, now_s: u32, is_lfu: bool) -> Self {
        (self.now_s, self.is_lfu) = (now_s, is_lfu);
        self
    }

    /// The version of the file, and whether it is of Valkey's dialect.
    pub fn version(&self) -> (u32, bool) {
        (self.version, self.is_valkey)
    }

    /// What the file says of how the last key was used.
    pub fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// How far it is read, in bytes.
    pub fn position(&self) -> u64 {
        self.decoder.source().position()
    }

    /// Where the bytes come from, which may go on behind the end of the data set.
    pub fn into_source(self) -> S {
        self.decoder.into_source()
    }

    /// The key that was read last, or is being read, with the type of its value as it stands in the
    /// file; none before the first one.
    pub fn last_key(&self) -> Option<(&[u8], u8)> {
        Some((&self.last_key, self.last_kind?))
    }

    /// The next item; none at the end, when all was in order.
    pub fn next_item(&mut self) -> Result<Option<Item>, Error> {
        let mut ahead = Ahead::default();
        loop {
            let code = self.decoder.byte()?;
            match code {
                opcode::EXPIRE_S => {
                    let seconds = i32::from_le_bytes(self.decoder.array()?);
                    ahead.deadline_ms = Some(i64::from(seconds) * 1000);
                }
                opcode::EXPIRE_MS => ahead.deadline_ms = Some(self.decoder.time_ms()?),
                opcode::FREQ => ahead.usage = Some(Usage::Frequency(self.decoder.byte()?)),
                opcode::IDLE => {
                    let idle_s = u32::try_from(self.decoder.length()?).unwrap_or(u32::MAX);
                    ahead.usage = Some(Usage::Idle(idle_s));
                }
                opcode::END => return self.end().map(|()| None),
                opcode::HASH_TEMPLATE..=opcode::FUNCTION_OLD
                | opcode::MODULE_AUX
                | opcode::AUX..=opcode::RESIZE
                | opcode::SELECT => {
                    if let Some(item) = self.mark(code)? {
                        return Ok(Some(item));
                    }
                }
                kind => return self.key(kind, ahead).map(|key| Some(Item::Key(key))),
            }
        }
    }

    fn mark(&mut self, code: u8) -> Result<Option<Item>, Error> {
        let decoder = &mut self.decoder;
        Ok(Some(match code {
            opcode::SELECT => Item::Select(decoder.length()?),
            opcode::RESIZE => Item::Sizes(decoder.length()?, decoder.length()?),
            opcode::AUX => Item::Aux(decoder.string()?.to_vec(), decoder.string()?.to_vec()),
            opcode::FUNCTION => Item::Function(decoder.string()?.to_vec()),
            opcode::SLOT_INFO => {
                for _ in 0..3 {
                    decoder.length()?;
                }
                return Ok(None);
            }
            opcode::MODULE_AUX => {
                let id = decoder.length()?;
                return Err(Error::Module { name: module_name(id) });
            }
            opcode::HASH_TEMPLATE if !self.is_valkey => {
                decoder.template()?;
                return Ok(None);
            }
            opcode::KEY_META if self.is_valkey => {
                return decoder.corrupt("a slot that is being imported into a cluster");
            }
            opcode::KEY_META => {
                decoder.metadata()?;
                return Ok(None);
            }
            opcode::FUNCTION_OLD => return decoder.corrupt("functions of a release candidate"),
            code => return Err(Error::Unknown { at: self.position(), code }),
        }))
    }

    fn key(&mut self, kind: u8, ahead: Ahead) -> Result<Key, Error> {
        self.last_kind = Some(kind);
        self.last_key.clear();
        self.last_key.extend_from_slice(self.decoder.string()?);
        let key = &self.last_key;
        self.usage = ahead.usage;
        let access = Usage::access(ahead.usage, self.now_s, self.is_lfu);
        Ok(match self.decoder.value(kind)? {
            Loaded::Value(value) => Key::Live(Entry::new(key, value, ahead.deadline_ms, access)),
            Loaded::Empty => Key::Empty(key.clone()),
            Loaded::Faded => Key::Faded(key.clone()),
        })
    }

    /// Compares the checksum. Zero stands for none.
    fn end(&mut self) -> Result<(), Error> {
        if self.version < u32::from(code::VERSION_CHECKSUM) {
            return Ok(());
        }
        let found = self.decoder.source().checksum();
        let said = u64::from_le_bytes(self.decoder.array()?);
        match found {
            Some(found) if self.settings.checksum && said != 0 && said != found => {
                Err(Error::Checksum { said, found })
            }
            _ => Ok(()),
        }
    }
}
